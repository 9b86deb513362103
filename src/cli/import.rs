//! `quantbias import`.

use super::say;
use crate::import::{self, Kind, Mapping, Source, file_name};
use crate::pipeline::{Failure, exit};
use clap::Args;
use clap::builder::PossibleValuesParser;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Make a run directory of another tool's per-item logs.
#[derive(Debug, Args)]
#[command(after_help = "The first setting is the baseline. Examples:\n  \
    quantbias import --from lm-eval --out runs/mine bf16=logs/base awq-w4=logs/awq\n  \
    quantbias import --from paper --out runs/study original=results/a w4=results/b --bits w4=4.25\n  \
    quantbias import --from table --map map.toml --out runs/mine answers.csv\n\n\
    A mapping (paths such as doc.choices.0 name columns; [setting] only where one file holds several):\n  \
    [setting]\n  column = \"scheme\"\n  baseline = \"bf16\"\n  [[benchmark]]\n  name = \"pairs\"\n  \
    measure = \"pair_preference\"\n  id = \"item\"\n  cluster = \"template\"\n  subgroups = { gender = \"about\" }\n  \
    answer = { kind = \"likelihood\", candidates = [\n      \
    { text = \"more\", value = \"ll_more\", role = \"stereotype\" },\n      \
    { text = \"less\", value = \"ll_less\", role = \"anti_stereotype\" } ] }")]
pub(super) struct Import {
    /// Whose logs.
    #[arg(long, value_name = "TOOL", value_parser = PossibleValuesParser::new(Kind::ALL.iter().map(|(name, _)| *name)))]
    from: String,
    /// A setting's logs as LABEL=PATH; with a mapping that names the setting's column, PATH alone.
    #[arg(required = true)]
    logs: Vec<String>,
    /// A mapping of columns; it replaces the tool's own reading.
    #[arg(long)]
    map: Option<PathBuf>,
    /// The run directory to write.
    #[arg(long)]
    out: PathBuf,
    /// Name of the audit; default: the run directory's.
    #[arg(long)]
    name: Option<String>,
    /// Id of the model.
    #[arg(long, default_value = "model")]
    model: String,
    /// Bits per weight of a setting; may be given more than once.
    #[arg(long, value_name = "LABEL=BITS", value_parser = bits)]
    bits: Vec<(String, f64)>,
}

fn bits(text: &str) -> Result<(String, f64), String> {
    let (label, bits) = text.split_once('=').ok_or("it must be LABEL=BITS")?;
    let bits: f64 = bits.parse().map_err(|_| format!("{bits:?} is no number"))?;
    if bits.is_finite() && bits > 0.0 {
        Ok((label.to_owned(), bits))
    } else {
        Err("bits are a positive number".to_owned())
    }
}

pub(super) fn run(args: &Import) -> Result<u8, Failure> {
    let mapping = args.map.as_deref().map(Mapping::load).transpose()?;
    let by_column = mapping.as_ref().is_some_and(|m| m.setting.is_some());
    let source = |text: &String| match text.split_once('=') {
        Some((label, path)) if !label.contains(['/', '\\']) => Source { label: label.to_owned(), path: path.into() },
        _ if by_column => Source { label: String::new(), path: text.into() },
        _ => {
            // A bare path is named by its last part.
            let path = PathBuf::from(text);
            let label = path.file_stem().map(|n| file_name(&n.to_string_lossy())).unwrap_or_default();
            Source { label, path }
        }
    };
    let kind = Kind::ALL.iter().find(|(name, _)| *name == args.from).map_or(Kind::Table, |(_, kind)| *kind);
    let own = || args.out.file_name().map(|n| file_name(&n.to_string_lossy())).unwrap_or_default();
    let request = import::Request {
        kind,
        sources: args.logs.iter().map(source).collect(),
        name: args.name.clone().unwrap_or_else(own),
        model: args.model.clone(),
        bits: args.bits.iter().cloned().collect::<BTreeMap<_, _>>(),
        mapping,
    };
    let summary = import::import(&request, &args.out)?;
    for (benchmark, items) in &summary.items {
        say!("{benchmark}: {items} items under {}", summary.settings.join(", "));
    }
    for lack in &summary.lacks {
        say!("note: {lack}");
    }
    say!("{}", args.out.display());
    Ok(exit::DONE)
}
