//! JSON over HTTP with patience: what is worth asking again is asked again, and everything else is said once.
//!
//! The key comes from the environment, goes into one header, and appears in no message. Proxies are those of the
//! environment. Nothing here knows what is asked.

use serde_json::Value;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Longest body that is read, in bytes.
const LARGEST_BODY: u64 = 256 << 20;
/// Wait after the first failure; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Most characters of a server's words that are quoted.
const QUOTED: usize = 300;

/// Why a call got no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The server said no, and asking again would not help.
    #[error("the server answered {status}: {text}")]
    Status {
        /// HTTP status.
        status: u16,
        /// Its words, shortened.
        text: String,
    },
    /// Every try failed.
    #[error("no answer after {tries} {}: {last}", if *tries == 1 { "try" } else { "tries" })]
    GaveUp {
        /// How many tries.
        tries: u32,
        /// The last failure.
        last: String,
    },
}

/// How long to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// One call.
    pub call: Duration,
    /// All tries together; no new one begins after it.
    pub total: Duration,
    /// Most tries.
    pub tries: u32,
}

impl Patience {
    /// As much as fits before `limit`, after which whoever waits for the answer gives up: time is left for a look whether the
    /// server is there at all.
    #[must_use]
    pub fn within(limit: Duration) -> Self {
        Self { call: limit * 2 / 5, total: limit * 4 / 5, tries: 8 }
    }

    /// For that look.
    #[must_use]
    pub fn brief(self) -> Self {
        Self { call: self.call / 4, total: self.call / 4, tries: 2 }
    }
}

impl Default for Patience {
    /// Two minutes a call, four together.
    fn default() -> Self {
        Self::within(Duration::from_secs(300))
    }
}

/// How a failure begins where the answer was no JSON.
pub(super) const NOT_JSON: &str = "the answer is not JSON";

/// One server.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    key: Option<String>,
    patience: Patience,
    /// `Server` header of the first answer that had one.
    software: OnceLock<String>,
}

/// One try.
enum Try {
    Done(Value),
    Never(CallError),
    /// Worth another try, after so long if the server said so.
    Again(String, Option<Duration>),
}

impl Client {
    /// A client of `base` (such as `http://host:8000/v1`); `key_variable` names the environment variable that holds
    /// the key, if there is one.
    #[must_use]
    pub fn new(base: &str, key_variable: &str, patience: Patience) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A question that is sent on would lose its body, and the key would go where nobody named.
            .max_redirects(0)
            .timeout_global(Some(patience.call));
        Self {
            agent: config.build().into(),
            base: base.trim_end_matches('/').to_owned(),
            key: std::env::var(key_variable).ok().filter(|k| !k.is_empty()),
            patience,
            software: OnceLock::new(),
        }
    }

    /// What the server, or whatever stands in front of it, calls itself in its headers.
    #[must_use]
    pub fn software(&self) -> Option<&str> {
        self.software.get().map(String::as_str)
    }

    /// `GET base/path`.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn get(&self, path: &str) -> Result<Value, CallError> {
        self.persist(|| {
            let request = self.agent.get(format!("{}/{path}", self.base));
            match &self.key {
                Some(key) => request.header("Authorization", format!("Bearer {key}")).call(),
                None => request.call(),
            }
        })
    }

    /// `POST base/path` with a JSON body.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, CallError> {
        self.persist(|| {
            let request = self.agent.post(format!("{}/{path}", self.base));
            match &self.key {
                Some(key) => request.header("Authorization", format!("Bearer {key}")).send_json(body),
                None => request.send_json(body),
            }
        })
    }

    fn persist(
        &self,
        call: impl Fn() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, CallError> {
        let began = Instant::now();
        let mut wait = FIRST_WAIT;
        let mut tries = 0;
        loop {
            tries += 1;
            let answered = call();
            if let Some(name) = answered.as_ref().ok().and_then(|r| r.headers().get("server")?.to_str().ok()) {
                self.software.get_or_init(|| quote(name));
            }
            let (why, asked) = match once(answered, self.patience.call) {
                Try::Done(value) => return Ok(value),
                Try::Never(error) => return Err(error),
                Try::Again(why, asked) => (why, asked),
            };
            let pause = asked.unwrap_or(wait).min(LONGEST_WAIT);
            if tries >= self.patience.tries || began.elapsed() + pause >= self.patience.total {
                return Err(CallError::GaveUp { tries, last: why });
            }
            std::thread::sleep(pause);
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

/// An error in words; `call` is how long was waited.
fn said(error: &ureq::Error, call: Duration) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("no whole answer within {} s", call.as_secs_f64()),
        other => other.to_string(),
    }
}

fn once(answered: Result<ureq::http::Response<ureq::Body>, ureq::Error>, call: Duration) -> Try {
    let mut response = match answered {
        Ok(response) => response,
        Err(error) => return Try::Again(said(&error, call), None),
    };
    let status = response.status().as_u16();
    let after = response.headers().get("retry-after").and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse().ok());
    let moved = response.headers().get("location").and_then(|v| v.to_str().ok()).map(quote);
    let text = match response.body_mut().with_config().limit(LARGEST_BODY).read_to_string() {
        Ok(text) => text,
        Err(error) => return Try::Again(format!("the answer broke off: {}", said(&error, call)), None),
    };
    match status {
        200..=299 => match serde_json::from_str(&text) {
            Ok(value) => Try::Done(value),
            Err(error) => Try::Again(format!("{NOT_JSON} ({error}): {}", quote(&text)), None),
        },
        300..=399 => {
            let text = moved.map_or_else(|| quote(&text), |to| format!("it redirects to {to}"));
            Try::Never(CallError::Status { status, text })
        }
        408 | 425 | 429 | 500..=599 => {
            Try::Again(format!("the server answered {status}: {}", quote(&text)), after.map(Duration::from_secs))
        }
        _ => Try::Never(CallError::Status { status, text: quote(&text) }),
    }
}

/// The server's own message where there is one, else the start of its text.
fn quote(text: &str) -> String {
    let message = serde_json::from_str::<Value>(text).ok().and_then(|v| {
        let places = [&v["error"]["message"], &v["message"], &v["detail"], &v["error"]];
        places.into_iter().find_map(|m| m.as_str().map(str::to_owned))
    });
    let words = message.unwrap_or_else(|| text.to_owned());
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > QUOTED { words.chars().take(QUOTED).chain(['…']).collect() } else { words }
}
