//! What is in a picture: units at work, classes, and what an edit did to them.

use super::asking::{Body, Client, Sent};
use crate::Studio;
use crate::http::{Failure, Told, limits};
use axum::Json;
use axum::extract::{Path, State};
use data::LabelMap;
use models::{Active, AtPixel, Heat, PictureEffects};
use segment::Segment;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What is asked about the units of a layer: the maps of some, which are at work at a pixel, or, if neither is given, how active each is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActivationsAsked {
    #[schema(value_type = dissect::Recipe)]
    recipe: Sent,
    layer: String,
    /// Units whose maps are wanted.
    units: Option<Vec<usize>>,
    /// Row and column of a pixel.
    pixel: Option<[usize; 2]>,
}

/// What units do in a picture.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Activations {
    /// Maps.
    Heat(Heat),
    /// At a pixel.
    AtPixel(AtPixel),
    /// All units.
    All {
        /// Each unit.
        units: Vec<Active>,
    },
}

/// What units of a layer do in the picture of a recipe.
#[utoipa::path(
    post,
    path = "/api/v1/models/{model}/activations",
    params(("model" = String, Path, description = "its id")),
    request_body = ActivationsAsked,
    responses((status = 200, body = Activations), (status = 400, body = Told), (status = 404, body = Told))
)]
pub(super) async fn activations(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
    Body(asked): Body<ActivationsAsked>,
) -> Result<Json<Activations>, Failure> {
    let ActivationsAsked { recipe: Sent(recipe), layer, units, pixel } = asked;
    if units.as_ref().is_some_and(|units| units.len() > limits::MAPS) {
        return Err(Failure::wrong(format!("maps of more than {} units", limits::MAPS)));
    }
    if units.is_some() && pixel.is_some() {
        return Err(Failure::wrong("give \"units\" or \"pixel\", not both"));
    }
    let found = studio.with_model(&client, &id, move |open| {
        open.check(&recipe)?;
        let sketch = open.painter.sketch(&recipe)?;
        Ok(match (units, pixel) {
            (Some(units), _) => Activations::Heat(open.painter.heat(&sketch, &layer, &units)?),
            (None, Some(pixel)) => Activations::AtPixel(open.painter.at_pixel(&sketch, &layer, pixel)?),
            (None, None) => Activations::All { units: open.painter.active(&sketch, &layer)? },
        })
    });
    found.await.map(Json)
}

/// A recipe whose picture is looked at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Looked {
    #[schema(value_type = dissect::Recipe)]
    recipe: Sent,
}

/// What the segmenter sees in a picture.
#[derive(Serialize, ToSchema)]
pub(super) struct Segmentation {
    planes: Vec<LabelPlane>,
}

/// A label map.
#[derive(Serialize, ToSchema)]
struct LabelPlane {
    name: String,
    /// Height and width.
    size: [usize; 2],
    /// Number of a class, and how many pixels in a row have it, row by row.
    runs: Vec<[usize; 2]>,
}

/// What the segmenter sees in the picture of a recipe.
#[utoipa::path(
    post,
    path = "/api/v1/models/{model}/segmentation",
    params(("model" = String, Path, description = "its id")),
    request_body = Looked,
    responses((status = 200, body = Segmentation), (status = 400, body = Told), (status = 404, body = Told))
)]
pub(super) async fn segmentation(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
    Body(Looked { recipe: Sent(recipe) }): Body<Looked>,
) -> Result<Json<Segmentation>, Failure> {
    let seen = studio.with_model(&client, &id, move |open| {
        open.check(&recipe)?;
        let maps = open.painter.labels(&open.painter.sketch(&recipe)?)?;
        let planes = open.painter.segmenter().map_or(&[][..], Segment::planes);
        let plane = |(plane, map): (&data::Plane, &LabelMap)| LabelPlane {
            name: plane.name.clone(),
            size: [map.height, map.width],
            runs: map.classes.chunk_by(|a, b| a == b).map(|run| [usize::from(run[0]), run.len()]).collect(),
        };
        Ok(Segmentation { planes: planes.iter().zip(maps.iter()).map(plane).collect() })
    });
    seen.await.map(Json)
}

/// A recipe, and the edit of it that is asked about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EffectsAsked {
    #[schema(value_type = dissect::Recipe)]
    recipe: Sent,
    /// The place of an edit among all of the recipe.
    stroke: Option<usize>,
}

/// What became of the classes of a recipe's picture, and what one of its edits did.
#[utoipa::path(
    post,
    path = "/api/v1/models/{model}/effects",
    params(("model" = String, Path, description = "its id")),
    request_body = EffectsAsked,
    responses((status = 200, body = PictureEffects), (status = 400, body = Told), (status = 404, body = Told))
)]
pub(super) async fn effects(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
    Body(EffectsAsked { recipe: Sent(recipe), stroke }): Body<EffectsAsked>,
) -> Result<Json<PictureEffects>, Failure> {
    let seen = studio.with_model(&client, &id, move |open| {
        open.check(&recipe)?;
        Ok(open.painter.effects(&recipe, stroke)?)
    });
    seen.await.map(Json)
}
