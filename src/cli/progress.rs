//! Progress on stderr: items, rate, time left. Hidden where stderr is no terminal; then one line every ten seconds.

use super::note;
use crate::report::number::counted;
use crate::runner::Event;
use crate::runner::event::What;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often a line is written where stderr is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// After this the time left is told.
const SETTLED: Duration = Duration::from_secs(2);

/// Shows the events of a run.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    last: Instant,
    items: u64,
    present: u64,
    cost: u64,
    done: u64,
    answered: u64,
    tokens: u64,
    failed: u64,
}

impl Progress {
    /// Nothing shown yet.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            bar: None,
            started: now,
            last: now,
            items: 0,
            present: 0,
            cost: 0,
            done: 0,
            answered: 0,
            tokens: 0,
            failed: 0,
        }
    }

    /// Shows one event.
    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::Planned { items, present, cost, workers, threads } => {
                (self.items, self.present, self.cost) = (*items, *present, *cost);
                self.started = Instant::now();
                let kept = if *present > 0 { format!(", {present} already answered") } else { String::new() };
                let (workers, threads) = (counted(*workers as u64, "worker"), counted(u64::from(*threads), "thread"));
                note!("{} to ask{kept}; {workers} with {threads} each", counted(*items, "item"));
                self.open();
            }
            Event::Item { failed, cost, tokens, .. } => {
                self.present += 1;
                self.tokens += tokens;
                self.done += cost;
                self.answered += 1;
                self.failed += u64::from(failed.is_some());
                self.step();
            }
            Event::Fewer { workers, reason } => {
                let workers = counted(*workers as u64, "worker");
                self.say(&format!("memory is exhausted ({reason}); going on with {workers}"));
            }
            Event::Tight { needed_mib, allowed_mib, by_user } => {
                let whose = if *by_user { "`memory_mib` allows" } else { "this machine has free" };
                self.say(&format!(
                    "warning: one worker takes about {needed_mib} MiB, and {whose} {allowed_mib} MiB: one is started all the same"
                ));
            }
            Event::Refused { setting, reason } => self.say(&format!("refused {setting}: {reason}")),
            Event::Worker { setting, what: What::Died { item, reason }, .. } => {
                let setting = setting.as_deref().unwrap_or("?");
                let on = item.as_ref().map(|i| format!(" on item {i}")).unwrap_or_default();
                self.say(&format!("worker of {setting} died{on}: {reason}; starting another"));
            }
            Event::Worker { .. } | Event::Shard { .. } | Event::Speed { .. } | Event::Ended { .. } => {}
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn open(&mut self) {
        if !std::io::stderr().is_terminal() {
            return;
        }
        let style = ProgressStyle::with_template("{bar:28} {percent:>3}%  {msg}");
        let bar = ProgressBar::new(self.cost.max(1));
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        self.bar = Some(bar);
    }

    fn step(&mut self) {
        let line = self.line();
        match &self.bar {
            Some(bar) => {
                bar.set_position(self.done);
                bar.set_message(line);
            }
            None if self.last.elapsed() >= EVERY => {
                self.last = Instant::now();
                note!("{:>3}%  {line}", (100 * self.done).checked_div(self.cost).unwrap_or(100));
            }
            None => {}
        }
    }

    fn line(&self) -> String {
        let elapsed = self.started.elapsed().as_secs_f64().max(1e-3);
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        let per_second = |count: u64| {
            let rate = count as f64 / elapsed;
            if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
        };
        // A server does not always tell.
        let tokens = if self.tokens > 0 { format!(", {} tokens/s", per_second(self.tokens)) } else { String::new() };
        let rate = per_second(self.answered);
        // The first seconds are loading and say nothing about the rest.
        let left = if elapsed < SETTLED.as_secs_f64() {
            String::new()
        } else {
            let left = self.cost.saturating_sub(self.done) as f64 * elapsed / self.done.max(1) as f64;
            format!(", {} left", duration(left))
        };
        format!("{} of {} items{failed}, {rate} items/s{tokens}{left}", self.present, self.items)
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => note!("{line}"),
        }
    }
}

fn duration(seconds: f64) -> String {
    let s = seconds.ceil().min(1e7) as u64;
    match (s / 3600, s / 60 % 60, s % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}
