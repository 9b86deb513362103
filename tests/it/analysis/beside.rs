//! Rows beside the contrasts: closed-form values, families, laws, and degenerate runs.

use super::*;
use quantbias::findings::{FlipRow, RangeRow, Tested};

/// Baseline, its repeat, and three schemes of 2, 4, and 8 bits.
fn ladder() -> Vec<SettingIdentity> {
    let bits = |scheme, bits| SettingIdentity { realised: realised(bits), ..setting(scheme, false) };
    vec![
        setting(QuantScheme::None, false),
        setting(QuantScheme::None, true),
        bits(QuantScheme::Q2K, 2.0),
        bits(QuantScheme::Q4K, 4.0),
        bits(QuantScheme::Q8_0, 8.0),
    ]
}

fn analysed(data: &BenchmarkData, rule: Rule<'_>) -> Findings {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    write_run(&path, data, ladder(), rule);
    analyze(&Run::open(&path).unwrap(), &plan()).unwrap()
}

/// Of 40 clusters of four pairs (woman, man, woman, man), all stereotyped under the baseline: at 2 bits one pair about a
/// woman turns in each of 20 clusters, at 4 bits in 10, at 8 bits in none; the repeat turns one pair about a man in 8.
fn turning(i: usize, setting: &str) -> bool {
    let (cluster, place) = (i / 4, i % 4);
    !match setting {
        "m@q2k" => cluster < 20 && place == 0,
        "m@q4k" => cluster < 10 && place == 0,
        "m@none+aa" => cluster < 8 && place == 1,
        _ => false,
    }
}

fn turned() -> Findings {
    analysed(&data(Measure::PairPreference, pairs(40)), &|i, _, setting| Ok(preferring(turning(i, setting))))
}

fn close(found: Option<f64>, expected: f64) {
    let found = found.expect("a number");
    assert!((found - expected).abs() < 1e-12, "found {found}, expected {expected}");
}

fn flips<'a>(found: &'a Findings, subgroup: &str, setting: &str) -> &'a FlipRow {
    found.flips.iter().find(|r| r.cell.subgroup == subgroup && r.setting == setting).expect("a row")
}

fn range<'a>(found: &'a Findings, setting: &str) -> &'a RangeRow {
    found.ranges.iter().find(|r| r.cell.axis == "gender" && r.setting == setting).expect("a row")
}

#[test]
fn flips_show_both_directions_and_the_excess_over_the_repeat() {
    let found = turned();
    let all = flips(&found, "all", "m@q2k");
    assert_eq!((all.counts.n00, all.counts.n01, all.counts.n10, all.counts.n11), (0, 0, 20, 140));
    close(Some(all.rate), 0.125);
    close(Some(all.net), -0.125);
    close(all.ceased, 0.125);
    close(all.masked, 0.0);
    assert_eq!(all.became, None, "no item was unbiased before");
    close(all.aa_rate, 0.05);
    close(all.excess, 0.075);
    assert!(all.excess_test.is_some() && all.excess_interval.unwrap().lower < 0.075);
    let repeat = flips(&found, "all", "m@none+aa");
    assert!(repeat.aa && repeat.excess.is_none() && repeat.excess_test.is_none());
    // Clusters hold four items, so McNemar has no place here.
    assert_eq!(all.mcnemar, None);
}

#[test]
fn mcnemar_stands_where_every_cluster_is_one_item() {
    let mut items = pairs(30);
    for item in &mut items {
        item.cluster = ClusterId::new(item.id.to_string());
    }
    let found = analysed(&data(Measure::PairPreference, items), &|i, _, setting| {
        Ok(preferring(setting == "m@none" && i >= 7 || setting != "m@none" && i < 102))
    });
    let all = flips(&found, "all", "m@q2k");
    assert_eq!((all.counts.n01, all.counts.n10), (7, 18));
    // statsmodels: mcnemar with b = 7, c = 18.
    assert!((all.mcnemar.unwrap() - 0.043_285_250_663_757_324).abs() < 1e-12);
    // The exact test over clusters is the same where each is one item.
    assert!((all.net_exact.unwrap() - 0.043_285_250_663_757_324).abs() < 1e-12);
    assert!((all.mcnemar_mid.unwrap() - 0.028_959_274_291_992_184).abs() < 1e-12);
}

#[test]
fn ranges_name_their_ends_and_stand_beside_what_chance_gives() {
    let found = turned();
    let (base, low) = (range(&found, "m@none"), range(&found, "m@q2k"));
    assert_eq!((base.value, base.change, base.against.as_deref()), (Some(0.0), None, None));
    close(low.value, 0.25);
    close(low.change, 0.25);
    assert_eq!((low.lowest.as_deref(), low.highest.as_deref()), (Some("woman"), Some("man")));
    let band = low.null_band.unwrap();
    assert!(band[0] <= low.null_mean.unwrap() && low.null_mean.unwrap() <= band[1] && band[1] < 0.25);
    // 20 clusters whose labels must all lie one way: p is the smallest that the draws allow.
    let test = low.test.as_ref().unwrap();
    assert!((test.p - 1.0 / 2000.0).abs() < 1e-12 && test.resolution_limited == (20.0 * 5.0 / 0.05 > 2000.0));
    assert!(range(&found, "m@none+aa").aa);
}

#[test]
fn trends_have_the_slopes_of_least_squares() {
    let found = turned();
    let slope = |scores: &str, subgroup: &str| {
        let is = |r: &&quantbias::findings::TrendRow| {
            r.scores == scores && r.cell.subgroup == subgroup && r.scheme_family == "all"
        };
        found.trends.iter().find(is).expect("a row")
    };
    // Bits 2, 4, 8, 32 and values 7/8, 15/16, 1, 1: np.polyfit of the values on 1..4, log2 bits, and 2^-bits.
    let rank = slope("rank", "all");
    assert_eq!(rank.settings, ["m@q2k", "m@q4k", "m@q8_0", "m@none"]);
    assert_eq!(rank.values, [Some(0.875), Some(0.9375), Some(1.0), Some(1.0)]);
    close(rank.slope, 0.043_75);
    close(slope("log2", "all").slope, 0.030_357_142_857_142_88);
    close(slope("step", "all").slope, -0.491_014_653_200_641_5);
    close(slope("rank", "woman").slope, 0.0875);
    close(slope("rank", "man").slope, 0.0);
    let cliffs = [(2.0, 0.875 - 2.9375 / 3.0), (4.0, 0.90625 - 1.0), (8.0, 0.9375 - 1.0)];
    assert_eq!(rank.change_points.len(), cliffs.len());
    for (point, (at_most, difference)) in rank.change_points.iter().zip(cliffs) {
        assert_eq!(point.at_most, at_most);
        close(Some(point.difference), difference);
    }
    assert!(rank.change_points.iter().all(|c| c.p_adjusted >= c.p));
    assert!(rank.interval.unwrap().lower > 0.0 && rank.test.as_ref().unwrap().p < 0.01);
}

#[test]
fn differences_in_differences_are_those_of_the_subgroups() {
    let found = turned();
    let row = found.heterogeneity.iter().find(|r| r.setting == "m@q2k").unwrap();
    let women = row.differences.iter().find(|d| d.subgroup == "woman").unwrap();
    close(women.change, -0.25);
    close(women.rest, 0.0);
    close(women.difference, -0.25);
    // Only one subgroup changed, so there is no Q; what there is says so.
    assert!(row.q.is_none() && row.subgroups == 1 && row.note.is_some());
}

#[test]
fn missing_answers_are_bounded_by_the_ends_of_the_range() {
    let found = analysed(&data(Measure::PairPreference, pairs(40)), &|i, _, setting| {
        if setting == "m@q2k" && i % 20 == 0 {
            Err(AskError::Engine { reason: "it broke".to_owned() })
        } else {
            Ok(preferring(true))
        }
    });
    let is = |r: &&quantbias::findings::MissingRow| r.cell.subgroup == "all" && r.setting == "m@q2k";
    let row = found.missing.iter().find(is).unwrap();
    assert_eq!((row.items, row.one_side, row.neither), (160, 8, 0));
    let delta = |name: &str| row.treatments.iter().find(|t| t.treatment == name).unwrap().delta;
    close(delta("complete_pairs"), 0.0);
    close(delta("worst_case"), 0.0);
    close(delta("best_case"), -8.0 / 160.0);
    close(delta("own_category"), -4.0 / 160.0);
    assert!(found.missing.iter().all(|r| r.setting == "m@q2k"), "others lack nothing");
    let outcome = found.outcomes.iter().find(|r| r.outcome == "failed" && r.cell.subgroup == "all").unwrap();
    assert_eq!(outcome.setting, "m@none+aa", "the A/A repeat comes first");
    let outcome = found.outcomes.iter().find(|r| r.setting == "m@q2k" && r.outcome == "failed").unwrap();
    assert_eq!((outcome.baseline_rate, outcome.setting_rate, outcome.delta), (0.0, 0.05, 0.05));
    // At 0 %: Clopper–Pearson with the 40 clusters, 1 − 0.025^(1/40).
    let upper = outcome.baseline_interval.unwrap().upper;
    assert!((upper - (1.0 - 0.025_f64.powf(1.0 / 40.0))).abs() < 1e-12);
}

/// Every test of the rows beside the contrasts, with whether it is of a control.
fn tests(found: &Findings) -> Vec<(bool, &Tested)> {
    let mut all: Vec<(bool, &Tested)> = Vec::new();
    all.extend(found.ranges.iter().filter_map(|r| Some((r.aa, r.test.as_ref()?))));
    for row in &found.heterogeneity {
        all.extend(row.test.iter().map(|t| (row.aa, t)));
        all.extend(row.differences.iter().filter_map(|d| Some((row.aa, d.test.as_ref()?))));
    }
    all.extend(found.flips.iter().filter_map(|r| Some((r.aa, r.excess_test.as_ref()?))));
    for row in &found.distributions {
        let moved = row.divergence.iter().chain(&row.total_variation);
        all.extend(moved.filter_map(|m| Some((row.aa, m.excess_test.as_ref()?))));
    }
    all.extend(found.outcomes.iter().filter_map(|r| Some((r.aa, r.test.as_ref()?))));
    all.extend(found.omnibus.iter().filter_map(|r| Some((false, r.test.as_ref()?))));
    all.extend(found.trends.iter().filter_map(|r| Some((false, r.test.as_ref()?))));
    all
}

#[test]
fn every_hypothesis_beside_the_contrasts_belongs_to_one_family() {
    let found = turned();
    let all = tests(&found);
    assert!(all.len() > 20);
    // The repeat changed nothing here, so that no excess over it is a hypothesis.
    let silent: Vec<_> = found.flips.iter().filter(|r| r.aa_rate == Some(0.0)).collect();
    assert!(!silent.is_empty() && silent.iter().all(|r| r.excess_test.is_none() && r.excess_note.is_some()));
    for (control, test) in &all {
        assert_eq!(test.family.is_none(), *control, "{test:?}");
        if let Some(adjusted) = test.p_adjusted {
            assert!(adjusted >= test.p && test.significant == (adjusted <= 0.05 + 1e-12), "{test:?}");
        }
    }
    for family in found.families.iter().filter(|f| f.title.ends_with("(exploratory)") && !f.id.starts_with("explor")) {
        let own: Vec<_> = all.iter().filter(|(_, t)| t.family.as_ref() == Some(&family.id)).collect();
        assert_eq!(own.len() as u64, family.tested, "{}", family.id);
        assert_eq!(own.iter().filter(|(_, t)| t.significant).count() as u64, family.rejected);
    }
    let ids: BTreeSet<&String> = found.families.iter().map(|f| &f.id).collect();
    assert_eq!(ids.len(), found.families.len());
}

/// The rows beside the contrasts as text, without what a comparison is not about.
fn beside(found: &Findings) -> String {
    let Findings { ranges, heterogeneity, shrunk, flips, uncertainty, .. } = found;
    let first = serde_json::to_string(&(ranges, heterogeneity, shrunk, flips, uncertainty)).unwrap();
    let Findings { distributions, outcomes, omnibus, trends, missing, sensitivity, power, .. } = found;
    let second = serde_json::to_string(&(distributions, outcomes, omnibus, trends, missing, sensitivity, power));
    first + &second.unwrap()
}

/// Answers that depend on the item alone, varied enough that nothing is degenerate.
fn varied(item: &Item, setting: &str) -> Answer {
    let n: u64 = item.id.to_string()[1..].parse().unwrap();
    let salt = setting.len() as u64 * 7 + u64::from(setting.ends_with('k'));
    let mix = |k: u64| (n * 2_654_435_761 + k * 40_503).wrapping_mul(11_400_714_819_323_198_485) >> 40;
    let base = mix(1) as f64 / 16_777_216.0;
    let noise = if setting == "m@none" { 0.0 } else { mix(salt) as f64 / 16_777_216.0 - 0.5 };
    scored(&[-1.0, -1.5 + base + 0.3 * noise])
}

#[test]
fn item_order_and_thread_count_change_no_bit_beside_the_contrasts() {
    let run = |items: Vec<Item>, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let data = data(Measure::PairPreference, items);
        pool.install(|| beside(&analysed(&data, &|_, item, setting| Ok(varied(item, setting)))))
    };
    let forward = run(pairs(30), 1);
    assert!(forward.len() > 10_000);
    assert_eq!(forward, run(pairs(30), 3));
    let mut backward = pairs(30);
    backward.reverse();
    assert_eq!(forward, run(backward, 2));
}

#[test]
fn relabelled_subgroups_keep_their_gap() {
    let items = |rename: bool| {
        let mut items = pairs(30);
        for item in items.iter_mut().filter(|_| rename) {
            item.subgroups[0].name = format!("x-{}", item.subgroups[0].name);
        }
        items
    };
    let of = |rename: bool| {
        let data = data(Measure::PairPreference, items(rename));
        analysed(&data, &|_, item, setting| Ok(varied(item, setting)))
    };
    let (plain, renamed) = (of(false), of(true));
    for (a, b) in plain.ranges.iter().zip(&renamed.ranges) {
        assert_eq!((a.value, a.spread, a.change, a.null_mean), (b.value, b.spread, b.change, b.null_mean));
        assert_eq!(b.lowest, a.lowest.as_ref().map(|l| format!("x-{l}")));
    }
}

#[test]
fn degenerate_runs_are_analysed_without_a_made_up_number() {
    let broken = || Err(AskError::Engine { reason: "it broke".to_owned() });
    let rules: [(&str, usize, Rule<'_>); 7] = [
        ("no change at all", 20, &|_, _, _| Ok(preferring(true))),
        ("all changed", 20, &|_, _, setting| Ok(preferring(setting == "m@none"))),
        ("one cluster", 1, &|i, _, setting| Ok(preferring(setting == "m@none" || i % 2 == 0))),
        ("nothing answered", 20, &|_, _, _| broken()),
        ("baseline unanswered", 20, &|_, _, setting| if setting == "m@none" { broken() } else { Ok(preferring(true)) }),
        ("a subgroup unanswered in a setting", 20, &|i, _, setting| {
            if setting == "m@q2k" && i % 2 == 0 { broken() } else { Ok(preferring(i % 3 == 0)) }
        }),
        ("infinite log-probabilities", 20, &|i, _, setting| {
            let infinite = setting == "m@q2k" && i % 5 == 0;
            Ok(if infinite { scored(&[f64::NEG_INFINITY, -1.0]) } else { preferring(i % 3 == 0) })
        }),
    ];
    for (name, clusters, rule) in rules {
        let found = analysed(&data(Measure::PairPreference, pairs(clusters)), rule);
        // What is not a number would be `null` in a field that must be one, and the file could not be read back.
        let text = serde_json::to_string(&found).unwrap();
        let back: Result<Findings, _> = serde_json::from_str(&text);
        assert!(back.is_ok_and(|back| serde_json::to_string(&back).unwrap() == text), "{name}");
        for (_, test) in tests(&found) {
            assert!(test.p > 0.0 && test.p <= 1.0, "{name}: {test:?}");
        }
        if name.starts_with("a subgroup") {
            let row = range(&found, "m@q2k");
            assert!(row.value.is_none() && row.change.is_none() && row.note.is_some(), "{row:?}");
        }
        if name == "no change at all" {
            assert!(found.power.is_empty() && found.shrunk.is_empty());
            assert!(found.trends.iter().all(|t| t.slope == Some(0.0) && t.interval.is_none()));
        }
    }
}

#[test]
fn cells_that_did_not_pass_say_what_it_would_take() {
    let data = data(Measure::PairPreference, pairs(40));
    let found = analysed(&data, &|i, _, setting| Ok(preferring(!turning(i, setting))));
    let row = row(&found, "stereotype_score", "woman", "m@q2k");
    // The score rose by .25, and the margin is .1: that the change is at least the margin cannot be rejected.
    assert_eq!((row.delta, row.verdict), (Some(0.25), Some(Verdict::Fail)));
    assert!(row.p_margin.unwrap() > 0.99 && row.items_needed.is_none());
    let passed = found.contrasts.iter().find(|r| r.verdict == Some(Verdict::Pass)).unwrap();
    assert!(passed.p_margin.is_none() && passed.items_needed.is_none());
    assert!(row.limit_errors.unwrap().iter().all(|e| *e >= 0.0 && *e < 0.01));
    let power = found.power.iter().find(|p| p.cell == row.cell && p.setting == row.setting).unwrap();
    let now = power.curve.iter().find(|p| p.items == row.items).unwrap();
    close(Some(now.mde), power.mde);
    assert!(power.curve.windows(2).all(|w| w[0].mde > w[1].mde));
}
