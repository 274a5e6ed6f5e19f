//! What this studio serves.

use crate::Studio;
use crate::http::limits::{LIMITS, Limits};
use axum::Json;
use axum::extract::State;
use dissect::RECIPE_FORMAT;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What this studio is and has.
#[derive(Serialize, ToSchema)]
pub(super) struct StudioStatus {
    /// The version of the program.
    version: &'static str,
    /// Where networks are computed.
    device: String,
    /// The newest form of recipes that is read, and that which is written.
    recipe_format: u32,
    /// The models, the one to show first.
    models: Vec<ModelName>,
    /// How much one request may ask for.
    limits: Limits,
}

/// A model by name.
#[derive(Serialize, ToSchema)]
struct ModelName {
    /// What requests call it.
    id: String,
    /// What people call it.
    name: String,
    /// Where it lies, or its shipped name.
    path: String,
}

/// What this studio is and has.
#[utoipa::path(get, path = "/api/v1/studio", responses((status = 200, body = StudioStatus)))]
pub(super) async fn studio(State(studio): State<Arc<Studio>>) -> Json<StudioStatus> {
    let name = |entry: &crate::served::Entry| ModelName {
        id: entry.id.clone(),
        name: entry.name(),
        path: entry.path().display().to_string(),
    };
    Json(StudioStatus {
        version: env!("CARGO_PKG_VERSION"),
        device: studio.served().device().to_string(),
        recipe_format: RECIPE_FORMAT,
        models: studio.served().models().iter().map(name).collect(),
        limits: LIMITS,
    })
}
