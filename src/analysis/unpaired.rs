//! Settings without a common item, as imports without item ids have them: the difference of two samples of clusters.
//!
//! Every such row says `unpaired` in its flags and its note. It has no flips, no sign-flip test, no bootstrap interval, and
//! decides no gate: that both samples come from one population is an assumption that nothing here can check.

use super::contrast::{Contrast, contrast};
use super::flags::{self, publish};
use super::model_benchmark::{Facts, ModelBenchmark};
use crate::findings::{Cell, IntervalMethod, TestResult};
use crate::stats::cluster::{Cell as _, Totals};
use crate::stats::permutation::SignFlip;
use crate::stats::power::detectable;
use crate::stats::refusal::{Refusal, admit_interval};
use crate::stats::unpaired::clusters;
use crate::table::sums::{GroupSums, Pair, PairedSums};

/// Whether the settings of pair `p` share no usable item in any group, though both have some.
pub(super) fn apart(groups: &[GroupSums], settings: &[String], p: usize, pair: &Pair) -> bool {
    let place = |id: &String| settings.iter().position(|s| s == id);
    let (Some(against), Some(setting)) = (place(&pair.against), place(&pair.setting)) else { return false };
    let some = |g: &GroupSums, at: usize| g.settings[at].items_total() > 0;
    groups.iter().all(|g| g.pairs[p].totals.items_total() == 0)
        && groups.iter().any(|g| some(g, against) && some(g, setting))
}

/// The row of a cell whose two settings share no item. `sides` are the totals of the baseline and of the setting.
pub(super) fn two_samples(
    at: &ModelBenchmark<'_>,
    cell: Cell,
    pair: &Pair,
    (sums, tested): (PairedSums, Result<SignFlip, Refusal>),
    sides: (&Totals, &Totals),
    facts: Facts,
) -> Contrast {
    let (first, second) = sides;
    // No item is lost of pairs that never were.
    let sums = PairedSums { lost: 0, unsettled: 0.0, flips: None, ..sums };
    let mut found = contrast(at, cell, pair, (sums, tested), facts);
    found.unpaired = true;
    let row = &mut found.row;
    row.items = first.items_total().min(second.items_total());
    row.clusters = first.clusters().min(second.clusters()) as u64;
    row.clusters_effective = first.effective_clusters().min(second.effective_clusters());
    row.flags.push(flags::UNPAIRED.to_owned());
    let value = |side: &Totals| side.estimate(facts.functional).filter(|_| side.items_total() > 0);
    (row.baseline_value, row.setting_value) = (value(first), value(second));
    row.delta = row.setting_value.zip(row.baseline_value).map(|(b, a)| b - a);
    let admitted = [first, second]
        .into_iter()
        .try_for_each(|side| admit_interval(side, side.clusters(), facts.functional))
        .and_then(|()| if facts.functional.smooth() { Ok(()) } else { Err(Refusal::NotSmooth) });
    let why = match admitted.and_then(|()| clusters(&at.design, first, second, facts.functional)) {
        Ok(known) => {
            let level = at.method.level;
            (row.se, row.df) = (Some(known.se), Some(known.df));
            row.interval = Some(publish(known.interval(level), IntervalMethod::TwoSample));
            row.mde = detectable(known.se, known.df, level, at.method.plan.power);
            let p = known.p.max(f64::MIN_POSITIVE);
            row.test = Some(TestResult {
                p,
                p_mid: p,
                method: "Welch's t over clusters, unpaired".to_owned(),
                smallest_p: f64::MIN_POSITIVE,
            });
            "the two values come from different items".to_owned()
        }
        Err(refusal) => refusal.to_string(),
    };
    row.note = Some(format!("unpaired: {why}"));
    found
}
