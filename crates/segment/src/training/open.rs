//! How a training begins: from nothing or from a checkpoint.

use super::{Training, network_of};
use crate::segmenter::LEARNT;
use crate::softmax::Layout;
use crate::state::{State, decode};
use crate::weighting::class_weights;
use crate::{Ignored, Segment, Segmenter, Settings};
use base::{Error, Result, files};
use data::{Dataset, Plane};
use net::{Device, Graph, Network};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use train::checkpoint::{Checkpoint, Rejected, Store};
use train::{Moments, RunLock, Side, Start, run_folder, stats};

/// The set to learn from and the one to judge by.
struct Sets {
    learnt: Dataset,
    held_out: Dataset,
}

/// All that follows from settings and data, before a folder is touched.
struct Prepared {
    settings: Settings,
    device: Device,
    sets: Sets,
    planes: Vec<Plane>,
    network: Network,
    side: Side,
    weights: Vec<Vec<f32>>,
}

/// What belongs to the folder.
struct Place {
    folder: PathBuf,
    lock: RunLock,
    store: Store,
    stats: stats::Writer,
}

impl Training {
    /// Starts a new run in a folder that `place` makes once settings and data are known to be good:
    /// [`run_folder::create`] or [`run_folder::create_next`].
    ///
    /// # Errors
    /// Settings and data do not fit, or the folder cannot be made.
    pub fn start(settings: Settings, device: Device, place: impl FnOnce() -> Result<PathBuf>) -> Result<Self> {
        let prepared = prepare(settings, device)?;
        let folder = place()?;
        let lock = RunLock::acquire(&folder)?;
        files::write_atomic(folder.join(run_folder::CONFIG), prepared.settings.to_toml().as_bytes())?;
        let store = Store::create(&lock)?;
        let stats = stats::Writer::resume(folder.join("stats.jsonl"), 0)?;
        Self::put_together(prepared, Place { folder, lock, store, stats }, None, Start::New)
    }

    /// Goes on with a run from its newest valid checkpoint, with `settings` (those of the run, but for what it writes);
    /// without a checkpoint from the beginning.
    ///
    /// # Errors
    /// The folder holds no run of a segmenter; other settings than the run's (all differences are listed); no checkpoint
    /// is valid.
    pub fn resume(folder: &Path, settings: Settings, device: Device) -> Result<Self> {
        let stored = Settings::read(&folder.join(run_folder::CONFIG))?;
        let differences = stored.differences(&settings);
        if !differences.is_empty() {
            return Err(Error::file(folder, format!("was made with other settings ({})", differences.join("; ")))
                .with_hint("Resume without these changes, or start a new run with `segmenter train`."));
        }
        let lock = RunLock::acquire(folder)?;
        let store = Store::create(&lock)?;
        run_folder::sweep(folder)?;
        let (checkpoint, start) = if store.list()?.is_empty() {
            // It died before its first checkpoint: the same settings give the same run from its start.
            (None, Start::New)
        } else {
            let (checkpoint, rejected) = store.newest_valid()?;
            let rejected = rejected.into_iter().map(|Rejected { path, reason }| (path, reason)).collect();
            let start = Start::Resumed { generation: checkpoint.generation, rejected };
            (Some(checkpoint), start)
        };
        // A run that has checkpoints needs the weights that it began with no more.
        let from = if checkpoint.is_some() { String::new() } else { settings.from.clone() };
        let mut prepared = prepare(Settings { from, ..settings.clone() }, device)?;
        prepared.settings = settings;
        files::write_atomic(folder.join(run_folder::CONFIG), prepared.settings.to_toml().as_bytes())?;
        let step = checkpoint.as_ref().map_or(0, |c| c.generation);
        let stats = stats::Writer::resume(folder.join("stats.jsonl"), step)?;
        let place = Place { folder: folder.to_owned(), lock, store, stats };
        Self::put_together(prepared, place, checkpoint.as_ref(), start)
    }

    fn put_together(prepared: Prepared, place: Place, checkpoint: Option<&Checkpoint>, start: Start) -> Result<Self> {
        let Prepared { settings, device, sets, planes, mut network, side, weights } = prepared;
        let Place { folder, lock, store, stats } = place;
        network.notes = notes(&settings);
        let state = match checkpoint {
            Some(checkpoint) => decode(checkpoint, &network.graph, &device)?,
            None => State {
                step: 0,
                position: 0,
                params: network.params.clone(),
                moments: Moments::zero(&side.graph, &network.params),
            },
        };
        network.params = state.params.clone();
        let best = store.best()?.map(|best| best.score);
        let segmenter = Segmenter::new(network, planes)?;
        let [_, height, width] = segmenter.image_shape();
        Ok(Self {
            settings,
            folder,
            set: Arc::new(sets.learnt),
            held_out: Arc::new(sets.held_out),
            layout: Layout::new(segmenter.planes(), height, width),
            segmenter,
            side,
            weights,
            device,
            state,
            store,
            stats,
            best,
            start,
            _lock: lock,
        })
    }
}

fn prepare(settings: Settings, device: Device) -> Result<Prepared> {
    let sets = open_sets(&settings)?;
    let planes = sets.learnt.planes().to_vec();
    let classes = planes.iter().map(|plane| plane.classes.len()).sum();
    let graph = network_of(&settings, shape_of(&sets.learnt)?, classes);
    let side = Side::new(&graph)?;
    let weights = class_weights(&sets.learnt, settings.weighting, settings.ignored)?;
    let network = first(&settings, graph, &planes, &device)?;
    Ok(Prepared { settings, device, sets, planes, network, side, weights })
}

/// The network with its first weights.
fn first(settings: &Settings, graph: Graph, planes: &[Plane], device: &Device) -> Result<Network> {
    if settings.from.is_empty() {
        return Ok(Network::initial(graph, settings.seed, "segmenter", device));
    }
    let path = Path::new(&settings.from);
    let from = Segmenter::load(path, device)?;
    if *from.network.graph != graph || from.planes() != planes {
        return Err(Error::file(
            path,
            "is a segmenter of another form, or of other classes, than the settings ask for",
        )
        .with_hint("Give it the size, width and levels that it has: see `inspect`."));
    }
    Ok(from.network)
}

fn notes(s: &Settings) -> Vec<(String, String)> {
    let ignored = if s.ignored == Ignored::Learn { "yes" } else { "no" };
    [
        ("made by", format!("ganatomy {}", env!("CARGO_PKG_VERSION"))),
        ("trained on", s.data.clone()),
        ("seed", s.seed.to_string()),
        ("steps", s.steps.to_string()),
        ("batch", s.batch.to_string()),
        (LEARNT, ignored.to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .to_vec()
}

fn shape_of(set: &Dataset) -> Result<[usize; 3]> {
    <[usize; 3]>::try_from(set.shape()).map_err(|_| {
        Error::setting("data", format!("{} has points, not images", set.name()))
            .with_hint("Give a labelled set of images, for example scenes.")
    })
}

fn open_sets(settings: &Settings) -> Result<Sets> {
    let size = (settings.size > 0).then_some(settings.size);
    let options = |seed: u64, flip: bool| data::Options { size, seed, flip, ..data::Options::default() };
    let set = data::open(&settings.data, &options(settings.seed, settings.augment.flip))?;
    let shape = shape_of(&set)?;
    if set.planes().is_empty() {
        return Err(Error::file(set.name(), "has no label maps").with_hint(
            "Take scenes, or a folder with images/, labels/ (PNGs whose values are class indices) and classes.json.",
        ));
    }
    let shortest = shape[1].min(shape[2]);
    if shortest >> settings.levels == 0 {
        let reason = format!("{} halvings leave nothing of {}x{} pixels", settings.levels, shape[2], shape[1]);
        return Err(Error::setting("levels", reason).with_hint("Choose fewer levels or a larger `size`."));
    }
    let sets = match (settings.val.as_str(), set.len()) {
        // An endless world: scenes of another seed, which have nothing in common with those of the first.
        ("", None) => {
            let held_out = data::open(&settings.data, &options(settings.seed.wrapping_add(1), false))?;
            Sets { learnt: set, held_out }
        }
        ("", Some(n)) => {
            let kept = ((n as f64 * settings.held_out).ceil() as usize).clamp(1, n);
            if kept == n {
                return Err(Error::setting("held_out", format!("leaves none of {n} images to learn from"))
                    .with_hint("Keep a smaller part, or judge by another set with `val`."));
            }
            let held_out = data::open(&settings.data, &options(settings.seed, false))?.only(n - kept..n)?;
            Sets { learnt: set.only(0..n - kept)?, held_out }
        }
        (val, _) => {
            let seed = if val == settings.data { settings.seed.wrapping_add(1) } else { settings.seed };
            Sets { learnt: set, held_out: data::open(val, &options(seed, false))? }
        }
    };
    let (ours, theirs) = (&sets.learnt, &sets.held_out);
    if ours.shape() != theirs.shape() || ours.planes() != theirs.planes() {
        return Err(Error::file(theirs.name(), format!("has other images or classes than {}", ours.name()))
            .with_hint("Both need one size (`size` brings them to it) and the same classes.json."));
    }
    Ok(sets)
}
