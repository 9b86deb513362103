//! `quantbias verify`.

use super::say;
use crate::pipeline::{Failure, exit, verify};
use clap::Args;
use std::path::PathBuf;

/// Hash everything of a run again, and say what was altered; a report is sealed by nothing: `report` makes it again.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 everything is as it was written, 4 something was altered, is missing, or was added.\n\n\
Examples:\n  quantbias verify quantbias-out/runs/my-model-0123456789ab\n  \
quantbias verify RUN --model llama=/models/Llama-3.2-1B-Instruct --findings FINDINGS/findings.json\n  \
quantbias verify RUN --seal 4f1a…   # the seal's SHA-256 as you noted it after the run"
)]
pub(super) struct Verify {
    /// A run directory.
    run: PathBuf,
    /// Where a model's files lie, to be hashed too; may be given more than once.
    #[arg(long = "model", value_name = "ID=FOLDER", value_parser = model)]
    models: Vec<(String, PathBuf)>,
    /// Findings that must be of this run and unaltered, like the items.jsonl beside them and the files of scores that they
    /// were made from.
    #[arg(long)]
    findings: Option<PathBuf>,
    /// SHA-256 that the seal must have.
    #[arg(long, value_name = "SHA-256")]
    seal: Option<String>,
}

fn model(text: &str) -> Result<(String, PathBuf), String> {
    let (id, folder) = text.split_once('=').ok_or("write it as ID=FOLDER")?;
    Ok((id.to_owned(), PathBuf::from(folder)))
}

pub(super) fn run(args: &Verify) -> Result<u8, Failure> {
    let found = verify(&args.run, &args.models, args.findings.as_deref())?;
    for problem in &found.problems {
        say!("{} {}", problem.file, problem.what);
    }
    let mut wrong = found.problems.len();
    if let (Some(expected), sha) = (&args.seal, &found.seal_sha256)
        && sha.as_deref() != Some(&expected.to_lowercase())
    {
        wrong += 1;
        say!("SHA256SUMS is not the seal that you noted: its SHA-256 is {}", sha.as_deref().unwrap_or("absent"));
    }
    for unseen in &found.unseen {
        say!("not checked: {unseen}");
    }
    if wrong > 0 {
        say!("{wrong} {} wrong.", if wrong == 1 { "thing is" } else { "things are" });
        return Ok(exit::DATA);
    }
    say!("{} files of the run and {} of models are as they were written.", found.sealed, found.model_files);
    if let Some(sha) = &found.seal_sha256 {
        say!("seal {sha}");
    }
    Ok(exit::DONE)
}
