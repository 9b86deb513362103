//! What a run will cost, from a few questions to the real engine. An estimate: other work on the machine, long answers,
//! and memory for fewer workers than planned all change it.

use super::error::Failure;
use super::prepare::Prepared;
use super::stages::run_prepared;
use crate::benchmark::BenchmarkData;
use crate::runner::Event;
use crate::runner::event::What;
use crate::spec::{Plan, RunnerOptions};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Items of each benchmark that are asked.
const ITEMS: usize = 6;

/// What was measured and what follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Model calls of the whole run.
    pub requests: u64,
    /// Items over all settings of the whole run.
    pub items: u64,
    /// Items that were asked to find out.
    pub asked: u64,
    /// Seconds of engine time per item, by benchmark.
    pub seconds_per_item: BTreeMap<String, f64>,
    /// Seconds that a model takes to load, mean over the loads that were seen.
    pub load_seconds: f64,
    /// Workers that the run would have.
    pub workers: u64,
    /// Seconds that the whole run would take.
    pub seconds: f64,
}

/// Asks a few items of every benchmark under the baseline and the last scheme of each model, in a folder that is removed.
///
/// # Errors
/// [`Failure`]: the engine does not run.
pub fn probe(prepared: &Prepared, options: &RunnerOptions, stop: &AtomicBool) -> Result<Probe, Failure> {
    let small = reduced(prepared);
    let folder = std::env::temp_dir().join(format!("quantbias-probe-{}", std::process::id()));
    let mut seen = Seen::default();
    let result = run_prepared(&small, &Plan::default(), options, &folder, false, stop, &mut |event| seen.note(event));
    let _ = fs_err::remove_dir_all(&folder);
    result?;
    Ok(seen.extrapolate(prepared))
}

/// The run with a few items per benchmark and at most two settings per model.
fn reduced(prepared: &Prepared) -> Prepared {
    let mut small = prepared.clone();
    small.frozen = None;
    let last = |model: &str| prepared.settings.iter().rev().find(|s| s.model == model).map(|s| s.id.clone());
    let kept: Vec<String> = prepared
        .settings
        .iter()
        .filter(|s| s.baseline || last(&s.model).as_ref() == Some(&s.id))
        .map(|s| s.id.clone())
        .collect();
    small.settings.retain(|s| kept.contains(&s.id));
    small.identity.settings.retain(|s| kept.contains(&s.id));
    small.refused.clear();
    for ((data, _), identity) in small.benchmarks.iter_mut().zip(&mut small.identity.benchmarks) {
        let step = data.items.len().div_ceil(ITEMS).max(1);
        let items: Vec<_> = data.items.iter().step_by(step).cloned().collect();
        identity.items = items.len() as u64;
        *data = Arc::new(BenchmarkData { items, ..(**data).clone() });
    }
    small
}

/// What the events of the probe say.
#[derive(Default)]
struct Seen {
    workers: u64,
    loads: Vec<u64>,
    millis: BTreeMap<String, (u64, u64)>,
}

impl Seen {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Planned { workers, .. } => self.workers = *workers as u64,
            Event::Worker { what: What::Ready { millis, .. }, .. } => self.loads.push(*millis),
            Event::Item { benchmark, millis, .. } => {
                let sum = self.millis.entry(benchmark.clone()).or_default();
                sum.0 += millis;
                sum.1 += 1;
            }
            _ => {}
        }
    }

    fn extrapolate(&self, prepared: &Prepared) -> Probe {
        let costs = prepared.costs();
        let mean = |(sum, n): &(u64, u64)| *sum as f64 / 1000.0 / (*n).max(1) as f64;
        let seconds_per_item: BTreeMap<String, f64> = self.millis.iter().map(|(b, m)| (b.clone(), mean(m))).collect();
        let load_seconds = self.loads.iter().sum::<u64>() as f64 / 1000.0 / self.loads.len().max(1) as f64;
        let engine: f64 = costs
            .iter()
            .map(|c| (c.items * c.settings) as f64 * seconds_per_item.get(&c.benchmark).copied().unwrap_or(0.0))
            .sum();
        let workers = self.workers.max(1);
        Probe {
            requests: costs.iter().map(|c| c.requests as u64).sum(),
            items: costs.iter().map(|c| (c.items * c.settings) as u64).sum(),
            asked: self.millis.values().map(|(_, n)| n).sum(),
            seconds_per_item,
            load_seconds,
            workers,
            seconds: engine / workers as f64 + load_seconds * prepared.settings.len() as f64,
        }
    }
}
