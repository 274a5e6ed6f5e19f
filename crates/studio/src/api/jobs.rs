//! Long work: begun, watched and ended.

use super::asking::{Body, Client};
use crate::Studio;
use crate::http::{Failure, Told};
use crate::jobs::{DISSECTION, Job, JobStatus};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use dissect::Settings;
use futures_util::Stream;
use futures_util::stream::unfold;
use models::Dissecting;
use serde::Deserialize;
use serde_json::json;
use std::convert::Infallible;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use train::run_folder;
use utoipa::ToSchema;

/// How often who watches a job hears of it.
const EVERY: Duration = Duration::from_millis(500);

/// How a model is to be dissected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DissectionAsked {
    /// Images to count; 2,000 if not given.
    samples: Option<u64>,
    /// What says what is where: a shipped name or a segmenter by its path; that of the model if not given.
    segmenter: Option<String>,
}

/// Begins to dissect a model, into a folder beside it. When that is done the model has the new dissection.
#[utoipa::path(
    post,
    path = "/api/v1/models/{model}/dissections",
    params(("model" = String, Path, description = "its id")),
    request_body = DissectionAsked,
    responses((status = 202, body = JobStatus), (status = 400, body = Told), (status = 404, body = Told), (status = 409, body = Told))
)]
pub(super) async fn dissect(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
    Body(asked): Body<DissectionAsked>,
) -> Result<(StatusCode, Json<JobStatus>), Failure> {
    // What cannot be done is said at once.
    studio.with_model(&client, &id, |_| Ok(())).await?;
    let own = studio.clone();
    let work = move |watch: &mut dyn models::Watch| {
        let open = own.opened(&id)?;
        let entry = own.entry(&id)?;
        let device = own.served().device();
        let shipped =
            asked.segmenter.as_deref().filter(|name| shipped::by_name(name, shipped::Kind::Segmenter).is_some());
        let opened = shipped.map(|name| models::open_segmenter(name, device)).transpose()?;
        let (segmenter, name) = match (&opened, open.painter.segmenter(), &asked.segmenter) {
            (Some(segmenter), ..) => (segmenter, shipped.unwrap_or_default().to_owned()),
            (None, Some(segmenter), None) => (segmenter, open.segmenter.clone().unwrap_or_default()),
            (None, _, Some(name)) => {
                return Err(Failure::wrong(format!("there is no shipped segmenter {name:?}"))
                    .with_hint("Give another one with `segmenter` when the studio is started."));
            }
            (None, None, None) => {
                return Err(Failure::wrong("there is no segmenter that says what is where in these pictures")
                    .with_hint("Start the studio with one: `segmenter`."));
            }
        };
        let settings = Settings { samples: asked.samples.unwrap_or(2000), ..Settings::default() };
        let subject = open.painter.generator().subject(&[])?;
        let model = open.painter.generator().path().display().to_string();
        let task = Dissecting::new((subject, &model), (segmenter, &name), settings)?;
        task.check()?;
        let folder = free_folder(&entry.path());
        let done = task.run(&folder, watch)?;
        if done.is_some() {
            entry.set_dissection(&folder);
        }
        Ok(done.map(|_| json!({ "dissection": folder.display().to_string() })))
    };
    Ok((StatusCode::ACCEPTED, Json(studio.jobs.begin(DISSECTION, work)?)))
}

/// A folder for a dissection: in the folder of a run, beside a file or a checkpoint, in the current folder for a shipped model.
fn free_folder(model: &FilePath) -> PathBuf {
    let name = |n: usize| if n == 1 { "dissection".to_owned() } else { format!("dissection-{n}") };
    let place = |n: usize| {
        if run_folder::is_run(model) {
            return model.join(name(n));
        }
        let stem = model.file_stem().map_or_else(|| "model".into(), |stem| stem.to_string_lossy().into_owned());
        let beside = model.parent().filter(|_| model.exists()).unwrap_or(FilePath::new(""));
        beside.join(format!("{stem}-{}", name(n)))
    };
    (1..=10_000).map(place).find(|folder| !folder.exists()).unwrap_or_else(|| place(1))
}

fn find(studio: &Studio, id: &str) -> Result<Arc<Job>, Failure> {
    studio.jobs.find(id).ok_or_else(|| Failure::none(format!("there is no job {id:?}")))
}

/// Where a job is.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{job}",
    params(("job" = String, Path, description = "its id")),
    responses((status = 200, body = JobStatus), (status = 404, body = Told))
)]
pub(super) async fn job(State(studio): State<Arc<Studio>>, Path(id): Path<String>) -> Result<Json<JobStatus>, Failure> {
    Ok(Json(find(&studio, &id)?.status()))
}

/// Ends a job at the next point where nothing is lost.
#[utoipa::path(
    delete,
    path = "/api/v1/jobs/{job}",
    params(("job" = String, Path, description = "its id")),
    responses((status = 200, body = JobStatus), (status = 404, body = Told))
)]
pub(super) async fn cancel(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
) -> Result<Json<JobStatus>, Failure> {
    let job = find(&studio, &id)?;
    job.cancel();
    Ok(Json(job.status()))
}

/// Where a job is, again and again, as server-sent events until it ends.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{job}/events",
    params(("job" = String, Path, description = "its id")),
    responses((status = 200, content_type = "text/event-stream", body = JobStatus), (status = 404, body = Told))
)]
pub(super) async fn events(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let begun = (find(&studio, &id)?.follow(), true, false);
    let told = unfold(begun, |(follower, first, over)| async move {
        if over {
            return None;
        }
        if !first {
            tokio::time::sleep(EVERY).await;
        }
        let status = follower.0.status();
        let over = status.is_over();
        let event = Event::default().json_data(&status).unwrap_or_default();
        Some((Ok(event), (follower, false, over)))
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::default()))
}
