//! Do intervals cover and do tests keep their size? A simulation of the defaults in the scenarios they were chosen for,
//! beside the methods that they were chosen over.
//!
//! Slow, so ignored by default. `cargo test --release --test it -- --ignored calibration --nocapture` prints a table and
//! asserts of the defaults that coverage lies within 0.93 and 0.97 and that no error rate at .05 is above 0.06; the last
//! one is `tests/reference/stats/calibration.csv`, and a quick test holds that file against the scenarios here. Every scenario has a true change of 0 in the population of clusters
//! (ICAT: a known value). In those called "uneven", and in the families, the two settings are not exchangeable within
//! clusters, so that the sign-flip test holds only asymptotically. Other methods are printed and not judged.

mod methods;
mod world;

use methods::{COVERAGES, ERRORS, Tally};
use quantbias::stats::functional::{Icat, Ratio, ScaledBias};
use quantbias::stats::{Design, Stream};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use world::{EVEN, Shape, Sharing};

const REPETITIONS: u64 = 4000;

/// Coverages above 0.97, with the reason: scenario, what, why. Nothing else is exempt: neither coverage below 0.93 nor an
/// error rate above 0.06 can be.
const OUTSIDE: &[(&str, &str, &str)] = &[
    (
        "60 single items 5% flips",
        "coverage of the interval in the row",
        "covers .997: with three flips on average most rows show the bound for hardly any change, which holds in every \
         finite sample and therefore covers too often",
    ),
    (
        "300 single items 2% flips",
        "coverage of the interval in the row",
        "covers .981: where fewer than six flipped, the row shows that bound",
    ),
    (
        "family of 40 on clusters of their own",
        "simultaneous coverage of bands",
        "covers .988: each band's critical value is widened to t with 19 degrees of freedom, more than differences that \
         take few values need",
    ),
    ("family of 160 on clusters of their own", "simultaneous coverage of bands", "covers .994: likewise"),
];

fn repeat(name: &str, once: impl Fn(&Stream, &mut Tally) + Sync) -> Tally {
    let stream = Stream::root(20_261_122).child("calibration").child(name);
    (0..REPETITIONS)
        .into_par_iter()
        .map(|r| {
            let mut tally = Tally::new();
            once(&stream.child(&r.to_string()), &mut tally);
            tally
        })
        .reduce(Tally::new, |mut a, b| {
            for (name, (happened, possible)) in b {
                let entry = a.entry(name).or_default();
                entry.0 += happened;
                entry.1 += possible;
            }
            a
        })
}

/// Rows of the table, and defaults that lie outside.
#[derive(Default)]
struct Table {
    rows: String,
    outside: BTreeSet<(String, String)>,
    /// What lies outside on the side that misleads.
    unsafe_side: Vec<String>,
}

impl Table {
    fn add(&mut self, scenario: &str, tally: &Tally) {
        for (what, (happened, possible)) in tally {
            let share = *happened as f64 / *possible as f64;
            let error = (share * (1.0 - share) / *possible as f64).sqrt();
            let judged = if COVERAGES.contains(what) {
                Some((0.93..=0.97).contains(&share))
            } else {
                ERRORS.contains(what).then_some(share <= 0.06)
            };
            let verdict = judged.map_or("", |inside| if inside { "inside" } else { "outside" });
            writeln!(self.rows, "{scenario},{what},{share:.4},{error:.4},{possible},{verdict}").expect("a string");
            if judged == Some(false) {
                self.outside.insert((scenario.to_owned(), (*what).to_owned()));
                if !(COVERAGES.contains(what) && share > 0.97) {
                    self.unsafe_side.push(format!("{scenario}: {what}: {share:.4}"));
                }
            }
        }
    }
}

/// First line of the table.
const HEAD: &str = "scenario,what,share,monte_carlo_error,repetitions,default";

/// Every scenario that is simulated.
const SCENARIOS: [&str; 22] = [
    "8 clusters of 20",
    "8 clusters of 40 heterogeneous",
    "15 clusters of 40 heterogeneous",
    "25 clusters of 40",
    "25 clusters of 40 uneven",
    "25 clusters of 60",
    "25 clusters of 150 strong",
    "25 clusters very unequal sizes",
    "60 clusters of 20",
    "30 clusters of 20 in 3 strata",
    "subgroup of 30% in 6 strata of 25",
    "BBQ ambiguous score 25 clusters of 8",
    "BBQ ambiguous score 25 clusters of 40",
    "60 single items 5% flips",
    "300 single items 2% flips",
    "400 single items 5% flips",
    "ICAT of 250 items at its kink",
    "ICAT of 250 items at SS .62",
    "family of 40 on shared clusters",
    "family of 160 on shared clusters",
    "family of 40 on clusters of their own",
    "family of 160 on clusters of their own",
];

fn scenarios(table: &str) -> BTreeSet<String> {
    let rows = table.lines().filter(|l| !l.starts_with('#') && *l != HEAD);
    rows.filter_map(|l| l.split(',').next()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_committed_calibration_holds_every_scenario_and_no_default_on_the_side_that_misleads() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/stats/calibration.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let missing: Vec<&str> = SCENARIOS.into_iter().filter(|s| !scenarios(&text).contains(*s)).collect();
    assert!(missing.is_empty(), "simulated and never committed: {missing:?}; run the slow test and commit its table");
    assert_eq!(scenarios(&text).len(), SCENARIOS.len(), "the table has scenarios that are not simulated");
    let mut outside = BTreeSet::new();
    for row in text.lines().filter(|l| !l.starts_with('#') && *l != HEAD) {
        let cells: Vec<&str> = row.split(',').collect();
        let share: f64 = cells[2].parse().unwrap();
        assert!(cells[4].parse::<u64>().unwrap() <= REPETITIONS, "{row}");
        let judged = if COVERAGES.contains(&cells[1]) {
            Some((0.93..=0.97).contains(&share))
        } else {
            ERRORS.contains(&cells[1]).then_some(share <= 0.06)
        };
        let verdict = judged.map_or("", |inside| if inside { "inside" } else { "outside" });
        assert_eq!(cells[5], verdict, "{row}");
        if judged == Some(false) {
            assert!(COVERAGES.contains(&cells[1]) && share > 0.97, "misleading: {row}");
            outside.insert((cells[0], cells[1]));
        }
    }
    assert_eq!(outside, OUTSIDE.iter().map(|(scenario, what, _)| (*scenario, *what)).collect());
}

#[test]
#[ignore = "minutes of simulation; run by name"]
fn calibration_of_the_defaults() {
    let mut table = Table::default();
    paired_scenarios(&mut table);
    for (scenario, s, truth) in
        [("ICAT of 250 items at its kink", 0.5, 0.9), ("ICAT of 250 items at SS .62", 0.62, 0.9 * 0.38 / 0.5)]
    {
        let tally = repeat(scenario, |stream, tally| {
            let cell = world::icat(250, s, &mut stream.child("data").replicate(0));
            methods::absolute(stream, &cell, &Icat, truth, tally);
        });
        table.add(scenario, &tally);
    }
    for (scenario, clusters, of, sharing) in [
        ("family of 40 on shared clusters", 60, (10, 4), Sharing::All),
        ("family of 160 on shared clusters", 60, (20, 8), Sharing::All),
        ("family of 40 on clusters of their own", 200, (10, 4), Sharing::None),
        ("family of 160 on clusters of their own", 400, (20, 8), Sharing::None),
    ] {
        let tally = repeat(scenario, |stream, tally| {
            let cells = world::family(clusters, of, sharing, &mut stream.child("data").replicate(0));
            methods::family(stream, clusters, &cells, tally);
        });
        table.add(scenario, &tally);
    }
    println!("{HEAD}\n{}", table.rows);
    assert_eq!(scenarios(&format!("{HEAD}\n{}", table.rows)), BTreeSet::from(SCENARIOS.map(str::to_owned)));
    assert_eq!(table.unsafe_side, Vec::<String>::new());
    let known = OUTSIDE.iter().map(|(scenario, what, _)| ((*scenario).to_owned(), (*what).to_owned())).collect();
    assert_eq!(table.outside, known);
}

/// The scenarios of a single cell.
fn paired_scenarios(table: &mut Table) {
    let shapes = [
        ("8 clusters of 20", Shape { clusters: 8, size: 20.0, ..EVEN }),
        ("8 clusters of 40 heterogeneous", Shape { clusters: 8, ..EVEN }),
        ("15 clusters of 40 heterogeneous", Shape { clusters: 15, ..EVEN }),
        ("25 clusters of 40", EVEN),
        ("25 clusters of 40 uneven", Shape { uneven: true, ..EVEN }),
        ("25 clusters of 60", Shape { size: 60.0, ..EVEN }),
        ("25 clusters of 150 strong", Shape { size: 150.0, change_sd: 0.8, level_sd: 1.0, ..EVEN }),
        ("25 clusters very unequal sizes", Shape { size_sd: 0.9, ..EVEN }),
        ("60 clusters of 20", Shape { clusters: 60, size: 20.0, ..EVEN }),
    ];
    for (scenario, shape) in shapes {
        let design = Design::simple(shape.clusters);
        let tally = repeat(scenario, |stream, tally| {
            let drawn = shape.binary(1, &mut stream.child("data").replicate(0));
            methods::paired(stream, &design, &drawn, &Ratio, tally);
        });
        table.add(scenario, &tally);
    }
    let (scenario, strata) = ("30 clusters of 20 in 3 strata", [0, 1, 2].repeat(10));
    let design = Design::stratified(&strata).expect("ten clusters each");
    let tally = repeat(scenario, |stream, tally| {
        let shape = Shape { clusters: 30, size: 20.0, ..EVEN };
        methods::paired(stream, &design, &shape.binary(3, &mut stream.child("data").replicate(0)), &Ratio, tally);
    });
    table.add(scenario, &tally);
    let scenario = "subgroup of 30% in 6 strata of 25";
    let strata: Vec<u32> = (0..150).map(|g| g % 6).collect();
    let design = Design::stratified(&strata).expect("25 clusters each");
    let tally = repeat(scenario, |stream, tally| {
        let drawn = world::subgroup(6, 25, 0.3, &mut stream.child("data").replicate(0));
        methods::paired(stream, &design, &drawn, &Ratio, tally);
    });
    table.add(scenario, &tally);
    for (scenario, size) in
        [("BBQ ambiguous score 25 clusters of 8", 8.0), ("BBQ ambiguous score 25 clusters of 40", 40.0)]
    {
        let tally = repeat(scenario, |stream, tally| {
            let drawn = Shape { size, ..EVEN }.scaled(&mut stream.child("data").replicate(0));
            methods::paired(stream, &Design::simple(25), &drawn, &ScaledBias, tally);
        });
        table.add(scenario, &tally);
    }
    for (scenario, items, rate) in [
        ("60 single items 5% flips", 60, 0.05),
        ("300 single items 2% flips", 300, 0.02),
        ("400 single items 5% flips", 400, 0.05),
    ] {
        let tally = repeat(scenario, |stream, tally| {
            let drawn = world::flipping(items, rate, &mut stream.child("data").replicate(0));
            methods::paired(stream, &Design::simple(items), &drawn, &Ratio, tally);
        });
        table.add(scenario, &tally);
    }
}
