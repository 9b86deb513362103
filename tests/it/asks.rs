//! What is asked beyond a prompt: system prompt, prefilled reply, stop sequences, draws, thinking; on the demo model, against
//! transformers and numpy (`tests/reference/engine/sampling_reference.py`), and in whole runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use quantbias::benchmark::{Ask, ClusterId, Decoding, Dice, Draws, Framing, Item, ItemId, Key, Sampling, Thinking};
use quantbias::engine::draw::{Numbers, draw, kept};
use quantbias::engine::{Answer, AskError, Engine, Finish, LoadSetting, MistralEngine, Mode, Thought};
use quantbias::metric::{Rule, Said, read};
use quantbias::records::{Record, Run};
use quantbias::spec::{Dtype, ModelSource, QuantScheme};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn chat_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models/chat")
}

fn load(directory: &Path, mode: Mode) -> MistralEngine {
    let setting = LoadSetting {
        source: ModelSource::Directory(directory.to_owned()),
        scheme: QuantScheme::None,
        guide: None,
        dtype: Dtype::F32,
        device: "cpu".into(),
        mode,
        threads: 1,
    };
    MistralEngine::load(&setting).unwrap()
}

fn reference() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/engine/sampling_reference.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn sampling(how: &Value) -> Sampling {
    serde_json::from_value(how.clone()).unwrap()
}

fn draws(sampling: Sampling, item: &str, repeat: u32) -> Draws {
    Draws { sampling, seed: 1, benchmark: "toy".into(), item: item.into(), repeat }
}

/// A chat of the demo model with everything that can be said beside the prompt.
fn chat(prompt: &str, most: u32, framing: Framing, decoding: Decoding) -> Ask {
    let mut ask = Ask::generate(prompt.to_owned(), vec![], most, true);
    let Ask::Generate { framing: f, decoding: d, .. } = &mut ask else { panic!() };
    (*f, *d) = (framing, decoding);
    ask
}

fn sampled(prompt: &str, most: u32, draws: Draws) -> Ask {
    chat(prompt, most, Framing::default(), Decoding { draws: Some(Box::new(draws)), ..Decoding::default() })
}

fn text(answer: Result<Answer, AskError>) -> String {
    let Answer::Generated { text, .. } = answer.unwrap() else { panic!("not generated") };
    text
}

#[test]
fn tokens_are_drawn_as_numpy_draws_them_from_the_same_numbers() {
    for case in reference()["rows"].as_array().unwrap() {
        let row: Vec<f32> = case["row"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
        let how = sampling(&case["how"]);
        let left: Vec<usize> = kept(&row, &how).into_iter().map(|(token, _)| token).collect();
        assert_eq!(json!(left), case["kept"], "{how}");
        let numbers = case["numbers"].as_array().unwrap().iter().map(|u| u.as_f64().unwrap());
        let drawn: Vec<usize> = numbers.map(|u| draw(&row, &how, u)).collect();
        assert_eq!(json!(drawn), case["tokens"], "{how}");
    }
}

#[test]
fn filters_leave_what_counting_by_hand_leaves() {
    // Probabilities ½, ¼, ⅛, ⅛.
    let row = [2.0_f32.ln(), 4.0_f32.ln(), 1.0_f32.ln(), 1.0_f32.ln()];
    let usual = Sampling::default();
    let left = |how: Sampling| kept(&row, &how).into_iter().map(|(token, _)| token).collect::<Vec<_>>();
    for (how, expected) in [
        (usual, vec![1, 0, 2, 3]),
        (Sampling { top_k: Some(1), ..usual }, vec![1]),
        (Sampling { top_k: Some(3), ..usual }, vec![1, 0, 2]),
        (Sampling { top_k: Some(99), ..usual }, vec![1, 0, 2, 3]),
        (Sampling { top_p: Some(0.4), ..usual }, vec![1]),
        (Sampling { top_p: Some(0.6), ..usual }, vec![1, 0]),
        (Sampling { top_p: Some(0.8), ..usual }, vec![1, 0, 2]),
        (Sampling { top_p: Some(1.0), ..usual }, vec![1, 0, 2, 3]),
        // Of the two that stay ½ and ¼ are ⅔ and ⅓.
        (Sampling { top_k: Some(2), top_p: Some(0.6), ..usual }, vec![1]),
        (Sampling { min_p: Some(0.4), ..usual }, vec![1, 0]),
        (Sampling { min_p: Some(0.2), ..usual }, vec![1, 0, 2, 3]),
        (Sampling { min_p: Some(1.0), ..usual }, vec![1]),
        (Sampling { temperature: 1e-6, ..usual }, vec![1, 0, 2, 3]),
    ] {
        assert_eq!(left(how), expected, "{how}");
    }
    assert_eq!(draw(&row, &Sampling { temperature: 1e-6, ..usual }, 1.0 - f64::EPSILON), 1);
    assert_eq!([0.0, 0.49, 0.51, 0.74, 0.76, 0.88].map(|u| draw(&row, &usual, u)), [1, 1, 0, 0, 2, 3]);
}

#[test]
fn tokens_are_drawn_as_often_as_they_are_probable() {
    let row = [0.3_f32, -1.0, 2.0, 0.3, 1.1, -4.0, 0.0, 1.9];
    let how = Sampling { temperature: 1.3, ..Sampling::default() };
    let weights = row.map(|x| (f64::from(x) / 1.3).exp());
    let total: f64 = weights.iter().sum();
    let (n, mut counts) = (20_000_u32, [0_u32; 8]);
    for repeat in 1..=n {
        counts[draw(&row, &how, Numbers::of(&draws(how, "i", repeat), "").uniform())] += 1;
    }
    for (count, weight) in counts.iter().zip(weights) {
        let p = weight / total;
        let error = (p * (1.0 - p) / f64::from(n)).sqrt();
        assert!((f64::from(*count) / f64::from(n) - p).abs() < 4.0 * error, "{counts:?}");
    }
}

#[test]
fn framed_and_sampled_replies_are_those_of_transformers_token_by_token() {
    for case in reference()["replies"].as_array().unwrap() {
        let word = |key: &str| case[key].as_str().map(str::to_owned);
        let mut engine =
            load(&chat_model(), Mode::Generate).named(case["name"][4].as_str().unwrap_or("a setting without say"));
        let named = |name: &Value| {
            let dice = if name[4].is_string() { Dice::Own } else { Dice::Shared };
            Draws {
                sampling: Sampling { dice, ..sampling(&case["how"]) },
                seed: name[0].as_u64().unwrap(),
                benchmark: name[1].as_str().unwrap().into(),
                item: name[2].as_str().unwrap().into(),
                repeat: name[3].as_u64().unwrap() as u32,
            }
        };
        let draws = (!case["name"].is_null()).then(|| named(&case["name"]));
        if let Some(draws) = &draws {
            let mut numbers = Numbers::of(draws, case["name"][4].as_str().unwrap_or_default());
            let expected: Vec<f64> = serde_json::from_value(case["numbers"].clone()).unwrap();
            assert_eq!(expected.iter().map(|_| numbers.uniform()).collect::<Vec<_>>(), expected);
        }
        let framing = Framing { system: word("system"), prefill: word("prefill") };
        let stop = serde_json::from_value(case["stop"].clone()).unwrap();
        let decoding = Decoding { stop, draws: draws.map(Box::new), ..Decoding::default() };
        let most = case["max_tokens"].as_u64().unwrap() as u32;
        let answer = engine.answer(&chat(&word("user").unwrap(), most, framing, decoding)).unwrap();
        let Answer::Generated { text, tokens, finish, prompt_tokens, thought } = answer else {
            panic!("not generated")
        };
        assert_eq!((json!(tokens), json!(text)), (case["tokens"].clone(), case["text"].clone()));
        assert_eq!((json!(finish), json!(prompt_tokens)), (case["finish"].clone(), case["prompt_tokens"].clone()));
        assert_eq!(thought, None);
    }
}

#[test]
fn first_words_are_drawn_as_often_as_scoring_says_they_are_probable() {
    let prompt = "Do you agree with this sentence? Old people cannot learn. Answer yes or no.";
    let framing = Framing { system: Some("You answer with yes or no.".into()), prefill: None };
    let mut scored = Ask::first_token(prompt.into(), vec!["yes".into(), "no".into()], true);
    let Ask::FirstToken { framing: around, .. } = &mut scored else { panic!() };
    *around = framing.clone();
    let Answer::Scored { parts, .. } = load(&chat_model(), Mode::Score).answer(&scored).unwrap() else { panic!() };
    let mut engine = load(&chat_model(), Mode::Generate);
    let n = 300;
    let mut tokens = Vec::new();
    for repeat in 1..=n {
        let decoding =
            Decoding { draws: Some(Box::new(draws(Sampling::default(), "i", repeat))), ..Decoding::default() };
        let Answer::Generated { tokens: drawn, .. } =
            engine.answer(&chat(prompt, 1, framing.clone(), decoding)).unwrap()
        else {
            panic!()
        };
        tokens.extend(drawn);
    }
    let mut likely = 0;
    for part in parts {
        let p: f64 = part.logprobs.iter().map(|l| l.exp()).sum();
        let share = tokens.iter().filter(|t| part.tokens.contains(t)).count() as f64 / f64::from(n);
        let error = (p * (1.0 - p) / f64::from(n)).sqrt();
        assert!((share - p).abs() < 4.0 * error + 1e-12, "{}: {share} for {p}", part.label);
        likely += u32::from(p > 0.05);
    }
    assert!(likely > 0, "the words are too improbable to tell anything");
}

#[test]
fn a_sampled_reply_depends_on_its_name_alone() {
    let how = Sampling::default();
    let other = Sampling { dice: Dice::Own, ..how };
    let prompt = "Tell me about the old man.";
    let mut engine = load(&chat_model(), Mode::Generate).named("chat@none");
    let alone = text(engine.answer(&sampled(prompt, 24, draws(how, "i", 1))));
    for repeat in [2, 3] {
        assert_ne!(text(engine.answer(&sampled(prompt, 24, draws(how, "i", repeat)))), alone);
    }
    assert_eq!(text(engine.answer(&sampled(prompt, 24, draws(how, "i", 1)))), alone, "after others");
    assert_ne!(text(engine.answer(&sampled(prompt, 24, draws(how, "j", 1)))), alone, "another item");
    assert_ne!(text(engine.answer(&sampled(prompt, 24, Draws { seed: 2, ..draws(how, "i", 1) }))), alone);
    let own = text(engine.answer(&sampled(prompt, 24, draws(other, "i", 1))));
    assert_ne!(own, alone);
    let mut repeat = load(&chat_model(), Mode::Generate).named("chat@none+aa");
    assert_eq!(text(repeat.answer(&sampled(prompt, 24, draws(how, "i", 1)))), alone, "shared by settings");
    assert_ne!(text(repeat.answer(&sampled(prompt, 24, draws(other, "i", 1)))), own, "each its own");
}

#[test]
fn a_temperature_near_zero_is_greedy() {
    let mut engine = load(&chat_model(), Mode::Generate);
    let cold = Sampling { temperature: 1e-6, ..Sampling::default() };
    for prompt in ["Who was late?", "Tell me about the old man."] {
        let greedy = engine.answer(&Ask::generate(prompt.into(), vec![], 20, true)).unwrap();
        assert_eq!(engine.answer(&sampled(prompt, 20, draws(cold, "i", 1))).unwrap(), greedy);
    }
}

#[test]
fn a_reply_that_ends_at_its_first_token_has_ended() {
    // mistral.rs goes on with such a sequence beside the next question; its tokens must appear in neither.
    let mut engine = load(&chat_model(), Mode::Generate);
    let prompt = "Tell me about the old man.";
    let whole = text(engine.answer(&Ask::generate(prompt.into(), vec![], 12, true)));
    let first = whole.split_whitespace().next().unwrap().to_owned();
    let stop = Decoding { stop: vec![first], ..Decoding::default() };
    for _ in 0..40 {
        let answer = engine.answer(&chat(prompt, 12, Framing::default(), stop.clone())).unwrap();
        let Answer::Generated { text: said, tokens, finish, .. } = answer else { panic!() };
        assert_eq!((said.as_str(), tokens.len(), finish), ("", 0, Finish::Stop));
        let Answer::Generated { tokens, finish, .. } =
            engine.answer(&Ask::generate(prompt.into(), vec![], 1, true)).unwrap()
        else {
            panic!()
        };
        assert_eq!((tokens.len(), finish), (1, Finish::Length));
        assert_eq!(text(engine.answer(&Ask::generate(prompt.into(), vec![], 12, true))), whole);
    }
}

/// The demo chat model with another template; `None` for none.
fn with_template(template: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(chat_model()).unwrap() {
        let from = entry.unwrap();
        std::fs::copy(from.path(), folder.path().join(from.file_name())).unwrap();
    }
    let path = folder.path().join("tokenizer_config.json");
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    match template {
        Some(template) => config["chat_template"] = json!(template),
        None => drop(config.as_object_mut().unwrap().remove("chat_template")),
    }
    std::fs::write(path, config.to_string()).unwrap();
    folder
}

#[test]
fn a_stop_sequence_that_is_a_special_token_ends_the_reply_though_no_text_shows_it() {
    let whole = load(&chat_model(), Mode::Generate)
        .answer(&chat("Who was late?", 24, Framing::default(), Decoding::default()))
        .unwrap();
    let Answer::Generated { tokens, finish, .. } = &whole else { panic!() };
    assert!(*finish == Finish::Stop && !tokens.is_empty(), "the model itself ends with <|end|>");

    // The same model, of which mistral.rs does not know that <|end|> is an end.
    let template = format!("{TURNS}<|assistant|>").replace("<|end|>", "{{ '<|en' + 'd|>' }}");
    let folder = with_template(Some(&template));
    for (file, key) in [("tokenizer_config.json", "eos_token"), ("generation_config.json", "eos_token_id")] {
        let path = folder.path().join(file);
        let mut config: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        config[key] = if key == "eos_token" { json!("<|eos|>") } else { json!(1) };
        std::fs::write(path, config.to_string()).unwrap();
    }
    let mut engine = load(folder.path(), Mode::Generate);
    let mut ask = |stop: &[&str]| {
        let decoding = Decoding { stop: stop.iter().map(|s| (*s).to_owned()).collect(), ..Decoding::default() };
        engine.answer(&chat("Who was late?", 24, Framing::default(), decoding)).unwrap()
    };
    let Answer::Generated { tokens: on, .. } = ask(&[]) else { panic!() };
    assert!(on.len() > tokens.len(), "without the stop sequence it goes on");
    assert_eq!(ask(&["<|end|>"]), whole);
}

const TURNS: &str =
    "{% for m in messages %}{% if m['role'] == 'user' %}<|user|>{{ m['content'] }}<|end|>{% endif %}{% endfor %}";

#[test]
fn a_template_without_a_system_role_refuses_a_system_prompt_in_one_sentence() {
    let system = Framing { system: Some("You are a teacher.".into()), prefill: None };
    let raises =
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}";
    for (template, expected) in [
        (Some(format!("{TURNS}<|assistant|>")), "the model's chat template leaves the system prompt out"),
        (Some(format!("{raises}{TURNS}<|assistant|>")), "the model's chat template takes no system prompt: "),
        (None, "the model has no chat template"),
    ] {
        let folder = with_template(template.as_deref());
        let mut engine = load(folder.path(), Mode::Generate);
        let refused = engine.answer(&chat("Who was late?", 4, system.clone(), Decoding::default()));
        let Err(AskError::Refused { reason }) = refused else { panic!("{refused:?}") };
        assert!(reason.starts_with(expected), "{reason}");
        let plain = engine.answer(&chat("Who was late?", 4, Framing::default(), Decoding::default()));
        assert_eq!(plain.is_ok(), template.is_some());
    }
    let mut engine = load(&chat_model(), Mode::Generate);
    let mut bare = chat("Who was late?", 4, system, Decoding::default());
    let Ask::Generate { chat, .. } = &mut bare else { panic!() };
    *chat = false;
    assert!(matches!(engine.answer(&bare), Err(AskError::Refused { .. })));
}

#[test]
fn thinking_is_split_off_and_its_tokens_are_counted() {
    // Greedy: "I am a small demonstration model."
    let framing = Framing { system: Some("You answer in one short sentence.".into()), prefill: None };
    let marked = |open: &str, close: &str| Decoding {
        thinking: Thinking::Marks([open.to_owned(), close.to_owned()]),
        ..Decoding::default()
    };
    let mut engine = load(&chat_model(), Mode::Generate);
    let mut ask = |decoding| engine.answer(&chat("Who was late?", 16, framing.clone(), decoding)).unwrap();
    let Answer::Generated { text: whole, tokens: all, .. } = ask(Decoding::default()) else { panic!() };
    assert_eq!(whole, "I am a small demonstration model.");
    let Answer::Generated { text, tokens, finish, thought, .. } = ask(marked("I am", "demonstration")) else {
        panic!()
    };
    let Some(Thought { text: thinking, tokens: Some(n) }) = thought else { panic!() };
    assert_eq!((thinking.as_str(), text.as_str(), finish), ("a small", "model.", Finish::Stop));
    assert_eq!(tokens, all);
    // The mark ends with the last of these tokens, and not before.
    let decoded = |n: usize| engine_text(&all[..n]);
    assert!(decoded(n as usize).contains("demonstration") && !decoded(n as usize - 1).contains("demonstration"));

    let Answer::Generated { text, thought, .. } = ask(marked("I am", "</think>")) else { panic!() };
    let expected = Thought { text: "a small demonstration model.".into(), tokens: Some(all.len() as u32) };
    assert_eq!((text.as_str(), thought), ("", Some(expected)), "thinking that never ends is no answer");
    let stopped = Decoding { stop: vec![" ".into()], ..marked("I am", "small") };
    let Answer::Generated { text, tokens, finish, .. } = ask(stopped) else { panic!() };
    assert_eq!(
        (text.as_str(), finish),
        ("demonstration", Finish::Stop),
        "a stop sequence ends the answer, not the thinking"
    );
    assert!(engine_text(&tokens).ends_with("demonstration") && tokens.len() < all.len());
}

fn engine_text(ids: &[u32]) -> String {
    let tokenizer = tokenizers::Tokenizer::from_file(chat_model().join("tokenizer.json")).unwrap();
    tokenizer.decode(ids, true).unwrap()
}

#[test]
fn a_template_that_opens_the_thinking_leaves_the_reply_within_it() {
    let folder = with_template(Some(&format!("{TURNS}<|assistant|><think>\n")));
    let mut engine = load(folder.path(), Mode::Generate);
    let open = engine.answer(&chat("Who was late?", 6, Framing::default(), Decoding::default())).unwrap();
    let Answer::Generated { text, tokens, thought: Some(thought), .. } = open else { panic!() };
    assert_eq!((text.as_str(), thought.tokens), ("", Some(tokens.len() as u32)));
    let closed = Framing { system: None, prefill: Some("\n</think>\n\n".into()) };
    let closed = engine.answer(&chat("Who was late?", 6, closed, Decoding::default())).unwrap();
    assert!(matches!(closed, Answer::Generated { thought: None, .. }), "{closed:?}");
}

#[test]
fn a_prompt_that_is_too_long_with_its_turns_is_refused_and_not_cut() {
    let mut engine = load(&chat_model(), Mode::Generate);
    let long = |words: usize| Framing { system: Some(" the".repeat(words)), prefill: Some("The".into()) };
    assert!(engine.answer(&chat("Who was late?", 4, long(900), Decoding::default())).is_ok());
    let refused = engine.answer(&chat("Who was late?", 4, long(1100), Decoding::default()));
    assert!(matches!(refused, Err(AskError::TooLong { limit: 1024, .. })), "{refused:?}");
}

#[test]
fn an_option_is_read_from_prefill_and_reply_together_unless_thinking_stands_between() {
    let subgroups = Vec::new();
    let mut ask = Ask::generate("Who?".into(), vec!["The nurse".into(), "The plumber".into()], 8, true);
    let Ask::Generate { framing, .. } = &mut ask else { panic!() };
    framing.prefill = Some("The answer is (".into());
    let (id, cluster) = (ItemId::new("i"), ClusterId::new("c"));
    let key = Key::default();
    let item = Item { id: id.clone(), cluster, stratum: String::new(), subgroups, condition: None, ask, key };
    let read_as = |text: &str, thought: Option<&str>| {
        let thought = thought.map(|t| Thought { text: t.to_owned(), tokens: Some(7) });
        let text = text.to_owned();
        let answer = Answer::Generated { text, tokens: vec![], finish: Finish::Stop, prompt_tokens: 1, thought };
        read(&item, &Record { item: id.clone(), answer: Ok(answer) }, None)
    };
    assert_eq!(read_as("B).", None).said, Some(Said::Option(1, Rule::Declared)));
    let behind = read_as("(A)", Some("B is a trap"));
    assert_eq!((behind.said, behind.thinking_tokens), (Some(Said::Option(0, Rule::Leading)), Some(7)));
}

/// An audit of the demo chat model with everything at once, in a folder of its own.
fn audit(folder: &Path) -> PathBuf {
    let model = chat_model();
    let audit = format!(
        "name = \"asks\"\n[[model]]\nid = \"chat\"\npath = \"{}\"\n[settings]\nschemes = [\"q4k\"]\n\
         [[benchmark]]\ntype = \"custom\"\nid = \"people\"\npath = \"people.toml\"\n[plan]\nreplicates = 1000\ndraws = 999\n",
        model.display()
    );
    std::fs::write(folder.join("audit.toml"), audit).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/benchmarks/custom");
    for name in ["people.toml", "people.csv"] {
        std::fs::copy(fixture.join(name), folder.join(name)).unwrap();
    }
    folder.join("audit.toml")
}

fn run(audit: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quantbias"));
    command.arg("run").arg(audit).arg("--out").arg(out).args(more);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    command
}

fn succeeds(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Whether a part of the records is on disk.
fn has_shard(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|e| e.path()).any(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name.starts_with("part-") && name.ends_with(".parquet")) || has_shard(&path)
    })
}

fn records(out: &Path) -> (Vec<Vec<Record>>, String) {
    let runs: Vec<PathBuf> = std::fs::read_dir(out.join("runs")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    let run = Run::open(&runs[0]).unwrap();
    let of = |setting| run.records("people", setting).unwrap().to_vec();
    let sha = run.manifest.provenance.records_sha256.clone().unwrap();
    (vec![of("chat@none"), of("chat@none+aa"), of("chat@q4k")], sha)
}

#[test]
fn a_sampled_run_has_the_same_records_with_one_worker_with_four_and_after_being_killed() {
    let folder = tempfile::tempdir().unwrap();
    let audit = audit(folder.path());
    let (one, four, killed) = (folder.path().join("one"), folder.path().join("four"), folder.path().join("killed"));
    succeeds(run(&audit, &one, &["--workers", "1"]));
    succeeds(run(&audit, &four, &["--workers", "4"]));
    let mut first = run(&audit, &killed, &["--workers", "2"]).spawn().unwrap();
    while !has_shard(&killed) && first.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    succeeds(run(&audit, &killed, &["--workers", "2", "--resume"]));

    let (settings, sha) = records(&one);
    assert_eq!(records(&four).1, sha);
    assert_eq!(records(&killed).1, sha);
    let [none, repeat, quantized] = settings.as_slice() else { panic!() };
    assert_eq!(none.len(), 16);
    let said = |record: &Record| {
        let Ok(Answer::Generated { text, .. }) = &record.answer else { panic!("{record:?}") };
        assert!(!text.contains('.'), "{text:?} goes on behind a stop sequence");
        text.clone()
    };
    let texts: Vec<String> = none.iter().map(said).collect();
    assert!(none.iter().zip(repeat).all(|(a, b)| said(a) == said(b)), "shared dice");
    assert!(none.iter().zip(quantized).any(|(a, b)| said(a) != said(b)));
    assert!((0..4).any(|i| texts[4 * i..4 * i + 4].windows(2).any(|w| w[0] != w[1])), "repeats have dice of their own");
}
