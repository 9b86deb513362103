//! One-way flow: which module may use which, checked against the `use crate::…` lines and paths of the sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Reads from top to bottom as the data flows. A module may use itself and what stands beside it.
const MAY_USE: &[(&str, &[&str])] = &[
    ("fixity", &[]),
    ("guide", &[]),
    ("stats", &[]),
    ("findings", &["fixity"]),
    ("table", &["fixity", "stats", "findings"]),
    ("benchmark", &["fixity"]),
    ("fetch", &["fixity", "benchmark"]),
    ("spec", &["findings", "benchmark"]),
    ("engine", &["stats", "benchmark", "spec"]),
    ("records", &["fixity", "benchmark", "spec", "engine"]),
    ("runner", &["benchmark", "spec", "engine", "records"]),
    ("scorer", &["fixity", "benchmark", "spec", "engine", "records", "runner"]),
    ("import", &["fixity", "benchmark", "spec", "engine", "records", "scorer"]),
    ("metric", &["benchmark", "engine", "records", "scorer", "stats", "findings"]),
    (
        "analysis",
        &["fixity", "benchmark", "spec", "engine", "records", "scorer", "metric", "stats", "findings", "table"],
    ),
    ("compare", &["fixity", "benchmark", "spec", "records", "scorer", "analysis", "stats", "findings"]),
    ("report", &["fixity", "findings"]),
    (
        "pipeline",
        &[
            "fixity",
            "benchmark",
            "fetch",
            "spec",
            "engine",
            "records",
            "runner",
            "import",
            "scorer",
            "analysis",
            "compare",
            "findings",
            "report",
            "table",
        ],
    ),
    (
        "cli",
        &[
            "guide",
            "benchmark",
            "fetch",
            "spec",
            "engine",
            "records",
            "runner",
            "import",
            "metric",
            "analysis",
            "compare",
            "findings",
            "report",
            "pipeline",
            "table",
        ],
    ),
];

/// Crates that only these modules may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("mistralrs", &["engine/mistral/"]),
    ("candle", &["scorer/classifier.rs", "engine/gguf.rs"]),
    (
        "polars",
        &["records/parquet.rs", "benchmark/parquet.rs", "report/tables/parquet.rs", "table/", "import/parquet.rs"],
    ),
    ("plotters", &["report/"]),
    ("comrak", &["report/"]),
    ("clap", &["cli/"]),
    ("tar", &["pipeline/bundle.rs"]),
    ("indicatif", &["cli/"]),
    ("ureq", &["engine/openai/", "fetch/"]),
];

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                let text = std::fs::read_to_string(&path).unwrap();
                // Comments may name any module.
                let code = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
                found.push((name, code));
            }
        }
    }
    found.sort();
    assert!(found.len() > 40, "the sources were not found");
    found
}

/// The crate's modules that a text names by `crate::module`, also inside `use crate::{a::…, b::…}`.
fn used(code: &str) -> BTreeSet<String> {
    let path = regex::Regex::new(r"\bcrate::(?:\{([^;]*)\};|(\w+))").unwrap();
    let first = regex::Regex::new(r"(\w+)\s*(?:::|,|$)").unwrap();
    let mut found = BTreeSet::new();
    for captures in path.captures_iter(code) {
        if let Some(name) = captures.get(2) {
            found.insert(name.as_str().to_owned());
        } else {
            let mut depth = 0;
            let mut top = String::new();
            for c in captures[1].chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    c if depth == 0 => top.push(c),
                    _ => {}
                }
            }
            for part in top.split(',') {
                if let Some(name) = first.captures(part.trim()) {
                    found.insert(name[1].to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn modules_use_only_what_lies_upstream_of_them() {
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        let Some((module, _)) = file.split_once('/') else { continue };
        let Some((_, allowed)) = MAY_USE.iter().find(|(m, _)| *m == module) else {
            wrong.push(format!("{file}: module {module} is not in the table"));
            continue;
        };
        for name in used(&code) {
            let known = MAY_USE.iter().any(|(m, _)| *m == name);
            if known && name != module && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{file} uses {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_itself_reads_from_top_to_bottom() {
    for (at, (module, uses)) in MAY_USE.iter().enumerate() {
        for name in *uses {
            let upstream = MAY_USE.iter().position(|(m, _)| m == name);
            assert!(upstream.is_some_and(|u| u < at), "{module} may use {name}, which stands below it");
        }
    }
}

#[test]
fn crates_with_a_boundary_are_named_only_inside_it() {
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        for (name, places) in ONLY_IN {
            let named =
                regex::Regex::new(&format!(r"\b{name}(?:_core|_quant|_nn|_transformers)?::")).unwrap().is_match(&code);
            if named && !places.iter().any(|p| file.starts_with(p)) {
                wrong.push(format!("{file} names {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_check_sees_grouped_imports() {
    let names = used("use crate::{spec::{Plan, Setting}, stats::level::Level};\nlet x = crate::report::render();");
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["report", "spec", "stats"]);
}
