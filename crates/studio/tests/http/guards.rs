//! Who may not ask, and who asks for too much: a test for each limit.

use crate::server::{Answer, Server};
use ganatomy_studio::{Access, Asked};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const STUDIO: &str = "/api/v1/studio";
const RENDER: &str = "/api/v1/models/scenes/render";
const SHEET: &str = "/api/v1/models/scenes/sheet";

/// A request that takes a while.
fn large_sheet() -> Value {
    json!({ "latents": (0..64).map(|seed| json!({ "seed": seed })).collect::<Vec<_>>(), "columns": 8 })
}

fn with(server: &Server, path: &str, host: Option<&str>, more: &str) -> u16 {
    let host = host.map_or(String::new(), |host| format!("Host: {host}\r\n"));
    let request = format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n{more}\r\n");
    server.raw(request.as_bytes()).unwrap().status
}

#[test]
fn only_names_of_this_machine_are_answered_on_every_route() {
    let server = Server::start();
    let port = server.address.port();
    for path in ["/", "/js/main.js", STUDIO, "/api/v1/models/scenes", "/none", "/api/v1/jobs/x/events"] {
        for host in ["evil.test", "evil.test:80", "localhost.evil.test", &format!("127.0.0.1.evil.test:{port}"), ""] {
            assert_eq!(with(&server, path, Some(host), ""), 421, "{path} {host}");
        }
        assert_eq!(with(&server, path, None, ""), 400, "{path}");
    }
    for host in ["localhost", &format!("localhost:{port}"), "127.0.0.1", &format!("[::1]:{port}")] {
        assert_eq!(with(&server, STUDIO, Some(host), ""), 200, "{host}");
    }
    let two = format!("GET {STUDIO} HTTP/1.1\r\nHost: localhost\r\nHost: evil.test\r\nConnection: close\r\n\r\n");
    assert_ne!(server.raw(two.as_bytes()).unwrap().status, 200);
}

#[test]
fn other_pages_are_not_answered() {
    let server = Server::start();
    let own = format!("http://{}", server.address);
    for (headers, status) in [
        (format!("Origin: {own}\r\n"), 200),
        (format!("Origin: {own}\r\nSec-Fetch-Site: same-origin\r\n"), 200),
        ("Sec-Fetch-Site: none\r\n".into(), 200),
        ("Origin: null\r\n".into(), 403),
        ("Origin: http://evil.test\r\n".into(), 403),
        (format!("Origin: {own}.evil.test\r\n"), 403),
        (format!("Origin: https://{}\r\n", server.address), 403),
        ("Sec-Fetch-Site: cross-site\r\n".into(), 403),
        ("Sec-Fetch-Site: same-site\r\n".into(), 403),
    ] {
        assert_eq!(with(&server, STUDIO, Some(&server.address.to_string()), &headers), status, "{headers}");
    }
    // No header of the answer lets other pages read it.
    let answer = server.get(STUDIO).expect(200);
    assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control")));
    let preflight = format!(
        "{}Origin: http://evil.test\r\nAccess-Control-Request-Method: POST\r\n\r\n",
        server.head("OPTIONS", RENDER, "")
    );
    assert_eq!(server.raw(preflight.as_bytes()).unwrap().status, 403);
    // A form of another page cannot send JSON.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        server.send("POST", RENDER, kind, b"{}").expect(415);
    }
    server.send("POST", "/", "application/json", b"{}").expect(405);
}

#[test]
fn every_answer_keeps_browsers_careful() {
    let server = Server::start();
    for path in ["/", STUDIO, "/none", "/api/v1/models/none"] {
        let answer = server.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'self'; ") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
    }
    assert_eq!(server.get(STUDIO).header("cache-control"), Some("no-store"));
}

#[test]
fn others_than_this_machine_need_the_token() {
    // The address of all interfaces; asked over the loopback, so that nothing leaves this machine.
    let server = Server::with(Asked::default(), Access::new("0.0.0.0".parse().unwrap(), 0).unwrap());
    let token = server.token.clone().unwrap();
    assert!(token.len() * 4 >= 128);
    let ask = |more: &str| server.raw(server.head("GET", STUDIO, &format!("{more}\r\n")).as_bytes()).unwrap();
    ask("").expect(401);
    ask("Authorization: Bearer \r\n").expect(401);
    ask(&format!("Authorization: Bearer {}\r\n", &token[1..])).expect(401);
    ask(&format!("Authorization: Bearer {token}x\r\n")).expect(401);
    ask(&format!("Authorization: Basic {token}\r\n")).expect(401);
    let answer = ask(&format!("Authorization: Bearer {token}\r\n")).expect(200);
    assert!(!answer.text().contains(&token));
    // The page itself holds nothing that is secret: the token comes to it in the part of the address that is never sent.
    server.get("/").expect(200);
    assert!(server.token.is_some() && Server::start().token.is_none());
}

fn recipe(edits: &Value) -> Value {
    json!({ "format": 2, "latent": { "seed": 7 }, "edits": edits })
}

#[test]
fn too_much_is_refused_before_anything_is_made_of_it() {
    let server = Server::start();
    let refused = |edits: Value, message: &str| {
        let told = server.post(RENDER, &recipe(&edits)).expect(400).message();
        assert!(told.contains(message), "{told}");
    };
    let edit = |place: Value| json!([{ "layer": "2", "units": [1], "place": place }]);
    refused(vec![json!({ "layer": "2", "units": [1] }); 65].into(), "the recipe has 65 edits; 64 are the most");
    refused(
        json!([{ "layer": "2", "units": (0..1000).collect::<Vec<_>>() }]),
        "edit 1: names 1000 units; no layer has more than",
    );
    refused(
        edit(json!({ "painted": { "size": [65, 64], "runs": [1, 1] } })),
        "edit 1: the mask is 64 x 65; the image is 64 x 64",
    );
    refused(
        edit(json!({ "painted": { "size": [4_294_967_296u64, 4_294_967_296u64], "runs": [1] } })),
        "the mask is 4294967296 x",
    );
    refused(
        edit(json!({ "painted": { "size": [8, 8], "runs": [60, 5] } })),
        "the runs of the mask are longer than its 64 pixels",
    );
    refused(edit(json!({ "mask": vec![vec![1.0]; 65] })), "the mask is 1 x 65");
    refused(edit(json!({ "mask": [[2.0]] })), "the mask holds a number that is not in 0 to 1");
    refused(edit(json!({ "cells": vec![[0, 0]; 5000] })), "names 5000 cells; the image has 4096 pixels");
    refused(edit(json!({ "cells": [[16, 0]] })), "there is no cell 16,0");
    let sheet = |n: usize, columns: usize| json!({ "latents": vec![json!({ "seed": 1 }); n], "columns": columns });
    for (n, columns) in [(65, 8), (0, 1), (2, 3), (2, 0)] {
        server.post("/api/v1/models/scenes/sheet", &sheet(n, columns)).expect(400);
    }
    let units: Vec<usize> = (0..65).collect();
    let asked = json!({ "recipe": recipe(&json!([])), "layer": "2", "units": units });
    assert_eq!(
        server.post("/api/v1/models/scenes/activations", &asked).expect(400).message(),
        "maps of more than 64 units"
    );
    let example = json!({ "latent": { "seed": 1 }, "painted": { "size": [1, 1], "runs": [0, 1] } });
    let asked = json!({ "layer": "2", "examples": vec![example; 65] });
    assert!(server.post("/api/v1/models/scenes/concepts", &asked).expect(400).message().contains("64 are the most"));
    for scale in ["0", "65", "18446744073709551615"] {
        server.post(&format!("{RENDER}?scale={scale}"), &recipe(&json!([]))).expect(400);
    }
    server.post(&format!("{RENDER}?colour=red"), &recipe(&json!([]))).expect(400);
    let many: Vec<f32> = vec![0.5; 65];
    let numbers = json!({ "format": 2, "latent": { "numbers": many }, "edits": [] });
    assert!(server.post(RENDER, &numbers).expect(400).message().contains("65 numbers are not latents of 64"));
    // Deep nesting ends the reading of JSON, not the program.
    let deep = format!("{{\"format\": 2, \"edits\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(
        server.send("POST", RENDER, "application/json", deep.as_bytes()).expect(400).message().contains("recursion")
    );
}

#[test]
fn a_long_body_is_not_read_to_its_end() {
    let server = Server::start();
    let large = vec![b' '; (2 << 20) + 1];
    server.send("POST", RENDER, "application/json", &large).expect(413);
    // One that only says so is refused before it comes.
    let more = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", u64::MAX / 4);
    let began = Instant::now();
    assert_eq!(server.raw(server.head("POST", RENDER, &more).as_bytes()).unwrap().status, 413);
    assert!(began.elapsed() < Duration::from_secs(5));
    // One that does not say how long it is, in chunks.
    let mut chunked = server
        .head("POST", RENDER, "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        .into_bytes();
    for _ in 0..33 {
        chunked.extend(b"10000\r\n");
        chunked.resize(chunked.len() + 0x10000, b' ');
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    assert_eq!(server.raw(&chunked).map(|answer| answer.status), Some(413));
    let head = format!("GET {STUDIO} HTTP/1.1\r\nHost: {}\r\nX-Long: {}\r\n\r\n", server.address, "x".repeat(1 << 20));
    assert!(server.raw(head.as_bytes()).is_none_or(|answer| answer.status == 431));
    server.get(STUDIO).expect(200);
}

#[test]
fn who_says_nothing_is_not_waited_for_and_blocks_nobody() {
    let server = Server::start();
    let began = Instant::now();
    // Many who begin a request and say no more.
    let silent: Vec<TcpStream> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
            stream
        })
        .collect();
    // Meanwhile others are answered as usual.
    server.post(RENDER, &recipe(&json!([]))).expect(200);
    assert!(began.elapsed() < Duration::from_secs(8));
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut rest = Vec::new();
        // Closed by the other side, with or without an answer.
        stream.read_to_end(&mut rest).unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_body_that_never_ends_is_answered_after_a_while() {
    let server = Server::start();
    let began = Instant::now();
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let head = server.head("POST", RENDER, "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("this took too long"), "{answer}");
    assert!((25..45).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[test]
fn more_connections_than_there_may_be_wait_until_others_have_gone() {
    let server = Server::start();
    let began = Instant::now();
    let begin = |_| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
        stream
    };
    let held: Vec<TcpStream> = (0..256).map(begin).collect();
    // All places are taken until those who say nothing are sent away.
    server.get(STUDIO).expect(200);
    assert!((5..25).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    drop(held);
    server.get(STUDIO).expect(200);
}

#[test]
fn a_photo_has_a_size_and_a_kind() {
    let server = Server::start();
    let path = "/api/v1/models/scenes/inversions";
    let more = format!("Content-Type: image/png\r\nContent-Length: {}\r\n\r\n", (16 << 20) + 1);
    assert_eq!(server.raw(server.head("POST", path, &more).as_bytes()).unwrap().status, 413);
    server.send("POST", path, "application/json", b"{}").expect(415);
    server.send("POST", path, "text/html", b"<p>").expect(415);
    assert!(server.send("POST", path, "image/png", b"no picture").expect(400).message().contains("photo"));
    let wide = data::pictures::png(&data::Image::filled(128, 64, [9; 3])).unwrap();
    let told = server.send("POST", path, "image/png", &wide).expect(400);
    assert!(told.message().contains("128 pixels wide and 64 high"), "{}", told.message());
}

#[test]
fn one_client_does_not_take_the_whole_queue() {
    let server = Server::start();
    server.post(RENDER, &recipe(&json!([]))).expect(200);
    let ask = |client: &str| server.post_as(client, SHEET, &large_sheet());
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..20).map(|_| scope.spawn(|| ask("greedy"))).collect();
        std::thread::sleep(Duration::from_millis(50));
        // Somebody else finds a place all the same.
        ask("modest").expect(200);
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let busy = answers.iter().filter(|answer| answer.status == 429).count();
    assert!(busy > 0, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
}

#[test]
fn too_many_at_once_are_told_to_come_back() {
    let server = &Server::start();
    server.post(RENDER, &recipe(&json!([]))).expect(200);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let ask = |n| scope.spawn(move || server.post_as(&format!("client {}", n % 8), SHEET, &large_sheet()));
        let asked: Vec<_> = (0..40).map(ask).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (done, busy): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert!(!done.is_empty() && !busy.is_empty(), "{} done, {} refused", done.len(), busy.len());
    assert!(done.iter().all(|answer| answer.body == done[0].body));
    for answer in busy {
        let answer = answer.expect(429);
        assert_eq!((answer.header("retry-after"), answer.message().as_str()), (Some("1"), "too much at once"));
    }
    server.get(STUDIO).expect(200);
}

#[test]
fn names_of_files_come_from_the_index_alone() {
    let server = Server::start();
    for path in [
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/js/../../Cargo.toml",
        "/js/..%2f..%2fCargo.toml",
        "/js\\..\\main.js",
        "/%00",
        "/js/main.js%00",
        "//etc/passwd",
        "/api/v1/models/..",
        "/api/v1/models/%2e%2e%2fscenes",
        "/api/v1/models/..%5cscenes",
        "/api/v1/models/scenes%00",
        "/api/v1/models/%2fetc%2fpasswd",
        "/api/v1/jobs/..%2f..",
        "/api/v1/models/scenes/concepts/..%2f..%2f/x/picture.png",
        "/api/v1/models/scenes/layers/..%2f..%2f/units",
        "/api/v1/models/scenes/layers/2/units/-1/picture.png",
        "/api/v1/models/scenes/layers/2/units/99999999999999999999/picture.png",
    ] {
        let answer = server.get(path);
        assert!([400, 404].contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
    }
}
