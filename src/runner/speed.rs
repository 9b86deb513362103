//! Where the time of a run goes: into the engine, or into everything around it that is ours.
//!
//! A worker's time begins when it is loaded and ends with its last answer. **Ours** is all of it that is not between
//! handing a request to the engine and having its answer: waiting for the next question, reading it, tokenization,
//! log-probabilities, writing the reply. Loading is counted apart, and so is the supervisor's own processor time
//! (scheduling, records, files), which workers do not wait for but which takes a core from them.
//!
//! Nothing here reaches a record: times go to the log and to the run's summary.

use crate::engine::{Mode, Spent};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What one answer took of its worker's time, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Took {
    /// From the end of the answer before (or of loading) to the beginning of this one.
    pub waiting: u64,
    /// From having the question to having the answer.
    pub answering: u64,
    /// The engine's part of `answering`, and its tokens.
    pub engine: Spent,
}

/// The time of one setting's workers in one mode, summed over all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Speed {
    /// Items answered or failed in this session.
    pub items: u64,
    /// Tokens fed to the model, each as often as it was fed.
    pub fed: u64,
    /// Tokens generated.
    pub generated: u64,
    /// Microseconds inside the engine.
    pub engine: u64,
    /// Microseconds of answering outside the engine.
    pub around: u64,
    /// Microseconds between answers.
    pub waiting: u64,
    /// Microseconds of starting processes and loading models.
    pub loading: u64,
}

impl Speed {
    pub(super) fn add(&mut self, took: &Took) {
        self.items += 1;
        self.fed += took.engine.fed;
        self.generated += took.engine.generated;
        self.engine += took.engine.micros;
        self.around += took.answering.saturating_sub(took.engine.micros);
        self.waiting += took.waiting;
    }

    /// Seconds of loaded workers.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        (self.engine + self.around + self.waiting) as f64 * 1e-6
    }

    /// Items in one second of one worker; nothing where there was no time.
    #[must_use]
    pub fn items_per_second(&self) -> Option<f64> {
        per(self.items as f64, self.seconds())
    }

    /// Tokens fed or generated in one second of one worker.
    #[must_use]
    pub fn tokens_per_second(&self) -> Option<f64> {
        per((self.fed + self.generated) as f64, self.seconds())
    }

    /// Share of the workers' time that is not the engine's, 0..=1.
    #[must_use]
    pub fn our_share(&self) -> Option<f64> {
        per((self.around + self.waiting) as f64 * 1e-6, self.seconds())
    }
}

fn per(what: f64, seconds: f64) -> Option<f64> {
    (seconds > 0.0).then(|| what / seconds)
}

/// Speeds by setting id and mode.
pub type Speeds = BTreeMap<(String, Mode), Speed>;

/// Whole microseconds.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Processor time of this process up to now, user and system, all threads (Linux).
#[must_use]
pub fn own_cpu_time() -> Option<Duration> {
    /// Clock ticks per second in `/proc`; the same on every Linux that runs this.
    const TICKS: u64 = 100;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Fields 14 and 15, counted behind the name, which may hold anything but its closing parenthesis.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS))
}
