//! `--device`

use crate::runs::POINTS;
use crate::support::{Place, check, with_models};

const COMMANDS: [&str; 5] = [
    "evolve --data ring8 --generations 1 --out other",
    "demo --generations 1 --out other",
    "resume run",
    "sample p.safetensors --out p.png",
    "interpolate g.safetensors --out g.png",
];

#[cfg(not(any(feature = "vulkan", feature = "webgpu", feature = "cuda")))]
#[test]
fn a_gpu_that_is_not_built_in_is_refused_by_every_command() {
    let place = with_models();
    place.succeed(&format!("evolve {POINTS} --generations 1 --out run --quiet"));
    let (run, names) = (place.files("run"), place.names("."));
    check("device-gpu", &COMMANDS.map(|words| place.run(&format!("{words} --device gpu")) + "\n").concat());
    crate::runs::assert_same(&run, &place.files("run"));
    assert_eq!(place.names("."), names, "nothing is written before the device is there");
}

#[test]
fn a_device_that_does_not_exist_is_a_wrong_command_line() {
    let place = Place::new();
    for words in COMMANDS {
        assert_eq!(place.output(&format!("{words} --device tpu")).status.code(), Some(2), "{words}");
    }
    check("device-wrong", &place.run("sample m --device tpu"));
}

#[cfg(not(any(feature = "vulkan", feature = "webgpu", feature = "cuda")))]
#[test]
fn the_cpu_by_name_computes_what_it_computes_by_default() {
    let place = with_models();
    for (name, device) in [("cpu", "--device cpu"), ("auto", "--device auto"), ("nothing", "")] {
        place.succeed(&format!("sample g.safetensors --raw {name}.npy {device}"));
    }
    assert_eq!(place.read("cpu.npy"), place.read("auto.npy"));
    assert_eq!(place.read("cpu.npy"), place.read("nothing.npy"));
}

fn assert_near(here: &[f32], there: &[f32], tolerance: f32, what: &str) {
    assert_eq!(here.len(), there.len(), "{what}");
    let worst = here.iter().zip(there).map(|(a, b)| (a - b).abs()).fold(0.0f32, f32::max);
    assert!(worst <= tolerance, "{what}: {worst}");
}

/// `cargo test -p ganatomy --features vulkan -- --ignored gpu`
#[test]
#[ignore = "needs a GPU, and a build that knows it"]
fn a_gpu_samples_and_trains_as_the_cpu_does() {
    let place = with_models();
    let images = "--data scenes --preset modern --set width=4 --set width_d=4 --set batch=4 --set eval=8";
    // One mutation where runs are compared: rounding decides between children that are equally fit.
    let runs = [
        ("points", format!("{POINTS} --set mutations=[minimax] --generations 2")),
        ("images", format!("{images} --set mutations=[hinge] --generations 2")),
        ("judged", format!("{images} --generations 1")),
    ];
    for device in ["cpu", "gpu"] {
        for model in ["g", "p"] {
            place.tell(&format!("sample {model}.safetensors --raw {model}-{device}.npy --device {device}"));
        }
        for (run, words) in &runs {
            place.tell(&format!("evolve {words} --out {run}-{device} --device {device}"));
        }
    }
    // Half a per mille is what matrix units with shortened operands may cost.
    for model in ["g", "p"] {
        let values = |device| place.npy(&format!("{model}-{device}.npy")).into_f32();
        assert_near(&values("cpu"), &values("gpu"), 2e-3, model);
    }
    for (run, _) in &runs {
        let (here, there) = (place.stats(&format!("{run}-cpu")), place.stats(&format!("{run}-gpu")));
        let near = |key: &str, a: &serde_json::Value, b: &serde_json::Value| {
            if let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) {
                assert!((a - b).abs() <= 0.02 * a.abs().max(0.1), "{run}: {key} is {a} on the CPU, {b} on the GPU");
            }
        };
        for (child, other) in
            here[0]["children"].as_array().unwrap().iter().zip(there[0]["children"].as_array().unwrap())
        {
            ["fq", "fd", "f"].iter().for_each(|key| near(key, &child[key], &other[key]));
        }
        if *run != "judged" {
            for (a, b) in here.iter().zip(&there) {
                ["d_loss", "g_gradient", "d_gradient"].iter().for_each(|key| near(key, &a[key], &b[key]));
            }
            let weights = |device| {
                let path = place.path(&format!("{run}-{device}/checkpoints/000002/generator.safetensors"));
                let network = net::Network::load(path, &net::Device::cpu()).unwrap();
                network.params.tensors().iter().flat_map(net::Tensor::to_vec).collect::<Vec<_>>()
            };
            // Adam turns the rounding of a gradient near zero into a step of its own size, here 2e-4 twice, either way.
            assert_near(&weights("cpu"), &weights("gpu"), 1e-3, run);
        }
    }
    // A run is at home on every device.
    place.tell("resume images-gpu --generations 3 --device cpu");
    place.tell("resume images-cpu --generations 3 --device gpu");
}
