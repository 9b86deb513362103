//! Chooses what each figure shows, and says in words what is to be seen: caption and alternative text.
//!
//! Values pass through; only the reach of axes is chosen here.

mod answers;
mod curves;
mod part;
mod settings;
mod sizes;
mod spread;
mod subgroups;

pub(super) use part::Part;

use super::ReportError;
use super::escape::Slugs;
use super::names::{Names, Pair};
use super::number::{self, Scale};
use super::plot::Drawing;
use super::theme::Theme;
use crate::findings::{Cell, ContrastRow, Findings, Interval, IntervalMethod, Worse};

/// A figure and the words that go with it; words are raw text.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    /// Path below the report's folder.
    pub(super) path: String,
    /// The drawing.
    pub(super) svg: String,
    /// What a screen reader says.
    pub(super) alt: String,
    /// What stands below: n, level, method, seed.
    pub(super) caption: String,
    /// Where it belongs.
    pub(super) part: Part,
    /// Model and benchmark.
    pub(super) pair: (String, String),
}

/// Every figure of a report.
pub(super) fn all(findings: &Findings, theme: &Theme) -> Result<Vec<Figure>, ReportError> {
    let names = Names::new(findings);
    let mut slugs = Slugs::default();
    let mut figures = Vec::new();
    for model in &findings.audit.models {
        let pairs: Vec<Pair<'_>> = names.pairs().into_iter().filter(|pair| pair.model == model.id).collect();
        let mut maker = |pair: Pair<'_>| slugs.unique(&format!("{} {}", pair.model, pair.benchmark.name));
        let makers: Vec<Maker<'_>> =
            pairs.iter().map(|pair| Maker { names, pair: *pair, theme, slug: maker(*pair) }).collect();
        for maker in &makers {
            figures.extend(maker.overview()?);
            figures.extend(maker.forests()?);
            figures.extend(maker.flips()?);
            figures.extend(maker.pairs()?);
            figures.extend(maker.gaps()?);
            figures.extend(maker.matrices()?);
            figures.extend(maker.uncertainty()?);
            figures.extend(maker.distributions()?);
            figures.extend(maker.power()?);
            figures.extend(maker.outcomes()?);
            figures.extend(maker.volcano()?);
        }
        figures.extend(curves::curves(&makers, &slugs.unique(&model.id))?);
    }
    Ok(figures)
}

/// Makes the figures of one model and benchmark.
struct Maker<'a> {
    names: Names<'a>,
    pair: Pair<'a>,
    theme: &'a Theme,
    slug: String,
}

impl<'a> Maker<'a> {
    fn metric(&self) -> &'a str {
        &self.pair.benchmark.headline
    }

    fn scale(&self) -> Scale {
        self.names.scale(self.metric())
    }

    /// Contrasts of the headline metric against the baseline.
    fn rows(&self) -> Vec<&'a ContrastRow> {
        self.all_rows().into_iter().filter(|c| self.names.against_baseline(c)).collect()
    }

    /// Contrasts of the headline metric, those that the plan names between two settings among them.
    fn all_rows(&self) -> Vec<&'a ContrastRow> {
        self.names.contrasts(self.pair, self.metric()).collect()
    }

    fn margin(&self) -> Option<f64> {
        self.names.margin(&self.pair.benchmark.name, self.metric())
    }

    /// The changes that a gate tolerates, in metric units: open towards better where only one direction is worse.
    fn tolerated(&self) -> Option<(f64, f64)> {
        self.margin().map(|m| match self.worse() {
            Worse::Increase => (f64::NEG_INFINITY, m),
            Worse::Decrease => (-m, f64::INFINITY),
            Worse::Either | Worse::AwayFromIdeal => (-m, m),
        })
    }

    /// Words for the shaded strip.
    fn tolerated_words(&self) -> Option<String> {
        let size = self.scale().chosen_with_noun(self.margin()?);
        Some(match self.worse() {
            Worse::Increase | Worse::Decrease => format!("within the margin: worse by less than {size}"),
            Worse::Either | Worse::AwayFromIdeal => format!("within the margin of ±{size}"),
        })
    }

    fn worse(&self) -> Worse {
        self.names.metric(self.metric()).map_or(Worse::Either, |m| m.worse)
    }

    fn figure(&self, kind: &str, drawing: &Drawing, part: Part, words: Words) -> Figure {
        let name = format!("{kind}-{}", self.slug);
        let title = format!("{}: {}", part.title(), self.subject());
        Figure {
            path: format!("figures/{name}.svg"),
            svg: drawing.svg(&name, &title, &words.alt),
            alt: words.alt,
            caption: words.caption,
            part,
            pair: (self.pair.model.to_owned(), self.pair.benchmark.name.clone()),
        }
    }

    /// Figures of one kind, numbered where there are several; `draw` gives the drawing and words of a part and is told
    /// which of how many it is.
    fn sheets<T>(
        &self,
        kind: &str,
        part: Part,
        chunks: &[T],
        mut draw: impl FnMut(&T, Sheet) -> Result<(Drawing, Words), ReportError>,
    ) -> Result<Vec<Figure>, ReportError> {
        let of = chunks.len();
        let mut figures = Vec::with_capacity(of);
        for (i, chunk) in chunks.iter().enumerate() {
            let (drawing, words) = draw(chunk, Sheet { number: i + 1, of })?;
            let kind = if of > 1 { format!("{kind}-{:02}", i + 1) } else { kind.to_owned() };
            figures.push(self.figure(&kind, &drawing, part, words));
        }
        Ok(figures)
    }

    /// Where a setting stands in the audit's list, for sorting.
    fn place(&self, setting: &str) -> usize {
        let settings = &self.names.findings.audit.settings;
        settings.iter().position(|s| s.id == setting).unwrap_or(usize::MAX)
    }

    /// Whether a row is of this model and benchmark.
    fn owns(&self, cell: &Cell) -> bool {
        cell.model == self.pair.model && cell.benchmark == self.pair.benchmark.name
    }

    /// Rows of this model and benchmark and of the headline metric; where it has none, those of the first metric that
    /// has some.
    fn of_metric<'r, R>(&self, rows: &'r [R], cell: impl Fn(&R) -> &Cell) -> Vec<&'r R> {
        let own: Vec<&R> = rows.iter().filter(|r| self.owns(cell(r))).collect();
        let headline = own.iter().any(|r| cell(r).metric == self.metric());
        let metric = if headline { Some(self.metric()) } else { own.first().map(|r| cell(r).metric.as_str()) };
        let metric = metric.map(str::to_owned);
        own.into_iter().filter(|r| metric.as_deref() == Some(cell(r).metric.as_str())).collect()
    }

    /// `StereoSet, demo-base` or just the benchmark where there is one model.
    fn subject(&self) -> String {
        let title = self.names.benchmark_title(&self.pair.benchmark.name);
        if self.names.many_models() { format!("{title}, {}", self.pair.model) } else { title }
    }

    /// What is compared in these rows: A/A first, then settings as listed, then named contrasts.
    fn runs(&self, rows: &[&'a ContrastRow]) -> Vec<Run<'a>> {
        let mut runs: Vec<(bool, bool, Option<usize>, Run<'a>)> = Vec::new();
        for row in rows {
            let run = Run { setting: &row.setting, against: &row.against };
            if runs.iter().all(|r| r.3 != run) {
                let place = self.names.findings.audit.settings.iter().position(|s| s.id == row.setting);
                runs.push((!self.names.against_baseline(row), !row.aa, place, run));
            }
        }
        runs.sort_by_key(|(named, real, place, _)| (*named, *real, place.is_none(), *place));
        runs.into_iter().map(|r| r.3).collect()
    }

    /// Label of a run.
    fn run_label(&self, run: Run<'a>) -> String {
        let label = self.names.setting_label(run.setting);
        let named = self.names.setting(run.against).is_some_and(|s| !s.baseline);
        if named { format!("{label} − {}", self.names.setting_label(run.against)) } else { label }
    }

    /// Replicates, draws and seed.
    fn repeat(&self) -> String {
        let plan = &self.names.findings.plan;
        format!(
            "{} replicates, {} draws, seed {}",
            number::count(plan.replicates),
            number::count(plan.draws),
            plan.seed
        )
    }
}

/// A setting and what it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run<'a> {
    setting: &'a str,
    against: &'a str,
}

impl Run<'_> {
    /// Whether a row is of this run.
    fn has(self, c: &ContrastRow) -> bool {
        c.setting == self.setting && c.against == self.against
    }
}

/// Which figure of how many of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sheet {
    number: usize,
    of: usize,
}

impl Sheet {
    /// What a caption says of it; nothing where there is only one.
    fn words(self) -> String {
        if self.of > 1 { format!(" (sheet {} of {})", self.number, self.of) } else { String::new() }
    }
}

/// Cuts into parts of at most `most`, as even as can be.
fn evenly<T>(all: &[T], most: usize) -> Vec<&[T]> {
    let parts = all.len().div_ceil(most.max(1)).max(1);
    all.chunks(all.len().div_ceil(parts).max(1)).collect()
}

struct Words {
    alt: String,
    caption: String,
}

/// `n = 40 to 300 items in 8 to 25 clusters per row`.
fn sizes(rows: &[&ContrastRow]) -> String {
    let range = |of: fn(&ContrastRow) -> u64| {
        let low = rows.iter().map(|c| of(c)).min().unwrap_or(0);
        let high = rows.iter().map(|c| of(c)).max().unwrap_or(0);
        if low == high { number::count(low) } else { format!("{} to {}", number::count(low), number::count(high)) }
    };
    format!("n = {} items in {} clusters per change", range(|c| c.items), range(|c| c.clusters))
}

/// Level and method of the intervals that are shown, each named once; bounds are named in the legend.
fn interval_words<'c>(rows: &[&'c ContrastRow], of: fn(&'c ContrastRow) -> Option<&'c Interval>) -> String {
    let mut words: Vec<String> = Vec::new();
    for interval in rows.iter().filter_map(|c| of(c)).filter(|i| i.method != IntervalMethod::RareChange) {
        let text = format!("{} {}", number::level(interval.level), method(interval.method));
        if !words.contains(&text) {
            words.push(text);
        }
    }
    if words.is_empty() { "none could be computed".to_owned() } else { words.join(" or ") }
}

/// What a caption says of bounds, where there are any.
fn bound_words(rows: &[&ContrastRow]) -> &'static str {
    let bound = |c: &&ContrastRow| c.interval.is_some_and(|i| i.method == IntervalMethod::RareChange);
    if rows.iter().any(bound) { "; dotted: bound where at most five clusters changed (Gaffke's bound)" } else { "" }
}

/// A method of intervals in a few words.
pub(super) fn method(method: IntervalMethod) -> &'static str {
    match method {
        IntervalMethod::ExpandedPercentile => "cluster-bootstrap interval (expanded percentile)",
        IntervalMethod::JackknifeT => "cluster-jackknife t interval",
        IntervalMethod::Rate => "interval of a rate (Wilson or Clopper–Pearson, effective size)",
        IntervalMethod::RareChange => "bound where hardly any cluster changed (Gaffke's bound)",
        IntervalMethod::Simultaneous => "band, simultaneous over the family",
        IntervalMethod::ClusterRobust => "cluster-robust t interval",
        IntervalMethod::TwoSample => "UNPAIRED: t interval of two samples of clusters",
    }
}

fn side(worse: Worse) -> &'static str {
    match worse {
        Worse::Increase => "right is worse",
        Worse::Decrease => "left is worse",
        Worse::Either => "any change counts",
        Worse::AwayFromIdeal => "away from the ideal is worse",
    }
}
