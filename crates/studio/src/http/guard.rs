//! Every request passes here first: whose name it used, from which page it came, whether it knows the token; and every answer gets the
//! headers that keep a browser careful.

use super::limits::ANSWER;
use super::{Access, Failure};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// What a browser may load and do on behalf of the page: what comes from here, and pictures that the page made.
const POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Lets a request through, or answers it.
pub(crate) async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let answer = match check(&access, request.method(), request.uri().path(), request.headers()) {
        Ok(()) => match tokio::time::timeout(ANSWER, next.run(request)).await {
            Ok(answer) => answer,
            Err(_) => Failure::new(StatusCode::SERVICE_UNAVAILABLE, "this took too long").into_response(),
        },
        Err(failure) => failure.into_response(),
    };
    with_headers(answer)
}

fn check(access: &Access, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"));
    let Some(host) = text(header::HOST) else {
        return Err(Failure::wrong("the request names no host"));
    };
    // A page elsewhere may have made its own name point here.
    if headers.get_all(header::HOST).iter().count() > 1 || !access.knows(host) {
        return Err(Failure::new(StatusCode::MISDIRECTED_REQUEST, "this studio is not called by that name")
            .with_hint("Use the address that it printed when it started."));
    }
    if let Some(origin) = text(header::ORIGIN)
        && origin.strip_prefix("http://") != Some(host)
    {
        return Err(Failure::new(StatusCode::FORBIDDEN, "the request comes from another page"));
    }
    if !path.starts_with("/api/") {
        return match *method {
            Method::GET | Method::HEAD => Ok(()),
            _ => Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "the page can only be read")),
        };
    }
    let from = text(HeaderName::from_static("sec-fetch-site"));
    if from.is_some_and(|from| !["same-origin", "none"].contains(&from)) {
        return Err(Failure::new(StatusCode::FORBIDDEN, "the request comes from another page"));
    }
    let token = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    if !access.admits(token) {
        return Err(Failure::new(StatusCode::UNAUTHORIZED, "the token is missing or wrong")
            .with_hint("Open the address that the studio printed when it started: it holds the token."));
    }
    Ok(())
}

fn with_headers(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    let own_policy = headers.contains_key(header::CONTENT_SECURITY_POLICY);
    let always = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in always {
        if !(own_policy && name == header::CONTENT_SECURITY_POLICY) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}
