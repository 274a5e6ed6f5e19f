//! Pictures of recipes and latents.

use super::asking::{Body, Client, File, Sent};
use crate::Studio;
use crate::http::{Failure, Told, limits};
use axum::extract::{Path, Query, State};
use data::{Image, pictures};
use dissect::{Action, LatentOf, Recipe};
use models::{Painter, Sketch};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The key under which a picture holds its recipe.
const KEY: &str = "ganatomy-recipe";
/// Pictures of an animation from before to after.
const FRAMES: usize = 12;
/// How long each is shown, in milliseconds.
const DELAY: u32 = 60;

/// How a picture is wanted.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    /// `png`, or `gif` for an animation from before to after and back.
    format: Format,
    /// Whether the recipe is put into the PNG.
    keep: bool,
    /// Whether the photo is wanted that the recipe is about, at its own size, with the edits' changes put onto it.
    photo: bool,
    /// How many pixels of the file a pixel is wide and high.
    scale: Option<usize>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Png,
    Gif,
}

/// The picture of a recipe, of the network's own size.
#[utoipa::path(
    post,
    path = "/api/v1/models/{model}/render",
    params(("model" = String, Path, description = "its id"), Wanted),
    request_body(content = Recipe, description = "it names its latent"),
    responses(
        (status = 200, content_type = "image/png", body = [u8]),
        (status = 400, body = Told), (status = 404, body = Told),
        (status = 409, body = Told, description = "the recipe was made for another generator"),
        (status = 429, body = Told, description = "too much at once"),
    )
)]
pub(super) async fn render(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    Body(Sent(recipe)): Body<Sent>,
) -> Result<File, Failure> {
    let file = studio.with_model(&client, &id, move |open| {
        open.check(&recipe)?;
        let painter = &open.painter;
        if wanted.photo {
            return Ok(File("image/png", pictures::png(&painter.photo(&recipe)?)?));
        }
        let sketch = painter.sketch(&recipe)?;
        let [_, height, width] = painter.generator().image_shape()?;
        let scale = wanted.scale.unwrap_or(1);
        if scale == 0 || scale.saturating_mul(height.max(width)) > limits::SIDE {
            return Err(Failure::wrong(format!(
                "a picture {scale} times as large; the longest side is {}",
                limits::SIDE
            )));
        }
        if wanted.format == Format::Gif {
            let frames: Vec<Image> =
                animation(painter, &sketch)?.iter().map(|frame| pictures::zoomed(frame, scale)).collect();
            return Ok(File("image/gif", pictures::gif(&frames, DELAY)?));
        }
        let image = pictures::zoomed(&painter.image(&sketch)?, scale);
        let bytes = if wanted.keep {
            let text = serde_json::to_string(&recipe).map_err(|e| Failure::wrong(e.to_string()))?;
            pictures::png_with_text(&image, KEY, &text)?
        } else {
            pictures::quick_png(&image)?
        };
        Ok(File("image/png", bytes))
    });
    file.await
}

/// From before to after, and back.
fn animation(painter: &Painter, sketch: &Sketch) -> Result<Vec<Image>, Failure> {
    let steps = (0..=FRAMES).map(|step| step as f64 / FRAMES as f64);
    let there = steps.map(|share| painter.image(&sketch.faded(share))).collect::<net::Result<Vec<_>>>()?;
    let back: Vec<Image> = there[1..FRAMES].iter().rev().cloned().collect();
    Ok(there.into_iter().chain(back).collect())
}

/// Pictures that are wanted together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    /// One picture each.
    latents: Vec<LatentOf>,
    /// How far the latents, or the styles that are made of them, may be from the middle; 1 where it is not given.
    truncation: Option<f64>,
    /// How many layers have truncated styles, from the first on; all where it is not given.
    truncation_layers: Option<usize>,
    /// Their class, by name or number, for models that read one.
    class: Option<String>,
    /// How many in a row.
    columns: usize,
    /// What is done to each.
    #[serde(default)]
    edits: Vec<Action>,
}

/// Pictures side by side, without gaps.
#[utoipa::path(
    post,
    path = "/api/v1/models/{model}/sheet",
    params(("model" = String, Path, description = "its id")),
    request_body = Sheet,
    responses((status = 200, content_type = "image/png", body = [u8]), (status = 400, body = Told), (status = 404, body = Told))
)]
pub(super) async fn sheet(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
    Body(sheet): Body<Sheet>,
) -> Result<File, Failure> {
    let n = sheet.latents.len();
    if !(1..=limits::BATCH).contains(&n) || !(1..=n).contains(&sheet.columns) {
        let reason = format!("{n} pictures in rows of {}; 1 to {} are made at a time", sheet.columns, limits::BATCH);
        return Err(Failure::wrong(reason));
    }
    let file = studio.with_model(&client, &id, move |open| {
        let recipe = Recipe {
            truncation: sheet.truncation,
            truncation_layers: sheet.truncation_layers,
            class: sheet.class,
            ..Recipe::new(sheet.edits)
        };
        open.check(&recipe)?;
        let image = |latent: LatentOf| {
            let recipe = Recipe { latent: Some(latent), ..recipe.clone() };
            open.painter.image(&open.painter.sketch(&recipe)?)
        };
        let images = sheet.latents.into_iter().map(image).collect::<net::Result<Vec<_>>>()?;
        Ok(File("image/png", pictures::quick_png(&pictures::grid(&images, sheet.columns, 0)?)?))
    });
    file.await
}
