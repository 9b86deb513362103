//! A plan, frozen before anything is asked: what will be run and how it will be judged, under one hash.

use super::error::Failure;
use super::prepare::Prepared;
use super::probe::Probe;
use crate::analysis::{Expected, frozen_content, frozen_sha256};
use crate::fixity::{Difference, differences, readable};
use crate::records::RecordsError;
use crate::records::run_dir::write_atomic;
use crate::spec::Plan;
use fs_err as fs;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// Format version of frozen plans, `major.minor`. Changelog:
///
/// * `1.0` — first format.
pub const FROZEN_FORMAT: &str = "1.0";

/// A frozen plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frozen {
    /// Format version.
    pub format: String,
    /// Version of quantbias that froze it.
    pub quantbias: String,
    /// SHA-256 of the canonical JSON of `content`.
    pub sha256: String,
    /// What is frozen: models, settings, benchmarks by the hash of their items, leading metrics, families, and the plan.
    pub content: Value,
    /// What the planned items can show. Not frozen.
    #[serde(default)]
    pub expected: Vec<Expected>,
    /// What the run will cost. Not frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Probe>,
}

/// Freezes what is prepared.
///
/// # Errors
/// A value that cannot be JSON.
pub fn freeze(
    prepared: &Prepared,
    plan: &Plan,
    expected: Vec<Expected>,
    cost: Option<Probe>,
) -> Result<Frozen, Failure> {
    let content = frozen_content(&prepared.identity, plan);
    let sha256 = frozen_sha256(&content).map_err(crate::analysis::AnalysisError::Plan)?;
    let format = FROZEN_FORMAT.to_owned();
    Ok(Frozen { format, quantbias: env!("CARGO_PKG_VERSION").to_owned(), sha256, content, expected, cost })
}

/// Writes a frozen plan as JSON.
///
/// # Errors
/// [`Failure::Records`]: it cannot be written.
pub fn save_frozen(frozen: &Frozen, path: &Path) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(frozen).map_err(crate::analysis::AnalysisError::Plan)?;
    Ok(write_atomic(path, format!("{text}\n").as_bytes())?)
}

/// Reads a frozen plan and checks its hash.
///
/// # Errors
/// [`Failure::Records`]: missing, or of another format; [`Failure::Bundle`]: no frozen plan, or altered.
pub fn load_frozen(path: &Path) -> Result<Frozen, Failure> {
    #[derive(Deserialize)]
    struct Head {
        format: String,
        #[serde(default)]
        analysis_id: Option<String>,
    }
    let text = fs::read_to_string(path).map_err(RecordsError::Read)?;
    let malformed = |e: serde_json::Error| {
        let path = path.display();
        Failure::Bundle(format!("{path} is not readable as a frozen plan: {e}\nhelp: make it with `quantbias plan`"))
    };
    let head: Head = serde_json::from_str(&text).map_err(malformed)?;
    if head.analysis_id.is_some() {
        let path = path.display();
        return Err(Failure::Bundle(format!(
            "{path} holds findings, and no frozen plan\nhelp: make one with `quantbias plan`"
        )));
    }
    if !readable(&head.format, FROZEN_FORMAT) {
        return Err(RecordsError::Version { path: path.to_owned(), found: head.format, ours: FROZEN_FORMAT }.into());
    }
    let frozen: Frozen = serde_json::from_str(&text).map_err(malformed)?;
    let found = frozen_sha256(&frozen.content).map_err(malformed)?;
    if found != frozen.sha256 {
        return Err(Failure::Bundle(format!(
            "{} was altered after it was frozen: SHA-256 of its content is {found}, and it says {}\nhelp: restore the file, \
             or freeze anew with `quantbias plan`",
            path.display(),
            frozen.sha256
        )));
    }
    Ok(frozen)
}

/// Where what is prepared departs from what was frozen.
#[must_use]
pub fn departures(frozen: &Frozen, prepared: &Prepared, plan: &Plan) -> Vec<Difference> {
    differences(&frozen.content, &frozen_content(&prepared.identity, plan))
}
