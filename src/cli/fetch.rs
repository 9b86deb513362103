//! `quantbias fetch`.

use super::{note, say};
use crate::benchmark::{self, Entry, cache};
use crate::fetch::{self, Access, Event, FetchError};
use crate::pipeline::{Failure, exit};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Download data sets from where their authors publish them, and check them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  quantbias fetch crows_pairs bbq\n  quantbias fetch --all --to data\n  \
    quantbias fetch bbq --offline     # what to download by hand, and where to put it\n\n\
    Proxies come from HTTPS_PROXY and NO_PROXY, a token for the hub from HF_TOKEN. A broken download goes on where it \
    stopped. A file whose SHA-256 is not the published one is thrown away.")]
pub(super) struct Fetch {
    /// Data sets; `quantbias benchmarks` lists them.
    #[arg(required_unless_present = "all")]
    names: Vec<String>,
    /// All data sets that can be downloaded.
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Folder of data sets; default: `data` in the cache (QUANTBIAS_CACHE, or quantbias in the user's cache).
    #[arg(long)]
    to: Option<PathBuf>,
    /// Touch no network: say what is missing, and where to put it.
    #[arg(long)]
    offline: bool,
    /// Replace files that are not the published ones.
    #[arg(long)]
    force: bool,
    /// A mirror: `http://mirror` is asked for `http://mirror/<host>/<path>`.
    #[arg(long)]
    mirror: Option<String>,
}

pub(super) fn run(args: &Fetch) -> Result<u8, Failure> {
    let entries: Vec<&Entry> = if args.all {
        fetch::available().collect()
    } else {
        let entry =
            |name: &String| benchmark::entry(name).map_err(|source| Failure::Benchmark { id: name.clone(), source });
        args.names.iter().map(entry).collect::<Result<_, _>>()?
    };
    let access = Access { mirror: args.mirror.clone(), ..Access::from_env() };
    let mut complete = true;
    for entry in entries {
        let folder = match &args.to {
            Some(folder) => folder.join(entry.name),
            None => cache::data_folder(&cache::folder().ok_or(FetchError::NoFolder)?, entry.name),
        };
        complete &= one(entry, &folder, &access, args)?;
    }
    Ok(if complete { exit::DONE } else { exit::DATA })
}

fn one(entry: &Entry, folder: &Path, access: &Access, args: &Fetch) -> Result<bool, Failure> {
    let pin = entry.pin();
    let downloads = pin.downloads();
    if downloads.is_empty() {
        say!("{}: nothing can be downloaded; {} ({})", entry.name, pin.get, folder.display());
        return Ok(false);
    }
    if args.offline {
        let missing = fetch::missing(&downloads, folder);
        for (download, to) in &missing {
            say!("download  {}\n  and put it to  {}", download.url, to.display());
            say!("  its SHA-256    {}", download.sha256.as_deref().unwrap_or("is not known"));
        }
        say!("{}: {} of {} files are there", entry.name, downloads.len() - missing.len(), downloads.len());
        return Ok(missing.is_empty());
    }
    let mut bar = Bar::new(downloads.len());
    let result = fetch::fetch(&downloads, folder, access, args.force, &mut |event| bar.show(&event));
    bar.finish();
    result?;
    say!("{}: {} files in {}", entry.name, downloads.len(), folder.display());
    say!("{:<14} licence: {}", "", pin.licence);
    Ok(true)
}

/// Progress on stderr: a bar where it is a terminal, else a line per file.
struct Bar {
    bar: Option<ProgressBar>,
    files: usize,
    done: usize,
}

impl Bar {
    fn new(files: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(0));
        if let Some(bar) = &bar
            && let Ok(style) = ProgressStyle::with_template("{bar:28} {bytes:>10} of {total_bytes}  {msg}")
        {
            bar.set_style(style);
        }
        Self { bar, files, done: 0 }
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::Kept { .. } => self.done += 1,
            Event::Started { name, have, total } => {
                let line = format!("{name} ({} of {})", self.done + 1, self.files);
                match &self.bar {
                    Some(bar) => {
                        bar.set_length(total.unwrap_or(*have));
                        bar.set_position(*have);
                        bar.set_message(line);
                    }
                    None if *have > 0 => note!("{line}, going on after {have} bytes"),
                    None => note!("{line}"),
                }
            }
            Event::Bytes(more) => {
                if let Some(bar) = &self.bar {
                    bar.inc(*more);
                }
            }
            Event::Retry { name, why } => self.say(&format!("{name}: {why}; trying again")),
            Event::Done { name, sha256, pinned } => {
                self.done += 1;
                if !pinned {
                    self.say(&format!("{name}: no SHA-256 is pinned; the file has {sha256}"));
                }
            }
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => note!("{line}"),
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
