//! `quantbias report`.

use super::look::Look;
use super::{above, say, step_summary};
use crate::findings;
use crate::pipeline::{Failure, Layout, exit, stages};
use crate::report::{self, Templates};
use clap::Args;
use std::path::PathBuf;

/// Write the report of a findings file.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  quantbias report quantbias-out/findings/my-model-0123456789ab/findings.json\n  quantbias report FINDINGS --templates my-templates --out pages"
)]
pub(super) struct Report {
    /// A findings.json.
    findings: PathBuf,
    /// Folder for the report; default: `reports/NAME-ID` beside the folder `findings`.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Folder with templates that replace the built-in ones.
    #[arg(long)]
    templates: Option<PathBuf>,
    #[command(flatten)]
    look: Look,
}

pub(super) fn run(Report { findings: path, out, templates, look }: &Report) -> Result<u8, Failure> {
    let found = findings::load(path)?;
    let templates = match templates {
        Some(folder) => Templates::with_overrides(folder)?,
        None => Templates::default(),
    };
    let own = || Layout::new(above(path, 3)).report(&found.audit.name, &found.analysis_id);
    let folder = out.clone().unwrap_or_else(own);
    let items = stages::items_beside(path, &found)?;
    let mut pages = report::render_with_items(&found, items.as_ref(), &look.theme(), &templates)?;
    look.add_forms(&mut pages)?;
    report::write(&pages, &folder)?;
    step_summary::append(&pages);
    say!("{}", folder.display());
    Ok(exit::DONE)
}
