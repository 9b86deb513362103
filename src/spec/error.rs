//! What is wrong with an `audit.toml`, with the place underlined.

use miette::{Diagnostic, NamedSource, SourceSpan};
use std::ops::Range;
use std::path::Path;

/// A spec that cannot be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum SpecError {
    /// The file cannot be read.
    #[error("cannot read the audit file: {0}\nhelp: name an audit.toml; `quantbias guide audit-a-model` shows one")]
    Read(std::io::Error),
    /// Something in it is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Wrong(#[from] Box<Wrong>),
}

/// What is wrong in an audit file.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
pub struct Wrong {
    /// What is wrong.
    message: String,
    /// The whole file.
    #[source_code]
    source_code: NamedSource<String>,
    /// Where.
    #[label("here")]
    span: Option<SourceSpan>,
    /// What to do.
    #[help]
    help: Option<String>,
}

/// A file's name and text, to make errors from.
#[derive(Debug, Clone)]
pub(super) struct Text {
    name: String,
    text: String,
}

impl Text {
    pub(super) fn new(path: &Path, text: &str) -> Self {
        Self { name: path.display().to_string(), text: text.to_owned() }
    }

    /// An error at a place in the file.
    pub(super) fn wrong(
        &self,
        message: impl Into<String>,
        span: Option<Range<usize>>,
        help: Option<String>,
    ) -> SpecError {
        SpecError::Wrong(Box::new(Wrong {
            message: message.into(),
            source_code: NamedSource::new(&self.name, self.text.clone()),
            span: span.map(SourceSpan::from),
            help,
        }))
    }
}
