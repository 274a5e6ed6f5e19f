//! What people look at: charts of layers and classes, and for each unit the images that activate it most.

use crate::findings::{Findings, LayerFindings};
use crate::fit::LayerFit;
use crate::subject::{Layer, Subject};
use crate::watch::Watch;
use base::files;
use data::pictures::{grid, png, zoomed};
use data::{Image, pictures};
use kernels::Upsampler;
use net::Result;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use train::plot::{BarValue, Bars, Row};

/// Units whose top images are in memory at the same time.
const UNITS_AT_A_TIME: usize = 32;
/// Images that go through the generator at a time.
const BATCH: usize = 16;
/// The least side of an image in a picture of a unit, in pixels.
const SIDE: usize = 128;
/// The outline of where a unit is on.
const OUTLINE: [u8; 3] = [255, 214, 10];

/// The charts: `layers.svg`, one `layers/NAME.svg` for each layer, `classes.svg`.
pub(crate) fn charts(folder: &Path, findings: &Findings) -> Result<()> {
    let write = |name: &Path, svg: String| files::write_atomic(folder.join(name), svg.as_bytes());
    write(Path::new("layers.svg"), by_layer(findings))?;
    write(Path::new("classes.svg"), by_class(findings))?;
    files::create_folder(folder.join("layers"))?;
    for layer in &findings.layers {
        write(&Path::new("layers").join(file_name(&layer.layer) + ".svg"), of_layer(layer))?;
    }
    Ok(())
}

fn plain(value: f64) -> BarValue {
    BarValue { value, interval: None }
}

/// Interpretable units of every layer by category.
fn by_layer(findings: &Findings) -> String {
    let mut categories: Vec<String> = Vec::new();
    for class in &findings.classes {
        if !categories.contains(&class.concept.category) {
            categories.push(class.concept.category.clone());
        }
    }
    let row = |layer: &LayerFindings| {
        let units = |category: &String| {
            let own = layer.concepts.iter().filter(|d| d.concept.category == *category);
            plain(own.map(|d| d.units.len()).sum::<usize>() as f64)
        };
        Row {
            group: String::new(),
            label: format!("{} ({} units, {}x{})", layer.layer, layer.units.len(), layer.size[1], layer.size[0]),
            values: categories.iter().map(units).collect(),
        }
    };
    Bars {
        title: "Interpretable units by layer".into(),
        x_label: "units".into(),
        rows: findings.layers.iter().map(row).collect(),
        series: categories,
    }
    .to_svg()
}

/// How many units of a layer stand for what.
fn of_layer(layer: &LayerFindings) -> String {
    let mut rows: Vec<Row> = layer
        .concepts
        .iter()
        .map(|d| Row {
            group: d.concept.category.clone(),
            label: d.concept.name.clone(),
            values: vec![plain(d.units.len() as f64)],
        })
        .collect();
    rows.sort_by(|a, b| a.group.cmp(&b.group));
    let title = format!(
        "Layer {}: {} of {} units are interpretable, {} concepts",
        layer.layer,
        layer.interpretable,
        layer.units.len(),
        layer.concepts.len()
    );
    Bars { title, x_label: "units".into(), series: vec!["units".into()], rows }.to_svg()
}

/// What the generator makes more or less of than there is.
fn by_class(findings: &Findings) -> String {
    let real = findings.classes.iter().any(|class| class.real.is_some());
    let row = |class: &crate::findings::ClassShare| {
        let mut values = vec![BarValue { value: class.generated, interval: Some(class.generated_interval) }];
        if real {
            values.push(BarValue { value: class.real.unwrap_or(f64::NAN), interval: class.real_interval });
        }
        Row { group: class.concept.category.clone(), label: class.concept.name.clone(), values }
    };
    let mut series = vec!["generated".to_owned()];
    if real {
        series.push("real".into());
    }
    Bars {
        title: "Classes in the images".into(),
        x_label: "share of pixels, with 95 % intervals".into(),
        series,
        rows: findings.classes.iter().map(row).collect(),
    }
    .to_svg()
}

/// `units/LAYER/UNIT.png`: the unit's top images, dark and outlined where it is off and on.
pub(crate) fn units(
    folder: &Path,
    subject: &Subject,
    fits: &[LayerFit],
    findings: &Findings,
    watch: &mut dyn Watch,
) -> Result<()> {
    let total = findings.layers.iter().map(|layer| layer.units.len() as u64).sum();
    watch.stage("pictures of units", total);
    for (place, layer) in findings.layers.iter().enumerate() {
        let target = folder.join("units").join(file_name(&layer.layer));
        files::create_folder(&target)?;
        for units in layer.units.chunks(UNITS_AT_A_TIME) {
            let wanted: Vec<(u64, usize)> =
                units.iter().flat_map(|unit| unit.top.iter().map(|top| (top.seed, unit.unit))).collect();
            let panels = panels(subject, place, &fits[place], &wanted)?;
            units.par_iter().try_for_each(|unit| {
                let strip: Vec<Image> =
                    unit.top.iter().filter_map(|top| panels.get(&(top.seed, unit.unit))).cloned().collect();
                if strip.is_empty() {
                    return Ok(());
                }
                let picture = grid(&strip, strip.len(), 4)?;
                files::write_atomic(target.join(format!("{}.png", unit.unit)), &png(&picture)?)
            })?;
            watch.step(units.len() as u64);
        }
    }
    Ok(())
}

/// The panel of each (seed, unit) of a layer.
fn panels(
    subject: &Subject,
    layer: usize,
    fit: &LayerFit,
    wanted: &[(u64, usize)],
) -> Result<BTreeMap<(u64, usize), Image>> {
    let mut seeds: Vec<u64> = wanted.iter().map(|w| w.0).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let [_, height, width] = subject.image_shape();
    let zoom = SIDE.div_ceil(height.min(width)).max(1);
    let Layer { units, size, .. } = subject.layers()[layer];
    let upsampler = Upsampler::new(size, [height * zoom, width * zoom]);
    let cells = size[0] * size[1];
    let mut found = BTreeMap::new();
    for batch in seeds.chunks(BATCH) {
        let (maps, images) = subject.maps_and_images(batch)?;
        let images = pictures::from_batch(&images.shape(), &images.to_vec())?;
        let maps = maps.get(layer).map(net::Tensor::to_vec).unwrap_or_default();
        let here: Vec<(usize, u64, usize)> = wanted
            .iter()
            .filter_map(|&(seed, unit)| Some((batch.iter().position(|&s| s == seed)?, seed, unit)))
            .collect();
        let made: Vec<_> = here
            .par_iter()
            .map(|&(image, seed, unit)| {
                let map = &maps[(image * units + unit) * cells..][..cells];
                let large = zoomed(&images[image].clone().into_rgb(), zoom);
                ((seed, unit), outlined(large, map, fit.levels[unit], &upsampler))
            })
            .collect();
        found.extend(made);
    }
    Ok(found)
}

/// An image, darkened where a unit is off, with a line around where it is on.
pub(crate) fn outlined(mut image: Image, map: &[f32], level: f32, upsampler: &Upsampler) -> Image {
    let mut fine = vec![0.0; image.width * image.height];
    upsampler.upsample(map, &mut fine);
    let on = |x: usize, y: usize| fine[y * image.width + x] > level;
    let (width, height) = (image.width, image.height);
    let edge = |x: usize, y: usize| {
        let near = |x: usize, y: usize| x < width && y < height && !on(x, y);
        on(x, y) && (near(x.wrapping_sub(1), y) || near(x + 1, y) || near(x, y.wrapping_sub(1)) || near(x, y + 1))
    };
    for y in 0..height {
        for x in 0..width {
            let pixel = &mut image.pixels[(y * width + x) * 3..][..3];
            if edge(x, y) {
                pixel.copy_from_slice(&OUTLINE);
            } else if !on(x, y) {
                pixel.iter_mut().for_each(|v| *v = (u16::from(*v) * 2 / 5) as u8);
            }
        }
    }
    image
}

/// A layer's name as part of a file name: letters, digits, `.`, `_` and `-`; others become `_`.
pub(crate) fn file_name(layer: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = layer.chars().map(safe).collect();
    // `.` and `..` are folders already.
    if name.trim_matches('.').is_empty() { format!("_{name}") } else { name }
}
