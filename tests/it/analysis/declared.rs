//! What a plan declares beyond the defaults: families of its own, other adjustments, other intervals of shares.

use super::*;
use quantbias::spec::{Adjustment, Family, OtherMethod};

fn family(id: &str) -> Family {
    Family { id: id.to_owned(), benchmarks: None, metrics: None, schemes: None, axes: None, subgroups: None }
}

fn declaring(families: Vec<Family>) -> Plan {
    Plan { families, ..plan() }
}

#[test]
fn a_declared_family_takes_its_hypotheses_out_of_the_fixed_ones_and_changes_no_verdict() {
    let data = data(Measure::PairPreference, pairs(40));
    let women = Family {
        schemes: Some(vec!["q4k".to_owned()]),
        metrics: Some(vec!["stereotype_score".to_owned(), "log_ratio".to_owned()]),
        subgroups: Some(vec!["gender: woman".to_owned()]),
        ..family("women")
    };
    let all = Family { axes: Some(vec!["gender".to_owned()]), ..family("all-genders") };
    let (plain, found) =
        (findings(&data, FOUR, &plan(), &scattered), findings(&data, FOUR, &declaring(vec![women, all]), &scattered));
    // Two metrics of one subgroup at one scheme; of the headline the other five subgroup × scheme cells in the second,
    // for a hypothesis that the first names is in no other.
    for (row, before) in found.contrasts.iter().zip(&plain.contrasts) {
        let cell = (row.cell.metric.as_str(), row.cell.axis.as_str(), row.cell.subgroup.as_str());
        let headline = row.cell.metric == "stereotype_score";
        let expected = match cell {
            _ if row.aa => None,
            ("stereotype_score" | "log_ratio", "gender", "woman") if row.setting == "m@q4k" => Some("women/m"),
            (_, "gender", _) if headline => Some("all-genders/m"),
            _ => before.family.as_deref(),
        };
        assert_eq!(row.family.as_deref(), expected, "{:?} {}", row.cell, row.setting);
        assert_eq!((&row.test, &row.interval, row.verdict), (&before.test, &before.interval, before.verdict));
        let (Some(adjusted), Some(test)) = (row.p_adjusted, &row.test) else { continue };
        assert!(adjusted >= test.p, "{row:?}");
    }
    let of = |id: &str| found.families.iter().find(|f| f.id == id).unwrap();
    assert_eq!((of("women/m").hypotheses, of("women/m").tested), (2, 2));
    assert_eq!(of("all-genders/m").hypotheses, 5);
    assert!(of("women/m").critical.is_some() && of("women/m").method.contains("maxT"));
    assert!(found.families.iter().all(|f| f.id != "subgroups/m/b"), "nothing is left of it");
    // Two hypotheses are corrected less than six.
    let p = |f: &Findings| row(f, "stereotype_score", "woman", "m@q4k").p_adjusted.unwrap();
    assert!(p(&found) <= p(&plain) + 1e-12, "{} {}", p(&found), p(&plain));
    // The report counts them apart, and says that nothing shows when they were chosen.
    let said = quantbias::report::summary_lines(&found).join("\n");
    assert!(said.contains("Of 7 tested changes in 2 families that the plan declares, "), "{said}");
    let unfrozen = |f: &Findings| f.caveats.iter().filter(|c| c.text.contains("no plan was frozen beforehand")).count();
    assert_eq!((unfrozen(&plain), unfrozen(&found)), (0, 1));
    assert!(found.families.iter().all(|f| f.declared == (f.id == "women/m" || f.id == "all-genders/m")));
    // Gates read what they read before.
    assert_eq!(found.verdicts, plain.verdicts);
    assert_ne!(found.plan.sha256, plain.plan.sha256);
}

#[test]
fn a_family_of_one_hypothesis_is_called_uncorrected() {
    let data = data(Measure::PairPreference, pairs(40));
    let schemes = Some(vec!["q4k".to_owned()]);
    let one = Family { schemes, subgroups: Some(vec!["gender: woman".to_owned()]), ..family("one") };
    let found = findings(&data, FOUR, &declaring(vec![one]), &scattered);
    let own = found.families.iter().find(|f| f.id == "one/m").unwrap();
    assert_eq!((own.hypotheses, own.method.as_str()), (1, "not corrected (one hypothesis)"));
    let left = found.families.iter().find(|f| f.id == "subgroups/m/b").unwrap();
    assert_eq!((left.hypotheses, left.method.as_str()), (5, "Westfall–Young step-down maxT"));
}

#[test]
fn a_declared_family_whose_hypotheses_are_all_in_earlier_ones_has_a_row_and_a_caveat() {
    let data = data(Measure::PairPreference, pairs(40));
    let women = Family { subgroups: Some(vec!["gender: woman".to_owned()]), ..family("women") };
    let late = Family { schemes: Some(vec!["q4k".to_owned()]), ..women.clone() };
    let plan = declaring(vec![women, Family { id: "late".to_owned(), ..late }]);
    let found = findings(&data, FOUR, &plan, &scattered);
    let own = found.families.iter().find(|f| f.id == "late/m").unwrap();
    assert_eq!((own.hypotheses, own.tested, own.rejected, own.declared), (0, 0, 0, true));
    assert_eq!(own.method, "not corrected (no hypothesis)");
    let said: Vec<&str> =
        found.caveats.iter().filter(|c| c.subject.as_deref() == Some("late/m")).map(|c| c.text.as_str()).collect();
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("every change that it names is in women/m, which comes before it"), "{said:?}");
    // All the women of the first family are still there.
    assert_eq!(found.families.iter().find(|f| f.id == "women/m").unwrap().hypotheses, 3);
}

#[test]
fn a_declared_family_that_names_nothing_is_refused() {
    let data = data(Measure::PairPreference, pairs(10));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    write_run(&path, &data, vec![setting(QuantScheme::None, false)], &|_, _, _| Ok(preferring(true)));
    let run = Run::open(&path).unwrap();
    let words = |text: &str| Some(vec![text.to_owned()]);
    for (family, said) in [
        (Family { benchmarks: words("bb"), ..family("f") }, "there is no benchmark \"bb\""),
        (Family { metrics: words("score"), ..family("f") }, "has a metric \"score\""),
        (Family { schemes: Some(Vec::new()), ..family("f") }, "it names no scheme"),
        (Family { axes: words("age"), ..family("f") }, "there is no axis \"age\""),
        (Family { subgroups: words("child"), ..family("f") }, "there is no subgroup \"child\""),
        (Family { axes: words("all"), subgroups: words("man"), ..family("f") }, "no cell is both"),
    ] {
        let error = analyze(&run, &declaring(vec![family])).unwrap_err().to_string();
        assert!(error.contains("family \"f\"") && error.contains(said), "{error}");
    }
}

/// Hommel's adjusted p-values as they are defined: the largest p of Simes' test over all sets that hold the hypothesis.
fn hommel(p: &[f64]) -> Vec<f64> {
    let simes = |set: u32| {
        let mut own: Vec<f64> = (0..p.len()).filter(|i| set & (1 << i) != 0).map(|i| p[i]).collect();
        own.sort_by(f64::total_cmp);
        own.iter().enumerate().map(|(i, x)| own.len() as f64 * x / (i + 1) as f64).fold(f64::INFINITY, f64::min)
    };
    let of = |j: usize| (1..1_u32 << p.len()).filter(|set| set & (1 << j) != 0).map(simes).fold(0.0, f64::max);
    (0..p.len()).map(of).collect()
}

#[test]
fn adjustments_that_the_plan_asks_for_stand_beside_the_familys_own_and_change_nothing_else() {
    use Adjustment as A;
    let data = data(Measure::PairPreference, pairs(40));
    let all = vec![A::Bonferroni, A::Holm, A::Hochberg, A::Hommel, A::BenjaminiHochberg, A::BenjaminiYekutieli];
    let asked = Plan { adjustments: all, ..plan() };
    let (plain, found) = (findings(&data, FOUR, &plan(), &scattered), findings(&data, FOUR, &asked, &scattered));
    let family: Vec<&ContrastRow> =
        found.contrasts.iter().filter(|r| r.family.as_deref() == Some("subgroups/m/b")).collect();
    let p: Vec<f64> = family.iter().map(|r| r.test.as_ref().unwrap().p).collect();
    assert_eq!(p.len(), 6);
    let exact = hommel(&p);
    for (row, exact) in family.iter().zip(exact) {
        let names: Vec<&str> = row.other_adjusted.iter().map(|o| o.method.as_str()).collect();
        let known = ["bonferroni", "holm", "hochberg", "hommel", "benjamini_hochberg", "benjamini_yekutieli"];
        assert_eq!(names, known);
        let of = |k: usize| row.other_adjusted[k].p;
        assert!((of(3) - exact.min(1.0)).abs() < 1e-12, "{} {exact}", of(3));
        assert!((of(0) - (6.0 * row.test.as_ref().unwrap().p).min(1.0)).abs() < 1e-12);
        // Each is at most the one before it, and the rate of false discoveries under any dependence has the sum of 1/i.
        assert!(of(0) >= of(1) && of(1) >= of(2) && of(2) >= of(3) && of(3) >= of(4), "{row:?}");
        assert!((of(5) - (2.45 * of(4)).min(1.0)).abs() < 1e-12);
    }
    for (row, before) in found.contrasts.iter().zip(&plain.contrasts) {
        assert_eq!(ContrastRow { other_adjusted: Vec::new(), ..row.clone() }, *before);
    }
}

#[test]
fn intervals_of_shares_that_the_plan_asks_for_are_those_of_scipy() {
    // 32 clusters of one item, four of them an event: effective size p(1 − p)/SE² = 31.
    let mut items = pairs(8);
    for (i, item) in items.iter_mut().enumerate() {
        item.cluster = ClusterId::new(format!("c{i:03}"));
    }
    let intervals = vec![OtherMethod::Bca, OtherMethod::Wilson, OtherMethod::ClopperPearson, OtherMethod::Jeffreys];
    let plan = Plan { intervals, ..plan() };
    let found = findings(&data(Measure::PairPreference, items), BOTH, &plan, &|i, _, _| Ok(preferring(i % 8 == 0)));
    let of = |metric: &str| {
        let own = |e: &&quantbias::findings::EstimateRow| e.cell.metric == metric && e.cell.subgroup == "all";
        found.estimates.iter().find(own).unwrap()
    };
    let share = of("stereotype_score");
    // SciPy: Wilson as in the headline; beta.ppf with an eighth of 31·(norm.ppf(0.975)/t.ppf(0.975, 31))².
    let expected = [
        ("wilson", 0.047_266_505_631_720_815, 0.291_463_456_707_899),
        ("clopper_pearson", 0.031_781_362_740_207_854, 0.302_199_793_057_404_96),
        ("jeffreys", 0.040_893_454_037_816_1, 0.280_212_952_895_750_93),
    ];
    assert_eq!(share.other_intervals.len(), 3, "no interval of changes is among them");
    for (other, (name, lower, upper)) in share.other_intervals.iter().zip(expected) {
        let limits = other.limits.unwrap();
        assert_eq!(other.method, name);
        assert!((limits[0] - lower).abs() < 1e-9 && (limits[1] - upper).abs() < 1e-9, "{other:?}");
    }
    assert!(of("log_ratio").other_intervals.is_empty(), "it is no share");
    assert!(found.contrasts.iter().all(|c| c.other_intervals.iter().all(|o| o.method == "bca")));
}
