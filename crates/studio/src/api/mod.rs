//! What can be asked, a file for each kind of question. Paths, parameters and forms are described beside the code that answers;
//! `openapi.json` is made of these descriptions.

mod asking;
mod concepts;
mod inversions;
mod jobs;
mod look;
mod models;
mod pictures;
mod repair;
mod reports;
mod runs;
mod studio;
mod units;
mod watching;

use crate::Studio;
use crate::http::{self, Access, Failure};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(OpenApi)]
#[openapi(info(
    title = "ganatomy studio",
    description = "Pictures of generators, with their units switched off, forced and painted with. A request says all that is to be \
                   done: equal requests get equal bytes."
))]
struct Described;

fn routes() -> OpenApiRouter<Arc<Studio>> {
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(studio::studio))
        .routes(routes!(models::model))
        .routes(routes!(concepts::concepts, concepts::own_concept))
        .routes(routes!(concepts::icon))
        .routes(routes!(units::units))
        .routes(routes!(units::rankings))
        .routes(routes!(units::picture))
        .routes(routes!(pictures::render))
        .routes(routes!(pictures::sheet))
        .routes(routes!(look::activations))
        .routes(routes!(look::segmentation))
        .routes(routes!(look::effects))
        .routes(routes!(inversions::invert))
        .routes(routes!(jobs::dissect))
        .routes(routes!(jobs::job, jobs::cancel))
        .routes(routes!(jobs::events))
        .routes(routes!(runs::runs))
        .routes(routes!(runs::run))
        .routes(routes!(runs::stats))
        .routes(routes!(watching::events))
        .routes(routes!(runs::samples))
        .routes(routes!(runs::reals))
        .routes(routes!(runs::preview))
        .routes(routes!(reports::report))
        .routes(routes!(repair::repair))
        .routes(routes!(repair::picture))
        .routes(routes!(repair::decide))
        .routes(routes!(repair::take_out))
}

/// All that the studio answers.
pub(crate) fn router(studio: Arc<Studio>, access: Arc<Access>) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .route("/", get(http::page))
        .route("/{*path}", get(http::page))
        .route("/api/{*path}", axum::routing::any(|| async { Failure::none("there is no such question") }))
        .layer(from_fn_with_state(access, http::guard))
        .with_state(studio)
}

/// The description of the interface, as JSON.
///
/// # Errors
/// It cannot be written.
pub fn openapi() -> serde_json::Result<String> {
    Ok(routes().split_for_parts().1.to_pretty_json()? + "\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_description_that_is_kept_is_that_of_the_code() {
        let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
        let now = super::openapi().unwrap();
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(&kept, &now).unwrap();
        }
        let text = std::fs::read_to_string(&kept).unwrap_or_default();
        assert!(text == now, "openapi.json is stale: run this test with UPDATE_OPENAPI=1, and see what has changed");
    }
}
