//! Statistics against independent sources: SciPy and statsmodels figures, enumeration, closed forms, laws.

mod beside;
mod calibration;
mod decisions;
mod enumeration;
mod fixtures;
mod laws;
mod more;
mod proof;

use serde_json::Value;

/// A file of `tests/reference/stats`.
fn reference(name: &str) -> Value {
    let path = format!("{}/tests/reference/stats/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("reference files are JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap_or_else(|| panic!("{value} is not a list")).iter().map(number).collect()
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    let scale = expected.abs().max(1.0);
    assert!((found - expected).abs() <= tolerance * scale, "found {found:.17}, expected {expected:.17}");
}

#[track_caller]
fn all_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        close(*f, *e, tolerance);
    }
}
