//! A checked spec → everything a run needs: items, hashed model files, schemes as realised, and the run's identity.

use super::error::Failure;
use super::freeze::Frozen;
use super::served::{self, Served};
use crate::benchmark::{self, BenchmarkData};
use crate::engine::load::{LoadSetting, ModelFiles};
use crate::engine::openai::Unusable;
use crate::engine::{Mode, realised};
use crate::records::run_dir::{hash_files, items_sha256};
use crate::records::{
    BenchmarkIdentity, EngineIdentity, Identity, ModelIdentity, RecordsError, Refused, SettingIdentity,
};
use crate::spec::{Checked, ModelSource, Setting};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What is to be run, with the benchmarks loaded.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name of the audit.
    pub name: String,
    /// Settings in order.
    pub settings: Vec<Setting>,
    /// Benchmarks with the models that are asked.
    pub benchmarks: Vec<(Arc<BenchmarkData>, Vec<String>)>,
    /// Longest that one answer is waited for.
    pub item_timeout: Duration,
}

impl Request {
    /// Loads the benchmarks of a checked spec.
    ///
    /// # Errors
    /// [`Failure::Benchmark`].
    pub fn load(checked: &Checked) -> Result<Self, Failure> {
        let benchmarks = checked
            .benchmarks
            .iter()
            .map(|(request, models)| {
                let data =
                    benchmark::load(request).map_err(|source| Failure::Benchmark { id: request.id.clone(), source })?;
                Ok((Arc::new(data), models.clone()))
            })
            .collect::<Result<_, Failure>>()?;
        let item_timeout = checked.runner.item_timeout;
        Ok(Self { name: checked.name.clone(), settings: checked.settings.clone(), benchmarks, item_timeout })
    }
}

/// What one benchmark costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Its name.
    pub benchmark: String,
    /// Items.
    pub items: usize,
    /// Clusters.
    pub clusters: usize,
    /// Settings under which it is asked.
    pub settings: usize,
    /// Model calls over all settings.
    pub requests: usize,
}

/// Everything a run needs.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What the answers depend on.
    pub identity: Identity,
    /// Settings that can run, their models as local directories.
    pub settings: Vec<Setting>,
    /// Settings that this build, device, or model cannot take.
    pub refused: Vec<Refused>,
    /// The frozen plan that the run is begun under, kept beside its records.
    pub frozen: Option<Frozen>,
    /// Benchmarks with the models that are asked.
    pub benchmarks: Vec<(Arc<BenchmarkData>, Vec<String>)>,
    /// What the headers of a setting's server call it, by setting: for the record, not for the identity, because it may be a
    /// proxy.
    pub servers: BTreeMap<String, String>,
}

impl Prepared {
    /// What the run will cost, without what is refused.
    #[must_use]
    pub fn costs(&self) -> Vec<Cost> {
        self.benchmarks
            .iter()
            .map(|(data, models)| {
                let settings = self.settings.iter().filter(|s| models.contains(&s.model)).count();
                let per_setting: usize = data.items.iter().map(|i| i.ask.requests()).sum();
                Cost {
                    benchmark: data.name.clone(),
                    items: data.items.len(),
                    clusters: data.items.iter().map(|i| &i.cluster).collect::<BTreeSet<_>>().len(),
                    settings,
                    requests: per_setting * settings,
                }
            })
            .collect()
    }
}

/// Inspects and hashes the models, works out what each scheme means for them, and makes the identity.
///
/// # Errors
/// [`Failure::Model`] where a model, or the baseline of one, cannot be loaded, or a server does not answer; a scheme that
/// cannot be loaded is refused instead. [`Failure::NothingToAsk`] where no benchmark is left for any setting.
pub fn prepare(request: &Request) -> Result<Prepared, Failure> {
    let models = models(request)?;
    let (mut settings, mut identities, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let mut benchmarks = request.benchmarks.clone();
    let mut servers = BTreeMap::new();
    for setting in &request.settings {
        if let ModelSource::Endpoint(endpoint) = &setting.source {
            match served::ask(setting, endpoint, request.item_timeout, &mut benchmarks) {
                Ok(Served { identity, refused: unasked, software }) => {
                    identities.push(identity);
                    refused.extend(unasked);
                    servers.extend(software.map(|name| (setting.id.clone(), name)));
                    settings.push(setting.clone());
                }
                // Another time it is there: without it this would be another run.
                Err(Unusable::Gone(why)) => {
                    let why = format!("{}: {why}; start the server, or try again when it is back", setting.id);
                    return Err(Failure::Model { id: setting.model.clone(), why });
                }
                Err(why) if setting.baseline => {
                    return Err(Failure::Model { id: setting.model.clone(), why: why.to_string() });
                }
                Err(why) => refused.push(Refused { setting: setting.id.clone(), reason: why.to_string() }),
            }
            continue;
        }
        let Some(files) = &models[&setting.model].0 else { continue };
        let Version { setting, files, own_files, notes } = match version(setting, files) {
            Ok(version) => version,
            Err(reason) => {
                refused.push(Refused { setting: setting.id.clone(), reason });
                continue;
            }
        };
        match realised::realise(&files, &LoadSetting::of(&setting, Mode::Score, 1)) {
            Ok(mut realised) => {
                realised.deviations.extend(notes);
                identities.push(SettingIdentity {
                    id: setting.id.clone(),
                    model: setting.model.clone(),
                    requested: setting.scheme,
                    baseline: setting.baseline,
                    aa: setting.aa,
                    files: own_files,
                    realised,
                });
                settings.push(setting);
            }
            Err(error) if setting.baseline => {
                return Err(Failure::Model { id: setting.model, why: error.to_string() });
            }
            Err(error) => refused.push(Refused { setting: setting.id, reason: error.to_string() }),
        }
    }
    let asked = |(data, models): &(Arc<BenchmarkData>, Vec<String>)| {
        !data.items.is_empty() && settings.iter().any(|s| models.contains(&s.model))
    };
    if !benchmarks.iter().any(asked) {
        return Err(Failure::NothingToAsk { refused });
    }
    let mut order: Vec<&(Option<ModelFiles>, ModelIdentity)> = models.values().collect();
    order.sort_by_key(|(_, m)| request.settings.iter().position(|s| s.model == m.id));
    let identity = Identity {
        name: request.name.clone(),
        quantbias: env!("CARGO_PKG_VERSION").to_owned(),
        engine: engine_identity(&settings),
        models: order.into_iter().map(|(_, identity)| identity.clone()).collect(),
        settings: identities,
        benchmarks: benchmarks.iter().map(|(b, m)| benchmark_identity(b, m)).collect::<Result<_, _>>()?,
    };
    Ok(Prepared { identity, settings, refused, frozen: None, benchmarks, servers })
}

fn models(request: &Request) -> Result<BTreeMap<String, (Option<ModelFiles>, ModelIdentity)>, Failure> {
    let mut models = BTreeMap::new();
    for setting in &request.settings {
        if models.contains_key(&setting.model) {
            continue;
        }
        if let ModelSource::Endpoint(endpoint) = setting.source.model() {
            models.insert(setting.model.clone(), (None, served::model(&setting.model, endpoint)));
            continue;
        }
        let failed = |why: String| Failure::Model { id: setting.model.clone(), why };
        let (directory, source) = locate(setting.source.model()).map_err(&failed)?;
        let files = ModelFiles::inspect(&directory).map_err(|e| failed(e.to_string()))?;
        let identity = ModelIdentity {
            id: setting.model.clone(),
            source,
            architecture: files.architecture().to_owned(),
            parameters: Some(files.tensors.iter().map(crate::engine::safetensors::TensorInfo::elements).sum()),
            files: hash_files(&directory, &files.files)?,
        };
        models.insert(setting.model.clone(), (Some(files), identity));
    }
    Ok(models)
}

/// A setting with its files at a local directory.
struct Version<'a> {
    setting: Setting,
    /// What the engine loads from: the model's directory, or the setting's own checkpoint.
    files: Cow<'a, ModelFiles>,
    /// SHA-256 by name of the files that belong to the setting alone.
    own_files: BTreeMap<String, String>,
    /// What differs beside the weights.
    notes: Vec<String>,
}

fn version<'a>(setting: &Setting, model: &'a ModelFiles) -> Result<Version<'a>, String> {
    let own = own_files(setting)?;
    let at = |directory: &Path| Setting { source: setting.source.at(directory), ..setting.clone() };
    if !matches!(setting.source, ModelSource::Checkpoint { .. }) {
        let (files, notes) = (Cow::Borrowed(model), Vec::new());
        return Ok(Version { setting: at(&model.directory), files, own_files: own, notes });
    }
    let (directory, _) = locate(setting.source.files())?;
    let files = ModelFiles::inspect(&directory).map_err(|e| e.to_string())?;
    files.same_model(model)?;
    let own_files = hash_files(&directory, &files.files).map_err(|e| e.to_string())?;
    let tokenizer = "tokenizer.json";
    let theirs = hash_files(&model.directory, &[tokenizer.to_owned()]).map_err(|e| e.to_string())?;
    let note = "Its tokenizer.json is not the model's: the same text may be other tokens.".to_owned();
    let notes = if own_files.get(tokenizer) == theirs.get(tokenizer) { Vec::new() } else { vec![note] };
    Ok(Version { setting: at(&directory), files: Cow::Owned(files), own_files, notes })
}

/// SHA-256 of the files that belong to a setting alone, by name.
fn own_files(setting: &Setting) -> Result<BTreeMap<String, String>, String> {
    let guide = setting.guide.as_ref().map(|guide| guide.file().to_owned());
    let files = setting.source.own_files().into_iter().chain(guide);
    files
        .map(|path| {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let sha = crate::records::digest::sha256_file(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            Ok((name, sha))
        })
        .collect()
}

/// The local directory of a model, and what to call it in the identity.
pub(super) fn locate(source: &ModelSource) -> Result<(PathBuf, String), String> {
    match source {
        ModelSource::Directory(path) => {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            Ok((path.clone(), name))
        }
        ModelSource::Hub { id, revision } => {
            let name = revision.as_ref().map_or_else(|| id.clone(), |r| format!("{id}@{r}"));
            Ok((hub(id, revision.as_deref())?, name))
        }
        ModelSource::Gguf { model, .. } | ModelSource::Uqff { model, .. } | ModelSource::Adapted { model, .. } => {
            locate(model)
        }
        ModelSource::Checkpoint { checkpoint, .. } => locate(checkpoint),
        ModelSource::Endpoint(endpoint) => Err(format!("{} is served and has no files here", endpoint.model)),
    }
}

#[cfg(feature = "engine")]
fn hub(id: &str, revision: Option<&str>) -> Result<PathBuf, String> {
    crate::engine::hub::resolve(id, revision).map_err(|e| e.to_string())
}

#[cfg(not(feature = "engine"))]
fn hub(id: &str, _revision: Option<&str>) -> Result<PathBuf, String> {
    Err(format!("this build has no engine and cannot fetch {id}"))
}

/// The engines of a run. mistral.rs is that of this build. Vector instructions are left out: they may change low-order bits of answers, and stand in
/// `environment.json`.
fn engine_identity(settings: &[Setting]) -> EngineIdentity {
    let served = |s: &Setting| matches!(s.source, ModelSource::Endpoint(_));
    let (name, features) = match (settings.iter().any(served), settings.iter().all(served)) {
        (true, true) => ("OpenAI-compatible server", vec![]),
        (true, false) => ("mistral.rs and OpenAI-compatible server", vec!["cpu".to_owned()]),
        (false, _) => ("mistral.rs", vec!["cpu".to_owned()]),
    };
    let version = if features.is_empty() { "not stated" } else { "0.8.1" };
    EngineIdentity { name: name.to_owned(), version: version.to_owned(), features }
}

fn benchmark_identity(data: &BenchmarkData, models: &[String]) -> Result<BenchmarkIdentity, Failure> {
    let items_sha256 = items_sha256(data).map_err(|e| {
        Failure::Records(RecordsError::Malformed { path: data.name.clone().into(), what: "items", why: e.to_string() })
    })?;
    Ok(BenchmarkIdentity {
        name: data.name.clone(),
        measure: data.measure,
        models: models.to_vec(),
        items: data.items.len() as u64,
        clusters: data.items.iter().map(|i| &i.cluster).collect::<BTreeSet<_>>().len() as u64,
        items_sha256,
        files: data.files.iter().map(|f| (f.name.clone(), f.sha256.clone())).collect(),
    })
}
