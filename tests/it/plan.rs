//! `plan`: frozen beforehand, and a later change shows.

use crate::auditing::{Audit, SMALL_PLAN, quantbias, shared, stderr, stdout};
use quantbias::findings;
use quantbias::pipeline::load_frozen;
use std::path::Path;

#[test]
fn a_plan_freezes_items_metrics_margins_and_seed_under_one_hash() {
    let audit = Audit::new("\"q8_0\"", 8, SMALL_PLAN);
    let path = audit.folder.path().join("plan.json");
    let output = audit.run("plan", &["--no-probe"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let frozen = load_frozen(&path).unwrap();
    assert!(stdout(&output).contains(&frozen.sha256));
    let benchmark = &frozen.content["benchmarks"][0];
    assert_eq!((&benchmark["name"], &benchmark["headline"]), (&"decision".into(), &"decision_gap".into()));
    assert_eq!(benchmark["items_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(frozen.content["plan"]["margins"]["decision"], 0.3);
    // Equal files freeze to equal bytes; another seed, margin, or item does not.
    let first = std::fs::read(&path).unwrap();
    audit.run("plan", &["--no-probe"]);
    assert!(std::fs::read(&path).unwrap() == first);
    for (from, to) in
        [("draws = 999", "draws = 999\nseed = 7"), ("decision = 0.3", "decision = 0.4"), ("= 8 }", "= 7 }")]
    {
        let text = Audit::text("\"q8_0\"", 8, SMALL_PLAN);
        audit.write(&text.replace(from, to));
        audit.run("plan", &["--no-probe"]);
        assert_ne!(load_frozen(&path).unwrap().sha256, frozen.sha256, "{to}");
    }
    // An edit by hand is noticed.
    std::fs::write(&path, String::from_utf8(first).unwrap().replace("\"decision\": 0.3", "\"decision\": 0.5")).unwrap();
    let output = audit.run("run", &["--plan", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let words = stderr(&output);
    assert!(
        words.contains("plan.json was altered after it was frozen") && words.contains("`quantbias plan`"),
        "{words}"
    );
    assert!(!words.contains("manifest") && !words.contains("the run"), "there is no run yet: {words}");
}

#[test]
fn an_audit_under_a_frozen_plan_tells_what_changed_since() {
    let audit = Audit::new("\"q8_0\"", 6, SMALL_PLAN);
    let path = audit.folder.path().join("plan.json");
    assert_eq!(audit.run("plan", &["--no-probe"]).status.code(), Some(0));
    let plan = ["--plan", path.to_str().unwrap(), "--workers", "2"];
    let output = audit.run("audit", &plan);
    assert!(!stderr(&output).contains("not as frozen"), "{}", stderr(&output));
    let run = audit.only("runs");
    assert!(run.join("frozen.json").exists());
    let found = findings::load(&audit.only("findings").join("findings.json")).unwrap();
    assert!(!found.caveats.iter().any(|c| c.about == "plan"), "{:?}", found.caveats);

    audit.write(&Audit::text("\"q8_0\"", 6, SMALL_PLAN).replace("decision = 0.3", "decision = 0.9"));
    let elsewhere = audit.folder.path().join("elsewhere");
    let output = quantbias(&[
        "analyze",
        run.to_str().unwrap(),
        "--plan",
        audit.file().to_str().unwrap(),
        "--out",
        elsewhere.to_str().unwrap(),
    ]);
    let found = findings::load(Path::new(stdout(&output).trim())).unwrap();
    let caveat = found.caveats.iter().find(|c| c.about == "plan").expect("a caveat");
    assert!(caveat.text.starts_with("Plan changed"), "{}", caveat.text);
    assert!(caveat.text.contains("plan.margins.decision: 0.3 → 0.9"), "{}", caveat.text);
    // And at the start of a run that departs from it.
    let output = audit.run("run", &[plan[0], plan[1], "--out", elsewhere.to_str().unwrap()]);
    assert!(stderr(&output).contains("not as frozen: plan.margins.decision: 0.3 → 0.9"), "{}", stderr(&output));
}

#[test]
fn what_the_items_can_show_is_the_planning_formula_or_a_pilot_s_error() {
    // Pairs of sentences: a share, one per item. Forty items in ten clusters of four.
    let audit = Audit::new("\"q8_0\"", 8, "");
    for name in ["pairs.toml", "pairs.jsonl"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/demo").join(name);
        std::fs::copy(from, audit.folder.path().join(name)).unwrap();
    }
    let text = Audit::text("\"q8_0\"", 10, "[plan.margins]\ndecision = 0.1\n").replace("decision", "pairs");
    audit.write(&text);
    let path = audit.folder.path().join("plan.json");
    let args = ["--no-probe", "--discordance", "0.1", "--icc", "0"];
    let output = audit.run("plan", &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let frozen = load_frozen(&path).unwrap();
    let row = frozen.expected.iter().find(|r| r.axis != "all").unwrap();
    // (z_.975 + z_.8)·√(.1/n) with scipy.stats.norm.ppf(.975) + norm.ppf(.8) = 2.8015851182..
    let expected = 2.801_585_218_118_968 * (0.1 / row.items as f64).sqrt();
    assert!((row.mde.unwrap() - expected).abs() < 1e-6, "{row:?} {expected}");
    // ⌈.1·(2.8016/.1)²⌉ = ⌈78.49⌉
    assert_eq!(row.needed, Some(79), "{row:?}");

    // Log-odds have no range: without a pilot nothing is claimed, with one its errors are scaled.
    let audit = Audit::new("\"q8_0\", \"q2k\"", 8, SMALL_PLAN);
    audit.run("plan", &["--no-probe"]);
    let path = audit.folder.path().join("plan.json");
    assert!(load_frozen(&path).unwrap().expected.iter().all(|r| r.mde.is_none()));
    let pilot = shared().only("findings").join("findings.json");
    let output = audit.run("plan", &["--no-probe", "--pilot", pilot.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let frozen = load_frozen(&path).unwrap();
    let found = findings::load(&pilot).unwrap();
    let row = frozen.expected.iter().find(|r| r.mde.is_some()).unwrap();
    let se = found
        .contrasts
        .iter()
        .filter(|c| c.cell.metric == row.metric && c.cell.axis == row.axis && c.cell.subgroup == row.subgroup)
        .filter_map(|c| c.se)
        .fold(0.0, f64::max);
    // Eight clusters: t_.975 with 7 degrees of freedom 2.3646, z_.8 0.8416.
    assert!((row.mde.unwrap() - (2.364_624 + 0.841_621) * se).abs() < 1e-4 * se, "{row:?} {se}");
}

#[test]
fn a_probe_of_the_engine_tells_requests_and_time() {
    let audit = Audit::new("\"q8_0\"", 8, SMALL_PLAN);
    let output = audit.run("plan", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let cost = load_frozen(&audit.folder.path().join("plan.json")).unwrap().cost.unwrap();
    // Eight questions about nine people each, two settings.
    assert_eq!((cost.items, cost.requests), (144, 144), "{cost:?}");
    assert!(cost.asked > 0 && cost.asked < 30 && cost.seconds > 0.0 && cost.seconds < 600.0, "{cost:?}");
    assert!(!audit.out().exists(), "a probe leaves nothing");
}

#[test]
fn presets_fill_in_what_the_file_does_not_say() {
    let audit = Audit::new("\"q8_0\"", 8, "");
    let load = |rest: &str| {
        audit.write(&Audit::text("\"q8_0\"", 8, rest).replace("options = { max_clusters = 8 }\n", ""));
        quantbias::spec::load(&audit.file()).unwrap()
    };
    let usual = load("");
    assert_eq!((usual.plan.replicates, usual.plan.paper), (10_000, false));
    assert_eq!(usual.benchmarks[0].0.options.max_clusters, None);
    let quick = load("[plan]\npreset = \"quick\"\ndraws = 5000\n");
    assert_eq!((quick.plan.replicates, quick.plan.draws), (2_000, 5_000));
    assert_eq!(quick.benchmarks[0].0.options.max_clusters, Some(40));
    let paper = load("[plan]\npreset = \"paper\"\n");
    assert!(paper.plan.paper && paper.plan.replicates == 10_000);
    assert!(!load("[plan]\npreset = \"paper\"\npaper = false\n").plan.paper);
    assert!(load("[plan]\npaper = true\n").plan.paper);
}

#[test]
fn a_declared_family_is_frozen_and_hashed_into_the_findings_plan() {
    let declared = "[[plan.family]]\nid = \"main\"\nsubgroups = [\"gender: woman\"]\n";
    let audit = Audit::new("\"q8_0\"", 8, &format!("{SMALL_PLAN}{declared}"));
    let path = audit.folder.path().join("plan.json");
    assert_eq!(audit.run("plan", &["--no-probe"]).status.code(), Some(0));
    let frozen = load_frozen(&path).unwrap();
    assert_eq!(frozen.content["plan"]["families"][0]["id"], "main");
    assert!(frozen.content["families"]["declared"].as_str().unwrap().contains("maxT"));
    audit.write(&Audit::text("\"q8_0\"", 8, &format!("{SMALL_PLAN}{}", declared.replace("woman", "man"))));
    assert_eq!(audit.run("plan", &["--no-probe"]).status.code(), Some(0));
    assert_ne!(load_frozen(&path).unwrap().sha256, frozen.sha256);
    // Words that name nothing are refused before anything runs.
    for (from, to, said) in [
        ("gender: woman", "gender: women", "there is no subgroup \"gender: women\""),
        ("subgroups", "schemes", "neither a scheme in [settings] nor the name"),
        ("subgroups", "benchmarks", "there is no benchmark \"gender: woman\""),
        ("subgroups = [\"gender: woman\"]", "schemes = []", "\"main\" names no scheme beside the baseline"),
        ("subgroups = [\"gender: woman\"]", "schemes = [\"none\"]", "\"main\" names no scheme beside the baseline"),
        ("\"main\"", "\"primary\"", "\"primary\" is the name of a fixed family"),
        ("\"main\"", "\"differences\"", "\"differences\" is the name of a fixed family"),
    ] {
        audit.write(&Audit::text("\"q8_0\"", 8, &format!("{SMALL_PLAN}{}", declared.replace(from, to))));
        let output = audit.run("check", &[]);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}
