//! A generated reply: how its tokens are chosen, where it ends, and its two parts.

use super::choose::{Choose, Noted, Stop};
use super::tokens::Decode;
use super::{MistralEngine, count};
use crate::benchmark::{Decoding, Thinking};
use crate::engine::draw::Numbers;
use crate::engine::thinking::{Split, before_stop, is_open, split};
use crate::engine::{Answer, AskError, Finish, Thought};
use mistralrs::{NormalRequest, ResponseOk, SamplingParams};
use std::sync::Arc;

/// A prompt as fed.
pub(super) struct Prompt {
    /// Token ids, one BOS in front where the model has one.
    pub(super) tokens: Vec<u32>,
    /// What the template made of system and user; for a plain prompt the prompt itself.
    pub(super) rendered: String,
}

/// Ids as text, and text in its parts.
#[derive(Clone)]
struct Reader {
    decode: Decode,
    /// Marks and stop sequences that the tokenizer leaves out of texts because it takes them for special tokens.
    hidden: Vec<(u32, String)>,
    thinking: Thinking,
    /// Whether the prompt had opened the thinking part.
    opened: bool,
}

impl Reader {
    fn text(&self, ids: &[u32]) -> Result<String, String> {
        let mut text = String::new();
        let mut from = 0;
        for (at, id) in ids.iter().enumerate() {
            if let Some((_, mark)) = self.hidden.iter().find(|(hidden, _)| hidden == id) {
                text += &(self.decode)(&ids[from..at])?;
                text += mark;
                from = at + 1;
            }
        }
        text += &(self.decode)(&ids[from..])?;
        Ok(text)
    }

    fn split<'t>(&self, text: &'t str) -> Split<'t> {
        split(text, self.opened, &self.thinking)
    }

    /// The smallest number of first tokens of which `holds`, which must stay true once it is.
    fn first(&self, ids: &[u32], holds: impl Fn(Split<'_>) -> bool) -> Result<usize, String> {
        let (mut low, mut high) = (0, ids.len());
        while low < high {
            let middle = low.midpoint(high);
            if holds(self.split(&self.text(&ids[..middle])?)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }
}

impl MistralEngine {
    pub(super) fn generate(
        &mut self,
        prompt: Prompt,
        prefill: &str,
        max_tokens: u32,
        decoding: &Decoding,
    ) -> Result<Answer, AskError> {
        let Prompt { tokens, rendered } = prompt;
        self.check_length(tokens.len() + max_tokens as usize)?;
        let prompt_tokens = count(tokens.len());
        let reader = self.reader(decoding, is_open(&rendered, prefill, &decoding.thinking));
        let draws = decoding.draws.as_ref().map(|d| (d.sampling, Numbers::of(d, &self.setting)));
        let choose = Arc::new(Choose::new(
            tokens.len(),
            max_tokens as usize,
            &self.special.ends,
            draws,
            stop(&reader, &decoding.stop),
        ));
        let request = NormalRequest {
            sampling_params: SamplingParams { max_len: Some(max_tokens as usize), ..SamplingParams::deterministic() },
            logits_processors: Some(vec![choose.clone()]),
            ..self.request(tokens)
        };
        let choice = match self.ask(request)? {
            ResponseOk::CompletionDone(response) => response.choices.into_iter().next(),
            _ => None,
        };
        let choice =
            choice.ok_or_else(|| AskError::Engine { reason: "it answered without a completion".to_owned() })?;
        let Noted { ids: mut generated, stopped, fault, .. } = choose.take();
        if let Some(reason) = fault {
            return Err(AskError::Engine { reason });
        }
        self.count_generated(generated.len());
        let finish = match choice.finish_reason.as_str() {
            "stop" if stopped => Finish::Stop,
            "stop" => {
                generated.pop();
                Finish::Stop
            }
            "length" => Finish::Length,
            other => return Err(AskError::Engine { reason: format!("generation ended with `{other}`") }),
        };
        let answer = answer(&reader, generated, finish, prompt_tokens, &decoding.stop);
        answer.map_err(|reason| AskError::Engine { reason })
    }

    fn reader(&self, decoding: &Decoding, opened: bool) -> Reader {
        let Decoding { thinking, stop, .. } = decoding;
        let mut marks = thinking.marks().map_or(vec![], |(open, close)| vec![open, close]);
        marks.extend(stop.iter().map(String::as_str));
        let hidden = marks.into_iter().filter_map(|mark| {
            let id = (self.token_id)(mark)?;
            (self.decode)(&[id]).is_ok_and(|t| t.is_empty()).then(|| (id, mark.to_owned()))
        });
        Reader { decode: Arc::clone(&self.decode), hidden: hidden.collect(), thinking: thinking.clone(), opened }
    }
}

/// How the engine is told to stop; the text is cut all the same.
fn stop(reader: &Reader, sequences: &[String]) -> Option<Stop> {
    if sequences.is_empty() {
        return None;
    }
    let (whole, tail, wanted) = (reader.clone(), reader.clone(), sequences.to_vec());
    let reached =
        move |ids: &[u32]| whole.text(ids).is_ok_and(|text| before_stop(whole.split(&text).answer, &wanted).is_some());
    Some(Stop {
        sequences: sequences.to_vec(),
        decode: Arc::new(move |ids| tail.text(ids)),
        reached: Box::new(reached),
    })
}

fn answer(
    reader: &Reader,
    mut ids: Vec<u32>,
    mut finish: Finish,
    prompt_tokens: u32,
    stop: &[String],
) -> Result<Answer, String> {
    let reply = reader.text(&ids)?;
    let parts = reader.split(&reply);
    let thinks = parts.thought.is_some();
    let closed = |s: Split<'_>| !s.open && s.thought.is_some() == thinks;
    let mut text = parts.answer;
    if let Some(cut) = before_stop(text, stop) {
        finish = Finish::Stop;
        text = cut;
        ids.truncate(reader.first(&ids, |s| closed(s) && s.answer.starts_with(cut))?);
    }
    let thought = match parts.thought {
        None => None,
        Some(thought) => {
            let tokens = if parts.open { ids.len() } else { reader.first(&ids, closed)? };
            Some(Thought { text: thought.to_owned(), tokens: Some(count(tokens)) })
        }
    };
    Ok(Answer::Generated { text: text.to_owned(), tokens: ids, finish, prompt_tokens, thought })
}
