//! D's batch norms in training: batch statistics, running statistics moved.

use crate::{Case, Cost, Setting, Step, nets, numbers};
use net::{Device, Graph, Init, Mode, Network, NodeId, Op, Program, Result, Tensor};
use std::hint::black_box;

pub(crate) fn cases(setting: Setting) -> Vec<Case> {
    let mut cases = Vec::new();
    for layer in &nets::discriminator(setting)[1..] {
        let shape = [setting.batch, layer.shape.o, layer.shape.output[0], layer.shape.output[1]];
        let len: usize = shape.iter().product();
        // Sum, sum of squares, scale and shift; the channels' own numbers do not count.
        let name = format!("norm/{}/forward/{}", layer.name, setting.tag());
        cases.push(Case::new(name, Cost::new(3 * len, 2 * len), move || forward(shape)));
        // Sum of dy, of dy x, and dx as a combination of dy, x and a constant.
        let name = format!("norm/{}/backward/{}", layer.name, setting.tag());
        cases.push(Case::new(name, Cost::new(4 * len, 3 * len), move || backward(shape)));
    }
    cases
}

/// A network of one batch norm, ready for training.
struct Norm {
    program: &'static Program,
    params: net::Params,
    input: NodeId,
    /// The result and the next running statistics.
    forward: Vec<NodeId>,
    cotangent: NodeId,
    /// By the input, the scale and the shift.
    backward: Vec<NodeId>,
}

impl Norm {
    fn new(channels: usize, side: usize) -> Result<Self> {
        let mut layer = Graph::default();
        let x = layer.push("x", Op::input(&[channels, side, side]), &[]);
        let mut param =
            |name: &str, init, trainable| layer.push(name, Op::Param { shape: vec![channels], init, trainable }, &[]);
        let scale = param("scale", Init::Constant(1.0), true);
        let shift = param("shift", Init::Constant(0.0), true);
        let mean = param("mean", Init::Constant(0.0), false);
        let variance = param("variance", Init::Constant(1.0), false);
        layer.push("y", Op::BatchNorm { epsilon: 1e-5, momentum: 0.1 }, &[x, scale, shift, mean, variance]);
        let params = Network::initial(layer.clone(), 0, "norm", &Device::cpu()).params;
        let mut program = Program::new(&layer, Mode::Training)?;
        let (input, output) = (program.input()?, program.output());
        let trainable = program.trainable().iter().map(|&place| program.params()[place]);
        let wanted: Vec<NodeId> = [input].into_iter().chain(trainable).collect();
        let derivative = program.differentiate(output, &wanted)?;
        let forward = [output].into_iter().chain(program.updates().iter().map(|&(_, next)| next)).collect();
        // A run borrows its program: these few nodes live as long as the process.
        let program = Box::leak(Box::new(program));
        let (cotangent, backward) = (derivative.cotangent, derivative.nodes());
        Ok(Self { program, params, input, forward, cotangent, backward })
    }
}

fn tensor(shape: [usize; 4], purpose: &str) -> Tensor {
    Tensor::new(&shape, numbers(shape.iter().product(), purpose), &Device::cpu())
}

fn forward(shape: [usize; 4]) -> Result<Step> {
    let norm = Norm::new(shape[1], shape[2])?;
    let x = tensor(shape, "x");
    Ok(Box::new(move || {
        let mut run = norm.program.start(&norm.params, &[(norm.input, &x)])?;
        // As in training: what the backward pass reads is kept.
        black_box(run.fetch_before(&norm.forward, &norm.backward)?);
        Ok(())
    }))
}

fn backward(shape: [usize; 4]) -> Result<Step> {
    let norm = Norm::new(shape[1], shape[2])?;
    let (x, dy) = (tensor(shape, "x"), tensor(shape, "dy"));
    let mut forward = norm.program.start(&norm.params, &[(norm.input, &x)])?;
    forward.fetch_before(&norm.forward, &norm.backward)?;
    Ok(Box::new(move || {
        let mut run = forward.fork();
        run.feed(norm.cotangent, &dy)?;
        black_box(run.fetch(&norm.backward)?);
        Ok(())
    }))
}
