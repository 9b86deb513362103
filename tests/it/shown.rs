//! Every command that the README, the guide, and the help show: it is accepted, and those that need no data set, server,
//! or large model do what is shown.

use crate::auditing::{quantbias, stderr, stdout};
use quantbias::guide::{TOPICS, topic};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Code blocks of a text: the language, and what stands in them.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let inside = text.split("\n```").skip(1).step_by(2);
    inside.filter_map(|block| block.split_once('\n')).collect()
}

/// Commands in shell lines: continued lines joined, comments and redirections away, lists and pipes taken apart.
fn commands(lines: &str) -> Vec<String> {
    let joined = lines.replace("\\\n", " ");
    let plain =
        joined.lines().map(|l| l.split(" #").next().unwrap_or_default().split("     ").next().unwrap_or_default());
    let parts = plain.flat_map(|l| l.split("&&").flat_map(|p| p.split('|').take(1)).map(str::trim).collect::<Vec<_>>());
    let run = |part: &str| {
        let part = part.trim_start_matches("$ ").replace("cargo run --release -- ", "quantbias ");
        let part = part.split(" > ").next().unwrap_or_default().trim().to_owned();
        // Lines with a shell's variables are run by tests of their own.
        (part.starts_with("quantbias ") && !part.contains('$')).then_some(part)
    };
    parts.filter_map(run).collect()
}

/// Every command of a text, whether in a shell block or indented under `Examples`.
fn all_shown() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let texts = TOPICS.iter().map(|t| (t.name.to_owned(), t.text.to_owned())).chain([("README".to_owned(), readme)]);
    for (name, text) in texts {
        for (_, block) in blocks(&text).iter().filter(|(language, _)| *language == "sh") {
            found.extend(commands(block).into_iter().map(|c| (name.clone(), c)));
        }
    }
    let names = regex::Regex::new(r"(?m)^  ([a-z]+) {2,}").unwrap();
    let help = stdout(&quantbias(&["--help"]));
    for name in names.captures_iter(&help).map(|c| c[1].to_owned()).filter(|n| n != "help") {
        let text = stdout(&quantbias(&[&name, "--help"]));
        let examples = text.split("Example").nth(1).unwrap_or_default();
        // A line that does not begin with a command goes on with the one before it.
        let whole = examples.lines().fold(String::new(), |all, line| {
            let own = line.trim_start().starts_with("quantbias ") || !line.starts_with("  ");
            all + if own { "\n" } else { " " } + line.trim()
        });
        found.extend(commands(&whole).into_iter().map(|c| (format!("{name} --help"), c)));
    }
    found
}

#[test]
fn every_command_that_is_shown_anywhere_is_one_that_the_program_takes() {
    let all = all_shown();
    let sources: BTreeSet<&str> = all.iter().map(|(from, _)| from.as_str()).collect();
    assert!(all.len() > 80 && sources.len() > 25, "{} commands in {sources:?}", all.len());
    for (from, line) in &all {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        // Every argument before it is read, and nothing is done.
        let output = quantbias(&[&words[..], &["--help"]].concat());
        assert_eq!(output.status.code(), Some(0), "{from}: {line}\n{}", stderr(&output));
    }
}

#[test]
fn the_tables_of_exit_codes_are_those_of_the_program() {
    let source = std::fs::read_to_string(Path::new(ROOT).join("src/pipeline/error.rs")).unwrap();
    let constant = regex::Regex::new(r"pub const \w+: u8 = (\d+);").unwrap();
    let codes: BTreeSet<u32> = constant.captures_iter(&source).map(|c| c[1].parse().unwrap()).collect();
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let table = readme.split("| exit code | when |").nth(1).unwrap().split("\n\n").next().unwrap();
    let row = regex::Regex::new(r"(?m)^\| ([\d /]+) \|").unwrap();
    let named: BTreeSet<u32> = row
        .captures_iter(table)
        .flat_map(|c| c[1].split('/').map(|n| n.trim().parse().unwrap()).collect::<Vec<u32>>())
        .collect();
    assert_eq!(named, codes, "README");
    let number = regex::Regex::new(r"\b(\d+) ").unwrap();
    let help = stdout(&quantbias(&["audit", "--help"])).replace('\n', " ");
    let help = help.split("Exit codes:").nth(1).unwrap().split("Examples").next().unwrap();
    let named: BTreeSet<u32> = number.captures_iter(help).map(|c| c[1].parse().unwrap()).collect();
    assert_eq!(named, codes, "audit --help");
}

/// A folder as the guide has it: the tutorial's audit file in the folder of the repository.
struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new(schemes: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["data", "tests"] {
            #[cfg(unix)]
            std::os::unix::fs::symlink(Path::new(ROOT).join(name), folder.path().join(name)).unwrap();
        }
        let text = blocks(topic("tutorial").unwrap().text).into_iter().find(|(l, _)| *l == "toml").unwrap().1;
        let text = text.replace("[\"q8_0\"]", schemes);
        std::fs::write(folder.path().join("first.toml"), text).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Runs a line in a shell, with this program as `quantbias`.
    fn run(&self, line: &str) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_quantbias")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.args(["-ceu", line]).current_dir(self.path()).env("PATH", path).stdin(Stdio::null());
        let output = command.env_remove("GITHUB_STEP_SUMMARY").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}\n{}", stderr(&output));
        output
    }
}

/// The shell block of a topic that has a needle in it, and the text block that follows.
fn shown(name: &str, needle: &str) -> (String, String) {
    let text = topic(name).unwrap().text;
    let all = blocks(text);
    let at = all.iter().position(|(language, block)| *language == "sh" && block.contains(needle)).unwrap();
    let (language, output) = all[at + 1];
    assert_eq!(language, "text", "{name}: {needle}");
    (all[at].1.to_owned(), output.to_owned())
}

/// Lines of a shown output that are not left out, without the hashes in names.
fn lines(output: &str) -> Vec<String> {
    let hash = regex::Regex::new(r"-[0-9a-f]{12}\b").unwrap();
    let lines = output.lines().map(|l| hash.replace_all(l.trim_end(), "-#").into_owned());
    lines.filter(|l| l != "…" && !l.is_empty()).collect()
}

/// Runs what is shown, and expects every line that is shown.
fn does_what_is_shown(folder: &Folder, name: &str, needle: &str, change: &dyn Fn(&str) -> String) {
    let (shell, output) = shown(name, needle);
    let own = format!("{}/", folder.path().display());
    let said = lines(&stdout(&folder.run(&change(&shell))).replace(&own, ""));
    for line in lines(&output) {
        assert!(said.contains(&line), "{name}: {line:?} is not in\n{}", said.join("\n"));
    }
}

#[test]
#[cfg(unix)]
fn what_the_guide_shows_of_definitions_findings_and_assumptions_is_printed() {
    let folder = Folder::new("[\"q8_0\"]");
    let same = |line: &str| line.to_owned();
    for needle in ["custom/pairs.toml", "custom/choice.toml", "custom/people.toml"] {
        does_what_is_shown(&folder, "your-own-benchmark", needle, &same);
    }
    does_what_is_shown(&folder, "statistics", "quantbias power --items", &same);
    let example = format!("{ROOT}/reports/demo-quick/findings.json");
    let findings = |line: &str| line.replace("quantbias-demo/findings/*/findings.json", &example);
    does_what_is_shown(&folder, "tutorial", "quantbias show", &findings);
    does_what_is_shown(&folder, "tutorial", "--subgroup gender", &findings);
}

#[test]
#[cfg(unix)]
fn what_the_guide_shows_of_the_tutorial_s_audit_is_done_in_its_order() {
    let folder = Folder::new("[\"q8_0\", \"q2k\"]");
    let same = |line: &str| line.to_owned();
    does_what_is_shown(&folder, "audit-a-model", "quantbias check first.toml", &same);
    folder.run("quantbias plan first.toml --out plan.json");
    // In parts, joined, analysed; then again from the same answers.
    does_what_is_shown(&folder, "many-machines", "--shard 1/2", &same);
    let (shell, _) = shown("other-tools", "quantbias rescore RUN");
    let shell = shell.replace("RUN", "parts/runs/first").replace("FINDINGS", "parts/findings/*");
    let output = stdout(&folder.run(&shell.replace("audit.toml", "first.toml")));
    assert!(output.starts_with("0 of "), "{output}");
    // The run of one machine is the run of two.
    folder.run("quantbias run first.toml");
    let (shell, _) = shown("other-tools", "quantbias compare RUN_A");
    let shell = shell.replace("RUN_A", "parts/runs/first").replace("RUN_B", "quantbias-out/runs/first-*");
    folder.run(&shell);
    let hash = regex::Regex::new(r"first-[0-9a-f]{12}").unwrap();
    let (shell, _) = shown("tutorial", "quantbias verify");
    folder.run(&hash.replace(&shell, "first-*"));
    let (shell, output) = shown("statistics", "quantbias calibrate");
    let said = stdout(&folder.run(&hash.replace(&shell, "first-*")));
    let kinds = output.lines().filter(|l| l.ends_with(':') || l.ends_with("clusters"));
    for line in kinds {
        assert!(said.contains(line), "{line:?} is not in\n{said}");
    }
    folder.run(
        "quantbias analyze quantbias-out/runs/first-* && quantbias bundle quantbias-out/runs/first-* --out e.tar.gz",
    );
    folder.run("quantbias bundle --check e.tar.gz");
}
