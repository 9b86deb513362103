//! The logits after a prompt, and after further tokens that are given: one pass over the prompt, and of the head only the
//! rows that are needed.
//!
//! A raw request computes a row for every token of the prompt, hands all of them over, and then takes one more step
//! with the finished sequence. Here a processor of logits notes each row and leaves mistral.rs the given token to take;
//! after the last row it ends the request with an error, which is the one way out that takes no further step. Measured
//! on 5 million weights, unquantized, prompts of about 110 tokens: see `tests/bench/runner.rs`.

use mistralrs::{CustomLogitsProcessor, DType, Tensor};
use std::sync::{Mutex, PoisonError};

/// Notes the rows of one request.
pub(super) struct Capture {
    /// Tokens of the prompt.
    prompt: usize,
    /// What follows it.
    given: Vec<u32>,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    rows: Vec<Vec<f32>>,
    fault: bool,
}

impl Capture {
    pub(super) fn after(prompt: usize, given: &[u32]) -> Self {
        Self { prompt, given: given.to_vec(), noted: Mutex::default() }
    }

    /// The row after the prompt and after each given token, if all came as they should.
    pub(super) fn take(&self) -> Option<Vec<Vec<f32>>> {
        let Noted { rows, fault } = std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner));
        (!fault && rows.len() == self.given.len() + 1).then_some(rows)
    }
}

impl CustomLogitsProcessor for Capture {
    fn apply(&self, logits: &Tensor, context: &[u32]) -> mistralrs::Result<Tensor> {
        let row: Vec<f32> = logits.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let at = noted.rows.len();
        noted.fault |= context.get(self.prompt..) != self.given.get(..at);
        let width = row.len();
        noted.rows.push(row);
        let next = self.given.get(at).filter(|_| !noted.fault).map(|&t| t as usize);
        match next {
            Some(next) if next < width => {
                let mut only = vec![f32::NEG_INFINITY; width];
                only[next] = 0.0;
                Tensor::from_vec(only, width, logits.device())
            }
            _ => Err(std::io::Error::other("every row is noted").into()),
        }
    }
}
