//! Any OpenAI-compatible server as an engine: vLLM, llama.cpp, TGI, Ray Serve, mistral.rs' own server.
//!
//! Log-likelihoods come from plain completion with the prompt echoed, next-token probabilities from the list of most
//! likely tokens. Text is greedy, or sampled by the server itself: temperature, filters, and a seed from the item's stream go
//! along, and the server decides what the seed is worth (vLLM draws the same for the same seed in the same batch, others make
//! no promise). A worker holds one connection and asks one question at a time: concurrency is the
//! number of workers. What a server loaded it does not say; the setting carries what the audit file declares.

mod http;
mod probe;
mod reply;
mod says;

pub use http::{CallError, Client, Patience};
pub use probe::{Abilities, Unusable};
pub use reply::Offsets;

use super::draw::Numbers;
use super::thinking::{Split, before_stop, is_open, split};
use super::{Answer, AskError, Engine, Finish, Part, Realised, Spent, Thought};
use crate::benchmark::{Ask, Candidate, Decoding, Framing};
use crate::spec::Endpoint;
use serde_json::{Value, json};
use std::cell::Cell;
use std::time::Instant;

/// Next tokens that are asked for: the most that vLLM and OpenAI's protocol give by default.
const NEXT_TOKENS: u32 = 20;

/// One model on one server.
#[derive(Debug)]
pub struct OpenAiEngine {
    client: Client,
    /// The same server, for a look whether it is still there.
    brief: Client,
    model: String,
    /// Id of the setting, which names its random numbers where they are not shared.
    setting: String,
    abilities: Abilities,
    realised: Realised,
    spent: Cell<Spent>,
}

/// Asks a server what it can do.
///
/// # Errors
/// [`Unusable`] in words: unreachable, refused, or without the model.
pub fn abilities(endpoint: &Endpoint, patience: Patience) -> Result<Abilities, Unusable> {
    let client = Client::new(&endpoint.url, &endpoint.key_env, patience);
    let at = |why: &String| format!("{}: {why}", endpoint.url);
    probe::probe(&client, &endpoint.model).map_err(|unusable| match &unusable {
        Unusable::Gone(why) => Unusable::Gone(at(why)),
        Unusable::Wrong(why) => Unusable::Wrong(at(why)),
    })
}

/// What the audit file declares about a served model, and what the server says.
#[must_use]
pub fn realised(endpoint: &Endpoint, abilities: &Abilities) -> Realised {
    Realised {
        quantized: Vec::new(),
        untouched: Vec::new(),
        bits_per_weight: endpoint.bits_per_weight,
        bits_per_weight_model: endpoint.bits_per_weight,
        activations: endpoint.activations.clone(),
        activations_quantized: endpoint.activations != "none",
        device: "server".to_owned(),
        dtype: endpoint.weights.clone(),
        deviations: vec![format!(
            "served as {:?}: weights, bits per weight, and activations are declared in the audit file, not verified",
            endpoint.model
        )],
        server: abilities.says.clone(),
    }
}

/// Whether a server with these abilities can answer an ask; else the reason.
///
/// # Errors
/// The reason in words.
pub fn can_answer(abilities: &Abilities, ask: &Ask) -> Result<(), String> {
    let (able, what) = match ask {
        Ask::Likelihood { .. } => (abilities.echo.is_some(), "prompt log-probabilities"),
        Ask::FirstToken { chat: true, .. } => (abilities.chat_next_token, "next-token log-probabilities in chat"),
        Ask::FirstToken { chat: false, .. } => (abilities.next_token, "next-token log-probabilities"),
        Ask::Generate { chat: true, .. } => (abilities.chat, "chat"),
        Ask::Generate { chat: false, .. } => (abilities.completion, "plain completion"),
    };
    if !able {
        return Err(format!("the server gives no {what}"));
    }
    if let Ask::Likelihood { candidates } = ask
        && !abilities.first
        && candidates.iter().any(|c| c.context.is_empty())
    {
        return Err(
            "the server does not score the first token of a text, and here nothing stands before it: run the model \
             from its files (`path` or `hub`), or serve it by software that puts a BOS in front of a completion"
                .into(),
        );
    }
    let (Ask::FirstToken { framing, .. } | Ask::Generate { framing, .. }) = ask else { return Ok(()) };
    if framing.system.is_some() && !abilities.system {
        return Err(
            "the server's chat template takes no system prompt: prompts with and without one are equally long".into()
        );
    }
    if framing.prefill.is_some() && !abilities.prefill {
        return Err("the server does not go on from a prefilled assistant's turn: it closes the turn first".into());
    }
    Ok(())
}

impl OpenAiEngine {
    /// Connects and probes.
    ///
    /// # Errors
    /// As [`abilities`].
    pub fn load(endpoint: &Endpoint, patience: Patience) -> Result<Self, Unusable> {
        let abilities = abilities(endpoint, patience)?;
        Ok(Self {
            client: Client::new(&endpoint.url, &endpoint.key_env, patience),
            brief: Client::new(&endpoint.url, &endpoint.key_env, patience.brief()),
            model: endpoint.model.clone(),
            setting: String::new(),
            realised: realised(endpoint, &abilities),
            abilities,
            spent: Cell::default(),
        })
    }

    /// Names the setting that the engine answers for.
    #[must_use]
    pub fn named(mut self, setting: &str) -> Self {
        setting.clone_into(&mut self.setting);
        self
    }

    fn complete(&self, prompt: &str, more: Value) -> Result<Value, AskError> {
        self.call("completions", json!({"model": self.model, "prompt": prompt, "temperature": 0}), more)
    }

    fn chat(&self, prompt: &str, framing: &Framing, more: Value) -> Result<Value, AskError> {
        let mut body = json!({"model": self.model, "temperature": 0});
        probe::frame(&mut body, prompt, framing);
        self.call("chat/completions", body, more)
    }

    fn call(&self, path: &str, mut body: Value, more: Value) -> Result<Value, AskError> {
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        let began = Instant::now();
        let reply = self.client.post(path, &body);
        let mut spent = self.spent.get();
        spent.micros += u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        if let Ok(reply) = &reply {
            let tokens = |which: &str| reply["usage"][which].as_u64().unwrap_or_default();
            spent.fed += tokens("prompt_tokens");
            spent.generated += tokens("completion_tokens");
        }
        self.spent.set(spent);
        reply.map_err(|error| match error {
            // The request itself was refused: too long, or not understood.
            CallError::Status { status: 400 | 413 | 422, text } => AskError::Refused { reason: text },
            // The server's trouble, or this request's? One that it answered before tells.
            other if self.is_gone() => AskError::Gone { reason: other.to_string() },
            other => AskError::Engine { reason: other.to_string() },
        })
    }

    /// Whether the server does not even answer the shortest request.
    fn is_gone(&self) -> bool {
        let (path, mut body) = if self.abilities.completion {
            ("completions", json!({"model": self.model, "prompt": "A"}))
        } else {
            ("chat/completions", json!({"model": self.model, "messages": [{"role": "user", "content": "A"}]}))
        };
        body["max_tokens"] = json!(1);
        self.brief.post(path, &body).is_err()
    }

    fn likelihood(&self, at: usize, candidate: &Candidate) -> Result<(Part, u32), AskError> {
        let Candidate { context, text } = candidate;
        if text.is_empty() {
            return Err(AskError::Refused { reason: "the scored text is empty".to_owned() });
        }
        let prompt = format!("{context}{text}");
        let reply = self.complete(&prompt, json!({"max_tokens": 1, "logprobs": 1, "echo": true}))?;
        let echo = reply::echoed(&reply, &prompt, self.abilities.echo).map_err(engine)?;
        let logprobs = echo.after(echo.offsets.length(context)).map_err(engine)?;
        Ok((Part { label: at.to_string(), tokens: Vec::new(), logprobs }, echo.prompt_tokens))
    }

    fn first_token(&self, prompt: &str, words: &[String], chat: bool, framing: &Framing) -> Result<Answer, AskError> {
        let reply = if chat {
            self.chat(prompt, framing, json!({"max_tokens": 1, "logprobs": true, "top_logprobs": NEXT_TOKENS}))?
        } else {
            self.complete(prompt, json!({"max_tokens": 1, "logprobs": NEXT_TOKENS}))?
        };
        let next = reply::next_tokens(&reply, chat).map_err(engine)?;
        let parts = words.iter().map(|word| forms(word, &next)).collect::<Result<_, _>>()?;
        let prompt_tokens = reply["usage"]["prompt_tokens"].as_u64().unwrap_or_default() as u32;
        Ok(Answer::Scored { parts, prompt_tokens })
    }

    fn generate(
        &self,
        prompt: &str,
        max_tokens: u32,
        chat: bool,
        framing: &Framing,
        decoding: &Decoding,
    ) -> Result<Answer, AskError> {
        let how = self.how(max_tokens, decoding);
        let reply = if chat { self.chat(prompt, framing, how)? } else { self.complete(prompt, how)? };
        let reply::Generated { text, reasoning, reasoning_tokens, mut finish, prompt_tokens } =
            reply::generated(&reply, chat).map_err(engine)?;
        let prefill = framing.prefill.as_deref().unwrap_or_default();
        let parts = match &reasoning {
            Some(thought) => Split { thought: Some(thought.trim()), answer: text.trim_start(), open: false },
            None => {
                split(&text, is_open(if chat { "" } else { prompt }, prefill, &decoding.thinking), &decoding.thinking)
            }
        };
        let thought = parts.thought.map(|t| Thought { text: t.to_owned(), tokens: reasoning_tokens });
        let mut answer = parts.answer;
        if let Some(cut) = before_stop(answer, &decoding.stop) {
            (answer, finish) = (cut, Finish::Stop);
        }
        Ok(Answer::Generated { text: answer.to_owned(), tokens: Vec::new(), finish, prompt_tokens, thought })
    }

    /// What a request says of decoding.
    fn how(&self, max_tokens: u32, decoding: &Decoding) -> Value {
        let mut how = json!({"max_tokens": max_tokens});
        if !decoding.stop.is_empty() {
            how["stop"] = json!(decoding.stop);
        }
        if let Some(draws) = &decoding.draws {
            let sampling = &draws.sampling;
            how["temperature"] = json!(sampling.temperature);
            how["seed"] = json!(Numbers::of(draws, &self.setting).seed());
            let filters =
                [("top_k", json!(sampling.top_k)), ("top_p", json!(sampling.top_p)), ("min_p", json!(sampling.min_p))];
            for (name, value) in filters.into_iter().filter(|(_, v)| !v.is_null()) {
                how[name] = value;
            }
        }
        how
    }
}

/// The forms of a word among the next tokens: any case that is title, lower, or upper, with or without a space.
fn forms(word: &str, next: &[(String, f64)]) -> Result<Part, AskError> {
    let lower = word.trim().to_lowercase();
    let title: String = lower.chars().take(1).flat_map(char::to_uppercase).chain(lower.chars().skip(1)).collect();
    let cased = [lower.clone(), title, lower.to_uppercase()];
    // A server may write the space of a token as the tokenizer's own mark.
    let plain = |token: &str| token.trim_matches([' ', '\u{2581}', '\u{120}']).to_owned();
    let found: Vec<f64> = next.iter().filter(|(token, _)| cased.contains(&plain(token))).map(|(_, p)| *p).collect();
    if found.is_empty() {
        let reason = format!("{word:?} is not among the {} most likely next tokens that the server names", next.len());
        return Err(AskError::Refused { reason });
    }
    Ok(Part { label: word.to_owned(), tokens: Vec::new(), logprobs: found })
}

fn engine(reason: String) -> AskError {
    AskError::Engine { reason }
}

impl Engine for OpenAiEngine {
    fn realised(&self) -> &Realised {
        &self.realised
    }

    fn spent(&self) -> Spent {
        self.spent.get()
    }

    fn answer(&mut self, ask: &Ask) -> Result<Answer, AskError> {
        can_answer(&self.abilities, ask).map_err(|reason| AskError::Refused { reason })?;
        match ask {
            Ask::Likelihood { candidates } => {
                let scored = candidates.iter().enumerate().map(|(at, c)| self.likelihood(at, c));
                let scored: Vec<(Part, u32)> = scored.collect::<Result<_, _>>()?;
                let prompt_tokens = scored.iter().map(|(_, n)| *n).max().unwrap_or_default();
                Ok(Answer::Scored { parts: scored.into_iter().map(|(part, _)| part).collect(), prompt_tokens })
            }
            Ask::FirstToken { prompt, words, chat, framing } => self.first_token(prompt, words, *chat, framing),
            Ask::Generate { prompt, max_tokens, chat, framing, decoding, .. } => {
                self.generate(prompt, *max_tokens, *chat, framing, decoding)
            }
        }
    }
}
