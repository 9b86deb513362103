//! `quantbias bundle`.

use super::{above, say};
use crate::findings::ITEMS_FILE;
use crate::pipeline::bundle::{CheckedBundle, bundle, check_bundle, find_parts};
use crate::pipeline::{Failure, exit, verify};
use clap::Args;
use std::path::PathBuf;

/// Pack run, findings, report, plan, and environment into one archive, or check such an archive.
#[derive(Debug, Args)]
#[command(after_help = "The same files give the same bytes. Findings and report are looked for beside the run.\n\n\
Examples:\n  quantbias bundle quantbias-out/runs/my-model-0123456789ab --out evidence.tar.gz\n  \
quantbias bundle --check evidence.tar.gz\n  quantbias bundle --check evidence.tar.gz --extract evidence")]
pub(super) struct Bundle {
    /// A run directory.
    #[arg(required_unless_present = "check", conflicts_with = "check")]
    run: Option<PathBuf>,
    /// The archive; default: <run>.tar.gz here.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Folder with findings.json, where the run has several analyses.
    #[arg(long)]
    findings: Option<PathBuf>,
    /// Folder of the report.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Check this archive instead of making one.
    #[arg(long)]
    check: Option<PathBuf>,
    /// Unpack the checked archive into this folder, which must not exist, and verify the run in it.
    #[arg(long, requires = "check")]
    extract: Option<PathBuf>,
}

pub(super) fn run(args: &Bundle) -> Result<u8, Failure> {
    match (&args.check, &args.run) {
        (Some(file), _) => check(args, file),
        (None, Some(folder)) => pack(args, folder),
        (None, None) => Ok(exit::USAGE),
    }
}

fn pack(args: &Bundle, run: &std::path::Path) -> Result<u8, Failure> {
    let mut parts = match &args.findings {
        Some(_) => crate::pipeline::bundle::Parts::default(),
        None => find_parts(run, &above(run, 2))?,
    };
    if let Some(folder) = &args.findings {
        let folder = if folder.is_file() { above(folder, 1) } else { folder.clone() };
        let beside = folder.file_name().map(|name| above(&folder, 2).join("reports").join(name));
        parts.report = beside.filter(|r| r.is_dir());
        parts.findings = Some(folder);
    }
    if args.report.is_some() {
        parts.report.clone_from(&args.report);
    }
    let out = args.out.clone().unwrap_or_else(|| {
        let name = above(run, 0).file_name().map_or_else(|| "run".to_owned(), |n| n.to_string_lossy().into_owned());
        PathBuf::from(format!("{name}.tar.gz"))
    });
    let sha = bundle(run, &parts, &out)?;
    for (what, part) in [("findings", &parts.findings), ("report", &parts.report)] {
        if part.is_none() {
            say!("without {what}: none was found beside the run");
        }
    }
    if parts.findings.is_some_and(|folder| !folder.join(ITEMS_FILE).exists()) {
        say!("without {ITEMS_FILE}: it is missing beside the findings");
    }
    say!("{sha}  {}", out.display());
    Ok(exit::DONE)
}

fn check(args: &Bundle, file: &std::path::Path) -> Result<u8, Failure> {
    if let Some(folder) = args.extract.as_ref().filter(|f| f.exists()) {
        return Err(Failure::Bundle(format!("{} exists already\nhelp: name a new folder", folder.display())));
    }
    let CheckedBundle { sha256, head, entries, mut problems } = check_bundle(file, args.extract.as_deref())?;
    if let Some(folder) = &args.extract {
        problems.extend(verify(&folder.join("run"), &[], None)?.problems);
    }
    for problem in &problems {
        say!("{} {}", problem.file, problem.what);
    }
    if let Some(head) = &head {
        say!("{} by quantbias {}, format {}, engine {}", head.name, head.quantbias, head.format, head.engine);
        say!("run {}, records {}", head.identity_sha256, head.records_sha256);
    }
    say!("{sha256}  {}", file.display());
    if problems.is_empty() && head.is_some() {
        say!("{entries} entries are as they were packed.");
        return Ok(exit::DONE);
    }
    Ok(exit::DATA)
}
