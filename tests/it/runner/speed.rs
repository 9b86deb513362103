//! Where the time of a run went.

use super::*;
use quantbias::runner::Speed;

#[test]
fn the_time_of_a_run_is_told_by_setting_and_mode_and_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let script = Script { delay_ms: 3, ..Script::default() };
    let plan = plan(script, 2, vec![pairs(60), choices(20)]);
    let began = Instant::now();
    let summary = go(&plan, folder.path(), false).unwrap();
    let wall = began.elapsed().as_secs_f64();
    let names: Vec<String> = summary.speeds.keys().map(|(setting, mode)| format!("{setting} {mode:?}")).collect();
    assert_eq!(
        names,
        [
            "toy@none Score",
            "toy@none Generate",
            "toy@none+aa Score",
            "toy@none+aa Generate",
            "toy@q4k Score",
            "toy@q4k Generate"
        ]
    );
    for ((_, mode), speed) in &summary.speeds {
        let items = if *mode == Mode::Score { 60 } else { 20 };
        assert_eq!(speed.items, items);
        // A scripted engine counts nothing, so that all of the time is ours.
        assert!(speed.around >= items * 3_000 && speed.engine == 0, "{speed:?}");
        assert_eq!(speed.our_share(), Some(1.0));
        assert!(speed.items_per_second().unwrap() < 1000.0 / 3.0);
    }
    let total: f64 = summary.speeds.values().map(|s| s.seconds() + s.loading as f64 * 1e-6).sum();
    assert!(total <= 2.0 * wall, "{total} s of two workers in {wall} s");
    let log = std::fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
    assert_eq!(log.matches("\"event\":\"speed\"").count(), 6);
}

#[test]
fn without_time_there_is_no_speed() {
    let none = Speed::default();
    assert_eq!((none.items_per_second(), none.tokens_per_second(), none.our_share()), (None, None, None));
    let speed =
        Speed { items: 10, fed: 90, generated: 10, engine: 1_500_000, around: 300_000, waiting: 200_000, loading: 9 };
    assert_eq!(speed.items_per_second(), Some(5.0));
    assert_eq!(speed.tokens_per_second(), Some(50.0));
    assert!((speed.our_share().unwrap() - 0.25).abs() < 1e-12);
}

#[test]
fn a_real_engine_takes_most_of_the_time_and_counts_its_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(Script::default(), 1, vec![pairs(40)]);
    plan.options.engine = EngineChoice::Mistral;
    plan.settings.truncate(1);
    plan.settings[0].source = ModelSource::Directory(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models/base"));
    let summary = go(&plan, folder.path(), false).unwrap();
    let speed = summary.speeds[&("toy@none".to_owned(), Mode::Score)];
    // The sentences of the records, without the token from which nothing is predicted but with the opening one.
    let scored: usize = records(folder.path(), "pairs", "toy@none")
        .into_iter()
        .flat_map(|r| match r.answer.unwrap() {
            quantbias::engine::Answer::Scored { parts, .. } => parts,
            generated @ quantbias::engine::Answer::Generated { .. } => panic!("{generated:?}"),
        })
        .map(|part| part.tokens.len())
        .sum();
    assert_eq!((speed.fed, speed.generated), (scored as u64, 0));
    assert!(speed.our_share().unwrap() < 0.5, "{speed:?}");
}
