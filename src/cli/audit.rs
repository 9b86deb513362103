//! `quantbias audit`.

use super::note;
use super::running::{Out, Running, conclude, execute, prepared, warn};
use crate::pipeline::{Failure, gate_code, gate_reasons, gate_warnings, scoring};
use clap::Args;
use std::path::PathBuf;

/// Check, run, analyse, and report what an audit file names; the exit code tells whether the gates passed.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 every gate passed, 10 a gate failed, 11 inconclusive, 1 a bug, 2 the command line is wrong, \
3 the file is wrong, 4 data, 5 model, 6 too many failed items, 7 cannot write, 130 interrupted.\n\n\
Examples:\n  quantbias audit audit.toml\n  quantbias audit audit.toml --plan plan.json\n  \
quantbias audit audit.toml --resume              after an interruption: nothing is asked twice"
)]
pub(super) struct Audit {
    /// The audit file.
    file: PathBuf,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    running: Running,
}

pub(super) fn run(Audit { file, out, running }: &Audit) -> Result<u8, Failure> {
    let (prepared, checked, layout) = prepared(file, out)?;
    let folder = execute(&prepared, &checked.plan, &checked.runner, &layout, running)?;
    scoring::store(&folder, &checked.scoring)?;
    let findings = conclude(&folder, &checked.plan, &checked.waivers, &layout)?;
    warn(gate_warnings(&findings));
    decided(&gate_reasons(&findings, checked.plan.inconclusive));
    Ok(gate_code(&findings, checked.plan.inconclusive))
}

/// Names what decides the exit code, as far as a screen has room.
fn decided(reasons: &[String]) {
    const ROOM: usize = 20;
    for reason in reasons.iter().take(ROOM) {
        note!("{reason}");
    }
    if reasons.len() > ROOM {
        note!("… and {} more", reasons.len() - ROOM);
    }
}
