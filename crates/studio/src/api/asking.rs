//! What requests have in common: who asks, about which model, and what a body holds.

use crate::Studio;
use crate::http::{Failure, limits};
use crate::served::{Entry, Open, Run};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dissect::Recipe;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::sync::Arc;

/// Who asks, as far as it says: the tab of a page.
pub(super) struct Client(pub(super) String);

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let name = parts.headers.get("x-client").and_then(|value| value.to_str().ok()).unwrap_or("");
        Ok(Self(name.chars().take(64).collect()))
    }
}

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let bytes = body(request, &["application/json"], limits::BODY).await?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|e| Failure::wrong(format!("the body is not what is asked for: {e}")))
    }
}

/// The bytes of a body of one of some kinds, up to a limit.
pub(super) async fn body(request: Request, kinds: &[&str], limit: usize) -> Result<Bytes, Failure> {
    check_kind(request.headers(), kinds)?;
    let too_large = || Failure::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {limit} bytes"));
    let said =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    // A body that ends too early ends the connection as well: nobody hears the answer.
    axum::body::to_bytes(request.into_body(), limit).await.map_err(|_| too_large())
}

fn check_kind(headers: &HeaderMap, kinds: &[&str]) -> Result<(), Failure> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let plain = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if kinds.contains(&plain.as_str()) {
        return Ok(());
    }
    let message = format!("the body is of the kind {plain:?}; it must be {}", kinds.join(" or "));
    Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).with_hint("Say which it is in Content-Type."))
}

/// A recipe in the body of a request. Its messages say which edit is wrong.
pub(super) struct Sent(pub(super) Recipe);

impl<'de> serde::Deserialize<'de> for Sent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Recipe::of_json(value).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Studio {
    /// The model that requests call so.
    pub(super) fn entry(&self, id: &str) -> Result<Arc<Entry>, Failure> {
        self.served().model(id).ok_or_else(|| Failure::none(format!("there is no model {id:?}")))
    }

    /// The run that requests call so, if its folder is still there.
    pub(super) fn run(&self, id: &str) -> Result<Arc<Run>, Failure> {
        let run = self.served().run(id).ok_or_else(|| Failure::none(format!("there is no run {id:?}")))?;
        if run.folder().is_there() { Ok(run) } else { Err(gone(&run)) }
    }

    /// Looks into files, on a thread that may wait for them. Nothing is computed, so there is no queue.
    pub(super) async fn looking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let studio = self.clone();
        tokio::task::spawn_blocking(move || work(&studio)).await.unwrap_or_else(|_| Err(Failure::fault()))
    }

    /// Does something with a model when it is its turn.
    pub(super) async fn with_model<T: Send + 'static>(
        self: &Arc<Self>,
        client: &Client,
        id: &str,
        work: impl FnOnce(&Open) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.entry(id)?;
        let (studio, id) = (self.clone(), id.to_owned());
        self.queue.work(&client.0, move || work(&*studio.opened(&id)?)).await
    }

    /// The model that requests call so, open.
    pub(super) fn opened(&self, id: &str) -> Result<Arc<Open>, Failure> {
        let gone = |error: net::Error| {
            // It was there when the studio began.
            Failure::from(error).with_status(StatusCode::CONFLICT)
        };
        self.served().open(&*self.entry(id)?).map_err(gone)
    }
}

/// What is said of a run whose folder has vanished.
pub(super) fn gone(run: &Run) -> Failure {
    Failure::none(format!("the folder of the run {} is not there any more", run.name()))
}

impl Open {
    /// A recipe of the right size for this model and made for it.
    pub(super) fn check(&self, recipe: &Recipe) -> Result<(), Failure> {
        let [_, height, width] = self.painter.generator().image_shape()?;
        let units = self.painter.layers().iter().map(|layer| layer.units).max().unwrap_or(0);
        limits::check(recipe, [height, width], units).map_err(Failure::wrong)?;
        match &recipe.model {
            Some(origin) if origin.blake3 != self.blake3 => {
                let message = format!("the recipe was made for another generator ({})", origin.name);
                Err(Failure::new(StatusCode::CONFLICT, message).with_hint(
                    "Open that one, or take \"model\" out of the recipe: its units may stand for other things here.",
                ))
            }
            _ => Ok(()),
        }
    }
}

/// Bytes of a kind.
pub(super) struct File(pub(super) &'static str, pub(super) Vec<u8>);

impl IntoResponse for File {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, self.0)], self.1).into_response()
    }
}
