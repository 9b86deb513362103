//! Long tables and totals through the program: the same numbers by every road, and errors that name the place.

mod roads;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/totals");
const MAP: &str = "item=item,cluster=frame,setting=scheme,subgroup=age,subgroup=ethnicity,subgroup=gender,\
                   subgroup=religion,value=stereotype,value=margin";

fn analyze(out: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quantbias"));
    command.arg("analyze").args(args).arg("--out").arg(out).stdin(Stdio::null()).output().unwrap()
}

/// Findings without what names the files that they came from.
fn findings(args: &[&str]) -> Value {
    let out = tempfile::tempdir().unwrap();
    let output = analyze(out.path(), args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(String::from_utf8(output.stdout).unwrap().trim()).unwrap();
    let mut found: Value = serde_json::from_str(&text).unwrap();
    for key in ["analysis_id", "content_sha256"] {
        found.as_object_mut().unwrap().remove(key);
    }
    for key in ["run_id", "identity_sha256", "records_sha256"] {
        found["audit"].as_object_mut().unwrap().remove(key);
    }
    found["audit"]["benchmarks"][0].as_object_mut().unwrap().remove("files");
    found
}

fn file(name: &str) -> String {
    format!("{FIXTURES}/{name}")
}

fn long(more: &[&str]) -> Value {
    let file = file("long.csv");
    let mut args = vec!["--table", &file, "--map", MAP, "--baseline", "none", "--name", "demo_pairs"];
    args.extend(more);
    findings(&args)
}

/// Rows of the committed long table, by column.
fn rows() -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(file("long.csv")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn written(lines: &[String]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    (folder, path)
}

fn lines() -> Vec<String> {
    std::fs::read_to_string(file("long.csv")).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn totals_that_duckdb_made_of_two_parts_give_the_findings_of_the_table() {
    let (first, second) = (file("first.parquet"), file("second.csv"));
    let totals = findings(&[
        "--totals",
        &second,
        &first,
        "--baseline",
        "none",
        "--headline",
        "stereotype",
        "--name",
        "demo_pairs",
    ]);
    let table = long(&[]);
    for (key, value) in table.as_object().unwrap() {
        assert_eq!(&totals[key], value, "{key}");
    }
    // Five settings × all items and 4 subgroups × two metrics.
    assert_eq!(table["contrasts"].as_array().unwrap().len(), 50);
}

#[test]
fn changes_and_flips_of_a_table_are_those_of_counting_by_hand() {
    let found = long(&[]);
    let rows = rows();
    let mut checked = 0;
    for contrast in found["contrasts"].as_array().unwrap() {
        let text = |key: &str| contrast[key].as_str().unwrap().to_owned();
        let (axis, subgroup, metric, setting) = (text("axis"), text("subgroup"), text("metric"), text("setting"));
        let own: Vec<_> = rows.iter().filter(|r| axis == "all" || r[&axis] == subgroup).collect();
        let values = |scheme: &str| -> BTreeMap<&str, f64> {
            let of = own.iter().filter(|r| r["scheme"] == scheme);
            of.map(|r| (r["item"].as_str(), r[&metric].parse().unwrap())).collect()
        };
        let (base, other) = (values("none"), values(&setting));
        let delta = (other.values().sum::<f64>() - base.values().sum::<f64>()) / base.len() as f64;
        assert!((contrast["delta"].as_f64().unwrap() - delta).abs() < 1e-12, "{contrast}");
        assert_eq!(contrast["items"].as_u64().unwrap() as usize, base.len());
        if contrast["flips"].is_object() {
            let became = base.iter().filter(|(item, b)| **b == 0.0 && other[*item] == 1.0).count();
            assert_eq!(contrast["flips"]["n01"].as_u64().unwrap() as usize, became);
            checked += 1;
        }
    }
    assert_eq!(checked, 25);
}

#[test]
fn the_order_of_rows_changes_no_finding() {
    let mut all = lines();
    all[1..].reverse();
    let (_folder, path) = written(&all);
    let found =
        findings(&["--table", path.to_str().unwrap(), "--map", MAP, "--baseline", "none", "--name", "demo_pairs"]);
    for key in ["contrasts", "estimates", "verdicts", "families", "coverage"] {
        assert_eq!(found[key], long(&[])[key], "{key}");
    }
}

#[test]
fn a_streamed_table_has_the_same_numbers_but_for_what_needs_single_items() {
    let (streamed, kept) = (long(&["--stream"]), long(&["--in-memory"]));
    let pairs = streamed["contrasts"].as_array().unwrap().iter().zip(kept["contrasts"].as_array().unwrap());
    for (streamed, kept) in pairs {
        for key in ["delta", "interval", "se", "test", "p_adjusted", "items", "clusters", "verdict"] {
            assert_eq!(streamed[key], kept[key], "{key}");
        }
        assert!(streamed["flips"].is_null() && streamed["deff"].is_null());
    }
    let text = streamed["caveats"].to_string();
    assert!(text.contains("added up while it was read"), "{text}");
}

#[test]
fn an_item_without_a_value_is_lost_from_its_pairs_and_refused_while_streaming() {
    let mut all = lines();
    let row = all[1].rsplitn(3, ',').last().unwrap().to_owned();
    all[1] = format!("{row},,");
    let (_folder, path) = written(&all);
    let args = ["--table", path.to_str().unwrap(), "--map", MAP, "--baseline", "none"];
    let found = findings(&args);
    let lost: u64 = found["contrasts"].as_array().unwrap().iter().map(|c| c["lost"].as_u64().unwrap()).sum();
    // One item under one setting: in two metrics, over all items and in its own subgroup.
    assert_eq!(lost, 4);
    let out = tempfile::tempdir().unwrap();
    let refused = analyze(out.path(), &[&args[..], &["--stream"]].concat());
    assert_eq!(refused.status.code(), Some(4));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("frame-00") && text.contains("--in-memory"), "{text}");
}

#[test]
fn streaming_refuses_clusters_that_lost_as_many_but_other_items_under_each_setting() {
    let settings = ["none", "q4"];
    let mut all = vec!["item,frame,scheme,y".to_owned()];
    for (s, setting) in settings.iter().enumerate() {
        for i in 0..40 {
            let value = if i % 4 == s { String::new() } else { (i % 3 % 2).to_string() };
            all.push(format!("i{i},frame-{:02},{setting},{value}", i / 4));
        }
    }
    let (_folder, path) = written(&all);
    let map = "item=item,cluster=frame,setting=scheme,value=y";
    let args = ["--table", path.to_str().unwrap(), "--map", map, "--baseline", "none"];
    // Each cluster has three values under either setting, and two items with both.
    assert_eq!(findings(&args)["contrasts"][0]["items"], 20);
    let out = tempfile::tempdir().unwrap();
    let refused = analyze(out.path(), &[&args[..], &["--stream"]].concat());
    assert_eq!(refused.status.code(), Some(4));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("frame-00") && text.contains("leave out --stream"), "{text}");
}

#[test]
fn what_is_wrong_with_a_table_is_named_with_its_place() {
    let change = |line: usize, from: &str, to: &str| {
        let mut all = lines();
        assert!(all[line].contains(from), "{}", all[line]);
        all[line] = all[line].replace(from, to);
        all
    };
    let twice = [lines(), vec![lines()[5].clone()]].concat();
    let cases: [(Vec<String>, &str, &str); 6] = [
        (lines(), "item=item,setting=nowhere,value=margin", "no column \"nowhere\"; it has item, frame"),
        (change(3, "frame-00", "frame-99"), MAP, "lies in frame"),
        (change(7, "hqq4", ""), MAP, "row 7, column \"scheme\": a name is missing"),
        (twice, MAP, "occurs twice under setting"),
        (lines(), "item=item,setting=scheme,value=frame", "column \"frame\" holds str, and numbers are needed"),
        (change(9, ",hqq4,0,", ",hqq4,NaN,"), "item=item,setting=scheme,value=stereotype", "not finite"),
    ];
    for (lines, map, expected) in cases {
        let (folder, path) = written(&lines);
        let output = analyze(folder.path(), &["--table", path.to_str().unwrap(), "--map", map, "--baseline", "none"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{expected}: {text}");
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let out = tempfile::tempdir().unwrap();
    let output = analyze(out.path(), &["--table", &file("long.csv"), "--map", MAP]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("there is no setting \"baseline\"; the settings are \"hqq4\""), "{text}");
}

/// Findings as they were written, from a table of 1,800 items in 600 clusters under three settings.
fn large(folder: &Path, map: &str, more: &[&str], threads: usize) -> String {
    let path = folder.join("large.csv");
    if !path.exists() {
        let row = |i: u32, (s, setting): (u32, &&str)| {
            let noise = (i.wrapping_mul(2_654_435_761) ^ (s * 40_503).wrapping_mul(2_246_822_519)) >> 7;
            let (yes, score) = (u32::from(noise % 10 < 6 - s), f64::from(noise % 1000) / 7.0);
            format!("i{i},c{},g{},{setting},{yes},{score},{}", i / 3, i / 3 % 4, noise % 3)
        };
        let settings = ["baseline", "q8", "q4"];
        let rows = (0..1800).flat_map(|i| (0..).zip(&settings).map(move |s| row(i, s)).collect::<Vec<_>>());
        let head = "item,cluster,group,setting,yes,score,part".to_owned();
        std::fs::write(&path, std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")).unwrap();
    }
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_quantbias"));
    command.args(["analyze", "--table", path.to_str().unwrap(), "--map", map, "--metric", "yes", "--metric", "score"]);
    command.args(["--metric", "ratio:part/yes"]).args(more).arg("--out").arg(out.path());
    let output = command.env("RAYON_NUM_THREADS", threads.to_string()).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(String::from_utf8(output.stdout).unwrap().trim()).unwrap()
}

#[test]
fn any_number_of_threads_gives_the_same_bytes_of_findings() {
    let folder = tempfile::tempdir().unwrap();
    for map in ["item=item,cluster=cluster,setting=setting,subgroup=group", "item=item,setting=setting,subgroup=group"]
    {
        for more in [&["--in-memory"][..], &["--stream"]] {
            let one = large(folder.path(), map, more, 1);
            assert!(one.contains("expanded"), "there are bootstrap intervals");
            for threads in [2, 4, 7] {
                assert!(large(folder.path(), map, more, threads) == one, "{threads} threads, {map}, {more:?}");
            }
        }
    }
}

#[test]
fn a_report_can_be_made_of_a_table() {
    let out = tempfile::tempdir().unwrap();
    let output = analyze(out.path(), &["--table", &file("long.csv"), "--map", MAP, "--baseline", "none"]);
    let path = String::from_utf8(output.stdout).unwrap();
    let report = Command::new(env!("CARGO_BIN_EXE_quantbias")).args(["report", path.trim()]).output().unwrap();
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
}

#[test]
fn the_sql_of_totals_is_printed() {
    let output = Command::new(env!("CARGO_BIN_EXE_quantbias")).args(["analyze", "--totals-sql"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("-- Totals for `quantbias analyze --totals FILE`") && text.contains("GROUP BY"), "{text}");
}
