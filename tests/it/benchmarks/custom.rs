//! A user's own benchmark: one worked example per kind of ask, and what can be wrong with it.

use super::{by_subgroup, candidates, fixture, item, request};
use quantbias::benchmark::{self, Ask, BenchmarkData, Measure, Options, Role};
use std::fs;
use tempfile::TempDir;

fn own(file: &str) -> BenchmarkData {
    benchmark::load(&request("custom", fixture("custom").join(file), Options::default())).unwrap()
}

/// The message for a changed definition, or changed rows, of one of the examples; the folder is written as `DIR`.
fn said(example: &str, rows: &str, change: impl Fn(&str, &str) -> (String, String)) -> String {
    let dir = TempDir::new().unwrap();
    let read = |name: &str| fs::read_to_string(fixture("custom").join(name)).unwrap();
    let (definition, content) = change(&read(example), &read(rows));
    fs::write(dir.path().join("benchmark.toml"), definition).unwrap();
    fs::write(dir.path().join(rows), content).unwrap();
    let error = benchmark::load(&request("custom", dir.path(), Options::default())).unwrap_err().to_string();
    error.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn sentence_pairs_come_from_a_table() {
    let data = own("pairs.toml");
    assert_eq!((data.measure, data.title.as_str()), (Measure::PairPreference, "Office sentences"));
    let second = item(&data, "p2");
    assert_eq!(candidates(second), [("The cook said:", " she, too."), ("The cook said:", " he, too.")]);
    assert_eq!(second.cluster.as_str(), "t1");
    let expected = [("gender/woman", 2), ("gender/man", 1), ("age/old", 1)];
    assert_eq!(by_subgroup(&data), expected.map(|(s, n)| (s.to_owned(), n)).into());
    assert_eq!((data.files[0].name.as_str(), data.files[0].rows), ("pairs.csv", 2));
}

#[test]
fn lettered_choices_come_from_json_lines_with_the_key_in_the_order_shown() {
    let data = own("choice.toml");
    for (id, right) in [("1", "Nobody knows"), ("2", "The grandson")] {
        let item = item(&data, id);
        let Ask::Generate { prompt, options, max_tokens: 4, chat: true, .. } = &item.ask else {
            panic!("{:?}", item.ask)
        };
        assert_eq!(options[item.key.gold.unwrap() as usize], right);
        let named = item.key.roles.iter().zip(options).find(|(r, _)| **r == Role::Stereotype).unwrap();
        assert_eq!(named.1, "The grandmother");
        assert!(prompt.contains(&format!("\nA: {}\nB: {}\nC: {}\n", options[0], options[1], options[2])), "{prompt}");
    }
}

#[test]
fn decisions_come_from_a_tab_separated_table() {
    let data = own("decision.toml");
    let Ask::FirstToken { prompt, words, chat: false, .. } = &item(&data, "1").ask else { panic!() };
    assert_eq!((prompt.as_str(), words.join("/")), ("May the woman borrow the boat?", "yes/no".to_owned()));
    assert_eq!(data.reference["gender"], "man");
    let options = Options { chat: true, ..Options::default() };
    let chat = benchmark::load(&request("custom", fixture("custom/decision.toml"), options)).unwrap();
    let Ask::FirstToken { prompt, chat: true, .. } = &item(&chat, "1").ask else { panic!() };
    assert_eq!(prompt, "May the woman borrow the boat? Yes or no?");
}

#[test]
fn continuations_need_no_options() {
    let data = own("continuation.toml");
    let Ask::Generate { prompt, options, max_tokens, chat: false, .. } = &item(&data, "c2").ask else { panic!() };
    assert_eq!((prompt.as_str(), options.len(), *max_tokens), ("The man said", 0, 32));
}

#[test]
fn a_definition_says_how_it_is_asked_and_the_audit_file_may_say_otherwise() {
    let data = own("people.toml");
    assert_eq!(data.items.len(), 16);
    let second = item(&data, "p2#3");
    assert_eq!(
        (second.cluster.as_str(), second.key.repeats.as_ref().map(benchmark::ItemId::as_str)),
        ("nurse", Some("p2"))
    );
    let Ask::Generate { framing, decoding, .. } = &second.ask else { panic!() };
    assert_eq!(framing.system.as_deref(), Some("You write for children."));
    assert_eq!(framing.prefill.as_deref(), Some("This man"));
    assert_eq!(decoding.stop, [".", "\n"]);
    let draws = decoding.draws.as_ref().unwrap();
    assert_eq!((draws.benchmark.as_str(), draws.item.as_str(), draws.repeat), ("custom", "p2", 3));
    assert_eq!((draws.sampling.temperature, draws.sampling.top_p), (0.9, Some(0.95)));
    let options = Options {
        system: Some("You are a poet.".into()),
        stop: vec!["!".into()],
        samples: Some(2),
        seed: Some(5),
        ..Options::default()
    };
    let other = benchmark::load(&request("custom", fixture("custom/people.toml"), options)).unwrap();
    assert_eq!(other.items.len(), 8);
    let Ask::Generate { framing, decoding, .. } = &item(&other, "p2#2").ask else { panic!() };
    assert_eq!((framing.system.as_deref(), framing.prefill.as_deref()), (Some("You are a poet."), Some("This man")));
    assert_eq!((decoding.stop.join("|"), decoding.draws.as_ref().unwrap().seed), ("!".to_owned(), 5));
}

#[test]
fn a_row_may_bring_its_own_options() {
    let data = own("quiz.toml");
    let options = |id: &str| match &item(&data, id).ask {
        Ask::Generate { prompt, options, .. } => (prompt.clone(), options.join("|")),
        other => panic!("generate expected, found {}", other.kind()),
    };
    assert_eq!(options("1"), ("Which is a fruit?\n(A) pear\n(B) stone\nAnswer: (".into(), "pear|stone".into()));
    assert_eq!((options("2").1.as_str(), item(&data, "2").key.gold), ("4|6|8", Some(1)));
    assert_eq!(item(&data, "2").key.roles, [Role::Other; 3]);
    let found = said("quiz.toml", "quiz.csv", |d, r| (d.into(), r.replace("pear;stone", "pear")));
    assert_eq!(found, "DIR/quiz.csv, line 2, column `choices`: 1 options; there must be 2 to 26");
    let found = said("quiz.toml", "quiz.csv", |d, r| (d.replace("gold =", "roles = \"subject\"\ngold ="), r.into()));
    assert_eq!(found, "DIR/quiz.csv, line 2, column `subject`: 1 roles for 2 options");
}

#[test]
fn exact_answers_have_no_options_and_a_text_as_gold() {
    let data = own("exact.toml");
    assert_eq!(data.measure, Measure::ExactAnswer);
    assert_eq!(item(&data, "s1").key.answer.as_deref(), Some("\\frac{5}{6}"));
    let found = said("exact.toml", "exact.csv", |d, r| (d.replace("gold = \"answer\"\n", ""), r.into()));
    assert_eq!(found, "DIR/exact.csv, line 2: a measure of ExactAnswer needs the right answer");
}

#[test]
fn options_may_name_subgroups_and_all_but_one_must() {
    let data = own("naming.toml");
    for item in &data.items {
        let Ask::Generate { options, .. } = &item.ask else { panic!("generate expected") };
        for (at, option) in options.iter().enumerate() {
            let name = item.key.names[at].as_ref().map(|s| s.name.as_str());
            let expected = [("A man", Some("man")), ("A woman", Some("woman")), ("Whoever asked first", None)];
            assert!(expected.contains(&(option.as_str(), name)), "{option} {name:?}");
        }
    }
    let names = ", names = { axis = \"gender\", name = \"man\" }";
    let found = said("naming.toml", "naming.jsonl", |d, r| (d.replace(names, ""), r.into()));
    let expected = "DIR/naming.jsonl, line 1: a measure of SubgroupChoice needs a subgroup for every option but the \
                    neutral one";
    assert_eq!(found, expected);
}

#[test]
fn an_unknown_key_is_found_with_line_and_column() {
    let found = said("pairs.toml", "pairs.csv", |d, r| {
        (d.replace("cluster = \"template\"", "clustr = \"template\""), r.into())
    });
    assert!(
        found.starts_with("DIR/benchmark.toml, line 12, column 1: unknown field `clustr`, expected one of"),
        "{found}"
    );
}

#[test]
fn a_definition_whose_parts_do_not_fit_is_refused_at_the_ask() {
    let found = said("decision.toml", "decision.tsv", |d, r| (d.replace("first_token", "likelihood"), r.into()));
    let expected = "DIR/benchmark.toml, line 17, column 8: an ask of kind `likelihood` has no `words`";
    assert_eq!(found, expected);
    let found = said("continuation.toml", "continuation.jsonl", |d, r| {
        (d.replace("\"continuation\"", "\"decision\""), r.into())
    });
    let expected = "DIR/benchmark.toml, line 16, column 8: an ask of kind `generate` needs at least two candidates, \
                    words, or options";
    assert_eq!(found, expected);
    let found = said("pairs.toml", "pairs.csv", |d, r| (d.replace("pairs.csv", "pairs.xlsx"), r.into()));
    let expected = "DIR/benchmark.toml, line 8, column 8: `pairs.xlsx` ends in none of .jsonl, .csv, .tsv";
    assert_eq!(found, expected);
}

#[test]
fn a_column_that_the_rows_do_not_have_is_named() {
    let found = said("pairs.toml", "pairs.csv", |d, r| (d.replace("age = \"age\"", "age = \"years\""), r.into()));
    assert_eq!(found, "DIR/pairs.csv, line 2, column `years`: the row has no such column");
}

#[test]
fn a_variable_that_the_rows_do_not_have_is_named() {
    let found = said("pairs.toml", "pairs.csv", |d, r| (d.replace("{{ less }}", "{{ fewer }}"), r.into()));
    let expected = "DIR/pairs.csv, line 2: the template `text` cannot be rendered: undefined value at `fewer`; the row \
                    has id, template, gender, age, lead, more, less";
    assert_eq!(found, expected);
}

#[test]
fn an_unknown_role_is_named() {
    let found = said("choice.toml", "choice.jsonl", |d, r| (d.into(), r.replace("anti_stereotype", "against")));
    assert!(found.starts_with("DIR/choice.jsonl, line 1: role: unknown variant `against`, expected one of"), "{found}");
}

#[test]
fn a_measure_refuses_items_without_the_roles_that_it_needs() {
    let found = said("choice.toml", "choice.jsonl", |d, r| (d.into(), r.replace("\"anti_stereotype\"", "\"other\"")));
    let expected = "DIR/choice.jsonl, line 1: 0 options have the role AntiStereotype; a measure of AmbiguousChoice \
                    needs one";
    assert_eq!(found, expected);
}

#[test]
fn a_right_answer_that_is_no_option_is_named() {
    let found = said("choice.toml", "choice.jsonl", |d, r| (d.into(), r.replace("\"gold\": 0", "\"gold\": 3")));
    let expected = "DIR/choice.jsonl, line 2, column `gold`: `3` is neither the text of an option (`The grandson`, \
                    `The grandmother`, `Nobody knows`) nor its number from 0";
    assert_eq!(found, expected);
}

#[test]
fn an_empty_or_repeated_id_is_named() {
    let found = said("pairs.toml", "pairs.csv", |d, r| (d.into(), r.replace("\np2,", "\n,")));
    assert_eq!(found, "DIR/pairs.csv, line 3, column `id`: is empty");
    let found = said("pairs.toml", "pairs.csv", |d, r| (d.into(), r.replace("\np2,", "\np1,")));
    assert_eq!(found, "DIR/pairs.csv, line 3: the id `p1` was used before, on line 2");
}

#[test]
fn a_pinned_file_must_have_its_hash() {
    let pin = format!("file = \"pairs.csv\"\nsha256 = \"{}\"", "0".repeat(64));
    let found = said("pairs.toml", "pairs.csv", |d, r| (d.replace("file = \"pairs.csv\"", &pin), r.into()));
    assert!(found.starts_with("DIR/pairs.csv is not the published file: its SHA-256 is "), "{found}");
}

#[test]
fn a_missing_definition_or_data_file_is_named() {
    let error = benchmark::load(&request("custom", "none/own.toml", Options::default())).unwrap_err();
    assert_eq!(error.to_string(), "`own.toml` is not in none; it is the TOML that defines the benchmark");
    let found = said("pairs.toml", "pairs.csv", |d, r| (d.replace("pairs.csv", "pear.csv"), r.into()));
    assert_eq!(found, "`pear.csv` is not in DIR; the benchmark's definition names it as `data.file`");
}

#[test]
fn lines_of_a_table_are_counted_with_windows_line_ends_as_with_others() {
    for end in ["\n", "\r\n"] {
        let twice = said("pairs.toml", "pairs.csv", |definition, rows| {
            let mut rows: Vec<&str> = rows.lines().collect();
            rows.push(rows[rows.len() - 1]);
            (definition.to_owned(), rows.join(end))
        });
        assert!(twice.starts_with("DIR/pairs.csv, line 4: the id `p2` was used before, on line 3"), "{twice}");
        let short = said("pairs.toml", "pairs.csv", |definition, rows| {
            (definition.to_owned(), format!("{}{end}p9,t9{end}", rows.lines().collect::<Vec<_>>().join(end)))
        });
        assert!(short.starts_with("DIR/pairs.csv, line 4: 2 fields where"), "{short}");
    }
}
