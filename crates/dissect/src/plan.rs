//! What a dissection's folder is about: its settings and everything that its counts depend on.

#![warn(clippy::indexing_slicing)]

use crate::concepts::Concepts;
use crate::count::{BLOCKS, GROUP, ROTATIONS, Tally};
use crate::fit::{MOST_BINS, QUANTILES};
use crate::settings::{Settings, Shard};
use crate::subject::{Layer, Subject};
use base::sniff::{Kind, Wanted};
use base::{Error, Result, files, npy};
use data::{MAX_SIDE, Plane};
use net::{Network, Storage};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What is opened here, for messages about folders and files that are something else.
const WANTED: Wanted = Wanted {
    name: "a dissection",
    kind: Kind::DISSECTION,
    cure: "Give a folder that `dissect` or `merge` has written.",
};

/// The file with the plan.
pub const PLAN: &str = "settings.json";
/// The version of the folder's files that is written, and the newest that is read.
pub const FORMAT: u32 = 1;
/// The longest plan that is read.
const LIMIT: u64 = 64 << 20;

/// Something that a dissection was made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// What the user typed for it.
    pub name: String,
    /// BLAKE3 of its content.
    pub blake3: String,
}

impl Origin {
    /// A network by what the user typed for it.
    ///
    /// # Errors
    /// The network cannot be written as a file.
    pub fn of_network(name: impl Into<String>, network: &Network) -> net::Result<Self> {
        // Notes say how a network was trained; they change nothing of what it does.
        let bare = Network { notes: Vec::new(), ..network.clone() };
        let hash = blake3::hash(&bare.to_bytes(Storage::F32)?);
        Ok(Self { name: name.into(), blake3: hash.to_hex().to_string() })
    }

    /// Whether this is the network that was meant, whatever it is called.
    ///
    /// # Errors
    /// As [`Origin::of_network`].
    pub fn is(&self, network: &Network) -> net::Result<bool> {
        Ok(Self::of_network("", network)?.blake3 == self.blake3)
    }
}

/// The plan of a dissection or of one shard of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of the program.
    pub program: String,
    /// The generator.
    pub model: Origin,
    /// What says what is where.
    pub segmenter: Origin,
    /// The real images, if there are any: what the user typed.
    pub real: Option<String>,
    /// What was asked for.
    pub settings: Settings,
    /// Shape of one image.
    pub image: [usize; 3],
    /// The layers that are looked at.
    pub layers: Vec<Layer>,
    /// The label planes.
    pub planes: Vec<Plane>,
    /// Which part of the images is counted here.
    pub shard: Shard,
}

impl Plan {
    /// The plan for a generator and a segmenter.
    pub fn new(
        subject: &Subject,
        planes: &[Plane],
        [model, segmenter]: [Origin; 2],
        real: Option<String>,
        settings: Settings,
        shard: Shard,
    ) -> Self {
        Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").into(),
            model,
            segmenter,
            real,
            settings,
            image: subject.image_shape(),
            layers: subject.layers().to_vec(),
            planes: planes.to_vec(),
            shard,
        }
    }

    /// Reads the plan of a folder.
    ///
    /// # Errors
    /// There is none, it is broken, or of a newer program.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(PLAN);
        if folder.is_file() {
            let parent = files::parent_of(folder).display();
            return Err(Error::file(folder, "is a file; a dissection is a folder")
                .with_hint(format!("Give the folder that `dissect` or `merge` has written, perhaps {parent}.")));
        }
        if !path.is_file() {
            files::must_exist(folder)?;
            let otherwise = Error::file(folder, format!("is not a dissection (no {PLAN})")).with_hint(WANTED.cure);
            return Err(WANTED.unfit(folder, Kind::of_path(folder), otherwise));
        }
        Self::parse(&files::read(&path, LIMIT)?, &path)
    }

    /// Reads a plan from the bytes of its file; `path` is only for the messages.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let damaged = |reason: &str| {
            Error::file(path, format!("corrupt: {reason}"))
                .with_hint("Remove the dissection's folder and run the command again.")
        };
        let corrupt = |e: serde_json::Error| damaged(&e.to_string());
        let version: Version = serde_json::from_slice(bytes).map_err(corrupt)?;
        if version.format != FORMAT {
            return Err(Error::file(path, format!("is of format {}; this program reads {FORMAT}", version.format))
                .with_hint("Use the version of the program that wrote it."));
        }
        let plan: Self = serde_json::from_slice(bytes).map_err(corrupt)?;
        match plan.check() {
            Err(Error::Setting { key, reason, .. }) => Err(damaged(&format!("{key}: {reason}"))),
            other => other.map(|()| plan),
        }
    }

    /// Refuses what cannot be done, or could only be by a program with other limits.
    ///
    /// # Errors
    /// A setting is out of its range, or an image, layer, class or shard cannot be.
    pub fn check(&self) -> Result<()> {
        self.settings.check()?;
        let wrong = |key: &str, reason: String| Err(Error::setting(key, reason));
        let Shard { index, of } = self.shard;
        if !self.shard.exists() {
            return wrong("shard", format!("there is no shard {index} of {of}"));
        }
        if self.settings.real_samples > 0 && self.real.is_none() {
            return wrong("real_samples", "is above 0, but there are no real images".into());
        }
        let sides = |sides: &[usize]| sides.iter().all(|side| (1..=MAX_SIDE).contains(side));
        let [channels, height, width] = self.image;
        if !matches!(channels, 1 | 3) || !sides(&[height, width]) {
            return wrong("image", format!("{:?} is no shape of images", self.image));
        }
        let classes: usize = self.planes.iter().map(|plane| plane.classes.len()).sum();
        if classes > usize::from(u16::MAX) {
            return wrong("planes", format!("have {classes} classes; at most {} can be counted", u16::MAX));
        }
        if self.concepts().list().is_empty() {
            return wrong("planes", "hold no class that units could be compared with".into());
        }
        let mut counts = 0usize;
        for (place, Layer { name, units, size }) in self.layers.iter().enumerate() {
            if *units == 0 || !sides(size) {
                return wrong("layers", format!("{name}: {units} units with maps of {size:?} cells cannot be"));
            }
            if self.layers.iter().take(place).any(|other| other.name == *name) {
                return wrong("layers", format!("{name}: is there twice"));
            }
            counts = counts.saturating_add(units.saturating_mul(classes));
        }
        let bytes = counts.saturating_mul(BLOCKS * size_of::<u64>());
        if bytes as u64 > npy::LIMIT {
            let reason = format!("their units and {classes} classes need {} GiB to be counted", bytes >> 30);
            return Err(
                Error::setting("layers", reason).with_hint("Take fewer of them with `layers`, one after the other.")
            );
        }
        Ok(())
    }

    /// Writes the plan into its folder.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(PLAN);
        let json = serde_json::to_string_pretty(self).map_err(|e| Error::file(&path, e.to_string()))?;
        files::write_atomic(&path, (json + "\n").as_bytes())
    }

    /// The first thing in which two plans differ, shards and names left out: `settings.samples is 100, not 200`. Counts of plans
    /// without a difference belong together.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let bare = |plan: &Self| {
            let mut value = serde_json::to_value(plan).unwrap_or_default();
            if let Some(map) = value.as_object_mut() {
                map.remove("shard");
            }
            for part in ["model", "segmenter"] {
                if let Some(map) = value.get_mut(part).and_then(|v| v.as_object_mut()) {
                    map.remove("name");
                }
            }
            value
        };
        first_difference("", &bare(self), &bare(other))
    }

    /// Its concepts.
    pub fn concepts(&self) -> Concepts {
        Concepts::new(&self.planes)
    }

    /// Pixels of one image.
    pub(crate) fn pixels(&self) -> u64 {
        (self.image[1] * self.image[2]) as u64
    }

    /// Bytes that fits and counts take.
    pub fn memory(&self) -> u64 {
        // Of a unit: the histogram of its activations, and for each class the counts of all blocks and rotations.
        let of_class = 8 * (BLOCKS + ROTATIONS) as u64;
        let units = self.layers.iter().map(|layer| layer.units as u64).fold(0, u64::saturating_add);
        let classes = self.concepts().list().len() as u64;
        let of_unit = classes.saturating_mul(of_class).saturating_add(4 * (MOST_BINS + QUANTILES) as u64);
        units.saturating_mul(of_unit)
    }

    /// A tally of nothing.
    pub fn empty_tally(&self) -> Tally {
        Tally::new(&self.layers, self.concepts().list().len(), self.pixels(), self.settings.top_images)
    }

    /// The groups of images that this shard counts, by number; generated images first, then real ones. The first `done` of them are
    /// left out.
    pub(crate) fn own_groups(&self, done: u64) -> impl Iterator<Item = u64> {
        self.shard.groups(self.groups(), done)
    }

    /// How many groups of images this shard counts.
    pub(crate) fn own_count(&self) -> u64 {
        self.shard.count(self.groups())
    }

    /// How many images the first `groups` groups of this shard hold: generated ones, those among them that have partners for the chance
    /// level, and real ones.
    pub(crate) fn images_of(&self, groups: u64) -> [u64; 3] {
        let Settings { samples, real_samples, .. } = self.settings;
        let Shard { index, of } = self.shard;
        let generated = self.shard.count(samples.div_ceil(GROUP)).min(groups);
        // What the last group of a kind lacks, where it is one of those: groups before it are full.
        let is_counted = |group: u64| group % of + 1 == index && group / of < groups;
        let lacking = |images: u64, end: u64| {
            if images > 0 && is_counted(end - 1) { images.next_multiple_of(GROUP) - images } else { 0 }
        };
        let lacks = lacking(samples, samples.div_ceil(GROUP));
        let full = generated - u64::from(lacks > 0);
        let real = (groups - generated) * GROUP - lacking(real_samples, self.groups());
        [generated * GROUP - lacks, full * GROUP, real]
    }

    fn groups(&self) -> u64 {
        self.settings.samples.div_ceil(GROUP) + self.settings.real_samples.div_ceil(GROUP)
    }

    /// Where the files lie.
    pub(crate) fn paths(folder: &Path) -> [PathBuf; 2] {
        [folder.join("fit.npz"), folder.join("tally.npz")]
    }
}

fn first_difference(path: &str, a: &serde_json::Value, b: &serde_json::Value) -> Option<String> {
    use serde_json::Value::{Array, Object};
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (a, b) {
        (Object(a), Object(b)) => {
            let mut keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.find_map(|key| {
                let none = serde_json::Value::Null;
                first_difference(&inner(key), a.get(key).unwrap_or(&none), b.get(key).unwrap_or(&none))
            })
        }
        (Array(x), Array(y)) if x.len() == y.len() => {
            x.iter().zip(y).enumerate().find_map(|(i, (a, b))| first_difference(&inner(&i.to_string()), a, b))
        }
        (Array(x), Array(y)) => Some(format!("{path} has {} entries, not {}", x.len(), y.len())),
        _ if a == b => None,
        _ => Some(format!("{path} is {a}, not {b}")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use data::Class;

    pub(crate) fn plan() -> Plan {
        let origin = |name: &str| Origin { name: name.into(), blake3: String::new() };
        let class = |name: &str| Class { name: name.into(), colour: [0; 3] };
        let plane = |name: &str| Plane { name: name.into(), classes: vec![class("x"), class("y")], ignore: Some(0) };
        Plan {
            format: FORMAT,
            program: "0".into(),
            model: origin("m"),
            segmenter: origin("s"),
            real: None,
            settings: Settings { samples: 40, ..Settings::default() },
            image: [3, 8, 8],
            layers: vec![Layer { name: "1".into(), units: 4, size: [4, 4] }],
            planes: vec![plane("a"), plane("b")],
            shard: Shard { index: 2, of: 2 },
        }
    }

    #[test]
    fn a_plan_that_cannot_be_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        plan().write(folder.path()).unwrap();
        assert_eq!(Plan::read(folder.path()).unwrap(), plan());
        let refused = |change: &dyn Fn(&mut Plan)| {
            let mut plan = plan();
            change(&mut plan);
            plan.write(folder.path()).unwrap();
            let error = Plan::read(folder.path()).unwrap_err();
            assert!(error.hint().unwrap().starts_with("Remove the dissection's folder"));
            error.to_string().split_once("settings.json: corrupt: ").unwrap().1.to_owned()
        };
        assert_eq!(refused(&|p| p.shard = Shard { index: 0, of: 0 }), "shard: there is no shard 0 of 0");
        assert_eq!(refused(&|p| p.shard.index = 3), "shard: there is no shard 3 of 2");
        assert!(refused(&|p| p.settings.samples = 1 << 50).starts_with("samples: is 1125899906842624; at most"));
        assert!(refused(&|p| p.settings.seed = u64::MAX).starts_with("seed: "));
        assert!(refused(&|p| p.settings.real_samples = 5).starts_with("real_samples: is above 0"));
        assert!(refused(&|p| p.settings.top_images = usize::MAX).starts_with("top_images: "));
        assert!(refused(&|p| p.image = [3, 0, 8]).starts_with("image: [3, 0, 8] "));
        assert!(refused(&|p| p.image = [2, 8, 8]).starts_with("image: "));
        assert!(refused(&|p| p.image = [3, usize::MAX, 8]).starts_with("image: "));
        assert!(refused(&|p| p.layers[0].units = 0).starts_with("layers: 1: 0 units"));
        assert!(refused(&|p| p.layers[0].size = [4, 1 << 40]).starts_with("layers: 1: "));
        assert!(refused(&|p| p.layers.push(p.layers[0].clone())).ends_with("1: is there twice"));
        assert!(refused(&|p| p.layers[0].units = 1 << 60).ends_with(" GiB to be counted"));
        assert!(
            refused(&|p| p.planes.iter_mut().for_each(|p| p.classes.truncate(1)))
                .ends_with("units could be compared with")
        );
        assert!(
            refused(&|p| p.planes[0].classes = vec![p.planes[0].classes[0].clone(); 70_000]).starts_with("planes: ")
        );
    }

    #[test]
    fn the_images_of_groups_add_up() {
        let settings = Settings { samples: 40, real_samples: 17, ..Settings::default() };
        let plan = |index, of| Plan { settings: settings.clone(), shard: Shard { index, of }, ..plan() };
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(|groups| plan(1, 1).images_of(groups)),
            [[0, 0, 0], [16, 16, 0], [32, 32, 0], [40, 32, 0], [40, 32, 16], [40, 32, 17],]
        );
        let shards = [1, 2].map(|index| plan(index, 2).images_of(plan(index, 2).own_count()));
        assert_eq!(shards, [[24, 16, 1], [16, 16, 16]]);
    }

    #[test]
    fn the_groups_of_a_shard_are_counted_without_a_list() {
        let many = Plan { settings: Settings { samples: 1 << 32, ..Settings::default() }, ..plan() };
        assert_eq!((many.own_count(), many.own_groups(0).next()), (1 << 27, Some(1)));
        assert_eq!(plan().own_groups(0).collect::<Vec<_>>(), [1]);
        assert_eq!(plan().own_groups(1).count(), 0);
    }
}
