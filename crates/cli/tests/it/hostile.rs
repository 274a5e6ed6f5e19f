//! Model files of strangers, written by hand: the program ends with a result or an error that people can mend, never with a bug
//! (code 70) or a signal. Files made from valid ones by chance are in the tests of `net`.

use crate::support::{Place, bytes_of};
use std::process::{Command, Output};

/// A model file without tensors, whose description has these nodes; the last one is its output.
pub(crate) fn model(nodes: &[&str]) -> Vec<u8> {
    let last: serde_json::Value = nodes.last().map(|node| serde_json::from_str(node).unwrap()).unwrap_or_default();
    let nodes = nodes.join(",");
    let description = format!(r#"{{"format":2,"graph":{{"nodes":[{nodes}],"output":{}}}}}"#, last["name"]);
    of_description(&description)
}

fn of_description(description: &str) -> Vec<u8> {
    of_header(&serde_json::json!({ "__metadata__": { "ganatomy": description } }).to_string())
}

fn of_header(header: &str) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()
}

/// The program, with 4 GB of memory where that can be said.
pub(crate) fn limited(place: &Place, words: &str) -> Output {
    if !cfg!(target_os = "linux") {
        return place.output(words);
    }
    let plain = place.command(words);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 4000000 && exec \"$0\" \"$@\""]).arg(plain.get_program()).args(plain.get_args());
    command.current_dir(plain.get_current_dir().unwrap()).env("RAYON_NUM_THREADS", "2").output().unwrap()
}

pub(crate) const Z: &str = r#"{"name":"z","op":"input","shape":[4]}"#;

#[test]
fn strange_files_end_in_results_or_errors() {
    let nested = "[".repeat(100_000);
    let filled = |name: &str, shape: &str| format!(r#"{{"name":"{name}","op":"fill","shape":{shape},"value":0.5}}"#);
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("empty", of_header("")),
        ("long header", u64::MAX.to_le_bytes().to_vec()),
        ("text", of_header("[]")),
        ("nested", of_header(&nested)),
        ("nested description", of_description(&nested)),
        ("nested node", model(&[Z, r#"{"name":"y","op":"select","inputs":["z","z","z"],"x":[[[[[[{}]]]]]]}"#])),
        ("no nodes", of_description(r#"{"format":2,"graph":{"nodes":[],"output":"y"}}"#)),
        ("later format", of_description(r#"{"format":4294967295,"graph":{"nodes":[],"output":"y"}}"#)),
        ("circle", model(&[r#"{"name":"y","op":"relu","inputs":["y"]}"#])),
        ("reads later", model(&[r#"{"name":"a","op":"relu","inputs":["z"]}"#, Z])),
        ("twice", model(&[Z, Z])),
        ("no name", model(&[r#"{"name":"","op":"input","shape":[4]}"#])),
        ("unknown", model(&[Z, r#"{"name":"y","op":"exec","inputs":["z"]}"#])),
        ("no inputs", model(&[Z, r#"{"name":"y","op":"batch_norm","epsilon":0.1,"momentum":0.1}"#])),
        ("no tensor", model(&[Z, r#"{"name":"w","op":"param","shape":[2,4],"init":"unit_vector","trainable":true}"#])),
        ("number", model(&[Z, &filled("y", "[]")])),
        ("one for all", model(&[Z, &filled("y", "[5,3,8,8]")])),
        ("two for each", model(&[Z, &filled("y", r#"["2n",3,8,8]"#)])),
        ("nothing", model(&[Z, &filled("y", r#"["n",3,0,8]"#)])),
        ("nothing of much", model(&[Z, &filled("y", "[0,1099511627776,1099511627776]")])),
        ("too much", model(&[Z, &filled("y", r#"["n",3,1048576,1048576]"#)])),
        ("more than numbers", model(&[Z, &filled("y", r#"["18446744073709551615n",3,8,8]"#)])),
        ("latents of nothing", model(&[r#"{"name":"z","op":"input","shape":[0]}"#, &filled("y", r#"["n",3,8,8]"#)])),
        ("units of the batch", model(&[Z, r#"{"name":"y","op":"relu","inputs":["z"],"units":0}"#])),
        ("axis", model(&[Z, r#"{"name":"y","op":"slice","inputs":["z"],"axis":9,"start":0,"step":1,"length":1}"#])),
        (
            "reverse",
            model(&[
                r#"{"name":"z","op":"input","shape":[2]}"#,
                r#"{"name":"y","op":"slice","inputs":["z"],"axis":1,"start":1,"step":-9223372036854775808,"length":2}"#,
            ]),
        ),
        (
            "groups",
            model(&[
                r#"{"name":"z","op":"input","shape":[4,8,8]}"#,
                &filled("w", "[4,4,3,3]"),
                r#"{"name":"y","op":"conv2d","inputs":["z","w"],"conv":{"stride":1,"padding":1,"groups":0}}"#,
            ]),
        ),
        (
            "far taps",
            model(&[
                r#"{"name":"z","op":"input","shape":[3,8,8]}"#,
                &filled("w", "[3,3,2,2]"),
                r#"{"name":"y","op":"conv2d","inputs":["z","w"],"conv":{"stride":1,"padding":4194304,"dilation":8388608}}"#,
            ]),
        ),
        (
            "steps that wrap",
            model(&[
                r#"{"name":"z","op":"input","shape":[3,8,8]}"#,
                &filled("w", "[3,3,3,3]"),
                r#"{"name":"y","op":"conv2d","inputs":["z","w"],"conv":{"stride":1,"padding":[9223372036854775807,1],"dilation":[9223372036854775808,1]}}"#,
            ]),
        ),
        (
            "weights",
            model(&[
                r#"{"name":"z","op":"input","shape":[1,1,262144]}"#,
                r#"{"name":"y","op":"along","inputs":["z"],"axis":3,"map":{"map":"average","size":262144,"stride":1,"padding":[262143,262143]}}"#,
            ]),
        ),
        (
            "means of nothing",
            model(&[
                r#"{"name":"z","op":"input","shape":[1,4294967296,0]}"#,
                r#"{"name":"y","op":"avg_pool","inputs":["z"],"factor":4294967296}"#,
            ]),
        ),
    ];
    let place = Place::new();
    for (name, bytes) in files {
        place.write("m.safetensors", &bytes);
        for words in [
            "inspect m.safetensors",
            "inspect m.safetensors --json",
            "sample m.safetensors --seeds 0..2 --raw x.npy",
            "sample m.safetensors --seeds 0..2 --out x.png",
            "dissect m.safetensors --segmenter scenes --out d --samples 2",
            "segmenter apply m.safetensors m.safetensors",
            "interpolate m.safetensors --seeds 0..2 --steps 2 --out x.gif",
            "edit m.safetensors --ablate y:0 --out e",
            "export m.safetensors --half --out h.safetensors",
            "repair m.safetensors --layer y --real scenes --samples 2 --out r",
        ] {
            let output = limited(&place, words);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(output.status.code(), Some(0 | 1)), "{name}: {words}: {}\n{said}", output.status);
            assert!(!said.contains("panicked"), "{name}: {words}: {said}");
        }
    }
}

/// What is too large to be computed can be looked at.
#[test]
fn work_that_no_number_counts_is_listed() {
    let place = Place::new();
    place.write(
        "m.safetensors",
        &model(&[
            r#"{"name":"z","op":"input","shape":[1,1,1]}"#,
            r#"{"name":"w","op":"fill","shape":[1,1,262144,262144],"value":1.0}"#,
            r#"{"name":"y","op":"conv2d","inputs":["z","w"],"conv":{"stride":1,"padding":262143}}"#,
        ]),
    );
    let output = limited(&place, "inspect m.safetensors");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("18,446,744,073,709,551,615"));
}

/// A name that sets the title of a terminal, clears it, and turns the text behind it.
const EVIL: &str = "\u{1b}]0;title\u{7}\u{9b}2J\u{202e}name";

#[test]
fn names_from_files_do_not_steer_the_terminal() {
    let place = Place::new();
    let mut graph = net::Graph::default();
    let z = graph.push("z", net::Op::input(&[3, 8, 8]), &[]);
    graph.push(EVIL, net::Op::from(net::Unary::Tanh), &[z]);
    let mut network = net::Network::initial(graph, 0, "weights", &net::Device::cpu());
    network.notes.push((EVIL.into(), EVIL.into()));
    place.write("evil.safetensors", &bytes_of(&network));

    let picture = data::Image::new(8, 8, 3, (0..192).map(|i| i as u8).collect()).unwrap();
    let map = data::LabelMap { width: 8, height: 8, classes: (0..64).map(|i| u16::from(i > 20)).collect() };
    let classes = serde_json::to_string(&[EVIL, "sky"]).unwrap();
    for (name, bytes) in [
        ("set/images/a.png", data::pictures::png(&picture).unwrap()),
        ("set/labels/a.png", data::pictures::labels_png(&map).unwrap()),
        ("set/classes.json", classes.into_bytes()),
        (&*format!("folders/{EVIL}/a.png"), data::pictures::png(&picture).unwrap()),
    ] {
        place.write(name, &bytes);
    }
    for words in ["inspect evil.safetensors", "data preview set", "data preview folders"] {
        for words in [words.to_owned(), format!("{words} --json")] {
            let output = place.output(&words);
            assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
            for text in [output.stdout, output.stderr] {
                let text = String::from_utf8(text).unwrap();
                let steering = text.chars().find(|&c| c != '\n' && base::is_deceptive(c));
                assert_eq!(steering, None, "{words}: {text:?}");
            }
        }
    }
}

/// Axes without entries are no latents, maps or kernels: whoever opens the file hears which node has one.
#[test]
fn what_has_no_entries_is_refused_when_it_is_opened() {
    let place = Place::new();
    let image = r#"{"name":"y","op":"fill","shape":["n",3,8,8],"value":0.5}"#;
    let z = r#"{"name":"z","op":"input","shape":[3,8,8]}"#;
    let kernel = |shape: &str| format!(r#"{{"name":"w","op":"fill","shape":{shape},"value":0.5}}"#);
    let conv = r#"{"name":"y","op":"conv2d","inputs":["z","w"],"conv":{"stride":1,"padding":1}}"#;
    for (node, bytes) in [
        ("z", model(&[r#"{"name":"z","op":"input","shape":[0]}"#, image])),
        ("z", model(&[r#"{"name":"z","op":"input","shape":[0,8,8]}"#, &kernel("[3,0,3,3]"), conv])),
        ("w", model(&[z, &kernel("[0,3,3,3]"), conv])),
        ("w", model(&[z, &kernel("[3,3,0,3]"), conv])),
        ("y", model(&[z, r#"{"name":"y","op":"fill","shape":["n",3,0,8],"value":0.5}"#])),
    ] {
        place.write("m.safetensors", &bytes);
        for words in ["inspect m.safetensors", "interpolate m.safetensors --seeds 0..2 --steps 2 --out x.gif"] {
            let output = place.output(words);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.starts_with(&format!("error: m.safetensors: node {node} has the shape ")), "{said}");
        }
    }
}
