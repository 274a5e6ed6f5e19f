//! Which units cause a class: the search for a set of units whose removal takes the class away and whose insertion makes it.
//!
//! Bau et al. (arXiv 1811.10597, section 3.2): the average causal effect of units U on a class c is
//! `E[s_c(inserted)] - E[s_c(ablated)]`. The choice of U is relaxed to a strength `alpha` in [0, 1] for every unit and found by
//! gradients through the rest of the generator and the segmenter. Unlike in the published program, the effect of an insertion is
//! read at the cell where it was made.

mod curve;
mod file;
mod insertion;
mod kept;
mod pools;
mod search;
mod tail;

use crate::concepts::Concept;
use crate::dissection::Dissection;
use crate::subject::Subject;
use base::Error;
use base::watch::Watch;
use kept::Kept;
use net::Result;
use plot::{LineChart, Series};
use pools::{Collected, Pools};
use segment::{Segment, Segmenter};
use serde::{Deserialize, Serialize};
use std::path::Path;
use tail::Tail;

pub use curve::Point;
pub use insertion::{Context, Insertions, Trace};
pub use search::Epoch;

/// Images and passes at most, so that no kind of image takes the seeds of another.
const MOST: u64 = 1 << 32;

/// The settings of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CausalSettings {
    /// Images among which those that show the class are found, and as many again for places to insert it.
    pub pool: u64,
    /// Images kept of each pool.
    pub kept: usize,
    /// How many of those are held out from the search.
    pub held_out: usize,
    /// Passes over the kept pairs.
    pub epochs: usize,
    /// Pairs in one step.
    pub batch: usize,
    /// Learning rate of Adam.
    pub lr: f64,
    /// Weight of the sum of `alpha^2`, for the mean loss of a pair.
    pub penalty: f64,
    /// Images for the curve of removed pixels; none of them was seen before.
    pub curve_images: u64,
    /// Numbers of units for the curve.
    pub curve_units: Vec<usize>,
    /// Random rankings that the curve averages.
    pub random: usize,
    /// Images in which the class is inserted at single cells; none of them was seen before. 0: that is left out.
    pub insertion_images: u64,
    /// The quantile of its activation that a unit is set to there.
    pub insertion_quantile: f64,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

impl Default for CausalSettings {
    fn default() -> Self {
        Self {
            pool: 2000,
            kept: 240,
            held_out: 40,
            epochs: 15,
            batch: 20,
            lr: 0.01,
            penalty: 0.005,
            curve_images: 200,
            curve_units: vec![1, 2, 4, 7, 10, 15, 20, 30],
            random: 3,
            insertion_images: 50,
            insertion_quantile: 0.99,
            seed: 0,
        }
    }
}

impl CausalSettings {
    /// The sizes of the published program: pools of 10,000 images, 1,200 kept, 200 of them held out, 10 epochs.
    pub fn published() -> Self {
        Self {
            pool: 10_000,
            kept: 1200,
            held_out: 200,
            epochs: 10,
            curve_images: 1000,
            insertion_images: 500,
            ..Self::default()
        }
    }

    fn check(&self) -> base::Result<()> {
        for (key, number, least) in [
            ("pool", self.pool, 1),
            ("batch", self.batch as u64, 1),
            ("epochs", self.epochs as u64, 1),
            ("curve_images", self.curve_images, 1),
            ("insertion_images", self.insertion_images, 0),
            ("seed", self.seed, 0),
        ] {
            if !(least..=MOST).contains(&number) {
                return Err(Error::setting(key, format!("is {number}; it is at least {least} and at most {MOST}")));
            }
        }
        let counts = [
            ("pool", self.pool),
            ("curve_images", self.curve_images),
            ("insertion_images", self.insertion_images),
            ("epochs", self.epochs as u64),
        ];
        for (key, count) in counts {
            // The seeds of each kind of image begin 2^36 apart.
            if count > 1 << 32 {
                return Err(Error::setting(key, format!("is {count}; it is at most 2^32")));
            }
        }
        if !(0.0..=1.0).contains(&self.insertion_quantile) {
            let reason = format!("the quantile of an insertion is {}", self.insertion_quantile);
            return Err(Error::setting("causal", reason).with_hint("A quantile lies between 0 and 1."));
        }
        if self.held_out >= self.kept || self.kept as u64 > self.pool {
            let reason = format!("keeps {} of {} images and holds out {}", self.kept, self.pool, self.held_out);
            return Err(Error::setting("causal", reason)
                .with_hint("Hold out fewer than are kept, and keep no more than the pool has."));
        }
        Ok(())
    }
}

/// What causes a class in one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Causal {
    /// The version of this form.
    pub format: u32,
    /// BLAKE3 of the generator and of the segmenter; none in files of older programs.
    #[serde(default)]
    pub networks: Option<[String; 2]>,
    /// The class.
    pub class: String,
    /// Its category.
    pub category: String,
    /// The layer.
    pub layer: String,
    /// All units, the strongest cause first; ties by `IoU`.
    pub units: Vec<usize>,
    /// The strength that was found for each of `units`.
    pub alpha: Vec<f64>,
    /// All units by their `IoU` with the class.
    pub iou_units: Vec<usize>,
    /// Each unit's activation where the class is, by unit: what an insertion sets it to.
    pub inserted: Vec<f64>,
    /// Share of the class's pixels that is removed when the first units of a ranking are switched off, on images that the
    /// search never saw.
    pub curve: Vec<Point>,
    /// The average causal effect of the 20 strongest units together on held-out pairs, in shares of the class's mean area.
    pub effect: f64,
    /// The same for each of these units by itself.
    pub unit_effects: Vec<f64>,
    /// What becomes of the strongest units when they are forced at single cells.
    pub insertions: Option<Insertions>,
    /// How the search went.
    pub epochs: Vec<Epoch>,
    /// Images of the first pool that show the class at all.
    pub present: usize,
    /// The settings.
    pub settings: CausalSettings,
}

impl Causal {
    /// Whether this is what a task comes to: the same networks (where it names them), class, layer, ranking by `IoU` and settings.
    pub fn is_of(&self, task: &CausalTask) -> bool {
        let &CausalTask { dissection, layer, concept, settings, .. } = task;
        let (plan, named) = (&dissection.plan, &dissection.concepts.list()[concept]);
        let networks = [&plan.model.blake3, &plan.segmenter.blake3];
        self.networks.as_ref().is_none_or(|own| own.each_ref() == networks)
            && (&self.class, &self.category) == (&named.name, &named.category)
            && self.layer == plan.layers[layer].name
            && self.settings == *settings
            && self.iou_units == dissection.ranked_by_iou(layer, concept)
    }

    /// The curve's point at the published number of units ([`SET`]), or the last one before.
    pub fn at_set(&self) -> Option<&Point> {
        self.curve.iter().rfind(|point| point.units <= SET).or(self.curve.first())
    }

    /// The curve of removed pixels.
    pub fn chart(&self) -> LineChart {
        let series = |name: &str, value: &dyn Fn(&Point) -> f64| Series {
            name: name.into(),
            points: self.curve.iter().map(|p| [p.units as f64, value(p)]).collect(),
            band: Vec::new(),
        };
        LineChart {
            title: format!("Switching off units of layer {} for {}", self.layer, self.class),
            x_label: "units switched off".into(),
            y_label: format!("share of {} pixels removed", self.class),
            series: vec![
                series("causal", &|p| p.causal),
                series("by IoU", &|p| p.iou),
                series("random", &|p| p.random),
            ],
            ..LineChart::default()
        }
    }
}

/// The number of units of a set, as in the publication.
pub const SET: usize = 20;

/// How a search ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With the causes.
    Found(Box<Causal>),
    /// There is nothing to search with: the class is never shown, or can be put nowhere; what is missing.
    Absent(String),
    /// The watcher wanted it to end.
    Stopped,
}

/// What is searched for.
#[derive(Clone, Copy)]
pub struct CausalTask<'a> {
    /// The dissection of the generator.
    pub dissection: &'a Dissection,
    /// The layer whose units are searched.
    pub layer: usize,
    /// The concept that they are to cause.
    pub concept: usize,
    /// How.
    pub settings: &'a CausalSettings,
    /// Where the search is kept after every pass, so that the same call goes on after an interruption; the file is left for the caller to
    /// remove once the result is safe. Another task's file is written over.
    pub partial: Option<&'a Path>,
}

/// Searches the units of one layer of a dissection that cause a concept. The segmenter must see something in pictures: one that is
/// [blind](Segmenter::is_blind) has no causes.
///
/// # Errors
/// The settings cannot be used, a network cannot be run, or the file of an interrupted search
/// is broken or cannot be written.
pub fn causal(subject: &Subject, segmenter: &Segmenter, task: &CausalTask, watch: &mut dyn Watch) -> Result<Outcome> {
    let &CausalTask { dissection, layer, concept, settings, partial } = task;
    settings.check()?;
    let named: Concept = dissection.concepts.list()[concept].clone();
    let Some((plane, class)) = dissection.concepts.class_of(concept) else {
        return Err(Error::setting("class", format!("{}: there is no such class", named.name)).into());
    };
    if segmenter.planes() != dissection.concepts.planes() {
        return Err(Error::setting("segmenter", "names other classes than the dissection").into());
    }
    let tail = Tail::new(subject, layer, segmenter, plane, usize::from(class))?;
    let iou_units = dissection.ranked_by_iou(layer, concept);

    let pools = match Pools::collect(&tail, settings, watch)? {
        Collected::Pools(pools) => pools,
        Collected::Absent(what) => return Ok(Outcome::Absent(what)),
        Collected::Stopped => return Ok(Outcome::Stopped),
    };
    let start = search::start(dissection, layer, concept);
    let kept = Kept::new(partial, task, &start);
    let Some(found) = search::search(&tail, &pools, start, settings, &kept, watch)? else {
        return Ok(Outcome::Stopped);
    };
    let mut place = vec![0; iou_units.len()];
    iou_units.iter().enumerate().for_each(|(at, &unit)| place[unit] = at);
    let mut units: Vec<usize> = (0..found.alpha.len()).collect();
    units.sort_by(|&a, &b| found.alpha[b].total_cmp(&found.alpha[a]).then(place[a].cmp(&place[b])));

    let set = &units[..SET.min(units.len())];
    let mut sets = vec![set];
    sets.extend(set.chunks(1));
    let mut unit_effects = search::effects(&tail, &pools, &sets, settings)?;
    let effect = unit_effects.remove(0);
    let Some(curve) = curve::curve(&tail, &[&units, &iou_units], settings, watch)? else { return Ok(Outcome::Stopped) };
    let insertions = if settings.insertion_images == 0 {
        None
    } else {
        let fit = &dissection.fits[layer];
        let values: Vec<f32> = set.iter().map(|&unit| fit.quantile(unit, settings.insertion_quantile)).collect();
        match insertion::insertions(&tail, set, &values, pools.mean_pixels, settings, watch)? {
            Some(found) => Some(found),
            None => return Ok(Outcome::Stopped),
        }
    };
    Ok(Outcome::Found(Box::new(Causal {
        format: file::FORMAT,
        networks: Some([&dissection.plan.model, &dissection.plan.segmenter].map(|origin| origin.blake3.clone())),
        class: named.name,
        category: named.category,
        layer: dissection.plan.layers[layer].name.clone(),
        alpha: units.iter().map(|&unit| found.alpha[unit].into()).collect(),
        units,
        iou_units,
        inserted: pools.typical.iter().map(|&k| k.into()).collect(),
        curve,
        effect,
        unit_effects,
        insertions,
        epochs: found.epochs,
        present: pools.present_images,
        settings: settings.clone(),
    })))
}
