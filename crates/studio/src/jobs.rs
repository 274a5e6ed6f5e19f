//! Long work that was asked for: one at a time, watched from outside, ended when that is wanted.

use crate::http::{Failure, random_name};
use crate::served::Problem;
use axum::http::StatusCode;
use models::Watch;
use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// Jobs that are remembered.
const KEPT: usize = 32;
/// How long work whose result only who follows it can use goes on without anybody who does.
const ALONE: Duration = Duration::from_secs(15);

/// All jobs.
#[derive(Default)]
pub(crate) struct Jobs {
    all: Mutex<VecDeque<Arc<Job>>>,
    /// Only one computes.
    turn: Mutex<()>,
}

/// What kind of work a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    name: &'static str,
    /// Whether it leaves something that others can use: then it goes on when who asked for it has gone.
    stays: bool,
}

/// A dissection: its folder stays.
pub(crate) const DISSECTION: Kind = Kind { name: "dissection", stays: true };
/// A repaired model: its file stays.
pub(crate) const REPAIR: Kind = Kind { name: "repair", stays: true };
/// A photo brought into the generator: only the page that sent it knows it.
pub(crate) const INVERSION: Kind = Kind { name: "inversion", stays: false };

/// Long work.
pub(crate) struct Job {
    id: String,
    kind: Kind,
    cancelled: AtomicBool,
    followers: Mutex<Followers>,
    begun: Instant,
    now: Mutex<Now>,
}

/// Who follows a job.
#[derive(Default)]
struct Followers {
    there: usize,
    /// When the last one went.
    left: Option<Instant>,
}

/// Somebody who follows a job, until dropped.
pub(crate) struct Follower(pub(crate) Arc<Job>);

impl Drop for Follower {
    fn drop(&mut self) {
        let mut followers = self.0.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers.there -= 1;
        if followers.there == 0 {
            followers.left = Some(Instant::now());
        }
    }
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// Another one is at work.
    Waiting,
    /// It is at work.
    Running,
    /// It has ended as it was meant.
    Done,
    /// It could not be done.
    Failed,
    /// It was ended before.
    Cancelled,
}

#[derive(Clone)]
struct Now {
    state: State,
    stage: String,
    done: u64,
    of: u64,
    stage_begun: Instant,
    seconds: Option<f64>,
    error: Option<Problem>,
    result: Value,
}

/// What is told of a job.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct JobStatus {
    id: String,
    kind: &'static str,
    pub(crate) state: State,
    /// What it is at.
    stage: String,
    /// Steps of the stage that are done.
    done: u64,
    /// Steps of the stage.
    of: u64,
    /// Seconds since it was asked for.
    seconds: f64,
    /// Seconds until the stage ends, as far as can be said.
    left: Option<f64>,
    error: Option<Problem>,
    /// What came of it.
    result: Value,
}

impl JobStatus {
    pub(crate) fn is_over(&self) -> bool {
        !matches!(self.state, State::Waiting | State::Running)
    }
}

impl Jobs {
    /// Begins long work on a thread of its own. It gives what came of it, or nothing where it was ended.
    ///
    /// # Errors
    /// Another job of this kind is waiting or at work; or the system gives no random numbers or threads.
    pub(crate) fn begin(
        self: &Arc<Self>,
        kind: Kind,
        work: impl FnOnce(&mut dyn Watch) -> Result<Option<Value>, Failure> + Send + 'static,
    ) -> Result<JobStatus, Failure> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|job| job.kind == kind && !job.status().is_over()) {
            return Err(Failure::new(StatusCode::CONFLICT, format!("another {} is under way", kind.name))
                .with_hint("Wait until it is done, or cancel it."));
        }
        let begun = Instant::now();
        let now = Now {
            state: State::Waiting,
            stage: String::new(),
            done: 0,
            of: 0,
            stage_begun: begun,
            seconds: None,
            error: None,
            result: Value::Null,
        };
        let job = Arc::new(Job {
            id: new_id()?,
            kind,
            cancelled: AtomicBool::new(false),
            followers: Mutex::default(),
            begun,
            now: Mutex::new(now),
        });
        let (jobs, own) = (self.clone(), job.clone());
        let thread = std::thread::Builder::new().name(format!("studio {}", kind.name));
        let started = thread.spawn(move || {
            let _turn = jobs.turn.lock().unwrap_or_else(PoisonError::into_inner);
            own.change(|now| now.state = State::Running);
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                if own.is_cancelled() { Ok(None) } else { work(&mut Watching(own.clone())) }
            }));
            own.end(done.unwrap_or_else(|_| Err(Failure::wrong("the program has a fault: this work made it fail"))));
        });
        started.map_err(|e| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))?;
        all.push_front(job.clone());
        // Those that are under way are never forgotten: there are no more of them than kinds.
        while all.len() > KEPT && all.back().is_some_and(|job| job.status().is_over()) {
            all.pop_back();
        }
        Ok(job.status())
    }

    /// The job of this name.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Job>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|job| job.id == id).cloned()
    }
}

impl Job {
    /// Ends it at the next point where nothing is lost.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// From now on somebody follows it.
    pub(crate) fn follow(self: &Arc<Self>) -> Follower {
        self.followers.lock().unwrap_or_else(PoisonError::into_inner).there += 1;
        Follower(self.clone())
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || !self.kind.stays && self.is_left(ALONE)
    }

    /// Whether somebody followed it, and nobody has for so long.
    fn is_left(&self, long: Duration) -> bool {
        let followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers.there == 0 && followers.left.is_some_and(|left| left.elapsed() >= long)
    }

    /// Where it is.
    pub(crate) fn status(&self) -> JobStatus {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let gone = now.stage_begun.elapsed().as_secs_f64();
        let left = (now.state == State::Running && now.done > 0 && gone > 1.0)
            .then(|| gone / now.done as f64 * now.of.saturating_sub(now.done) as f64);
        JobStatus {
            id: self.id.clone(),
            kind: self.kind.name,
            state: now.state,
            stage: now.stage,
            done: now.done,
            of: now.of,
            seconds: now.seconds.unwrap_or_else(|| self.begun.elapsed().as_secs_f64()),
            left,
            error: now.error,
            result: now.result,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn end(&self, done: Result<Option<Value>, Failure>) {
        let seconds = Some(self.begun.elapsed().as_secs_f64());
        self.change(|now| {
            now.seconds = seconds;
            match done {
                Ok(Some(result)) => (now.state, now.result) = (State::Done, result),
                Ok(None) => now.state = State::Cancelled,
                Err(failure) => (now.state, now.error) = (State::Failed, Some(failure.into_problem())),
            }
        });
    }
}

/// Tells a job's work how to tell where it is.
struct Watching(Arc<Job>);

impl Watch for Watching {
    fn stage(&mut self, what: &'static str, steps: u64) {
        self.0.change(|now| {
            (now.stage, now.done, now.of, now.stage_begun) = (what.to_owned(), 0, steps, Instant::now());
        });
    }

    fn step(&mut self, steps: u64) {
        self.0.change(|now| now.done += steps);
    }

    fn stop(&self) -> bool {
        self.0.is_cancelled()
    }
}

fn new_id() -> Result<String, Failure> {
    random_name(16).map_err(|e| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    const WALK: Kind = Kind { name: "walk", stays: true };
    const OTHER: Kind = Kind { name: "other", stays: false };

    #[test]
    fn what_nobody_waits_for_any_more_is_left() {
        let jobs: Arc<Jobs> = Arc::default();
        let job = jobs.begin(OTHER, |_| Ok(None)).unwrap();
        let job = jobs.find(&job.id).unwrap();
        // Who never followed may ask later.
        assert!(!job.is_left(Duration::ZERO));
        let (first, second) = (job.follow(), job.follow());
        drop(first);
        assert!(!job.is_left(Duration::ZERO));
        drop(second);
        assert!(job.is_left(Duration::ZERO) && !job.is_left(ALONE));
        let third = job.follow();
        assert!(!job.is_left(Duration::ZERO));
        drop(third);
    }

    fn over(jobs: &Arc<Jobs>, id: &str) -> JobStatus {
        for _ in 0..500 {
            let status = jobs.find(id).unwrap().status();
            if status.is_over() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the job goes on and on");
    }

    #[test]
    fn a_job_is_watched_and_ended() {
        let jobs: Arc<Jobs> = Arc::default();
        let (go, wait) = channel::<()>();
        let job = jobs.begin(WALK, move |watch| {
            watch.stage("steps", 10);
            watch.step(4);
            wait.recv().unwrap();
            Ok(if watch.stop() { None } else { Some(Value::from(7)) })
        });
        let job = job.unwrap();
        assert!(jobs.begin(WALK, |_| Ok(None)).is_err(), "one of a kind");
        let second = jobs.begin(OTHER, |_| Err(Failure::wrong("broken"))).unwrap();
        assert_eq!(jobs.find(&second.id).unwrap().status().state, State::Waiting);
        while jobs.find(&job.id).unwrap().status().done < 4 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let status = jobs.find(&job.id).unwrap().status();
        assert_eq!((status.state, status.stage.as_str(), status.done, status.of), (State::Running, "steps", 4, 10));
        jobs.find(&job.id).unwrap().cancel();
        go.send(()).unwrap();
        assert_eq!(over(&jobs, &job.id).state, State::Cancelled);
        assert_eq!(over(&jobs, &second.id).error.unwrap().message, "broken");
        let third = jobs.begin(WALK, |_| Ok(Some(Value::from(8)))).unwrap();
        assert_eq!(over(&jobs, &third.id).result, Value::from(8));
        let fault = jobs.begin(WALK, |_| panic!("a fault")).unwrap();
        assert_eq!(over(&jobs, &fault.id).state, State::Failed);
        assert_eq!(over(&jobs, &jobs.begin(WALK, |_| Ok(Some(Value::Null))).unwrap().id).state, State::Done);
    }
}
