//! The contract between running and analysing: what was asked under what identity, and every raw answer.
//!
//! A run directory holds `manifest.json` (identity and provenance), `items/` (every item as asked, with its key),
//! `records/<benchmark>/<setting>/part-NNNN.parquet` (raw answers, never scores), and volatile files
//! (`environment.json`, `log.jsonl`) that no result depends on. Nothing here interprets an answer.

pub mod digest;
pub mod error;
pub mod failures;
pub mod manifest;
mod merge;
pub mod parquet;
pub mod record;
pub mod run;
pub mod run_dir;
pub mod seal;

pub use error::RecordsError;
pub use failures::{FailureReason, failures};
pub use manifest::{
    BenchmarkIdentity, EngineIdentity, Identity, Manifest, ModelIdentity, OutcomeCounts, Provenance, Refused,
    SettingIdentity,
};
pub use merge::merge;
pub use record::{Fate, NOT_IN_LOG, Record};
pub use run::Run;
pub use run_dir::{RunDir, Shard, ShardKey};
