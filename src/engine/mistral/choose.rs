//! Every token of a reply is chosen here, inside mistral.rs: greedily, or drawn with numbers of our own.
//!
//! mistral.rs has one generator for the whole engine and no seed in a request, gives back text with its leading space
//! cut off, and no ids. A processor of logits sees every row, so it chooses, notes the ids, and leaves mistral.rs one
//! token to take.
//!
//! mistral.rs 0.8.1 goes on with a reply that ended at its first token: after the prompt's step it sets every sequence back to
//! running (`engine/mod.rs`), whatever was decided in it. The answer has been sent by then, so what comes after the end is
//! neither noted nor chosen, and the end is all that such a sequence is left to take.

use super::count;
use super::tokens::Decode;
use crate::benchmark::Sampling;
use crate::engine::draw::{Numbers, draw};
use mistralrs::{CustomLogitsProcessor, DType, Tensor};
use std::sync::{Mutex, PoisonError};

/// Tokens more than a stop sequence has bytes that are looked at for it: ids that decode to nothing may lie between.
const SLACK: usize = 8;

/// Chooses the tokens of one reply.
pub(super) struct Choose {
    /// Tokens of the prompt.
    prompt: usize,
    /// Most tokens of the reply.
    most: usize,
    /// Tokens that end a reply.
    ends: Vec<u32>,
    sampling: Option<Sampling>,
    stop: Option<Stop>,
    noted: Mutex<Noted>,
}

/// When to end a reply before the model does.
pub(super) struct Stop {
    pub(super) sequences: Vec<String>,
    pub(super) decode: Decode,
    /// Whether a reply so far holds a stop sequence where it counts.
    pub(super) reached: Reached,
}

type Reached = Box<dyn Fn(&[u32]) -> bool + Send + Sync>;

/// What was seen during one generation.
#[derive(Default)]
pub(super) struct Noted {
    /// The tokens taken, the one that ended it included if the model chose it.
    pub(super) ids: Vec<u32>,
    /// Whether a stop sequence ended it.
    pub(super) stopped: bool,
    /// What went wrong first.
    pub(super) fault: Option<String>,
    numbers: Option<Numbers>,
    /// Whether the reply has ended.
    done: bool,
}

impl Choose {
    /// A reply of at most `most` tokens after so many of the prompt; greedy without `draws`. `ends` are the tokens that
    /// mistral.rs takes for an end.
    pub(super) fn new(
        prompt: usize,
        most: usize,
        ends: &[u32],
        draws: Option<(Sampling, Numbers)>,
        stop: Option<Stop>,
    ) -> Self {
        let (sampling, numbers) = draws.unzip();
        let noted = Mutex::new(Noted { numbers, ..Noted::default() });
        Self { prompt, most, ends: ends.to_vec(), sampling, stop, noted }
    }

    /// What was noted; from then on the reply has ended.
    pub(super) fn take(&self) -> Noted {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *noted, Noted { done: true, ..Noted::default() })
    }

    /// The token for mistral.rs to take.
    fn choose(&self, row: &[f32], context: &[u32], noted: &mut Noted) -> usize {
        let end = self.ends.first().copied().unwrap_or(0) as usize;
        if noted.done {
            return end;
        }
        if let Some(index) = row.iter().position(|x| !x.is_finite()) {
            noted.fault.get_or_insert(format!("logit {index} is not a finite number"));
        }
        if context.get(self.prompt..) != Some(noted.ids.as_slice()) {
            noted.fault.get_or_insert("it went on with another token than the one chosen".to_owned());
        }
        let chosen = match (&self.sampling, &mut noted.numbers) {
            (Some(sampling), Some(numbers)) => draw(row, sampling, numbers.uniform()),
            _ => (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best }),
        };
        noted.ids.push(count(chosen));
        noted.stopped = !self.ends.is_empty() && self.stop.as_ref().is_some_and(|s| s.is_reached(&noted.ids));
        noted.done = noted.stopped || noted.ids.len() >= self.most || self.ends.contains(&count(chosen));
        if noted.stopped { end } else { chosen }
    }
}

impl Stop {
    /// Looks at the last tokens only, and at the whole reply where those hold a sequence.
    fn is_reached(&self, ids: &[u32]) -> bool {
        let longest = self.sequences.iter().map(String::len).max().unwrap_or(0);
        let tail = &ids[ids.len().saturating_sub(longest + SLACK)..];
        let text = (self.decode)(tail).unwrap_or_default();
        self.sequences.iter().any(|s| text.contains(s.as_str())) && (self.reached)(ids)
    }
}

impl CustomLogitsProcessor for Choose {
    fn apply(&self, logits: &Tensor, context: &[u32]) -> mistralrs::Result<Tensor> {
        let row: Vec<f32> = logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = self.choose(&row, context, &mut noted);
        let mut only = vec![f32::NEG_INFINITY; row.len()];
        if let Some(one) = only.get_mut(taken) {
            *one = 0.0;
        }
        Tensor::from_vec(only, row.len(), logits.device())
    }
}
