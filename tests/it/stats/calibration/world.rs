//! Populations of clusters with a known truth.

use quantbias::stats::{PairedTotals, Totals};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

pub(super) fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0
}

pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (-2.0 * uniform(rng).ln()).sqrt() * (2.0 * std::f64::consts::PI * uniform(rng)).cos()
}

fn one(event: bool) -> f64 {
    f64::from(u8::from(event))
}

/// Paired totals, with the flips of single items where the outcome is binary: (became, ceased).
pub(super) struct Drawn {
    pub(super) cell: PairedTotals,
    pub(super) flips: Option<(u64, u64)>,
}

/// How cluster sizes and effects are drawn.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) clusters: usize,
    /// Median items per cluster, and the SD of ln size.
    pub(super) size: f64,
    pub(super) size_sd: f64,
    /// SD of cluster levels, and of the clusters' own changes, on a probit scale with item SD 1.
    pub(super) level_sd: f64,
    pub(super) change_sd: f64,
    /// SD of noise per item and setting.
    pub(super) noise: f64,
    /// Whether all of the clusters' changes are in the setting, rather than half in either.
    pub(super) uneven: bool,
}

/// 25 clusters of about 40 items whose own changes differ: what one category of BBQ looks like.
pub(super) const EVEN: Shape =
    Shape { clusters: 25, size: 40.0, size_sd: 0.4, level_sd: 0.5, change_sd: 0.3, noise: 0.4, uneven: false };

impl Shape {
    /// Latent answers of one cluster whose level is moved by `shift`: items × (baseline, setting).
    pub(super) fn cluster(&self, shift: f64, rng: &mut ChaCha8Rng) -> Vec<[f64; 2]> {
        let items = (self.size * (self.size_sd * normal(rng)).exp()).round().max(1.0) as usize;
        let (level, change) = (shift + self.level_sd * normal(rng), self.change_sd * normal(rng));
        let moved = if self.uneven { [0.0, change] } else { [-change / 2.0, change / 2.0] };
        (0..items)
            .map(|_| {
                let item = level + normal(rng);
                [item + moved[0] + self.noise * normal(rng), item + moved[1] + self.noise * normal(rng)]
            })
            .collect()
    }

    /// Totals of a binary outcome: latent answer above 0. Clusters of stratum `h` have a level of `h` less 1.
    pub(super) fn binary(&self, strata: usize, rng: &mut ChaCha8Rng) -> Drawn {
        let (mut became, mut ceased) = (0, 0);
        let cell = self.totals(strata, rng, 2, |[b, s], base, setting| {
            base[0] += one(b > 0.0);
            setting[0] += one(s > 0.0);
            base[1] += 1.0;
            setting[1] += 1.0;
            became += u64::from(b <= 0.0 && s > 0.0);
            ceased += u64::from(b > 0.0 && s <= 0.0);
        });
        Drawn { cell, flips: Some((became, ceased)) }
    }

    /// Totals of BBQ's ambiguous score: biased above .8, anti-biased below −.8, unknown between.
    pub(super) fn scaled(&self, rng: &mut ChaCha8Rng) -> Drawn {
        let add = |x: f64, out: &mut [f64]| {
            out[0] += one(x > 0.8);
            out[1] += one(x < -0.8);
            out[3] += 1.0;
        };
        let cell = self.totals(1, rng, 4, |[b, s], base, setting| {
            add(b, base);
            add(s, setting);
        });
        Drawn { cell, flips: None }
    }

    fn totals(
        &self,
        strata: usize,
        rng: &mut ChaCha8Rng,
        p: usize,
        mut add: impl FnMut([f64; 2], &mut [f64], &mut [f64]),
    ) -> PairedTotals {
        let (mut base, mut setting) = (vec![0.0; self.clusters * p], vec![0.0; self.clusters * p]);
        let mut items = Vec::new();
        for g in 0..self.clusters {
            let shift = if strata > 1 { (g % strata) as f64 - 1.0 } else { 0.0 };
            let answers = self.cluster(shift, rng);
            items.push(answers.len() as u32);
            for answer in answers {
                add(answer, &mut base[g * p..(g + 1) * p], &mut setting[g * p..(g + 1) * p]);
            }
        }
        PairedTotals::new(p, (0..self.clusters as u32).collect(), &base, &setting, items).expect("well-formed")
    }
}

/// A subgroup that each cluster belongs to with probability `share`, of `strata` strata by turns. Changes differ by
/// stratum, from less to more, and are 0 in the whole population.
pub(super) fn subgroup(strata: u32, size: u32, share: f64, rng: &mut ChaCha8Rng) -> Drawn {
    let (mut clusters, mut base, mut setting) = (Vec::new(), Vec::new(), Vec::new());
    let (mut became, mut ceased) = (0, 0);
    for g in 0..strata * size {
        if uniform(rng) >= share {
            continue;
        }
        let shift = 0.3 * (2.0 * f64::from(g % strata) / f64::from(strata - 1) - 1.0);
        let (mut b, mut s) = (0.0, 0.0);
        for _ in 0..10 {
            let (before, after) = (uniform(rng) < 0.5, uniform(rng) < 0.5 + shift);
            b += one(before);
            s += one(after);
            became += u64::from(!before && after);
            ceased += u64::from(before && !after);
        }
        clusters.push(g);
        base.extend([b, 10.0]);
        setting.extend([s, 10.0]);
    }
    let items = vec![10; clusters.len()];
    let cell = PairedTotals::new(2, clusters, &base, &setting, items).expect("well-formed");
    Drawn { cell, flips: Some((became, ceased)) }
}

/// One item per cluster; each flips with probability `rate`, either way alike.
pub(super) fn flipping(items: usize, rate: f64, rng: &mut ChaCha8Rng) -> Drawn {
    let (mut base, mut setting) = (Vec::new(), Vec::new());
    let (mut became, mut ceased) = (0, 0);
    for _ in 0..items {
        let y = uniform(rng) < 0.5;
        let flipped = uniform(rng) < rate;
        became += u64::from(flipped && !y);
        ceased += u64::from(flipped && y);
        base.extend([one(y), 1.0]);
        setting.extend([one(y != flipped), 1.0]);
    }
    let cell = PairedTotals::new(2, (0..items as u32).collect(), &base, &setting, vec![1; items]);
    Drawn { cell: cell.expect("well-formed"), flips: Some((became, ceased)) }
}

/// StereoSet's totals of `items` items on their own: a language-model score of .9 and a stereotype score of `s`.
pub(super) fn icat(items: usize, s: f64, rng: &mut ChaCha8Rng) -> Totals {
    let rows = (0..items).flat_map(|_| [one(uniform(rng) < 0.9), 1.0, one(uniform(rng) < s), 1.0]).collect();
    Totals::new(4, (0..items as u32).collect(), rows, vec![1; items]).expect("well-formed")
}

/// How the subgroups of a family share clusters.
#[derive(Clone, Copy)]
pub(super) enum Sharing {
    /// Every subgroup has items in every cluster.
    All,
    /// Every cluster belongs to one subgroup.
    None,
}

/// Cells of `subgroups` × `settings`, none of which changed. All settings of a subgroup share the baseline's answers.
pub(super) fn family(
    clusters: usize,
    (subgroups, settings): (usize, usize),
    sharing: Sharing,
    rng: &mut ChaCha8Rng,
) -> Vec<PairedTotals> {
    let shape = Shape { clusters, size: 3.0, size_sd: 0.4, level_sd: 0.5, change_sd: 0.4, noise: 0.5, uneven: false };
    let mut cells = Vec::new();
    for s in 0..subgroups {
        let own: Vec<u32> = match sharing {
            Sharing::All => (0..clusters as u32).collect(),
            Sharing::None => (0..clusters as u32).filter(|g| *g as usize % subgroups == s).collect(),
        };
        let latent: Vec<Vec<[f64; 2]>> = own.iter().map(|_| shape.cluster(0.0, rng)).collect();
        for _ in 0..settings {
            let (mut base, mut setting) = (Vec::new(), Vec::new());
            for answers in &latent {
                let change = shape.change_sd * normal(rng);
                let (mut b, mut s) = (0.0, 0.0);
                for [x, y] in answers {
                    b += one(*x > 0.0);
                    s += one(y + change + shape.noise * normal(rng) > 0.0);
                }
                base.extend([b, answers.len() as f64]);
                setting.extend([s, answers.len() as f64]);
            }
            let items = latent.iter().map(|a| a.len() as u32).collect();
            cells.push(PairedTotals::new(2, own.clone(), &base, &setting, items).expect("well-formed"));
        }
    }
    cells
}
