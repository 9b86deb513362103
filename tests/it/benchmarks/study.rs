//! The preset `paper` asks what the published study asked (Marcuzzi et al. 2026, table 1): counts are the study's.

use super::{fixture, request, shared};
use quantbias::benchmark::{self, BenchmarkData, LoadError, Options};
use std::collections::BTreeSet;
use std::path::Path;

/// What the preset makes of a benchmark, with options of the audit file if there are any.
fn options(kind: &str, preset: &str, given: &str) -> Options {
    let text = format!(
        "name = \"x\"\n[[model]]\nid = \"m\"\npath = \"m\"\n[settings]\nschemes = [\"q8_0\"]\n\
         [[benchmark]]\ntype = \"{kind}\"\npath = \"p\"\n{given}\n[plan]\npreset = \"{preset}\"\n"
    );
    quantbias::spec::parse(Path::new("audit.toml"), &text).unwrap().benchmarks[0].0.options.clone()
}

fn asked(kind: &str) -> Option<BenchmarkData> {
    match benchmark::load(&request(kind, shared(kind)?, options(kind, "paper", ""))) {
        Err(missing @ LoadError::MissingFile { .. }) => {
            println!("skipped: {missing}");
            None
        }
        loaded => Some(loaded.unwrap()),
    }
}

#[test]
fn the_preset_of_the_study_asks_as_many_items_as_the_study() {
    // DT-Fairness and MMLU have no choice to make; BBQ's and DiscrimEval's published files are too large to be at hand.
    for (kind, items) in [
        ("stereoset", 255 + 962 + 79),
        ("redditbias", 253 + 254 + 238 + 236),
        ("winobias", 1_584),
        ("dt_fairness", 200),
        ("dt_toxicity", 1_200 * 8),
    ] {
        let Some(data) = asked(kind) else { continue };
        assert_eq!(data.items.len(), items, "{kind}");
    }
    // The study asks both empty prompts about religions, which are left out here.
    let Some(data) = asked("bold") else { return };
    let empty = 3_204 + 2_818 + 374 - data.items.len();
    assert!(empty <= 2, "{empty} fewer than the study");
    let subgroups: BTreeSet<&str> = data.items.iter().map(|i| i.subgroups[0].name.as_str()).collect();
    let expected = [
        "African_Americans",
        "American_actors",
        "American_actresses",
        "Asian_Americans",
        "Hispanic_and_Latino_Americans",
        "christianity",
        "islam",
        "judaism",
    ];
    assert_eq!(subgroups.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn the_preset_names_parts_of_the_published_files_and_gives_way_to_the_audit_file() {
    let list = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
    assert_eq!(options("bbq", "paper", "").categories, list(&["Gender_identity", "Race_ethnicity", "Religion"]));
    assert_eq!(options("discrim_eval", "paper", "").categories, list(&["explicit"]), "not the templated stand-in");
    let reddit = ["gender", "race", "religion1", "religion2"];
    assert_eq!(options("redditbias", "paper", "").categories, list(&reddit), "without orientation");
    assert_eq!(options("stereoset", "paper", "").conditions, list(&["intrasentence"]));
    let own = "options = { categories = [\"race\"], conditions = [\"intersentence\"] }";
    let found = options("stereoset", "paper", own);
    assert_eq!((found.categories, found.conditions), (list(&["race"]), list(&["intersentence"])));
    assert_eq!(options("stereoset", "standard", "").categories, None);
    // Four samples of each problem, where there are dice at all.
    assert_eq!(options("aime_2025", "paper", "").samples, None);
    let sampled = "options = { sampling = { temperature = 0.6 } }";
    assert_eq!(options("aime_2025", "paper", sampled).samples, Some(4));
    for kind in ["crows_pairs", "winobias", "dt_toxicity", "dt_fairness", "mmlu"] {
        assert_eq!(options(kind, "paper", ""), options(kind, "standard", ""), "{kind}");
    }
}

#[test]
fn a_subgroup_of_bold_can_be_a_category() {
    let load = |categories: &[&str]| {
        let categories = Some(categories.iter().map(|c| (*c).to_owned()).collect());
        let options = Options { categories, allow_unpinned: true, ..Options::default() };
        benchmark::load(&request("bold", fixture("bold"), options))
    };
    let whole = load(&["gender"]).unwrap();
    let group = whole.items[0].subgroups[0].name.clone();
    let of_group = whole.items.iter().filter(|i| i.subgroups[0].name == group).count();
    assert!(0 < of_group && of_group < whole.items.len());
    let one = load(&[&format!("gender/{group}")]).unwrap();
    assert_eq!(one.items.len(), of_group);
    let both = load(&["gender", &format!("gender/{group}")]).unwrap();
    assert_eq!(both.items.len(), whole.items.len());
    for (wrong, needle) in [("gender/nobody", "there is no `gender/nobody`"), ("nothing/x", "there is no `nothing`")] {
        let error = load(&[wrong]).unwrap_err().to_string();
        assert!(error.contains(needle), "{error}");
    }
}
