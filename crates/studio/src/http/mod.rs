//! Who may ask, for how much, and how answers go out.

mod access;
mod asset;
mod failure;
mod guard;
pub(crate) mod limits;
mod listen;
pub(crate) mod queue;

pub use access::Access;
pub(crate) use access::random_name;
pub(crate) use asset::page;
pub(crate) use failure::{Failure, Told};
pub(crate) use guard::guard;

use crate::Studio;
use crate::api;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How often the studio looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

/// Serves until `stop` says so. `ready` gets the address to open, as soon as it can be opened.
///
/// # Errors
/// The address cannot be listened on: its port is in use, or it is not one of this machine.
pub fn serve(
    studio: Arc<Studio>,
    access: Access,
    ready: impl FnOnce(&str),
    stop: impl Fn() -> bool + Send + 'static,
) -> base::Result<()> {
    let address = SocketAddr::new(access.host, access.port);
    let failed = |reason: String| base::Error::setting("address", format!("{address}: {reason}"));
    // Computing has threads of its own; these only read, wait and write.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| failed(e.to_string()))?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.map_err(|e| match e.kind() {
            std::io::ErrorKind::AddrInUse => failed("is in use by another program".into())
                .with_hint("Choose another one with `port`; 0 takes any that is free."),
            std::io::ErrorKind::AddrNotAvailable => failed("is no address of this machine".into())
                .with_hint("Choose one of this machine with `host`; 0.0.0.0 is all of them."),
            _ => failed(e.to_string()),
        })?;
        let local = listener.local_addr().map_err(|e| failed(e.to_string()))?;
        let token = access.token.as_ref().map_or_else(String::new, |token| format!("#token={token}"));
        ready(&format!("http://{}/{token}", shown(local)));
        let router = api::router(studio, Arc::new(access));
        let until = async {
            while !stop() {
                tokio::time::sleep(LOOK).await;
            }
        };
        listen::listen(listener, router, until).await.map_err(|e| failed(e.to_string()))
    })?;
    // What still computes is not waited for: nothing of it is kept.
    runtime.shutdown_background();
    Ok(())
}

/// An address that a browser can open: one that means all of a machine's is not.
fn shown(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
