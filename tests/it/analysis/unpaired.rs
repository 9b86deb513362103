//! Results without item ids: two samples of clusters, marked wherever they are shown.

use super::*;
use quantbias::findings::Worse;
use quantbias::import::{Kind, Mapping, Request, Source, import};
use quantbias::spec::Gate;
use std::fmt::Write as _;

/// A rate of items answered "yes", per setting: `n` single items each, of two subgroups, of which these many are yes.
fn csv(folder: &Path, yes: &[(&str, usize)], n: usize) -> std::path::PathBuf {
    let mut text = "setting,about,template,more,less\n".to_owned();
    for (setting, yes) in yes {
        for i in 0..n {
            // Spread evenly over the items.
            let hit = (i + 1) * yes / n > i * yes / n;
            let (more, less) = if hit { (-1.0, -2.0) } else { (-2.0, -1.0) };
            let about = if i % 2 == 0 { "woman" } else { "man" };
            writeln!(text, "{setting},{about},{setting}-t{},{more},{less}", i / 4).unwrap();
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

fn quantbias(args: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_quantbias"));
    command.args(args).stdin(std::process::Stdio::null()).output().unwrap()
}

#[test]
fn a_table_without_ids_is_two_samples_too_and_cannot_be_streamed() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "setting,template,about,hit\n".to_owned();
    for (setting, share) in [("bf16", 2), ("q4", 3)] {
        for i in 0..160 {
            let hit = u8::from(i % 4 < share);
            writeln!(text, "{setting},t{},{},{hit}", i / 4, if i % 8 < 4 { "woman" } else { "man" }).unwrap();
        }
    }
    let path = folder.path().join("answers.csv");
    std::fs::write(&path, text).unwrap();
    let out = folder.path().join("out");
    let map = "setting=setting,cluster=template,subgroup=about,value=hit";
    let usual = ["analyze", "--table", path.to_str().unwrap(), "--map", map, "--baseline", "bf16", "--out"];
    let output = quantbias(&[&usual[..], &[out.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = quantbias::findings::load(Path::new(String::from_utf8(output.stdout).unwrap().trim())).unwrap();
    assert_eq!(found.contrasts.len(), 3, "all, woman, man");
    let row = &found.contrasts[0];
    assert_eq!((row.items, row.lost, row.clusters, row.delta), (160, 0, 40, Some(0.25)));
    assert!(row.flags.iter().any(|f| f == "unpaired") && row.note.as_ref().unwrap().starts_with("unpaired"));
    // Every cluster has the same rate: neither sample varies over clusters, and no error is made up.
    assert!(row.interval.is_none() && row.test.is_none() && row.note.as_ref().unwrap().contains("standard error"));
    assert!(found.coverage.iter().all(|c| c.failed == 0 && c.items == c.answered), "{:?}", found.coverage);
    let ids = quantbias(&["analyze", "--table", path.to_str().unwrap(), "--map", "value=hit", "--baseline", "bf16"]);
    assert_eq!(ids.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ids.stderr).contains("setting=COLUMN is needed"));
    let streamed = quantbias(&[&usual[..], &[out.to_str().unwrap(), "--stream"]].concat());
    assert_eq!(streamed.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&streamed.stderr).contains("name item=COLUMN"));
}

#[test]
fn an_audit_with_a_waiver_is_derived_again_to_the_byte_as_of_its_day() {
    let root = env!("CARGO_MANIFEST_DIR");
    let folder = tempfile::tempdir().unwrap();
    for name in ["pairs.toml", "pairs.jsonl"] {
        std::fs::copy(Path::new(root).join("data/demo").join(name), folder.path().join(name)).unwrap();
    }
    let file = folder.path().join("audit.toml");
    let text = format!(
        "name = \"small\"\n\n[[model]]\nid = \"base\"\npath = \"{root}/data/models/base\"\n\n[settings]\nschemes = [\"q4k\"]\n\n\
         [[benchmark]]\nid = \"pairs\"\ntype = \"custom\"\npath = \"pairs.toml\"\noptions = {{ max_clusters = 8 }}\n\n\
         [plan]\nreplicates = 1000\ndraws = 999\nmargins = {{ pairs = 0.001 }}\n\n\
         [[waiver]]\ngate = \"pairs\"\nreason = \"known\"\nauthor = \"A\"\nexpires = 2099-01-01\n"
    );
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let output = quantbias(&["audit", file]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let made = |folder: &Path| -> std::path::PathBuf {
        let all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    };
    let out = folder.path().join("quantbias-out");
    let (run, findings) = (made(&out.join("runs")), made(&out.join("findings")).join("findings.json"));
    let audited = quantbias::findings::load(&findings).unwrap();
    let day = &audited.waivers[0].judged;
    let again = folder.path().join("again");
    let (run, again) = (run.to_str().unwrap(), again.to_str().unwrap());
    let output = quantbias(&["analyze", run, "--plan", file, "--day", day, "--out", again]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let path = String::from_utf8(output.stdout).unwrap();
    assert_eq!(std::fs::read(path.trim()).unwrap(), std::fs::read(&findings).unwrap());
    // Another day is another analysis; after the last day the waiver no longer counts.
    let output = quantbias(&["analyze", run, "--plan", file, "--day", "2099-01-02", "--out", again]);
    let later = quantbias::findings::load(Path::new(String::from_utf8(output.stdout).unwrap().trim())).unwrap();
    assert_ne!(later.analysis_id, audited.analysis_id);
    assert_eq!(later.waivers[0].state, quantbias::findings::WaiverState::Expired);
    for wrong in
        [&["--day", "tomorrow", "--plan", file][..], &["--day", "2026-11-22T10:00:00", "--plan", file], &["--day", day]]
    {
        let output = quantbias(&[&["analyze", run, "--out", again][..], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}
