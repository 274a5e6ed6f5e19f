//! The shipped networks in inference, as sampling and dissection use them: batches of 1, 16 and 64.

use crate::{Case, Cost, Step};
use net::{Device, Law, Network, Result, Tensor};
use shipped::Kind;
use std::hint::black_box;
use std::path::Path;

/// Images at a time.
const BATCHES: [usize; 3] = [1, 16, 64];

pub(crate) fn cases() -> Vec<Case> {
    let networks = shipped::ALL.into_iter().filter(|network| network.name == "scenes");
    let all = networks.flat_map(|network| BATCHES.map(|batch| (network, batch)));
    all.map(|(network, batch)| {
        let name = match network.kind {
            Kind::Generator => "generator",
            Kind::Segmenter => "segmenter",
        };
        let make = move || step(network, batch);
        Case::new(format!("infer/{name}/b{batch}"), cost(network, batch), make)
    })
    .collect()
}

fn read(network: shipped::Shipped) -> Result<Network> {
    Network::from_bytes(network.bytes, Path::new(network.name), &Device::cpu())
}

fn input(network: &Network, batch: usize) -> Tensor {
    let shape = [&[batch], network.input_shape().as_slice()].concat();
    let values = Law::Normal.draw(shape.iter().product(), &mut base::seed::Stream::new(0, "infer", 0));
    Tensor::new(&shape, values, &Device::cpu())
}

fn step(network: shipped::Shipped, batch: usize) -> Result<Step> {
    pass(&read(network)?, batch)
}

/// A pass of a network over a batch.
pub(crate) fn pass(network: &Network, batch: usize) -> Result<Step> {
    let (x, ready) = (input(network, batch), network.inference()?);
    let (from, to) = (ready.input()?, ready.output());
    Ok(Box::new(move || {
        black_box(ready.start(&[(from, &x)])?.fetch_one(to)?);
        Ok(())
    }))
}

/// The multiply-adds of a pass; weights, inputs and results are read and written once.
fn cost(network: shipped::Shipped, batch: usize) -> Cost {
    let count = || {
        let network = read(network)?;
        let (x, ready) = (input(&network, 1), network.inference()?);
        let mut run = ready.start(&[(ready.input()?, &x)])?;
        let y = run.fetch_one(ready.output())?;
        let numbers = network.params.elements() + batch * (x.len() + y.len());
        Ok::<_, net::Error>(Cost { macs: batch as u64 * run.macs(), bytes: 4 * numbers as u64 })
    };
    count().unwrap_or_default()
}
