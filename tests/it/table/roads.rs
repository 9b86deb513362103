//! The three roads of a table to its findings (in memory, added up while it is read, as totals) see the same, and refuse the
//! same.

use super::*;

/// Answers of 48 items to two settings: two items to a cluster, 24 clusters, whose strata are given.
fn in_strata(stratum: &dyn Fn(usize) -> String) -> Vec<String> {
    let mut all = vec!["item,cluster,stratum,setting,y".to_owned()];
    for (s, setting) in ["baseline", "q4"].iter().enumerate() {
        for i in 0..48 {
            all.push(format!("i{i},c{:02},{},{setting},{}", i / 2, stratum(i), (i * 7 + s * (i % 5)) % 3 % 2));
        }
    }
    all
}

const STRATA_MAP: &str = "item=item,cluster=cluster,stratum=stratum,setting=setting,value=y";

/// The rows of a table of one metric without subgroups as totals.
fn totals_of(lines: &[String]) -> Vec<String> {
    let rows: Vec<Vec<&str>> = lines[1..].iter().map(|l| l.split(',').collect()).collect();
    let mut sums: BTreeMap<(&str, &str, &str), (u32, f64)> = BTreeMap::new();
    let mut pairs: BTreeMap<(&str, &str), [f64; 18]> = BTreeMap::new();
    for row in &rows {
        let y: f64 = row[4].parse().unwrap();
        let sum = sums.entry((row[1], row[2], row[3])).or_default();
        *sum = (sum.0 + 1, sum.1 + y);
        let Some(base) = rows.iter().find(|r| r[0] == row[0] && r[3] == "baseline").filter(|_| row[3] != "baseline")
        else {
            continue;
        };
        let four = [base[4].parse().unwrap(), 1.0, y, 1.0];
        let products = (0..4).flat_map(|i| (i..4).map(move |j| four[i] * four[j]));
        let mut flips = [0.0; 4];
        flips[four[0] as usize * 2 + four[2] as usize] = 1.0;
        let pair = pairs.entry((row[1], row[3])).or_default();
        for (total, x) in pair.iter_mut().zip(flips.into_iter().chain(four).chain(products)) {
            *total += x;
        }
    }
    let mut out = vec![
        "metric,axis,subgroup,cluster,stratum,setting,against,items,lost,unsettled,n00,n01,n10,n11,b0,b1,s0,s1,\
         b0b0,b0b1,b0s0,b0s1,b1b1,b1s0,b1s1,s0s0,s0s1,s1s1"
            .to_owned(),
    ];
    for ((cluster, stratum, setting), (items, sum)) in &sums {
        out.push(format!("y,all,all,{cluster},{stratum},{setting},,{items},0,0,,,,,,,{sum},{items},,,,,,,,,,"));
    }
    for ((cluster, setting), x) in &pairs {
        let numbers = x.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        out.push(format!("y,all,all,{cluster},,{setting},baseline,{},0,0,{numbers}", x[5]));
    }
    out
}

/// The findings of a table by each of its three roads, or what the program says instead.
fn three_roads(lines: &[String]) -> [Result<Value, String>; 3] {
    let (folder, path) = written(lines);
    let (_totals, totals) = written(&totals_of(lines));
    let [path, totals] = [&path, &totals].map(|p| p.to_str().unwrap());
    let table = ["--table", path, "--map", STRATA_MAP, "--name", "strata"];
    let roads = [
        [&table[..], &["--in-memory"]].concat(),
        [&table[..], &["--stream"]].concat(),
        vec!["--totals", totals, "--name", "strata"],
    ];
    roads.map(|road| {
        let output = analyze(folder.path(), &road);
        match output.status.code() {
            Some(0) => {
                let text = std::fs::read_to_string(String::from_utf8(output.stdout).unwrap().trim()).unwrap();
                Ok(serde_json::from_str(&text).unwrap())
            }
            code => {
                assert_eq!(code, Some(4));
                Err(String::from_utf8(output.stderr).unwrap())
            }
        }
    })
}

#[test]
fn a_cluster_in_two_strata_is_refused_by_name_on_every_road() {
    let wrong = |i: usize| if i == 7 { "north".to_owned() } else { format!("s{}", i / 8) };
    for found in three_roads(&in_strata(&wrong)) {
        let text = found.unwrap_err();
        assert!(text.contains("cluster \"c03\" lies in stratum"), "{text}");
        assert!(text.contains("\"s0\"") && text.contains("\"north\""), "{text}");
    }
}

#[test]
fn a_stratum_of_one_cluster_is_taken_together_with_the_smallest_other_and_said_on_every_road() {
    // Four clusters in every stratum but s1, which has three, and one in a stratum of its own.
    let lonely = |i: usize| if i / 2 == 7 { "t".to_owned() } else { format!("s{}", i / 8) };
    let whole = |i: usize| format!("s{}", i / 8);
    let found = |lines: &[String]| three_roads(lines).map(Result::unwrap);
    let simple = in_strata(&|_| "s".to_owned());
    for ((with, without), one) in found(&in_strata(&lonely)).iter().zip(&found(&in_strata(&whole))).zip(&found(&simple))
    {
        // The smallest other stratum is s1: the same as where c07 lay in it from the first, and not as without strata.
        assert_eq!(with["contrasts"][0]["se"], without["contrasts"][0]["se"]);
        assert_ne!(with["contrasts"][0]["se"], one["contrasts"][0]["se"]);
        let said = |found: &Value| found["caveats"].to_string().contains("1 of them were taken together with others");
        assert!(said(with) && !said(without) && !said(one), "{}", with["caveats"]);
    }
}

#[test]
fn the_same_totals_under_two_names_are_refused() {
    let (folder, path) = written(&totals_of(&in_strata(&|_| "s".to_owned())));
    let copy = folder.path().join("again.csv");
    std::fs::copy(&path, &copy).unwrap();
    for second in [&path, &copy] {
        let output = analyze(folder.path(), &["--totals", path.to_str().unwrap(), second.to_str().unwrap()]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{text}");
        assert!(text.contains("holds the same bytes as") && text.contains("would be added twice"), "{text}");
    }
}

#[test]
fn totals_with_a_stratum_for_some_clusters_only_are_refused() {
    let none = |i: usize| if i / 2 == 5 { String::new() } else { format!("s{}", i / 12) };
    let (folder, path) = written(&totals_of(&in_strata(&none)));
    let output = analyze(folder.path(), &["--totals", path.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("cluster \"c05\" has no stratum"), "{text}");
}

#[test]
fn streaming_refuses_rows_that_are_absent_of_one_item_here_and_of_another_there() {
    let rows = |absent: usize, setting: &str| {
        let all = (0..40).filter(|i| *i != absent);
        all.map(|i| format!("item-{i},c{},{setting},{}", i / 2, (i + setting.len()) % 2)).collect::<Vec<_>>()
    };
    let table = |base: usize, other: usize| {
        let head = vec!["item,cluster,setting,y".to_owned()];
        written(&[head, rows(base, "baseline"), rows(other, "q4")].concat())
    };
    let map = "item=item,cluster=cluster,setting=setting,value=y";
    // Of cluster c3 item 6 has no row under the baseline, and item 7 none under q4.
    let (folder, path) = table(6, 7);
    let args = |road| ["--table", path.to_str().unwrap(), "--map", map, road];
    let in_memory = &findings(&args("--in-memory"))["contrasts"][0];
    assert_eq!((in_memory["items"].as_u64(), in_memory["lost"].as_u64()), (Some(38), Some(2)));
    let refused = analyze(folder.path(), &args("--stream"));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{text}");
    assert!(text.contains("cluster \"c3\" has other items under \"q4\" than under \"baseline\""), "{text}");
    assert!(text.contains("leave out --stream"), "{text}");
    // The same item absent under both: nothing is wrong.
    let (_folder, path) = table(6, 6);
    let args = ["--table", path.to_str().unwrap(), "--map", map, "--stream"];
    assert_eq!(findings(&args)["contrasts"][0]["items"], 39);
}

/// Answers of 40 items, two to a cluster, to two settings; of each setting one item has no row.
fn one_absent(base: usize, other: usize) -> Vec<String> {
    let rows = |absent: usize, setting: &'static str| {
        let all = (0..40).filter(move |i| *i != absent);
        all.map(move |i| format!("i{i},c{:02},s,{setting},{}", i / 2, (i * 7 + setting.len() * (i % 3)) % 3 % 2))
    };
    let head = "item,cluster,stratum,setting,y".to_owned();
    std::iter::once(head).chain(rows(base, "baseline")).chain(rows(other, "q4")).collect()
}

#[test]
fn totals_see_rows_that_are_absent_from_what_single_settings_count_beyond_the_pairs() {
    let [in_memory, _, totals] = three_roads(&one_absent(6, 7));
    let (in_memory, totals) = (in_memory.unwrap(), totals.unwrap());
    // 38 pairs; items 6 and 7 have a value under one setting each.
    for found in [&in_memory, &totals] {
        let row = &found["contrasts"][0];
        assert_eq!((row["items"].as_u64(), row["lost"].as_u64()), (Some(38), Some(2)));
    }
    for key in ["delta", "se", "interval", "test", "p_adjusted", "verdict", "flags"] {
        assert_eq!(totals["contrasts"][0][key], in_memory["contrasts"][0][key], "{key}");
    }
    let said = totals["caveats"].to_string();
    assert!(said.contains("q4 has no row of 1 items of baseline, and rows of 1 others"), "{said}");
    // The same item absent from both is no item at all.
    let whole = three_roads(&one_absent(6, 6)).map(Result::unwrap);
    assert!(
        whole.iter().all(|f| f["contrasts"][0]["lost"] == 0 && !f["caveats"].to_string().contains("Rows are absent"))
    );
}

#[test]
fn totals_without_paired_rows_are_compared_as_two_samples_and_number_no_items() {
    let lines = totals_of(&in_strata(&|_| "s".to_owned()));
    let single: Vec<String> =
        lines.into_iter().filter(|l| !l.contains(",baseline,2,") || l.contains(",baseline,,")).collect();
    assert_eq!(single.len(), 1 + 48, "a row per cluster and setting");
    let (_folder, path) = written(&single);
    let found = findings(&["--totals", path.to_str().unwrap()]);
    let row = &found["contrasts"][0];
    assert_eq!((row["items"].as_u64(), row["lost"].as_u64()), (Some(48), Some(0)));
    assert!(row["flags"].to_string().contains("unpaired") && row["flips"].is_null(), "{row}");
    assert_eq!(row["test"]["method"], "Welch's t over clusters, unpaired");
    assert_eq!(found["verdicts"][0]["verdict"], "inconclusive");
    let said = found["caveats"].to_string();
    assert!(said.contains("UNPAIRED: q4 and baseline: no item is known to stand under both"), "{said}");
    assert!(found["audit"]["benchmarks"][0]["items"].is_null());
}

#[test]
fn totals_with_more_pairs_than_items_are_refused() {
    let lines = totals_of(&in_strata(&|_| "s".to_owned()));
    let at = lines.iter().position(|l| l.starts_with("y,all,all,c04,s,q4,,2,")).unwrap();
    let mut wrong = lines.clone();
    wrong[at] = wrong[at].replace("q4,,2,", "q4,,1,");
    let (folder, path) = written(&wrong);
    let output = analyze(folder.path(), &["--totals", path.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("cluster \"c04\": the paired rows of \"q4\" count 2 items"), "{text}");
}

#[test]
fn a_table_without_ids_says_nowhere_how_many_items_there_are() {
    let (_folder, path) = written(&in_strata(&|_| "s".to_owned()));
    let args = |map| ["--table", path.to_str().unwrap(), "--name", "t", "--map", map];
    let without = "cluster=cluster,setting=setting,value=y";
    assert!(findings(&args(without))["audit"]["benchmarks"][0]["items"].is_null());
    assert_eq!(
        findings(&args("item=item,cluster=cluster,setting=setting,value=y"))["audit"]["benchmarks"][0]["items"],
        48
    );
    let out = tempfile::tempdir().unwrap();
    let output = analyze(out.path(), &args(without));
    let report = Command::new(env!("CARGO_BIN_EXE_quantbias"))
        .args(["report", String::from_utf8(output.stdout).unwrap().trim(), "--out"])
        .arg(out.path().join("r"))
        .output()
        .unwrap();
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
    let pages = walk(&out.path().join("r"));
    let text = pages.iter().find(|p| p.ends_with("report.md")).map(|p| std::fs::read_to_string(p).unwrap()).unwrap();
    assert!(!text.contains("96 items") && text.contains("not known"), "{text}");
}

/// Every file under a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn one_setting_is_refused_since_there_is_nothing_to_compare() {
    let all = in_strata(&|_| "s".to_owned());
    let one: Vec<String> = all.into_iter().filter(|l| !l.contains(",q4,")).collect();
    for found in three_roads(&one) {
        let text = found.unwrap_err();
        assert!(text.contains("there is only one setting, \"baseline\", and so there is nothing to compare"), "{text}");
    }
}
