//! A repair by eye: decisions are kept, whoever makes them at the same time, and carried out.

use crate::server::Server;
use dissect::{Answers, RepairMeans, RepairSettings, Unwatched};
use models::{Generator, open_real};
use net::Device;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use train::RunLock;

const REPAIR: &str = "/api/v1/models/scenes/repair";

/// A search for candidates in the shipped generator.
fn search(folder: &Path) {
    let device = Device::cpu();
    let generator = Generator::open("scenes", &device).unwrap();
    let subject = generator.subject(&["1".into()]).unwrap();
    let real = open_real("scenes", subject.image_shape()).unwrap();
    let settings = RepairSettings { samples: 24, real_samples: 24, candidates: 4, random: 2, seed: 0 };
    let means = RepairMeans { subject: &subject, name: "scenes".into(), real: &real, defects: None };
    dissect::repair(folder, &means, &Answers::default(), &settings, &mut Unwatched).unwrap().unwrap();
}

fn done(server: &Server, job: &Value) -> Value {
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
    for _ in 0..600 {
        let status = server.get(&path).expect(200).json();
        if !["waiting", "running"].contains(&status["state"].as_str().unwrap()) {
            return status;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the job goes on and on");
}

#[test]
fn without_a_repair_there_is_nothing_to_decide() {
    let server = Server::start();
    assert_eq!(server.get(REPAIR).expect(200).text(), "null");
    server.get(&format!("{REPAIR}/candidates/1/picture.png")).expect(404);
    server.post(&format!("{REPAIR}/decisions"), &json!({ "unit": 1, "decision": "accept" })).expect(404);
    server.post(&format!("{REPAIR}/model"), &json!({})).expect(404);
    server.get("/api/v1/models/none/repair").expect(404);
}

#[test]
fn candidates_are_decided_about_and_taken_out() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("00001-repair");
    search(&folder);
    let server = Server::on(root.path());
    let told = server.get(REPAIR).expect(200).json();
    assert_eq!((&told["name"], &told["layer"], &told["real"]), (&json!("00001-repair"), &json!("1"), &json!("scenes")));
    assert_eq!((&told["samples"], &told["judged"], &told["file"]), (&json!(24), &json!(null), &json!(null)));
    let candidates = told["candidates"].as_array().unwrap();
    assert_eq!((candidates.len(), &candidates[0]["decision"]), (4, &json!("undecided")));
    assert_eq!(told["columns"].as_u64().unwrap() as usize, candidates[0]["seeds"].as_array().unwrap().len());
    let unit = |at: usize| candidates[at]["unit"].as_u64().unwrap();
    let picture = server.get(&format!("{REPAIR}/candidates/{}/picture.png", unit(0))).expect(200);
    assert_eq!(picture.body, std::fs::read(folder.join(format!("candidates/{}.png", unit(0)))).unwrap());
    for wrong in ["9999", "-1", "..%2f1", "1%00"] {
        let status = server.get(&format!("{REPAIR}/candidates/{wrong}/picture.png")).status;
        assert!(status == 404 || status == 400, "{wrong}: {status}");
    }

    server.post(&format!("{REPAIR}/model"), &json!({})).expect(409);
    let decide = |unit: u64, decision: &str| {
        server.post(&format!("{REPAIR}/decisions"), &json!({ "unit": unit, "decision": decision }))
    };
    decide(100_000, "accept").expect(400);
    decide(unit(0), "maybe").expect(400);
    server.post(&format!("{REPAIR}/decisions"), &json!({ "unit": unit(0) })).expect(400);
    server.send("POST", &format!("{REPAIR}/decisions"), "text/plain", b"{}").expect(415);
    let lock = RunLock::acquire(&folder).unwrap();
    assert!(decide(unit(0), "accept").expect(409).message().ends_with("is at work in this folder"));
    drop(lock);
    let told = decide(unit(1), "reject").expect(200).json();
    assert_eq!(told["candidates"][1]["decision"], "reject");

    // Many at once: none is lost. The queue has an end, so some are asked to come again.
    let others: Vec<u64> = (0..64).filter(|other| (0..4).all(|at| unit(at) != *other)).take(12).collect();
    std::thread::scope(|scope| {
        for &other in &others {
            scope.spawn(move || {
                while decide(other, "reject").status != 200 {
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
    });
    let told = server.get(REPAIR).expect(200).json();
    let decided: Vec<u64> =
        told["others"].as_array().unwrap().iter().map(|one| one["unit"].as_u64().unwrap()).collect();
    assert_eq!(decided, others);
    let told = decide(others[0], "undecided").expect(200).json();
    assert_eq!(told["others"].as_array().unwrap().len(), others.len() - 1);
    decide(unit(2), "accept").expect(200);
    let text = std::fs::read_to_string(folder.join("decisions.toml")).unwrap();
    assert!(text.contains(&format!("\n{} = \"accept\"  # distance", unit(2))), "{text}");

    let job = server.post(&format!("{REPAIR}/model"), &json!({})).expect(202).json();
    assert_eq!(job["kind"], "repair");
    let ended = done(&server, &job);
    let file = folder.join("model.safetensors");
    assert_eq!((&ended["state"], &ended["result"]["units"]), (&json!("done"), &json!([unit(2)])), "{ended}");
    assert_eq!(
        (&ended["result"]["file"], &ended["result"]["note"]),
        (&json!(file.display().to_string()), &Value::Null)
    );
    let told = server.get(REPAIR).expect(200).json();
    assert_eq!((&told["judged"]["units"], &told["file"]), (&json!([unit(2)]), &ended["result"]["file"]));
    assert!(told["judged"]["alike"]["before"].is_f64());
    std::thread::sleep(Duration::from_millis(1100));
    let studio = server.get("/api/v1/studio").expect(200).json();
    let named = |model: &&Value| model["name"].as_str().unwrap().ends_with("model");
    let id = studio["models"].as_array().unwrap().iter().find(named).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        server.get(&format!("/api/v1/models/{id}/repair")).expect(200).text(),
        "null",
        "it is another generator"
    );
}
