//! Findings become Markdown, HTML, figures and tables, as bytes by relative path.
//!
//! Everything is drawn from [`Findings`] and nothing is computed beyond formatting: numbers become words in
//! [`number`], foreign text is escaped in [`escape`], templates see strings only. Equal findings give equal bytes.
//! This module writes no file except in [`write`], reads none except templates that the user names, and prints
//! nothing.

pub mod escape;
pub mod number;
pub mod raster;
pub mod templates;
pub mod terminal;
pub mod theme;

mod explorer;
mod figures;
mod junit;
mod latex;
mod names;
mod page;
mod plot;
mod sentences;
mod tables;
mod view;
mod works;

pub use sentences::summary_lines;
pub use templates::Templates;
pub use theme::Theme;

use crate::findings::{Findings, Items};
use fs_err as fs;
use std::collections::BTreeMap;
use std::path::Path;

/// Pages of a report: bytes by path relative to the report's folder, with `/` between parts.
pub type Pages = BTreeMap<String, Vec<u8>>;

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A page cannot be written.
    #[error("cannot write the report: {0}\nhelp: free space, or choose another folder with --out")]
    Io(#[from] std::io::Error),
    /// The folder of templates cannot be read.
    #[error("cannot read the templates: {0}\nhelp: name a folder that is there with --templates")]
    Templates(std::io::Error),
    /// A template is not one, or asks for a name that the view does not have.
    #[error("{file}:{line}: {message}")]
    Template {
        /// The template's file.
        file: String,
        /// Line in it, from 1.
        line: usize,
        /// What is wrong, with the name that is missing.
        message: String,
    },
    /// A file in the template folder that no report uses.
    #[error("{file} is no template of a report; the templates are {known}")]
    UnknownTemplate {
        /// The file.
        file: String,
        /// Names that are known.
        known: String,
    },
    /// The drawing library refused.
    #[error("a figure could not be drawn: {0}")]
    Drawing(String),
    /// No font of the theme is installed, so that text cannot be drawn.
    #[error(
        "a PNG or PDF needs a font, and none of {families} is installed\nhelp: install one (Debian: fonts-liberation or fonts-dejavu-core), or name a font with --font-file; the SVG figures need none"
    )]
    NoFont {
        /// The families that were looked for.
        families: String,
    },
    /// The font that the user names cannot be used.
    #[error("{path} cannot be used as a font: {why}\nhelp: name a TrueType or OpenType file")]
    FontFile {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A table could not be made.
    #[error("a table could not be made: {0}")]
    Table(String),
}

impl ReportError {
    /// An error of the drawing library.
    fn drawing(error: impl std::fmt::Display) -> Self {
        Self::Drawing(error.to_string())
    }
}

/// Renders every page of a report: `report.md`, `report.html`, `figures/*.svg`, tables in `tables/` (CSV, JSON,
/// Parquet, LaTeX, Markdown), `comment.md` (for a pull request), `model-card.md`, `junit.xml`, `references.bib`, and
/// `view.json` (what the templates saw).
///
/// # Errors
/// [`ReportError::Template`] for a broken template; [`ReportError::Drawing`] and [`ReportError::Table`] should not
/// happen.
pub fn render(findings: &Findings, theme: &Theme, templates: &Templates) -> Result<Pages, ReportError> {
    render_with_items(findings, None, theme, templates)
}

/// The same with the items that changed, which `report.html` then lets a reader look at.
///
/// # Errors
/// As [`render`].
pub fn render_with_items(
    findings: &Findings,
    items: Option<&Items>,
    theme: &Theme,
    templates: &Templates,
) -> Result<Pages, ReportError> {
    let figures = figures::all(findings, theme)?;
    let mut pages = tables::all(findings)?;
    let view = view::View::of(findings, items, &figures);
    let data = items.map(|items| explorer::coded(names::Names::new(findings), items)).transpose()?;
    pages.insert("report.md".to_owned(), page::markdown(&view, templates)?.into_bytes());
    pages.insert("report.html".to_owned(), page::html(&view, &figures, data.as_deref(), templates)?.into_bytes());
    pages.insert("comment.md".to_owned(), page::comment(&view, templates)?.into_bytes());
    pages.insert("model-card.md".to_owned(), page::card(&view, templates)?.into_bytes());
    pages.extend(page::changes(&view, templates)?);
    pages.insert("view.json".to_owned(), page::dump(&view)?.into_bytes());
    pages.insert("junit.xml".to_owned(), junit::junit(findings).into_bytes());
    pages.insert("references.bib".to_owned(), works::bibtex(findings).into_bytes());
    pages.extend(latex::all(findings));
    for figure in figures {
        pages.insert(figure.path, figure.svg.into_bytes());
    }
    Ok(pages)
}

/// Writes pages below `dir`, creating folders. Existing files of the same name are replaced, others are left.
///
/// # Errors
/// [`ReportError::Io`].
pub fn write(pages: &Pages, dir: &Path) -> Result<(), ReportError> {
    for (path, bytes) in pages {
        let path = dir.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}
