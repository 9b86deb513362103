//! The methods section: every number that is needed to repeat the analysis, in sentences.

use crate::findings::IntervalMethod;
use crate::report::escape::markdown;
use crate::report::names::Names;
use crate::report::number;
use crate::report::works;
use std::collections::{BTreeMap, BTreeSet};

/// Paragraphs, escaped.
pub(super) fn methods(names: Names<'_>) -> Vec<String> {
    let f = names.findings;
    let plan = &f.plan;
    let level = number::level(plan.level);
    let used = works::intervals(f);
    let mut all = vec![
        format!(
            "Each setting was compared with the baseline of its model on the same items; items without a \
             usable answer on either side were left out of the comparison and counted as lost. A change is the value \
             under the setting minus the value under the baseline. Whole clusters were resampled, never single items. \
             Inference is to items of this kind, not only to these items."
        ),
        format!(
            "Intervals have the two-sided level {level}. Headline intervals are cluster bootstraps with {} replicates \
             (expanded percentile, Hesterberg 2015); the cluster-jackknife interval with t quantiles stands beside them. \
             One matrix of resampling weights per benchmark served all settings, subgroups and metrics.",
            number::count(plan.replicates)
        ),
    ];
    if used.contains(&IntervalMethod::Rate) {
        all.push("Shares of one setting have Wilson intervals with t and an effective size (items over the design effect), and at 0 and 1 Clopper–Pearson intervals with the number of clusters.".to_owned());
    }
    if used.contains(&IntervalMethod::RareChange) {
        all.push("Where at most five clusters changed, the interval is Gaffke's bound on what could have been missed, which uses the metric's range and, for no change at all, is the rule of three.".to_owned());
    }
    if used.contains(&IntervalMethod::TwoSample) {
        all.push("UNPAIRED: where two settings share no item, their change is the difference of two samples of clusters, with Welch's t test and interval and Holm's correction; it decides no gate.".to_owned());
    }
    all.push(tests_paragraph(names));
    all.push(format!(
        "Gates: margins are those of the plan (plan SHA-256 {}). Where a metric has a worse direction, only a change in that \
         direction counts against the margin; a change of any size in the other direction passes, also one away from an ideal \
         inside the metric's range, unless the gate judges the distance (away_from_ideal). One-sided bounds have the level {}; a cell passes if its change is shown to lie \
         inside the margin, is degraded if it is shown to lie inside but not at 0, fails if it is shown to lie beyond, and is \
         inconclusive otherwise. A benchmark passes at a setting only if all its cells do. \"Could miss\" is the smallest \
         change that would have been found with a probability of {}; where at most five clusters changed, it is the limit \
         of the bound that lies further from 0.",
        plan.sha256,
        number::level(plan.gate_level),
        number::level(plan.power),
    ));
    all.push(format!(
        "Random draws are named and counted, so that the number of threads changes nothing: master seed {}. Format of the \
         findings {}, quantbias {}, engine {}.",
        plan.seed, f.format, f.quantbias, f.audit.engine
    ));
    all.iter().map(|p| markdown(p)).collect()
}

fn tests_paragraph(names: Names<'_>) -> String {
    let f = names.findings;
    let tests = test_methods(f.contrasts.iter().filter_map(|c| c.test.as_ref().map(|t| t.method.as_str())));
    let corrections: BTreeSet<&str> = f.families.iter().map(|x| x.method.as_str()).collect();
    let corrections = corrections.into_iter().collect::<Vec<_>>().join(", ");
    format!(
        "Tests of no change flip the signs of whole clusters ({}); Monte-Carlo tests used {} draws, the observed order among \
         them, so that no p-value is 0. p-values were adjusted within families ({}); a change is called significant if its \
         adjusted p-value is at most {}. Simultaneous bands hold for all changes of a family together. A test that did not \
         reject does not show that nothing changed.",
        if tests.is_empty() { "none was possible here" } else { tests.as_str() },
        number::count(f.plan.draws),
        if corrections.is_empty() { "there is none" } else { &corrections },
        number::shortest(names.alpha(), 4),
    )
}

/// The methods of the tests, each once: exact ones that differ only in how many patterns they went through together.
fn test_methods<'m>(methods: impl Iterator<Item = &'m str>) -> String {
    let mut exact: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    let mut others: BTreeSet<String> = BTreeSet::new();
    for method in methods {
        let parts = method.strip_suffix(" patterns)").and_then(|m| m.rsplit_once(" ("));
        match parts.and_then(|(name, n)| Some((name, n.parse().ok()?))) {
            Some((name, patterns)) => {
                exact.entry(name).or_default().insert(patterns);
            }
            None if method == "nothing changed" => {
                others.insert("p = 1 where nothing changed".to_owned());
            }
            None => {
                others.insert(method.to_owned());
            }
        }
    }
    let range = |(name, n): (&&str, &BTreeSet<u64>)| match (n.first(), n.last()) {
        (Some(low), Some(high)) if low < high => {
            format!("{name} ({} to {} patterns)", number::count(*low), number::count(*high))
        }
        (Some(only), _) => format!("{name} ({} patterns)", number::count(*only)),
        _ => (*name).to_owned(),
    };
    let exact: Vec<String> = exact.iter().map(range).collect();
    exact.into_iter().chain(others).collect::<Vec<_>>().join("; ")
}

/// References of the methods that were used, escaped.
pub(super) fn references(names: Names<'_>) -> Vec<String> {
    works::used(names.findings).iter().map(|w| markdown(w.text)).collect()
}
