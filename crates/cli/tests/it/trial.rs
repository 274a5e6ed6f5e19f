//! `ganatomy trial`

use crate::support::{Place, check};

const WORDS: &str = "--arms heuristic,random,egan --seeds 2 --set width=8 --set width_d=8 --set batch=8 --set eval=16";

#[test]
fn a_trial_is_kept_and_not_done_again() {
    let place = Place::new();
    let first = place.run(&format!("trial ring8 {WORDS} --generations 3 --out t"));
    check("trial", &first);
    assert_eq!(place.names("t"), ["clouds.svg", "results.csv", "runs", "summary.json"]);
    assert_eq!(place.names("t/runs").len(), 6);
    let csv = String::from_utf8(place.read("t/results.csv")).unwrap();
    assert_eq!(csv.lines().count(), 7);
    assert!(
        csv.starts_with("arm,seed,modes,high_quality,kl,mmd2,macs,seconds,selected,agreement\nheuristic,0,"),
        "{csv}"
    );
    let summary: serde_json::Value = serde_json::from_slice(&place.read("t/summary.json")).unwrap();
    assert_eq!(summary.as_array().unwrap().len(), 3);
    assert!(place.read("t/clouds.svg").starts_with(b"<svg"));

    // Again: the seconds of the results show that no run was made a second time.
    let before = place.files("t");
    assert_eq!(place.run(&format!("trial ring8 {WORDS} --generations 3 --out t")), first);
    crate::runs::assert_same(&before, &place.files("t"));
    // More jobs, the same table.
    assert_eq!(
        place
            .run(&format!("trial ring8 {WORDS} --generations 3 --jobs 5 --out u"))
            .replace("u/", "t/")
            .replace("\nu\n", "\nt\n"),
        { first.replace("--out t", "--jobs 5 --out u").replace("u/", "t/") }
    );
    let json: serde_json::Value =
        serde_json::from_str(&place.succeed(&format!("trial ring8 {WORDS} --generations 3 --out t --json --quiet")))
            .unwrap();
    assert_eq!(json["arms"], summary);
    check("trial-other-settings", &place.run(&format!("trial ring8 {WORDS} --generations 4 --out t")));
}

#[test]
fn one_run_gives_no_interval() {
    let place = Place::new();
    let words = "-q trial ring8 --arms random,egan --seeds 1 --set width=8 --set width_d=8 --set batch=8 --set eval=16 --generations 1 --out t";
    let table = place.succeed(words);
    assert_eq!(table.matches(" (no interval)").count(), 2 * 4, "{table}");
    let found: serde_json::Value = serde_json::from_str(&place.succeed(&format!("{words} --json"))).unwrap();
    for key in ["low", "high"] {
        assert_eq!(found[1]["kl"][key], serde_json::Value::Null, "{found}");
    }
    assert_eq!(found[1]["p_against_random"], serde_json::Value::Null);
}

#[test]
fn trials_that_cannot_be() {
    let place = Place::new();
    let wrong = [
        "swissroll",
        "scenes",
        "ring8 --arms best",
        "ring8 --arms random,random,",
        "ring8 --seeds 0",
        "ring8 --generations 0",
        "ring8 --set bacth=4",
        "ring8 --set width=0",
        "ring8 --set network=dcgan",
        "ring8 --set data=scenes",
    ];
    // What is accepted by mistake must at least end soon.
    let small = "--set width=8 --set width_d=8 --set batch=8 --set eval=16";
    let runs = wrong.map(|words| {
        let few = if words.contains("--seeds") { "" } else { " --seeds 1" };
        let short = if words.contains("--generations") { "" } else { " --generations 1" };
        let output = place.output(&format!("trial {small} {words}{few}{short}"));
        crate::support::shown(&format!("trial {words}"), &output) + "\n"
    });
    check("trial-wrong", &runs.concat());
    assert!(place.names(".").is_empty(), "{:?}", place.names("."));
}
