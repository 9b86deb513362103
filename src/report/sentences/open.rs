//! Sentences about what gates leave open: gates that could not be judged, changes that could have been missed, and rows
//! that fail where their gates do not. What is not known is said to be not known.

use super::{MISSING, gated, list};
use crate::findings::{ContrastRow, Unit, Verdict, VerdictRow};
use crate::report::names::Names;
use crate::report::number::{self, counted};

/// Why nothing was gated: no margin, or no setting that could be judged by it.
pub(super) fn ungated(names: Names<'_>) -> String {
    let f = names.findings;
    let mut titles: Vec<String> = Vec::new();
    for (benchmark, _) in f.plan.margins.keys().filter_map(|key| key.split_once('/')) {
        let title = names.benchmark_title(benchmark);
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    if titles.is_empty() {
        return "No gate was set: no margin was declared for any benchmark.".to_owned();
    }
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let refused = &f.audit.refused;
    let why = if refused.is_empty() {
        "no quantized setting was asked that they hold for".to_owned()
    } else {
        let room = 3;
        let mut why: Vec<String> = refused
            .iter()
            .take(room)
            .map(|r| format!("{} ({})", r.id, r.reason.trim().trim_end_matches('.')))
            .collect();
        if refused.len() > room {
            why.push(counted((refused.len() - room) as u64, "more setting"));
        }
        format!("settings could not run: {}", list(&why.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    format!("The gates on {} could not be judged, because {why}.", list(&titles))
}

/// Why rows say that they fail and their gates do not, where some of `rows` do.
pub(in crate::report) fn failing_alone<'a>(
    names: Names<'_>,
    rows: impl IntoIterator<Item = &'a ContrastRow>,
) -> Option<String> {
    let held = |c: &ContrastRow| {
        let own = |v: &&VerdictRow| {
            let cell = &c.cell;
            v.model == cell.model && v.benchmark == cell.benchmark && v.metric == cell.metric && v.setting == c.setting
        };
        let mut verdicts = names.findings.verdicts.iter().filter(own).filter_map(|v| v.verdict).peekable();
        verdicts.peek().is_some() && verdicts.all(|v| v != Verdict::Fail)
    };
    let alone = rows.into_iter().filter(|c| c.verdict == Some(Verdict::Fail) && !c.aa && held(c)).count() as u64;
    let (is, its, gates) =
        if alone == 1 { ("is", "its own interval", "a gate") } else { ("are", "their own intervals", "gates") };
    (alone > 0).then(|| {
        format!(
            "{} {is} marked ✗ by {its} in {gates} that did not fail: a gate fails only where bounds for all its \
             subgroups together lie beyond the margin.",
            counted(alone, "change"),
        )
    })
}

/// What the inconclusive gates could have missed, from the smallest to the largest: by size where all are in points or of
/// one metric, and else, because sizes in other units have no order, for their margins.
pub(super) fn missed(names: Names<'_>) -> Option<String> {
    let rows: Vec<&VerdictRow> =
        gated(names).filter(|(_, v)| *v == Verdict::Inconclusive).map(|(row, _)| row).collect();
    if rows.is_empty() {
        return None;
    }
    let cells = |r: &VerdictRow| r.cells.pass + r.cells.degraded + r.cells.fail + r.cells.inconclusive;
    let all: u32 = gated(names).map(|(r, _)| cells(r)).sum();
    let undecided: u32 = gated(names).map(|(r, _)| r.cells.inconclusive).sum();
    let gates = format!(
        "{} ({} of {} are inconclusive)",
        counted(rows.len() as u64, "inconclusive gate"),
        number::count(u64::from(undecided)),
        counted(u64::from(all), "gated change"),
    );
    // Where nothing but missing answers leaves gates open, more items would not help.
    let (missing, rows): (Vec<&VerdictRow>, Vec<&VerdictRow>) =
        rows.into_iter().partition(|r| matches!(r.open(), (1.., 0)));
    let open = missing.len() as u64;
    let missing = match (open, rows.len()) {
        (0, _) => String::new(),
        (_, 0) => return Some(format!("{gates}: {MISSING}.")),
        (1, _) => format!(" In one of them {MISSING}."),
        _ => format!(" In {open} of them {MISSING}."),
    };
    let known: Vec<&VerdictRow> = rows.iter().filter(|r| r.mde.is_some()).copied().collect();
    let share = |r: &&VerdictRow| names.metric(&r.metric).is_some_and(|m| m.unit == Unit::Share);
    let by_size = known.iter().all(share) || known.iter().all(|r| r.metric == known[0].metric);
    let rank = |r: &VerdictRow, mde: f64| if by_size { mde } else { mde / r.margin.abs().max(f64::MIN_POSITIVE) };
    let mut sized: Vec<(f64, f64, &VerdictRow)> =
        known.iter().filter_map(|r| r.mde.map(|m| (rank(r, m), m, *r))).collect();
    sized.sort_by(|a, b| a.0.total_cmp(&b.0));
    let unknown = match rows.len() - known.len() {
        0 => String::new(),
        1 => " In one of them it is not known what could have been missed.".to_owned(),
        n => format!(" In {n} of them it is not known what could have been missed."),
    };
    let said = |(_, mde, row): &(f64, f64, &VerdictRow)| {
        let scale = names.scale(&row.metric);
        let size = scale.size_with_noun(*mde, scale.decimals(Some(*mde)));
        format!("{size} ({}, {})", names.benchmark_title(&row.benchmark), names.setting_label(&row.setting))
    };
    let (Some(first), Some(last)) = (sized.first(), sized.last()) else {
        return Some(format!("{gates}; what could have been missed is not known: {}.{missing}", reasons(names, &rows)));
    };
    let range = if first == last {
        format!("smaller than {}", said(last))
    } else {
        let how = if by_size { "" } else { ", both for their margins" };
        format!("smaller than {} at best, and {} at worst{how}", said(first), said(last))
    };
    Some(format!(
        "{gates}, which could have missed changes {range}; none shows that nothing changed.{unknown}{missing}"
    ))
}

/// Why the cells of inconclusive gates have no size that could have been missed, in the words of their rows.
fn reasons(names: Names<'_>, rows: &[&VerdictRow]) -> String {
    let mut all: Vec<&str> = Vec::new();
    for row in rows {
        let own = |c: &&ContrastRow| {
            c.cell.model == row.model
                && c.cell.benchmark == row.benchmark
                && c.cell.metric == row.metric
                && c.setting == row.setting
                && c.mde.is_none()
                && c.verdict == Some(Verdict::Inconclusive)
        };
        for note in names.findings.contrasts.iter().filter(own).filter_map(|c| c.note.as_deref()) {
            if !all.contains(&note) {
                all.push(note);
            }
        }
    }
    match all[..] {
        [] => "no cell of theirs has a change".to_owned(),
        [one] => one.to_owned(),
        [first, ..] => format!("{first}, and other reasons in the table of changes"),
    }
}
