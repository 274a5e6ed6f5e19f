//! The counts of a dissection: integers that add up exactly, in whatever order and from however many shards.

use crate::archive::Archive;
use crate::plan::Plan;
use crate::subject::Layer;
use base::Result;
use base::npy::{self, Array, Elements};
use std::ops::Range;
use std::path::Path;

/// Images are counted in blocks by their number modulo this; intervals resample whole blocks.
pub const BLOCKS: usize = 64;
/// Images that go through the networks together, and among which partners for the chance level are found. Part of the result.
pub const GROUP: u64 = 16;
/// Chance tables: in table r every image of a full group meets the labels of the image r + 1 places further in its group, the first
/// coming after the last. Together, each image meets all others of its group.
pub const ROTATIONS: usize = GROUP as usize - 1;

/// How strongly an image activates a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Top {
    /// The largest activation of any cell.
    pub max: f32,
    /// The seed of the image.
    pub seed: u64,
}

/// The counts of one layer with `units` units, beside `concepts` concepts.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTally {
    /// `[BLOCKS][units][concepts]`: pixels where the unit is on and the concept is.
    pub both: Vec<u64>,
    /// `[BLOCKS][units]`: pixels where the unit is on.
    pub on: Vec<u64>,
    /// `[ROTATIONS][units][concepts]`: as `both`, with the labels of another image.
    pub chance_both: Vec<u64>,
    /// `[units]`: as `on`, over the images that took part in the chance tables.
    pub chance_on: Vec<u64>,
    /// For each unit its top images, the strongest first, ties by seed.
    pub top: Vec<Vec<Top>>,
}

impl LayerTally {
    /// The counts of `units` units each, to be counted at the same time.
    pub(crate) fn parts(&mut self, units: usize, concepts: usize) -> Vec<Part<'_>> {
        let all = self.top.len();
        let tops = self.top.chunks_mut(units).zip(self.chance_on.chunks_mut(units));
        let mut parts: Vec<Part> = (0..)
            .step_by(units)
            .zip(tops)
            .map(|(first, (top, chance_on))| Part {
                units: first..first + top.len(),
                both: Vec::with_capacity(BLOCKS),
                on: Vec::with_capacity(BLOCKS),
                chance_both: Vec::with_capacity(ROTATIONS),
                chance_on,
                top,
            })
            .collect();
        let (of_part, of_layer) = ((units * concepts).max(1), (all * concepts).max(1));
        for table in self.both.chunks_exact_mut(of_layer) {
            parts.iter_mut().zip(table.chunks_mut(of_part)).for_each(|(part, counts)| part.both.push(counts));
        }
        for table in self.chance_both.chunks_exact_mut(of_layer) {
            parts.iter_mut().zip(table.chunks_mut(of_part)).for_each(|(part, counts)| part.chance_both.push(counts));
        }
        for table in self.on.chunks_exact_mut(all.max(1)) {
            parts.iter_mut().zip(table.chunks_mut(units)).for_each(|(part, counts)| part.on.push(counts));
        }
        parts
    }

    /// Remembers an image of a unit if it is among the strongest `most`.
    #[cfg(test)]
    pub(crate) fn keep_top(&mut self, unit: usize, top: Top, most: usize) {
        keep(&mut self.top[unit], top, most);
    }
}

/// The counts of some units of a layer, as [`LayerTally`] has them of all.
pub(crate) struct Part<'a> {
    /// Which units of the layer.
    pub(crate) units: Range<usize>,
    /// For each block `[units][concepts]`.
    pub(crate) both: Vec<&'a mut [u64]>,
    /// For each block `[units]`.
    pub(crate) on: Vec<&'a mut [u64]>,
    /// For each rotation `[units][concepts]`.
    pub(crate) chance_both: Vec<&'a mut [u64]>,
    /// `[units]`.
    pub(crate) chance_on: &'a mut [u64],
    top: &'a mut [Vec<Top>],
}

impl Part<'_> {
    /// Remembers an image of unit `unit` of this part if it is among the strongest `most`.
    pub(crate) fn keep_top(&mut self, unit: usize, top: Top, most: usize) {
        keep(&mut self.top[unit], top, most);
    }
}

/// All counts of a dissection or of a shard of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    concepts: usize,
    top_images: usize,
    /// Groups of images counted so far, real ones included.
    pub groups: u64,
    /// Pixels of one image.
    pub pixels: u64,
    /// `[BLOCKS]`: images.
    pub images: Vec<u64>,
    /// `[BLOCKS][concepts]`: pixels of each concept.
    pub labels: Vec<u64>,
    /// Images that took part in the chance tables.
    pub chance_images: u64,
    /// `[concepts]`: pixels of each concept over those.
    pub chance_labels: Vec<u64>,
    /// `[BLOCKS]`: real images.
    pub real_images: Vec<u64>,
    /// `[BLOCKS][concepts]`: pixels of each concept in real images.
    pub real_labels: Vec<u64>,
    /// One for each layer.
    pub layers: Vec<LayerTally>,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new(layers: &[Layer], concepts: usize, pixels: u64, top_images: usize) -> Self {
        let layer = |layer: &Layer| LayerTally {
            both: vec![0; BLOCKS * layer.units * concepts],
            on: vec![0; BLOCKS * layer.units],
            chance_both: vec![0; ROTATIONS * layer.units * concepts],
            chance_on: vec![0; layer.units],
            top: vec![Vec::new(); layer.units],
        };
        Self {
            concepts,
            top_images,
            groups: 0,
            pixels,
            images: vec![0; BLOCKS],
            labels: vec![0; BLOCKS * concepts],
            chance_images: 0,
            chance_labels: vec![0; concepts],
            real_images: vec![0; BLOCKS],
            real_labels: vec![0; BLOCKS * concepts],
            layers: layers.iter().map(layer).collect(),
        }
    }

    /// The number of concepts.
    pub fn concepts(&self) -> usize {
        self.concepts
    }

    /// Adds the counts of another part of the same dissection.
    ///
    /// # Panics
    /// The other one has other layers or concepts; whoever merges files has compared their settings.
    pub fn add(&mut self, other: &Self) {
        let top_images = self.top_images;
        self.groups += other.groups;
        self.chance_images += other.chance_images;
        for (own, theirs) in self.counts_mut().into_iter().zip(other.counts()) {
            assert_eq!(own.1.len(), theirs.1.len(), "{} of another dissection", own.0);
            own.1.iter_mut().zip(theirs.1).for_each(|(a, b)| *a += b);
        }
        for (own, theirs) in self.layers.iter_mut().zip(&other.layers) {
            for (own, theirs) in own.top.iter_mut().zip(&theirs.top) {
                theirs.iter().for_each(|&top| keep(own, top, top_images));
            }
        }
    }

    /// The layers, and how many top images a unit has at most.
    pub(crate) fn layers_mut(&mut self) -> (&mut [LayerTally], usize) {
        (&mut self.layers, self.top_images)
    }

    /// The counts over all blocks of `[BLOCKS][rest]`.
    pub(crate) fn over_blocks(counts: &[u64]) -> Vec<u64> {
        let mut sum = vec![0; counts.len() / BLOCKS];
        for block in counts.chunks_exact(sum.len().max(1)) {
            sum.iter_mut().zip(block).for_each(|(a, b)| *a += b);
        }
        sum
    }

    /// Every array of counts under its name in the file.
    fn counts(&self) -> Vec<(String, &[u64])> {
        let mut all: Vec<(String, &[u64])> = vec![
            ("images".into(), &self.images),
            ("labels".into(), &self.labels),
            ("chance_labels".into(), &self.chance_labels),
            ("real_images".into(), &self.real_images),
            ("real_labels".into(), &self.real_labels),
        ];
        for (i, layer) in self.layers.iter().enumerate() {
            all.push((format!("layer{i}.both"), &layer.both));
            all.push((format!("layer{i}.on"), &layer.on));
            all.push((format!("layer{i}.chance_both"), &layer.chance_both));
            all.push((format!("layer{i}.chance_on"), &layer.chance_on));
        }
        all
    }

    fn counts_mut(&mut self) -> Vec<(String, &mut [u64])> {
        let mut all: Vec<(String, &mut [u64])> = vec![
            ("images".into(), &mut self.images),
            ("labels".into(), &mut self.labels),
            ("chance_labels".into(), &mut self.chance_labels),
            ("real_images".into(), &mut self.real_images),
            ("real_labels".into(), &mut self.real_labels),
        ];
        for (i, layer) in self.layers.iter_mut().enumerate() {
            all.push((format!("layer{i}.both"), &mut layer.both));
            all.push((format!("layer{i}.on"), &mut layer.on));
            all.push((format!("layer{i}.chance_both"), &mut layer.chance_both));
            all.push((format!("layer{i}.chance_on"), &mut layer.chance_on));
        }
        all
    }

    /// The shape of an array of counts, without its name's `layerN.`.
    fn shape(&self, name: &str, len: usize) -> Vec<usize> {
        let c = self.concepts;
        match name.rsplit('.').next().unwrap_or(name) {
            "both" => vec![BLOCKS, len / (BLOCKS * c).max(1), c],
            "on" => vec![BLOCKS, len / BLOCKS],
            "labels" | "real_labels" => vec![BLOCKS, c],
            "chance_both" => vec![ROTATIONS, len / (ROTATIONS * c).max(1), c],
            _ => vec![len],
        }
    }

    /// Writes `tally.npz`, atomically.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let number = |n: u64| Array { shape: vec![], data: Elements::I64(vec![n as i64]) };
        let mut arrays: Vec<(String, Array)> = vec![
            ("groups".into(), number(self.groups)),
            ("pixels".into(), number(self.pixels)),
            ("chance_images".into(), number(self.chance_images)),
        ];
        for (name, counts) in self.counts() {
            let data = Elements::I64(counts.iter().map(|&n| n as i64).collect());
            let shape = self.shape(&name, counts.len());
            arrays.push((name, Array { shape, data }));
        }
        for (i, layer) in self.layers.iter().enumerate() {
            // Units with fewer top images are filled up with seed -1.
            let k = self.top_images;
            let padded = |unit: &Vec<Top>| (0..k).map(|j| unit.get(j).copied()).collect::<Vec<_>>();
            let tops: Vec<Option<Top>> = layer.top.iter().flat_map(padded).collect();
            let shape = vec![layer.top.len(), k];
            let seeds = Elements::I64(tops.iter().map(|t| t.map_or(-1, |t| t.seed as i64)).collect());
            arrays.push((format!("layer{i}.top_seed"), Array { shape: shape.clone(), data: seeds }));
            let maxima = tops.iter().map(|t| t.map_or(0.0, |t| t.max)).collect();
            arrays.push((format!("layer{i}.top_max"), Array::f32(shape, maxima)));
        }
        let named: Vec<(&str, &Array)> = arrays.iter().map(|(name, array)| (name.as_str(), array)).collect();
        npy::write_npz(path, &named)
    }

    /// Reads `tally.npz` of a plan.
    ///
    /// # Errors
    /// The file is broken, or is of another dissection.
    pub fn read(path: &Path, plan: &Plan) -> Result<Self> {
        Self::parse(&Archive::read(path)?, plan)
    }

    /// As [`Tally::read`], from the arrays of the file. Nothing is made room for but what the file holds.
    pub(crate) fn parse(archive: &Archive, plan: &Plan) -> Result<Self> {
        let count = |name: &str, value: i64| {
            u64::try_from(value).map_err(|_| archive.corrupt(&format!("{name} holds {value}")))
        };
        let counts = |name: &str, shape: &[usize]| -> Result<Vec<u64>> {
            archive.integers(name, shape)?.iter().map(|&value| count(name, value)).collect()
        };
        let single = |name: &str| count(name, archive.integers(name, &[])?.first().copied().unwrap_or_default());
        let (c, k) = (plan.concepts().list().len(), plan.settings.top_images);
        let layer = |(i, layer): (usize, &Layer)| {
            let (name, units) = (|name: &str| format!("layer{i}.{name}"), layer.units);
            let seeds = archive.integers(&name("top_seed"), &[units, k])?;
            let maxima = archive.floats(&name("top_max"), &[units, k])?;
            // A unit with fewer is filled up with seeds below 0.
            let top = |(&seed, &max): (&i64, &f32)| Some(Top { max, seed: u64::try_from(seed).ok()? });
            let tops = |(seeds, maxima): (&[i64], &[f32])| seeds.iter().zip(maxima).filter_map(top).collect();
            let filled = seeds.chunks(k.max(1)).zip(maxima.chunks(k.max(1))).map(tops);
            Ok(LayerTally {
                both: counts(&name("both"), &[BLOCKS, units, c])?,
                on: counts(&name("on"), &[BLOCKS, units])?,
                chance_both: counts(&name("chance_both"), &[ROTATIONS, units, c])?,
                chance_on: counts(&name("chance_on"), &[units])?,
                top: filled.chain(std::iter::repeat(Vec::new())).take(units).collect(),
            })
        };
        let tally = Self {
            concepts: c,
            top_images: k,
            groups: single("groups")?,
            pixels: single("pixels")?,
            images: counts("images", &[BLOCKS])?,
            labels: counts("labels", &[BLOCKS, c])?,
            chance_images: single("chance_images")?,
            chance_labels: counts("chance_labels", &[c])?,
            real_images: counts("real_images", &[BLOCKS])?,
            real_labels: counts("real_labels", &[BLOCKS, c])?,
            layers: plan.layers.iter().enumerate().map(layer).collect::<Result<_>>()?,
        };
        tally.check(plan).map_err(|reason| archive.corrupt(&reason)).map(|()| tally)
    }

    /// Whether so many images can have given these counts; if not, why.
    fn check(&self, plan: &Plan) -> std::result::Result<(), String> {
        if self.pixels != plan.pixels() {
            return Err(format!("its images have {} pixels, not {}", self.pixels, plan.pixels()));
        }
        if self.groups > plan.own_count() {
            return Err(format!("{} groups of images are counted, of {}", self.groups, plan.own_count()));
        }
        let [images, with_partners, real] = plan.images_of(self.groups);
        for (name, blocks, wanted) in [("images", &self.images, images), ("real_images", &self.real_images, real)] {
            let sum = blocks.iter().try_fold(0u64, |sum, &n| sum.checked_add(n));
            if sum != Some(wanted) {
                return Err(format!("{name} are not the {wanted} of {} groups", self.groups));
            }
        }
        if self.chance_images != with_partners {
            return Err(format!("chance_images is {}, not {with_partners}", self.chance_images));
        }
        let c = self.concepts;
        // Of each row no count is above the row's bound.
        let within = |name: &str, counts: &[u64], width: usize, bound: &dyn Fn(usize, usize) -> u64| {
            let rows = counts.chunks_exact(width.max(1)).enumerate();
            let mut wrong = rows.flat_map(|(row, counts)| counts.iter().enumerate().map(move |(at, &n)| (n, row, at)));
            match wrong.find(|&(n, row, at)| n > bound(row, at)) {
                Some((n, ..)) => Err(format!("{name} holds {n}, more than there are pixels")),
                None => Ok(()),
            }
        };
        within("labels", &self.labels, c, &|block, _| self.images[block] * self.pixels)?;
        within("real_labels", &self.real_labels, c, &|block, _| self.real_images[block] * self.pixels)?;
        within("chance_labels", &self.chance_labels, 1, &|_, _| self.chance_images * self.pixels)?;
        let seeds = plan.settings.seed..plan.settings.seed + plan.settings.samples;
        for (i, (layer, units)) in self.layers.iter().zip(plan.layers.iter().map(|layer| layer.units)).enumerate() {
            let name = |name: &str| format!("layer{i}.{name}");
            within(&name("on"), &layer.on, units, &|block, _| self.images[block] * self.pixels)?;
            within(&name("both"), &layer.both, c, &|row, at| layer.on[row].min(self.labels[row / units * c + at]))?;
            within(&name("chance_on"), &layer.chance_on, 1, &|_, _| self.chance_images * self.pixels)?;
            let by_chance = |row: usize, at: usize| layer.chance_on[row % units].min(self.chance_labels[at]);
            within(&name("chance_both"), &layer.chance_both, c, &by_chance)?;
            if layer.top.iter().flatten().any(|top| !seeds.contains(&top.seed) || !top.max.is_finite()) {
                return Err(format!(
                    "{} holds an image that was not counted, or a number that is not finite",
                    name("top_seed")
                ));
            }
        }
        Ok(())
    }
}

/// Puts an image into a list of the strongest, of at most `most`.
fn keep(list: &mut Vec<Top>, top: Top, most: usize) {
    let before = |other: &Top| match other.max.total_cmp(&top.max) {
        std::cmp::Ordering::Equal => other.seed < top.seed,
        order => order.is_gt(),
    };
    let place = list.partition_point(before);
    if place < most {
        list.insert(place, top);
        list.truncate(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;
    use crate::settings::Shard;

    fn layers() -> Vec<Layer> {
        vec![Layer { name: "1".into(), units: 3, size: [2, 2] }]
    }

    fn filled(start: u64) -> Tally {
        let mut tally = Tally::new(&layers(), 2, 16, 2);
        let mut next = start;
        for (_, counts) in tally.counts_mut() {
            for count in counts {
                *count = next;
                next += 1;
            }
        }
        (tally.groups, tally.chance_images) = (start, start + 1);
        for seed in 0..3 {
            tally.layers[0].keep_top(1, Top { max: (seed % 2) as f32, seed: seed + start }, 2);
        }
        tally
    }

    /// A plan of 40 images of 64 pixels, and a tally of them.
    fn counted() -> (Plan, Tally) {
        let plan = Plan { shard: Shard::WHOLE, ..plan() };
        let mut tally = plan.empty_tally();
        (tally.groups, tally.chance_images) = (3, 32);
        tally.images[..40].fill(1);
        tally.labels[..80].fill(60);
        tally.chance_labels.fill(32 * 60);
        let layer = &mut tally.layers[0];
        layer.on[..160].fill(50);
        layer.both[..320].fill(40);
        layer.chance_on.fill(1600);
        layer.chance_both.fill(1500);
        for seed in 0..3 {
            layer.keep_top(1, Top { max: (seed % 2) as f32, seed }, plan.settings.top_images);
        }
        (plan, tally)
    }

    #[test]
    fn a_tally_comes_back_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tally.npz");
        let (plan, tally) = counted();
        tally.write(&path).unwrap();
        assert_eq!(Tally::read(&path, &plan).unwrap(), tally);
        let empty = plan.empty_tally();
        empty.write(&path).unwrap();
        assert_eq!(Tally::read(&path, &plan).unwrap(), empty);
    }

    #[test]
    fn a_damaged_tally_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tally.npz");
        let (plan, tally) = counted();
        tally.write(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let read = || Tally::read(&path, &plan);
        for length in (0..whole.len()).step_by(97) {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(read().unwrap_err().to_string().contains("corrupt"), "{length}");
        }
        let mut flipped = whole.clone();
        let middle = whole.windows(10).position(|w| w == b"groups.npy").unwrap() + 50;
        flipped[middle] ^= 1;
        std::fs::write(&path, &flipped).unwrap();
        assert!(read().is_err(), "the archive's checksum covers every member");
        std::fs::write(&path, &whole).unwrap();
        let mut other = plan.clone();
        other.planes.truncate(1);
        assert!(Tally::read(&path, &other).is_err(), "other concepts");
    }

    #[test]
    fn counts_that_the_images_cannot_give_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tally.npz");
        let refused = |change: &dyn Fn(&mut Tally)| {
            let (plan, mut tally) = counted();
            change(&mut tally);
            tally.write(&path).unwrap();
            Tally::read(&path, &plan).unwrap_err().to_string().split_once("tally.npz: corrupt: ").unwrap().1.to_owned()
        };
        assert_eq!(refused(&|t| t.groups = 4), "4 groups of images are counted, of 3");
        assert_eq!(refused(&|t| t.images[40] = 1), "images are not the 40 of 3 groups");
        assert_eq!(refused(&|t| t.images.fill(i64::MAX as u64)), "images are not the 40 of 3 groups");
        assert_eq!(refused(&|t| t.real_images[0] = 1), "real_images are not the 0 of 3 groups");
        assert_eq!(refused(&|t| t.chance_images = 40), "chance_images is 40, not 32");
        assert_eq!(refused(&|t| t.pixels = 1 << 40), "its images have 1099511627776 pixels, not 64");
        assert_eq!(refused(&|t| t.labels[3] = 65), "labels holds 65, more than there are pixels");
        assert_eq!(refused(&|t| t.layers[0].on[0] = u64::MAX), "layer0.on holds -1");
        assert_eq!(refused(&|t| t.layers[0].both[0] = 51), "layer0.both holds 51, more than there are pixels");
        assert_eq!(
            refused(&|t| t.layers[0].chance_both[9] = 1601),
            "layer0.chance_both holds 1601, more than there are pixels"
        );
        let top = "layer0.top_seed holds an image that was not counted, or a number that is not finite";
        assert_eq!(refused(&|t| t.layers[0].top[1][0].seed = 40), top);
        assert_eq!(refused(&|t| t.layers[0].top[1][0].max = f32::NAN), top);
    }

    #[test]
    fn sums_do_not_depend_on_the_order() {
        let (mut ab, mut ba) = (filled(5), filled(1000));
        ab.add(&filled(1000));
        ba.add(&filled(5));
        assert_eq!(ab, ba);
        assert_eq!(ab.layers[0].top[1], [Top { max: 1.0, seed: 6 }, Top { max: 1.0, seed: 1001 }]);
        assert_eq!(ab.labels[0], 5 + 64 + 1000 + 64);
    }
}
