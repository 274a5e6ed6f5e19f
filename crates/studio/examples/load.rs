//! Loads a studio as a person who paints does, and measures what that person waits for.
//!
//!     cargo build --release
//!     cargo run --release -p ganatomy-studio --example load -- target/release/ganatomy
//!
//! A process of the program is started for the shipped generator, then for one of 128 pixels of the same width (with weights that mean
//! nothing: time does not depend on them). Measured are the first page after a cold start, the time from the end of a stroke to the
//! bytes of the new picture, the same while others ask as well and while slow clients hold their connections, and the process's memory
//! over ten thousand pictures.

#![expect(clippy::print_stdout, reason = "an example says what it measures")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot be done ends")]

use net::zoo::{DcganGenerator, GeneratorStart, Norm, dcgan_generator};
use net::{Device, Network, Storage};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Strokes that are measured.
const STROKES: usize = 400;
/// Pictures over which memory is watched.
const RENDERS: usize = 10_000;

fn main() {
    let program = std::env::args().nth(1).expect("the program to measure: target/release/ganatomy");
    let folder = tempfile::tempdir().unwrap();
    measure(&program, None, "scenes", 64, true);
    let large = folder.path().join("large.safetensors");
    write_large(&large);
    measure(&program, Some(&large), "large", 128, false);
}

/// A generator of 128x128 pixels, as wide as the shipped one.
fn write_large(path: &Path) {
    let graph = dcgan_generator(DcganGenerator {
        size: [128; 2],
        channels: 3,
        latent: 64,
        width: 24,
        norm: Norm::Batch,
        start: GeneratorStart::Deconvolution,
        extra: true,
    });
    let network = Network::initial(graph, 1, "weights", &Device::cpu());
    std::fs::write(path, network.to_bytes(Storage::F32).unwrap()).unwrap();
}

fn measure(program: &str, model: Option<&Path>, id: &str, side: usize, long: bool) {
    let began = Instant::now();
    let mut studio = Running::start(program, model);
    let mut client = Client::connect(&studio.address);
    client.get("/");
    println!("{id}, {side} pixels: first page {:.0} ms after the start", milliseconds(began));
    client.get("/api/v1/studio");
    client.get(&format!("/api/v1/models/{id}"));
    println!("  model known {:.0} ms after the start", milliseconds(began));
    let path = format!("/api/v1/models/{id}/render");
    client.post(&path, &recipe(7, side, 0));
    println!("  first picture {:.0} ms after the start", milliseconds(began));

    // A person paints: each stroke is a new request, on a picture that is known.
    let alone = times(STROKES, |stroke| drop(client.post(&path, &recipe(7, side, stroke))));
    tell("end of stroke to picture", &alone);
    let seeds = times(100, |stroke| drop(client.post(&path, &recipe(1000 + stroke as u64, side, stroke))));
    tell("the same on pictures that are new", &seeds);
    if long {
        let effects = format!("/api/v1/models/{id}/effects");
        let counted = times(100, |stroke| {
            let recipe = recipe(7, side, stroke);
            client.post(&path, &recipe);
            drop(client.post(&effects, &json!({ "recipe": recipe, "stroke": 2 })));
        });
        tell("end of stroke to picture and result", &counted);
    }

    // Three more paint, and twenty are so slow that they never end.
    let stop = AtomicBool::new(false);
    let slow: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(&studio.address).unwrap();
            write!(
                stream,
                "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{{",
                studio.address
            )
            .unwrap();
            stream
        })
        .collect();
    let beside = times(STROKES / 2, |stroke| drop(client.post(&path, &recipe(7, side, stroke))));
    tell("the same beside 20 clients that never end their request", &beside);
    drop(slow);
    thread::scope(|scope| {
        for other in 0..3u64 {
            let (address, path, stop) = (&studio.address, &path, &stop);
            scope.spawn(move || {
                let mut client = Client::connect(address);
                for stroke in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    client.post(path, &recipe(20 + other, side, stroke));
                }
            });
        }
        let beside = times(STROKES / 2, |stroke| drop(client.post(&path, &recipe(7, side, stroke))));
        stop.store(true, Ordering::Relaxed);
        tell("the same beside 3 others who paint without a pause", &beside);
    });

    if long {
        let mut sizes = Vec::new();
        let began = Instant::now();
        for turn in 0..RENDERS {
            client.post(&path, &recipe(turn as u64 % 500, side, turn));
            if turn % (RENDERS / 10) == RENDERS / 20 {
                sizes.extend(studio.memory());
            }
        }
        let sizes: Vec<String> = sizes.iter().map(|size| format!("{:.0}", size / 1024.0)).collect();
        println!("  memory over {RENDERS} pictures of 500 seeds, MB: {}", sizes.join(" "));
        println!("  {:.0} pictures a second", RENDERS as f64 / began.elapsed().as_secs_f64());
    }
    studio.end();
}

/// A picture with three strokes, the last of which is another one each time.
fn recipe(seed: u64, side: usize, stroke: usize) -> Value {
    let painted = |left: usize, top: usize, size: usize| {
        let mut runs = vec![top * side + left, size];
        (1..size).for_each(|_| runs.extend([side - size, size]));
        json!({ "painted": { "size": [side, side], "runs": runs } })
    };
    let units: Vec<usize> = (0..20).collect();
    let edit = |layer: &str, place: Value| json!({ "layer": layer, "units": units, "value": { "number": 2.0 }, "place": place });
    let (left, top) = (stroke * 7 % (side / 2), stroke * 11 % (side / 2));
    json!({ "format": 2, "latent": { "seed": seed }, "edits": [
        edit("1b", painted(4, 4, side / 4)), edit("2", painted(side / 2, side / 2, side / 5)), edit("2", painted(left, top, side / 4)),
    ] })
}

fn times(n: usize, mut work: impl FnMut(usize)) -> Vec<f64> {
    let mut times: Vec<f64> = (0..n)
        .map(|turn| {
            let began = Instant::now();
            work(turn);
            milliseconds(began)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

fn tell(what: &str, times: &[f64]) {
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "  {what}: median {:.1} ms, p95 {:.1} ms, longest {:.1} ms ({} requests)",
        at(0.5),
        at(0.95),
        at(1.0),
        times.len()
    );
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// The program at work.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(program: &str, model: Option<&Path>) -> Self {
        let mut command = Command::new(program);
        command.arg("studio").args(model).args(["--port", "0", "--quiet"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let address = url.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { child, address }
    }

    /// Kilobytes that the process has in memory, where the system tells.
    fn memory(&self) -> Option<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().trim_end_matches(" kB").parse().ok())
    }

    fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A connection that stays open, as a browser's does.
struct Client {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Client {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        Self { stream: BufReader::new(stream), host: address.to_owned() }
    }

    fn get(&mut self, path: &str) -> Vec<u8> {
        self.ask("GET", path, "", b"")
    }

    fn post(&mut self, path: &str, body: &Value) -> Vec<u8> {
        self.ask("POST", path, "Content-Type: application/json\r\n", body.to_string().as_bytes())
    }

    fn ask(&mut self, method: &str, path: &str, more: &str, body: &[u8]) -> Vec<u8> {
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{more}Content-Length: {}\r\n\r\n", self.host, body.len());
        self.stream.get_mut().write_all(&[head.as_bytes(), body].concat()).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        self.stream.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{method} {path}: {line}");
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        body
    }
}
