use super::*;
use crate::zoo::{DcganDiscriminator, DcganGenerator, GeneratorStart, Norm, Unet};
use crate::{Conv, Device, Edit, Feed, Graph, Init, Mode, Network, Op, Shift, zoo};
use tensor::Unary;

fn generator(norm: Norm, size: usize) -> Graph {
    zoo::dcgan_generator(DcganGenerator {
        size: [size; 2],
        channels: 3,
        latent: 4,
        width: 16,
        norm,
        start: GeneratorStart::Deconvolution,
        extra: true,
    })
}

/// Networks with every kind of layer that a convolution can take in, with numbers in their norms that matter.
fn networks() -> Vec<Network> {
    let discriminator =
        DcganDiscriminator { size: [16; 2], channels: 3, width: 12, norm: Norm::Batch, minibatch_std: true };
    let graphs = [
        generator(Norm::Batch, 16),
        generator(Norm::Spectral, 32),
        zoo::dcgan_discriminator(discriminator),
        zoo::dcgan_discriminator(DcganDiscriminator { norm: Norm::Spectral, ..discriminator }),
        zoo::unet(Unet { shape: [3, 20, 12], classes: 5, width: 12, levels: 2 }),
        grouped(false),
        grouped(true),
    ];
    graphs.map(disturbed).into()
}

/// A convolution of three groups whose channels are scaled and shifted.
fn grouped(transposed: bool) -> Graph {
    let mut graph = Graph::default();
    let param = |graph: &mut Graph, name: &str, shape: &[usize]| {
        graph.push(name, Op::Param { shape: shape.to_vec(), init: Init::normal(1.0), trainable: true }, &[])
    };
    let x = graph.push("x", Op::input(&[6, 5, 4]), &[]);
    let shape = if transposed { [6, 3, 3, 2] } else { [9, 2, 3, 2] };
    let (w, b) = (param(&mut graph, "w", &shape), param(&mut graph, "b", &[9]));
    let conv = Conv { groups: 3, ..Conv::new(1, 1) };
    let op = if transposed { Op::ConvTranspose2d { conv, output_padding: 0 } } else { Op::conv2d(conv) };
    let y = graph.push("y", op, &[x, w, b]);
    let scaled = graph.push("scaled", Unary::Scale { factor: 0.5 }, &[y]);
    let m = param(&mut graph, "m", &[9]);
    let times = graph.push("times", Op::MulChannel, &[scaled, m]);
    let a = param(&mut graph, "a", &[9]);
    let plus = graph.push("plus", Op::AddChannel, &[times, a]);
    graph.push("leaky", Unary::LeakyRelu { slope: 0.2 }, &[plus]);
    graph
}

/// The network with running statistics that are not those of a new one.
fn disturbed(graph: Graph) -> Network {
    let mut network = Network::initial(graph, 3, "weights", &Device::cpu());
    for place in 0..network.params.tensors().len() {
        let tensor = &network.params.tensors()[place];
        if tensor.shape().len() == 1 {
            let values = tensor.to_vec().iter().enumerate().map(|(i, v)| v + 0.1 + (i % 5) as f32 * 0.2).collect();
            network.params.set(place, Tensor::new(tensor.shape(), values, &Device::cpu()));
        }
    }
    network
}

fn input(network: &Network, n: usize) -> Tensor {
    let shape = [&[n], network.input_shape().as_slice()].concat();
    let values = (0..shape.iter().product::<usize>()).map(|i| ((i * 7919 % 101) as f32 - 50.0) / 30.0).collect();
    Tensor::new(&shape, values, &Device::cpu())
}

fn close(a: &Tensor, b: &Tensor) -> bool {
    let (a, b) = (a.to_vec(), b.to_vec());
    let scale = b.iter().fold(1e-3f32, |most, v| most.max(v.abs()));
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= 2e-5 * scale)
}

#[test]
fn every_node_is_what_it_is_without_preparation() {
    for network in networks() {
        let x = input(&network, 3);
        let (program, ready) = (Program::inference(&network.graph).unwrap(), network.inference().unwrap());
        let entry = program.input().unwrap();
        let names = network.graph.nodes().iter().filter(|node| !matches!(node.op, Op::Param { .. } | Op::Input { .. }));
        let names: Vec<&str> = names.map(|node| node.name.as_str()).collect();
        let nodes: Vec<NodeId> = names.iter().map(|name| program.find(name).unwrap()).collect();
        let plain = program.start(&network.params, &[(entry, &x)]).unwrap().fetch(&nodes).unwrap();
        for ((&node, name), plain) in nodes.iter().zip(&names).zip(&plain) {
            let found = ready.start(&[(entry, &x)]).unwrap().fetch_one(node).unwrap();
            assert!(close(&found, plain), "{name}");
        }
        let macs = |mut run: Run<'_>| {
            run.fetch_one(program.output()).unwrap();
            run.macs()
        };
        let alone = macs(program.start(&network.params, &[(entry, &x)]).unwrap());
        let found = macs(ready.start(&[(entry, &x)]).unwrap());
        // What follows from parameters alone is not computed again.
        assert!(found > 0 && found <= alone, "{found} of {alone}");
        // Every node at once: nothing is taken in then.
        let all = ready.start(&[(entry, &x)]).unwrap().fetch(&nodes).unwrap();
        assert!(all.iter().zip(&plain).all(|(a, b)| close(a, b)));
    }
}

#[test]
fn convolutions_take_in_norm_and_activation() {
    let network = disturbed(generator(Norm::Batch, 16));
    let ready = network.inference().unwrap();
    let known: Vec<bool> = ready.0.constants.iter().map(Option::is_some).collect();
    let question = crate::program::plan::Question {
        known: (0..known.len()).map(|id| known[id] || id == ready.input().unwrap()).collect(),
        wanted: vec![ready.output()],
        later: Vec::new(),
        edited: Vec::new(),
        ready: true,
    };
    // The latent's reshape, and convolutions: nothing else is left.
    let works = ready.plan(question).works.len();
    let convolutions = network.graph.nodes().iter().filter(|node| node.name.ends_with("conv") || node.name == "image");
    assert_eq!(works, 1 + convolutions.count());
}

#[test]
fn an_image_alone_has_the_bits_of_one_in_a_batch() {
    for network in networks().into_iter().filter(|network| network.graph.find("0.deconv").is_ok()) {
        let x = input(&network, 5);
        let ready = network.inference().unwrap();
        let entry = ready.input().unwrap();
        let all = ready.start(&[(entry, &x)]).unwrap().fetch_one(ready.output()).unwrap().to_vec();
        let one = Tensor::new(&[1, 4], x.to_vec()[8..12].to_vec(), &Device::cpu());
        let one = ready.start(&[(entry, &one)]).unwrap().fetch_one(ready.output()).unwrap().to_vec();
        assert_eq!(one, all[2 * one.len()..3 * one.len()]);
    }
}

#[test]
fn edits_inside_of_a_chain_are_done() {
    let network = disturbed(generator(Norm::Batch, 16));
    let z = input(&network, 2);
    let (program, ready) = (Program::inference(&network.graph).unwrap(), network.inference().unwrap());
    let entry = program.input().unwrap();
    for node in ["1.deconv", "1.norm", "1", "image", "x"] {
        let edits = [Edit::force(node, vec![1], 0.7)];
        let mut plain = program.start(&network.params, &[(entry, &z)]).unwrap();
        plain.edit(&edits).unwrap();
        let mut found = ready.start(&[(entry, &z)]).unwrap();
        found.edit(&edits).unwrap();
        let (plain, found) = (plain.fetch_one(program.output()).unwrap(), found.fetch_one(ready.output()).unwrap());
        assert!(close(&found, &plain), "{node}");
        assert_ne!(found.to_vec(), network.forward(&z, &[]).unwrap().to_vec(), "{node}");
    }
}

#[test]
fn a_node_is_shifted_before_it_is_edited_wherever_it_is() {
    let network = disturbed(generator(Norm::Batch, 16));
    let z = input(&network, 2);
    let (program, ready) = (Program::inference(&network.graph).unwrap(), network.inference().unwrap());
    let (entry, output) = (program.input().unwrap(), program.output());
    for node in ["1.deconv", "1.norm", "1", "image"] {
        let id = program.find(node).unwrap();
        let h = program.start(&network.params, &[(entry, &z)]).unwrap().fetch_one(id).unwrap();
        let by = Tensor::new(h.shape(), (0..h.len()).map(|i| (i % 7) as f32 * 0.3 - 0.8).collect(), &Device::cpu());
        let edit = Edit { alpha: 0.5, ..Edit::force(node, vec![0], 0.7) };
        // By hand: the sum, edited, fed.
        let r = edit.apply(&h.add(&by), 1).unwrap();
        let by_hand = program.start(&network.params, &[(entry, &z), (id, &r)]).unwrap().fetch_one(output).unwrap();
        let feed = Feed { shift: Some(Shift { node: node.into(), by: by.clone() }), ..z.clone().into() };
        let mut run = ready.begin(&feed).unwrap();
        run.edit(std::slice::from_ref(&edit)).unwrap();
        let mut fork = run.fork();
        assert!(close(&run.fetch_one(output).unwrap(), &by_hand), "{node}");
        fork.edit(&[]).unwrap();
        assert_eq!(
            fork.fetch_one(id).unwrap().to_vec(),
            ready.begin(&z.clone().into()).unwrap().fetch_one(id).unwrap().add(&by).to_vec()
        );
        // A value that is fed is what it is.
        let mut fed = ready.begin(&feed).unwrap();
        fed.feed(id, &h).unwrap();
        let plain = ready.begin(&z.clone().into()).unwrap().fetch_one(output).unwrap();
        assert!(close(&fed.fetch_one(output).unwrap(), &plain), "{node}");
    }
}

#[test]
fn a_shift_that_does_not_fit_is_refused_before_anything_runs() {
    let network = disturbed(generator(Norm::Batch, 16));
    let (ready, z) = (network.inference().unwrap(), input(&network, 2));
    let refused = |node: &str, shape: &[usize]| {
        let by = Tensor::new(shape, vec![0.0; shape.iter().product()], &Device::cpu());
        let feed = Feed { shift: Some(Shift { node: node.into(), by }), ..z.clone().into() };
        ready.begin(&feed).err().unwrap().to_string()
    };
    assert!(
        refused("1", &[1, 16, 8, 8]).contains("expected [2, 16, 8, 8], found [1, 16, 8, 8]"),
        "{}",
        refused("1", &[1])
    );
    assert!(refused("none", &[1]).starts_with("there is no node \"none\""));
}

#[test]
fn gradients_go_through_what_is_taken_in() {
    let network = disturbed(generator(Norm::Batch, 16));
    let z = input(&network, 2);
    let mut program = Program::new(&network.graph, Mode::Inference).unwrap();
    let (entry, output) = (program.input().unwrap(), program.output());
    let derivative = program.differentiate(output, &[entry]).unwrap();
    let ready = Ready::new(program.clone(), &network.params).unwrap();
    let of = |mut run: Run<'_>| {
        let x = run.fetch_before(&[output], &derivative.nodes()).unwrap().remove(0);
        run.feed(derivative.cotangent, &x).unwrap();
        run.fetch(&derivative.nodes()).unwrap().remove(0)
    };
    let plain = of(program.start(&network.params, &[(entry, &z)]).unwrap());
    let found = of(ready.start(&[(entry, &z)]).unwrap());
    assert!(close(&found, &plain));
}

#[test]
fn what_stays_cannot_be_fed_and_a_device_computes_node_by_node() {
    let network = disturbed(generator(Norm::Batch, 16));
    let ready = network.inference().unwrap();
    let mut run = ready.start(&[]).unwrap();
    let (node, tensor) = (ready.params()[0], &network.params.tensors()[0]);
    let error = run.feed(node, tensor).unwrap_err().to_string();
    assert!(error.contains("0.deconv.weight cannot be fed"), "{error}");

    let there = Device::stand_in();
    let abroad = network.params.tensors().iter().map(|tensor| tensor.on(&there)).collect();
    let abroad = Network { params: Params::new(abroad), ..network.clone() };
    let z = input(&network, 2);
    assert!(close(&abroad.forward(&z.on(&there), &[]).unwrap(), &network.forward(&z, &[]).unwrap()));
}
