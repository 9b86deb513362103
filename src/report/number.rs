//! Numbers become words here and nowhere else.
//!
//! Decimals follow the width of the interval, shares are shown in points (×100), the minus sign is U+2212, a
//! p-value is never 0, and what is undefined is a dash. Nothing here computes a statistic, and nothing here guesses:
//! a number that is not finite is shown as undefined.

use crate::findings::{Interval, Unit};

/// What stands where a number is undefined.
pub const UNDEFINED: &str = "—";

/// The most decimals that are ever shown.
const MOST_DECIMALS: usize = 6;

/// How values of one metric are shown: multiplied, with so many decimals where nothing else decides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    factor: f64,
    default_decimals: usize,
    unit: Unit,
}

impl Scale {
    /// The scale of a unit.
    #[must_use]
    pub fn of(unit: Unit) -> Self {
        match unit {
            Unit::Share => Self { factor: 100.0, default_decimals: 1, unit },
            Unit::Plain => Self { factor: 1.0, default_decimals: 3, unit },
        }
    }

    /// A value in shown units.
    #[must_use]
    pub fn shown(self, value: f64) -> f64 {
        value * self.factor
    }

    /// `points` for shares; nothing for plain numbers.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self.unit {
            Unit::Share => "points",
            Unit::Plain => "",
        }
    }

    /// Decimals for a value whose interval is `width` wide in metric units: two figures of the width are shown.
    #[must_use]
    pub fn decimals(self, width: Option<f64>) -> usize {
        match width.map(|w| (w * self.factor).abs()) {
            Some(w) if w.is_finite() && w > 0.0 => figures_after_point(w),
            _ => self.default_decimals,
        }
    }

    /// Decimals for a value with this interval, if it has one.
    #[must_use]
    pub fn decimals_of(self, interval: Option<&Interval>) -> usize {
        self.decimals(interval.map(|i| i.upper - i.lower))
    }

    /// A value without a plus sign.
    #[must_use]
    pub fn value(self, value: f64, decimals: usize) -> String {
        fixed(self.shown(value), decimals)
    }

    /// A change, with its sign.
    #[must_use]
    pub fn change(self, value: f64, decimals: usize) -> String {
        signed(self.shown(value), decimals)
    }

    /// A change with the noun, such as `+3.1 points`.
    #[must_use]
    pub fn change_with_noun(self, value: f64, decimals: usize) -> String {
        self.with_noun(self.change(value, decimals))
    }

    /// A size without a sign and with the noun, such as `3.1 points`.
    #[must_use]
    pub fn size_with_noun(self, value: f64, decimals: usize) -> String {
        self.with_noun(self.value(value.abs(), decimals))
    }

    /// An interval, such as `[1.2, 5.0]`.
    #[must_use]
    pub fn interval(self, interval: &Interval, decimals: usize) -> String {
        format!("[{}, {}]", self.value(interval.lower, decimals), self.value(interval.upper, decimals))
    }

    /// A margin or another number chosen by a person: as many decimals as it has, up to four.
    #[must_use]
    pub fn chosen(self, value: f64) -> String {
        shortest(self.shown(value), 4)
    }

    /// A chosen number with the noun.
    #[must_use]
    pub fn chosen_with_noun(self, value: f64) -> String {
        self.with_noun(self.chosen(value))
    }

    fn with_noun(self, text: String) -> String {
        if self.noun().is_empty() { text } else { format!("{text} {}", self.noun()) }
    }
}

/// Digits after the point that show two figures of a positive, finite `width`.
fn figures_after_point(width: f64) -> usize {
    let exponent = width.log10().floor();
    (1.0 - exponent).clamp(0.0, MOST_DECIMALS as f64) as usize
}

/// A number with fixed decimals; a rounded zero has no sign.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return UNDEFINED.to_owned();
    }
    let text = format!("{:.decimals$}", value.abs());
    if value < 0.0 && text.bytes().any(|b| matches!(b, b'1'..=b'9')) { format!("−{text}") } else { text }
}

/// A number with fixed decimals and its sign, also when it is positive; a rounded zero has none.
#[must_use]
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    if value > 0.0 && text.bytes().any(|b| matches!(b, b'1'..=b'9')) { format!("+{text}") } else { text }
}

/// The fewest decimals, up to `most`, that show the number to `most` decimals.
#[must_use]
pub fn shortest(value: f64, most: usize) -> String {
    let text = fixed(value, most);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A p-value: `< 0.001` below that, never 0; `≤` where the test could not have given a smaller one; one more digit
/// where rounding would hide on which side of `alpha` it lies.
#[must_use]
pub fn p_value(p: f64, smallest: Option<f64>, alpha: f64) -> String {
    if !p.is_finite() || p < 0.0 {
        return UNDEFINED.to_owned();
    }
    if p < 0.001 {
        return "< 0.001".to_owned();
    }
    if p < 1.0 && smallest.is_some_and(|s| p <= s * (1.0 + 1e-9)) {
        return format!("≤ {}", trimmed_up(p));
    }
    let digits = if p < 0.1 { 3 } else { 2 };
    let rounded = |d: usize| format!("{p:.d$}");
    let text = rounded(digits);
    let hides_side = text.parse::<f64>().is_ok_and(|r| (r <= alpha) != (p <= alpha) || (r < alpha) != (p < alpha));
    let text = if hides_side { rounded(digits + 2) } else { text };
    if p < 1.0 && text.starts_with('1') { "> 0.99".to_owned() } else { text }
}

/// A p-value rounded up, so that `≤` stays true.
fn trimmed_up(p: f64) -> String {
    let up = (p * 1000.0 - 1e-9).ceil() / 1000.0;
    format!("{up:.3}")
}

/// A p-value in a sentence: `p < 0.001`, `p = 0.012`, `p ≤ 0.016`.
#[must_use]
pub fn p_in_words(p: f64, smallest: Option<f64>, alpha: f64) -> String {
    let text = p_value(p, smallest, alpha);
    if text.starts_with(['<', '>', '≤']) { format!("p {text}") } else { format!("p = {text}") }
}

/// A count with commas.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 item`, `2 items`.
#[must_use]
pub fn counted(n: u64, singular: &str) -> String {
    if n == 1 { format!("1 {singular}") } else { format!("{} {singular}s", count(n)) }
}

/// A share of counts in percent; some is never shown as none, nor some missing as all.
#[must_use]
pub fn percent_of(part: u64, whole: u64) -> String {
    if whole == 0 {
        return UNDEFINED.to_owned();
    }
    let percent = part as f64 / whole as f64 * 100.0;
    let text = format!("{percent:.1}%");
    match text.as_str() {
        "0.0%" if part > 0 => "< 0.1%".to_owned(),
        "100.0%" if part < whole => "> 99.9%".to_owned(),
        "0.0%" => "0%".to_owned(),
        "100.0%" => "100%".to_owned(),
        _ => text,
    }
}

/// A number for programs, in metric units: with a point and a hyphen, and two figures of the width of its interval.
#[must_use]
pub fn machine(value: f64, width: Option<f64>) -> String {
    let decimals = width.filter(|w| w.is_finite() && *w > 0.0).map_or(4, figures_after_point);
    fixed(value, decimals).replace('−', "-")
}

/// A probability in percent; a small one is never shown as none, nor a large one as certain.
#[must_use]
pub fn probability(p: f64) -> String {
    if !p.is_finite() {
        return UNDEFINED.to_owned();
    }
    match p {
        p if p <= 0.0 => "0%".to_owned(),
        p if p >= 1.0 => "100%".to_owned(),
        p if p < 0.0005 => "< 0.1%".to_owned(),
        p if p > 0.9995 => "> 99.9%".to_owned(),
        p => format!("{}%", fixed(p * 100.0, 1)),
    }
}

/// A confidence level in percent.
#[must_use]
pub fn level(level: f64) -> String {
    format!("{}%", shortest(level * 100.0, 3))
}

/// Bits per weight, to two decimals.
#[must_use]
pub fn bits(bits: Option<f64>) -> String {
    bits.map_or_else(|| UNDEFINED.to_owned(), |bits| fixed(bits, 2))
}

/// A ratio such as a design effect or an effective number of clusters.
#[must_use]
pub fn ratio(value: f64) -> String {
    fixed(value, if value.abs() < 10.0 { 2 } else { 1 })
}

/// A number of weights, such as `1.24 B`.
#[must_use]
pub fn parameters(n: u64) -> String {
    let x = n as f64;
    match n {
        0 => UNDEFINED.to_owned(),
        1_000_000_000.. => format!("{} B", shortest(x / 1e9, 2)),
        1_000_000.. => format!("{} M", shortest(x / 1e6, 2)),
        1000.. => format!("{} k", shortest(x / 1e3, 1)),
        _ => n.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::IntervalMethod;

    #[test]
    fn decimals_follow_the_width_of_the_interval() {
        let share = Scale::of(Unit::Share);
        for (width, decimals) in [(0.038, 1), (0.15, 0), (0.004, 2), (0.5, 0), (0.0004, 3)] {
            assert_eq!(share.decimals(Some(width)), decimals, "{width}");
        }
        assert_eq!(share.decimals(None), 1);
        assert_eq!(share.decimals(Some(0.0)), 1);
        assert_eq!(share.decimals(Some(f64::NAN)), 1);
        assert_eq!(Scale::of(Unit::Plain).decimals(Some(0.038)), 3);
    }

    #[test]
    fn shares_are_points_and_minus_is_a_minus_sign() {
        let share = Scale::of(Unit::Share);
        assert_eq!(share.change(0.031, 1), "+3.1");
        assert_eq!(share.change(-0.031, 1), "−3.1");
        assert_eq!(share.change(-0.0001, 1), "0.0");
        assert_eq!(share.change_with_noun(0.031, 1), "+3.1 points");
        let i = Interval { lower: -0.012, upper: 0.05, level: 0.95, method: IntervalMethod::ExpandedPercentile };
        assert_eq!(share.interval(&i, 1), "[−1.2, 5.0]");
        assert_eq!(share.chosen(0.02), "2");
        assert_eq!(share.chosen(0.025), "2.5");
    }

    #[test]
    fn no_p_value_is_shown_as_zero_or_on_the_wrong_side_of_alpha() {
        for (p, text) in [
            (1e-9, "< 0.001"),
            (0.0, "< 0.001"),
            (0.0009, "< 0.001"),
            (0.0123, "0.012"),
            (0.0496, "0.04960"),
            (0.0504, "0.05040"),
            (0.05, "0.050"),
            (0.234, "0.23"),
            (0.999, "> 0.99"),
            (1.0, "1.00"),
        ] {
            assert_eq!(p_value(p, None, 0.05), text, "{p}");
        }
        assert_eq!(p_value(1.0 / 64.0, Some(1.0 / 64.0), 0.05), "≤ 0.016");
        assert_eq!(p_value(0.0001, Some(0.0001), 0.05), "< 0.001");
        assert_eq!(p_value(0.0152, Some(0.0152), 0.05), "≤ 0.016");
        assert_eq!(p_value(f64::NAN, None, 0.05), UNDEFINED);
        assert_eq!(p_in_words(0.0152, None, 0.05), "p = 0.015");
    }

    #[test]
    fn some_is_never_shown_as_none_and_most_never_as_all() {
        assert_eq!(percent_of(1, 100_000), "< 0.1%");
        assert_eq!(percent_of(99_999, 100_000), "> 99.9%");
        assert_eq!(percent_of(0, 10), "0%");
        assert_eq!(percent_of(10, 10), "100%");
        assert_eq!(percent_of(0, 0), UNDEFINED);
        assert_eq!(percent_of(1, 3), "33.3%");
    }

    #[test]
    fn no_probability_between_is_shown_as_none_or_certain() {
        for (p, text) in [(0.0, "0%"), (1e-9, "< 0.1%"), (0.123, "12.3%"), (0.99999, "> 99.9%"), (1.0, "100%")] {
            assert_eq!(probability(p), text);
        }
        assert_eq!(probability(f64::NAN), UNDEFINED);
    }

    #[test]
    fn counts_have_commas() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
        assert_eq!(counted(1, "item"), "1 item");
        assert_eq!(counted(2, "item"), "2 items");
    }

    #[test]
    fn what_is_not_finite_is_undefined() {
        assert_eq!(fixed(f64::NAN, 2), UNDEFINED);
        assert_eq!(signed(f64::INFINITY, 2), UNDEFINED);
    }
}
