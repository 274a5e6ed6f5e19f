//! `ganatomy run`

use crate::support::{check, image_generator, latents_npy, with_models};
use base::npy::Array;

#[test]
fn nodes_and_gradients_of_a_network_on_given_numbers() {
    let place = with_models();
    place.write("z.npy", &latents_npy(&image_generator(3), &[2, 3], &[2, 4]));
    place.succeed("sample g.safetensors --seeds 2..4 --raw wanted.npy");
    assert_eq!(place.succeed("run g.safetensors --feed z.npy --out y.npy").lines().last(), Some("y.npy"));
    assert!(place.read("y.npy") == place.read("wanted.npy"));
    place.succeed("run g.safetensors --feed z=z.npy --fetch 1 --fetch x --grad x:z --out nodes.npz");
    let (middle, gradient) = (place.npy_of("nodes.npz", "1"), place.npy_of("nodes.npz", "grad-x-z"));
    assert_eq!(gradient.shape, [2, 4]);
    assert_eq!(place.npy_of("nodes.npz", "x").shape, [2, 3, 16, 16]);
    // Cut where it was looked at, it goes on from there.
    place.write("middle.npy", &middle.to_bytes());
    place.succeed("run g.safetensors --feed 1=middle.npy --out rest.npy");
    let (rest, wanted) = (place.npy("rest.npy").into_f32(), place.npy("wanted.npy").into_f32());
    assert!(rest.len() == wanted.len() && rest.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-5));
    place.write("small.npy", &Array::f32(vec![1, 4], vec![0.0, 1.0, -1.0, 0.5]).to_bytes());
    check("run", &place.run("run g.safetensors --feed small.npy --fetch z --fetch 0.linear"));
}

#[test]
fn what_cannot_be_run() {
    let place = with_models();
    place.write("z.npy", &latents_npy(&image_generator(3), &[2], &[1, 4]));
    place.write("five.npy", &Array::f32(vec![1, 5], vec![0.0; 5]).to_bytes());
    let runs = [
        "g.safetensors",
        "g.safetensors --feed z=none.npy",
        "g.safetensors --feed y=z.npy",
        "g.safetensors --feed five.npy",
        "g.safetensors --feed z.npy --fetch 9",
        "g.safetensors --feed z.npy --fetch x --fetch x",
        "g.safetensors --feed z.npy --grad x",
        "g.safetensors --feed z.npy --grad z:x",
        "g.safetensors --feed z.npy --fetch 1 --fetch x --out a.npy",
        "g.safetensors --feed z.npy --out a.txt",
    ];
    check("run-none", &runs.map(|words| place.run(&format!("run {words}")) + "\n").concat());
}
