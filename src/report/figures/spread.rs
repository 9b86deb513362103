//! Figures of differences between subgroups: the gap per axis and setting.

use super::{Figure, Maker, Part, Sheet, Words, evenly};
use crate::findings::RangeRow;
use crate::report::ReportError;
use crate::report::number::{self, Scale, counted};
use crate::report::plot::{self, Gap, GapMark, Head, RowLabel};

impl Maker<'_> {
    /// Gaps of the headline metric: axes beside each other, settings below each other.
    pub(super) fn gaps(&self) -> Result<Vec<Figure>, ReportError> {
        let rows = self.of_metric(&self.names.findings.ranges, |r| &r.cell);
        let mut axes: Vec<&str> = Vec::new();
        let mut settings: Vec<&str> = Vec::new();
        for row in &rows {
            if !axes.contains(&row.cell.axis.as_str()) {
                axes.push(&row.cell.axis);
            }
            if !settings.contains(&row.setting.as_str()) {
                settings.push(&row.setting);
            }
        }
        if !rows.iter().any(|r| r.value.is_some()) {
            return Ok(Vec::new());
        }
        settings.sort_by_key(|s| self.place(s));
        let panels = evenly(&axes, plot::panels_per_sheet(self.theme, 8.0));
        let parts = evenly(&settings, plot::rows_per_sheet(self.theme, plot::ROW_EM));
        let sheets: Vec<(&[&str], &[&str])> =
            panels.iter().flat_map(|axes| parts.iter().map(move |part| (*axes, *part))).collect();
        self.sheets("gap", Part::Gap, &sheets, |(axes, settings), sheet| {
            let gap = self.gap(&rows, axes, settings);
            Ok((plot::gap(self.theme, &gap)?, self.gap_words(&rows, axes, sheet)))
        })
    }

    fn gap(&self, rows: &[&RangeRow], axes: &[&str], settings: &[&str]) -> Gap {
        let metric = &rows[0].cell.metric;
        let scale = self.names.scale(metric);
        let find = |axis: &str, setting: &str| rows.iter().find(|r| r.cell.axis == axis && r.setting == setting);
        let panel = |axis: &&str| {
            let subgroups = rows.iter().find(|r| r.cell.axis == *axis).map_or(0, |r| r.subgroups);
            let head = Head { title: (*axis).to_owned(), note: counted(subgroups, "subgroup") };
            (head, settings.iter().map(|s| find(axis, s).map(|r| mark(r, scale))).collect::<Vec<_>>())
        };
        let level = rows.iter().find_map(|r| r.interval.map(|i| i.level));
        let noun = scale.noun();
        let unit = if noun.is_empty() { String::new() } else { format!(" ({noun})") };
        Gap {
            rows: settings.iter().map(|s| RowLabel::Outer(self.names.setting_label(s))).collect(),
            panels: axes.iter().map(panel).collect(),
            reach: reach(rows, scale),
            axis_title: format!("Largest less smallest {}{unit}", self.names.metric_words(metric)),
            interval_words: level
                .map_or_else(String::new, |l| format!("{} interval (from bands of all pairs)", number::level(l))),
        }
    }

    fn gap_words(&self, rows: &[&RangeRow], axes: &[&str], sheet: Sheet) -> Words {
        let metric = self.names.metric_words(&rows[0].cell.metric);
        let shown = || rows.iter().filter(|r| axes.contains(&r.cell.axis.as_str()));
        let significant = shown().filter(|r| r.test.as_ref().is_some_and(|t| t.significant)).count() as u64;
        let undefined = shown().filter(|r| r.value.is_none()).count() as u64;
        let benchmark = self.pair.benchmark;
        Words {
            alt: format!(
                "Gap between subgroups, {}: largest less smallest {metric} on {}. {} significant after adjustment, {} \
                 undefined.",
                self.subject(),
                axes.join(", "),
                counted(significant, "gap"),
                number::count(undefined),
            ),
            caption: format!(
                "{}: largest less smallest {metric} among the subgroups of an axis, per setting{}, n = {} items in {} \
                 clusters. Line: {} interval by inverting the simultaneous bands of all pairwise differences; grey: 2.5% \
                 to 97.5% quantiles, and mean, of the gap where subgroup labels are permuted; filled: significant after \
                 adjustment. A gap is above 0 by chance alone, so it is read against the grey band. {}.",
                self.subject(),
                sheet.words(),
                benchmark.items.map_or_else(|| "an unknown number of".to_owned(), number::count),
                number::count(benchmark.clusters),
                number::level(self.names.findings.plan.level),
                self.repeat(),
            ),
        }
    }
}

fn mark(row: &RangeRow, scale: Scale) -> GapMark {
    GapMark {
        value: row.value.filter(|v| v.is_finite()).map(|v| scale.shown(v)),
        interval: row.interval.map(|i| (scale.shown(i.lower), scale.shown(i.upper))),
        null_mean: row.null_mean.map(|v| scale.shown(v)),
        null_band: row.null_band.map(|b| (scale.shown(b[0]), scale.shown(b[1]))),
        significant: row.test.as_ref().is_some_and(|t| t.significant),
    }
}

/// Every value and null band is in; intervals are, up to twice that.
fn reach(rows: &[&RangeRow], scale: Scale) -> f64 {
    let largest = |of: fn(&RangeRow) -> Option<f64>| {
        rows.iter().filter_map(|r| of(r)).filter(|v| v.is_finite()).fold(0.0, f64::max)
    };
    let inner = largest(|r| r.value).max(largest(|r| r.null_band.map(|b| b[1])));
    let outer = largest(|r| r.interval.map(|i| i.upper));
    let reach = scale.shown(inner.max(outer.min(2.0 * inner))) * 1.05;
    if reach > 0.0 { reach } else { 1.0 }
}
