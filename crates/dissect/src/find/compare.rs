//! Several dissections side by side: generators, or checkpoints of one.

use super::differences::{Difference, differences};
use crate::dissection::Dissection;
use crate::find::Findings;
use crate::plan::Plan;
use crate::repair::RepairSettings;
use crate::repair::sample::{BATCH, Real, Seen, check_memory};
use crate::subject::Subject;
use base::Error;
use base::watch::Watch;
use data::Dataset;
use net::Result;
use serde::Serialize;

/// What several dissections found, in the order in which they were given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The version of this form.
    pub format: u32,
    /// Each dissection.
    pub dissections: Vec<Compared>,
    /// In what the others differ from the first, and what can be compared all the same.
    pub differences: Vec<Difference>,
    /// Each layer that any of them has, in the order of its first appearance.
    pub layers: Vec<LayerRow>,
    /// Each class that any of them knows.
    pub classes: Vec<ClassRow>,
}

/// One of the dissections.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Its folder.
    pub folder: String,
    /// Its generator.
    pub model: String,
    /// Images that were counted.
    pub samples: u64,
    /// Units of all layers.
    pub units: usize,
    /// Interpretable ones among them.
    pub interpretable: usize,
    /// Different concepts that they stand for.
    pub concepts: usize,
    /// As [`Findings::chance_level`].
    pub chance_level: bool,
    /// Half the sum over the classes of all planes of how far the share of pixels is from the real one, averaged over planes: 0 is
    /// the same frequencies, 1 no class in common. Only where real images were counted.
    pub class_distance: Option<f64>,
    /// How far its images are from real ones, where that was asked for ([`image_distance`]).
    pub image_distance: Option<ImageDistance>,
}

/// How far images are from real ones: sliced Wasserstein distance over patches of Laplacian pyramids ([`metrics::swd`]), in deviations
/// of real pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ImageDistance {
    /// Images of each of the three sets.
    pub images: u64,
    /// Of the generated images.
    pub generated: f64,
    /// Of as many other real images: what chance alone gives.
    pub real: f64,
}

/// Measures the images of the seeds `0 .. images` by the real images `0 .. images`; `None` when the watcher wanted it to end. Memory:
/// about 25 kB an image.
///
/// # Errors
/// The source has fewer than twice as many real images, one cannot be read, or the generator cannot be run.
pub fn image_distance(
    subject: &Subject,
    real: &Dataset,
    images: u64,
    watch: &mut dyn Watch,
) -> Result<Option<ImageDistance>> {
    if images == 0 || real.len().is_some_and(|n| (n as u64) < images.saturating_mul(2)) {
        let reason = format!("is {images}; twice as many real images are needed, and at least one");
        return Err(Error::setting("images", reason).with_hint("Give a smaller number, or more real images.").into());
    }
    let settings = RepairSettings { samples: images, real_samples: images, ..RepairSettings::default() };
    settings.check()?;
    let who = format!("{}: this comparison", subject.name());
    let network = subject.memory(BATCH)?;
    check_memory(&who, subject.image_shape(), [images.saturating_mul(3), images], network)?;
    let Some(known) = Real::open(real, &settings, watch)? else { return Ok(None) };
    let Some(others) = known.others(real, images..2 * images, watch)? else { return Ok(None) };
    watch.stage("generated images", images);
    let mut seen = Vec::new();
    let seeds: Vec<u64> = (0..images).collect();
    for batch in seeds.chunks(BATCH) {
        seen.extend(known.see(&subject.images(batch)?, batch));
        watch.step(batch.len() as u64);
        if watch.stop() {
            return Ok(None);
        }
    }
    let distance = |seen: &[Seen]| known.distance(&seen.iter().collect::<Vec<_>>());
    Ok(Some(ImageDistance { images, generated: distance(&seen), real: distance(&others) }))
}

/// One layer; none for a dissection that does not have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerRow {
    /// The node's name.
    pub layer: String,
    /// Units, interpretable units and concepts of each dissection.
    pub found: Vec<Option<LayerCount>>,
}

/// How much of a layer is interpretable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LayerCount {
    /// All units.
    pub units: usize,
    /// Those that are interpretable.
    pub interpretable: usize,
    /// The concepts that these stand for.
    pub concepts: usize,
}

/// One class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassRow {
    /// Its name.
    pub class: String,
    /// Its category.
    pub category: String,
    /// Interpretable units of all layers that stand for it, for each dissection.
    pub units: Vec<usize>,
    /// Its share of the pixels of generated images, for each dissection that knows it.
    pub generated: Vec<Option<f64>>,
    /// Its share of the pixels of real images, from the first dissection that counted some.
    pub real: Option<f64>,
}

impl Comparison {
    /// Puts dissections side by side.
    pub fn new(dissections: &[Dissection]) -> Self {
        let findings: Vec<Findings> = dissections.iter().map(Dissection::findings).collect();
        let mut layers: Vec<LayerRow> = Vec::new();
        let mut classes: Vec<ClassRow> = Vec::new();
        for (at, found) in findings.iter().enumerate() {
            for layer in &found.layers {
                let place = layers.iter().position(|row| row.layer == layer.layer).unwrap_or_else(|| {
                    layers.push(LayerRow { layer: layer.layer.clone(), found: vec![None; findings.len()] });
                    layers.len() - 1
                });
                let (units, interpretable, concepts) = (layer.units.len(), layer.interpretable, layer.concepts.len());
                layers[place].found[at] = Some(LayerCount { units, interpretable, concepts });
            }
            for class in &found.classes {
                let same = |row: &ClassRow| row.class == class.concept.name && row.category == class.concept.category;
                let place = classes.iter().position(same).unwrap_or_else(|| {
                    classes.push(ClassRow {
                        class: class.concept.name.clone(),
                        category: class.concept.category.clone(),
                        units: vec![0; findings.len()],
                        generated: vec![None; findings.len()],
                        real: None,
                    });
                    classes.len() - 1
                });
                let row = &mut classes[place];
                let standing = found.layers.iter().flat_map(|l| &l.concepts).filter(|d| d.concept == class.concept);
                row.units[at] = standing.map(|d| d.units.len()).sum();
                row.generated[at] = Some(class.generated);
                row.real = row.real.or(class.real);
            }
        }
        let compared = dissections.iter().zip(&findings).map(|(dissection, found)| Compared::new(dissection, found));
        let plans: Vec<(String, &Plan)> =
            dissections.iter().map(|one| (one.folder.display().to_string(), &one.plan)).collect();
        Self { format: 1, dissections: compared.collect(), differences: differences(&plans), layers, classes }
    }
}

impl Compared {
    fn new(dissection: &Dissection, found: &Findings) -> Self {
        let detected = found.layers.iter().flat_map(|layer| &layer.concepts);
        let mut concepts: Vec<_> = detected.map(|d| (&d.concept.category, &d.concept.name)).collect();
        concepts.sort();
        concepts.dedup();
        Self {
            folder: dissection.folder.display().to_string(),
            model: dissection.plan.model.name.clone(),
            samples: dissection.plan.settings.samples,
            units: found.layers.iter().map(|layer| layer.units.len()).sum(),
            interpretable: found.layers.iter().map(|layer| layer.interpretable).sum(),
            concepts: concepts.len(),
            chance_level: found.chance_level,
            class_distance: class_distance(found),
            image_distance: None,
        }
    }
}

/// The total variation between generated and real class frequencies; a plane's ignored class is the rest of its pixels.
fn class_distance(found: &Findings) -> Option<f64> {
    let mut planes: Vec<(&str, f64, f64)> = Vec::new();
    for class in &found.classes {
        let difference = class.generated - class.real?;
        match planes.iter_mut().find(|(name, ..)| *name == class.concept.category) {
            Some((_, sum, rest)) => (*sum, *rest) = (*sum + difference.abs(), *rest + difference),
            None => planes.push((&class.concept.category, difference.abs(), difference)),
        }
    }
    let n = planes.len() as f64;
    (n > 0.0).then(|| planes.iter().map(|(_, sum, rest)| f64::midpoint(*sum, rest.abs())).sum::<f64>() / n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::concepts::Concept;
    use crate::find::ClassShare;

    #[test]
    fn the_distance_of_class_frequencies_is_a_total_variation() {
        let class = |category: &str, generated, real| ClassShare {
            concept: Concept { name: "x".into(), category: category.into() },
            generated,
            generated_interval: [0.0; 2],
            real,
            real_interval: None,
        };
        let distance = |classes| class_distance(&Findings { chance_level: true, layers: Vec::new(), classes });
        // Nothing in common; and a plane of which 0.5 is the ignored class in the one and 1 in the other.
        assert_eq!(distance(vec![class("a", 1.0, Some(0.0)), class("a", 0.0, Some(1.0))]), Some(1.0));
        assert_eq!(distance(vec![class("a", 0.5, Some(0.0))]), Some(0.5));
        assert_eq!(distance(vec![class("a", 0.5, None)]), None);
    }
}
