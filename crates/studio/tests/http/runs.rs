//! Runs are found, told and watched, whatever becomes of their folders.

use crate::server::Server;
use dissect::Settings;
use models::Dissecting;
use net::Device;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use train::RunLock;
use train::checkpoint::Store;
use train::stats::{FILE, Writer};

fn record(generation: u64) -> Value {
    json!({ "generation": generation, "seconds": 0.5, "children": [], "survivors": [0], "d_loss": 1.25 })
}

fn png() -> Vec<u8> {
    data::pictures::png(&data::Image { width: 2, height: 1, channels: 3, pixels: vec![9; 6] }).unwrap()
}

/// A run of so many generations, of which some are told.
fn run(path: &Path, of: u64, told: u64) -> Writer {
    fs::create_dir_all(path).unwrap();
    fs::write(path.join("config.toml"), format!("generations = {of}\npreset = \"paper\"\n[log]\nkeep = 3\n")).unwrap();
    let mut writer = Writer::create(path.join(FILE)).unwrap();
    (1..=told).for_each(|generation| writer.append(&record(generation)).unwrap());
    writer
}

/// The checkpoint of a run, whose generator is the shipped one.
fn checkpoint(run: &Path, generation: u64) {
    let lock = RunLock::acquire(run).unwrap();
    let store = Store::create(&lock).unwrap();
    let bytes = shipped::by_name("scenes", shipped::Kind::Generator).unwrap().bytes;
    store.save(generation, &[("generator.safetensors", bytes)], "hash", 3).unwrap();
    store.mark_best(generation, 0.25).unwrap();
}

#[test]
fn runs_are_listed_and_told_also_such_as_appear_later() {
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("00001-x");
    drop(run(&first, 9, 4));
    fs::write(first.join("samples-000004.png"), png()).unwrap();
    fs::write(first.join("reals.png"), png()).unwrap();
    fs::write(first.join("nonfinite-000005.json"), r#"{"what":"d_loss","value":"NaN","generation":5}"#).unwrap();
    let server = Server::on(folder.path());
    assert_eq!(server.get("/api/v1/studio").expect(200).json()["runs"], true);
    let listed = server.get("/api/v1/runs").expect(200).json();
    let expected = json!([{
        "id": "00001-x", "name": "00001-x", "kind": "evolve", "generation": 4, "of": 9, "state": "stopped", "best": null,
        "seconds": 2.0, "failed": { "what": "d_loss", "value": "NaN", "generation": 5 },
    }]);
    assert_eq!(listed, expected);
    checkpoint(&first, 4);
    let details = server.get("/api/v1/runs/00001-x").expect(200).json();
    assert_eq!(details["settings"], json!({ "generations": 9, "preset": "paper", "log": { "keep": 3 } }));
    assert_eq!(details["best"], json!({ "generation": 4, "score": 0.25 }));
    assert_eq!(details["checkpoints"], json!([{ "generation": 4, "score": null }]));
    assert_eq!(
        (&details["samples"], &details["reals"], &details["preview"]),
        (&json!([4]), &json!(true), &json!(false))
    );
    for name in ["samples/4.png", "samples/000004.png", "reals.png"] {
        let picture = server.get(&format!("/api/v1/runs/00001-x/{name}")).expect(200);
        assert_eq!((picture.header("content-type"), &picture.body), (Some("image/png"), &png()), "{name}");
    }
    for name in ["samples/5.png", "samples/4", "samples/x.png", "samples/-4.png", "preview.png", "stats.jsonl"] {
        server.get(&format!("/api/v1/runs/00001-x/{name}")).expect(404);
    }

    // A second one, deeper, that a process is at work at; and the first one's generator is a model now.
    let second = folder.path().join("group/00002-y");
    fs::create_dir_all(&second).unwrap();
    fs::write(second.join("config.toml"), "task = \"segmenter\"\nsteps = 7\n").unwrap();
    let lock = RunLock::acquire(&second).unwrap();
    let mut writer = Writer::create(second.join(FILE)).unwrap();
    writer.append(&json!({ "step": 1, "seconds": 1.5, "mean_iou": { "a": 0.25, "b": 0.75 } })).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    let listed = server.get("/api/v1/runs").expect(200).json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let own = &listed[0];
    assert_eq!((&own["kind"], &own["state"], &own["of"]), (&json!("segmenter"), &json!("running"), &json!(7)));
    drop(lock);
    let id = own["id"].as_str().unwrap();
    assert_eq!(server.get(&format!("/api/v1/runs/{id}")).expect(200).json()["state"], "stopped");
    let studio = server.get("/api/v1/studio").expect(200).json();
    assert_eq!(studio["models"][0]["name"], "00001-x");
    let model = server.get("/api/v1/models/00001-x").expect(200).json();
    assert_eq!((&model["image"], &model["dissections"]), (&json!([3, 64, 64]), &json!([])));
}

#[test]
fn records_are_the_lines_of_the_file_as_far_as_they_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    drop(run(folder.path(), 9000, 4500));
    let mut file = File::options().append(true).open(folder.path().join(FILE)).unwrap();
    file.write_all(b"{\"generation\":4501,\"sec").unwrap();
    let server = Server::on(folder.path());
    let id = server.get("/api/v1/runs").expect(200).json()[0]["id"].as_str().unwrap().to_owned();
    let stats = |from: &str| server.get(&format!("/api/v1/runs/{id}/stats{from}")).expect(200);
    assert_eq!(stats("?from=4498").text(), format!("[{},{}]", record(4499), record(4500)));
    let all = stats("").json();
    let all = all.as_array().unwrap();
    assert!((1000..=2001).contains(&all.len()), "{}", all.len());
    assert_eq!((&all[0], all.last().unwrap()), (&record(1), &record(4500)));
    file.write_all(b"onds\":1.0}\n").unwrap();
    assert_eq!(stats("?from=4500").text(), "[{\"generation\":4501,\"seconds\":1.0}]");
    assert_eq!(stats("?from=18446744073709551615").text(), "[]");
    for wrong in ["?from=-1", "?from=x", "?after=1"] {
        server.get(&format!("/api/v1/runs/{id}/stats{wrong}")).expect(400);
    }
}

#[test]
fn no_name_in_a_request_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("served");
    drop(run(&root.join("00001-x"), 9, 1));
    drop(run(&folder.path().join("secret"), 9, 1));
    fs::write(folder.path().join("secret/samples-000001.png"), "secret").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path().join("secret"), root.join("00002-link")).unwrap();
        let secret = folder.path().join("secret/samples-000001.png");
        std::os::unix::fs::symlink(secret, root.join("00001-x/samples-000003.png")).unwrap();
    }
    let server = Server::on(&root);
    assert_eq!(server.get("/api/v1/runs").expect(200).json().as_array().unwrap().len(), 1, "links are not followed");
    server.get("/api/v1/runs/00001-x/samples/3.png").expect(404);
    let outside = [
        "..%2fsecret",
        "%2e%2e%2fsecret",
        "..%5csecret",
        "..\\secret",
        "00001-x%00",
        "%00",
        "00002-link",
        "secret",
        ".",
        "%2e",
        "..%252fsecret",
        "%2fetc",
        "C:%5c",
        "00001-x%2f..%2f00001-x",
        "00001-X",
        "%ff",
        "..;",
        "00001-x%20",
    ];
    for id in outside {
        for rest in ["", "/stats", "/events", "/reals.png", "/samples/1.png"] {
            let answer = server.get(&format!("/api/v1/runs/{id}{rest}"));
            assert!(answer.status == 404 || answer.status == 400, "{id}{rest}: {}", answer.status);
            assert!(!answer.text().contains("generations"), "{id}{rest}");
        }
        for path in ["reports", "models"] {
            let answer = server.get(&format!("/api/v1/{path}/{id}"));
            assert!(answer.status == 404 || answer.status == 400, "{path} {id}: {}", answer.status);
        }
    }
    for file in [
        "..%2f..%2fsecret%2fsamples-000001.png",
        "1.png%00",
        "+1.png",
        "%2e%2e",
        "1.png%2f..%2f1.png",
        "00000000000000000001.jpg",
    ] {
        server.get(&format!("/api/v1/runs/00001-x/samples/{file}")).expect(404);
    }
}

/// The events of a run, one after the other.
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(server: &Server, path: &str) -> Self {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(format!("{}\r\n", server.head("GET", path, "")).as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// The kind and data of the next event; none where the stream has ended.
    fn next(&mut self) -> Option<(String, Value)> {
        let (mut kind, mut data) = (String::from("message"), None);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end();
            if let Some(name) = line.strip_prefix("event: ") {
                name.clone_into(&mut kind);
            } else if let Some(text) = line.strip_prefix("data: ") {
                data = Some(serde_json::from_str(text).unwrap());
            } else if let (true, Some(data)) = (line.is_empty(), data.take()) {
                return Some((kind, data));
            }
        }
    }
}

fn generations(records: &Value) -> Vec<u64> {
    records.as_array().unwrap().iter().map(|record| record["generation"].as_u64().unwrap()).collect()
}

#[test]
fn who_watches_hears_of_all_that_happens_until_the_folder_is_gone() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("00001-x");
    let mut writer = run(&path, 9, 3);
    let lock = RunLock::acquire(&path).unwrap();
    let server = Server::on(folder.path());
    let mut events = Events::open(&server, "/api/v1/runs/00001-x/events?from=1");
    let (kind, told) = events.next().unwrap();
    assert_eq!((kind.as_str(), &told["generation"], &told["state"]), ("run", &json!(3), &json!("running")));
    let (kind, told) = events.next().unwrap();
    assert_eq!((kind.as_str(), generations(&told)), ("message", vec![2, 3]));
    assert_eq!(told[1], record(3), "as in the file");
    for generation in 4..=6 {
        writer.append(&record(generation)).unwrap();
        let (kind, told) = events.next().unwrap();
        assert_eq!((kind.as_str(), generations(&told)), ("message", vec![generation]));
    }
    fs::write(path.join("samples-000006.png"), png()).unwrap();
    let (kind, told) = events.next().unwrap();
    assert_eq!((kind.as_str(), &told["samples"]), ("run", &json!([6])));
    // It is interrupted, and goes on from a checkpoint.
    drop((writer, lock));
    let (kind, told) = events.next().unwrap();
    assert_eq!((kind.as_str(), &told["state"]), ("run", &json!("stopped")));
    let (mut writer, _) = Writer::resume(path.join(FILE), 4).unwrap();
    let again = |generation: u64| json!({ "generation": generation, "seconds": 0.25 });
    (5..=8).for_each(|generation| writer.append(&again(generation)).unwrap());
    let mut told = Vec::new();
    while told.last() != Some(&8) {
        let (kind, records) = events.next().unwrap();
        assert_eq!(kind, "message");
        told.extend(generations(&records));
    }
    assert_eq!(told, [5, 6, 7, 8]);
    fs::rename(&path, elsewhere.path().join("run")).unwrap();
    let (kind, told) = events.next().unwrap();
    assert_eq!((kind.as_str(), told["hint"].is_null()), ("gone", true));
    assert_eq!(told["message"], "the folder of the run 00001-x is not there any more");
    assert!(events.next().is_none());
    for rest in ["", "/stats", "/events", "/reals.png"] {
        let answer = server.get(&format!("/api/v1/runs/00001-x{rest}")).expect(404);
        assert_eq!(answer.message(), "the folder of the run 00001-x is not there any more");
    }
    assert_eq!(server.get("/api/v1/runs").expect(200).text(), "[]");
    drop(folder);
    std::thread::sleep(Duration::from_millis(1100));
    server.get("/api/v1/runs").expect(404);
    server.get("/api/v1/studio").expect(200);
}

#[test]
fn only_so_many_watch_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    drop(run(&folder.path().join("00001-x"), 9, 1));
    let server = Server::on(folder.path());
    let most = server.get("/api/v1/studio").json()["limits"]["watched"].as_u64().unwrap();
    let path = "/api/v1/runs/00001-x/events";
    let mut open: Vec<Events> = (0..most).map(|_| Events::open(&server, path)).collect();
    assert!(open.iter_mut().all(|events| events.next().is_some()));
    let refused = server.get(path).expect(429);
    assert!(refused.header("retry-after").is_some());
    drop(open);
    // Who goes away makes room; that is noticed when there is something to tell.
    let request = format!("{}\r\n", server.head("GET", "/api/v1/runs", ""));
    assert_eq!(server.raw(request.as_bytes()).unwrap().status, 200);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn dissections_of_a_run_are_models_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("00001-x");
    drop(run(&path, 9, 4));
    checkpoint(&path, 4);
    let device = Device::cpu();
    let segmenter = models::open_segmenter("scenes", &device).unwrap();
    let generator = models::Generator::open(&path, &device).unwrap();
    let settings = Settings { samples: 32, fit_samples: 32, ..Settings::default() };
    let subject = generator.subject(&["1".into()]).unwrap();
    let model = generator.path().display().to_string();
    let task = Dissecting::new((subject, &model), (&segmenter, "scenes"), settings).unwrap();
    models::unwatched(|watch| task.run(&path.join("first"), watch)).unwrap();
    copy(&path.join("first"), &path.join("second"));
    let server = Server::on(folder.path());
    let models = server.get("/api/v1/studio").expect(200).json()["models"].clone();
    let names: Vec<&str> = models.as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["00001-x", "00001-x / first"], "the newest one is that of the run");
    let dissections = server.get("/api/v1/runs/00001-x").expect(200).json()["dissections"].clone();
    let told = |at: usize, key: &str| dissections[at][key].as_str().unwrap().to_owned();
    assert_eq!(
        (told(0, "name"), told(1, "name"), told(1, "model")),
        ("first".into(), "second".into(), "00001-x".into())
    );
    assert_eq!((&dissections[0]["report"], &dissections[0]["model"]), (&json!(true), &models[1]["id"]));
    for at in [0, 1] {
        let model = server.get(&format!("/api/v1/models/{}", told(at, "model"))).expect(200).json();
        assert!(model["dissection"]["name"].as_str().unwrap().ends_with(&told(at, "name")), "{model}");
        assert_eq!((&model["dissections"], model["reports"].as_array().unwrap().len()), (&dissections, 2));
    }

    let report = |id: &str| server.get(&format!("/api/v1/reports/{id}"));
    let page = report(&told(0, "id")).expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    for part in ["default-src 'none'", "sandbox allow-scripts", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("allow-same-origin") && page.text().starts_with("<!"));
    assert_eq!(report(&told(0, "id")).expect(200).body, page.body);
    report("none").expect(404);
    fs::remove_dir_all(path.join("first")).unwrap();
    assert!(report(&told(0, "id")).expect(404).message().ends_with("is not there any more"));
}
