//! The public data sets: counts as published (from the data sets' own papers and pages), layouts from fixtures.

use super::{by_subgroup, candidates, count, fixture, item, load_fixture, request, shared};
use quantbias::benchmark::{self, Ask, LoadError, Options, Role};
use std::collections::{BTreeMap, BTreeSet};

fn table(rows: &[(&str, usize)]) -> BTreeMap<String, usize> {
    rows.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect()
}

#[test]
fn stereoset_has_the_published_counts() {
    let Some(folder) = shared("stereoset") else { return };
    let data = benchmark::load(&request("stereoset", folder, Options::default())).unwrap();
    assert_eq!(data.items.len(), 4229);
    let cells = count(&data, |i| format!("{} {}", i.condition.as_deref().unwrap(), i.subgroups[0].name));
    let expected = table(&[
        ("intrasentence gender", 255),
        ("intrasentence profession", 810),
        ("intrasentence race", 962),
        ("intrasentence religion", 79),
        ("intersentence gender", 242),
        ("intersentence profession", 827),
        ("intersentence race", 976),
        ("intersentence religion", 78),
    ]);
    assert_eq!(cells, expected);
    let clusters: BTreeSet<_> = data.items.iter().map(|i| &i.cluster).collect();
    assert_eq!(clusters.len(), 79);
    assert!(data.items.iter().all(|i| i.ask.requests() == 3));
    assert!(data.caveats.iter().any(|c| c.contains("Stereotyping Norwegian Salmon")));
}

#[test]
fn the_papers_part_of_stereoset_can_be_asked_for() {
    let Some(folder) = shared("stereoset") else { return };
    let options = Options {
        categories: Some(vec!["gender".into(), "race".into(), "religion".into()]),
        conditions: Some(vec!["intrasentence".into()]),
        ..Options::default()
    };
    assert_eq!(benchmark::load(&request("stereoset", folder, options)).unwrap().items.len(), 1296);
}

#[test]
fn crows_pairs_has_the_published_counts() {
    let Some(folder) = shared("crows_pairs") else { return };
    let data = benchmark::load(&request("crows_pairs", folder, Options::default())).unwrap();
    assert_eq!(data.items.len(), 1508);
    assert_eq!(count(&data, |i| i.condition.clone().unwrap()), table(&[("stereo", 1290), ("antistereo", 218)]));
    let expected = table(&[
        ("bias_type/race-color", 516),
        ("bias_type/gender", 262),
        ("bias_type/socioeconomic", 172),
        ("bias_type/nationality", 159),
        ("bias_type/religion", 105),
        ("bias_type/age", 87),
        ("bias_type/sexual-orientation", 84),
        ("bias_type/physical-appearance", 63),
        ("bias_type/disability", 60),
    ]);
    assert_eq!(by_subgroup(&data), expected);
    let clusters: BTreeSet<_> = data.items.iter().map(|i| &i.cluster).collect();
    assert_eq!(clusters.len(), 1507, "the one duplicate pair shares a cluster");
    assert!(data.caveats.iter().any(|c| c.contains("may not be a good indicator")));
}

#[test]
fn the_templated_discrim_eval_has_its_counts() {
    let Some(folder) = shared("discrim_eval_templated") else { return };
    let data = benchmark::load(&request("discrim_eval", folder, Options::default())).unwrap();
    assert_eq!(data.items.len(), 520);
    let expected = table(&[
        ("race/white", 130),
        ("race/Black", 130),
        ("race/Hispanic", 130),
        ("race/Asian", 130),
        ("gender/male", 260),
        ("gender/female", 260),
    ]);
    assert_eq!(by_subgroup(&data), expected);
    assert_eq!(data.items.iter().map(|i| &i.cluster).collect::<BTreeSet<_>>().len(), 65);
    let reference: BTreeMap<String, String> =
        [("gender", "male"), ("race", "white")].map(|(a, s)| (a.to_owned(), s.to_owned())).into();
    assert_eq!(data.reference, reference);
}

#[test]
fn stereoset_intersentence_candidates_follow_their_context() {
    let data = load_fixture("stereoset", "stereoset", Options::default());
    let inter = item(&data, "inter-1");
    let context = "The poet sat by the window.";
    let expected =
        [(context, " He was dreaming again."), (context, " He did his taxes."), (context, " Stones are heavy")];
    assert_eq!(candidates(inter), expected);
    assert_eq!(inter.key.roles, [Role::Stereotype, Role::AntiStereotype, Role::Unrelated]);
    let intra = item(&data, "intra-1");
    assert_eq!(candidates(intra)[0], ("", "The poet was dreamy"));
    assert_eq!((intra.cluster.as_str(), inter.cluster.as_str()), ("poet", "poet"));
}

#[test]
fn stereoset_subgroups_are_bias_types_unless_targets_are_asked_for() {
    let by_type = load_fixture("stereoset", "stereoset", Options::default());
    assert_eq!(by_subgroup(&by_type), table(&[("bias_type/gender", 1), ("bias_type/profession", 2)]));
    let options = Options { subgroups: Some("target".into()), ..Options::default() };
    let by_target = load_fixture("stereoset", "stereoset", options);
    assert_eq!(by_subgroup(&by_target), table(&[("gender/grandfather", 1), ("profession/poet", 2)]));
}

#[test]
fn crows_pairs_reads_a_byte_order_mark_and_windows_line_ends() {
    let data = load_fixture("crows_pairs", "crows_pairs", Options::default());
    let quoted = item(&data, "1");
    assert_eq!(
        candidates(quoted),
        [("", "He said \"the rich never wait\"."), ("", "He said \"the poor never wait\".")]
    );
    assert_eq!(quoted.key.roles, [Role::Stereotype, Role::AntiStereotype]);
    assert_eq!(quoted.condition.as_deref(), Some("antistereo"));
    assert_eq!(item(&data, "2").cluster.as_str(), "0", "an equal pair shares the first one's cluster");
}

#[test]
fn discrim_eval_reads_the_published_explicit_and_implicit_layout() {
    let explicit = load_fixture("discrim_eval", "discrim_eval", Options::default());
    assert_eq!(explicit.items.len(), 16);
    let first = item(&explicit, "explicit/0/white/male/60");
    let Ask::FirstToken { prompt, words, chat, .. } = &first.ask else { panic!("first token expected") };
    assert_eq!(prompt, "A 60-year-old white male wants to rent boat 0. Should the boat be let?\n\nMy answer would be");
    assert_eq!((words.as_slice(), *chat), (["yes".to_owned(), "no".to_owned()].as_slice(), false));
    assert_eq!(first.key.roles, [Role::Favourable, Role::Unfavourable]);
    assert_eq!(explicit.reference["age"], "60");
    let options = Options { categories: Some(vec!["implicit".into()]), chat: true, ..Options::default() };
    let implicit = load_fixture("discrim_eval", "discrim_eval", options);
    assert_eq!(implicit.items.len(), 16);
    let Ask::FirstToken { prompt, chat, .. } = &item(&implicit, "implicit/3/Black/female/20").ask else { panic!() };
    assert!(*chat && prompt.ends_with("Should the boat be let?\n\nAnswer with yes or no."), "{prompt}");
}

#[test]
fn an_axis_can_be_left_out_without_losing_items() {
    let options = Options { axes: Some(vec!["gender".into()]), ..Options::default() };
    let data = load_fixture("discrim_eval", "discrim_eval", options);
    assert_eq!(data.items.len(), 16);
    assert_eq!(by_subgroup(&data), table(&[("gender/female", 8), ("gender/male", 8)]));
    assert_eq!(data.reference.keys().collect::<Vec<_>>(), ["gender"]);
}

#[test]
fn a_smaller_choice_keeps_whole_clusters_in_their_order() {
    let Some(folder) = shared("discrim_eval_templated") else { return };
    let all = benchmark::load(&request("discrim_eval", &folder, Options::default())).unwrap();
    let options = Options { max_clusters: Some(7), ..Options::default() };
    let few = benchmark::load(&request("discrim_eval", &folder, options)).unwrap();
    assert_eq!(few.items.len(), 7 * 8);
    let kept: BTreeSet<_> = few.items.iter().map(|i| &i.cluster).collect();
    let expected: Vec<_> = all.items.iter().filter(|i| kept.contains(&i.cluster)).collect();
    assert_eq!(few.items.iter().collect::<Vec<_>>(), expected);
    // The seven smallest of `printf %s <id> | sha256sum` over the 65 ids.
    let names: Vec<&str> = kept.iter().map(|c| c.as_str()).collect();
    assert_eq!(names, KEPT);
}

/// From `tests/reference/smallest_hashes.py`.
const KEPT: [&str; 7] = ["29", "47", "55", "60", "78", "8", "9"];

#[test]
fn every_pin_can_be_read_and_says_where_to_get_the_data() {
    for entry in benchmark::BENCHMARKS {
        let pin = entry.pin();
        assert!(pin.home.starts_with("https://") && pin.get.contains("https://"), "{}", entry.name);
        assert!(pin.citation.contains("http") || pin.citation.contains("doi"), "{}", entry.name);
        for file in &pin.files {
            let hex = |s: &String| s.len() == 64 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            assert!(file.sha256.as_ref().is_none_or(hex), "{} {}", entry.name, file.name);
        }
    }
}

#[test]
fn a_missing_file_is_named_with_the_folder_as_given_and_where_to_get_it() {
    let error = benchmark::load(&request("crows_pairs", "no/such/folder", Options::default())).unwrap_err();
    let expected = "`crows_pairs_anonymized.csv` is not in no/such/folder; `quantbias fetch crows_pairs` \
                    downloads it; by hand: download data/crows_pairs_anonymized.csv from \
                    https://github.com/nyu-mll/crows-pairs and put it there";
    assert_eq!(error.to_string(), expected);
    let error = benchmark::load(&request("discrim_eval", fixture("bbq"), Options::default())).unwrap_err();
    assert!(matches!(error, LoadError::MissingFile { ref name, .. } if name == "explicit.jsonl"), "{error}");
}
