//! Plain sentences from the verdicts, for the top of the report and the end of a run.
//!
//! A test that did not reject is never called "no effect": what was not shown is said to be not shown, with the size
//! of change that could have been missed. Text is plain and visible; the caller escapes it for its target.

mod open;

use super::escape::visible;
use super::names::{Names, Pair, overall, worst_cell};
use super::number::{self, Scale, counted};
use crate::findings::{ContrastRow, FamilySummary, Findings, Verdict, VerdictRow, Worse};
pub(super) use open::failing_alone;
use open::{missed, ungated};

/// Ten lines at most that a person can read at the end of a run. Plain text; each line is one line.
#[must_use]
pub fn summary_lines(findings: &Findings) -> Vec<String> {
    let names = Names::new(findings);
    let mut lines = vec![what(names), gates(names)];
    let failures = failures(names);
    let room = 3;
    lines.extend(failures.iter().take(room).cloned());
    if failures.len() > room {
        lines.push(format!("… and {} beyond the margin.", counted((failures.len() - room) as u64, "more gate")));
    }
    lines.extend(missed(names));
    lines.extend(tests(names));
    lines.extend(floor(names));
    lines.push([coverage(names), refused(names)].into_iter().flatten().collect::<Vec<_>>().join(" "));
    lines.retain(|l| !l.is_empty());
    lines.into_iter().map(|l| visible(&l)).collect()
}

/// Sentences for the report's summary; plain text, to be escaped.
pub(super) fn summary(findings: &Findings) -> Vec<String> {
    let names = Names::new(findings);
    let mut all = vec![gates(names)];
    all.extend(per_benchmark(names));
    let failures = failures(names);
    all.extend(failures.iter().take(8).cloned());
    if failures.len() > 8 {
        all.push(format!("{} are in the table of verdicts.", counted((failures.len() - 8) as u64, "more failed gate")));
    }
    all.extend(missed(names));
    all.extend(tests(names));
    all.extend(floor(names));
    all.extend(coverage(names));
    all.extend(refused(names));
    all
}

fn what(names: Names<'_>) -> String {
    let audit = &names.findings.audit;
    let models: Vec<&str> = audit.models.iter().map(|m| m.id.as_str()).collect();
    let quantized =
        |model: &str| audit.settings.iter().filter(|s| !s.baseline && !s.aa && s.model == model).count() as u64;
    let settings = models.iter().map(|m| quantized(m)).max().unwrap_or(0);
    let each = if models.len() > 1 { " each" } else { "" };
    let items: Option<u64> = audit.benchmarks.iter().map(|b| b.items).sum();
    let items = items.map_or_else(String::new, |n| format!(", {}", counted(n, "item")));
    format!(
        "{}: {}; {}{each} against the baseline, {}{items}.",
        audit.name,
        list(&models),
        counted(settings, "quantized setting"),
        counted(audit.benchmarks.len() as u64, "benchmark"),
    )
}

fn gated(names: Names<'_>) -> impl Iterator<Item = (&VerdictRow, Verdict)> {
    names.findings.verdicts.iter().filter_map(|row| row.verdict.map(|v| (row, v)))
}

fn gates(names: Names<'_>) -> String {
    let n = gated(names).count() as u64;
    if n == 0 {
        return ungated(names);
    }
    let of = |verdict| gated(names).filter(|(_, v)| *v == verdict).count() as u64;
    format!(
        "{} (benchmark × setting): {} pass, {} degraded (changed, but shown not to get worse by the margin), {} fail, {} \
         inconclusive.",
        counted(n, "gate"),
        number::count(of(Verdict::Pass)),
        number::count(of(Verdict::Degraded)),
        number::count(of(Verdict::Fail)),
        number::count(of(Verdict::Inconclusive)),
    )
}

/// One sentence per model and benchmark: which settings got which verdict.
fn per_benchmark(names: Names<'_>) -> Vec<String> {
    names.pairs().into_iter().flat_map(|pair| benchmark_sentences(names, pair)).collect()
}

/// One sentence per gate of a model and benchmark.
fn benchmark_sentences(names: Names<'_>, pair: Pair<'_>) -> Vec<String> {
    let mut gates: Vec<Vec<(&VerdictRow, Verdict)>> = Vec::new();
    for row in gated(names).filter(|(r, _)| r.model == pair.model && r.benchmark == pair.benchmark.name) {
        let same = |r: &VerdictRow| {
            r.gate == row.0.gate && r.metric == row.0.metric && r.margin.to_bits() == row.0.margin.to_bits()
        };
        match gates.iter_mut().find(|rows| same(rows[0].0)) {
            Some(rows) => rows.push(row),
            None => gates.push(vec![row]),
        }
    }
    gates.iter().map(|rows| gate_sentence(names, pair, rows)).collect()
}

/// Which settings got which verdict of one gate; `rows` are not empty.
fn gate_sentence(names: Names<'_>, pair: Pair<'_>, rows: &[(&VerdictRow, Verdict)]) -> String {
    let first = rows[0].0;
    let held = match names.worse_of(first) {
        Worse::Either => "is shown to stay within the margin at",
        Worse::Increase | Worse::Decrease | Worse::AwayFromIdeal => "is shown not to get worse by the margin at",
    };
    let scale = names.scale(&first.metric);
    let mut parts = Vec::new();
    for verdict in [Verdict::Pass, Verdict::Degraded, Verdict::Fail, Verdict::Inconclusive] {
        let settings: Vec<String> =
            rows.iter().filter(|(_, v)| *v == verdict).map(|(r, _)| names.setting_label(&r.setting)).collect();
        if settings.is_empty() {
            continue;
        }
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let found = match verdict {
            Verdict::Pass => held.to_owned(),
            Verdict::Degraded => format!("changed, but {held}"),
            Verdict::Fail => "is shown to be beyond the margin at".to_owned(),
            Verdict::Inconclusive => "is not decided at".to_owned(),
        };
        let why = if verdict == Verdict::Inconclusive { why_open(scale, rows) } else { String::new() };
        parts.push(format!("{found} {}{why}", list(&settings)));
    }
    let gate = if first.gate.is_empty() || first.gate == first.benchmark {
        String::new()
    } else {
        format!("gate {}, ", first.gate)
    };
    format!(
        "{}: {gate}the {} (margin {}) {}.",
        super::view::pair_title(names, pair),
        names.metric_words(&first.metric),
        scale.chosen_with_noun(first.margin),
        parts.join("; "),
    )
}

/// What leaves the inconclusive ones of some rows open: too little data, missing answers, or both.
fn why_open(scale: Scale, rows: &[(&VerdictRow, Verdict)]) -> String {
    let open = || rows.iter().filter(|(_, v)| *v == Verdict::Inconclusive).map(|(r, _)| r);
    let missed = open().filter_map(|r| r.mde).reduce(f64::max).map(|m| {
        let size = scale.size_with_noun(m, scale.decimals(Some(m)));
        format!(", where changes smaller than {size} could have been missed")
    });
    let missing = open().any(|r| r.open().0 > 0).then_some(MISSING);
    match (missed, missing) {
        (Some(missed), Some(missing)) => format!("{missed}, and {missing}"),
        (Some(missed), None) => missed,
        (None, Some(missing)) => format!(", where {missing}"),
        (None, None) => String::new(),
    }
}

/// What is said of gates that missing answers leave open.
const MISSING: &str = "answers are missing that could decide it either way";

/// One sentence per failed gate, largest change for its margin first.
fn failures(names: Names<'_>) -> Vec<String> {
    let mut rows: Vec<&VerdictRow> = gated(names).filter(|(_, v)| *v == Verdict::Fail).map(|(row, _)| row).collect();
    let size = |r: &VerdictRow| r.worst_delta.map_or(0.0, |d| d.abs() / r.margin.abs().max(f64::MIN_POSITIVE));
    rows.sort_by(|a, b| size(b).total_cmp(&size(a)));
    rows.into_iter().map(|row| failure(names, row)).collect()
}

fn failure(names: Names<'_>, row: &VerdictRow) -> String {
    let scale = names.scale(&row.metric);
    let at = if names.many_models() {
        format!("{}, {}", row.model, names.setting_label(&row.setting))
    } else {
        names.setting_label(&row.setting)
    };
    let metric = names.metric_words(&row.metric);
    let benchmark = names.benchmark_title(&row.benchmark);
    let margin = scale.chosen_with_noun(row.margin);
    let cell = worst_cell(row).unwrap_or("all items");
    let Some(delta) = row.worst_delta else {
        return format!("At {at}, {benchmark}, the {metric} is beyond the margin of {margin}.");
    };
    let decimals = scale.decimals_of(row.worst_interval.as_ref());
    let interval =
        row.worst_interval.as_ref().map_or_else(String::new, |i| format!(" {}", scale.interval(i, decimals)));
    format!(
        "At {at}, {benchmark}, the {metric} {} by {}{interval} for {cell}: beyond the margin of {margin}.",
        if delta < 0.0 { "falls" } else { "rises" },
        scale.size_with_noun(delta, decimals),
    )
}

/// How many changes are significant; families that the plan declares and exploratory ones, which bound the rate of false
/// discoveries, apart.
fn tests(names: Names<'_>) -> Option<String> {
    let f = names.findings;
    let exploratory = |x: &&FamilySummary| x.method.starts_with("Benjamini");
    let sums = |families: Vec<&FamilySummary>| {
        let tested: u64 = families.iter().map(|x| x.tested).sum();
        (tested > 0).then(|| (families.iter().map(|x| x.rejected).sum::<u64>(), tested, families.len() as u64))
    };
    let confirmatory = sums(f.families.iter().filter(|x| !exploratory(x) && !x.declared).collect());
    let declared = sums(f.families.iter().filter(|x| x.declared).collect());
    let explored = sums(f.families.iter().filter(exploratory).collect());
    let first = confirmatory.map(|(rejected, tested, families)| {
        format!(
            "{} of {} significant at {} after adjustment within {}.",
            number::count(rejected),
            match (rejected, tested) {
                (_, 1) => "1 tested change is".to_owned(),
                (1, _) => format!("{} tested changes is", number::count(tested)),
                _ => format!("{} tested changes are", number::count(tested)),
            },
            number::shortest(names.alpha(), 4),
            if families == 1 { "its family".to_owned() } else { format!("{families} families") },
        )
    });
    let second = explored.map(|(rejected, tested, _)| {
        format!(
            "Of {} exploratory tests, {} reject (false discovery rate).",
            number::count(tested),
            number::count(rejected)
        )
    });
    let own = declared.map(|(rejected, tested, families)| {
        format!(
            "Of {} in {} that the plan declares, {} significant.",
            counted(tested, "tested change"),
            if families == 1 { "a family".to_owned() } else { format!("{families} families") },
            if rejected == 1 { "1 is".to_owned() } else { format!("{} are", number::count(rejected)) },
        )
    });
    let all: Vec<String> = first.into_iter().chain(own).chain(second).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// What repeating the baseline moved, per benchmark.
fn floor(names: Names<'_>) -> Option<String> {
    let headline = |c: &ContrastRow| names.benchmark(&c.cell.benchmark).is_some_and(|b| b.headline == c.cell.metric);
    let rows: Vec<&ContrastRow> =
        names.findings.contrasts.iter().filter(|c| c.aa && headline(c) && overall(&c.cell)).collect();
    if rows.is_empty() {
        return None;
    }
    if rows.iter().all(|c| c.delta == Some(0.0) && c.changed_clusters == 0) {
        return Some("A/A floor: repeating the baseline gave the same answers.".to_owned());
    }
    let moved = |c: &&ContrastRow| {
        let scale = names.scale(&c.cell.metric);
        let delta = c.delta?;
        let benchmark = names.benchmark_title(&c.cell.benchmark);
        let model = if names.many_models() { format!(", {}", c.cell.model) } else { String::new() };
        Some(format!("{} ({benchmark}{model})", scale.change_with_noun(delta, scale.decimals_of(c.interval.as_ref()))))
    };
    let mut moved: Vec<String> = rows.iter().filter_map(moved).collect();
    let more = moved.len().saturating_sub(4);
    moved.truncate(4);
    if more > 0 {
        moved.push(format!("{more} more in the table"));
    }
    let moved: Vec<&str> = moved.iter().map(String::as_str).collect();
    Some(format!("A/A floor: repeating the baseline moved the headline metric by {}.", list(&moved)))
}

fn coverage(names: Names<'_>) -> Option<String> {
    let rows = || names.findings.coverage.iter().filter(|c| c.axis == "all" && c.subgroup == "all");
    let items: u64 = rows().map(|c| c.items).sum();
    if items == 0 {
        return None;
    }
    let answered: u64 = rows().map(|c| c.answered).sum();
    let rest = [
        (rows().map(|c| c.refused).sum::<u64>(), "refused"),
        (rows().map(|c| c.unparsed).sum(), "unparsed"),
        (rows().map(|c| c.truncated).sum(), "truncated"),
        (rows().map(|c| c.failed).sum(), "failed"),
    ];
    let rest: Vec<String> =
        rest.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", number::count(*n))).collect();
    let rest = if rest.is_empty() { String::new() } else { format!(" ({})", rest.join(", ")) };
    Some(format!("{} of {} answers are usable{rest}.", number::percent_of(answered, items), number::count(items)))
}

fn refused(names: Names<'_>) -> Option<String> {
    let refused = &names.findings.audit.refused;
    if refused.is_empty() {
        return None;
    }
    let ids: Vec<&str> = refused.iter().map(|r| r.id.as_str()).collect();
    Some(format!("{} could not run: {}.", counted(refused.len() as u64, "setting"), list(&ids)))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(parts: &[&str]) -> String {
    match parts {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}
