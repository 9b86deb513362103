//! What a server can do, asked once at the start: servers that speak the same protocol return different parts of it.

use super::http::{CallError, Client, NOT_JSON};
use super::reply::{Offsets, echoed};
use super::says::Says;
use crate::benchmark::Framing;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the probe asks to have echoed: not ASCII only, so that it shows in which unit offsets are counted.
pub(super) const PROBE: &str = "A café in Zürich – open.";

/// Beginnings that are not over, one after the other: where a model ends its text at once, a server may name no next token.
const UNFINISHED: [&str; 3] = [PROBE, "Q: Is it warm in here?\nA:", "The cat sat on the"];

/// Questions, likewise.
const QUESTIONS: [&str; 3] = ["Say yes.", "What is your name?", "Count to three."];

/// What a server can do for one model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Abilities {
    /// Log-probabilities of the prompt's own tokens, and how their places are counted; or why not.
    pub echo: Option<Offsets>,
    /// Why there are none.
    pub no_echo: Option<String>,
    /// Whether the first token of a text has one too, as it has behind a BOS that the server puts in front.
    pub first: bool,
    /// Plain completion.
    pub completion: bool,
    /// Log-probabilities of the most likely next tokens, on plain completion.
    pub next_token: bool,
    /// Chat.
    pub chat: bool,
    /// The same on chat.
    pub chat_next_token: bool,
    /// Whether a system's turn reaches the prompt in chat.
    pub system: bool,
    /// Whether the model goes on from the beginning of an assistant's turn.
    pub prefill: bool,
    /// What the server says of itself and of the model that is the same in all its replies and after a restart.
    pub says: BTreeMap<String, String>,
    /// Its `Server` header, which may be that of a proxy.
    pub software: Option<String>,
}

/// Why a server cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It does not answer: another time it may.
    #[error("{0}")]
    Gone(String),
    /// It answers, and cannot be asked: another model, a wrong key, none of the requests that there are.
    #[error("{0}")]
    Wrong(String),
}

impl Abilities {
    /// One sentence on what is missing; `None` if nothing is.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let mut lacks = Vec::new();
        if self.echo.is_none() {
            let why = self.no_echo.as_deref().unwrap_or("it returns none");
            lacks.push(format!("prompt log-probabilities ({why})"));
        } else if !self.first {
            lacks.push("the log-probability of a text's first token".to_owned());
        }
        if !self.next_token {
            lacks.push("next-token log-probabilities".to_owned());
        }
        if !self.completion {
            lacks.push("plain completion".to_owned());
        }
        if !self.chat {
            lacks.push("chat".to_owned());
        } else if !self.chat_next_token {
            lacks.push("next-token log-probabilities in chat".to_owned());
        }
        (!lacks.is_empty()).then(|| format!("the server cannot do: {}", lacks.join("; ")))
    }
}

/// Asks the server for its models and for one token of each kind.
///
/// # Errors
/// [`Unusable`] in words: unreachable, wrong key, or another model than the one named.
pub(super) fn probe(client: &Client, model: &str) -> Result<Abilities, Unusable> {
    let mut says = Says::default();
    check_model(client, model, &mut says)?;
    let mut found = Abilities::default();
    let mut ask = |path: &str, body: &Value| client.post(path, body).inspect(|reply| says.hear(reply));
    let body = json!({"model": model, "prompt": PROBE, "max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": true});
    match ask("completions", &body).map(|v| echoed(&v, PROBE, None)) {
        Ok(Ok(echo)) => (found.echo, found.first) = (Some(echo.offsets), echo.after(0).is_ok()),
        Ok(Err(why)) => found.no_echo = Some(why),
        Err(error) => found.no_echo = Some(refusal(&error)?),
    }
    for prompt in UNFINISHED {
        let body =
            json!({"model": model, "prompt": prompt, "max_tokens": 1, "temperature": 0, "logprobs": 5, "echo": false});
        let Some(reply) = allowed(ask("completions", &body))? else { break };
        found.completion |= reply["choices"][0]["text"].is_string();
        found.next_token = reply["choices"][0]["logprobs"]["top_logprobs"][0].is_object();
        if found.next_token || !ended_at_once(&reply) {
            break;
        }
    }
    for question in QUESTIONS {
        let mut body = json!({"model": model, "max_tokens": 1, "temperature": 0});
        frame(&mut body, question, &Framing::default());
        let plain = body.clone();
        (body["logprobs"], body["top_logprobs"]) = (true.into(), 5.into());
        let Some(reply) = allowed(ask("chat/completions", &body))? else {
            found.chat |= allowed(ask("chat/completions", &plain))?.is_some();
            break;
        };
        found.chat |= reply["choices"][0]["message"].is_object();
        found.chat_next_token = reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"].is_array();
        if found.chat_next_token || !ended_at_once(&reply) {
            break;
        }
    }
    if found.chat {
        (found.system, found.prefill) = turns(&mut ask, model)?;
    }
    if !found.completion && !found.chat {
        return Err(Unusable::Wrong(format!("it answers neither completions nor chat for model {model:?}")));
    }
    found.says = says.stable();
    found.software = client.software().map(str::to_owned);
    Ok(found)
}

/// Whether the model had nothing to add.
fn ended_at_once(reply: &Value) -> bool {
    reply["usage"]["completion_tokens"].as_u64() == Some(0)
}

/// Puts the turns of a chat into a request. A server that goes on from the assistant's turn knows it by vLLM's words for it;
/// llama.cpp's does so without being told.
pub(super) fn frame(body: &mut Value, prompt: &str, framing: &Framing) {
    let mut messages = Vec::new();
    messages.extend(framing.system.as_ref().map(|text| json!({"role": "system", "content": text})));
    messages.push(json!({"role": "user", "content": prompt}));
    if let Some(prefill) = &framing.prefill {
        messages.push(json!({"role": "assistant", "content": prefill}));
        body["add_generation_prompt"] = false.into();
        body["continue_final_message"] = true.into();
    }
    body["messages"] = messages.into();
}

/// Whether a system's turn reaches the prompt, and whether the model goes on from an assistant's turn: by the lengths of
/// prompts, as the server counts their tokens.
///
/// With a prefill of n equal words the prompt has `plain + n·c` tokens where the turn stays open; a turn that is closed, with a
/// new one begun, has more.
fn turns(
    ask: &mut impl FnMut(&str, &Value) -> Result<Value, CallError>,
    model: &str,
) -> Result<(bool, bool), Unusable> {
    let mut length = |framing: Framing| -> Result<Option<i64>, Unusable> {
        let mut body = json!({"model": model, "max_tokens": 1, "temperature": 0});
        frame(&mut body, "Say yes.", &framing);
        let reply = allowed(ask("chat/completions", &body))?;
        Ok(reply.and_then(|r| r["usage"]["prompt_tokens"].as_i64()))
    };
    let prefilled = |words: usize| Framing { prefill: Some(vec!["one"; words].join(" ")), ..Framing::default() };
    let Some(plain) = length(Framing::default())? else { return Ok((false, false)) };
    let system = length(Framing { system: Some("Answer briefly.".to_owned()), ..Framing::default() })?;
    let prefill = match length(prefilled(4))? {
        Some(four) => length(prefilled(8))?.is_some_and(|eight| eight > four && four - plain <= eight - four),
        None => false,
    };
    Ok((system.is_some_and(|n| n > plain), prefill))
}

fn check_model(client: &Client, model: &str, says: &mut Says) -> Result<(), Unusable> {
    let Some(list) = allowed(client.get("models"))? else { return Ok(()) };
    let models = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(entry) = models.iter().find(|m| m["id"] == model) {
        says.read(entry);
        return Ok(());
    }
    let names: Vec<&str> = models.iter().filter_map(|m| m["id"].as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Unusable::Wrong(format!("it has no model {model:?}; it has {}", names.join(", "))))
}

/// A refusal of the request itself means that the server cannot do it; a missing key or no server is an error.
fn allowed(called: Result<Value, CallError>) -> Result<Option<Value>, Unusable> {
    match called {
        Ok(value) => Ok(Some(value)),
        Err(error) => refusal(&error).map(|_| None),
    }
}

fn refusal(error: &CallError) -> Result<String, Unusable> {
    match error {
        CallError::Status { status: 401 | 403, .. } => {
            Err(Unusable::Wrong(format!("{error}; set the key in the environment variable that `key_env` names")))
        }
        CallError::Status { status: 300..=399, .. } => {
            Err(Unusable::Wrong(format!("{error}; `url` must be the address of the API itself")))
        }
        CallError::GaveUp { last, .. } if last.starts_with(NOT_JSON) => {
            Err(Unusable::Wrong(format!("{error}; is `url` the address of the API (such as http://host:8000/v1)?")))
        }
        // Some servers answer 500 to a combination of options that they do not know.
        CallError::Status { .. } => Ok(error.to_string()),
        CallError::GaveUp { last, .. } if is_own_trouble(last) => Ok(error.to_string()),
        CallError::GaveUp { .. } => Err(Unusable::Gone(error.to_string())),
    }
}

/// Whether the server itself failed; 502 to 504 say that it is busy, starting, or gone.
fn is_own_trouble(last: &str) -> bool {
    let answered = |status: &str| last.starts_with(&format!("the server answered {status}"));
    answered("5") && !["502", "503", "504"].into_iter().any(answered)
}
