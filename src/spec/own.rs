//! Settings that are more than a scheme's name: files, checkpoints, adapters, servers, guided schemes: `[[setting]]`.

use super::check::{Check, SERVED};
use super::error::SpecError;
use super::file::{AuditFile, EndpointEntry, OwnSetting};
use super::{Endpoint, Guide, ModelSource, QuantScheme, Setting};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Environment variable of the key, unless the audit file names another.
const KEY: &str = "OPENAI_API_KEY";

impl Check {
    /// Checks `endpoint = { … }`.
    pub(super) fn endpoint(&self, entry: &EndpointEntry) -> Result<Endpoint, SpecError> {
        let url = entry.url.get_ref();
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let help = "give the base URL, such as http://host:8000/v1";
            return Err(self.wrong(format!("{url:?} is no URL"), entry.url.span(), help));
        }
        if url.contains('@') {
            let help = "put the key into an environment variable and name that as `key_env`";
            return Err(self.wrong("a URL with a user or key in it would be written down", entry.url.span(), help));
        }
        if let Some(bits) = &entry.bits_per_weight
            && !(*bits.get_ref() > 0.0 && *bits.get_ref() <= 64.0)
        {
            return Err(self.wrong(
                "bits per weight must lie between 0 and 64",
                bits.span(),
                "leave it out if unknown",
            ));
        }
        Ok(Endpoint {
            url: url.clone(),
            model: entry.model.clone(),
            key_env: entry.key_env.clone().unwrap_or_else(|| KEY.to_owned()),
            bits_per_weight: entry.bits_per_weight.as_ref().map(|bits| *bits.get_ref()),
            weights: entry.weights.clone(),
            activations: entry.activations.clone(),
        })
    }

    /// Checks every `[[setting]]`; `schemes` are those of `[settings]`, whose names are taken.
    pub(super) fn own_settings(
        &self,
        file: &AuditFile,
        models: &BTreeMap<String, (usize, ModelSource)>,
        schemes: &BTreeSet<QuantScheme>,
    ) -> Result<Vec<Setting>, SpecError> {
        let mut settings: Vec<Setting> = Vec::new();
        for entry in &file.own_settings {
            self.name(&entry.name, "a setting's name")?;
            let model = match &entry.model {
                Some(name) if models.contains_key(name.get_ref()) => name.get_ref().clone(),
                Some(name) => {
                    return Err(self.wrong(format!("there is no model {:?}", name.get_ref()), name.span(), ""));
                }
                None if models.len() == 1 => models.keys().next().cloned().unwrap_or_default(),
                None => return Err(self.wrong("say of which `model` this is a version", entry.name.span(), "")),
            };
            let id = Setting::id(&model, entry.name.get_ref(), false);
            let taken = QuantScheme::parse(entry.name.get_ref()).is_some_and(|s| schemes.contains(&s));
            if taken || settings.iter().any(|s| s.id == id) || entry.name.get_ref() == SERVED {
                return Err(self.wrong("this name is taken", entry.name.span(), ""));
            }
            let (source, scheme, guide) = self.own(entry, &models[&model].1)?;
            let served = matches!(source, ModelSource::Endpoint(_));
            settings.push(Setting {
                id,
                model,
                source,
                scheme,
                guide,
                dtype: entry.dtype.unwrap_or(file.settings.dtype),
                device: if served { "server" } else { "cpu" }.to_owned(),
                baseline: false,
                aa: false,
            });
        }
        Ok(settings)
    }

    /// Source, scheme, and guide of one `[[setting]]`, which comes from one place.
    fn own(
        &self,
        entry: &OwnSetting,
        model: &ModelSource,
    ) -> Result<(ModelSource, QuantScheme, Option<Guide>), SpecError> {
        let wrong = |what: &str| Err(self.wrong(what, entry.name.span(), ""));
        let boxed = || Box::new(model.clone());
        let guide = self.guide(entry)?;
        let mut sources = Vec::new();
        if let Some(endpoint) = &entry.endpoint {
            sources.push(ModelSource::Endpoint(self.endpoint(endpoint)?));
        }
        if let Some(path) = &entry.gguf {
            sources.push(ModelSource::Gguf { file: self.base.join(path), model: boxed() });
        }
        if let Some(path) = &entry.uqff {
            sources.push(ModelSource::Uqff { file: self.base.join(path), model: boxed() });
        }
        if let Some(path) = &entry.path {
            let checkpoint = Box::new(ModelSource::Directory(self.base.join(path)));
            sources.push(ModelSource::Checkpoint { checkpoint, model: boxed() });
        }
        if let Some(id) = &entry.hub {
            let checkpoint = Box::new(ModelSource::Hub { id: id.clone(), revision: entry.revision.clone() });
            sources.push(ModelSource::Checkpoint { checkpoint, model: boxed() });
        }
        if let Some(path) = &entry.adapter {
            sources.push(ModelSource::Adapted { adapter: self.base.join(path), model: boxed() });
        }
        if sources.len() > 1 {
            return wrong("`endpoint`, `gguf`, `uqff`, `path`, `hub`, and `adapter` exclude each other");
        }
        let source = sources.pop();
        if matches!(model, ModelSource::Endpoint(_)) && !matches!(source, Some(ModelSource::Endpoint(_))) {
            return wrong("the model is served: this setting needs a model with `path` or `hub`");
        }
        let schemed = entry.scheme.is_some() || guide.is_some();
        match source {
            Some(ModelSource::Endpoint(_)) if schemed || entry.dtype.is_some() => {
                wrong("what a server has takes no `scheme`, file, or `dtype` from here")
            }
            Some(source @ ModelSource::Adapted { .. }) => Ok((source, self.scheme_or_none(entry)?, guide)),
            Some(_) if schemed => wrong("what is quantized already takes no `scheme`, and no file that guides one"),
            Some(source) => Ok((source, QuantScheme::Given, None)),
            None if guide.is_some() || entry.dtype.is_some() => Ok((model.clone(), self.scheme_or_none(entry)?, guide)),
            None => wrong(
                "a [[setting]] needs `endpoint`, `gguf`, `uqff`, `path`, `hub`, `adapter`, a `dtype` of its own, or a \
                 `topology`, `imatrix`, or `calibration`; a scheme alone belongs into [settings]",
            ),
        }
    }

    fn scheme_or_none(&self, entry: &OwnSetting) -> Result<QuantScheme, SpecError> {
        entry.scheme.as_ref().map_or(Ok(QuantScheme::None), |name| self.scheme(name))
    }

    /// The file that guides a scheme.
    fn guide(&self, entry: &OwnSetting) -> Result<Option<Guide>, SpecError> {
        let at = |path: &PathBuf| self.base.join(path);
        let guides = [
            entry.imatrix.as_ref().map(|path| Guide::Imatrix(at(path))),
            entry.calibration.as_ref().map(|path| Guide::Calibration(at(path))),
            entry.topology.as_ref().map(|path| Guide::Topology(at(path))),
        ];
        let mut guides: Vec<Guide> = guides.into_iter().flatten().collect();
        let guide = guides.pop();
        let wrong = |what: &str| Err(self.wrong(what, entry.name.span(), ""));
        match (&guide, guides.is_empty()) {
            (_, false) => wrong("`imatrix`, `calibration`, and `topology` exclude each other"),
            (Some(Guide::Imatrix(_) | Guide::Calibration(_)), true) if entry.scheme.is_none() => {
                wrong("`imatrix` and `calibration` guide a scheme: say which `scheme`")
            }
            (_, true) => Ok(guide),
        }
    }
}
