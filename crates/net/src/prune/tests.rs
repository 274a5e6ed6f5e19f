use super::*;
use crate::zoo::{self, DcganGenerator, GeneratorStart, Norm};
use crate::{Device, Edit};
use base::seed::Stream;

fn dcgan(norm: Norm, start: GeneratorStart, extra: bool) -> Graph {
    zoo::dcgan_generator(DcganGenerator { size: [16; 2], channels: 3, latent: 5, width: 3, norm, start, extra })
}

/// All parameters drawn at random: biases, shifts and running statistics, too.
fn random(graph: Graph) -> Network {
    let device = Device::cpu();
    let mut network = Network::initial(graph, 1, "weights", &device);
    for place in 0..network.params.tensors().len() {
        let name = network.graph.node(network.graph.params()[place]).name.clone();
        let mut draw = Stream::new(7, "test", place as u64);
        let value = |_| if name.ends_with("var") { draw.uniform(0.5, 2.0) } else { 0.4 * draw.normal() } as f32;
        let shape = network.params.tensors()[place].shape();
        let values = (0..shape.iter().product::<usize>()).map(value).collect();
        network.params.set(place, Tensor::new(shape, values, &device));
    }
    network
}

/// Takes units out, compares with an ablation, and reads the map of the node; comes back with the result.
fn taken_out(network: &Network, node: &str, units: &[usize]) -> Pruned {
    let pruned = network.without_units(node, units).unwrap();
    let z = network.latents(&[1, 2, 3], &Device::cpu());
    let ablated = network.forward(&z, &[Edit::ablate(node, units.to_vec())]).unwrap().to_vec();
    let gone = pruned.network.forward(&z, &[]).unwrap().to_vec();
    let largest = gone.iter().zip(&ablated).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest < 2e-5, "{node} {units:?} {:?}: {largest}", pruned.removal);
    assert_ne!(ablated, network.forward(&z, &[]).unwrap().to_vec(), "the units do something");

    let maps = |network: &Network| network.until(node).unwrap().forward(&z, &[]).unwrap();
    let (whole, left) = (maps(network), maps(&pruned.network));
    let channels = whole.shape()[1];
    let cells: usize = whole.shape()[2..].iter().product();
    let stays: Vec<usize> = (0..channels).filter(|unit| !units.contains(unit)).collect();
    let of =
        |tensor: &[f32], n: usize, image: usize, unit: usize| tensor[(image * n + unit) * cells..][..cells].to_vec();
    let (whole, found) = (whole.to_vec(), left.to_vec());
    for image in 0..3 {
        if pruned.removal == Removal::Removed {
            assert_eq!(left.shape()[1], stays.len());
            for (now, &unit) in stays.iter().enumerate() {
                let (a, b) = (of(&found, stays.len(), image, now), of(&whole, channels, image, unit));
                assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5), "{node} {unit}");
            }
        } else {
            assert_eq!(left.shape()[1], channels);
            for &unit in units {
                assert!(of(&found, channels, image, unit).iter().all(|&v| v == 0.0), "{node} {unit}");
            }
        }
    }
    pruned
}

#[test]
fn channels_disappear_where_nothing_else_needs_them() {
    for (norm, start, extra) in [
        (Norm::Batch, GeneratorStart::Linear, true),
        (Norm::None, GeneratorStart::Linear, false),
        (Norm::Batch, GeneratorStart::Deconvolution, false),
        (Norm::None, GeneratorStart::Deconvolution, true),
    ] {
        let network = random(dcgan(norm, start, extra));
        for node in ["0", "1", "0.maps", "1.deconv"] {
            // What is behind a normalisation or a linear start is looked at through the node itself.
            if network.graph.find(node).is_err() || (node != "0" && node != "1" && norm == Norm::Batch) {
                continue;
            }
            let pruned = taken_out(&network, node, &[0, 2]);
            assert_eq!(pruned.removal, Removal::Removed, "{node}: {:?}", pruned.obstacles);
            assert!(pruned.network.params.elements() < network.params.elements());
            let bytes = pruned.network.to_bytes(crate::Storage::default()).unwrap();
            let back = Network::from_bytes(&bytes, std::path::Path::new("m"), &Device::cpu()).unwrap();
            assert_eq!(back.graph, pruned.network.graph);
        }
    }
}

#[test]
fn weights_are_zero_where_shapes_must_stay() {
    let residual = random(zoo::residual_generator([16; 2], 3, 5, 4, Norm::Batch));
    let sum = taken_out(&residual, "1", &[1, 3]);
    assert_eq!((sum.removal, sum.obstacles), (Removal::Zeroed, vec!["2.a.norm (batch_norm) needs all of them".into()]));
    assert_eq!(taken_out(&residual, "1.b", &[1]).removal, Removal::Removed);
    let progan = random(zoo::progan_generator([8; 2], 3, 6, 2));
    let leaky = taken_out(&progan, "0b.leaky", &[1]);
    assert_eq!((leaky.removal, leaky.obstacles), (Removal::Zeroed, vec!["0b (pixel_norm) needs all of them".into()]));
    // A layer without any unit cannot be written down.
    let small = random(dcgan(Norm::Batch, GeneratorStart::Linear, false));
    let all = taken_out(&small, "1", &[0, 1, 2]);
    assert_eq!((all.removal, all.obstacles), (Removal::Zeroed, vec!["1 would have no unit left".into()]));
}

#[test]
fn a_stored_factor_masks_where_zero_weights_would_change_others() {
    let progan = random(zoo::progan_generator([8; 2], 3, 6, 2));
    let norm = taken_out(&progan, "0b", &[0, 1]);
    assert_eq!(
        (norm.removal, norm.obstacles),
        (Removal::Masked, vec!["0b (pixel_norm) mixes them with others".into()])
    );
    let spectral = random(zoo::residual_generator([16; 2], 3, 5, 4, Norm::Spectral));
    let pruned = taken_out(&spectral, "1.b", &[2]);
    assert_eq!(pruned.removal, Removal::Masked);
    assert!(pruned.obstacles[0].ends_with("(spectral_norm) depends on all of them"), "{:?}", pruned.obstacles);
    // The layer is what it was, an activation, and can be repaired once more.
    let again = taken_out(&pruned.network, "1.b", &[0]);
    let graph = &again.network.graph;
    assert!(graph.node(graph.find("1.b").unwrap()).op.is_activation());
    assert_eq!(again.removal, Removal::Masked);
    // The input of a block of the residual network is read by both its branches.
    let both = taken_out(&random(zoo::residual_generator([16; 2], 3, 5, 4, Norm::None)), "0", &[1]);
    assert_eq!(both.removal, Removal::Removed);
}

#[test]
fn what_cannot_be_taken_out() {
    let network = random(dcgan(Norm::Batch, GeneratorStart::Linear, false));
    let refused = |node: &str, units: &[usize]| network.without_units(node, units).unwrap_err().to_string();
    assert_eq!(refused("1", &[3]), "edit of 1: there is no unit 3; the node has units 0 to 2");
    assert_eq!(refused("x", &[0]), "edit of x: units of the input and of the output cannot be taken out");
    assert_eq!(refused("z", &[0]), "edit of z: units of the input and of the output cannot be taken out");
    assert!(refused("7", &[0]).starts_with("there is no node \"7\""));
    assert_eq!(refused("1.deconv.weight", &[0]), "edit of 1.deconv.weight: the node has no units");
}
