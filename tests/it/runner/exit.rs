//! The program's exit code when too many items failed.

use super::*;

const AUDIT: &str = r#"
name = "long"
[[model]]
id = "base"
path = "MODEL"
[settings]
schemes = []
aa = false
[[benchmark]]
id = "texts"
type = "custom"
path = "texts.toml"
"#;

const TEXTS: &str = r#"
title = "Texts"
measure = "continuation"
licence = "CC0"
citation = "none"
cluster_unit = "text"
[data]
file = "texts.jsonl"
[columns]
id = "id"
cluster = "id"
subgroups = { gender = "gender" }
[ask]
kind = "generate"
max_tokens = 2
prompt = "{{ text }}"
"#;

#[test]
fn prompts_that_do_not_fit_fail_are_counted_and_end_with_exit_code_6_and_their_records() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models/base");
    let audit = AUDIT.replace("MODEL", &model.display().to_string());
    std::fs::write(at("audit.toml"), &audit).unwrap();
    std::fs::write(at("texts.toml"), TEXTS).unwrap();
    let text = |i: usize| if i < 2 { "word ".repeat(3000) } else { format!("The {i} women came") };
    let row = |i: usize| serde_json::json!({"id": format!("t{i}"), "gender": "woman", "text": text(i)}).to_string();
    std::fs::write(at("texts.jsonl"), (0..7).map(row).collect::<Vec<_>>().join("\n")).unwrap();
    let run = |more: &[&str]| {
        let mut command = Command::new(worker_exe());
        command.arg("run").arg(at("audit.toml")).arg("--out").arg(at("out")).args(more);
        command.output().unwrap()
    };
    let first = run(&[]);
    let words = String::from_utf8_lossy(&first.stderr).into_owned();
    assert_eq!(first.status.code(), Some(6), "{words}");
    assert!(words.contains("2 of 7 items failed"), "{words}");
    let again = run(&["--resume"]);
    assert_eq!(again.status.code(), Some(6), "{}", String::from_utf8_lossy(&again.stderr));
    std::fs::write(at("audit.toml"), audit + "[runner]\nmax_failed = 0.5\n").unwrap();
    let second = run(&["--resume"]);
    assert_eq!(second.status.code(), Some(0), "{}", String::from_utf8_lossy(&second.stderr));
    let path = PathBuf::from(String::from_utf8(second.stdout).unwrap().lines().next().unwrap().trim());
    let records = records(&path, "texts", "base@none");
    let failed: Vec<&str> = records.iter().filter(|r| r.answer.is_err()).map(|r| r.item.as_str()).collect();
    assert_eq!((records.len(), failed), (7, vec!["t0", "t1"]));
    let seal = std::fs::read(path.join("SHA256SUMS")).unwrap();
    std::fs::remove_file(path.join("SHA256SUMS")).unwrap();
    assert_eq!(run(&["--resume"]).status.code(), Some(0));
    assert!(path.join("SHA256SUMS").exists(), "a run that was cut off before its seal is sealed");
    let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().count();
    assert_eq!(lines(&std::fs::read(path.join("SHA256SUMS")).unwrap()), lines(&seal));
    let log = std::fs::read_to_string(path.join("log.jsonl")).unwrap();
    assert_eq!(log.matches("\"event\":\"planned\"").count(), 1, "what is complete is not run again");
}
