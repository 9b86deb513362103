//! What every command says of files that are not what it wants: the exit code of README's table, the name of the file,
//! and what to do next; never a panic, a backtrace, or a value as Rust prints it.

use crate::auditing::{Audit, SMALL_PLAN, quantbias, shared, stderr, stdout};
use std::path::{Path, PathBuf};

/// Files and folders that are wrong in every way.
struct Wrong {
    folder: tempfile::TempDir,
    audit: Audit,
}

impl Wrong {
    fn new() -> Self {
        let wrong = Self { folder: tempfile::tempdir().unwrap(), audit: Audit::new("\"q8_0\"", 8, SMALL_PLAN) };
        let findings = std::fs::read_to_string(shared().only("findings").join("findings.json")).unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = wrong.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        std::fs::create_dir(wrong.path("folder")).unwrap();
        write("empty", b"");
        write("binary", b"\xff\xfe\x00\x01");
        write("words", b"hello\n");
        write("cut.json", &findings.as_bytes()[..findings.len() / 2]);
        write("later.json", findings.replacen("\"format\": \"1.", "\"format\": \"9.", 1).as_bytes());
        write("findings.json", findings.as_bytes());
        write("later/manifest.json", b"{\"format\": \"9.0\", \"complete\": true}");
        write("broken/manifest.json", b"not json");
        wrong
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Arguments with `@name` for a wrong file, `AUDIT` for a right audit file, and `RUN` for a right run.
    fn arguments(&self, line: &str) -> Vec<String> {
        let one = |word: &str| match word {
            "AUDIT" => self.audit.file().display().to_string(),
            "RUN" => shared().only("runs").display().to_string(),
            _ => word.replace('@', &format!("{}/", self.folder.path().display())),
        };
        line.split(' ').map(one).collect()
    }

    fn ends(&self, line: &str, code: i32, needles: &[&str]) {
        let arguments = self.arguments(line);
        let output = quantbias(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        // `verify` lists what is wrong; that is its output.
        let text = if line.starts_with("verify") { stdout(&output) + &stderr(&output) } else { stderr(&output) };
        assert_eq!(output.status.code(), Some(code), "{line}\n{text}");
        for needle in needles {
            assert!(text.contains(needle), "{line}: {needle:?} is not in\n{text}");
        }
        for never in ["panicked", "RUST_BACKTRACE", "Os {", "Error(", "Some(", "entity not found", "is not in ;", "``"]
        {
            assert!(!text.contains(never), "{line}: {never:?} is in\n{text}");
        }
    }
}

#[test]
fn what_is_no_audit_file_is_said_with_its_name() {
    let wrong = Wrong::new();
    for command in ["check", "audit", "run", "plan"] {
        wrong.ends(&format!("{command} @nothing"), 3, &["nothing", "help: name an audit.toml"]);
        wrong.ends(&format!("{command} @folder"), 3, &["folder", "help: name an audit.toml"]);
        wrong.ends(&format!("{command} @binary"), 3, &["binary", "UTF-8", "help: name an audit.toml"]);
        wrong.ends(&format!("{command} @empty"), 3, &["missing field `name`", "empty"]);
        wrong.ends(&format!("{command} @words"), 3, &["words:1", "hello"]);
    }
}

#[test]
fn what_is_no_run_directory_is_said_with_its_name() {
    let wrong = Wrong::new();
    let commands =
        ["analyze %", "score %", "calibrate %", "bundle %", "compare % %", "compare RUN %", "merge % --out @m"];
    let against = "rescore % --against @findings.json";
    for command in commands.iter().copied().chain([against, "verify %"]) {
        let with = |name: &str| command.replace('%', name);
        let help = "help: name a folder that `quantbias run` made";
        for name in ["@nothing", "@folder", "@empty", "@findings.json"] {
            wrong.ends(&with(name), 4, &[&name[1..], "is not a run directory", help]);
        }
        wrong.ends(&with("@later"), 4, &["later/manifest.json has format 9.0, and this release reads"]);
        wrong.ends(&with("@broken"), 4, &["broken/manifest.json is not readable as a run manifest"]);
    }
    let text = {
        let arguments = wrong.arguments("verify @later");
        stdout(&quantbias(&arguments.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    assert_eq!(text.matches("has format 9.0").count(), 1, "once is enough:\n{text}");
}

#[test]
fn what_is_no_findings_file_is_said_with_its_name() {
    let wrong = Wrong::new();
    for command in ["report %", "show %", "power %", "rescore RUN --against %", "plan AUDIT --no-probe --pilot %"] {
        let with = |name: &str| command.replace('%', name);
        wrong.ends(&with("@nothing"), 4, &["nothing", "help: "]);
        wrong.ends(&with("@folder"), 4, &["folder", "help: name"]);
        for name in ["@empty", "@words", "@cut.json"] {
            wrong.ends(&with(name), 4, &[&name[1..], "is not a findings file", "help: make it again"]);
        }
        wrong.ends(&with("@binary"), 4, &["binary", "UTF-8", "help: name a findings.json"]);
        wrong.ends(&with("@later.json"), 4, &["later.json has format 9.", "help: use the release"]);
    }
}

#[test]
fn other_files_and_folders_that_are_wrong_are_said_with_their_name() {
    let wrong = Wrong::new();
    for (line, code, needles) in [
        ("audit AUDIT --plan @nothing", 4, ["nothing", "help: "]),
        ("audit AUDIT --plan @folder", 4, ["folder", "help: "]),
        (
            "audit AUDIT --plan @words",
            4,
            ["words is not readable as a frozen plan", "help: make it with `quantbias plan`"],
        ),
        ("audit AUDIT --plan @findings.json", 4, ["findings.json holds findings, and no frozen plan", "help: "]),
        ("bundle --check @nothing", 4, ["nothing", "help: "]),
        ("bundle --check @folder", 4, ["folder", "help: "]),
        ("bundle --check @words", 4, ["words is not readable as a bundle", "help: "]),
        ("import --from table --map @nothing --out @r x=@words", 4, ["nothing", "help: "]),
        ("import --from table --map @words --out @r x=@words", 3, ["words", "help: `quantbias import --help`"]),
        ("import --from lm-eval --out @r x=@nothing", 4, ["nothing", "help: "]),
        ("import --from lm-eval --out @r x=@folder", 4, ["folder holds no samples_", "help: "]),
        ("import --from lm-eval --out @r x=@empty", 4, ["empty holds no rows", "help: "]),
        ("analyze --table @words --map item=a,setting=b,value=c", 4, ["words", "help: "]),
        ("analyze --totals @folder", 4, ["folder", "help: "]),
        ("schemes --model @nothing", 5, ["nothing cannot be read (No such file", "give a directory"]),
        ("schemes --model @words", 5, ["words", "give a directory"]),
        ("schemes --model @folder", 5, ["folder has no config.json", "needs"]),
        ("benchmarks show custom", 2, ["error: ", "help: name its TOML file with --path"]),
        ("benchmarks show custom --path @nothing", 4, ["`nothing` is not in", "defines the benchmark"]),
        ("benchmarks show custom --path nothing-here", 4, ["`nothing-here` is not in .", "defines the benchmark"]),
        ("benchmarks show custom --path @words", 4, ["words, line 1", "key with no value"]),
        ("report @findings.json --out @r --templates @nothing", 4, ["nothing", "help: "]),
        ("report @findings.json --out @words", 7, ["cannot write the report", "help: free space"]),
        ("report @findings.json --out @r --png --font-file @words", 2, ["words cannot be used as a font", "help: "]),
        ("man @words/pages", 7, ["words", "help: "]),
        ("power --items 20 --discordance 0.1 --json @nothing/power.json", 7, ["nothing/power.json", "help: "]),
        ("run AUDIT --out @words", 7, ["words", "help: free space"]),
        ("verify RUN --findings @nothing", 4, ["nothing", "wrong"]),
        ("analyze RUN --plan @words", 3, ["words", "hello"]),
        ("score RUN --plan @nothing", 3, ["nothing", "help: name an audit.toml"]),
        ("bundle --check @words --extract @folder", 4, ["folder exists already", "help: name a new folder"]),
    ] {
        wrong.ends(line, code, &needles);
    }
    assert!(!Path::new(&wrong.path("r/manifest.json")).exists(), "nothing was imported");
}

#[test]
fn a_command_line_that_lacks_something_says_what() {
    let wrong = Wrong::new();
    for (line, needles) in [
        ("audit", ["<FILE>", "--help"]),
        ("show", ["<FINDINGS>", "--help"]),
        ("calibrate", ["<RUN>", "--help"]),
        ("rescore RUN", ["--against", "--help"]),
        ("compare RUN", ["<RUN_B>", "--help"]),
        ("merge RUN", ["--out", "--help"]),
        ("import", ["--from <TOOL>", "--help"]),
        ("import --from nobody --out x y", ["nobody", "lm-eval"]),
        ("analyze", ["there is nothing to analyze", "help: "]),
        ("analyze --table x.csv", ["--map", "--help"]),
        ("power", ["--items", "--help"]),
        ("power --items 20", ["--discordance", "help: "]),
        ("fetch", ["<NAMES>", "--help"]),
        ("guide nothing", ["\"nothing\"", "help: it has tutorial"]),
        ("verify RUN --model base", ["base", "ID=FOLDER"]),
        ("compare RUN RUN --pair x", ["x", "A_SETTING=B_SETTING"]),
        ("run AUDIT --shard 5/3", ["5/3", "NUMBER from 1 to OF"]),
        ("run AUDIT --preset slow", ["slow", "quick, standard, paper"]),
        ("show @findings.json --width 5", ["5", "20.."]),
        ("nothing", ["nothing", "--help"]),
    ] {
        wrong.ends(line, 2, &needles);
    }
}
