//! Gates as a user declares them: what fails, passes, shows nothing, and is waived, through the real program.

use crate::auditing::{Audit, SMALL_PLAN, quantbias, shared, stderr, stdout};
use quantbias::findings::{self, Findings, Verdict, WaiverState};
use std::path::Path;

/// One policy: log-odds of a yes must not move by 0.4 either way, over all items and for each age; nor may more than a
/// fifth of the items, more than before, go without an answer.
const POLICY: &str = "
[plan]
replicates = 1000
draws = 999

[[gate]]
id = \"overall\"
benchmark = \"decision\"
metric = \"yes_log_odds\"
axes = [\"all\"]
margin = 0.4
worse = \"either\"

[[gate]]
id = \"answers\"
benchmark = \"decision\"
metric = \"no_answer_rate\"
axes = [\"all\"]
margin = 0.45
";

fn findings_of(audit: &Audit) -> Findings {
    findings::load(&audit.only("findings").join("findings.json")).unwrap()
}

#[test]
fn a_policy_that_q2k_breaks_exits_10_and_q8_0_exits_0() {
    let audit = Audit::new("\"q2k\"", 8, POLICY);
    let output = audit.run("audit", &["--workers", "2"]);
    assert_eq!(output.status.code(), Some(10), "{}{}", stdout(&output), stderr(&output));
    let found = findings_of(&audit);
    assert!(stderr(&output).contains("gate overall at base@q2k failed (exit code 10)"), "{}", stderr(&output));
    let of = |id: &str| found.verdicts.iter().find(|v| v.gate == id).unwrap();
    assert_eq!(of("overall").verdict, Some(Verdict::Fail));
    assert_eq!(of("answers").verdict, Some(Verdict::Pass));
    assert!(of("overall").decided[0].lower.unwrap() > 0.4);

    let audit = Audit::new("\"q8_0\"", 8, POLICY);
    let output = audit.run("audit", &["--workers", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(findings_of(&audit).verdicts.iter().all(|v| matches!(v.verdict, Some(Verdict::Pass | Verdict::Degraded))));
}

#[test]
fn a_policy_on_ten_items_is_inconclusive_and_exits_11_unless_it_says_otherwise() {
    let audit = Audit::new("\"q2k\"", 8, POLICY);
    let rows = audit.folder.path().join("decision.jsonl");
    let ten: Vec<String> = std::fs::read_to_string(&rows).unwrap().lines().take(10).map(str::to_owned).collect();
    std::fs::write(&rows, ten.join("\n")).unwrap();
    let output = audit.run("audit", &["--workers", "1"]);
    assert_eq!(output.status.code(), Some(11), "{}{}", stdout(&output), stderr(&output));
    assert!(stderr(&output).contains("gate overall at base@q2k is inconclusive (exit code 11)"), "{}", stderr(&output));

    // The same answers, and a policy that lets an open gate pass: with a warning, or with a note.
    for (rule, warned) in [("warn", true), ("pass_with_note", false)] {
        let tolerant = POLICY.replace("margin = 0.4", &format!("inconclusive = \"{rule}\"\nmargin = 0.4"));
        audit.write(&Audit::text("\"q2k\"", 8, &tolerant));
        let output = audit.run("audit", &["--workers", "1"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stderr(&output).contains("gate overall at base@q2k is inconclusive"), warned, "{}", stderr(&output));
    }
}

#[test]
fn a_waiver_excuses_a_failure_until_it_expires_and_hides_nothing() {
    let audit = Audit::new("\"q8_0\", \"q2k\"", 8, "");
    let run = shared().only("runs");
    let analyze = |rest: &str| {
        audit.write(&Audit::text("\"q8_0\", \"q2k\"", 8, &format!("{POLICY}{rest}")));
        let out = tempfile::tempdir().unwrap();
        let output = quantbias(&[
            "analyze",
            run.to_str().unwrap(),
            "--plan",
            audit.file().to_str().unwrap(),
            "--out",
            out.path().to_str().unwrap(),
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        findings::load(Path::new(stdout(&output).trim())).unwrap()
    };
    let code = |found: &Findings| quantbias::pipeline::gate_code(found, quantbias::findings::OnInconclusive::Fail);
    let failed = |found: &Findings| {
        let row = found.verdicts.iter().find(|v| v.gate == "overall" && v.setting == "base@q2k").unwrap();
        assert_eq!(row.verdict, Some(Verdict::Fail));
        row.counted()
    };
    let waiver = |expires: &str, scheme: &str| {
        format!(
            "\n[[waiver]]\ngate = \"overall\"\nscheme = \"{scheme}\"\nreason = \"known, fixed in the next release\"\n\
             author = \"A. Auditor\"\nexpires = {expires}\n"
        )
    };
    let found = analyze("");
    assert_eq!((failed(&found), code(&found)), (Some(Verdict::Fail), 10));
    let found = analyze(&waiver("2999-12-31", "q2k"));
    assert_eq!((failed(&found), code(&found)), (None, 0));
    assert_eq!(found.waivers[0].state, WaiverState::Applied);
    assert!(found.caveats.iter().any(|c| c.text.contains("waived by A. Auditor until 2999-12-31: known, fixed")));
    let found = analyze(&waiver("2020-01-31", "q2k"));
    assert_eq!((failed(&found), code(&found)), (Some(Verdict::Fail), 10));
    assert_eq!(found.waivers[0].state, WaiverState::Expired);
    assert!(found.caveats.iter().any(|c| c.text.contains("expired on 2020-01-31 and does not count")));
    let found = analyze(&waiver("2999-12-31", "q8_0"));
    assert_eq!((failed(&found), found.waivers[0].state, code(&found)), (Some(Verdict::Fail), WaiverState::Unused, 10));
}

#[test]
fn a_gate_over_subgroups_fails_by_bounds_that_hold_for_all_of_them() {
    let audit = Audit::new("\"q8_0\", \"q2k\"", 8, "");
    let rest = "[plan]\nreplicates = 1000\ndraws = 999\n[[gate]]\nbenchmark = \"decision\"\nmetric = \"yes_log_odds\"\n\
                schemes = [\"q2k\"]\nmargin = 0.2\nworse = \"either\"\n";
    audit.write(&Audit::text("\"q8_0\", \"q2k\"", 8, rest));
    let out = audit.folder.path().join("out");
    let run = shared().only("runs");
    let file = audit.file();
    let args = ["analyze", run.to_str().unwrap(), "--plan", file.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let output = quantbias(&args);
    let found = findings::load(Path::new(stdout(&output).trim())).unwrap();
    let rows: Vec<_> = found.verdicts.iter().filter(|v| v.verdict.is_some()).collect();
    assert_eq!(rows.len(), 1, "only q2k is gated");
    assert_eq!((rows[0].gate.as_str(), rows[0].setting.as_str()), ("decision.yes_log_odds", "base@q2k"));
    assert!(rows[0].decided.len() > 3);
    // Failing together is never easier than failing alone.
    for cell in &rows[0].decided {
        assert!(cell.simultaneous != Verdict::Fail || cell.own == Verdict::Fail, "{cell:?}");
    }
}

#[test]
fn a_gate_that_could_decide_nothing_is_refused_before_the_run() {
    let gate = |more: &str| format!("{SMALL_PLAN}[[gate]]\nbenchmark = \"decision\"\nmargin = 0.1\n{more}\n");
    for (more, needles) in [
        ("metric = \"yes_log_od\"", ["has no metric \"yes_log_od\"", "yes_log_odds"]),
        ("axes = [\"sex\"]", ["there is no axis \"sex\"", "decision"]),
        ("subgroups = [\"young at heart\"]", ["there is no subgroup \"young at heart\"", "decision"]),
        ("schemes = [\"q4k\"]", ["neither a scheme in [settings] nor the name", "schemes = [\"q4k\"]"]),
        ("worse = \"sideways\"", ["sideways", "away_from_ideal"]),
        ("marginal = 1", ["unknown field", "marginal"]),
    ] {
        let audit = Audit::new("\"q8_0\"", 8, &gate(more));
        let output = audit.run("check", &[]);
        assert_eq!(output.status.code(), Some(3), "{more}: {}", stderr(&output));
        for needle in needles {
            assert!(stderr(&output).contains(needle), "{needle:?} is not in:\n{}", stderr(&output));
        }
    }
    let waiver = "[[waiver]]\ngate = \"decisions\"\nreason = \"r\"\nauthor = \"a\"\nexpires = 2999-01-01\n";
    for (text, needle) in [
        (waiver.to_owned(), "there is no gate \"decisions\""),
        (waiver.replace("decisions", "decision").replace("\"r\"", "\" \""), "a waiver needs a reason"),
        (waiver.replace("decisions", "decision").replace("2999-01-01", "2999-01-01T00:00:00Z"), "expires on a day"),
    ] {
        let audit = Audit::new("\"q8_0\"", 8, &format!("{SMALL_PLAN}{text}"));
        let output = audit.run("check", &[]);
        assert_eq!(output.status.code(), Some(3), "{text}: {}", stderr(&output));
        assert!(stderr(&output).contains(needle), "{}", stderr(&output));
    }
}

#[test]
fn a_margin_stays_a_gate_for_every_setting_beside_one_that_is_limited_to_a_scheme() {
    let limited = "[[gate]]\nbenchmark = \"decision\"\nmargin = 0.3\nschemes = [\"q2k\"]\n";
    let audit = Audit::new("\"q8_0\", \"q2k\"", 8, &format!("{SMALL_PLAN}{limited}"));
    let output = audit.run("check", &[]);
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(said.contains("gate decision: ") && said.contains("settings q2k"), "{said}");
    assert!(said.contains("gate decision.margin: ") && said.contains("margin 0.3, all settings"), "{said}");
    // The same without a limit says all that the margin says.
    let audit = Audit::new("\"q8_0\"", 8, &format!("{SMALL_PLAN}[[gate]]\nbenchmark = \"decision\"\nmargin = 0.3\n"));
    assert_eq!(stdout(&audit.run("check", &[])).matches("gate decision").count(), 1);
}

#[test]
fn a_margin_of_two_hundred_points_is_refused() {
    let gate = "[[gate]]\nbenchmark = \"decision\"\nmetric = \"no_answer_rate\"\nmargin = 2\n";
    let audit = Audit::new("\"q8_0\"", 8, &format!("[plan]\nreplicates = 1000\ndraws = 999\n{gate}"));
    let output = audit.run("check", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("2 is 200 points; did you mean 0.02?"), "{}", stderr(&output));
    // As a person writes it: in floats 0.9 / 100 is 0.009000000000000001, and 0.57 · 100 is 56.99999999999999.
    for (margin, said) in
        [("0.9", "0.9 is 90 points; did you mean 0.009?"), ("0.57", "0.57 is 57 points; did you mean 0.0057?")]
    {
        audit.write(&Audit::text("\"q8_0\"", 8, &gate.replace("margin = 2", &format!("margin = {margin}"))));
        let output = audit.run("check", &[]);
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

#[test]
fn a_declared_margin_gates_its_benchmark_alone_and_example_margins_are_marked() {
    let second = "[[benchmark]]\nid = \"other\"\ntype = \"custom\"\npath = \"decision.toml\"\n\
                  options = { max_clusters = 8 }\n\n";
    let audit = Audit::new("\"q8_0\"", 8, &format!("{second}{SMALL_PLAN}"));
    let said = stdout(&audit.run("check", &[]));
    assert!(said.contains("gate decision: ") && !said.contains("gate other: "), "{said}");
    assert!(!said.contains("example"), "{said}");
    let output = audit.run("audit", &["--workers", "2"]);
    assert!([0, 10, 11].contains(&output.status.code().unwrap()), "{}", stderr(&output));
    let found = findings_of(&audit);
    assert!(found.contrasts.iter().any(|c| c.cell.benchmark == "other" && c.delta.is_some()), "it is measured");
    assert!(found.verdicts.iter().all(|v| v.benchmark == "decision") && !found.verdicts.is_empty());
    assert!(found.plan.margins.keys().all(|m| m.starts_with("decision/")), "{:?}", found.plan.margins);
    let told = found
        .caveats
        .iter()
        .any(|c| c.subject.as_deref() == Some("other") && c.text.contains("nothing about it decides the exit code"));
    assert!(told, "{:?}", found.caveats);
    // Without any margin every benchmark has an example of one, which is called so.
    let audit = Audit::new("\"q8_0\"", 8, &format!("{second}[plan]\nreplicates = 1000\ndraws = 999\n"));
    let said = stdout(&audit.run("check", &[]));
    assert_eq!(said.matches("; an example margin: declare your own").count(), 2, "{said}");
}

#[test]
fn a_plan_is_frozen_beside_an_audit_file_named_without_a_folder() {
    let audit = Audit::new("\"q8_0\"", 8, SMALL_PLAN);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_quantbias"))
        .args(["plan", "audit.toml", "--no-probe"])
        .current_dir(audit.folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(audit.folder.path().join("plan.json").exists());
}
