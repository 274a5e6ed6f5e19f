//! Ten thousand requests that nobody means well with: the studio goes on serving, and its memory stays where it was.

#![expect(clippy::unwrap_used, reason = "tests")]

// Alone in its process, whose memory it watches.
#[path = "../http/server.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod server;

use crate::server::Server;
use serde_json::json;

/// Bytes of memory that this process has, where the system tells.
fn memory() -> Option<u64> {
    let text = base::memory::of_process("VmRSS:")?;
    Some(text.split(' ').next()?.parse::<u64>().ok()? << 10)
}

/// A generator of numbers that depends on nothing but its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }
}

#[test]
fn ten_thousand_hostile_requests_leave_it_serving_and_its_memory_flat() {
    let server = Server::start();
    let recipe = json!({ "format": 2, "latent": { "seed": 7 }, "edits": [
        { "layer": "2", "units": [1, 2, 3], "value": { "quantile": 0.99 }, "place": { "painted": { "size": [64, 64], "runs": [64, 640] } } }
    ] });
    let plain = server.post("/api/v1/models/scenes/render", &recipe).expect(200).body;
    let body = recipe.to_string();
    let posts = ["render", "sheet", "activations", "segmentation", "effects", "concepts", "dissections", "none"];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut early = None;
    let mut answered = [0usize; 6];
    for turn in 0..10_000 {
        let mut text = body.clone().into_bytes();
        // Some bytes are others, some are gone, some are there twice.
        for _ in 0..=random.below(4) {
            let at = random.below(text.len());
            match random.below(4) {
                0 => text[at] = random.below(256) as u8,
                1 => text.truncate(at.max(1)),
                2 => text.splice(at..at, b"99999999999999999999".iter().copied()).for_each(drop),
                _ => text.splice(at..at, b"[{\"\\u0000".iter().copied()).for_each(drop),
            }
        }
        let path = format!("/api/v1/models/scenes/{}", posts[random.below(posts.len())]);
        let length = match random.below(8) {
            0 => text.len() + random.below(100),
            1 => usize::MAX / 2,
            _ => text.len(),
        };
        let kind = ["application/json", "application/json", "application/json", "text/plain"][random.below(4)];
        let more = format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
        let mut request = [server.head("POST", &path, &more).as_bytes(), &text].concat();
        let broken = random.below(8) == 0;
        if broken {
            let at = random.below(request.len());
            request[at] = random.below(256) as u8;
        }
        // Who says that more will come, or may have said so, goes away.
        let answer = if broken || length > text.len() { server.hang_up(&request) } else { server.raw(&request) };
        let class = answer.map_or(0, |answer| usize::from(answer.status / 100));
        answered[class.min(5)] += 1;
        if turn == 2_000 {
            early = memory();
        }
    }
    assert_eq!(answered[5], 0, "a request that is wrong is no fault of the server: {answered:?}");
    assert!(answered[4] > 5_000, "{answered:?}");
    if let (Some(before), Some(after)) = (early, memory()) {
        let grown = after.saturating_sub(before);
        println!("memory after 2,000 requests {} MB, after 10,000 {} MB", before >> 20, after >> 20);
        assert!(grown < 48 << 20, "grew by {} MB", grown >> 20);
    }
    assert!(server.post("/api/v1/models/scenes/render", &recipe).expect(200).body == plain);
}
