//! Cuts a generator in two at a layer, shows that both halves are the whole, and puts other numbers in between.
//!
//!     cargo run -p ganatomy-kit --example cut_at_layer -- [OUT] [LAYER] [MODEL]
//!
//! What a generator has decided at a layer, and what it leaves to the layers after it, is seen where two of its pictures meet: the
//! left half of the maps of one seed beside the right half of those of another.

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use ganatomy_kit::network::Network;
use ganatomy_kit::{Device, Generator, Result, Tensor, pictures};
use std::path::PathBuf;

/// Pictures in a row.
const SEEDS: u64 = 8;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().unwrap_or_else(|| "out/cut".to_owned()));
    let layer = arguments.next().unwrap_or_else(|| "2".to_owned());
    let model = arguments.next().unwrap_or_else(|| "scenes".to_owned());

    let device = Device::cpu();
    let generator = Generator::open(model, &device)?;
    let network = generator.network();

    // x = tail(head(z)). A layer that is not there is an error that lists those that are.
    let head: Network = network.until(&layer)?;
    let tail: Network = network.from(&layer)?;
    let nodes = |part: &Network| (part.graph.nodes().len(), part.params.elements());
    println!(
        "the whole: {:?} nodes and parameters; head: {:?}; tail: {:?}",
        nodes(network),
        nodes(&head),
        nodes(&tail)
    );

    let seeds: Vec<u64> = (0..SEEDS).collect();
    let latents = network.latents(&seeds, &device);
    let whole = network.forward(&latents, &[])?;
    let inner = head.forward(&latents, &[])?;
    let halves = tail.forward(&inner, &[])?;
    println!("layer {layer} holds {:?}; the images are {:?}", inner.shape(), halves.shape());
    println!("both halves differ from the whole by at most {}", largest_difference(&whole, &halves));

    // The same without a second network: in a program any node can be fed, and what lies before it is not computed.
    let ready = network.inference()?;
    let mut run = ready.start(&[(ready.find(&layer)?, &inner)])?;
    println!("a run fed at the layer by at most {}", largest_difference(&whole, &run.fetch_one(ready.output())?));

    if inner.shape().len() != 4 {
        println!("layer {layer} has no maps that could be joined");
        return Ok(());
    }
    // Each picture's left half with the right half of the next, joined at the layer.
    let joined = tail.forward(&beside_the_next(&inner, &device), &[])?;
    let pixels = beside_the_next(&whole, &device);
    let mut rows = Vec::new();
    for images in [&whole, &pixels, &joined] {
        rows.extend(pictures::from_batch(images.shape(), &images.numbers())?);
    }
    let sheet = pictures::zoomed(&pictures::grid(&rows, SEEDS as usize)?, 2);
    let path = out.join(format!("joined-at-{layer}.png"));
    pictures::write_png(&path, &sheet)?;
    println!("wrote {}: as they are; halves joined as pixels; halves joined at layer {layer}", path.display());
    Ok(())
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
    a.numbers().iter().zip(b.numbers().iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Of maps `[n, c, h, w]` the left half, and the right half of the next ones.
fn beside_the_next(maps: &Tensor, device: &Device) -> Tensor {
    let (from, item, w) = (maps.numbers(), maps.shape()[1..].iter().product::<usize>(), maps.shape()[3]);
    let value = |place: usize| {
        let left = place % w < w / 2;
        from[if left { place } else { (place + item) % from.len() }]
    };
    Tensor::new(maps.shape(), (0..maps.len()).map(value).collect(), device)
}
