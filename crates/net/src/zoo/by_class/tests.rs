use super::*;
use crate::zoo::{self, DcganDiscriminator, DcganGenerator, GeneratorStart, Norm};
use crate::{Device, Law, Mode, Network, Params, Program, Tensor, Trainee, one_hot};
use base::seed::Stream;

const CLASSES: usize = 3;

fn dcgan(norm: Norm) -> DcganGenerator {
    let (size, start) = ([8; 2], GeneratorStart::Deconvolution);
    DcganGenerator { size, channels: 1, latent: 3, width: 2, norm, start, extra: true }
}

fn generators() -> Vec<Graph> {
    vec![
        zoo::dcgan_generator(dcgan(Norm::Batch)),
        zoo::dcgan_generator(DcganGenerator { start: GeneratorStart::Linear, ..dcgan(Norm::None) }),
        zoo::dcgan_generator(dcgan(Norm::Pixel)),
        zoo::residual_generator([8; 2], 1, 3, 2, Norm::Batch),
        zoo::progan_generator([8; 2], 1, 3, 2),
        zoo::mlp_generator(3, 4),
    ]
}

fn discriminators() -> Vec<Graph> {
    let dcgan = |norm, minibatch_std| {
        zoo::dcgan_discriminator(DcganDiscriminator { size: [8; 2], channels: 1, width: 2, norm, minibatch_std })
    };
    vec![
        dcgan(Norm::Batch, true),
        dcgan(Norm::None, false),
        zoo::residual_discriminator([8; 2], 1, 2, Norm::None),
        zoo::progan_discriminator([8; 2], 1, 2),
    ]
}

fn network(graph: Graph) -> Network {
    Network::initial(graph, 3, "weights", &Device::cpu())
}

/// All parameters somewhere, so that no class is like another.
fn shaken(mut network: Network) -> Network {
    for i in 0..network.params.tensors().len() {
        let tensor = &network.params.tensors()[i];
        let mut stream = Stream::new(5, "shake", i as u64);
        let values = tensor.to_vec().iter().map(|v| v + 0.05 * stream.uniform(0.5, 1.0) as f32).collect();
        network.params.set(i, Tensor::new(tensor.shape(), values, &Device::cpu()));
    }
    network
}

fn output(network: &Network, x: &Tensor, classes: &[usize]) -> Vec<f32> {
    let ready = network.inference().unwrap();
    let label = one_hot(classes, CLASSES, &Device::cpu());
    let class = ready.find("class").unwrap();
    ready.start(&[(ready.input().unwrap(), x), (class, &label)]).unwrap().fetch_one(ready.output()).unwrap().to_vec()
}

#[test]
fn a_generator_begins_as_the_one_without_classes_and_reads_seeds() {
    for graph in generators() {
        let plain = network(graph.clone());
        let mut by_class = network(generator_by_class(&graph, CLASSES).unwrap());
        let place = |name: &str| by_class.graph.params().binary_search(&by_class.graph.find(name).unwrap()).unwrap();
        let places: Vec<usize> = plain.graph.params().iter().map(|&id| place(&plain.graph.node(id).name)).collect();
        for (at, tensor) in places.into_iter().zip(plain.params.tensors()) {
            by_class.params.set(at, tensor.clone());
        }
        let z = plain.latents(&[1, 2], &Device::cpu());
        let (known, found) = (plain.forward(&z, &[]).unwrap().to_vec(), output(&by_class, &z, &[0, 2]));
        assert!(known.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-5));
        assert!(by_class.graph.reads_seeds());
        assert_eq!(by_class.label(), Some(("class", CLASSES)));
        // What people look at keeps its name.
        let last = by_class.graph.node(by_class.graph.output()).name.clone();
        assert_eq!(last, plain.graph.node(plain.graph.output()).name);
        assert!(plain.graph.nodes().iter().all(|node| by_class.graph.find(&node.name).is_ok()));
    }
}

#[test]
fn classes_change_what_comes_out_of_both_and_of_each_in_its_place_alone() {
    let generators = generators().into_iter().map(|graph| generator_by_class(&graph, CLASSES).unwrap());
    let discriminators = discriminators().into_iter().map(|graph| discriminator_by_class(&graph, CLASSES).unwrap());
    for graph in generators.chain(discriminators) {
        // The standard deviation over the batch makes one answer depend on the others.
        let alone = graph.find("minibatch_std").is_err();
        let network = shaken(network(graph));
        let shape = network.input_shape();
        let one = Law::Normal.batch(1, &shape, 4, "test", 0, &Device::cpu()).to_vec();
        let x = Tensor::new(&[&[3], shape.as_slice()].concat(), one.repeat(3), &Device::cpu());
        let found = output(&network, &x, &[0, 1, 0]);
        let each = found.len() / 3;
        assert_eq!(found[..each], found[2 * each..]);
        assert_ne!(found[..each], found[each..2 * each]);
        let x = Tensor::new(&[&[1], shape.as_slice()].concat(), one, &Device::cpu());
        if alone {
            assert_eq!(output(&network, &x, &[1]), found[each..2 * each]);
        }
    }
}

/// The projection by hand: the logit without classes, and the product of the features with the row of the class.
#[test]
fn the_projection_adds_the_class_s_own_logit() {
    let plain = &discriminators()[1];
    let network = shaken(network(discriminator_by_class(plain, CLASSES).unwrap()));
    let x = Law::Normal.batch(2, &[1, 8, 8], 4, "test", 0, &Device::cpu());
    let ready = network.inference().unwrap();
    let label = one_hot(&[2, 0], CLASSES, &Device::cpu());
    let mut run = ready.start(&[(ready.input().unwrap(), &x), (ready.find("class").unwrap(), &label)]).unwrap();
    let fetched = run.fetch(&["flat", "logit", "class.logit"].map(|name| ready.find(name).unwrap())).unwrap();
    let [phi, logit, found] = [0, 1, 2].map(|i| fetched[i].to_vec());
    let weight = network.graph.params().binary_search(&network.graph.find("class.weight").unwrap()).unwrap();
    let rows = network.params.tensors()[weight].to_vec();
    let features = phi.len() / 2;
    for (k, class) in [2, 0].into_iter().enumerate() {
        let row = &rows[class * features..][..features];
        let own: f32 = row.iter().zip(&phi[k * features..]).map(|(a, b)| a * b).sum();
        assert!((found[k] - logit[k] - own).abs() < 1e-5, "{} for {}", found[k], logit[k] + own);
    }
}

/// The objective of a training pass in f64, with some weights.
fn objective(side: &Trainee, params: &Params, fed: &[(NodeId, &Tensor)], weights: &Tensor) -> f64 {
    let y = side.program.start(params, fed).unwrap().fetch_one(side.output).unwrap();
    y.to_vec_f64().iter().zip(weights.to_vec_f64()).map(|(a, b)| a * b).sum()
}

#[test]
fn gradients_agree_with_finite_differences() {
    let generators = generators().into_iter().map(|graph| generator_by_class(&graph, CLASSES).unwrap());
    let discriminators = discriminators().into_iter().map(|graph| discriminator_by_class(&graph, CLASSES).unwrap());
    let wide = |t: &Tensor| Tensor::new_f64(t.shape(), t.to_vec_f64());
    for graph in generators.chain(discriminators) {
        let network = shaken(network(graph.clone()));
        let params = Params::new(network.params.tensors().iter().map(&wide).collect());
        let side = Trainee::new(&graph).unwrap();
        let x = wide(&Law::Normal.batch(4, &network.input_shape(), 4, "test", 0, &Device::cpu()));
        let label = wide(&one_hot(&[0, 1, 2, 0], CLASSES, &Device::cpu()));
        let fed = [(side.input, &x), (side.label.unwrap(), &label)];
        let mut run = side.program.start(&params, &fed).unwrap();
        let shape = run.shape(side.output).to_vec();
        let weights = wide(&Law::Normal.batch(1, &shape, 9, "test", 0, &Device::cpu()));
        let weights = Tensor::new_f64(&shape, weights.to_vec_f64());
        run.feed(side.by_params.cotangent, &weights).unwrap();
        let gradients = run.fetch_some(&side.by_params.gradients).unwrap();
        let mut compared = 0;
        for (&place, gradient) in side.program.trainable().iter().zip(&gradients) {
            let name = &graph.node(graph.params()[place]).name;
            if !name.starts_with("class") {
                continue;
            }
            let (values, found) = (params.tensors()[place].to_vec_f64(), gradient.as_ref().unwrap().to_vec_f64());
            for i in (0..values.len()).step_by(values.len().div_ceil(7)) {
                let moved = |by: f64| {
                    let mut changed = values.clone();
                    changed[i] += by;
                    let mut params = params.clone();
                    params.set(place, Tensor::new_f64(network.params.tensors()[place].shape(), changed));
                    objective(&side, &params, &fed, &weights)
                };
                let expected = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                let close = (found[i] - expected).abs() < 1e-5 * (1.0 + expected.abs());
                assert!(close, "{name}[{i}]: {} for {expected}", found[i]);
                compared += 1;
            }
        }
        assert!(compared >= 6, "{compared}");
    }
}

#[test]
fn a_spectral_discriminator_has_a_spectral_projection_that_moves_its_vectors() {
    let d = DcganDiscriminator { size: [8; 2], channels: 1, width: 2, norm: Norm::Spectral, minibatch_std: true };
    let graph = discriminator_by_class(&zoo::dcgan_discriminator(d), CLASSES).unwrap();
    let program = Program::new(&graph, Mode::Training).unwrap();
    let moved: Vec<&str> =
        program.updates().iter().map(|&(place, _)| graph.node(graph.params()[place]).name.as_str()).collect();
    assert!(moved.contains(&"class.u") && moved.contains(&"class.v"), "{moved:?}");
}

#[test]
fn what_ends_in_no_logit_is_refused() {
    let error = discriminator_by_class(&zoo::mlp_generator(2, 4), CLASSES);
    assert!(error.is_ok(), "its points are linear");
    let error = discriminator_by_class(&generators()[0], CLASSES).unwrap_err().to_string();
    assert_eq!(error, "node x is no linear layer to a logit");
}
