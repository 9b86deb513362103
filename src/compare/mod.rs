//! Two runs held against each other: identity first, then the paired change from the first to the second.
//!
//! Both runs become one in memory, in which each pair of settings is a model with two settings, A as the baseline and B;
//! so the analysis, its tests, and its gates are the same as for one run. Only items that are the same in both runs, by
//! the hash of their text and key, are paired. A benchmark without any is compared as two samples, and says so.

mod assemble;
mod identity;
mod scored;
mod unpaired;

use crate::analysis::{AnalysisError, analyze_scored};
use crate::findings::{Caveat, Compared, ComparedPair, ComparedRun, Findings};
use crate::fixity::sha256_hex;
use crate::records::Run;
use crate::scorer::Scores;
use crate::spec::Plan;
use std::fmt::Write as _;

/// Why two runs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// No setting of one has a counterpart in the other.
    #[error("no two settings match: {a} has {of_a}, {b} has {of_b}\nhelp: name them with --pair A_SETTING=B_SETTING")]
    NoPair {
        /// First run.
        a: String,
        /// Its settings.
        of_a: String,
        /// Second run.
        b: String,
        /// Its settings.
        of_b: String,
    },
    /// A setting that was named is not there.
    #[error("run {run} has no setting {setting:?}; it has {known}")]
    UnknownSetting {
        /// Run.
        run: String,
        /// Setting that was asked for.
        setting: String,
        /// Settings that are there.
        known: String,
    },
    /// No benchmark is in both.
    #[error("the runs share no benchmark: one has {of_a}, the other {of_b}")]
    NoBenchmark {
        /// Of the first.
        of_a: String,
        /// Of the second.
        of_b: String,
    },
    /// The analysis.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
}

/// Compares run `b` with run `a`. `named` are pairs of setting ids; without any, settings match by model and scheme, or
/// by scheme where each run has one model. `scores` are those of `a` and of `b`; what a model said counts where both runs
/// have the same one.
///
/// # Errors
/// [`CompareError`].
pub fn compare(
    a: &Run,
    b: &Run,
    named: &[(String, String)],
    plan: &Plan,
    scores: [Scores; 2],
) -> Result<Findings, CompareError> {
    let (pairs, unmatched) = identity::pairs(a, b, named)?;
    let joined = assemble::join(a, b, &pairs)?;
    let plan = restricted(plan, &joined.run);
    let scored = scored::join(&joined.run, [a, b], &pairs, scores);
    let mut findings = analyze_scored(&joined.run, &plan, scored.joined)?;
    let compared = Compared {
        a: side(a),
        b: side(b),
        identity: identity::changes(&a.manifest.identity, &b.manifest.identity),
        pairs: pairs.iter().map(|p| ComparedPair { id: p.id.clone(), a: p.a.clone(), b: p.b.clone() }).collect(),
        unmatched,
        benchmarks: joined.benchmarks,
    };
    unpaired::add(&mut findings, [(a, &scored.each[0]), (b, &scored.each[1])], &pairs, &compared, &plan)?;
    label(&mut findings, &pairs);
    let mut caveats = caveats(&compared, &scored.left_out);
    caveats.append(&mut findings.caveats);
    findings.caveats = caveats;
    let key = format!("{}/{}/{}", compared.a.records_sha256, compared.b.records_sha256, findings.analysis_id);
    sha256_hex(key.as_bytes())[..12].clone_into(&mut findings.analysis_id);
    findings.compared = Some(compared);
    Ok(findings)
}

fn side(run: &Run) -> ComparedRun {
    ComparedRun {
        name: run.manifest.identity.name.clone(),
        run_id: run.manifest.identity_sha256[..12].to_owned(),
        identity_sha256: run.manifest.identity_sha256.clone(),
        records_sha256: run.manifest.provenance.records_sha256.clone().unwrap_or_default(),
    }
}

/// The plan as far as it applies to the pairs: margins and gates of the benchmarks that are paired, for every setting.
fn restricted(plan: &Plan, run: &Run) -> Plan {
    let has = |name: &str| run.benchmarks.iter().any(|b| b.name == name);
    let mut plan = plan.clone();
    plan.contrasts.clear();
    plan.margins.retain(|name, _| has(name));
    plan.gates.retain(|gate| has(&gate.benchmark));
    for gate in &mut plan.gates {
        gate.models = None;
        gate.schemes = None;
    }
    plan
}

/// Readers see which run a setting is of.
fn label(findings: &mut Findings, pairs: &[identity::Pair]) {
    for setting in &mut findings.audit.settings {
        let side = if setting.baseline { "A" } else { "B" };
        setting.label = format!("{side}: {}", setting.label);
    }
    for model in &mut findings.audit.models {
        if let Some(pair) = pairs.iter().find(|p| p.id == model.id) {
            model.source = format!("{} and {}", pair.a, pair.b);
        }
    }
}

/// What differs comes before any number.
fn caveats(compared: &Compared, left_out: &[String]) -> Vec<Caveat> {
    let caveat = |subject: Option<&str>, text: String| Caveat {
        about: "identity".to_owned(),
        subject: subject.map(str::to_owned),
        text,
    };
    let mut found = Vec::new();
    let (a, b) = (&compared.a, &compared.b);
    found.push(caveat(
        None,
        format!(
            "Run B ({} {}) is held against run A ({} {}): every change is B minus A. Pairs of settings are families of \
             their own; nothing is corrected across them.",
            b.name, b.run_id, a.name, a.run_id
        ),
    ));
    for about in identity::KINDS {
        let changes: Vec<String> =
            compared.identity.iter().filter(|c| c.about == *about).map(identity::words).collect();
        if !changes.is_empty() {
            let more = changes.len().saturating_sub(8);
            let mut text = format!("The runs differ in their {about}: {}", changes[..changes.len() - more].join("; "));
            if more > 0 {
                let _ = write!(text, "; and {more} more");
            }
            found.push(caveat(None, format!("{text}.")));
        }
    }
    if compared.identity.is_empty() {
        found.push(caveat(None, "The runs have the same identity: any change is noise of the engine.".to_owned()));
    }
    for one in &compared.benchmarks {
        let counts = format!(
            "{} items are the same in both runs, {} have another text or key, {} are in run A only, {} in run B only",
            one.same, one.changed, one.only_a, one.only_b
        );
        if !one.paired {
            let text = format!("UNPAIRED: {counts}. Changes are differences of two samples, and far less certain.");
            found.push(caveat(Some(&one.benchmark), text));
        } else if one.changed + one.only_a + one.only_b > 0 {
            found.push(caveat(Some(&one.benchmark), format!("Only the same items are paired: {counts}.")));
        }
    }
    found.extend(left_out.iter().map(|text| caveat(None, text.clone())));
    if !compared.unmatched.is_empty() {
        let text = format!("Without a counterpart and left out: {}.", compared.unmatched.join(", "));
        found.push(caveat(None, text));
    }
    found
}
