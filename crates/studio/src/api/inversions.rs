//! A photo of one's own, brought into a generator.

use super::asking::{Client, body};
use crate::Studio;
use crate::http::{Failure, Told, limits};
use crate::jobs::{INVERSION, JobStatus};
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use models::{Fit, InversionSettings, Photo};
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;
use utoipa::ToSchema;

/// Kinds of files that a photo may be.
const KINDS: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/bmp"];

/// What came of an inversion.
#[derive(Serialize, ToSchema)]
pub(super) struct Inversion {
    /// What recipes call it: the hash of the photo.
    #[serde(rename = "inversion")]
    name: String,
    /// The latent by itself.
    latent: Vec<f32>,
    /// The layer that is shifted.
    layer: String,
    /// How far the picture is from the photo: root mean squares of numbers from -1 to 1.
    distance: InversionDistance,
    /// Whether the generator makes something like it by itself.
    near: bool,
    /// How long it took.
    seconds: f64,
}

/// How far a picture is from a photo.
#[derive(Serialize, ToSchema)]
struct InversionDistance {
    /// Of the latent alone.
    latent: f64,
    /// With the layer shifted.
    refined: f64,
}

/// Begins to bring a photo into the generator. It has the form of the model's pictures (as wide as high, for instance); what came of it is
/// the job's result.
#[utoipa::path(
    post,
    path = "/api/v1/models/{model}/inversions",
    params(("model" = String, Path, description = "its id")),
    request_body(content = [u8], content_type = "image/png", description = "a photo: PNG, JPEG, WebP or BMP"),
    responses(
        (status = 202, body = JobStatus), (status = 400, body = Told), (status = 404, body = Told), (status = 409, body = Told),
        (status = 413, body = Told), (status = 415, body = Told),
        (status = 200, body = Inversion, description = "the form of the job's result"),
    )
)]
pub(super) async fn invert(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<JobStatus>), Failure> {
    let bytes = body(request, &KINDS, limits::PHOTO).await?;
    let name = blake3::hash(&bytes).to_hex()[..16].to_owned();
    // What cannot be done is said at once.
    let photo = studio.with_model(&client, &id, move |open| {
        let image = data::decode(&bytes, "photo".as_ref())?;
        Ok(Photo::new(image, Fit::Same, open.painter.generator().image_shape()?)?)
    });
    let photo = photo.await?;
    let own = studio.clone();
    let job = studio.jobs.begin(INVERSION, move |watch| {
        let began = Instant::now();
        let open = own.opened(&id)?;
        let inverter = open.painter.generator().inverter(None, InversionSettings::default())?;
        let Some(found) = inverter.invert(&photo, watch)? else { return Ok(None) };
        let inverted = found.inverted;
        let result = Inversion {
            name: name.clone(),
            latent: inverted.latent.clone().into_f32(),
            layer: inverted.record.layer.clone(),
            distance: InversionDistance {
                latent: inverted.record.distance.latent,
                refined: inverted.record.distance.refined,
            },
            near: inverted.record.distance.is_near(),
            seconds: began.elapsed().as_secs_f64(),
        };
        open.painter.keep_photo(name, inverted)?;
        serde_json::to_value(result).map(Some).map_err(|e| Failure::wrong(e.to_string()))
    });
    Ok((StatusCode::ACCEPTED, Json(job?)))
}
