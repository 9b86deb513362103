//! Lines for stdout and stderr: [`say!`](super::say) and [`note!`](super::note), the only ways in which the program
//! prints.
//!
//! What cannot be shown is no reason to stop: a line that stderr does not take is lost, and never ends the program or
//! changes its exit code, as `eprintln!` would by its panic. A line that stdout does not take is kept in mind, because
//! stdout is data: a reader that has gone away, such as `head`, is content with what it has; any other failure, such as a
//! full disk, makes exit code 7 of an otherwise good end ([`ended`]).

use crate::pipeline::exit;
use std::fmt::Arguments;
use std::io::{Error, ErrorKind, Write};
use std::sync::OnceLock;

/// The first failure of stdout.
static FAILED: OnceLock<String> = OnceLock::new();

/// Prints a line of data to stdout.
macro_rules! say {
    () => { $crate::cli::print::to_stdout(format_args!("")) };
    ($($words:tt)*) => { $crate::cli::print::to_stdout(format_args!($($words)*)) };
}

/// Prints a line for the person at the screen to stderr.
macro_rules! note {
    ($($words:tt)*) => { $crate::cli::print::to_stderr(format_args!($($words)*)) };
}

pub(super) use {note, say};

/// Behind [`say!`](super::say).
pub(super) fn to_stdout(line: Arguments<'_>) {
    keep(writeln!(std::io::stdout().lock(), "{line}"));
}

/// Behind [`note!`](super::note).
pub(super) fn to_stderr(line: Arguments<'_>) {
    // Whole lines, so that those of several threads do not mix.
    let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Keeps a failure of stdout in mind.
pub(super) fn keep(result: Result<(), Error>) {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = FAILED.set(error.to_string());
        }
        _ => {}
    }
}

/// The exit code of a program that would end with `code`, for what became of its output: 7 instead of 0 if stdout did
/// not take all of it. Another code says more, and stays.
pub(super) fn ended(code: u8) -> u8 {
    keep(std::io::stdout().flush());
    let Some(why) = FAILED.get() else { return code };
    note!("error: cannot write to stdout: {why}\nhelp: free space, or send the output elsewhere");
    if code == exit::DONE { exit::WRITE } else { code }
}
