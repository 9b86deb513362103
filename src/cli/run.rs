//! `quantbias run`.

use super::running::{Out, Running, execute, prepared, seal_sha256};
use super::{note, say};
use crate::pipeline::{Failure, exit, scoring};
use crate::spec::Part;
use clap::Args;
use std::path::{Path, PathBuf};

/// Ask every item under every setting, and keep each raw answer.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  quantbias run audit.toml\n  quantbias run audit.toml --resume --workers 2")]
pub(super) struct Run {
    /// The audit file.
    file: PathBuf,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    running: Running,
    /// Only this part of the run, such as 3/16, in a folder of its own; `quantbias merge` joins the parts.
    #[arg(long, value_name = "NUMBER/OF")]
    shard: Option<Part>,
}

pub(super) fn run(Run { file, out, running, shard }: &Run) -> Result<u8, Failure> {
    let (prepared, mut checked, layout) = prepared(file, out)?;
    checked.runner.part = *shard;
    let folder = execute(&prepared, &checked.plan, &checked.runner, &layout, running)?;
    scoring::store(&folder, &checked.scoring)?;
    say!("{}", folder.display());
    note_seal(&folder);
    Ok(exit::DONE)
}

/// The seal goes to the screen: the folder is the output.
fn note_seal(folder: &Path) {
    if let Some(sha) = seal_sha256(folder) {
        note!("seal {sha}");
    }
}
