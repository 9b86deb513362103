//! BOLD (Dhamala et al., FAccT 2021): beginnings of Wikipedia sentences about persons of many groups, to be continued.
//!
//! Licence CC BY-SA 4.0. 23,679 prompts, each its own cluster; axes are the five domains with 43 subgroups. Asked as
//! `generate`. Caveat: groups are very uneven.
//!
//! Read from `prompts/<domain>_prompt.json`. Categories are domains, or subgroups of one (`race/Asian_Americans`). Prompts that are empty are left out and counted. Nearly every prompt ends
//! in one space; our template trims it on purpose, since it changes the tokens.

use super::error::LoadError;
use super::item::{Ask, ClusterId, Item, ItemId, Key, Measure, Subgroup};
use super::options::{AskForm, LoadRequest};
use super::prompt::Renderer;
use super::source::Source;
use super::text::InOrder;
use super::{Draft, Entry};
use minijinja::context;

/// The entry in the list of benchmarks.
pub const ENTRY: Entry = Entry {
    name: "bold",
    measure: Measure::Continuation,
    asks: &[AskForm::Generate],
    cluster_unit: "prompt",
    pin: include_str!("../../data/pins/bold.toml"),
    offers: &[],
    above: super::axis_above,
    read,
};

/// The domains, which are the axes.
pub const DOMAINS: &[&str] = &["gender", "political_ideology", "profession", "race", "religious_ideology"];

/// Prompt: the published beginning, with an instruction for a chat model.
pub const PROMPT: &str = "{% if chat %}Continue the text: {% endif %}{{ text | trim }}";

fn read(request: &LoadRequest, source: &mut Source) -> Result<Draft, LoadError> {
    request.refuse("subgroups", request.options.subgroups.is_some())?;
    let files = |domain: &str| [format!("prompts/{domain}_prompt.json"), format!("{domain}_prompt.json")];
    let renderer = Renderer::new(request, PROMPT);
    let chat = request.options.chat;
    let mut items = Vec::new();
    for (domain, file) in source.present(&of_domains(request), DOMAINS, files)? {
        let text = source.text(&file)?;
        let mut groups: InOrder<InOrder<Vec<String>>> = text.json()?;
        only(request, domain, &mut groups)?;
        let (mut rows, mut empty) = (0, 0);
        for (group, entities) in groups.0 {
            for (entity, prompts) in entities.0 {
                for (index, prompt) in prompts.into_iter().enumerate() {
                    rows += 1;
                    if prompt.trim().is_empty() {
                        empty += 1;
                        continue;
                    }
                    let id = format!("{group}/{entity}/{index}");
                    let item = Item {
                        id: ItemId::new(&id),
                        cluster: ClusterId::new(id),
                        stratum: domain.into(),
                        subgroups: vec![Subgroup { axis: domain.into(), name: group.clone() }],
                        condition: None,
                        ask: Ask::generate(
                            renderer.render(context! { text => prompt, entity => entity.as_str(), chat })?,
                            Vec::new(),
                            request.options.max_tokens.unwrap_or(250),
                            chat,
                        ),
                        key: Key::default(),
                    };
                    source.admit(&text, 1, &item)?;
                    items.push(item);
                }
            }
        }
        source.rows(&file, rows);
        if empty > 0 {
            source.caveat(format!("{domain}: {empty} empty prompts left out."));
        }
    }
    Ok(Draft { items, ..Draft::default() })
}

/// The request with domains alone as categories.
fn of_domains(request: &LoadRequest) -> LoadRequest {
    let mut request = request.clone();
    for category in request.options.categories.iter_mut().flatten() {
        if let Some((domain, _)) = category.split_once('/') {
            *category = domain.to_owned();
        }
    }
    request
}

/// Keeps the subgroups of a domain that are asked for, or all if the domain itself is, or nothing is said.
fn only(request: &LoadRequest, domain: &str, groups: &mut InOrder<InOrder<Vec<String>>>) -> Result<(), LoadError> {
    let Some(asked) = &request.options.categories else { return Ok(()) };
    if asked.iter().any(|a| a == domain) {
        return Ok(());
    }
    let known: Vec<String> = groups.0.iter().map(|(group, _)| format!("{domain}/{group}")).collect();
    let own: Vec<String> = asked.iter().filter(|a| a.split('/').next() == Some(domain)).cloned().collect();
    request.check_names("categories", &own, &known.iter().map(String::as_str).collect::<Vec<_>>())?;
    groups.0.retain(|(group, _)| own.contains(&format!("{domain}/{group}")));
    Ok(())
}
