//! Settings behind a server: what it can do is found out before anything is asked of it in earnest.

use crate::benchmark::BenchmarkData;
use crate::engine::openai::{self, Patience, Unusable};
use crate::records::{ModelIdentity, Refused, SettingIdentity};
use crate::spec::{Endpoint, Setting};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A server that is not there is said at once, not after the patience of a run; no call lasts longer than an item may.
fn at_start(item_timeout: Duration) -> Patience {
    let seconds = |n| Duration::from_secs(n).min(item_timeout);
    Patience { call: seconds(60), total: seconds(20), tries: 4 }
}

/// A setting that can run.
pub(super) struct Served {
    pub(super) identity: SettingIdentity,
    /// What the server cannot be asked.
    pub(super) refused: Vec<Refused>,
    /// What its headers call it.
    pub(super) software: Option<String>,
}

/// Probes the server, and takes the model off the benchmarks that it cannot answer.
///
/// # Errors
/// [`Unusable`] in words: unreachable, refused, or without the model.
pub(super) fn ask(
    setting: &Setting,
    endpoint: &Endpoint,
    item_timeout: Duration,
    benchmarks: &mut [(Arc<BenchmarkData>, Vec<String>)],
) -> Result<Served, Unusable> {
    let abilities = openai::abilities(endpoint, at_start(item_timeout))?;
    let mut realised = openai::realised(endpoint, &abilities);
    realised.deviations.extend(said(&realised.server));
    realised.deviations.extend(abilities.missing());
    let mut refused = Vec::new();
    for (data, models) in benchmarks.iter_mut().filter(|(_, models)| models.contains(&setting.model)) {
        let unable = data.items.iter().find_map(|item| openai::can_answer(&abilities, &item.ask).err());
        if let Some(why) = unable {
            models.retain(|m| *m != setting.model);
            let reason = format!("benchmark {} is not asked of model {}: {why}", data.name, setting.model);
            refused.push(Refused { setting: setting.id.clone(), reason });
        }
    }
    let identity = SettingIdentity {
        id: setting.id.clone(),
        model: setting.model.clone(),
        requested: setting.scheme,
        baseline: setting.baseline,
        aa: setting.aa,
        files: BTreeMap::new(),
        realised,
    };
    Ok(Served { identity, refused, software: abilities.software })
}

/// What the server says of itself, as a sentence.
fn said(server: &BTreeMap<String, String>) -> Option<String> {
    let facts: Vec<String> = server.iter().map(|(key, value)| format!("{key} {value:?}")).collect();
    (!facts.is_empty()).then(|| format!("the server says of itself and of the model: {}", facts.join(", ")))
}

/// A model that has no files here.
pub(super) fn model(id: &str, endpoint: &Endpoint) -> ModelIdentity {
    ModelIdentity {
        id: id.to_owned(),
        source: format!("served as {}", endpoint.model),
        architecture: "not stated by the server".to_owned(),
        parameters: None,
        files: BTreeMap::new(),
    }
}
