//! Tables of plain text that fit a width: columns of text give way first, and what was cut ends with `…`.

/// Columns that a character takes: 2 for wide scripts and pictures, 0 for marks that stand on another character.
pub(super) fn columns(text: &str) -> usize {
    let wide = |c: char| {
        matches!(u32::from(c),
            0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f
            | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd)
    };
    let none = |c: char| matches!(u32::from(c), 0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x64b..=0x65f);
    text.chars().map(|c| if none(c) { 0 } else { 1 + usize::from(wide(c)) }).sum()
}

/// The text in at most `most` columns.
pub(super) fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if columns(&out) + columns(c.encode_utf8(&mut [0; 4])) + 1 > most {
            break;
        }
        out.push(c);
    }
    if most > 0 {
        out.push('…');
    }
    out
}

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Left, may be cut.
    Words,
    /// Right, whole.
    Number,
    /// Left, whole.
    Whole,
}

/// A table of plain text.
pub(crate) struct Table {
    heads: Vec<(String, Kind)>,
    rows: Vec<Vec<String>>,
}

/// Columns of words give way down to this before a column is left out …
const ENOUGH: usize = 16;

/// … and down to this where only words are left to give way.
const LEAST: usize = 6;

/// So many columns stay, however narrow.
const STAY: usize = 5;

/// Between columns.
const GAP: usize = 2;

impl Table {
    /// Without rows; rows have as many cells as there are heads.
    pub(crate) fn new(heads: Vec<(String, Kind)>) -> Self {
        Self { heads, rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Columns that are left out at a width.
    pub(super) fn left_out(&self, width: usize) -> usize {
        self.heads.len() - self.widths(width).len()
    }

    /// Rows so far.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Lines of at most `width` columns, the heads first; columns from the right are left out if nothing else helps.
    /// `paint` gets each cell after it was set, with its row (none for the heads) and column.
    pub(crate) fn lines(&self, width: usize, paint: &dyn Fn(Option<usize>, usize, &str) -> String) -> Vec<String> {
        let widths = self.widths(width);
        let line = |row: Option<usize>| {
            let cell = |(i, w): (usize, &usize)| {
                let text = row.map_or(self.heads[i].0.as_str(), |r| self.rows[r][i].as_str());
                let text = cut(text, *w);
                let pad = " ".repeat(w.saturating_sub(columns(&text)));
                let last = i + 1 == widths.len();
                let painted = paint(row, i, &text);
                match self.heads[i].1 {
                    Kind::Number => format!("{pad}{painted}"),
                    _ if last => painted,
                    Kind::Words | Kind::Whole => format!("{painted}{pad}"),
                }
            };
            widths.iter().enumerate().map(cell).collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
        };
        std::iter::once(None).chain((0..self.rows.len()).map(Some)).map(line).collect()
    }

    /// Widths of the columns that are shown.
    fn widths(&self, width: usize) -> Vec<usize> {
        let natural = |i: usize| {
            let cells = self.rows.iter().map(|r| columns(&r[i]));
            cells.chain([columns(&self.heads[i].0)]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.heads.len()).map(natural).collect();
        loop {
            let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
            if total <= width || widths.len() <= 1 {
                if let Some(only) = widths.first_mut().filter(|_| total > width) {
                    *only = width;
                }
                return widths;
            }
            let least = if widths.len() > STAY { ENOUGH } else { LEAST };
            let words = (0..widths.len()).filter(|i| self.heads[*i].1 == Kind::Words && widths[*i] > least);
            match words.max_by_key(|i| widths[*i]) {
                Some(i) => widths[i] -= 1,
                None => {
                    widths.pop();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_width_and_numbers_stay_whole() {
        let mut table = Table::new(vec![
            ("Name".to_owned(), Kind::Words),
            ("Other".to_owned(), Kind::Words),
            ("Change".to_owned(), Kind::Number),
        ]);
        table.push(vec![
            "a very long name of a subgroup".to_owned(),
            "日本語の名前です".to_owned(),
            "+12.5".to_owned(),
        ]);
        for width in 1..80 {
            let lines = table.lines(width, &|_, _, text| text.to_owned());
            assert!(lines.iter().all(|l| columns(l) <= width), "{width}: {lines:?}");
            if width >= 30 {
                assert!(lines[1].ends_with("+12.5"), "{width}: {lines:?}");
            }
        }
    }

    #[test]
    fn what_was_cut_ends_with_an_ellipsis_and_wide_characters_count_twice() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(columns("日本"), 4);
        assert_eq!(cut("日本語", 4), "日…");
    }
}
