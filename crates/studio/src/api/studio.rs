//! What this studio serves.

use crate::Studio;
use crate::http::Failure;
use crate::http::limits::{LIMITS, Limits};
use crate::served::Entry;
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
    /// Whether there are runs to watch.
    runs: bool,
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
pub(super) async fn studio(State(studio): State<Arc<Studio>>) -> Result<Json<StudioStatus>, Failure> {
    studio.looking(|studio| Ok(status(studio))).await.map(Json)
}

fn status(studio: &Studio) -> StudioStatus {
    let served = studio.served();
    // A folder that is gone has nothing new; what is open stays.
    drop(served.look());
    let name = |entry: &Arc<Entry>| ModelName {
        id: entry.id.clone(),
        name: entry.name(),
        path: entry.path().display().to_string(),
    };
    StudioStatus {
        version: env!("CARGO_PKG_VERSION"),
        device: served.device().to_string(),
        recipe_format: RECIPE_FORMAT,
        models: served.models().iter().map(name).collect(),
        runs: served.has_runs(),
        limits: LIMITS,
    }
}
