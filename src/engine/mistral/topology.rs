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
        text.lines()
            .filter_map(|l| l.trim().strip_prefix(key))
            .map(|v| v.trim().trim_matches(['"', '\'']).to_owned())
            .collect::<Vec<_>>()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Mode;
    use crate::engine::format::Format;
    use crate::engine::load::LoadSetting;
    use crate::engine::realised::realise;
    use crate::spec::setting::{Dtype, Guide, ModelSource};
    use std::path::PathBuf;

    fn base() -> ModelFiles {
        ModelFiles::inspect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models/base")).unwrap()
    }

    /// What mistral.rs holds: bytes of every linear layer in its own order (the head, then seven for each layer), as
    /// it writes them to a UQFF file.
    fn held(topology: mistralrs::Topology, scheme: QuantScheme) -> Vec<u64> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.uqff");
        let mut builder = mistralrs::TextModelBuilder::new(base().directory.display())
            .with_dtype(mistralrs::ModelDType::F32)
            .with_force_cpu()
            .with_topology(topology)
            .write_uqff(path);
        if let Some(isq) = isq(scheme) {
            builder = builder.with_isq(isq);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        drop(runtime.block_on(builder.build()).unwrap());
        let header = crate::engine::safetensors::read_header(&folder.path().join("model-0.uqff")).unwrap();
        let mut layers: Vec<(usize, u64)> = header.iter().map(|t| (t.name.parse().unwrap(), t.elements())).collect();
        layers.sort_unstable();
        layers.into_iter().map(|(_, bytes)| bytes).collect()
    }

    fn topology(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("topology.yml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn the_engine_holds_what_a_topology_asks_for_and_what_was_realised() {
        let text = "2-4:\n  isq: Q2K\n'/mlp\\.down_proj/':\n  isq: HQQ8\n";
        let (_folder, path) = topology(text);
        for scheme in [QuantScheme::None, QuantScheme::Q8_0] {
            let source = ModelSource::Directory(base().directory);
            let (guide, device) = (Some(Guide::Topology(path.clone())), "cpu".to_owned());
            let (dtype, mode) = (Dtype::F32, Mode::Score);
            let setting = LoadSetting { source, scheme, guide, dtype, device, mode, threads: 1 };
            let realised = realise(&base(), &setting).unwrap();
            let layers = held(by_name(&read(&path).unwrap(), &base()).unwrap(), scheme);
            assert_eq!(layers.len(), 29);
            let rest = Format::requested(scheme, Dtype::F32);
            let mut by_format = std::collections::BTreeMap::new();
            for (number, bytes) in layers.into_iter().enumerate() {
                // q, k, v, o, gate, up, down of layer 0 are 1 to 7.
                let (layer, part) = (number.wrapping_sub(1) / 7, number.wrapping_sub(1) % 7);
                let down = number > 0 && part == 6;
                let format = match (number, down, layer) {
                    (0, ..) => rest,
                    (_, true, _) => Format::Hqq8,
                    (_, _, 2 | 3) => Format::Q2K,
                    _ => rest,
                };
                let (rows, columns) = match (number, part) {
                    (0, _) => (4096, 256),
                    (_, 0 | 3) => (256, 256),
                    (_, 1 | 2) => (128, 256),
                    (_, 4 | 5) => (768, 256),
                    _ => (256, 768),
                };
                let expected = format.bytes(rows * columns);
                assert!((expected..=expected + 128).contains(&bytes), "{scheme:?} {number}: {bytes} for {expected}");
                *by_format.entry(format.name().to_owned()).or_insert(0) += expected;
            }
            let ours = realised.quantized.iter().map(|t| (t.format.clone(), t.bytes)).collect();
            assert_eq!(by_format, ours, "{scheme:?}");
        }
    }

    #[test]
    fn handed_over_as_it_stands_a_range_would_land_on_other_layers() {
        // Why topologies are handed over by name. Should this fail, the engine was mended.
        let theirs = mistralrs::Topology::from_str("2-4:\n  isq: Q2K\n").unwrap();
        let layers = held(theirs, QuantScheme::None);
        let query = |layer: usize| layers[1 + 7 * layer];
        let (full, small) = (256 * 256 * 4, 256 * 256 * 84 / 256 + 128);
        assert!(query(0) <= small && query(1) <= small, "{layers:?}");
        assert!(query(2) >= full && query(3) >= full, "{layers:?}");
    }
}
