//! Small studies from beginning to end.

use super::*;
use crate::trial::Length;
use std::path::Path;
use std::sync::Mutex;
use train::signals::{Interrupt, Signal};

const TOYS: &str = r#"
claim = "Two losses do as well"
expected = "a second"
kind = "trial"
figure = "sw_late"
seeds = 3
reference = "plain"

[budget]
generations = 6

[set]
data = "ring8"
width = 8
width_d = 8
batch = 8
eval = 16
norm_d = "none"
gamma = 0.0

[[arm]]
name = "plain"
set = { mutations = ["heuristic"] }

[[arm]]
name = "evolved"
set = { mutations = ["heuristic", "minimax"], fitness = "one-pass", log = { fitness = 2 } }
"#;

const TUNING: &str = r"
[tuning]
seeds = 2
budget = { generations = 3 }
try = [ { lr_g = 1e-4 }, { lr_g = 1e-2 } ]
";

fn plan_of(text: &str) -> base::Result<Plan> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, text).unwrap();
    Plan::read(&path)
}

fn done(plan: &Plan, folder: &Path) -> Report {
    run(plan, folder, 2, &Interrupt::default(), &|_| ()).unwrap().unwrap()
}

/// What does not depend on the clock.
fn timeless(report: &Report) -> String {
    let csv = report.csv();
    let rows = csv.lines().map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        cells
            .iter()
            .enumerate()
            .filter(|(k, _)| *k + 4 != cells.len())
            .map(|(_, cell)| *cell)
            .collect::<Vec<_>>()
            .join(",")
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn values_are_tried_on_other_seeds_than_are_reported() {
    let plan = plan_of(&format!("{TOYS}{TUNING}")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let report = done(&plan, folder.path());
    let csv = report.csv();
    let of = |stage: &str| csv.lines().filter(|line| line.starts_with(stage)).collect::<Vec<_>>();
    assert_eq!((of("tuning").len(), of("fresh").len()), (2 * 2 * 2, 2 * 3));
    let seeds =
        |stage: &str| of(stage).iter().map(|line| line.split(',').nth(3).unwrap().to_owned()).collect::<Vec<_>>();
    assert!(seeds("fresh").iter().all(|seed| !seeds("tuning").contains(seed)));
    // What is chosen is what was best by the mean logarithm over the tuning seeds.
    let column = csv.lines().next().unwrap().split(',').position(|name| name == "sw_late").unwrap();
    for row in &report.arms {
        let mean = |value: &str| {
            let start = format!("tuning,{},{value},", row.arm);
            let found: Vec<f64> = of("tuning")
                .iter()
                .filter(|line| line.starts_with(&start))
                .map(|line| line.split(',').nth(column).unwrap().parse::<f64>().unwrap().ln())
                .collect();
            assert_eq!(found.len(), 2, "{csv}");
            found[0] + found[1]
        };
        let best = ["lr_g=0.0001", "lr_g=0.01"].into_iter().min_by(|a, b| mean(a).total_cmp(&mean(b))).unwrap();
        assert_eq!(row.chosen, best, "{csv}");
        assert!(row.median.unwrap().interval.is_some() && row.seeds == 3 && row.failed == 0);
    }
    let (plain, evolved) = (&report.arms[0], &report.arms[1]);
    assert!(plain.ratio.is_none() && evolved.agreement.is_some());
    let ratio = evolved.geometric_mean.unwrap().value / plain.geometric_mean.unwrap().value;
    assert!((evolved.ratio.unwrap().value - ratio).abs() < 1e-12);
    let interval = evolved.ratio.unwrap().interval.unwrap();
    assert!(interval.low <= ratio && ratio <= interval.high);
    assert!(report.chart().starts_with("<svg") && report.chart().contains("evolved"));
    assert!(report.markdown().contains("| evolved | 3 |") && report.text().lines().count() == 3);
}

#[test]
fn a_study_that_was_interrupted_goes_on_and_ends_the_same() {
    let plan = plan_of(&format!("{TOYS}{TUNING}")).unwrap();
    let [whole, pieces] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let all = done(&plan, whole.path());
    let interrupt = Interrupt::default();
    let ended = Mutex::new(0);
    let stop = |step: Step| {
        if let Step::Done { .. } = step {
            let mut ended = ended.lock().unwrap();
            *ended += 1;
            if *ended == 5 {
                interrupt.request(Signal::Interrupt);
            }
        }
    };
    assert!(run(&plan, pieces.path(), 1, &interrupt, &stop).unwrap().is_none());
    let missing = Mutex::new(Vec::new());
    let watch = |step: Step| {
        if let Step::Open { missing: left, .. } = step {
            missing.lock().unwrap().push(left);
        }
    };
    let rest = run(&plan, pieces.path(), 2, &Interrupt::default(), &watch).unwrap().unwrap();
    assert_eq!(*missing.lock().unwrap(), [8 - 5, 6], "what was done is not done again");
    assert_eq!(timeless(&all), timeless(&rest));
    // Another plan does not mix its outcomes in.
    let other = plan_of(&TOYS.replace("generations = 6", "generations = 7")).unwrap();
    let error = run(&other, whole.path(), 1, &Interrupt::default(), &|_| ()).unwrap_err();
    assert!(error.to_string().ends_with("was made by another plan"), "{error}");
}

#[test]
fn a_training_is_interrupted_within_a_run_and_goes_on() {
    let text = r#"
claim = "Evolution pays on scenes"
expected = "seconds"
kind = "evolve"
figure = "score"
seeds = 1
reference = "plain"
budget = { generations = 6 }
[set]
data = "scenes"
width = 2
width_d = 2
latent = 4
batch = 4
eval = 4
score = { every = 2, samples = 40 }
log = { checkpoint = 0 }
[[arm]]
name = "plain"
"#;
    let plan = plan_of(text).unwrap();
    let [whole, pieces] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let all = done(&plan, whole.path());
    let late = all.arms[0].medians["score_late"];
    assert!(all.arms[0].medians["score"] > 0.0 && late > 0.0 && all.arms[0].generations == 6.0);
    // Asked to stop before it begins, a run makes one generation and is saved.
    for _ in 0..3 {
        let interrupt = Interrupt::default();
        interrupt.request(Signal::Terminate);
        assert!(run(&plan, pieces.path(), 1, &interrupt, &|_| ()).unwrap().is_none());
    }
    assert_eq!(timeless(&done(&plan, pieces.path())), timeless(&all));
    // By time: it ends when the seconds of its steps are spent.
    let timed = plan_of(&text.replace("generations = 6 }", "seconds = 0.3 }")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let row = done(&timed, folder.path()).arms.swap_remove(0);
    assert!(row.seconds >= 0.3 && row.generations > 1.0 && row.medians.contains_key("score"), "{row:?}");
}

#[test]
fn equal_compute_gives_dear_arms_fewer_generations() {
    let text = TOYS
        .replace("generations = 6", "generations = 1000\ncompute_of = \"plain\"")
        .replace("fitness = \"one-pass\"", "fitness = \"exact\"");
    let arms = resolve(&plan_of(&text).unwrap()).unwrap();
    assert_eq!(arms[0].length, Length::Generations(1000));
    let Length::Generations(n) = arms[1].length else { panic!("{arms:?}") };
    let total = [1000 * arms[0].macs, n * arms[1].macs].map(|v| v as f64);
    assert!(n < 900 && (total[1] / total[0] - 1.0).abs() < 1e-2, "{arms:?}");
}

#[test]
fn an_arm_that_diverges_is_a_result() {
    let text =
        TOYS.replace("set = { mutations = [\"heuristic\"] }", "set = { lr_g = 1e30, mutations = [\"wasserstein\"] }");
    let folder = tempfile::tempdir().unwrap();
    let report = done(&plan_of(&text).unwrap(), folder.path());
    assert_eq!((report.arms[0].failed, report.arms[0].median), (3, None));
    assert!(report.arms[1].ratio.is_none(), "there is nothing to compare with");
    assert!(report.text().contains("3 (3 failed)") && report.csv().contains("at generation"));
}

#[test]
fn plans_that_cannot_be_are_refused_with_a_cure() {
    for (from, to, key) in [
        ("seeds = 3", "seeds = 0", "seeds"),
        ("reference = \"plain\"", "reference = \"plane\"", "reference"),
        ("figure = \"sw_late\"", "figure = \"score\"", "figure"),
        ("generations = 6", "generations = 6\nseconds = 3.0", "budget"),
        ("generations = 6", "seconds = -1.0", "budget"),
        ("name = \"evolved\"", "name = \"plain\"", "arm"),
        ("data = \"ring8\"", "data = \"swissroll\"", "data"),
        ("width = 8", "breadth = 8", "arm plain: breadth"),
        ("fitness = \"one-pass\"", "fitness = \"one-pass\", mu = 2", "arm evolved: mu"),
        ("set = { mutations = [\"heuristic\"] }", "try = [ { lr_g = 1e-4 } ]", "try"),
        ("seeds = 3", "seeds = 3\nsedes = 4", "unknown field"),
    ] {
        let error = plan_of(&TOYS.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(key), "{to}: {error}");
        assert!(error.hint().is_some() || key == "unknown field", "{to}: {error}");
    }
    let unequal = format!("{TOYS}{TUNING}").replace("name = \"plain\"", "name = \"plain\"\ntry = [ { lr_g = 1e-4 } ]");
    assert!(plan_of(&unequal).unwrap_err().to_string().contains("different numbers of values"));
}

/// The plans of the repository can be run, and say what they claim.
#[test]
fn the_plans_in_the_repository_are_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: {} is not there: this crate is tested by itself", folder.display());
        return;
    };
    let mut found = 0;
    for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "toml"))
    {
        let plan = Plan::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(plan.claim.len() > 20 && plan.expected.contains(char::is_numeric), "{}", path.display());
        found += 1;
    }
    assert!(found >= 5);
}
