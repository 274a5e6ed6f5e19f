//! What went wrong, as an answer.

use crate::served::Problem;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A request that could not be answered as it was meant.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    told: Problem,
}

/// The body of an answer that says what went wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Told {
    error: Problem,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, told: Problem { message: message.into(), hint: None } }
    }

    /// What was sent is wrong.
    pub(crate) fn wrong(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// There is no such thing.
    pub(crate) fn none(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The program has a fault.
    pub(crate) fn fault() -> Self {
        let message = "the program has a fault: this request made it fail. Nothing else was lost";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.told.hint = Some(hint.into());
        self
    }

    pub(crate) fn into_problem(self) -> Problem {
        self.told
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

/// What the libraries refuse is what was sent, unless a handler knows better.
impl From<net::Error> for Failure {
    fn from(error: net::Error) -> Self {
        let told = Problem { message: error.to_string(), hint: error.hint() };
        Self { status: StatusCode::BAD_REQUEST, told }
    }
}

impl From<base::Error> for Failure {
    fn from(error: base::Error) -> Self {
        net::Error::from(error).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let busy = self.status == StatusCode::TOO_MANY_REQUESTS;
        let mut response = (self.status, Json(Told { error: self.told })).into_response();
        if busy {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
