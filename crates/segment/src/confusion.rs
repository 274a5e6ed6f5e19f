//! How good a segmenter is: what it took for what.

use crate::Segment;
use base::{Error, Result};
use data::{Dataset, LabelMap, Plane, Size};
use net::{Device, Tensor};
use rayon::prelude::*;
use serde::Serialize;

/// Pixels by true and by given class, for one plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    plane: Plane,
    /// Row after row; a row is a true class, a column what was said.
    counts: Vec<u64>,
}

/// What a table says of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// Its name.
    pub name: String,
    /// Pixels that are of this class.
    pub pixels: u64,
    /// Intersection over union; `None` where no pixel is of this class.
    pub iou: Option<f64>,
    /// The share of its pixels that were found.
    pub recall: Option<f64>,
    /// The share of right ones among the pixels that were said to be of it.
    pub precision: Option<f64>,
}

impl Confusion {
    /// An empty table.
    pub fn new(plane: Plane) -> Self {
        let counts = vec![0; plane.classes.len() * plane.classes.len()];
        Self { plane, counts }
    }

    /// The plane.
    pub fn plane(&self) -> &Plane {
        &self.plane
    }

    /// Adds the pixels of one image. Labels that are no class do not count.
    pub fn add(&mut self, truth: &LabelMap, said: &LabelMap) {
        let n = self.plane.classes.len();
        for (&truth, &said) in truth.classes.iter().zip(&said.classes) {
            if usize::from(truth) < n && usize::from(said) < n {
                self.counts[usize::from(truth) * n + usize::from(said)] += 1;
            }
        }
    }

    /// The table: for each true class the pixels of each class that was said.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks_exact(self.plane.classes.len())
    }

    /// The share of all pixels that are right.
    pub fn accuracy(&self) -> f64 {
        let n = self.plane.classes.len();
        let right: u64 = (0..n).map(|class| self.counts[class * n + class]).sum();
        right as f64 / self.counts.iter().sum::<u64>().max(1) as f64
    }

    /// What the table says of each class.
    pub fn classes(&self) -> Vec<ClassScore> {
        let n = self.plane.classes.len();
        let score = |class: usize| {
            let both = self.counts[class * n + class];
            let pixels: u64 = self.counts[class * n..][..n].iter().sum();
            let said: u64 = self.counts.iter().skip(class).step_by(n).sum();
            let share = |of: u64| (pixels > 0 && of > 0).then(|| both as f64 / of as f64);
            ClassScore {
                name: self.plane.classes[class].name.clone(),
                pixels,
                iou: share(pixels + said - both),
                recall: share(pixels),
                precision: share(said),
            }
        };
        (0..n).map(score).collect()
    }

    /// The mean of the classes' intersections over unions, over those that occur.
    pub fn mean_iou(&self) -> f64 {
        mean(self.classes().iter().filter_map(|class| class.iou))
    }

    /// As [`Confusion::mean_iou`], without the class that stands for nothing; pixels of it still count where another class
    /// was said.
    pub fn mean_iou_of_things(&self) -> f64 {
        let nothing = self.plane.ignore.map(usize::from);
        let things = self.classes().into_iter().enumerate().filter(|(class, _)| Some(*class) != nothing);
        mean(things.filter_map(|(_, class)| class.iou))
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), v| (sum + v, n + 1));
    sum / n.max(1) as f64
}

/// Checks that a segmenter speaks of the images and classes of a set.
///
/// # Errors
/// The set has no label maps, or other ones than the segmenter; or images of another shape.
pub fn check_fit(segmenter: &dyn Segment, set: &Dataset) -> Result<()> {
    let wrong = |reason: String| Error::file(set.name(), reason);
    if set.planes().is_empty() {
        return Err(wrong("has no label maps".into()).with_hint(
            "Take scenes, or a folder with images/, labels/ (PNGs whose values are class indices) and classes.json.",
        ));
    }
    if set.shape() != segmenter.image_shape() {
        let [c, h, w] = segmenter.image_shape();
        let reason = format!("has images of shape {:?}; the segmenter reads {:?}", set.shape(), [c, h, w]);
        return Err(wrong(reason).with_hint(format!("Give `size {}`.", Size::of([c, h, w]))));
    }
    let names = |planes: &[Plane]| {
        let plane = |p: &Plane| {
            let classes: Vec<&str> = p.classes.iter().map(|c| c.name.as_str()).collect();
            format!("{} ({})", p.name, classes.join(", "))
        };
        planes.iter().map(plane).collect::<Vec<_>>().join("; ")
    };
    let (ours, theirs) = (names(segmenter.planes()), names(set.planes()));
    if ours != theirs {
        return Err(wrong(format!("has the classes {theirs}; the segmenter knows {ours}")));
    }
    Ok(())
}

/// Judges a segmenter on the first `n` items of a set: a table for each plane. `each` is told how many items are done.
///
/// Pixels of a plane's `ignore` class are left out where `skip_ignored`.
///
/// # Errors
/// As [`check_fit`], or an item cannot be read.
pub fn evaluate(
    segmenter: &dyn Segment,
    set: &Dataset,
    n: usize,
    skip_ignored: bool,
    device: &Device,
    mut each: impl FnMut(usize),
) -> Result<Vec<Confusion>> {
    check_fit(segmenter, set)?;
    let [c, h, w] = segmenter.image_shape();
    let n = set.len().map_or(n, |all| n.min(all));
    let mut tables: Vec<Confusion> = set.planes().iter().cloned().map(Confusion::new).collect();
    // As many images at a time as take about 16 MiB.
    let batch = ((4 << 20) / (c * h * w)).clamp(1, 64);
    for first in (0..n).step_by(batch) {
        let items: Vec<u64> = (first..n.min(first + batch)).map(|i| i as u64).collect();
        let loaded = items.par_iter().map(|&i| set.image_with_maps(i)).collect::<Result<Vec<_>>>()?;
        let values = loaded.iter().flat_map(|(image, _)| image.to_floats()).collect();
        let said = segmenter.segment(&Tensor::new(&[items.len(), c, h, w], values, device))?;
        let judge = |(plane, table): (usize, &mut Confusion)| {
            for ((_, truth), said) in loaded.iter().zip(&said) {
                match table.plane.ignore.filter(|_| skip_ignored) {
                    Some(ignore) => table.add(&without(&truth[plane], ignore), &said[plane]),
                    None => table.add(&truth[plane], &said[plane]),
                }
            }
        };
        tables.par_iter_mut().enumerate().for_each(judge);
        each(items.len() + first);
    }
    Ok(tables)
}

fn without(map: &LabelMap, ignore: u16) -> LabelMap {
    let classes = map.classes.iter().map(|&c| if c == ignore { crate::loss::UNLABELLED } else { c }).collect();
    LabelMap { classes, ..*map }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Oracle;
    use data::Class;

    fn plane(names: &[&str], ignore: Option<u16>) -> Plane {
        let class = |name: &&str| Class { name: (*name).into(), colour: [0; 3] };
        Plane { name: "test".into(), classes: names.iter().map(class).collect(), ignore }
    }

    fn map(classes: &[u16]) -> LabelMap {
        LabelMap { width: classes.len(), height: 1, classes: classes.to_vec() }
    }

    #[test]
    fn a_table_of_a_few_pixels_by_hand() {
        let mut table = Confusion::new(plane(&["none", "wall", "roof", "door"], Some(0)));
        table.add(&map(&[0, 0, 1, 1, 1, 2, 255]), &map(&[0, 1, 1, 1, 2, 2, 2]));
        let rows: Vec<&[u64]> = table.rows().collect();
        assert_eq!(rows, [[1, 1, 0, 0], [0, 2, 1, 0], [0, 0, 1, 0], [0; 4]]);
        assert_eq!(table.accuracy(), 4.0 / 6.0);
        let classes = table.classes();
        let ious: Vec<Option<f64>> = classes.iter().map(|c| c.iou).collect();
        assert_eq!(ious, [Some(0.5), Some(0.5), Some(0.5), None]);
        assert_eq!((classes[1].recall, classes[1].precision, classes[1].pixels), (Some(2.0 / 3.0), Some(2.0 / 3.0), 3));
        assert_eq!((table.mean_iou(), table.mean_iou_of_things()), (0.5, 0.5));
    }

    #[test]
    fn an_oracle_of_scenes_is_perfect_and_a_blind_one_is_not() {
        let options = data::Options { size: Some(Size::square(32)), ..data::Options::default() };
        let set = data::open("scenes", &options).unwrap();
        let truth: Vec<_> = (0..8).map(|i| set.image_with_maps(i).unwrap()).collect();
        let known: Vec<(Vec<f32>, Vec<LabelMap>)> =
            truth.into_iter().map(|(image, maps)| (image.to_floats(), maps)).collect();
        let find = |image: &[f32]| known.iter().find(|(values, _)| values == image).unwrap().1.clone();
        let oracle = Oracle::new(set.planes().to_vec(), [3, 32, 32], find);
        let mut seen = 0;
        for table in evaluate(&oracle, &set, 8, false, &Device::cpu(), |n| seen = n).unwrap() {
            assert_eq!((table.accuracy(), table.mean_iou(), table.mean_iou_of_things()), (1.0, 1.0, 1.0));
            assert_eq!(table.rows().flatten().sum::<u64>(), 8 * 32 * 32);
        }
        assert_eq!(seen, 8);
        let blind = |_: &[f32]| vec![LabelMap { width: 32, height: 32, classes: vec![0; 1024] }; 2];
        let blind = Oracle::new(set.planes().to_vec(), [3, 32, 32], blind);
        let tables = evaluate(&blind, &set, 8, true, &Device::cpu(), |_| ()).unwrap();
        assert!(tables[0].mean_iou() < 0.2 && tables[1].mean_iou() == 0.0);
        // Parts are mostly none, which was left out.
        assert!(tables[1].rows().flatten().sum::<u64>() < 4 * 32 * 32);
    }

    #[test]
    fn sets_that_do_not_fit_are_refused_with_a_cure() {
        let blind = |_: &[f32]| Vec::new();
        let oracle = Oracle::new(vec![plane(&["a"], None)], [3, 32, 32], blind);
        let open = |size| {
            data::open("scenes", &data::Options { size: Some(Size::square(size)), ..data::Options::default() }).unwrap()
        };
        let error = check_fit(&oracle, &open(64)).unwrap_err();
        assert_eq!(error.to_string(), "scenes: has images of shape [3, 64, 64]; the segmenter reads [3, 32, 32]");
        assert_eq!(error.hint().unwrap(), "Give `size 32`.");
        let error = check_fit(&oracle, &open(32)).unwrap_err().to_string();
        assert!(error.ends_with("; the segmenter knows test (a)"), "{error}");
    }
}
