//! HolisticBias (Smith et al., EMNLP 2022): sentences that name a person by one of about 600 descriptors in 13 axes.
//!
//! Licence CC BY-SA 4.0. Read from the word lists as published, version 1.1 (`split = "v1.0"` for the other), and put
//! together by the published rules. All combinations are 566,625 sentences (472,991 in version 1.0), of which many say
//! the same of a descriptor; so only the sentences of some *frames* are asked: a frame is a template with a noun, all
//! its descriptors together are one cluster, and [`FRAMES`] of them are taken by the hash of their names unless
//! `max_clusters` says otherwise. Axes are the published ones, subgroups their buckets (`subgroups = "descriptor"` for
//! the descriptors themselves). As `likelihood` a sentence is scored by itself, and a subgroup is compared with the rest
//! of its axis; as `generate` it is the first turn of a conversation, whose reply is scored as a continuation.
//!
//! The stylistic variants that the authors draw at random (contractions, hyphens, case, full stop) are not drawn.

use super::error::LoadError;
use super::holistic_phrases::{Descriptor, Frame, Lists, Noun};
use super::item::{Ask, Candidate, ClusterId, Item, ItemId, Key, Measure, Role, Subgroup};
use super::options::{AskForm, LoadRequest, split};
use super::prompt::Renderer;
use super::source::Source;
use super::{Draft, Entry, smallest_hashes};
use minijinja::context;
use std::collections::BTreeSet;

/// The entry in the list of benchmarks.
pub const ENTRY: Entry = Entry {
    name: "holistic_bias",
    measure: Measure::Descriptor,
    asks: &[AskForm::Likelihood, AskForm::Generate],
    cluster_unit: "frame (template and noun, with all descriptors)",
    pin: include_str!("../../data/pins/holistic_bias.toml"),
    offers: &["split"],
    above: super::axis_above,
    read,
};

/// Frames that are asked unless `max_clusters` says otherwise.
pub const FRAMES: u32 = 30;

/// Prompt of the generated form: the sentence, answered by a chat model or continued by another.
pub const PROMPT: &str = "{{ text }}";

const VERSIONS: &[&str] = &["v1.1", "v1.0"];

fn read(request: &LoadRequest, source: &mut Source) -> Result<Draft, LoadError> {
    let ask = request.options.ask.unwrap_or(AskForm::Likelihood);
    request.refuse("prompt", request.options.prompt.is_some() && ask == AskForm::Likelihood)?;
    let by_descriptor = match request.options.subgroups.as_deref() {
        None | Some("bucket") => false,
        Some("descriptor") => true,
        Some(other) => {
            return Err(request.bad("subgroups", format!("`{other}` is neither `bucket` nor `descriptor`")));
        }
    };
    let version = split(request, VERSIONS)?;
    let lists = Lists::read(source, version)?;
    let axes: BTreeSet<&str> = lists.descriptors.iter().map(|d| d.axis.as_str()).collect();
    let axes = request.categories(&axes.into_iter().collect::<Vec<_>>())?;
    let renderer = Renderer::new(request, PROMPT);
    let maker = Maker { request, renderer, ask, by_descriptor };
    let all: Vec<(usize, &Frame, Option<&Noun>)> = frames(&lists);
    let most = request.options.max_clusters.unwrap_or(FRAMES) as usize;
    let names: BTreeSet<ClusterId> = all.iter().map(|(at, _, noun)| cluster(*at, *noun)).collect();
    let (count, taken) = (names.len(), smallest_hashes(names.iter(), most));
    let mut items = Vec::new();
    for (at, frame, noun) in all.into_iter().filter(|(at, _, noun)| taken.contains(&cluster(*at, *noun))) {
        for descriptor in lists.descriptors.iter().filter(|d| axes.contains(&d.axis.as_str())) {
            if let Some(item) = maker.item(at, frame, noun, descriptor)? {
                source.admit(&lists.text, 1, &item)?;
                items.push(item);
            }
        }
    }
    if taken.len() < count {
        source.caveat(format!("{} of {count} frames (template and noun) are asked, chosen by hash.", taken.len()));
    }
    let measure = (ask == AskForm::Generate).then_some(Measure::Continuation);
    Ok(Draft { items, measure, ..Draft::default() })
}

/// All frames: every template with every noun, and those that need no noun also without one.
fn frames(lists: &Lists) -> Vec<(usize, &Frame, Option<&Noun>)> {
    let with = |at: usize, frame| lists.nouns.iter().map(move |noun| (at, frame, Some(noun)));
    let without = |at: usize, frame: &Frame| (!frame.must_be_noun).then_some((at, None::<&Noun>));
    let of = |(at, frame)| without(at, frame).map(|(at, noun)| (at, frame, noun)).into_iter().chain(with(at, frame));
    lists.frames.iter().enumerate().flat_map(of).collect()
}

fn cluster(at: usize, noun: Option<&Noun>) -> ClusterId {
    ClusterId::new(format!("{at}/{}", noun.map_or("-", |n| n.singular.as_str())))
}

struct Maker<'r> {
    request: &'r LoadRequest,
    renderer: Renderer<'r>,
    ask: AskForm,
    by_descriptor: bool,
}

impl Maker<'_> {
    /// The item, or `None` where the lists give this descriptor no such phrase.
    fn item(
        &self,
        at: usize,
        frame: &Frame,
        noun: Option<&Noun>,
        descriptor: &Descriptor,
    ) -> Result<Option<Item>, LoadError> {
        let plural = frame.text.contains("{plural_noun_phrase}");
        let Some(phrase) = descriptor.phrase(noun, plural) else { return Ok(None) };
        let text = frame.text.replace("{plural_noun_phrase}", &phrase).replace("{noun_phrase}", &phrase);
        let cluster = cluster(at, noun);
        let Descriptor { axis, bucket, words, before, .. } = descriptor;
        let again = if *before > 0 { format!(" (again {before})") } else { String::new() };
        let name = if self.by_descriptor && axis != super::holistic_phrases::CONTROL { words } else { bucket };
        let (ask, roles) = match self.ask {
            AskForm::Likelihood | AskForm::FirstToken => {
                let candidate = Candidate { context: String::new(), text };
                (Ask::Likelihood { candidates: vec![candidate] }, vec![Role::Other])
            }
            AskForm::Generate => {
                let options = &self.request.options;
                let prompt = self.renderer.render(context! { text, chat => options.chat })?;
                let max_tokens = options.max_tokens.unwrap_or(100);
                (Ask::generate(prompt, Vec::new(), max_tokens, options.chat), Vec::new())
            }
        };
        Ok(Some(Item {
            id: ItemId::new(format!("{axis}/{bucket}/{words}{again}/{cluster}")),
            cluster,
            stratum: String::new(),
            subgroups: vec![Subgroup { axis: axis.clone(), name: name.clone() }],
            condition: None,
            ask,
            key: Key { roles, ..Key::default() },
        }))
    }
}
