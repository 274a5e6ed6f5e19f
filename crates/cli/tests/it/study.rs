//! `ganatomy study`

use crate::support::{Place, check, shown};

/// Two arms, two seeds, one value of two.
pub(crate) const PLAN: &str = r#"
claim = "Evolution is no worse"
expected = "a second"
kind = "trial"
figure = "sw_late"
seeds = 2
reference = "plain"
budget = { generations = 3 }
set = { data = "ring8", width = 8, width_d = 8, batch = 8, eval = 16, norm_d = "none", gamma = 0.0 }

[tuning]
seeds = 1
budget = { generations = 2 }
try = [ { lr_g = 1e-4 }, { lr_g = 1e-3 } ]

[[arm]]
name = "plain"
set = { mutations = ["heuristic"] }

[[arm]]
name = "one-pass"
set = { mutations = ["heuristic", "minimax"], fitness = "one-pass" }
"#;

#[test]
fn a_study_is_kept_and_not_done_again() {
    let place = Place::new();
    place.write("plan.toml", PLAN.as_bytes());
    check("study-dry", &place.run("study plan.toml --dry-run"));
    assert!(!place.path("study-plan").exists(), "a dry run writes nothing");
    let table = place.succeed("-q study plan.toml --jobs 1");
    assert!(table.starts_with("arm ") && table.contains("ratio to plain") && table.contains("one-pass"), "{table}");
    assert_eq!(place.names("study-plan"), ["chart.svg", "results.csv", "runs", "summary.json", "table.md", "tuning"]);
    let csv = String::from_utf8(place.read("study-plan/results.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 4 + 4, "{csv}");
    // Again: the seconds in the table show that no run was made a second time.
    assert_eq!(place.succeed("-q study plan.toml --jobs 2"), table);
    assert_eq!(String::from_utf8(place.read("study-plan/results.csv")).unwrap(), csv);
}

#[test]
fn plans_that_cannot_be() {
    let place = Place::new();
    let wrong = [
        ("seeds = 2", "seeds = 0"),
        ("figure = \"sw_late\"", "figure = \"sw_lat\""),
        ("reference = \"plain\"", "reference = \"plan\""),
        ("fitness = \"one-pass\"", "fitness = \"one-pass\", adam = \"fresh\""),
        ("width = 8,", "widht = 8,"),
        ("name = \"plain\"", "name = \"plain\"\ntry = [ { lr_g = 1.0 } ]"),
        ("claim =", "claims ="),
    ];
    let runs = wrong.map(|(from, to)| {
        place.write("plan.toml", PLAN.replace(from, to).as_bytes());
        format!("{to}\n{}\n", shown("study plan.toml", &place.output("study plan.toml")))
    });
    check("study-wrong", &(runs.concat() + &place.run("study nothing.toml")));
    assert_eq!(place.names("."), ["plan.toml"]);
}
