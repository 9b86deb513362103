//! The curve over bits per weight: one figure per model, one panel per benchmark.

use super::{Figure, Maker, Part, Sheet, Words, bound_words, evenly, interval_words, sizes};
use crate::findings::{ContrastRow, IntervalMethod, SettingInfo};
use crate::report::ReportError;
use crate::report::names::overall;
use crate::report::number::{self, counted};
use crate::report::plot::{self, Curve, CurvePanel, CurvePoint};
use crate::report::sentences;

/// A panel with what its words are made of.
struct Drawn<'a> {
    panel: CurvePanel,
    rows: Vec<&'a ContrastRow>,
    of: Of,
    maker: &'a Maker<'a>,
}

/// The figures of one model, from the makers of its benchmarks.
pub(super) fn curves(makers: &[Maker<'_>], slug: &str) -> Result<Vec<Figure>, ReportError> {
    let drawn: Vec<Drawn<'_>> = makers.iter().filter_map(Maker::curve_panel).collect();
    let Some(first) = drawn.first() else { return Ok(Vec::new()) };
    let sheets = evenly(&drawn, plot::curves_per_sheet(first.maker.theme));
    let mut figures = Vec::new();
    for (i, sheet) in sheets.iter().enumerate() {
        let curve = Curve {
            panels: sheet.iter().map(|d| d.panel.clone()).collect(),
            margin_words: match &sheet[..] {
                [only] => only.maker.tolerated_words().unwrap_or_default(),
                _ => "within the benchmark's margin".to_owned(),
            },
        };
        let words = words(sheet, Sheet { number: i + 1, of: sheets.len() });
        let drawing = plot::curve(first.maker.theme, &curve)?;
        let kind = if sheets.len() > 1 { format!("curve-{:02}", i + 1) } else { "curve".to_owned() };
        let name = format!("{kind}-{slug}");
        let title = format!("{}: {}", Part::Curve.title(), first.maker.pair.model);
        figures.push(Figure {
            path: format!("figures/{name}.svg"),
            svg: drawing.svg(&name, &title, &words.alt),
            alt: words.alt,
            caption: words.caption,
            part: Part::Curve,
            pair: (first.maker.pair.model.to_owned(), String::new()),
        });
    }
    Ok(figures)
}

fn words(drawn: &[Drawn<'_>], sheet: Sheet) -> Words {
    let model = drawn[0].maker.pair.model;
    let compared: Vec<&ContrastRow> = drawn.iter().flat_map(|d| d.rows.iter().copied()).filter(|c| !c.aa).collect();
    let metric = |d: &Drawn<'_>| d.maker.names.metric_words(d.maker.metric());
    let panels: Vec<String> = drawn
        .iter()
        .map(|d| {
            let title = d.maker.names.benchmark_title(&d.maker.pair.benchmark.name);
            format!("{title}, change in {} {}", metric(d), d.of.words())
        })
        .collect();
    let largest: Vec<String> = drawn.iter().filter_map(largest).collect();
    let without = drawn.iter().any(|d| d.panel.floor.is_none());
    Words {
        alt: format!(
            "Change over measured bits per weight, {model}, {}: {}.",
            counted(drawn.len() as u64, "benchmark"),
            sentences::list(&largest.iter().map(String::as_str).collect::<Vec<_>>()),
        ),
        caption: format!(
            "{model}{}: {} against measured bits per weight (logarithmic scale). Bars: {} of the paired difference, not of \
             the two values{}; grey: what the repeated baseline moved{}. {}. Lines join the schemes of one family; \
             points closer than their width are moved aside. {}.",
            sheet.words(),
            panels.join("; "),
            interval_words(&compared, |c| c.interval.as_ref()),
            bound_words(&compared),
            if without { " (there is no A/A repeat where no grey is)" } else { "" },
            sizes(&compared),
            drawn[0].maker.repeat(),
        ),
    }
}

/// The largest change of a panel in words.
fn largest(d: &Drawn<'_>) -> Option<String> {
    let changes = d.rows.iter().filter(|c| !c.aa).filter_map(|c| c.delta.map(|delta| (delta, *c)));
    let (delta, c) = changes.max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))?;
    let scale = d.maker.scale();
    Some(format!(
        "{} changes most at {}, by {}",
        d.maker.names.benchmark_title(&d.maker.pair.benchmark.name),
        d.maker.names.setting_label(&c.setting),
        scale.change_with_noun(delta, scale.decimals_of(c.interval.as_ref()))
    ))
}

impl<'a> Maker<'a> {
    fn curve_panel(&'a self) -> Option<Drawn<'a>> {
        let of = if self.rows().iter().any(|c| overall(&c.cell)) { Of::AllItems } else { Of::Worst };
        let rows: Vec<&ContrastRow> = match of {
            Of::AllItems => self.rows().into_iter().filter(|c| overall(&c.cell)).collect(),
            Of::Worst => self.worst_rows(),
        };
        let points: Vec<CurvePoint> =
            rows.iter().filter(|c| !c.aa).filter_map(|c| self.point(self.names.setting(&c.setting)?, c)).collect();
        if points.is_empty() {
            return None;
        }
        let shown = |(low, high): (f64, f64)| (self.scale().shown(low), self.scale().shown(high));
        let noun = self.scale().noun();
        let unit = if noun.is_empty() { String::new() } else { format!(" ({noun})") };
        let size = |of: fn(&ContrastRow) -> u64| number::count(rows.iter().map(|c| of(c)).max().unwrap_or(0));
        let whom = if of == Of::Worst { ", worst subgroup" } else { "" };
        let panel = CurvePanel {
            title: self.names.benchmark_title(&self.pair.benchmark.name),
            note: format!(
                "{}{unit}{whom}, n = {} ({} clusters)",
                self.names.metric_words(self.metric()),
                size(|c| c.items),
                size(|c| c.clusters)
            ),
            points: self
                .names
                .baseline_of(self.pair.model)
                .and_then(baseline_point)
                .into_iter()
                .chain(points)
                .collect(),
            floor: rows.iter().find(|c| c.aa).and_then(|c| floor_of(c)).map(shown),
            margin: self.tolerated().map(shown),
        };
        Some(Drawn { panel, rows, of, maker: self })
    }

    /// For each setting, the contrast of the subgroup that its gate calls the worst.
    fn worst_rows(&self) -> Vec<&'a ContrastRow> {
        let rows = self.rows();
        let gates = self.names.findings.verdicts.iter();
        gates
            .filter(|v| v.model == self.pair.model && v.benchmark == self.pair.benchmark.name)
            .filter_map(|v| {
                let delta = v.worst_delta?;
                rows.iter().copied().find(|c| c.setting == v.setting && c.delta == Some(delta))
            })
            .collect()
    }

    /// Where a change stands; nowhere if the setting's bits are not known.
    fn point(&self, setting: &SettingInfo, c: &ContrastRow) -> Option<CurvePoint> {
        Some(CurvePoint {
            label: setting.label.clone(),
            family: setting.scheme_family.clone(),
            bits: setting.bits_per_weight?,
            pure: !setting.own,
            change: c.delta.map(|d| self.scale().shown(d)),
            interval: c.interval.as_ref().map(|i| (self.scale().shown(i.lower), self.scale().shown(i.upper))),
            bound: c.interval.is_some_and(|i| i.method == IntervalMethod::RareChange),
            significant: c.significant,
            baseline: false,
        })
    }
}

/// What a curve follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// The change over all items.
    AllItems,
    /// The worst subgroup of each setting, where a metric has no value over all items.
    Worst,
}

impl Of {
    fn words(self) -> &'static str {
        match self {
            Self::AllItems => "over all items",
            Self::Worst => {
                "in the subgroup that changed most towards worse (another one at each setting, and the largest of several \
                 is larger than each is on average)"
            }
        }
    }
}

/// What the A/A repeat moved: its interval, or its change where the interval is only a bound.
fn floor_of(c: &ContrastRow) -> Option<(f64, f64)> {
    let flat = c.delta.map(|d| (d, d));
    c.interval.filter(|i| i.method != IntervalMethod::RareChange).map(|i| (i.lower, i.upper)).or(flat)
}

fn baseline_point(setting: &SettingInfo) -> Option<CurvePoint> {
    Some(CurvePoint {
        label: setting.label.clone(),
        family: setting.scheme_family.clone(),
        bits: setting.bits_per_weight?,
        pure: !setting.own,
        change: Some(0.0),
        interval: None,
        bound: false,
        significant: false,
        baseline: true,
    })
}
