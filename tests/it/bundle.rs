//! `bundle`: one archive, the same bytes each time, and it can be checked by whoever gets it.

use crate::auditing::{quantbias, shared, stderr, stdout};
use flate2::read::GzDecoder;
use quantbias::benchmark::Ask;
use quantbias::engine::{Answer, Finish};
use quantbias::records::Run;
use std::io::Read;
use std::path::{Path, PathBuf};

fn bundle(out: &Path) -> String {
    let run = shared().only("runs");
    let output = quantbias(&["bundle", run.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

fn check(file: &Path, more: &[&str]) -> (i32, String) {
    let mut args = vec!["bundle", "--check", file.to_str().unwrap()];
    args.extend(more);
    let output = quantbias(&args);
    (output.status.code().unwrap(), format!("{}{}", stdout(&output), stderr(&output)))
}

#[test]
fn the_same_run_gives_the_same_archive_byte_for_byte_and_its_sha_256_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.tar.gz"), folder.path().join("b.tar.gz"));
    let said = bundle(&a);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    bundle(&b);
    let bytes = std::fs::read(&a).unwrap();
    assert!(bytes == std::fs::read(&b).unwrap());
    assert!(said.contains(&quantbias::fixity::sha256_hex(&bytes)), "{said}");
    let mut names = Vec::new();
    for entry in tar::Archive::new(GzDecoder::new(&bytes[..])).entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.mode().unwrap()), (0, 0, 0o644));
        names.push(entry.path().unwrap().to_string_lossy().into_owned());
    }
    for part in [
        "bundle.json",
        "run/manifest.json",
        "run/plan.json",
        "run/environment.json",
        "run/SHA256SUMS",
        "findings/findings.json",
        "report/report.html",
        "SHA256SUMS",
    ] {
        assert!(names.contains(&format!("loans/{part}")), "{part} is not in {names:?}");
    }
    let (code, text) = check(&a, &[]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn an_unpacked_archive_is_a_run_that_verifies_and_can_be_analysed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.tar.gz");
    bundle(&file);
    let target = folder.path().join("unpacked");
    let (code, text) = check(&file, &["--extract", target.to_str().unwrap()]);
    assert_eq!(code, 0, "{text}");
    let output =
        quantbias(&["analyze", target.join("run").to_str().unwrap(), "--out", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let again = std::fs::read(PathBuf::from(stdout(&output).trim())).unwrap();
    assert!(again == std::fs::read(target.join("findings/findings.json")).unwrap());
    let (code, text) = check(&file, &["--extract", target.to_str().unwrap()]);
    assert!(code == 4 && text.contains("exists already"), "{text}");
}

/// Packs entries as an attacker might.
fn pack(path: &Path, entries: &[(&str, &[u8])]) {
    let zip = flate2::write::GzEncoder::new(std::fs::File::create(path).unwrap(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(zip);
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
}

fn entries(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(GzDecoder::new(std::fs::File::open(path).unwrap()));
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        found.push((entry.path().unwrap().to_string_lossy().into_owned(), bytes));
    }
    found
}

#[test]
fn an_altered_archive_is_caught_and_one_that_would_write_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good.tar.gz"), folder.path().join("bad.tar.gz"));
    bundle(&good);
    let all = entries(&good);
    let write = |edit: &dyn Fn(&str, &mut Vec<u8>)| {
        let mut all = all.clone();
        all.retain(|(name, _)| name.len() < 100);
        for (name, bytes) in &mut all {
            edit(name, bytes);
        }
        let entries: Vec<(&str, &[u8])> = all.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        pack(&bad, &entries);
        check(&bad, &[])
    };
    assert_eq!(write(&|_, _| {}).0, 0);
    let (code, text) = write(&|name, bytes| {
        if name == "loans/findings/findings.json" {
            bytes[50] ^= 1;
        }
    });
    assert!(code == 4 && text.contains("findings/findings.json was altered"), "{text}");
    let (code, text) = write(&|name, bytes| {
        if name == "loans/bundle.json" {
            *bytes = String::from_utf8(bytes.clone()).unwrap().replace("\"1.0\"", "\"2.0\"").into_bytes();
        }
    });
    assert!(code == 4 && text.contains("has format 2.0 (written by quantbias"), "{text}");
    for name in ["../out", "/out", "a/../../out"] {
        pack(&bad, &[(name, b"x")]);
        let (code, text) = check(&bad, &["--extract", folder.path().join("x").to_str().unwrap()]);
        assert!(code == 4 && text.contains("is not a plain file inside it"), "{name}: {text}");
        assert!(!folder.path().join("out").exists());
    }
    std::fs::write(&bad, b"no archive").unwrap();
    assert_eq!(check(&bad, &[]).0, 4);
    let bytes = std::fs::read(&good).unwrap();
    std::fs::write(&bad, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(check(&bad, &[]).0, 4);
}

/// A run with generated text, written by the last commit with format 1.0: its rows have no columns of thinking, and its items
/// say nothing of decoding. What its files hold was read with PyArrow.
#[test]
fn generated_text_of_the_first_format_version_is_read_as_it_was_written() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats/bundle-1.0-generated.tar.gz");
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("unpacked");
    assert_eq!(check(&file, &["--extract", target.to_str().unwrap()]).0, 0);
    let run = Run::open(&target.join("run")).unwrap();
    assert_eq!(run.manifest.format, "1.0");
    let said = |text: &str, tokens: &[u32], finish, prompt_tokens| {
        Ok(Answer::Generated { text: text.to_owned(), tokens: tokens.to_vec(), finish, prompt_tokens, thought: None })
    };
    let choice = run.records("choice", "chat@q2k").unwrap();
    assert_eq!((choice.len(), choice[0].item.as_str()), (24, "choice-16-woman-amb"));
    assert_eq!(choice[0].answer, said("(B)", &[13, 39, 14], Finish::Stop, 62));
    let film = run.records("continuation", "chat@none").unwrap();
    assert_eq!((film.len(), film[1].item.as_str()), (16, "continuation-06-1"));
    let tokens = [828, 436, 19, 368, 436, 313, 268, 436, 17, 326, 313, 263, 284, 418, 320, 94];
    let text = "the film. The film is the film, it is a pussey";
    assert_eq!(film[1].answer, said(text, &tokens, Finish::Length, 25));
    let Ask::Generate { framing, decoding, chat, .. } = &run.benchmarks[0].items[0].ask else { panic!() };
    assert!(*chat && framing.system.is_none() && framing.prefill.is_none());
    assert!(decoding.stop.is_empty() && decoding.draws.is_none(), "greedy, and nothing stops it");
}

/// Every format version that was ever released opens, or is told which release reads it.
#[test]
fn a_bundle_of_the_first_format_versions_opens() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("bundle-1.0");
    for name in ["bundle-1.0", "bundle-1.0-generated"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/formats/{name}.tar.gz"));
        let target = folder.path().join(name);
        let (code, text) = check(&file, &["--extract", target.to_str().unwrap()]);
        assert_eq!(code, 0, "{text}");
        let output =
            quantbias(&["analyze", target.join("run").to_str().unwrap(), "--out", folder.path().to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let found = quantbias::findings::load(&target.join("findings/findings.json")).unwrap();
        let again = quantbias::findings::load(Path::new(stdout(&output).trim())).unwrap();
        assert_eq!(found.audit.records_sha256, again.audit.records_sha256);
        let read = |f: &quantbias::findings::Findings| -> Vec<(String, String, u64, u64, u64)> {
            let rows = f.coverage.iter();
            rows.map(|c| (c.benchmark.clone(), c.setting.clone(), c.answered, c.unparsed, c.failed)).collect()
        };
        assert_eq!(read(&found), read(&again), "answers are read as by the release that wrote them");
    }
    let manifest = target.join("run/manifest.json");
    let later = std::fs::read_to_string(&manifest).unwrap().replacen("\"format\": \"1.", "\"format\": \"7.", 1);
    std::fs::write(&manifest, later).unwrap();
    let output = quantbias(&["analyze", target.join("run").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).contains("use the release of quantbias that wrote it"), "{}", stderr(&output));
}
