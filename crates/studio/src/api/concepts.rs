//! What one can paint with.

use super::asking::{Body, Client, File};
use crate::Studio;
use crate::http::{Failure, Told, limits};
use axum::Json;
use axum::extract::{Path, State};
use data::pictures;
use dissect::{LatentOf, Painted, Place};
use models::{Conditions, OwnConcept, PaletteConcept, Truncation};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// All classes to paint with, those first that their units make most of.
#[utoipa::path(
    get,
    path = "/api/v1/models/{model}/concepts",
    params(("model" = String, Path, description = "its id")),
    responses((status = 200, body = [PaletteConcept]), (status = 404, body = Told))
)]
pub(super) async fn concepts(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<Vec<PaletteConcept>>, Failure> {
    studio.with_model(&client, &id, |open| Ok(open.painter.palette())).await.map(Json)
}

/// Where somebody painted over a thing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Examples {
    /// The layer whose units are ranked.
    layer: String,
    examples: Vec<PaintedPicture>,
}

/// A picture, and where the thing is in it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PaintedPicture {
    latent: LatentOf,
    /// How far the latent, or the styles that are made of it, may be from the middle; 1 where it is not given.
    truncation: Option<f64>,
    /// How many layers have truncated styles, from the first on; all where it is not given.
    truncation_layers: Option<usize>,
    /// Its class, by name or number, for models that read one.
    class: Option<String>,
    painted: Painted,
}

/// Ranks the units of a layer by how well they fit what was painted in some pictures. Nothing is kept.
#[utoipa::path(
    post,
    path = "/api/v1/models/{model}/concepts",
    params(("model" = String, Path, description = "its id")),
    request_body = Examples,
    responses((status = 200, body = OwnConcept), (status = 400, body = Told), (status = 404, body = Told))
)]
pub(super) async fn own_concept(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
    Body(sent): Body<Examples>,
) -> Result<Json<OwnConcept>, Failure> {
    if sent.examples.len() > limits::EXAMPLES {
        return Err(Failure::wrong(format!("{} examples; {} are the most", sent.examples.len(), limits::EXAMPLES)));
    }
    let ranked = studio.with_model(&client, &id, move |open| {
        let [_, height, width] = open.painter.generator().image_shape()?;
        let mut examples = Vec::with_capacity(sent.examples.len());
        for PaintedPicture { latent, truncation, truncation_layers: layers, class, painted } in sent.examples {
            limits::check_place(&Place::Painted(painted.clone()), [height, width]).map_err(Failure::wrong)?;
            let conditions = Conditions { truncation: truncation.map(|psi| Truncation { psi, layers }), class };
            examples.push((open.painter.plain(&latent, &conditions)?, painted));
        }
        Ok(open.painter.own_concept(&sent.layer, &examples)?)
    });
    ranked.await.map(Json)
}

/// A small square picture of a class.
#[utoipa::path(
    get,
    path = "/api/v1/models/{model}/concepts/{category}/{name}/picture.png",
    params(
        ("model" = String, Path, description = "its id"),
        ("category" = String, Path, description = "the class's category"),
        ("name" = String, Path, description = "its name"),
    ),
    responses((status = 200, content_type = "image/png", body = [u8]), (status = 404, body = Told))
)]
pub(super) async fn icon(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path((id, category, name)): Path<(String, String, String)>,
) -> Result<File, Failure> {
    let icon = studio.with_model(&client, &id, move |open| {
        let class = format!("{category}/{name}");
        let none = || Failure::none(format!("no picture shows {class}"));
        Ok(pictures::png(open.painter.icon(&class)?.ok_or_else(none)?)?)
    });
    icon.await.map(|bytes| File("image/png", bytes))
}
