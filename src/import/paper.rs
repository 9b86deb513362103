//! The published code of Marcuzzi et al. 2026: `final_result.json`, raw results by column, no item ids.
//!
//! Items are paired by the order of rows: row n of two files is the same item, or the import stops where the texts
//! differ. Perplexities stand as one token of log-probability −ln PPL, so perplexity and score per token are those of
//! the log, and a sum over tokens is not known. `NaN` is a missing number.

use super::Source;
use super::error::ImportError;
use super::files;
use super::log::{About, Log, generated, item, probabilities, sums};
use super::row::{Row, as_text};
use crate::benchmark::{Ask, Candidate, Item, Key, Measure, Role, Subgroup};
use crate::engine::Answer;
use crate::scorer::imported::{LABEL_NAMES, Logged};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// The name of the tool's files.
const FILE: &str = "final_result.json";

/// Reads every benchmark of a setting.
pub(super) fn read(source: &Source, log: &mut Log) -> Result<(), ImportError> {
    for path in files::find(&source.path, FILE, &|name| name == FILE)? {
        let (benchmark, rows) = rows(&path)?;
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (at, value) in rows.iter().enumerate() {
            let row = Row { value, path: &path, number: at + 1 };
            for (about, item, answer) in convert(&benchmark, &row, &mut seen)? {
                if let Some(logged) = logged(&about.name, &row) {
                    log.score(&about, &source.label, &item.id, logged);
                }
                log.put(&about, &source.label, item, answer)?;
            }
        }
        for name in names(&benchmark) {
            log.note_file(&name, &source.label, &path, rows.len())?;
        }
    }
    Ok(())
}

/// Toxicity labels and the judge's code of a continuation, where the log has them. Of the judge's codes 2 is coherent, 1
/// a refusal, 0 nonsense; the negative ones stand for no readable reply.
fn logged(benchmark: &str, row: &Row<'_>) -> Option<Logged> {
    if benchmark != "dt_toxic" && !benchmark.starts_with("bold_") {
        return None;
    }
    let listed = |found: &Value| -> Option<[f64; LABEL_NAMES.len()]> {
        let mut labels = [0.0; LABEL_NAMES.len()];
        for (place, name) in labels.iter_mut().zip(LABEL_NAMES) {
            let of = |entry: &&Value| entry["label"].as_str() == Some(name);
            *place = match found {
                Value::Array(list) => list.iter().find(of)?["score"].as_f64()?,
                other => other[name].as_f64()?,
            };
        }
        Some(labels)
    };
    // The labels are those of the text that was generated for toxicity.
    let labels = listed(&row.value["full_toxic_scores"]).filter(|_| benchmark != "bold_sentiment");
    let verdict = row.value["judge"].as_f64().filter(|code| *code >= 0.0);
    (labels.is_some() || verdict.is_some()).then_some(Logged { labels, verdict })
}

/// The benchmarks that one of the tool's becomes: continuations were generated twice, with two prompts.
fn names(benchmark: &str) -> Vec<String> {
    match benchmark {
        "bold" => vec!["bold_toxicity".to_owned(), "bold_sentiment".to_owned()],
        other => vec![other.to_owned()],
    }
}

/// The benchmark's name and its rows.
pub(super) fn rows(path: &Path) -> Result<(String, Vec<Value>), ImportError> {
    let wrong = |why: &str| ImportError::Malformed { path: path.to_owned(), why: why.to_owned() };
    let file = files::json(path)?;
    let benchmark = file["benchmark"].as_str().ok_or_else(|| wrong("it names no `benchmark`"))?.to_owned();
    let raw =
        file["FinalResult"]["raw_results"].as_object().ok_or_else(|| wrong("it has no `FinalResult.raw_results`"))?;
    let columns: Vec<(&String, &Vec<Value>)> =
        raw.iter().filter_map(|(name, column)| Some((name, column.as_array()?))).collect();
    let n = columns.first().map_or(0, |(_, column)| column.len());
    if n == 0 || columns.iter().any(|(_, column)| column.len() != n) {
        return Err(wrong("the columns of `raw_results` are empty or of unequal length"));
    }
    let row = |at: usize| -> Map<String, Value> {
        columns.iter().map(|(name, column)| ((*name).clone(), column[at].clone())).collect()
    };
    let mut rows: Vec<Value> = (0..n).map(|at| Value::Object(row(at))).collect();
    if let Some(judged) = file["FinalResult"]["judge_analysis"]["raw_results"].as_array() {
        for (row, code) in rows.iter_mut().zip(judged) {
            row["judge"] = code.clone();
        }
    }
    Ok((benchmark, rows))
}

type Converted = (About, Item, Result<Answer, String>);

fn convert(benchmark: &str, row: &Row<'_>, seen: &mut BTreeMap<String, usize>) -> Result<Vec<Converted>, ImportError> {
    let one = |about: About, (item, answer): (Item, Result<Answer, String>)| Ok(vec![(about, item, answer)]);
    match benchmark {
        "stereo_set" | "reddit_bias" => one(about(benchmark, Measure::PairPreference), pair(row)?),
        "wino_bias" => one(about(benchmark, Measure::Coreference), wino_bias(row)?),
        "bbq" => one(about(benchmark, Measure::AmbiguousChoice), bbq(row)?),
        "discrim_eval" => one(about(benchmark, Measure::Decision), discrim_eval(row)?),
        "discrim_eval_gen" => one(about(benchmark, Measure::SubgroupChoice), discrim_eval_gen(row)?),
        "dt_fairness" => one(about(benchmark, Measure::Classification), dt_fairness(row)?),
        "mmlu" | "mmlu_full" => one(about(benchmark, Measure::Capability), mmlu(row)?),
        "bold" => Ok(vec![
            continuation("bold_toxicity", row, "toxic_gens", "final_toxic_prompt", seen)?,
            continuation("bold_sentiment", row, "sent_gens", "final_sent_prompt", seen)?,
        ]),
        "dt_toxic" => Ok(vec![continuation(benchmark, row, "toxic_gens", "final_toxic_prompt", seen)?]),
        other => Err(row.wrong(format!("the benchmark {other:?} is none that can be read from this tool's log"))),
    }
}

fn about(name: &str, measure: Measure) -> About {
    let mut caveats = vec!["Items are paired by the order of rows: the log has no item ids.".to_owned()];
    let cluster_unit = match measure {
        Measure::Coreference => "pair of occupations",
        Measure::AmbiguousChoice => "question template where the log names it, else row",
        Measure::Decision | Measure::SubgroupChoice => "decision question",
        Measure::Continuation => "prompt",
        _ => {
            caveats.push(
                "The log does not tell which rows are variants of each other: each row is its own cluster.".to_owned(),
            );
            "row"
        }
    };
    if measure == Measure::PairPreference {
        caveats.push(
            "The log has perplexities only: scores by the sum over tokens are those by the mean per token here."
                .to_owned(),
        );
    }
    let reference = match measure {
        Measure::Decision => [("race", "white"), ("gender", "male"), ("age", "60")].as_slice(),
        Measure::Classification => &[("sex", "Male")],
        _ => &[],
    };
    About {
        name: name.to_owned(),
        title: format!("{name} (imported)"),
        measure,
        cluster_unit: cluster_unit.to_owned(),
        caveats,
        reference: reference.iter().map(|(axis, name)| ((*axis).to_owned(), (*name).to_owned())).collect(),
    }
}

type Answered = (Item, Result<Answer, String>);

fn id(row: &Row<'_>) -> String {
    format!("{:06}", row.number)
}

/// A prompt as one text; a conversation as its JSON.
fn prompt(row: &Row<'_>, column: &str) -> String {
    row.get(column).map_or_else(String::new, |v| as_text(v).unwrap_or_else(|| v.to_string()))
}

fn subgroup(row: &Row<'_>, axis: &str, column: &str) -> Result<Subgroup, ImportError> {
    Ok(Subgroup { axis: axis.to_owned(), name: row.text(column)? })
}

fn text(row: &Row<'_>, column: &str) -> Result<Answer, String> {
    match row.get(column) {
        Some(Value::String(text)) => Ok(generated(text.clone())),
        // One of several samples is what the published code scores.
        Some(Value::Array(samples)) => samples
            .first()
            .and_then(Value::as_str)
            .map(|t| generated(t.to_owned()))
            .ok_or_else(|| format!("the log has no text in `{column}`")),
        _ => Err(format!("the log has no text in `{column}`")),
    }
}

fn choice(prompt: String, options: Vec<String>) -> Ask {
    Ask::generate(prompt, options, 0, false)
}

fn pair(row: &Row<'_>) -> Result<Answered, ImportError> {
    let candidate = |column: &str| Candidate { context: String::new(), text: prompt(row, column) };
    let candidates = vec![candidate("more_stereo_prompt"), candidate("less_stereo_prompt")];
    let mut made = item(id(row), id(row), Ask::Likelihood { candidates });
    made.subgroups = vec![subgroup(row, "bias_type", "group")?];
    made.key = Key { roles: vec![Role::Stereotype, Role::AntiStereotype], ..Key::default() };
    let positive = |p: Option<f64>| p.filter(|p| *p > 0.0).map(|p| -p.ln());
    let values = [row.number("more_stereo_ppl")?, row.number("less_stereo_ppl")?].map(positive);
    let answer: Option<Vec<f64>> = values.into_iter().collect();
    Ok((made, answer.map(sums).ok_or_else(|| "the log has no finite perplexity".to_owned())))
}

fn wino_bias(row: &Row<'_>) -> Result<Answered, ImportError> {
    let options = vec![row.text("opt_1")?, row.text("opt_2")?];
    let mut people = options.clone();
    people.sort();
    let (right, stereotyped) = (row.index("ground_truth")?, row.index("bias_ground_truth")?);
    if right > 1 || stereotyped > 1 {
        return Err(row.wrong("`ground_truth` and `bias_ground_truth` are 0 or 1"));
    }
    let mut made = item(id(row), people.join(" / "), choice(prompt(row, "prompts"), options));
    made.subgroups = vec![subgroup(row, "gender", "group")?];
    made.condition = Some(if row.text("bias")? == "anti" { "anti" } else { "pro" }.to_owned());
    let role = |at: u32| if at == stereotyped { Role::Stereotype } else { Role::AntiStereotype };
    made.key = Key { roles: vec![role(0), role(1)], gold: Some(right), ..Key::default() };
    Ok((made, text(row, "generation")))
}

fn bbq(row: &Row<'_>) -> Result<Answered, ImportError> {
    let options: Vec<String> = ["ans0", "ans1", "ans2"].iter().map(|a| row.text(a)).collect::<Result<_, _>>()?;
    let target = row.index("target_loc")?;
    let unknown = (0..3).find(|at| row.text(&format!("answer_info.ans{at}.1")).is_ok_and(|info| info == "unknown"));
    let unknown = unknown.ok_or_else(|| row.wrong("`answer_info` marks no option as unknown"))?;
    if target > 2 || target == unknown {
        return Err(row.wrong("`target_loc` is not one of the two persons"));
    }
    let group = subgroup(row, "category", "group")?;
    let template = match (row.text("category"), row.text("question_index")) {
        (Ok(category), Ok(index)) => format!("{category}/{index}"),
        _ => row.text("template").unwrap_or_else(|_| id(row)),
    };
    let mut made = item(id(row), format!("{}/{template}", group.name), choice(prompt(row, "prompt"), options));
    made.stratum.clone_from(&group.name);
    made.subgroups = vec![group];
    made.condition = Some(match row.text("context_condition")?.as_str() {
        "ambig" => "ambiguous".to_owned(),
        "disambig" => "disambiguated".to_owned(),
        other => return Err(row.wrong(format!("`context_condition` is {other:?}"))),
    });
    let role = |at: u32| match at {
        at if at == target => Role::Stereotype,
        at if at == unknown => Role::Unknown,
        _ => Role::AntiStereotype,
    };
    made.key = Key {
        roles: (0..3).map(role).collect(),
        gold: Some(row.index("label")?),
        polarity: row.text("question_polarity").ok(),
        ..Key::default()
    };
    Ok((made, text(row, "generation")))
}

fn discrim_eval(row: &Row<'_>) -> Result<Answered, ImportError> {
    let question = row.text("decision_question_id")?;
    let ask = Ask::first_token(prompt(row, "prompts"), vec!["yes".into(), "no".into()], false);
    let mut made = item(id(row), question, ask);
    let axis = |axis: &str| row.get(axis).map(|_| subgroup(row, axis, axis));
    made.subgroups = ["race", "gender", "age"].into_iter().filter_map(axis).collect::<Result<_, _>>()?;
    made.key = Key { roles: vec![Role::Favourable, Role::Unfavourable], ..Key::default() };
    let answer = match (row.number("yes_prob")?, row.number("no_prob")?) {
        (Some(yes), Some(no)) => Ok(probabilities([("yes", yes), ("no", no)])),
        _ => Err("the log has no finite probability".to_owned()),
    };
    Ok((made, answer))
}

/// `unbias_pos` is the order in which the subgroups and, after all of them, the neutral option were put.
fn discrim_eval_gen(row: &Row<'_>) -> Result<Answered, ImportError> {
    let axis = row.text("group")?;
    let names: &[&str] = match axis.as_str() {
        "gender" => &["man", "woman", "non-binary"],
        "race" => &["white", "black", "asian", "hispanic", "native"],
        other => return Err(row.wrong(format!("`group` is {other:?}"))),
    };
    let order: Vec<u32> =
        (0..=names.len()).map(|at| row.index(&format!("unbias_pos.{at}"))).collect::<Result<_, _>>()?;
    let name = |at: &u32| names.get(*at as usize);
    let options = order.iter().map(|at| (*name(at).unwrap_or(&"neutral")).to_owned()).collect();
    let mut made = item(id(row), row.text("decision_question_id")?, choice(prompt(row, "prompts"), options));
    made.subgroups = vec![Subgroup { axis: "asked about".to_owned(), name: axis.clone() }];
    let named = |at: &u32| name(at).map(|name| Subgroup { axis: axis.clone(), name: (*name).to_owned() });
    made.key = Key {
        roles: order.iter().map(|at| if name(at).is_some() { Role::Other } else { Role::Unknown }).collect(),
        names: order.iter().map(named).collect(),
        ..Key::default()
    };
    Ok((made, text(row, "generation")))
}

fn dt_fairness(row: &Row<'_>) -> Result<Answered, ImportError> {
    let options = vec!["yes".to_owned(), "no".to_owned()];
    let mut made = item(id(row), id(row), choice(prompt(row, "prompts"), options));
    made.subgroups = vec![subgroup(row, "sex", "group")?];
    let label = row.index("ground_truth")?;
    made.key =
        Key { roles: vec![Role::Favourable, Role::Unfavourable], gold: Some(u32::from(label == 0)), ..Key::default() };
    Ok((made, text(row, "generation")))
}

fn mmlu(row: &Row<'_>) -> Result<Answered, ImportError> {
    let options = row.texts("choices")?;
    let gold = row.index("ground_truth")?;
    if gold as usize >= options.len() {
        return Err(row.wrong("`ground_truth` is no index of `choices`"));
    }
    let roles = vec![Role::Other; options.len()];
    let mut made = item(id(row), id(row), choice(prompt(row, "question"), options));
    made.subgroups = vec![subgroup(row, "subject", "subject")?];
    made.key = Key { roles, gold: Some(gold), ..Key::default() };
    Ok((made, text(row, "generation")))
}

fn continuation(
    name: &str,
    row: &Row<'_>,
    column: &str,
    prompts: &str,
    seen: &mut BTreeMap<String, usize>,
) -> Result<Converted, ImportError> {
    let subgroup =
        Subgroup { axis: row.text("group")?, name: row.text("subgroup").or_else(|_| row.text("sub_group"))? };
    // Each prompt of DT-Toxicity is put in the name of every subgroup, in the same order.
    let place = seen.entry(format!("{name}/{}/{}", subgroup.axis, subgroup.name)).or_default();
    *place += 1;
    let own = if name == "dt_toxic" { format!("prompt-{place:06}") } else { id(row) };
    let cluster = row.text("prompt_id").unwrap_or(own);
    let mut made = item(id(row), cluster, choice(prompt(row, prompts), Vec::new()));
    made.subgroups = vec![subgroup];
    Ok((about(name, Measure::Continuation), made, text(row, column)))
}
