//! Workers that are killed while they load: once is an accident, five times in a row is somebody's doing and not the model's.

use super::*;
use quantbias::pipeline::Failure;

/// Runs, and kills the first so many workers as soon as they begin to load.
fn go_killing(plan: &RunPlan, path: &Path, resume: bool, kills: usize) -> (Result<RunSummary, RunError>, usize) {
    let (mut left, mut deaths) = (kills, 0);
    let result = go_watched(plan, path, resume, &AtomicBool::new(false), &mut |event| match event {
        Event::Worker { what: What::Loading { pid }, .. } if left > 0 => {
            left -= 1;
            Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        }
        Event::Worker { what: What::Died { item, .. }, .. } => {
            assert!(item.is_none(), "it was loading");
            deaths += 1;
        }
        _ => {}
    });
    (result, deaths)
}

fn slow_to_load() -> RunPlan {
    // Long enough that a worker which has begun is still loading when it is killed, on a busy machine too.
    let script = Script { rule: Rule::Coin { seed: 8, first: 0.5 }, load_delay_ms: 1500, ..Script::default() };
    let mut plan = plan(script, 1, vec![pairs(40)]);
    plan.settings.truncate(1);
    plan
}

fn undisturbed(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    go(&slow_to_load(), &folder.join("calm"), false).unwrap();
    record_files(&folder.join("calm"))
}

#[test]
fn a_worker_that_is_killed_while_it_loads_is_started_again_up_to_four_times() {
    let folder = tempfile::tempdir().unwrap();
    let calm = undisturbed(folder.path());
    for kills in [1, 4] {
        let path = folder.path().join(kills.to_string());
        let (result, deaths) = go_killing(&slow_to_load(), &path, false, kills);
        assert_eq!((result.unwrap().failed, deaths), (0, kills));
        assert_eq!(record_files(&path), calm);
    }
}

#[test]
fn five_kills_while_a_setting_loads_end_the_run_with_exit_code_5_and_it_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let calm = undisturbed(folder.path());
    let path = folder.path().join("run");
    for resume in [false, true] {
        let (result, deaths) = go_killing(&slow_to_load(), &path, resume, 99);
        let error = result.unwrap_err();
        assert_eq!(deaths, 5);
        assert_eq!(
            error.to_string(),
            "setting toy@none is lost: its loading was cut off 5 times, at last so: engine: its process ended: killed by \
             signal 9; go on with --resume when that is mended"
        );
        assert_eq!(Failure::from(error).code(), 5);
        assert!(Run::open(&path).is_err(), "it is not complete, and the setting is not refused for good");
    }
    go(&slow_to_load(), &path, true).unwrap();
    assert_eq!(record_files(&path), calm);
}

#[test]
fn a_run_that_is_lost_while_its_second_setting_loads_keeps_the_first_and_asks_only_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = slow_to_load();
    plan.settings.push(setting(QuantScheme::Q4K, false));
    let calm = folder.path().join("calm");
    go(&plan, &calm, false).unwrap();
    let path = folder.path().join("run");
    let mut asked: [Vec<(String, String)>; 2] = Default::default();
    for (session, resume) in [false, true].into_iter().enumerate() {
        let result = go_watched(&plan, &path, resume, &AtomicBool::new(false), &mut |event| match event {
            Event::Worker { setting: Some(setting), what: What::Loading { pid }, .. }
                if session == 0 && setting == "toy@q4k" =>
            {
                Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
            }
            Event::Item { setting, item, .. } => asked[session].push((setting.clone(), item.clone())),
            _ => {}
        });
        assert_eq!(matches!(result, Err(RunError::Lost { .. })), session == 0, "{result:?}");
    }
    let [first, second] = asked.map(|all| all.into_iter().map(|(setting, _)| setting).collect::<Vec<_>>());
    assert_eq!((first, second), (vec!["toy@none".to_owned(); 40], vec!["toy@q4k".to_owned(); 40]));
    assert_eq!(record_files(&path), record_files(&calm));
}
