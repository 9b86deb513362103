//! The one integration-test binary: polars and mistral.rs link once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a test that is skipped says so")]
#![expect(clippy::case_sensitive_file_extension_comparisons, reason = "the names are ours")]

mod analysis;
mod architecture;
mod asks;
mod auditing;
mod benchmarks;
mod browser;
mod bundle;
mod cli;
mod compare;
mod engine;
mod example;
mod fetch;
mod figures;
mod gate;
mod gguf;
mod guide;
mod import;
mod messages;
mod metric_answers;
mod metric_paper;
mod metric_scripted;
mod openai;
mod plan;
mod printing;
mod real_server;
mod report;
mod rescore;
mod runner;
mod scored;
mod scorer;
mod server;
mod settings;
mod shell;
mod shown;
mod sizes;
mod stats;
mod table;
mod verify;
