//! Where things lie, and one function per stage.

use super::error::Failure;
use super::freeze::save_frozen;
use super::prepare::Prepared;
use super::scoring;
use crate::analysis::{analyze_scored, analyze_table, changed_items, waive};
use crate::findings::{self, Findings, ITEMS_FILE, Items};
use crate::fixity::sha256_hex;
use crate::records::digest::canonical_json;
use crate::records::run::FROZEN;
use crate::records::{Run, RunDir, seal};
use crate::report::{self, Pages, Templates, Theme};
use crate::runner::{self, Event, PlannedBenchmark, RunOptions, RunPlan};
use crate::spec::{Plan, RunnerOptions, Waiver};
use crate::table::sums::Tabled;
use fs_err as fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Folders under one output folder: `runs/`, `findings/`, `reports/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Everything under `root`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The output folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The run directory of an identity: the audit's name and the start of the identity's hash.
    #[must_use]
    pub fn run(&self, name: &str, identity_sha256: &str) -> PathBuf {
        self.root.join("runs").join(format!("{name}-{}", &identity_sha256[..12]))
    }

    /// The findings file of an analysis.
    #[must_use]
    pub fn findings(&self, name: &str, analysis_id: &str) -> PathBuf {
        self.root.join("findings").join(format!("{name}-{analysis_id}")).join("findings.json")
    }

    /// The folder of a report.
    #[must_use]
    pub fn report(&self, name: &str, analysis_id: &str) -> PathBuf {
        self.root.join("reports").join(format!("{name}-{analysis_id}"))
    }
}

/// Asks everything that is not on disk yet, and closes the run. Returns its folder.
///
/// # Errors
/// [`Failure`]: the folder, the models, too many failed items, or an interruption; what was answered is kept.
pub fn run_prepared(
    prepared: &Prepared,
    plan: &Plan,
    options: &RunnerOptions,
    folder: &Path,
    resume: bool,
    stop: &AtomicBool,
    events: &mut dyn FnMut(&Event),
) -> Result<PathBuf, Failure> {
    let data: Vec<&crate::benchmark::BenchmarkData> = prepared.benchmarks.iter().map(|(b, _)| &**b).collect();
    let mut dir = RunDir::create(folder, prepared.identity.clone(), &data, resume)?;
    if dir.manifest().complete {
        // Nothing is left to ask; what lies there must still be what was written.
        Run::open(folder)?;
        // The process may have ended between the last manifest and the seal.
        if !folder.join(seal::SEAL).exists() {
            seal::seal(folder)?;
        }
        runner::check_failed(&dir, options.max_failed)?;
        return Ok(folder.to_owned());
    }
    // The plan that a run began with stays beside it; a later one is named where it is used.
    if dir.manifest().provenance.plan_sha256.is_none() {
        write_plan(folder, plan)?;
        if let Some(frozen) = &prepared.frozen {
            save_frozen(frozen, &folder.join(FROZEN))?;
        }
    }
    let canonical = canonical_json(plan).map_err(crate::analysis::AnalysisError::Plan)?;
    dir.note_plan(sha256_hex(canonical.as_bytes()))?;
    dir.note_refused(&prepared.refused)?;
    dir.add_environment(environment(prepared))?;
    let run_plan = RunPlan {
        settings: prepared.settings.clone(),
        benchmarks: prepared
            .benchmarks
            .iter()
            .map(|(data, models)| PlannedBenchmark { data: data.clone(), models: models.clone() })
            .collect(),
        options: RunOptions::new(options.clone()).map_err(Failure::Program)?,
    };
    let ended = runner::run(&run_plan, &mut dir, stop, events);
    if dir.manifest().complete {
        seal::seal(folder)?;
    }
    ended?;
    Ok(folder.to_owned())
}

/// The plan lies beside the records, so that the analysis can run alone; it is not part of their identity.
fn write_plan(folder: &Path, plan: &Plan) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(plan).map_err(crate::analysis::AnalysisError::Plan)?;
    Ok(crate::records::run_dir::write_atomic(&folder.join("plan.json"), format!("{text}\n").as_bytes())?)
}

/// The plan that lies in a run directory, or the default one.
///
/// # Errors
/// The file is there and is no plan.
pub fn stored_plan(folder: &Path) -> Result<Plan, Failure> {
    let path = folder.join("plan.json");
    if !path.exists() {
        return Ok(Plan::default());
    }
    let text = fs::read_to_string(&path).map_err(crate::records::RecordsError::Read)?;
    serde_json::from_str(&text).map_err(|e| {
        Failure::Records(crate::records::RecordsError::Malformed { path, what: "an analysis plan", why: e.to_string() })
    })
}

/// Opens and verifies a run, scores its continuations where that is not done, analyses it, applies waivers as of a day
/// (`YYYY-MM-DD`), and writes the findings, and the items that changed beside them.
///
/// # Errors
/// [`Failure`].
pub fn analyze_run(
    run: &Path,
    plan: &Plan,
    (waivers, day): (&[Waiver], &str),
    layout: &Layout,
) -> Result<(Findings, PathBuf), Failure> {
    let run = Run::open(run)?;
    let scores = scoring::scores_of(&run)?;
    let mut found = analyze_scored(&run, plan, scores.clone())?;
    waive(&mut found, waivers, day);
    let (found, path) = save_findings(found, layout)?;
    changed_items(&run, plan, &scores, &found).save(&path.with_file_name(ITEMS_FILE))?;
    Ok((found, path))
}

/// Analyses totals that came in without records, and writes the findings.
///
/// # Errors
/// [`Failure`].
pub fn analyze_tabled(
    table: Tabled,
    plan: &Plan,
    (waivers, day): (&[Waiver], &str),
    layout: &Layout,
) -> Result<(Findings, PathBuf), Failure> {
    let mut found = analyze_table(table, plan)?;
    waive(&mut found, waivers, day);
    save_findings(found, layout)
}

/// Writes findings into their folder.
///
/// # Errors
/// [`Failure::Write`] or [`Failure::Findings`].
pub fn save_findings(found: Findings, layout: &Layout) -> Result<(Findings, PathBuf), Failure> {
    let path = layout.findings(&found.audit.name, &found.analysis_id);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Failure::Write)?;
    }
    findings::save(&found, &path)?;
    Ok((found, path))
}

/// The items that changed, from the file beside a findings file; absent if there is none.
///
/// # Errors
/// [`Failure::Findings`]: the file is altered, or belongs to another analysis.
pub fn items_beside(findings_path: &Path, found: &Findings) -> Result<Option<Items>, Failure> {
    let path = findings_path.with_file_name(ITEMS_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let items = Items::load(&path)?;
    if items.analysis_id != found.analysis_id {
        return Err(findings::format::FindingsError::OtherAnalysis {
            path: path.display().to_string(),
            found: items.analysis_id,
            wanted: found.analysis_id.clone(),
        }
        .into());
    }
    Ok(Some(items))
}

/// Renders findings, with the items that changed if there are any, and writes the report. Returns its pages.
///
/// # Errors
/// [`Failure`].
pub fn report_findings(
    findings: &Findings,
    items: Option<&Items>,
    folder: &Path,
    templates: &Templates,
) -> Result<Pages, Failure> {
    let pages = report::render_with_items(findings, items, &Theme::default(), templates)?;
    report::write(&pages, folder)?;
    Ok(pages)
}

/// Host, processor features, the variables that change the engine, and what servers call themselves: for the record, not for
/// the identity.
fn environment(prepared: &Prepared) -> serde_json::Value {
    let variables: std::collections::BTreeMap<String, String> =
        std::env::vars().filter(|(k, _)| k.starts_with("MISTRALRS_") || k == "RAYON_NUM_THREADS").collect();
    serde_json::json!({
        "quantbias": env!("CARGO_PKG_VERSION"),
        "started": jiff::Timestamp::now().to_string(),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "cores": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "compiled_target_features": target_features(),
        "cpu_flags": cpu_flags(),
        "variables": variables,
        "servers": prepared.servers,
    })
}

/// Vector instructions that the program was compiled for.
fn target_features() -> Vec<&'static str> {
    let mut found = Vec::new();
    for (name, on) in [
        ("avx", cfg!(target_feature = "avx")),
        ("avx2", cfg!(target_feature = "avx2")),
        ("fma", cfg!(target_feature = "fma")),
        ("f16c", cfg!(target_feature = "f16c")),
        ("avx512f", cfg!(target_feature = "avx512f")),
        ("neon", cfg!(target_feature = "neon")),
    ] {
        if on {
            found.push(name);
        }
    }
    found
}

/// What the processor says it can do, where the system tells.
fn cpu_flags() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    text.lines()
        .find(|l| l.starts_with("flags") || l.starts_with("Features"))?
        .split_once(':')
        .map(|(_, f)| f.trim().to_owned())
}
