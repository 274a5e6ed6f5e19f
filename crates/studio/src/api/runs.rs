//! Runs: how far they are, what they were told, what they show.

use super::asking::File;
use crate::Studio;
use crate::http::{Failure, Told, limits};
use crate::served::{Run, inside};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use models::{NonFinite, RunKind, RunState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::SystemTime;
use train::stats;
use utoipa::{IntoParams, ToSchema};

/// How far a run is.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct RunStatus {
    id: String,
    /// Its folder, from the one that is served.
    name: String,
    kind: RunKind,
    /// Generations or steps that are done.
    generation: u64,
    /// Generations or steps in all.
    of: u64,
    pub(super) state: RunState,
    /// The checkpoint that stands for the run.
    pub(super) best: Option<Score>,
    /// Seconds of all generations or steps.
    seconds: f64,
    /// Why it ended, where that was a value that is not finite.
    pub(super) failed: Option<NonFinite>,
}

/// A checkpoint and its score: the distance of a generator's samples to the data, or a segmenter's mean IoU.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Score {
    generation: u64,
    score: Option<f64>,
}

/// A run with all that there is to see of it.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct RunDetails {
    #[serde(flatten)]
    pub(super) status: RunStatus,
    /// As in its `config.toml`.
    #[schema(value_type = Object)]
    settings: Value,
    #[serde(flatten)]
    pub(super) shown: Shown,
}

/// What a run shows.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Shown {
    /// Generations of which there are samples.
    samples: Vec<u64>,
    /// Whether there is a picture of the data.
    reals: bool,
    /// Whether there is a picture of what a segmenter says.
    preview: bool,
    checkpoints: Vec<Score>,
    dissections: Vec<super::reports::DissectionName>,
}

impl RunStatus {
    fn of(run: &Run) -> Result<Self, Failure> {
        Self::with(run, &run.folder().settings().unwrap_or_default())
    }

    fn with(run: &Run, settings: &Value) -> Result<Self, Failure> {
        let folder = run.folder();
        let (generation, seconds) = run.with_story(|story| Ok((story.newest(), story.seconds())))?;
        let of = folder.length(settings);
        Ok(Self {
            id: run.id().to_owned(),
            name: run.name().to_owned(),
            kind: folder.kind(),
            generation,
            of,
            state: folder.state(generation, of),
            best: folder.best().map(|best| Score { generation: best.generation, score: Some(best.score) }),
            seconds,
            failed: folder.failed(generation)?,
        })
    }
}

impl RunDetails {
    pub(super) fn of(studio: &Studio, run: &Run) -> Result<Self, Failure> {
        let folder = run.folder();
        let settings = folder.settings().unwrap_or_default();
        let status = RunStatus::with(run, &settings)?;
        let numbers = folder.checkpoints()?;
        let checkpoints = run.with_story(|story| {
            let score = |generation| Score { generation, score: story.of(generation).and_then(|told| told.score) };
            Ok(numbers.into_iter().map(score).collect())
        })?;
        let served = studio.served();
        let dissections = served.dissections_in(run);
        let shown = Shown {
            samples: folder.samples()?,
            reals: folder.reals_file().is_file(),
            preview: folder.preview_file().is_file(),
            checkpoints,
            dissections: dissections.iter().map(|lain| super::reports::DissectionName::of(served, lain)).collect(),
        };
        Ok(Self { status, settings, shown })
    }
}

/// All runs of the folder that is served, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/runs",
    responses((status = 200, body = [RunStatus]), (status = 404, body = Told, description = "the folder is gone"))
)]
pub(super) async fn runs(State(studio): State<Arc<Studio>>) -> Result<Json<Vec<RunStatus>>, Failure> {
    let listed = studio.looking(|studio| {
        look(studio)?;
        let mut runs = studio.served().runs();
        runs.retain(|run| run.folder().is_there());
        runs.sort_by_cached_key(|run| std::cmp::Reverse(changed(run)));
        // One whose files cannot be read does not hide the others.
        Ok(runs.iter().filter_map(|run| RunStatus::of(run).ok()).collect())
    });
    listed.await.map(Json)
}

/// Looks into the folder again; who asks hears that it is gone.
pub(super) fn look(studio: &Studio) -> Result<(), Failure> {
    studio.served().look().map_err(|error| Failure::from(error).with_status(axum::http::StatusCode::NOT_FOUND))
}

/// When something was last told of a run.
fn changed(run: &Run) -> Option<SystemTime> {
    let path = run.folder().path();
    let time = |name: &str| std::fs::metadata(path.join(name)).and_then(|file| file.modified()).ok();
    time(stats::FILE).or_else(|| time(train::run_folder::CONFIG))
}

/// A run with its settings and all that there is to see of it.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{run}",
    params(("run" = String, Path, description = "its id")),
    responses((status = 200, body = RunDetails), (status = 404, body = Told, description = "there is none, or its folder is gone"))
)]
pub(super) async fn run(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
) -> Result<Json<RunDetails>, Failure> {
    let details = studio.looking(move |studio| {
        let run = studio.run(&id)?;
        look(studio)?;
        RunDetails::of(studio, &run)
    });
    details.await.map(Json)
}

/// Which records are wanted.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub(super) struct After {
    /// Those after this generation or step.
    pub(super) from: u64,
}

/// The records of a run, as the lines of its `stats.jsonl`. Of more than the limit every so many-th is told, those that were judged, and
/// the last.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{run}/stats",
    params(("run" = String, Path, description = "its id"), After),
    responses((status = 200, body = [Object]), (status = 404, body = Told))
)]
pub(super) async fn stats(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Query(After { from }): Query<After>,
) -> Result<Response, Failure> {
    let lines = studio.looking(move |studio| {
        let run = studio.run(&id)?;
        Ok(run.with_story(|story| story.lines(&story.thinned(from, limits::RECORDS)))?)
    });
    let text = format!("[{}]", lines.await?.join(","));
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// Samples of a run after a generation.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{run}/samples/{file}",
    params(("run" = String, Path, description = "its id"), ("file" = String, Path, description = "the generation, with `.png`")),
    responses((status = 200, content_type = "image/png", body = [u8]), (status = 404, body = Told))
)]
pub(super) async fn samples(
    State(studio): State<Arc<Studio>>,
    Path((id, file)): Path<(String, String)>,
) -> Result<File, Failure> {
    let generation = file.strip_suffix(".png").and_then(|digits| digits.parse::<u64>().ok());
    let Some(generation) = generation else {
        return Err(Failure::none(format!("{file:?} is not the number of a generation with .png")));
    };
    picture(&studio, id, move |run| run.folder().samples_file(generation)).await
}

/// A picture of the data of a run.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{run}/reals.png",
    params(("run" = String, Path, description = "its id")),
    responses((status = 200, content_type = "image/png", body = [u8]), (status = 404, body = Told))
)]
pub(super) async fn reals(State(studio): State<Arc<Studio>>, Path(id): Path<String>) -> Result<File, Failure> {
    picture(&studio, id, |run| run.folder().reals_file()).await
}

/// A picture of what a segmenter says of some images.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{run}/preview.png",
    params(("run" = String, Path, description = "its id")),
    responses((status = 200, content_type = "image/png", body = [u8]), (status = 404, body = Told))
)]
pub(super) async fn preview(State(studio): State<Arc<Studio>>, Path(id): Path<String>) -> Result<File, Failure> {
    picture(&studio, id, |run| run.folder().preview_file()).await
}

/// A picture in a run's folder.
async fn picture(
    studio: &Arc<Studio>,
    id: String,
    file: impl FnOnce(&Run) -> std::path::PathBuf + Send + 'static,
) -> Result<File, Failure> {
    let read = move |studio: &Studio| {
        let run = studio.run(&id)?;
        png(run.folder().path(), &file(&run))
    };
    studio.looking(read).await
}

/// A picture that lies in a folder.
pub(super) fn png(folder: &FilePath, file: &FilePath) -> Result<File, Failure> {
    let missing = |error: base::Error| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        // Why is told without the places of other files.
        let known = matches!(error, base::Error::File { .. });
        Failure::none(if known { error.to_string() } else { format!("there is no {name}") })
    };
    inside::read(folder, file, limits::PICTURE).map(|bytes| File("image/png", bytes)).map_err(missing)
}
