//! The command line: the only place that prints. Data goes to stdout; progress, hints, and errors go to stderr.

mod analyze;
mod audit;
mod benchmarks;
mod bundle;
mod calibrate;
mod check;
mod compare;
mod demo;
mod fetch;
mod guide;
mod import;
mod look;
mod merge;
mod plan;
mod power;
mod print;
mod progress;
mod report;
mod rescore;
mod run;
mod running;
mod schemes;
mod score;
mod shell;
mod show;
mod step_summary;
mod tables;
mod verify;

use crate::pipeline::{Failure, exit};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use print::{note, say};

/// Tells whether quantizing a language model changed its social bias, for whom, by how much, and how sure one can be.
#[derive(Debug, Parser)]
#[command(
    name = "quantbias",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  quantbias demo                                  the whole job, offline\n  \
quantbias check audit.toml                      what an audit would do\n  \
quantbias plan audit.toml                       freeze it; what it can show, what it costs\n  \
quantbias audit audit.toml --plan plan.json     run, analyse, report; the exit code is the gate\n  \
quantbias verify RUN && quantbias bundle RUN    evidence that lasts\n\n\
Every command has examples: quantbias audit --help\nTutorial and reference: quantbias guide"
)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

/// One file each.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "one value in a program's life")]
enum Command {
    Demo(demo::Demo),
    Audit(audit::Audit),
    Check(check::Check),
    Plan(plan::Plan),
    Run(run::Run),
    Import(import::Import),
    Score(score::Score),
    Merge(merge::Merge),
    Analyze(analyze::Analyze),
    Report(report::Report),
    Show(show::Show),
    Calibrate(calibrate::Calibrate),
    Power(power::Power),
    Compare(compare::Compare),
    Rescore(rescore::Rescore),
    Verify(verify::Verify),
    Bundle(bundle::Bundle),
    Benchmarks(benchmarks::Benchmarks),
    Fetch(fetch::Fetch),
    Schemes(schemes::Schemes),
    Schema(shell::Schema),
    Completions(shell::Completions),
    Man(shell::Man),
    Guide(guide::Guide),
    /// Answers asks on stdin; started by the runner.
    #[command(hide = true)]
    Worker,
}

/// Runs a subcommand and returns its exit code.
fn dispatch(command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Audit(args) => audit::run(args),
        Command::Check(args) => check::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Run(args) => run::run(args),
        Command::Import(args) => import::run(args),
        Command::Score(args) => score::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Analyze(args) => analyze::run(args),
        Command::Report(args) => report::run(args),
        Command::Show(args) => show::run(args),
        Command::Calibrate(args) => calibrate::run(args),
        Command::Power(args) => power::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Rescore(args) => rescore::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Bundle(args) => bundle::run(args),
        Command::Benchmarks(args) => benchmarks::run(args),
        Command::Fetch(args) => fetch::run(args),
        Command::Schemes(args) => schemes::run(args),
        Command::Schema(args) => shell::schema(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
        Command::Guide(args) => guide::run(args),
        // Handled before arguments are parsed.
        Command::Worker => Ok(exit::USAGE),
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // The worker speaks its protocol on stdin and stdout; nothing else may touch them.
    if std::env::args().nth(1).as_deref() == Some("worker") {
        return crate::runner::worker::main();
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        // Help and version are output, anything else is an error.
        Err(asked) if !asked.use_stderr() => {
            print::keep(asked.print());
            return ExitCode::from(print::ended(exit::DONE));
        }
        Err(wrong) => {
            let _ = wrong.print();
            return ExitCode::from(exit::USAGE);
        }
    };
    let code = dispatch(&args.command).unwrap_or_else(|failure| {
        show(&failure);
        failure.code()
    });
    ExitCode::from(print::ended(code))
}

fn show(failure: &Failure) {
    match failure {
        Failure::Spec(error @ crate::spec::SpecError::Wrong(_)) => {
            let mut text = String::new();
            let handler = miette::GraphicalReportHandler::new();
            if handler.render_report(&mut text, error).is_ok() {
                note!("{text}");
            } else {
                note!("error: {error}");
            }
        }
        _ => note!("error: {failure}"),
    }
}

/// The folder `levels` above a path, as `runs/<id>` and `findings/<id>/findings.json` lie under the output folder.
fn above(path: &Path, levels: usize) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.ancestors().nth(levels).map_or_else(|| PathBuf::from("."), PathBuf::from)
}
