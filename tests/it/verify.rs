//! `verify`: one changed byte anywhere in a run is caught.

use crate::auditing::{copy, files, quantbias, shared, stderr, stdout};
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn verify(run: &Path, more: &[&str]) -> (i32, String) {
    let mut args = vec!["verify", run.to_str().unwrap()];
    args.extend(more);
    let output = quantbias(&args);
    (output.status.code().unwrap(), format!("{}{}", stdout(&output), stderr(&output)))
}

#[test]
fn an_untouched_run_is_as_it_was_written() {
    let run = shared().only("runs");
    let findings = shared().only("findings").join("findings.json");
    let model = format!("base={ROOT}/data/models/base");
    let (code, text) = verify(&run, &["--model", &model, "--findings", findings.to_str().unwrap()]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("as they were written") && !text.contains("not checked"), "{text}");
    // The seal is one that `sha256sum` reads, and its hash can be kept elsewhere.
    let seal = text.lines().find_map(|l| l.strip_prefix("seal ")).unwrap().to_owned();
    assert_eq!(seal, quantbias::fixity::sha256_hex(&std::fs::read(run.join("SHA256SUMS")).unwrap()));
    assert_eq!(verify(&run, &["--seal", &seal]).0, 0);
    assert_eq!(verify(&run, &["--seal", &seal.replace('a', "b")]).0, 4);
    // A complete run without its seal is not as it was written.
    let folder = tempfile::tempdir().unwrap();
    copy(&run, folder.path());
    std::fs::remove_file(folder.path().join("SHA256SUMS")).unwrap();
    let (code, text) = verify(folder.path(), &[]);
    assert!(code == 4 && text.contains("SHA256SUMS is missing"), "{text}");
}

#[test]
fn one_changed_byte_in_any_file_is_caught_and_the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    copy(&shared().only("runs"), &run);
    let all = files(&run);
    assert!(all.len() >= 8, "{all:?}");
    for name in all.iter().filter(|n| *n != "run.lock") {
        let path = run.join(name);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        let at = bad.len() / 2;
        bad[at] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        let (code, text) = verify(&run, &[]);
        assert_eq!(code, 4, "{name}: {text}");
        assert!(name == "SHA256SUMS" || text.contains(&format!("{name} was altered")), "{name}: {text}");
        std::fs::write(&path, good).unwrap();
    }
    assert_eq!(verify(&run, &[]).0, 0);
}

#[test]
fn a_file_too_many_or_too_few_and_another_model_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    copy(&shared().only("runs"), &run);
    std::fs::write(run.join("notes.txt"), "later").unwrap();
    let (code, text) = verify(&run, &[]);
    assert_eq!(code, 4);
    assert!(text.contains("notes.txt was added after the run was closed"), "{text}");
    std::fs::remove_file(run.join("notes.txt")).unwrap();
    std::fs::remove_file(run.join("environment.json")).unwrap();
    let (code, text) = verify(&run, &[]);
    assert!(code == 4 && text.contains("environment.json is missing"), "{text}");

    let run = shared().only("runs");
    let (code, text) = verify(&run, &["--model", &format!("base={ROOT}/data/models/qwen")]);
    assert!(code == 4 && text.contains("model base: model.safetensors differs"), "{text}");
    let (code, text) = verify(folder.path(), &[]);
    assert!(code == 4 && text.contains("is not a run directory"), "{text}");
}

#[test]
fn a_run_that_was_edited_and_sealed_again_is_still_not_what_its_manifest_says() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    copy(&shared().only("runs"), &run);
    let plan = run.join("plan.json");
    let text = std::fs::read_to_string(&plan).unwrap();
    std::fs::write(&plan, text.replace("\"decision\": 0.3", "\"decision\": 0.9")).unwrap();
    quantbias::records::seal::seal(&run).unwrap();
    let (code, text) = verify(&run, &[]);
    assert!(code == 4 && text.contains("plan.json is not the plan that the run began with"), "{text}");
}

#[test]
fn items_that_were_edited_or_removed_beside_the_findings_are_told_by_verify_and_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let (run, beside) = (shared().only("runs"), folder.path().join("findings"));
    copy(&shared().only("findings"), &beside);
    let (findings, items) = (beside.join("findings.json"), beside.join("items.jsonl"));
    let check = || verify(&run, &["--findings", findings.to_str().unwrap()]);
    let out = folder.path().join("b.tar.gz");
    let paths = [&run, &beside, &out].map(|p| p.to_str().unwrap());
    let bundle = || quantbias(&["bundle", paths[0], "--findings", paths[1], "--out", paths[2]]);
    assert_eq!((check().0, bundle().status.code()), (0, Some(0)));
    std::fs::remove_file(&out).unwrap();

    let good = std::fs::read_to_string(&items).unwrap();
    std::fs::write(&items, good.replacen("answered", "refused", 1)).unwrap();
    let (code, text) = check();
    assert!(code == 4 && text.contains("items.jsonl was altered"), "{text}");
    let output = bundle();
    assert_eq!(output.status.code(), Some(4), "{}", stdout(&output));
    assert!(stderr(&output).contains("items.jsonl was altered") && !out.exists(), "{}", stderr(&output));

    std::fs::remove_file(&items).unwrap();
    let (code, text) = check();
    assert!(code == 4 && text.contains("items.jsonl is missing"), "{text}");
    assert!(stdout(&bundle()).contains("without items.jsonl"));
}
