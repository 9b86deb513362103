//! `calibrate` and `power` as a user meets them.

use crate::analysis::{data, pairs, preferring, setting, write_run};
use quantbias::analysis::calibrate::{Calibration, Counted};
use quantbias::benchmark::Measure;
use quantbias::findings::PowerRow;
use quantbias::spec::QuantScheme;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn quantbias(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quantbias")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A run of `clusters` clusters of four pairs; under 4 bits every pair whose number `turns` says changes.
fn run(folder: &Path, clusters: usize, turns: &dyn Fn(usize) -> bool) -> PathBuf {
    let path = folder.join("runs").join("made");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let settings = [QuantScheme::None, QuantScheme::Q4K, QuantScheme::Q2K].map(|s| setting(s, false)).to_vec();
    write_run(&path, &data(Measure::PairPreference, pairs(clusters)), settings, &|i, _, id| {
        let stereotype = (i % 3 == 0) != (id != "m@none" && turns(i + usize::from(id == "m@q2k")));
        Ok(preferring(stereotype))
    });
    path
}

/// `calibrate` with few repetitions; `more` comes last.
fn calibrate(run: &Path, more: &[&str]) -> Output {
    let mut args = vec!["calibrate", run.to_str().unwrap(), "--replications", "100", "--draws", "199"];
    args.extend(more);
    quantbias(&args)
}

#[test]
fn calibrate_prints_and_writes_coverage_size_and_family_error_with_their_error() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), 30, &|i| i % 5 == 0);
    let output = calibrate(&run, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    for words in
        ["30 clusters", "coverage", "size", "family-wise error", "jackknife-t", "maxT step-down", "nominal 0.95"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let out = folder.path().join("calibration").join("made");
    let json = std::fs::read_to_string(out.join("calibration.json")).unwrap();
    let found: Calibration = serde_json::from_str(&json).unwrap();
    assert_eq!((found.effect, found.level, found.draws), (0.0, 0.95, 199));
    for row in &found.rows {
        assert_eq!(row.answered + row.refused, 100, "{row:?}");
        match (row.rate, row.error) {
            (Some(rate), Some(error)) => {
                assert!((0.0..=1.0).contains(&rate));
                let n = row.answered as f64;
                assert!((error - (rate * (1.0 - rate) / n).sqrt()).abs() < 1e-12);
            }
            (rate, error) => assert!(rate.is_none() && error.is_none() && row.answered == 0, "{row:?}"),
        }
    }
    let refused = found.rows.iter().find(|r| r.method == "BCa").unwrap();
    assert_eq!((refused.answered, refused.rate), (0, None), "30 clusters are too few for BCa");
    // 100 data sets: what is near .95 is not below .85.
    let near = |method: &str| found.rows.iter().find(|r| r.counted == Counted::Coverage && r.method == method).unwrap();
    assert!(near("jackknife-t").rate.unwrap() > 0.85);
    // Every row says what its data assume; a mean has a null by recentring beside the one by exchanging.
    let assumes = |counted: Counted, method: &str| {
        let rows = found.rows.iter().filter(|r| r.counted == counted && r.method == method);
        rows.map(|r| r.assumes.as_str()).collect::<Vec<_>>()
    };
    let (as_they_are, recentred) = ("clusters as they are, around the observed change", "recentred at no change");
    let exchanged = "settings exchanged within clusters, which makes the sign flip exact";
    assert_eq!(assumes(Counted::Coverage, "jackknife-t"), [as_they_are]);
    assert_eq!(assumes(Counted::Rejection, "studentized sign-flip"), [recentred, exchanged]);
    assert_eq!(assumes(Counted::FamilyError, "maxT step-down"), [exchanged]);
    for words in [as_they_are, recentred, exchanged] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let csv = std::fs::read_to_string(out.join("calibration.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert!(reader.headers().unwrap().iter().any(|h| h == "monte_carlo_error"));
    assert_eq!(reader.records().map(Result::unwrap).count(), found.rows.len());
    // The same run and seed give the same bytes.
    let again = folder.path().join("again");
    assert_eq!(calibrate(&run, &["--out", again.to_str().unwrap()]).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(again.join("calibration.json")).unwrap(), json);
    // With an effect, what rejects is power, and there is no family in which nothing changed.
    let third = folder.path().join("third");
    let output = calibrate(&run, &["--effect", "-0.2", "--cells", "/all/all/m@q4k", "--out", third.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("power") && !text(&output.stdout).contains("family-wise"));
}

#[test]
fn calibrate_says_what_it_cannot_simulate_and_which_argument_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let usual = run(folder.path(), 12, &|i| i % 5 == 0);
    let output = calibrate(&usual, &["--cells", "no-such-cell"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("no cell to simulate"), "{}", text(&output.stdout));
    for (more, words) in [
        (&["--effect", "nan"][..], "no finite number"),
        (&["--effect", "a lot"], "no finite number"),
        (&["--nonsense"], "--nonsense"),
    ] {
        let output = calibrate(&usual, more);
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(text(&output.stderr).contains(words), "{more:?}: {}", text(&output.stderr));
    }
    for (flag, value) in [("--replications", "5"), ("--draws", "10"), ("--replications", "many")] {
        let output = quantbias(&["calibrate", usual.to_str().unwrap(), flag, value]);
        assert_eq!(output.status.code(), Some(2), "{flag} {value}");
        assert!(text(&output.stderr).contains(flag), "{}", text(&output.stderr));
    }
    let nowhere = folder.path().join("nowhere");
    assert_eq!(calibrate(&nowhere, &[]).status.code(), Some(4));
    // One cluster, and a run in which nothing changed: every method is refused or has nothing to find, and none fails.
    let small = tempfile::tempdir().unwrap();
    let output = calibrate(&run(small.path(), 1, &|i| i % 2 == 0), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("refused 100"), "{}", text(&output.stdout));
    let still = tempfile::tempdir().unwrap();
    let output = calibrate(&run(still.path(), 20, &|_| false), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let json = std::fs::read_to_string(still.path().join("calibration/made/calibration.json")).unwrap();
    let found: Calibration = serde_json::from_str(&json).unwrap();
    let rejected = found.rows.iter().filter(|r| r.counted == Counted::Rejection).filter_map(|r| r.rate);
    assert!(rejected.into_iter().all(|rate| rate == 0.0), "{json}");
}

#[test]
fn power_from_assumptions_is_the_planning_formula() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("power.json");
    let args = ["power", "--items", "2000", "--discordance", "0.06", "--deff", "2.5", "--margin", "0.02", "--json"];
    let output = quantbias(&[&args[..], &[json.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let rows: Vec<PowerRow> = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    // SciPy: (t.ppf(.975, 1999) + norm.ppf(.8))·√(2.5·.06/2000).
    assert!((rows[0].mde - MDE).abs() < 1e-9, "{}", rows[0].mde);
    assert!(text(&output.stdout).contains("detectable change 0.0243"), "{}", text(&output.stdout));
    // (1.96 + .84)²·2.5·.06/.02² = 2943, and a few more for t.
    assert!((2943..2960).contains(&rows[0].items_for_margin.unwrap()), "{:?}", rows[0].items_for_margin);
    assert!(rows[0].curve.windows(2).all(|w| w[0].mde > w[1].mde && w[0].items < w[1].items));
    // A standard deviation of .3 and 40 clusters: 39 degrees of freedom.
    let args = ["power", "--items", "400", "--clusters", "40", "--sd", "0.3", "--json", json.to_str().unwrap()];
    assert_eq!(quantbias(&args).status.code(), Some(0));
    let rows: Vec<PowerRow> = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    assert!((rows[0].mde - MDE_OF_MEANS).abs() < 1e-9, "{}", rows[0].mde);
}

/// From SciPy, as above.
const MDE: f64 = 0.024_272_723_191_741_76;
/// SciPy: (t.ppf(.975, 39) + norm.ppf(.8))·√(.09/400).
const MDE_OF_MEANS: f64 = 0.042_964_682_304_145_12;

#[test]
fn power_names_the_assumption_that_is_wrong() {
    let usual = ["--items", "100", "--discordance", "0.1"];
    for (more, words) in [
        (&["--items", "1", "--sd", "1"][..], "--items"),
        (&["--items", "100"], "--discordance"),
        (&["--items", "100", "--discordance", "0"], "--discordance"),
        (&["--items", "100", "--discordance", "1.5"], "--discordance"),
        (&["--items", "100", "--sd", "-1"], "--sd"),
        (&["--items", "100", "--sd", "inf"], "--sd"),
        (&["--items", "100", "--sd", "1", "--discordance", "0.1"], "--sd"),
        (&["--clusters", "1"], "--clusters"),
        (&["--clusters", "101"], "--clusters"),
        (&["--deff", "0"], "--deff"),
        (&["--level", "0.3"], "--level"),
        (&["--level", "1"], "--level"),
        (&["--power", "0.4"], "--power"),
        (&["--margin", "0"], "--margin"),
        (&["--margin", "nan"], "--margin"),
    ] {
        let given = if more[0] == "--items" { more.to_vec() } else { [&usual[..], more].concat() };
        let output = quantbias(&[&["power"][..], &given].concat());
        assert_eq!(output.status.code(), Some(2), "{given:?}: {}", text(&output.stdout));
        assert!(text(&output.stderr).contains(words), "{given:?}: {}", text(&output.stderr));
    }
    let output = quantbias(&["power"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--items"), "{}", text(&output.stderr));
    let output = quantbias(&["power", "/no/such/findings.json"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
}

#[test]
fn power_of_a_run_and_of_its_findings_are_the_same_and_say_so_where_nothing_changed() {
    let folder = tempfile::tempdir().unwrap();
    let run_path = run(folder.path(), 30, &|i| i % 5 == 0);
    let of_run = quantbias(&["power", run_path.to_str().unwrap()]);
    assert_eq!(of_run.status.code(), Some(0), "{}", text(&of_run.stderr));
    let analyzed = quantbias(&["analyze", run_path.to_str().unwrap()]);
    assert_eq!(analyzed.status.code(), Some(0), "{}", text(&analyzed.stderr));
    let of_findings = quantbias(&["power", text(&analyzed.stdout).trim()]);
    assert_eq!(text(&of_run.stdout), text(&of_findings.stdout));
    assert!(text(&of_run.stdout).contains("m@q4k b stereotype_score"), "{}", text(&of_run.stdout));
    let still = tempfile::tempdir().unwrap();
    let output = quantbias(&["power", run(still.path(), 20, &|_| false).to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("no cell has a standard error"), "{}", text(&output.stdout));
    // A file that is no findings file.
    let wrong = still.path().join("wrong.json");
    std::fs::write(&wrong, "[]").unwrap();
    assert_eq!(quantbias(&["power", wrong.to_str().unwrap()]).status.code(), Some(4));
}
