//! Figures of what a run of this size can tell, and of pairs of schemes of about the same bits per weight.

use super::{Figure, Maker, Part, Sheet, Words, bound_words, evenly, interval_words, sizes};
use crate::findings::{ContrastRow, IntervalMethod, PowerRow, SettingInfo};
use crate::report::ReportError;
use crate::report::names::overall;
use crate::report::number::{self, counted};
use crate::report::plot::{self, PairMark, PairSide, Pairs, Power, PowerLine, RowLabel};

/// Two schemes are a pair up to this many bits per weight apart.
const ALIKE_BITS: f64 = 1.0;

/// A weight-only setting and one that quantizes activations too, with their changes.
struct Couple<'a> {
    weights: (&'a SettingInfo, &'a ContrastRow),
    both: (&'a SettingInfo, &'a ContrastRow),
    /// The contrast between them, where the plan names it.
    between: Option<&'a ContrastRow>,
}

impl<'a> Maker<'a> {
    /// The smallest change that could have been found, over items.
    pub(super) fn power(&self) -> Result<Option<Figure>, ReportError> {
        let rows = self.of_metric(&self.names.findings.power, |r| &r.cell);
        let mut rows: Vec<&PowerRow> = rows
            .into_iter()
            .filter(|r| overall(&r.cell) && self.is_baseline(&r.against) && !r.curve.is_empty())
            .filter(|r| self.names.setting(&r.setting).is_none_or(|s| !s.aa))
            .collect();
        rows.sort_by_key(|r| self.place(&r.setting));
        let Some(first) = rows.first() else { return Ok(None) };
        let metric = self.names.metric_words(&first.cell.metric);
        let scale = self.names.scale(&first.cell.metric);
        let line = |r: &&PowerRow| PowerLine {
            label: self.names.setting_label(&r.setting),
            family: self.names.setting(&r.setting).map_or("other", |s| &s.scheme_family).to_owned(),
            points: r.curve.iter().map(|p| (p.items as f64, scale.shown(p.mde))).collect(),
            now: (r.items as f64, scale.shown(r.mde)),
        };
        let noun = scale.noun();
        let unit = if noun.is_empty() { String::new() } else { format!(" ({noun})") };
        let margin = rows.iter().find_map(|r| r.margin);
        let figure = Power {
            lines: rows.iter().map(line).collect(),
            margin: margin.map(|m| scale.shown(m)),
            margin_words: margin
                .map_or_else(String::new, |m| format!("within the margin of {}", scale.chosen_with_noun(m))),
            value_title: format!("Smallest detectable change{unit}"),
            items_title: "Items (logarithmic), clusters growing in proportion".to_owned(),
        };
        let words = self.power_words(&rows, &metric);
        let drawing = plot::power(self.theme, &figure)?;
        Ok(Some(self.figure("power", &drawing, Part::Power, words)))
    }

    fn power_words(&self, rows: &[&PowerRow], metric: &str) -> Words {
        let scale = self.names.scale(&rows[0].cell.metric);
        let largest = rows.iter().map(|r| r.mde).fold(0.0, f64::max);
        let clusters = rows.iter().map(|r| r.clusters).max().unwrap_or(0);
        let items = rows.iter().map(|r| r.items).max().unwrap_or(0);
        let power = number::level(rows[0].power);
        let decimals = scale.decimals(Some(largest));
        Words {
            alt: format!(
                "Power curves, {}: smallest detectable change in {metric} over items at {}. This run would have found \
                 changes from {} on with a power of {power}, at the noisiest setting.",
                self.subject(),
                counted(rows.len() as u64, "setting"),
                scale.size_with_noun(largest, decimals),
            ),
            caption: format!(
                "{}: smallest change in {metric}, over all items, that a run of so many items finds with a power of \
                 {power} at a two-sided level of {} before adjustment, from the standard errors of this run; n = {} items \
                 in {} clusters at the marks. A mark off its line: so few clusters changed that a bound, and not the \
                 standard error, says what could have been missed. {}.",
                self.subject(),
                number::level(1.0 - self.names.findings.plan.level),
                number::count(items),
                number::count(clusters),
                self.repeat(),
            ),
        }
    }

    /// Weight-only against weight-and-activation schemes.
    pub(super) fn pairs(&self) -> Result<Vec<Figure>, ReportError> {
        let couples = self.couples();
        if couples.is_empty() {
            return Ok(Vec::new());
        }
        let most = plot::rows_per_sheet(self.theme, plot::ROW_EM) / 4;
        let parts = evenly(&couples, most);
        let reach = self.pairs_reach(&couples);
        self.sheets("pairs", Part::Pairs, &parts, |part, sheet| {
            Ok((plot::pairs(self.theme, &self.pairs_sheet(part, reach))?, self.pairs_words(part, sheet)))
        })
    }

    /// Every setting that quantizes activations with the weight-only setting that is nearest in bits per weight.
    fn couples(&self) -> Vec<Couple<'a>> {
        let rows = self.all_rows();
        let change = |s: &SettingInfo| {
            let mut own = rows.iter().copied().filter(|c| overall(&c.cell) && c.setting == s.id);
            own.find(|c| self.names.against_baseline(c) && !c.aa)
        };
        let settings: Vec<(&SettingInfo, &ContrastRow)> = self
            .names
            .settings_of(self.pair.model)
            .filter(|s| !s.baseline && !s.aa && s.bits_per_weight.is_some())
            .filter_map(|s| Some((s, change(s)?)))
            .collect();
        let bits = |s: &SettingInfo| s.bits_per_weight.unwrap_or_default();
        let mut couples: Vec<Couple<'a>> = Vec::new();
        for both in settings.iter().filter(|(s, _)| s.activations_quantized) {
            let apart = |s: &SettingInfo| (bits(s) - bits(both.0)).abs();
            let alone = settings.iter().filter(|(s, _)| !s.activations_quantized && apart(s) <= ALIKE_BITS);
            let Some(weights) = alone.min_by(|a, b| apart(a.0).total_cmp(&apart(b.0))) else { continue };
            let ids = [&weights.0.id, &both.0.id];
            let between = rows
                .iter()
                .copied()
                .find(|c| overall(&c.cell) && ids.contains(&&c.setting) && ids.contains(&&c.against));
            couples.push(Couple { weights: *weights, both: *both, between });
        }
        couples.sort_by(|a, b| bits(a.both.0).total_cmp(&bits(b.both.0)));
        couples
    }

    fn pairs_sheet(&self, couples: &[Couple<'_>], reach: f64) -> Pairs {
        let (mut rows, mut notes, mut marks) = (Vec::new(), Vec::new(), Vec::new());
        for couple in couples {
            let bits = couple.both.0.bits_per_weight.map(|b| number::fixed(b, 1)).unwrap_or_default();
            rows.push(RowLabel::Heading(format!("about {bits} bits")));
            notes.push(String::new());
            marks.push(None);
            for ((setting, row), side) in
                [(couple.weights, PairSide::Weights), (couple.both, PairSide::WeightsAndActivations)]
            {
                rows.push(RowLabel::Inner(setting.label.clone()));
                notes.push(number::bits(setting.bits_per_weight));
                marks.push(Some(self.pair_mark(row, side)));
            }
            if let Some(row) = couple.between {
                rows.push(RowLabel::Inner(self.names.contrast_label(row)));
                notes.push(String::new());
                marks.push(Some(self.pair_mark(row, PairSide::Difference)));
            }
        }
        let shown: Vec<&ContrastRow> = couples.iter().flat_map(Couple::rows).collect();
        let scale = self.scale();
        let noun = scale.noun();
        let unit = if noun.is_empty() { String::new() } else { format!(" ({noun})") };
        Pairs {
            rows,
            notes,
            marks,
            scale: (-reach, reach),
            margin: self.tolerated().map(|(low, high)| (scale.shown(low), scale.shown(high))),
            margin_words: self.tolerated_words().unwrap_or_default(),
            axis_title: format!("Change in {}{unit}", self.names.metric_words(self.metric())),
            interval_words: interval_words(&shown, |c| c.interval.as_ref()),
        }
    }

    fn pair_mark(&self, row: &ContrastRow, side: PairSide) -> PairMark {
        let scale = self.scale();
        PairMark {
            side,
            change: row.delta.filter(|d| d.is_finite()).map(|d| scale.shown(d)),
            interval: row.interval.map(|i| (scale.shown(i.lower), scale.shown(i.upper))),
            bound: row.interval.is_some_and(|i| i.method == IntervalMethod::RareChange),
            significant: row.significant,
        }
    }

    /// How far the scale goes, in shown units.
    fn pairs_reach(&self, couples: &[Couple<'_>]) -> f64 {
        let rows: Vec<&ContrastRow> = couples.iter().flat_map(Couple::rows).collect();
        self.scale().shown(super::subgroups::reach(&rows, self.margin()))
    }

    fn pairs_words(&self, couples: &[Couple<'_>], sheet: Sheet) -> Words {
        let rows: Vec<&ContrastRow> = couples.iter().flat_map(Couple::rows).collect();
        let metric = self.names.metric_words(self.metric());
        Words {
            alt: format!(
                "Paired rows, {}: change in {metric} under {} of schemes, weights alone against weights and activations.",
                self.subject(),
                counted(couples.len() as u64, "pair"),
            ),
            caption: format!(
                "{}: change in {metric} over all items, setting minus baseline on the same items, for each scheme that \
                 quantizes activations beside the weight-only one nearest to it in bits per weight (at most {} apart){}. \
                 {}; line: {}{}. {}.",
                self.subject(),
                number::shortest(ALIKE_BITS, 1),
                sheet.words(),
                sizes(&rows),
                interval_words(&rows, |c| c.interval.as_ref()),
                bound_words(&rows),
                self.repeat(),
            ),
        }
    }
}

impl<'a> Couple<'a> {
    /// Every change that is shown of it.
    fn rows(&self) -> impl Iterator<Item = &'a ContrastRow> {
        [Some(self.weights.1), Some(self.both.1), self.between].into_iter().flatten()
    }
}
