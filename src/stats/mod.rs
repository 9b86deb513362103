//! Statistics on plain numbers: `f64` in, `f64` out. No I/O, no clock, no globals, no other module of the crate.
//!
//! # Symbols used in every formula
//!
//! | symbol | means |
//! |---|---|
//! | `g = 1..G` | cluster: items authored once and varied mechanically; the unit of all resampling |
//! | `h = 1..H` | stratum of clusters, fixed by design |
//! | `n_g` | items of cluster `g` that count in the cell at hand |
//! | `u_g` | totals of cluster `g`: a small vector, the sum of its items' contributions |
//! | `T = Σ u_g` | totals of a cell (one metric, subgroup and setting) |
//! | `f(T)` | the metric; `None` where it is undefined |
//! | `Δ = f(T_q) − f(T_0)` | paired contrast of setting `q` and baseline `0` on the same items |
//! | `θ₍₋g₎` | the metric without cluster `g` |
//! | `B` | replicates of a bootstrap, or draws of a null distribution |
//! | `α` | 1 − level |
//!
//! # What is where
//!
//! | file | what | reference |
//! |---|---|---|
//! | [`level`] | confidence level | |
//! | [`dist`] | quantiles and tails of normal, t, χ², beta | |
//! | [`stream`] | named, counted randomness | Salmon et al. 2011 (counter-based generators) |
//! | [`functional`] | metrics as functions of totals | |
//! | [`design`], [`cluster`] | clusters and strata; totals, effective number of clusters | |
//! | [`compound`] | ranges, differences and risk ratios of other metrics | Katz et al. 1978 |
//! | [`folded`] | absolute deviations; intervals of ranges | |
//! | [`refusal`] | what is too small or too degenerate to be published | |
//! | [`bootstrap`] | cluster bootstrap with shared weights | Davison & Hinkley 1997, ch. 3 |
//! | [`interval`] | intervals from replicates | Hesterberg 2015; Efron 1987 |
//! | [`bca`] | BCa, basic and studentized intervals, for comparison | Davison & Hinkley 1997, ch. 5 |
//! | [`rate`] | intervals of single rates | Wilson 1927; Clopper & Pearson 1934; Brown et al. 2001 |
//! | [`rare`] | bounds where hardly any cluster changed | Gaffke 2005; Learned-Miller & Thomas 2020 |
//! | [`jackknife`] | delete-one-cluster standard error and t interval | Bell & McCaffrey 2002; Carter et al. 2017 |
//! | [`permutation`] | cluster sign-flip (swap) test | Canay, Romano & Shaikh 2017; Janssen 1997 |
//! | [`paired`] | McNemar, Durkalski, signed ranks, flips | McNemar 1947; Durkalski et al. 2003 |
//! | [`tango`] | interval of a paired difference with few flips | Tango 1998 |
//! | [`square`] | Stuart–Maxwell, Bowker, marginal movements of clusters | Stuart 1955; Bowker 1948 |
//! | [`trend`] | Cochran's Q, Friedman, Page, trends over settings | Cochran 1950; Page 1963 |
//! | [`labels`] | what a range is where subgroups do not matter | |
//! | [`heterogeneity`] | whether subgroups changed differently | Cochran 1954; Cameron et al. 2008 |
//! | [`unpaired`] | results without item ids | Welch 1947; Jonckheere 1954 |
//! | [`shrinkage`] | shrunken estimates, probability of being largest | Paule & Mandel 1982 |
//! | [`multiplicity`] | maxT step-down, simultaneous bands | Westfall & Young 1993 |
//! | [`adjust`] | Bonferroni, Holm, Hochberg, Hommel, BH, BY | Wright 1992 |
//! | [`logistic`] | slope of log-odds along a predictor, for clusters | Liang & Zeger 1986 |
//! | [`uncertainty`] | AUROC, entropy, divergences of answers | |
//! | [`simulate`] | data sets like the one at hand with a known truth | |
//! | [`equivalence`] | decisions against a margin | Schuirmann 1987; Berger 1982 |
//! | [`power`] | minimum detectable effect, sizes needed | Miettinen 1968 |
//!
//! # What it refuses to do
//!
//! It never returns 0 for an undefined value, never a p-value of 0, never an interval from replicates that are too few,
//! too often undefined or too discrete: the answer is then a [`refusal::Refusal`] that says why.

pub mod adjust;
pub mod away;
pub mod bca;
pub mod bootstrap;
pub mod cluster;
pub mod compound;
mod counts;
#[cfg(test)]
mod counts_tests;
pub mod design;
pub mod dist;
pub mod equivalence;
mod flips;
pub mod folded;
pub mod functional;
mod group;
pub mod heterogeneity;
pub mod interval;
pub mod jackknife;
pub mod labels;
pub mod level;
pub mod logistic;
pub mod multiplicity;
mod order;
pub mod paired;
pub mod permutation;
pub mod power;
pub mod rare;
pub mod rate;
pub mod refusal;
pub mod shrinkage;
mod signs;
pub mod simulate;
pub mod square;
pub mod stream;
mod swap;
pub mod tango;
pub mod trend;
pub mod uncertainty;
pub mod unpaired;
mod weigh;

pub use bootstrap::Weights;
pub use cluster::{PairedTotals, Totals};
pub use design::Design;
pub use functional::Functional;
pub use interval::Interval;
pub use level::Level;
pub use permutation::Flips;
pub use refusal::Refusal;
pub use stream::Stream;
