//! The listener: how many connections there may be, and how long one may take to say what it wants.

use super::limits::{CONNECTIONS, HEAD};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt;

/// The longest head of a request, in bytes.
const HEAD_BYTES: usize = 64 << 10;

/// Answers requests until `until` comes.
///
/// # Errors
/// The listener fails.
pub(crate) async fn listen(
    listener: TcpListener,
    router: Router,
    until: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::pin!(until);
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place.map_err(std::io::Error::other)?,
            () = &mut until => return Ok(()),
        };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Too many open files, or a peer that went away meanwhile: the next one may do.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut until => return Ok(()),
        };
        let router = router.clone();
        tokio::spawn(async move {
            let _place = place;
            // Small answers are wanted at once.
            drop(stream.set_nodelay(true));
            let answer = hyper::service::service_fn(move |request: Request<Incoming>| {
                let router = router.clone();
                async move {
                    Ok::<_, Infallible>(router.oneshot(request.map(Body::new)).await.unwrap_or_else(|e| match e {}))
                }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(HEAD_BYTES)
                .serve_connection(TokioIo::new(stream), answer);
            // A peer that goes away is no fault of ours.
            drop(connection.await);
        });
    }
}
