//! Files that `PyTorch` and `NumPy` wrote (`make_fixtures.py`) are read as they read them themselves, to the bit.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use ganatomy_weights::{Container, Setting, Stored, Tensor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn every_kind_of_file_is_read_to_the_bit() {
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(fixture("expected.json")).unwrap()).unwrap();
    for (name, file) in expected.as_object().unwrap() {
        let stored = Stored::open(fixture(name)).unwrap();
        assert_eq!(format!("{:?}", stored.container()), file["container"].as_str().unwrap(), "{name}");
        let dicts = stored.state_dicts().unwrap();
        let found = dicts.iter().flat_map(|dict| dict.entries().map(|(name, tensor)| (dict.key(), name, tensor)));
        let found: Vec<Value> = found
            .map(|(key, name, tensor)| {
                let bytes = tensor.refusal().is_none().then(|| hex(&tensor.to_bytes().unwrap()));
                serde_json::json!([key, name, tensor.dtype().name(), tensor.shape(), bytes])
            })
            .collect();
        assert_eq!(found, *file["tensors"].as_array().unwrap(), "{name}");
    }
}

fn tensors(name: &str) -> BTreeMap<String, Tensor> {
    let dict = Stored::open(fixture(name)).unwrap().state_dict(None).unwrap();
    dict.entries().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect()
}

#[test]
fn tied_weights_are_known_to_be_one() {
    for name in ["kinds.pt", "kinds-legacy.pt"] {
        let found = tensors(name);
        assert!(found["tied.a"].shares_storage(&found["tied.b"]), "{name}");
        assert!(found["view"].shares_storage(&found["transposed"]), "{name}");
        assert!(!found["tied.a"].shares_storage(&found["float32"]), "{name}");
    }
}

#[test]
fn numbers_of_all_types_become_f32() {
    let found = tensors("kinds.pt");
    // What `make_fixtures.py` puts into each: 37 i mod 101 - 50.
    let signed = [-50.0, -13.0, 24.0, -40.0, -3.0, 34.0];
    for name in ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8"] {
        assert_eq!(found[name].to_f32().unwrap(), signed, "{name}");
    }
    for name in ["uint8", "uint16", "uint32", "uint64"] {
        assert_eq!(found[name].to_f32().unwrap()[..3], [50.0, 13.0, 24.0], "{name}");
    }
    assert_eq!(found["transposed"].to_f32().unwrap()[..3], [-50.0, -3.0, 44.0]);
}

#[test]
fn one_odd_tensor_does_not_refuse_the_file() {
    let dict = Stored::open(fixture("odd.pt")).unwrap().state_dict(None).unwrap();
    assert_eq!(dict.values("after").unwrap(), [-50.0, -13.0, 24.0]);
    let said = |name: &str| {
        let error = dict.values(name).unwrap_err();
        format!("{error} | {}", error.hint().unwrap())
    };
    assert!(
        said("float8").contains("tensor \"float8\" holds float8_e4m3fn numbers, which are not read | Save it again")
    );
    assert!(said("complex").contains("tensor \"complex\" holds complex64 numbers"));
    assert!(said("sparse").contains("tensor \"sparse\" is sparse"));
    assert!(said("befor").contains("has no tensor \"befor\" | There is a tensor \"before\"."));
}

#[test]
fn of_several_networks_one_is_named() {
    let stored = Stored::open(fixture("checkpoint.pt")).unwrap();
    let error = stored.state_dict(None).unwrap_err();
    let message = error.to_string();
    assert!(
        message.ends_with(
            "checkpoint.pt: holds 2 networks: netG (2 tensors, 6 parameters), netD (2 tensors, 6 parameters)"
        ),
        "{message}"
    );
    assert_eq!(error.hint().unwrap(), "Say by `key` which one is meant.");
    assert_eq!(stored.state_dict(Some("netD")).unwrap().values("bias").unwrap(), [-50.0, -13.0]);
    let error = stored.state_dict(Some("netE")).unwrap_err();
    assert!(error.to_string().starts_with("key: \"netE\" leads to no network in "), "{error}");
    assert_eq!(error.hint().unwrap(), "Did you mean netG?");
    let stored = Stored::open(fixture("together.ckpt")).unwrap();
    for key in ["critic", "state_dict.critic"] {
        assert_eq!(stored.state_dict(Some(key)).unwrap().len(), 2);
    }
    // A part of the only network.
    let part = Stored::open(fixture("module.pt")).unwrap().state_dict(Some("first.norm")).unwrap();
    assert_eq!(part.entries().map(|(name, _)| name).next(), Some("weight"));
}

#[test]
fn what_lies_beside_the_tensors_is_data() {
    let stored = Stored::open(fixture("checkpoint.pt")).unwrap();
    let root = stored.root();
    assert_eq!(root.get("epoch").unwrap().as_int(), Some(7));
    assert_eq!(root.get("loss").unwrap().as_float(), Some(0.25));
    assert_eq!(root.get("mean").unwrap().as_tensor().unwrap().to_f32().unwrap(), [-50.0, -13.0]);
    // Both networks know of the tensor that lies beside them.
    for key in ["netG", "netD"] {
        let network = stored.state_dict(Some(key)).unwrap();
        assert_eq!(network.beside("mean").unwrap().to_f32().unwrap(), [-50.0, -13.0], "{key}");
        assert!(network.beside("epoch").is_none() && network.find("mean").is_none());
    }
    let groups = root.get("optimizerG").unwrap().get("param_groups").unwrap();
    assert_eq!(groups.items().next().unwrap().get("lr").unwrap().as_float(), Some(1e-3));
    let stored = Stored::open(fixture("arrays-4.pkl")).unwrap();
    assert_eq!(stored.root().get("best").unwrap().as_float(), Some(0.75));
    assert_eq!(stored.root().get("step").unwrap().as_int(), Some(-3));
    let stored = Stored::open(fixture("module.pt")).unwrap();
    let module = ganatomy_weights::Module::of(stored.root()).unwrap();
    assert_eq!(module.class(), "Net");
    let (name, first) = &module.children()[0];
    assert_eq!((*name, first.class()), ("first", "Block"));
    assert_eq!(first.attribute("training").unwrap().as_bool(), Some(true));
    // The same by one name, beside the tensors.
    let dict = stored.state_dict(None).unwrap();
    assert_eq!(dict.setting("first.norm.eps"), Some(&Setting::Number(1e-5)));
    assert_eq!(dict.setting("first.conv.kernel_size"), Some(&Setting::Numbers(vec![3.0, 3.0])));
    assert_eq!(dict.setting("first.conv.padding_mode"), Some(&Setting::Text("zeros".into())));
    assert_eq!(dict.under("first.norm").unwrap().setting("affine"), Some(&Setting::Bool(true)));
    assert_eq!(dict.setting("first.conv.missing"), None);
}

#[test]
fn a_changed_tensor_of_an_archive_is_noticed() {
    let mut bytes = std::fs::read(fixture("kinds.pt")).unwrap();
    // The last tensor, `permuted`: its first number is -50.
    let at = bytes.windows(4).rposition(|four| *four == (-50f32).to_le_bytes()).unwrap();
    bytes[at] ^= 1;
    let dict = Stored::from_bytes(bytes, "kinds.pt").unwrap().state_dict(None).unwrap();
    let message = dict.values("permuted").unwrap_err().to_string();
    assert!(message.ends_with("is damaged: its checksum is not the one that it declares"), "{message}");
    dict.values("float32").unwrap();
}

#[test]
fn each_truncation_is_an_error() {
    for name in
        ["kinds.pt", "kinds-legacy.pt", "odd.pt", "tensors.pkl", "arrays-2.pkl", "arrays-5.pkl", "module-legacy.pt"]
    {
        let bytes = std::fs::read(fixture(name)).unwrap();
        for length in 0..bytes.len() {
            assert!(Stored::from_bytes(bytes[..length].to_vec(), name).is_err(), "{name} cut at {length}");
        }
    }
    // A tar archive ends in blocks of zeros, which say nothing.
    let bytes = std::fs::read(fixture("old.pt")).unwrap();
    let end = bytes.iter().rposition(|&byte| byte != 0).unwrap();
    for length in 0..end {
        assert!(Stored::from_bytes(bytes[..length].to_vec(), "old.pt").is_err(), "old.pt cut at {length}");
    }
}

#[test]
fn safetensors_are_read_in_the_order_of_the_file() {
    let header = r#"{"__metadata__":{"from":"here"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
        "a":{"dtype":"F16","shape":[1,1],"data_offsets":[8,10]},"c":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[10,12]}}"#;
    let data = [&1.5f32.to_le_bytes()[..], &(-2f32).to_le_bytes(), &[0x00, 0x38], &[1, 2]].concat();
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat();
    let stored = Stored::from_bytes(bytes, "w.safetensors").unwrap();
    assert_eq!(stored.container(), Container::Safetensors);
    assert_eq!(stored.notes(), [("from".to_owned(), "here".to_owned())]);
    let dict = stored.state_dict(None).unwrap();
    assert_eq!(dict.entries().map(|(name, _)| name).collect::<Vec<_>>(), ["b", "a", "c"]);
    assert_eq!((dict.values("b").unwrap(), dict.values("a").unwrap()), (vec![1.5, -2.0], vec![0.5]));
    assert!(dict.values("c").is_err());
}

#[test]
fn what_a_file_is_comes_before_what_it_is_not() {
    let said = |bytes: &[u8]| Stored::from_bytes(bytes.to_vec(), "m").unwrap_err().to_string();
    for (bytes, start) in [
        (&b""[..], "m: is empty, not a file of weights"),
        (b"<!DOCTYPE html>", "m: is a web page (HTML), not a file of weights"),
        (b"{\"a\": 1}", "m: is a JSON document, not a file of weights"),
        (b"(some words in brackets)", "m: is a text file, not a file of weights"),
        (b"version https://git-lfs.github.com/spec/v1\n", "m: is a Git LFS pointer, not a file of weights"),
        (b"\x1f\x8b\x08\0", "m: is a gzip archive, not a file of weights"),
        (b"\x01\x02\x03", "m: is no file of weights"),
    ] {
        assert!(said(bytes).starts_with(start), "{}", said(bytes));
    }
}
