//! Looks up names for readers; what is not described in the findings keeps its id. Gives raw text: the caller
//! escapes it for its target.

use super::number::Scale;
use crate::findings::{
    BenchmarkInfo, Cell, ContrastRow, Findings, MetricInfo, SettingInfo, Unit, Verdict, VerdictRow, Worse,
};

/// Names for one set of findings.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    /// The findings.
    pub(super) findings: &'a Findings,
}

impl<'a> Names<'a> {
    /// Names over `findings`.
    pub(super) fn new(findings: &'a Findings) -> Self {
        Self { findings }
    }

    /// A metric, if described.
    pub(super) fn metric(self, id: &str) -> Option<&'a MetricInfo> {
        self.findings.metrics.iter().find(|m| m.id == id)
    }

    /// Title of a metric.
    pub(super) fn metric_title(self, id: &'a str) -> &'a str {
        self.metric(id).map_or(id, |m| m.title.as_str())
    }

    /// How values of a metric are shown.
    pub(super) fn scale(self, id: &str) -> Scale {
        Scale::of(self.metric(id).map_or(Unit::Plain, |m| m.unit))
    }

    /// A setting, if described.
    pub(super) fn setting(self, id: &str) -> Option<&'a SettingInfo> {
        self.findings.audit.settings.iter().find(|s| s.id == id)
    }

    /// Label of a setting; the A/A repeat says so.
    pub(super) fn setting_label(self, id: &str) -> String {
        match self.setting(id) {
            Some(s) if s.aa && !s.label.contains("A/A") => format!("{} (A/A repeat)", s.label),
            Some(s) => s.label.clone(),
            None => id.to_owned(),
        }
    }

    /// Label of what a contrast compares: the setting, and what it is held against where that is not the baseline.
    pub(super) fn contrast_label(self, c: &ContrastRow) -> String {
        let label = self.setting_label(&c.setting);
        if self.against_baseline(c) { label } else { format!("{label} − {}", self.setting_label(&c.against)) }
    }

    /// Whether a contrast is held against the baseline of its model, not a named one between two settings.
    pub(super) fn against_baseline(self, c: &ContrastRow) -> bool {
        self.setting(&c.against).is_none_or(|s| s.baseline)
    }

    /// Title of a metric as it stands inside a sentence: `Stereotype score` loses its capital, `ICAT` keeps it.
    pub(super) fn metric_words(self, id: &'a str) -> String {
        let title = self.metric_title(id);
        let mut chars = title.chars();
        match (chars.next(), chars.clone().next()) {
            (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
                first.to_lowercase().chain(chars).collect()
            }
            _ => title.to_owned(),
        }
    }

    /// A benchmark, if described.
    pub(super) fn benchmark(self, name: &str) -> Option<&'a BenchmarkInfo> {
        self.findings.audit.benchmarks.iter().find(|b| b.name == name)
    }

    /// Title of a benchmark, with its name in the audit where another benchmark has the same title.
    pub(super) fn benchmark_title(self, name: &str) -> String {
        let Some(benchmark) = self.benchmark(name) else { return name.to_owned() };
        let same = |b: &&BenchmarkInfo| b.title == benchmark.title;
        if self.findings.audit.benchmarks.iter().filter(same).count() > 1 {
            format!("{} ({name})", benchmark.title)
        } else {
            benchmark.title.clone()
        }
    }

    /// Settings of one model, baseline first, as listed.
    pub(super) fn settings_of(self, model: &'a str) -> impl Iterator<Item = &'a SettingInfo> {
        self.findings.audit.settings.iter().filter(move |s| s.model == model)
    }

    /// The baseline of a model.
    pub(super) fn baseline_of(self, model: &'a str) -> Option<&'a SettingInfo> {
        self.settings_of(model).find(|s| s.baseline)
    }

    /// Pairs of model and benchmark that have contrasts, estimates or coverage, in the order of the audit.
    pub(super) fn pairs(self) -> Vec<Pair<'a>> {
        let f = self.findings;
        let mut pairs: Vec<Pair<'a>> = Vec::new();
        for model in &f.audit.models {
            for benchmark in &f.audit.benchmarks {
                let asked = f.contrasts.iter().any(|c| is_of(&c.cell, &model.id, &benchmark.name))
                    || f.coverage.iter().any(|c| c.model == model.id && c.benchmark == benchmark.name);
                if asked {
                    pairs.push(Pair { model: &model.id, benchmark });
                }
            }
        }
        pairs
    }

    /// Contrasts of a pair for one metric.
    pub(super) fn contrasts(self, pair: Pair<'a>, metric: &'a str) -> impl Iterator<Item = &'a ContrastRow> {
        self.findings
            .contrasts
            .iter()
            .filter(move |c| is_of(&c.cell, pair.model, &pair.benchmark.name) && c.cell.metric == metric)
    }

    /// The margin of a benchmark's metric: the smallest of its gates, or the plan's where none has a row.
    pub(super) fn margin(self, benchmark: &str, metric: &str) -> Option<f64> {
        let f = self.findings;
        let rows = f.verdicts.iter().filter(|v| v.benchmark == benchmark && v.metric == metric);
        let smallest = rows.map(|v| v.margin).reduce(f64::min);
        smallest.or_else(|| f.plan.margins.get(&format!("{benchmark}/{metric}")).copied())
    }

    /// Which change a gate takes for worse.
    pub(super) fn worse_of(self, row: &VerdictRow) -> Worse {
        row.worse.or_else(|| self.metric(&row.metric).map(|m| m.worse)).unwrap_or(Worse::Either)
    }

    /// The worst of the gates that `picked` takes, as they count after waivers; `None` where there is none.
    pub(super) fn glance(self, picked: impl Fn(&VerdictRow) -> bool) -> Option<Glance> {
        let rows: Vec<&VerdictRow> =
            self.findings.verdicts.iter().filter(|v| v.verdict.is_some() && picked(v)).collect();
        let worst =
            |of: fn(&VerdictRow) -> Option<Verdict>| rows.iter().filter_map(|r| of(r)).max_by_key(|v| v.severity());
        let counted = worst(VerdictRow::counted);
        let waived = match counted {
            None => Waived::All,
            Some(_) if rows.iter().any(|r| !r.waived.is_empty()) => Waived::Some,
            Some(_) => Waived::None,
        };
        Some(Glance { verdict: counted.or_else(|| worst(|r| r.verdict))?, waived })
    }

    /// Whether there is more than one model, so that its name must stand beside a setting.
    pub(super) fn many_models(self) -> bool {
        self.findings.audit.models.len() > 1
    }

    /// Alpha that goes with the plan's level.
    pub(super) fn alpha(self) -> f64 {
        1.0 - self.findings.plan.level
    }
}

/// What the gates of one benchmark say at one setting together.
#[derive(Clone, Copy)]
pub(super) struct Glance {
    /// The worst verdict that counts; the worst of all where everything is waived.
    pub(super) verdict: Verdict,
    /// How much of it is waived.
    pub(super) waived: Waived,
}

/// How much of some gates is waived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waived {
    /// Nothing.
    None,
    /// Something; the verdict is that of the rest.
    Some,
    /// Everything.
    All,
}

/// A model and a benchmark that it was asked.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    /// Model id.
    pub(super) model: &'a str,
    /// The benchmark.
    pub(super) benchmark: &'a BenchmarkInfo,
}

fn is_of(cell: &Cell, model: &str, benchmark: &str) -> bool {
    cell.model == model && cell.benchmark == benchmark
}

/// Whether a cell is over all items.
pub(super) fn overall(cell: &Cell) -> bool {
    cell.axis == "all" && cell.subgroup == "all"
}

/// The worst cell of a gate as a reader names it.
pub(super) fn worst_cell(row: &VerdictRow) -> Option<&str> {
    row.worst_cell.as_deref().map(|cell| if cell == "all" { "all items" } else { cell })
}

/// A verdict in one word.
pub(super) fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Degraded => "degraded",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// A verdict's sign, so that colour is never needed.
pub(super) fn verdict_sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Degraded => "◐",
        Verdict::Fail => "✗",
        Verdict::Inconclusive => "?",
    }
}

/// Which change is worse, in words.
pub(super) fn worse_words(worse: Worse) -> &'static str {
    match worse {
        Worse::Increase => "higher is worse",
        Worse::Decrease => "lower is worse",
        Worse::Either => "any change counts",
        Worse::AwayFromIdeal => "further from the ideal is worse",
    }
}
