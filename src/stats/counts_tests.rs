//! The law of the bootstrap's counts, drawn singly or as [`super::counts`] does it, against the multinomial's exact probabilities.

use super::bootstrap::Weights;
use super::counts::draw;
use super::design::Design;
use super::stream::{Stream, WIDTH};
use std::collections::BTreeMap;

/// Counts of every cluster, one row per replicate. Fewer than [`super::counts::MANY`] clusters are drawn singly.
fn drawn(size: usize, replicates: usize, name: &str) -> Vec<Vec<u8>> {
    let weights = Weights::draw(&Design::simple(size), replicates, &Stream::root(20_261_122).child(name));
    (0..replicates).map(|b| weights.row(b)).collect()
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

/// A share within four standard errors of its probability.
#[track_caller]
fn within(found: usize, all: usize, p: f64, what: &str) {
    let (share, error) = (found as f64 / all as f64, (p * (1.0 - p) / all as f64).sqrt());
    assert!((share - p).abs() <= 4.0 * error, "{what}: {share} is not {p} ± 4 × {error}");
}

#[test]
fn counts_of_seven_clusters_have_the_multinomial_probabilities_of_every_pattern() {
    // All ways to draw 7 of 7 with replacement, by their sorted counts: (number of arrangements) × 7!/Π c! / 7^7.
    fn patterns(left: usize, largest: usize, so_far: &mut Vec<u8>, found: &mut Vec<Vec<u8>>) {
        if left == 0 {
            let mut pattern = so_far.clone();
            pattern.resize(7, 0);
            found.push(pattern);
        }
        for part in (1..=left.min(largest)).rev() {
            so_far.push(part as u8);
            patterns(left - part, part, so_far, found);
            so_far.pop();
        }
    }
    let mut all = Vec::new();
    patterns(7, 7, &mut Vec::new(), &mut all);
    assert_eq!(all.len(), 15, "7 has 15 partitions");
    let rows = drawn(7, 262_144, "seven");
    let mut seen: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for row in &rows {
        let mut sorted = row.clone();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        *seen.entry(sorted).or_default() += 1;
    }
    let mut total = 0.0;
    for pattern in &all {
        let ways = factorial(7) / pattern.iter().map(|c| factorial(usize::from(*c))).product::<f64>();
        let repeated: BTreeMap<u8, usize> = pattern.iter().fold(BTreeMap::new(), |mut m, c| {
            *m.entry(*c).or_default() += 1;
            m
        });
        let arrangements = factorial(7) / repeated.values().map(|n| factorial(*n)).product::<f64>();
        let p = arrangements * ways / 7.0_f64.powi(7);
        total += p;
        within(seen.remove(pattern).unwrap_or(0), rows.len(), p, &format!("{pattern:?}"));
    }
    assert!((total - 1.0).abs() < 1e-12, "the patterns are all there are: {total}");
    assert!(seen.is_empty(), "no row has another sum: {seen:?}");
}

#[test]
fn two_of_eight_clusters_have_the_joint_law_of_a_trinomial() {
    let rows = drawn(8, 131_072, "eight");
    let p = 0.125_f64;
    for i in 0..4_usize {
        for j in 0..4_usize {
            let ways = factorial(8) / (factorial(i) * factorial(j) * factorial(8 - i - j));
            let exact = ways * p.powf((i + j) as f64) * f64::powf(1.0 - 2.0 * p, (8 - i - j) as f64);
            let found = rows.iter().filter(|row| usize::from(row[2]) == i && usize::from(row[5]) == j).count();
            within(found, rows.len(), exact, &format!("{i} and {j}"));
        }
    }
}

#[test]
fn counts_of_many_clusters_have_the_sum_mean_variance_and_covariance_of_a_multinomial() {
    let (size, n) = (600, 16_384);
    let rows = drawn(size, n, "many");
    assert!(rows.iter().all(|row| row.iter().map(|c| usize::from(*c)).sum::<usize>() == size), "every sum is G");
    let g = size as f64;
    // Binomial(600, 1/600) of the first, one in the middle, and the last cluster.
    for cluster in [0, 300, 599] {
        let (mut exact, p) = ((1.0 - 1.0 / g).powi(600), 1.0 / g);
        for k in 0..6_usize {
            let found = rows.iter().filter(|row| usize::from(row[cluster]) == k).count();
            within(found, n, exact, &format!("cluster {cluster} drawn {k} times"));
            exact *= (g - k as f64) / (k as f64 + 1.0) * p / (1.0 - p);
        }
    }
    // Over all clusters: mean 1 follows from the sum. Var = 1 − 1/G; the mean of c² over clusters and replicates has a
    // standard error of about √(2/(G n)) (counts are nearly independent Poisson with Var((c−1)²) = 2 + 1).
    let squares: f64 = rows.iter().flatten().map(|c| (f64::from(*c) - 1.0).powi(2)).sum();
    let variance = squares / (g * n as f64);
    assert!((variance - (1.0 - 1.0 / g)).abs() < 4.0 * (3.0 / (g * n as f64)).sqrt(), "{variance}");
    // Cov(c_i, c_j) = −1/G, from neighbours; a product of two such deviations has variance about 1.
    let products: f64 =
        rows.iter().flat_map(|row| row.windows(2)).map(|w| (f64::from(w[0]) - 1.0) * (f64::from(w[1]) - 1.0)).sum();
    let pairs = ((size - 1) * n) as f64;
    assert!((products / pairs + 1.0 / g).abs() < 4.0 / pairs.sqrt(), "{}", products / pairs);
    // Replicates are not copies of each other.
    let different: std::collections::BTreeSet<&Vec<u8>> = rows.iter().collect();
    assert_eq!(different.len(), n);
}

#[test]
fn only_the_members_of_a_stratum_are_drawn() {
    let members: Vec<u32> = (0..600).map(|k| 2 * k + 1).collect();
    let mut block = vec![0_u8; 1200 * WIDTH];
    draw(&Stream::root(1), &members, 1200, &mut block);
    for (cluster, row) in block.chunks_exact(WIDTH).enumerate() {
        assert!(cluster % 2 == 1 || row.iter().all(|c| *c == 0), "cluster {cluster} is no member");
    }
    let sum: usize = block.iter().map(|c| usize::from(*c)).sum();
    assert_eq!(sum, 600 * WIDTH);
}
