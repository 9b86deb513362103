//! One slot of the supervisor: a thread with at most one worker process, taking chunks until none is left.
//!
//! It never writes a file. Everything it learns goes to the supervisor as a [`Message`].

use super::death::{Death, LIMIT};
use super::memory;
use super::process::{Heard, Worker};
use super::protocol::{Question, Reply, Start};
use super::schedule::{Chunk, LoadKey, Room, Schedule};
use super::speed::{Took, micros};
use super::{Event, RunPlan, event};
use crate::benchmark::{BenchmarkData, Item};
use crate::engine::{AskError, LoadSetting, Mode};
use crate::records::Record;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Questions that a worker has at once, so that it never waits for the next.
const AHEAD: usize = 2;
/// How often a slot looks whether it should stop.
const TICK: Duration = Duration::from_millis(50);
/// How long a worker whose replies ended has for ending itself.
const GRACE: Duration = Duration::from_secs(5);
/// What a slot reports.
#[derive(Debug)]
pub(super) enum Message {
    /// One item has its record.
    Record { shard: usize, item: usize, record: Record, took: Took, by_death: bool },
    /// A setting cannot be loaded; its work is off the schedule.
    Refused { setting: usize, reason: String },
    /// A worker is loaded, after so many microseconds.
    Loaded { key: LoadKey, micros: u64 },
    /// The run cannot go on.
    Fatal(Fatal),
    /// For the log and the screen.
    Event(Event),
}

/// Why the run cannot go on.
#[derive(Debug)]
pub(super) enum Fatal {
    /// The worker program cannot be started.
    Program(std::io::Error),
    /// A setting that was loaded before cannot be loaded again, was kept from loading, or its server is gone or another.
    Lost { setting: usize, reason: String },
}

/// What all slots share.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    pub(super) plan: &'a RunPlan,
    pub(super) threads: u32,
    pub(super) schedule: Mutex<Schedule>,
    /// Data of every shard, by its index.
    pub(super) data: Vec<Arc<BenchmarkData>>,
    /// What the server of every setting said of itself when the run was prepared; empty for a local one.
    pub(super) servers: Vec<BTreeMap<String, String>>,
    pub(super) halt: AtomicBool,
}

impl Shared<'_> {
    fn schedule<T>(&self, act: impl FnOnce(&mut Schedule) -> T) -> T {
        act(&mut self.schedule.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn halted(&self) -> bool {
        self.halt.load(Ordering::SeqCst)
    }
}

pub(super) struct Slot<'a> {
    number: usize,
    shared: &'a Shared<'a>,
    messages: Sender<Message>,
    worker: Option<Worker>,
    loaded: Option<LoadKey>,
    seq: u64,
    /// When what the worker is at began.
    since: Instant,
    /// How often the kernel had killed for want of memory when the worker was started.
    kills: Option<u64>,
}

/// Whether to go on.
enum Next {
    Go,
    /// The setting is refused, or the run is to end.
    Leave,
    /// Too many workers for the memory.
    GiveWay,
}

impl<'a> Slot<'a> {
    pub(super) fn new(number: usize, shared: &'a Shared<'a>, messages: Sender<Message>) -> Self {
        Self { number, shared, messages, worker: None, loaded: None, seq: 0, since: Instant::now(), kills: None }
    }

    /// Works until nothing is left or the run is halted.
    pub(super) fn work(mut self) {
        while !self.shared.halted() {
            if self.shared.schedule(|s| s.gives_way(self.loaded)) {
                return;
            }
            let next = |s: &mut Schedule| {
                s.next(self.loaded).or_else(|| {
                    s.end();
                    None
                })
            };
            let Some(chunk) = self.shared.schedule(next) else { return };
            if self.loaded != Some(chunk.load) {
                self.worker = None;
                self.loaded = Some(chunk.load);
            }
            let mut todo: VecDeque<usize> = chunk.items.iter().copied().collect();
            while !todo.is_empty() && !self.shared.halted() {
                if matches!(self.answer(&chunk, &mut todo), Next::Leave) {
                    break;
                }
                if !todo.is_empty() && self.shared.schedule(|s| s.gives_way_with(&chunk, &todo)) {
                    return;
                }
            }
        }
    }

    fn tell(&self, message: Message) {
        // The supervisor outlives its slots.
        let _ = self.messages.send(message);
    }

    fn event(&self, what: event::What) {
        let setting = self.loaded.map(|(setting, _)| self.shared.plan.settings[setting].id.clone());
        let mode = self.loaded.map(|(_, mode)| mode);
        self.tell(Message::Event(Event::Worker { slot: self.number, setting, mode, what }));
    }

    /// Asks every item of a chunk, whatever happens to workers on the way. Where something is left in `todo`, too many
    /// workers are at work for the memory, or the run is halted.
    fn answer(&mut self, chunk: &Chunk, todo: &mut VecDeque<usize>) -> Next {
        let data = Arc::clone(&self.shared.data[chunk.shard]);
        let mut strikes: BTreeMap<usize, u32> = BTreeMap::new();
        while !todo.is_empty() && !self.shared.halted() {
            match self.ensure_worker() {
                Next::Go => {}
                stop => return stop,
            }
            let Some(death) = self.ask_until_death(chunk.shard, &data.items, todo) else { break };
            self.worker = None;
            // Only the item at the head was being worked on.
            let Some(&head) = todo.front() else { break };
            let id = data.items[head].id.clone();
            self.event(event::What::Died { item: Some(id.to_string()), reason: death.reason.clone() });
            if death.memory && self.makes_room(&death.reason) {
                continue;
            }
            let weight = strikes.entry(head).or_default();
            *weight += death.weight;
            if *weight >= LIMIT {
                todo.pop_front();
                let record = Record { item: id, answer: Err(death.reason) };
                let took = Took::default();
                self.tell(Message::Record { shard: chunk.shard, item: head, record, took, by_death: true });
            }
        }
        Next::Go
    }

    /// After a death for want of memory: whether it is asked again, because others were at work beside it.
    fn makes_room(&self, reason: &str) -> bool {
        match self.shared.schedule(|s| s.make_room(self.since)) {
            Room::Alone => false,
            Room::Lately => true,
            Room::Lowered(workers) => {
                self.tell(Message::Event(Event::Fewer { workers, reason: reason.to_owned() }));
                true
            }
        }
    }

    /// Asks from the front of `todo`, removing what is answered. Returns why the worker is dead, or nothing if
    /// all is answered, the run is halted, or this slot should give way to others.
    fn ask_until_death(&mut self, shard: usize, items: &[Item], todo: &mut VecDeque<usize>) -> Option<Death> {
        let mut asked = 0;
        self.since = Instant::now();
        let mut broken = None;
        while !todo.is_empty() && !self.shared.halted() && !self.shared.schedule(|s| s.is_crowded()) {
            let worker = self.worker.as_mut()?;
            while asked < AHEAD.min(todo.len()) {
                worker.ask(&Question { seq: self.seq, ask: items[todo[asked]].ask.clone() });
                self.seq += 1;
                asked += 1;
            }
            let head_seq = self.seq - asked as u64;
            let (seq, answer, took) = match worker.hear(TICK) {
                Heard::Reply(Reply::Answered { seq, answer, took }) => (seq, Ok(answer), took),
                Heard::Reply(Reply::Failed { error: error @ AskError::Gone { .. }, .. }) => {
                    self.lose(error.to_string());
                    return None;
                }
                Heard::Reply(Reply::Failed { seq, error, took }) => {
                    if matches!(&error, AskError::Engine { reason } if memory::is_named_in(reason))
                        && !self.shared.schedule(|s| s.is_alone())
                    {
                        return Some(Death::own(error.to_string()));
                    }
                    (seq, Err(error), took)
                }
                Heard::Reply(Reply::Broken { reason }) => {
                    broken.get_or_insert(reason);
                    continue;
                }
                Heard::Silence if self.since.elapsed() > self.shared.plan.options.limits.item_timeout => {
                    return Some(self.give_up_waiting());
                }
                Heard::Silence | Heard::Reply(Reply::Ready { .. } | Reply::Refused { .. } | Reply::Gone { .. }) => {
                    continue;
                }
                Heard::End => return Some(self.autopsy(broken)),
            };
            if seq != head_seq {
                continue;
            }
            let item = todo.pop_front()?;
            asked -= 1;
            self.since = Instant::now();
            let record = Record::new(items[item].id.clone(), answer);
            self.tell(Message::Record { shard, item, record, took, by_death: false });
        }
        None
    }

    fn give_up_waiting(&mut self) -> Death {
        if let Some(worker) = self.worker.take() {
            worker.end(Duration::ZERO);
        }
        let limit = self.shared.plan.options.limits.item_timeout;
        Death::own(format!("engine: no answer within {} s", limit.as_secs_f64()))
    }

    fn autopsy(&mut self, broken: Option<String>) -> Death {
        let Some(worker) = self.worker.take() else { return Death::own("engine: its process is gone".to_owned()) };
        let stderr = self.last_words(&worker);
        Death::of(&worker.end(GRACE), broken, &stderr, self.kills)
    }

    fn last_words(&self, worker: &Worker) -> String {
        let stderr = worker.last_words();
        if !stderr.is_empty() {
            self.event(event::What::LastWords { stderr: stderr.clone() });
        }
        stderr
    }

    /// Makes sure that a worker is loaded for the current chunk.
    fn ensure_worker(&mut self) -> Next {
        let Some((setting, mode)) = self.loaded else { return Next::Leave };
        let (mut weight, mut deaths, mut outside) = (0, 0, false);
        while self.worker.is_none() {
            if self.shared.halted() {
                return Next::Leave;
            }
            if self.shared.schedule(|s| s.is_crowded()) {
                return Next::GiveWay;
            }
            self.since = Instant::now();
            self.kills = memory::kernel_kills();
            match self.load(setting, mode) {
                Ok(worker) => {
                    self.shared.schedule(|s| s.note_loaded(setting));
                    self.worker = Some(worker);
                }
                Err(Trouble::Refused(reason)) if memory::is_named_in(&reason) && self.makes_room(&reason) => {}
                Err(Trouble::Refused(reason)) => {
                    self.refuse(setting, reason);
                    return Next::Leave;
                }
                Err(Trouble::Died(death)) => {
                    self.event(event::What::Died { item: None, reason: death.reason.clone() });
                    if death.memory && self.makes_room(&death.reason) {
                        continue;
                    }
                    weight += death.weight;
                    deaths += 1;
                    outside |= death.outside;
                    if weight >= LIMIT {
                        // Only the engine may refuse a setting for good.
                        if outside {
                            self.lose(format!("its loading was cut off {deaths} times, at last so: {}", death.reason));
                        } else {
                            self.refuse(setting, death.reason);
                        }
                        return Next::Leave;
                    }
                }
                Err(Trouble::Gone(reason)) => {
                    self.lose(reason);
                    return Next::Leave;
                }
                Err(Trouble::Halted) => return Next::Leave,
                Err(Trouble::Program(error)) => {
                    self.tell(Message::Fatal(Fatal::Program(error)));
                    self.shared.halt.store(true, Ordering::SeqCst);
                    return Next::Leave;
                }
            }
        }
        Next::Go
    }

    /// Takes a setting off the schedule; one that was loaded before is lost, and the run with it.
    fn refuse(&self, setting: usize, reason: String) {
        if self.shared.schedule(|s| s.was_loaded(setting)) {
            self.lose(reason);
        } else if self.shared.schedule(|s| s.refuse(setting)) {
            self.tell(Message::Refused { setting, reason });
        }
    }

    /// Ends the run for the setting at work; its open items get no record, and can be asked again.
    fn lose(&self, reason: String) {
        if let Some((setting, _)) = self.loaded {
            self.tell(Message::Fatal(Fatal::Lost { setting, reason }));
        }
        self.shared.halt.store(true, Ordering::SeqCst);
    }

    fn load(&self, setting: usize, mode: Mode) -> Result<Worker, Trouble> {
        let plan = self.shared.plan;
        let start = Start {
            setting: plan.settings[setting].id.clone(),
            load: LoadSetting::of(&plan.settings[setting], mode, self.shared.threads),
            engine: plan.options.engine.clone(),
            item_timeout: plan.options.limits.item_timeout,
        };
        let began = Instant::now();
        let worker = Worker::start(&plan.options.worker_exe, &start).map_err(Trouble::Program)?;
        self.event(event::What::Loading { pid: worker.id() });
        let deadline = began + plan.options.limits.load_timeout;
        let mut broken = None;
        loop {
            if self.shared.halted() {
                return Err(Trouble::Halted);
            }
            match worker.hear(TICK) {
                Heard::Reply(Reply::Ready { realised, millis }) => {
                    if let Some(reason) = another(&self.shared.servers[setting], &realised.server) {
                        return Err(Trouble::Gone(reason));
                    }
                    self.event(event::What::Ready { pid: worker.id(), millis, realised });
                    self.tell(Message::Loaded { key: (setting, mode), micros: micros(began.elapsed()) });
                    return Ok(worker);
                }
                Heard::Reply(Reply::Refused { reason }) => return Err(Trouble::Refused(reason)),
                Heard::Reply(Reply::Gone { reason }) => {
                    return Err(Trouble::Gone(AskError::Gone { reason }.to_string()));
                }
                Heard::Reply(Reply::Broken { reason }) => broken = Some(reason),
                Heard::Silence if Instant::now() > deadline => {
                    worker.end(Duration::ZERO);
                    let limit = plan.options.limits.load_timeout.as_secs_f64();
                    let death = Death::own(format!("engine: it did not load within {limit} s"));
                    return Err(Trouble::Died(Death { outside: true, ..death }));
                }
                Heard::Silence | Heard::Reply(Reply::Answered { .. } | Reply::Failed { .. }) => {}
                Heard::End => {
                    let stderr = self.last_words(&worker);
                    return Err(Trouble::Died(Death::of(&worker.end(GRACE), broken, &stderr, self.kills)));
                }
            }
        }
    }
}

/// Why there is no worker.
enum Trouble {
    Refused(String),
    /// Its server is gone, or is another one.
    Gone(String),
    Died(Death),
    Halted,
    Program(std::io::Error),
}

/// Says how a server differs from the one that the run was prepared with, in what both tell.
fn another(then: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Option<String> {
    let differs = |(key, was): (&String, &String)| {
        now.get(key).filter(|is| *is != was).map(|is| format!("its {key} was {was:?} and is {is:?}"))
    };
    let found: Vec<String> = then.iter().filter_map(differs).collect();
    (!found.is_empty()).then(|| format!("the server is not the one that the run began with: {}", found.join(", ")))
}
