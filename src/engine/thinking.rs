//! A reply → what the model thought, and what it answered; and where a stop sequence ends the answer.
//!
//! Pure text, shared by all engines. It reads no meaning into either part.

use crate::benchmark::Thinking;

/// A reply in its two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split<'t> {
    /// The thinking part without its marks and the space around it; absent if there is none.
    pub thought: Option<&'t str>,
    /// The answer; behind a thinking part without the space that follows it, and empty if that part never ended.
    pub answer: &'t str,
    /// Whether a thinking part was begun and not ended.
    pub open: bool,
}

/// Whether the model goes on thinking behind a prompt: `prompt` as rendered by the template, `prefill` what follows it in
/// the assistant's turn. The last mark in the prefill decides; without one, whether the prompt ends with the opening mark.
#[must_use]
pub fn is_open(prompt: &str, prefill: &str, thinking: &Thinking) -> bool {
    let Some((open, close)) = thinking.marks() else { return false };
    match (prefill.rfind(open), prefill.rfind(close)) {
        (None, None) => prompt.trim_end().ends_with(open),
        (opened, closed) => opened > closed,
    }
}

/// Splits a reply at the marks; `opened` says whether the prompt had opened the thinking part.
///
/// A thinking part begins where the reply begins, or in the prompt. A closing mark without an opening one before it ends one
/// that a template opened unseen. The first closing mark counts; one that never comes leaves no answer.
#[must_use]
pub fn split<'t>(reply: &'t str, opened: bool, thinking: &Thinking) -> Split<'t> {
    let whole = Split { thought: None, answer: reply, open: false };
    let Some((open, close)) = thinking.marks() else { return whole };
    let begun = reply.trim_start().strip_prefix(open);
    let (inside, sure) = (begun.unwrap_or(reply), opened || begun.is_some());
    match inside.split_once(close) {
        Some((thought, answer)) if sure || !thought.contains(open) => {
            Split { thought: Some(thought.trim()), answer: answer.trim_start(), open: false }
        }
        None if sure => Split { thought: Some(inside.trim()), answer: "", open: true },
        _ => whole,
    }
}

/// An answer up to the first stop sequence in it; absent if it holds none.
#[must_use]
pub fn before_stop<'t>(answer: &'t str, stop: &[String]) -> Option<&'t str> {
    stop.iter().filter_map(|s| answer.find(s.as_str())).min().map(|at| &answer[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(reply: &str, opened: bool) -> (Option<&str>, &str, bool) {
        let Split { thought, answer, open } = split(reply, opened, &Thinking::default());
        (thought, answer, open)
    }

    #[test]
    fn a_reply_is_split_at_its_marks() {
        assert_eq!(parts("<think>\nfirst\n</think>\n\n(B)", false), (Some("first"), "(B)", false));
        assert_eq!(parts("first\n</think>\n\n(B)", true), (Some("first"), "(B)", false));
        assert_eq!(parts("first</think>(B)", false), (Some("first"), "(B)", false));
        assert_eq!(parts(" (B)", false), (None, " (B)", false));
        assert_eq!(parts("<think></think>(B)", false), (Some(""), "(B)", false));
    }

    #[test]
    fn thinking_that_never_ends_leaves_no_answer() {
        assert_eq!(parts("<think>on and on", false), (Some("on and on"), "", true));
        assert_eq!(parts("on and on", true), (Some("on and on"), "", true));
    }

    #[test]
    fn marks_in_the_middle_of_an_answer_split_nothing() {
        let reply = "The tag <think> opens and </think> closes.";
        assert_eq!(parts(reply, false), (None, reply, false));
    }

    #[test]
    fn other_marks_or_none_can_be_named() {
        let marks = Thinking::Marks(["[T]".into(), "[/T]".into()]);
        assert_eq!(split("[T]a[/T]b", false, &marks).thought, Some("a"));
        let none = Thinking::Off(crate::benchmark::decoding::Off::None);
        assert_eq!(split("<think>a</think>b", true, &none).answer, "<think>a</think>b");
    }

    #[test]
    fn a_template_or_a_prefill_may_open_or_close_the_thinking() {
        let usual = Thinking::default();
        assert!(is_open("<|assistant|><think>\n", "", &usual));
        assert!(is_open("<|assistant|><think>\n", "So, ", &usual));
        assert!(is_open("<|assistant|>", "<think>\nSo, ", &usual));
        assert!(!is_open("<|assistant|><think>\n", "\n</think>\n\n", &usual));
        assert!(!is_open("<|assistant|>", "<think>\n</think>The", &usual));
        assert!(!is_open("<|assistant|>", "The", &usual));
    }

    #[test]
    fn the_earliest_stop_sequence_ends_an_answer() {
        let stop = ["\n\n".to_owned(), "B".to_owned()];
        assert_eq!(before_stop("A\nB\n\nC", &stop), Some("A\n"));
        assert_eq!(before_stop("A\n\nB", &stop), Some("A"));
        assert_eq!(before_stop("A\n", &stop), None);
        assert_eq!(before_stop("B", &stop), Some(""));
    }
}
