//! Writes a generator built by hand, whose every pixel is known, with all that the studio shows of one: what the browser's tests paint on.
//!
//! `cargo run -p ganatomy-studio --example by_hand OUT` writes, within seconds,
//!
//! - `OUT/model.safetensors`: pictures of 32 x 32 pixels from 7 numbers `z`, each drawn evenly from -1 to 1;
//! - `OUT/other.safetensors`: the same on a lighter ground, so that it is another model;
//! - `OUT/segmenter.safetensors`: says of a pixel which of five colours is the nearest: none (dark), red, green, blue or yellow;
//! - `OUT/found`: the dissection of layer `units` of the first, and the search for what causes red and yellow;
//! - `OUT/latents.json`: the numbers `z` of seeds 0 to 63, which the formula needs.
//!
//! Layer `units` has 7 units of 8 x 8 cells (rows from above, columns from the left, both from 0); a cell is 4 x 4 pixels:
//!
//! | unit | where it is on | when |
//! |---|---|---|
//! | 0, red disc | 1 where `(row - 2.5)² + (column - 1.5)² <= 4` | `z[0] > 0` |
//! | 1, green stripe | 1 in row 6 | `z[1] > 0` |
//! | 2, blue gradient | `(2 column - 7) / 8` in rows 0 to 5 and columns 4 to 7 | `z[2] > 0` |
//! | 3, colour shift | `(z[3] + 1) / 2` everywhere | always |
//! | 4, lamps | 1 at (7, 1), (7, 4) and (7, 6) | `z[4] > 0` |
//! | 5, ceiling | 1 in rows 0 to 3 | always |
//! | 6, idle | 1 where `row + column` is even | `z[6] > 0` |
//!
//! Layer `seen` has what comes of them: `max(0, red)`, `max(0, green)`, `max(0, blue)`, `max(0, shift)` and `max(0, lamps - 4 ceiling)`: no
//! lamp is seen below a ceiling, however strongly it is asked for. Idle is not seen. A pixel's colours, in -1 to 1, are
//!
//! ```text
//! red   = -0.5 + 1.5 red   + 1.5 lamps + 0.125 shift
//! green = -0.5 + 1.5 green + 1.5 lamps
//! blue  = -0.5 + 1.5 blue              - 0.125 shift
//! ```

use data::{Class, Plane};
use dissect::{CausalSettings, Settings};
use models::{Causes, Dissecting, Generator, Unwatched};
use net::{Conv, Device, Graph, Init, Law, Network, NodeId, Op, Params, Role, Storage, Tensor, Unary};
use segment::Segmenter;
use std::error::Error;
use std::path::{Path, PathBuf};

const UNITS: usize = 7;
const SEEN: usize = 5;
/// Cells on each side of a map.
const CELLS: usize = 8;
/// Pixels on each side of a cell.
const CELL: usize = 4;
/// Seeds whose latents are written.
const SEEDS: u64 = 64;
/// The colours that the segmenter knows, in -1 to 1, as the generator makes them.
const COLOURS: [(&str, [f32; 3]); 5] = [
    ("none", [-0.5, -0.5, -0.5]),
    ("red", [1.0, -0.5, -0.5]),
    ("green", [-0.5, 1.0, -0.5]),
    ("blue", [-0.5, -0.5, 1.0]),
    ("yellow", [1.0, 1.0, -0.5]),
];

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::args_os().nth(1).ok_or("give the folder to write to")?);
    std::fs::create_dir_all(&out)?;
    let (model, segmenter) = (out.join("model.safetensors"), out.join("segmenter.safetensors"));
    generator(-0.5).save(&model, Storage::F32)?;
    generator(-0.25).save(out.join("other.safetensors"), Storage::F32)?;
    std::fs::write(&segmenter, nearest_colour()?.to_bytes(Storage::F32)?)?;
    std::fs::write(out.join("latents.json"), latents()?)?;
    dissection(&model, &segmenter, &out.join("found"))
}

/// A network that is written down node by node.
#[derive(Default)]
struct ByHand {
    graph: Graph,
    params: Vec<Tensor>,
}

impl ByHand {
    fn node(&mut self, name: &str, op: impl Into<Op>, inputs: &[NodeId]) -> NodeId {
        self.graph.push(name, op, inputs)
    }

    fn param(&mut self, name: &str, shape: &[usize], values: Vec<f32>) -> NodeId {
        self.params.push(Tensor::new(shape, values, &Device::cpu()));
        self.node(name, Op::Param { shape: shape.to_vec(), init: Init::Constant(0.0), trainable: true }, &[])
    }

    /// Each cell's units are these sums of `x`'s: a row of `weights` for each.
    fn mixed(&mut self, name: &str, x: NodeId, weights: &[&[f32]], bias: &[f32]) -> NodeId {
        let shape = [weights.len(), weights[0].len(), 1, 1];
        let w = self.param(&format!("{name}.weight"), &shape, weights.concat());
        let b = self.param(&format!("{name}.bias"), &[bias.len()], bias.to_vec());
        self.node(name, Op::conv2d(Conv::new(1, 0)), &[x, w, b])
    }

    fn network(self, note: &str) -> Network {
        let notes = vec![("made by".into(), note.into())];
        Network { graph: self.graph.into(), params: Params::new(self.params), notes }
    }
}

/// What a unit's map is made of at a cell: this much of whether `z[unit] > 0`, of `z[unit]`, and this much always.
fn pattern(unit: usize, row: usize, column: usize) -> [f32; 3] {
    let (y, x) = (row as f32, column as f32);
    let when = |on: bool| [f32::from(u8::from(on)), 0.0, 0.0];
    match unit {
        0 => when((y - 2.5).powi(2) + (x - 1.5).powi(2) <= 4.0),
        1 => when(row == 6),
        2 if row < 6 && column >= 4 => [(2.0 * x - 7.0) / 8.0, 0.0, 0.0],
        3 => [0.0, 0.5, 0.5],
        4 => when(row == 7 && [1, 4, 6].contains(&column)),
        5 if row < 4 => [0.0, 0.0, 1.0],
        6 => when((row + column).is_multiple_of(2)),
        _ => [0.0; 3],
    }
}

fn generator(ground: f32) -> Network {
    let mut made = ByHand::default();
    let input = Op::Input { shape: vec![UNITS], batch: true, role: Some(Role::Latent), law: Some(Law::Uniform) };
    let z = made.node("z", input, &[]);
    // So steep that it is 0 or 1 for every number that is drawn.
    let steep = made.node("steep", Unary::Scale { factor: 1e9 }, &[z]);
    let is_on = made.node("is_on", Unary::Sigmoid, &[steep]);
    let both = made.node("both", Op::concat(1), &[is_on, z]);
    let maps = UNITS * CELLS * CELLS;
    let (mut weights, mut bias) = (vec![0.0; maps * 2 * UNITS], vec![0.0; maps]);
    for at in 0..maps {
        let (unit, cell) = (at / (CELLS * CELLS), at % (CELLS * CELLS));
        let [when, of_z, always] = pattern(unit, cell / CELLS, cell % CELLS);
        weights[at * 2 * UNITS + unit] = when;
        weights[at * 2 * UNITS + UNITS + unit] = of_z;
        bias[at] = always;
    }
    let w = made.param("maps.weight", &[maps, 2 * UNITS], weights);
    let b = made.param("maps.bias", &[maps], bias);
    let flat = made.node("flat", Op::Linear, &[both, w, b]);
    let maps = made.node("maps", Op::Reshape { shape: vec![UNITS, CELLS, CELLS] }, &[flat]);
    let units = made.node("units", Unary::Relu, &[maps]);
    let next: [&[f32]; SEEN] = [
        &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        &[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        &[0.0, 0.0, 0.0, 0.0, 1.0, -4.0, 0.0],
    ];
    let vetoed = made.mixed("vetoed", units, &next, &[0.0; SEEN]);
    let seen = made.node("seen", Unary::Relu, &[vetoed]);
    let large = made.node("large", Op::UpsampleNearest { factor: CELL }, &[seen]);
    let colours: [&[f32]; 3] =
        [&[1.5, 0.0, 0.0, 0.125, 1.5], &[0.0, 1.5, 0.0, 0.0, 1.5], &[0.0, 0.0, 1.5, -0.125, 0.0]];
    made.mixed("x", large, &colours, &[ground; 3]);
    made.network("hand")
}

/// The nearest colour is that with the largest `2 c x - |c|²`.
fn nearest_colour() -> Result<Segmenter, Box<dyn Error>> {
    let mut made = ByHand::default();
    let x = made.node("image", Op::input(&[3, CELLS * CELL, CELLS * CELL]), &[]);
    let weights = COLOURS.map(|(_, colour)| colour.map(|v| 2.0 * v));
    let weights: Vec<&[f32]> = weights.iter().map(<[f32; 3]>::as_slice).collect();
    let bias = COLOURS.map(|(_, colour)| -colour.iter().map(|v| v * v).sum::<f32>());
    made.mixed("logits", x, &weights, &bias);
    let class = |(name, colour): (&str, [f32; 3])| Class { name: name.into(), colour: colour.map(data::byte_of) };
    let plane = Plane { name: "colours".into(), classes: COLOURS.map(class).into(), ignore: Some(0) };
    Ok(Segmenter::new(made.network("hand"), vec![plane])?)
}

fn latents() -> Result<String, Box<dyn Error>> {
    let seeds: Vec<u64> = (0..SEEDS).collect();
    let numbers = generator(0.0).latents(&seeds, &Device::cpu()).to_vec();
    let rows: Vec<&[f32]> = numbers.chunks_exact(UNITS).collect();
    Ok(serde_json::to_string(&rows)? + "\n")
}

fn dissection(model: &Path, segmenter: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let device = Device::cpu();
    let (generator, classes) = (Generator::open(model, &device)?, Segmenter::load(segmenter, &device)?);
    let subject = generator.subject(&["units".into()])?;
    // The levels are those that fit best: graded units have no other good one.
    let settings =
        Settings { samples: 256, fit_samples: 128, top_images: 4, rule: dissect::Rule::Iqr, ..Settings::default() };
    let names = [model, segmenter].map(|path| path.display().to_string());
    let task = Dissecting::new((subject.clone(), &names[0]), (&classes, &names[1]), settings)?;
    let found = task.run(out, &mut Unwatched)?.ok_or("the dissection was not finished")?;
    let settings = CausalSettings {
        pool: 64,
        kept: 24,
        held_out: 4,
        epochs: 6,
        curve_images: 32,
        curve_units: vec![1, 2],
        insertion_images: 32,
        ..CausalSettings::default()
    };
    let causes = Causes::new(&found, "units", subject, (&classes, segmenter), settings)?;
    for class in ["red", "yellow"] {
        let concept = found.concept(class)?;
        causes.search(concept, &out.join(format!("causal-{class}.json")), &mut Unwatched)?;
    }
    Ok(())
}
