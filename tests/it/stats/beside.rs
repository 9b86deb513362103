//! Statistics of the rows beside the contrasts, against SciPy, statsmodels, and enumeration in Python
//! (`tests/reference/stats/beside_values.py`).

use super::{close, number, numbers, reference};
use quantbias::stats::bootstrap::Weights;
use quantbias::stats::cluster::Cell;
use quantbias::stats::compound::{LogRiskRatio, RangeOf};
use quantbias::stats::design::Design;
use quantbias::stats::functional::{Functional, Icat, NormalisedDifference, Ratio, RatioDifference, ScaledBias};
use quantbias::stats::heterogeneity::heterogeneity;
use quantbias::stats::interval::percentile;
use quantbias::stats::jackknife::jackknife;
use quantbias::stats::labels::{Block, range_null};
use quantbias::stats::permutation::{Null, null_statistics};
use quantbias::stats::simulate::{Law, Simulation};
use quantbias::stats::trend::permute_trends;
use quantbias::stats::uncertainty::{auroc, auroc_clustered};
use quantbias::stats::{Flips, Level, PairedTotals, Refusal, Stream, Totals, rate, unpaired};
use serde_json::Value;
use std::collections::BTreeMap;

const EXACT: f64 = 1e-10;
const DRAWS: usize = 100_000;

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().expect("a table").iter().map(numbers).collect()
}

fn totals(s: &Value, n: &Value) -> Totals {
    let (s, n) = (numbers(s), numbers(n));
    let rows = s.iter().zip(&n).flat_map(|(s, n)| [*s, *n]).collect();
    Totals::new(2, (0..s.len() as u32).collect(), rows, n.iter().map(|n| *n as u32).collect()).unwrap()
}

/// A share that was counted over `DRAWS` draws lies within four standard errors of the exact one.
#[track_caller]
fn near(found: f64, exact: f64) {
    let error = (exact * (1.0 - exact) / DRAWS as f64).sqrt();
    assert!((found - exact).abs() <= 4.0 * error + 2.0 / DRAWS as f64, "found {found}, exact {exact} ± {error}");
}

#[test]
fn welch_agrees_with_scipy() {
    let expected = &reference("beside_values.json")["welch"];
    let found = unpaired::welch(&numbers(&expected["a"]), &numbers(&expected["b"])).unwrap();
    close(found.difference, number(&expected["difference"]), EXACT);
    close(found.p, number(&expected["p"]), EXACT);
    close(found.df, number(&expected["df"]), EXACT);
    let interval = found.interval(Level::P95);
    close(interval.lower, number(&expected["interval"][0]), EXACT);
    close(interval.upper, number(&expected["interval"][1]), EXACT);
    assert_eq!(unpaired::welch(&[1.0], &[1.0, 2.0]), None);
    assert_eq!(unpaired::welch(&[1.0, 1.0], &[1.0, 1.0]), None);
}

#[test]
fn two_samples_of_clusters_agree_with_two_jackknives() {
    let expected = &reference("beside_values.json")["clusters"];
    let of = |name: &str| totals(&expected[name]["s"], &expected[name]["n"]);
    let (first, second) = (of("first"), of("second"));
    let design = Design::simple(first.clusters().max(second.clusters()));
    let found = unpaired::clusters(&design, &first, &second, &Ratio).unwrap();
    close(found.difference, number(&expected["difference"]), EXACT);
    close(found.se, number(&expected["se"]), EXACT);
    close(found.df, number(&expected["df"]), EXACT);
    close(found.p, number(&expected["p"]), EXACT);
}

#[test]
fn jonckheere_terpstra_has_the_moments_of_all_assignments() {
    let expected = &reference("beside_values.json")["jonckheere"];
    let groups = rows(&expected["groups"]);
    let groups: Vec<&[f64]> = groups.iter().map(Vec::as_slice).collect();
    let found = unpaired::jonckheere_terpstra(&groups).unwrap();
    close(found.j, number(&expected["j"]), EXACT);
    close(found.z, number(&expected["z"]), EXACT);
    close(found.p, number(&expected["p"]), EXACT);
    assert_eq!(unpaired::jonckheere_terpstra(&[&[1.0, 1.0], &[1.0]]), None, "all values are equal");
}

#[test]
fn the_clustered_area_under_the_curve_agrees_with_all_pairs() {
    let expected = &reference("beside_values.json")["auroc"];
    let (score, cluster) = (numbers(&expected["score"]), numbers(&expected["cluster"]));
    let event: Vec<bool> = numbers(&expected["event"]).iter().map(|e| *e > 0.5).collect();
    let cluster: Vec<u32> = cluster.iter().map(|c| *c as u32).collect();
    let found = auroc_clustered(&score, &event, &cluster).unwrap();
    close(found.area, number(&expected["area"]), EXACT);
    close(found.area, number(&expected["mann_whitney"]), EXACT);
    close(found.se, number(&expected["se"]), EXACT);
    close(found.df, number(&expected["df"]), EXACT);
    assert_eq!(auroc(&score, &event).unwrap().to_bits(), found.area.to_bits());
}

#[test]
fn a_rate_over_clusters_is_wilsons_with_effective_size_and_t() {
    let expected = &reference("beside_values.json")["rate"];
    let cell = totals(&expected["s"], &expected["n"]);
    let found = rate::of_clusters(&Design::simple(10), &cell, Level::P95).unwrap();
    close(found.lower, number(&expected["interval"][0]), 1e-9);
    close(found.upper, number(&expected["interval"][1]), 1e-9);
    let none = Totals::new(2, (0..10).collect(), [0.0, 7.0].repeat(10), vec![7; 10]).unwrap();
    let found = rate::of_clusters(&Design::simple(10), &none, Level::P95).unwrap();
    close(found.lower, number(&expected["none"][0]), EXACT);
    close(found.upper, number(&expected["none"][1]), EXACT);
    let few = Totals::new(2, (0..5).collect(), [1.0, 7.0].repeat(5), vec![7; 5]).unwrap();
    assert_eq!(rate::of_clusters(&Design::simple(5), &few, Level::P95), None);
}

#[test]
fn the_log_risk_ratio_has_the_jackknife_error_of_numpy() {
    let expected = &reference("beside_values.json")["risk_ratio"];
    let table = rows(&expected["rows"]);
    let cell = Totals::new(4, (0..9).collect(), table.concat(), vec![1; 9]).unwrap();
    let found = jackknife(&Design::simple(9), &cell, &LogRiskRatio).unwrap();
    close(found.estimate, number(&expected["value"]), EXACT);
    close(found.se, number(&expected["se"]), EXACT);
    assert_eq!(LogRiskRatio.value(&[0.0, 5.0, 1.0, 5.0]), None, "the logarithm of 0 is no number");
}

#[test]
fn the_change_of_a_range_has_the_jackknife_error_of_numpy() {
    let expected = &reference("beside_values.json")["range_change"];
    let (base, setting, count) = (rows(&expected["base"]), rows(&expected["setting"]), rows(&expected["count"]));
    let side = |y: &[Vec<f64>]| -> Vec<f64> {
        y.iter().zip(&count).flat_map(|(y, n)| y.iter().zip(n).flat_map(|(y, n)| [*y, *n])).collect()
    };
    let cell = PairedTotals::new(6, (0..10).collect(), &side(&base), &side(&setting), vec![30; 10]).unwrap();
    let range = RangeOf { inner: &Ratio, groups: 3 };
    let found = jackknife(&Design::simple(10), &cell, &range).unwrap();
    close(found.estimate, number(&expected["value"]), EXACT);
    close(found.se, number(&expected["se"]), EXACT);
    assert_eq!(range.value(&[1.0, 2.0, 1.0, 0.0, 1.0, 2.0]), None, "an empty subgroup must not look fair");
}

#[test]
fn heterogeneity_agrees_with_all_sign_patterns() {
    let expected = &reference("beside_values.json")["heterogeneity"];
    let (base, setting, count) = (rows(&expected["base"]), rows(&expected["setting"]), rows(&expected["count"]));
    let cells: Vec<PairedTotals> = (0..3)
        .map(|s| {
            let held: Vec<usize> = (0..9).filter(|g| count[*g][s] > 0.0).collect();
            let side = |y: &[Vec<f64>]| held.iter().flat_map(|g| [y[*g][s], count[*g][s]]).collect::<Vec<f64>>();
            let clusters = held.iter().map(|g| *g as u32).collect();
            let items = held.iter().map(|g| count[*g][s] as u32).collect();
            PairedTotals::new(2, clusters, &side(&base), &side(&setting), items).unwrap()
        })
        .collect();
    let cells: Vec<&PairedTotals> = cells.iter().collect();
    let flips = Flips::draw(&Design::simple(9), 99, &Stream::root(1));
    let found = heterogeneity(&flips, &cells, &Ratio, &numbers(&expected["errors"])).unwrap();
    assert_eq!(found.null, Null::Exact { patterns: 512 });
    close(found.q, number(&expected["q"]), EXACT);
    close(found.mean, number(&expected["mean"]), EXACT);
    close(found.p, number(&expected["p"]), EXACT);
    close(found.p_mid, number(&expected["p_mid"]), EXACT);
    assert_eq!(heterogeneity(&flips, &cells[..1], &Ratio, &[0.1]), Err(Refusal::Undefined));
    assert_eq!(heterogeneity(&flips, &cells, &Ratio, &[0.1, 0.0, 0.1]), Err(Refusal::Undefined));
}

#[test]
fn label_permutations_agree_with_all_of_them() {
    let file = reference("beside_values.json");
    let within = &file["labels_within"];
    let (y, n) = (rows(&within["y"]), rows(&within["n"]));
    let blocks: Vec<Block> = (0..4_u32)
        .flat_map(|cluster| (0..3_u32).map(move |subgroup| (cluster, subgroup)))
        .map(|(cluster, subgroup)| {
            let (g, s) = (cluster as usize, subgroup as usize);
            Block { cluster, stratum: 0, subgroup, totals: vec![y[g][s], n[g][s]] }
        })
        .collect();
    let between = &file["labels_between"];
    let (y, n, labels) = (numbers(&between["y"]), numbers(&between["n"]), numbers(&between["labels"]));
    let single: Vec<Block> = (0..9)
        .map(|g| Block { cluster: g as u32, stratum: 0, subgroup: labels[g] as u32, totals: vec![y[g], n[g]] })
        .collect();
    for (blocks, expected) in [(blocks, within), (single, between)] {
        let found = range_null(&blocks, 3, &Ratio, (DRAWS, Level::P95), &Stream::root(5));
        let found = found[0].expect("defined");
        close(found.observed, number(&expected["observed"]), EXACT);
        near(found.p, number(&expected["p"]));
        let error = number(&expected["sd"]) / (DRAWS as f64).sqrt();
        assert!((found.mean - number(&expected["mean"])).abs() <= 4.0 * error);
    }
    // Quantiles of a discrete distribution with 1296 points.
    let found = range_null(&blocks_of(&within["y"], &within["n"]), 3, &Ratio, (DRAWS, Level::P95), &Stream::root(6));
    let expected = numbers(&within["quantiles"]);
    assert!((found[0].unwrap().lower - expected[0]).abs() < 0.003);
    assert!((found[0].unwrap().upper - expected[1]).abs() < 0.003);
}

fn blocks_of(y: &Value, n: &Value) -> Vec<Block> {
    let (y, n) = (rows(y), rows(n));
    let mut blocks = Vec::new();
    for g in 0..y.len() {
        for s in 0..y[g].len() {
            blocks.push(Block { cluster: g as u32, stratum: 0, subgroup: s as u32, totals: vec![y[g][s], n[g][s]] });
        }
    }
    blocks
}

#[test]
fn trends_agree_with_all_permutations_of_settings() {
    let expected = &reference("beside_values.json")["trends"];
    let table = rows(&expected["y"]).concat();
    let scores = rows(&expected["scores"]);
    let found = permute_trends(&table, &numbers(&expected["n"]), 3, &scores, DRAWS, &Stream::root(3)).unwrap();
    for (j, (statistic, p)) in numbers(&expected["statistic"]).iter().zip(numbers(&expected["p"])).enumerate() {
        close(found.statistic[j], *statistic, EXACT);
        near(found.p[j], p);
    }
    let nothing = permute_trends(&[1.0; 18], &[3.0; 6], 3, &scores, 99, &Stream::root(3)).unwrap();
    assert_eq!((nothing.changed, nothing.p), (0, vec![1.0; 3]));
    let mut one = vec![1.0; 18];
    one[0] = 2.0;
    let refused = permute_trends(&one, &[3.0; 6], 3, &scores, 99, &Stream::root(3));
    assert_eq!(refused, Err(Refusal::TooFewChanged { changed: 1, needed: 6 }));
}

/// The same data, bootstrapped and flipped 100,000 times here and by SciPy.
#[test]
fn monte_carlo_agrees_with_scipy_within_four_standard_errors() {
    let expected = &reference("beside_values.json")["monte_carlo"];
    let x = numbers(&expected["x"]);
    let n = x.len();
    let design = Design::simple(n);
    let zeros = [0.0, 1.0].repeat(n);
    let values: Vec<f64> = x.iter().flat_map(|x| [*x, 1.0]).collect();
    let cell = PairedTotals::new(2, (0..n as u32).collect(), &zeros, &values, vec![1; n]).unwrap();
    let replicates = Weights::draw(&design, DRAWS, &Stream::root(11)).replicates(&cell, &Ratio);
    let found = percentile(&replicates, Level::P95).unwrap();
    let theirs = numbers(&expected["limit_errors"]);
    let both = |ours: f64, theirs: f64| 4.0 * (ours * ours + theirs * theirs).sqrt();
    let limits = numbers(&expected["percentile"]);
    assert!((found.interval.lower - limits[0]).abs() <= both(found.lower_error, theirs[0]));
    assert!((found.interval.upper - limits[1]).abs() <= both(found.upper_error, theirs[1]));
    // The standard error of a standard deviation is about SD/√(2B), twice.
    let se = number(&expected["se"]);
    let found = replicates.standard_error().unwrap();
    assert!((found - se).abs() <= 4.0 * se / (DRAWS as f64).sqrt(), "{found} {se}");
    let flips = Flips::draw(&design, DRAWS, &Stream::root(12));
    let null = null_statistics(&flips, &cell, &Ratio).unwrap();
    let above = null.draws.iter().filter(|t| **t >= null.observed * (1.0 - 1e-12)).count();
    let (p, theirs) = ((above + 1) as f64 / (DRAWS + 1) as f64, number(&expected["studentized_flip_p"]));
    let error = (2.0 * theirs * (1.0 - theirs) / DRAWS as f64).sqrt();
    assert!((p - theirs).abs() <= 4.0 * error, "{p} {theirs}");
}

#[test]
fn simulated_data_have_the_stated_effect_and_the_clusters_of_the_data() {
    let design = Design::stratified(&[0, 0, 0, 1, 1, 1]).unwrap();
    let base: Vec<f64> = (0..6).flat_map(|g| [f64::from(g), 10.0]).collect();
    let setting: Vec<f64> = (0..6).flat_map(|g| [f64::from(g) + 1.0, 10.0]).collect();
    let cell = PairedTotals::new(2, (0..6).collect(), &base, &setting, vec![10; 6]).unwrap();
    let (mut sum, mut shifted) = (0.0, 0.0);
    let times = 4000;
    for r in 0..times {
        let simulation = Simulation::draw(&design, &Stream::root(9), r);
        let drawn = simulation.totals(&cell, &Ratio, Law::Exchanged, 0.0).unwrap();
        for i in 0..6 {
            // Strata stay as they are: clusters 0–2 hold sums up to 3, clusters 3–5 from 3 on.
            let (least, most) = if i < 3 { (0.0, 3.0) } else { (3.0, 6.0) };
            assert!((least..=most).contains(&drawn.base(i)[0]), "{:?}", drawn.base(i));
            assert_eq!((drawn.setting(i)[0] - drawn.base(i)[0]).abs(), 1.0);
        }
        sum += drawn.estimate(&Ratio).unwrap();
        shifted += simulation.totals(&cell, &Ratio, Law::Exchanged, 0.25).unwrap().estimate(&Ratio).unwrap();
    }
    // Changes are ±0.1 per cluster, so the mean of six has SD 0.041, and the mean of 4,000 of them 0.00065.
    assert!((sum / times as f64).abs() < 4.0 * 0.00065);
    assert!((shifted / times as f64 - sum / times as f64 - 0.25).abs() < 1e-9);
}

#[test]
fn intervals_are_tried_on_skewed_clusters_as_skewed_as_they_are() {
    // 36 clusters of one item, of which one changed by 3.5 and the others by −0.1: the change is 0, the third moment is not.
    let differences: Vec<f64> = (0..36).map(|g| if g == 0 { 3.5 } else { -0.1 }).collect();
    let design = Design::simple(36);
    let made = |extra: f64| {
        let setting: Vec<f64> = differences.iter().flat_map(|d| [d + extra, 1.0]).collect();
        PairedTotals::new(2, (0..36).collect(), &[0.0, 1.0].repeat(36), &setting, vec![1; 36]).unwrap()
    };
    let cell = made(0.5);
    let times = 4000;
    let mut mean = BTreeMap::new();
    let mut below = BTreeMap::new();
    for r in 0..times {
        let simulation = Simulation::draw(&design, &Stream::root(5), r);
        for law in [Law::AsTheyAre, Law::Recentred, Law::Exchanged] {
            let drawn = simulation.totals(&cell, &Ratio, law, 0.0).unwrap();
            let change = drawn.estimate(&Ratio).unwrap();
            *mean.entry(law).or_insert(0.0) += change / f64::from(times as u32);
            let truth = if law == Law::AsTheyAre { 0.5 } else { 0.0 };
            *below.entry(law).or_insert(0.0) += f64::from(u8::from(change < truth - 0.05)) / f64::from(times as u32);
        }
        // Recentring takes the observed change off; a stated effect comes on top of whatever is there.
        let recentred = simulation.totals(&cell, &Ratio, Law::Recentred, 0.0).unwrap();
        let plain = simulation.totals(&made(0.0), &Ratio, Law::AsTheyAre, 0.0).unwrap();
        close(recentred.estimate(&Ratio).unwrap(), plain.estimate(&Ratio).unwrap(), 1e-12);
        let raised = simulation.totals(&cell, &Ratio, Law::AsTheyAre, 0.25).unwrap();
        close(raised.estimate(&Ratio).unwrap(), plain.estimate(&Ratio).unwrap() + 0.75, 1e-12);
    }
    // A cluster's difference has SD 0.59, the mean of 36 of them 0.0986, the mean of 4,000 such means 0.00156; where
    // settings are exchanged, the root of the mean square 0.77 instead, 0.129, and 0.00203.
    assert!((mean[&Law::AsTheyAre] - 0.5).abs() < 4.0 * 0.00156);
    assert!(mean[&Law::Recentred].abs() < 4.0 * 0.00156);
    assert!(mean[&Law::Exchanged].abs() < 4.0 * 0.00203);
    // The rare cluster is missing with chance (35/36)^36 = 0.3627, and only then is the change 0.1 too low.
    let missed = (35.0_f64 / 36.0).powi(36);
    let error = (missed * (1.0 - missed) / f64::from(times as u32)).sqrt();
    for law in [Law::AsTheyAre, Law::Recentred] {
        assert!((below[&law] - missed).abs() < 4.0 * error, "{law:?}: {}", below[&law]);
    }
}

#[test]
fn an_effect_is_added_exactly_or_not_at_all() {
    let clusters = [[3.0, 2.0, 1.0, 9.0], [1.0, 4.0, 0.0, 7.0], [2.0, 2.0, 3.0, 8.0]];
    let sum = |rows: &[Vec<f64>], p: usize| -> Vec<f64> { (0..p).map(|k| rows.iter().map(|r| r[k]).sum()).collect() };
    let functionals: [(&dyn Functional, bool); 5] =
        [(&Ratio, true), (&RatioDifference, true), (&NormalisedDifference, true), (&ScaledBias, false), (&Icat, false)];
    for (functional, can) in functionals {
        let p = functional.dim();
        let mut rows: Vec<Vec<f64>> = clusters.iter().map(|c| c[..p].to_vec()).collect();
        let before = rows.clone();
        assert!(rows.iter_mut().all(|row| functional.raise(row, 0.2) == can), "{p}");
        let change = functional.value(&sum(&rows, p)).unwrap() - functional.value(&sum(&before, p)).unwrap();
        close(change, if can { 0.2 } else { 0.0 }, 1e-12);
        let cell = PairedTotals::new(p, vec![0, 1, 2], &before.concat(), &before.concat(), vec![9; 3]).unwrap();
        let simulation = Simulation::draw(&Design::simple(3), &Stream::root(1), 0);
        assert_eq!(simulation.totals(&cell, functional, Law::AsTheyAre, 0.2).is_some(), can);
    }
}

#[test]
fn lonely_strata_are_taken_together() {
    let sizes = |stratum: &[u32]| {
        let (design, lonely) = Design::collapsing(stratum);
        (design.members().iter().map(Vec::len).collect::<Vec<_>>(), lonely)
    };
    assert_eq!(sizes(&[0, 0, 1, 1]), (vec![2, 2], 0));
    // Two lonely strata make one.
    assert_eq!(sizes(&[0, 0, 1, 2]), (vec![2, 2], 2));
    // A single one joins the smallest.
    assert_eq!(sizes(&[0, 0, 0, 1, 1, 2]), (vec![3, 3], 1));
    // The only stratum is taken together with nothing.
    assert_eq!(sizes(&[0]), (vec![1], 0));
    assert_eq!(sizes(&[]), (vec![], 0));
}

#[test]
fn the_linearised_error_of_a_ratio_is_cr1() {
    let expected = &reference("ref_values.json")["cluster_ratio"];
    let (s, n) = (numbers(&expected["S"]), numbers(&expected["N"]));
    let side = |y: &dyn Fn(usize) -> f64| (0..n.len()).flat_map(|g| [y(g), n[g]]).collect::<Vec<f64>>();
    let items = n.iter().map(|n| *n as u32).collect();
    let cell = PairedTotals::new(2, (0..n.len() as u32).collect(), &side(&|_| 0.0), &side(&|g| s[g]), items).unwrap();
    let flips = Flips::draw(&Design::simple(n.len()), 99, &Stream::root(1));
    let found = quantbias::stats::permutation::sign_flip(&flips, &cell, &Ratio).unwrap();
    // The studentized statistic is the change over the CR1 error.
    close(found.delta / found.statistic, number(&expected["se_CR1"]), EXACT);
    close(found.statistic, number(&expected["t"]), EXACT);
}

#[test]
fn both_one_sided_tests_agree_with_statsmodels() {
    use quantbias::stats::equivalence::{Margin, Worse, non_inferiority};
    let expected = &reference("ref_values.json")["tost_paired"];
    let (x, y) = (numbers(&expected["x"]), numbers(&expected["y"]));
    let d: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
    let n = d.len() as f64;
    let mean = d.iter().sum::<f64>() / n;
    let se = (d.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
    let margin = Margin::new(number(&expected["margin"])).unwrap();
    let p = |worse| non_inferiority(mean, se, n - 1.0, margin, worse).unwrap();
    close(p(Worse::Increase), number(&expected["upper"][1]), EXACT);
    close(p(Worse::Decrease), number(&expected["lower"][1]), EXACT);
}

/// Files of reference values, and the keys of theirs that are no claim of ours.
const FILES: &[(&str, &[(&str, &str)])] = &[
    (
        "ref_values.json",
        &[
            ("versions", "what made the file"),
            ("scipy", "a version"),
            ("statsmodels", "a version"),
            ("numpy", "a version"),
            ("note", "words"),
            ("n_resamples", "6⁶, which the enumeration itself counts"),
            ("c", "an input, written out in the test"),
            ("table_bits16_8_4_3_[biased,not]", "an input, written out in the test"),
            ("0/20", "cases are walked by a loop"),
            ("3/20", "cases are walked by a loop"),
            ("57/120", "cases are walked by a loop"),
            ("20/20", "cases are walked by a loop"),
            ("fdr_tsbh", "a procedure that we do not offer"),
            ("agresti_coull", "an interval that we do not offer"),
            ("scipy_bca_B2e5", "a Monte-Carlo version of the exact figure beside it"),
            ("scipy_two_sided(2*min)", "another definition of two-sided"),
            ("hand_z_Nminus1", "the variance with N − 1, which we do not use"),
        ],
    ),
    (
        "paper_stats.json",
        &[
            ("tolerance", "words"),
            ("n_assignments", "2ⁿ, which the enumeration itself counts"),
            ("R", "number of draws"),
            ("acc_a", "a rate, not a statistic"),
            ("acc_b", "a rate, not a statistic"),
            ("paper_acc_a", "a rate, not a statistic"),
            ("paper_acc_b", "a rate, not a statistic"),
            ("no_answer_a", "a rate, not a statistic"),
            ("no_answer_b", "a rate, not a statistic"),
            ("paper_dz", "the t statistic beside it over √n"),
            ("art_reddit_bias_stereotype_score", "cases are walked by a loop"),
            ("art_stereo_set_stereotype_score", "cases are walked by a loop"),
            ("gender", "cases are walked by a loop"),
            ("race", "cases are walked by a loop"),
            ("religion", "cases are walked by a loop"),
            ("religion_jc", "cases are walked by a loop"),
            ("religion_mc", "cases are walked by a loop"),
        ],
    ),
    (
        "more_values.json",
        &[
            ("versions", "what made the file"),
            ("scipy", "a version"),
            ("statsmodels", "a version"),
            ("numpy", "a version"),
            ("replicates", "number of draws"),
            ("tau2_pm_statsmodels", "the same to statsmodels' looser tolerance"),
        ],
    ),
    ("beside_values.json", &[("replicates", "number of draws")]),
    (
        "proof_values.json",
        &[
            ("versions", "what made the file"),
            ("scipy", "a version"),
            ("statsmodels", "a version"),
            ("numpy", "a version"),
        ],
    ),
];

fn keys(value: &Value, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                found.insert(key.clone());
                keys(inner, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| keys(inner, found)),
        _ => {}
    }
}

#[test]
fn every_key_of_the_reference_files_is_read_by_a_test_or_excused() {
    let folder = format!("{}/tests/it/stats", env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        // This table must not count as a reader.
        code.push_str(text.split("/// Files of reference values").next().unwrap());
    }
    let mut unread = Vec::new();
    for (file, excused) in FILES {
        let mut all = std::collections::BTreeSet::new();
        keys(&reference(file), &mut all);
        for (key, _) in *excused {
            assert!(all.contains(*key), "{file} has no {key} to excuse");
        }
        for key in all {
            let named = code.contains(&format!("\"{key}\""));
            if !named && !excused.iter().any(|(e, _)| *e == key) {
                unread.push(format!("{file}: {key}"));
            }
        }
    }
    assert!(unread.is_empty(), "no test reads {unread:#?}");
}
