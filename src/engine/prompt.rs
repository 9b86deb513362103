//! From text to token ids: where the scored part begins, in which tokens a word can stand, one BOS and no more.
//!
//! Pure: the tokenizer comes in as a function. It refuses an empty text and an empty word.

use super::AskError;
use std::collections::BTreeSet;

/// A candidate as token ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Opening token, context, and text.
    pub tokens: Vec<u32>,
    /// Index of the first scored token; at least 1, and before the end.
    pub scored_from: usize,
}

/// Joins context and text, and finds where the scored tokens begin.
///
/// Context and text are tokenized as one string. The tokens that this string shares with the context alone, from
/// the left, are not scored; all after them are. Where the tokenizer merges across the boundary, the first scored
/// token therefore begins inside the context, for every candidate of an item in the same manner. Without a context
/// every text token is scored after `opening` (BOS, or EOS for a tokenizer without BOS).
///
/// # Errors
/// [`AskError::Refused`] if nothing is left to score, or the first token would have no prediction; whatever
/// `tokenize` says.
pub fn join(
    opening: Option<u32>,
    bos: Option<u32>,
    context: &str,
    text: &str,
    tokenize: impl Fn(&str) -> Result<Vec<u32>, AskError>,
) -> Result<Joined, AskError> {
    let whole = tokenize(&format!("{context}{text}"))?;
    let alone = if context.is_empty() { Vec::new() } else { tokenize(context)? };
    let shared = whole.iter().zip(&alone).take_while(|(a, b)| a == b).count();
    if shared == whole.len() {
        return Err(AskError::Refused { reason: "the scored text is empty".to_owned() });
    }
    let first = if shared == 0 { opening } else { bos };
    let first = first.filter(|&f| whole[0] != f);
    let scored_from = shared + usize::from(first.is_some());
    if scored_from == 0 {
        let reason = "the first token has no prediction: the tokenizer has neither BOS nor EOS".to_owned();
        return Err(AskError::Refused { reason });
    }
    Ok(Joined { tokens: first.into_iter().chain(whole).collect(), scored_from })
}

/// For each sequence the longest one that begins with it, by index (the first of equal ones): whoever computes that one
/// has computed this one too.
#[must_use]
pub fn served_by(sequences: &[&[u32]]) -> Vec<usize> {
    let longest = |own: &&[u32]| {
        let candidates = (0..sequences.len()).filter(|&j| sequences[j].starts_with(own));
        candidates.max_by_key(|&j| (sequences[j].len(), std::cmp::Reverse(j)))
    };
    sequences.iter().enumerate().map(|(i, own)| longest(own).unwrap_or(i)).collect()
}

/// Puts BOS in front unless it is there, and refuses a prompt that has it twice.
///
/// # Errors
/// [`AskError::Refused`].
pub fn with_bos(bos: Option<u32>, ids: Vec<u32>) -> Result<Vec<u32>, AskError> {
    let Some(bos) = bos else { return Ok(ids) };
    let tokens: Vec<u32> = if ids.first() == Some(&bos) { ids } else { std::iter::once(bos).chain(ids).collect() };
    if tokens.get(1) == Some(&bos) {
        return Err(AskError::Refused { reason: "the prompt begins with two BOS tokens".to_owned() });
    }
    Ok(tokens)
}

/// The token forms in which a reply can begin with a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forms {
    /// Forms that are one token, each id once, ascending.
    pub single: Vec<u32>,
    /// Forms of several tokens; empty where the form with which a reply begins is one token.
    pub several: Vec<Vec<u32>>,
}

/// The forms of an answer word: {w, " w", "w ", " w "} × {Title, lower, UPPER}, those that are a single token.
///
/// A reply begins with the word in title case, after a space if `spaced` (a prompt that is simply continued). Where that
/// form is not one of them, these single tokens would miss the answer (a vocabulary with `No` but without `Yes`). Then
/// Title, lower, and UPPER of several tokens in that position count too, with the probability of the whole sequence.
///
/// # Errors
/// [`AskError::Refused`] for an empty word; whatever `tokenize` says.
pub fn forms(
    word: &str,
    spaced: bool,
    tokenize: impl Fn(&str) -> Result<Vec<u32>, AskError>,
) -> Result<Forms, AskError> {
    if word.trim().is_empty() {
        return Err(AskError::Refused { reason: "an answer word is empty".to_owned() });
    }
    let lower = word.to_lowercase();
    let mut letters = lower.chars();
    let title = letters.next().map(|c| c.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default();
    let opening = |cased: &str| if spaced { format!(" {cased}") } else { cased.to_owned() };
    let mut single = BTreeSet::new();
    let mut several = Vec::new();
    let mut title_is_single = false;
    for cased in [&title, &lower, &word.to_uppercase()] {
        for text in [cased.clone(), format!(" {cased}"), format!("{cased} "), format!(" {cased} ")] {
            let ids = tokenize(&text)?;
            if let [id] = ids.as_slice() {
                single.insert(*id);
                title_is_single |= text == opening(&title);
            } else if text == opening(cased) && !ids.is_empty() && !several.contains(&ids) {
                several.push(ids);
            }
        }
    }
    if title_is_single {
        several.clear();
    }
    if single.is_empty() && several.is_empty() {
        return Err(AskError::Refused { reason: format!("`{word}` has no tokens") });
    }
    Ok(Forms { single: single.into_iter().collect(), several })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One token per letter, but for the words listed.
    fn toy(words: &'static [&'static str]) -> impl Fn(&str) -> Result<Vec<u32>, AskError> {
        move |text| {
            Ok(match words.iter().position(|w| *w == text) {
                Some(at) => vec![1000 + at as u32],
                None => text.chars().map(|c| c as u32).collect(),
            })
        }
    }

    #[test]
    fn tokens_shared_with_the_context_are_not_scored() {
        let joined = join(Some(0), Some(0), "ab", "cd", toy(&[])).unwrap();
        assert_eq!(joined, Joined { tokens: vec![0, 97, 98, 99, 100], scored_from: 3 });
    }

    #[test]
    fn a_token_that_crosses_the_boundary_is_scored() {
        let tokenize = |text: &str| Ok(if text == "abc" { vec![97, 500] } else { vec![97, 98] });
        let joined = join(Some(0), Some(0), "ab", "c", tokenize).unwrap();
        assert_eq!(joined, Joined { tokens: vec![0, 97, 500], scored_from: 2 });
    }

    #[test]
    fn without_context_every_token_is_scored_after_the_opening_one() {
        let joined = join(Some(7), None, "", "ab", toy(&[])).unwrap();
        assert_eq!(joined, Joined { tokens: vec![7, 97, 98], scored_from: 1 });
        let with_context = join(Some(7), None, "a", "b", toy(&[])).unwrap();
        assert_eq!(with_context, Joined { tokens: vec![97, 98], scored_from: 1 });
    }

    #[test]
    fn a_first_token_without_a_prediction_and_an_empty_text_are_refused() {
        assert!(matches!(join(None, None, "", "ab", toy(&[])), Err(AskError::Refused { .. })));
        assert!(matches!(join(Some(0), Some(0), "ab", "", toy(&[])), Err(AskError::Refused { .. })));
    }

    #[test]
    fn a_sequence_is_served_by_the_longest_that_begins_with_it() {
        let sequences: [&[u32]; 6] = [&[1, 2], &[1, 2, 3], &[1, 2], &[1, 2, 3, 4], &[2], &[1, 2, 4, 4]];
        assert_eq!(served_by(&sequences), [3, 3, 3, 3, 4, 5]);
        assert_eq!(served_by(&[&[7, 8], &[7, 8]]), [0, 0]);
    }

    #[test]
    fn there_is_one_bos_and_two_are_refused() {
        assert_eq!(with_bos(Some(0), vec![5]), Ok(vec![0, 5]));
        assert_eq!(with_bos(Some(0), vec![0, 5]), Ok(vec![0, 5]));
        assert_eq!(with_bos(None, vec![5]), Ok(vec![5]));
        assert!(matches!(with_bos(Some(0), vec![0, 0, 5]), Err(AskError::Refused { .. })));
    }

    #[test]
    fn a_word_counts_in_its_single_token_forms_once_each() {
        let found = forms("yes", false, toy(&["Yes", "yes", " Yes"])).unwrap();
        assert_eq!(found, Forms { single: vec![1000, 1001, 1002], several: vec![] });
    }

    #[test]
    fn a_word_that_is_several_tokens_in_title_case_counts_as_sequences_too() {
        let found = forms("no", false, toy(&[" No"])).unwrap();
        let letters = |t: &str| t.chars().map(|c| c as u32).collect::<Vec<_>>();
        assert_eq!(found, Forms { single: vec![1000], several: vec![letters("No"), letters("no"), letters("NO")] });
    }

    #[test]
    fn where_a_reply_follows_after_a_space_the_spaced_title_decides() {
        let found = forms("yes", true, toy(&[" Yes", " yes"])).unwrap();
        assert_eq!(found, Forms { single: vec![1000, 1001], several: vec![] });
        let found = forms("yes", true, toy(&["Yes"])).unwrap();
        let letters = |t: &str| t.chars().map(|c| c as u32).collect::<Vec<_>>();
        assert_eq!(
            found,
            Forms { single: vec![1000], several: vec![letters(" Yes"), letters(" yes"), letters(" YES")] }
        );
    }
}
