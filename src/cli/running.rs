//! What `demo`, `audit`, and `run` share: their options, the run with its progress, and the end with its summary.

use super::progress::Progress;
use super::{note, say, step_summary};
use crate::analysis::{check_margins, check_plan};
use crate::findings::Findings;
use crate::pipeline::{
    Failure, Layout, Prepared, Request, analyze_run, departures, exit, load_frozen, prepare, report_findings,
    run_prepared, stages, today,
};
use crate::records::Refused;
use crate::records::digest::sha256_file;
use crate::records::seal::SEAL;
use crate::report::{Templates, summary_lines};
use crate::spec::{self, Checked, ModelSource, Plan, Preset, RunnerOptions, Setting, Waiver};
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where results go.
#[derive(Debug, Clone, Args)]
pub(super) struct Out {
    /// Folder for runs, findings, and reports; default: `output` of the audit file.
    #[arg(long)]
    pub(super) out: Option<PathBuf>,
    /// A frozen plan, from `quantbias plan`: what departs from it is said now and in the report.
    #[arg(long)]
    pub(super) plan: Option<PathBuf>,
    /// Instead of what the file says: quick, standard, or paper.
    #[arg(long, value_parser = preset)]
    pub(super) preset: Option<Preset>,
}

/// Reads the name of a preset.
pub(super) fn preset(text: &str) -> Result<Preset, String> {
    Preset::parse(text).ok_or_else(|| "presets are quick, standard, paper".to_owned())
}

/// Loads an audit file, with another preset than it says.
pub(super) fn load(file: &Path, preset: Option<Preset>) -> Result<Checked, Failure> {
    Ok(spec::load_with(file, preset)?)
}

/// How to run.
#[derive(Debug, Clone, Args)]
pub(super) struct Running {
    /// Go on with an unfinished run.
    #[arg(long)]
    pub(super) resume: bool,
    /// Worker processes; default: one per core.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(super) workers: Option<u32>,
}

/// Loads an audit file and all that it names.
pub(super) fn prepared(file: &Path, out: &Out) -> Result<(Prepared, Checked, Layout), Failure> {
    let checked = load(file, out.preset)?;
    let request = Request::load(&checked)?;
    let layout = Layout::new(out.out.clone().unwrap_or_else(|| checked.output.clone()));
    check_plan(request.benchmarks.iter().map(|(b, _)| &**b), &checked.plan)?;
    check_margins(&request.benchmarks.iter().map(|(b, _)| &**b), &checked.plan)?;
    let mut prepared = look_at(&request)?;
    let settings = prepared.identity.settings.iter().filter(|s| !s.aa);
    warn(settings.flat_map(|s| s.realised.deviations.iter().map(|d| format!("{}: {d}", s.id))));
    warn(left_out(&prepared));
    if let Some(path) = &out.plan {
        let frozen = load_frozen(path)?;
        warn(departures(&frozen, &prepared, &checked.plan).iter().map(|d| format!("not as frozen: {d}")));
        prepared.frozen = Some(frozen);
    }
    Ok((prepared, checked, layout))
}

/// Prepares a run, and says first whose answer that has to wait for.
pub(super) fn look_at(request: &Request) -> Result<Prepared, Failure> {
    let url = |s: &Setting| match &s.source {
        ModelSource::Endpoint(endpoint) => Some(endpoint.url.clone()),
        _ => None,
    };
    for url in request.settings.iter().filter_map(url).collect::<BTreeSet<_>>() {
        note!("asking the server at {url} what it can do");
    }
    prepare(request)
}

/// Settings that a run leaves out, and benchmarks that it does not ask under a setting, each with the reason.
pub(super) fn left_out(prepared: &Prepared) -> Vec<String> {
    let runs = |id: &str| prepared.settings.iter().any(|s| s.id == id);
    let line = |r: &Refused| {
        let what = if runs(&r.setting) { "" } else { " is refused" };
        format!("{}{what}: {}", r.setting, r.reason)
    };
    prepared.refused.iter().map(line).collect()
}

/// Whether the file can be run as it stands; what cannot is left out by a run, which goes on with the rest.
pub(super) fn verdict(file: &Path, left_out: &[String]) -> String {
    if left_out.is_empty() {
        return format!("{} is fine.", file.display());
    }
    format!("{} is readable, but a run would leave this out:\n  {}", file.display(), left_out.join("\n  "))
}

/// Tells the screen what deserves attention.
pub(super) fn warn(lines: impl IntoIterator<Item = String>) {
    for line in lines {
        note!("warning: {line}");
    }
}

/// Runs with progress on stderr; Ctrl-C writes the open shards and stops.
pub(super) fn execute(
    prepared: &Prepared,
    plan: &Plan,
    options: &RunnerOptions,
    layout: &Layout,
    running: &Running,
) -> Result<PathBuf, Failure> {
    let options = RunnerOptions { workers: running.workers.map(|w| w as usize).or(options.workers), ..options.clone() };
    let sha = prepared.identity.sha256().map_err(crate::analysis::AnalysisError::Plan)?;
    let mut folder = layout.run(&prepared.identity.name, &sha);
    if let Some(part) = options.part {
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        folder.set_file_name(format!("{name}.{}", part.folder()));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // A second Ctrl-C ends the program at once. Without a handler Ctrl-C still ends it, only less tidily.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
    });
    let mut progress = Progress::new();
    let result =
        run_prepared(prepared, plan, &options, &folder, running.resume, &stop, &mut |event| progress.show(event));
    progress.finish();
    result
}

/// SHA-256 of a run's seal, to be noted elsewhere; `None` where it has none.
pub(super) fn seal_sha256(run: &Path) -> Option<String> {
    sha256_file(&run.join(SEAL)).ok()
}

/// Analyses, reports, and prints the summary.
pub(super) fn conclude(run: &Path, plan: &Plan, waivers: &[Waiver], layout: &Layout) -> Result<Findings, Failure> {
    let (found, path) = analyze_run(run, plan, (waivers, &today()), layout)?;
    let folder = layout.report(&found.audit.name, &found.analysis_id);
    let items = stages::items_beside(&path, &found)?;
    step_summary::append(&report_findings(&found, items.as_ref(), &folder, &Templates::default())?);
    for line in summary_lines(&found) {
        say!("{line}");
    }
    say!();
    say!("run       {}", run.display());
    if let Some(sha) = seal_sha256(run) {
        say!("seal      {sha}");
    }
    say!("findings  {}", path.display());
    say!("report    {}", folder.join("report.html").display());
    say!("          {}", folder.join("report.md").display());
    say!("figures   {}", folder.join("figures").display());
    Ok(found)
}
