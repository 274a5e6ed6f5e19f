//! Networks are known by their tensors; what these leave open is an error that says so.

#![allow(clippy::unwrap_used)]

use base::npy::{Array, read_npz};
use ganatomy_import::{Architecture, Imported, import};
use net::{Device, Tensor, Unary, tensors_to_bytes};
use std::path::{Path, PathBuf};
use weights::{StateDict, Stored};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Tensors of these names and shapes.
fn dict(tensors: &[(&str, &[usize])]) -> StateDict {
    let numbers = |shape: &[usize]| {
        let values = (0..shape.iter().product()).map(|i: usize| (i * 37 % 101) as f32 / 101.0 + 0.1).collect();
        Tensor::new(shape, values, &Device::cpu())
    };
    let tensors: Vec<(String, Tensor)> =
        tensors.iter().map(|(name, shape)| ((*name).to_owned(), numbers(shape))).collect();
    let named: Vec<(String, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
    Stored::from_bytes(tensors_to_bytes(&named).unwrap(), "f.safetensors").unwrap().state_dict(None).unwrap()
}

fn refused(tensors: &[(&str, &[usize])]) -> String {
    import(&dict(tensors), Some(Architecture::Dcgan)).unwrap_err().to_string()
}

fn shape_of(imported: &Imported, node: &str) -> Vec<usize> {
    let graph = &imported.network.graph;
    graph.sample_shapes().unwrap()[graph.find(node).unwrap()].clone().unwrap()
}

#[test]
fn progan_of_gan_dissection() {
    for (name, layer) in [("progan.pth", "layer"), ("progan-old.pth", "features.")] {
        let weights = Stored::open(fixture(name)).unwrap().state_dict(None).unwrap();
        assert_eq!(Architecture::of(&weights), Some(Architecture::Progan));
        let imported = import(&weights, None).unwrap();
        let z = Array::read(fixture("z.npy")).unwrap();
        let z = Tensor::new(&z.shape.clone(), z.into_f32(), &Device::cpu());
        let ready = imported.network.inference().unwrap();
        for (known, expected) in read_npz(fixture("activations.npz")).unwrap() {
            let node = match (known.strip_prefix("layer"), layer) {
                (Some(number), "features.") => format!("features.{}", number.parse::<usize>().unwrap() - 1),
                (None, "features.") => "output".to_owned(),
                _ => known.clone(),
            };
            let node = ready.program().find(&node).unwrap();
            let found = ready.start(&[(ready.input().unwrap(), &z)]).unwrap().fetch_one(node).unwrap();
            assert_eq!(found.shape(), expected.shape, "{name}, {known}");
            let expected = expected.into_f32();
            let most = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
            let far = found.to_vec().iter().zip(&expected).fold(0f32, |far, (a, b)| far.max((a - b).abs()));
            assert!(far / most <= 1e-5, "{name}, {known}: {}", far / most);
        }
    }
}

#[test]
fn dcgans_of_several_forms() {
    // A linear layer with a norm over its features, then transposed convolutions.
    let imported = import(
        &dict(&[
            ("0.weight", &[64, 10]),
            ("1.weight", &[64]),
            ("1.bias", &[64]),
            ("1.running_mean", &[64]),
            ("1.running_var", &[64]),
            ("4.weight", &[4, 6, 4, 4]),
            ("6.weight", &[6, 1, 4, 4]),
            ("6.bias", &[1]),
        ]),
        None,
    )
    .unwrap();
    assert_eq!((shape_of(&imported, "maps"), shape_of(&imported, "x")), (vec![4, 4, 4], vec![1, 16, 16]));
    // Between a norm and a convolution two numbers are missing: an activation, and a doubling.
    let norm = |name: &'static str| {
        ["weight", "bias", "running_mean", "running_var"].map(|part| (format!("{name}.{part}"), vec![8]))
    };
    let mut tensors = vec![("c.0.weight".to_owned(), vec![10, 8, 4, 4])];
    tensors.extend(norm("c.1"));
    tensors.push(("c.4.weight".to_owned(), vec![8, 8, 3, 3]));
    tensors.extend(norm("c.5"));
    tensors.push(("c.7.weight".to_owned(), vec![3, 8, 3, 3]));
    let tensors: Vec<(&str, &[usize])> =
        tensors.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
    let imported = import(&dict(&tensors), None).unwrap();
    assert_eq!(shape_of(&imported, "c.4.up"), [8, 8, 8]);
    assert_eq!(shape_of(&imported, "x"), [3, 8, 8]);
    assert!(imported.notices.iter().any(|notice| notice.contains("before c.4 two layers without weights")));
}

#[test]
fn layers_are_in_order_where_a_file_sorts_names() {
    let imported = import(
        &dict(&[
            ("net.0.weight", &[10, 8, 4, 4]),
            ("net.3.weight", &[8, 6, 4, 4]),
            ("net.6.weight", &[6, 5, 4, 4]),
            ("net.12.weight", &[5, 3, 4, 4]),
        ]),
        None,
    )
    .unwrap();
    assert_eq!(shape_of(&imported, "net.6"), [5, 16, 16]);
    assert_eq!(shape_of(&imported, "x"), [3, 32, 32]);
}

#[test]
fn what_is_left_open_lists_the_choices() {
    let start: (&str, &[usize]) = ("0.weight", &[10, 8, 4, 4]);
    for (tensors, reason) in [
        (vec![start, ("2.weight", &[8, 4, 5, 5])], "a transposed convolution of stride 1, or one of stride 2"),
        (vec![start, ("2.weight", &[8, 8, 5, 5])], "a convolution that keeps the size, or a transposed convolution"),
        (
            vec![start, ("2.weight", &[8, 4, 4, 4]), ("4.weight", &[3, 4, 4, 4])],
            "a convolution that makes maps smaller",
        ),
        (vec![start, ("2.weight", &[7, 9, 4, 4])], "weights [7, 9, 4, 4] for 8 maps"),
        (vec![start, ("2.weight", &[6])], "which no DCGAN has"),
        (vec![("0.weight", &[60, 10]), ("2.weight", &[7, 3, 4, 4])], "whose 60 numbers are no square maps"),
        (vec![("0.weight", &[64, 10]), ("2.weight", &[3, 64, 3, 3])], "leaves open what layer 0 is"),
        (vec![("weight", &[10, 8, 4, 4]), ("z.weight", &[8, 3, 4, 4])], "has no tensor \".weight\""),
    ] {
        let message = refused(&tensors);
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn a_tensor_that_is_left_over_is_an_error() {
    let weights = Stored::open(fixture("progan.pth")).unwrap().state_dict(None).unwrap();
    let mut tensors: Vec<(String, Tensor)> = weights
        .entries()
        .map(|(name, tensor)| (name.to_owned(), Tensor::new(tensor.shape(), tensor.to_f32().unwrap(), &Device::cpu())))
        .collect();
    let read = |tensors: &[(String, Tensor)]| {
        let named: Vec<(String, &Tensor)> = tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
        let stored = Stored::from_bytes(tensors_to_bytes(&named).unwrap(), "f.safetensors").unwrap();
        import(&stored.state_dict(None).unwrap(), None)
    };
    assert!(read(&tensors).is_ok());
    let one = tensors[0].1.unary(Unary::Abs);
    tensors.push(("layer9.conv.weight".to_owned(), one));
    let message = read(&tensors).unwrap_err().to_string();
    assert!(
        message.contains("has tensors that a network of the kind progan has not: \"layer9.conv.weight\""),
        "{message}"
    );
    // And one that is missing.
    tensors.retain(|(name, _)| name != "layer3.wscale.b");
    let message = read(&tensors).unwrap_err().to_string();
    assert!(message.contains("has no tensor \"layer3.wscale.b\""), "{message}");
}

#[test]
fn unknown_tensors_are_told_with_what_is_known() {
    let error = import(&dict(&[("a", &[2]), ("b", &[3])]), None).unwrap_err();
    assert!(error.to_string().contains("holds tensors of no network that is known here (a, b, ...)"), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("pro-gan-pth") && hint.contains("`spec`"), "{hint}");
    let message = "dcgam".parse::<Architecture>().unwrap_err().to_string();
    assert_eq!(message, "\"dcgam\" is not known. Did you mean dcgan?");
}
