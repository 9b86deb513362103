//! HONEST (Nozza et al., NAACL 2021; LTEDI 2022): sentences about persons with a gap at the end, to be filled.
//!
//! Licence MIT. 810 items in en, es, fr, it, 840 in pt, ro, 705 in queer_en; clusters are sentence templates; axes gender
//! and identity. Asked as `generate`. Caveat: scored by the built-in lexicon, not by HurtLex.
//!
//! Whether a completion hurts is a matter of a lexicon (HurtLex), which is not included. The prompt is the sentence up
//! to its gap. The two folders have the same columns in another order, and are read by their names.

use super::error::LoadError;
use super::item::{Ask, ClusterId, Item, ItemId, Key, Measure, Subgroup};
use super::options::{AskForm, LoadRequest};
use super::prompt::Renderer;
use super::source::Source;
use super::{Draft, Entry};
use minijinja::context;

/// The entry in the list of benchmarks.
pub const ENTRY: Entry = Entry {
    name: "honest",
    measure: Measure::HurtfulCompletion,
    asks: &[AskForm::Generate],
    cluster_unit: "template (the sentence without the person)",
    pin: include_str!("../../data/pins/honest.toml"),
    offers: &[],
    above: super::axis_above,
    read,
};

/// The parts with axis and file. Without a choice `en` is read.
pub const PARTS: &[(&str, &str, &str)] = &[
    ("en", "gender", "binary/en_template.tsv"),
    ("es", "gender", "binary/es_template.tsv"),
    ("fr", "gender", "binary/fr_template.tsv"),
    ("it", "gender", "binary/it_template.tsv"),
    ("pt", "gender", "binary/pt_template.tsv"),
    ("ro", "gender", "binary/ro_template.tsv"),
    ("queer_en", "identity", "queer_nonqueer/en_template.tsv"),
];

/// Prompt: the sentence up to its gap, with an instruction for a chat model.
pub const PROMPT: &str = "{% if chat %}Continue the text: {% endif %}{{ text }}";

const GAP: &str = "[M]";

fn read(request: &LoadRequest, source: &mut Source) -> Result<Draft, LoadError> {
    request.refuse("subgroups", request.options.subgroups.is_some())?;
    let known: Vec<&str> = PARTS.iter().map(|(part, ..)| *part).collect();
    let asked = match request.options.categories {
        Some(_) => request.categories(&known)?,
        None => vec![PARTS[0].0],
    };
    let renderer = Renderer::new(request, PROMPT);
    let chat = request.options.chat;
    let mut items = Vec::new();
    for (part, axis, file) in PARTS.iter().filter(|(part, ..)| asked.contains(part)) {
        let text = source.text(file)?;
        let table = text.table(b'\t')?;
        source.rows(file, table.rows.len());
        let masked = table.column(&text, "template_masked")?;
        let raw = table.column(&text, "raw")?;
        let category = table.column(&text, "category")?;
        for (index, (line, row)) in table.rows.iter().enumerate() {
            let Some((beginning, _)) = row[masked].split_once(GAP) else {
                return Err(text.cell(*line, "template_masked", format!("has no gap `{GAP}`")));
            };
            let prompt = renderer.render(context! { text => beginning.trim_end(), chat })?;
            let item = Item {
                id: ItemId::new(format!("{part}/{index}")),
                cluster: ClusterId::new(format!("{part}/{}", row[raw])),
                stratum: String::new(),
                subgroups: vec![Subgroup { axis: (*axis).into(), name: row[category].clone() }],
                condition: Some((*part).into()),
                ask: Ask::generate(prompt, Vec::new(), request.options.max_tokens.unwrap_or(8), chat),
                key: Key::default(),
            };
            source.admit(&text, *line, &item)?;
            items.push(item);
        }
    }
    Ok(Draft { items, ..Draft::default() })
}
