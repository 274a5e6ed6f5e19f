use super::*;
use net::{Builder, Conv, Init, Norm};

/// A network of images of 8x8 pixels: maps `maps` [4, 8, 8], logits `logits` [3].
pub(crate) fn small(channels: usize) -> Network {
    let mut b = Builder::new(Init::glorot);
    let x = b.input("x", &[channels, 8, 8]);
    let maps = b.conv("maps", x, [channels, 4], 3, Conv::new(1, 1), Norm::None);
    let flat = b.reshape("flat", maps, &[256]);
    b.linear("logits", flat, 256, 3, Norm::None);
    Network::initial(b.finish(), 1, "weights", &Device::cpu())
}

fn open(network: &Network, node: Option<&str>) -> Result<Extractor> {
    Extractor::new(network, "small", node, Path::new("small.safetensors"), &Device::cpu())
}

fn images(n: usize) -> Vec<f32> {
    (0..n * 3 * 64).map(|i| (i * 37 % 101) as f32 / 50.5 - 1.0).collect()
}

#[test]
fn features_are_the_means_of_maps_or_a_vector_whatever_the_batch() {
    let network = small(3);
    let of_maps = open(&network, Some("maps")).unwrap();
    assert_eq!((of_maps.name().as_str(), of_maps.width(), of_maps.classes()), ("small:maps", 4, Some(3)));
    let all = of_maps.extract(images(5), true).unwrap();
    let ready = network.inference().unwrap();
    let x = Tensor::new(&[5, 3, 8, 8], images(5), &Device::cpu());
    let mut run = ready.start(&[(ready.input().unwrap(), &x)]).unwrap();
    let maps = run.fetch_one(ready.program().find("maps").unwrap()).unwrap().to_vec();
    for (map, found) in maps.chunks_exact(64).zip(&all.features) {
        assert!((map.iter().sum::<f32>() / 64.0 - found).abs() < 1e-6);
    }
    let parts =
        [0..2, 2..5].map(|part| of_maps.extract(images(5)[part.start * 192..part.end * 192].to_vec(), true).unwrap());
    assert_eq!(all.features, [parts[0].features.clone(), parts[1].features.clone()].concat());
    assert_eq!(all.logits, [parts[0].logits.clone(), parts[1].logits.clone()].concat());
    let of_vector = open(&network, None).unwrap();
    assert_eq!((of_vector.name().as_str(), of_vector.width()), ("small:logits", 3));
    assert_eq!(of_vector.extract(images(5), false).unwrap(), Extracted { features: all.logits, logits: Vec::new() });
}

#[test]
fn weights_are_known_by_their_numbers() {
    let one = small(3);
    let mut other = one.clone();
    assert_eq!(hash_of(&one), hash_of(&other));
    assert_eq!(hash_of(&one).len(), 64);
    other.notes.push(("trained on".into(), "nothing".into()));
    assert_eq!(hash_of(&one), hash_of(&other));
    other.params.set(0, one.params.tensors()[0].scale(1.5));
    assert_ne!(hash_of(&one), hash_of(&other));
}

#[test]
fn what_gives_no_features_is_refused_with_a_cure() {
    let says = |network: &Network, node| open(network, node).unwrap_err().to_string();
    let network = small(3);
    assert!(says(&network, Some("mpas")).contains("there is no node \"mpas\""));
    assert_eq!(says(&network, Some("maps.weight")), "small.safetensors: maps.weight: is a parameter, not a layer");
    assert!(says(&small(2), None).contains("reads [2, 8, 8], which is no image of 1 or 3 channels"));
    let maps = network.until("maps").unwrap();
    let error = open(&maps, None).unwrap_err();
    assert_eq!(error.to_string(), "small.safetensors: leaves open which node's numbers are features");
    assert!(error.hint().unwrap().contains("features FILE:NODE"));
}

#[test]
fn the_shipped_segmenter_gives_its_deepest_maps() {
    let scenes = Extractor::open("scenes", &Device::cpu()).unwrap();
    assert_eq!((scenes.name().as_str(), scenes.width(), scenes.classes()), ("scenes:middle", 128, None));
    assert_eq!(Extractor::open("scenes:down.2", &Device::cpu()).unwrap().width(), 64);
}
