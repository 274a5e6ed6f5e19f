//! The studio: a web server and its page, to paint with a generator's units, look inside, and watch runs.
//!
//! A [`Studio`] serves what a folder or a name means ([`Studio::open`]). It computes by [`models::Painter`]: a request says all that is to
//! be done, so no request disturbs another. `http` says who may ask and how much, `served` what there is, `api` what can be asked,
//! and `page/` is the page, which is part of the program.

mod api;
mod http;
mod jobs;
mod served;

pub use api::openapi;
pub use http::{Access, serve};
pub use served::{Asked, Served};

use http::limits;
use http::queue::Queue;
use jobs::Jobs;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// All that requests share. None of it is what a request changes for another.
pub struct Studio {
    served: Served,
    queue: Queue,
    jobs: Arc<Jobs>,
    /// Whoever watches a run takes one.
    watchers: Arc<Semaphore>,
}

impl Studio {
    /// Looks at what is to be served. Models are opened when they are first asked for.
    ///
    /// # Errors
    /// As [`Served::find`].
    pub fn open(asked: Asked, device: &net::Device) -> net::Result<Self> {
        Ok(Self {
            served: Served::find(asked, device)?,
            queue: Queue::new(),
            jobs: Arc::default(),
            watchers: Arc::new(Semaphore::new(limits::WATCHED)),
        })
    }

    /// What is served.
    pub fn served(&self) -> &Served {
        &self.served
    }
}
