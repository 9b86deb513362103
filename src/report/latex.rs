//! Tables for a paper: LaTeX with booktabs. Stars come only from adjusted p-values, and their legend stands with them.
//!
//! Needs `\usepackage{booktabs,longtable}` and a UTF-8 engine or `inputenc`; nothing else.

use super::Pages;
use super::escape::{Slugs, latex};
use super::names::{Names, Pair, overall, verdict_word, worst_cell};
use super::number;
use crate::findings::{ContrastRow, Findings};
use std::fmt::Write as _;

/// Adjusted p-values up to these get so many stars.
const STARS: [(f64, &str); 3] = [(0.001, "***"), (0.01, "**"), (0.05, "*")];

/// Every table.
pub(super) fn all(findings: &Findings) -> Pages {
    let names = Names::new(findings);
    let mut pages = Pages::new();
    pages.insert("tables/verdicts.tex".to_owned(), verdicts(names).into_bytes());
    let mut slugs = Slugs::default();
    for pair in names.pairs() {
        let slug = slugs.unique(&format!("{} {}", pair.model, pair.benchmark.name));
        pages.insert(format!("tables/changes-{slug}.tex"), changes(names, pair, &slug).into_bytes());
    }
    pages
}

/// A long table with caption, label, columns, heads and rows.
fn table(caption: &str, label: &str, columns: &str, heads: &[&str], rows: &[Vec<String>], foot: &str) -> String {
    let mut out = String::from("% Needs \\usepackage{booktabs,longtable}\n");
    let _ = writeln!(out, "\\begin{{longtable}}{{{columns}}}");
    let _ = writeln!(out, "\\caption{{{caption}}}\\label{{tab:{label}}}\\\\");
    let head = heads.join(" & ");
    let _ = writeln!(out, "\\toprule\n{head} \\\\\n\\midrule\n\\endfirsthead");
    let _ = writeln!(out, "\\toprule\n{head} \\\\\n\\midrule\n\\endhead");
    let _ = writeln!(out, "\\bottomrule\n\\endfoot");
    let _ = writeln!(
        out,
        "\\bottomrule\n\\multicolumn{{{}}}{{p{{0.9\\linewidth}}}}{{\\footnotesize {foot}}}\n\\endlastfoot",
        heads.len()
    );
    for row in rows {
        let _ = writeln!(out, "{} \\\\", row.join(" & "));
    }
    out.push_str("\\end{longtable}\n");
    out
}

fn verdicts(names: Names<'_>) -> String {
    let f = names.findings;
    let rows: Vec<Vec<String>> = f
        .verdicts
        .iter()
        .filter_map(|v| {
            let verdict = v.verdict?;
            let scale = names.scale(&v.metric);
            let d = scale.decimals_of(v.worst_interval.as_ref());
            Some(vec![
                latex(&v.model),
                latex(&names.benchmark_title(&v.benchmark)),
                latex(&names.setting_label(&v.setting)),
                verdict_word(verdict).to_owned(),
                latex(&scale.chosen(v.margin)),
                latex(worst_cell(v).unwrap_or(number::UNDEFINED)),
                v.worst_delta.map_or_else(|| latex(number::UNDEFINED), |x| latex(&scale.change(x, d))),
                v.worst_interval
                    .as_ref()
                    .map_or_else(|| latex(number::UNDEFINED), |i| bracketed(&scale.interval(i, d))),
            ])
        })
        .collect();
    let caption = format!(
        "Verdict per benchmark and setting against margins declared beforehand, with the subgroup that changed most towards \
         worse. Shares are in points. One-sided level {}.",
        latex(&number::level(f.plan.gate_level))
    );
    let heads = ["Model", "Benchmark", "Setting", "Verdict", "Margin", "Worst subgroup", "Change", "Interval"];
    table(&caption, "verdicts", "llllrlrr", &heads, &rows, &repeat(names))
}

fn changes(names: Names<'_>, pair: Pair<'_>, slug: &str) -> String {
    let metric = &pair.benchmark.headline;
    let rows: Vec<Vec<String>> = names.contrasts(pair, metric).filter(|c| !c.aa).map(|c| change(names, c)).collect();
    let scale = names.scale(metric);
    let unit = if scale.noun().is_empty() { String::new() } else { format!(", in {}", scale.noun()) };
    let caption = format!(
        "{}, {}: change in {} against the baseline (or against the setting after the minus sign) on the same items{unit}.",
        latex(&names.benchmark_title(&pair.benchmark.name)),
        latex(pair.model),
        latex(&names.metric_words(metric)),
    );
    let level = latex(&number::level(names.findings.plan.level));
    let interval = format!("{level} interval");
    let heads = ["Setting", "Axis", "Subgroup", "Change", interval.as_str(), "$p$ adjusted", "$n$", "Clusters"];
    let legend = STARS.iter().rev().map(|(p, stars)| format!("{stars} $p \\leq {p}$")).collect::<Vec<_>>().join(", ");
    let foot = format!("{legend}, adjusted within the family; no star does not mean no change. {}", repeat(names));
    table(&caption, &format!("changes-{slug}"), "lllrrrrr", &heads, &rows, &foot)
}

fn change(names: Names<'_>, c: &ContrastRow) -> Vec<String> {
    let scale = names.scale(&c.cell.metric);
    let d = scale.decimals_of(c.interval.as_ref());
    let undefined = || latex(number::UNDEFINED);
    let subgroup = if overall(&c.cell) { "all items" } else { c.cell.subgroup.as_str() };
    vec![
        latex(&names.contrast_label(c)),
        latex(&c.cell.axis),
        latex(subgroup),
        c.delta.map_or_else(undefined, |x| format!("{}{}", latex(&scale.change(x, d)), stars(c.p_adjusted))),
        c.interval.as_ref().map_or_else(undefined, |i| bracketed(&scale.interval(i, d))),
        c.p_adjusted.map_or_else(undefined, |p| latex(&number::p_value(p, None, names.alpha()))),
        number::count(c.items),
        number::count(c.clusters),
    ]
}

/// An interval; the group keeps its bracket from being read as an option of the row before.
fn bracketed(interval: &str) -> String {
    format!("{{{}}}", latex(interval))
}

/// Stars of an adjusted p-value.
fn stars(p_adjusted: Option<f64>) -> String {
    let Some(p) = p_adjusted else { return String::new() };
    let found = STARS.iter().find(|(limit, _)| p <= *limit);
    found.map_or_else(String::new, |(_, stars)| format!("\\textsuperscript{{{stars}}}"))
}

fn repeat(names: Names<'_>) -> String {
    let plan = &names.findings.plan;
    format!("{} replicates, {} draws, seed {}.", number::count(plan.replicates), number::count(plan.draws), plan.seed)
}

#[cfg(test)]
mod tests {
    use super::stars;

    #[test]
    fn stars_come_from_adjusted_p_values_only() {
        assert_eq!(stars(None), "");
        assert_eq!(stars(Some(0.0501)), "");
        assert_eq!(stars(Some(0.05)), "\\textsuperscript{*}");
        assert_eq!(stars(Some(0.01)), "\\textsuperscript{**}");
        assert_eq!(stars(Some(0.0002)), "\\textsuperscript{***}");
    }
}
