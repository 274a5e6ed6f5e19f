//! What a repair writes for people and programs.

use super::decisions::{DECISIONS, Decisions};
use super::folder::{CANDIDATES, PICTURES};
use super::judge::Repaired;
use super::sample::versions;
use super::search::{Candidate, Ranking};
use super::{DOCUMENT, REPAIR_FORMAT, RepairMeans, RepairSettings, SHEET};
use crate::plan::Origin;
use crate::show::pictures::{comparison_sheet, outlined};
use crate::show::seen::zoom_of;
use crate::subject::Subject;
use base::watch::Watch;
use base::{Error, files};
use data::pictures::{self, grid, png, zoomed};
use data::{Dataset, Image};
use kernels::Upsampler;
use net::{Result, Tensor};
use rayon::prelude::*;
use serde::Serialize;
use std::path::Path;

/// The columns of `candidates.csv`.
const COLUMNS: &str = "rank,unit,distance,z,without,iou,decision,seeds";

#[derive(Serialize)]
struct Document<'a, T> {
    format: u32,
    program: &'a str,
    model: &'a Origin,
    real: &'a str,
    layer: &'a str,
    settings: &'a RepairSettings,
    #[serde(flatten)]
    found: &'a T,
}

/// Writes `decisions.toml`, `candidates.csv`, `candidates.json` and the pictures; false when the watcher wanted it to end.
pub(super) fn candidates(
    folder: &Path,
    means: &RepairMeans,
    model: &Origin,
    settings: &RepairSettings,
    ranking: &Ranking,
    decisions: &Decisions,
    watch: &mut dyn Watch,
) -> Result<bool> {
    self::decisions(folder, &ranking.candidates, decisions)?;
    write_json(&folder.join(CANDIDATES), means, model, settings, ranking)?;
    let pictures = folder.join(PICTURES);
    files::create_folder(&pictures)?;
    remove_old(&pictures)?;
    watch.stage("pictures", ranking.candidates.len() as u64);
    for candidate in &ranking.candidates {
        let picture = picture_of(means, candidate, ranking.levels[candidate.unit])?;
        files::write_atomic(pictures.join(format!("{}.png", candidate.unit)), &png(&picture)?)?;
        watch.step(1);
        if watch.stop() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes what is decided: `decisions.toml`, and the table of candidates, which says it too.
pub(super) fn decisions(folder: &Path, candidates: &[Candidate], decisions: &Decisions) -> base::Result<()> {
    files::write_atomic(folder.join(DECISIONS), decisions.text(candidates).as_bytes())?;
    files::write_atomic(folder.join("candidates.csv"), csv(candidates, decisions).as_bytes())
}

/// Removes the pictures of an earlier search, which would be taken for those of this one.
fn remove_old(pictures: &Path) -> base::Result<()> {
    for entry in std::fs::read_dir(pictures).map_err(|e| Error::io("list", pictures, e))? {
        let path = entry.map_err(|e| Error::io("list", pictures, e))?.path();
        let of_unit = path.file_stem().is_some_and(|stem| stem.to_string_lossy().parse::<usize>().is_ok());
        if of_unit && path.extension().is_some_and(|ending| ending == "png") {
            std::fs::remove_file(&path).map_err(|e| Error::io("remove", &path, e))?;
        }
    }
    Ok(())
}

/// Writes `repair.json`: a folder with it is finished.
pub(super) fn document(
    folder: &Path,
    means: &RepairMeans,
    model: &Origin,
    settings: &RepairSettings,
    repaired: &Repaired,
) -> Result<()> {
    write_json(&folder.join(DOCUMENT), means, model, settings, repaired)
}

/// Writes `sheet.png`: images that activate the units most, before and after.
pub(super) fn sheet(folder: &Path, subject: &Subject, repaired: &Repaired) -> Result<()> {
    let (_, images) = versions(subject, &repaired.strongest_seeds, &[&[], &repaired.units])?;
    let [before, after] = [&images[0], &images[1]].map(shown);
    Ok(files::write_atomic(folder.join(SHEET), &png(&comparison_sheet(&before?, &after?)?)?)?)
}

fn write_json(
    path: &Path,
    means: &RepairMeans,
    model: &Origin,
    settings: &RepairSettings,
    found: &impl Serialize,
) -> Result<()> {
    let (program, real) = (env!("CARGO_PKG_VERSION"), Dataset::name(means.real));
    let layer = &means.subject.layers()[0].name;
    let document = Document { format: REPAIR_FORMAT, program, model, real, layer, settings, found };
    let json = serde_json::to_string_pretty(&document).map_err(|e| Error::file(path, e.to_string()))?;
    Ok(files::write_atomic(path, (json + "\n").as_bytes())?)
}

fn csv(candidates: &[Candidate], decisions: &Decisions) -> String {
    let number = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v:.6}"));
    let row = |(rank, candidate): (usize, &Candidate)| {
        let seeds: Vec<String> = candidate.seeds.iter().map(ToString::to_string).collect();
        format!(
            "{rank},{},{:.6},{},{:.6},{},{},{}\n",
            candidate.unit,
            candidate.distance,
            number(candidate.z),
            candidate.without,
            number(candidate.iou),
            decisions.of(candidate.unit).word(),
            seeds.join(" ")
        )
    };
    let rows: String = (1..).zip(candidates).map(row).collect();
    format!("{COLUMNS}\n{rows}")
}

/// Four rows: a unit's strongest images, where it is on in them, the images without it, and the real images that are most like them.
fn picture_of(means: &RepairMeans, candidate: &Candidate, level: f32) -> Result<Image> {
    let subject = means.subject;
    let layer = &subject.layers()[0];
    let cells = layer.size[0] * layer.size[1];
    let [_, height, width] = subject.image_shape();
    let zoom = zoom_of(subject);
    let upsampler = Upsampler::new(layer.size, [height * zoom, width * zoom]);
    let (maps, images) = versions(subject, &candidate.seeds, &[&[], &[candidate.unit]])?;
    let maps = maps.to_vec();
    let large = |images: Vec<Image>| -> Vec<Image> {
        images.into_iter().map(|image| zoomed(&image.into_rgb(), zoom)).collect()
    };
    let (plain, without) = (large(shown(&images[0])?), large(shown(&images[1])?));
    let real: base::Result<Vec<Image>> = candidate.alike.iter().map(|&number| means.real.image(number)).collect();
    let on: Vec<Image> = plain
        .par_iter()
        .enumerate()
        .map(|(image, plain)| {
            let map = &maps[(image * layer.units + candidate.unit) * cells..][..cells];
            let mut mask = vec![0; kernels::words(plain.width * plain.height)];
            upsampler.pack_above(map, level, &mut mask);
            outlined(plain.clone(), &mask)
        })
        .collect();
    let columns = plain.len();
    Ok(grid(&[plain, on, without, large(real?)].concat(), columns, 4)?)
}

fn shown(images: &Tensor) -> Result<Vec<Image>> {
    Ok(pictures::from_batch(images.shape(), &images.to_vec())?)
}
