//! Degenerate shapes: a giant cluster, clusters of one item, a million of them, missing answers of unbounded metrics.

use super::*;
use quantbias::analysis::analyze_table;
use quantbias::findings::{Audit, MetricInfo, Unit, Worse};
use quantbias::stats::cluster::{Design, PairedTotals, Totals};
use quantbias::stats::functional::Ratio;
use quantbias::table::sums::{GroupSums, Lead, Pair, PairedSums, Sums, Tabled};

/// `pairs`, with items put into clusters anew.
fn clustered(clusters: usize, of: &dyn Fn(usize) -> usize) -> BenchmarkData {
    let mut items = pairs(clusters);
    for (i, item) in items.iter_mut().enumerate() {
        item.cluster = ClusterId::new(format!("c{:03}", of(i)));
    }
    data(Measure::PairPreference, items)
}

#[test]
fn a_giant_cluster_leaves_one_degree_of_freedom_and_decides_no_gate() {
    // Items 0 to 119 are one template, the other 40 are of their own.
    let data = clustered(40, &|i| if i < 120 { 0 } else { i });
    let found = findings(&data, FOUR, &plan(), &scattered);
    let row = row(&found, "stereotype_score", "all", "m@q4k");
    assert_eq!((row.items, row.clusters), (160, 41));
    // 160²/(120² + 40·1²).
    assert!((row.clusters_effective - 25_600.0 / 14_440.0).abs() < 1e-12);
    assert_eq!(row.df, Some(1.0));
    let (a, b) = (row.interval.unwrap(), row.jackknife.unwrap());
    // t₁ at 95 % is 12.7: nobody learns anything from one and a half clusters.
    assert!((b.upper - b.lower - 2.0 * 12.706_204_736_174_698 * row.se.unwrap()).abs() < 1e-9);
    assert!(row.flags.iter().any(|f| f == "intervals_disagree"), "{a:?} {b:?} {:?}", row.flags);
    let verdict = found.verdicts.iter().find(|v| v.setting == "m@q4k").unwrap();
    assert_eq!(verdict.verdict, Some(Verdict::Inconclusive));
}

#[test]
fn with_one_item_per_cluster_the_error_is_that_of_independent_items() {
    let data = clustered(40, &|i| i);
    let found = findings(&data, FOUR, &plan(), &scattered);
    let row = row(&found, "stereotype_score", "all", "m@q4k");
    assert_eq!((row.items, row.clusters), (160, 160));
    assert!((row.deff.unwrap() - 1.0).abs() < 1e-9, "{:?}", row.deff);
    // s/√n of the items' changes, from the flips alone.
    let f = row.flips.unwrap();
    let (n, net) = (160.0, (f.n01 as f64 - f.n10 as f64) / 160.0);
    let variance = ((f.n01 + f.n10) as f64 - n * net * net) / (n - 1.0);
    assert!((row.se.unwrap() - (variance / n).sqrt()).abs() < 1e-12);
    assert!((row.clusters_effective - 160.0).abs() < 1e-9);
}

#[test]
fn missing_answers_of_an_unbounded_metric_agree_with_nothing_and_say_why() {
    let items: Vec<Item> = pairs(30)
        .into_iter()
        .map(|item| Item {
            ask: Ask::FirstToken {
                prompt: "Grant it?".to_owned(),
                words: vec!["yes".to_owned(), "no".to_owned()],
                chat: false,
                framing: quantbias::benchmark::Framing::default(),
            },
            key: Key { roles: vec![Role::Favourable, Role::Unfavourable], ..Key::default() },
            ..item
        })
        .collect();
    let data = data(Measure::Decision, items);
    let schemes = [(QuantScheme::None, false), (QuantScheme::Q4K, false)];
    let found = findings(&data, &schemes, &plan(), &|i, _, setting| {
        let broken = setting == "m@q4k" && i % 10 == 0;
        if broken {
            return Err(AskError::Engine { reason: "it broke".to_owned() });
        }
        let x = if coin(i, 5, 0.5) { 0.3 } else { -0.2 } + if setting == "m@q4k" { 0.1 * (i % 7) as f64 } else { 0.0 };
        Ok(scored(&[x - 1.0, -1.0]))
    });
    let row = found.missing.iter().find(|r| r.cell.metric == "decision_gap").expect("answers are missing");
    assert_eq!((row.one_side > 0, row.neither, row.agree), (true, 0, None));
    let names: Vec<&str> = row.treatments.iter().map(|t| t.treatment.as_str()).collect();
    assert_eq!(names, ["complete_pairs"]);
    assert!(row.note.as_ref().unwrap().contains("no bounded range"), "{row:?}");
    let gap = found.heterogeneity.iter().find(|r| r.cell.metric == "decision_gap").unwrap();
    assert!(gap.note.as_ref().is_some_and(|n| n.contains("no shrunken changes")) || gap.subgroups < 2, "{gap:?}");
    assert!(found.shrunk.iter().all(|r| r.cell.metric != "decision_gap"));
}

/// One benchmark of `n` single items in a table: value `i % 2` under the baseline; under the setting every `k`th of the
/// ones is 0.
fn of_many(n: u32, k: u32) -> Tabled {
    let value = |setting: bool, i: u32| f64::from(u8::from(i % 2 == 1 && !(setting && (i / 2).is_multiple_of(k))));
    let side = |setting: bool| (0..n).flat_map(|i| [value(setting, i), 1.0]).collect::<Vec<f64>>();
    let totals = |setting: bool| Totals::new(2, (0..n).collect(), side(setting), vec![1; n as usize]).unwrap();
    let pair = PairedTotals::new(2, (0..n).collect(), &side(false), &side(true), vec![1; n as usize]).unwrap();
    let cell = quantbias::findings::Cell {
        model: "m".to_owned(),
        benchmark: "b".to_owned(),
        metric: "rate".to_owned(),
        axis: "all".to_owned(),
        subgroup: "all".to_owned(),
    };
    let sums = Sums {
        benchmark: "b".to_owned(),
        model: "m".to_owned(),
        design: Design::simple(n as usize),
        settings: vec!["base".to_owned(), "q".to_owned()],
        pairs: vec![Pair { setting: "q".to_owned(), against: "base".to_owned(), aa: false, named: false }],
        lead: Lead {
            headline: "rate".to_owned(),
            overall: "rate".to_owned(),
            worse: Worse::Either,
            default_margin: 0.02,
        },
        groups: vec![GroupSums {
            cell,
            functional: &Ratio,
            range: Some(1.0),
            share: true,
            settings: vec![totals(false), totals(true)],
            pairs: vec![PairedSums { totals: pair, moments: None, lost: 0, unsettled: 0.0, flips: None }],
        }],
        coverage: Vec::new(),
    };
    let metric = MetricInfo {
        id: "rate".to_owned(),
        title: "rate".to_owned(),
        formula: "mean".to_owned(),
        reference: "here".to_owned(),
        unit: Unit::Share,
        ideal: None,
        worse: Worse::Either,
    };
    let audit = Audit {
        name: "many".to_owned(),
        run_id: "0".to_owned(),
        identity_sha256: "0".to_owned(),
        records_sha256: "0".to_owned(),
        engine: "none".to_owned(),
        models: Vec::new(),
        settings: Vec::new(),
        refused: Vec::new(),
        benchmarks: Vec::new(),
    };
    Tabled { name: "many".to_owned(), audit, metrics: vec![metric], sums: vec![sums], caveats: Vec::new() }
}

#[test]
fn a_million_clusters_are_analysed_with_the_closed_form_error() {
    let (n, k) = (1_000_000, 10);
    let plan = Plan { replicates: 200, draws: 199, ..Plan::default() };
    let found = analyze_table(of_many(n, k), &plan).unwrap();
    let row = &found.contrasts[0];
    // 50,000 of a million went from 1 to 0: a mean change of −.05 with variance .05·.95·n/(n−1).
    assert_eq!((row.clusters, row.changed_clusters), (1_000_000, 50_000));
    assert!((row.delta.unwrap() + 0.05).abs() < 1e-12);
    let se = (0.05_f64 * 0.95 / f64::from(n - 1)).sqrt();
    assert!((row.se.unwrap() / se - 1.0).abs() < 1e-6, "{:?} {se}", row.se);
    let interval = row.interval.unwrap();
    assert_eq!(interval.method, IntervalMethod::ExpandedPercentile);
    // 200 replicates put a limit within about three tenths of a standard error.
    assert!(
        (interval.upper + 0.05 - 1.96 * se).abs() < 1.2 * se && (interval.lower + 0.05 + 1.96 * se).abs() < 1.2 * se
    );
    assert_eq!(row.verdict, Some(Verdict::Fail));
    // Nothing changed at all: the bound of three in a million.
    let none = analyze_table(of_many(n, u32::MAX), &plan).unwrap();
    let row = &none.contrasts[0];
    // (i / 2) is a multiple of anything where it is 0: one cluster changed.
    assert_eq!(row.changed_clusters, 1);
    assert!(row.interval.unwrap().upper < 1e-5 && row.test.as_ref().unwrap().p >= 0.99, "{row:?}");
}

#[test]
fn intervals_that_the_plan_asks_for_stand_beside_the_headline_and_change_nothing_else() {
    use quantbias::spec::OtherMethod as M;
    let data = clustered(40, &|i| i);
    let asked = Plan { intervals: vec![M::Percentile, M::Basic, M::Studentized, M::Bca], ..plan() };
    let (plain, found) = (findings(&data, FOUR, &plan(), &scattered), findings(&data, FOUR, &asked, &scattered));
    let row_of = |f: &Findings| row(f, "stereotype_score", "all", "m@q4k").clone();
    let (before, after) = (row_of(&plain), row_of(&found));
    let names: Vec<&str> = after.other_intervals.iter().map(|o| o.method.as_str()).collect();
    assert_eq!(names, ["percentile", "basic", "studentized", "bca"]);
    assert!(after.other_intervals.iter().all(|o| o.limits.is_some() != o.note.is_some()), "{after:?}");
    // 160 clusters are enough for BCa; percentile and basic mirror each other at the change.
    let limits = |k: usize| after.other_intervals[k].limits.unwrap();
    let delta = after.delta.unwrap();
    assert!((limits(0)[0] + limits(1)[1] - 2.0 * delta).abs() < 1e-12);
    assert!((limits(0)[1] + limits(1)[0] - 2.0 * delta).abs() < 1e-12);
    // The percentile interval lies within the expanded one.
    let headline = after.interval.unwrap();
    assert!(headline.lower <= limits(0)[0] && limits(0)[1] <= headline.upper);
    assert_eq!(ContrastRow { other_intervals: Vec::new(), ..after }, before);
    assert!(serde_json::to_string(&before).unwrap().find("other_intervals").is_none());
    // Too few clusters for BCa, and no replicates at all with fifteen or fewer: each says why.
    let few = findings(&data_of(20), FOUR, &asked, &scattered);
    let bca = &row_of(&few).other_intervals[3];
    assert!(bca.limits.is_none() && bca.note.as_ref().unwrap().contains("needs at least 100"), "{bca:?}");
    let fewer = findings(&data_of(10), FOUR, &asked, &scattered);
    assert!(row_of(&fewer).other_intervals.iter().all(|o| o.limits.is_none() && o.note.is_some()));
}

fn data_of(clusters: usize) -> BenchmarkData {
    data(Measure::PairPreference, pairs(clusters))
}
