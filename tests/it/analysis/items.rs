//! Which items an analysis says have changed.

use super::{data, pairs, preferring, setting, write_run};
use quantbias::analysis::{analyze, changed_items};
use quantbias::benchmark::Measure;
use quantbias::engine::AskError;
use quantbias::findings::{Flip, ITEMS_FILE, Items};
use quantbias::records::Run;
use quantbias::scorer::builtin;
use quantbias::spec::{Plan, QuantScheme};

#[test]
fn exactly_the_items_that_flipped_or_lost_their_answer_are_listed_with_both_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let data = data(Measure::PairPreference, pairs(8));
    let settings = vec![setting(QuantScheme::None, false), setting(QuantScheme::Q4K, false)];
    write_run(&path, &data, settings, &|i, _, id| match (id, i) {
        ("m@q4k", 1) => Err(AskError::Engine { reason: "broken <b>".to_owned() }),
        ("m@q4k", i) => Ok(preferring(i % 4 != 0)),
        _ => Ok(preferring(true)),
    });
    let run = Run::open(&path).unwrap();
    let plan = Plan { replicates: 200, draws: 199, ..Plan::default() };
    let items = changed_items(&run, &plan, &builtin(&run), &analyze(&run, &plan).unwrap());
    let changed: Vec<&str> = items.changes.iter().map(|c| items.texts[c.text as usize].item.as_str()).collect();
    assert_eq!(changed, ["i0000", "i0001", "i0004", "i0008", "i0012", "i0016", "i0020", "i0024", "i0028"]);
    let first = &items.changes[0];
    assert_eq!((first.setting.as_str(), first.against.as_str()), ("m@q4k", "m@none"));
    assert_eq!(first.flips[0], Flip { metric: "stereotype_score".to_owned(), became: false });
    assert_eq!((first.before.chosen, first.after.chosen), (Some(0), Some(1)));
    assert_eq!((&first.before.loglik[..], &first.after.loglik[..]), (&[-1.0, -2.0][..], &[-2.0, -1.0][..]));
    // 1 / (1 + exp(−1))
    assert!((first.before.probability[0] - 0.731_058_578_630_004_9).abs() < 1e-15);
    let lost = &items.changes[1];
    assert_eq!((lost.before.outcome.as_str(), lost.after.outcome.as_str()), ("answered", "failed"));
    assert!(lost.after.text.as_deref().unwrap().contains("broken <b>"));
    assert_eq!(lost.flips, [Flip { metric: "no_answer_rate".to_owned(), became: true }]);
    let text = &items.texts[0];
    assert_eq!(
        (text.cluster.as_str(), &text.subgroups[..]),
        ("c000", &[("gender".to_owned(), "woman".to_owned())][..])
    );
    assert_eq!(
        (&text.options[..], &text.roles[..]),
        (&["one".to_owned(), "other".to_owned()][..], &["stereotype".to_owned(), "anti-stereotype".to_owned()][..])
    );

    let file = folder.path().join(ITEMS_FILE);
    items.save(&file).unwrap();
    assert_eq!(Items::load(&file).unwrap(), items);
}
