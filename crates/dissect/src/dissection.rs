//! A dissection from beginning to end: fit, count, say what was found; resumable at every group of images.

use crate::ahead::Ahead;
use crate::archive::Archive;
use crate::concepts::Concepts;
use crate::count::{Counter, GROUP, Tally};
use crate::find::Findings;
use crate::fit::{self, LayerFit, fit};
use crate::plan::{PLAN, Plan};
use crate::show::seen::Seen;
use crate::show::{charts, pictures, tables};
use crate::subject::Subject;
use base::watch::Watch;
use base::{Error, files};
use data::Dataset;
use metrics::overlap::Overlap;
use net::{Device, Result, Tensor};
use segment::Segment;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use train::RunLock;

/// How often counts are saved.
const SAVE_EVERY: Duration = Duration::from_secs(20);

/// A finished dissection, or a finished shard of one, in memory.
pub struct Dissection {
    /// Its folder.
    pub folder: PathBuf,
    /// What it is about.
    pub plan: Plan,
    /// The classes.
    pub concepts: Concepts,
    /// What was fitted, by layer.
    pub fits: Vec<LayerFit>,
    /// The counts.
    pub tally: Tally,
}

/// What a dissection works with besides its plan.
pub struct Means<'a> {
    /// The generator.
    pub subject: &'a Subject,
    /// What says what is where.
    pub segmenter: &'a dyn Segment,
    /// Real images, where the plan has some.
    pub real: Option<&'a Dataset>,
    /// Where the networks run.
    pub device: &'a Device,
}

/// Runs the plan in `folder`, or what of it is still to be done; `None` when the watcher wanted it to end. What was counted
/// until then is saved, and the next call goes on from there.
///
/// # Errors
/// The folder holds something else or another dissection, another process works in it, a network cannot be run, or a file
/// cannot be written.
pub fn dissect(folder: &Path, plan: &Plan, means: &Means, watch: &mut dyn Watch) -> Result<Option<Dissection>> {
    check(plan, means)?;
    let _lock = open_folder(folder, plan)?;
    let concepts = plan.concepts();
    let [fit_path, tally_path] = Plan::paths(folder);

    let fits = if fit_path.is_file() {
        fit::read(&fit_path, plan)?
    } else {
        let Some(fits) = fit(means.subject, means.segmenter, &concepts, &plan.settings, watch)? else {
            return Ok(None);
        };
        fit::write(&fit_path, plan, &fits)?;
        fits
    };

    let mut tally = if tally_path.is_file() { Tally::read(&tally_path, plan)? } else { plan.empty_tally() };
    let counter = Counter::new(means.subject, means.segmenter, &concepts, &fits);
    let mut seen = Seen::new(means.subject, &fits);
    let own = plan.own_count();
    let whole = |tally| Dissection {
        folder: folder.to_owned(),
        plan: plan.clone(),
        concepts: plan.concepts(),
        fits: fits.clone(),
        tally,
    };
    if tally.groups == own && folder.join(tables::DOCUMENT).is_file() {
        return Ok(Some(whole(tally)));
    }
    let generated = plan.settings.samples.div_ceil(GROUP);
    watch.stage("groups of images", own);
    watch.step(tally.groups);
    let mut saved = Instant::now();
    let make = |group: u64| {
        if group < generated {
            let first = plan.settings.seed + group * GROUP;
            let end = (first + GROUP).min(plan.settings.seed + plan.settings.samples);
            counter.make(first..end)
        } else {
            let first = (group - generated) * GROUP;
            let end = (first + GROUP).min(plan.settings.real_samples);
            counter.take_real(first, &real_images(means, first..end)?)
        }
    };
    let mut groups = Ahead::new(plan.own_groups(tally.groups), make);
    while let Some(counted) = groups.with_next(|group| counter.count(group, &mut tally, &mut seen))? {
        counted?;
        watch.step(1);
        if watch.stop() {
            tally.write(&tally_path)?;
            return Ok(None);
        }
        if saved.elapsed() >= SAVE_EVERY {
            tally.write(&tally_path)?;
            saved = Instant::now();
        }
    }
    tally.write(&tally_path)?;
    let dissection = whole(tally);
    dissection.finish(Some((means.subject, seen)), watch)?;
    Ok(Some(dissection))
}

impl Dissection {
    /// Reads a finished dissection, or a finished shard.
    ///
    /// # Errors
    /// The folder holds none, a file of it is broken, or it is not finished.
    pub fn read(folder: &Path) -> Result<Self> {
        let plan = Plan::read(folder)?;
        let [fit_path, tally_path] = Plan::paths(folder);
        if !fit_path.is_file() || !tally_path.is_file() {
            return Err(unfinished(folder).into());
        }
        let fits = fit::read(&fit_path, &plan)?;
        let tally = Tally::read(&tally_path, &plan)?;
        Self::of(folder, plan, fits, tally)
    }

    /// As [`Dissection::read`], of the plan, the fits and the tally that the files of a folder would hold; `folder` is only for
    /// the messages.
    ///
    /// # Errors
    /// As [`Dissection::read`].
    pub fn from_bytes(folder: &Path, [plan, fits, tally]: [&'static [u8]; 3]) -> Result<Self> {
        let plan = Plan::parse(plan, &folder.join(PLAN))?;
        let [fit_path, tally_path] = Plan::paths(folder);
        let fits = fit::parse(&Archive::from_bytes(fits, &fit_path)?, &plan)?;
        let tally = Tally::parse(&Archive::from_bytes(tally, &tally_path)?, &plan)?;
        Self::of(folder, plan, fits, tally)
    }

    fn of(folder: &Path, plan: Plan, fits: Vec<LayerFit>, tally: Tally) -> Result<Self> {
        if tally.groups != plan.own_count() {
            return Err(unfinished(folder).into());
        }
        Ok(Self { folder: folder.to_owned(), concepts: plan.concepts(), plan, fits, tally })
    }

    /// The concept with this name, `tree` or `objects/tree`.
    ///
    /// # Errors
    /// There is none; the hint lists those there are.
    pub fn concept(&self, name: &str) -> base::Result<usize> {
        self.concepts.find(name).ok_or_else(|| {
            let known = self.concepts.list().iter().map(|c| c.name.as_str());
            Error::setting("class", format!("{name}: there is no such class"))
                .with_hint(base::known_names(name, "classes", known))
        })
    }

    /// The `IoU` of every unit of layer number `layer` with a concept.
    pub fn ious(&self, layer: usize, concept: usize) -> Vec<f64> {
        let (n, counts) = (self.concepts.list().len(), &self.tally.layers[layer]);
        let (both, on) = (Tally::over_blocks(&counts.both), Tally::over_blocks(&counts.on));
        let label = Tally::over_blocks(&self.tally.labels)[concept];
        let overlap = |unit: usize| Overlap { both: both[unit * n + concept], unit: on[unit], label, total: 0 };
        (0..on.len()).map(|unit| overlap(unit).iou()).collect()
    }

    /// The units of a layer by their `IoU` with a concept, the best first; ties by unit.
    pub fn ranked_by_iou(&self, layer: usize, concept: usize) -> Vec<usize> {
        let ious = self.ious(layer, concept);
        let mut units: Vec<usize> = (0..ious.len()).collect();
        units.sort_by(|&a, &b| ious[b].total_cmp(&ious[a]));
        units
    }

    /// What the counts say.
    pub fn findings(&self) -> Findings {
        Findings::new(&self.plan.layers, &self.fits, &self.tally, &self.concepts, &self.plan.settings)
    }

    /// The text of `dissection.json`: all that was found, for programs.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn document(&self) -> base::Result<String> {
        tables::document(&self.folder, &self.plan, &self.findings())
    }

    /// Writes pictures (of units only where the generator is at hand), then the tables: a folder with tables is finished.
    pub(crate) fn finish(&self, of_units: Option<(&Subject, Seen)>, watch: &mut dyn Watch) -> Result<()> {
        let findings = self.findings();
        charts::write(&self.folder, &findings)?;
        if let Some((subject, seen)) = of_units {
            pictures::samples(&self.folder, subject, self.plan.settings.seed, self.plan.settings.samples)?;
            pictures::units(&self.folder, subject, &findings, seen, watch)?;
        }
        Ok(tables::write(&self.folder, &self.plan, &findings)?)
    }
}

fn unfinished(folder: &Path) -> Error {
    Error::file(folder, "is a dissection that is not finished")
        .with_hint("Run its `dissect` command again: it goes on from where it was.")
}

/// Refuses a plan that cannot be done with these means.
///
/// # Errors
/// As [`Plan::check`]; or the segmenter takes other images than the generator makes, or the real ones are others or too few.
pub fn check(plan: &Plan, means: &Means) -> Result<()> {
    plan.check()?;
    let (wanted, found) = (plan.image, means.segmenter.image_shape());
    if wanted != found {
        let reason = format!("takes images of {}; the generator makes {}", shape(found), shape(wanted));
        return Err(Error::setting("segmenter", reason)
            .with_hint("Train one of that size: `segmenter train size`.")
            .into());
    }
    if let Some(real) = means.real {
        if real.shape() != wanted {
            let reason = format!("has items of shape {:?}; the generator makes {}", real.shape(), shape(wanted));
            return Err(Error::setting("real", reason).into());
        }
        if let Some(n) = real.len()
            && (n as u64) < plan.settings.real_samples
        {
            let reason = format!("is {}, but {} has {n} images", plan.settings.real_samples, real.name());
            return Err(Error::setting("real_samples", reason).into());
        }
    }
    Ok(())
}

fn shape([channels, height, width]: [usize; 3]) -> String {
    format!("{width}x{height} pixels and {channels} channel{}", if channels == 1 { "" } else { "s" })
}

fn real_images(means: &Means, numbers: std::ops::Range<u64>) -> Result<Tensor> {
    let Some(real) = means.real else {
        return Err(Error::setting("real_samples", "is above 0, but there are no real images").into());
    };
    let n = (numbers.end - numbers.start) as usize;
    let values: Vec<Vec<f32>> = numbers.map(|number| real.values(number)).collect::<base::Result<_>>()?;
    Ok(Tensor::new(&[&[n], real.shape()].concat(), values.concat(), means.device))
}

/// Makes the folder of a plan, or finds it again; whoever holds the lock may write there.
pub(crate) fn open_folder(folder: &Path, plan: &Plan) -> Result<RunLock> {
    files::create_folder(folder)?;
    let known = folder.join(PLAN).is_file();
    if !known && has_strangers(folder)? {
        return Err(Error::file(folder, "is not empty, and what it holds is not a dissection")
            .with_hint("Choose a folder that is new or empty with `out`.")
            .into());
    }
    let lock = RunLock::acquire(folder)?;
    train::run_folder::sweep(folder)?;
    if known {
        let old = Plan::read(folder)?;
        let difference = old.difference(plan).or_else(|| {
            let text = |plan: &Plan| format!("{}/{}", plan.shard.index, plan.shard.of);
            (old.shard != plan.shard).then(|| format!("its shard is {}, not {}", text(&old), text(plan)))
        });
        if let Some(difference) = difference {
            return Err(Error::file(folder, format!("holds another dissection: {difference}"))
                .with_hint("Choose another folder with `out`, or give the same settings to go on.")
                .into());
        }
    }
    plan.write(folder)?;
    Ok(lock)
}

/// Whether a folder holds anything besides what a process leaves that died before it wrote the plan.
pub(crate) fn has_strangers(folder: &Path) -> Result<bool> {
    let listed = std::fs::read_dir(folder).map_err(|e| Error::io("list", folder, e))?;
    for entry in listed {
        let name = entry.map_err(|e| Error::io("list", folder, e))?.file_name();
        if !train::run_folder::is_leftover(&name.to_string_lossy()) {
            return Ok(true);
        }
    }
    Ok(false)
}
