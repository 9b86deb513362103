//! Change of headline metrics over measured bits per weight, with paired intervals and the A/A band: one panel per
//! benchmark.

use super::axis::{Axis, spread};
use super::canvas::{Align, Canvas, Drawing, Drawn, Ink, Shape, figure};
use super::frame::{self, BELOW_EM, Frame, Tick, round_ticks};
use super::legend::{self, Entry};
use super::metrics;
use super::rows::BOUND;
use super::style::{Style, styles};
use crate::report::ReportError;
use crate::report::number;
use crate::report::theme::Theme;

/// One setting, in shown units.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct CurvePoint {
    /// Label of the setting.
    pub(in crate::report) label: String,
    /// Family of schemes.
    pub(in crate::report) family: String,
    /// Measured bits per weight.
    pub(in crate::report) bits: f64,
    /// Whether it is one of its family's own schemes, which a line joins; not a mixture or another setting of its own name.
    pub(in crate::report) pure: bool,
    /// Change against the baseline.
    pub(in crate::report) change: Option<f64>,
    /// Its interval.
    pub(in crate::report) interval: Option<(f64, f64)>,
    /// Whether the interval is only a bound, because hardly anything changed.
    pub(in crate::report) bound: bool,
    /// Significant after adjustment.
    pub(in crate::report) significant: bool,
    /// Whether this is the baseline itself, whose change is 0 by definition.
    pub(in crate::report) baseline: bool,
}

/// The change of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct CurvePanel {
    /// Above the panel.
    pub(in crate::report) title: String,
    /// Below the title: what changes, in what unit, over how many items.
    pub(in crate::report) note: String,
    /// Settings, baseline among them.
    pub(in crate::report) points: Vec<CurvePoint>,
    /// Interval of the A/A contrast, in shown units.
    pub(in crate::report) floor: Option<(f64, f64)>,
    /// Changes within the margin, lowest and highest in shown units; infinite where one direction counts alone.
    pub(in crate::report) margin: Option<(f64, f64)>,
}

/// One figure: panels that share the settings and the scale of bits.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Curve {
    /// Benchmarks.
    pub(in crate::report) panels: Vec<CurvePanel>,
    /// Words for the margins.
    pub(in crate::report) margin_words: String,
}

/// Figures narrower than this, in millimetres, have one column of panels.
const TWO_COLUMNS_MM: f64 = 140.0;

/// How the panels lie, in millimetres: title, in the uppermost ones the names of the settings, plot.
struct Layout {
    columns: usize,
    names: f64,
    /// Room for the names with the lines that lead from them to the plot.
    top: f64,
    head: f64,
    plot: f64,
    gap: f64,
}

fn laid_out(theme: &Theme, panels: usize, names: f64) -> Layout {
    let em = theme.font_pt * metrics::MM_PER_PT;
    let columns = if panels > 1 && theme.width_mm >= TWO_COLUMNS_MM { 2 } else { 1 };
    let plot = match panels.div_ceil(columns) {
        1 if columns == 1 => 0.33 * theme.width_mm.max(120.0),
        1 => 46.0,
        _ => 34.0,
    };
    Layout { columns, names, top: names + 6.5, head: 3.4 * em, plot, gap: 2.0 }
}

/// The most room for the names of settings above the panels, in millimetres.
const MOST_NAME_MM: f64 = 24.0;

/// How many panels one figure holds.
pub(in crate::report) fn curves_per_sheet(theme: &Theme) -> usize {
    let layout = laid_out(theme, 2, MOST_NAME_MM);
    let room = theme.height_mm - layout.top - 25.0;
    layout.columns * ((room / (layout.head + layout.plot + layout.gap)).floor() as usize).max(1)
}

/// Draws the panels.
pub(in crate::report) fn curve(theme: &Theme, curve: &Curve) -> Result<Drawing, ReportError> {
    let note = theme.note_pt();
    let em = note * metrics::MM_PER_PT;
    let points = || curve.panels.iter().flat_map(|p| &p.points);
    let families = styles(theme, points().filter(|p| !p.baseline).map(|p| p.family.as_str()));
    let entries = legend_entries(theme, curve, &families);
    let order = settings(curve);
    let names = order.iter().map(|p| metrics::width(&p.label, note, false)).fold(0.0, f64::max);
    let layout = laid_out(theme, curve.panels.len(), names.min(MOST_NAME_MM) + 1.0);
    let lines = curve.panels.len().div_ceil(layout.columns);
    let step = layout.head + layout.plot + layout.gap;
    let end = layout.top + lines as f64 * step - layout.gap;
    let width = theme.width_mm - 2.0;
    let height = end + BELOW_EM * em + legend::height(&entries, note, width) + 2.0;
    let column = (theme.width_mm - 1.0 - 3.0 * (layout.columns - 1) as f64) / layout.columns as f64;
    figure(theme, height, |canvas| {
        for (i, panel) in curve.panels.iter().enumerate() {
            let (line, at) = (i / layout.columns, i % layout.columns);
            let x = 0.5 + at as f64 * (column + 3.0);
            let top = layout.top + line as f64 * step + layout.head;
            let left = x + frame::left_room(note, "−00.00") - 1.6 * em;
            let area = Frame { left, right: x + column - 2.0, top, bottom: top + layout.plot };
            let bits = bits_axis(&order, &area);
            let places = places(&order, &bits, &area);
            if line == 0 {
                name_settings(canvas, &order, (&bits, &places), &area, layout.names)?;
            }
            let last = i + layout.columns >= curve.panels.len();
            let title = area.top - layout.head - if line == 0 { layout.top } else { 0.0 };
            let here = Place { area, x, title, bits, places: &places, order: &order, last };
            draw_panel(canvas, panel, &here, &families)?;
        }
        legend::draw(canvas, &entries, (1.0, end + BELOW_EM * em), width)
    })
}

/// Where a panel lies, and where the settings lie in it.
struct Place<'p> {
    area: Frame,
    x: f64,
    title: f64,
    bits: Axis,
    places: &'p [f64],
    order: &'p [&'p CurvePoint],
    last: bool,
}

/// Every setting of any panel once, by bits.
fn settings(curve: &Curve) -> Vec<&CurvePoint> {
    let mut order: Vec<&CurvePoint> = Vec::new();
    for point in curve.panels.iter().flat_map(|p| &p.points).filter(|p| p.bits.is_finite()) {
        if !order.iter().any(|o| o.label == point.label && o.bits == point.bits && o.baseline == point.baseline) {
            order.push(point);
        }
    }
    order.sort_by(|a, b| a.bits.total_cmp(&b.bits));
    order
}

fn places(order: &[&CurvePoint], bits: &Axis, area: &Frame) -> Vec<f64> {
    let wanted: Vec<f64> = order.iter().map(|p| bits.place(p.bits.max(0.1).log2())).collect();
    spread(&wanted, 2.2, area.left + 2.0, area.right - 2.0)
}

/// The names of the settings above a column of panels; names that would touch are left out, the crowded ones first.
fn name_settings(
    canvas: &Canvas<'_>,
    order: &[&CurvePoint],
    (bits, places): (&Axis, &[f64]),
    area: &Frame,
    room: f64,
) -> Drawn {
    let note = canvas.note();
    let em = note.pt * metrics::MM_PER_PT;
    let (left, right) = (area.left + em * 0.7, area.right - em * 0.7);
    let most = (((right - left) / (1.2 * em)).floor() as usize + 1).max(1);
    let every = order.len().div_ceil(most).max(1);
    let named: Vec<usize> = (0..order.len()).step_by(every).collect();
    let wanted: Vec<f64> = named.iter().map(|i| bits.place(order[*i].bits.max(0.1).log2())).collect();
    let foot = area.top - 5.5;
    for (i, x) in named.iter().zip(spread(&wanted, 1.25 * em, left, right)) {
        let label = metrics::fit(&order[*i].label, note.pt, false, room);
        canvas.text_up(&label, (x, foot), Align::Start, note)?;
        let (from, to) = (foot + 0.6, area.top);
        canvas.path(&[(x, from), (places[*i], to - 1.0), (places[*i], to)], 0.12, canvas.theme.colours.muted)?;
    }
    Ok(())
}

fn draw_panel(canvas: &Canvas<'_>, panel: &CurvePanel, place: &Place<'_>, families: &[(String, Style)]) -> Drawn {
    let area = &place.area;
    let em = canvas.theme.font_pt * metrics::MM_PER_PT;
    let (low, high) = value_range(panel);
    let values = Axis::new(low, high, area.bottom, area.top);
    let title = Ink { bold: true, ..canvas.ink() };
    let room = area.right - place.x;
    let fitted = metrics::fit(&panel.title, title.pt, true, room);
    canvas.text(&fitted, (place.x + 0.5, place.title + 0.9 * em), Align::Start, title)?;
    let fitted = metrics::fit(&panel.note, canvas.note().pt, false, room);
    canvas.text(&fitted, (place.x + 0.5, place.title + 2.2 * em), Align::Start, canvas.note())?;
    ground(canvas, panel, place, &values)?;
    let at = |point: &CurvePoint| {
        let same = |o: &&CurvePoint| o.label == point.label && o.bits == point.bits && o.baseline == point.baseline;
        place.order.iter().position(same).map(|i| place.places[i])
    };
    let mut order: Vec<(&CurvePoint, f64)> = panel.points.iter().filter_map(|p| Some((p, at(p)?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (family, style) in families {
        lines(canvas, family, *style, &order, &values)?;
    }
    for (point, x) in &order {
        let style = families.iter().find(|(f, _)| *f == point.family).map(|(_, s)| *s);
        draw_point(canvas, point, *x, style, &values)?;
    }
    Ok(())
}

fn value_range(panel: &CurvePanel) -> (f64, f64) {
    let mut all: Vec<f64> = vec![0.0];
    for p in &panel.points {
        all.extend(p.change);
        all.extend(p.interval.filter(|_| !p.bound).map(|i| [i.0, i.1]).into_iter().flatten());
    }
    all.extend(panel.floor.map(|f| [f.0, f.1]).into_iter().flatten());
    if let Some((low, high)) = panel.margin {
        all.extend([low * 1.1, high * 1.1]);
    }
    let finite = || all.iter().copied().filter(|v| v.is_finite());
    let (low, high) = (finite().fold(f64::MAX, f64::min), finite().fold(f64::MIN, f64::max));
    let pad = ((high - low) * 0.05).max(1e-9);
    (low - pad, high + pad)
}

fn bits_axis(order: &[&CurvePoint], area: &Frame) -> Axis {
    let logs = || order.iter().map(|p| p.bits.max(0.1).log2());
    let (low, high) = (logs().fold(f64::MAX, f64::min), logs().fold(f64::MIN, f64::max));
    Axis::new(low - 0.1, high + 0.1, area.left + 3.0, area.right - 3.0)
}

/// Round numbers of bits that may have ticks.
const BITS: [f64; 18] =
    [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 16.0, 20.0, 24.0, 32.0];

fn ground(canvas: &Canvas<'_>, panel: &CurvePanel, place: &Place<'_>, values: &Axis) -> Drawn {
    let colours = canvas.theme.colours;
    let area = &place.area;
    let (left, right) = (area.left, area.right);
    if let Some((low, high)) = panel.margin {
        canvas.rect(left, values.held(high), right, values.held(low), colours.margin, 1.0)?;
        for edge in [low, high].into_iter().filter(|e| values.holds(*e)) {
            canvas.dashed((left, values.place(edge)), (right, values.place(edge)), (0.8, 0.8), 0.15, colours.muted)?;
        }
    }
    if let Some((low, high)) = panel.floor {
        canvas.rect(left, values.held(high) - 0.1, right, values.held(low) + 0.1, colours.floor, 0.75)?;
    }
    for x in place.places {
        canvas.line((*x, area.top), (*x, area.bottom), 0.1, colours.rule)?;
    }
    area.axes(canvas)?;
    area.ticks_left(canvas, &round_ticks(values, 7))?;
    canvas.line((left, values.place(0.0)), (right, values.place(0.0)), 0.25, colours.ink)?;
    if !place.last {
        return Ok(());
    }
    let ticks: Vec<Tick> = BITS.iter().map(|b| (place.bits.place(b.log2()), number::shortest(*b, 1))).collect();
    area.ticks_below(canvas, &ticks)?;
    area.title_below(canvas, "Measured bits per weight (quantizable tensors)")
}

fn lines(canvas: &Canvas<'_>, family: &str, style: Style, order: &[(&CurvePoint, f64)], values: &Axis) -> Drawn {
    let mut before: Option<(f64, f64)> = None;
    for (point, x) in order.iter().filter(|(p, _)| p.family == family && p.pure && !p.baseline) {
        let Some(change) = point.change else { continue };
        let here = (*x, values.place(change));
        if let Some(there) = before {
            canvas.dashed(there, here, style.dash, 0.3, style.colour)?;
        }
        before = Some(here);
    }
    Ok(())
}

fn draw_point(canvas: &Canvas<'_>, point: &CurvePoint, x: f64, style: Option<Style>, values: &Axis) -> Drawn {
    let ink = canvas.theme.colours.ink;
    let (shape, colour) = style.map_or((Shape::Bar, ink), |s| (s.shape, s.colour));
    let Some(change) = point.change else {
        return canvas.text("—", (x, values.place(0.0)), Align::Middle, canvas.note());
    };
    match point.interval {
        Some(interval) if point.bound => bound(canvas, interval, x, values)?,
        Some((low, high)) => {
            canvas.line((x, values.place(low)), (x, values.place(high)), 0.4, colour)?;
            for end in [low, high] {
                canvas.line((x - 0.7, values.place(end)), (x + 0.7, values.place(end)), 0.3, colour)?;
            }
        }
        None => {}
    }
    canvas.mark(shape, (x, values.place(change)), 1.0, colour, point.significant || point.baseline)
}

/// A bound as a dotted line; an end beyond the axis is an arrow head.
fn bound(canvas: &Canvas<'_>, (low, high): (f64, f64), x: f64, values: &Axis) -> Drawn {
    let colour = canvas.theme.colours.muted;
    canvas.dashed((x, values.held(low)), (x, values.held(high)), BOUND, 0.25, colour)?;
    for (end, d) in [(low, -1.1), (high, 1.1)] {
        if !values.holds(end) {
            let y = values.held(end);
            canvas.polygon(&[(x, y), (x - 0.55, y + d), (x + 0.55, y + d)], colour, 1.0)?;
        }
    }
    Ok(())
}

fn legend_entries<'e>(theme: &Theme, curve: &Curve, families: &[(String, Style)]) -> Vec<Entry<'e>> {
    let colours = theme.colours;
    let points = || curve.panels.iter().flat_map(|p| &p.points);
    let mut entries: Vec<Entry<'e>> = families.iter().map(|(name, style)| style.entry(name)).collect();
    if points().any(|p| p.baseline) {
        entries.push(Entry::mark("baseline", Shape::Bar, colours.ink, true));
    }
    entries.push(Entry::mark("hollow: not significant after adjustment", Shape::Circle, colours.ink, false));
    if points().any(|p| p.bound) {
        entries.push(Entry::dashed("bound: hardly any cluster changed", BOUND, 0.25, colours.muted));
    }
    if curve.panels.iter().any(|p| p.floor.is_some()) {
        entries.push(Entry::patch("A/A floor: the repeated baseline", colours.floor, 0.75));
    }
    if curve.panels.iter().any(|p| p.margin.is_some()) {
        entries.push(Entry::patch(&curve.margin_words, colours.margin, 1.0));
    }
    entries
}
