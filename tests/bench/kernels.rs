//! Kernels of the statistics on a grid of 60 subgroups × 8 settings: bootstrap intervals of paired changes (c) and of
//! ratios (e), sign-flip tests (d), by cluster and by item.
//!
//! `cargo bench --bench kernels` times them with criterion on made-up data. With `QUANTBIAS_BENCH_FILE` (a table from
//! `gen.py`) and `QUANTBIAS_BENCH_CASE` (such as `c-cluster`) it runs that case five times and prints one line of JSON,
//! which is what `compare.py` puts beside the peers.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that cannot go on stops")]

use criterion::{Criterion, criterion_group};
use quantbias::findings::Worse;
use quantbias::stats::bootstrap::Weights;
use quantbias::stats::cluster::Cell;
use quantbias::stats::functional::{Functional, Ratio};
use quantbias::stats::interval::expanded_percentile;
use quantbias::stats::level::Level;
use quantbias::stats::permutation::{exact_integer, sign_flips_of_any};
use quantbias::stats::{Design, Flips, PairedTotals, Stream};
use quantbias::table::{self, About, Map, MetricSpec, Mode};
use rand_chacha::rand_core::Rng;
use rayon::prelude::*;
use std::hint::black_box;
use std::time::Instant;

const REPLICATES: usize = 10_000;

/// Subgroups, each with the totals of all settings.
struct Grid {
    design: Design,
    groups: Vec<Vec<PairedTotals>>,
}

impl Grid {
    /// Binary answers: 60 subgroups of about 60 clusters of 16 items, 8 settings.
    fn made_up() -> Self {
        let mut rng = Stream::root(7).replicate(0);
        let clusters: u32 = 3_704;
        let groups = (0..60).map(|group| {
            let own: Vec<u32> = (0..clusters).filter(|c| c * 60 / clusters == group).collect();
            let base: Vec<f64> = own.iter().flat_map(|_| [f64::from(rng.next_u32() % 17), 16.0]).collect();
            let setting = |k: u32| {
                let moved = base.chunks_exact(2).flat_map(|row| [(row[0] - f64::from(k % 3)).max(0.0), 16.0]);
                PairedTotals::new(2, own.clone(), &base, &moved.collect::<Vec<_>>(), vec![16; own.len()]).unwrap()
            };
            (1..9).map(setting).collect()
        });
        Self { groups: groups.collect(), design: Design::simple(clusters as usize) }
    }

    /// From a table of `gen.py`.
    fn read(file: &str, metric: MetricSpec, cluster: Option<&str>) -> Self {
        let map = Map {
            item: Some("item_id".to_owned()),
            cluster: cluster.map(str::to_owned),
            subgroups: vec!["subgroup".to_owned()],
            stratum: None,
            setting: "setting".to_owned(),
        };
        let about = About { name: "bench".to_owned(), baseline: None, worse: Worse::Either, headline: None };
        let table = table::read(&[file.into()], &map, &[metric], &about, Mode::InMemory).unwrap();
        let sums = table.sums.into_iter().next().unwrap();
        let own = sums.groups.into_iter().filter(|g| g.cell.axis != "all");
        let groups = own.map(|g| g.pairs.into_iter().map(|p| p.totals).collect()).collect();
        Self { groups, design: sums.design }
    }

    /// Draws, replicates, and the expanded percentile interval of every cell. Returns the sum of the lower limits.
    fn intervals(&self) -> f64 {
        let weights = Weights::draw(&self.design, REPLICATES, &Stream::root(1).child("bench"));
        let groups: Vec<Vec<(&dyn Cell, &dyn Functional)>> = self
            .groups
            .iter()
            .map(|group| group.iter().map(|c| (c as &dyn Cell, &Ratio as &dyn Functional)).collect())
            .collect();
        let limits = weights.resample(&groups, |i, replicates| {
            let each = replicates.iter().zip(&self.groups[i]);
            each.map(|(r, c)| expanded_percentile(r, Level::P95, c.clusters(), 1).unwrap().interval.lower).sum::<f64>()
        });
        limits.iter().sum()
    }

    /// The exact sign-flip test of the sum, by convolution.
    fn exact_tests(&self) -> f64 {
        let change = |c: &PairedTotals| -> Vec<i64> {
            (0..c.clusters()).map(|i| (c.setting(i)[0] - c.base(i)[0]) as i64).collect()
        };
        self.groups.iter().flatten().map(|c| exact_integer(&change(c)).unwrap().p).sum()
    }

    /// The studentized sign-flip test of the analysis.
    fn studentized_tests(&self) -> f64 {
        let flips = Flips::draw(&self.design, REPLICATES - 1, &Stream::root(2));
        let tests = |group: &Vec<PairedTotals>| {
            let found = sign_flips_of_any(&flips, &group.iter().collect::<Vec<_>>(), &Ratio);
            found.into_iter().map(|t| t.map_or(1.0, |t| t.p)).sum::<f64>()
        };
        self.groups.par_iter().map(tests).collect::<Vec<f64>>().iter().sum()
    }
}

fn kernels(criterion: &mut Criterion) {
    let grid = Grid::made_up();
    let mut group = criterion.benchmark_group("480 cells");
    group.sample_size(10);
    group.bench_function("bootstrap intervals", |b| b.iter(|| black_box(grid.intervals())));
    group.bench_function("exact sign-flip tests", |b| b.iter(|| black_box(grid.exact_tests())));
    group.bench_function("studentized sign-flip tests", |b| b.iter(|| black_box(grid.studentized_tests())));
    group.finish();
}

criterion_group!(benches, kernels);

/// Seconds of processor time of this process, all threads.
fn processor() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return f64::NAN };
    let one = |task: std::fs::DirEntry| -> Option<f64> {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    tasks.flatten().filter_map(one).sum::<f64>() / 1e9
}

fn case(file: &str, name: &str) {
    let ratio = MetricSpec::Ratio { numerator: "num".to_owned(), denominator: "den".to_owned() };
    let metric = if name.starts_with('e') { ratio } else { MetricSpec::Mean("correct".to_owned()) };
    let grid = Grid::read(file, metric, (!name.ends_with("item")).then_some("cluster_id"));
    let run = || match name {
        "d-cluster" | "d-item" => grid.exact_tests(),
        "d-studentized" => grid.studentized_tests(),
        _ => grid.intervals(),
    };
    let mut times: Vec<(f64, f64)> = Vec::new();
    let start = Instant::now();
    let mut check = black_box(run());
    // What takes a millisecond is run many times: the kernel's clock of processor time is coarse.
    let times_each = (0.1 / start.elapsed().as_secs_f64()).ceil().max(1.0);
    for _ in 0..5 {
        let (start, before) = (Instant::now(), processor());
        for _ in 0..times_each as usize {
            check = black_box(run());
        }
        times.push((start.elapsed().as_secs_f64() / times_each, (processor() - before) / times_each));
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let cells = grid.groups.iter().map(Vec::len).sum::<usize>();
    println!(
        "{{\"case\": \"{name}\", \"seconds\": {}, \"best\": {}, \"cpu_seconds\": {}, \"cells\": {cells}, \"check\": {check:?}}}",
        times[2].0, times[0].0, times[2].1
    );
}

fn main() {
    if let (Ok(file), Ok(name)) = (std::env::var("QUANTBIAS_BENCH_FILE"), std::env::var("QUANTBIAS_BENCH_CASE")) {
        case(&file, &name);
    } else {
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
}
