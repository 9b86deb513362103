//! The columns of the tables that every report has.

use super::sheet::{Rows, Sheet};
use crate::findings::{ContrastRow, CoverageRow, EstimateRow, FamilySummary, Findings, VerdictRow};
use crate::report::figures::method;
use crate::report::names::verdict_word;

/// The tables of all findings.
pub(super) fn sheets(f: &Findings) -> Vec<Sheet> {
    vec![
        contrasts(&f.contrasts),
        estimates(&f.estimates),
        verdicts(&f.verdicts),
        coverage(&f.coverage),
        families(&f.families),
    ]
}

fn contrasts(rows: &[ContrastRow]) -> Sheet {
    Rows::of("contrasts", rows)
        .cell(|r| &r.cell)
        .name("setting", |r| &r.setting)
        .name("against", |r| &r.against)
        .flag("aa", |r| r.aa)
        .number("baseline_value", |r| r.baseline_value)
        .number("setting_value", |r| r.setting_value)
        .number("delta", |r| r.delta)
        .number("se", |r| r.se)
        .limits("", |r| r.interval)
        .number("level", |r| r.interval.map(|i| i.level))
        .text("method", |r| r.interval.map(|i| method(i.method).to_owned()))
        .limits("jackknife", |r| r.jackknife)
        .limits("simultaneous", |r| r.simultaneous)
        .number("p", |r| r.test.as_ref().map(|t| t.p))
        .number("p_mid", |r| r.test.as_ref().map(|t| t.p_mid))
        .number("p_smallest", |r| r.test.as_ref().map(|t| t.smallest_p))
        .text("test", |r| r.test.as_ref().map(|t| t.method.clone()))
        .number("p_adjusted", |r| r.p_adjusted)
        .text("family", |r| r.family.clone())
        .flag("significant", |r| r.significant)
        .number("dz", |r| r.dz)
        .count("n00", |r| r.flips.map(|f| f.n00))
        .count("n01", |r| r.flips.map(|f| f.n01))
        .count("n10", |r| r.flips.map(|f| f.n10))
        .count("n11", |r| r.flips.map(|f| f.n11))
        .count("items", |r| Some(r.items))
        .count("lost", |r| Some(r.lost))
        .count("clusters", |r| Some(r.clusters))
        .count("changed_clusters", |r| Some(r.changed_clusters))
        .number("clusters_effective", |r| Some(r.clusters_effective))
        .number("deff", |r| r.deff)
        .number("mde", |r| r.mde)
        .text("verdict", |r| r.verdict.map(|v| verdict_word(v).to_owned()))
        .text("flags", |r| Some(r.flags.join(" ")))
        .text("note", |r| r.note.clone())
        .done()
}

fn estimates(rows: &[EstimateRow]) -> Sheet {
    Rows::of("estimates", rows)
        .cell(|r| &r.cell)
        .name("setting", |r| &r.setting)
        .number("value", |r| r.value)
        .number("se", |r| r.se)
        .limits("", |r| r.interval)
        .number("level", |r| r.interval.map(|i| i.level))
        .text("method", |r| r.interval.map(|i| method(i.method).to_owned()))
        .count("items", |r| Some(r.items))
        .count("clusters", |r| Some(r.clusters))
        .text("note", |r| r.note.clone())
        .done()
}

fn verdicts(rows: &[VerdictRow]) -> Sheet {
    Rows::of("verdicts", rows)
        .name("model", |r| &r.model)
        .name("benchmark", |r| &r.benchmark)
        .name("setting", |r| &r.setting)
        .name("metric", |r| &r.metric)
        .number("margin", |r| Some(r.margin))
        .text("verdict", |r| r.verdict.map(|v| verdict_word(v).to_owned()))
        .count("cells_pass", |r| Some(u64::from(r.cells.pass)))
        .count("cells_degraded", |r| Some(u64::from(r.cells.degraded)))
        .count("cells_fail", |r| Some(u64::from(r.cells.fail)))
        .count("cells_inconclusive", |r| Some(u64::from(r.cells.inconclusive)))
        .text("worst_cell", |r| r.worst_cell.clone())
        .number("worst_delta", |r| r.worst_delta)
        .limits("worst", |r| r.worst_interval)
        .number("mde", |r| r.mde)
        .done()
}

fn coverage(rows: &[CoverageRow]) -> Sheet {
    Rows::of("coverage", rows)
        .name("model", |r| &r.model)
        .name("benchmark", |r| &r.benchmark)
        .name("setting", |r| &r.setting)
        .name("axis", |r| &r.axis)
        .name("subgroup", |r| &r.subgroup)
        .count("items", |r| Some(r.items))
        .count("answered", |r| Some(r.answered))
        .count("refused", |r| Some(r.refused))
        .count("unparsed", |r| Some(r.unparsed))
        .count("truncated", |r| Some(r.truncated))
        .count("failed", |r| Some(r.failed))
        .done()
}

fn families(rows: &[FamilySummary]) -> Sheet {
    Rows::of("families", rows)
        .name("id", |r| &r.id)
        .name("title", |r| &r.title)
        .count("hypotheses", |r| Some(r.hypotheses))
        .count("tested", |r| Some(r.tested))
        .name("method", |r| &r.method)
        .count("rejected", |r| Some(r.rejected))
        .number("critical", |r| r.critical)
        .done()
}
