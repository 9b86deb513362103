//! `quantbias benchmarks` and `quantbias benchmarks show`.

use super::{note, say};
use crate::benchmark::{
    self, Ask, AskForm, BenchmarkData, Decoding, Dice, Entry, Framing, Item, LoadError, LoadRequest, Measure, Options,
    Thinking, cache,
};
use crate::engine::Finish;
use crate::metric::{Parsed, exact, read_option};
use crate::pipeline::{Failure, exit};
use clap::{Args, Subcommand};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// List the benchmarks that can be named in an audit file, or show an item of one.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:\n  quantbias benchmarks --data data\n  quantbias benchmarks show bbq\n  \
    quantbias benchmarks show custom --path my-benchmark.toml")]
pub(super) struct Benchmarks {
    /// Folder of data sets, looked through before the cache.
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    Show(Show),
}

/// Print one item per form of the question, as a model sees it, and how answers to it are read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  quantbias benchmarks show crows_pairs\n  \
    quantbias benchmarks show bbq --data data --chat\n  \
    quantbias benchmarks show custom --path my-benchmark.toml --item p7")]
struct Show {
    /// A benchmark, or `custom`.
    name: String,
    /// Folder of its data, or the TOML file of your own benchmark; default: the cache.
    #[arg(long)]
    path: Option<PathBuf>,
    /// Folder of data sets, looked through before the cache.
    #[arg(long, conflicts_with = "path")]
    data: Option<PathBuf>,
    /// Id of the item; default: the first.
    #[arg(long)]
    item: Option<String>,
    /// As a chat model is asked.
    #[arg(long)]
    chat: bool,
}

pub(super) fn run(args: &Benchmarks) -> Result<u8, Failure> {
    match &args.what {
        Some(What::Show(show)) => one(show),
        None => list(args.data.as_deref()),
    }
}

fn roots(data: Option<&Path>) -> Vec<PathBuf> {
    data.map(Path::to_path_buf).into_iter().chain(cache::folder().map(|c| c.join("data"))).collect()
}

fn list(data: Option<&Path>) -> Result<u8, Failure> {
    let roots = roots(data);
    let rows: Vec<[String; 7]> = benchmark::BENCHMARKS.par_iter().map(|entry| row(entry, &roots)).collect();
    let head = ["type", "items", "clusters", "asks", "axes", "licence", "data"].map(str::to_owned);
    let all: Vec<&[String; 7]> = std::iter::once(&head).chain(&rows).collect();
    let width = |column: usize| all.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..7).map(width).collect();
    for row in all {
        let cells = row.iter().zip(&widths).enumerate();
        let cell = |(at, (text, width)): (usize, (&String, &usize))| match at {
            1 | 2 => format!("{text:>width$}"),
            6 => text.clone(),
            _ => format!("{text:<width$}"),
        };
        say!("{}", cells.map(cell).collect::<Vec<_>>().join("  "));
    }
    say!("{}: your own, from a TOML file and JSONL or CSV", benchmark::CUSTOM);
    Ok(exit::DONE)
}

/// Type, items, clusters, asks, axes, licence, and where the data are.
fn row(entry: &Entry, roots: &[PathBuf]) -> [String; 7] {
    let asks = entry.asks.iter().map(|a| a.as_str()).collect::<Vec<_>>().join(", ");
    let pin = entry.pin();
    let row = |items: String, clusters: String, axes: String, data: String| {
        [entry.name.to_owned(), items, clusters, asks.clone(), axes, pin.licence.clone(), data]
    };
    let absent = || "-".to_owned();
    let Some(folder) = cache::find(entry, roots) else {
        let how = if pin.downloads().is_empty() { "see its page" } else { "quantbias fetch" };
        return row(absent(), absent(), absent(), format!("missing: {how}, {}", pin.home));
    };
    match benchmark::load(&request(entry.name, &folder, Options::default())) {
        Ok(data) => {
            let clusters: BTreeSet<_> = data.items.iter().map(|i| &i.cluster).collect();
            let axes: BTreeSet<&str> = data
                .items
                .iter()
                .flat_map(|i| i.subgroups.iter().chain(i.key.names.iter().flatten()))
                .map(|s| s.axis.as_str())
                .collect();
            let axes: Vec<&str> = axes.into_iter().collect();
            let axes = match axes.len() {
                0..=4 => axes.join(", "),
                n => format!("{}, … ({n})", axes[..3].join(", ")),
            };
            row(data.items.len().to_string(), clusters.len().to_string(), axes, folder.display().to_string())
        }
        Err(error) => row(absent(), absent(), absent(), format!("unusable: {error}")),
    }
}

fn request(name: &str, folder: &Path, options: Options) -> LoadRequest {
    LoadRequest { name: name.into(), id: name.into(), folder: folder.to_path_buf(), options }
}

fn one(show: &Show) -> Result<u8, Failure> {
    let failed = |source| Failure::Benchmark {
        id: show.name.clone(),
        source: with_path(source, show.name == benchmark::CUSTOM),
    };
    let (folder, forms): (PathBuf, Vec<Option<AskForm>>) = if show.name == benchmark::CUSTOM {
        let Some(path) = &show.path else {
            note!("error: a benchmark of your own lies anywhere\nhelp: name its TOML file with --path");
            return Ok(exit::USAGE);
        };
        (path.clone(), vec![None])
    } else {
        let entry = benchmark::entry(&show.name).map_err(failed)?;
        let cached = || cache::data_folder(&cache::folder().unwrap_or_default(), entry.name);
        let folder =
            show.path.clone().or_else(|| cache::find(entry, &roots(show.data.as_deref()))).unwrap_or_else(cached);
        (folder, entry.asks.iter().map(|a| Some(*a)).collect())
    };
    for (at, form) in forms.into_iter().enumerate() {
        let options = Options { ask: form, chat: show.chat, ..Options::default() };
        let data = benchmark::load(&request(&show.name, &folder, options)).map_err(failed)?;
        if at == 0 {
            about(&data);
        }
        let wanted = |i: &&Item| show.item.as_ref().is_none_or(|id| i.id.as_str() == id);
        let Some(item) = data.items.iter().find(wanted) else {
            let why = format!("there is no item `{}`", show.item.as_deref().unwrap_or_default());
            return Err(failed(benchmark::LoadError::Empty { what: show.name.clone(), why }));
        };
        print(&data, item);
    }
    Ok(exit::DONE)
}

/// A missing file of a published benchmark, with the options that say where it is.
fn with_path(error: LoadError, own: bool) -> LoadError {
    match error {
        LoadError::MissingFile { name, folder, get } if !own => LoadError::MissingFile {
            name,
            folder,
            get: format!("{get}; or name its folder with --path, or one of data sets with --data"),
        },
        other => other,
    }
}

fn about(data: &BenchmarkData) {
    let clusters: BTreeSet<_> = data.items.iter().map(|i| &i.cluster).collect();
    say!("{}: {} items in {} clusters ({})", data.title, data.items.len(), clusters.len(), data.cluster_unit);
    say!("licence   {}", data.licence);
    say!("cite      {}", data.citation);
    for caveat in &data.caveats {
        say!("caveat    {caveat}");
    }
}

fn print(data: &BenchmarkData, item: &Item) {
    say!("\n── {} ── item {} ── cluster {}", item.ask.kind(), item.id, item.cluster);
    let subgroups: Vec<String> = item.subgroups.iter().map(|s| format!("{} = {}", s.axis, s.name)).collect();
    say!("subgroups {}", if subgroups.is_empty() { "none".to_owned() } else { subgroups.join(", ") });
    if let Some(condition) = &item.condition {
        say!("condition {condition}");
    }
    match &item.ask {
        Ask::Likelihood { candidates } => {
            let mut before = "";
            for (at, candidate) in candidates.iter().enumerate() {
                if at == 0 || candidate.context != before {
                    before = &candidate.context;
                    text(before, false);
                }
                say!("likelihood of {:?}{}", candidate.text, part(item, at));
            }
        }
        Ask::FirstToken { prompt, words, chat, framing } => {
            text(prompt, *chat);
            around(framing);
            for (at, word) in words.iter().enumerate() {
                say!("probability of {word:?} as the first token{}", part(item, at));
            }
        }
        Ask::Generate { prompt, options, max_tokens, chat, framing, decoding } => {
            text(prompt, *chat);
            around(framing);
            say!("at most {max_tokens} tokens");
            decoded(decoding);
            replies(data, item, options);
        }
    }
}

fn text(prompt: &str, chat: bool) {
    if prompt.is_empty() {
        return say!("\nafter nothing:");
    }
    say!("\n{}", if chat { "in the model's chat template:" } else { "as it stands:" });
    for line in prompt.lines() {
        say!("│ {line}");
    }
}

/// The turns beside the user's.
fn around(framing: &Framing) {
    for (turn, words) in [("system", &framing.system), ("assistant begins", &framing.prefill)] {
        if let Some(words) = words {
            say!("{turn}: {words:?}");
        }
    }
}

/// How tokens are chosen, where it is not the usual way.
fn decoded(decoding: &Decoding) {
    if let Some(draws) = &decoding.draws {
        let dice = if draws.sampling.dice == Dice::Own { "each setting its own" } else { "shared by all settings" };
        say!("sampled: {}; seed {}, draws {dice}, repeat {}", draws.sampling, draws.seed, draws.repeat);
    }
    if !decoding.stop.is_empty() {
        say!("ends before the first of {:?}", decoding.stop);
    }
    match decoding.thinking.marks() {
        None => say!("no thinking part is looked for"),
        Some((open, close)) if decoding.thinking != Thinking::default() => {
            say!("thinking stands in {open:?} … {close:?}");
        }
        Some(_) => {}
    }
}

/// What an option stands for.
fn part(item: &Item, at: usize) -> String {
    let role = item.key.roles.get(at).map(|r| format!(", {r:?}")).unwrap_or_default();
    let name = item.key.names.get(at).and_then(Option::as_ref);
    let name = name.map(|s| format!(", names {} = {}", s.axis, s.name)).unwrap_or_default();
    let right = if item.key.gold == Some(at as u32) { ", right" } else { "" };
    format!("{role}{name}{right}")
}

/// Example replies and what is read from them.
fn replies(data: &BenchmarkData, item: &Item, options: &[String]) {
    if let Some(answer) = &item.key.answer {
        for reply in [format!("\\boxed{{{answer}}}"), format!("The answer is {answer}."), "No idea".to_owned()] {
            let read = exact::final_answer(&reply);
            let right = read.as_ref().is_some_and(|said| exact::same(said, answer));
            say!("{reply:?} is read as {}", read.map_or("nothing".into(), |r| format!("{r:?}, right: {right}")));
        }
    } else if options.is_empty() {
        let how = if data.measure == Measure::HurtfulCompletion { "looked up in a lexicon" } else { "scored as text" };
        say!("the reply is {how}; an empty one is no answer");
    }
    for (at, letter) in ('A'..='Z').take(options.len()).enumerate() {
        let reply = format!("({letter})");
        let read = match read_option(&reply, options, Finish::Stop) {
            Parsed::Option(found, rule) => format!("{:?} by the rule {rule:?}{}", options[found], part(item, at)),
            Parsed::Nothing(outcome) => format!("{outcome:?}"),
        };
        say!("{reply:?} is read as {read}");
    }
}
