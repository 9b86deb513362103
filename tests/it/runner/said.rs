//! What the program says about settings that cannot run here, about memory, and about one of something.

use super::*;
use crate::auditing::{Audit, SMALL_PLAN, quantbias, stderr, stdout};

#[test]
fn check_and_run_name_what_would_be_left_out_and_why_and_go_on_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("broken.gguf"), b"no such thing").unwrap();
    std::fs::write(folder.path().join("text.txt"), "text").unwrap();
    let own = |name: &str, keys: &str| format!("[[setting]]\nname = \"{name}\"\n{keys}\n\n");
    let path = |name: &str| format!("{:?}", folder.path().join(name).display().to_string());
    let rest = [
        own("nowhere", &format!("gguf = {}", path("nowhere.gguf"))),
        own("broken", &format!("gguf = {}", path("broken.gguf"))),
        own("guided", &format!("scheme = \"q4k\"\ncalibration = {}", path("text.txt"))),
        "[runner]\nworkers = 1\nmemory_mib = 16\n\n".to_owned(),
        SMALL_PLAN.to_owned(),
    ];
    let audit = Audit::new("\"q8_0\"", 1, &rest.concat());
    let mut command = Command::new(worker_exe());
    let output = command.arg("check").arg(audit.file()).env("RUST_BACKTRACE", "1").output().unwrap();
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(text.contains("is readable, but a run would leave this out:") && !text.contains("is fine"), "{text}");
    let line = |name: &str| {
        let found = text.lines().find(|l| l.starts_with(&format!("  base@{name} is refused: ")));
        found.unwrap_or_else(|| panic!("{name} is not in {text}"))
    };
    assert!(line("nowhere").contains("nowhere.gguf"), "{text}");
    assert!(line("broken").contains("is not GGUF (") && line("broken").contains("fetch the file again"), "{text}");
    assert!(line("guided").contains("calibration text"), "{text}");
    let row = text.lines().find(|l| l.starts_with("decision ")).unwrap();
    let settings = row.split_whitespace().nth(3);
    assert_eq!(settings, Some("2"), "of five settings two would be asked: {text}");
    let lines = text.lines().count();
    assert!(lines < 20 && !text.contains("candle_core::"), "no backtrace: {text}");
    let fine = Audit::new("\"q8_0\"", 1, SMALL_PLAN);
    assert!(stdout(&fine.run("check", &[])).contains("audit.toml is fine."));

    // A plan names the same, and counts what would be asked: one question about nine people, two settings.
    let output = audit.run("plan", &[]);
    let planned = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(planned.contains(text.split("\n\n").next().unwrap()), "{planned}");
    assert!(planned.contains("Cost: 18 model calls for 18 items"), "{planned}");
    let frozen = quantbias::pipeline::load_frozen(&audit.folder.path().join("plan.json")).unwrap();
    assert_eq!(frozen.cost.map(|c| (c.requests, c.items)), Some((18, 18)));
    assert!(stdout(&audit.run("plan", &["--no-probe"])).contains("Cost: 18 model calls;"));

    let output = audit.run("run", &[]);
    let words = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{words}");
    for name in ["nowhere", "broken", "guided"] {
        assert!(words.contains(&format!("warning: base@{name} is refused: ")), "{words}");
    }
    assert!(words.contains("to ask; 1 worker with "), "{words}");
    assert!(
        words.contains("warning: one worker takes about ") && words.contains("`memory_mib` allows 16 MiB"),
        "{words}"
    );
}

#[test]
fn a_budget_that_one_worker_exceeds_is_told_and_one_that_it_keeps_is_not() {
    for (budget, expected) in [(16, true), (4096, false)] {
        let folder = tempfile::tempdir().unwrap();
        let mut plan = plan(Script::default(), 4, vec![pairs(3)]);
        plan.options.engine = EngineChoice::Mistral;
        plan.options.limits.memory_mib = Some(budget);
        plan.settings.truncate(1);
        plan.settings[0].source =
            ModelSource::Directory(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models/base"));
        let mut told = Vec::new();
        go_watched(&plan, folder.path(), false, &AtomicBool::new(false), &mut |event| {
            if let Event::Tight { needed_mib, allowed_mib, by_user } = event {
                told.push((*needed_mib > *allowed_mib, *allowed_mib, *by_user));
            }
        })
        .unwrap();
        assert_eq!(told, if expected { vec![(true, budget, true)] } else { vec![] });
    }
}

#[test]
fn a_part_of_one_with_too_many_failures_ends_with_exit_code_6_also_when_it_is_taken_up_again() {
    let audit = Audit::new("", 1, "");
    std::fs::write(
        audit.folder.path().join("long.toml"),
        "title = \"Texts\"\nmeasure = \"continuation\"\nlicence = \"CC0\"\ncitation = \"none\"\ncluster_unit = \"text\"\n\
         [data]\nfile = \"long.jsonl\"\n[columns]\nid = \"id\"\ncluster = \"id\"\nsubgroups = { gender = \"gender\" }\n\
         [ask]\nkind = \"generate\"\nmax_tokens = 2\nprompt = \"{{ text }}\"\n",
    )
    .unwrap();
    let row = |i: usize| {
        let text = if i == 0 { "word ".repeat(3000) } else { "The women came".to_owned() };
        serde_json::json!({"id": format!("t{i}"), "gender": "woman", "text": text}).to_string()
    };
    std::fs::write(audit.folder.path().join("long.jsonl"), (0..5).map(row).collect::<Vec<_>>().join("\n")).unwrap();
    let text = Audit::text("", 1, "").replace("decision.toml", "long.toml").replace("\"decision\"", "\"texts\"");
    audit.write(&text.replace("options = { max_clusters = 1 }\n", ""));
    for more in [["--shard", "1/1"].as_slice(), &["--shard", "1/1", "--resume"], &["--shard", "1/1", "--resume"]] {
        let output = audit.run("run", more);
        let words = stderr(&output);
        assert_eq!(output.status.code(), Some(6), "{more:?}: {words}");
        assert!(words.contains("1 of 5 items failed, and the spec tolerates 0:"), "{words}");
        assert!(words.contains("× the prompt has ") && words.contains("(t0 of texts under base@none)"), "{words}");
    }
    let part = audit.only("runs");
    let merged = audit.folder.path().join("merged");
    let output = quantbias(&["merge", part.to_str().unwrap(), "--out", merged.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("1 item failed; "), "{}", stderr(&output));
    assert_eq!(records(&merged, "texts", "base@none").len(), 5);
}
