//! Can the numbers be trusted on these data? Simulates data sets from a run's own clusters, with a known truth, and counts
//! how often each interval covers it and how often each test rejects it. Every row says what its data assume ([`Law`]).
//!
//! It changes no finding, and it says nothing about data unlike the run's.

use super::cells::ALL;
use super::{AnalysisError, recorded};
use crate::findings::Cell;
use crate::records::Run;
use crate::scorer::Scores;
use crate::spec::Plan;
use crate::stats::bca::{basic, bca, studentized};
use crate::stats::bootstrap::Weights;
use crate::stats::cluster::{Cell as _, PairedTotals};
use crate::stats::functional::Functional;
use crate::stats::interval::{Interval, expanded_percentile, percentile};
use crate::stats::jackknife::jackknife;
use crate::stats::level::Level;
use crate::stats::multiplicity::{Hypothesis, max_t};
use crate::stats::paired::durkalski;
use crate::stats::permutation::{Flips, sign_flip};
use crate::stats::refusal::{MIN_CLUSTERS, admit_bootstrap, admit_interval};
use crate::stats::simulate::{Law, Simulation};
use crate::stats::stream::Stream;
use crate::table::sums::{GroupSums, Sums};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What to simulate.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Change added to the simulated data, metric units; 0 is the null hypothesis of the tests.
    pub effect: f64,
    /// Simulated data sets per cell.
    pub replications: u32,
    /// Cells whose `model/benchmark/metric/axis/subgroup/setting` contains this; without, the leading cell of every
    /// benchmark under the setting that changed most.
    pub cells: Option<String>,
    /// Bootstrap replicates and null draws within each data set.
    pub draws: u32,
}

/// Cells of a request, at most: more would take hours.
const MOST_CELLS: usize = 60;
/// Names of cells that an error shows, at most.
const NAMED: usize = 6;
/// Rows of a cell, at most: seven intervals, and four tests on two kinds of data.
const MOST_METHODS: usize = 15;
/// Intervals from replicates: refused together where the clusters are too few.
const BOOTSTRAPS: [&str; 6] = ["expanded percentile", "wider of the two", "percentile", "basic", "BCa", "studentized"];
/// Hypotheses of a family, at most.
const MOST_HYPOTHESES: usize = 200;

/// The result of a calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Version of quantbias.
    pub quantbias: String,
    /// SHA-256 of the run's identity.
    pub identity_sha256: String,
    /// Change added to the simulated data, metric units.
    pub effect: f64,
    /// Two-sided level of intervals and tests.
    pub level: f64,
    /// Master seed.
    pub seed: u64,
    /// Replicates and draws within each data set.
    pub draws: u32,
    /// One row per cell, kind of data, and method.
    pub rows: Vec<CalibrationRow>,
    /// Cells that were asked for and could not be simulated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A cell that was not simulated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id.
    pub setting: String,
    /// Why.
    pub why: String,
}

/// What a row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Intervals that hold the true change: the observed one and the stated effect.
    Coverage,
    /// Tests that reject "no change": their size where the effect is 0, their power otherwise.
    Rejection,
    /// Families with at least one rejection, where nothing changed.
    FamilyError,
}

/// How one method did on one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationRow {
    /// Where.
    #[serde(flatten)]
    pub cell: Cell,
    /// Setting id; `all` for a family.
    pub setting: String,
    /// Clusters of the cell; hypotheses for a family.
    pub size: u64,
    /// What is counted.
    pub counted: Counted,
    /// What the simulated data assume ([`Law::words`]).
    pub assumes: String,
    /// The method.
    pub method: String,
    /// What the rate should be: the level for coverage, α for errors; absent for power.
    pub nominal: Option<f64>,
    /// The share; absent where the method gave no answer at all.
    pub rate: Option<f64>,
    /// Its Monte-Carlo standard error.
    pub error: Option<f64>,
    /// Data sets in which the method gave an answer.
    pub answered: u64,
    /// Data sets in which it was refused (too few clusters, too discrete, undefined).
    pub refused: u64,
}

/// Calibrates the methods on a run whose continuations were scored.
///
/// # Errors
/// [`AnalysisError`], [`AnalysisError::NoCells`] among them where no cell has the name that was asked for.
pub fn calibrate(run: &Run, plan: &Plan, scores: &Scores, request: &Request) -> Result<Calibration, AnalysisError> {
    let level = Level::new(plan.level).map_err(|_| AnalysisError::Level { what: "level", value: plan.level })?;
    let root = Stream::root(plan.seed).child("calibrate");
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    let (mut known, mut any) = (Vec::new(), request.cells.is_none());
    for identity in &run.manifest.identity.models {
        let asked = run.manifest.identity.benchmarks.iter().zip(&run.benchmarks);
        for (_, data) in asked.filter(|(b, _)| b.models.contains(&identity.id)) {
            let (sums, _) = recorded::sums(run, plan, data, &identity.id, scores)?;
            let at = Trial::new(&sums, level, request, &root.child(&sums.benchmark));
            known.extend(candidates(&sums).map(|(g, p)| name(&sums, g, p)));
            let chosen = chosen(&sums, request);
            any |= !chosen.is_empty();
            for (group, pair) in chosen {
                if rows.len() < MOST_CELLS * MOST_METHODS {
                    match at.cell(group, pair) {
                        Ok(found) => rows.extend(found),
                        Err(left) => left_out.push(*left),
                    }
                }
            }
            if request.cells.is_none() && request.effect == 0.0 {
                rows.extend(at.family());
            }
        }
    }
    if !any {
        let asked = request.cells.clone().unwrap_or_default();
        return Err(AnalysisError::NoCells { asked, known: a_few(&known) });
    }
    Ok(Calibration {
        quantbias: env!("CARGO_PKG_VERSION").to_owned(),
        identity_sha256: run.manifest.identity_sha256.clone(),
        effect: request.effect,
        level: plan.level,
        seed: plan.seed,
        draws: request.draws,
        rows,
        left_out,
    })
}

/// Positions of (group, pair) that are simulated.
fn chosen(sums: &Sums, request: &Request) -> Vec<(usize, usize)> {
    let all = candidates(sums);
    let Some(wanted) = &request.cells else {
        let leads = |g: usize| {
            let cell = &sums.groups[g].cell;
            cell.metric == sums.lead.overall && cell.axis == ALL
        };
        let changed = |(g, p): &(usize, usize)| sums.groups[*g].pairs[*p].totals.changed();
        return all.filter(|(g, _)| leads(*g)).max_by_key(changed).into_iter().collect();
    };
    all.filter(|(g, p)| name(sums, *g, *p).contains(wanted.as_str())).take(MOST_CELLS).collect()
}

/// Positions of (group, pair) that could be simulated.
fn candidates(sums: &Sums) -> impl Iterator<Item = (usize, usize)> {
    let all = (0..sums.groups.len()).flat_map(|g| (0..sums.pairs.len()).map(move |p| (g, p)));
    all.filter(|(_, p)| !sums.pairs[*p].aa && !sums.pairs[*p].named)
}

/// What a request may name.
fn name(sums: &Sums, group: usize, pair: usize) -> String {
    let cell = &sums.groups[group].cell;
    let setting = &sums.pairs[pair].setting;
    format!("{}/{}/{}/{}/{}/{setting}", cell.model, cell.benchmark, cell.metric, cell.axis, cell.subgroup)
}

/// A few names, spread over all of them.
fn a_few(known: &[String]) -> String {
    let few: Vec<String> =
        known.iter().step_by(known.len().div_ceil(NAMED).max(1)).map(|name| format!("{name:?}")).collect();
    match known.len() {
        0 => "none, for no setting is held against a baseline".to_owned(),
        all if all == few.len() => few.join(", "),
        all => format!("{all} in all, such as {}", few.join(", ")),
    }
}

/// One benchmark's simulations: draws that all of its data sets share.
struct Trial<'a> {
    sums: &'a Sums,
    level: Level,
    request: &'a Request,
    weights: Weights,
    flips: Flips,
    data_sets: Stream,
}

/// What is counted, on which data, by which method.
type Key = (u8, Law, &'static str);
/// Counts by method: (happened, answered, refused).
type Tally = BTreeMap<Key, (u64, u64, u64)>;

impl<'a> Trial<'a> {
    fn new(sums: &'a Sums, level: Level, request: &'a Request, stream: &Stream) -> Self {
        let draws = request.draws as usize;
        let weights = Weights::draw(&sums.design, draws, &stream.child("bootstrap"));
        let flips = Flips::draw(&sums.design, draws, &stream.child("sign flips"));
        Self { sums, level, request, weights, flips, data_sets: stream.child("data sets") }
    }

    fn cell(&self, group: usize, pair: usize) -> Result<Vec<CalibrationRow>, Box<LeftOut>> {
        let (group, pair_of) = (&self.sums.groups[group], &self.sums.pairs[pair]);
        let (totals, functional) = (&group.pairs[pair].totals, group.functional);
        let left = |why: &str| {
            Box::new(LeftOut { cell: group.cell.clone(), setting: pair_of.setting.clone(), why: why.to_owned() })
        };
        let raised = functional.raise(&mut vec![0.0; functional.dim()], self.request.effect);
        if self.request.effect != 0.0 && !raised {
            return Err(left("no effect can be added to this metric"));
        }
        let observed = totals.estimate(functional).ok_or_else(|| left("the change is undefined"))?;
        let tally = (0..u64::from(self.request.replications))
            .into_par_iter()
            .map(|r| {
                let mut tally = Tally::new();
                let simulation = Simulation::draw(&self.sums.design, &self.data_sets, r);
                let drawn = |law, effect| simulation.totals(totals, functional, law, effect);
                if let Some(drawn) = drawn(Law::AsTheyAre, self.request.effect) {
                    self.intervals(&drawn, functional, observed + self.request.effect, &mut tally);
                }
                if let Some(recentred) = drawn(Law::Recentred, self.request.effect) {
                    // Recentring touches every cluster; how many changed is a matter of the data.
                    let changed = drawn(Law::AsTheyAre, 0.0).map_or(0, |plain| plain.changed());
                    self.tests(&recentred, changed, functional, Law::Recentred, &mut tally);
                }
                if let Some(exchanged) = drawn(Law::Exchanged, self.request.effect) {
                    self.tests(&exchanged, exchanged.changed(), functional, Law::Exchanged, &mut tally);
                }
                tally
            })
            .reduce(Tally::new, join);
        let place = (&group.cell, pair_of.setting.as_str(), totals.clusters() as u64);
        Ok(tally.into_iter().map(|(key, counts)| self.row(place, key, counts)).collect())
    }

    /// Every interval on one data set.
    fn intervals(&self, drawn: &PairedTotals, functional: &dyn Functional, truth: f64, tally: &mut Tally) {
        let (design, level) = (&self.sums.design, self.level);
        let Some(estimate) = drawn.estimate(functional) else { return };
        let found = jackknife(design, drawn, functional).ok();
        let admitted = admit_interval(drawn, drawn.changed(), functional).is_ok();
        let by_jackknife = found.as_ref().filter(|_| admitted).and_then(|j| j.interval(level));
        let mut covers = |name, interval: Option<Interval>| {
            add(tally, (0, Law::AsTheyAre, name), interval.map(|i| i.contains(truth)));
        };
        covers("jackknife-t", by_jackknife);
        let drawable = admit_bootstrap(drawn, drawn.changed(), functional).is_ok();
        let by_weights = design.strata() == 1 && drawn.width() <= 4;
        if let Some(found) = found.as_ref().filter(|_| drawable) {
            let replicates = self.weights.replicates(drawn, functional);
            let expanded = expanded_percentile(&replicates, level, found.clusters, found.strata).ok();
            let expanded = expanded.map(|b| b.interval);
            covers("expanded percentile", expanded);
            covers("wider of the two", by_jackknife.zip(expanded).map(|(a, b)| a.wider(b)));
            covers("percentile", percentile(&replicates, level).ok().map(|b| b.interval));
            covers("basic", basic(&replicates, estimate, level).ok().map(|b| b.interval));
            covers("BCa", bca(&replicates, found, functional, level).ok().map(|b| b.found.interval));
            if by_weights {
                let interval = studentized(&self.weights, drawn, functional, level);
                covers("studentized", interval.ok().map(|b| b.interval));
            }
        } else {
            for name in BOOTSTRAPS.into_iter().filter(|name| by_weights || *name != "studentized") {
                covers(name, None);
            }
        }
    }

    /// Every test on one data set, of whose clusters `changed` changed.
    fn tests(&self, drawn: &PairedTotals, changed: usize, functional: &dyn Functional, law: Law, tally: &mut Tally) {
        if drawn.estimate(functional).is_none() {
            return;
        }
        let alpha = self.level.alpha();
        let mut rejects = |name, p: Option<f64>| add(tally, (1, law, name), p.map(|p| p <= alpha));
        // Where too few clusters changed for a test, shifting all of them does not make up for it.
        let testable = law == Law::Exchanged || changed >= MIN_CLUSTERS;
        let flip = sign_flip(&self.flips, drawn, functional).ok().filter(|_| testable);
        rejects("studentized sign-flip", flip.map(|f| f.p));
        rejects("studentized sign-flip, mid-p", flip.map(|f| f.p_mid));
        let admitted = admit_interval(drawn, changed, functional).is_ok();
        let found = jackknife(&self.sums.design, drawn, functional).ok().filter(|_| admitted);
        rejects("jackknife t", found.and_then(|j| j.p_value(0.0)));
        if functional.is_ratio() {
            let net: Vec<f64> = (0..drawn.clusters()).map(|i| drawn.setting(i)[0] - drawn.base(i)[0]).collect();
            rejects("Durkalski", durkalski(&net).filter(|_| testable).map(|d| d.p));
        }
    }

    /// Family-wise error of the subgroup family, and of its uncorrected tests, where nothing changed.
    fn family(&self) -> Vec<CalibrationRow> {
        let lead = &self.sums.lead.headline;
        let groups = self.sums.groups.iter().filter(|g| g.cell.metric == *lead && g.cell.axis != ALL);
        let groups: Vec<&GroupSums> = groups.collect();
        let own: Vec<(&GroupSums, &PairedTotals)> = groups
            .iter()
            .flat_map(|g| {
                g.pairs.iter().zip(&self.sums.pairs).filter(|(_, p)| !p.aa && !p.named).map(|(s, _)| (*g, &s.totals))
            })
            .filter(|(_, t)| t.changed() > 0)
            .take(MOST_HYPOTHESES)
            .collect();
        let Some((first, _)) = own.first().filter(|_| own.len() > 1) else { return Vec::new() };
        // A family costs as much as its hypotheses together.
        let replications = u64::from(self.request.replications).min(500);
        let tally = (0..replications)
            .into_par_iter()
            .map(|r| {
                let mut tally = Tally::new();
                let simulation = Simulation::draw(&self.sums.design, &self.data_sets, r);
                let drawn: Vec<(&dyn Functional, PairedTotals)> = own
                    .iter()
                    .filter_map(|(g, t)| {
                        Some((g.functional as _, simulation.totals(t, g.functional, Law::Exchanged, 0.0)?))
                    })
                    .filter(|(f, t): &(&dyn Functional, PairedTotals)| t.changed() > 0 && t.estimate(*f).is_some())
                    .collect();
                let family: Vec<Hypothesis<'_>> = drawn
                    .iter()
                    .map(|(functional, totals)| Hypothesis { flips: &self.flips, totals, functional: *functional })
                    .collect();
                let found = max_t(&family).ok();
                let alpha = self.level.alpha();
                let any = |p: &[f64]| p.iter().any(|p| *p <= alpha);
                add(&mut tally, (2, Law::Exchanged, "maxT step-down"), found.as_ref().map(|f| any(&f.step_down)));
                add(&mut tally, (2, Law::Exchanged, "uncorrected"), found.as_ref().map(|f| any(&f.raw)));
                tally
            })
            .reduce(Tally::new, join);
        let cell = Cell { axis: ALL.to_owned(), subgroup: ALL.to_owned(), ..first.cell.clone() };
        let place = (&cell, ALL, own.len() as u64);
        tally.into_iter().map(|(key, counts)| self.row(place, key, counts)).collect()
    }

    fn row(
        &self,
        (cell, setting, size): (&Cell, &str, u64),
        (counted, law, method): Key,
        (happened, answered, refused): (u64, u64, u64),
    ) -> CalibrationRow {
        let rate = (answered > 0).then(|| happened as f64 / answered as f64);
        let (counted, nominal) = match counted {
            0 => (Counted::Coverage, Some(self.level.value())),
            1 => (Counted::Rejection, (self.request.effect == 0.0).then(|| self.level.alpha())),
            _ => (Counted::FamilyError, Some(self.level.alpha())),
        };
        CalibrationRow {
            cell: cell.clone(),
            setting: setting.to_owned(),
            size,
            counted,
            assumes: law.words().to_owned(),
            method: method.to_owned(),
            nominal,
            rate,
            error: rate.map(|p| (p * (1.0 - p) / answered as f64).sqrt()),
            answered,
            refused,
        }
    }
}

fn add(tally: &mut Tally, key: Key, happened: Option<bool>) {
    let entry = tally.entry(key).or_default();
    match happened {
        Some(happened) => (entry.0, entry.1) = (entry.0 + u64::from(happened), entry.1 + 1),
        None => entry.2 += 1,
    }
}

fn join(mut a: Tally, b: Tally) -> Tally {
    for (key, counts) in b {
        let entry = a.entry(key).or_default();
        *entry = (entry.0 + counts.0, entry.1 + counts.1, entry.2 + counts.2);
    }
    a
}

impl Calibration {
    /// Rows as comma-separated values, with a header.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut out = String::from(
            "model,benchmark,metric,axis,subgroup,setting,size,counted,assumes,method,nominal,rate,monte_carlo_error,answered,refused\n",
        );
        let number = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.4}"));
        let field = |s: &str| {
            if s.contains([',', '"', '\n']) { format!("\"{}\"", s.replace('"', "\"\"")) } else { s.to_owned() }
        };
        for row in &self.rows {
            let cell = &row.cell;
            let place = [&cell.model, &cell.benchmark, &cell.metric, &cell.axis, &cell.subgroup, &row.setting];
            let counted = match row.counted {
                Counted::Coverage => "coverage",
                Counted::Rejection => "rejection",
                Counted::FamilyError => "family_error",
            };
            let fields: Vec<String> = place
                .into_iter()
                .map(|s| field(s))
                .chain([
                    row.size.to_string(),
                    counted.to_owned(),
                    field(&row.assumes),
                    field(&row.method),
                    number(row.nominal),
                ])
                .chain([number(row.rate), number(row.error), row.answered.to_string(), row.refused.to_string()])
                .collect();
            out.push_str(&fields.join(","));
            out.push('\n');
        }
        out
    }
}
