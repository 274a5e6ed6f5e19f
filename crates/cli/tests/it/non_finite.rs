//! A training that goes wrong says so at once and spoils nothing.

use crate::runs::{POINTS, TINY};
use crate::support::{Place, check};

#[test]
fn a_value_that_is_not_finite_stops_the_run_with_its_own_code() {
    let place = Place::new();
    let wild = "--set lr_g=1e30 --set lr_d=1e30 --set log.checkpoint=1 --generations 9";
    check("non-finite", &place.run(&format!("evolve --data scenes --preset modern {TINY} {wild} --out run")));
    assert!(place.stats_or_none("run").is_empty());
    let dump: serde_json::Value = serde_json::from_slice(&place.read("run/nonfinite-000001.json")).unwrap();
    assert_eq!((&dump["generation"], &dump["lr_g"]), (&1.into(), &1e30.into()));
    assert!(place.names("run/checkpoints").is_empty(), "there was nothing good to save");
}

#[test]
fn the_last_good_checkpoint_stays() {
    let place = Place::new();
    let wild = "--set norm_d=none --set lr_g=1e8 --set lr_d=1e8 --set log.checkpoint=1 --generations 9 --out run";
    let output = place.output(&format!("evolve {POINTS} {wild}"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    let done = place.stats("run").len();
    assert!(done > 0, "{said}");
    let dump: serde_json::Value =
        serde_json::from_slice(&place.read(&format!("run/nonfinite-{:06}.json", done + 1))).unwrap();
    assert_eq!(dump["generation"], done + 1);
    assert!(said.contains(dump["what"].as_str().unwrap()), "{said}");
    assert!(place.tell("sample run --seeds 0..4").contains(&format!("/{done:06}/generator.safetensors")));

    // Going on fails at the same place with the same words, and changes nothing.
    let before = place.files("run/checkpoints");
    let again = place.output("resume run");
    assert_eq!(again.status.code(), Some(3));
    assert_eq!(String::from_utf8(again.stderr).unwrap().lines().last(), said.lines().last());
    crate::runs::assert_same(&before, &place.files("run/checkpoints"));
}

/// The number in the message is the one that stats.jsonl and the dump would give.
#[test]
fn the_message_counts_generations_as_the_statistics_do() {
    let place = Place::new();
    let wild = "--set lr_g=1e30 --set lr_d=1e30 --generations 2 --out run";
    let said = String::from_utf8(place.output(&format!("evolve {POINTS} {wild}")).stderr).unwrap();
    assert!(said.contains(" at generation 1\n"), "{said}");
}

impl Place {
    fn stats_or_none(&self, run: &str) -> Vec<serde_json::Value> {
        if self.read(&format!("{run}/stats.jsonl")).is_empty() { Vec::new() } else { self.stats(run) }
    }
}
