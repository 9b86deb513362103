//! Verdicts as JUnit XML, so that a build server shows each gate as a test, and agrees with the exit code: an inconclusive
//! gate is a failure of a type of its own, with what could have been missed or that answers are missing, and a skipped
//! test where it is declared to end nothing or is waived. A setting that could not run is an error, and a skipped test
//! where no gate ends an audit that leaves it open.

use super::escape::html;
use super::names::{Names, verdict_word, worst_cell};
use crate::findings::{Findings, OnInconclusive, Verdict, VerdictRow};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// `junit.xml`: a suite per model and benchmark with a case per gate and setting, and one of the settings that could not
/// run.
pub(super) fn junit(findings: &Findings) -> String {
    let names = Names::new(findings);
    let mut suites: BTreeMap<(&str, &str), Vec<(&VerdictRow, Case)>> = BTreeMap::new();
    for row in &findings.verdicts {
        if let Some(verdict) = row.verdict {
            suites.entry((&row.model, &row.benchmark)).or_default().push((row, case_of(row, verdict)));
        }
    }
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let refused = vec![refused_case(findings); findings.audit.refused.len()];
    let all: Vec<Case> = suites.values().flatten().map(|(_, c)| *c).chain(refused.iter().copied()).collect();
    let _ = writeln!(out, "<testsuites name=\"{}\" {}>", html(&findings.audit.name), counts(&all));
    for ((model, benchmark), rows) in &suites {
        let name = html(&format!("{model} / {benchmark}"));
        let cases: Vec<Case> = rows.iter().map(|(_, c)| *c).collect();
        let _ = writeln!(out, "  <testsuite name=\"{name}\" {}>", counts(&cases));
        for (row, case) in rows {
            write_case(&mut out, names, row, *case);
        }
        out.push_str("  </testsuite>\n");
    }
    write_refused(&mut out, findings, &refused);
    out.push_str("</testsuites>\n");
    out
}

/// What a build server is told of a gate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Passed,
    /// Beyond the margin, or inconclusive where that ends an audit; the type of the failure.
    Failed(&'static str),
    Skipped,
    /// A setting that could not run.
    Error,
}

/// Findings do not hold the plan's rule for what stays open, but every gate without a rule of its own follows it.
fn refused_case(findings: &Findings) -> Case {
    let ends = |v: &VerdictRow| v.on_inconclusive == OnInconclusive::Fail;
    if findings.verdicts.is_empty() || findings.verdicts.iter().any(ends) { Case::Error } else { Case::Skipped }
}

/// A suite with a case per setting that could not run; `cases` in the order of the findings.
fn write_refused(out: &mut String, findings: &Findings, cases: &[Case]) {
    if cases.is_empty() {
        return;
    }
    let _ = writeln!(out, "  <testsuite name=\"settings that could not run\" {}>", counts(cases));
    for (refused, case) in findings.audit.refused.iter().zip(cases) {
        let _ = write!(out, "    <testcase classname=\"settings\" name=\"{}\">", html(&refused.id));
        let reason = html(&refused.reason);
        let _ = match case {
            Case::Skipped => writeln!(out, "<skipped message=\"could not run: {reason}\"/></testcase>"),
            _ => writeln!(out, "<error type=\"could not run\" message=\"{reason}\"/></testcase>"),
        };
    }
    out.push_str("  </testsuite>\n");
}

/// What counts after waivers decides, as for the exit code.
fn case_of(row: &VerdictRow, verdict: Verdict) -> Case {
    match row.counted() {
        Some(Verdict::Fail) => Case::Failed("margin"),
        Some(Verdict::Inconclusive) if row.on_inconclusive == OnInconclusive::Fail => Case::Failed("inconclusive"),
        Some(Verdict::Pass | Verdict::Degraded) => Case::Passed,
        None if matches!(verdict, Verdict::Pass | Verdict::Degraded) => Case::Passed,
        Some(Verdict::Inconclusive) | None => Case::Skipped,
    }
}

/// Attributes that count the cases.
fn counts(cases: &[Case]) -> String {
    let of = |wanted: fn(&Case) -> bool| cases.iter().filter(|c| wanted(c)).count();
    format!(
        "tests=\"{}\" failures=\"{}\" skipped=\"{}\" errors=\"{}\"",
        cases.len(),
        of(|c| matches!(c, Case::Failed(_))),
        of(|c| *c == Case::Skipped),
        of(|c| *c == Case::Error)
    )
}

fn write_case(out: &mut String, names: Names<'_>, row: &VerdictRow, case: Case) {
    let class = html(&format!("{}.{}", row.model, row.benchmark));
    let gate = if row.gate.is_empty() || row.gate == row.benchmark { String::new() } else { format!("{}: ", row.gate) };
    let metric = names.metric_title(&row.metric);
    let name = html(&format!("{}: {gate}{metric}", names.setting_label(&row.setting)));
    let _ = write!(out, "    <testcase classname=\"{class}\" name=\"{name}\"");
    let verdict = row.verdict.unwrap_or(Verdict::Inconclusive);
    let waived = if row.waived.is_empty() { "" } else { "; waived, as far as declared" };
    let said = format!("{}{waived}", html(&said(names, row, verdict)));
    let _ = match case {
        Case::Passed if verdict == Verdict::Pass => writeln!(out, "/>"),
        Case::Passed => writeln!(out, "><system-out>{said}</system-out></testcase>"),
        Case::Failed(kind) => writeln!(out, "><failure type=\"{kind}\" message=\"{said}\"/></testcase>"),
        Case::Skipped => writeln!(out, "><skipped message=\"{said}\"/></testcase>"),
        Case::Error => writeln!(out, "><error message=\"{said}\"/></testcase>"),
    };
}

fn said(names: Names<'_>, row: &VerdictRow, verdict: Verdict) -> String {
    let scale = names.scale(&row.metric);
    let mut said = format!("{}: margin {}", verdict_word(verdict), scale.chosen_with_noun(row.margin));
    if let (Some(cell), Some(delta)) = (worst_cell(row), row.worst_delta) {
        let d = scale.decimals_of(row.worst_interval.as_ref());
        let _ = write!(said, "; largest change {} for {cell}", scale.change_with_noun(delta, d));
        if let Some(interval) = &row.worst_interval {
            let _ = write!(said, " {}", scale.interval(interval, d));
        }
    }
    if let (Verdict::Inconclusive, Some(mde)) = (verdict, row.mde) {
        let mde = scale.size_with_noun(mde, scale.decimals(Some(mde)));
        let _ = write!(said, "; changes smaller than {mde} could have been missed");
    }
    if let (Verdict::Inconclusive, 1..) = (verdict, row.open().0) {
        said.push_str("; answers are missing that could decide it either way");
    }
    said
}
