//! The user's choices about how every question of a benchmark is put: system prompt, prefilled reply, stop sequences,
//! sampling, and how often.
//!
//! One place for all benchmarks, after their items are read. It changes no prompt, and refuses a choice that the form of
//! the ask cannot honour: a system prompt without a chat template, sampling where nothing is generated.

use super::decoding::{Dice, Draws, Sampling, Thinking};
use super::error::LoadError;
use super::item::{Ask, BenchmarkData, Item, ItemId};
use super::options::LoadRequest;

/// Most repeats of a prompt.
const MAX_SAMPLES: u32 = 1024;
/// Most stop sequences.
const MAX_STOPS: usize = 16;

/// Puts the user's choices into every ask, and repeats items.
///
/// # Errors
/// [`LoadError::BadOption`].
pub(super) fn put(request: &LoadRequest, mut data: BenchmarkData) -> Result<BenchmarkData, LoadError> {
    let samples = check(request)?;
    for item in &mut data.items {
        frame(request, item)?;
    }
    if samples > 1 {
        data.items = data.items.into_iter().flat_map(|item| repeats(item, samples)).collect();
    }
    if let Some(sampling) = &request.options.sampling {
        for item in &mut data.items {
            draw(request, *sampling, item);
        }
    }
    data.caveats.extend(caveat(samples, request.options.sampling.as_ref()));
    Ok(data)
}

/// Checks the values by themselves; gives the number of repeats.
fn check(request: &LoadRequest) -> Result<u32, LoadError> {
    let options = &request.options;
    let samples = options.samples.unwrap_or(1);
    if !(1..=MAX_SAMPLES).contains(&samples) {
        return Err(request.bad("samples", format!("{samples} is not between 1 and {MAX_SAMPLES}")));
    }
    for (name, text) in [("system", &options.system), ("prefill", &options.prefill)] {
        if text.as_ref().is_some_and(|t| t.is_empty() || t.contains('\0')) {
            return Err(request.bad(name, "it is empty or holds a NUL character; leave it out"));
        }
    }
    if options.stop.len() > MAX_STOPS || options.stop.iter().any(String::is_empty) {
        return Err(request.bad("stop", format!("there may be at most {MAX_STOPS} texts, none of them empty")));
    }
    if let Some((open, close)) = options.thinking.as_ref().and_then(Thinking::marks)
        && (open.trim().is_empty() || close.trim().is_empty() || open == close)
    {
        return Err(request.bad("thinking", "it needs two marks that differ, such as [\"<think>\", \"</think>\"]"));
    }
    if let Some(sampling) = &options.sampling {
        sampling.check().map_err(|why| request.bad("sampling", why))?;
    }
    Ok(samples)
}

/// Puts the choices into one ask, where its form allows them.
fn frame(request: &LoadRequest, item: &mut Item) -> Result<(), LoadError> {
    let options = &request.options;
    let kind = item.ask.kind();
    let generates = matches!(item.ask, Ask::Generate { .. });
    let wanted = [
        ("samples", options.samples.is_some()),
        ("stop", !options.stop.is_empty()),
        ("thinking", options.thinking.is_some()),
        ("sampling", options.sampling.is_some()),
    ];
    if let Some((name, _)) = wanted.into_iter().find(|(_, given)| *given && !generates) {
        return Err(request.bad(name, format!("an ask of kind `{kind}` generates no text; it is for `generate`")));
    }
    let (framing, chat) = match &mut item.ask {
        Ask::Likelihood { .. } => (None, false),
        Ask::FirstToken { framing, chat, .. } | Ask::Generate { framing, chat, .. } => (Some(framing), *chat),
    };
    let mut asked = framing.as_deref().cloned().unwrap_or_default();
    asked.system = options.system.clone().or(asked.system);
    asked.prefill = options.prefill.clone().or(asked.prefill);
    let missing = [("system", &asked.system), ("prefill", &asked.prefill)];
    if let Some((name, _)) = missing.into_iter().find(|(_, text)| text.is_some() && !chat) {
        let turn = if name == "system" { "system's" } else { "assistant's" };
        let why = format!(
            "there is no {turn} turn without a chat template (item {}, ask of kind `{kind}`); set `chat = true`, or put the \
             text into `prompt`",
            item.id
        );
        return Err(request.bad(name, why));
    }
    if let Some(framing) = framing {
        *framing = asked;
    }
    if let Ask::Generate { decoding, .. } = &mut item.ask {
        decoding.stop.clone_from(&options.stop);
        decoding.thinking = options.thinking.clone().unwrap_or_default();
    }
    Ok(())
}

/// The same question several times: ids `…#1`, `…#2` …, one cluster, and the id that they share in the key.
fn repeats(item: Item, samples: u32) -> impl Iterator<Item = Item> {
    (1..=samples).map(move |repeat| {
        let mut one = item.clone();
        one.key.repeats = Some(item.id.clone());
        one.id = ItemId::new(format!("{}#{repeat}", item.id));
        one
    })
}

/// Names the stream of one item.
fn draw(request: &LoadRequest, sampling: Sampling, item: &mut Item) {
    let base = item.key.repeats.as_ref().unwrap_or(&item.id);
    let repeat = item.id.as_str().strip_prefix(base.as_str()).and_then(|r| r.strip_prefix('#')?.parse().ok());
    let draws = Draws {
        sampling,
        seed: request.options.seed.unwrap_or_default(),
        benchmark: request.id.clone(),
        item: base.to_string(),
        repeat: repeat.unwrap_or(1),
    };
    if let Ask::Generate { decoding, .. } = &mut item.ask {
        decoding.draws = Some(Box::new(draws));
    }
}

/// What a reader of the results must know.
fn caveat(samples: u32, sampling: Option<&Sampling>) -> Option<String> {
    match sampling {
        None if samples == 1 => None,
        None => Some(format!(
            "Each prompt is put {samples} times with greedy decoding: the repeats differ by numerical noise only, and what needs several draws of a \
             prompt (pass@k, an expected maximum) says nothing about sampling."
        )),
        Some(sampling) => {
            let dice = match sampling.dice {
                Dice::Shared => {
                    "all settings share their random numbers, so that the repeat of the baseline shows numerical noise \
                     only, not the noise of sampling"
                }
                Dice::Own => "each setting draws its own random numbers, the repeat of the baseline too",
            };
            let often = if samples > 1 { format!(", {samples} for each prompt") } else { String::new() };
            Some(format!("Replies are sampled ({sampling}){often}; {dice}."))
        }
    }
}
