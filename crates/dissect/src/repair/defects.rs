//! Where somebody painted a defect, and which units are on there.

use super::sample::{BATCH, versions};
use crate::subject::Subject;
use base::Error;
use base::watch::Watch;
use kernels::{Upsampler, words};
use metrics::overlap::Overlap;
use net::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Images on which a mask is judged that is the same in all of them.
const IMAGES: usize = 256;

/// A painted defect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defects {
    /// The same region in every image. Pixels as bits, row by row.
    Everywhere(Vec<u64>),
    /// Of each of these seeds' images.
    BySeed(BTreeMap<u64, Vec<u64>>),
}

impl Defects {
    /// Reads masks for images of a shape, white where the defect is: one PNG for a region that is the same in every image, or a folder
    /// of `seed000017.png`, as `ganatomy sample --out` names images; there, a black one says that its image has no defect.
    ///
    /// # Errors
    /// A file cannot be read, has another size or name, or nothing is marked at all.
    pub fn open(path: &Path, shape: [usize; 3]) -> base::Result<Self> {
        let nothing =
            || Error::file(path, "marks nothing: no pixel is brighter than half").with_hint(segment::MASK_HINT);
        let read = |path: &Path| segment::read_mask(path, shape).map(|mask| bits(&mask.classes));
        if !path.is_dir() {
            let mask = read(path)?;
            return if mask.iter().all(|&word| word == 0) { Err(nothing()) } else { Ok(Self::Everywhere(mask)) };
        }
        let mut masks = BTreeMap::new();
        for file in segment::mask_paths(path)? {
            let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let seed = stem.strip_prefix("seed").and_then(|digits| digits.parse().ok()).ok_or_else(|| {
                Error::file(&file, "does not say of which image it is")
                    .with_hint("Call the mask of seed 17 seed000017.png; one file alone is a mask for all images.")
            })?;
            masks.insert(seed, read(&file)?);
        }
        if masks.values().flatten().all(|&word| word == 0) {
            return Err(nothing());
        }
        Ok(Self::BySeed(masks))
    }

    /// The `IoU` of every unit with the defect over the masked images (or the first 256 of `seeds`): a unit is on above its level. `None`
    /// when the watcher wanted it to end.
    pub(super) fn agreement(
        &self,
        subject: &Subject,
        levels: &[f32],
        seeds: &[u64],
        watch: &mut dyn Watch,
    ) -> Result<Option<Vec<f64>>> {
        let layer = &subject.layers()[0];
        let cells = layer.size[0] * layer.size[1];
        let [_, height, width] = subject.image_shape();
        let upsampler = Upsampler::new(layer.size, [height, width]);
        let judged: Vec<(u64, &Vec<u64>)> = match self {
            Self::Everywhere(mask) => seeds.iter().take(IMAGES).map(|&seed| (seed, mask)).collect(),
            Self::BySeed(masks) => masks.iter().map(|(&seed, mask)| (seed, mask)).collect(),
        };
        let mut overlaps = vec![Overlap::default(); layer.units];
        watch.stage("masked images", judged.len() as u64);
        for part in judged.chunks(BATCH) {
            let seeds: Vec<u64> = part.iter().map(|(seed, _)| *seed).collect();
            let maps = versions(subject, &seeds, &[])?.0.to_vec();
            overlaps.par_iter_mut().enumerate().for_each(|(unit, overlap)| {
                let mut on = vec![0; words(height * width)];
                for (image, (_, mask)) in part.iter().enumerate() {
                    let map = &maps[(image * layer.units + unit) * cells..][..cells];
                    overlap.unit += upsampler.pack_above(map, levels[unit], &mut on);
                    overlap.both += on.iter().zip(*mask).map(|(a, b)| u64::from((a & b).count_ones())).sum::<u64>();
                    overlap.label += mask.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
                    overlap.total += (height * width) as u64;
                }
            });
            watch.step(part.len() as u64);
            if watch.stop() {
                return Ok(None);
            }
        }
        Ok(Some(overlaps.into_iter().map(Overlap::iou).collect()))
    }
}

/// Pixel `p` is bit `p % 64` of word `p / 64`.
fn bits(classes: &[u16]) -> Vec<u64> {
    let word =
        |pixels: &[u16]| pixels.iter().enumerate().fold(0, |word, (at, &class)| word | u64::from(class != 0) << at);
    classes.chunks(64).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data::{Image, pictures};

    fn write(path: &Path, pixels: &[u8]) {
        let image = Image::new(2, 2, 1, pixels.to_vec()).unwrap();
        std::fs::write(path, pictures::png(&image).unwrap()).unwrap();
    }

    #[test]
    fn masks_are_of_all_images_or_of_their_seeds() {
        let folder = tempfile::tempdir().unwrap();
        let shape = [3, 2, 2];
        let path = |name: &str| folder.path().join(name);
        write(&path("seed000017.png"), &[0, 255, 200, 0]);
        assert_eq!(Defects::open(&path("seed000017.png"), shape).unwrap(), Defects::Everywhere(vec![0b0110]));
        write(&path("seed4.png"), &[0; 4]);
        let by_seed = BTreeMap::from([(4, vec![0]), (17, vec![0b0110])]);
        assert_eq!(Defects::open(folder.path(), shape).unwrap(), Defects::BySeed(by_seed));
        let refused = |path: &Path| Defects::open(path, shape).unwrap_err().to_string();
        assert!(refused(&path("seed4.png")).ends_with("marks nothing: no pixel is brighter than half"));
        write(&path("hat.png"), &[255; 4]);
        assert!(refused(folder.path()).ends_with("hat.png: does not say of which image it is"));
        assert!(refused(&path("none")).ends_with("cannot read: No such file or directory (os error 2)"));
    }
}
