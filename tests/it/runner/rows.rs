//! What the real engine computes for an ask: the rows that it needs, once, whatever was asked before.

use super::*;
use quantbias::engine::{Answer, Part};

const PROMPT: &str = "The manager told the nurse that the report was late, because";

fn engine() -> MistralEngine {
    let mut setting = setting(QuantScheme::Q4K, false);
    setting.source = ModelSource::Directory(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models/base"));
    MistralEngine::load(&LoadSetting::of(&setting, Mode::Score, 1)).unwrap()
}

fn likelihood(context: &str, texts: &[&str]) -> Ask {
    let candidates = texts.iter().map(|t| Candidate { context: context.into(), text: (*t).into() });
    Ask::Likelihood { candidates: candidates.collect() }
}

fn first_token(words: &[&str]) -> Ask {
    serde_json::from_value(serde_json::json!({
        "kind": "first_token", "prompt": PROMPT, "words": words, "chat": false
    }))
    .unwrap()
}

fn parts(engine: &mut MistralEngine, ask: &Ask) -> Vec<Part> {
    match engine.answer(ask).unwrap() {
        Answer::Scored { parts, .. } => parts,
        generated @ Answer::Generated { .. } => panic!("{generated:?}"),
    }
}

#[test]
fn first_tokens_and_likelihoods_in_any_order_have_the_bits_that_they_have_alone() {
    let asks = [
        first_token(&["he", "she"]),
        likelihood("", &["She is a doctor.", "He is a doctor."]),
        first_token(&["because", "notwithstanding"]),
        likelihood(PROMPT, &[" he was ill", " she"]),
    ];
    let alone: Vec<Vec<Part>> = asks.iter().map(|ask| parts(&mut engine(), ask)).collect();
    let mut busy = engine();
    for round in 0..40 {
        let at = (round * 7 + round / 3) % asks.len();
        assert_eq!(parts(&mut busy, &asks[at]), alone[at], "ask {at} in round {round}");
    }
}

#[test]
fn a_word_as_first_token_has_the_likelihood_that_it_has_as_a_text() {
    let mut engine = engine();
    for word in ["he", "she", "it", "notwithstanding"] {
        let scored = &parts(&mut engine, &likelihood(PROMPT, &[&format!(" {word}")]))[0];
        let as_word = &parts(&mut engine, &first_token(&[word]))[0];
        let at = as_word.tokens.iter().position(|t| *t == scored.tokens[0]).unwrap();
        let theirs: f64 = scored.logprobs.iter().sum();
        let same = as_word.logprobs.iter().any(|ours| (ours - theirs).abs() < 1e-4);
        assert!(same, "{word}: {:?} against {theirs}, {:?}", as_word.logprobs, as_word.tokens[at]);
    }
}

#[test]
fn options_of_one_token_cost_one_pass_over_their_context() {
    let mut engine = engine();
    let tokens = engine.tokenize(PROMPT).unwrap().len() as u64;
    let fed = |engine: &mut MistralEngine, texts: &[&str]| {
        let before = engine.spent();
        let answered = parts(engine, &likelihood(PROMPT, texts));
        (engine.spent().since(before).fed, answered)
    };
    let (once, single) = fed(&mut engine, &[" he"]);
    assert_eq!(single[0].tokens.len(), 1);
    assert!((tokens..=tokens + 1).contains(&once), "{once} of {tokens}, with BOS");
    let (thrice, all) = fed(&mut engine, &[" he", " she", " it"]);
    assert_eq!(thrice, once);
    assert_eq!(all[0], single[0]);
    let (longer, _) = fed(&mut engine, &[" he", " she was not here"]);
    assert!(longer > once && longer < 2 * once, "the shorter one is part of the longer one");
}
