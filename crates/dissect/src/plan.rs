//! What a dissection's folder is about: its settings and everything that its counts depend on.

use crate::concepts::Concepts;
use crate::count::{BLOCKS, GROUP, ROTATIONS, Tally};
use crate::fit::{MOST_BINS, QUANTILES};
use crate::settings::{Settings, Shard};
use crate::subject::{Layer, Subject};
use base::sniff::{Kind, Wanted};
use base::{Error, Result, files};
use data::Plane;
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
        if !path.is_file() {
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
        let corrupt = |e: serde_json::Error| {
            Error::file(path, format!("corrupt: {e}"))
                .with_hint("Remove the dissection's folder and run the command again.")
        };
        let version: Version = serde_json::from_slice(bytes).map_err(corrupt)?;
        if version.format != FORMAT {
            return Err(Error::file(path, format!("is of format {}; this program reads {FORMAT}", version.format))
                .with_hint("Use the version of the program that wrote it."));
        }
        serde_json::from_slice(bytes).map_err(corrupt)
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

    /// A tally of nothing.
    pub fn empty_tally(&self) -> Tally {
        let pixels = (self.image[1] * self.image[2]) as u64;
        Tally::new(&self.layers, self.concepts().list().len(), pixels, self.settings.top_images)
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

    /// The groups of images that this shard counts, by number; generated images first, then real ones.
    pub(crate) fn own_groups(&self) -> impl Iterator<Item = u64> {
        let shard = self.shard;
        (0..self.all_groups()).filter(move |&group| shard.owns(group))
    }

    /// How many [`Plan::own_groups`] there are.
    pub(crate) fn own_count(&self) -> u64 {
        self.all_groups().saturating_sub(self.shard.index - 1).div_ceil(self.shard.of)
    }

    fn all_groups(&self) -> u64 {
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
