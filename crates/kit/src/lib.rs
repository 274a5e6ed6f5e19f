//! ganatomy as a library: evolve generators, open them up, edit what they know.
//!
//! Everything here is a name for something in one of ganatomy's crates, which do the work; who needs more than these names depends
//! on that crate itself. The names at the top are for whoever has a generator and wants pictures:
//!
//! ```
//! use ganatomy_kit::{Device, Generator, pictures, unwatched};
//!
//! // The generator that comes with the crate. The path of a model file or of a run's folder will do as well.
//! let generator = Generator::open("scenes", &Device::cpu())?;
//! let images = unwatched(|watch| generator.images(&"0..4,17".parse()?, watch))?;
//! let grid = pictures::grid(&images, 3)?;
//! assert_eq!([grid.width, grid.height], [3 * 64 + 4 * 2, 2 * 64 + 3 * 2]);
//! # Ok::<(), ganatomy_kit::Error>(())
//! ```
//!
//! A seed is the same picture everywhere: alone, in a batch, at any number of threads. Work that may take long is watched by a
//! [`Watch`], which hears how far it is and may end it; [`unwatched`] does without.
//!
//! # Cut a network
//!
//! A [`network::Network`] is a graph of named nodes, which is plain data, and a tensor for each parameter. It can be cut in two at
//! any node, and what flows there can be looked at, changed, or made elsewhere:
//!
//! ```
//! # use ganatomy_kit::{Device, Generator};
//! let generator = Generator::open("scenes", &Device::cpu())?;
//! let network = generator.network();
//! let (head, tail) = (network.until("2")?, network.from("2")?);
//!
//! let latents = network.latents(&[0, 1], &Device::cpu());
//! let inner = head.forward(&latents, &[])?;
//! let images = tail.forward(&inner, &[])?;
//! assert_eq!(images.to_vec(), network.forward(&latents, &[])?.to_vec());
//! # Ok::<(), ganatomy_kit::Error>(())
//! ```
//!
//! Networks of your own are made with a [`network::Builder`]; [`network::Trainee`] and [`train::Adam`] train them.
//!
//! # Dissect it
//!
//! A dissection says which units of which layers stand for which things, by a segmenter that says what is where in a picture
//! ([`segment`]). How sure that is comes with it: intervals, and what fits would come by chance.
//!
//! ```
//! use ganatomy_kit::dissect::{Dissecting, Settings};
//! # use ganatomy_kit::{Device, Generator, segment, unwatched};
//! # let (folder, device) = (tempfile::tempdir().unwrap(), Device::cpu());
//! # let folder = folder.path();
//!
//! let generator = Generator::open("scenes", &device)?;
//! let segmenter = segment::open("scenes", &device)?;
//! // So few images are enough to see how it is done. A thousand and more say something.
//! let settings = Settings { samples: 64, fit_samples: 32, ..Settings::default() };
//! let subject = generator.subject(&["1b".to_owned()])?;
//! let task = Dissecting::new((subject, "scenes"), (&segmenter, "scenes"), settings)?;
//! let found = unwatched(|watch| task.run(folder, watch))?;
//! let layer = &found.findings().layers[0];
//! let best = layer.units.iter().max_by(|a, b| a.iou.total_cmp(&b.iou)).unwrap();
//! assert!(best.label.is_some() && best.iou > 0.1);
//! # Ok::<(), ganatomy_kit::Error>(())
//! ```
//!
//! [`dissect::report()`] makes a page of it that any browser shows; [`dissect::Causes`] searches the units that *cause* a class;
//! [`dissect::repair()`] takes out units that make what real images do not show.
//!
//! # Edit it
//!
//! An edit names units by number or, with a dissection, by what they stand for. It is an argument, not a state: the
//! generator stays as it is.
//!
//! ```
//! use ganatomy_kit::edit::{Editing, Recipe};
//! # use ganatomy_kit::{Device, Generator, dissect, segment, unwatched};
//!
//! # let device = Device::cpu();
//! let generator = Generator::open("scenes", &device)?;
//! let segmenter = segment::open("scenes", &device)?;
//! // What was found in the shipped generator comes with it.
//! let found = dissect::open("scenes")?;
//! let without_trees = Recipe::new(vec!["1b:tree/20".parse()?]);
//! let editing = Editing::new(&generator, without_trees, Some(&found), Some(&segmenter))?;
//! let outcome = unwatched(|watch| editing.outcome(&"0..8".parse()?, watch))?;
//! let tree = outcome.classes.iter().find(|effect| effect.concept.name == "tree").unwrap();
//! assert!(tree.removed() > 0.3);
//! # Ok::<(), ganatomy_kit::Error>(())
//! ```
//!
//! # Evolve one
//!
//! [`evolve::Evolution`] trains generators by evolution: losses are mutations, quality and diversity the fitness. A run is a
//! folder; killed at any moment, it goes on from its newest checkpoint and ends in the same bytes.
//!
//! ```
//! use ganatomy_kit::evolve::{Evolution, Settings};
//! use ganatomy_kit::train::{Interrupt, Outcome, RunSettings, Training};
//! # use ganatomy_kit::{Device, Generator};
//! # let folder = tempfile::tempdir().unwrap();
//! # let folder = folder.path();
//!
//! // `data` may also be a folder or zip of images, or one of the forms that `data::open` knows.
//! let settings = Settings { data: "scenes".into(), generations: 2, ..Settings::preset("modern", false)? };
//! let settings = settings.with(&["width=4", "width_d=4", "batch=8", "eval=8"])?;
//! let mut run = Evolution::start_in(folder, settings, Device::cpu())?;
//! let mut fitness = Vec::new();
//! let outcome = run.run(&Interrupt::default(), |generation| fitness.push(generation.children[0].f))?;
//! assert_eq!((outcome, fitness.len()), (Outcome::Finished, 2));
//! assert_eq!(Generator::open(folder, &Device::cpu())?.image_shape()?, [3, 32, 32]);
//! # Ok::<(), ganatomy_kit::Error>(())
//! ```
//!
//! # GPUs
//!
//! The features `vulkan`, `webgpu` and `cuda` bring GPUs. Where one is found, everything above runs on
//! `Device::choose(DeviceChoice::Auto, &drivers(), |_| ())?` as it does on [`Device::cpu`].

#[doc(inline)]
pub use ::data::Image;
#[doc(inline)]
pub use gpu::drivers;
#[doc(inline)]
pub use models::{
    Error, Fit, Generator, InversionSettings, Inverted, Inverter, Latents, Model, Photo, Result, Seeds, Unwatched,
    Walk, Watch, Way, unwatched,
};
#[doc(inline)]
pub use net::{Device, DeviceChoice, Tensor};

/// Networks: descriptions, parameters, programs that run them, their gradients, edits, files.
pub mod network {
    #[doc(inline)]
    pub use net::{
        Binary, Builder, Conv, Derivative, Edit, Feed, Graph, Init, Law, Mode, Network, Node, NodeId, Norm, Op, Params,
        Precision, Primitive, Program, Pruned, Ready, Removal, Run, Shift, Storage, Trainee, Unary, one_hot, zoo,
    };
}

/// What every training shares: optimisers, runs that survive interruptions, random numbers.
pub mod train {
    #[doc(inline)]
    pub use base::seed::Stream;
    #[doc(inline)]
    pub use train::checkpoint::Checkpoint;
    #[doc(inline)]
    pub use train::signals::{Interrupt, Signal};
    #[doc(inline)]
    pub use train::{
        Adam, Descent, Files, Memory, Moments, OpenRun, Optimiser, Outcome, Pack, Parameter, RunSettings, Schedule,
        Shown, Start, Training, Unpack, average,
    };
}

/// Generators that evolve (E-GAN; Wang, Xu, Yao, Tao; arXiv 1803.00657).
pub mod evolve {
    #[doc(inline)]
    pub use evolve::{
        AdamPolicy, Augmentation, BrokenImages, Check, Child, Decay, Evolution, Fakes, Family, Fitness, Gradients,
        ImageSettings, Lengths, LogSettings, Loss, Noise, PRESETS, PenaltySettings, Player, Precision, Quality,
        RateSettings, Selection, Settings, State, Stats,
    };
}

/// Data sets: folders, zips and files of images, built-in worlds; batches of them.
pub mod data {
    #[doc(inline)]
    pub use base::{Error, Malformed, Result};
    #[doc(inline)]
    pub use data::{
        BUILT_IN, Batch, Broken, Channels, Class, Classes, Crop, Dataset, LabelMap, Loader, LoaderOptions, Options,
        Plane, Size, open,
    };
    #[doc(inline)]
    pub use models::{Match, Nearest};
}

/// Pictures laid out, painted, encoded and written.
pub mod pictures {
    #[doc(inline)]
    pub use data::pictures::{from_batch, gif, jpeg, labels_png, legend, paint_labels, png, rows, stack, zoomed};
    #[doc(inline)]
    pub use models::files::write_png;
    #[doc(inline)]
    pub use models::pictures::{cloud, grid, square};
}

/// What is where in a picture: segmenters that are trained, made of colours or painted regions, or written as a function.
pub mod segment {
    #[doc(inline)]
    pub use models::{Seen, open_segmenter as open};
    #[doc(inline)]
    pub use segment::{
        ClassScore, Confusion, Oracle, Segment, Segmenter, Settings, Training, cluster, evaluate, masks,
    };
}

/// Which units stand for which things, which cause them, and which a generator is better without (GAN Dissection; Bau et al.,
/// arXiv 1811.10597).
pub mod dissect {
    #[doc(inline)]
    pub use dissect::{
        Answers, Causal, CausalSettings, ClassShare, Concept, Concepts, Decision, Decisions, Defects, Detected,
        Dissection, Example, Findings, Layer, LayerFindings, LayerFit, Means, Origin, Outcome, Plan, Repair,
        RepairMeans, RepairSettings, Repaired, Rule, Settings, Shard, Subject, Unit, dissect, repair,
    };
    #[doc(inline)]
    pub use models::{Causes, Dissecting, concepts_named, open_dissection as open, subject_of_plan};
    #[doc(inline)]
    pub use report::{Report, Wanted, report};
}

/// What becomes of pictures when units are switched off, scaled or forced.
pub mod edit {
    #[doc(inline)]
    pub use dissect::{Action, Effect, Effects, Place, Recipe, Units, Value};
    #[doc(inline)]
    pub use models::{EditNames, EditOutcome, Editing};
}
