//! Sections beyond the paired changes: gaps between subgroups, trends, flips, missing answers, other choices of
//! analysis, what could have been found, and the published study's values. Each stands only where the findings have its
//! rows.

use super::Table;
use super::listing::{Listing, undefined};
use crate::findings::{Cell, HeterogeneityRow, SubgroupDifference, Unit, WaiverState};
use crate::report::escape::markdown;
use crate::report::names::{Names, overall, verdict_word};
use crate::report::number::Scale;
use serde::Serialize;

/// A section with one table.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Section {
    /// Heading.
    pub(in crate::report) title: String,
    /// What the table shows and how to read it.
    pub(in crate::report) intro: String,
    /// The rows.
    pub(in crate::report) table: Table,
}

/// Every section that has rows.
pub(super) fn sections(names: Names<'_>) -> Vec<Section> {
    let all = [
        ranges(names),
        heterogeneity(names),
        trends(names),
        flips(names),
        outcomes(names),
        missing(names),
        sensitivity(names),
        power(names),
        paper(names),
    ];
    all.into_iter().filter(|s| !s.table.rows.is_empty()).collect()
}

fn section(title: &str, intro: &str, table: Table) -> Section {
    Section { title: title.to_owned(), intro: intro.to_owned(), table }
}

/// Declared exceptions from gates.
pub(super) fn waivers(names: Names<'_>) -> Table {
    Listing::of(names, &names.findings.waivers)
        .text("Gate", |w| &w.gate)
        .text("Setting", |w| w.setting.as_deref().unwrap_or("all"))
        .text("Subgroup", |w| w.subgroup.as_deref().unwrap_or("all"))
        .text("State", |w| match w.state {
            WaiverState::Applied => "took effect",
            WaiverState::Unused => "was not needed",
            WaiverState::Expired => "has expired and does not count",
        })
        .text("Reason", |w| &w.reason)
        .text("Who answers for it", |w| &w.author)
        .text("Until", |w| &w.expires)
        .done()
}

fn headline(names: Names<'_>, cell: &Cell) -> bool {
    names.benchmark(&cell.benchmark).is_none_or(|b| b.headline == cell.metric)
}

fn ranges(names: Names<'_>) -> Section {
    let shown = |cell: &Cell, interval: Option<&crate::findings::Interval>, v: f64| {
        let scale = names.scale(&cell.metric);
        scale.value(v, scale.decimals_of(interval))
    };
    let table = Listing::of(names, names.findings.ranges.iter().filter(|r| !r.aa && headline(names, &r.cell)))
        .place(|r| &r.cell)
        .text("Axis", |r| &r.cell.axis)
        .column("Setting", |r| markdown(&names.setting_label(&r.setting)))
        .maybe("Lowest", |r| r.lowest.as_deref())
        .maybe("Highest", |r| r.highest.as_deref())
        .column(">Gap", |r| r.value.map_or_else(undefined, |v| shown(&r.cell, r.interval.as_ref(), v)))
        .column(">By chance", |r| {
            let shown = |v| shown(&r.cell, r.interval.as_ref(), v);
            r.null_band.map_or_else(undefined, |[low, high]| format!("{} to {}", shown(low), shown(high)))
        })
        .adjusted(|r| r.test.as_ref())
        .change(">Change of the gap", |r| (&r.cell, r.change, r.change_interval.as_ref()))
        .done();
    section(
        "Gap between subgroups",
        "The gap is the largest value of an axis less the smallest. It is above 0 even where all subgroups are alike, so it \
         is held against what chance alone gives (95% of gaps with permuted subgroup labels), never against 0.",
        table,
    )
}

/// The subgroup whose change differs most from that of the rest of its axis.
fn most_unlike(row: &HeterogeneityRow) -> Option<&SubgroupDifference> {
    let size = |d: &SubgroupDifference| d.difference.map_or(0.0, f64::abs);
    row.differences.iter().filter(|d| d.difference.is_some()).max_by(|a, b| size(a).total_cmp(&size(b)))
}

fn heterogeneity(names: Names<'_>) -> Section {
    let rows = names.findings.heterogeneity.iter().filter(|h| !h.aa && headline(names, &h.cell));
    let table = Listing::of(names, rows.map(|h| (h, most_unlike(h))))
        .place(|(h, _)| &h.cell)
        .text("Axis", |(h, _)| &h.cell.axis)
        .compared(|(h, _)| (&h.setting, &h.against))
        .count(">Subgroups", |(h, _)| Some(h.subgroups))
        .maybe("Changed most unlike the rest", |(_, most)| most.map(|m| m.subgroup.as_str()))
        .change(">By", |(h, most)| (&h.cell, most.and_then(|m| m.difference), most.and_then(|m| m.interval.as_ref())))
        .adjusted(|(h, _)| h.test.as_ref())
        .done();
    section(
        "Did subgroups change differently?",
        "The adjusted p-value is of the hypothesis that all subgroups of the axis changed by the same amount. Beside it \
         stands the subgroup whose change differs most from that of the rest of its axis.",
        table,
    )
}

fn trends(names: Names<'_>) -> Section {
    let table = Listing::of(names, names.findings.trends.iter().filter(|t| overall(&t.cell)))
        .place(|t| &t.cell)
        .text("Schemes", |t| &t.scheme_family)
        .text("Slope per", |t| match t.scores.as_str() {
            "rank" => "step in the order of bits",
            "log2" => "doubling of bits",
            "step" => "unit of 2 to the minus bits",
            other => other,
        })
        .change(">Slope", |t| (&t.cell, t.slope, t.interval.as_ref()))
        .adjusted(|t| t.test.as_ref())
        .count(">Settings", |t| Some(t.settings.len() as u64))
        .count(">Items", |t| Some(t.items))
        .done();
    section(
        "Trends over bits per weight",
        "Slopes over all settings of a family of schemes, over all items. A slope above 0 means that the metric rises with more bits.",
        table,
    )
}

fn flips(names: Names<'_>) -> Section {
    let table = Listing::of(names, names.findings.flips.iter().filter(|f| !f.aa && overall(&f.cell)))
        .place(|f| &f.cell)
        .compared(|f| (&f.setting, &f.against))
        .share(">Flipped", |f| Some(f.rate))
        .share(">Became unwanted", |f| f.became)
        .share(">Ceased to be", |f| f.ceased)
        .share(">Cancel each other", |f| f.masked)
        .share(">A/A repeat", |f| f.aa_rate)
        .count(">Items", |f| Some(f.items))
        .done();
    section(
        "Flips",
        "A flip is an item whose yes-or-no event behind the metric came or went. Flips in both directions cancel in a mean: \
         the column says what share of them does. \"Became\" is a share of the items without the event before, \"ceased\" of \
         those with it.",
        table,
    )
}

fn outcomes(names: Names<'_>) -> Section {
    let scale = Scale::of(Unit::Share);
    let table = Listing::of(names, names.findings.outcomes.iter().filter(|o| !o.aa && overall(&o.cell)))
        .place(|o| &o.cell)
        .compared(|o| (&o.setting, &o.against))
        .column("Outcome", |o| markdown(&o.outcome.replace('_', " ")))
        .share(">Baseline", |o| Some(o.baseline_rate))
        .share(">Setting value", |o| Some(o.setting_rate))
        .column(">Change (points)", |o| scale.change(o.delta, scale.decimals_of(o.interval.as_ref())))
        .column(">Interval", |o| {
            o.interval.as_ref().map_or_else(undefined, |i| scale.interval(i, scale.decimals_of(Some(i))))
        })
        .adjusted(|o| o.test.as_ref())
        .count(">Items", |o| Some(o.items))
        .done()
        .without("Metric");
    section(
        "Refusals and unreadable answers",
        "Whether a setting refuses, or cannot be read, more often than the baseline, over all items.",
        table,
    )
}

fn missing(names: Names<'_>) -> Section {
    let rows = names.findings.missing.iter().filter(|m| m.agree == Some(false));
    let table = Listing::of(names, rows.flat_map(|m| m.treatments.iter().map(move |t| (m, t))))
        .place(|(m, _)| &m.cell)
        .text("Axis", |(m, _)| &m.cell.axis)
        .text("Subgroup", |(m, _)| &m.cell.subgroup)
        .compared(|(m, _)| (&m.setting, &m.against))
        .count(">Answered on one side only", |(m, _)| Some(m.one_side))
        .column("Treatment", |(_, t)| markdown(&t.treatment.replace('_', " ")))
        .change(">Change", |(m, t)| (&m.cell, t.delta, t.interval.as_ref()))
        .text("Verdict", |(_, t)| t.verdict.map_or("", verdict_word))
        .done();
    section(
        "Where missing answers decide",
        "Cells whose verdict depends on how answers that are missing under one of the settings are treated.",
        table,
    )
}

fn sensitivity(names: Names<'_>) -> Section {
    let table = Listing::of(names, names.findings.sensitivity.iter().filter(|s| overall(&s.cell)))
        .place(|s| &s.cell)
        .compared(|s| (&s.setting, &s.against))
        .text("Other choice", |s| &s.title)
        .change(">Change", |s| (&s.cell, s.delta, s.interval.as_ref()))
        .p(">p", |s| s.p)
        .count(">Clusters", |s| Some(s.clusters))
        .count(">Items", |s| Some(s.items))
        .done();
    section(
        "Other choices of analysis",
        "The same changes under other choices. These rows decide nothing; they show how much of a result is owed to a choice.",
        table,
    )
}

fn power(names: Names<'_>) -> Section {
    let table = Listing::of(names, names.findings.power.iter().filter(|w| w.margin.is_some()))
        .place(|w| &w.cell)
        .text("Axis", |w| &w.cell.axis)
        .text("Subgroup", |w| &w.cell.subgroup)
        .compared(|w| (&w.setting, &w.against))
        .count(">Items now", |w| Some(w.items))
        .column(">Could miss now", |w| {
            let scale = names.scale(&w.cell.metric);
            scale.value(w.mde, scale.decimals(Some(w.mde)))
        })
        .column(">Margin", |w| w.margin.map_or_else(undefined, |m| names.scale(&w.cell.metric).chosen(m)))
        .count(">Items to find the margin", |w| w.items_for_margin)
        .count(">Items to show equivalence", |w| w.items_for_equivalence)
        .done();
    section(
        "How many items would be needed",
        "For each gated cell: the smallest change that would probably have been found, and how many items (clusters growing \
         in proportion) would find a change as large as the margin, or show that a change of 0 is within it.",
        table,
    )
}

/// Global values only: the tables hold those of subgroups.
fn paper(names: Names<'_>) -> Section {
    let scale = Scale::of(Unit::Plain);
    let rows = names.findings.paper.iter().filter(|r| r.subgroup == "all");
    let table = Listing::of(names, rows)
        .text("Benchmark", |r| &r.benchmark)
        .text("Model", |r| &r.model)
        .column("Setting", |r| markdown(&names.setting_label(&r.setting)))
        .text("Metric", |r| &r.metric)
        .column(">Value", |r| r.value.map_or_else(undefined, |v| scale.value(v, 4)))
        .column(">Change", |r| r.change.map_or_else(undefined, |v| scale.change(v, 4)))
        .p(">p, not corrected", |r| r.test.as_ref().map(|t| t.p))
        .count(">Items", |r| Some(r.items))
        .done();
    section(
        "The published study's values",
        "Metrics as the code of the published study computes them (Marcuzzi et al. 2026), over all items, with its \
         randomization test. That test takes prompts for independent and is not corrected for multiplicity: these rows \
         reproduce the study, and no verdict reads them. Values of subgroups are in `tables/paper.csv`.",
        table.for_models(names),
    )
}
