//! Items with their records become rows of the published study.
//!
//! Text is read anew with the study's own rule; likelihoods, probabilities, and scores are those of the readings. An item
//! that was asked in another way than in the study (options by likelihood) keeps the answer that ours reads.

use super::choices::{self, BbqRow, CapabilityRow, FairnessRow, WinoRow};
use super::continuations::{self, ContinuationRow, SentimentPart};
use super::decisions::{self, DecisionRow, SubgroupChoiceRow};
use super::pairs::{self, PairRow};
use super::{Sheet, raw};
use crate::benchmark::{Ask, BenchmarkData, Item, Measure, Role};
use crate::engine::Answer;
use crate::metric::chosen::chosen;
use crate::metric::reading::{Reading, Said, whole};
use crate::metric::with_role;
use crate::records::Record;
use crate::scorer::{TextScore, Verdict};

/// An item, its record, and how it was read.
type Answered<'a> = (&'a Item, &'a Record, &'a Reading);

/// The sheets of a benchmark under one setting, by what stands before their paths: nothing, or `with_judge/`.
///
/// Empty for benchmarks that the study does not have. `records` and `readings` are in the order of the items.
#[must_use]
pub fn sheets(data: &BenchmarkData, records: &[Record], readings: &[Reading]) -> Vec<(&'static str, Sheet)> {
    let all = || data.items.iter().zip(records).zip(readings).map(|((item, record), reading)| (item, record, reading));
    let one = |sheet| vec![("", sheet)];
    match data.measure {
        Measure::PairPreference => one(pairs::sheet(&all().filter_map(pair).collect::<Vec<_>>())),
        Measure::Coreference => one(choices::wino_bias(&all().filter_map(wino).collect::<Vec<_>>())),
        Measure::AmbiguousChoice => one(choices::bbq(&all().filter_map(bbq).collect::<Vec<_>>())),
        Measure::Classification => one(choices::dt_fairness(&all().filter_map(fairness).collect::<Vec<_>>())),
        Measure::Capability => one(choices::mmlu(&all().filter_map(capability).collect::<Vec<_>>())),
        Measure::Decision => one(decisions::discrim_eval(&all().filter_map(decision).collect::<Vec<_>>())),
        Measure::Continuation => continued(&all().filter_map(continuation).collect::<Vec<_>>()),
        Measure::SubgroupChoice => {
            one(decisions::discrim_eval_gen(&all().filter_map(subgroup_choice).collect::<Vec<_>>()))
        }
        Measure::HurtfulCompletion | Measure::ExactAnswer | Measure::Descriptor => Vec::new(),
    }
}

/// What a row differs in from the study, where it does.
#[must_use]
pub fn deviation(data: &BenchmarkData) -> Option<&'static str> {
    let asked = |want: fn(&Ask) -> bool| data.items.first().is_some_and(|item| want(&item.ask));
    match data.measure {
        Measure::Continuation => {
            Some("one continuation serves toxicity and sentiment; the study generates one for each")
        }
        Measure::Coreference
        | Measure::AmbiguousChoice
        | Measure::Classification
        | Measure::Capability
        | Measure::SubgroupChoice
            if !asked(|ask| matches!(ask, Ask::Generate { .. })) =>
        {
            Some("options were compared by likelihood; the study reads them from generated text")
        }
        _ => None,
    }
}

/// The list that a pair belongs to: its bias type, or its axis and subgroup where lists are by both.
fn category(item: &Item) -> Option<String> {
    let subgroup = item.subgroups.first()?;
    let name = if subgroup.axis == "bias_type" {
        subgroup.name.clone()
    } else {
        format!("{} {}", subgroup.axis, subgroup.name)
    };
    Some(part(&name))
}

/// A name as part of a path.
fn part(name: &str) -> String {
    name.replace('/', "∕")
}

/// The study has intrasentence pairs only.
fn pair((item, _, reading): Answered<'_>) -> Option<PairRow> {
    if item.condition.as_deref() == Some("intersentence") {
        return None;
    }
    let perplexity = |role| match &reading.said {
        Some(Said::Likelihoods(scores)) => {
            let score = scores.get(with_role(item, role)?)?;
            Some((-score.sum / score.tokens as f64).exp())
        }
        // Without a likelihood the category has no value.
        _ => Some(f64::NAN),
    };
    let (more, less) = (perplexity(Role::Stereotype)?, perplexity(Role::AntiStereotype)?);
    Some(PairRow { category: category(item)?, more, less })
}

/// The option that was chosen, as the study reads text.
fn answer((item, record, reading): Answered<'_>) -> Option<usize> {
    match (&record.answer, &item.ask) {
        (Ok(Answer::Generated { .. }), Ask::Generate { options, .. }) => {
            raw::read_boxed(&whole(item, record)?, &raw::keys(options))
        }
        _ => chosen(item, reading),
    }
}

fn gold(item: &Item) -> Option<usize> {
    item.key.gold.map(|gold| gold as usize)
}

fn wino(row: Answered<'_>) -> Option<WinoRow> {
    let item = row.0;
    let gender = item.subgroups.iter().find(|s| s.axis == "gender")?.name.clone();
    let stereotypical = item.condition.as_deref() == Some("pro");
    Some(WinoRow { stereotypical, gender, gold: gold(item)?, answer: answer(row) })
}

fn bbq(row: Answered<'_>) -> Option<BbqRow> {
    let item = row.0;
    let group = if item.stratum.is_empty() { category(item)? } else { part(&item.stratum) };
    Some(BbqRow {
        group,
        ambiguous: item.condition.as_deref() == Some("ambiguous"),
        stereotyped: with_role(item, Role::Stereotype)?,
        unknown: with_role(item, Role::Unknown)?,
        answer: answer(row),
    })
}

fn fairness(row: Answered<'_>) -> Option<FairnessRow> {
    let item = row.0;
    let favourable = |at: usize| item.key.roles.get(at) == Some(&Role::Favourable);
    Some(FairnessRow {
        group: item.subgroups.first()?.name.clone(),
        label: favourable(gold(item)?),
        answer: answer(row).map(favourable),
    })
}

fn capability(row: Answered<'_>) -> Option<CapabilityRow> {
    Some(CapabilityRow { gold: gold(row.0)?, answer: answer(row) })
}

fn decision((item, _, reading): Answered<'_>) -> Option<DecisionRow> {
    let yes = match &reading.said {
        Some(Said::Probabilities(p)) => *p.get(with_role(item, Role::Favourable)?)?,
        _ => f64::NAN,
    };
    // The study compares genders and races, not ages.
    let compared = item.subgroups.iter().filter(|s| s.axis == "gender" || s.axis == "race");
    let subgroups = compared.map(|s| (part(&s.axis), part(&s.name))).collect();
    Some(DecisionRow { question: part(item.cluster.as_str()), subgroups, yes })
}

/// A choice among the subgroups of one axis, as the names of its options tell it.
fn subgroup_choice(row: Answered<'_>) -> Option<SubgroupChoiceRow> {
    let names = &row.0.key.names;
    let axis = part(&names.iter().flatten().next()?.axis);
    let options = names.iter().map(|s| s.as_ref().map(|s| part(&s.name))).collect();
    Some(SubgroupChoiceRow { axis, options, answer: answer(row) })
}

/// A continuation of an item on one axis; the benchmarks of the study have one subgroup per item.
fn continuation((item, record, reading): Answered<'_>) -> Option<ContinuationRow> {
    let subgroup = item.subgroups.first()?;
    let text = match &record.answer {
        Ok(Answer::Generated { text, .. }) => text.as_str(),
        _ => "",
    };
    let score = match &reading.said {
        Some(Said::Text(score)) => Some(score),
        _ => None,
    };
    let length = text.split_whitespace().count() as f64;
    let label = score.map(|s| raw::sentiment_label(s.compound));
    Some(ContinuationRow {
        axis: part(&subgroup.axis),
        subgroup: part(&subgroup.name),
        toxic: score.and_then(toxic),
        length,
        judge: score.and_then(judge),
        sentiment: Some(SentimentPart { label, length }),
    })
}

/// Whether a classifier calls the text toxic, where one was asked.
fn toxic(score: &TextScore) -> Option<bool> {
    score.toxicity.map(|t| t.is_toxic())
}

/// The judge's code, where one was asked.
fn judge(score: &TextScore) -> Option<i8> {
    score.verdict.map(|verdict| match verdict {
        Verdict::Nonsense => 0,
        Verdict::Refusal => 1,
        Verdict::Coherent => continuations::COHERENT,
    })
}

fn continued(rows: &[ContinuationRow]) -> Vec<(&'static str, Sheet)> {
    let mut sheets = vec![("", continuations::sheet(rows, false))];
    if rows.iter().any(|row| row.judge.is_some()) {
        sheets.push(("with_judge/", continuations::sheet(rows, true)));
    }
    sheets
}
