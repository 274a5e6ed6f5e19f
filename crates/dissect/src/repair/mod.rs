//! Repair: find units that make what no real image shows, let a person decide, take them out, and measure what that did.
//!
//! Bau et al. (arXiv 1811.10597, section 4.3) looked for units whose most activating images look wrong, switched 20 of 512 off, and
//! compared the distance to real images before, after, and with 20 random units off. Here
//!
//! 1. *search* scores every unit of a layer: how far are the images that activate it most (one in 20) from the real images that are most
//!    like them in the layout of their colours, beside as many random images of the generator? The farthest are candidates, in the order of
//!    how much nearer their images come without them. Where a defect is painted, units are ranked by how well they agree with it instead;
//! 2. a person *decides*, by flags or in a file: nothing is taken out without a word;
//! 3. *judge* measures on images that the search never saw, and [`net::Network::without_units`] writes a generator in which the units are gone.
//!
//! The distance is [`metrics::swd`]: it needs no feature network. Images that activate a unit have something in common (snow, dusk) that most
//! real images lack, and are far from *all* real images for that reason alone; so each is compared with the real image most like it. What the
//! removal of snow costs, the distance of all images from all real ones says.

mod decisions;
mod defects;
mod folder;
mod judge;
mod report;
pub(crate) mod sample;
mod search;

use crate::dissection::has_strangers;
use crate::plan::Origin;
use crate::subject::Subject;
use base::watch::Watch;
use base::{Error, files};
use data::Dataset;
use net::{Network, Removal, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;
use train::RunLock;

pub use decisions::{Answers, DECISIONS, Decision, Decisions};
pub use defects::Defects;
pub use folder::{RepairFolder, TakenOut};
pub use judge::{Distances, Repaired};
pub use search::{Baseline, Candidate, Ranking, UnitScore};

/// The version of a repair's files.
pub const REPAIR_FORMAT: u32 = 1;
/// The repaired generator in a repair's folder.
pub const REPAIRED_MODEL: &str = "model.safetensors";
/// What was measured, written last.
const DOCUMENT: &str = "repair.json";
/// Before and after.
const SHEET: &str = "sheet.png";
/// One image in this many counts as one that activates a unit most: 5 %, as in the published program.
const STRONGEST: u64 = 20;

/// The settings of a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepairSettings {
    /// Images for the search, of the seeds `seed .. seed + samples`; as many behind them judge the repair.
    pub samples: u64,
    /// Real images that both are compared with.
    pub real_samples: u64,
    /// Units that are shown.
    pub candidates: usize,
    /// Draws of as many random units.
    pub random: u64,
    /// The first seed, and the seed of everything else that is drawn.
    pub seed: u64,
}

impl Default for RepairSettings {
    fn default() -> Self {
        Self { samples: 1000, real_samples: 1000, candidates: 20, random: 5, seed: 0 }
    }
}

impl RepairSettings {
    /// Refuses what cannot be done.
    ///
    /// # Errors
    /// A number is 0 (or there are too many).
    pub fn check(&self) -> base::Result<()> {
        for (key, number) in [
            ("samples", self.samples),
            ("real_samples", self.real_samples),
            ("candidates", self.candidates as u64),
            ("random", self.random),
        ] {
            if number == 0 || number > 1 << 32 {
                return Err(Error::setting(key, format!("is {number}; it is at least 1 and at most 2^32")));
            }
        }
        if self.seed > 1 << 32 {
            return Err(Error::setting("seed", format!("is {}; it is at most 2^32", self.seed)));
        }
        Ok(())
    }

    /// Refuses what the machine has no memory for.
    ///
    /// # Errors
    /// As said: the message names the generator.
    pub fn check_memory(&self, subject: &Subject) -> Result<()> {
        // Sampled images once, real ones twice (those compared with, and others), judged ones in all versions.
        let versions = self.random.saturating_add(3);
        let wanted = self.samples.saturating_mul(versions).saturating_add(self.real_samples.saturating_mul(2));
        let network = subject.memory(sample::BATCH)?;
        let who = format!("{}: this repair", subject.name());
        sample::check_memory(&who, subject.image_shape(), [wanted, self.real_samples], network)
    }

    /// How many of `images` activate a unit most.
    fn strongest(images: u64) -> usize {
        images.div_ceil(STRONGEST) as usize
    }
}

/// What a repair works with besides its settings.
pub struct RepairMeans<'a> {
    /// The generator with the one layer whose units are looked at.
    pub subject: &'a Subject,
    /// What the user typed for it.
    pub name: String,
    /// Real images of its shape.
    pub real: &'a Dataset,
    /// Where somebody painted the defect.
    pub defects: Option<&'a Defects>,
}

/// What a repair came to.
#[derive(Clone, Debug)]
pub struct Repair {
    /// The units by score.
    pub ranking: Ranking,
    /// What was decided.
    pub decisions: Decisions,
    /// The accepted units that these answers do not name: they were accepted in the file that the decisions began with.
    pub earlier: Vec<usize>,
    /// The repaired generator's figures; none where no unit was accepted.
    pub repaired: Option<Repaired>,
}

/// Searches candidates, writes them into `folder`, and takes out those that are accepted by the answers or by the decisions that the
/// folder holds already; `None` when the watcher wanted it to end.
///
/// Memory: about 25 kB for each real image and for each generated one (at 64 pixels; 8 kB more at each doubling), those of the judged
/// images `2 + random` times.
///
/// # Errors
/// The folder holds something else, or decisions about another layer or generator; a decision names a unit that does not exist; an answer
/// accepts a unit that was never a candidate; the real
/// images have another shape or are too few; a network cannot be run or a file cannot be written.
pub fn repair(
    folder: &Path,
    means: &RepairMeans,
    answers: &Answers,
    settings: &RepairSettings,
    watch: &mut dyn Watch,
) -> Result<Option<Repair>> {
    settings.check()?;
    check_real(means, settings)?;
    settings.check_memory(means.subject)?;
    let model = Origin::of_network(&means.name, means.subject.network())?;
    answers.check(&means.subject.layers()[0])?;
    if folder.is_file() {
        return Err(Error::file(folder, "is a file, not a folder")
            .with_hint("Choose a folder that is new or empty with `out`.")
            .into());
    }
    files::create_folder(folder)?;
    let known = folder.join(DECISIONS);
    if !known.is_file() && has_strangers(folder)? {
        return Err(Error::file(folder, "is not empty, and what it holds is not a repair")
            .with_hint("Choose a folder that is new or empty with `out`.")
            .into());
    }
    let _lock = RunLock::acquire(folder)?;
    train::run_folder::sweep(folder)?;
    let layer = &means.subject.layers()[0];
    let source = answers.file.clone().or_else(|| known.is_file().then_some(known));
    let mut decisions = match source {
        Some(path) => Decisions::read(&path, &model, (&layer.name, layer.units))?,
        None => Decisions::new(&model, &layer.name),
    };

    let Some(real) = sample::Real::open(means.real, settings, watch)? else { return Ok(None) };
    let Some(ranking) = search::search(means, &real, settings, watch)? else { return Ok(None) };
    let earlier: Vec<usize> = decisions.accepted().into_iter().filter(|unit| !answers.accept.contains(unit)).collect();
    decisions.add_candidates(&ranking.candidates);
    let stranger = answers.accept.iter().copied().find(|&unit| !decisions.units.contains_key(&unit));
    if stranger.is_none() {
        decisions.answer(answers, &ranking.candidates);
    }
    let earlier = earlier.into_iter().filter(|&unit| decisions.of(unit) == Decision::Accept).collect();
    let accepted = decisions.accepted();
    if !report::candidates(folder, means, &model, settings, &ranking, &decisions, watch)? {
        return Ok(None);
    }
    if let Some(unit) = stranger {
        return Err(no_candidate(unit, &ranking, folder).into());
    }
    if accepted.is_empty() {
        folder::remove_results(folder);
        return Ok(Some(Repair { ranking, decisions, earlier, repaired: None }));
    }

    let repaired = judged(folder, means, &model, &real, accepted, settings, watch)?;
    Ok(repaired.map(|repaired| Repair { ranking, decisions, earlier, repaired: Some(repaired) }))
}

/// Measures what it does to take units out, and writes the generator without them; `None` when the watcher wanted it to end.
fn judged(
    folder: &Path,
    means: &RepairMeans,
    model: &Origin,
    real: &sample::Real,
    accepted: Vec<usize>,
    settings: &RepairSettings,
    watch: &mut dyn Watch,
) -> Result<Option<Repaired>> {
    let Some(found) = judge::judge(means, real, &accepted, settings, watch)? else { return Ok(None) };
    let (network, removal, obstacles) = without(means.subject, &accepted)?;
    let repaired = Repaired {
        units: accepted,
        removal,
        obstacles,
        other_real: found.other_real,
        alike: found.alike,
        strongest: found.strongest,
        all: found.all,
        strongest_seeds: found.strongest_seeds,
    };
    report::sheet(folder, means.subject, &repaired)?;
    folder::write(folder, &network)?;
    report::document(folder, means, model, settings, &repaired)?;
    Ok(Some(repaired))
}

/// A mistyped number would cost a good unit.
fn no_candidate(unit: usize, ranking: &Ranking, folder: &Path) -> Error {
    let candidates: Vec<String> = ranking.candidates.iter().map(|candidate| candidate.unit.to_string()).collect();
    Error::setting("accept", format!("unit {unit} is no candidate; they are {}", candidates.join(", "))).with_hint(
        format!(
            "List more of them with `candidates`, or accept it by a line in {} and leave it out here.",
            folder.join(DECISIONS).display()
        ),
    )
}

/// The generator without the units, with a note that says so; how they are gone, and what stood in the way of a better way.
fn without(subject: &Subject, units: &[usize]) -> Result<(Network, Removal, Vec<String>)> {
    let layer = &subject.layers()[0].name;
    let pruned = subject.network().without_units(layer, units)?;
    let mut network = pruned.network;
    let list = units.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    network.notes.push(("repaired".into(), format!("layer {layer}, units {list}: {}", pruned.removal)));
    Ok((network, pruned.removal, pruned.obstacles))
}

fn check_real(means: &RepairMeans, settings: &RepairSettings) -> Result<()> {
    let (wanted, found) = (means.subject.image_shape(), means.real.shape());
    if found != wanted {
        let reason = format!("{} has items of shape {found:?}; the generator makes {wanted:?}", means.real.name());
        return Err(Error::setting("real", reason)
            .with_hint("Give images of the generator's size and colours.")
            .into());
    }
    match means.real.len() {
        Some(n) if (n as u64) < settings.real_samples => {
            let reason = format!("is {}, but {} has {n} images", settings.real_samples, means.real.name());
            Err(Error::setting("real_samples", reason).into())
        }
        _ => Ok(()),
    }
}
