//! The findings in a terminal: verdicts, the largest changes, and on request the changes that a filter picks.
//!
//! Lines are never wider than asked for, and foreign text is made visible first, so that no answer or name can move the
//! cursor. It prints nothing itself.

mod marks;
pub(crate) mod table;

use super::escape::visible;
use super::names::{Glance, Names, Waived, overall, verdict_sign, verdict_word};
use super::number;
use super::sentences;
use crate::findings::{ContrastRow, Findings, SettingInfo, Verdict, VerdictRow};
use marks::{spark, strip};
use table::{Kind, Table, columns, cut};

/// Head of the column with the drawing of an interval.
const STRIP: &str = "";

/// Which changes to list; parts of names, in any case. Nothing asked for means the overview.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pick {
    /// Part of a benchmark's name or title.
    pub benchmark: Option<String>,
    /// Part of a subgroup, or of `axis: subgroup`; `all items` for the rows over all items.
    pub subgroup: Option<String>,
    /// Part of a setting's id or label.
    pub setting: Option<String>,
    /// Part of a model's id.
    pub model: Option<String>,
    /// Part of a metric's id or title; without it, headline metrics only.
    pub metric: Option<String>,
    /// The verdict of a row.
    pub verdict: Option<Verdict>,
}

/// How much room there is, and whether colour may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns.
    pub width: usize,
    /// Lines of the overview.
    pub height: usize,
    /// Whether to colour verdicts.
    pub colour: bool,
}

/// Lines to print.
#[must_use]
pub fn show(findings: &Findings, pick: &Pick, screen: Screen) -> Vec<String> {
    let view = View { names: Names::new(findings), screen };
    if *pick == Pick::default() { view.overview() } else { view.picked(pick) }
}

struct View<'a> {
    names: Names<'a>,
    screen: Screen,
}

impl<'a> View<'a> {
    fn overview(&self) -> Vec<String> {
        let f = self.names.findings;
        let summary = sentences::summary_lines(f);
        let mut lines: Vec<String> =
            summary.iter().take(2).flat_map(|l| wrapped(l, self.screen.width).into_iter().take(3)).collect();
        lines.push(String::new());
        // A third of the screen for the largest changes, the rest for the grid.
        let largest = self.screen.height.saturating_sub(10) / 3;
        let room = self.screen.height.saturating_sub(lines.len() + largest + 8).max(1);
        let grid = self.grid();
        let left = grid.len().saturating_sub(room);
        lines.extend(self.painted(&grid).into_iter().take(room + 1));
        let settings = grid.left_out(self.screen.width);
        let more = [(left, "more benchmark"), (settings.len(), "more setting")];
        let more: Vec<String> =
            more.iter().filter(|(n, _)| *n > 0).map(|(n, what)| number::counted(*n as u64, what)).collect();
        if !more.is_empty() {
            let which = if settings.is_empty() { String::new() } else { format!(": {}", settings.join(", ")) };
            lines.push(cut(&format!("… and {}{which}", more.join(" and ")), self.screen.width));
        }
        lines.push(String::new());
        let mut rows: Vec<&ContrastRow> = self.rows(&Pick::default());
        rows.retain(|c| c.delta.is_some() && !c.aa && self.names.against_baseline(c));
        rows.sort_by(|a, b| self.size(b).total_cmp(&self.size(a)));
        rows.truncate(largest);
        let hint = wrapped(
            "List changes with --benchmark, --model, --setting, --subgroup, --verdict, --metric.",
            self.screen.width,
        );
        // The sentence about the rows takes lines that are free, and then those of the last rows.
        let free = self.screen.height.saturating_sub(lines.len() + 3 + hint.len());
        let note = self.failing_alone(&rows).len();
        rows.truncate(largest.min(free.saturating_sub(note)));
        if !rows.is_empty() {
            lines.push("Largest changes of headline metrics, for their margin:".to_owned());
            lines.extend(self.painted(&self.changes(&rows, true)));
            lines.extend(self.failing_alone(&rows));
            lines.push(String::new());
        }
        lines.extend(hint);
        lines
    }

    fn picked(&self, pick: &Pick) -> Vec<String> {
        let rows = self.rows(pick);
        if rows.is_empty() {
            let settings: Vec<String> = self.names.findings.audit.settings.iter().map(|s| visible(&s.id)).collect();
            let benchmarks: Vec<String> =
                self.names.findings.audit.benchmarks.iter().map(|b| visible(&b.name)).collect();
            let said = [
                "No change fits.".to_owned(),
                format!("Benchmarks: {}", benchmarks.join(", ")),
                format!("Settings: {}", settings.join(", ")),
            ];
            return said.iter().flat_map(|l| wrapped(l, self.screen.width)).collect();
        }
        let changes = self.changes(&rows, false);
        let drawn = !changes.left_out(self.screen.width).contains(&STRIP);
        let mut table = self.painted(&changes).into_iter();
        let mut lines: Vec<String> = table.next().into_iter().collect();
        let mut last = String::new();
        for (row, line) in rows.iter().zip(table) {
            let title = self.title(row);
            if title != last {
                lines.extend([String::new(), cut(&title, self.screen.width)]);
                last = title;
            }
            lines.push(line);
        }
        lines.push(String::new());
        let legend = if drawn { "; · 0, │ margin, ━ interval" } else { "" };
        let said = format!("{}{legend}", number::counted(rows.len() as u64, "change"));
        lines.extend(wrapped(&said, self.screen.width));
        lines.extend(self.failing_alone(&rows));
        lines
    }

    /// Why listed rows fail and their gates do not.
    fn failing_alone(&self, rows: &[&ContrastRow]) -> Vec<String> {
        let said = sentences::failing_alone(self.names, rows.iter().copied());
        said.map_or_else(Vec::new, |s| wrapped(&s, self.screen.width))
    }

    /// What stands above the rows of a model, benchmark, and metric.
    fn title(&self, c: &ContrastRow) -> String {
        let names = self.names;
        let model = if names.many_models() { format!(", {}", c.cell.model) } else { String::new() };
        let scale = names.scale(&c.cell.metric);
        let margin = names.margin(&c.cell.benchmark, &c.cell.metric);
        let margin = margin.map_or_else(String::new, |m| format!(", margin {}", scale.chosen_with_noun(m)));
        let (benchmark, metric) = (names.benchmark_title(&c.cell.benchmark), names.metric_words(&c.cell.metric));
        visible(&format!("{benchmark}{model}: {metric}{margin}"))
    }

    /// Verdicts: a row per model and benchmark, a column per setting, and how the worst change grows.
    fn grid(&self) -> Table {
        let f = self.names.findings;
        let mut settings: Vec<&SettingInfo> = f.audit.settings.iter().filter(|s| !s.baseline && !s.aa).collect();
        // Unknown bits come last.
        let bits = |s: &SettingInfo| s.bits_per_weight.unwrap_or(f64::NEG_INFINITY);
        settings.sort_by(|a, b| bits(b).total_cmp(&bits(a)));
        let mut labels: Vec<String> = Vec::new();
        for s in &settings {
            let label = self.names.setting_label(&s.id);
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        let mut heads = vec![("Benchmark".to_owned(), Kind::Words), ("Worst".to_owned(), Kind::Whole)];
        // A column of its own, because the end of a long name is cut.
        let many = self.names.many_models();
        if many {
            heads.insert(0, ("Model".to_owned(), Kind::Words));
        }
        let before = heads.len();
        heads.extend(labels.iter().map(|l| (visible(l), Kind::Words)));
        let mut table = Table::new(heads);
        table.leave_out_first(self.reassuring(&labels).into_iter().map(|i| i + before).collect());
        for pair in self.names.pairs() {
            let own = |v: &VerdictRow, label: &String| {
                v.model == pair.model
                    && v.benchmark == pair.benchmark.name
                    && self.names.setting_label(&v.setting) == *label
            };
            let rows_of = |label: &'_ String| f.verdicts.iter().filter(|v| own(v, label)).collect::<Vec<_>>();
            let Some(first) = labels.iter().find_map(|l| rows_of(l).into_iter().next()) else { continue };
            // Gates may read different metrics: how the worst change grows is that of the first one.
            let of_first = |l: &String| rows_of(l).into_iter().find(|v| v.gate == first.gate);
            let worst: Vec<Option<f64>> = labels.iter().map(|l| of_first(l).and_then(|v| v.worst_delta)).collect();
            let title = self.names.benchmark_title(&pair.benchmark.name);
            let mut row = vec![visible(&title), spark(&worst)];
            if many {
                row.insert(0, visible(pair.model));
            }
            let word = |l: &String| match self.names.glance(|v| own(v, l)) {
                None => String::new(),
                Some(Glance { waived: Waived::All, .. }) => "waived".to_owned(),
                Some(Glance { waived: Waived::Some, verdict }) => format!("{} (rest waived)", verdict_sign(verdict)),
                Some(Glance { waived: Waived::None, verdict }) => verdict_sign(verdict).to_owned(),
            };
            row.extend(labels.iter().map(word));
            table.push(row);
        }
        table
    }

    /// The settings by what a reader can do without, the least needed first: the milder the worst verdict, and among
    /// equals the more bits. What fails, and what was quantized most, is seen on the narrowest screen.
    fn reassuring(&self, labels: &[String]) -> Vec<usize> {
        let severity = |label: &String| {
            let glance = self.names.glance(|v| self.names.setting_label(&v.setting) == *label);
            glance.map_or(0, |g| 1 + g.verdict.severity())
        };
        let mut order: Vec<usize> = (0..labels.len()).collect();
        // Labels come with falling bits, and the sort keeps that order among equals.
        order.sort_by_key(|i| severity(&labels[*i]));
        order
    }

    /// Rows that a filter picks, in the order of the findings.
    fn rows(&self, pick: &Pick) -> Vec<&'a ContrastRow> {
        let has = |wanted: &Option<String>, texts: &[&str]| {
            wanted.as_ref().is_none_or(|w| texts.iter().any(|t| t.to_lowercase().contains(&w.to_lowercase())))
        };
        let names = self.names;
        let fits = |c: &&ContrastRow| {
            let label = names.contrast_label(c);
            let subgroup = subgroup(c);
            let headline = names.benchmark(&c.cell.benchmark).is_none_or(|b| b.headline == c.cell.metric);
            has(&pick.benchmark, &[&c.cell.benchmark, &names.benchmark_title(&c.cell.benchmark)])
                && has(&pick.subgroup, &[&subgroup])
                && has(&pick.setting, &[&c.setting, &label])
                && has(&pick.model, &[&c.cell.model])
                && has(&pick.metric, &[&c.cell.metric, names.metric_title(&c.cell.metric)])
                && (pick.metric.is_some() || pick.verdict.is_some() || headline)
                && pick.verdict.is_none_or(|v| c.verdict == Some(v))
        };
        names.findings.contrasts.iter().filter(fits).collect()
    }

    /// Size of a change for its margin.
    fn size(&self, c: &ContrastRow) -> f64 {
        let margin = self.names.margin(&c.cell.benchmark, &c.cell.metric).unwrap_or(1.0);
        c.delta.map_or(0.0, |d| d.abs() / margin.abs().max(f64::MIN_POSITIVE))
    }

    /// A table of changes; `alone` where no title stands above them.
    fn changes(&self, rows: &[&ContrastRow], alone: bool) -> Table {
        let mut heads = vec![
            ("Setting", Kind::Words),
            ("Subgroup", Kind::Words),
            ("Change", Kind::Number),
            ("Interval", Kind::Number),
            ("Verdict", Kind::Whole),
            (STRIP, Kind::Whole),
            ("p adj.", Kind::Number),
            ("n", Kind::Number),
        ];
        if alone {
            heads.insert(1, ("Benchmark", Kind::Words));
        }
        // The drawing repeats numbers; the verdict is what a reader came for.
        let at = |head: &str| heads.iter().position(|(h, _)| *h == head);
        let first_out = ["n", STRIP, "p adj.", "Interval"].into_iter().filter_map(at).collect();
        let mut table = Table::new(heads.into_iter().map(|(h, k)| (h.to_owned(), k)).collect());
        table.leave_out_first(first_out);
        for c in rows {
            table.push(self.change(c, alone));
        }
        table
    }

    fn change(&self, c: &ContrastRow, alone: bool) -> Vec<String> {
        let names = self.names;
        let scale = names.scale(&c.cell.metric);
        let d = scale.decimals_of(c.interval.as_ref());
        let undefined = || number::UNDEFINED.to_owned();
        let margin = names.margin(&c.cell.benchmark, &c.cell.metric);
        let reach = margin.map_or_else(|| c.delta.unwrap_or(1.0).abs() * 2.0, |m| 2.5 * m);
        let setting = if alone { c.setting.clone() } else { names.contrast_label(c) };
        let mut row = vec![
            visible(&setting),
            visible(&subgroup(c)),
            c.delta.map_or_else(undefined, |x| scale.change(x, d)),
            c.interval.as_ref().map_or_else(undefined, |i| scale.interval(i, d)),
            c.verdict.map_or_else(String::new, |v| format!("{} {}", verdict_sign(v), verdict_word(v))),
            c.delta.map_or_else(String::new, |x| strip(x, c.interval.as_ref(), margin, reach)),
            c.p_adjusted.map_or_else(undefined, |p| number::p_value(p, None, names.alpha())),
            number::count(c.items),
        ];
        if alone {
            row.insert(1, visible(&c.cell.benchmark));
        }
        row
    }

    /// The table in the width of the screen, heads and verdicts set off where colour may be used.
    fn painted(&self, table: &Table) -> Vec<String> {
        let paint = |row: Option<usize>, _: usize, text: &str| {
            let code = match (row, text.chars().next()) {
                _ if !self.screen.colour || text.is_empty() => return text.to_owned(),
                (None, _) => "1",
                (_, Some('✓')) => "32",
                (_, Some('✗')) => "1;31",
                (_, Some('◐')) => "33",
                (_, Some('?')) => "35",
                _ => return text.to_owned(),
            };
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        };
        table.lines(self.screen.width, &paint)
    }
}

/// A sentence in lines of at most `width` columns; a word that is wider is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(cut(word, width)),
        }
    }
    lines
}

fn subgroup(c: &ContrastRow) -> String {
    if overall(&c.cell) { "all items".to_owned() } else { format!("{}: {}", c.cell.axis, c.cell.subgroup) }
}
