//! What a terminal shows of findings.

use super::fixture::{Shape, findings};
use super::{hostile, shape};
use quantbias::findings::Verdict;
use quantbias::report::terminal::{Pick, Screen, show};

const SCREEN: Screen = Screen { width: 80, height: 24, colour: false };

/// Columns of text without wide characters.
fn widest(lines: &[String]) -> usize {
    lines.iter().map(|l| l.chars().count()).max().unwrap_or(0)
}

#[test]
fn the_overview_fits_one_screen_however_large_the_audit() {
    for shape in [shape(3, 2, false), shape(12, 9, false), shape(60, 20, false), hostile()] {
        for (width, height) in [(80, 24), (60, 24), (120, 40)] {
            let lines = show(&findings(shape), &Pick::default(), Screen { width, height, colour: false });
            assert!(lines.len() <= height, "{shape:?}: {} lines\n{}", lines.len(), lines.join("\n"));
            assert!(widest(&lines) <= width, "{shape:?}\n{}", lines.join("\n"));
        }
    }
}

#[test]
fn a_filter_lists_the_changes_that_fit_and_no_others() {
    let found = findings(shape(12, 9, false));
    let pick = Pick { benchmark: Some("PAIRS".into()), setting: Some("q4k".into()), ..Pick::default() };
    let lines = show(&found, &pick, SCREEN);
    let rows = |lines: &[String]| lines.iter().filter(|l| l.starts_with('Q')).count();
    assert_eq!(rows(&lines), 13, "twelve subgroups, and all items\n{}", lines.join("\n"));
    assert!(lines.iter().any(|l| l == "Pairs: stereotype score, margin 2 points"));
    assert!(widest(&lines) <= 80);
    let one = Pick { subgroup: Some("muslim".into()), ..pick.clone() };
    let lines = show(&found, &one, SCREEN);
    assert_eq!(rows(&lines), 1);
    assert!(lines[3].starts_with("Q4K") && lines[3].contains("religion: Muslim"), "{}", lines.join("\n"));
    let none = Pick { benchmark: Some("nothing".into()), ..Pick::default() };
    let lines = show(&found, &none, SCREEN);
    assert!(lines[0] == "No change fits." && lines.iter().any(|l| l == "Benchmarks: pairs, decisions"));
}

#[test]
fn a_verdict_picks_its_rows() {
    let found = findings(shape(12, 9, false));
    for verdict in [Verdict::Fail, Verdict::Inconclusive] {
        let lines = show(&found, &Pick { verdict: Some(verdict), ..Pick::default() }, SCREEN);
        let wanted = found.contrasts.iter().filter(|c| c.verdict == Some(verdict)).count();
        let sign = if verdict == Verdict::Fail { "✗ fail" } else { "? inconclusive" };
        assert!(wanted > 0);
        assert_eq!(lines.iter().filter(|l| l.contains(sign)).count(), wanted);
    }
}

#[test]
fn colour_changes_nothing_but_colour_and_no_foreign_text_moves_the_cursor() {
    let found = findings(hostile());
    let pick = Pick { metric: Some("stereo".into()), ..Pick::default() };
    let plain = show(&found, &pick, SCREEN);
    assert!(plain.iter().all(|l| !l.chars().any(char::is_control)));
    let coloured = show(&found, &pick, Screen { colour: true, ..SCREEN });
    let code = regex::Regex::new("\u{1b}\\[[0-9;]+m").unwrap();
    let stripped: Vec<String> = coloured.iter().map(|l| code.replace_all(l, "").into_owned()).collect();
    assert_ne!(coloured, plain);
    assert_eq!(stripped, plain);
}

#[test]
fn the_command_shows_no_colour_where_its_output_is_no_terminal() {
    let findings = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/demo-quick/findings.json");
    let run = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_quantbias"));
        command.args(["show", findings]).args(more).output().unwrap()
    };
    let output = run(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("gates") && !text.contains('\u{1b}'));
    assert!(text.lines().count() <= 24 && text.lines().all(|l| l.chars().count() <= 80), "{text}");
    let text = String::from_utf8(run(&["--setting", "q2k", "--width", "50"]).stdout).unwrap();
    assert!(text.lines().all(|l| l.chars().count() <= 50), "{text}");
    assert_eq!(run(&["--verdict", "perhaps"]).status.code(), Some(2));
}

#[test]
fn a_job_on_github_gets_its_summary_as_long_as_there_is_room() {
    let findings = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/demo-quick/findings.json");
    let folder = tempfile::tempdir().unwrap();
    // Alone, so that no items file of another version lies beside it.
    let own = folder.path().join("findings.json");
    std::fs::copy(findings, &own).unwrap();
    let summary = folder.path().join("summary.md");
    let report = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_quantbias"));
        let command = command.args(["report", own.to_str().unwrap(), "--out"]).arg(folder.path().join("report"));
        command.env("GITHUB_STEP_SUMMARY", &summary).output().unwrap()
    };
    std::fs::write(&summary, "before\n").unwrap();
    assert_eq!(report().status.code(), Some(0));
    let text = std::fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n### Bias audit of quantized models"), "{text}");
    std::fs::write(&summary, "x".repeat(1024 * 1024)).unwrap();
    let output = report();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 MiB"));
    assert_eq!(std::fs::metadata(&summary).unwrap().len(), 1024 * 1024);
}

/// The heads of the grid of verdicts.
fn grid_heads(lines: &[String]) -> Vec<&str> {
    let head = lines.iter().find(|l| l.starts_with("Benchmark")).unwrap();
    head.split_whitespace().skip(2).collect()
}

#[test]
fn on_a_narrow_screen_the_settings_that_fail_and_those_of_fewest_bits_stay() {
    let mut found = findings(shape(4, 12, false));
    let overall = |found: &mut quantbias::findings::Findings, worst: &dyn Fn(&str) -> Verdict| {
        for row in &mut found.verdicts {
            row.verdict = Some(worst(&row.setting));
        }
    };
    let narrow = Screen { width: 60, ..SCREEN };
    // All alike: the most bits go first.
    overall(&mut found, &|_| Verdict::Inconclusive);
    let all = show(&found, &Pick::default(), Screen { width: 200, ..SCREEN });
    let all = grid_heads(&all);
    assert_eq!((all.len(), all.first(), all.last()), (12, Some(&"Q8K"), Some(&"Q2K")), "by falling bits");
    let lines = show(&found, &Pick::default(), narrow);
    let heads = grid_heads(&lines);
    let gone = all.len() - heads.len();
    assert!(gone > 0 && heads == all[gone..], "{}", lines.join("\n"));
    let note = format!("… and {gone} more settings: {}", all[..gone].join(", "));
    assert!(
        lines.iter().any(|l| note.starts_with(l.trim_end_matches('…')) && l.starts_with("… and ")),
        "{note}\n{}",
        lines.join("\n")
    );
    // What fails stays, however many bits it has, and what passes goes first; the order is that of the bits.
    overall(&mut found, &|setting| match setting {
        s if s.ends_with("q8k") => Verdict::Fail,
        s if s.ends_with("q2k") || s.ends_with("q3k") => Verdict::Pass,
        _ => Verdict::Inconclusive,
    });
    let lines = show(&found, &Pick::default(), narrow);
    let heads = grid_heads(&lines);
    assert_eq!(heads[0], "Q8K", "{}", lines.join("\n"));
    assert!(!heads.contains(&"Q2K") && !heads.contains(&"Q3K"), "{}", lines.join("\n"));
    assert!(heads.iter().map(|h| all.iter().position(|a| a == h)).is_sorted());
}

#[test]
fn of_a_change_the_verdict_is_seen_longest_and_the_drawing_goes_before_the_p_value() {
    let found = findings(shape(12, 9, false));
    let pick = Pick { setting: Some("q4k".into()), benchmark: Some("pairs".into()), ..Pick::default() };
    let heads = |width: usize| {
        let lines = show(&found, &pick, Screen { width, ..SCREEN });
        (lines[0].split_whitespace().collect::<Vec<_>>().join(" "), lines.last().unwrap().contains("margin"))
    };
    assert_eq!(heads(140), ("Setting Subgroup Change Interval Verdict p adj. n".to_owned(), true));
    assert_eq!(
        heads(80),
        ("Setting Subgroup Change Interval Verdict p adj.".to_owned(), false),
        "no legend of nothing"
    );
    assert_eq!(heads(44), ("Setting Subgroup Change Verdict".to_owned(), false));
}

#[test]
fn models_are_told_apart_on_a_narrow_screen() {
    let found = findings(Shape { models: 2, ..shape(4, 12, false) });
    let lines = show(&found, &Pick::default(), SCREEN);
    let head = lines.iter().position(|l| l.starts_with("Model")).unwrap();
    let rows: Vec<&String> = lines[head + 1..].iter().take_while(|l| !l.is_empty() && !l.starts_with('…')).collect();
    let names = |row: &&String| row.split("  ").take(2).map(str::to_owned).collect::<Vec<_>>();
    let different: std::collections::BTreeSet<_> = rows.iter().map(names).collect();
    assert!(rows.len() > 2 && different.len() == rows.len(), "{}", lines.join("\n"));
    for model in &found.audit.models {
        assert!(rows.iter().any(|r| r.starts_with(&model.id)), "{}\n{}", model.id, lines.join("\n"));
    }
}
