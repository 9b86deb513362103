//! What else was audited changes no row that it has no part in. What may change is said here, field by field.

use super::*;
use serde_json::Value;

/// Rows of findings by list, each as JSON text, with `allowed` fields taken out at any depth.
fn rows(found: &Findings, list: &str, keep: &dyn Fn(&Value) -> bool, allowed: &[&str]) -> Vec<String> {
    fn strip(value: &mut Value, allowed: &[&str]) {
        match value {
            Value::Object(map) => {
                for key in allowed {
                    map.remove(*key);
                }
                for inner in map.values_mut() {
                    strip(inner, allowed);
                }
            }
            Value::Array(all) => all.iter_mut().for_each(|inner| strip(inner, allowed)),
            _ => {}
        }
    }
    let all = serde_json::to_value(found).unwrap();
    let empty = Vec::new();
    let own = all[list].as_array().unwrap_or(&empty).iter().filter(|row| keep(row));
    own.map(|row| {
        let mut row = row.clone();
        strip(&mut row, allowed);
        row.to_string()
    })
    .collect()
}

/// Lists of rows that families never touch.
const UNCORRECTED: [&str; 6] = ["estimates", "coverage", "uncertainty", "missing", "sensitivity", "shrunk"];
/// Lists whose rows have tests beside the contrasts.
const TESTED: [&str; 5] = ["ranges", "heterogeneity", "flips", "distributions", "outcomes"];
/// What a family that has grown may change in its rows.
const OF_FAMILY: &[&str] =
    &["p_adjusted", "significant", "simultaneous", "resolution_limited", "flags", "tested", "rejected", "hypotheses"];

/// Items on an axis of their own are asked too, or a benchmark, or a setting more; answers scatter by `salt`.
fn answer(salt: u64) -> impl Fn(usize, &Item, &str) -> Result<Answer, AskError> {
    move |_, item, setting| {
        // By the item's name alone: another benchmark's items, or more of them, change no answer.
        let name = item.id.to_string();
        let i = name.bytes().fold(0_usize, |hash, byte| hash.wrapping_mul(131).wrapping_add(usize::from(byte)));
        let base = coin(i, salt, 0.6);
        let share = match setting {
            "m@none" => return Ok(preferring(base)),
            "m@none+aa" => 0.02,
            "m@q8_0" => 0.05,
            "m@q4k" => 0.15,
            _ => 0.4,
        };
        let tag = setting.bytes().map(u64::from).sum::<u64>();
        Ok(preferring(base ^ coin(i, salt ^ tag, share)))
    }
}

fn named(name: &str, items: Vec<Item>) -> BenchmarkData {
    BenchmarkData { name: name.to_owned(), ..data(Measure::PairPreference, items) }
}

fn analysed(all: &[&BenchmarkData], schemes: &[(QuantScheme, bool)], salt: u64) -> Findings {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let settings = schemes.iter().map(|(s, aa)| setting(*s, *aa)).collect();
    write_run_of(&path, all, settings, &answer(salt));
    analyze(&Run::open(&path).unwrap(), &Plan { replicates: 1000, draws: 999, ..Plan::default() }).unwrap()
}

#[test]
fn an_added_benchmark_changes_only_the_corrections_of_the_primary_family() {
    for salt in [11, 12, 13] {
        let first = named("a", pairs(20));
        let mut second = named("z", pairs(30));
        for item in &mut second.items {
            item.id = ItemId::new(format!("z{}", item.id));
        }
        let (alone, both) = (analysed(&[&first], FOUR, salt), analysed(&[&first, &second], FOUR, salt));
        let own = |row: &Value| row["benchmark"] == "a";
        let lists = UNCORRECTED.iter().chain(&TESTED).chain(&["omnibus", "trends", "power", "verdicts"]);
        for list in lists {
            let (a, b) = (rows(&alone, list, &own, &[]), rows(&both, list, &own, &[]));
            assert!(a == b, "{list} changed");
            assert!(!a.is_empty() || ["shrunk", "missing", "outcomes"].contains(list), "{list} has no row");
        }
        let primary = |row: &Value| own(row) && row["family"] == "primary/m";
        let others = |row: &Value| own(row) && row["family"] != "primary/m";
        assert_eq!(rows(&alone, "contrasts", &others, &[]), rows(&both, "contrasts", &others, &[]));
        let allowed = ["p_adjusted", "significant", "simultaneous"];
        assert_eq!(rows(&alone, "contrasts", &primary, &allowed), rows(&both, "contrasts", &primary, &allowed));
        assert_ne!(rows(&alone, "contrasts", &primary, &[]), rows(&both, "contrasts", &primary, &[]), "it has grown");
        let not_primary = |row: &Value| row["id"] != "primary/m" && !row["id"].as_str().unwrap().ends_with("/z");
        assert_eq!(rows(&alone, "families", &not_primary, &[]), rows(&both, "families", &not_primary, &[]));
    }
}

#[test]
fn an_added_setting_changes_only_the_corrections_of_the_others() {
    for salt in [21, 22, 23] {
        let data = named("a", pairs(24));
        let fewer = [FOUR[0], FOUR[1], FOUR[2], FOUR[4]];
        let (less, more) = (analysed(&[&data], &fewer, salt), analysed(&[&data], FOUR, salt));
        let own = |row: &Value| row["setting"] != "m@q4k";
        for list in UNCORRECTED {
            assert_eq!(rows(&less, list, &own, &[]), rows(&more, list, &own, &[]), "{list}");
        }
        for list in TESTED {
            // A cell's histograms share their edges over all settings.
            let allowed = [OF_FAMILY, &["edges", "counts"]].concat();
            assert_eq!(rows(&less, list, &own, &allowed), rows(&more, list, &own, &allowed), "{list}");
        }
        assert_eq!(rows(&less, "contrasts", &own, OF_FAMILY), rows(&more, "contrasts", &own, OF_FAMILY));
        // The A/A repeat is in no family: not a bit of it changes.
        let aa = |row: &Value| row["aa"] == true;
        assert_eq!(rows(&less, "contrasts", &aa, &[]), rows(&more, "contrasts", &aa, &[]));
        // Pairs of settings have their own tables; Cochran's Q and trends are about all settings together.
        let pair = |row: &Value| row["kind"] != "cochran_q" && !row["settings"].to_string().contains("m@q4k");
        assert_eq!(rows(&less, "omnibus", &pair, OF_FAMILY), rows(&more, "omnibus", &pair, OF_FAMILY));
        assert_eq!(rows(&less, "power", &own, &[]), rows(&more, "power", &own, &[]));
    }
}

#[test]
fn an_added_axis_of_subgroups_changes_only_the_corrections_of_the_others() {
    for salt in [31, 32] {
        let plain = named("a", pairs(24));
        let mut wider = plain.clone();
        for (i, item) in wider.items.iter_mut().enumerate() {
            item.subgroups.push(subgroup("region", if i % 3 == 0 { "north" } else { "south" }));
        }
        let (less, more) = (analysed(&[&plain], FOUR, salt), analysed(&[&wider], FOUR, salt));
        let own = |row: &Value| row["axis"] != "region";
        for list in UNCORRECTED {
            assert_eq!(rows(&less, list, &own, &[]), rows(&more, list, &own, &[]), "{list}");
        }
        for list in TESTED.iter().chain(&["omnibus", "trends", "contrasts"]) {
            assert_eq!(rows(&less, list, &own, OF_FAMILY), rows(&more, list, &own, OF_FAMILY), "{list}");
        }
        // The primary family has no subgroup in it, and is as it was.
        let primary = |row: &Value| row["family"] == "primary/m";
        assert_eq!(rows(&less, "contrasts", &primary, &[]), rows(&more, "contrasts", &primary, &[]));
        assert!(more.contrasts.iter().any(|r| r.cell.axis == "region"));
    }
}
