use super::*;
use crate::{Device, Graph, Network, Tensor};

fn network(graph: Graph) -> Network {
    Network::initial(graph, 0, "weights", &Device::cpu())
}

fn generator(size: usize, width: usize, start: GeneratorStart) -> DcganGenerator {
    DcganGenerator { size: [size; 2], channels: 3, latent: 100, width, norm: Norm::None, start, extra: false }
}

#[test]
fn parameter_counts_are_the_published_ones() {
    // The table of architectures in the E-GAN releases.
    let count = |graph: Graph| network(graph).report().unwrap().parameters;
    assert_eq!(count(mlp_generator(2, 512)), 527_874);
    assert_eq!(count(dcgan_generator(generator(32, 128, GeneratorStart::Linear))), 3_455_363);
    assert_eq!(count(dcgan_generator(generator(32, 128, GeneratorStart::Deconvolution))), 3_447_683);
    let d32 = DcganDiscriminator { size: [32; 2], channels: 3, width: 128, norm: Norm::Batch, minibatch_std: false };
    assert_eq!(count(dcgan_discriminator(d32)), 2_637_441);
    let near =
        |got: usize, millions: f64| assert!((got as f64 / 1e6 - millions).abs() < 0.06, "{got} for {millions} M");
    near(count(dcgan_generator(generator(64, 128, GeneratorStart::Linear))), 33.1);
    near(count(dcgan_generator(generator(128, 64, GeneratorStart::Linear))), 17.9);
    near(count(dcgan_discriminator(DcganDiscriminator { size: [64; 2], ..d32 })), 11.0);
    near(count(dcgan_discriminator(DcganDiscriminator { size: [128; 2], width: 64, ..d32 })), 11.2);
}

#[test]
fn work_is_the_published_one() {
    // 69.5 M and 68.7 M MAC an image at 32 pixels; 4.06 and 4.22 G at 64 and 128.
    let macs = |graph: Graph| network(graph).report().unwrap().macs as f64;
    let near = |got: f64, expected: f64| assert!((got / expected - 1.0).abs() < 0.02, "{got} for {expected}");
    near(macs(dcgan_generator(generator(32, 128, GeneratorStart::Linear))), 69.5e6);
    let d = DcganDiscriminator { size: [32; 2], channels: 3, width: 128, norm: Norm::Batch, minibatch_std: false };
    near(macs(dcgan_discriminator(d)), 68.7e6);
    near(macs(dcgan_generator(generator(64, 128, GeneratorStart::Linear))), 4.06e9);
    near(macs(dcgan_generator(generator(128, 64, GeneratorStart::Linear))), 4.22e9);
}

/// Every generator and every discriminator for images of a size.
fn pairs(size: [usize; 2]) -> (Vec<Graph>, Vec<Graph>) {
    let dcgan = generator(0, 2, GeneratorStart::Linear);
    let generators = vec![
        dcgan_generator(DcganGenerator {
            size,
            norm: Norm::Batch,
            extra: true,
            start: GeneratorStart::Deconvolution,
            ..dcgan
        }),
        dcgan_generator(DcganGenerator { size, norm: Norm::Pixel, ..dcgan }),
        residual_generator(size, 3, 100, 4, Norm::Batch),
        progan_generator(size, 3, 100, 2),
    ];
    let dcgan =
        |norm| dcgan_discriminator(DcganDiscriminator { size, channels: 3, width: 2, norm, minibatch_std: true });
    let discriminators = vec![
        dcgan(Norm::Batch),
        dcgan(Norm::Spectral),
        progan_discriminator(size, 3, 2),
        residual_discriminator(size, 3, 4, Norm::Spectral),
    ];
    (generators, discriminators)
}

#[test]
fn every_network_makes_what_it_says() {
    let z = Tensor::new(&[2, 100], vec![0.3; 200], &Device::cpu());
    for size in [[8, 8], [16, 16], [32, 32], [64, 64], [48, 80], [80, 48], [24, 24], [36, 12], [10, 32]] {
        let (generators, discriminators) = pairs(size);
        for graph in generators {
            let x = network(graph).forward(&z, &[]).unwrap();
            assert_eq!(x.shape(), [2, 3, size[0], size[1]]);
            for graph in &discriminators {
                assert_eq!(network(graph.clone()).forward(&x, &[]).unwrap().shape(), [2, 1]);
            }
        }
    }
}

/// Every parameter has a gradient of its own shape, and so has the input.
fn check_gradient_shapes(graph: Graph, input: &Tensor) {
    let network = network(graph);
    let mut program = crate::Program::new(&network.graph, crate::Mode::Training).unwrap();
    let (x, output) = (program.input().unwrap(), program.output());
    let trainable = program.trainable().iter().map(|&place| program.params()[place]);
    let wanted: Vec<_> = trainable.chain([x]).collect();
    let derivative = program.differentiate(output, &wanted).unwrap();
    let mut run = program.start(&network.params, &[(x, input)]).unwrap();
    let value = network.forward(input, &[]).unwrap();
    run.feed(derivative.cotangent, &value).unwrap();
    for (gradient, &of) in run.fetch_some(&derivative.gradients).unwrap().iter().zip(&wanted) {
        let gradient = gradient.as_ref().unwrap();
        assert_eq!(gradient.shape(), run.shape(of), "{of}");
        assert!(gradient.to_vec().iter().all(|v| v.is_finite()), "{of}");
    }
}

#[test]
fn gradients_of_networks_that_are_not_square_have_the_shapes_of_their_parameters() {
    let (generators, discriminators) = pairs([48, 80]);
    let numbers = |n: usize| (0..n).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<f32>>();
    for graph in generators {
        check_gradient_shapes(graph, &Tensor::new(&[2, 100], numbers(200), &Device::cpu()));
    }
    for graph in discriminators {
        check_gradient_shapes(graph, &Tensor::new(&[2, 3, 48, 80], numbers(2 * 3 * 48 * 80), &Device::cpu()));
    }
}

#[test]
fn maps_double_from_the_form_of_the_image() {
    let graph = dcgan_generator(DcganGenerator { size: [48, 80], ..generator(0, 2, GeneratorStart::Deconvolution) });
    let shapes = graph.shapes(1).unwrap();
    let maps = |name: &str| shapes[graph.find(name).unwrap()][1..].to_vec();
    assert_eq!(
        ["0", "1", "2", "3", "4", "x"].map(maps),
        [[16, 3, 5], [16, 6, 10], [8, 12, 20], [8, 24, 40], [4, 48, 80], [3, 48, 80]]
    );
}

#[test]
#[should_panic(expected = "maps of 100x50 pixels cannot be made by doubling small ones")]
fn a_size_that_is_no_doubling_is_a_mistake() {
    residual_generator([50, 100], 3, 8, 4, Norm::None);
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let graph =
        dcgan_generator(DcganGenerator { width: 8, norm: Norm::Batch, ..generator(32, 8, GeneratorStart::Linear) });
    let network = network(graph);
    let z: Vec<f32> = (0..700).map(|i| ((i * 37 % 101) as f32 - 50.0) / 30.0).collect();
    let all = network.forward(&Tensor::new(&[7, 100], z.clone(), &Device::cpu()), &[]).unwrap().to_vec();
    for i in 0..7 {
        let one = Tensor::new(&[1, 100], z[i * 100..(i + 1) * 100].to_vec(), &Device::cpu());
        assert_eq!(network.forward(&one, &[]).unwrap().to_vec(), all[i * 3072..(i + 1) * 3072]);
    }
}

#[test]
fn a_network_cut_in_two_is_the_whole() {
    let network = network(dcgan_generator(DcganGenerator {
        width: 4,
        norm: Norm::Batch,
        ..generator(32, 4, GeneratorStart::Linear)
    }));
    let z = Tensor::new(&[2, 100], (0..200).map(|i| (i as f32).sin()).collect(), &Device::cpu());
    let whole = network.forward(&z, &[]).unwrap().to_vec();
    let halves = |node: &str| {
        let r = network.until(node).unwrap().forward(&z, &[]).unwrap();
        network.from(node).unwrap().forward(&r, &[]).unwrap().to_vec()
    };
    for node in ["0", "1", "2"] {
        assert_eq!(halves(node), whole, "{node}");
    }
    // A cut between a convolution and its norm is one between numbers that are otherwise never written down.
    let largest = whole.iter().fold(0.0f32, |most, v| most.max(v.abs()));
    assert!(halves("1.deconv").iter().zip(&whole).all(|(a, b)| (a - b).abs() <= 1e-5 * largest));
    let error = network.until("7").unwrap_err().to_string();
    assert!(error.starts_with("there is no node \"7\"; the nodes are: z, 0.linear"), "{error}");
}

#[test]
fn an_edit_of_a_layer_changes_the_image_and_an_empty_one_does_not() {
    let network = network(dcgan_generator(DcganGenerator { width: 4, ..generator(32, 4, GeneratorStart::Linear) }));
    let z = Tensor::new(&[1, 100], vec![0.5; 100], &Device::cpu());
    let plain = network.forward(&z, &[]).unwrap().to_vec();
    let off = |units| network.forward(&z, &[crate::Edit::ablate("1", units)]).unwrap().to_vec();
    assert_eq!(off(vec![]), plain);
    assert_ne!(off((0..8).collect()), plain);
}

#[test]
fn a_description_survives_json() {
    for graph in [
        mlp_discriminator(2, 4, Norm::Batch),
        progan_discriminator([16; 2], 3, 2),
        residual_discriminator([16; 2], 1, 4, Norm::Spectral),
        unet(Unet { shape: [3, 9, 13], classes: 2, width: 2, levels: 2 }),
    ] {
        let json = serde_json::to_string(&graph).unwrap();
        assert_eq!(serde_json::from_str::<Graph>(&json).unwrap(), graph);
    }
}

#[test]
fn a_u_net_keeps_the_size_whatever_it_is() {
    for (height, width, levels) in [(16, 16, 3), (9, 13, 3), (5, 7, 2), (8, 8, 3)] {
        let graph = unet(Unet { shape: [3, height, width], classes: 5, width: 4, levels });
        let network = network(graph);
        let x = Tensor::new(&[2, 3, height, width], vec![0.5; 6 * height * width], &Device::cpu());
        let logits = network.forward(&x, &[]).unwrap();
        assert_eq!(logits.shape(), [2, 5, height, width]);
        check_gradient_shapes(network.graph.as_ref().clone(), &x);
    }
}

#[test]
#[should_panic(expected = "a U-Net of 3 levels for 7x9 pixels")]
fn a_u_net_needs_a_pixel_at_its_end() {
    unet(Unet { shape: [3, 7, 9], classes: 5, width: 4, levels: 3 });
}
