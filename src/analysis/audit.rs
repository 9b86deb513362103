//! The part of findings that says what was audited, taken from the run's manifest.

use super::cells::clusters;
use crate::benchmark::{BenchmarkData, Measure};
use crate::findings::{Audit, BenchmarkInfo, Caveat, ModelInfo, RefusedSetting, SettingInfo};
use crate::metric::metrics_of;
use crate::records::{Run, SettingIdentity};
use crate::scorer::{ScorerIdentity, Scores};
use crate::spec::{Plan, QuantScheme};
use crate::table::sums::lonely_strata;
use std::collections::BTreeMap;

/// What was audited.
pub(super) fn audit(run: &Run) -> Audit {
    let identity = &run.manifest.identity;
    let provenance = &run.manifest.provenance;
    let refused = |id: &str| provenance.refused.iter().any(|r| r.setting == id);
    let models = identity.models.iter().map(|m| ModelInfo {
        id: m.id.clone(),
        source: m.source.clone(),
        architecture: m.architecture.clone(),
        parameters: m.parameters,
        files: m.files.clone(),
    });
    let benchmarks = identity.benchmarks.iter().zip(&run.benchmarks).map(|(b, data)| BenchmarkInfo {
        name: b.name.clone(),
        title: data.title.clone(),
        items: items(run, data, b.items),
        clusters: b.clusters,
        cluster_unit: data.cluster_unit.clone(),
        licence: data.licence.clone(),
        citation: data.citation.clone(),
        files: b.files.clone(),
        headline: metrics_of(b.measure)[0].info().id,
        models: b.models.clone(),
    });
    let features = if identity.engine.features.is_empty() {
        String::new()
    } else {
        format!(" ({})", identity.engine.features.join(", "))
    };
    Audit {
        name: identity.name.clone(),
        run_id: run.manifest.identity_sha256[..12].to_owned(),
        identity_sha256: run.manifest.identity_sha256.clone(),
        records_sha256: provenance.records_sha256.clone().unwrap_or_default(),
        engine: format!("{} {}{features}", identity.engine.name, identity.engine.version),
        models: models.collect(),
        settings: identity.settings.iter().filter(|s| !refused(&s.id)).map(setting).collect(),
        refused: provenance
            .refused
            .iter()
            .map(|r| RefusedSetting { id: r.setting.clone(), reason: r.reason.clone() })
            .collect(),
        benchmarks: benchmarks.collect(),
    }
}

/// The number of items; absent where several settings were asked and none of them the same item as another: then items
/// had no ids, or none in common, and each answer counts as an item of its own.
fn items(run: &Run, data: &BenchmarkData, all: u64) -> Option<u64> {
    let settings = run.manifest.identity.settings.iter();
    let asked: Vec<_> = settings.filter_map(|s| run.records(&data.name, &s.id)).collect();
    let several = |i: usize| asked.iter().filter(|rows| rows.get(i).is_some_and(|r| !r.is_absent())).count() > 1;
    (asked.len() < 2 || (0..data.items.len()).any(several)).then_some(all)
}

fn setting(s: &SettingIdentity) -> SettingInfo {
    let realised = &s.realised;
    SettingInfo {
        id: s.id.clone(),
        model: s.model.clone(),
        requested: name(s).to_owned(),
        label: label(s),
        scheme_family: scheme_family(s.requested).to_owned(),
        own: name(s) != s.requested.name(),
        bits_per_weight: known(realised.bits_per_weight),
        bits_per_weight_model: known(realised.bits_per_weight_model),
        activations: realised.activations.clone(),
        activations_quantized: realised.activations_quantized,
        device: realised.device.clone(),
        dtype: realised.dtype.clone(),
        baseline: s.baseline,
        aa: s.aa,
        deviations: realised.deviations.clone(),
    }
}

/// Bits per weight where they are known: manifests of the first releases have 0 where they are not.
fn known(bits: Option<f64>) -> Option<f64> {
    bits.filter(|b| *b > 0.0)
}

/// The setting's own name: the scheme, or what the audit file calls it.
fn name(s: &SettingIdentity) -> &str {
    let (_, name) = s.id.split_once('@').unwrap_or_default();
    name.strip_suffix("+aa").unwrap_or(name)
}

/// Formats that a label names before it says that there are more.
const NAMED: usize = 3;

/// What figures and tables call a setting: its name, and what was realised where that says something else.
fn label(s: &SettingIdentity) -> String {
    let own = name(s);
    let base = match s.requested {
        QuantScheme::None if own == s.requested.name() => s.realised.dtype.clone(),
        scheme if own == scheme.name() => own.to_uppercase(),
        _ => own.to_owned(),
    };
    let formats: Vec<&str> = s.realised.quantized.iter().map(|t| t.format.as_str()).collect();
    let suffix = if s.aa { " again (A/A)" } else { "" };
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    if formats.is_empty() || plain(&formats.join("")) == plain(&base) {
        return format!("{base}{suffix}");
    }
    let more = if formats.len() > NAMED { "+…" } else { "" };
    format!("{base}→{}{more}{suffix}", formats[..formats.len().min(NAMED)].join("+"))
}

fn scheme_family(scheme: QuantScheme) -> &'static str {
    use QuantScheme as Q;
    match scheme {
        Q::None => "none",
        Q::Q4_0 | Q::Q4_1 | Q::Q5_0 | Q::Q5_1 | Q::Q8_0 | Q::Q8_1 => "legacy",
        Q::Q2K | Q::Q3K | Q::Q4K | Q::Q5K | Q::Q6K | Q::Q8K => "k-quant",
        Q::Hqq4 | Q::Hqq8 => "hqq",
        Q::F8e4m3 | Q::F8q8 => "float8",
        Q::Afq2 | Q::Afq3 | Q::Afq4 | Q::Afq6 | Q::Afq8 => "afq",
        Q::Mxfp4 => "mxfp",
        Q::Given => "given",
    }
}

/// Warnings that follow from what was run, before any number is computed.
pub(super) fn caveats(run: &Run, plan: &Plan, plan_sha256: &str, scores: &Scores) -> Vec<Caveat> {
    let caveat = |about: &str, subject: Option<&str>, text: String| Caveat {
        about: about.to_owned(),
        subject: subject.map(str::to_owned),
        text,
    };
    let mut caveats = Vec::new();
    if let Some(text) = super::frozen::changes(run, plan, plan_sha256) {
        caveats.push(caveat("plan", None, text));
    }
    caveats.extend(super::frozen::unfrozen_families(plan, run.frozen.is_some()));
    for data in &run.benchmarks {
        for text in &data.caveats {
            caveats.push(caveat("data", Some(&data.name), text.clone()));
        }
        if data.measure == Measure::Continuation {
            let text = format!(
                "Continuations are scored by {}. The lexicon is a crude screen and not a toxicity classifier.",
                scores.scorers.iter().map(ScorerIdentity::sentence).collect::<Vec<_>>().join("; ")
            );
            caveats.push(caveat("scoring", Some(&data.name), text));
        }
        caveats.extend(failures(run, &data.name).map(|text| caveat("engine", Some(&data.name), text)));
        caveats.extend(lonely_strata(&data.name, clusters(data).collapsed));
        let declared = plan.gates.iter().any(|g| g.benchmark == data.name) || plan.margins.contains_key(&data.name);
        let none = plan.gates.is_empty() && plan.margins.is_empty();
        if !declared && !none {
            let text =
                "No gate was declared for this benchmark, and others were: nothing about it decides the exit code."
                    .to_owned();
            caveats.push(caveat("gate", Some(&data.name), text));
        }
        if none {
            let text = "No margin was declared for this benchmark; the built-in example margin was used. \
                        A margin is a policy decision: declare one before the run."
                .to_owned();
            caveats.push(caveat("statistics", Some(&data.name), text));
        }
    }
    for (subject, text) in kinds_of_quantization(run, plan) {
        caveats.push(caveat("plan", Some(&subject), text));
    }
    for setting in &run.manifest.identity.settings {
        for deviation in &setting.realised.deviations {
            caveats.push(caveat("engine", Some(&setting.id), deviation.clone()));
        }
    }
    caveats
}

/// Declared contrasts between a setting that quantizes weights alone and one that quantizes activations too: what else
/// differs belongs beside the result. By the setting whose change is asked for.
fn kinds_of_quantization(run: &Run, plan: &Plan) -> Vec<(String, String)> {
    let identity = &run.manifest.identity;
    let mut found = Vec::new();
    for contrast in &plan.contrasts {
        for model in &identity.models {
            let of =
                |scheme: &str| identity.settings.iter().find(|s| s.model == model.id && name(s) == scheme && !s.aa);
            let (Some(one), Some(other)) = (of(&contrast.scheme), of(&contrast.against)) else { continue };
            let (ours, theirs) = (&one.realised, &other.realised);
            let (Some(bits), Some(others)) = (known(ours.bits_per_weight), known(theirs.bits_per_weight)) else {
                continue;
            };
            if ours.activations_quantized == theirs.activations_quantized {
                continue;
            }
            let kind = |quantized: bool| if quantized { "weights and activations" } else { "weights alone" };
            found.push((
                one.id.clone(),
                format!(
                    "{} − {} holds quantization of {} ({bits:.2} bits per weight) against quantization of {} ({others:.2} bits \
                     per weight; activations: {} against {}).",
                    label(one),
                    label(other),
                    kind(ours.activations_quantized),
                    kind(theirs.activations_quantized),
                    ours.activations,
                    theirs.activations
                ),
            ));
        }
    }
    found
}

/// How many records of a benchmark failed, and the commonest reason.
fn failures(run: &Run, benchmark: &str) -> Option<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = 0;
    for setting in &run.manifest.identity.settings {
        for record in run.records(benchmark, &setting.id).unwrap_or_default() {
            all += 1;
            if let Err(reason) = &record.answer {
                *reasons.entry(reason).or_default() += 1;
            }
        }
    }
    let failed: usize = reasons.values().sum();
    let (reason, times) = reasons.into_iter().max_by_key(|(_, times)| *times)?;
    Some(format!("{failed} of {all} answers over all settings failed; most often ({times}): {reason}."))
}
