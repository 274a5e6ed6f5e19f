//! A training that goes wrong says so at once and spoils nothing.

use crate::runs::{POINTS, TINY};
use crate::support::{Place, bytes_of, check};
use net::{Device, Network};
use shipped::Kind;

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

/// A shipped network, one of whose weights is not a number any more.
fn sick(kind: Kind) -> Vec<u8> {
    let bytes = shipped::by_name("scenes", kind).unwrap().bytes;
    let mut network = Network::from_bytes(bytes, "scenes".as_ref(), &Device::cpu()).unwrap();
    let last = network.params.tensors().len() - 1;
    network.params.set(last, network.params.tensors()[last].scale(f64::NAN));
    bytes_of(&network)
}

/// Pictures of such numbers can be looked at, with a warning; nothing is concluded from them.
#[test]
fn nothing_is_concluded_from_numbers_that_are_not_finite() {
    let place = Place::new();
    place.write("g.safetensors", &sick(Kind::Generator));
    place.write("s.safetensors", &sick(Kind::Segmenter));
    let small = "--samples 16 --fit-samples 16 --layers 1b";
    for (words, file) in [
        (format!("dissect g.safetensors --segmenter scenes {small} --out d"), "g.safetensors"),
        (format!("dissect scenes --segmenter s.safetensors {small} --out e"), "s.safetensors"),
        ("edit g.safetensors --ablate 1b:0 --out f".into(), "g.safetensors"),
        ("edit scenes --ablate 1b:0 --segmenter s.safetensors --out f".into(), "s.safetensors"),
        ("repair g.safetensors --layer 1b --real scenes --samples 16 --accept all --out r".into(), "g.safetensors"),
        ("segmenter eval s.safetensors --data scenes --count 2".into(), "s.safetensors"),
    ] {
        let output = place.output(&words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}: {said}");
        assert!(said.contains(&format!("error: {file}: gives ")), "{words}: {said}");
        assert!(said.contains("that are not finite (NaN)"), "{words}: {said}");
    }
    for (words, file) in [
        ("sample g.safetensors --seeds 0..2 --out a.png", "g.safetensors"),
        ("interpolate g.safetensors --seeds 0..2 --steps 2 --out b.png", "g.safetensors"),
        ("segmenter apply scenes g.safetensors --seeds 0..2 --out c.png", "g.safetensors"),
        ("segmenter apply s.safetensors scenes --seeds 0..2 --out c.png", "s.safetensors"),
    ] {
        let output = place.output(&format!("-q {words}"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{words}: {said}");
        assert_eq!(said, format!("warning: {file}: gave numbers that are not finite\n"), "{words}");
    }
}

impl Place {
    fn stats_or_none(&self, run: &str) -> Vec<serde_json::Value> {
        if self.read(&format!("{run}/stats.jsonl")).is_empty() { Vec::new() } else { self.stats(run) }
    }
}
