//! What a frozen plan holds, taken from what is to be run and how it is to be analysed; and what changed since.

use crate::findings::Caveat;
use crate::fixity::{differences, sha256_hex};
use crate::metric::{metrics_of, overall_of};
use crate::records::digest::canonical_json;
use crate::records::{Identity, Run};
use crate::spec::Plan;
use serde_json::{Value, json};

/// Changes that a caveat names one by one.
const NAMED: usize = 12;

/// Everything that is fixed beforehand: models, settings, benchmarks with the hash of their items, the metrics that lead
/// them, the families, and the plan with margins, gates, level, power, and seed.
#[must_use]
pub fn frozen_content(identity: &Identity, plan: &Plan) -> Value {
    let models: Vec<Value> =
        identity.models.iter().map(|m| json!({"id": m.id, "source": m.source, "files": m.files})).collect();
    let settings: Vec<Value> = identity
        .settings
        .iter()
        .map(|s| json!({"id": s.id, "requested": s.requested, "baseline": s.baseline}))
        .collect();
    let benchmarks: Vec<Value> = identity
        .benchmarks
        .iter()
        .map(|b| {
            json!({
                "name": b.name,
                "models": b.models,
                "items": b.items,
                "clusters": b.clusters,
                "items_sha256": b.items_sha256,
                "headline": metrics_of(b.measure)[0].info().id,
                "primary": overall_of(b.measure),
            })
        })
        .collect();
    let mut families = json!({
        "primary": "per model: each benchmark's primary metric over all items × setting; step-down maxT",
        "subgroups": "per model and benchmark: headline metric, subgroup × setting; step-down maxT",
        "exploratory": "per model and benchmark: everything else; Benjamini–Hochberg",
    });
    if !plan.families.is_empty() {
        families["declared"] =
            "the plan's, per model, before all others: the first that names a hypothesis; step-down maxT".into();
    }
    json!({
        "name": identity.name,
        "models": models,
        "settings": settings,
        "benchmarks": benchmarks,
        "families": families,
        "plan": plan,
    })
}

/// SHA-256 of a frozen plan's content.
///
/// # Errors
/// The content cannot be JSON.
pub fn frozen_sha256(content: &Value) -> serde_json::Result<String> {
    Ok(sha256_hex(canonical_json(content)?.as_bytes()))
}

/// What the report says about plans: that of the analysis against the frozen one, or against the one that the run began
/// with.
pub(super) fn changes(run: &Run, plan: &Plan, plan_sha256: &str) -> Option<String> {
    if let Some(frozen) = &run.frozen {
        let content = frozen.get("content").unwrap_or(&Value::Null);
        let now = frozen_content(&run.manifest.identity, plan);
        let sha = frozen.get("sha256").and_then(Value::as_str).unwrap_or("unknown");
        let changed = named(content, &now)?;
        return Some(format!(
            "Plan changed: this is not what was frozen beforehand (plan with SHA-256 {sha}), and may have been chosen \
             after answers were seen. {changed}"
        ));
    }
    let first = run.manifest.provenance.plan_sha256.as_deref().filter(|first| *first != plan_sha256)?;
    let changed = run.first_plan.as_ref().and_then(|p| named(&json!({"plan": p}), &json!({"plan": plan})));
    Some(format!(
        "Plan changed after the run began: the plan is not the one that the run began with (SHA-256 {first}), and its \
         margins and choices may have been made after answers were seen. {}",
        changed.unwrap_or_default()
    ))
}

/// Says that families were declared though no plan was frozen: nothing shows that they were chosen beforehand.
pub(super) fn unfrozen_families(plan: &Plan, is_frozen: bool) -> Option<Caveat> {
    let text = "Families were declared and no plan was frozen beforehand: nothing shows that they were chosen before answers \
                were seen, and what is corrected in them is corrected for fewer hypotheses than were asked.";
    let subject = None;
    (!plan.families.is_empty() && !is_frozen).then(|| Caveat {
        about: "plan".to_owned(),
        subject,
        text: text.to_owned(),
    })
}

/// The changes between two contents in words; `None` where there are none.
fn named(before: &Value, after: &Value) -> Option<String> {
    let found = differences(before, after);
    if found.is_empty() {
        return None;
    }
    let mut words: Vec<String> = found.iter().take(NAMED).map(ToString::to_string).collect();
    if found.len() > NAMED {
        words.push(format!("and {} more", found.len() - NAMED));
    }
    Some(format!("What changed: {}.", words.join("; ")))
}
