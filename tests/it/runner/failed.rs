//! How many failed items are too many, of how many, and why they failed.

use super::*;
use quantbias::records::{FailureReason, failures, merge};
use quantbias::runner::check_failed;
use quantbias::spec::Part;

/// Of 100 items 11 fail, in each of two settings; a third is refused by the engine.
fn odd() -> RunPlan {
    let mut script = fault("<1", FaultKind::Fail("odd".into()));
    script.refuse.insert("toy@q4k".into(), "not here".into());
    plan(script, 2, vec![pairs(100)])
}

fn too_many(result: Result<RunSummary, RunError>) -> (u64, u64, u64) {
    match result {
        Err(RunError::TooManyFailed { failed, planned, tolerated, .. }) => (failed, planned, tolerated),
        other => panic!("{other:?}"),
    }
}

#[test]
fn items_of_a_refused_setting_do_not_count_as_planned_in_the_run_after_it_and_in_a_part() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = odd();
    // A tenth of 200 is 20; of 300, with those that nobody asked, it would be 30.
    plan.options.limits.max_failed = 0.1;
    let path = folder.path().join("run");
    assert_eq!(too_many(go(&plan, &path, false)), (22, 200, 20));
    assert_eq!(too_many(go(&plan, &path, true)), (22, 200, 20));
    let closed = check_failed(&open(&plan, &path, true), 0.1);
    assert_eq!(closed.unwrap_err().to_string(), go(&plan, &path, true).unwrap_err().to_string());
    assert!(check_failed(&open(&plan, &path, true), 0.11).is_ok(), "22 of 200 are eleven in a hundred");

    let part = folder.path().join("part");
    plan.options.limits.part = Some("1/1".parse::<Part>().unwrap());
    assert_eq!(too_many(go(&plan, &part, false)), (22, 200, 20));
    assert_eq!(too_many(go(&plan, &part, true)), (22, 200, 20), "nothing is left to ask, and it is still too many");
    plan.options.limits.max_failed = 0.11;
    assert_eq!(go(&plan, &part, true).unwrap().failed, 22);
    let merged = folder.path().join("merged");
    merge(&[part], &merged).unwrap();
    assert_eq!(record_files(&merged), record_files(&path));
}

#[test]
fn the_message_names_the_most_frequent_reasons_with_an_item_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let fault = |when: &str, why: &str| Fault { when: when.into(), what: FaultKind::Fail(why.into()), once: None };
    let faults = vec![
        fault("<1", "line\none"),
        fault("<20>", "it has 7 heads"),
        fault("<30>", "it has 12 heads"),
        fault("<4>", &"long ".repeat(100)),
        fault("<5>", "rare"),
    ];
    let mut plan = plan(Script { faults, ..Script::default() }, 2, vec![pairs(100)]);
    plan.settings.truncate(1);
    let error = go(&plan, folder.path(), false).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[0], "15 of 100 items failed, and the spec tolerates 1:");
    assert_eq!(lines[1], "  11 × engine: line one (first p0001 of pairs under toy@none)");
    assert_eq!(lines[2], "  2 × engine: it has 7 heads (first p0020 of pairs under toy@none)");
    assert!(lines[3].starts_with("  1 × engine: long long") && lines[3].ends_with("… (p0004 of pairs under toy@none)"));
    assert_eq!(lines[4], "  1 × other reasons");
    assert!(lines[5].contains("column `reason` of records/*/*/part-*.parquet"), "{error}");
    let reasons: Vec<(u64, String)> =
        failures(folder.path()).unwrap().into_iter().map(|FailureReason { items, item, .. }| (items, item)).collect();
    assert_eq!(reasons, [(11, "p0001"), (2, "p0020"), (1, "p0004"), (1, "p0005")].map(|(n, i)| (n, i.to_owned())));
}
