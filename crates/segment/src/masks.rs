//! Concepts that somebody painted.

use crate::Segmenter;
use crate::cluster::constant;
use base::{Error, Result, files};
use data::{Class, Crop, LabelMap, Plane, Size, colour, decode, labels_to_size};
use net::{Binary, Conv, Device, Graph, Network, Op, Params};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most masks in a folder.
const MOST_MASKS: usize = 1024;
/// How a mask is painted.
pub const MASK_HINT: &str = "A mask is white where it marks; black and what is transparent mark nothing.";
/// The logit inside of a mask, for 0 of `none`: a probability of 0.99995.
const SURE: f32 = 10.0;

/// A segmenter of painted masks: each is one region of the picture, the same in all pictures ("the lower left corner", "where the
/// watermark is", "the mouth" of aligned faces).
///
/// Masks may overlap, so each is a plane of its own, with its own name and the classes `none` and this name. Concepts that are
/// elsewhere in every picture need labels for every picture: a labelled set, and a segmenter that learns from it.
///
/// Reads a folder of masks `NAME.png`, in the order of their names, for images of `shape`. A pixel is inside where the
/// mask is brighter than half (black and white will do). A mask of another size is stretched where images are square or of its form.
///
/// # Errors
/// The folder holds no PNG, a mask cannot be read, has another size, or is all black.
pub fn masks(folder: impl AsRef<Path>, shape: [usize; 3], device: &Device) -> Result<Segmenter> {
    let paths = mask_paths(folder.as_ref())?;
    let (mut planes, mut logits) = (Vec::new(), Vec::new());
    for (k, path) in paths.iter().enumerate() {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let class = |name: &str, colour| Class { name: name.to_owned(), colour };
        let classes = vec![class("none", [40, 40, 48]), class(&name, colour(k))];
        planes.push(Plane { name, classes, ignore: Some(0) });
        let map = read_mask(path, shape)?;
        if map.classes.iter().all(|&class| class == 0) {
            return Err(Error::file(path, "marks nothing: no pixel is brighter than half").with_hint(MASK_HINT));
        }
        logits.extend(vec![0.0; map.classes.len()]);
        logits.extend(map.classes.iter().map(|&class| if class == 1 { SURE } else { -SURE }));
    }
    let [channels, height, width] = shape;
    let maps = 2 * planes.len();
    let (mut graph, mut params) = (Graph::default(), Vec::new());
    let x = graph.push("x", Op::input(&shape), &[]);
    // What the picture shows does not matter; how many there are does.
    let (none, form) = (vec![0.0; maps * channels], [maps, channels, 1, 1]);
    let none = constant(&mut graph, &mut params, "none.weight", &form, none, device);
    let none = graph.push("none", Op::conv2d(Conv::new(1, 0)), &[x, none]);
    let painted = constant(&mut graph, &mut params, "painted", &[1, maps, height, width], logits, device);
    graph.push("logits", Binary::Add, &[none, painted]);
    let notes = [
        ("made by", format!("ganatomy {}", env!("CARGO_PKG_VERSION"))),
        ("masks of", folder.as_ref().display().to_string()),
    ];
    let notes = notes.map(|(key, value)| (key.to_owned(), value)).to_vec();
    Segmenter::new(Network { graph: Arc::new(graph), params: Params::new(params), notes }, planes)
}

/// The masks `*.png` of a folder, in the order of their names.
///
/// # Errors
/// The folder cannot be listed, or holds none or more than 1,024.
pub fn mask_paths(folder: &Path) -> Result<Vec<PathBuf>> {
    let wrong = |e| Error::io("list", folder, e);
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() || paths.len() > MOST_MASKS {
        return Err(Error::file(folder, format!("holds {} masks; 1 to {MOST_MASKS} are read", paths.len()))
            .with_hint("Put a PNG for each concept into it, white inside and black outside."));
    }
    Ok(paths)
}

/// One mask for images of a shape: class 1 where it is brighter than half, else 0; what is transparent is dark. Stretched to square images, and to others
/// of its form.
///
/// # Errors
/// It cannot be read or has another form.
pub fn read_mask(path: &Path, [_, height, width]: [usize; 3]) -> Result<LabelMap> {
    let image = decode(&files::read(path, data::MAX_BYTES)?, path)?.into_grey();
    let classes = image.pixels.iter().map(|&v| u16::from(v >= 128)).collect();
    let mut map = LabelMap { width: image.width, height: image.height, classes };
    // Less than a pixel of the image is rounding.
    let same_form = (map.width * height).abs_diff(map.height * width) < map.width.max(map.height);
    if (map.width, map.height) != (width, height) && (width == height || same_form) {
        map = labels_to_size(&map, Size { width, height }, Crop::Stretch);
    }
    if (map.width, map.height) != (width, height) {
        let reason = format!("has {}x{} pixels where images have {width}x{height}", map.width, map.height);
        return Err(Error::file(path, reason));
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Segment;
    use data::{Image, pictures};
    use net::{Storage, Tensor};
    use std::fs;

    fn write(folder: &Path, name: &str, width: usize, pixels: &[u8]) {
        let image = Image::new(width, pixels.len() / width, 1, pixels.to_vec()).unwrap();
        fs::write(folder.join(name), pictures::png(&image).unwrap()).unwrap();
    }

    #[test]
    fn each_mask_is_a_plane_and_the_same_for_all_images() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "left.png", 2, &[255, 0, 255, 0]);
        write(folder.path(), "all.PNG", 1, &[200]);
        fs::write(folder.path().join("notes.txt"), "x").unwrap();
        let masks = masks(folder.path(), [1, 4, 4], &Device::cpu()).unwrap();
        let bytes = masks.to_bytes(Storage::F16).unwrap();
        let masks = Segmenter::from_bytes(&bytes, Path::new("m"), &Device::cpu()).unwrap();
        let names: Vec<&str> = masks.planes().iter().map(|p| p.classes[1].name.as_str()).collect();
        assert_eq!(names, ["all", "left"]);
        let images = Tensor::new(&[2, 1, 4, 4], (0..32).map(|i| i as f32 / 8.0 - 2.0).collect(), &Device::cpu());
        let maps = masks.segment(&images).unwrap();
        assert_eq!(maps[0], maps[1]);
        assert_eq!(maps[0][0].classes, [1; 16]);
        assert_eq!(maps[0][1].classes, [1, 1, 0, 0].repeat(4));
        assert!(masks.is_blind(&Device::cpu()).unwrap());
    }

    #[test]
    fn a_mask_is_brought_to_images_of_its_form() {
        let folder = tempfile::tempdir().unwrap();
        // 10 x 6 pixels, white at the left.
        write(folder.path(), "left.png", 10, &[255, 255, 255, 255, 255, 0, 0, 0, 0, 0].repeat(6));
        let map = |width, height| read_mask(&folder.path().join("left.png"), [3, height, width]);
        for (width, height) in [(5, 3), (80, 48), (10, 6), (84, 50), (8, 8)] {
            let map = map(width, height).unwrap();
            assert_eq!((map.width, map.height), (width, height));
            assert_eq!(map.classes.iter().filter(|&&class| class == 1).count(), width / 2 * height);
        }
        assert!(map(80, 60).unwrap_err().to_string().ends_with("has 10x6 pixels where images have 80x60"));
    }

    #[test]
    fn broken_masks_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |shape| masks(folder.path(), shape, &Device::cpu()).unwrap_err().to_string();
        assert!(refused([1, 2, 2]).ends_with("holds 0 masks; 1 to 1024 are read"), "{}", refused([1, 2, 2]));
        write(folder.path(), "a.png", 2, &[0, 127, 0, 0]);
        assert!(refused([1, 2, 2]).ends_with("a.png: marks nothing: no pixel is brighter than half"));
        assert!(refused([1, 2, 4]).ends_with("a.png: has 2x2 pixels where images have 4x2"));
    }
}
