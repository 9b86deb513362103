//! A table for readers, made column by column from rows of the findings: head and field stand together, and every kind
//! of column that recurs is one verb.

use super::{Table, pair_title};
use crate::findings::{Cell, Interval, Tested};
use crate::report::escape::markdown;
use crate::report::names::Names;
use crate::report::number;

/// Rows of which a [`Table`] is being made. A head that begins with `>` is of a column of numbers.
pub(super) struct Listing<'a, T> {
    names: Names<'a>,
    rows: Vec<T>,
    heads: Vec<String>,
    fields: Vec<Vec<String>>,
}

impl<'a, T> Listing<'a, T> {
    pub(super) fn of(names: Names<'a>, rows: impl IntoIterator<Item = T>) -> Self {
        let rows: Vec<T> = rows.into_iter().collect();
        let fields = rows.iter().map(|_| Vec::new()).collect();
        Self { names, rows, heads: Vec::new(), fields }
    }

    pub(super) fn done(self) -> Table {
        let heads: Vec<&str> = self.heads.iter().map(String::as_str).collect();
        Table { rows: self.fields, ..Table::new(&heads) }
    }

    /// A column; the field is as it will stand, escaped.
    pub(super) fn column(mut self, head: &str, field: impl Fn(&T) -> String) -> Self {
        self.heads.push(head.to_owned());
        for (fields, row) in self.fields.iter_mut().zip(&self.rows) {
            fields.push(field(row));
        }
        self
    }

    /// A column of text of ours or of others.
    pub(super) fn text(self, head: &str, text: impl Fn(&T) -> &str) -> Self {
        self.column(head, |r| markdown(text(r)))
    }

    /// A column of text that may be undefined.
    pub(super) fn maybe(self, head: &str, text: impl Fn(&T) -> Option<&str>) -> Self {
        self.column(head, |r| text(r).map_or_else(undefined, markdown))
    }

    /// A column of counts.
    pub(super) fn count(self, head: &str, count: impl Fn(&T) -> Option<u64>) -> Self {
        self.column(head, |r| count(r).map_or_else(undefined, number::count))
    }

    /// A column of shares of 1.
    pub(super) fn share(self, head: &str, share: impl Fn(&T) -> Option<f64>) -> Self {
        self.column(head, |r| share(r).map_or_else(undefined, number::probability))
    }

    /// The columns of benchmark (with the model where there are several) and metric.
    pub(super) fn place(self, cell: impl Fn(&T) -> &Cell) -> Self {
        let names = self.names;
        let title = |cell: &Cell| {
            let pair = names.pairs().into_iter().find(|p| p.model == cell.model && p.benchmark.name == cell.benchmark);
            markdown(&pair.map_or_else(|| format!("{}, {}", cell.benchmark, cell.model), |p| pair_title(names, p)))
        };
        self.column("Benchmark", |r| title(cell(r))).column("Metric", |r| markdown(names.metric_title(&cell(r).metric)))
    }

    /// The column of settings, with what each is held against where that is not the baseline.
    pub(super) fn compared(self, ids: impl Fn(&T) -> (&str, &str)) -> Self {
        let names = self.names;
        self.column("Setting", |r| {
            let (id, against) = ids(r);
            let label = names.setting_label(id);
            let baseline = names.setting(against).is_none_or(|s| s.baseline);
            markdown(&if baseline { label } else { format!("{label} − {}", names.setting_label(against)) })
        })
    }

    /// A change in the metric's unit, and its interval in the next column.
    pub(super) fn change(self, head: &str, of: impl Fn(&T) -> (&Cell, Option<f64>, Option<&Interval>)) -> Self {
        let names = self.names;
        let change = |r: &T| {
            let (cell, value, interval) = of(r);
            let scale = names.scale(&cell.metric);
            let d = scale.decimals_of(interval);
            let value = value.map_or_else(undefined, |v| scale.change(v, d));
            (value, interval.map_or_else(undefined, |i| scale.interval(i, d)))
        };
        self.column(head, |r| change(r).0).column(">Interval", |r| change(r).1)
    }

    /// The column of p-values as they are.
    pub(super) fn p(self, head: &str, p: impl Fn(&T) -> Option<f64>) -> Self {
        let alpha = self.names.alpha();
        self.column(head, |r| p(r).map_or_else(undefined, |p| number::p_value(p, None, alpha)))
    }

    /// The column of p-values corrected for multiplicity.
    pub(super) fn adjusted(self, test: impl Fn(&T) -> Option<&Tested>) -> Self {
        self.p(">p adjusted", |r| test(r).and_then(|t| t.p_adjusted))
    }
}

pub(super) fn undefined() -> String {
    number::UNDEFINED.to_owned()
}
