//! Names become numbers in the order in which they first occur, or hashes where they are too many to keep.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

/// The code of a name that is absent.
pub(super) const NONE: u32 = u32::MAX;

/// Integers below this have their code looked up in a list.
const LISTED: i64 = 1 << 26;

/// Codes of one column's names.
#[derive(Default)]
pub(super) struct Names {
    listed: Vec<u32>,
    numbers: HashMap<i64, u32>,
    texts: HashMap<String, u32>,
    names: Vec<Name>,
}

enum Name {
    Number(i64),
    Text(String),
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn get(&self, code: u32) -> String {
        match self.names.get(code as usize) {
            Some(Name::Number(number)) => number.to_string(),
            Some(Name::Text(text)) => text.clone(),
            None => String::new(),
        }
    }

    pub(super) fn all(&self) -> Vec<String> {
        (0..self.len() as u32).map(|code| self.get(code)).collect()
    }

    pub(super) fn number(&mut self, number: i64) -> u32 {
        let next = self.names.len() as u32;
        let known = if (0..LISTED).contains(&number) {
            let at = number as usize;
            if at >= self.listed.len() {
                self.listed.resize((at + 1).next_power_of_two(), NONE);
            }
            let known = self.listed[at];
            if known == NONE {
                self.listed[at] = next;
            }
            known
        } else {
            let known = *self.numbers.entry(number).or_insert(next);
            if known == next { NONE } else { known }
        };
        if known == NONE {
            self.names.push(Name::Number(number));
            return next;
        }
        known
    }

    pub(super) fn text(&mut self, text: &str) -> u32 {
        if let Some(code) = self.texts.get(text) {
            return *code;
        }
        let next = self.names.len() as u32;
        self.texts.insert(text.to_owned(), next);
        self.names.push(Name::Text(text.to_owned()));
        next
    }

    /// Each code's place among the sorted names.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let names = self.all();
        let mut order: Vec<u32> = (0..names.len() as u32).collect();
        order.sort_by(|a, b| names[*a as usize].cmp(&names[*b as usize]));
        let mut ranks = vec![0; names.len()];
        for (rank, code) in order.into_iter().enumerate() {
            ranks[code as usize] = rank as u32;
        }
        ranks
    }
}

/// What stands for names.
pub(super) trait Coder {
    type Code: Copy;
    /// Stands for no name.
    const NONE: Self::Code;
    fn number(&mut self, number: i64) -> Self::Code;
    fn text(&mut self, text: &str) -> Self::Code;
    /// A name that no other row has.
    fn fresh(&mut self) -> Self::Code;
}

impl Coder for Names {
    type Code = u32;
    const NONE: u32 = NONE;

    fn number(&mut self, number: i64) -> u32 {
        self.number(number)
    }

    fn text(&mut self, text: &str) -> u32 {
        self.text(text)
    }

    fn fresh(&mut self) -> u32 {
        self.number(i64::try_from(self.len()).unwrap_or(i64::MAX))
    }
}

/// Hashes of 64 bits, whose sums tell sets of names apart: two different sets have the same sum with a probability of
/// about 2⁻⁶⁴.
pub(super) struct Hashes;

impl Coder for Hashes {
    type Code = u64;
    const NONE: u64 = 0;

    /// The finalizer of SplitMix64 (Steele, Lea & Flood 2014), a bijection.
    fn number(&mut self, number: i64) -> u64 {
        let mut z = number.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn text(&mut self, text: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    fn fresh(&mut self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::{Coder as _, Hashes};

    #[test]
    fn sums_of_hashes_tell_neighbouring_numbers_and_texts_apart() {
        let of = |numbers: &[i64]| numbers.iter().map(|n| Hashes.number(*n)).fold(0, u64::wrapping_add);
        // The finalizer of SplitMix64 at state 0, from the authors' reference implementation.
        assert_eq!(of(&[0]), 0xe220_a839_7b1d_cdaf);
        assert_eq!(of(&[1, 4]), of(&[4, 1]));
        assert_ne!(of(&[1, 4]), of(&[2, 3]));
        assert_ne!(of(&[-1]), of(&[1]));
        let of = |texts: &[&str]| texts.iter().map(|t| Hashes.text(t)).fold(0, u64::wrapping_add);
        assert_eq!(of(&["a1", "b2"]), of(&["b2", "a1"]));
        assert_ne!(of(&["a1", "b2"]), of(&["a2", "b1"]));
    }
}
