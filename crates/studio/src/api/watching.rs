//! A run that is watched while it goes on.

use super::asking::gone;
use super::runs::{After, RunDetails, look};
use crate::Studio;
use crate::http::{Failure, Told, limits};
use crate::served::Run;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// How often who watches hears of new records.
const EVERY: Duration = Duration::from_millis(500);

/// Somebody who watches a run.
struct Watcher {
    studio: Arc<Studio>,
    run: Arc<Run>,
    /// The last generation or step that was told.
    told: u64,
    /// Which edition of the story it was.
    edition: Option<u64>,
    /// What was told of the run itself.
    shown: Option<RunDetails>,
    waiting: VecDeque<Event>,
    over: bool,
    _place: OwnedSemaphorePermit,
}

/// New records of a run as they come, as server-sent events: `data` is an array of records, an event `run` is the run itself, told at the
/// beginning and whenever more than its records has changed, and `gone` is the last one, where its folder has vanished. Where a run has
/// gone back to a checkpoint, generations are told a second time: the later record stands.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{run}/events",
    params(("run" = String, Path, description = "its id"), After),
    responses(
        (status = 200, content_type = "text/event-stream", body = [Object]),
        (status = 404, body = Told),
        (status = 429, body = Told, description = "too many are watching"),
    )
)]
pub(super) async fn events(
    State(studio): State<Arc<Studio>>,
    Path(id): Path<String>,
    Query(After { from }): Query<After>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let run = studio.looking(move |studio| studio.run(&id)).await?;
    let Ok(place) = studio.watchers.clone().try_acquire_owned() else {
        let message = format!("{} watch runs already", limits::WATCHED);
        return Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, message).with_hint("Close some pages."));
    };
    let (shown, waiting) = (None, VecDeque::new());
    let watcher = Watcher { studio, run, told: from, edition: None, shown, waiting, over: false, _place: place };
    let told = unfold(watcher, |mut watcher| async move {
        let mut first = watcher.shown.is_none();
        loop {
            if let Some(event) = watcher.waiting.pop_front() {
                return Some((Ok(event), watcher));
            }
            if watcher.over {
                return None;
            }
            if !first {
                tokio::time::sleep(EVERY).await;
            }
            first = false;
            // Files may be slow: whoever answers others does not wait for them.
            watcher = tokio::task::spawn_blocking(move || watcher.look()).await.ok()?;
        }
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::default()))
}

impl Watcher {
    /// Looks at the run again, and notes what there is to tell.
    fn look(mut self) -> Self {
        if let Err(failure) = self.try_look() {
            let over = !self.run.folder().is_there();
            // A file that cannot be read just now may be read the next time.
            if over {
                self.waiting.extend(event("gone", &failure.into_problem()));
                self.over = true;
            }
        }
        self
    }

    fn try_look(&mut self) -> Result<(), Failure> {
        if !self.run.folder().is_there() {
            return Err(gone(&self.run));
        }
        // A folder that is gone altogether is told by the run's.
        drop(look(&self.studio));
        let details = RunDetails::of(&self.studio, &self.run)?;
        if self.shown.as_ref().is_none_or(|before| is_new(before, &details)) {
            self.waiting.extend(event("run", &details));
        }
        self.shown = Some(details);
        let (told, edition) = (self.told, self.edition);
        let (lines, newest, edition) = self.run.with_story(|story| {
            // It may have gone back to a checkpoint, more than once.
            let from = match story.edition() - edition.unwrap_or(story.edition()) {
                0 => told,
                1 => told.min(story.same_until()),
                _ => 0,
            };
            let wanted = story.thinned(from, limits::RECORDS_OF_EVENT);
            Ok((story.lines(&wanted)?, story.newest(), story.edition()))
        })?;
        (self.told, self.edition) = (newest, Some(edition));
        if !lines.is_empty() {
            // Between the parts of a line there may be returns, which events must not hold.
            self.waiting.push_back(Event::default().data(format!("[{}]", lines.join(",")).replace('\r', " ")));
        }
        Ok(())
    }
}

/// Whether more than the records has changed.
fn is_new(before: &RunDetails, now: &RunDetails) -> bool {
    let parts = |run: &RunDetails| (run.status.state, run.status.best.clone(), run.status.failed.clone());
    before.shown != now.shown || parts(before) != parts(now)
}

fn event(name: &str, told: &impl serde::Serialize) -> Option<Event> {
    Event::default().event(name).json_data(told).ok()
}
