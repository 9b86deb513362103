//! What the user wants, as data: `audit.toml` → [`AuditFile`] → [`Checked`].
//!
//! Nothing here opens a model or a data set.

pub mod check;
pub mod error;
pub mod file;
mod own;
mod part;
pub mod plan;
mod policy;
pub mod scheme;
pub mod scoring;
pub mod setting;

pub use check::{Checked, RunnerOptions, load, load_with, parse};
pub use error::{SpecError, Wrong};
pub use file::AuditFile;
pub use part::{NoPart, Part};
pub use plan::{Adjustment, Family, Gate, OtherMethod, Parser, Plan, Preset, SchemeContrast, Waiver, fixed};
pub use scheme::QuantScheme;
pub use scoring::{JudgeChoice, Scoring};
pub use setting::{Dtype, Endpoint, Guide, ModelSource, Setting};
