//! What models said of the continuations of two runs, for the run that both become.
//!
//! Nothing is scored here but with what is built in. A classifier or a judge counts only where both runs have the same
//! one, by its identity: two scorers differ by themselves.

use super::assemble::setting_id;
use super::identity::Pair;
use crate::records::Run;
use crate::scorer::{ScorerIdentity, Scores, builtin};
use std::collections::BTreeMap;

/// Scorers that can be models.
const MODELS: [&str; 2] = ["toxicity", "judge"];

/// Scores of the joined run and of each of the two, and what was left out, in words.
pub(super) struct Scored {
    pub(super) joined: Scores,
    pub(super) each: [Scores; 2],
    pub(super) left_out: Vec<String>,
}

/// Joins the scores of two runs.
pub(super) fn join(joined: &Run, runs: [&Run; 2], pairs: &[Pair], scores: [Scores; 2]) -> Scored {
    let mut each = scores;
    let (mut common, mut left_out) = (Vec::new(), Vec::new());
    for name in MODELS {
        let [a, b] = each.each_ref().map(|s| s.scorers.iter().find(|s| s.name == name).cloned());
        if let (Some(a), Some(b)) = (&a, &b)
            && a.sha256() == b.sha256()
        {
            common.push(a.clone());
            continue;
        }
        if a.is_some() || b.is_some() {
            let by = |s: &Option<ScorerIdentity>| s.as_ref().map_or("nothing".to_owned(), ScorerIdentity::sentence);
            left_out.push(format!(
                "Scores by a model are not compared: of run A they are by {}, of run B by {}. Score both with one: \
                 quantbias score RUN --plan AUDIT.",
                by(&a),
                by(&b)
            ));
        }
        each = each.map(|s| s.without(name));
    }
    let mut own = builtin(joined);
    if !common.is_empty() {
        for data in &joined.benchmarks {
            for (second, (run, scores)) in runs.into_iter().zip(&each).enumerate() {
                let items = run.benchmarks.iter().find(|b| b.name == data.name).map_or(&[][..], |b| &b.items);
                let place: BTreeMap<_, usize> = items.iter().enumerate().map(|(i, item)| (&item.id, i)).collect();
                let place: Vec<usize> = data.items.iter().filter_map(|item| place.get(&item.id).copied()).collect();
                for pair in pairs {
                    let there = if second == 1 { &pair.b } else { &pair.a };
                    let here = setting_id(pair, second == 1);
                    own.borrow((&data.name, &here), scores.of(&data.name, there), &place);
                }
            }
        }
    }
    own.scorers.extend(common);
    Scored { joined: own, each, left_out }
}
