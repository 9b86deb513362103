//! Output that nobody can take: a full disk, a closed stream, a reader that went away. Exit codes stay what they are.

use crate::auditing::{Audit, SMALL_PLAN, copy, shared, stderr};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quantbias"));
    command.args(args).stdin(Stdio::null());
    command
}

/// A device that is always full.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

fn with_full_stderr(args: &[&str]) -> Output {
    command(args).stderr(full()).output().unwrap()
}

fn with_full_stdout(args: &[&str]) -> Output {
    command(args).stdout(full()).output().unwrap()
}

/// Runs with a stream closed: `2>&-` or `1>&-`.
fn without(stream: &str, args: &[&str]) -> Output {
    let line = format!("exec \"$0\" \"$@\" {stream}");
    let program = env!("CARGO_BIN_EXE_quantbias");
    Command::new("sh").args(["-c", &line, program]).args(args).stdin(Stdio::null()).output().unwrap()
}

/// Commands of every kind that only print, in all forms of output.
fn printing() -> Vec<Vec<String>> {
    let base = format!("{ROOT}/data/models/base");
    let findings = format!("{ROOT}/reports/demo-quick/findings.json");
    let (base, findings) = (base.as_str(), findings.as_str());
    let all: [&[&str]; 13] = [
        &["schemes"],
        &["schemes", "--format", "json"],
        &["schemes", "--model", base],
        &["schemes", "--model", base, "--format", "json"],
        &["benchmarks"],
        &["show", findings],
        &["power", "--items", "2000", "--discordance", "0.1"],
        &["guide", "statistics"],
        &["schema"],
        &["completions", "bash"],
        &["analyze", "--totals-sql"],
        &["--help"],
        &["--version"],
    ];
    all.iter().map(|args| args.iter().map(|&a| a.to_owned()).collect()).collect()
}

fn words(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn an_error_that_cannot_be_shown_keeps_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    let nothing = nothing.to_str().unwrap();
    let wrong = folder.path().join("wrong.toml");
    std::fs::write(&wrong, "name = \"x\"\nnonsense = 1\n").unwrap();
    let cases: [(&[&str], i32); 8] = [
        (&["check", nothing], 3),
        (&["check", wrong.to_str().unwrap()], 3),
        (&["analyze", nothing], 4),
        (&["schemes", "--model", nothing], 5),
        (&["guide", "nothing"], 2),
        (&["power", "--items", "0"], 2),
        (&["analyze"], 2),
        (&["nothing"], 2),
    ];
    for (args, code) in cases {
        assert_eq!(with_full_stderr(args).status.code(), Some(code), "full: {args:?}");
        assert_eq!(without("2>&-", args).status.code(), Some(code), "closed: {args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_audit_whose_progress_warnings_and_reasons_cannot_be_shown_ends_as_its_gates_say() {
    // A margin that nothing meets, and a step summary that cannot be written: every kind of note.
    let audit = Audit::new("\"q2k\"", 8, &SMALL_PLAN.replace("decision = 0.3", "decision = 0.0001"));
    let file = audit.file();
    let args = ["audit", file.to_str().unwrap(), "--workers", "1"];
    let seen = command(&args).env("GITHUB_STEP_SUMMARY", "/dev/full").output().unwrap();
    let code = seen.status.code();
    assert!([Some(10), Some(11)].contains(&code), "{}", stderr(&seen));
    for needle in ["items to ask", "step summary could not be written", "gate"] {
        assert!(stderr(&seen).contains(needle), "{needle}: {}", stderr(&seen));
    }
    for stdout_too in [false, true] {
        let mut unseen = command(&args);
        let out = audit.folder.path().join(format!("{stdout_too}"));
        unseen.arg("--out").arg(out).env("GITHUB_STEP_SUMMARY", "/dev/full").stderr(full());
        if stdout_too {
            unseen.stdout(full());
        }
        assert_eq!(unseen.output().unwrap().status.code(), code, "stdout too: {stdout_too}");
    }
    let run = audit.folder.path().join("run");
    let output = with_full_stderr(&["run", args[1], "--out", run.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "`run` notes its seal");
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_a_full_disk_does_not_take_is_exit_code_7() {
    for args in printing() {
        let args = words(&args);
        let output = with_full_stdout(&args);
        assert_eq!(output.status.code(), Some(7), "{args:?}: {}", stderr(&output));
        let text = stderr(&output);
        assert!(text.contains("cannot write to stdout") && text.contains("help: "), "{args:?}: {text}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_does_not_hide_another_exit_code_and_leaves_what_was_written() {
    let run = shared().only("runs");
    let folder = tempfile::tempdir().unwrap();
    let altered = folder.path().join("run");
    copy(&run, &altered);
    std::fs::write(altered.join("added"), "by somebody").unwrap();
    assert_eq!(with_full_stdout(&["verify", altered.to_str().unwrap()]).status.code(), Some(4));
    assert_eq!(with_full_stdout(&["verify", run.to_str().unwrap()]).status.code(), Some(7));
    let findings = shared().only("findings").join("findings.json");
    let pages = folder.path().join("pages");
    let output = with_full_stdout(&["report", findings.to_str().unwrap(), "--out", pages.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(7));
    assert!(pages.join("report.html").exists());
}

#[test]
#[cfg(unix)]
fn a_reader_that_has_seen_enough_is_content_and_a_closed_stdout_is_nobody_s_loss() {
    for args in printing() {
        let args = words(&args);
        let mut child = command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{args:?}");
        assert_eq!(without("1>&-", &args).status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn nothing_but_one_file_prints() {
    let printing =
        regex::Regex::new(r"\be?print(ln)?!|\bdbg!|\bstderr\(\)\.(lock|write)|\bwriteln?!\((std::)?io::std").unwrap();
    let mut folders = vec![Path::new(ROOT).join("src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|e| e != "rs") || path.ends_with("cli/print.rs") {
                continue;
            }
            seen += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            assert!(!printing.is_match(&code), "{} prints; say! and note! do", path.display());
        }
    }
    assert!(seen > 100);
}
