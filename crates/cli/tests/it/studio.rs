//! `ganatomy studio` as people start and end it. What it answers is tested in its own crate.

use crate::support::{Place, check};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// A studio that runs, and the first line that it printed.
fn start(place: &Place, words: &str) -> (Child, String) {
    let mut command = place.command(&format!("studio --port 0 {words}"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim_end().to_owned())
}

fn end(child: Child, signal: &str) -> (Option<i32>, String) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn get(url: &str, path: &str) -> String {
    let address = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_prints_its_address_serves_and_ends_when_it_is_told_to() {
    let place = Place::new();
    let (child, url) = start(&place, "--quiet");
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with('/'), "{url}");
    assert!(get(&url, "/").starts_with("HTTP/1.1 200"));
    assert!(get(&url, "/api/v1/studio").contains("\"id\":\"scenes\""));
    // An answer that nobody waits for any more does not hold it up.
    drop(TcpStream::connect(url.trim_start_matches("http://").trim_end_matches('/')).unwrap());
    assert_eq!(end(child, "-INT").0, Some(130));
    let (child, line) = start(&place, "--json");
    let told: Value = serde_json::from_str(&line).unwrap();
    assert!(get(told["url"].as_str().unwrap(), "/api/v1/studio").starts_with("HTTP/1.1 200"));
    let (code, rest) = end(child, "-TERM");
    let answer: Value = serde_json::from_str(&rest).unwrap();
    assert_eq!((code, answer["envelope"]["exit_code"].as_u64()), (Some(143), Some(143)));
}

#[test]
fn a_token_stands_in_the_address_where_others_can_ask_and_nowhere_else() {
    let place = Place::new();
    let (child, url) = start(&place, "--host 0.0.0.0");
    let token = url.split_once("/#token=").unwrap().1;
    assert!(token.len() == 40, "{url}");
    assert!(get(&url, "/api/v1/studio").starts_with("HTTP/1.1 401"));
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains(token));
}

#[test]
fn what_cannot_be_served_is_said_before() {
    let place = Place::new();
    place.write("notes.txt", b"hello");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let words = [
        "studio none".into(),
        "studio notes.txt".into(),
        format!("studio --port {port}"),
        "studio --host 192.0.2.1 --port 0".into(),
    ];
    let said: String = words.iter().map(|words| place.run(words) + "\n").collect();
    check("studio-refused", &said.replace(&port.to_string(), "[port]"));
}
