//! What the findings say of a table: where models and schemes are not known, they are not made up.

use super::add::Added;
use super::sums::Tabled;
use super::{About, Map};
use crate::findings::{Audit, BenchmarkInfo, Caveat, ModelInfo, SettingInfo};
use crate::fixity::sha256_hex;
use std::collections::BTreeMap;

/// The table as the subject of an audit. `files`: name and SHA-256.
pub(super) fn describe(
    added: Added,
    about: &About,
    map: Option<&Map>,
    files: Vec<(String, String)>,
    streamed: bool,
) -> Tabled {
    let Added { sums, metrics, items, clusters, caveats: of_data } = added;
    let files: BTreeMap<String, String> = files.into_iter().collect();
    let listed: Vec<String> = files.iter().map(|(name, sha256)| format!("{name} {sha256}")).collect();
    // Which columns are clusters and subgroups is part of what was asked.
    let map = map.map_or_else(String::new, |map| format!("\n{map:?}"));
    let identity = sha256_hex(format!("{}\n{}{map}", about.name, listed.join("\n")).as_bytes());
    let settings = sums.settings.iter().enumerate().map(|(i, id)| SettingInfo {
        id: id.clone(),
        model: about.name.clone(),
        requested: id.clone(),
        label: id.clone(),
        scheme_family: "none".to_owned(),
        own: false,
        bits_per_weight: None,
        bits_per_weight_model: None,
        activations: "not stated".to_owned(),
        activations_quantized: false,
        device: "not stated".to_owned(),
        dtype: "not stated".to_owned(),
        baseline: i == 0,
        aa: false,
        deviations: Vec::new(),
    });
    let audit = Audit {
        name: about.name.clone(),
        run_id: identity[..12].to_owned(),
        records_sha256: sha256_hex(listed.join("\n").as_bytes()),
        identity_sha256: identity,
        engine: "not stated (results came as a table)".to_owned(),
        models: vec![ModelInfo {
            id: about.name.clone(),
            source: "a table".to_owned(),
            architecture: "not stated".to_owned(),
            parameters: None,
            files: BTreeMap::new(),
        }],
        settings: settings.collect(),
        refused: Vec::new(),
        benchmarks: vec![BenchmarkInfo {
            name: about.name.clone(),
            title: about.name.clone(),
            items,
            clusters,
            cluster_unit: "cluster".to_owned(),
            licence: "not stated".to_owned(),
            citation: "not stated".to_owned(),
            files,
            headline: sums.lead.headline.clone(),
            models: vec![about.name.clone()],
        }],
    };
    let caveat = |about: &str, text: &str| Caveat { about: about.to_owned(), subject: None, text: text.to_owned() };
    let mut caveats = vec![caveat(
        "data",
        "The numbers came as a table: how answers were got and scored, and whether settings are what their names say, was \
         not seen.",
    )];
    if streamed {
        caveats.push(caveat(
            "data",
            "The table was added up while it was read: that every cluster has the same items under every setting was checked \
             by their number and by sums of hashes of their ids; flips and design effects, which need single items, are \
             absent.",
        ));
    }
    caveats.extend(of_data);
    Tabled { name: about.name.clone(), audit, metrics, sums: vec![sums], caveats }
}
