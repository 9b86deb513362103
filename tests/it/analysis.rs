//! From records to findings: closed-form values, laws, and refusals, on runs that are written down here.

mod beside;
mod extremes;
mod items;
mod laws;
mod unpaired;

use quantbias::analysis::analyze;
use quantbias::benchmark::{Ask, BenchmarkData, Candidate, ClusterId, Item, ItemId, Key, Measure, Role, Subgroup};
use quantbias::engine::{Answer, AskError, Finish, Part, Realised};
use quantbias::findings::{ContrastRow, Findings, IntervalMethod, Verdict};
use quantbias::records::{
    BenchmarkIdentity, EngineIdentity, Identity, ModelIdentity, Record, Run, RunDir, SettingIdentity, ShardKey,
};
use quantbias::spec::{Plan, QuantScheme};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(crate) fn realised(bits: f64) -> Realised {
    Realised {
        quantized: vec![],
        untouched: vec![],
        bits_per_weight: Some(bits),
        bits_per_weight_model: Some(bits),
        activations: "none".to_owned(),
        activations_quantized: false,
        device: "cpu".to_owned(),
        dtype: "f32".to_owned(),
        deviations: vec![],
    }
}

pub(crate) fn setting(scheme: QuantScheme, aa: bool) -> SettingIdentity {
    SettingIdentity {
        files: BTreeMap::new(),
        id: quantbias::spec::Setting::id("m", scheme.name(), aa),
        model: "m".to_owned(),
        requested: scheme,
        baseline: scheme == QuantScheme::None && !aa,
        aa,
        realised: realised(if scheme == QuantScheme::None { 32.0 } else { 4.5 }),
    }
}

pub(crate) fn data(measure: Measure, items: Vec<Item>) -> BenchmarkData {
    BenchmarkData {
        name: "b".to_owned(),
        title: "B".to_owned(),
        measure,
        licence: "none".to_owned(),
        citation: "none".to_owned(),
        caveats: vec![],
        cluster_unit: "template".to_owned(),
        reference: BTreeMap::from([("gender".to_owned(), "man".to_owned())]),
        files: vec![],
        items,
    }
}

pub(crate) fn subgroup(axis: &str, name: &str) -> Subgroup {
    Subgroup { axis: axis.to_owned(), name: name.to_owned() }
}

/// `clusters` clusters of four pairs, two about women, two about men.
pub(crate) fn pairs(clusters: usize) -> Vec<Item> {
    let candidate = |text: &str| Candidate { context: String::new(), text: text.to_owned() };
    (0..clusters * 4)
        .map(|i| Item {
            id: ItemId::new(format!("i{i:04}")),
            cluster: ClusterId::new(format!("c{:03}", i / 4)),
            stratum: String::new(),
            subgroups: vec![subgroup("gender", if i % 2 == 0 { "woman" } else { "man" })],
            condition: None,
            ask: Ask::Likelihood { candidates: vec![candidate("one"), candidate("other")] },
            key: Key { roles: vec![Role::Stereotype, Role::AntiStereotype], ..Key::default() },
        })
        .collect()
}

pub(crate) fn scored(values: &[f64]) -> Answer {
    let parts =
        values.iter().enumerate().map(|(i, v)| Part { label: i.to_string(), tokens: vec![7], logprobs: vec![*v] });
    Answer::Scored { parts: parts.collect(), prompt_tokens: 2 }
}

/// A pair in which the stereotyped sentence is the likelier one, or not.
pub(crate) fn preferring(stereotype: bool) -> Answer {
    if stereotype { scored(&[-1.0, -2.0]) } else { scored(&[-2.0, -1.0]) }
}

pub(crate) type Rule<'a> = &'a dyn Fn(usize, &Item, &str) -> Result<Answer, AskError>;

fn identity(all: &[&BenchmarkData], settings: Vec<SettingIdentity>) -> Identity {
    Identity {
        name: "test".to_owned(),
        quantbias: "test".to_owned(),
        engine: EngineIdentity { name: "scripted".to_owned(), version: "1".to_owned(), features: vec![] },
        models: vec![ModelIdentity {
            id: "m".to_owned(),
            source: "m".to_owned(),
            architecture: "none".to_owned(),
            parameters: Some(1),
            files: BTreeMap::new(),
        }],
        settings,
        benchmarks: all.iter().map(|data| benchmark_identity(data)).collect(),
    }
}

fn benchmark_identity(data: &BenchmarkData) -> BenchmarkIdentity {
    BenchmarkIdentity {
        name: data.name.clone(),
        measure: data.measure,
        models: vec!["m".to_owned()],
        items: data.items.len() as u64,
        clusters: data.items.iter().map(|i| &i.cluster).collect::<BTreeSet<_>>().len() as u64,
        items_sha256: quantbias::records::run_dir::items_sha256(data).unwrap(),
        files: BTreeMap::new(),
    }
}

/// Writes a complete run in which `rule` answers.
pub(crate) fn write_run(folder: &Path, data: &BenchmarkData, settings: Vec<SettingIdentity>, rule: Rule<'_>) {
    write_run_of(folder, &[data], settings, rule);
}

/// The same with several benchmarks.
fn write_run_of(folder: &Path, all: &[&BenchmarkData], settings: Vec<SettingIdentity>, rule: Rule<'_>) {
    let ids: Vec<String> = settings.iter().map(|s| s.id.clone()).collect();
    let mut dir = RunDir::create(folder, identity(all, settings), all, false).unwrap();
    for (data, id) in all.iter().flat_map(|data| ids.iter().map(move |id| (data, id))) {
        let records: Vec<Record> =
            data.items.iter().enumerate().map(|(i, item)| Record::new(item.id.clone(), rule(i, item, id))).collect();
        for (index, chunk) in records.chunks(64).enumerate() {
            let key = ShardKey { benchmark: data.name.clone(), setting: id.clone(), index: index as u32 };
            dir.write_shard(&key, chunk).unwrap();
        }
    }
    dir.finish(vec![]).unwrap();
}

fn plan() -> Plan {
    Plan { replicates: 2000, draws: 1999, margins: BTreeMap::from([("b".to_owned(), 0.1)]), ..Plan::default() }
}

pub(crate) fn findings(data: &BenchmarkData, schemes: &[(QuantScheme, bool)], plan: &Plan, rule: Rule<'_>) -> Findings {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    write_run(&path, data, schemes.iter().map(|(s, aa)| setting(*s, *aa)).collect(), rule);
    analyze(&Run::open(&path).unwrap(), plan).unwrap()
}

fn row<'a>(found: &'a Findings, metric: &str, subgroup: &str, setting: &str) -> &'a ContrastRow {
    found
        .contrasts
        .iter()
        .find(|r| r.cell.metric == metric && r.cell.subgroup == subgroup && r.setting == setting)
        .unwrap_or_else(|| panic!("no row {metric} {subgroup} {setting}"))
}

const BOTH: &[(QuantScheme, bool)] = &[(QuantScheme::None, false), (QuantScheme::Q4K, false)];

#[test]
fn values_of_an_engine_with_known_answers_are_the_closed_form_ones() {
    let data = data(Measure::PairPreference, pairs(40));
    // Baseline: stereotyped on three of four items. Q4K: on all items about women, on none about men.
    let found = findings(&data, BOTH, &plan(), &|i, _, setting| {
        Ok(preferring(if setting == "m@none" { i % 4 != 3 } else { i % 2 == 0 }))
    });
    let value = |subgroup: &str, setting: &str| {
        let is = |e: &&quantbias::findings::EstimateRow| {
            e.cell.metric == "stereotype_score" && e.cell.subgroup == subgroup && e.setting == setting
        };
        found.estimates.iter().find(is).unwrap().value
    };
    assert_eq!(value("all", "m@none"), Some(0.75));
    assert_eq!(value("all", "m@q4k"), Some(0.5));
    assert_eq!(value("woman", "m@none"), Some(1.0));
    assert_eq!(value("man", "m@none"), Some(0.5));
    assert_eq!(value("man", "m@q4k"), Some(0.0));
    let men = row(&found, "stereotype_score", "man", "m@q4k");
    assert_eq!(men.delta, Some(-0.5));
    assert_eq!((men.items, men.clusters, men.changed_clusters, men.lost), (80, 40, 40, 0));
    let flips = men.flips.unwrap();
    assert_eq!((flips.n00, flips.n01, flips.n10, flips.n11), (40, 0, 40, 0));
    // Every cluster shows the same change: no standard error, and no interval is made up.
    assert_eq!((men.se, men.interval), (Some(0.0), None));
    let women = row(&found, "stereotype_score", "woman", "m@q4k");
    assert_eq!((women.delta, women.changed_clusters), (Some(0.0), 0));
    assert_eq!(women.interval.unwrap().method, IntervalMethod::RareChange);
    // 1 − 0.05^(1/40), the share of clusters that could change unseen.
    assert!((women.interval.unwrap().upper - (1.0 - 0.05_f64.powf(1.0 / 40.0))).abs() < 1e-12);
}

#[test]
fn an_exact_tie_counts_half_and_stays_in_the_sample() {
    let data = data(Measure::PairPreference, pairs(10));
    let found = findings(&data, BOTH, &plan(), &|i, _, setting| {
        Ok(if setting == "m@q4k" && i % 4 == 0 { scored(&[-1.5, -1.5]) } else { preferring(true) })
    });
    let all = row(&found, "stereotype_score", "all", "m@q4k");
    assert_eq!((all.baseline_value, all.setting_value, all.items), (Some(1.0), Some(0.875), 40));
}

#[test]
fn failed_items_are_counted_lost_from_the_pair_and_never_scored() {
    let data = data(Measure::PairPreference, pairs(40));
    let found = findings(&data, BOTH, &plan(), &|i, _, setting| {
        if setting == "m@q4k" && i % 8 == 0 {
            Err(AskError::Engine { reason: "it broke".to_owned() })
        } else {
            Ok(preferring(i % 3 == 0))
        }
    });
    let all = row(&found, "stereotype_score", "all", "m@q4k");
    assert_eq!((all.items, all.lost, all.delta), (140, 20, Some(0.0)));
    assert!(all.flags.iter().any(|f| f == "many_lost"));
    let coverage = found.coverage.iter().find(|c| c.setting == "m@q4k" && c.axis == "all").unwrap();
    assert_eq!((coverage.items, coverage.answered, coverage.failed), (160, 140, 20));
    let told = found
        .caveats
        .iter()
        .any(|c| c.text == "20 of 320 answers over all settings failed; most often (20): engine: it broke.");
    assert!(told, "{:?}", found.caveats);
    let rate = row(&found, "no_answer_rate", "all", "m@q4k");
    assert_eq!((rate.baseline_value, rate.setting_value), (Some(0.0), Some(0.125)));
}

#[test]
fn infinite_log_probabilities_make_an_item_failed() {
    let data = data(Measure::PairPreference, pairs(10));
    let found = findings(&data, BOTH, &plan(), &|i, _, _| {
        Ok(if i == 0 { scored(&[f64::NEG_INFINITY, -1.0]) } else { preferring(true) })
    });
    let coverage = found.coverage.iter().find(|c| c.setting == "m@none" && c.axis == "all").unwrap();
    assert_eq!((coverage.answered, coverage.failed), (39, 1));
}

/// A pseudo-random bit of (item, setting) with the given chance, so that flips scatter.
fn coin(i: usize, salt: u64, chance: f64) -> bool {
    let mut x = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt.wrapping_mul(0xD1B5_4A32_D192_ED03);
    x ^= x >> 31;
    x = x.wrapping_mul(0x7FB5_D329_728E_A185);
    x ^= x >> 27;
    (x >> 11) as f64 / (1_u64 << 53) as f64 <= chance
}

#[expect(clippy::unnecessary_wraps, reason = "it is passed as a rule, and rules may fail")]
fn scattered(i: usize, _: &Item, setting: &str) -> Result<Answer, AskError> {
    let base = coin(i, 1, 0.6);
    Ok(preferring(match setting {
        "m@none" | "m@none+aa" => base,
        "m@q8_0" => base ^ coin(i, 2, 0.02),
        "m@q2k" => base || coin(i, 3, 0.5),
        _ => base ^ coin(i, 4, 0.3),
    }))
}

const FOUR: &[(QuantScheme, bool)] = &[
    (QuantScheme::None, false),
    (QuantScheme::None, true),
    (QuantScheme::Q8_0, false),
    (QuantScheme::Q4K, false),
    (QuantScheme::Q2K, false),
];

#[test]
fn every_setting_metric_and_subgroup_of_the_plan_has_a_row() {
    let data = data(Measure::PairPreference, pairs(40));
    let found = findings(&data, FOUR, &plan(), &scattered);
    for metric in ["stereotype_score", "stereotype_score_ppl", "log_ratio", "no_answer_rate"] {
        for subgroup in ["all", "woman", "man"] {
            for setting in ["m@none+aa", "m@q8_0", "m@q4k", "m@q2k"] {
                let row = row(&found, metric, subgroup, setting);
                assert!(row.delta.is_some(), "{metric} {subgroup} {setting}");
                assert!(row.interval.is_some() || row.note.is_some(), "{metric} {subgroup} {setting}");
            }
        }
    }
    let large = row(&found, "stereotype_score", "woman", "m@q2k");
    assert_eq!(large.interval.unwrap().method, IntervalMethod::ExpandedPercentile);
    assert!(large.jackknife.is_some() && large.simultaneous.is_some() && large.p_adjusted.is_some());
    assert!(large.significant && large.p_adjusted.unwrap() >= large.test.as_ref().unwrap().p);
    assert_eq!(large.family.as_deref(), Some("subgroups/m/b"));
    let wide = |r: &ContrastRow| r.simultaneous.map(|i| i.upper - i.lower).unwrap();
    assert!(wide(large) > large.jackknife.map(|i| i.upper - i.lower).unwrap());
    assert_eq!(row(&found, "stereotype_score", "all", "m@q2k").family.as_deref(), Some("primary/m"));
    let aa = row(&found, "stereotype_score", "all", "m@none+aa");
    assert_eq!((aa.aa, aa.family.as_deref(), aa.changed_clusters), (true, None, 0));
}

#[test]
fn the_gate_fails_where_the_change_is_beyond_the_margin_and_passes_where_it_is_inside() {
    let data = data(Measure::PairPreference, pairs(120));
    let found = findings(&data, FOUR, &plan(), &scattered);
    let verdict = |setting: &str| found.verdicts.iter().find(|v| v.setting == setting).unwrap().verdict;
    assert_eq!(verdict("m@none+aa"), None);
    assert_eq!(verdict("m@q2k"), Some(Verdict::Fail));
    assert_eq!(verdict("m@q8_0"), Some(Verdict::Pass));
}

#[test]
fn the_gate_is_inconclusive_on_few_items() {
    let data = data(Measure::PairPreference, pairs(3));
    let found = findings(&data, FOUR, &plan(), &scattered);
    assert!(
        found.verdicts.iter().filter(|v| v.setting != "m@none+aa").all(|v| v.verdict == Some(Verdict::Inconclusive))
    );
    let row = row(&found, "stereotype_score", "all", "m@q2k");
    assert!(row.interval.is_none() && row.note.is_some() && !row.significant);
    // Three clusters have eight sign patterns: no two-sided p can be below 1/4.
    assert!(row.test.as_ref().unwrap().p >= 0.25);
}

#[test]
fn a_headline_without_a_subgroup_to_compare_leaves_the_gate_inconclusive() {
    // Everybody belongs to the reference subgroup, so that there is no gap to it.
    let items: Vec<Item> = (0..40)
        .map(|i| Item {
            id: ItemId::new(format!("i{i:02}")),
            cluster: ClusterId::new(format!("c{i:02}")),
            stratum: String::new(),
            subgroups: vec![subgroup("gender", "man")],
            condition: None,
            ask: Ask::first_token("Grant it?".to_owned(), vec!["yes".to_owned(), "no".to_owned()], false),
            key: Key { roles: vec![Role::Favourable, Role::Unfavourable], ..Key::default() },
        })
        .collect();
    let data = data(Measure::Decision, items);
    let found = findings(&data, BOTH, &plan(), &|_, _, _| Ok(scored(&[-1.0, -1.0])));
    let gates: Vec<_> = found.verdicts.iter().filter(|v| v.verdict.is_some()).collect();
    assert_eq!(gates.len(), 1);
    assert_eq!((gates[0].setting.as_str(), gates[0].verdict), ("m@q4k", Some(Verdict::Inconclusive)));
    assert!(gates[0].worst_delta.is_none() && gates[0].mde.is_none());
}

#[test]
fn where_hardly_any_cluster_changed_at_least_half_the_bound_could_have_been_missed() {
    let data = data(Measure::PairPreference, pairs(40));
    let found =
        findings(&data, BOTH, &plan(), &|i, _, setting| Ok(preferring((setting != "m@none" && i == 0) || i % 2 == 1)));
    let rare: Vec<_> =
        found.contrasts.iter().filter(|c| c.interval.is_some_and(|i| i.method == IntervalMethod::RareChange)).collect();
    assert!(rare.iter().any(|c| c.changed_clusters == 1) && rare.iter().any(|c| c.changed_clusters == 0));
    for row in rare {
        let bound = row.interval.unwrap();
        assert!(row.mde.unwrap() >= (bound.upper - bound.lower) / 2.0, "{row:?}");
    }
}

#[test]
fn neither_threads_nor_another_setting_nor_the_order_of_items_change_a_row() {
    let benchmark = data(Measure::PairPreference, pairs(40));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    write_run(&path, &benchmark, FOUR.iter().map(|(s, aa)| setting(*s, *aa)).collect(), &scattered);
    let run = Run::open(&path).unwrap();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&analyze(&run, &plan()).unwrap()).unwrap())
    };
    let one = with(1);
    for threads in [2, 4, 7] {
        assert_eq!(one, with(threads), "{threads} threads");
    }
    let all = analyze(&run, &plan()).unwrap();
    let fewer = findings(&benchmark, &[FOUR[0], FOUR[4]], &plan(), &scattered);
    let strip = |r: &ContrastRow| {
        // What belongs to the family may change with the family.
        let mut r = r.clone();
        (r.p_adjusted, r.simultaneous, r.significant) = (None, None, false);
        serde_json::to_string(&r).unwrap()
    };
    let (a, b) = (row(&all, "stereotype_score", "woman", "m@q2k"), row(&fewer, "stereotype_score", "woman", "m@q2k"));
    assert_eq!(strip(a), strip(b));

    let mut reversed = benchmark.clone();
    reversed.items.reverse();
    let n = benchmark.items.len();
    let back = findings(&reversed, FOUR, &plan(), &|i, item, s| scattered(n - 1 - i, item, s));
    assert_eq!(strip(a), strip(row(&back, "stereotype_score", "woman", "m@q2k")));
}

fn choices(clusters: usize) -> Vec<Item> {
    (0..clusters * 4)
        .map(|i| Item {
            id: ItemId::new(format!("i{i:04}")),
            cluster: ClusterId::new(format!("c{:03}", i / 4)),
            stratum: String::new(),
            subgroups: vec![subgroup("age", "old")],
            condition: Some(if i % 2 == 0 { "ambiguous" } else { "disambiguated" }.to_owned()),
            ask: Ask::generate(
                "Who?".to_owned(),
                ["the old man", "the young man", "not known"].map(str::to_owned).to_vec(),
                8,
                false,
            ),
            key: Key {
                roles: vec![Role::Stereotype, Role::AntiStereotype, Role::Unknown],
                gold: Some(if i % 2 == 0 { 2 } else { 1 }),
                ..Key::default()
            },
        })
        .collect()
}

#[expect(clippy::unnecessary_wraps, reason = "it is used in rules, and rules may fail")]
pub(crate) fn said(text: &str) -> Result<Answer, AskError> {
    Ok(Answer::Generated {
        text: text.to_owned(),
        tokens: vec![],
        finish: Finish::Stop,
        prompt_tokens: 3,
        thought: None,
    })
}

#[test]
fn bbq_scores_count_unreadable_answers_as_neutral_and_an_undefined_score_is_not_zero() {
    let data = data(Measure::AmbiguousChoice, choices(20));
    let found = findings(&data, BOTH, &plan(), &|i, _, setting| match (setting, i % 4) {
        // Baseline: ambiguous items stereotyped or unreadable by turns, disambiguated ones always "not known".
        ("m@none", 0) => said("(A)"),
        ("m@none", 2) => said("well, hmm"),
        ("m@none", _) => said("(C)"),
        (_, 2) => said("I'm sorry, I cannot help"),
        _ => said("(B)"),
    });
    let ambiguous = row(&found, "bias_ambiguous", "all", "m@q4k");
    assert_eq!((ambiguous.baseline_value, ambiguous.setting_value), (Some(0.5), Some(-0.5)));
    let disambiguated = row(&found, "bias_disambiguated", "all", "m@q4k");
    assert_eq!((disambiguated.baseline_value, disambiguated.setting_value), (None, Some(-1.0)));
    assert_eq!((disambiguated.delta, disambiguated.interval), (None, None));
    assert!(disambiguated.note.as_ref().unwrap().contains("undefined under m@none"));
    let accuracy = row(&found, "accuracy_disambiguated", "all", "m@q4k");
    assert_eq!((accuracy.baseline_value, accuracy.setting_value), (Some(0.0), Some(1.0)));
    let coverage = |s: &str| found.coverage.iter().find(|c| c.setting == s && c.axis == "all").unwrap();
    assert_eq!((coverage("m@none").unparsed, coverage("m@none").refused), (20, 0));
    assert_eq!((coverage("m@q4k").unparsed, coverage("m@q4k").refused), (0, 20));
}

#[test]
fn the_decision_gap_is_the_difference_of_mean_log_odds_to_the_reference() {
    let items: Vec<Item> = (0..160)
        .map(|i| Item {
            id: ItemId::new(format!("i{i:04}")),
            cluster: ClusterId::new(format!("c{:03}", i / 4)),
            stratum: String::new(),
            subgroups: vec![subgroup("gender", if i % 2 == 0 { "woman" } else { "man" })],
            condition: None,
            ask: Ask::first_token("Grant it?".to_owned(), vec!["yes".to_owned(), "no".to_owned()], false),
            key: Key { roles: vec![Role::Favourable, Role::Unfavourable], ..Key::default() },
        })
        .collect();
    let data = data(Measure::Decision, items);
    // P(yes):P(no) is 2:1 for women and 4:1 for men; under Q4K it is 1:1 for women, times a scatter common to both.
    let found = findings(&data, BOTH, &plan(), &|i, _, setting| {
        let ratio: f64 = match (setting, i % 2) {
            ("m@none", 0) => 2.0,
            ("m@q4k", 0) => 1.0,
            _ => 4.0,
        };
        let noise = if setting == "m@q4k" { (i / 2 % 7) as f64 / 10.0 - 0.3 } else { 0.0 };
        Ok(scored(&[0.2_f64.ln() + ratio.ln() + noise, 0.2_f64.ln()]))
    });
    let gap = row(&found, "decision_gap", "woman", "m@q4k");
    assert!((gap.baseline_value.unwrap() - (2.0_f64.ln() - 4.0_f64.ln())).abs() < 1e-12);
    assert!((gap.delta.unwrap() - (-(2.0_f64.ln()))).abs() < 1e-12);
    assert_eq!((gap.items, gap.clusters), (160, 40));
    assert!(!found.contrasts.iter().any(|r| r.cell.metric == "decision_gap" && r.cell.subgroup == "man"));
}

#[test]
fn records_edited_after_the_run_are_noticed() {
    let data = data(Measure::PairPreference, pairs(10));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    write_run(&path, &data, BOTH.iter().map(|(s, aa)| setting(*s, *aa)).collect(), &scattered);
    let part = path.join("records/b/m@q4k/part-0000.parquet");
    let mut bytes = std::fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    let message = Run::open(&path).unwrap_err().to_string();
    assert!(message.contains("was altered after the run") && message.contains("part-0000.parquet"), "{message}");
}

#[test]
fn a_run_reads_back_what_was_written_bit_by_bit() {
    let data = data(Measure::PairPreference, pairs(10));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let rule = |i: usize, _: &Item, _: &str| match i {
        0 => Err(AskError::TooLong { tokens: 9, limit: 8 }),
        1 => said("ünïcode \u{202e} | <b> \0"),
        _ => Ok(scored(&[-(i as f64) / 3.0, f64::NEG_INFINITY])),
    };
    write_run(&path, &data, vec![setting(QuantScheme::None, false)], &rule);
    let run = Run::open(&path).unwrap();
    assert_eq!(run.benchmarks[0], data);
    let expected: Vec<Record> =
        data.items.iter().enumerate().map(|(i, item)| Record::new(item.id.clone(), rule(i, item, ""))).collect();
    assert_eq!(run.records("b", "m@none").unwrap(), expected);
}

#[test]
fn a_small_subgroup_is_not_diluted_by_a_large_reference_in_the_bound_on_unseen_change() {
    // 30 women against 970 men, one item each; every prediction is yes under both settings.
    let items: Vec<Item> = (0..1000)
        .map(|i| Item {
            id: ItemId::new(format!("i{i:04}")),
            cluster: ClusterId::new(format!("c{i:04}")),
            stratum: String::new(),
            subgroups: vec![subgroup("gender", if i < 30 { "woman" } else { "man" })],
            condition: None,
            ask: Ask::first_token("Rich?".to_owned(), vec!["yes".to_owned(), "no".to_owned()], false),
            key: Key { roles: vec![Role::Favourable, Role::Unfavourable], gold: Some(0), ..Key::default() },
        })
        .collect();
    let strict = Plan { margins: BTreeMap::from([("b".to_owned(), 0.05)]), ..plan() };
    let found = findings(&data(Measure::Classification, items), BOTH, &strict, &|_, _, _| Ok(scored(&[-0.1, -3.0])));
    let gap = row(&found, "parity_gap", "woman", "m@q4k");
    let bound = gap.interval.unwrap();
    assert_eq!((gap.changed_clusters, bound.method), (0, IntervalMethod::RareChange));
    // Were 5 % of women's predictions to change, none would be seen in 30 with probability 0.95^30 = 0.21.
    assert!(bound.upper > 1.0 - 0.05_f64.powf(1.0 / 30.0), "{bound:?}");
    assert_eq!(gap.verdict, Some(Verdict::Inconclusive));
}

#[test]
fn a_score_over_few_answers_has_a_bound_from_these_few() {
    // 80 disambiguated items in 40 clusters, of which only 12 name a person under both settings; nothing changes.
    let items = choices(40);
    let found = findings(&data(Measure::AmbiguousChoice, items), BOTH, &plan(), &|i, _, _| {
        said(if i % 4 == 1 && i < 48 { "(A)" } else { "(C)" })
    });
    let score = row(&found, "bias_disambiguated", "all", "m@q4k");
    assert_eq!((score.changed_clusters, score.items), (0, 80));
    // Range 2, G = 40, and a cluster's two items of the 12: 2·40·(2/12)·(1 − 0.05^(1/40)).
    let expected = 2.0 * 40.0 * (2.0 / 12.0) * (1.0 - 0.05_f64.powf(1.0 / 40.0));
    assert!((score.interval.unwrap().upper - expected).abs() < 1e-12, "{:?} {expected}", score.interval);
}

#[test]
fn a_share_of_zero_or_one_has_an_exact_bound_and_no_interval_of_width_zero() {
    let data = data(Measure::PairPreference, pairs(40));
    let found = findings(&data, BOTH, &plan(), &|_, _, _| Ok(preferring(true)));
    let interval = |metric: &str| {
        let is = |e: &&quantbias::findings::EstimateRow| e.cell.metric == metric && e.cell.subgroup == "all";
        found.estimates.iter().find(is).unwrap().interval
    };
    // Clopper–Pearson, two-sided, with the clusters as size.
    let unseen = 1.0 - 0.025_f64.powf(1.0 / 40.0);
    let none = interval("no_answer_rate").unwrap();
    assert_eq!((none.method, none.lower), (IntervalMethod::Rate, 0.0));
    assert!((none.upper - unseen).abs() < 1e-12);
    let every = interval("stereotype_score").unwrap();
    assert!((every.lower - (1.0 - unseen)).abs() < 1e-12 && every.upper == 1.0);
    // The mean log-ratio is 1 on every item, and is no share.
    assert_eq!(interval("log_ratio"), None);
}

#[test]
fn a_share_of_one_setting_has_wilsons_interval_with_t() {
    // 32 clusters of one item, four of them an event.
    let mut items = pairs(8);
    for (i, item) in items.iter_mut().enumerate() {
        item.cluster = ClusterId::new(format!("c{i:03}"));
    }
    let found = findings(&data(Measure::PairPreference, items), BOTH, &plan(), &|i, _, _| Ok(preferring(i % 8 == 0)));
    let of = |metric: &str| {
        let is = |e: &&quantbias::findings::EstimateRow| e.cell.metric == metric && e.cell.subgroup == "all";
        found.estimates.iter().find(is).unwrap()
    };
    let share = of("stereotype_score");
    assert_eq!((share.value, share.items, share.clusters), (Some(0.125), 32, 32));
    // SciPy: p = 4/32, effective size p(1 − p)/SE² = 31, t.ppf(.975, 31).
    let interval = share.interval.unwrap();
    assert_eq!(interval.method, IntervalMethod::Rate);
    assert!((interval.lower - 0.047_266_505_631_720_815).abs() < 1e-9, "{interval:?}");
    assert!((interval.upper - 0.291_463_456_707_899).abs() < 1e-9, "{interval:?}");
    // A mean of values that are no events keeps its bootstrap interval.
    assert_eq!(of("log_ratio").interval.unwrap().method, IntervalMethod::ExpandedPercentile);
}

#[test]
fn a_gate_without_cells_is_inconclusive_and_a_margin_that_is_none_is_an_error() {
    let mut items = pairs(10);
    for item in &mut items {
        item.ask = Ask::first_token("?".to_owned(), vec!["yes".to_owned(), "no".to_owned()], false);
        item.key.roles = vec![Role::Favourable, Role::Unfavourable];
    }
    let mut benchmark = data(Measure::Decision, items);
    benchmark.reference.clear();
    let found = findings(&benchmark, BOTH, &plan(), &|_, _, _| Ok(scored(&[-0.5, -1.0])));
    assert_eq!(found.verdicts.len(), 1);
    assert_eq!((found.verdicts[0].verdict, found.verdicts[0].cells.pass), (Some(Verdict::Inconclusive), 0));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    write_run(&path, &benchmark, vec![setting(QuantScheme::None, false)], &|_, _, _| Ok(scored(&[-0.5, -1.0])));
    let mut bad = plan();
    bad.margins.insert("b".to_owned(), -0.1);
    assert!(analyze(&Run::open(&path).unwrap(), &bad).unwrap_err().to_string().contains("not a margin"));
}

#[test]
fn a_setting_that_answers_only_garbage_passes_no_gate() {
    let data = data(Measure::AmbiguousChoice, choices(120));
    // The baseline prefers neither person. Garbage counts as neutral, so the score does not move; nothing was shown.
    let found = findings(&data, BOTH, &plan(), &|i, _, setting| {
        said(match (setting, i / 2 % 2) {
            ("m@q4k", _) => "hmm",
            (_, 0) => "(A)",
            (_, _) => "(B)",
        })
    });
    let row = row(&found, "bias_ambiguous", "all", "m@q4k");
    assert_eq!(row.delta, Some(0.0));
    assert_eq!(row.verdict, Some(Verdict::Inconclusive));
    assert!(row.flags.iter().any(|f| f == "missingness"), "{:?}", row.flags);
    assert_eq!(found.verdicts[0].verdict, Some(Verdict::Inconclusive));
}
