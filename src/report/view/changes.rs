//! Tables of verdicts, changes, the A/A floor and outcome counts.

use super::{ChangesView, Notes, Table};
use crate::findings::{BenchmarkInfo, ContrastRow, CoverageRow, Interval, Verdict, VerdictCounts, VerdictRow};
use crate::report::escape::{Slugs, html, markdown};
use crate::report::names::{Glance, Names, Pair, Waived, overall, verdict_sign, verdict_word, worst_cell};
use crate::report::number::{self, Scale};

/// Heading of a model and benchmark; raw text.
pub(in crate::report) fn pair_title(names: Names<'_>, pair: Pair<'_>) -> String {
    let title = names.benchmark_title(&pair.benchmark.name);
    if names.many_models() { format!("{title}, {}", pair.model) } else { title }
}

/// Verdict at a glance: settings down, benchmarks across.
pub(super) fn grid(names: Names<'_>) -> Table {
    let f = names.findings;
    let gated = |b: &BenchmarkInfo| f.verdicts.iter().any(|v| v.benchmark == b.name && v.verdict.is_some());
    let benchmarks: Vec<&BenchmarkInfo> = f.audit.benchmarks.iter().filter(|b| gated(b)).collect();
    let titles: Vec<String> = benchmarks.iter().map(|b| markdown(&names.benchmark_title(&b.name))).collect();
    let heads: Vec<&str> =
        ["Model", "Setting", ">Bits/weight"].into_iter().chain(titles.iter().map(String::as_str)).collect();
    let mut table = Table::new(&heads);
    for setting in &f.audit.settings {
        let at = |b: &BenchmarkInfo| names.glance(|v| v.setting == setting.id && v.benchmark == b.name);
        if benchmarks.iter().all(|b| at(b).is_none()) {
            continue;
        }
        let mut row = vec![
            markdown(&setting.model),
            markdown(&names.setting_label(&setting.id)),
            number::bits(setting.bits_per_weight),
        ];
        row.extend(benchmarks.iter().map(|b| at(b).map_or_else(String::new, glance_text)));
        table.rows.push(row);
    }
    table.for_models(names)
}

/// Gate per model, benchmark and setting; the A/A repeat is not gated and stands with the floor.
pub(super) fn verdicts(names: Names<'_>) -> Table {
    let mut table = Table::new(&[
        "Model",
        "Benchmark",
        "Gate and metric",
        "Setting",
        "Verdict",
        ">Margin",
        "Subgroups",
        "Worst subgroup",
        ">Change",
        ">Interval",
        ">Could miss",
    ]);
    let mut notes = Notes::default();
    let undefined = "no subgroup of this gate has a defined change".to_owned();
    for v in &names.findings.verdicts {
        let Some(verdict) = v.verdict else { continue };
        let scale = names.scale(&v.metric);
        let decimals = scale.decimals_of(v.worst_interval.as_ref());
        table.rows.push(vec![
            markdown(&v.model),
            markdown(&names.benchmark_title(&v.benchmark)),
            gate_and_metric(names, v),
            markdown(&names.setting_label(&v.setting)),
            verdict_text(verdict),
            scale.chosen(v.margin),
            cells(v.cells),
            worst_cell(v).map_or_else(|| number::UNDEFINED.to_owned(), markdown),
            v.worst_delta.map_or_else(|| notes.dash(Some(&undefined)), |d| scale.change(d, decimals)),
            limits(scale, v.worst_interval.as_ref(), decimals),
            v.mde.map_or_else(String::new, |m| scale.value(m, scale.decimals(Some(m)))),
        ]);
    }
    table.noted(&notes).for_models(names)
}

/// The gate's id where it is not the benchmark's name, and the metric that it reads.
fn gate_and_metric(names: Names<'_>, row: &VerdictRow) -> String {
    let metric = markdown(names.metric_title(&row.metric));
    if row.gate.is_empty() || row.gate == row.benchmark { metric } else { format!("{}: {metric}", markdown(&row.gate)) }
}

/// The worst of several gates, and whether a waiver took part.
fn glance_text(at: Glance) -> String {
    let said = verdict_text(at.verdict);
    match at.waived {
        Waived::None => said,
        Waived::Some => format!("{said} (rest\u{a0}waived)"),
        Waived::All => format!("waived ({said})"),
    }
}

/// Sign and word, held together.
fn verdict_text(verdict: Verdict) -> String {
    format!("{}\u{a0}{}", verdict_sign(verdict), verdict_word(verdict))
}

/// Counts of cell verdicts that occur: `12 ✓ 1 ✗`.
fn cells(counts: VerdictCounts) -> String {
    let all = [
        (counts.pass, Verdict::Pass),
        (counts.degraded, Verdict::Degraded),
        (counts.fail, Verdict::Fail),
        (counts.inconclusive, Verdict::Inconclusive),
    ];
    let some = all.into_iter().filter(|(n, _)| *n > 0).map(|(n, v)| format!("{n}\u{a0}{}", verdict_sign(v)));
    some.collect::<Vec<_>>().join(", ")
}

fn limits(scale: Scale, interval: Option<&Interval>, decimals: usize) -> String {
    interval.map_or_else(|| number::UNDEFINED.to_owned(), |i| scale.interval(i, decimals))
}

/// The A/A repeat: change of the headline metric over all items, per model and benchmark.
pub(super) fn floor(names: Names<'_>) -> Table {
    let mut table = Table::new(&[
        "Model",
        "Benchmark",
        "Metric",
        ">Baseline",
        ">Repeat",
        ">Change",
        ">Interval",
        ">p",
        ">Clusters changed",
        ">Items",
        ">Clusters",
    ]);
    let mut notes = Notes::default();
    let headline = |c: &ContrastRow| names.benchmark(&c.cell.benchmark).is_none_or(|b| b.headline == c.cell.metric);
    for c in names.findings.contrasts.iter().filter(|c| c.aa && overall(&c.cell) && headline(c)) {
        let scale = names.scale(&c.cell.metric);
        let d = scale.decimals_of(c.interval.as_ref());
        let value = |v: Option<f64>| v.map_or_else(|| number::UNDEFINED.to_owned(), |v| scale.value(v, d));
        table.rows.push(vec![
            markdown(&c.cell.model),
            markdown(&names.benchmark_title(&c.cell.benchmark)),
            markdown(names.metric_title(&c.cell.metric)),
            value(c.baseline_value),
            value(c.setting_value),
            c.delta.map_or_else(|| notes.dash(c.note.as_ref()), |x| scale.change(x, d)),
            limits(scale, c.interval.as_ref(), d),
            p(names, c),
            number::count(c.changed_clusters),
            number::count(c.items),
            number::count(c.clusters),
        ]);
    }
    table.noted(&notes).for_models(names)
}

fn p(names: Names<'_>, c: &ContrastRow) -> String {
    c.test
        .as_ref()
        .map_or_else(|| number::UNDEFINED.to_owned(), |t| number::p_value(t.p, Some(t.smallest_p), names.alpha()))
}

/// All changes, folded by model and benchmark.
pub(super) fn changes(names: Names<'_>) -> Vec<ChangesView> {
    let all = &names.findings.contrasts;
    let mut slugs = Slugs::default();
    names
        .pairs()
        .into_iter()
        .filter_map(|pair| {
            let slug = slugs.unique(&format!("{} {}", pair.model, pair.benchmark.name));
            let rows: Vec<&ContrastRow> =
                all.iter().filter(|c| c.cell.model == pair.model && c.cell.benchmark == pair.benchmark.name).collect();
            if rows.is_empty() {
                return None;
            }
            let count = number::counted(rows.len() as u64, "change");
            let raw = format!("{}: {count}", pair_title(names, pair));
            Some(ChangesView {
                path: format!("tables/changes-{slug}.md"),
                title: markdown(&raw),
                title_html: html(&raw),
                analysis: markdown(&names.findings.analysis_id),
                table: change_table(names, &rows),
            })
        })
        .collect()
}

fn change_table(names: Names<'_>, rows: &[&ContrastRow]) -> Table {
    let mut table = Table::new(&[
        "Setting",
        "Metric",
        "Axis",
        "Subgroup",
        ">Baseline",
        ">Setting value",
        ">Change",
        ">Interval",
        ">Jackknife",
        ">Simultaneous",
        ">p",
        ">p adjusted",
        "Family",
        ">n",
        ">Clusters",
        ">Effective",
        ">Design effect",
        ">Lost",
        ">Could miss",
        "Verdict",
        "Flags",
    ]);
    let mut notes = Notes::default();
    table.rows = rows.iter().map(|c| change_row(names, c, &mut notes)).collect();
    table.noted(&notes)
}

fn change_row(names: Names<'_>, c: &ContrastRow, notes: &mut Notes) -> Vec<String> {
    let scale = names.scale(&c.cell.metric);
    let d = scale.decimals_of(c.interval.as_ref().or(c.jackknife.as_ref()));
    let mut dash = Dash { notes, reason: c.note.as_ref(), said: false };
    let mut row = vec![markdown(&names.contrast_label(c)), markdown(names.metric_title(&c.cell.metric))];
    row.push(markdown(&c.cell.axis));
    row.push(markdown(&c.cell.subgroup));
    row.push(dash.or(c.baseline_value, |v| scale.value(v, d)));
    row.push(dash.or(c.setting_value, |v| scale.value(v, d)));
    row.push(dash.or(c.delta, |v| scale.change(v, d)));
    row.push(dash.or(c.interval.as_ref(), |i| scale.interval(i, d)));
    row.push(dash.or(c.jackknife.as_ref(), |i| scale.interval(i, d)));
    let bandless = "bands are for the families of headline changes, not for exploratory or A/A rows".to_owned();
    if dash.reason.is_none() && c.simultaneous.is_none() {
        dash.reason = Some(&bandless);
    }
    row.push(dash.or(c.simultaneous.as_ref(), |i| scale.interval(i, d)));
    row.push(dash.or(c.test.as_ref(), |t| number::p_value(t.p, Some(t.smallest_p), names.alpha())));
    row.push(dash.or(c.p_adjusted, |p| number::p_value(p, None, names.alpha())));
    row.push(c.family.as_deref().map_or_else(|| number::UNDEFINED.to_owned(), markdown));
    row.push(number::count(c.items));
    row.push(number::count(c.clusters));
    row.push(number::ratio(c.clusters_effective));
    row.push(dash.or(c.deff, number::ratio));
    row.push(number::count(c.lost));
    row.push(dash.or(c.mde, |m| scale.value(m, scale.decimals(Some(m)))));
    row.push(c.verdict.map_or_else(String::new, verdict_text));
    row.push(c.flags.iter().map(|f| markdown(&f.replace('_', " "))).collect::<Vec<_>>().join("; "));
    row
}

/// Dashes of one row: the first carries the letter of the reason, the others are plain.
struct Dash<'n> {
    notes: &'n mut Notes,
    reason: Option<&'n String>,
    said: bool,
}

impl Dash<'_> {
    fn or<T>(&mut self, value: Option<T>, words: impl FnOnce(T) -> String) -> String {
        match value {
            Some(value) => words(value),
            None if self.said => number::UNDEFINED.to_owned(),
            None => {
                self.said = true;
                self.notes.dash(self.reason)
            }
        }
    }
}

/// Outcome counts over all items.
pub(super) fn coverage(names: Names<'_>) -> Table {
    let mut table = Table::new(&[
        "Model",
        "Benchmark",
        "Setting",
        ">Items",
        ">Answered",
        ">Share",
        ">Refused",
        ">Unparsed",
        ">Truncated",
        ">Failed",
    ]);
    let whole = |c: &&CoverageRow| c.axis == "all" && c.subgroup == "all";
    table.rows = names
        .findings
        .coverage
        .iter()
        .filter(whole)
        .map(|c| {
            let mut row = vec![
                markdown(&c.model),
                markdown(&names.benchmark_title(&c.benchmark)),
                markdown(&names.setting_label(&c.setting)),
                number::count(c.items),
                number::count(c.answered),
                number::percent_of(c.answered, c.items),
            ];
            row.extend([c.refused, c.unparsed, c.truncated, c.failed].map(number::count));
            row
        })
        .collect();
    table.for_models(names)
}
