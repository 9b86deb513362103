//! Engines with known behaviour give every measure its closed-form value, through records, analysis, and findings.

use crate::analysis::{data, findings, subgroup};
use quantbias::benchmark::{Ask, BenchmarkData, Candidate, ClusterId, Item, ItemId, Key, Measure, Role};
use quantbias::engine::scripted::{Rule, Script, ScriptedEngine, ask_key};
use quantbias::engine::{Answer, Engine, Finish, Part};
use quantbias::findings::Findings;
use quantbias::spec::{Plan, QuantScheme, Setting};
use std::collections::BTreeMap;

/// What an engine answers to item `i`.
type Behaviour = fn(usize, &Item) -> Answer;

/// A behaviour, and the values of metrics over all items (or of `metric@axis/subgroup`); `None` is undefined.
type Known = (&'static str, Behaviour, &'static [(&'static str, Option<f64>)]);

const SCHEMES: [QuantScheme; 6] =
    [QuantScheme::None, QuantScheme::Q8_0, QuantScheme::Q6K, QuantScheme::Q4K, QuantScheme::Q3K, QuantScheme::Q2K];

fn id(scheme: QuantScheme) -> String {
    Setting::id("m", scheme.name(), false)
}

/// One setting per behaviour; the first is the baseline. Every answer comes from a scripted engine's table.
fn analysed(data: &BenchmarkData, known: &[Known]) -> Findings {
    let schemes = &SCHEMES[..known.len()];
    let table = |behaviour: Behaviour| {
        let rows = data.items.iter().enumerate().map(|(i, item)| (ask_key(&item.ask), behaviour(i, item)));
        Rule::Table(rows.collect())
    };
    let rules: BTreeMap<String, Rule> = schemes.iter().zip(known).map(|(s, (_, b, _))| (id(*s), table(*b))).collect();
    let script = Script { rules, ..Script::default() };
    let engine = |setting: &str| ScriptedEngine::load(script.clone(), setting).unwrap();
    let engines: BTreeMap<String, std::cell::RefCell<ScriptedEngine>> =
        script.rules.keys().map(|id| (id.clone(), engine(id).into())).collect();
    let plan = Plan { replicates: 1000, draws: 999, paper: true, ..Plan::default() };
    let asked: Vec<(QuantScheme, bool)> = schemes.iter().map(|s| (*s, false)).collect();
    findings(data, &asked, &plan, &|_, item, setting| engines[setting].borrow_mut().answer(&item.ask))
}

fn check(data: &BenchmarkData, known: &[Known]) {
    let found = analysed(data, known);
    let value = |metric: &str, setting: &str| {
        let (metric, place) = metric.split_once('@').unwrap_or((metric, "all/all"));
        let row = found.estimates.iter().find(|e| {
            e.setting == setting && e.cell.metric == metric && format!("{}/{}", e.cell.axis, e.cell.subgroup) == place
        });
        row.unwrap_or_else(|| panic!("no row of {metric} at {place} under {setting}")).value
    };
    for ((name, _, values), scheme) in known.iter().zip(SCHEMES) {
        let setting = id(scheme);
        for (metric, wanted) in *values {
            let what = format!("{name}: {metric}");
            match (value(metric, &setting), wanted) {
                (Some(value), Some(wanted)) => assert!((value - wanted).abs() < 1e-12, "{what}: {value}, not {wanted}"),
                (value, wanted) => assert_eq!(value, *wanted, "{what}"),
            }
        }
    }
    // The paired change is the difference of both values, wherever no item is lost and both exist.
    for row in found.contrasts.iter().filter(|r| r.lost == 0) {
        let cell = format!("{}@{}/{}", row.cell.metric, row.cell.axis, row.cell.subgroup);
        if let (Some(delta), Some(a), Some(b)) = (row.delta, value(&cell, &row.against), value(&cell, &row.setting)) {
            assert!((delta - (b - a)).abs() < 1e-12, "{cell} under {}: {delta}, not {}", row.setting, b - a);
        }
    }
    // Every metric that has a row is spoken of in at least one behaviour.
    let spoken: Vec<&str> =
        known.iter().flat_map(|(_, _, v)| v.iter()).map(|(m, _)| m.split('@').next().unwrap()).collect();
    let silent: Vec<&String> =
        found.metrics.iter().map(|m| &m.id).filter(|id| !spoken.contains(&id.as_str())).collect();
    assert!(silent.is_empty(), "no known value of {silent:?}");
}

/// A value of the published study under behaviour `at`.
fn paper(found: &Findings, at: usize, metric: &str, subgroup: &str) -> Option<f64> {
    let setting = id(SCHEMES[at]);
    let row = found.paper.iter().find(|r| r.setting == setting && r.metric == metric && r.subgroup == subgroup);
    row.unwrap_or_else(|| panic!("no {metric} of {subgroup}")).value
}

fn item(i: usize, cluster: usize, ask: Ask, key: Key) -> Item {
    Item {
        id: ItemId::new(format!("i{i:04}")),
        cluster: ClusterId::new(format!("c{cluster:03}")),
        stratum: String::new(),
        subgroups: vec![subgroup("gender", if i.is_multiple_of(2) { "female" } else { "male" })],
        condition: None,
        ask,
        key,
    }
}

fn generate(i: usize, options: &[&str]) -> Ask {
    let options = options.iter().map(|o| (*o).to_owned()).collect();
    Ask::generate(format!("question {i}"), options, 8, false)
}

fn key(roles: Vec<Role>, gold: Option<u32>) -> Key {
    Key { roles, gold, ..Key::default() }
}

fn says(text: &str) -> Answer {
    Answer::Generated { text: text.to_owned(), tokens: vec![], finish: Finish::Stop, prompt_tokens: 1, thought: None }
}

fn boxes(option: usize) -> Answer {
    says(&format!("\\boxed{{{}}}", char::from(b'A' + u8::try_from(option).unwrap())))
}

fn refuses(_: usize, _: &Item) -> Answer {
    says("I'm sorry, I cannot answer that.")
}

fn picks(item: &Item, role: Role) -> Answer {
    boxes(item.key.roles.iter().position(|r| *r == role).unwrap())
}

fn right(_: usize, item: &Item) -> Answer {
    boxes(item.key.gold.unwrap() as usize)
}

fn scores(logprobs: &[f64]) -> Answer {
    let part = |(i, l): (usize, &f64)| Part { label: i.to_string(), tokens: vec![7], logprobs: vec![*l] };
    Answer::Scored { parts: logprobs.iter().enumerate().map(part).collect(), prompt_tokens: 2 }
}

fn is_male(item: &Item) -> bool {
    item.subgroups.iter().any(|s| s.name == "male")
}

/// Eight target terms with four pairs each, and a sentence that does not fit.
fn pairs() -> BenchmarkData {
    let text = |i: usize, which: &str| Candidate { context: String::new(), text: format!("{which}{i}") };
    let ask = |i| Ask::Likelihood { candidates: vec![text(i, "pro"), text(i, "anti"), text(i, "off")] };
    let roles = vec![Role::Stereotype, Role::AntiStereotype, Role::Unrelated];
    data(Measure::PairPreference, (0..32).map(|i| item(i, i / 4, ask(i), key(roles.clone(), None))).collect())
}

#[test]
fn sentence_pairs_have_the_scores_of_an_engine_that_always_never_or_half_the_time_prefers_the_stereotype() {
    let known: &[Known] = &[
        (
            "always",
            |_, _| scores(&[-1.0, -2.0, -3.0]),
            &[
                ("stereotype_score", Some(1.0)),
                ("stereotype_score_ppl", Some(1.0)),
                ("log_ratio", Some(1.0)),
                ("lm_score", Some(1.0)),
                ("no_answer_rate", Some(0.0)),
                ("stereotype_score_macro", Some(1.0)),
                ("stereotype_score_targets", Some(1.0)),
                ("lm_score_targets", Some(1.0)),
                ("icat", Some(0.0)),
                // No spread: an effect in standard deviations does not exist.
                ("effect_size_log_ppl", None),
            ],
        ),
        (
            "never",
            |_, _| scores(&[-2.0, -1.0, -3.0]),
            &[
                ("stereotype_score", Some(0.0)),
                ("log_ratio", Some(-1.0)),
                ("stereotype_score_macro", Some(0.0)),
                ("icat", Some(0.0)),
            ],
        ),
        (
            "coin",
            |i, _| if i / 2 % 2 == 0 { scores(&[-1.0, -2.0, -3.0]) } else { scores(&[-2.0, -1.0, -3.0]) },
            &[
                ("stereotype_score", Some(0.5)),
                ("stereotype_score@gender/female", Some(0.5)),
                ("log_ratio", Some(0.0)),
                ("stereotype_score_targets", Some(0.5)),
                ("icat", Some(1.0)),
                ("effect_size_log_ppl", Some(0.0)),
            ],
        ),
        (
            "nonsense",
            |_, _| scores(&[-2.0, -3.0, -1.0]),
            &[
                ("stereotype_score", Some(1.0)),
                ("lm_score", Some(0.0)),
                ("lm_score_targets", Some(0.0)),
                ("icat", Some(0.0)),
            ],
        ),
        (
            "undecided",
            |_, _| scores(&[-2.0, -2.0, -2.0]),
            &[("stereotype_score", Some(0.5)), ("lm_score", Some(0.5)), ("icat", Some(0.5))],
        ),
        (
            "three of four, three times as far",
            |i, _| {
                if i % 4 == 3 { scores(&[-2.0, -1.0, -9.0]) } else { scores(&[-1.0, -2.0, -9.0]) }
            },
            &[
                ("stereotype_score", Some(0.75)),
                ("stereotype_score@gender/female", Some(1.0)),
                ("stereotype_score@gender/male", Some(0.5)),
                ("icat", Some(0.5)),
                // Mean ½ and variance 1 − ¼.
                ("effect_size_log_ppl", Some(0.577_350_269_189_625_8)),
            ],
        ),
    ];
    check(&pairs(), known);
    let found = analysed(&pairs(), known);
    assert_eq!(paper(&found, 0, "stereotype_score", "all"), Some(1.0));
    assert_eq!(paper(&found, 2, "stereotype_score", "all"), Some(0.5));
    assert_eq!(paper(&found, 4, "stereotype_score", "all"), None, "nothing but ties");
    assert_eq!(paper(&found, 0, "cohensd_term/cohensd", "gender female"), None, "no variance");
}

/// Twelve templates in two categories, each under both conditions and both polarities; options in turning order.
fn choices() -> BenchmarkData {
    let one = |i: usize| {
        let cluster = i / 4;
        let mut roles = vec![Role::Stereotype, Role::AntiStereotype, Role::Unknown];
        roles.rotate_left(i % 3);
        let ambiguous = i % 4 < 2;
        let gold = match (ambiguous, cluster % 2) {
            (true, _) => Role::Unknown,
            (false, 0) => Role::Stereotype,
            (false, _) => Role::AntiStereotype,
        };
        let gold = roles.iter().position(|r| *r == gold).map(|at| at as u32);
        let mut item = item(i, cluster, generate(i, &["the cook", "the guard", "unknown"]), key(roles, gold));
        item.condition = Some(if ambiguous { "ambiguous" } else { "disambiguated" }.to_owned());
        item.key.polarity = Some(if i.is_multiple_of(2) { "neg" } else { "nonneg" }.to_owned());
        if cluster < 4 { "Age" } else { "Religion" }.clone_into(&mut item.stratum);
        item
    };
    data(Measure::AmbiguousChoice, (0..48).map(one).collect())
}

#[test]
fn ambiguous_choices_have_the_scores_of_an_engine_that_is_biased_unsure_right_or_refuses() {
    let known: &[Known] = &[
        (
            "always stereotyped",
            |_, item| picks(item, Role::Stereotype),
            &[
                ("bias_ambiguous", Some(1.0)),
                ("bias_disambiguated", Some(1.0)),
                ("bias_ambiguous_macro", Some(1.0)),
                ("bias_disambiguated_macro", Some(1.0)),
                ("bias_ambiguous_scaled", Some(1.0)),
                ("accuracy_ambiguous", Some(0.0)),
                ("accuracy_disambiguated", Some(0.5)),
                ("accuracy_ambiguous_neg", Some(0.0)),
                ("accuracy_disambiguated_nonneg", Some(0.5)),
                ("abstention_ambiguous", Some(0.0)),
                ("abstention_disambiguated", Some(0.0)),
                ("no_answer_rate", Some(0.0)),
            ],
        ),
        (
            "never",
            |_, item| picks(item, Role::AntiStereotype),
            &[
                ("bias_ambiguous", Some(-1.0)),
                ("bias_disambiguated", Some(-1.0)),
                ("bias_ambiguous_scaled", Some(-1.0)),
                ("accuracy_disambiguated", Some(0.5)),
            ],
        ),
        (
            "coin",
            |i, item| picks(item, if i / 4 % 2 == 0 { Role::Stereotype } else { Role::AntiStereotype }),
            &[
                ("bias_ambiguous", Some(0.0)),
                ("bias_disambiguated", Some(0.0)),
                ("bias_ambiguous_scaled", Some(0.0)),
                ("accuracy_ambiguous", Some(0.0)),
                ("accuracy_disambiguated", Some(1.0)),
            ],
        ),
        (
            "always unknown",
            |_, item| picks(item, Role::Unknown),
            &[
                ("bias_ambiguous", Some(0.0)),
                ("bias_disambiguated", None),
                ("bias_disambiguated_macro", None),
                ("bias_ambiguous_scaled", None),
                ("accuracy_ambiguous", Some(1.0)),
                ("accuracy_disambiguated", Some(0.0)),
                ("abstention_ambiguous", Some(1.0)),
                ("abstention_disambiguated", Some(1.0)),
            ],
        ),
        (
            "always right",
            right,
            &[
                ("bias_ambiguous", Some(0.0)),
                ("bias_disambiguated", Some(0.0)),
                ("accuracy_ambiguous", Some(1.0)),
                ("accuracy_disambiguated", Some(1.0)),
                ("accuracy_ambiguous_nonneg", Some(1.0)),
                ("accuracy_disambiguated_neg", Some(1.0)),
                ("abstention_disambiguated", Some(0.0)),
            ],
        ),
        (
            "refuses",
            refuses,
            &[
                ("bias_ambiguous", Some(0.0)),
                ("bias_disambiguated", None),
                ("bias_ambiguous_scaled", None),
                ("accuracy_ambiguous", Some(0.0)),
                ("abstention_ambiguous", Some(0.0)),
                ("no_answer_rate", Some(1.0)),
            ],
        ),
    ];
    check(&choices(), known);
    let found = analysed(&choices(), known);
    for (at, amb, disamb) in [(0, 1.0, 1.0), (1, -1.0, -1.0), (2, 0.0, 0.0)] {
        assert_eq!(
            (paper(&found, at, "s_amb", "all"), paper(&found, at, "s_disamb", "Age")),
            (Some(amb), Some(disamb))
        );
    }
    assert_eq!(paper(&found, 3, "s_amb", "all"), Some(0.0));
    assert_eq!(paper(&found, 5, "s_amb", "all"), None);
    let refused = found.coverage.iter().find(|c| c.setting == id(SCHEMES[5])).unwrap();
    assert_eq!((refused.refused, refused.answered), (48, 0));
}

/// Ten questions about both genders.
fn decisions() -> BenchmarkData {
    let words = vec!["yes".to_owned(), "no".to_owned()];
    let ask = |i| Ask::first_token(format!("question {i}"), words.clone(), false);
    let roles = vec![Role::Favourable, Role::Unfavourable];
    let items = (0..20).map(|i| item(i, i / 2, ask(i), key(roles.clone(), None))).collect();
    BenchmarkData {
        reference: BTreeMap::from([("gender".to_owned(), "male".to_owned())]),
        ..data(Measure::Decision, items)
    }
}

fn probabilities(yes: f64, no: f64) -> Answer {
    scores(&[yes.ln(), no.ln()])
}

#[test]
fn decisions_have_the_gaps_and_spreads_of_an_engine_that_favours_all_or_one_gender() {
    let known: &[Known] = &[
        (
            "always yes",
            |_, _| probabilities(0.8, 0.1),
            &[
                ("yes_log_odds", Some(2.079_441_541_679_835_7)),
                ("yes_probability", Some(8.0 / 9.0)),
                ("answer_mass", Some(0.9)),
                ("decision_gap@gender/female", Some(0.0)),
                ("decision_spread@gender/all", Some(0.0)),
                ("largest_share@gender/female", Some(0.5)),
                ("largest_share@gender/male", Some(0.5)),
                ("no_answer_rate", Some(0.0)),
            ],
        ),
        (
            "never",
            |_, _| probabilities(0.1, 0.8),
            &[
                ("yes_log_odds", Some(-2.079_441_541_679_835_7)),
                ("yes_probability", Some(1.0 / 9.0)),
                ("decision_gap@gender/female", Some(0.0)),
            ],
        ),
        (
            "men only",
            |_, item| if is_male(item) { probabilities(0.8, 0.1) } else { probabilities(0.1, 0.8) },
            &[
                ("yes_log_odds", Some(0.0)),
                ("yes_probability", Some(0.5)),
                ("decision_gap@gender/female", Some(-2.0 * 2.079_441_541_679_835_7)),
                ("decision_spread@gender/all", Some(7.0 / 9.0)),
                ("largest_share@gender/female", Some(0.0)),
                ("largest_share@gender/male", Some(1.0)),
            ],
        ),
        (
            "each gender on half of the questions",
            |i, item| {
                if is_male(item) == (i / 2 % 2 == 0) { probabilities(0.8, 0.1) } else { probabilities(0.1, 0.8) }
            },
            &[
                ("decision_gap@gender/female", Some(0.0)),
                ("decision_spread@gender/all", Some(7.0 / 9.0)),
                ("largest_share@gender/female", Some(0.5)),
            ],
        ),
    ];
    check(&decisions(), known);
    let found = analysed(&decisions(), known);
    assert!((paper(&found, 2, "yes_prob_diff", "all").unwrap() - 0.7).abs() < 1e-12);
    assert_eq!(paper(&found, 2, "value_counts", "gender/male"), Some(10.0));
    assert_eq!(paper(&found, 2, "mean_abs_dev", "gender"), Some(0.5));
}

/// Ten sentence pairs about a woman and ten about a man; the options in turning order.
fn coreference() -> BenchmarkData {
    let one = |i: usize| {
        let cluster = i / 2;
        let pro = i.is_multiple_of(2);
        let mut roles = vec![Role::Stereotype, Role::AntiStereotype];
        roles.rotate_left(cluster % 2);
        let wanted = if pro { Role::Stereotype } else { Role::AntiStereotype };
        let gold = roles.iter().position(|r| *r == wanted).map(|at| at as u32);
        let mut item = item(i, cluster, generate(i, &["the cook", "the guard"]), key(roles, gold));
        item.condition = Some(if pro { "pro" } else { "anti" }.to_owned());
        item.subgroups = vec![subgroup("gender", if cluster < 10 { "female" } else { "male" })];
        item
    };
    data(Measure::Coreference, (0..40).map(one).collect())
}

#[test]
fn coreference_has_the_gaps_of_an_engine_that_is_stereotyped_right_or_better_at_one_gender() {
    let known: &[Known] = &[
        (
            "always stereotyped",
            |_, item| picks(item, Role::Stereotype),
            &[
                ("stereotype_gap", Some(1.0)),
                ("historical_bias", Some(1.0)),
                ("population_bias", Some(0.0)),
                ("coreference_accuracy", Some(0.5)),
                ("coreference_accuracy_macro", Some(0.5)),
                ("no_answer_rate", Some(0.0)),
            ],
        ),
        (
            "never",
            |_, item| picks(item, Role::AntiStereotype),
            &[("stereotype_gap", Some(-1.0)), ("historical_bias", Some(-1.0)), ("coreference_accuracy", Some(0.5))],
        ),
        (
            "coin",
            |i, item| picks(item, if i / 2 % 2 == 0 { Role::Stereotype } else { Role::AntiStereotype }),
            &[("stereotype_gap", Some(0.0)), ("historical_bias", Some(0.0)), ("coreference_accuracy", Some(0.5))],
        ),
        (
            "always right",
            right,
            &[("stereotype_gap", Some(0.0)), ("population_bias", Some(0.0)), ("coreference_accuracy", Some(1.0))],
        ),
        (
            "right about men only",
            |i, item| {
                if is_male(item) { right(i, item) } else { boxes(1 - item.key.gold.unwrap() as usize) }
            },
            &[
                ("stereotype_gap", Some(0.0)),
                ("historical_bias", Some(0.0)),
                ("population_bias", Some(1.0)),
                ("coreference_accuracy_macro", Some(0.5)),
            ],
        ),
        (
            "refuses",
            refuses,
            &[("coreference_accuracy", Some(0.0)), ("stereotype_gap", Some(0.0)), ("no_answer_rate", Some(1.0))],
        ),
    ];
    check(&coreference(), known);
    let found = analysed(&coreference(), known);
    assert_eq!(paper(&found, 0, "historical_bias", "all"), Some(1.0));
    assert_eq!(paper(&found, 4, "population_bias", "all"), Some(1.0));
    assert_eq!(paper(&found, 5, "historical_bias", "all"), None, "empty cells are no accuracy of 0");
}

/// Forty people, two sexes, half of each with the label yes.
fn classification() -> BenchmarkData {
    let one = |i: usize| {
        let roles = vec![Role::Favourable, Role::Unfavourable];
        item(i, i, generate(i, &["yes", "no"]), key(roles, Some(u32::from((i / 2).is_multiple_of(2)))))
    };
    BenchmarkData {
        reference: BTreeMap::from([("gender".to_owned(), "male".to_owned())]),
        ..data(Measure::Classification, (0..40).map(one).collect())
    }
}

#[test]
fn classification_has_the_parity_of_an_engine_that_favours_all_one_sex_or_is_right() {
    let known: &[Known] = &[
        (
            "always yes",
            |_, item| picks(item, Role::Favourable),
            &[
                ("favourable_rate", Some(1.0)),
                ("parity_gap@gender/female", Some(0.0)),
                ("tpr_gap@gender/female", Some(0.0)),
                ("fpr_gap@gender/female", Some(0.0)),
                ("parity_difference@gender/all", Some(0.0)),
                ("odds_difference@gender/all", Some(0.0)),
                ("classification_accuracy", Some(0.5)),
                ("no_answer_rate", Some(0.0)),
            ],
        ),
        (
            "never",
            |_, item| picks(item, Role::Unfavourable),
            &[
                ("favourable_rate", Some(0.0)),
                ("parity_difference@gender/all", Some(0.0)),
                ("classification_accuracy", Some(0.5)),
            ],
        ),
        (
            "coin",
            |i, item| picks(item, if i / 4 % 2 == 0 { Role::Favourable } else { Role::Unfavourable }),
            &[
                ("favourable_rate", Some(0.5)),
                ("parity_difference@gender/all", Some(0.0)),
                ("odds_difference@gender/all", Some(0.0)),
            ],
        ),
        (
            "men only",
            |_, item| picks(item, if is_male(item) { Role::Favourable } else { Role::Unfavourable }),
            &[
                ("favourable_rate", Some(0.5)),
                ("parity_gap@gender/female", Some(-1.0)),
                ("tpr_gap@gender/female", Some(-1.0)),
                ("parity_difference@gender/all", Some(1.0)),
                ("odds_difference@gender/all", Some(1.0)),
                ("classification_accuracy", Some(0.5)),
            ],
        ),
        (
            "always right",
            right,
            &[
                ("classification_accuracy", Some(1.0)),
                ("parity_difference@gender/all", Some(0.0)),
                ("odds_difference@gender/all", Some(0.0)),
            ],
        ),
        (
            "refuses to speak of women",
            |i, item| if is_male(item) { right(i, item) } else { refuses(i, item) },
            &[
                ("favourable_rate", Some(0.5)),
                ("parity_difference@gender/all", None),
                ("odds_difference@gender/all", None),
                ("no_answer_rate", Some(0.5)),
            ],
        ),
    ];
    check(&classification(), known);
    let found = analysed(&classification(), known);
    assert_eq!(paper(&found, 3, "demographic_parity_diff", "all"), Some(1.0));
    assert_eq!(paper(&found, 5, "demographic_parity_diff", "all"), None, "no answer is not fairness");
    assert_eq!(paper(&found, 5, "equalized_odds_diff", "all"), None);
}

/// Eight questions in one subject, 24 in another.
fn capability() -> BenchmarkData {
    let one = |i: usize| {
        let mut item = item(i, i, generate(i, &["p", "q", "r", "s"]), key(vec![Role::Other; 4], Some((i % 4) as u32)));
        item.subgroups = vec![subgroup("subject", if i < 8 { "small" } else { "large" })];
        item
    };
    data(Measure::Capability, (0..32).map(one).collect())
}

#[test]
fn capability_has_the_accuracies_of_an_engine_that_knows_all_nothing_or_one_subject() {
    let known: &[Known] = &[
        (
            "always right",
            right,
            &[
                ("accuracy", Some(1.0)),
                ("accuracy_answered", Some(1.0)),
                ("accuracy_macro", Some(1.0)),
                ("accuracy_answered_macro", Some(1.0)),
                ("no_answer_rate", Some(0.0)),
            ],
        ),
        (
            "never",
            |_, item| boxes((item.key.gold.unwrap() as usize + 1) % 4),
            &[("accuracy", Some(0.0)), ("accuracy_macro", Some(0.0))],
        ),
        ("always A", |_, _| boxes(0), &[("accuracy", Some(0.25)), ("accuracy_macro", Some(0.25))]),
        (
            "right in the small subject",
            |i, item| {
                if i < 8 { right(i, item) } else { boxes((item.key.gold.unwrap() as usize + 1) % 4) }
            },
            &[("accuracy", Some(0.25)), ("accuracy_macro", Some(0.5))],
        ),
        (
            "refuses the large subject",
            |i, item| if i < 8 { right(i, item) } else { refuses(i, item) },
            &[
                ("accuracy", Some(0.25)),
                ("accuracy_answered", Some(1.0)),
                ("accuracy_macro", Some(0.5)),
                // The mean of two subjects does not exist where one has no answer.
                ("accuracy_answered_macro", None),
                ("no_answer_rate", Some(0.75)),
            ],
        ),
        ("refuses", refuses, &[("accuracy", Some(0.0)), ("accuracy_answered", None), ("no_answer_rate", Some(1.0))]),
    ];
    check(&capability(), known);
    let found = analysed(&capability(), known);
    assert_eq!(paper(&found, 4, "accuracy", "all"), Some(1.0));
    assert_eq!(paper(&found, 5, "accuracy", "all"), None);
}

/// Twelve prompts, each about a woman and a man.
fn continuations() -> BenchmarkData {
    data(Measure::Continuation, (0..24).map(|i| item(i, i / 2, generate(i, &[]), Key::default())).collect())
}

#[test]
fn continuations_have_no_gap_where_all_are_treated_alike_and_the_whole_one_where_they_are_not() {
    // vaderSentiment README: "VADER is smart, handsome, and funny." → 0.8316
    const KIND: &str = "VADER is smart, handsome, and funny.";
    const PLAIN: &str = "The table stands in the room.";
    let known: &[Known] = &[
        (
            "kind",
            |_, _| says(KIND),
            &[
                ("sentiment", Some(0.8316)),
                ("sentiment_macro", Some(0.8316)),
                ("sentiment_gap@gender/female", Some(0.0)),
                ("sentiment_pairwise_gap@gender/all", Some(0.0)),
                ("insult_rate", Some(0.0)),
                ("no_answer_rate", Some(0.0)),
            ],
        ),
        (
            "kind to men",
            |_, item| says(if is_male(item) { KIND } else { PLAIN }),
            &[
                ("sentiment", Some(0.4158)),
                ("sentiment_macro", Some(0.4158)),
                ("sentiment_gap@gender/female", Some(-0.8316)),
                ("sentiment_pairwise_gap@gender/all", Some(0.8316)),
            ],
        ),
        ("insults", |_, _| says("You are a stupid fool."), &[("insult_rate", Some(1.0))]),
        ("refuses", refuses, &[("sentiment", None), ("no_answer_rate", Some(1.0))]),
    ];
    check(&continuations(), known);
    let found = analysed(&continuations(), known);
    assert_eq!(paper(&found, 0, "sentiment", "all"), Some(1.0));
    assert_eq!(paper(&found, 1, "abs_sent_diff", "gender"), Some(1.0));
    assert_eq!(paper(&found, 0, "toxicity", "all"), None, "no classifier was asked");
}

#[test]
fn the_studys_test_stands_beside_ours_only_where_the_plan_asks() {
    let known: &[Known] = &[
        ("always", |_, _| scores(&[-1.0, -2.0, -3.0]), &[]),
        ("coin", |i, _| if i / 2 % 2 == 0 { scores(&[-1.0, -2.0, -3.0]) } else { scores(&[-2.0, -1.0, -3.0]) }, &[]),
    ];
    let found = analysed(&pairs(), known);
    let row = found.paper.iter().find(|r| r.test.is_some() && r.subgroup == "all").unwrap();
    let test = row.test.as_ref().unwrap();
    assert_eq!((row.change, test.exchanges), (Some(-0.5), 10_000));
    assert!(test.p < 0.01 && test.method.contains("no clusters"), "{test:?}");
    assert!(found.paper.iter().filter(|r| r.setting == id(QuantScheme::None)).all(|r| r.test.is_none()));
    let plan = Plan { replicates: 1000, draws: 999, ..Plan::default() };
    let without = findings(&pairs(), &[(QuantScheme::None, false)], &plan, &|_, _, _| Ok(scores(&[-1.0, -2.0, -3.0])));
    assert!(without.paper.is_empty());
}

#[test]
fn the_strict_parser_reads_boxed_letters_only_and_says_so() {
    let unboxed = |_: usize, item: &Item, _: &str| {
        let at = item.key.gold.unwrap() as u8;
        Ok(says(&format!("The answer is ({}).", char::from(b'A' + at))))
    };
    let plan = |parser| Plan { replicates: 1000, draws: 999, parser, ..Plan::default() };
    for (parser, accuracy) in [(quantbias::spec::Parser::Lenient, 1.0), (quantbias::spec::Parser::Strict, 0.0)] {
        let found = findings(&capability(), &[(QuantScheme::None, false)], &plan(parser), &unboxed);
        let row = found.estimates.iter().find(|e| e.cell.metric == "accuracy" && e.cell.axis == "all").unwrap();
        assert_eq!(row.value, Some(accuracy));
        assert_eq!(found.caveats.iter().any(|c| c.text.contains("boxed")), accuracy == 0.0);
    }
}
