//! What is written for others is the same network.

mod cases;

use ganatomy_export as export;
use net::{Device, Edit, Network, Op, Storage};

#[test]
fn a_portable_network_gives_the_same() {
    for (name, network) in cases::all() {
        let x = cases::samples(&network);
        let portable = export::portable(&network).unwrap();
        let (wanted, given) = (network.forward(&x, &[]).unwrap(), portable.forward(&x, &[]).unwrap());
        let largest = wanted.numbers().iter().fold(1e-6f32, |most, v| most.max(v.abs()));
        let off =
            wanted.numbers().iter().zip(given.numbers().iter()).fold(0f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(wanted.shape() == given.shape() && off <= 2e-6 * largest, "{name}: {off} of {largest}");
        // What depends on weights alone is one, and nobody's weights are gone.
        let computed = |op: &Op| matches!(op, Op::SpectralNorm);
        assert!(portable.graph.nodes().iter().all(|node| !computed(&node.op)), "{name}");
    }
}

/// The import of ONNX models knows means over the batch, but no number that is counted from it.
const ONE_WAY: &str = "statistics of the batch";

#[test]
fn an_onnx_model_comes_back_as_it_was() {
    for (name, network) in cases::all().into_iter().filter(|(name, _)| name != ONE_WAY) {
        let bytes = export::onnx(&network).unwrap();
        let back = onnx::import_bytes(&bytes, &onnx::Options::default(), &Device::cpu());
        let back = back.unwrap_or_else(|e| panic!("{name}: {e}")).network;
        let x = cases::samples(&network);
        let (wanted, given) = (network.forward(&x, &[]).unwrap(), back.forward(&x, &[]).unwrap());
        let largest = wanted.numbers().iter().fold(1e-6f32, |most, v| most.max(v.abs()));
        let off =
            wanted.numbers().iter().zip(given.numbers().iter()).fold(0f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(wanted.shape() == given.shape() && off <= 1e-5 * largest, "{name}: {off} of {largest}");
        // Layers are found by their names on the other side.
        let layers = network.graph.nodes().iter().filter(|node| node.op.is_activation());
        layers.for_each(|node| assert!(back.graph.find(&node.name).is_ok(), "{name}: {}", node.name));
    }
}

#[test]
fn the_state_dict_is_a_model_file_with_the_names_of_the_layers() {
    for (name, network) in cases::all() {
        let written = export::pytorch(&network, Storage::F32).unwrap();
        let read = Network::from_bytes(&written.state_dict, name.as_ref(), &Device::cpu()).unwrap();
        let x = cases::samples(&network);
        let (wanted, given) = (export::portable(&network).unwrap(), read.forward(&x, &[]).unwrap());
        assert_eq!(wanted.forward(&x, &[]).unwrap().to_vec(), given.to_vec(), "{name}");
        let config: serde_json::Value = serde_json::from_str(&written.config).unwrap();
        assert_eq!(config["graph"]["nodes"].as_array().unwrap().len(), read.graph.nodes().len(), "{name}");
    }
}

#[test]
fn every_operation_has_a_form_for_each_framework_or_is_refused_by_name() {
    let mut graph = net::Graph::default();
    let x = graph.push("x", Op::input(&[3, 4, 4]), &[]);
    let window = tensor::Window { size: [2; 2], stride: [2; 2], padding: [[0; 2]; 2], dilation: [1; 2] };
    let pooled = graph.push("pooled", net::Primitive::WindowMax { window }, &[x, x]);
    graph.push("back", net::Primitive::WindowMaxAdjoint { window }, &[pooled, x]);
    let network = Network::initial(graph, 1, "export", &Device::cpu());
    let refused = export::onnx(&network).unwrap_err().to_string();
    assert_eq!(refused, "node back (window_max_adjoint) has no form in ONNX");
    let refused = export::pytorch(&network, Storage::F32).unwrap_err().to_string();
    assert_eq!(refused, "node back (window_max_adjoint) has no form in PyTorch");
}

#[test]
fn a_truncation_is_exported_as_none() {
    let mut graph = net::Graph::default();
    let z = graph.push("z", Op::input(&[3]), &[]);
    let truncation = Op::Input { shape: vec![3], batch: false, role: Some(net::Role::Truncation), law: None };
    let truncation = graph.push("truncation", truncation, &[]);
    let half = graph.push("half", net::Unary::Scale { factor: 0.5 }, &[truncation]);
    graph.push("w", net::Binary::Mul, &[z, half]);
    let network = Network::initial(graph, 1, "export", &Device::cpu());
    let portable = export::portable(&network).unwrap();
    assert_eq!((portable.graph.inputs().len(), portable.params.elements()), (1, 3));
    let z = network.latents(&[1, 2], &Device::cpu());
    assert_eq!(portable.forward(&z, &[]).unwrap().to_vec(), network.forward(&z, &[]).unwrap().to_vec());
    let back = onnx::import_bytes(&export::onnx(&network).unwrap(), &onnx::Options::default(), &Device::cpu());
    assert_eq!(back.unwrap().network.graph.inputs().len(), 1);
}

#[test]
fn edits_are_exported_with_the_network() {
    let (_, network) = cases::all().swap_remove(0);
    let edited = network.edited(&[Edit::ablate("1a", vec![0, 2])]).unwrap();
    assert!(export::onnx(&edited).unwrap().len() > export::onnx(&network).unwrap().len());
    let config = export::pytorch(&edited, Storage::F32).unwrap().config;
    assert!(config.contains("\"1a.unedited\"") && config.contains("\"1a.factor\""));
}

#[test]
fn a_class_is_an_input_of_what_is_exported() {
    let plain = net::zoo::residual_generator([16, 16], 3, 8, 4, net::Norm::Batch);
    let mut network = Network::initial(net::zoo::generator_by_class(&plain, 3).unwrap(), 7, "export", &Device::cpu());
    // Classes begin alike: scales and shifts of their own make them differ.
    for i in 0..network.params.tensors().len() {
        let tensor = &network.params.tensors()[i];
        network.params.set(i, tensor.add(&tensor.full_like(tensor.shape(), 0.02)));
    }
    let feed = network.feed(&[1, 2, 3, 4], &Device::cpu());
    let pictures = |network: &Network, names: [&str; 2]| {
        let ready = network.inference().unwrap();
        let label = feed.value("class").unwrap();
        let fed = names.map(|name| ready.find(name).unwrap());
        ready.start(&[(fed[0], &feed.latents), (fed[1], label)]).unwrap().fetch_one(ready.output()).unwrap().to_vec()
    };
    let wanted = pictures(&network, ["z", "class"]);
    let back = onnx::import_bytes(&export::onnx(&network).unwrap(), &onnx::Options::default(), &Device::cpu());
    let torch = export::pytorch(&network, Storage::F32).unwrap().state_dict;
    let torch = Network::from_bytes(&torch, "torch".as_ref(), &Device::cpu()).unwrap();
    assert_eq!(torch.label(), Some(("class", 3)));
    for found in [pictures(&back.unwrap().network, ["z", "class"]), pictures(&torch, ["z", "class"])] {
        assert!(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
