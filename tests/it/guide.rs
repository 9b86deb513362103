//! The guide says what is true: its files are the files, its audit runs and ends as it tells, its reference is the schema.

use crate::auditing::{files, only, quantbias, stderr, stdout};
use crate::shell::unknown_keys;
use quantbias::guide::{TOPICS, topic};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn root(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap()
}

/// Code blocks of a text in one language, with the line before them.
fn blocks(text: &str, language: &str) -> Vec<(String, String)> {
    let start = format!("```{language}\n");
    let mut parts = text.split(&start);
    let mut before = parts.next().unwrap_or_default();
    let mut found = Vec::new();
    for part in parts {
        let (block, after) = part.split_once("```").unwrap();
        found.push((before.trim_end().lines().last().unwrap_or_default().to_owned(), block.to_owned()));
        before = after;
    }
    found
}

#[test]
fn every_topic_prints_and_names_only_topics_and_commands_that_exist() {
    let list = stdout(&quantbias(&["guide"]));
    let help = stdout(&quantbias(&["--help"]));
    let command = regex::Regex::new(r"`quantbias ([a-z]+)|^quantbias ([a-z]+)").unwrap();
    let mention = regex::Regex::new(r"quantbias guide\s+([a-z-]+)").unwrap();
    for one in TOPICS {
        assert!(list.contains(one.name), "{list}");
        let output = quantbias(&["guide", one.name]);
        assert_eq!(stdout(&output).trim_end(), one.text.trim_end());
        for line in one.text.lines() {
            for found in command.captures_iter(line) {
                let name = found.get(1).or(found.get(2)).unwrap().as_str();
                assert!(help.contains(&format!("\n  {name} ")), "{}: there is no command {name}", one.name);
            }
        }
        for found in mention.captures_iter(one.text) {
            assert!(topic(&found[1]).is_some(), "{}: there is no topic {}", one.name, &found[1]);
        }
    }
    let wrong = quantbias(&["guide", "everything"]);
    assert_eq!((wrong.status.code(), stderr(&wrong).contains("tutorial")), (Some(2), true));
}

#[test]
fn files_that_the_guide_shows_are_the_files() {
    let named = regex::Regex::new(r"^The file `([^`]+)`:$").unwrap();
    let mut seen = 0;
    for one in TOPICS {
        for language in ["yaml", "sh", "toml", "csv", "json", "text"] {
            for (before, block) in blocks(one.text, language) {
                if let Some(found) = named.captures(&before) {
                    assert_eq!(block.trim_end(), read(&found[1]).trim_end(), "{}", &found[1]);
                    seen += 1;
                }
            }
        }
    }
    assert_eq!(seen, 16);
}

#[test]
fn every_key_of_the_guide_s_audit_files_is_a_key_of_the_schema() {
    let (mut seen, mut whole) = (0, 0);
    for one in TOPICS {
        for (before, block) in blocks(one.text, "toml") {
            if before.starts_with("The file `") {
                continue;
            }
            let unknown = unknown_keys(&toml::from_str(&block).unwrap());
            assert!(unknown.is_empty(), "{}: {unknown:?}", one.name);
            // Whole files are valid ones.
            if block.starts_with("name = ") {
                let parsed = quantbias::spec::parse(Path::new("audit.toml"), &block);
                assert!(parsed.is_ok(), "{}: {:?}", one.name, parsed.err());
                whole += 1;
            }
            seen += 1;
        }
    }
    assert_eq!((seen, whole), (10, 3));
}

/// The tutorial's audit file, with changes.
fn tutorial(changes: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let text = &blocks(topic("tutorial").unwrap().text, "toml")[0].1;
    let folder = tempfile::tempdir().unwrap();
    let mut text = text.replace("path = \"data/", &format!("path = \"{ROOT}/data/"));
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let file = folder.path().join("first.toml");
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

#[test]
fn the_tutorial_s_audits_end_as_it_tells() {
    let stricter = ("[\"q8_0\"]", "[\"q8_0\", \"q2k\"]");
    let (_folder, file) = tutorial(&[]);
    let shown = blocks(topic("tutorial").unwrap().text, "text");
    let audit = |file: &Path, code: i32, first: &str| {
        let output = quantbias(&["audit", file.to_str().unwrap(), "--workers", "2"]);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        let (_, block) = shown.iter().find(|(_, block)| block.starts_with(first)).unwrap();
        let said = format!("{}\n{code}", stdout(&output));
        for line in block.lines().filter(|l| *l != "…") {
            assert!(said.lines().any(|l| l == line), "{line:?} is not in\n{said}");
        }
    };
    audit(&file, 0, "first: base; 1 quantized");
    let (folder, file) = tutorial(&[stricter]);
    audit(&file, 11, "4 gates");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("decision = 0.5", "decision = 0.05")).unwrap();
    audit(&file, 10, "At Q2K");
    let run = only(&folder.path().join("quantbias-out/runs"));
    assert_eq!(quantbias(&["verify", run.to_str().unwrap()]).status.code(), Some(0));
}

/// Runs a line as the shell of a CI job does, in a folder, with this program as `quantbias`.
fn shell(line: &str, folder: &Path) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_quantbias")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(folder).env("PATH", path).stdin(Stdio::null());
    command.env_remove("GITHUB_STEP_SUMMARY").output().unwrap()
}

/// Lines of a CI file that call this program, in their order.
fn calls(yaml: &str) -> Vec<String> {
    let lines = yaml.lines().map(|l| l.trim().trim_start_matches("- ").trim_start_matches("run: "));
    lines.filter(|l| l.starts_with("quantbias ")).map(str::to_owned).collect()
}

#[test]
fn what_the_ci_examples_call_works_in_this_order_on_a_small_audit() {
    for (file, lines) in [("templates/ci/github.yml", 6), ("templates/ci/gitlab.yml", 5)] {
        let (folder, audit) = tutorial(&[("decision = 0.5", "decision = 0.5\n[runner]\nworkers = 2")]);
        std::fs::rename(&audit, folder.path().join("audit.toml")).unwrap();
        // Committed beforehand, as the guide says.
        let plan = shell("quantbias plan audit.toml --no-probe", folder.path());
        assert_eq!(plan.status.code(), Some(0), "{}", stderr(&plan));
        let calls = calls(&read(file));
        assert_eq!(calls.len(), lines, "{calls:?}");
        for line in &calls {
            // The network is not touched in a test.
            let line = if line.starts_with("quantbias fetch") { format!("{line} --help") } else { line.clone() };
            let output = shell(&line, folder.path());
            assert_eq!(output.status.code(), Some(0), "{file}: {line}: {}", stderr(&output));
            assert!(!stderr(&output).contains("not as frozen"), "{}", stderr(&output));
        }
        assert!(folder.path().join("evidence.tar.gz").is_file());
        let report = only(&folder.path().join("quantbias-out/reports"));
        assert!(files(&report).iter().any(|f| f == "junit.xml"));
    }
}

/// The parts that tasks of a cluster job run: its shell lines, with `quantbias` replaced by `echo`.
fn parts(
    lines: &str,
    tasks: impl IntoIterator<Item = u32>,
    variables: impl Fn(u32) -> Vec<(&'static str, u32)>,
) -> BTreeSet<String> {
    let script = lines.replace("quantbias run", "echo run");
    let part = regex::Regex::new(r"--shard (\S+)").unwrap();
    tasks
        .into_iter()
        .map(|task| {
            let mut command = Command::new("sh");
            command.args(["-ceu", &script]).env("OUT", "out").stdin(Stdio::null());
            command.envs(variables(task).into_iter().map(|(name, value)| (name, value.to_string())));
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", stderr(&output));
            let text = stdout(&output);
            assert!(text.starts_with("run audit.toml ") && text.contains("--resume"), "{text}");
            part.captures(&text).unwrap()[1].to_owned()
        })
        .collect()
}

fn every_part(of: u32) -> BTreeSet<String> {
    (1..=of).map(|n| format!("{n}/{of}")).collect()
}

#[test]
fn the_tasks_of_a_slurm_array_run_every_part_once_and_the_same_parts_where_some_are_submitted_again() {
    let script = read("templates/cluster/slurm.sh");
    let array = script.lines().find_map(|l| l.strip_prefix("#SBATCH --array=")).unwrap();
    let (first, last) = array.split_once('-').map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap())).unwrap();
    // As Slurm sets them: of the tasks that are submitted now.
    let run = |tasks: Vec<u32>| {
        let (min, count) = (tasks[0], tasks.len() as u32);
        parts(&script, tasks, |task| {
            vec![
                ("SLURM_ARRAY_TASK_ID", task),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_CPUS_PER_TASK", 4),
            ]
        })
    };
    assert_eq!(run((first..=last).collect()), every_part(last));
    let again = script.split("sbatch --array=").nth(1).unwrap().split_whitespace().next().unwrap();
    let again: Vec<u32> = again.split(',').map(|n| n.parse().unwrap()).collect();
    assert_eq!(run(again.clone()), again.iter().map(|n| format!("{n}/{last}")).collect());
}

#[test]
fn the_pods_of_a_kubernetes_job_run_every_part_once() {
    let yaml = read("templates/cluster/kubernetes.yaml");
    let lines: Vec<&str> = yaml.lines().skip_while(|l| l.trim() != "- |").skip(1).take(2).collect();
    let number = |key: &str| -> u32 {
        let line = yaml.lines().find(|l| l.trim_start().starts_with(key)).unwrap();
        line.split_once(':').unwrap().1.split('#').next().unwrap().trim().trim_matches('"').parse().unwrap()
    };
    let of = number("completions:");
    assert_eq!(of, number("value:"), "the number of parts");
    assert!(lines[1].trim_start().starts_with("exec quantbias "), "a pod's signals reach its first process only");
    let found = parts(&lines.join("\n"), 0..of, |task| vec![("JOB_COMPLETION_INDEX", task), ("SHARDS", of)]);
    assert_eq!(found, every_part(of));
}

/// The table of a schema's object, then those of the objects in it.
fn describe(root: &Value, schema: &Value, heading: &str, out: &mut String) {
    let required: BTreeSet<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut below = Vec::new();
    let _ = writeln!(out, "\n## {heading}\n");
    // A description that says the heading again says nothing.
    let description = one_line(schema["description"].as_str().unwrap_or_default());
    if description.split_whitespace().count() > 3 {
        let _ = writeln!(out, "{description}\n");
    }
    let _ = writeln!(out, "| key | kind | |\n|---|---|---|");
    for (key, property) in schema["properties"].as_object().unwrap() {
        let kind = kind(root, property);
        let note = if required.contains(key.as_str()) { " **Required.**" } else { "" };
        let about = one_line(property["description"].as_str().unwrap_or_default());
        let _ = writeln!(out, "| `{key}` | {} | {about}{note} |", kind.words);
        if let Some(object) = kind.object {
            below.push((key.clone(), kind.list, object));
        }
    }
    for (key, list, object) in below {
        let path = heading.trim_matches(|c| "`[]".contains(c));
        let path = if heading.starts_with('`') { format!("{path}.{key}") } else { key };
        let heading = if list { format!("`[[{path}]]`") } else { format!("`[{path}]`") };
        describe(root, object, &heading, out);
    }
}

struct Kind<'a> {
    words: String,
    list: bool,
    object: Option<&'a Value>,
}

/// What a property holds, in words; and the object in it, if that has keys of its own.
fn kind<'a>(root: &'a Value, property: &'a Value) -> Kind<'a> {
    let plain = |words: String| Kind { words, list: false, object: None };
    if let Some(name) = property["$ref"].as_str() {
        return kind(root, root.pointer(name.trim_start_matches('#')).unwrap());
    }
    if let Some(all) = property["anyOf"].as_array() {
        let mut kinds: Vec<Kind<'a>> = all.iter().filter(|s| s["type"] != "null").map(|s| kind(root, s)).collect();
        if kinds.len() > 1 {
            return plain(kinds.into_iter().map(|k| k.words).collect::<Vec<_>>().join(" or "));
        }
        return kinds.remove(0);
    }
    let words: Vec<&str> = words(property);
    if !words.is_empty() {
        return plain(words.iter().map(|w| format!("`\"{w}\"`")).collect::<Vec<_>>().join(", "));
    }
    let name = match &property["type"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).find(|t| *t != "null").unwrap_or_default(),
        one => one.as_str().unwrap_or_default(),
    };
    match name {
        "object" if property["properties"].is_object() => {
            Kind { words: "table".to_owned(), list: false, object: Some(property) }
        }
        "object" => plain("table of numbers".to_owned()),
        "array" => {
            let inner = kind(root, &property["items"]);
            let words = if inner.object.is_some() { "tables".to_owned() } else { format!("list of {}", inner.words) };
            Kind { words, list: true, object: inner.object }
        }
        "boolean" => plain("true or false".to_owned()),
        "string" => plain("text".to_owned()),
        "integer" => plain("whole number".to_owned()),
        other => plain(other.to_owned()),
    }
}

/// The words of a closed choice.
fn words(property: &Value) -> Vec<&str> {
    let direct = property["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let each = property["oneOf"].as_array().into_iter().flatten().flat_map(|one| {
        one["const"].as_str().into_iter().chain(one["enum"].as_array().into_iter().flatten().filter_map(Value::as_str))
    });
    direct.chain(each).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[test]
fn the_reference_of_audit_toml_is_that_of_the_types() {
    let schema: Value = serde_json::from_slice(&quantbias(&["schema"]).stdout).unwrap();
    let mut text = String::from(
        "# Every key of audit.toml\n\nMade from the types that read the file; an unknown key is an error that is underlined in \
         the file. Paths are\nrelative to the audit file. `quantbias schema` prints the same for editors; README.md shows an \
         example.\n",
    );
    describe(&schema, &schema, "At the top", &mut text);
    let path = root("src/guide/audit_toml.md");
    if std::env::var_os("QUANTBIAS_REGENERATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "QUANTBIAS_REGENERATE=1 writes it anew");
}
