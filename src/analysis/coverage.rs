//! Outcome counts: what became of every item, by benchmark, setting, and subgroup.

use super::cells::{Part, groups};
use super::readings::{Absent, Readings};
use crate::benchmark::BenchmarkData;
use crate::findings::CoverageRow;
use crate::metric::{Outcome, Scope};

/// One row per setting and group, settings in the given order.
pub(super) fn coverage(
    model: &str,
    data: &BenchmarkData,
    settings: &[String],
    readings: &Readings,
    absent: &Absent,
) -> Vec<CoverageRow> {
    let groups = groups(data, Scope::Each);
    let mut rows = Vec::new();
    for setting in settings {
        let Some(read) = readings.get(setting) else { continue };
        for group in &groups {
            let mut row = CoverageRow {
                model: model.to_owned(),
                benchmark: data.name.clone(),
                setting: setting.clone(),
                axis: group.axis.clone(),
                subgroup: group.subgroup.clone(),
                items: 0,
                answered: 0,
                refused: 0,
                unparsed: 0,
                truncated: 0,
                failed: 0,
            };
            let absent = absent.get(setting);
            for (i, (part, reading)) in group.parts.iter().zip(read).enumerate() {
                if *part == Part::Member && !absent.is_some_and(|absent| absent[i]) {
                    count(&mut row, reading.outcome);
                }
            }
            rows.push(row);
        }
    }
    rows
}

fn count(row: &mut CoverageRow, outcome: Outcome) {
    row.items += 1;
    *match outcome {
        Outcome::Answered => &mut row.answered,
        Outcome::Refused => &mut row.refused,
        Outcome::Unparsed => &mut row.unparsed,
        Outcome::Truncated => &mut row.truncated,
        Outcome::Failed => &mut row.failed,
    } += 1;
}
