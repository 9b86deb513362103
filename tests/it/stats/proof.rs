//! Clustered logistic regression, the stratified jackknife, and contrasts of independent samples, against statsmodels,
//! SciPy, and NumPy (`proof_values.py`).

use super::{close, number, numbers, reference};
use proptest::prelude::*;
use quantbias::stats::cluster::Cell;
use quantbias::stats::functional::Ratio;
use quantbias::stats::jackknife::jackknife;
use quantbias::stats::logistic::logistic;
use quantbias::stats::unpaired::{self, linear};
use quantbias::stats::{Design, Level, PairedTotals, Refusal, Totals};

const EXACT: f64 = 1e-10;

#[test]
fn the_clustered_logistic_slope_agrees_with_statsmodels() {
    let all = reference("proof_values.json");
    for name in ["logistic_templates", "logistic_single", "logistic_far_from_zero"] {
        let expected = &all[name];
        let event: Vec<bool> = numbers(&expected["event"]).iter().map(|y| *y > 0.5).collect();
        let cluster: Vec<u32> = numbers(&expected["cluster"]).iter().map(|g| *g as u32).collect();
        let found = logistic(&numbers(&expected["x"]), &event, &cluster).unwrap();
        let relative = |found: f64, expected: f64| close(found / expected, 1.0, EXACT);
        relative(found.slope, number(&expected["slope"]));
        relative(found.intercept, number(&expected["intercept"]));
        // The reference fits by Newton to 1e-14 on the same scale; its sandwich inverts the Hessian numerically.
        relative(found.se, number(&expected["se"]));
        close(found.df, number(&expected["df"]), EXACT);
    }
}

#[test]
fn separated_or_constant_data_have_no_logistic_slope_and_say_why() {
    let of = |x: &[f64], event: &[bool]| logistic(x, event, &(0..x.len() as u32).collect::<Vec<_>>());
    // Complete separation, quasi-complete separation (they touch), and one kind only.
    assert_eq!(of(&[1.0, 2.0, 3.0, 4.0], &[false, false, true, true]), Err(Refusal::Separated));
    assert_eq!(of(&[4.0, 3.0, 2.0, 1.0], &[false, false, true, true]), Err(Refusal::Separated));
    assert_eq!(of(&[1.0, 2.0, 2.0, 3.0], &[false, false, true, true]), Err(Refusal::Separated));
    assert_eq!(of(&[1.0, 2.0, 3.0], &[true, true, true]), Err(Refusal::Separated));
    assert_eq!(of(&[1.0, 2.0, 3.0], &[false, false, false]), Err(Refusal::Separated));
    // A predictor that does not vary, or is no number, has no slope to speak of.
    assert_eq!(of(&[2.0, 2.0, 2.0, 2.0], &[false, true, false, true]), Err(Refusal::Undefined));
    assert_eq!(of(&[f64::INFINITY, 1.0, 0.0], &[false, true, false]), Err(Refusal::Undefined));
    assert_eq!(of(&[], &[]), Err(Refusal::Undefined));
    // Overlap by one item is enough for a maximum.
    assert!(of(&[1.0, 3.0, 2.0, 4.0], &[false, false, true, true]).unwrap().slope > 0.0);
    let one = logistic(&[1.0, 3.0, 2.0, 4.0], &[false, false, true, true], &[7; 4]);
    assert_eq!(one, Err(Refusal::TooFewClusters { clusters: 1, needed: 2 }));
    assert!(Refusal::Separated.to_string().contains("no maximum"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn the_logistic_slope_moves_with_its_units_and_turns_with_the_event(
        items in proptest::collection::vec((0..9_u32, -3.0..3.0_f64, any::<bool>()), 12..60),
        unit in 0.001..1000.0_f64,
        shift in -100.0..100.0_f64,
    ) {
        let (cluster, x, event): (Vec<u32>, Vec<f64>, Vec<bool>) = {
            let mut parts = (Vec::new(), Vec::new(), Vec::new());
            for (g, x, y) in &items {
                parts.0.push(*g);
                parts.1.push((x * 64.0).round() / 64.0);
                parts.2.push(*y);
            }
            parts
        };
        let plain = logistic(&x, &event, &cluster);
        let turned = logistic(&x, &event.iter().map(|y| !y).collect::<Vec<_>>(), &cluster);
        let moved = logistic(&x.iter().map(|x| x * unit + shift * unit).collect::<Vec<_>>(), &event, &cluster);
        let back: Vec<usize> = (0..x.len()).rev().collect();
        let reversed = logistic(
            &back.iter().map(|i| x[*i]).collect::<Vec<_>>(),
            &back.iter().map(|i| event[*i]).collect::<Vec<_>>(),
            &back.iter().map(|i| cluster[*i]).collect::<Vec<_>>(),
        );
        prop_assert_eq!(&plain, &reversed);
        if let Ok(plain) = plain {
            let (turned, moved) = (turned.unwrap(), moved.unwrap());
            close(turned.slope, -plain.slope, 1e-7);
            close(turned.se, plain.se, 1e-7);
            close(moved.slope * unit, plain.slope, 1e-7);
            close(moved.se * unit, plain.se, 1e-7);
        } else {
            prop_assert!(turned.is_err());
        }
    }
}

#[test]
fn the_stratified_jackknife_of_a_paired_change_agrees_with_numpy() {
    let all = reference("proof_values.json");
    for name in ["stratified_pairs", "stratified_uneven"] {
        let expected = &all[name];
        let strata: Vec<u32> = numbers(&expected["strata"]).iter().map(|h| *h as u32).collect();
        let (n, base, setting) = (numbers(&expected["n"]), numbers(&expected["base"]), numbers(&expected["setting"]));
        let rows = |y: &[f64]| y.iter().zip(&n).flat_map(|(y, n)| [*y, *n]).collect::<Vec<f64>>();
        let items = n.iter().map(|n| *n as u32).collect();
        let clusters = (0..n.len() as u32).collect();
        let cell = PairedTotals::new(2, clusters, &rows(&base), &rows(&setting), items).unwrap();
        let found = jackknife(&Design::stratified(&strata).unwrap(), &cell, &Ratio).unwrap();
        close(found.estimate, number(&expected["estimate"]), EXACT);
        close(found.se, number(&expected["se"]), EXACT);
        // What a cluster's absence makes of the estimate is told without anything standing for it.
        let without = (0..cell.clusters()).map(|i| {
            let keep = |y: &[f64]| y.iter().enumerate().filter(|(g, _)| *g != i).map(|(_, y)| y).sum::<f64>();
            (keep(&setting) - keep(&base)) / keep(&n)
        });
        for (found, expected) in found.without.iter().zip(without) {
            close(*found, expected, EXACT);
        }
    }
}

#[test]
fn the_jackknife_of_a_subgroup_in_strata_is_that_of_the_whole_design() {
    let all = reference("domain_values.json");
    for name in ["thirty_percent_of_six_strata", "one_stratum_partly_one_whole", "one_stratum_touched_once"] {
        let expected = &all[name];
        let whole = |key: &str| numbers(&expected[key]).iter().map(|x| *x as u32).collect::<Vec<u32>>();
        let n = numbers(&expected["n"]);
        let rows = |key: &str| numbers(&expected[key]).iter().zip(&n).flat_map(|(y, n)| [*y, *n]).collect::<Vec<f64>>();
        let design = Design::stratified(&whole("strata")).unwrap();
        let cell = PairedTotals::new(2, whole("touched"), &rows("base"), &rows("setting"), whole("n")).unwrap();
        let rate = Totals::new(2, whole("touched"), rows("base"), whole("n")).unwrap();
        for (what, found) in [
            ("change", jackknife(&design, &cell, &Ratio).unwrap()),
            ("rate", jackknife(&design, &rate, &Ratio).unwrap()),
        ] {
            let expected = &expected[what];
            close(found.estimate, number(&expected["estimate"]), EXACT);
            close(found.se, number(&expected["se"]), EXACT);
            close(found.acceleration(), number(&expected["acceleration"]), EXACT);
            // The bootstrap lacks about 1 in G_h and a nonlinear part, no more.
            let ratio = found.se / number(&expected["bootstrap_sd"]);
            assert!((0.98..1.12).contains(&ratio), "{name} {what}: {ratio}");
        }
    }
}

#[test]
fn a_linear_contrast_of_independent_samples_agrees_with_welch_and_satterthwaite() {
    let all = reference("proof_values.json");
    let expected = &all["linear"];
    let samples: Vec<Vec<f64>> = expected["samples"].as_array().unwrap().iter().map(numbers).collect();
    let side = |x: &Vec<f64>| {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        (mean, (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt(), n - 1.0)
    };
    let sides: Vec<(f64, f64, f64)> = samples.iter().map(side).collect();
    let found = linear(&sides, &numbers(&expected["scores"])).unwrap();
    close(found.difference, number(&expected["difference"]), EXACT);
    close(found.se, number(&expected["se"]), EXACT);
    close(found.df, number(&expected["df"]), EXACT);
    close(found.p, number(&expected["p"]), EXACT);
    let two = &all["linear_of_two"];
    let by_clusters = {
        let totals = |x: &[f64]| {
            let rows = x.iter().flat_map(|x| [*x, 1.0]).collect();
            Totals::new(2, (0..x.len() as u32).collect(), rows, vec![1; x.len()]).unwrap()
        };
        unpaired::clusters(&Design::simple(12), &totals(&samples[0]), &totals(&samples[1]), &Ratio).unwrap()
    };
    for found in [linear(&sides[..2], &[-1.0, 1.0]).unwrap(), by_clusters] {
        close(found.difference / found.se, number(&two["t"]), EXACT);
        close(found.df, number(&two["df"]), EXACT);
        close(found.p, number(&two["p"]), EXACT);
        assert!(found.interval(Level::P95).contains(found.difference));
    }
    assert_eq!(linear(&sides, &[1.0]), None);
    assert_eq!(linear(&[(1.0, 0.0, 5.0), (2.0, 0.0, 5.0)], &[-1.0, 1.0]), None);
}
