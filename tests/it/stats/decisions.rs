//! Levels, margins, gates, power, rates, flips, folded metrics: closed forms and worked cases.

use super::{all_close, close};
use quantbias::stats::bootstrap::Weights;
use quantbias::stats::cluster::Cell;
use quantbias::stats::compound::RangeOf;
use quantbias::stats::equivalence::{Decision, GateCell, Margin, Worse, decide, gate, non_inferiority, tost};
use quantbias::stats::folded::{Distance, near_kink, range_interval};
use quantbias::stats::functional::{Functional, Icat, NormalisedDifference, Ratio, RatioDifference, ScaledBias};
use quantbias::stats::interval::{Replicates, expanded_percentile, quantile};
use quantbias::stats::jackknife::jackknife;
use quantbias::stats::multiplicity::{Resolution, resolution};
use quantbias::stats::paired::Flips;
use quantbias::stats::refusal::{Refusal, admit_bootstrap, admit_interval};
use quantbias::stats::shrinkage::{debiased_variance, largest};
use quantbias::stats::uncertainty::{auroc, divergence, normalised_entropy, terciles, total_variation};
use quantbias::stats::{Design, Interval, PairedTotals, Stream, Totals, dist, level::Level, power, rate};

fn bounds(lower: f64, upper: f64) -> Interval {
    Interval { lower, upper, level: Level::P90 }
}

#[test]
fn a_level_lies_between_a_half_and_one() {
    for wrong in [0.5, 1.0, 0.0, 95.0, f64::NAN, -1.0] {
        assert!(Level::new(wrong).is_err(), "{wrong}");
    }
    let level = Level::new(0.95).unwrap();
    close(level.z(), 1.959_963_984_540_054, 1e-14);
    close(level.t(24.0), 2.063_898_561_628_026, 1e-13);
    close(level.two_sided_of_one_sided().unwrap().value(), 0.90, 1e-14);
    assert!(Level::new(0.7).unwrap().two_sided_of_one_sided().is_err());
}

#[test]
fn the_gate_decides_by_where_the_bounds_lie() {
    let margin = Margin::new(0.02).unwrap();
    for (lower, upper, worse, expected) in [
        (-0.01, 0.01, Worse::Increase, Decision::Pass),
        (0.001, 0.019, Worse::Increase, Decision::Degraded),
        (0.021, 0.04, Worse::Increase, Decision::Fail),
        (0.001, 0.03, Worse::Increase, Decision::Inconclusive),
        (-0.5, 0.01, Worse::Increase, Decision::Pass),
        (-0.5, -0.03, Worse::Increase, Decision::Pass),
        (-0.5, -0.03, Worse::Decrease, Decision::Fail),
        (-0.015, -0.001, Worse::Decrease, Decision::Degraded),
        (-0.015, 0.5, Worse::Decrease, Decision::Pass),
        (-0.5, -0.03, Worse::Either, Decision::Fail),
        (-0.015, 0.015, Worse::Either, Decision::Pass),
        (-0.015, -0.001, Worse::Either, Decision::Degraded),
        (-0.025, 0.001, Worse::Either, Decision::Inconclusive),
        (0.02, 0.03, Worse::Increase, Decision::Inconclusive),
    ] {
        assert_eq!(decide(&bounds(lower, upper), margin, worse), expected, "[{lower}, {upper}] {worse:?}");
    }
    for wrong in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        assert!(Margin::new(wrong).is_err());
    }
}

#[test]
fn all_pass_needs_no_correction_and_some_fail_does() {
    let cell = |own, simultaneous| GateCell { own, simultaneous };
    let (pass, degraded, fail, unknown) = (Decision::Pass, Decision::Degraded, Decision::Fail, Decision::Inconclusive);
    assert_eq!(gate(&[cell(pass, unknown), cell(pass, pass)]), pass);
    assert_eq!(gate(&[cell(pass, unknown), cell(degraded, unknown)]), degraded);
    assert_eq!(gate(&[cell(fail, unknown), cell(pass, pass)]), unknown);
    assert_eq!(gate(&[cell(fail, fail), cell(pass, pass)]), fail);
    assert_eq!(gate(&[cell(unknown, unknown), cell(pass, pass)]), unknown);
    assert_eq!(gate(&[]), unknown);
}

#[test]
fn a_pass_and_the_equivalence_p_value_agree() {
    let margin = Margin::new(0.1).unwrap();
    for delta in [-0.2, -0.05, 0.0, 0.03, 0.061, 0.07, 0.3] {
        let (se, df) = (0.02, 19.0);
        let reach = Level::P90.t(df) * se;
        let passes = |worse| {
            matches!(decide(&bounds(delta - reach, delta + reach), margin, worse), Decision::Pass | Decision::Degraded)
        };
        assert_eq!(passes(Worse::Either), tost(delta, se, df, margin).unwrap() < 0.05, "{delta}");
        for worse in [Worse::Increase, Worse::Decrease] {
            assert_eq!(passes(worse), non_inferiority(delta, se, df, margin, worse).unwrap() < 0.05, "{delta}");
        }
    }
    assert_eq!(tost(0.0, 0.0, 10.0, margin), None);
}

#[test]
fn the_detectable_effect_is_the_planning_figure() {
    // 250 items, 6 % discordance: 4.3 points; with a design effect of 5: 9.7; 5,000 items: 1.0 and 2.2.
    for (items, deff, expected) in [(250, 1.0, 0.043), (250, 5.0, 0.097), (5000, 1.0, 0.0097), (5000, 5.0, 0.0217)] {
        let found = power::detectable_binary(items, 0.06, deff, Level::P95, 0.8).unwrap();
        assert!((found - expected).abs() < 0.0005, "{found} {expected}");
        let n = power::items_needed_binary(found, 0.06, deff, Level::P95, 0.8).unwrap();
        assert!(n.abs_diff(items) <= 1, "{n} {items}");
    }
    close(
        power::detectable(1.0, f64::INFINITY, Level::P95, 0.8).unwrap(),
        1.959_963_984_540_054 + 0.841_621_233_572_914_4,
        1e-12,
    );
    assert_eq!(power::detectable(0.0, 5.0, Level::P95, 0.8), None);
    // Three times the target falls to it with nine times the clusters: 90 of 10. No fewer than six clusters will do.
    let effect = |times: f64| Some(3.0 / times.sqrt());
    assert_eq!(power::items_for(1.0, 30, 10, &effect), Some(270));
    assert_eq!(power::items_for(1000.0, 30, 10, &effect), Some(18));
    assert_eq!(power::items_for(1.0, 30, 10, &|_| Some(2.0)), None);
}

#[test]
fn flips_are_counted_both_ways() {
    let flips = Flips { n00: 40, n01: 9, n10: 6, n11: 45 };
    close(flips.rate().unwrap(), 0.15, 1e-14);
    close(flips.net().unwrap(), 0.03, 1e-14);
    close(flips.masked().unwrap(), 1.0 - 3.0 / 15.0, 1e-14);
    close(flips.became().unwrap(), 9.0 / 49.0, 1e-14);
    close(flips.ceased().unwrap(), 6.0 / 51.0, 1e-14);
    close(flips.odds().unwrap(), 1.5, 1e-14);
    let pairs = [(false, true), (true, false), (true, true), (false, false), (false, true)];
    assert_eq!(Flips::count(pairs), Flips { n00: 1, n01: 2, n10: 1, n11: 1 });
    assert_eq!((Flips::default().rate(), Flips::default().masked(), Flips::default().odds()), (None, None, None));
    // The variance of a mean of +1, 0 and −1 with items independent is the jackknife's.
    let d: Vec<f64> = [vec![1.0; 9], vec![-1.0; 6], vec![0.0; 85]].concat();
    let totals = Totals::new(2, (0..100).collect(), d.iter().flat_map(|d| [*d, 1.0]).collect(), vec![1; 100]).unwrap();
    let se = jackknife(&Design::simple(100), &totals, &Ratio).unwrap().se;
    close(flips.item_variance().unwrap(), se * se, 1e-12);
}

#[test]
fn metrics_have_their_published_values() {
    close(Ratio.value(&[3.0, 4.0]).unwrap(), 0.75, 1e-15);
    close(RatioDifference.value(&[3.0, 4.0, 1.0, 2.0]).unwrap(), 0.25, 1e-15);
    // s_DIS = 2·n_biased/n_non-unknown − 1.
    close(NormalisedDifference.value(&[30.0, 10.0]).unwrap(), 2.0 * 30.0 / 40.0 - 1.0, 1e-15);
    // With no invalid answer s_AMB is a plain mean of +1, −1 and 0; with accuracy .6, it is .4·s_DIS.
    close(ScaledBias.value(&[30.0, 10.0, 0.0, 100.0]).unwrap(), 0.2, 1e-15);
    close(ScaledBias.value(&[30.0, 10.0, 5.0, 100.0]).unwrap(), 0.45 * 0.5, 1e-15);
    close(Icat.value(&[90.0, 100.0, 50.0, 100.0]).unwrap(), 0.9, 1e-15);
    let range = |groups| RangeOf { inner: &Ratio, groups };
    close(range(3).value(&[1.0, 10.0, 5.0, 10.0, 3.0, 10.0]).unwrap(), 0.4, 1e-15);
    close(Distance { centre: 0.5 }.value(&[3.0, 10.0]).unwrap(), 0.2, 1e-15);
    for f in [
        &Ratio as &dyn Functional,
        &RatioDifference,
        &NormalisedDifference,
        &ScaledBias,
        &Icat,
        &Distance { centre: 0.5 },
    ] {
        assert_eq!(f.value(&vec![0.0; f.dim()]), None);
    }
    assert_eq!(range(2).value(&[1.0, 10.0, 0.0, 0.0]), None, "an empty subgroup must not look fair");
    assert_eq!(ScaledBias.value(&[0.0, 0.0, 0.0, 10.0]), None);
}

#[test]
fn difference_in_differences_is_a_paired_ratio_difference() {
    // Subgroup: 2/4 → 3/4; the rest: 5/10 → 4/10. Changes +.25 and −.1, so .35.
    let cell = PairedTotals::new(4, vec![0], &[2.0, 4.0, 5.0, 10.0], &[3.0, 4.0, 4.0, 10.0], vec![14]).unwrap();
    close(cell.estimate(&RatioDifference).unwrap(), 0.35, 1e-14);
}

#[test]
fn the_expanded_percentile_levels_are_hesterbergs() {
    // Replicates 0, 1, …, 10,000: a quantile at p is 10,000·p.
    let replicates = Replicates::new((0..=10_000).map(|b| Some(f64::from(b))));
    let found = expanded_percentile(&replicates, Level::P95, 25, 1).unwrap();
    let lower = dist::normal_cdf(-(25.0_f64 / 24.0).sqrt() * 2.063_898_561_628_026);
    all_close(&[found.interval.lower, found.interval.upper], &[10_000.0 * lower, 10_000.0 * (1.0 - lower)], 1e-10);
    // Half of √(B p q) ranks to either side, in units of one value per rank.
    let n = 10_001.0_f64;
    close(found.lower_error, 10_000.0 * (lower * (1.0 - lower) / n).sqrt(), 1e-10);
    assert!(!found.discrete());
    assert!(expanded_percentile(&replicates, Level::P95, 3, 3).is_err());
    // Many clusters: the plain percentile interval.
    let found = expanded_percentile(&replicates, Level::P95, 100_000_000, 1).unwrap();
    all_close(&[found.interval.lower, found.interval.upper], &[250.0, 9750.0], 1e-5);
}

#[test]
fn one_undefined_replicate_in_a_hundred_is_left_out_and_more_refuse() {
    let with = |undefined: usize| Replicates::new((0..10_000).map(|b| (b >= undefined).then_some((b % 997) as f64)));
    let found = expanded_percentile(&with(100), Level::P95, 30, 1).unwrap();
    assert_eq!(found.undefined, 100);
    let refused = expanded_percentile(&with(101), Level::P95, 30, 1);
    assert_eq!(refused, Err(Refusal::UndefinedReplicates { undefined: 101, replicates: 10_000 }));
    let coarse = Replicates::new((0..10_000).map(|b| Some(f64::from(b % 7))));
    let found = expanded_percentile(&coarse, Level::P95, 30, 1).unwrap();
    assert!(found.discrete());
    assert_eq!(found.distinct, 7);
}

#[test]
fn quantiles_are_of_type_seven() {
    // numpy.quantile([1, 2, 4, 8], [0, .1, .5, .9, 1])
    let sorted = [1.0, 2.0, 4.0, 8.0];
    let found: Vec<f64> = [0.0, 0.1, 0.5, 0.9, 1.0].iter().map(|p| quantile(&sorted, *p).unwrap()).collect();
    all_close(&found, &[1.0, 1.3, 3.0, 6.8, 8.0], 1e-14);
    assert_eq!(quantile(&[], 0.5), None);
}

#[test]
fn small_cells_are_refused_by_the_rules() {
    let cell = |clusters: u32, items: u32| {
        let rows: Vec<f64> = (0..clusters).flat_map(|g| [f64::from(g % 2), f64::from(items)]).collect();
        Totals::new(2, (0..clusters).collect(), rows, vec![items; clusters as usize]).unwrap()
    };
    let admit = |c: &Totals| admit_interval(c, c.clusters(), &Ratio);
    assert_eq!(admit(&cell(5, 40)), Err(Refusal::TooFewClusters { clusters: 5, needed: 6 }));
    assert_eq!(admit(&cell(6, 4)), Err(Refusal::TooFewItems { items: 24, needed: 30 }));
    assert_eq!(admit(&cell(6, 5)), Ok(()));
    assert_eq!(admit_interval(&cell(20, 5), 5, &Ratio), Err(Refusal::TooFewChanged { changed: 5, needed: 6 }));
    let few = Totals::new(2, (0..8).collect(), vec![0.5; 16], vec![5; 8]).unwrap();
    assert_eq!(
        admit_interval(&few, 8, &NormalisedDifference),
        Err(Refusal::SmallDenominator { support: 8.0, needed: 10.0 })
    );
    assert_eq!(admit_bootstrap(&cell(14, 40), 14, &Ratio), Err(Refusal::TooFewClusters { clusters: 14, needed: 15 }));
    assert_eq!(admit_bootstrap(&cell(15, 40), 15, &Ratio), Ok(()));
}

#[test]
fn one_giant_cluster_leaves_one_degree_of_freedom() {
    let mut items = vec![2; 19];
    items.push(100_000);
    let rows: Vec<f64> =
        items.iter().enumerate().flat_map(|(g, n)| [f64::from(*n) * (0.4 + 0.01 * g as f64), f64::from(*n)]).collect();
    let totals = Totals::new(2, (0..20).collect(), rows, items).unwrap();
    let found = jackknife(&Design::simple(20), &totals, &Ratio).unwrap();
    assert!(found.clusters_effective < 1.01, "{}", found.clusters_effective);
    close(found.df, 1.0, 1e-12);
}

#[test]
fn strata_with_one_touched_cluster_are_taken_together() {
    // Three strata of three; the cell touches three of the first and one of each of the others.
    let design = Design::stratified(&[0, 0, 0, 1, 1, 1, 2, 2, 2]).unwrap();
    let x = [1.0, 4.0, 2.0, 7.0, 3.0, 5.0];
    let cell =
        |clusters: Vec<u32>| Totals::new(2, clusters, x.iter().flat_map(|x| [*x, 1.0]).collect(), vec![1; 6]).unwrap();
    let found = jackknife(&design, &cell(vec![0, 1, 2, 3, 6, 7]), &Ratio).unwrap();
    assert_eq!(found.strata, 2, "the single cluster joins the largest stratum");
    let found =
        jackknife(&Design::stratified(&[0, 0, 0, 0, 1, 1, 2, 2]).unwrap(), &cell(vec![0, 1, 2, 3, 4, 6]), &Ratio);
    assert_eq!(found.unwrap().strata, 2, "two single clusters make a stratum");
}

#[test]
fn a_million_clusters_are_no_trouble() {
    let n = 1_000_000_u32;
    let rows: Vec<f64> = (0..n).flat_map(|g| [f64::from(g % 2), 1.0]).collect();
    let totals = Totals::new(2, (0..n).collect(), rows, vec![1; n as usize]).unwrap();
    let design = Design::simple(n as usize);
    let replicates = Weights::draw(&design, 300, &Stream::root(1)).replicates(&totals, &Ratio);
    let found = jackknife(&design, &totals, &Ratio).unwrap();
    close(found.se, 0.5 / 1000.0, 1e-6);
    let se = replicates.standard_error().unwrap();
    assert!((se / found.se - 1.0).abs() < 4.0 / 600_f64.sqrt(), "{se}");
}

#[test]
fn a_rate_of_zero_or_one_has_an_exact_bound() {
    let zero = rate::clopper_pearson(0.0, 20.0, Level::P90).unwrap();
    close(zero.upper, rate::none_seen(20, Level::P95), 1e-12);
    assert_eq!(zero.lower, 0.0);
    let one = rate::clopper_pearson(1.0, 20.0, Level::P90).unwrap();
    close(one.lower, 1.0 - zero.upper, 1e-12);
    assert_eq!((rate::wilson(1.2, 20.0, 5.0, Level::P95), rate::wilson(0.5, 0.0, 5.0, Level::P95)), (None, None));
    let wide = rate::wilson(0.3, 50.0, 8.0, Level::P95).unwrap();
    assert!(wide.width() > rate::wilson(0.3, 50.0, f64::INFINITY, Level::P95).unwrap().width());
    assert_eq!(rate::none_seen(0, Level::P95), 1.0);
}

#[test]
fn intervals_of_a_rate_without_t_have_few_clusters_in_their_size() {
    // t has a closed form with one and with two degrees of freedom: tan(πa/2) and a·√(2/(1 − a²)), a being the level.
    let (z, a) = (1.959_963_984_540_054_f64, 0.95_f64);
    let one = (std::f64::consts::FRAC_PI_2 * a).tan();
    let two = a * (2.0 / (1.0 - a * a)).sqrt();
    close(rate::fewer(10.0, 1.0, Level::P95), 10.0 * (z / one).powi(2), 1e-9);
    close(rate::fewer(10.0, 2.0, Level::P95), 10.0 * (z / two).powi(2), 1e-9);
    close(rate::fewer(10.0, f64::INFINITY, Level::P95), 10.0, 1e-12);
}

#[test]
fn the_resolution_rule_asks_for_twenty_times_the_family() {
    assert_eq!(resolution(63_999, 160, Level::P95), Resolution::Enough);
    assert_eq!(resolution(63_998, 160, Level::P95), Resolution::Limited { needed: 63_999 });
    assert_eq!(resolution(9_999, 25, Level::P95), Resolution::Enough);
}

#[test]
fn the_range_of_subgroups_that_do_not_differ_has_an_interval_from_zero() {
    let design = Design::simple(80);
    let weights = Weights::draw(&design, 4000, &Stream::root(4));
    let rates = |shift: f64| -> (Vec<f64>, Vec<Replicates>) {
        (0..4_u32)
            .map(|s| {
                let lift = if s == 3 { shift } else { 0.0 };
                let rows: Vec<f64> =
                    (0..80_u32).flat_map(|g| [f64::from((g * 7 + s * 3) % 5) + 4.0 * lift, 4.0]).collect();
                let totals = Totals::new(2, (0..80).collect(), rows, vec![4; 80]).unwrap();
                (totals.estimate(&Ratio).unwrap(), weights.replicates(&totals, &Ratio))
            })
            .unzip()
    };
    let (estimates, replicates) = rates(0.0);
    let references: Vec<&Replicates> = replicates.iter().collect();
    let found = range_interval(&estimates, &references, 80, 1, Level::P95).unwrap();
    assert!(found.lower == 0.0 && found.upper > 0.0, "{found:?}");
    let (estimates, replicates) = rates(1.0);
    let references: Vec<&Replicates> = replicates.iter().collect();
    let found = range_interval(&estimates, &references, 80, 1, Level::P95).unwrap();
    assert!(found.lower > 0.0 && found.contains(1.0), "{found:?}");
    let share = largest(&references).unwrap();
    assert!(share[3] > 0.999, "{share:?}");
    close(share.iter().sum(), 1.0, 1e-12);
    assert!(near_kink(0.51, 0.5, 0.01) && !near_kink(0.53, 0.5, 0.01));
    close(debiased_variance(&[1.0, 2.0, 3.0], &[0.5; 3]).unwrap(), 0.75, 1e-14);
    close(debiased_variance(&[1.0, 1.1, 1.2], &[0.5; 3]).unwrap(), 0.0, 1e-14);
}

#[test]
fn uncertainty_is_measured_on_known_cases() {
    close(auroc(&[1.0, 2.0, 3.0, 4.0], &[false, false, true, true]).unwrap(), 1.0, 1e-14);
    close(auroc(&[1.0, 2.0, 2.0, 4.0], &[false, true, false, true]).unwrap(), 0.875, 1e-14);
    assert_eq!(auroc(&[1.0, 2.0], &[true, true]), None);
    assert_eq!(auroc(&[1.0, f64::NEG_INFINITY], &[true, false]), None);
    close(normalised_entropy(&[0.25; 4]).unwrap(), 1.0, 1e-14);
    close(normalised_entropy(&[1.0, 0.0]).unwrap(), 0.0, 1e-14);
    close(total_variation(&[0.5, 0.5], &[0.9, 0.1]).unwrap(), 0.4, 1e-14);
    close(divergence(&[0.5, 0.5], &[0.25, 0.75]).unwrap(), 0.5 * 2.0_f64.ln() + 0.5 * (2.0_f64 / 3.0).ln(), 1e-14);
    assert_eq!(divergence(&[0.5, 0.5], &[1.0, 0.0]), None);
    assert_eq!(normalised_entropy(&[0.5, 0.1]), None);
    assert_eq!(terciles(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap(), [0, 0, 1, 1, 2, 2]);
    assert_eq!(terciles(&[3.0; 4]).unwrap(), [0; 4]);
}

#[test]
fn the_range_interval_of_two_subgroups_reaches_as_far_as_their_band() {
    // One subgroup fixed at 0, the other with replicates −1, …, 1 around 0, on ten clusters.
    let steps: Vec<f64> = (0..=2000).map(|b| f64::from(b) / 1000.0 - 1.0).collect();
    let fixed = Replicates::new(steps.iter().map(|_| Some(0.0)));
    let moving = Replicates::new(steps.iter().map(|x| Some(*x)));
    let found = range_interval(&[0.0, 0.0], &[&fixed, &moving], 10, 1, Level::P95).unwrap();
    // SD of the replicates by the sum of squares; 95 % of |replicates| lie within .95 of 0.
    let sd = (2.0 * (1..=1000).map(|k| f64::from(k * k) / 1e6).sum::<f64>() / 2000.0).sqrt();
    let c = -dist::t_quantile(dist::normal_cdf(-0.95 / sd), 9.0);
    assert_eq!(found.lower, 0.0);
    assert!((found.upper - c * sd * (10.0_f64 / 9.0).sqrt()).abs() < 2e-3, "{found:?}");
}
