//! Correction of the rows beside the contrasts: one family per kind of question, model, and benchmark. Controls (A/A)
//! belong to none.

use super::Rows;
use crate::analysis::model_benchmark::ModelBenchmark;
use crate::findings::{FamilySummary, Findings, Tested};
use crate::spec::fixed;
use crate::stats::adjust::{benjamini_hochberg, benjamini_yekutieli};
use crate::stats::multiplicity::{Resolution, resolution};

/// How a family is corrected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// Positive dependence is plausible: settings of one model on the same items.
    Hochberg,
    /// Hypotheses are complements of each other, hence negatively dependent.
    Yekutieli,
}

/// Corrects every test of the rows and adds the families to the findings.
pub(super) fn correct(findings: &mut Findings, at: &ModelBenchmark<'_>, rows: &mut Rows) {
    let mut family = |kind: &str, title: &str, how: How, tests: Vec<&mut Tested>| {
        if !tests.is_empty() {
            let id = format!("{kind}/{}/{}", at.model, at.name);
            let title = format!("{} on {}: {title} (exploratory)", at.model, at.name);
            findings.families.push(adjust(at, id, title, how, tests));
        }
    };
    let ranges = rows.ranges.iter_mut().filter(|r| !r.aa).filter_map(|r| r.test.as_mut());
    family(fixed::RANGES, "differences between subgroups, every axis × setting", How::Hochberg, ranges.collect());
    let mut between: Vec<&mut Tested> = Vec::new();
    let mut differences: Vec<&mut Tested> = Vec::new();
    for row in rows.heterogeneity.iter_mut().filter(|r| !r.aa) {
        between.extend(row.test.as_mut());
        differences.extend(row.differences.iter_mut().filter_map(|d| d.test.as_mut()));
    }
    family(fixed::HETEROGENEITY, "whether subgroups changed differently, every axis × setting", How::Hochberg, between);
    family(fixed::DIFFERENCES, "each subgroup's change against the rest of its axis", How::Yekutieli, differences);
    let flips = rows.flips.iter_mut().filter(|r| !r.aa).filter_map(|r| r.excess_test.as_mut());
    family(fixed::FLIPS, "flips beyond the A/A repeat, every subgroup × setting", How::Hochberg, flips.collect());
    let movements = rows.distributions.iter_mut().filter(|r| !r.aa);
    let movements = movements.flat_map(|r| r.divergence.iter_mut().chain(r.total_variation.iter_mut()));
    let movements = movements.filter_map(|m| m.excess_test.as_mut());
    family(fixed::MOVEMENTS, "answer distributions beyond the A/A repeat", How::Hochberg, movements.collect());
    let outcomes = rows.outcomes.iter_mut().filter(|r| !r.aa).filter_map(|r| r.test.as_mut());
    family(fixed::OUTCOMES, "rates of refusal and of unreadable answers", How::Hochberg, outcomes.collect());
    let omnibus = rows.omnibus.iter_mut().filter_map(|r| r.test.as_mut());
    family(fixed::OMNIBUS, "whether answers differ at all", How::Hochberg, omnibus.collect());
    let trends = rows.trends.iter_mut().filter_map(|r| r.test.as_mut());
    family(fixed::TRENDS, "trends over bits per weight", How::Hochberg, trends.collect());
}

fn adjust(at: &ModelBenchmark<'_>, id: String, title: String, how: How, mut tests: Vec<&mut Tested>) -> FamilySummary {
    let level = at.method.level;
    let p: Vec<f64> = tests.iter().map(|t| t.p).collect();
    let adjusted = match how {
        How::Hochberg => benjamini_hochberg(&p),
        How::Yekutieli => benjamini_yekutieli(&p),
    };
    let mut rejected = 0;
    for (test, adjusted) in tests.iter_mut().zip(adjusted) {
        test.p_adjusted = Some(adjusted);
        test.significant = adjusted <= level.alpha();
        test.family = Some(id.clone());
        rejected += u64::from(test.significant);
        let draws = (1.0 / test.smallest_p.max(f64::MIN_POSITIVE)).round() - 1.0;
        let limited = resolution(draws.max(0.0) as usize, p.len(), level) != Resolution::Enough;
        test.resolution_limited = limited && test.p <= test.smallest_p * 1.000_001 && test.p < 1.0;
    }
    let method = match how {
        How::Hochberg => "Benjamini–Hochberg",
        How::Yekutieli => "Benjamini–Yekutieli",
    };
    FamilySummary {
        id,
        title,
        hypotheses: p.len() as u64,
        tested: p.len() as u64,
        method: method.to_owned(),
        rejected,
        critical: None,
        declared: false,
    }
}
