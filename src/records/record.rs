//! One item under one setting: the raw answer and its fate.

use crate::benchmark::ItemId;
use crate::engine::{Answer, AskError};

/// Whether the engine gave an answer. Whether the answer can be *read* is decided later, by the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// There is a raw answer.
    Answered,
    /// There is none; the reason says why.
    Failed,
}

/// Why there is no answer where an imported log of one setting lacks an item that another has.
pub const NOT_IN_LOG: &str = "the log of this setting does not have this item";

/// One item under one setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Which item.
    pub item: ItemId,
    /// The raw answer, or why there is none.
    pub answer: Result<Answer, String>,
}

impl Record {
    /// A record from what the engine said.
    #[must_use]
    pub fn new(item: ItemId, answer: Result<Answer, AskError>) -> Self {
        Self { item, answer: answer.map_err(|e| e.to_string()) }
    }

    /// Whether the item was never put to this setting, as far as its log tells.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.answer.as_ref().is_err_and(|why| why == NOT_IN_LOG)
    }

    /// Whether the engine gave an answer.
    #[must_use]
    pub fn fate(&self) -> Fate {
        if self.answer.is_ok() { Fate::Answered } else { Fate::Failed }
    }
}
