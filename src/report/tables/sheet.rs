//! A table in columns, and how its columns are read from rows: every kind of column that recurs is one verb.

use super::super::escape;
use crate::findings::{Cell, Interval, Tested};

/// The fields of a column; texts are visible, numbers finite; absent is undefined.
pub(super) enum Fields {
    Text(Vec<Option<String>>),
    Number(Vec<Option<f64>>),
    Count(Vec<Option<u64>>),
    Flag(Vec<bool>),
}

/// A table: name of the file, number of rows, columns with their fields.
pub(super) struct Sheet {
    pub(super) name: &'static str,
    pub(super) height: usize,
    pub(super) columns: Vec<(String, Fields)>,
}

impl Sheet {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }
}

/// Rows of which a [`Sheet`] is being made, column by column.
pub(super) struct Rows<'a, T> {
    rows: &'a [T],
    sheet: Sheet,
}

impl<'a, T> Rows<'a, T> {
    pub(super) fn of(name: &'static str, rows: &'a [T]) -> Self {
        Self { rows, sheet: Sheet { name, height: rows.len(), columns: Vec::new() } }
    }

    pub(super) fn done(self) -> Sheet {
        self.sheet
    }

    fn column(mut self, name: &str, fields: Fields) -> Self {
        self.sheet.columns.push((name.to_owned(), fields));
        self
    }

    /// A column of text, ours or of others.
    pub(super) fn text(self, name: &str, read: impl Fn(&T) -> Option<String>) -> Self {
        let fields = self.rows.iter().map(|r| read(r).map(|t| escape::visible(&t))).collect();
        self.column(name, Fields::Text(fields))
    }

    /// A column of names, which every row has.
    pub(super) fn name(self, name: &str, read: impl Fn(&T) -> &str) -> Self {
        self.text(name, |r| Some(read(r).to_owned()))
    }

    /// A column of numbers.
    pub(super) fn number(self, name: &str, read: impl Fn(&T) -> Option<f64>) -> Self {
        let fields = self.rows.iter().map(|r| read(r).filter(|x| x.is_finite())).collect();
        self.column(name, Fields::Number(fields))
    }

    /// A column of counts.
    pub(super) fn count(self, name: &str, read: impl Fn(&T) -> Option<u64>) -> Self {
        let fields = self.rows.iter().map(read).collect();
        self.column(name, Fields::Count(fields))
    }

    /// A column of yes and no.
    pub(super) fn flag(self, name: &str, read: impl Fn(&T) -> bool) -> Self {
        let fields = self.rows.iter().map(read).collect();
        self.column(name, Fields::Flag(fields))
    }

    /// Where a row belongs: model, benchmark, metric, axis, subgroup.
    pub(super) fn cell(self, read: impl Fn(&T) -> &Cell) -> Self {
        self.name("model", |r| &read(r).model)
            .name("benchmark", |r| &read(r).benchmark)
            .name("metric", |r| &read(r).metric)
            .name("axis", |r| &read(r).axis)
            .name("subgroup", |r| &read(r).subgroup)
    }

    /// The limits of an interval: `lower` and `upper`, or `<prefix>_lower` and `<prefix>_upper`.
    pub(super) fn limits(self, prefix: &str, read: impl Fn(&T) -> Option<Interval>) -> Self {
        let name = |end: &str| if prefix.is_empty() { end.to_owned() } else { format!("{prefix}_{end}") };
        self.number(&name("lower"), |r| read(r).map(|i| i.lower)).number(&name("upper"), |r| read(r).map(|i| i.upper))
    }

    /// A test: `p`, `p_adjusted`, `test`, `family`, each behind the prefix if there is one.
    pub(super) fn test(self, prefix: &str, read: impl Fn(&T) -> Option<&Tested>) -> Self {
        let name = |what: &str| if prefix.is_empty() { what.to_owned() } else { format!("{prefix}_{what}") };
        self.number(&name("p"), |r| read(r).map(|t| t.p))
            .number(&name("p_adjusted"), |r| read(r).and_then(|t| t.p_adjusted))
            .text(&name("test"), |r| read(r).map(|t| t.method.clone()))
            .text(&name("family"), |r| read(r).and_then(|t| t.family.clone()))
    }
}
