//! What a server's JSON says, read without trust: every number is checked, every length compared.

use super::super::Finish;
use serde_json::Value;

/// In what the places of tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offsets {
    /// Unicode code points, as OpenAI's own server and those written in Python do.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

impl Offsets {
    pub(super) fn length(self, text: &str) -> u64 {
        match self {
            Self::Characters => text.chars().count() as u64,
            Self::Bytes => text.len() as u64,
        }
    }
}

/// A prompt as the server read it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Echo {
    /// Place of each prompt token in the text.
    pub(super) starts: Vec<u64>,
    /// Natural-log probability of each; absent for the first, which nothing predicts.
    pub(super) logprobs: Vec<Option<f64>>,
    /// In what places are counted.
    pub(super) offsets: Offsets,
    /// Tokens of the prompt by the server's own count.
    pub(super) prompt_tokens: u32,
}

/// Reads an echoed prompt; `expect` is the unit found by the probe.
///
/// # Errors
/// In words: what is missing, not finite, or does not fit the prompt.
pub(super) fn echoed(reply: &Value, prompt: &str, expect: Option<Offsets>) -> Result<Echo, String> {
    let logprobs = &reply["choices"][0]["logprobs"];
    let values = logprobs["token_logprobs"].as_array().ok_or("it returns no token_logprobs for the prompt")?;
    let starts = logprobs["text_offset"].as_array().ok_or("it returns no text_offset")?;
    let starts: Vec<u64> = starts.iter().map_while(Value::as_u64).collect();
    if starts.len() != values.len() {
        return Err(format!("it returns {} log-probabilities and {} offsets", values.len(), starts.len()));
    }
    let generated = reply["usage"]["completion_tokens"].as_u64().ok_or("it does not count completion_tokens")? as usize;
    if values.len() < generated + 2 {
        return Err("it returns log-probabilities of generated tokens only".to_owned());
    }
    let prompt_tokens = values.len() - generated;
    let end = starts.get(prompt_tokens).copied();
    let fits = |unit: &Offsets| match end {
        Some(end) => end == unit.length(prompt),
        None => starts[prompt_tokens - 1] < unit.length(prompt),
    };
    let units = expect.map_or(vec![Offsets::Characters, Offsets::Bytes], |unit| vec![unit]);
    let offsets = units.into_iter().find(fits).ok_or("its offsets do not fit the prompt that was sent")?;
    let logprobs = values[..prompt_tokens].iter().enumerate().map(|(at, v)| finite(at, v)).collect::<Result<_, _>>()?;
    Ok(Echo { starts: starts[..prompt_tokens].to_vec(), logprobs, offsets, prompt_tokens: prompt_tokens as u32 })
}

fn finite(at: usize, value: &Value) -> Result<Option<f64>, String> {
    match value.as_f64() {
        Some(x) if x.is_finite() && x <= 1e-6 => Ok(Some(x.min(0.0))),
        None if at == 0 && value.is_null() => Ok(None),
        _ => Err(format!("the log-probability of token {at} is {value}")),
    }
}

impl Echo {
    /// Log-probabilities of the tokens that reach beyond the context; `skip` is its length.
    ///
    /// The first token of all has no prediction. Behind a server that opens with BOS that costs nothing; behind another a
    /// text without context cannot be scored, because without its first word it is another text.
    ///
    /// # Errors
    /// A token of the text has no log-probability, or there is none.
    pub(super) fn after(&self, skip: u64) -> Result<Vec<f64>, String> {
        let ends = self.starts.iter().skip(1).copied().chain([u64::MAX]);
        let scored = self.logprobs.iter().zip(ends).filter(|(_, end)| *end > skip);
        let values: Option<Vec<f64>> = scored.map(|(value, _)| *value).collect();
        match values {
            None => Err("the first token of the text has no log-probability".to_owned()),
            Some(values) if values.is_empty() => Err("no token of the text has a log-probability".to_owned()),
            Some(values) => Ok(values),
        }
    }
}

/// The most likely next tokens with their log-probabilities, on plain completion or in chat.
///
/// # Errors
/// In words.
pub(super) fn next_tokens(reply: &Value, chat: bool) -> Result<Vec<(String, f64)>, String> {
    let logprobs = &reply["choices"][0]["logprobs"];
    let pairs: Vec<(String, f64)> = if chat {
        let listed = logprobs["content"][0]["top_logprobs"].as_array().ok_or("it returns no top_logprobs")?;
        let pair = |t: &Value| Some((t["token"].as_str()?.to_owned(), t["logprob"].as_f64()?));
        listed.iter().filter_map(pair).collect()
    } else {
        let listed = logprobs["top_logprobs"][0].as_object().ok_or("it returns no top_logprobs")?;
        listed.iter().filter_map(|(token, p)| Some((token.clone(), p.as_f64()?))).collect()
    };
    match pairs.iter().find(|(_, p)| !p.is_finite() || *p > 1e-6) {
        Some((token, p)) => Err(format!("the log-probability of {token:?} is {p}")),
        None if pairs.is_empty() => Err("its list of next tokens is empty".to_owned()),
        None => Ok(pairs),
    }
}

/// A generated text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Generated {
    /// The reply.
    pub(super) text: String,
    /// The thinking part, where the server keeps it apart.
    pub(super) reasoning: Option<String>,
    /// Tokens of it, where the server counts them.
    pub(super) reasoning_tokens: Option<u32>,
    /// Why it ended.
    pub(super) finish: Finish,
    /// Tokens of the prompt by the server's count.
    pub(super) prompt_tokens: u32,
}

/// Reads a generated text.
///
/// # Errors
/// In words.
pub(super) fn generated(reply: &Value, chat: bool) -> Result<Generated, String> {
    let choice = &reply["choices"][0];
    let said = if chat { &choice["message"]["content"] } else { &choice["text"] };
    let reasoning = ["reasoning_content", "reasoning"].iter().find_map(|key| choice["message"][key].as_str());
    let reasoning = reasoning.filter(|t| !t.is_empty()).map(str::to_owned);
    let text = match (said.as_str(), &reasoning) {
        (Some(said), _) => said.to_owned(),
        (None, Some(_)) => String::new(),
        (None, None) => return Err("the reply holds no text".to_owned()),
    };
    let counted = reply["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64();
    let reasoning_tokens = counted.and_then(|n| u32::try_from(n).ok());
    let finish = match choice["finish_reason"].as_str() {
        Some("stop" | "eos" | "eos_token" | "stop_sequence") => Finish::Stop,
        Some("length") => Finish::Length,
        other => return Err(format!("generation ended for an unknown reason: {other:?}")),
    };
    let prompt_tokens = reply["usage"]["prompt_tokens"].as_u64().ok_or("it does not count prompt_tokens")? as u32;
    Ok(Generated { text, reasoning, reasoning_tokens, finish, prompt_tokens })
}
