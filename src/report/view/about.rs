//! What was audited, what was refused, which families and caveats there are.

use super::{CaveatView, Table};
use crate::findings::{Findings, Unit};
use crate::report::escape::markdown;
use crate::report::names::{Names, worse_words};
use crate::report::number;
use serde::Serialize;

/// What was audited.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct About {
    /// Name of the audit.
    pub(in crate::report) name: String,
    /// Run id.
    pub(in crate::report) run: String,
    /// Analysis id.
    pub(in crate::report) analysis: String,
    /// Version of this program.
    pub(in crate::report) quantbias: String,
    /// Engine, version, features.
    pub(in crate::report) engine: String,
    /// Master seed.
    pub(in crate::report) seed: String,
    /// Models.
    pub(in crate::report) models: Table,
    /// Settings as realised.
    pub(in crate::report) settings: Table,
    /// Benchmarks.
    pub(in crate::report) benchmarks: Table,
    /// Hashes of everything.
    pub(in crate::report) hashes: Table,
    /// Citations and licences of the data.
    pub(in crate::report) sources: Vec<String>,
}

impl About {
    /// What was audited.
    pub(super) fn of(names: Names<'_>) -> Self {
        let f = names.findings;
        Self {
            name: markdown(&f.audit.name),
            run: markdown(&f.audit.run_id),
            analysis: markdown(&f.analysis_id),
            quantbias: markdown(&f.quantbias),
            engine: markdown(&f.audit.engine),
            seed: f.plan.seed.to_string(),
            models: models(f),
            settings: settings(names),
            benchmarks: benchmarks(names),
            hashes: hashes(f),
            sources: f
                .audit
                .benchmarks
                .iter()
                .map(|b| {
                    format!("{}: {} Licence: {}.", markdown(&b.title), markdown(&b.citation), markdown(&b.licence))
                })
                .collect(),
        }
    }
}

fn models(f: &Findings) -> Table {
    let mut table = Table::new(&["Model", "Source", "Architecture", ">Weights"]);
    table.rows = f
        .audit
        .models
        .iter()
        .map(|m| {
            let parameters = m.parameters.map_or_else(|| "not known".to_owned(), number::parameters);
            vec![markdown(&m.id), markdown(&m.source), markdown(&m.architecture), parameters]
        })
        .collect();
    table
}

fn settings(names: Names<'_>) -> Table {
    let heads = [
        "Model",
        "Setting",
        "Asked for",
        "Family",
        ">Bits/weight",
        ">Whole model",
        "Activations",
        "Device",
        "Dtype",
        "Deviations",
    ];
    let mut table = Table::new(&heads);
    table.rows = names
        .findings
        .audit
        .settings
        .iter()
        .map(|s| {
            let label = names.setting_label(&s.id);
            let label = if s.baseline { format!("{label} (baseline)") } else { label };
            let deviations = if s.deviations.is_empty() { "none".to_owned() } else { s.deviations.join("; ") };
            vec![
                markdown(&s.model),
                markdown(&label),
                markdown(&s.requested),
                markdown(&s.scheme_family),
                number::bits(s.bits_per_weight),
                number::bits(s.bits_per_weight_model),
                markdown(&s.activations),
                markdown(&s.device),
                markdown(&s.dtype),
                markdown(&deviations),
            ]
        })
        .collect();
    table.for_models(names)
}

fn benchmarks(names: Names<'_>) -> Table {
    let mut table =
        Table::new(&["Benchmark", ">Items", ">Clusters", "A cluster is", "Headline metric", ">Margin", "Models"]);
    table.rows = names
        .findings
        .audit
        .benchmarks
        .iter()
        .map(|b| {
            let margin = names.margin(&b.name, &b.headline);
            vec![
                markdown(&names.benchmark_title(&b.name)),
                b.items.map_or_else(|| "not known".to_owned(), number::count),
                number::count(b.clusters),
                markdown(&b.cluster_unit),
                markdown(names.metric_title(&b.headline)),
                margin.map_or_else(|| "none declared".to_owned(), |m| names.scale(&b.headline).chosen_with_noun(m)),
                markdown(&b.models.join(", ")),
            ]
        })
        .collect();
    table
}

fn hashes(f: &Findings) -> Table {
    let mut table = Table::new(&["Of", "SHA-256"]);
    let mut row = |of: String, hash: &str| table.rows.push(vec![of, markdown(hash)]);
    row("run identity".to_owned(), &f.audit.identity_sha256);
    row("records".to_owned(), &f.audit.records_sha256);
    row("plan".to_owned(), &f.plan.sha256);
    for (owner, files) in
        f.audit.models.iter().map(|m| (&m.id, &m.files)).chain(f.audit.benchmarks.iter().map(|b| (&b.name, &b.files)))
    {
        for (file, hash) in files {
            row(format!("{} / {}", markdown(owner), markdown(file)), hash);
        }
    }
    table
}

/// Settings that could not run.
pub(super) fn refused(f: &Findings) -> Table {
    let mut table = Table::new(&["Setting", "Reason"]);
    table.rows = f.audit.refused.iter().map(|r| vec![markdown(&r.id), markdown(&r.reason)]).collect();
    table
}

/// Families of hypotheses.
pub(super) fn families(f: &Findings) -> Table {
    let mut table =
        Table::new(&["Family", "Holds", ">Hypotheses", ">Tested", "Correction", ">Rejected", ">Critical value (SE)"]);
    table.rows = f
        .families
        .iter()
        .map(|x| {
            vec![
                markdown(&x.id),
                markdown(&x.title),
                number::count(x.hypotheses),
                number::count(x.tested),
                markdown(&x.method),
                number::count(x.rejected),
                x.critical.map_or_else(|| number::UNDEFINED.to_owned(), |c| number::fixed(c, 2)),
            ]
        })
        .collect();
    table
}

/// Caveats.
pub(super) fn caveats(f: &Findings) -> Vec<CaveatView> {
    f.caveats
        .iter()
        .map(|c| CaveatView {
            about: markdown(&c.about),
            subject: c.subject.as_ref().map_or_else(String::new, |s| format!("{}: ", markdown(s))),
            text: markdown(&c.text),
        })
        .collect()
}

/// Metrics with formula and reference.
pub(super) fn metrics(f: &Findings) -> Table {
    let mut table = Table::new(&["Metric", "Formula", "Shown in", ">Ideal", "Worse", "Reference"]);
    table.rows = f
        .metrics
        .iter()
        .map(|m| {
            let scale = number::Scale::of(m.unit);
            vec![
                markdown(&m.title),
                markdown(&m.formula),
                match m.unit {
                    Unit::Share => "points (×100)".to_owned(),
                    Unit::Plain => "its own unit".to_owned(),
                },
                m.ideal.map_or_else(|| number::UNDEFINED.to_owned(), |i| scale.chosen(i)),
                worse_words(m.worse).to_owned(),
                markdown(&m.reference),
            ]
        })
        .collect();
    table
}
