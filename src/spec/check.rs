//! `Spec` → [`Checked`]: everything that can be known without touching models or data is checked here, once.

use super::error::{SpecError, Text};
use super::file::{AuditFile, BenchmarkEntry, ModelEntry, ScoringEntry};
use super::plan::{Plan, Preset, SchemeContrast, Waiver};
use super::scoring::{JudgeChoice, Scoring};
use super::{ModelSource, Part, QuantScheme, Setting};
use crate::benchmark::{BENCHMARKS, CUSTOM, LoadRequest, cache};
use crate::findings::OnInconclusive;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;

/// A spec that has been checked. Nobody downstream validates again.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Name of the audit.
    pub name: String,
    /// Folder for runs, findings, and reports.
    pub output: PathBuf,
    /// Settings: for each model its baseline, the A/A repeat, then the schemes in order.
    pub settings: Vec<Setting>,
    /// Benchmarks with the models that are asked.
    pub benchmarks: Vec<(LoadRequest, Vec<String>)>,
    /// How to analyse.
    pub plan: Plan,
    /// Exceptions from gates; not part of the plan, which is fixed before answers are seen.
    pub waivers: Vec<Waiver>,
    /// How to run.
    pub runner: RunnerOptions,
    /// Models that score continuations.
    pub scoring: Scoring,
}

/// How to run; nothing here changes an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct RunnerOptions {
    /// Worker processes; one per core if absent.
    pub workers: Option<usize>,
    /// Memory that all workers together may take, MiB.
    pub memory_mib: Option<u64>,
    /// After this the worker of an item is killed.
    pub item_timeout: Duration,
    /// After this a loading worker is killed.
    pub load_timeout: Duration,
    /// Share of failed items that a run tolerates, 0..=1.
    pub max_failed: f64,
    /// Only this part of the run.
    pub part: Option<Part>,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            workers: None,
            memory_mib: None,
            item_timeout: Duration::from_secs(300),
            load_timeout: Duration::from_secs(1800),
            max_failed: 0.01,
            part: None,
        }
    }
}

/// Reads and checks an audit file. Relative paths in it are relative to its folder.
///
/// # Errors
/// [`SpecError`], with the place in the file.
pub fn load(path: &Path) -> Result<Checked, SpecError> {
    load_with(path, None)
}

/// Reads and checks an audit file, with another preset than it says.
///
/// # Errors
/// [`SpecError`], with the place in the file.
pub fn load_with(path: &Path, preset: Option<Preset>) -> Result<Checked, SpecError> {
    let text = fs_err::read_to_string(path).map_err(SpecError::Read)?;
    check_text(path, &text, preset)
}

/// Checks the text of an audit file; `path` names it in messages and anchors relative paths.
///
/// # Errors
/// [`SpecError::Wrong`].
pub fn parse(path: &Path, text: &str) -> Result<Checked, SpecError> {
    check_text(path, text, None)
}

fn check_text(path: &Path, text: &str, preset: Option<Preset>) -> Result<Checked, SpecError> {
    let source = Text::new(path, text);
    let mut file: AuditFile = toml::from_str(text).map_err(|e| source.wrong(e.message().to_owned(), e.span(), None))?;
    file.plan.preset = preset.or(file.plan.preset);
    let base = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
    Check { source, base }.file(&file)
}

/// Name of a served model's baseline setting.
pub(super) const SERVED: &str = "served";

pub(super) struct Check {
    pub(super) source: Text,
    pub(super) base: PathBuf,
}

impl Check {
    fn file(&self, file: &AuditFile) -> Result<Checked, SpecError> {
        self.name(&file.name, "the audit's name")?;
        let models = self.models(&file.models)?;
        let settings = self.settings(file, &models)?;
        let preset = file.plan.preset.unwrap_or(Preset::Standard);
        let seed = file.plan.seed.unwrap_or(preset.plan().seed);
        let benchmarks = self.benchmarks(&file.benchmarks, &models, preset, seed)?;
        let plan = self.plan(file, &benchmarks, &settings)?;
        let waivers = self.waivers(file, &benchmarks, &settings, &plan.gates)?;
        Ok(Checked {
            name: file.name.get_ref().clone(),
            output: self.base.join(file.output.as_deref().unwrap_or_else(|| Path::new("quantbias-out"))),
            settings,
            benchmarks,
            plan,
            waivers,
            runner: self.runner(file)?,
            scoring: self.scoring(&file.scoring)?,
        })
    }

    pub(super) fn wrong(&self, message: impl Into<String>, span: Range<usize>, help: &str) -> SpecError {
        self.source.wrong(message, Some(span), (!help.is_empty()).then(|| help.to_owned()))
    }

    pub(super) fn name(&self, name: &Spanned<String>, what: &str) -> Result<(), SpecError> {
        let text = name.get_ref();
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        if !text.is_empty() && text.len() <= 64 && text.chars().all(fine) && !text.starts_with('.') {
            return Ok(());
        }
        Err(self.wrong(
            format!("{what} cannot be {text:?}"),
            name.span(),
            "use 1 to 64 lower-case letters, digits, `-`, `_`, `.`; it names files",
        ))
    }

    fn models(&self, entries: &[ModelEntry]) -> Result<BTreeMap<String, (usize, ModelSource)>, SpecError> {
        if entries.is_empty() {
            return Err(self.source.wrong("there is no [[model]]", None, None));
        }
        let mut models = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            self.name(&entry.id, "a model's id")?;
            let source = match (&entry.path, &entry.hub, &entry.endpoint) {
                (Some(path), None, None) => ModelSource::Directory(self.base.join(path)),
                (None, Some(id), None) => ModelSource::Hub { id: id.clone(), revision: entry.revision.clone() },
                (None, None, Some(endpoint)) => ModelSource::Endpoint(self.endpoint(endpoint)?),
                _ => {
                    let message =
                        format!("model `{}` needs `path`, `hub`, or `endpoint`, one of them", entry.id.get_ref());
                    return Err(self.wrong(message, entry.id.span(), ""));
                }
            };
            if models.insert(entry.id.get_ref().clone(), (at, source)).is_some() {
                return Err(self.wrong("this model id is used twice", entry.id.span(), ""));
            }
        }
        Ok(models)
    }

    pub(super) fn scheme(&self, name: &Spanned<String>) -> Result<QuantScheme, SpecError> {
        QuantScheme::parse(name.get_ref()).ok_or_else(|| {
            let known = QuantScheme::ALL.iter().map(|s| s.name()).collect::<Vec<_>>().join(", ");
            let message = format!("there is no scheme {:?}", name.get_ref());
            self.wrong(message, name.span(), &format!("schemes are {known}"))
        })
    }

    fn settings(
        &self,
        file: &AuditFile,
        models: &BTreeMap<String, (usize, ModelSource)>,
    ) -> Result<Vec<Setting>, SpecError> {
        let entry = &file.settings;
        let baseline = entry.baseline.as_ref().map_or(Ok(QuantScheme::None), |name| self.scheme(name))?;
        if let Some(device) = &entry.device
            && device.get_ref() != "cpu"
        {
            let message = format!("this build has no device {:?}", device.get_ref());
            let help = "the engine was built for `cpu`, without mistral.rs' cargo features `cuda` and `metal`; what runs \
                        on such a device can be served there and named as `endpoint`";
            return Err(self.wrong(message, device.span(), help));
        }
        let mut schemes = vec![];
        let mut seen = BTreeSet::from([baseline]);
        for name in &entry.schemes {
            let scheme = self.scheme(name)?;
            if seen.insert(scheme) {
                schemes.push(scheme);
            } else if scheme != baseline {
                return Err(self.wrong("this scheme is listed twice", name.span(), ""));
            }
        }
        let own = self.own_settings(file, models, &seen)?;
        let mut ordered: Vec<_> = models.iter().map(|(id, (at, source))| (*at, id, source)).collect();
        ordered.sort_by_key(|(at, ..)| *at);
        let mut settings = Vec::new();
        for (_, id, source) in ordered {
            // What a server has cannot be quantized from here.
            let served = matches!(source, ModelSource::Endpoint(_));
            let first = if served { (QuantScheme::Given, SERVED) } else { (baseline, baseline.name()) };
            let schemes = schemes.iter().filter(|_| !served).map(|s| (*s, s.name()));
            for (number, (scheme, name)) in std::iter::once(first).chain(schemes).enumerate() {
                let baseline = number == 0;
                for aa in [false, true].into_iter().filter(|aa| !aa || (baseline && entry.aa)) {
                    settings.push(Setting {
                        id: Setting::id(id, name, aa),
                        model: id.clone(),
                        source: source.clone(),
                        scheme,
                        guide: None,
                        dtype: entry.dtype,
                        device: "cpu".to_owned(),
                        baseline: baseline && !aa,
                        aa,
                    });
                }
            }
            settings.extend(own.iter().filter(|s| s.model == *id).cloned());
        }
        Ok(settings)
    }

    fn known_kind(&self, kind: &Spanned<String>) -> Result<(), SpecError> {
        let known: Vec<_> = BENCHMARKS.iter().map(|e| e.name).chain([CUSTOM]).collect();
        if known.contains(&kind.get_ref().as_str()) {
            return Ok(());
        }
        let message = format!("there is no benchmark type {:?}", kind.get_ref());
        Err(self.wrong(message, kind.span(), &format!("types are {}", known.join(", "))))
    }

    fn benchmarks(
        &self,
        entries: &[BenchmarkEntry],
        models: &BTreeMap<String, (usize, ModelSource)>,
        preset: Preset,
        seed: u64,
    ) -> Result<Vec<(LoadRequest, Vec<String>)>, SpecError> {
        if entries.is_empty() {
            return Err(self.source.wrong("there is no [[benchmark]]", None, None));
        }
        let mut seen = BTreeSet::new();
        entries
            .iter()
            .map(|entry| {
                self.known_kind(&entry.kind)?;
                let id = entry.id.as_ref().unwrap_or(&entry.kind);
                self.name(id, "a benchmark's id")?;
                if !seen.insert(id.get_ref().clone()) {
                    return Err(self.wrong("this benchmark id is used twice", id.span(), "give each an `id`"));
                }
                let asked = match &entry.models {
                    None => {
                        let mut all: Vec<_> = models.iter().map(|(id, (at, _))| (*at, id.clone())).collect();
                        all.sort();
                        all.into_iter().map(|(_, id)| id).collect()
                    }
                    Some(names) => names
                        .iter()
                        .map(|n| {
                            models
                                .contains_key(n.get_ref())
                                .then(|| n.get_ref().clone())
                                .ok_or_else(|| self.wrong(format!("there is no model {:?}", n.get_ref()), n.span(), ""))
                        })
                        .collect::<Result<_, _>>()?,
                };
                let folder = match (&entry.path, cache::folder()) {
                    (Some(path), _) => self.base.join(path),
                    (None, Some(cache)) if entry.kind.get_ref() != CUSTOM => {
                        cache::data_folder(&cache, entry.kind.get_ref())
                    }
                    (None, _) => return Err(self.wrong("this benchmark has no `path`", entry.kind.span(), "")),
                };
                let mut options = preset.options(entry.kind.get_ref(), &entry.options);
                options.mapping = options.mapping.map(|file| self.base.join(file));
                options.seed = options.seed.or(Some(seed));
                let request =
                    LoadRequest { name: entry.kind.get_ref().clone(), id: id.get_ref().clone(), folder, options };
                Ok((request, asked))
            })
            .collect()
    }

    fn plan(
        &self,
        file: &AuditFile,
        benchmarks: &[(LoadRequest, Vec<String>)],
        settings: &[Setting],
    ) -> Result<Plan, SpecError> {
        let entry = &file.plan;
        let usual = entry.preset.unwrap_or(Preset::Standard).plan();
        let share = |v: &Option<Spanned<f64>>, usual: f64, what: &str| match v {
            Some(x) if !(0.5..1.0).contains(x.get_ref()) || *x.get_ref() == 0.5 => {
                Err(self.wrong(format!("{what} must lie between 0.5 and 1"), x.span(), ""))
            }
            Some(x) => Ok(*x.get_ref()),
            None => Ok(usual),
        };
        let count = |v: &Option<Spanned<u32>>, usual: u32, least: u32, what: &str| match v {
            Some(x) if *x.get_ref() < least || *x.get_ref() > 10_000_000 => {
                Err(self.wrong(format!("{what} must lie between {least} and 10000000"), x.span(), ""))
            }
            Some(x) => Ok(*x.get_ref()),
            None => Ok(usual),
        };
        let mut margins = BTreeMap::new();
        for (benchmark, margin) in &entry.margins {
            if !benchmarks.iter().any(|(r, _)| r.id == *benchmark) {
                let ids = benchmarks.iter().map(|(r, _)| r.id.as_str()).collect::<Vec<_>>().join(", ");
                let message = format!("there is no benchmark {benchmark:?}");
                return Err(self.wrong(message, margin.span(), &format!("this file's benchmarks are {ids}")));
            }
            if !(margin.get_ref().is_finite() && *margin.get_ref() > 0.0) {
                return Err(self.wrong("a margin must be a positive number", margin.span(), ""));
            }
            margins.insert(benchmark.clone(), *margin.get_ref());
        }
        let contrasts = entry
            .contrasts
            .iter()
            .map(|c| {
                Ok(SchemeContrast {
                    scheme: self.known_scheme(&c.scheme, settings)?,
                    against: self.known_scheme(&c.against, settings)?,
                })
            })
            .collect::<Result<_, SpecError>>()?;
        Ok(Plan {
            level: share(&entry.level, usual.level, "the level")?,
            gate_level: share(&entry.gate_level, usual.gate_level, "the gate's level")?,
            replicates: count(&entry.replicates, usual.replicates, 1000, "replicates")?,
            draws: count(&entry.draws, usual.draws, 999, "draws")?,
            seed: entry.seed.unwrap_or(usual.seed),
            power: share(&entry.power, usual.power, "the power")?,
            gates: self.gates(file, benchmarks, settings, &margins)?,
            margins,
            contrasts,
            inconclusive: if entry.inconclusive_fails { OnInconclusive::Fail } else { OnInconclusive::Warn },
            paper: entry.paper.unwrap_or(usual.paper),
            parser: entry.parser,
            // In one order and once each, so that the order of words changes no hash.
            intervals: entry.intervals.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
            adjustments: entry.adjustments.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
            families: self.families(file, benchmarks, settings)?,
        })
    }

    fn scoring(&self, entry: &ScoringEntry) -> Result<Scoring, SpecError> {
        let source =
            |path: &Option<PathBuf>, hub: &Option<String>, revision: &Option<String>, span: Range<usize>| match (
                path, hub,
            ) {
                (Some(path), None) => Ok(ModelSource::Directory(self.base.join(path))),
                (None, Some(id)) => Ok(ModelSource::Hub { id: id.clone(), revision: revision.clone() }),
                _ => Err(self.wrong("a scoring model needs either `path` or `hub`, one of them", span, "")),
            };
        let toxicity = entry.toxicity.as_ref().map(|t| {
            let model = t.get_ref();
            source(&model.path, &model.hub, &model.revision, t.span())
        });
        let judge = entry.judge.as_ref().map(|j| {
            let model = j.get_ref();
            let read = |path: &Spanned<PathBuf>| {
                fs_err::read_to_string(self.base.join(path.get_ref()))
                    .map_err(|e| self.wrong(format!("the judge's prompt cannot be read: {e}"), path.span(), ""))
            };
            Ok::<_, SpecError>(JudgeChoice {
                source: source(&model.path, &model.hub, &model.revision, j.span())?,
                prompt: model.prompt.as_ref().map(read).transpose()?,
                chat: model.chat,
                max_tokens: model.max_tokens.unwrap_or(16).max(1),
            })
        });
        Ok(Scoring { toxicity: toxicity.transpose()?, judge: judge.transpose()? })
    }

    fn runner(&self, file: &AuditFile) -> Result<RunnerOptions, SpecError> {
        let entry = &file.runner;
        let usual = RunnerOptions::default();
        let seconds = |v: &Option<Spanned<u64>>, usual: Duration| match v {
            Some(s) if *s.get_ref() == 0 => Err(self.wrong("a timeout must be at least 1 second", s.span(), "")),
            Some(s) => Ok(Duration::from_secs(*s.get_ref())),
            None => Ok(usual),
        };
        let workers = match &entry.workers {
            Some(w) if *w.get_ref() == 0 || *w.get_ref() > 1024 => {
                return Err(self.wrong("workers must lie between 1 and 1024", w.span(), ""));
            }
            w => w.as_ref().map(|w| *w.get_ref() as usize),
        };
        let max_failed = match &entry.max_failed {
            Some(x) if !(0.0..=1.0).contains(x.get_ref()) => {
                return Err(self.wrong("max_failed is a share between 0 and 1", x.span(), ""));
            }
            x => x.as_ref().map_or(usual.max_failed, |x| *x.get_ref()),
        };
        Ok(RunnerOptions {
            workers,
            memory_mib: entry.memory_mib,
            item_timeout: seconds(&entry.item_timeout_s, usual.item_timeout)?,
            load_timeout: seconds(&entry.load_timeout_s, usual.load_timeout)?,
            max_failed,
            part: None,
        })
    }
}
