//! The supervisor: hands chunks to slots, gathers records into shards, writes them, and decides when a run is over.

use super::capacity::Capacity;
use super::event::Event;
use super::schedule::{ShardWork, Work, cost};
use super::slot::{Fatal, Message, Shared, Slot};
use super::speed::{Speeds, own_cpu_time};
use super::{RunError, RunPlan, RunSummary};
use crate::engine::Mode;
use crate::records::{RecordsError, Refused, RunDir};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How often the supervisor looks at the stop flag and the clock.
const TICK: Duration = Duration::from_millis(50);

pub(super) struct Supervisor<'a> {
    plan: &'a RunPlan,
    dir: &'a mut RunDir,
    stop: &'a AtomicBool,
    events: &'a mut dyn FnMut(&Event),
    shards: Vec<ShardWork>,
    planned: u64,
    present: u64,
    failed: u64,
    /// Failures that cost a worker.
    deaths: u64,
    refused: Vec<Refused>,
    speeds: Speeds,
    cpu: Option<Duration>,
    began: Instant,
    written: Instant,
}

impl<'a> Supervisor<'a> {
    pub(super) fn run(
        plan: &'a RunPlan,
        dir: &'a mut RunDir,
        stop: &'a AtomicBool,
        events: &'a mut dyn FnMut(&Event),
    ) -> Result<RunSummary, RunError> {
        let work = Work::of(plan, dir).map_err(RunError::Records)?;
        let Work { shards, planned, present, failed, seen, mut schedule } = work;
        for setting in seen {
            schedule.note_loaded(setting);
        }
        let now = Instant::now();
        let mut supervisor = Self {
            plan,
            dir,
            stop,
            events,
            shards,
            planned,
            present,
            failed,
            deaths: 0,
            refused: Vec::new(),
            speeds: Speeds::new(),
            cpu: own_cpu_time(),
            began: now,
            written: now,
        };
        supervisor.write_complete()?;
        let capacity = Capacity::of(plan);
        let workers = capacity.workers.min(schedule.open()).max(1);
        supervisor.emit(&Event::Planned {
            items: planned,
            present,
            cost: supervisor.cost_left(),
            workers,
            threads: capacity.threads,
        })?;
        if let Some(tight) = capacity.tight {
            supervisor.emit(&tight.event())?;
        }
        schedule.begin(workers);
        let shared = Shared {
            plan,
            threads: capacity.threads,
            data: supervisor.shards.iter().map(|s| s.data.clone()).collect(),
            servers: supervisor.servers(),
            schedule: Mutex::new(schedule),
            halt: AtomicBool::new(false),
        };
        let outcome = supervisor.work(&shared, workers);
        let kept = supervisor.write_open();
        let ended = supervisor.ended();
        outcome.and(kept).and(ended)?;
        supervisor.close()
    }

    /// Runs the slots until all is asked or something ends the run.
    fn work(&mut self, shared: &Shared<'_>, workers: usize) -> Result<(), RunError> {
        std::thread::scope(|scope| {
            let (sender, messages) = channel();
            for number in 0..workers {
                let slot = Slot::new(number, shared, sender.clone());
                scope.spawn(move || slot.work());
            }
            drop(sender);
            let outcome = self.listen(shared, &messages);
            shared.halt.store(true, Ordering::SeqCst);
            // Records that were on their way are kept.
            let rest = messages.iter().try_for_each(|m| self.take(m));
            outcome.and(rest)
        })
    }

    fn listen(&mut self, shared: &Shared<'_>, messages: &Receiver<Message>) -> Result<(), RunError> {
        loop {
            if self.stop.load(Ordering::SeqCst) {
                shared.halt.store(true, Ordering::SeqCst);
                messages.iter().try_for_each(|m| self.take(m))?;
                return Err(RunError::Interrupted { present: self.present, planned: self.planned });
            }
            match messages.recv_timeout(TICK) {
                Ok(message) => self.take(message)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if self.written.elapsed() >= self.plan.options.flush {
                self.write_open()?;
                self.written = Instant::now();
            }
            self.check_deaths()?;
        }
    }

    fn take(&mut self, message: Message) -> Result<(), RunError> {
        match message {
            Message::Record { shard, item, record, took, by_death } => {
                let millis = took.answering / 1000;
                let work = &mut self.shards[shard];
                let load = (work.key.setting.clone(), Mode::of(&work.data.items[item].ask));
                self.speeds.entry(load).or_default().add(&took);
                let event = Event::Item {
                    benchmark: work.key.benchmark.clone(),
                    setting: work.key.setting.clone(),
                    item: record.item.to_string(),
                    failed: record.answer.as_ref().err().cloned(),
                    millis,
                    cost: cost(&work.data.items[item].ask),
                    tokens: took.engine.fed + took.engine.generated,
                };
                self.failed += u64::from(record.answer.is_err());
                self.deaths += u64::from(by_death);
                self.present += 1;
                let place = item - work.range.start;
                work.records[place] = Some(record);
                work.millis[place] = millis;
                work.dirty = true;
                (self.events)(&event);
                if self.shards[shard].is_complete() {
                    self.write_shard(shard)?;
                }
                Ok(())
            }
            Message::Refused { setting, reason } => {
                let setting = self.plan.settings[setting].id.clone();
                // It was never loaded, so that all of its shards are open.
                let its = self.shards.iter().filter(|s| s.key.setting == setting);
                self.planned -= its.map(|s| s.range.len() as u64).sum::<u64>();
                self.refused.push(Refused { setting: setting.clone(), reason: reason.clone() });
                self.emit(&Event::Refused { setting, reason })
            }
            Message::Fatal(Fatal::Program(error)) => {
                Err(RunError::Program { path: self.plan.options.worker_exe.clone(), error })
            }
            Message::Fatal(Fatal::Lost { setting, reason }) => {
                Err(RunError::Lost { setting: self.plan.settings[setting].id.clone(), reason })
            }
            Message::Loaded { key: (setting, mode), micros } => {
                let load = (self.plan.settings[setting].id.clone(), mode);
                self.speeds.entry(load).or_default().loading += micros;
                Ok(())
            }
            Message::Event(event) => self.emit(&event),
        }
    }

    /// Items that cost a worker each are dear: once there are more than is tolerated, going on only burns time.
    fn check_deaths(&mut self) -> Result<(), RunError> {
        let limits = &self.plan.options.limits;
        if self.deaths <= super::tolerated(limits.max_failed, self.planned) {
            return Ok(());
        }
        // The reasons are read from the records.
        self.write_open()?;
        super::within(self.dir, self.failed, self.planned, limits.max_failed)
    }

    /// What each setting's server said of itself when the run was prepared.
    fn servers(&self) -> Vec<BTreeMap<String, String>> {
        let identities = &self.dir.manifest().identity.settings;
        let of = |id: &str| identities.iter().find(|s| s.id == id).map(|s| s.realised.server.clone());
        self.plan.settings.iter().map(|s| of(&s.id).unwrap_or_default()).collect()
    }

    fn write_shard(&mut self, index: usize) -> Result<(), RunError> {
        let shard = &mut self.shards[index];
        let records = shard.present();
        self.dir.write_shard(&shard.key, &records).map_err(RunError::Records)?;
        shard.dirty = false;
        let event = Event::Shard {
            benchmark: shard.key.benchmark.clone(),
            setting: shard.key.setting.clone(),
            index: shard.key.index,
            records: records.len(),
            failed: records.iter().filter(|r| r.answer.is_err()).count(),
            millis: std::mem::take(&mut shard.millis),
        };
        // What is on disk is not kept in memory.
        (shard.records, shard.done) = (Vec::new(), true);
        self.emit(&event)
    }

    /// Shards whose open file already held every record.
    fn write_complete(&mut self) -> Result<(), RunError> {
        for index in 0..self.shards.len() {
            if self.shards[index].is_complete() {
                self.write_shard(index)?;
            }
        }
        Ok(())
    }

    /// Writes what came in since the last time.
    fn write_open(&mut self) -> Result<(), RunError> {
        for shard in self.shards.iter_mut().filter(|s| s.dirty && !s.is_complete()) {
            self.dir.write_open(&shard.key, &shard.present()).map_err(RunError::Records)?;
            shard.dirty = false;
        }
        Ok(())
    }

    fn cost_left(&self) -> u64 {
        let open = |s: &ShardWork| -> u64 {
            let items = s.data.items[s.range.clone()].iter().zip(&s.records);
            items.filter(|(_, record)| record.is_none()).map(|(item, _)| cost(&item.ask)).sum()
        };
        self.shards.iter().map(open).sum()
    }

    fn emit(&mut self, event: &Event) -> Result<(), RunError> {
        (self.events)(event);
        let mut line = serde_json::to_value(event).unwrap_or_default();
        line["at"] = serde_json::Value::String(jiff::Timestamp::now().to_string());
        self.dir.log(&line).map_err(RunError::Records)
    }

    /// Processor time that supervising took.
    fn own_cpu(&self) -> Option<Duration> {
        Some(own_cpu_time()?.saturating_sub(self.cpu?))
    }

    fn ended(&mut self) -> Result<(), RunError> {
        for ((setting, mode), speed) in self.speeds.clone() {
            self.emit(&Event::Speed { setting, mode, speed })?;
        }
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let own_cpu = self.own_cpu().map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
        self.emit(&Event::Ended { present: self.present, failed: self.failed, millis, own_cpu })
    }

    /// Completes the manifest and reports.
    fn close(mut self) -> Result<RunSummary, RunError> {
        self.refused.sort_by_key(|r| self.plan.settings.iter().position(|s| s.id == r.setting));
        let nothing_asked = self.planned == 0 && self.plan.options.limits.part.is_none() && !self.refused.is_empty();
        if nothing_asked || self.refused.len() == self.plan.settings.len() {
            return Err(RunError::AllRefused { refused: self.refused });
        }
        let refused = |id: &str| self.refused.iter().any(|r| r.setting == id);
        let is_asked = |model: &String| self.plan.benchmarks.iter().any(|b| b.models.contains(model));
        let mut baselines = self.plan.settings.iter().filter(|s| s.baseline && is_asked(&s.model)).peekable();
        if baselines.peek().is_some() && baselines.all(|s| refused(&s.id)) {
            return Err(RunError::NoBaseline { refused: self.refused });
        }
        if self.plan.options.limits.part.is_some() {
            return self.close_part();
        }
        self.dir.finish(self.refused.clone()).map_err(RunError::Records)?;
        let counts = &self.dir.manifest().provenance.counts;
        self.failed = counts.values().map(|c| c.failed).sum();
        self.present = counts.values().map(|c| c.answered + c.failed).sum();
        super::check_failed(self.dir, self.plan.options.limits.max_failed)?;
        Ok(RunSummary {
            items: self.present,
            failed: self.failed,
            refused: self.dir.manifest().provenance.refused.clone(),
            elapsed: self.began.elapsed(),
            own_cpu: self.own_cpu(),
            speeds: self.speeds,
        })
    }
}

impl Supervisor<'_> {
    /// A part is never complete by itself: it notes what it learned and waits to be merged.
    fn close_part(self) -> Result<RunSummary, RunError> {
        let mut refused = self.dir.manifest().provenance.refused.clone();
        refused.retain(|early| !self.refused.iter().any(|r| r.setting == early.setting));
        refused.extend(self.refused.clone());
        self.dir.note_refused(&refused).map_err(RunError::Records)?;
        super::within(self.dir, self.failed, self.planned, self.plan.options.limits.max_failed)?;
        let (elapsed, own_cpu) = (self.began.elapsed(), self.own_cpu());
        let Self { present: items, failed, refused, speeds, .. } = self;
        Ok(RunSummary { items, failed, refused, elapsed, own_cpu, speeds })
    }
}

/// Helps the compiler say where a records error came from.
impl From<RecordsError> for RunError {
    fn from(error: RecordsError) -> Self {
        Self::Records(error)
    }
}
