//! What templates see: strings, already rounded and escaped for Markdown. No template computes, rounds or escapes.

mod about;
mod card;
mod changes;
mod items;
mod listing;
mod more;
mod words;

pub(super) use changes::pair_title;

use super::escape::{html, markdown};
use super::figures::{Figure, Part};
use super::names::Names;
use super::number;
use super::sentences;
use crate::findings::{Findings, Items};
use serde::Serialize;

/// The whole view.
#[derive(Debug, Clone, Serialize)]
pub(super) struct View {
    /// Title of the report.
    pub(super) title: String,
    /// The same for HTML.
    pub(super) title_html: String,
    /// One sentence for search engines and screen readers, for HTML.
    pub(super) description_html: String,
    /// Sentences from the verdicts.
    pub(super) summary: Vec<String>,
    /// What was audited.
    pub(super) about: about::About,
    /// Verdict by setting and benchmark at a glance.
    pub(super) grid: Table,
    /// Gate per benchmark and setting.
    pub(super) verdicts: Table,
    /// Why rows of changes fail and their gates do not; empty where none does.
    pub(super) failing_alone: String,
    /// Settings that could not run.
    pub(super) refused: Table,
    /// Figures by part.
    pub(super) overview: Vec<FigureView>,
    /// Forest plots by model and benchmark.
    pub(super) forests: Vec<Group>,
    /// Curves.
    pub(super) curves: Vec<FigureView>,
    /// The A/A repeat.
    pub(super) floor: Table,
    /// Flips.
    pub(super) flips: Vec<FigureView>,
    /// Figures of the other kinds, by kind.
    pub(super) closer: Vec<Kind>,
    /// Change against adjusted p.
    pub(super) volcanoes: Vec<FigureView>,
    /// Outcome figures.
    pub(super) outcomes: Vec<FigureView>,
    /// Outcome counts.
    pub(super) coverage: Table,
    /// All changes by model and benchmark.
    pub(super) changes: Vec<ChangesView>,
    /// Whether the rows of `changes` stand on this page: in `report.html` they do, `report.md` points to their pages.
    pub(super) changes_here: bool,
    /// Rows of all changes, as a number.
    pub(super) changes_count: String,
    /// Items that changed, counted.
    pub(super) items: items::ItemsView,
    /// Declared exceptions from gates.
    pub(super) waivers: Table,
    /// Sections beyond the paired changes.
    pub(super) more: Vec<more::Section>,
    /// Metadata of a model card.
    pub(super) card: card::CardView,
    /// Families of hypotheses.
    pub(super) families: Table,
    /// Caveats.
    pub(super) caveats: Vec<CaveatView>,
    /// Metrics with formula and reference.
    pub(super) metrics: Table,
    /// Methods paragraphs.
    pub(super) methods: Vec<String>,
    /// References of the methods.
    pub(super) references: Vec<String>,
}

/// A table: heads, `l` or `r` per column, rows, and notes below.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Table {
    /// Column heads.
    pub(super) head: Vec<String>,
    /// The rule below the heads, which aligns: `---` or `---:`.
    pub(super) rule: Vec<String>,
    /// Cells.
    pub(super) rows: Vec<Vec<String>>,
    /// Why numbers are missing.
    pub(super) notes: Vec<String>,
}

impl Table {
    /// A table without rows; a head that begins with `>` is of a column of numbers.
    pub(super) fn new(heads: &[&str]) -> Self {
        let head = heads.iter().map(|h| h.trim_start_matches('>').to_owned()).collect();
        let rule =
            heads.iter().map(|h| if h.starts_with('>') { "---:".to_owned() } else { "---".to_owned() }).collect();
        Self { head, rule, rows: Vec::new(), notes: Vec::new() }
    }

    /// The table without the column of that head.
    pub(super) fn without(mut self, head: &str) -> Self {
        if let Some(column) = self.head.iter().position(|h| h == head) {
            self.head.remove(column);
            self.rule.remove(column);
            for row in &mut self.rows {
                row.remove(column);
            }
        }
        self
    }

    /// The table without its column of models where there is one model.
    pub(super) fn for_models(self, names: Names<'_>) -> Self {
        if names.many_models() { self } else { self.without("Model") }
    }

    /// Takes over the notes.
    pub(super) fn noted(mut self, notes: &Notes) -> Self {
        self.notes = notes.lines();
        self
    }
}

/// Reasons for dashes, each with a letter.
#[derive(Debug, Default)]
pub(super) struct Notes {
    reasons: Vec<String>,
}

impl Notes {
    /// A dash with the letter of its reason.
    pub(super) fn dash(&mut self, reason: Option<&String>) -> String {
        let reason = reason.map_or("the findings give no reason", String::as_str);
        let place = self.reasons.iter().position(|r| r == reason).unwrap_or_else(|| {
            self.reasons.push(reason.to_owned());
            self.reasons.len() - 1
        });
        format!("{} ({})", number::UNDEFINED, letters(place))
    }

    fn lines(&self) -> Vec<String> {
        self.reasons.iter().enumerate().map(|(i, r)| format!("({}) {}", letters(i), markdown(r))).collect()
    }
}

/// `a` … `z`, `aa`, `ab` …
fn letters(mut n: usize) -> String {
    let mut out = Vec::new();
    loop {
        out.push(b'a' + (n % 26) as u8);
        if n < 26 {
            break;
        }
        n = n / 26 - 1;
    }
    out.iter().rev().map(|b| char::from(*b)).collect()
}

/// A figure on the page.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FigureView {
    /// Path below the report's folder.
    pub(super) path: String,
    /// Alternative text.
    pub(super) alt: String,
    /// Number and caption.
    pub(super) caption: String,
}

/// Figures under one heading.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Group {
    /// Heading.
    pub(super) title: String,
    /// The first sheet, which stands open.
    pub(super) first: Vec<FigureView>,
    /// Further sheets, folded.
    pub(super) rest: Vec<FigureView>,
    /// What the fold says, for HTML.
    pub(super) rest_html: String,
}

/// Figures of one kind.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Kind {
    /// Heading.
    pub(super) title: String,
    /// How to read them.
    pub(super) reading: String,
    /// What the fold says, for HTML.
    pub(super) fold_html: String,
    /// The figures.
    pub(super) figures: Vec<FigureView>,
}

/// All changes of one model and benchmark.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ChangesView {
    /// Path of its own page.
    pub(super) path: String,
    /// Model and benchmark with the number of changes.
    pub(super) title: String,
    /// Analysis id.
    pub(super) analysis: String,
    /// What the fold says, for HTML.
    pub(super) title_html: String,
    /// The rows.
    pub(super) table: Table,
}

/// A caveat.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CaveatView {
    /// What it concerns.
    pub(super) about: String,
    /// Subject with a colon and a space after it; empty where it has none.
    pub(super) subject: String,
    /// The text.
    pub(super) text: String,
}

impl View {
    /// The view of findings.
    pub(super) fn of(findings: &Findings, items: Option<&Items>, figures: &[Figure]) -> Self {
        let names = Names::new(findings);
        let summary = sentences::summary(findings);
        let changes = changes::changes(names);
        let count: usize = changes.iter().map(|c| c.table.rows.len()).sum();
        let title = format!("Bias audit of quantized models: {}", findings.audit.name);
        let figure_views = numbered(figures);
        Self {
            title: markdown(&title),
            title_html: html(&title),
            description_html: html(summary.first().map_or("", String::as_str)),
            summary: summary.iter().map(|s| markdown(s)).collect(),
            about: about::About::of(names),
            grid: changes::grid(names),
            verdicts: changes::verdicts(names),
            failing_alone: sentences::failing_alone(names, &findings.contrasts)
                .map_or_else(String::new, |s| markdown(&s)),
            refused: about::refused(findings),
            overview: part(figures, &figure_views, Part::Overview),
            forests: groups(names, figures, &figure_views),
            curves: part(figures, &figure_views, Part::Curve),
            floor: changes::floor(names),
            flips: part(figures, &figure_views, Part::Flips),
            closer: kinds(figures, &figure_views),
            volcanoes: part(figures, &figure_views, Part::Volcano),
            outcomes: part(figures, &figure_views, Part::Outcomes),
            coverage: changes::coverage(names),
            changes,
            changes_here: false,
            changes_count: number::count(count as u64),
            items: items::ItemsView::of(names, items),
            waivers: more::waivers(names),
            more: more::sections(names),
            card: card::CardView::of(names),
            families: about::families(findings),
            caveats: about::caveats(findings),
            metrics: about::metrics(findings),
            methods: words::methods(names),
            references: words::references(names),
        }
    }
}

/// Figures numbered in the order in which the page shows them.
fn numbered(figures: &[Figure]) -> Vec<FigureView> {
    let mut places: Vec<usize> = (0..figures.len()).collect();
    places.sort_by_key(|i| (Part::ALL.iter().position(|p| *p == figures[*i].part), *i));
    let mut numbers = vec![0; figures.len()];
    for (n, i) in places.into_iter().enumerate() {
        numbers[i] = n + 1;
    }
    let view = |(figure, n): (&Figure, &usize)| FigureView {
        path: figure.path.clone(),
        alt: markdown(&figure.alt),
        caption: format!("Figure {n}. {}", markdown(&figure.caption)),
    };
    figures.iter().zip(&numbers).map(view).collect()
}

fn part(figures: &[Figure], views: &[FigureView], part: Part) -> Vec<FigureView> {
    figures.iter().zip(views).filter(|(f, _)| f.part == part).map(|(_, v)| v.clone()).collect()
}

/// Kinds of figures that have a section of their own, in the order of the page.
const CLOSER: [Part; 6] = [Part::Pairs, Part::Gap, Part::Matrix, Part::Uncertainty, Part::Distribution, Part::Power];

fn kinds(figures: &[Figure], views: &[FigureView]) -> Vec<Kind> {
    let kind = |kind: Part| {
        let figures = part(figures, views, kind);
        let count = number::counted(figures.len() as u64, "figure");
        let (title, reading) = (kind.title().to_owned(), kind.reading().to_owned());
        (!figures.is_empty()).then(|| Kind { fold_html: html(&format!("{title}: {count}")), title, reading, figures })
    };
    CLOSER.into_iter().filter_map(kind).collect()
}

fn groups(names: Names<'_>, figures: &[Figure], views: &[FigureView]) -> Vec<Group> {
    names
        .pairs()
        .into_iter()
        .filter_map(|pair| {
            let key = (pair.model.to_owned(), pair.benchmark.name.clone());
            let mut sheets = figures
                .iter()
                .zip(views)
                .filter(|(f, _)| f.part == Part::Forest && f.pair == key)
                .map(|(_, v)| v.clone());
            let first = sheets.next()?;
            let rest: Vec<FigureView> = sheets.collect();
            let title = changes::pair_title(names, pair);
            let rest_html = format!("{}: {}", html(&title), number::counted(rest.len() as u64, "more sheet"));
            Some(Group { title: markdown(&title), first: vec![first], rest, rest_html })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn notes_are_lettered_without_end() {
        assert_eq!([0, 25, 26, 27, 701, 702].map(letters), ["a", "z", "aa", "ab", "zz", "aaa"]);
    }
}
