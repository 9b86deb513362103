//! Results without item ids: two samples of clusters, marked wherever they are shown.

use super::*;
use quantbias::findings::Worse;
use quantbias::import::{Kind, Mapping, Request, Source, import};
use quantbias::spec::Gate;

/// A rate of items answered "yes", per setting: `n` single items each, of two subgroups, of which these many are yes.
fn csv(folder: &Path, yes: &[(&str, usize)], n: usize) -> std::path::PathBuf {
    let mut text = "setting,about,template,more,less\n".to_owned();
    for (setting, yes) in yes {
        for i in 0..n {
            // Spread evenly over the items.
            let hit = (i + 1) * yes / n > i * yes / n;
            let (more, less) = if hit { (-1.0, -2.0) } else { (-2.0, -1.0) };
            let about = if i % 2 == 0 { "woman" } else { "man" };
            text.push_str(&format!("{setting},{about},{setting}-t{},{more},{less}\n", i / 4));
        }
    }
    let path = folder.join("answers.csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn mapping(cluster: bool) -> Mapping {
    let cluster = if cluster { "cluster = \"template\"" } else { "" };
    let text = format!(
        r#"
[setting]
column = "setting"
baseline = "bf16"

[[benchmark]]
name = "pairs"
measure = "pair_preference"
{cluster}
subgroups = {{ gender = "about" }}
answer = {{ kind = "likelihood", candidates = [
    {{ text = "about", value = "more", role = "stereotype" }},
    {{ text = "about", value = "less", role = "anti_stereotype" }},
] }}
"#
    );
    toml::from_str(&text).unwrap()
}

fn imported(yes: &[(&str, usize)], n: usize, cluster: bool, plan: &Plan) -> Findings {
    let folder = tempfile::tempdir().unwrap();
    let path = csv(folder.path(), yes, n);
    let bits = [("bf16", 16.0), ("q8", 8.0), ("q4", 4.0)].map(|(l, b)| (l.to_owned(), b));
    let request = Request {
        kind: Kind::Table,
        sources: vec![Source { label: String::new(), path }],
        name: "imported".to_owned(),
        model: "m".to_owned(),
        bits: BTreeMap::from(bits),
        mapping: Some(mapping(cluster)),
    };
    let run = folder.path().join("run");
    import(&request, &run).unwrap();
    analyze(&Run::open(&run).unwrap(), plan).unwrap()
}

fn bare() -> Plan {
    Plan { replicates: 1000, draws: 999, ..Plan::default() }
}

#[test]
fn an_import_without_ids_is_compared_as_two_samples_and_says_so_everywhere() {
    let found = imported(&[("bf16", 100), ("q8", 110), ("q4", 160)], 200, false, &bare());
    for row in &found.contrasts {
        assert!(row.flags.iter().any(|f| f == "unpaired"), "{row:?}");
        assert!(row.note.as_ref().unwrap().starts_with("unpaired: "), "{row:?}");
        assert!(row.flips.is_none() && row.simultaneous.is_none() && row.jackknife.is_none(), "{row:?}");
        assert!(row.interval.is_none_or(|i| i.method == IntervalMethod::TwoSample), "{row:?}");
        assert_ne!(row.verdict, Some(Verdict::Pass));
    }
    let row = row(&found, "stereotype_score", "all", "m@q4");
    assert_eq!((row.items, row.lost, row.clusters), (200, 0, 200));
    assert_eq!((row.baseline_value, row.setting_value), (Some(0.5), Some(0.8)));
    // Welch: SciPy's ttest_ind([1]*160 + [0]*40, [1]*100 + [0]*100, equal_var=False).
    let test = row.test.as_ref().unwrap();
    assert!((row.delta.unwrap() / row.se.unwrap() - T).abs() < 1e-9, "{:?}", row.se);
    assert!((test.p / P - 1.0).abs() < 1e-8, "{}", test.p);
    assert!((row.df.unwrap() - DF).abs() < 1e-8, "{:?}", row.df);
    assert_eq!(test.method, "Welch's t over clusters, unpaired");
    // Corrected by Holm in a family of their own; no row is in another.
    let families: BTreeSet<&str> = found.contrasts.iter().filter_map(|r| r.family.as_deref()).collect();
    assert_eq!(families, BTreeSet::from(["exploratory/m/pairs", "unpaired/m/pairs"]));
    let family = found.families.iter().find(|f| f.id == "unpaired/m/pairs").unwrap();
    assert_eq!((family.method.as_str(), family.hypotheses, family.tested), ("Holm", 6, 6));
    assert!(found.caveats.iter().any(|c| c.text.starts_with("UNPAIRED: m@q8 and m@bf16; m@q4 and m@bf16")));
    assert!(found.caveats.iter().any(|c| c.text.contains("Items have no ids")));
    // What a setting was never asked is no failure of it.
    for row in found.coverage.iter().filter(|c| c.axis == "all") {
        assert_eq!((row.items, row.answered, row.failed), (200, 200, 0), "{row:?}");
    }
    assert!(!found.estimates.iter().any(|e| e.cell.metric == "no_answer_rate" && e.value != Some(0.0)));
    for empty in [found.flips.len(), found.missing.len(), found.outcomes.len(), found.uncertainty.len()] {
        assert_eq!(empty, 0, "there is nothing to look at twice");
    }
}

/// From SciPy, as above.
const T: f64 = 6.609_306_077_741_317;
const P: f64 = 1.309_869_901_873_151_1e-10;
const DF: f64 = 379.703_745_743_473_3;

#[test]
fn unpaired_rows_decide_no_gate_whatever_their_interval_says() {
    let gate = Gate {
        id: "pairs".to_owned(),
        benchmark: "pairs".to_owned(),
        metric: None,
        models: None,
        schemes: None,
        axes: None,
        subgroups: None,
        margin: 0.2,
        worse: Some(Worse::Increase),
        inconclusive: None,
    };
    let plan = Plan { gates: vec![gate], ..bare() };
    let found = imported(&[("bf16", 100), ("q4", 190)], 200, false, &plan);
    assert!(found.contrasts.iter().any(|r| r.interval.is_some_and(|i| i.lower > 0.2)), "far beyond the margin");
    assert_eq!(found.verdicts.len(), 1);
    assert_eq!(found.verdicts[0].verdict, Some(Verdict::Inconclusive));
}

#[test]
fn trends_of_independent_settings_are_cochran_armitage_for_items_and_jonckheere_terpstra_for_clusters() {
    let yes = [("bf16", 100), ("q8", 112), ("q4", 140)];
    let found = imported(&yes, 200, false, &bare());
    let trend = |found: &Findings, scores: &str| {
        let row = found
            .trends
            .iter()
            .find(|t| t.cell.metric == "stereotype_score" && t.cell.subgroup == "all" && t.scores == scores);
        row.unwrap().clone()
    };
    let row = trend(&found, "rank");
    assert_eq!(row.settings, ["m@q4", "m@q8", "m@bf16"]);
    assert_eq!(row.values, [Some(0.7), Some(0.56), Some(0.5)]);
    assert!(row.note.as_ref().unwrap().starts_with("unpaired"));
    let test = row.test.as_ref().unwrap();
    assert_eq!(test.method, "Cochran–Armitage, unpaired");
    // z² = N(N Σ c x − R Σ c n)² / (R (N − R)(N Σ c² n − (Σ c n)²)) by hand, with c = −1, 0, 1:
    // N = 600, R = 352, Σ c x = 100 − 140 = −40, Σ c n = 0, Σ c² n = 400.
    let z2: f64 = 600.0 * (600.0_f64 * -40.0).powi(2) / (352.0 * 248.0 * (600.0 * 400.0));
    let p = 2.0 * quantbias::stats::dist::normal_cdf(-z2.sqrt());
    assert!((test.p / p - 1.0).abs() < 1e-9, "{} {p}", test.p);
    // Least squares over ranks: (v₃ − v₁)/2, with variances of independent means.
    assert!((row.slope.unwrap() + 0.1).abs() < 1e-12);
    let se = ((0.7 * 0.3 / 199.0 + 0.5 * 0.5 / 199.0) / 4.0_f64).sqrt();
    assert!((row.se.unwrap() / se - 1.0).abs() < 1e-9, "{:?} {se}", row.se);
    let clustered = trend(&imported(&yes, 200, true, &bare()), "rank");
    assert_eq!(clustered.test.as_ref().unwrap().method, "Jonckheere–Terpstra on clusters, unpaired");
    assert_eq!(clustered.clusters, 150);
    assert!(trend(&imported(&yes, 200, true, &bare()), "step").test.is_none());
}

#[test]
fn settings_of_the_same_items_are_never_taken_for_two_samples() {
    // Failures on disjoint halves leave no item answered twice, and still the items were the same.
    let data = data(Measure::PairPreference, pairs(40));
    let schemes = [(QuantScheme::None, false), (QuantScheme::Q4K, false)];
    let found = findings(&data, &schemes, &plan(), &|i, _, setting| {
        if (setting == "m@none") == (i % 2 == 0) {
            Ok(preferring(i % 3 == 0))
        } else {
            Err(AskError::Engine { reason: "it broke".to_owned() })
        }
    });
    let row = row(&found, "stereotype_score", "all", "m@q4k");
    assert_eq!((row.items, row.lost, row.delta), (0, 160, None));
    assert!(row.flags.iter().all(|f| f != "unpaired"), "{row:?}");
    assert!(found.coverage.iter().filter(|c| c.axis == "all").all(|c| c.failed == 80 && c.items == 160));
}
