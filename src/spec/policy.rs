//! Gates, waivers, and presets: what the user declares beforehand about what may not get worse.

use super::check::Check;
use super::error::SpecError;
use super::file::{AuditFile, FamilyEntry, GateEntry, WaiverEntry};
use super::plan::{Family, Gate, Plan, Preset, Waiver, fixed};
use super::{QuantScheme, Setting};
use crate::benchmark::{LoadRequest, Options};
use crate::findings::Worse;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// Clusters of each benchmark under the preset `quick`.
const QUICK_CLUSTERS: u32 = 40;

/// Categories of the published study (Marcuzzi et al. 2026, table 1, and its code), by benchmark type. What is not here is
/// asked whole, or reads the study's part by itself: WinoBias its test sentences of both types, DT-Fairness the base rate
/// 0.0, DT-Toxicity the prompts by GPT-4, MMLU all subjects. Benchmarks that the study does not have are asked whole too.
const PAPER_CATEGORIES: &[(&str, &[&str])] = &[
    ("stereoset", &["gender", "race", "religion"]),
    ("redditbias", &["gender", "race", "religion1", "religion2"]),
    ("bbq", &["Gender_identity", "Race_ethnicity", "Religion"]),
    ("discrim_eval", &["explicit"]),
    (
        "bold",
        &[
            "gender",
            "race/African_Americans",
            "race/Asian_Americans",
            "race/Hispanic_and_Latino_Americans",
            "religious_ideology/christianity",
            "religious_ideology/islam",
            "religious_ideology/judaism",
        ],
    ),
];

/// Conditions of the published study: of StereoSet only the sentences with a gap.
const PAPER_CONDITIONS: &[(&str, &[&str])] = &[("stereoset", &["intrasentence"])];

/// Contests, and how often the published study puts each problem.
const PAPER_SAMPLES: (&[&str], u32) = (&["aime_2025", "cmimc_2025", "hmmt_feb_2025"], 4);

impl Preset {
    /// The plan's numbers where the file does not give them.
    pub(super) fn plan(self) -> Plan {
        match self {
            Self::Quick => Plan { replicates: 2_000, draws: 1_999, ..Plan::default() },
            Self::Standard => Plan::default(),
            Self::Paper => Plan { paper: true, ..Plan::default() },
        }
    }

    /// A benchmark's options where the file does not give them.
    pub(super) fn options(self, kind: &str, given: &Options) -> Options {
        let mut options = given.clone();
        match self {
            Self::Quick => {
                options.max_clusters.get_or_insert(QUICK_CLUSTERS);
            }
            Self::Standard => {}
            Self::Paper => {
                let own = |list: &[(&str, &[&str])]| -> Option<Vec<String>> {
                    let (_, names) = list.iter().find(|(k, _)| *k == kind)?;
                    Some(names.iter().map(|n| (*n).to_owned()).collect())
                };
                options.categories = options.categories.or_else(|| own(PAPER_CATEGORIES));
                options.conditions = options.conditions.or_else(|| own(PAPER_CONDITIONS));
                // Greedy repeats would be the same answer.
                let (contests, samples) = PAPER_SAMPLES;
                if contests.contains(&kind) && options.sampling.is_some() {
                    options.samples.get_or_insert(samples);
                }
            }
        }
        options
    }
}

impl Check {
    /// The declared gates. `margins` are those of `[plan.margins]`.
    pub(super) fn gates(
        &self,
        file: &AuditFile,
        benchmarks: &[(LoadRequest, Vec<String>)],
        settings: &[Setting],
        margins: &BTreeMap<String, f64>,
    ) -> Result<Vec<Gate>, SpecError> {
        let mut ids = BTreeSet::new();
        let mut gates = Vec::new();
        for entry in &file.gates {
            let gate = self.gate(entry, benchmarks, settings, margins)?;
            if !ids.insert(gate.id.clone()) {
                let message = format!("there are two gates {:?}", gate.id);
                return Err(self.wrong(message, entry.benchmark.span(), "give each an `id`"));
            }
            gates.push(gate);
        }
        // A declared margin is a declared gate, also beside others.
        if !gates.is_empty() {
            for (benchmark, margin) in margins {
                if !gates.iter().any(|g| stands_for(g, benchmark, *margin)) {
                    let mut gate = headline(benchmark, *margin);
                    while !ids.insert(gate.id.clone()) {
                        gate.id.push_str(".margin");
                    }
                    gates.push(gate);
                }
            }
        }
        Ok(gates)
    }

    fn gate(
        &self,
        entry: &GateEntry,
        benchmarks: &[(LoadRequest, Vec<String>)],
        settings: &[Setting],
        margins: &BTreeMap<String, f64>,
    ) -> Result<Gate, SpecError> {
        let benchmark = entry.benchmark.get_ref();
        if !benchmarks.iter().any(|(r, _)| r.id == *benchmark) {
            let ids = benchmarks.iter().map(|(r, _)| r.id.as_str()).collect::<Vec<_>>().join(", ");
            let message = format!("there is no benchmark {benchmark:?}");
            return Err(self.wrong(message, entry.benchmark.span(), &format!("this file's benchmarks are {ids}")));
        }
        let metric = entry.metric.as_ref().map(|m| m.get_ref().clone());
        let id = match &entry.id {
            Some(id) => {
                self.name(id, "a gate's id")?;
                id.get_ref().clone()
            }
            None => metric.as_ref().map_or_else(|| benchmark.clone(), |m| format!("{benchmark}.{m}")),
        };
        let margin = match (&entry.margin, margins.get(benchmark)) {
            (Some(m), _) if m.get_ref().is_finite() && *m.get_ref() > 0.0 => *m.get_ref(),
            (Some(m), _) => return Err(self.wrong("a margin must be a positive number", m.span(), "")),
            (None, Some(m)) if metric.is_none() => *m,
            (None, _) => {
                let message = format!("gate `{id}` has no margin");
                let help = "say `margin = …`: how large a change you tolerate, in metric units (0.02 is 2 points)";
                return Err(self.wrong(message, entry.benchmark.span(), help));
            }
        };
        Ok(Gate {
            id,
            benchmark: benchmark.clone(),
            metric,
            models: self.known_models(entry.models.as_deref(), settings)?,
            schemes: self.known_schemes(entry.schemes.as_deref(), settings)?,
            axes: entry.axes.clone(),
            subgroups: entry.subgroups.clone(),
            margin,
            worse: entry.worse,
            inconclusive: entry.inconclusive,
        })
    }

    /// The declared families.
    pub(super) fn families(
        &self,
        file: &AuditFile,
        benchmarks: &[(LoadRequest, Vec<String>)],
        settings: &[Setting],
    ) -> Result<Vec<Family>, SpecError> {
        let mut ids = BTreeSet::new();
        let family = |entry: &FamilyEntry| {
            self.name(&entry.id, "a family's id")?;
            if fixed::ALL.contains(&entry.id.get_ref().as_str()) {
                let message = format!("{:?} is the name of a fixed family", entry.id.get_ref());
                return Err(self.wrong(message, entry.id.span(), "give yours another `id`"));
            }
            if !ids.insert(entry.id.get_ref().clone()) {
                return Err(self.wrong(
                    format!("there are two families {:?}", entry.id.get_ref()),
                    entry.id.span(),
                    "",
                ));
            }
            for benchmark in entry.benchmarks.iter().flatten() {
                if !benchmarks.iter().any(|(r, _)| r.id == *benchmark.get_ref()) {
                    let known = benchmarks.iter().map(|(r, _)| r.id.as_str()).collect::<Vec<_>>().join(", ");
                    let message = format!("there is no benchmark {:?}", benchmark.get_ref());
                    return Err(self.wrong(message, benchmark.span(), &format!("this file's benchmarks are {known}")));
                }
            }
            Ok(Family {
                id: entry.id.get_ref().clone(),
                benchmarks: entry.benchmarks.as_ref().map(|all| all.iter().map(|b| b.get_ref().clone()).collect()),
                metrics: entry.metrics.clone(),
                schemes: self.changed_schemes(entry, settings)?,
                axes: entry.axes.clone(),
                subgroups: entry.subgroups.clone(),
            })
        };
        file.plan.families.iter().map(family).collect()
    }

    /// The schemes of a family: at least one of them is no baseline, or nothing is held against it.
    fn changed_schemes(&self, entry: &FamilyEntry, settings: &[Setting]) -> Result<Option<Vec<String>>, SpecError> {
        let schemes = self.known_schemes(entry.schemes.as_deref(), settings)?;
        let changed =
            |scheme: &String| settings.iter().any(|s| !s.baseline && s.id == Setting::id(&s.model, scheme, false));
        if schemes.as_ref().is_some_and(|all| !all.iter().any(changed)) {
            let span = entry.schemes.iter().flatten().next().map_or(entry.id.span(), Spanned::span);
            let message = format!("the family {:?} names no scheme beside the baseline", entry.id.get_ref());
            return Err(self.wrong(message, span, "name one that is held against it, or leave `schemes` out for all"));
        }
        Ok(schemes)
    }

    fn known_models(
        &self,
        names: Option<&[Spanned<String>]>,
        settings: &[Setting],
    ) -> Result<Option<Vec<String>>, SpecError> {
        let Some(names) = names else { return Ok(None) };
        for name in names {
            if !settings.iter().any(|s| s.model == *name.get_ref()) {
                return Err(self.wrong(format!("there is no model {:?}", name.get_ref()), name.span(), ""));
            }
        }
        Ok(Some(names.iter().map(|n| n.get_ref().clone()).collect()))
    }

    fn known_schemes(
        &self,
        names: Option<&[Spanned<String>]>,
        settings: &[Setting],
    ) -> Result<Option<Vec<String>>, SpecError> {
        names.map(|names| names.iter().map(|n| self.known_scheme(n, settings)).collect()).transpose()
    }

    /// The name of one of the file's settings: a scheme, or a `[[setting]]`'s own.
    pub(super) fn known_scheme(&self, name: &Spanned<String>, settings: &[Setting]) -> Result<String, SpecError> {
        let scheme = QuantScheme::parse(name.get_ref()).map(|s| s.name().to_owned());
        let scheme = scheme.unwrap_or_else(|| name.get_ref().clone());
        if settings.iter().any(|s| s.id == Setting::id(&s.model, &scheme, false)) {
            return Ok(scheme);
        }
        Err(self.wrong("this is neither a scheme in [settings] nor the name of a [[setting]]", name.span(), ""))
    }

    /// The declared waivers; each must name a gate that exists.
    pub(super) fn waivers(
        &self,
        file: &AuditFile,
        benchmarks: &[(LoadRequest, Vec<String>)],
        settings: &[Setting],
        gates: &[Gate],
    ) -> Result<Vec<Waiver>, SpecError> {
        let known: Vec<&str> = if gates.is_empty() {
            benchmarks.iter().map(|(r, _)| r.id.as_str()).collect()
        } else {
            gates.iter().map(|g| g.id.as_str()).collect()
        };
        file.waivers.iter().map(|entry| self.waiver(entry, &known, settings)).collect()
    }

    fn waiver(&self, entry: &WaiverEntry, gates: &[&str], settings: &[Setting]) -> Result<Waiver, SpecError> {
        let gate = entry.gate.get_ref();
        if !gates.contains(&gate.as_str()) {
            let help = format!("this file's gates are {}", gates.join(", "));
            return Err(self.wrong(format!("there is no gate {gate:?}"), entry.gate.span(), &help));
        }
        for (text, what) in [(&entry.reason, "reason"), (&entry.author, "author")] {
            if text.get_ref().trim().is_empty() {
                return Err(self.wrong(format!("a waiver needs a {what}"), text.span(), ""));
            }
        }
        let expires = entry.expires.get_ref();
        let Some(date) = expires.date.filter(|_| expires.time.is_none()) else {
            return Err(self.wrong("a waiver expires on a day", entry.expires.span(), "write it as 2027-01-31"));
        };
        let models = entry.model.as_ref().map(std::slice::from_ref);
        let schemes = entry.scheme.as_ref().map(std::slice::from_ref);
        Ok(Waiver {
            gate: gate.clone(),
            model: self.known_models(models, settings)?.and_then(|m| m.into_iter().next()),
            scheme: self.known_schemes(schemes, settings)?.and_then(|s| s.into_iter().next()),
            subgroup: entry.subgroup.clone(),
            reason: entry.reason.get_ref().trim().to_owned(),
            author: entry.author.get_ref().trim().to_owned(),
            expires: date.to_string(),
        })
    }
}

/// Whether a gate says all that the margin of `[plan.margins]` says: the headline metric, unrestricted, with this margin.
fn stands_for(gate: &Gate, benchmark: &str, margin: f64) -> bool {
    let restricted = [&gate.models, &gate.schemes, &gate.axes, &gate.subgroups].into_iter().any(Option::is_some);
    gate.benchmark == benchmark && gate.metric.is_none() && gate.margin.to_bits() == margin.to_bits() && !restricted
}

/// The gate that a margin of `[plan.margins]` stands for: the headline metric in every subgroup.
fn headline(benchmark: &str, margin: f64) -> Gate {
    Gate {
        id: benchmark.to_owned(),
        benchmark: benchmark.to_owned(),
        metric: None,
        models: None,
        schemes: None,
        axes: None,
        subgroups: None,
        margin,
        worse: None::<Worse>,
        inconclusive: None,
    }
}
