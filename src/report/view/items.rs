//! How many items changed, per benchmark and setting.

use super::{Table, pair_title};
use crate::findings::{ItemChange, Items};
use crate::report::escape::markdown;
use crate::report::names::Names;
use crate::report::number;
use serde::Serialize;

/// Items that changed, counted.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct ItemsView {
    /// Whether the items came with the findings.
    pub(in crate::report) known: bool,
    /// All changes, as a number.
    pub(in crate::report) count: String,
    /// Changed items by benchmark and pair of settings.
    pub(in crate::report) table: Table,
}

impl ItemsView {
    /// Counts the changes.
    pub(super) fn of(names: Names<'_>, items: Option<&Items>) -> Self {
        let Some(items) = items else {
            return Self { known: false, count: number::UNDEFINED.to_owned(), table: Table::default() };
        };
        let mut table =
            Table::new(&["Benchmark", "Setting", "Held against", ">Items that changed", ">Of items", ">Share"]);
        for pair in names.pairs() {
            let of_pair: Vec<&ItemChange> = items
                .changes
                .iter()
                .filter(|c| c.model == pair.model)
                .filter(|c| items.texts.get(c.text as usize).is_some_and(|t| t.benchmark == pair.benchmark.name))
                .collect();
            let mut compared: Vec<(&str, &str)> = Vec::new();
            for c in &names.findings.contrasts {
                let own = c.cell.model == pair.model && c.cell.benchmark == pair.benchmark.name;
                if own && !compared.contains(&(&c.setting, &c.against)) {
                    compared.push((&c.setting, &c.against));
                }
            }
            for (setting, against) in compared {
                let (all, unknown) = (pair.benchmark.items, || number::UNDEFINED.to_owned());
                let n = of_pair.iter().filter(|c| c.setting == setting && c.against == against).count() as u64;
                table.rows.push(vec![
                    markdown(&pair_title(names, pair)),
                    markdown(&names.setting_label(setting)),
                    markdown(&names.setting_label(against)),
                    number::count(n),
                    all.map_or_else(unknown, number::count),
                    all.map_or_else(unknown, |all| number::percent_of(n, all)),
                ]);
            }
        }
        Self { known: true, count: number::count(items.changes.len() as u64), table }
    }
}
