//! A server as an engine, against a scripted one that speaks the protocol and breaks on demand.

use crate::server::{Act, Server};
use quantbias::benchmark::{Ask, Candidate, Draws, Framing, Sampling};
use quantbias::engine::openai::{OpenAiEngine, Patience, Unusable, abilities};
use quantbias::engine::{Answer, AskError, Engine, Finish, Thought};
use quantbias::spec::Endpoint;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Patience = Patience { call: Duration::from_secs(2), total: Duration::from_secs(6), tries: 5 };

pub(crate) fn endpoint(server: &Server) -> Endpoint {
    Endpoint {
        url: format!("http://{}/v1", server.address),
        model: "toy".to_owned(),
        key_env: "QUANTBIAS_TEST_KEY_THAT_IS_NOT_SET".to_owned(),
        bits_per_weight: Some(4.5),
        weights: "AWQ".to_owned(),
        activations: "none".to_owned(),
    }
}

/// A token per word, each with its leading space; the log-probability is minus a tenth of its length in characters.
fn tokens(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).filter(|at| *at > 0).collect();
    starts.insert(0, 0);
    starts.push(text.len());
    starts.windows(2).map(|w| &text[w[0]..w[1]]).filter(|t| !t.is_empty()).collect()
}

fn log_probability(token: &str) -> f64 {
    -(token.chars().count() as f64) / 10.0
}

/// What a well-behaved server answers.
pub(crate) fn toy(path: &str, body: &Value, bytes: bool, bos: bool) -> Value {
    if path.ends_with("models") {
        return json!({"data": [{"id": "toy"}, {"id": "other"}]});
    }
    if path.ends_with("chat/completions") {
        let top = json!([{"token": "Yes", "logprob": -0.25}, {"token": "No", "logprob": -2.0}]);
        return json!({
            "choices": [{"message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop",
                "logprobs": {"content": [{"token": "Yes", "logprob": -0.25, "top_logprobs": top}]}}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 1},
        });
    }
    let prompt = body["prompt"].as_str().unwrap();
    let length = |t: &str| if bytes { t.len() } else { t.chars().count() };
    if body["echo"] != true {
        let top = json!({" yes": -1.0, " Yes": -1.5, " no": -0.5, " maybe": -3.0});
        return json!({"choices": [{"text": " yes", "finish_reason": "length", "logprobs": {"top_logprobs": [top]}}],
            "usage": {"prompt_tokens": 4, "completion_tokens": 1}});
    }
    let (mut values, mut offsets, mut at) = (vec![], vec![], 0);
    if bos {
        values.push(Value::Null);
        offsets.push(0);
    }
    for token in tokens(prompt) {
        values.push(if values.is_empty() { Value::Null } else { json!(log_probability(token)) });
        offsets.push(at);
        at += length(token);
    }
    let prompt_tokens = values.len();
    values.push(json!(-0.7));
    offsets.push(at);
    json!({"choices": [{"text": format!("{prompt} x"), "finish_reason": "length",
            "logprobs": {"token_logprobs": values, "text_offset": offsets}}],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": 1}})
}

fn fine(bytes: bool, bos: bool) -> Server {
    Server::start(move |path, body| Act::json(&toy(path, &serde_json::from_str(body).unwrap_or_default(), bytes, bos)))
}

fn pair() -> Ask {
    let candidate = |text: &str| Candidate { context: "The café said".to_owned(), text: text.to_owned() };
    Ask::Likelihood { candidates: vec![candidate(" naïve words"), candidate(" no")] }
}

fn sums(answer: &Answer) -> Vec<f64> {
    let Answer::Scored { parts, .. } = answer else { panic!("{answer:?}") };
    parts.iter().map(|p| p.logprobs.iter().sum()).collect()
}

#[test]
fn a_servers_log_likelihood_is_that_of_the_text_after_the_context_in_characters_and_in_bytes() {
    for (bytes, bos) in [(false, false), (false, true), (true, false), (true, true)] {
        let server = fine(bytes, bos);
        let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
        let found = sums(&engine.answer(&pair()).unwrap());
        // " naïve" has 6 characters, " words" 6, " no" 3.
        assert!((found[0] + 1.2).abs() < 1e-12 && (found[1] + 0.3).abs() < 1e-12, "{bytes} {bos} {found:?}");
    }
}

#[test]
fn a_text_without_context_is_scored_whole_behind_an_opening_token_and_refused_where_its_first_word_would_be_left_out() {
    let candidate = Candidate { context: String::new(), text: "Some text".to_owned() };
    let ask = Ask::Likelihood { candidates: vec![candidate] };
    let server = fine(false, true);
    let found = sums(&OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap().answer(&ask).unwrap());
    // "Some" has 4 characters, " text" 5.
    assert!((found[0] + 0.9).abs() < 1e-12, "{found:?}");
    assert_eq!(abilities(&endpoint(&server), PATIENCE).unwrap().missing(), None);

    let server = fine(false, false);
    let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
    let Err(AskError::Refused { reason }) = engine.answer(&ask) else { panic!() };
    assert!(reason.contains("does not score the first token of a text"), "{reason}");
    let missing = abilities(&endpoint(&server), PATIENCE).unwrap().missing().unwrap();
    assert!(missing.contains("a text's first token"), "{missing}");
    assert!(engine.answer(&pair()).is_ok(), "behind a context the first token of all is not scored");
}

#[test]
fn a_text_whose_first_token_reaches_into_a_context_that_opens_the_prompt_fails_and_is_not_cut() {
    let server = fine(false, false);
    let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
    let candidate = Candidate { context: "So".to_owned(), text: "me text".to_owned() };
    let Err(AskError::Engine { reason }) = engine.answer(&Ask::Likelihood { candidates: vec![candidate] }) else {
        panic!()
    };
    assert!(reason.contains("first token of the text has no log-probability"), "{reason}");
}

#[test]
fn answer_words_count_in_every_case_and_with_a_space_among_the_next_tokens() {
    let server = fine(false, true);
    let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
    let ask = |chat| Ask::first_token("Q?".to_owned(), vec!["yes".into(), "no".into()], chat);
    let Answer::Scored { parts, .. } = engine.answer(&ask(false)).unwrap() else { panic!() };
    let p = |i: usize| parts[i].logprobs.iter().map(|l| l.exp()).sum::<f64>();
    assert!((p(0) - ((-1.0_f64).exp() + (-1.5_f64).exp())).abs() < 1e-12);
    assert!((p(1) - (-0.5_f64).exp()).abs() < 1e-12);
    let Answer::Scored { parts, .. } = engine.answer(&ask(true)).unwrap() else { panic!() };
    assert_eq!(parts[0].logprobs, [-0.25]);
    let absent = Ask::first_token("Q?".to_owned(), vec!["perhaps".into()], true);
    assert!(
        matches!(engine.answer(&absent), Err(AskError::Refused { .. })),
        "a probability that is not known is not 0"
    );
}

#[test]
fn a_thinking_part_is_kept_apart_from_the_reply_whether_the_server_does_it_or_not() {
    let server = Server::start(|path, body| {
        let mut reply = toy(path, &serde_json::from_str(body).unwrap_or_default(), false, true);
        if path.ends_with("chat/completions") {
            reply["choices"][0]["message"]["reasoning_content"] = json!("\nB is a trap\n");
            reply["usage"]["completion_tokens_details"] = json!({"reasoning_tokens": 5});
        } else if path.ends_with("completions") {
            reply["choices"][0]["text"] = json!("<think>\nB is a trap\n</think>\n\nYes.\nNo.");
        }
        Act::json(&reply)
    });
    let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
    for (chat, tokens) in [(true, Some(5)), (false, None)] {
        let mut ask = Ask::generate("Q?".to_owned(), vec![], 5, chat);
        let Ask::Generate { decoding, .. } = &mut ask else { panic!() };
        decoding.stop = vec!["\n".to_owned()];
        let Answer::Generated { text, finish, thought, .. } = engine.answer(&ask).unwrap() else { panic!() };
        assert_eq!((text.as_str(), finish), ("Yes.", Finish::Stop));
        assert_eq!(thought, Some(Thought { text: "B is a trap".to_owned(), tokens }));
    }
}

/// A chat server that renders turns as words, with two marks around each, and counts words; `open` says whether it goes on
/// from an assistant's turn, `system` whether it knows the role.
fn turns(open: bool, system: bool) -> (Server, Arc<Mutex<Vec<Value>>>) {
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let log = Arc::clone(&seen);
    let server = Server::start(move |path, body| {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let mut reply = toy(path, &body, false, true);
        if path.ends_with("chat/completions") {
            let turns = body["messages"].as_array().unwrap();
            let words = |turn: &Value| turn["content"].as_str().unwrap().split_whitespace().count() + 2;
            let known = turns.iter().filter(|t| system || t["role"] != "system");
            let last = turns.last().unwrap()["role"] == "assistant";
            // An open turn has its opening mark only, which otherwise stands at the end of the prompt.
            let words: usize = known.map(words).sum();
            reply["usage"]["prompt_tokens"] = json!(if last && open { words - 1 } else { words + 1 });
            log.lock().unwrap().push(body);
        }
        Act::json(&reply)
    });
    (server, seen)
}

#[test]
fn a_server_is_asked_with_system_prefill_stop_filters_and_the_items_own_seed() {
    let (server, seen) = turns(true, true);
    let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap().named("m@served");
    let mut ask = Ask::generate("Q?".to_owned(), vec![], 5, true);
    let Ask::Generate { framing, decoding, .. } = &mut ask else { panic!() };
    *framing = Framing { system: Some("Be brief.".into()), prefill: Some("I say".into()) };
    decoding.stop = vec!["\n".to_owned()];
    assert!(engine.answer(&ask).is_ok());
    let greedy = seen.lock().unwrap().last().unwrap().clone();
    assert_eq!(
        greedy["messages"],
        json!([
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Q?"}, {"role": "assistant", "content": "I say"}
        ])
    );
    assert_eq!((&greedy["continue_final_message"], &greedy["temperature"]), (&json!(true), &json!(0)));
    assert_eq!((&greedy["stop"], &greedy["seed"]), (&json!(["\n"]), &Value::Null));

    let sampling = Sampling { temperature: 0.5, top_p: Some(0.9), ..Sampling::default() };
    let draws = |repeat| Draws { sampling, seed: 1, benchmark: "b".into(), item: "i".into(), repeat };
    let mut seeds = Vec::new();
    for repeat in [1, 2, 1] {
        let Ask::Generate { decoding, .. } = &mut ask else { panic!() };
        decoding.draws = Some(Box::new(draws(repeat)));
        assert!(engine.answer(&ask).is_ok());
        let body = seen.lock().unwrap().last().unwrap().clone();
        assert_eq!((&body["temperature"], &body["top_p"], &body["top_k"]), (&json!(0.5), &json!(0.9), &Value::Null));
        seeds.push(body["seed"].as_u64().unwrap());
    }
    assert!(seeds[0] == seeds[2] && seeds[0] != seeds[1] && seeds.iter().all(|s| *s < 1 << 31), "{seeds:?}");
}

#[test]
fn a_server_that_closes_a_prefilled_turn_or_drops_the_system_is_not_asked_so() {
    for (open, system) in [(false, true), (true, false)] {
        let (server, _) = turns(open, system);
        let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
        let found = abilities(&endpoint(&server), PATIENCE).unwrap();
        assert_eq!((found.prefill, found.system), (open, system));
        for (framing, able, words) in [
            (Framing { system: Some("Be brief.".into()), prefill: None }, system, "takes no system prompt"),
            (Framing { system: None, prefill: Some("I say".into()) }, open, "does not go on from a prefilled"),
        ] {
            let mut ask = Ask::generate("Q?".to_owned(), vec![], 5, true);
            let Ask::Generate { framing: asked, .. } = &mut ask else { panic!() };
            *asked = framing;
            match engine.answer(&ask) {
                Ok(_) => assert!(able),
                Err(AskError::Refused { reason }) => assert!(!able && reason.contains(words), "{reason}"),
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn a_server_without_prompt_log_probabilities_is_told_apart_in_one_sentence() {
    let server = Server::start(|path, body| {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        if body["echo"] == true {
            return Act::status(400, r#"{"error": {"message": "echo is not supported"}}"#);
        }
        Act::json(&toy(path, &body, false, true))
    });
    let found = abilities(&endpoint(&server), PATIENCE).unwrap();
    let missing = found.missing().unwrap();
    assert!(missing.contains("prompt log-probabilities") && missing.contains("echo is not supported"), "{missing}");
    let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
    assert!(matches!(engine.answer(&pair()), Err(AskError::Refused { .. })));
    let ask = Ask::generate("Q".to_owned(), vec![], 5, false);
    assert!(matches!(engine.answer(&ask), Ok(Answer::Generated { .. })));
}

#[test]
fn a_model_that_ends_the_probe_s_text_at_once_is_asked_for_the_next_token_of_another() {
    // As llama.cpp's server in Python answers then.
    let server = |patient: bool| {
        Server::start(move |path, body| {
            let sent: Value = serde_json::from_str(body).unwrap_or_default();
            let ends = |text: &Value| text.as_str().is_some_and(|t| !patient || t.ends_with('.'));
            let mut reply = toy(path, &sent, false, true);
            if sent["echo"] == false && ends(&sent["prompt"]) {
                reply["choices"][0] = json!({"text": "", "finish_reason": "stop",
                    "logprobs": {"text_offset": [], "token_logprobs": [], "tokens": [], "top_logprobs": []}});
                reply["usage"]["completion_tokens"] = json!(0);
            }
            if ends(&sent["messages"][0]["content"]) {
                reply["choices"][0] =
                    json!({"message": {"content": ""}, "finish_reason": "stop", "logprobs": {"content": []}});
                reply["usage"]["completion_tokens"] = json!(0);
            }
            Act::json(&reply)
        })
    };
    for patient in [true, false] {
        let found = abilities(&endpoint(&server(patient)), PATIENCE).unwrap();
        assert_eq!((found.next_token, found.chat_next_token), (patient, patient));
        assert!(found.completion && found.chat);
    }
}

#[test]
fn another_model_a_missing_key_and_no_server_are_said_at_the_start() {
    let server = fine(false, true);
    let other = Endpoint { model: "llama".to_owned(), ..endpoint(&server) };
    let why = OpenAiEngine::load(&other, PATIENCE).unwrap_err().to_string();
    assert!(why.contains("no model \"llama\"") && why.contains("toy, other"), "{why}");
    let locked = Server::start(|_, _| Act::status(401, r#"{"error": {"message": "no key"}}"#));
    let why = OpenAiEngine::load(&endpoint(&locked), PATIENCE).unwrap_err().to_string();
    assert!(why.contains("401") && why.contains("key_env"), "{why}");
    let nobody = Endpoint { url: "http://127.0.0.1:9/v1".to_owned(), ..endpoint(&server) };
    let quick = Patience { total: Duration::from_millis(500), ..PATIENCE };
    let gone = OpenAiEngine::load(&nobody, quick).unwrap_err();
    assert!(matches!(&gone, Unusable::Gone(why) if why.contains("no answer after")), "{gone}");
}

/// A server whose first `times` answers to real questions are `act`, and fine afterwards.
fn failing(times: usize, act: impl Fn() -> Act + Send + Sync + 'static) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |path, body| {
        let sent: Value = serde_json::from_str(body).unwrap_or_default();
        let real = sent["prompt"].as_str().is_some_and(|p| p.contains("café said"));
        if real && asked.fetch_add(1, Ordering::SeqCst) < times {
            return act();
        }
        Act::json(&toy(path, &sent, false, true))
    })
}

#[test]
fn what_passes_is_asked_again_too_many_requests_errors_cut_lines_broken_json_and_slowness() {
    let cases: Vec<(&str, Server)> = vec![
        ("429", failing(2, || Act::busy(0))),
        ("500", failing(2, || Act::status(503, "overloaded"))),
        ("cut", failing(2, || Act::Cut)),
        ("half", failing(1, || Act::Half(r#"{"choices": [{"te"#.to_owned()))),
        ("malformed", failing(2, || Act::text("{\"choices\": [NaN"))),
        ("slow", failing(1, || Act::Slow(Duration::from_secs(4)))),
    ];
    for (name, server) in cases {
        let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
        let answer = engine.answer(&pair()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!((sums(&answer)[0] + 1.2).abs() < 1e-12, "{name}");
    }
}

#[test]
fn whoever_asks_a_server_gives_up_before_whoever_waits_for_the_answer() {
    let seconds = Duration::from_secs;
    assert_eq!(Patience::default(), Patience { call: seconds(120), total: seconds(240), tries: 8 });
    for limit in [2, 30, 300, 3600].map(seconds) {
        let (patience, brief) = (Patience::within(limit), Patience::within(limit).brief());
        // Two calls that hang, and the look whether the server is there.
        assert!(2 * patience.call + brief.total < limit && patience.total + brief.total < limit, "{patience:?}");
        assert!(brief.total > Duration::ZERO && brief.tries > 1);
    }
}

#[test]
fn retry_after_is_obeyed() {
    let server = failing(1, || Act::busy(1));
    let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
    let began = Instant::now();
    engine.answer(&pair()).unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[test]
fn what_does_not_pass_fails_the_item_with_the_servers_words() {
    let server = failing(99, || Act::status(500, r#"{"error": {"message": "CUDA out of memory"}}"#));
    let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
    let Err(AskError::Engine { reason }) = engine.answer(&pair()) else { panic!() };
    assert!(reason.contains("5 tries") && reason.contains("CUDA out of memory"), "{reason}");
    let server = failing(99, || Act::status(400, r#"{"error": {"message": "maximum context length is 8 tokens"}}"#));
    let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
    let Err(AskError::Refused { reason }) = engine.answer(&pair()) else { panic!() };
    assert_eq!(reason, "maximum context length is 8 tokens");
}

#[test]
fn null_positive_and_missing_log_probabilities_fail_the_item_and_are_no_number() {
    let broken = |values: Value| {
        failing(99, move || {
            let prompt = "The café said naïve words";
            let mut reply = toy("completions", &json!({"prompt": prompt, "echo": true}), false, true);
            reply["choices"][0]["logprobs"]["token_logprobs"] = values.clone();
            Act::json(&reply)
        })
    };
    for values in [
        json!([null, -1.0, -1.0, -1.0, null, -1.0, -0.5]),
        json!([null, -1.0, -1.0, -1.0, 0.5, -1.0, -0.5]),
        json!([null, -1.0, -1.0, -1.0, "NaN", -1.0, -0.5]),
        json!([null, -1.0]),
        json!(null),
    ] {
        let server = broken(values.clone());
        let mut engine = OpenAiEngine::load(&endpoint(&server), PATIENCE).unwrap();
        assert!(matches!(engine.answer(&pair()), Err(AskError::Engine { .. })), "{values}");
    }
}
