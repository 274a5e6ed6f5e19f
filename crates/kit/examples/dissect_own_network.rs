//! Builds a network of one's own, teaches it to draw, and finds out what its units stand for.
//!
//!     cargo run -p ganatomy-kit --example dissect_own_network -- [OUT] [STEPS]
//!
//! The network is no GAN. It learns to draw scene k from latent k, by the squared error: whatever makes pictures of latents can be
//! dissected.

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use ganatomy_kit::data::{self, Options, Size};
use ganatomy_kit::dissect::{Dissecting, Settings, Subject};
use ganatomy_kit::network::{Builder, Conv, Graph, Init, Network, Norm, Trainee, Unary};
use ganatomy_kit::train::{Adam, Moments, Optimiser};
use ganatomy_kit::{Device, Error, Result, Tensor, pictures, segment, unwatched};
use std::path::PathBuf;

/// Scenes that it learns.
const SCENES: u64 = 64;
/// Scenes in a step.
const BATCH: u64 = 16;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().unwrap_or_else(|| "out/own".to_owned()));
    let steps = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(200);
    let device = Device::cpu();

    let network = taught(generator(), steps, &device)?;
    let images = network.forward(&network.latents(&(0..32).collect::<Vec<_>>(), &device), &[])?;
    let images = pictures::from_batch(images.shape(), &images.numbers())?;
    pictures::write_png(&out.join("images.png"), &pictures::zoomed(&pictures::grid(&images, 8)?, 2))?;
    println!("wrote {}", out.join("images.png").display());

    // What is where in a picture, the shipped segmenter says. For pictures without labels `segment::cluster` makes one of
    // their colours, and `segment::masks` one of regions that somebody painted.
    let segmenter = segment::open("scenes", &device)?;
    // No names of layers mean all that have maps after an activation.
    let subject = Subject::new(&network, &[], &device)?;
    // A unit is on above a level: with this preset the one that tells most about some class.
    let settings = Settings { samples: SCENES, fit_samples: SCENES, ..Settings::preset("iclr2019")? };
    let task = Dissecting::new((subject, "my own"), (&segmenter, "scenes"), settings)?;
    let found = unwatched(|watch| task.run(&out.join("found"), watch))?;

    for layer in found.findings().layers {
        let all = layer.units.len();
        println!("layer {}: {} of {all} units stand for something", layer.layer, layer.interpretable);
        let mut units = layer.units;
        units.retain(|unit| unit.interpretable);
        units.sort_by(|a, b| b.iou.total_cmp(&a.iou));
        for unit in units.iter().take(4) {
            let label = unit.label.as_deref().unwrap_or("nothing");
            let [low, high] = unit.iou_interval;
            // A layout that all pictures share fits other pictures as well: that is what the last number tells.
            println!(
                "  unit {:3}  {label:8} IoU {:.2} ({low:.2} to {high:.2}), false discoveries {:.2}",
                unit.unit, unit.iou, unit.fdr
            );
        }
    }
    println!("wrote {}: tables, charts, and each unit's strongest pictures", out.join("found").display());
    Ok(())
}

/// A latent of 32 numbers to maps of 4x4 cells, four doublings, an image of 64x64 pixels. A layer has the bare name of its
/// activation: that is the node to look at.
fn generator() -> Graph {
    let mut b = Builder::new(|fan_in, _| Init::he(fan_in));
    let z = b.input("z", &[32]);
    let mut channels = 48;
    let wide = b.linear("0.linear", z, 32, channels * 4 * 4, Norm::None);
    let mut x = b.reshape("0.maps", wide, &[channels, 4, 4]);
    for (block, next) in [(1, 48), (2, 32), (3, 24), (4, 16)] {
        let name = block.to_string();
        x = b.upsample(&format!("{name}.up"), x);
        x = b.conv(&format!("{name}.conv"), x, [channels, next], 3, Conv::new(1, 1), Norm::Batch);
        x = b.norm(&name, x, next, Norm::Batch);
        x = b.relu(&name, x);
        channels = next;
    }
    let image = b.conv("image", x, [channels, 3], 3, Conv::new(1, 1), Norm::None);
    b.push("x", Unary::Tanh, &[image]);
    b.finish()
}

/// The network after some steps of Adam down the squared error.
fn taught(graph: Graph, steps: u64, device: &Device) -> Result<Network> {
    let scenes = data::open("scenes", &Options { size: Some(Size::square(64)), ..Options::default() })?;
    let scenes: Vec<Vec<f32>> = (0..SCENES).map(|k| scenes.values(k)).collect::<data::Result<_>>()?;

    // A trainee is the network with its gradient. Losses stay outside: they say how much each number of the output is off.
    let trainee = Trainee::new(&graph)?;
    let mut network = Network::initial(graph, 1, "weights", device);
    let adam = Adam { lr: 4e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    let mut moments = Moments::zero(&network.graph, &network.params);
    for step in 0..steps {
        let batch: Vec<u64> = (0..BATCH).map(|k| (step * BATCH + k) % SCENES).collect();
        let target: Vec<f32> = batch.iter().flat_map(|&k| &scenes[k as usize]).copied().collect();
        let latents = network.latents(&batch, device);
        let mut error = 0.0;
        let taken = adam.descend(&trainee, (&network.params, &moments), &latents, |drawn| {
            let off: Vec<f32> = drawn.numbers().iter().zip(&target).map(|(x, y)| x - y).collect();
            let n = off.len() as f32;
            error = off.iter().map(|v| v * v).sum::<f32>() / n;
            Ok::<_, Error>(Tensor::new(drawn.shape(), off.iter().map(|v| 2.0 * v / n).collect(), device))
        })?;
        (network.params, moments) = (taken.params, taken.memory);
        if step % 50 == 0 || step + 1 == steps {
            println!("step {step:4}: squared error {error:.4}");
        }
    }
    Ok(network)
}
