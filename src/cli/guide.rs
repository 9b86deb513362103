//! `quantbias guide`.

use super::{note, say};
use crate::guide::{TOPICS, topic};
use crate::pipeline::{Failure, exit};
use clap::Args;

/// Print the guide: the list of topics, or one of them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  quantbias guide\n  quantbias guide tutorial\n  quantbias guide audit-toml | less")]
pub(super) struct Guide {
    /// A topic.
    topic: Option<String>,
}

pub(super) fn run(Guide { topic: name }: &Guide) -> Result<u8, Failure> {
    let Some(name) = name else {
        for topic in TOPICS {
            say!("{:<20} {}", topic.name, topic.about);
        }
        return Ok(exit::DONE);
    };
    let Some(topic) = topic(name) else {
        complain(name);
        return Ok(exit::USAGE);
    };
    say!("{}", topic.text.trim_end());
    Ok(exit::DONE)
}

fn complain(name: &str) {
    let names: Vec<&str> = TOPICS.iter().map(|t| t.name).collect();
    note!("error: the guide has no topic {name:?}\nhelp: it has {}", names.join(", "));
}
