//! What supervisor and worker say to each other: one JSON object per line, questions on stdin, replies on stdout.
//!
//! A reply line begins with [`MARK`] after a line break of its own, so that nothing a library prints can be taken
//! for one or spoil one.

use super::speed::Took;
use crate::benchmark::Ask;
use crate::engine::scripted::Script;
use crate::engine::{Answer, AskError, LoadSetting, Realised};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::time::Duration;

/// First byte of a reply line.
pub const MARK: char = '@';

/// Which engine a worker runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineChoice {
    /// mistral.rs.
    Mistral,
    /// Scripted answers.
    Scripted(Script),
}

/// The first line to a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Setting id.
    pub setting: String,
    /// What to load.
    pub load: LoadSetting,
    /// With which engine.
    pub engine: EngineChoice,
    /// After which an item's worker is killed; whoever asks a server gives up before.
    pub item_timeout: Duration,
}

/// Every further line to a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Number of the question; the reply carries it.
    pub seq: u64,
    /// What to ask.
    pub ask: Ask,
}

/// A line from a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Reply {
    /// Loaded.
    Ready {
        /// What was loaded.
        realised: Box<Realised>,
        /// Milliseconds that it took.
        millis: u64,
    },
    /// The setting cannot be loaded here.
    Refused {
        /// Why.
        reason: String,
    },
    /// The server is not there: the setting may be loaded another time.
    Gone {
        /// Why.
        reason: String,
    },
    /// To a question.
    Answered {
        /// Its number.
        seq: u64,
        /// The raw answer.
        answer: Answer,
        /// What it took.
        took: Took,
    },
    /// To a question.
    Failed {
        /// Its number.
        seq: u64,
        /// Why there is no answer.
        error: AskError,
        /// What it took.
        took: Took,
    },
    /// The worker is about to end.
    Broken {
        /// The panic's message.
        reason: String,
    },
}

/// Writes one line and flushes it.
///
/// # Errors
/// The other side is gone.
pub fn write_line(out: &mut impl Write, value: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

/// Writes one marked reply line and flushes it.
///
/// # Errors
/// The supervisor is gone.
pub fn write_reply(out: &mut impl Write, reply: &Reply) -> std::io::Result<()> {
    let mut line = format!("\n{MARK}").into_bytes();
    serde_json::to_writer(&mut line, reply)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

/// Reads a line as a reply; anything else is chatter.
#[must_use]
pub fn parse_reply(line: &str) -> Option<Reply> {
    serde_json::from_str(line.strip_prefix(MARK)?).ok()
}
