//! What can be counted out is counted out: all resamples, all sign patterns, all weight vectors.

use super::{all_close, close, number, numbers, reference};
use quantbias::stats::bootstrap::Weights;
use quantbias::stats::cluster::Cell;
use quantbias::stats::functional::{Functional, NormalisedDifference, Ratio, RatioDifference, ScaledBias};
use quantbias::stats::permutation::{self, Null};
use quantbias::stats::{Design, Flips, PairedTotals, Stream, Totals, interval, jackknife, level::Level};
use std::collections::BTreeMap;

const EXACT: f64 = 1e-10;

/// A small, irregular table of integers: rows of `width` numbers for `clusters` clusters.
fn table(clusters: usize, width: usize, salt: u64) -> Vec<f64> {
    let step = |i: usize| (i as u64 * 7 + salt * 13 + (i as u64 * i as u64) % 11) % 9;
    (0..clusters * width).map(|i| step(i) as f64 + 1.0).collect()
}

#[test]
fn the_bootstrap_over_all_resamples_agrees_with_numpy() {
    let file = reference("ref_values.json");
    let expected = &file["exhaustive_bootstrap"];
    let x = numbers(&expected["x"]);
    let rows = x.iter().flat_map(|x| [*x, 1.0]).collect();
    let totals = Totals::new(2, (0..6).collect(), rows, vec![1; 6]).unwrap();
    let design = Design::simple(6);
    let weights = Weights::enumerate(&design).unwrap();
    assert_eq!(weights.len() as u64, expected["n_resamples"].as_u64().unwrap());
    let replicates = weights.replicates(&totals, &Ratio);
    let found = interval::percentile(&replicates, Level::P95).unwrap();
    all_close(&[found.interval.lower, found.interval.upper], &numbers(&expected["percentile_linear"]), EXACT);
    let n = weights.len() as f64;
    let se = replicates.standard_error().unwrap() * ((n - 1.0) / n).sqrt();
    close(se, number(&expected["se_boot"]), EXACT);
    let jackknife = jackknife::jackknife(&design, &totals, &Ratio).unwrap();
    close(jackknife.estimate, number(&expected["theta"]), EXACT);
    close(jackknife.acceleration(), number(&expected["a"]), EXACT);
}

#[test]
fn drawn_weights_have_the_multinomial_distribution_within_strata() {
    for design in [Design::simple(4), Design::stratified(&[7, 2, 2, 7, 2]).unwrap()] {
        let mut expected: BTreeMap<Vec<u8>, f64> = BTreeMap::new();
        let all = Weights::enumerate(&design).unwrap();
        for b in 0..all.len() {
            *expected.entry(all.row(b)).or_default() += 1.0 / all.len() as f64;
        }
        let drawn = Weights::draw(&design, 40_000, &Stream::root(5).child("weights"));
        let mut found: BTreeMap<Vec<u8>, f64> = BTreeMap::new();
        for b in 0..drawn.len() {
            *found.entry(drawn.row(b)).or_default() += 1.0;
        }
        assert!(found.keys().all(|row| expected.contains_key(row)), "a weight vector that cannot be");
        let n = drawn.len() as f64;
        let chi2: f64 =
            expected.iter().map(|(row, p)| (found.get(row).unwrap_or(&0.0) - n * p).powi(2) / (n * p)).sum();
        let df = expected.len() as f64 - 1.0;
        assert!((chi2 - df).abs() < 4.0 * (2.0 * df).sqrt(), "χ² {chi2} on {df} degrees of freedom");
    }
}

#[test]
fn replicates_are_the_metric_of_weighted_totals() {
    let design = Design::simple(40);
    let weights = Weights::draw(&design, 700, &Stream::root(2));
    let clusters: Vec<u32> = (0..40).filter(|g| g % 3 != 1).collect();
    let n = clusters.len();
    let (base, setting) = (table(n, 4, 1), table(n, 4, 2));
    let cell = PairedTotals::new(4, clusters.clone(), &base, &setting, vec![1; n]).unwrap();
    let replicates = weights.replicates(&cell, &ScaledBias);
    assert_eq!(replicates.len(), 700);
    for b in [0, 1, 255, 256, 699] {
        let row = weights.row(b);
        assert_eq!(row.iter().map(|w| u32::from(*w)).sum::<u32>(), 40);
        let total = |rows: &[f64]| -> Vec<f64> {
            (0..4).map(|k| (0..n).map(|i| f64::from(row[clusters[i] as usize]) * rows[i * 4 + k]).sum()).collect()
        };
        let expected = ScaledBias.value(&total(&setting)).unwrap() - ScaledBias.value(&total(&base)).unwrap();
        close(replicates.get(b).unwrap(), expected, 1e-12);
    }
}

/// The studentized statistic written out from its definition, for one pattern of exchanges.
fn statistic(cell: &PairedTotals, functional: &dyn Functional, pattern: u32) -> f64 {
    let (p, g) = (cell.p(), cell.clusters());
    let side =
        |i: usize, setting: bool| if setting == (pattern >> i & 1 == 1) { cell.base(i) } else { cell.setting(i) };
    let total = |setting: bool| -> Vec<f64> { (0..p).map(|k| (0..g).map(|i| side(i, setting)[k]).sum()).collect() };
    let (setting, base) = (total(true), total(false));
    let (mut of_setting, mut of_base) = (vec![0.0; p], vec![0.0; p]);
    assert!(functional.gradient(&setting, &mut of_setting) && functional.gradient(&base, &mut of_base));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let squares: f64 = (0..g).map(|i| (dot(&of_setting, side(i, true)) - dot(&of_base, side(i, false))).powi(2)).sum();
    let change = functional.value(&setting).expect("defined") - functional.value(&base).expect("defined");
    change / (g as f64 / (g as f64 - 1.0) * squares).sqrt()
}

#[test]
fn the_sign_flip_test_counts_all_patterns() {
    let metrics: [&dyn Functional; 4] = [&Ratio, &NormalisedDifference, &RatioDifference, &ScaledBias];
    for (salt, functional) in metrics.into_iter().enumerate() {
        for clusters in [7, 10, 12] {
            let p = functional.dim();
            let mut setting = table(clusters, p, salt as u64 + 20);
            let base = table(clusters, p, salt as u64);
            setting[..p].copy_from_slice(&base[..p]);
            let cell =
                PairedTotals::new(p, (0..clusters as u32).collect(), &base, &setting, vec![5; clusters]).unwrap();
            let flips = Flips::draw(&Design::simple(clusters), 0, &Stream::root(1));
            let found = permutation::sign_flip(&flips, &cell, functional).unwrap();
            let observed = statistic(&cell, functional, 0);
            close(found.statistic, observed, EXACT);
            let all: Vec<f64> = (0..1 << clusters).map(|s| statistic(&cell, functional, s).abs()).collect();
            let at_least = all.iter().filter(|t| **t >= observed.abs() * (1.0 - 1e-9)).count();
            let above = all.iter().filter(|t| **t > observed.abs() * (1.0 + 1e-9)).count();
            let n = all.len() as f64;
            close(found.p, at_least as f64 / n, EXACT);
            close(found.p_mid, (above as f64 + 0.5 * (at_least - above) as f64) / n, EXACT);
            assert_eq!(found.changed, cell.changed());
            assert_eq!(found.null, Null::Exact { patterns: 1 << cell.changed() });
        }
    }
}

#[test]
fn drawn_null_statistics_are_those_of_the_drawn_patterns() {
    let metrics: [&dyn Functional; 2] = [&Ratio, &ScaledBias];
    for functional in metrics {
        let p = functional.dim();
        let cell = PairedTotals::new(p, (3..25).collect(), &table(22, p, 3), &table(22, p, 4), vec![4; 22]).unwrap();
        let flips = Flips::draw(&Design::simple(30), 300, &Stream::root(9));
        let null = permutation::null_statistics(&flips, &cell, functional).unwrap();
        assert_eq!(null.draws.len(), 300);
        close(null.observed, statistic(&cell, functional, 0).abs(), EXACT);
        for (b, found) in null.draws.iter().enumerate() {
            let pattern = (0..22).filter(|i| flips.exchanges(b, i + 3)).fold(0, |pattern, i| pattern | 1 << i);
            close(*found, statistic(&cell, functional, pattern).abs(), EXACT);
        }
        let found = permutation::sign_flip(&flips, &cell, functional).unwrap();
        let at_least = null.draws.iter().filter(|t| **t >= null.observed * (1.0 - 1e-9)).count();
        close(found.p, (1 + at_least) as f64 / 301.0, EXACT);
    }
}

#[test]
fn the_convolution_counts_all_patterns_of_integer_differences() {
    for differences in [vec![3, -1, 2, 0, 4, 1], vec![5, 5, 5, -5, 2, 2, 2], vec![1; 12], vec![-7], vec![0, 0]] {
        let observed: i64 = differences.iter().sum::<i64>().abs();
        let sums: Vec<i64> = (0..1_u32 << differences.len())
            .map(|s| differences.iter().enumerate().map(|(i, d)| if s >> i & 1 == 1 { -d } else { *d }).sum::<i64>())
            .map(i64::abs)
            .collect();
        let at_least = sums.iter().filter(|s| **s >= observed).count() as f64 / sums.len() as f64;
        let above = sums.iter().filter(|s| **s > observed).count() as f64 / sums.len() as f64;
        let found = permutation::exact_integer(&differences).unwrap();
        close(found.p, at_least, 1e-14);
        close(found.p_mid, f64::midpoint(at_least, above), 1e-14);
    }
}

#[test]
fn no_exact_p_of_integer_differences_is_zero() {
    // 2·2⁻¹⁰⁰⁰ can be held, 2·2⁻¹²⁰⁰ cannot.
    let p = |clusters: usize| permutation::exact_integer(&vec![1; clusters]).unwrap();
    assert_eq!(p(1000).p, 2.0_f64.powi(-999));
    assert_eq!((p(1200).p, p(1200).p_mid), (f64::MIN_POSITIVE, f64::MIN_POSITIVE));
}

#[test]
fn the_jackknife_is_the_textbook_standard_error_for_a_mean() {
    let x = [0.3, 1.7, -0.2, 2.5, 0.9, 1.1, 4.0, -1.5];
    let rows = x.iter().flat_map(|x| [*x, 1.0]).collect();
    let totals = Totals::new(2, (0..8).collect(), rows, vec![1; 8]).unwrap();
    let found = jackknife::jackknife(&Design::simple(8), &totals, &Ratio).unwrap();
    let mean = x.iter().sum::<f64>() / 8.0;
    close(found.estimate, mean, 1e-14);
    close(found.se, (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 7.0 / 8.0).sqrt(), 1e-12);
    close(found.df, 7.0, 1e-12);
}

#[test]
fn the_stratified_jackknife_adds_up_the_strata() {
    // The mean of two strata of three and five single items: the textbook error of a stratified mean.
    let x = [1.0, 5.0, 2.0, 8.0, 4.0, 3.0, 9.0, 7.0];
    let strata = [0, 1, 0, 1, 0, 1, 1, 1];
    let rows = x.iter().flat_map(|x| [*x, 1.0]).collect();
    let totals = Totals::new(2, (0..8).collect(), rows, vec![1; 8]).unwrap();
    let found = jackknife::jackknife(&Design::stratified(&strata).unwrap(), &totals, &Ratio).unwrap();
    let variance: f64 = [0, 1]
        .iter()
        .map(|h| {
            let of: Vec<f64> = x.iter().zip(&strata).filter(|(_, s)| *s == h).map(|(x, _)| *x).collect();
            let n = of.len() as f64;
            let mean = of.iter().sum::<f64>() / n;
            // Cochran 1977, ch. 5, without the finite-population correction: Σ W_h² s_h²/n_h, here with W_h = n_h/8.
            (n / 8.0).powi(2) * of.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / n
        })
        .sum();
    close(found.se, variance.sqrt(), 1e-12);
    assert_eq!(found.strata, 2);
    close(found.df, 6.0, 1e-12);
}

#[test]
fn large_integers_lose_no_digit() {
    // Totals near 2²⁵ are not exact in single precision; odd ones show it.
    let (g, big) = (20, f64::from(1 << 25));
    let base: Vec<f64> = (0..g).flat_map(|i| [big + f64::from(2 * i + 1), 2.0 * big]).collect();
    let setting: Vec<f64> = (0..g).flat_map(|i| [big + f64::from(3 * i + 2), 2.0 * big]).collect();
    let clusters: Vec<u32> = (0..g as u32).collect();
    let cell = PairedTotals::new(2, clusters, &base, &setting, vec![9; g as usize]).unwrap();
    let design = Design::simple(g as usize);
    let weights = Weights::draw(&design, 50, &Stream::root(2));
    let replicates = weights.replicates(&cell, &Ratio);
    for b in 0..50 {
        let row = weights.row(b);
        let total = |rows: &[f64], k: usize| -> f64 {
            row.iter().zip(rows.chunks_exact(2)).map(|(w, r)| f64::from(*w) * r[k]).sum()
        };
        let expected = total(&setting, 0) / total(&setting, 1) - total(&base, 0) / total(&base, 1);
        assert_eq!(replicates.get(b), Some(expected));
    }
    let flips = Flips::draw(&design, 200, &Stream::root(3));
    let null = permutation::null_statistics(&flips, &cell, &Ratio).unwrap();
    for (b, found) in null.draws.iter().enumerate() {
        let pattern = (0..20).filter(|i| flips.exchanges(b, *i)).fold(0, |pattern, i| pattern | 1 << i);
        close(*found, statistic(&cell, &Ratio, pattern).abs(), 1e-6);
    }
    let found = permutation::sign_flip(&flips, &cell, &Ratio).unwrap();
    assert_eq!(found.smallest_p, 1.0 / 201.0, "20 changed clusters: the draws are the limit, not 2/2²⁰");
}
