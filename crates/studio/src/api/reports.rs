//! Dissections by name, and their pages.

use super::asking::Client;
use crate::Studio;
use crate::http::{Failure, Told};
use crate::served::{Lain, Served};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What a browser may do on behalf of a report: show it and run its own script, without any way to the studio. The report says itself
/// which script is its own.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts";

/// A dissection by name.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct DissectionName {
    /// What requests for its report call it.
    id: String,
    /// Its folder.
    name: String,
    /// The model that opens with it.
    model: Option<String>,
    /// Whether there is a report of it.
    report: bool,
}

/// A report by name.
#[derive(Serialize, ToSchema)]
pub(super) struct ReportName {
    id: String,
    name: String,
}

impl DissectionName {
    pub(super) fn of(served: &Served, lain: &Lain) -> Self {
        // It is finished: a page can be made of it.
        Self {
            id: lain.id().to_owned(),
            name: lain.name(),
            model: served.model_with(lain),
            report: lain.folder().is_dir(),
        }
    }

    pub(super) fn report(&self) -> Option<ReportName> {
        self.report.then(|| ReportName { id: self.id.clone(), name: self.name.clone() })
    }
}

/// The page of a dissection: HTML that needs nothing else, and may do nothing but show itself.
#[utoipa::path(
    get,
    path = "/api/v1/reports/{report}",
    params(("report" = String, Path, description = "the id of a dissection with a report")),
    responses(
        (status = 200, content_type = "text/html", body = String),
        (status = 404, body = Told, description = "there is none, or its folder is gone"),
        (status = 429, body = Told, description = "too much at once"),
    )
)]
pub(super) async fn report(
    State(studio): State<Arc<Studio>>,
    client: Client,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let lain = studio.served().dissection(&id).ok_or_else(|| Failure::none(format!("there is no report {id:?}")))?;
    let own = studio.clone();
    let html = studio.queue.work(&client.0, move || {
        if !lain.folder().is_dir() {
            return Err(Failure::none(format!("the folder of the dissection {} is not there any more", lain.name())));
        }
        Ok(own.served().reports.of(lain.folder())?)
    });
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    Ok((headers, html.await?.to_string()).into_response())
}
