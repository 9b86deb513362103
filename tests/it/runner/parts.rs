//! Parts of a run on several machines.

use super::*;
use quantbias::records::{RecordsError, merge};
use quantbias::spec::Part;

fn part(plan: &RunPlan, text: &str) -> RunPlan {
    let mut plan = plan.clone();
    plan.options.limits.part = Some(text.parse::<Part>().unwrap());
    plan
}

fn toy() -> RunPlan {
    let script = Script {
        rule: Rule::Coin { seed: 5, first: 0.6 },
        refuse: BTreeMap::from([("toy@q4k".to_owned(), "not here".to_owned())]),
        ..Script::default()
    };
    plan(script, 2, vec![pairs(600), choices(150)])
}

#[test]
fn merged_parts_are_the_run_that_was_never_divided_whatever_their_order_and_number() {
    let folder = tempfile::tempdir().unwrap();
    let plan = toy();
    let whole = folder.path().join("whole");
    go(&plan, &whole, false).unwrap();
    for (of, order) in [(3, vec![2, 3, 1]), (1, vec![1]), (40, (1..=40).collect())] {
        let root = folder.path().join(of.to_string());
        let paths: Vec<PathBuf> = order
            .iter()
            .map(|number| {
                let path = root.join(format!("part-{number}"));
                go(&part(&plan, &format!("{number}/{of}")), &path, false).unwrap();
                assert!(Run::open(&path).is_err(), "a part is no run");
                path
            })
            .collect();
        let out = root.join("merged");
        merge(&paths, &out).unwrap();
        assert_eq!(record_files(&out), record_files(&whole), "of {of}");
        assert!(quantbias::records::seal::check(&out).unwrap().seal_sha256.is_some());
        let (merged, undivided) = (Run::open(&out).unwrap().manifest, Run::open(&whole).unwrap().manifest);
        assert_eq!(merged.identity, undivided.identity);
        assert_eq!(merged.provenance.files, undivided.provenance.files);
        assert_eq!(merged.provenance.counts, undivided.provenance.counts);
        assert_eq!(merged.provenance.refused, undivided.provenance.refused);
        assert_eq!(merged.provenance.records_sha256, undivided.provenance.records_sha256);
    }
}

#[test]
fn the_frozen_plan_goes_along_and_parts_begun_under_different_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plan = toy();
    let paths: Vec<PathBuf> = (1..=2).map(|n| folder.path().join(n.to_string())).collect();
    for (number, path) in paths.iter().enumerate() {
        go(&part(&plan, &format!("{}/2", number + 1)), path, false).unwrap();
        std::fs::write(path.join("plan.json"), "{}").unwrap();
        std::fs::write(path.join("frozen.json"), "{\"sha256\": \"a\"}").unwrap();
    }
    let out = folder.path().join("out");
    merge(&paths, &out).unwrap();
    assert_eq!(std::fs::read_to_string(out.join("frozen.json")).unwrap(), "{\"sha256\": \"a\"}");
    assert!(Run::open(&out).unwrap().frozen.is_some());
    std::fs::write(paths[1].join("frozen.json"), "{\"sha256\": \"b\"}").unwrap();
    let error = merge(&paths, &folder.path().join("differ")).unwrap_err().to_string();
    assert!(error.contains("2/frozen.json contradicts the same file of another part"), "{error}");
    // One begun without any: whichever comes first, and where the others were merged before.
    std::fs::remove_file(paths[1].join("frozen.json")).unwrap();
    let backwards = [paths[1].clone(), paths[0].clone()];
    for (name, parts) in [("forth", &paths[..]), ("back", &backwards)] {
        let error = merge(parts, &folder.path().join(name)).unwrap_err().to_string();
        assert!(error.contains("2/frozen.json is missing, and another part has it"), "{error}");
    }
    let later = folder.path().join("later");
    assert!(matches!(merge(&paths[..1], &later), Err(RecordsError::Incomplete { .. })));
    let error = merge(&paths[1..], &later).unwrap_err().to_string();
    assert!(error.contains("2/frozen.json is missing"), "{error}");
}

#[test]
fn a_missing_part_is_said_and_can_follow() {
    let folder = tempfile::tempdir().unwrap();
    let plan = toy();
    let paths: Vec<PathBuf> = (1..=2).map(|n| folder.path().join(n.to_string())).collect();
    for (number, path) in paths.iter().enumerate() {
        go(&part(&plan, &format!("{}/2", number + 1)), path, false).unwrap();
    }
    let out = folder.path().join("out");
    let missing = merge(&paths[..1], &out);
    assert!(matches!(missing, Err(RecordsError::Incomplete { missing: 1.., .. })), "{missing:?}");
    merge(&paths[1..], &out).unwrap();
    assert!(Run::open(&out).is_ok());
}

#[test]
fn parts_of_another_run_damaged_parts_and_contradicting_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let plan = toy();
    go(&part(&plan, "1/2"), &at("a"), false).unwrap();
    go(&part(&plan, "2/2"), &at("b"), false).unwrap();
    let mut other = toy();
    other.benchmarks = vec![pairs(599), choices(150)];
    go(&part(&other, "2/2"), &at("other"), false).unwrap();
    let error = merge(&[at("a"), at("other")], &at("x")).unwrap_err();
    assert!(matches!(error, RecordsError::OtherIdentity { .. }), "{error}");
    let mut coin = toy();
    coin.options.engine = EngineChoice::Scripted(Script { rule: Rule::Place(1), ..Script::default() });
    go(&part(&coin, "1/2"), &at("again"), false).unwrap();
    let error = merge(&[at("a"), at("again"), at("b")], &at("y")).unwrap_err();
    assert!(error.to_string().contains("contradicts"), "{error}");
    let shard = record_files(&at("b")).into_keys().next().unwrap();
    std::fs::write(at("b").join(shard), b"PAR1 no more").unwrap();
    let error = merge(&[at("a"), at("b")], &at("z")).unwrap_err();
    assert!(matches!(error, RecordsError::Malformed { .. }), "{error}");
}
