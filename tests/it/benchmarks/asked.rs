//! What the user says about how a question is put, in published benchmarks.

use super::{fixture, item, load_fixture, request};
use quantbias::benchmark::decoding::Off;
use quantbias::benchmark::{self, Ask, AskForm, Decoding, Dice, Framing, Options, Sampling, Thinking};
use std::collections::BTreeSet;

fn refused(name: &str, folder: &str, options: Options) -> String {
    let options = Options { allow_unpinned: true, ..options };
    benchmark::load(&request(name, fixture(folder), options)).unwrap_err().to_string()
}

#[test]
fn an_ask_without_choices_is_written_as_it_always_was() {
    let ask = Ask::generate("Q".into(), vec![], 5, true);
    let json = r#"{"kind":"generate","prompt":"Q","options":[],"max_tokens":5,"chat":true}"#;
    assert_eq!(serde_json::to_string(&ask).unwrap(), json);
    assert_eq!(serde_json::from_str::<Ask>(json).unwrap(), ask);
    let Ask::Generate { framing, decoding, .. } = ask else { panic!() };
    assert_eq!((framing, decoding), (Framing::default(), Decoding::default()));
}

#[test]
fn choices_reach_every_ask_and_repeats_share_their_cluster() {
    let sampling = Sampling { temperature: 0.7, dice: Dice::Own, ..Sampling::default() };
    let options = Options {
        chat: true,
        system: Some("You solve problems.".into()),
        prefill: Some("First,".into()),
        stop: vec!["\n\n".into()],
        thinking: Some(Thinking::Off(Off::None)),
        sampling: Some(sampling),
        samples: Some(3),
        seed: Some(9),
        ..Options::default()
    };
    let once = load_fixture("aime_2025", "contest_csv", Options::default());
    let data = load_fixture("aime_2025", "contest_csv", options);
    assert_eq!(data.items.len(), 3 * once.items.len());
    for (at, asked) in data.items.iter().enumerate() {
        let base = &once.items[at / 3];
        let repeat = at % 3 + 1;
        assert_eq!(asked.id.as_str(), format!("{}#{repeat}", base.id));
        assert_eq!((&asked.cluster, asked.key.repeats.as_ref()), (&base.cluster, Some(&base.id)));
        let Ask::Generate { framing, decoding, .. } = &asked.ask else { panic!() };
        assert_eq!(framing.system.as_deref(), Some("You solve problems."));
        assert_eq!(framing.prefill.as_deref(), Some("First,"));
        assert_eq!((decoding.stop.join("|"), decoding.thinking.marks()), ("\n\n".to_owned(), None));
        let draws = decoding.draws.as_ref().unwrap();
        assert_eq!((draws.sampling, draws.seed, draws.repeat as usize), (sampling, 9, repeat));
        assert_eq!((draws.benchmark.as_str(), draws.item.as_str()), ("aime_2025", base.id.as_str()));
    }
    let said = data.caveats.last().unwrap();
    assert!(said.contains("temperature 0.7") && said.contains("each setting draws its own"), "{said}");
    let names: BTreeSet<_> = data.items.iter().map(|i| serde_json::to_string(&i.ask).unwrap()).collect();
    assert_eq!(names.len(), data.items.len(), "every repeat has a stream of its own");
}

#[test]
fn adding_repeats_changes_no_stream_of_those_that_were_there() {
    let draws = |samples: u32, id: &str| {
        let options = Options { sampling: Some(Sampling::default()), samples: Some(samples), ..Options::default() };
        let data = load_fixture("aime_2025", "contest_csv", options);
        let Ask::Generate { decoding, .. } = item(&data, id).ask.clone() else { panic!() };
        decoding.draws.unwrap()
    };
    let first = load_fixture("aime_2025", "contest_csv", Options::default()).items[0].id.to_string();
    assert_eq!(draws(1, &first), draws(2, &format!("{first}#1")));
    assert_eq!(draws(2, &format!("{first}#2")), draws(4, &format!("{first}#2")));
}

#[test]
fn what_the_form_of_the_ask_cannot_honour_is_refused() {
    let some = |text: &str| Some(text.to_owned());
    let sampling = |temperature| Some(Sampling { temperature, ..Sampling::default() });
    let usual = Options::default;
    for (options, expected) in [
        (Options { system: some("Be brief."), ..usual() }, "there is no system's turn without a chat template"),
        (Options { prefill: some("So"), ..usual() }, "there is no assistant's turn without a chat template"),
        (Options { prefill: some(""), chat: true, ..usual() }, "it is empty"),
        (Options { stop: vec![String::new()], ..usual() }, "none of them empty"),
        (Options { sampling: sampling(0.0), ..usual() }, "`temperature` must be above 0"),
        (Options { sampling: sampling(f64::NAN), ..usual() }, "`temperature` must be above 0"),
        (Options { samples: Some(0), ..usual() }, "0 is not between 1 and 1024"),
        (Options { thinking: Some(Thinking::Marks(["x".into(), "x".into()])), ..usual() }, "two marks that differ"),
    ] {
        let why = refused("aime_2025", "contest_csv", options);
        assert!(why.contains(expected), "{why}");
    }
    for (top_k, top_p, min_p, expected) in [
        (Some(0), None, None, "`top_k` must be at least 1"),
        (None, Some(0.0), None, "`top_p` must be above 0"),
        (None, Some(1.1), None, "`top_p` must be above 0"),
        (None, None, Some(-0.1), "`min_p` must lie between 0 and 1"),
    ] {
        let why = Sampling { top_k, top_p, min_p, ..Sampling::default() }.check().unwrap_err();
        assert!(why.contains(expected), "{why}");
    }
    let scored = Options { ask: Some(AskForm::Likelihood), ..usual() };
    for (options, option) in [
        (Options { samples: Some(2), ..scored.clone() }, "samples"),
        (Options { sampling: sampling(1.0), ..scored.clone() }, "sampling"),
        (Options { stop: vec!["x".into()], ..scored.clone() }, "stop"),
    ] {
        let why = refused("holistic_bias", "holistic_bias", options);
        assert!(why.contains(option) && why.contains("generates no text"), "{why}");
    }
}
