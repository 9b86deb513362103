//! The same answers, read or scored another way: every number before and after, side by side. Nothing is asked again.

use super::error::Failure;
use super::gates::today;
use super::scoring;
use crate::analysis::{analyze_scored, waive};
use crate::findings::{Cell, Findings, Verdict};
use crate::records::Run;
use crate::spec::{Plan, RunnerOptions, Scoring, Waiver};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// A number before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rescored {
    /// `value`, `change`, `answered`, or `verdict`.
    pub kind: &'static str,
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id.
    pub setting: String,
    /// Setting that a change is held against.
    pub against: Option<String>,
    /// Before; absent where it was undefined or not there.
    pub old: Option<f64>,
    /// After.
    pub new: Option<f64>,
    /// Verdict before.
    pub old_verdict: Option<Verdict>,
    /// Verdict after.
    pub new_verdict: Option<Verdict>,
}

impl Rescored {
    /// Whether anything differs, to the last bit.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.old != self.new || self.old_verdict != self.new_verdict
    }
}

/// Analyses a run anew and lays it beside earlier findings of the same records. Continuations are scored by `chosen`, or
/// as the run's own analyses do it; the choice that lies in the run directory stays as it is.
///
/// # Errors
/// [`Failure`]: the run or the analysis, or findings of other records.
pub fn rescore(
    run: &Path,
    plan: &Plan,
    waivers: &[Waiver],
    chosen: Option<&Scoring>,
    old: &Findings,
) -> Result<(Findings, Vec<Rescored>), Failure> {
    let run = Run::open(run)?;
    let records = run.manifest.provenance.records_sha256.as_deref().unwrap_or_default();
    if old.audit.records_sha256 != records {
        return Err(Failure::Bundle(format!(
            "the findings are of other records ({}) than this run's ({records})\nhelp: name findings of this run",
            old.audit.records_sha256
        )));
    }
    let scores = match chosen {
        None => scoring::scores_of(&run)?,
        Some(chosen) => {
            let stop = AtomicBool::new(false);
            scoring::score(&run, chosen, &RunnerOptions::default(), &stop, &mut |_| ())?
        }
    };
    let mut new = analyze_scored(&run, plan, scores)?;
    waive(&mut new, waivers, &today());
    let rows = side_by_side(old, &new);
    Ok((new, rows))
}

/// What identifies a number.
type Key = (&'static str, Cell, String, Option<String>);
/// A number and its verdict.
type Held = (Option<f64>, Option<Verdict>);

/// Every number of either, in the order of cells and settings.
#[must_use]
pub fn side_by_side(old: &Findings, new: &Findings) -> Vec<Rescored> {
    let (before, after) = (numbers(old), numbers(new));
    let mut keys: Vec<&Key> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    let row = |key: &Key| {
        let (kind, cell, setting, against) = key.clone();
        let (old, old_verdict) = before.get(key).copied().unwrap_or_default();
        let (new, new_verdict) = after.get(key).copied().unwrap_or_default();
        Rescored { kind, cell, setting, against, old, new, old_verdict, new_verdict }
    };
    keys.into_iter().map(row).collect()
}

fn numbers(findings: &Findings) -> BTreeMap<Key, Held> {
    let mut found = BTreeMap::new();
    for e in &findings.estimates {
        found.insert(("value", e.cell.clone(), e.setting.clone(), None), (e.value, None));
    }
    for c in &findings.contrasts {
        let key = ("change", c.cell.clone(), c.setting.clone(), Some(c.against.clone()));
        found.insert(key, (c.delta, c.verdict));
    }
    for row in &findings.coverage {
        let cell = Cell {
            model: row.model.clone(),
            benchmark: row.benchmark.clone(),
            metric: "answered".to_owned(),
            axis: row.axis.clone(),
            subgroup: row.subgroup.clone(),
        };
        found.insert(("answered", cell, row.setting.clone(), None), (Some(row.answered as f64), None));
    }
    for v in &findings.verdicts {
        let cell = Cell {
            model: v.model.clone(),
            benchmark: v.benchmark.clone(),
            metric: v.metric.clone(),
            axis: "gate".to_owned(),
            subgroup: v.gate.clone(),
        };
        found.insert(("verdict", cell, v.setting.clone(), None), (Some(v.margin), v.verdict));
    }
    found
}

/// The rows as CSV, one line each, numbers as short as they round-trip.
#[must_use]
pub fn rescored_csv(rows: &[Rescored]) -> String {
    let mut out = csv::Writer::from_writer(Vec::new());
    let number = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
    let verdict = |v: Option<Verdict>| v.map_or_else(String::new, |v| format!("{v:?}").to_lowercase());
    let head = [
        "kind",
        "model",
        "benchmark",
        "metric",
        "axis",
        "subgroup",
        "setting",
        "against",
        "old",
        "new",
        "difference",
        "old_verdict",
        "new_verdict",
    ];
    let _ = out.write_record(head);
    for r in rows {
        let difference = r.old.zip(r.new).map(|(old, new)| new - old);
        let c = &r.cell;
        let fields = [
            r.kind.to_owned(),
            c.model.clone(),
            c.benchmark.clone(),
            c.metric.clone(),
            c.axis.clone(),
            c.subgroup.clone(),
            r.setting.clone(),
            r.against.clone().unwrap_or_default(),
            number(r.old),
            number(r.new),
            number(difference),
            verdict(r.old_verdict),
            verdict(r.new_verdict),
        ];
        let _ = out.write_record(fields);
    }
    out.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// A table for the screen: changed numbers, at most `limit`, the largest differences first.
#[must_use]
pub fn rescored_lines(rows: &[Rescored], limit: usize) -> Vec<String> {
    let mut changed: Vec<&Rescored> = rows.iter().filter(|r| r.changed()).collect();
    let size = |r: &Rescored| r.old.zip(r.new).map_or(f64::INFINITY, |(old, new)| (new - old).abs());
    changed.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let number = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.4}"));
    let mut lines = vec![format!("{} of {} numbers changed.", changed.len(), rows.len())];
    if !changed.is_empty() {
        lines.push(format!("{:<9} {:<48} {:<18} {:>12} {:>12}", "what", "where", "setting", "old", "new"));
    }
    for r in changed.iter().take(limit) {
        let place = format!("{}/{} {}: {}", r.cell.benchmark, r.cell.metric, r.cell.axis, r.cell.subgroup);
        let mut line =
            format!("{:<9} {place:<48} {:<18} {:>12} {:>12}", r.kind, r.setting, number(r.old), number(r.new));
        if r.old_verdict != r.new_verdict {
            let _ = write!(line, "  {:?} → {:?}", r.old_verdict, r.new_verdict);
        }
        lines.push(line);
    }
    if changed.len() > limit {
        lines.push(format!("… and {} more, in the table.", changed.len() - limit));
    }
    lines
}
