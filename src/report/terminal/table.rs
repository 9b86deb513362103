//! Tables of plain text that fit a width: columns of text give way first, and what was cut ends with `…`; then whole
//! columns are left out, those first that the caller can do without.

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
    first_out: Vec<usize>,
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
        Self { heads, rows: Vec::new(), first_out: Vec::new() }
    }

    /// Columns that are left out before any other where room is short, the first of them first; the others follow from
    /// the right.
    pub(super) fn leave_out_first(&mut self, columns: Vec<usize>) {
        self.first_out = columns;
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Heads of the columns that are left out at a width.
    pub(super) fn left_out(&self, width: usize) -> Vec<&str> {
        let shown = self.widths(width);
        let out = (0..self.heads.len()).filter(|i| shown.iter().all(|(column, _)| column != i));
        out.map(|i| self.heads[i].0.as_str()).collect()
    }

    /// Rows so far.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Lines of at most `width` columns, the heads first; columns are left out if nothing else helps.
    /// `paint` gets each cell after it was set, with its row (none for the heads) and column.
    pub(crate) fn lines(&self, width: usize, paint: &dyn Fn(Option<usize>, usize, &str) -> String) -> Vec<String> {
        let widths = self.widths(width);
        let line = |row: Option<usize>| {
            let cell = |(at, &(i, w)): (usize, &(usize, usize))| {
                let text = row.map_or(self.heads[i].0.as_str(), |r| self.rows[r][i].as_str());
                let text = cut(text, w);
                let pad = " ".repeat(w.saturating_sub(columns(&text)));
                let last = at + 1 == widths.len();
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

    /// The columns that are shown, each with its width.
    fn widths(&self, width: usize) -> Vec<(usize, usize)> {
        let mut shown: Vec<usize> = (0..self.heads.len()).collect();
        let mut first_out = self.first_out.iter();
        loop {
            if let Some(fitted) = self.fitted(&shown, width) {
                return fitted;
            }
            match first_out.next() {
                Some(out) => shown.retain(|i| i != out),
                None => drop(shown.pop()),
            }
        }
    }

    /// Columns with widths that fit together, words cut as far as they may be; `None` where that is not enough.
    fn fitted(&self, shown: &[usize], width: usize) -> Option<Vec<(usize, usize)>> {
        let natural = |i: usize| {
            let cells = self.rows.iter().map(|r| columns(&r[i]));
            cells.chain([columns(&self.heads[i].0)]).max().unwrap_or(0)
        };
        let mut widths: Vec<(usize, usize)> = shown.iter().map(|i| (*i, natural(*i))).collect();
        let least = if widths.len() > STAY { ENOUGH } else { LEAST };
        let mut total = widths.iter().map(|(_, w)| w).sum::<usize>() + GAP * widths.len().saturating_sub(1);
        while total > width {
            if let [(_, only)] = &mut widths[..] {
                *only = width;
                break;
            }
            let words = widths.iter_mut().filter(|(i, w)| self.heads[*i].1 == Kind::Words && *w > least);
            words.max_by_key(|(_, w)| *w)?.1 -= 1;
            total -= 1;
        }
        Some(widths)
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
    fn columns_go_in_the_order_that_was_asked_for_and_give_their_room_to_those_that_stay() {
        let head = |text: &str, kind| (text.to_owned(), kind);
        let number = Kind::Number;
        let mut table = Table::new(vec![
            head("Name", Kind::Words),
            head("first", number),
            head("second", number),
            head("third", number),
        ]);
        table.push(vec!["abcdefghijklmnop".to_owned(), "1".to_owned(), "2".to_owned(), "3".to_owned()]);
        table.leave_out_first(vec![2, 1]);
        // Whole: 16 + 5 + 6 + 5, and three gaps of 2.
        assert_eq!(table.left_out(38), Vec::<&str>::new());
        // The name may be cut to 6 before a column goes, and no further.
        assert_eq!(table.left_out(28), Vec::<&str>::new());
        assert_eq!(table.left_out(27), ["second"]);
        let lines = table.lines(27, &|_, _, text| text.to_owned());
        assert_eq!(lines, ["Name           first  third", "abcdefghijkl…      1      3"]);
        assert_eq!(table.left_out(19), ["first", "second"]);
        assert_eq!(table.left_out(12), ["first", "second", "third"]);
    }

    #[test]
    fn what_was_cut_ends_with_an_ellipsis_and_wide_characters_count_twice() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(columns("日本"), 4);
        assert_eq!(cut("日本語", 4), "日…");
    }
}
