//! The units of a layer.

use super::asking::{Client, File};
use crate::Studio;
use crate::http::{Failure, Told};
use axum::Json;
use axum::extract::{Path, State};
use data::pictures;
use models::{Ranking, UnitRow};
use std::sync::Arc;

/// Images in the picture of a unit.
const IMAGES: usize = 4;

/// All units of a layer, with what was found about them.
#[utoipa::path(
    get,
    path = "/api/v1/models/{model}/layers/{layer}/units",
    params(("model" = String, Path, description = "its id"), ("layer" = String, Path, description = "the layer's name")),
    responses((status = 200, body = [UnitRow]), (status = 404, body = Told))
)]
pub(super) async fn units(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path((id, layer)): Path<(String, String)>,
) -> Result<Json<Vec<UnitRow>>, Failure> {
    studio.with_model(&client, &id, move |open| Ok(open.painter.units(&layer)?)).await.map(Json)
}

/// The units of a layer for every class: by what they cause where that was searched, and by how well they fit.
#[utoipa::path(
    get,
    path = "/api/v1/models/{model}/layers/{layer}/rankings",
    params(("model" = String, Path, description = "its id"), ("layer" = String, Path, description = "the layer's name")),
    responses((status = 200, body = [Ranking]), (status = 404, body = Told))
)]
pub(super) async fn rankings(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path((id, layer)): Path<(String, String)>,
) -> Result<Json<Vec<Ranking>>, Failure> {
    studio.with_model(&client, &id, move |open| Ok(open.painter.rankings(&layer)?)).await.map(Json)
}

/// The images that activate a unit most, in a row, dark where it is off.
#[utoipa::path(
    get,
    path = "/api/v1/models/{model}/layers/{layer}/units/{unit}/picture.png",
    params(
        ("model" = String, Path, description = "its id"),
        ("layer" = String, Path, description = "the layer's name"),
        ("unit" = usize, Path, description = "the unit's number"),
    ),
    responses((status = 200, content_type = "image/png", body = [u8]), (status = 404, body = Told))
)]
pub(super) async fn picture(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path((id, layer, unit)): Path<(String, String, usize)>,
) -> Result<File, Failure> {
    let strip = studio.with_model(&client, &id, move |open| {
        let none = || Failure::none(format!("unit {unit} of layer {layer} is on in no picture that was looked at"));
        Ok(pictures::png(&open.painter.picture_of_unit(&layer, unit, IMAGES)?.ok_or_else(none)?)?)
    });
    strip.await.map(|bytes| File("image/png", bytes))
}
