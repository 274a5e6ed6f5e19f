//! Work that computes waits in a queue that has an end. What a request asks for is computed on a thread that may block; the threads
//! that answer never do.

use super::Failure;
use super::limits::{QUEUE, QUEUE_OF_CLIENT};
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Requests that compute at the same time. Each shares its work out over all processors; a second one fills the gaps.
const AT_ONCE: usize = 2;

/// The queue.
pub(crate) struct Queue {
    turns: Arc<Semaphore>,
    waiting: Arc<Mutex<HashMap<String, usize>>>,
}

/// Somebody who waits, until dropped.
struct Waiting {
    client: String,
    all: Arc<Mutex<HashMap<String, usize>>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = all.get_mut(&self.client) {
            *own -= 1;
            if *own == 0 {
                all.remove(&self.client);
            }
        }
    }
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), waiting: Arc::default() }
    }

    /// Does some work when it is its turn. Who goes away while waiting loses the place.
    ///
    /// # Errors
    /// Too many wait already; or what the work gives.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        client: &str,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = match self.turns.clone().try_acquire_owned() {
            Ok(turn) => turn,
            Err(_) => {
                let _waiting = self.wait(client)?;
                let turn = self.turns.clone().acquire_owned().await;
                turn.map_err(|_| Failure::new(StatusCode::SERVICE_UNAVAILABLE, "the studio is closing"))?
            }
        };
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.unwrap_or_else(|_| Err(Failure::fault()))
    }

    fn wait(&self, client: &str) -> Result<Waiting, Failure> {
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, own) = (all.values().sum::<usize>(), all.get(client).copied().unwrap_or(0));
        if total >= QUEUE || own >= QUEUE_OF_CLIENT {
            return Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, "too much at once")
                .with_hint("Ask again when an answer has come."));
        }
        *all.entry(client.to_owned()).or_default() += 1;
        Ok(Waiting { client: client.to_owned(), all: self.waiting.clone() })
    }
}
