//! What a model becomes: names, batches, and what is said where it cannot be read.

#![allow(clippy::unwrap_used, reason = "tests")]

mod made;

use ganatomy_onnx::{Error, Imported, Options, import, import_bytes, operators};
use made::{bytes, int, ints, model, node, number, port, reals, small, tensor, text, wholes};
use net::{Device, Edit, Network, Storage, Tensor};
use std::fs;
use std::path::Path;

fn imported(bytes: &[u8], options: &Options) -> Imported {
    import_bytes(bytes, options, &Device::cpu()).unwrap_or_else(|error| panic!("{error}"))
}

fn message(bytes: &[u8]) -> String {
    import_bytes(bytes, &Options::default(), &Device::cpu()).unwrap_err().to_string()
}

fn ramp(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    Tensor::new(shape, (0..count).map(|i| (i * 5 % 11) as f32 / 4.0 - 1.0).collect(), &Device::cpu())
}

/// A model of one node that reads `x`, and initializers.
fn one(operator: &str, inputs: &[&str], attributes: &[Vec<u8>], initializers: &[Vec<u8>], shape: &[i64]) -> Vec<u8> {
    let node = node(operator, inputs, &["y"], attributes);
    model(17, &[node], initializers, &[port("x", shape)], &[port("y", &[])])
}

#[test]
fn every_tensor_is_a_node_under_its_name_and_the_batch_is_free() {
    let network = imported(&small(), &Options::default()).network;
    for name in ["x", "w", "conv", "norm", "relu", "pool", "large", "tokens", "shares", "y"] {
        assert!(network.graph.find(name).is_ok(), "{name}");
    }
    let three = ramp(&[3, 1, 4, 4]);
    let all = network.forward(&three, &[]).unwrap();
    assert_eq!(all.shape(), [3, 3]);
    let second = Tensor::new(&[1, 1, 4, 4], three.to_vec()[16..32].to_vec(), &Device::cpu());
    let alone = network.forward(&second, &[]).unwrap().to_vec();
    for (a, b) in alone.iter().zip(&all.to_vec()[3..6]) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
    let edited = network.forward(&three, &[Edit::ablate("relu", vec![0])]).unwrap();
    assert_ne!(edited.to_vec(), all.to_vec());
}

#[test]
fn an_imported_network_is_kept_in_our_file() {
    let network = imported(&small(), &Options::default()).network;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    network.save(&path, Storage::F32).unwrap();
    let x = ramp(&[2, 1, 4, 4]);
    let again = Network::load(&path, &Device::cpu()).unwrap();
    assert_eq!(again.forward(&x, &[]).unwrap().to_vec(), network.forward(&x, &[]).unwrap().to_vec());
}

#[test]
fn a_network_for_one_image_takes_more_where_that_is_asked_for() {
    let reshape = one("Reshape", &["x", "s"], &[], &[wholes("s", &[1, 2, 2])], &[1, 4]);
    let fixed = imported(&reshape, &Options::default()).network;
    assert_eq!(fixed.forward(&ramp(&[1, 4]), &[]).unwrap().shape(), [1, 2, 2]);
    let options = Options { batch_of_one: true, ..Options::default() };
    let free = imported(&reshape, &options).network;
    assert_eq!(free.forward(&ramp(&[5, 4]), &[]).unwrap().shape(), [5, 2, 2]);
}

#[test]
fn a_network_that_takes_the_batch_away_stays_one_for_one_image() {
    let squeezed = one("Squeeze", &["x"], &[], &[], &[1, 4]);
    let options = Options { batch_of_one: true, ..Options::default() };
    let error = import_bytes(&squeezed, &options, &Device::cpu()).unwrap_err().to_string();
    assert!(error.contains("the batch is one"), "{error}");
    let fixed = imported(&squeezed, &Options::default()).network;
    assert_eq!(fixed.forward(&ramp(&[1, 4]), &[]).unwrap().shape(), [4]);
}

/// A style scales the kernel of a convolution, which a network for one image does by reshaping.
#[test]
fn each_image_of_a_batch_has_a_kernel_of_its_own() {
    let nodes = [
        node("Mul", &["x", "w"], &["modulated"], &[]),
        node("Reshape", &["modulated", "s"], &["kernel"], &[]),
        node("Conv", &["maps", "kernel"], &["y"], &[ints("pads", &[1, 0, 0, 1])]),
    ];
    let initializers =
        [reals("w", &[1, 2, 1, 2, 2], &[1.0, 2.0, -1.0, 0.5, 0.25, 4.0, 2.0, -2.0]), wholes("s", &[2, 1, 2, 2])];
    let inputs = [port("x", &[1, 1, 1, 1, 1]), port("maps", &[1, 1, 3, 4])];
    let bytes = model(17, &nodes, &initializers, &inputs, &[port("y", &[])]);
    let run = |options: &Options, x: &Tensor, maps: &Tensor| {
        let ready = imported(&bytes, options).network.inference().unwrap();
        let inputs: Vec<_> = ready.inputs().iter().map(|input| input.node).collect();
        ready.start(&[(inputs[0], x), (inputs[1], maps)]).unwrap().fetch_one(ready.output()).unwrap()
    };
    let (x, maps) = (Tensor::new(&[2, 1, 1, 1, 1], vec![2.0, -3.0], &Device::cpu()), ramp(&[2, 1, 3, 4]));
    let all = run(&Options { batch_of_one: true, ..Options::default() }, &x, &maps);
    assert_eq!(all.shape(), [2, 2, 3, 4]);
    for image in 0..2 {
        let x = Tensor::new(&[1; 5], vec![x.to_vec()[image]], &Device::cpu());
        let maps = Tensor::new(&[1, 1, 3, 4], maps.to_vec()[image * 12..][..12].to_vec(), &Device::cpu());
        let alone = run(&Options::default(), &x, &maps).to_vec();
        for (a, b) in alone.iter().zip(&all.to_vec()[image * 24..]) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}

#[test]
fn numbers_of_sixteen_bits_are_computed_in_thirty_two() {
    let raw: Vec<u8> = [0.5f32, -2.0].iter().flat_map(|&v| half::f16::from_f32(v).to_le_bytes()).collect();
    let halves = tensor("w", 10, &[2], &bytes(9, &raw));
    let network = imported(&one("Mul", &["x", "w"], &[], &[halves], &[-1, 2]), &Options::default()).network;
    let x = Tensor::new(&[1, 2], vec![3.0, 5.0], &Device::cpu());
    assert_eq!(network.forward(&x, &[]).unwrap().to_vec(), [1.5, -10.0]);
    // As the field of 32-bit numbers holds them.
    let listed = tensor("w", 10, &[2], &[number(5, 0x3800), number(5, 0xc000)].concat());
    let network = imported(&one("Mul", &["x", "w"], &[], &[listed], &[-1, 2]), &Options::default()).network;
    assert_eq!(network.forward(&x, &[]).unwrap().to_vec(), [1.5, -10.0]);
}

#[test]
fn weights_in_other_files_are_read_from_the_models_folder_alone() {
    let entry = |key: &str, value: &str| bytes(13, &[text(1, key), text(2, value)].concat());
    let at = |location: &str, offset: &str, length: &str| {
        let place = [entry("location", location), entry("offset", offset), entry("length", length), number(14, 1)];
        one("Add", &["x", "w"], &[], &[tensor("w", 1, &[2], &place.concat())], &[-1, 2])
    };
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("model");
    fs::create_dir(&inner).unwrap();
    fs::write(folder.path().join("outside"), [0; 64]).unwrap();
    let data: Vec<u8> = [9.0f32, 1.0, 2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(inner.join("data"), data).unwrap();
    let read = |bytes: &[u8]| {
        fs::write(inner.join("m.onnx"), bytes).unwrap();
        import(inner.join("m.onnx"), &Options::default(), &Device::cpu())
    };
    let network = read(&at("data", "4", "8")).unwrap().network;
    let x = Tensor::new(&[1, 2], vec![0.0, 0.0], &Device::cpu());
    assert_eq!(network.forward(&x, &[]).unwrap().to_vec(), [1.0, 2.0]);
    let outside = folder.path().join("outside").to_string_lossy().into_owned();
    for location in ["../outside", "model/../../outside", &outside, "", "a\\b", "c:x"] {
        let error = read(&at(location, "0", "8")).unwrap_err().to_string();
        assert!(error.contains("not inside the model's folder"), "{location}: {error}");
    }
    for (offset, length) in [("8", "8"), ("0", "4"), ("18446744073709551615", "8"), ("x", "8")] {
        assert!(read(&at("data", offset, length)).is_err(), "{offset} {length}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path().join("outside"), inner.join("link")).unwrap();
        let error = read(&at("link", "0", "8")).unwrap_err().to_string();
        assert!(error.contains("a link out of the model's folder"), "{error}");
    }
    assert!(message(&at("data", "4", "8")).contains("lies in another file"));
}

#[test]
fn what_is_not_supported_is_named_with_its_node_and_opset() {
    let said = message(&one("StringNormalizer", &["x"], &[], &[], &[1, 4]));
    assert_eq!(said, r#"node "y": the operator StringNormalizer (opset 17) is not supported"#);
    let unknown = model(5, &[], &[], &[], &[]);
    assert!(message(&unknown).contains("opset 5; 6 to 28 are read"));
    let said = message(&one("Reshape", &["x", "s"], &[], &[wholes("s", &[3, 5])], &[1, 4]));
    assert!(said.contains(r#"node "y" (Reshape)"#) && said.contains("[3, 5]"), "{said}");
    let named = model(17, &[node("Relu", &["x"], &["y"], &[])], &[], &[port("x", &[1, -1])], &[port("y", &[])]);
    let error = import_bytes(&named, &Options::default(), &Device::cpu()).unwrap_err();
    assert!(error.hint().unwrap().contains(r#"Give the length of "batch" with `lengths`"#));
    let options = Options { lengths: [("batch".to_owned(), 7)].into(), ..Options::default() };
    assert_eq!(imported(&named, &options).network.graph.shapes(1).unwrap()[0], [1, 7]);
}

#[test]
fn shapes_that_follow_from_an_input_ask_for_its_value() {
    let bytes = model(
        17,
        &[node("Resize", &["x", "", "s"], &["y"], &[])],
        &[],
        &[port("x", &[1, 1, 2, 2]), port("s", &[4])],
        &[port("y", &[])],
    );
    match import_bytes(&bytes, &Options::default(), &Device::cpu()) {
        Err(Error::NeedsValue { node, input, .. }) => assert_eq!((node.as_str(), input.as_str()), ("y", "s")),
        other => panic!("{other:?}"),
    }
    let scales = base::npy::Array::f32(vec![4], vec![1.0, 1.0, 2.0, 3.0]);
    let options = Options { constants: [("s".to_owned(), scales)].into(), ..Options::default() };
    assert_eq!(imported(&bytes, &options).network.graph.shapes(1).unwrap().last().unwrap()[..], [1, 1, 4, 6]);
}

#[test]
fn gathering_and_scattering_by_known_numbers() {
    let x = Tensor::new(&[3, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &Device::cpu());
    let run = |bytes: &[u8]| imported(bytes, &Options::default()).network.forward(&x, &[]).unwrap().to_vec();
    let rows = wholes("i", &[2, 0, -1]);
    assert_eq!(run(&one("Gather", &["x", "i"], &[], &[rows], &[3, 2])), [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
    let places = tensor("i", 7, &[2, 2], &bytes(7, &[2, 1, 0, 0]));
    assert_eq!(run(&one("GatherND", &["x", "i"], &[], std::slice::from_ref(&places), &[3, 2])), [6.0, 1.0]);
    let updates = reals("u", &[2], &[10.0, 20.0]);
    let set = one("ScatterND", &["x", "i", "u"], &[], &[places, updates], &[3, 2]);
    assert_eq!(run(&set), [20.0, 2.0, 3.0, 4.0, 5.0, 10.0]);
    let places = tensor("i", 7, &[2, 2], &bytes(7, &[0, 0, 0, 2]));
    let updates = reals("u", &[2, 2], &[10.0, 20.0, 30.0, 40.0]);
    let added = [text(1, "reduction"), text(4, "add"), number(20, 3)].concat();
    let add =
        one("ScatterElements", &["x", "i", "u"], &[int("axis", 0), bytes(5, &added)], &[places, updates], &[3, 2]);
    assert_eq!(run(&add), [41.0, 22.0, 3.0, 4.0, 5.0, 46.0]);
}

#[test]
fn numbers_that_are_computed_choose_entries() {
    // The class with the greatest score chooses a row of a table.
    let nodes = [
        node("ArgMax", &["x"], &["i"], &[int("axis", 1), int("keepdims", 0)]),
        node("Gather", &["table", "i"], &["y"], &[]),
    ];
    let table = reals("table", &[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let bytes = model(17, &nodes, &[table], &[port("x", &[-1, 3])], &[port("y", &[])]);
    let network = imported(&bytes, &Options::default()).network;
    let x = Tensor::new(&[2, 3], vec![0.0, 2.0, 1.0, 9.0, 9.0, 1.0], &Device::cpu());
    assert_eq!(network.forward(&x, &[]).unwrap().to_vec(), [3.0, 4.0, 1.0, 2.0]);
}

#[test]
fn sums_of_products_by_letters() {
    let equation = |text_: &str| bytes(5, &[text(1, "equation"), text(4, text_), number(20, 3)].concat());
    let m = reals("m", &[2, 3], &[1.0, 0.0, 2.0, 0.0, 1.0, 3.0]);
    let x = Tensor::new(&[2, 2], vec![1.0, 2.0, 3.0, 4.0], &Device::cpu());
    for (letters, expected) in [
        ("ij,jk->ik", vec![1.0, 2.0, 8.0, 3.0, 4.0, 18.0]),
        ("ij,jk->ki", vec![1.0, 3.0, 2.0, 4.0, 8.0, 18.0]),
        ("ij,jk", vec![1.0, 2.0, 8.0, 3.0, 4.0, 18.0]),
        ("ij,jk->j", vec![12.0, 24.0]),
        ("ij,ik->jk", vec![1.0, 3.0, 11.0, 2.0, 4.0, 16.0]),
    ] {
        let bytes = one("Einsum", &["x", "m"], &[equation(letters)], std::slice::from_ref(&m), &[2, 2]);
        let network = imported(&bytes, &Options::default()).network;
        assert_eq!(network.forward(&x, &[]).unwrap().to_vec(), expected, "{letters}");
    }
}

#[test]
fn random_numbers_are_drawn_once() {
    let bytes = one("RandomNormalLike", &["x"], &[], &[], &[-1, 50]);
    let found = imported(&bytes, &Options::default());
    assert!(found.notices[0].contains("y is random"), "{:?}", found.notices);
    let y = found.network.forward(&ramp(&[2, 50]), &[]).unwrap().to_vec();
    assert_eq!(y[..50], y[50..]);
    assert_eq!(y, imported(&bytes, &Options::default()).network.forward(&ramp(&[2, 50]), &[]).unwrap().to_vec());
}

#[test]
fn output_padding_beyond_a_stride_is_the_bias_alone() {
    let weights = reals("w", &[1, 1, 1, 1], &[2.0]);
    let bias = reals("b", &[1], &[0.5]);
    let attributes = [ints("strides", &[1, 1]), ints("output_padding", &[0, 1])];
    let bytes = one("ConvTranspose", &["x", "w", "b"], &attributes, &[weights, bias], &[1, 1, 1, 2]);
    let network = imported(&bytes, &Options::default()).network;
    let x = Tensor::new(&[1, 1, 1, 2], vec![1.0, 3.0], &Device::cpu());
    assert_eq!(network.forward(&x, &[]).unwrap().to_vec(), [2.5, 6.5, 0.5]);
}

#[test]
fn the_small_model_of_other_tests_is_the_one_made_here() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/small.onnx");
    if std::env::var_os("UPDATE_SMALL").is_some() {
        fs::write(&path, small()).unwrap();
    }
    assert!(fs::read(&path).unwrap() == small(), "UPDATE_SMALL=1 writes it anew");
}

#[test]
fn the_page_lists_the_operators_that_there_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/onnx.md");
    // The packed crate comes without it.
    let Ok(page) = fs::read_to_string(path) else { return };
    let rows: Vec<String> = operators().iter().map(|o| format!("| `{}` | {} |\n", o.name, o.limits)).collect();
    let table = format!("| Operator | Limits |\n|---|---|\n{}", rows.concat()).replace(" |  |\n", " | |\n");
    assert!(page.contains(&table), "docs/onnx.md should list:\n\n{table}");
}

#[test]
fn what_a_model_says_beside_its_graph_is_kept_as_notes() {
    let property = |key: &str, value: &str| bytes(14, &[text(1, key), text(2, value)].concat());
    let long = "x".repeat(2 << 20);
    let said = [property("names", "{0: 'a'}"), property("names", "second"), property("long", &long)];
    let model = [small(), said.concat(), property("imported", "by hand")].concat();
    let notes = imported(&model, &Options::default()).network.notes;
    let of =
        |key: &str| notes.iter().filter(|(found, _)| found == key).map(|(_, value)| value.as_str()).collect::<Vec<_>>();
    assert_eq!(of("names"), ["{0: 'a'}"], "the first of two counts");
    assert!(of("long").is_empty(), "what is long is left out");
    assert!(matches!(of("imported")[..], [one] if one.starts_with("ONNX, opset")), "that is said here alone");
}
