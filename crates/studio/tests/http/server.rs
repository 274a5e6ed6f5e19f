//! A real studio on a free port, and requests over a socket, as hostile as they like.

use ganatomy_studio::{Access, Asked, Studio, serve};
use net::Device;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// A studio that answers until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<String>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Server {
    /// Of the shipped generator.
    pub(crate) fn start() -> Self {
        Self::of(Asked::default())
    }

    /// Of a folder or file.
    pub(crate) fn on(path: &Path) -> Self {
        Self::of(Asked { what: Some(path.to_owned()), ..Asked::default() })
    }

    pub(crate) fn of(asked: Asked) -> Self {
        Self::with(asked, Access::new("127.0.0.1".parse().unwrap(), 0).unwrap())
    }

    pub(crate) fn with(asked: Asked, access: Access) -> Self {
        let studio = Arc::new(Studio::open(asked, &Device::cpu()).unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let (own, (tell, told)) = (stop.clone(), mpsc::channel());
        let thread = std::thread::spawn(move || {
            serve(studio, access, |url| tell.send(url.to_owned()).unwrap(), move || own.load(Ordering::Relaxed))
                .unwrap();
        });
        let url = told.recv_timeout(Duration::from_secs(10)).unwrap();
        let (address, token) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let token = token.strip_prefix("#token=").map(str::to_owned);
        Self { address: address.parse().unwrap(), token, stop, thread: Some(thread) }
    }

    /// The head of a request as browsers of this machine send it.
    pub(crate) fn head(&self, method: &str, path: &str, more: &str) -> String {
        format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}", self.address)
    }

    /// Sends bytes as they are, and reads until the other side closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Option<Answer> {
        exchange(self.address, bytes, false)
    }

    /// As [`Server::raw`], from somebody who says that nothing more will come.
    #[allow(dead_code, reason = "the hostile ones use it")]
    pub(crate) fn hang_up(&self, bytes: &[u8]) -> Option<Answer> {
        exchange(self.address, bytes, true)
    }

    /// As [`Server::post`], by a client that says who it is.
    pub(crate) fn post_as(&self, client: &str, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let more = format!(
            "X-Client: {client}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.raw(self.head("POST", path, &more).as_bytes()).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.raw(format!("{}\r\n", self.head("GET", path, "")).as_bytes()).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, "application/json", body.to_string().as_bytes())
    }

    pub(crate) fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
        let more = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
        self.raw(&[self.head(method, path, &more).as_bytes(), body].concat()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}

impl Answer {
    fn parse(all: &[u8]) -> Option<Self> {
        let end = all.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&all[..end]);
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: Vec<(String, String)> = lines.filter_map(header).collect();
        let mut body = all[end + 4..].to_vec();
        if headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked") {
            body = unchunked(&body);
        }
        Some(Self { status, headers, body })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// What went wrong, as it is told.
    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(line) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(String::from_utf8_lossy(&rest[..line]).trim(), 16).unwrap_or(0);
        let (from, to) = (line + 2, (line + 2 + size).min(rest.len()));
        body.extend_from_slice(&rest[from.min(to)..to]);
        if size == 0 || to + 2 > rest.len() {
            break;
        }
        rest = &rest[to + 2..];
    }
    body
}

/// Sends bytes to an address, says that this was all if it was, and reads until the other side closes.
fn exchange(address: SocketAddr, bytes: &[u8], all: bool) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    // Who is refused early may not be read to the end.
    drop(stream.write_all(bytes));
    if all {
        drop(stream.shutdown(std::net::Shutdown::Write));
    }
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    Answer::parse(&answer)
}
