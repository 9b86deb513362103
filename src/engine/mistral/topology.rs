//! Topology files of mistral.rs: read with its parser, given to it by the names of tensors.
//!
//! mistral.rs 0.8.1 applies layer ranges by their place among the layers that the file names, so that a range which
//! does not start at 0 lands on other layers, and quantizes a second time where a scheme is given beside them. So each
//! tensor's scheme is worked out here and handed over as a pattern of exact names, which it applies while loading.

use super::start::isq;
use crate::engine::family::{self, TIED_HEAD, Topology};
use crate::engine::load::{LoadError, ModelFiles};
use crate::spec::QuantScheme;
use mistralrs::{IsqType, LayerTopology};
use regex::Regex;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads a topology file.
///
/// # Errors
/// [`LoadError::Config`]: not readable, no topology, a bare number of bits, a device, or an entry without a scheme.
pub(in crate::engine) fn read(path: &Path) -> Result<Topology, LoadError> {
    let wrong = |why: String| LoadError::Config { path: path.to_owned(), why };
    let text = std::fs::read_to_string(path).map_err(|e| wrong(format!("cannot be read: {}", e.kind())))?;
    let values = |key: &str| {
        text.lines().filter_map(|l| l.trim().strip_prefix(key)).map(|v| v.trim().trim_matches(['"', '\'']).to_owned()).collect::<Vec<_>>()
    };
    if let Some(bits) = values("isq:").iter().find(|v| v.chars().all(|c| c.is_ascii_digit())) {
        return Err(wrong(format!("`isq: {bits}` means another scheme on each device; name one, such as Q4K")));
    }
    if let Some(device) = values("device:").first() {
        return Err(wrong(format!("`device: {device}`: layers are not divided among devices here; leave it out")));
    }
    let theirs = mistralrs::Topology::from_str(&text).map_err(|e| wrong(format!("is no topology ({e:#})")))?;
    let scheme = |layer: LayerTopology| {
        layer.isq.and_then(scheme_of).ok_or_else(|| wrong("an entry names no scheme: give it `isq: …`".to_owned()))
    };
    let layers = theirs.layers.into_iter().map(|l| l.map(scheme).transpose()).collect::<Result<_, _>>()?;
    let patterns = theirs.patterns.into_iter().map(|(p, l)| Ok((p, scheme(l)?))).collect::<Result<_, LoadError>>()?;
    Ok(Topology { layers, patterns })
}

/// Our name of a scheme of theirs.
fn scheme_of(theirs: IsqType) -> Option<QuantScheme> {
    QuantScheme::ALL.iter().copied().find(|s| isq(*s) == Some(theirs))
}

/// The same for mistral.rs: one pattern of exact names for each scheme.
pub(super) fn by_name(topology: &Topology, files: &ModelFiles) -> Result<mistralrs::Topology, String> {
    let mut names: BTreeMap<QuantScheme, Vec<String>> = BTreeMap::new();
    for tensor in family::divide(files, family::Pass::Loading).linear.iter().filter(|t| t.name != TIED_HEAD) {
        if let Some(scheme) = topology.scheme(&tensor.name) {
            names.entry(scheme).or_default().push(regex::escape(&tensor.name));
        }
    }
    let mut theirs = mistralrs::Topology::empty();
    for (scheme, names) in names {
        let pattern = Regex::new(&format!("^(?:{})$", names.join("|"))).map_err(|e| e.to_string())?;
        theirs.patterns.push((pattern, LayerTopology { isq: isq(scheme), device: None }));
    }
    Ok(theirs)
}
