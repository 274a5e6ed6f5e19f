//! What a training begins with: its data, its network, its first weights.

use super::Training;
use crate::segmenter::LEARNT;
use crate::softmax::Layout;
use crate::weighting::class_weights;
use crate::{Ignored, Segment, Segmenter, Settings};
use base::{Error, Result};
use data::{Dataset, Size};
use net::{Device, Network, Params, Trainee};
use std::path::Path;
use std::sync::Arc;

/// The set to learn from and the one to judge by.
struct Sets {
    learnt: Dataset,
    held_out: Dataset,
}

impl Training {
    /// What settings and data make.
    pub(super) fn of(settings: Settings, device: Device) -> Result<Self> {
        let Sets { learnt, held_out } = open_sets(&settings)?;
        let planes = learnt.planes().to_vec();
        let classes = planes.iter().map(|plane| plane.classes.len()).sum();
        let shape = shape_of(&learnt)?;
        let graph = net::zoo::unet(net::zoo::Unet { shape, classes, width: settings.width, levels: settings.levels });
        let side = Trainee::new(&graph)?;
        if device.is_cpu() {
            // Weights, two moments, and the next ones beside them.
            let needed = side.memory(settings.batch)?.saturating_add(graph.parameter_bytes().saturating_mul(6));
            base::memory::check("this training", needed, "Lower batch, width or `size`.")?;
        }
        let weights = class_weights(&learnt, settings.weighting, settings.ignored)?;
        let layout = Layout::new(&planes, shape[1], shape[2]);
        let (set, held_out, graph) = (Arc::new(learnt), Arc::new(held_out), Arc::new(graph));
        Ok(Self { settings, set, held_out, planes, graph, side, layout, weights, device })
    }

    /// The first weights: those of another segmenter of this form, or random ones.
    pub(super) fn first(&self) -> Result<Params> {
        let s = &self.settings;
        if s.from.is_empty() {
            return Ok(Network::initial(self.graph.as_ref().clone(), s.seed, "segmenter", &self.device).params);
        }
        let path = Path::new(&s.from);
        let from = Segmenter::load(path, &self.device)?;
        if from.network().graph != self.graph || from.planes() != self.planes {
            return Err(Error::file(
                path,
                "is a segmenter of another form, or of other classes, than the settings ask for",
            )
            .with_hint("Give it the size, width and levels that it has: see `inspect`."));
        }
        Ok(from.network().params.clone())
    }

    /// The segmenter with some weights.
    pub(super) fn segmenter(&self, params: Params) -> Result<Segmenter> {
        let network = Network { graph: self.graph.clone(), params, notes: notes(&self.settings) };
        Segmenter::new(network, self.planes.clone())
    }
}

fn notes(s: &Settings) -> Vec<(String, String)> {
    let ignored = if s.ignored == Ignored::Learn { "yes" } else { "no" };
    [
        ("made by", format!("ganatomy {}", env!("CARGO_PKG_VERSION"))),
        ("trained on", base::files::name_of(&s.data)),
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
    let size = (settings.size != Size::square(0)).then_some(settings.size);
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
