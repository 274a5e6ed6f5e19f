//! `ganatomy sample`

use crate::support::{Place, bytes_of, check, image_generator, latents_npy, point_generator, with_models};
use base::npy::Array;

#[test]
fn a_grid_is_the_default() {
    let place = with_models();
    assert_eq!(place.succeed("sample g.safetensors"), "samples.png\n");
    let grid = place.picture("samples.png");
    assert_eq!((grid.width, grid.height, grid.channels), (4 * 18 + 2, 4 * 18 + 2, 3));
}

#[test]
fn a_grid_shows_the_pictures_of_the_folder() {
    let place = with_models();
    place.succeed("sample g.safetensors --seeds 0..3,7 --out new/grid.png --columns 3");
    assert_eq!(place.succeed("sample g.safetensors --seeds 0..3,7 --out all"), "all\n");
    assert_eq!(place.names("all"), ["seed000000.png", "seed000001.png", "seed000002.png", "seed000007.png"]);
    let pictures: Vec<_> = place.names("all").iter().map(|name| place.picture(&format!("all/{name}"))).collect();
    assert_eq!(data::pictures::grid(&pictures, 3, 2).unwrap(), place.picture("new/grid.png"));
}

#[test]
fn pictures_are_enlarged_and_their_seeds_stand_below() {
    let place = with_models();
    place.succeed("sample g.safetensors --seeds 0..3,700 --out all");
    place.succeed("sample g.safetensors --seeds 0..3,700 --scale 3 --out large");
    let small = place.picture("all/seed000700.png");
    assert_eq!(place.picture("large/seed000700.png"), data::pictures::zoomed(&small, 3));
    place.succeed("sample g.safetensors --seeds 0..3,700 --scale 3 --columns 2 --captions --out grid.png");
    let grid = place.picture("grid.png");
    let cell = 48 + data::pictures::LINE;
    assert_eq!((grid.width, grid.height), (2 * 50 + 2, 2 * (cell + 2) + 2));
    // The last picture is as it was, and something is written below it.
    let at = |x: usize, y: usize| &grid.pixels[((cell + 4 + y) * grid.width + 52 + x) * 3..][..3];
    let zoomed = data::pictures::zoomed(&small, 3);
    assert!((0..48).all(|y| (0..48).all(|x| at(x, y) == &zoomed.pixels[(y * 48 + x) * 3..][..3])));
    assert!((48..cell).any(|y| (0..48).any(|x| at(x, y) != data::pictures::GROUND)));
    let refused = place.run("sample g.safetensors --captions --out all");
    assert!(refused.contains("error: --captions: are of the images of a grid"), "{refused}");
}

#[test]
fn raw_numbers_are_those_of_the_pictures() {
    let place = with_models();
    assert_eq!(place.succeed("sample g.safetensors --seeds 5..7 --raw x.npy"), "x.npy\n");
    assert!(!place.path("samples.png").exists());
    place.succeed("sample g.safetensors --seeds 5..7 --out all");
    let raw = place.npy("x.npy");
    assert_eq!(raw.shape, [2, 3, 16, 16]);
    let pictures = data::pictures::from_batch(&raw.shape.clone(), &raw.into_f32()).unwrap();
    assert_eq!(pictures, [place.picture("all/seed000005.png"), place.picture("all/seed000006.png")]);
    assert!(pictures[0].pixels.iter().any(|&v| v != pictures[0].pixels[0]), "the picture shows something");
}

#[test]
fn batches_of_every_size_give_the_same_bytes() {
    let place = with_models();
    for model in ["g", "p"] {
        let bytes = |batch: usize| {
            place
                .succeed(&format!("sample {model}.safetensors --seeds 0..70 --raw {model}{batch}.npy --batch {batch}"));
            place.read(&format!("{model}{batch}.npy"))
        };
        let whole = bytes(64);
        assert!([1, 3, 70].into_iter().all(|batch| bytes(batch) == whole), "{model}");
    }
}

#[test]
fn truncated_latents_are_multiplied_in_every_command() {
    let place = with_models();
    let raw = |command: &str| {
        place.succeed(&format!("{command} --raw x.npy --out all"));
        place.read("x.npy")
    };
    let mut whole = image_generator(3).latents(&[2, 3], &net::Device::cpu()).to_vec();
    whole.iter_mut().for_each(|z| *z *= 0.5);
    place.write("z.npy", &Array::f32(vec![2, 4], whole).to_bytes());
    let half = raw("sample g.safetensors --latents z.npy");
    assert!(half != raw("sample g.safetensors --seeds 2..4"));
    assert!(half == raw("sample g.safetensors --seeds 2..4 --truncation 0.5"));
    // An edit that does nothing: what was edited keeps its truncation, and the recipe says so.
    let nothing = "edit g.safetensors --scale 1:0@1";
    assert!(half == raw(&format!("{nothing} --seeds 2..4 --truncation 0.5")));
    assert!(half == raw("edit g.safetensors --recipe all/recipe.json --seeds 2..4"));
    assert!(
        half == raw("edit g.safetensors --recipe all/recipe.json --latents z.npy"),
        "latents of one's own are as they are"
    );
    place.succeed("interpolate g.safetensors --seeds 2,3 --steps 2 --truncation 0.5 --out way.png");
    place.succeed("sample g.safetensors --seeds 2..4 --truncation 0.5 --columns 2 --out grid.png");
    assert!(place.picture("way.png") == place.picture("grid.png"));
    check("truncation", &place.run("sample g.safetensors --truncation -1"));
}

#[test]
fn latents_of_a_file_give_what_their_seeds_give() {
    let place = with_models();
    place.succeed("sample g.safetensors --seeds 2..5 --raw seeds.npy");
    for shape in [&[3, 4][..], &[3, 4, 1, 1]] {
        place.write("z.npy", &latents_npy(&image_generator(3), &[2, 3, 4], shape));
        assert_eq!(place.succeed("sample g.safetensors --latents z.npy --raw x.npy --out all"), "all\nx.npy\n");
        assert!(place.read("x.npy") == place.read("seeds.npy"), "{shape:?}");
        assert_eq!(place.names("all"), ["latent000000.png", "latent000001.png", "latent000002.png"]);
    }
}

#[test]
fn json_says_what_was_written() {
    let place = with_models();
    check("sample-json", &place.run("sample g.safetensors --seeds 0..2 --raw x.npy --out grid.png --json"));
}

#[test]
fn points_are_scattered() {
    let place = with_models();
    place.succeed("sample p.safetensors --seeds 0..500 --out points.png --raw x.npy");
    assert_eq!(place.npy("x.npy").shape, [500, 2]);
    let picture = place.picture("points.png");
    assert!(picture.pixels.as_chunks::<3>().0.iter().any(|&[r, g, b]| b > 100 && g > 100 && r < g));
    place.write("z.npy", &latents_npy(&point_generator(), &[0], &[1, 2]));
    place.succeed("sample p.safetensors --latents z.npy --raw one.npy");
    assert_eq!(place.npy("one.npy").into_f32(), place.npy("x.npy").into_f32()[..2]);
}

#[test]
fn numbers_that_are_not_finite_are_told() {
    let place = Place::new();
    let mut network = image_generator(3);
    let sick = network.params.tensors()[0].scale(f64::NAN);
    network.params.set(0, sick);
    place.write("g.safetensors", &bytes_of(&network));
    check("sample-not-finite", &place.run("sample g.safetensors"));
}

#[test]
fn grey_pictures_stay_grey() {
    let place = Place::new();
    place.write("g.safetensors", &bytes_of(&image_generator(1)));
    place.succeed("sample g.safetensors");
    assert_eq!(place.picture("samples.png").channels, 1);
}

#[test]
fn latents_that_do_not_fit() {
    let place = with_models();
    place.write("wrong.npy", &Array::f32(vec![3, 5], vec![0.0; 15]).to_bytes());
    place.write("flat.npy", &Array::f32(vec![4], vec![0.0; 4]).to_bytes());
    place.write("none.npy", &Array::f32(vec![0, 4], vec![]).to_bytes());
    place.write("nan.npy", &Array::f32(vec![2, 4], vec![0., 0., 0., 0., 0., f32::NAN, 0., 0.]).to_bytes());
    place.write("text.npy", b"not numbers at all");
    let names = ["wrong", "flat", "none", "nan", "text", "missing"];
    let runs = names.map(|name| place.run(&format!("sample g.safetensors --latents {name}.npy --raw x.npy")) + "\n");
    check("sample-wrong-latents", &runs.concat());
    assert!(!place.path("x.npy").exists());
}

#[test]
fn outputs_that_cannot_be() {
    let place = with_models();
    place.write("four.safetensors", &bytes_of(&image_generator(4)));
    place.write("file", b"");
    place.write("folder.png/x", b"");
    let wrong = [
        "g.safetensors --out grid.jpg",
        "g.safetensors --out file",
        "g.safetensors --out folder.png",
        "g.safetensors --out file/grid.png",
        "g.safetensors --seeds 0..1000000000 --out grid.png",
        "p.safetensors --out folder",
        "four.safetensors",
    ];
    let before = place.names(".");
    check("sample-wrong-outputs", &wrong.map(|words| place.run(&format!("sample {words}")) + "\n").concat());
    assert_eq!(place.names("."), before, "nothing is left behind");
}

#[test]
fn the_nearest_image_is_shown_below_each_sample() {
    let place = with_models();
    // Two samples among other pictures: one of them as it is, one turned left to right.
    place.succeed("sample g.safetensors --seeds 0..2 --out set");
    place.succeed("sample g.safetensors --seeds 20..25 --out set");
    let turned = place.picture("set/seed000001.png").flipped();
    place.write("set/seed000001.png", &data::pictures::png(&turned).unwrap());
    check("sample-nearest", &place.run("sample g.safetensors --seeds 0..3 --nearest set --columns 3"));
    let grid = place.picture("samples.png");
    assert_eq!((grid.width, grid.height), (3 * 18 + 2, 16 + 1 + 16 + 2 * 2));
    let json: serde_json::Value =
        serde_json::from_str(&place.succeed("sample g.safetensors --seeds 0..3 --nearest set --json")).unwrap();
    let found = json["nearest"]["samples"].as_array().unwrap();
    assert!(found[0]["nearest"].as_str().unwrap().contains("seed000000") && found[0]["distance"] == 0.0, "{found:?}");
    assert!(found[1]["nearest"].as_str().unwrap().contains("seed000001") && found[1]["mirrored"] == true, "{found:?}");
    assert!(found[2]["distance"].as_f64().unwrap() > 0.0, "{found:?}");
}

#[test]
fn nearest_images_that_cannot_be() {
    let place = with_models();
    place.succeed("sample g.safetensors --seeds 0..1 --out one");
    let wrong = ["g.safetensors --nearest one", "g.safetensors --nearest one --out all", "p.safetensors --nearest one"];
    check("sample-wrong-nearest", &wrong.map(|words| place.run(&format!("sample {words}")) + "\n").concat());
}
