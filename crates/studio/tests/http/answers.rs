//! Right questions get right answers.

use crate::server::Server;
use data::pictures;
use serde_json::{Value, json};

fn recipe(seed: u64, edits: Value) -> Value {
    json!({ "format": 2, "latent": { "seed": seed }, "edits": edits })
}

fn trees_off() -> Value {
    json!([{ "layer": "1b", "units": { "class": "objects/tree", "best": 20 }, "class": "objects/tree",
             "place": { "painted": { "size": [64, 64], "runs": [1024, 3072] } } }])
}

fn decoded(png: &[u8]) -> data::Image {
    data::decode(png, "answer.png".as_ref()).unwrap()
}

#[test]
fn the_studio_says_what_it_has() {
    let server = Server::start();
    let studio = server.get("/api/v1/studio").expect(200).json();
    assert_eq!((studio["models"][0]["id"].as_str(), studio["recipe_format"].as_u64()), (Some("scenes"), Some(2)));
    let model = server.get("/api/v1/models/scenes").expect(200).json();
    assert_eq!(model["image"], json!([3, 64, 64]));
    assert_eq!(model["latent"], json!({ "length": 64, "law": "normal", "truncation": true, "classes": [] }));
    let layers: Vec<&str> = model["layers"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap()).collect();
    assert!(layers.contains(&"1b") && layers.contains(&"2"), "{layers:?}");
    let objects = &model["segmenter"]["planes"][0];
    assert_eq!(objects["name"], "objects");
    assert!(objects["classes"].as_array().unwrap().iter().any(|class| class["id"] == "objects/tree"));
    let concepts = server.get("/api/v1/models/scenes/concepts").expect(200).json();
    assert!(concepts.as_array().unwrap().iter().any(|concept| concept["id"] == "objects/door"));
    let units = server.get("/api/v1/models/scenes/layers/2/units").expect(200).json();
    assert_eq!(units.as_array().unwrap().len(), 96);
    let rankings = server.get("/api/v1/models/scenes/layers/2/rankings").expect(200).json();
    assert!(rankings.as_array().unwrap().iter().all(|ranking| ranking["units"].as_array().unwrap().len() == 96));
    for path in ["concepts/objects/sky/picture.png", "layers/2/units/94/picture.png"] {
        let picture = server.get(&format!("/api/v1/models/scenes/{path}")).expect(200);
        assert_eq!(picture.header("content-type"), Some("image/png"));
        decoded(&picture.body);
    }
}

#[test]
fn a_picture_is_that_of_its_recipe_with_the_same_bytes_every_time() {
    let server = &Server::start();
    let render = |recipe: &Value| server.post("/api/v1/models/scenes/render", recipe).expect(200).body;
    let (plain, edited) = (recipe(7, json!([])), recipe(7, trees_off()));
    let (before, after) = (render(&plain), render(&edited));
    let generator = models::Generator::open("scenes", &net::Device::cpu()).unwrap();
    let images = models::unwatched(|watch| generator.images(&"7".parse().unwrap(), watch)).unwrap();
    assert_eq!(decoded(&before), images[0]);
    assert!(before != after);
    // Many at a time, each its own.
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..12)
            .map(|turn| {
                scope.spawn(move || {
                    let recipe = if turn % 2 == 0 { recipe(7, json!([])) } else { recipe(7, trees_off()) };
                    loop {
                        let answer = server.post_as("many", "/api/v1/models/scenes/render", &recipe);
                        if answer.status != 429 {
                            break answer.expect(200).body;
                        }
                        std::thread::sleep(std::time::Duration::from_millis(20));
                    }
                })
            })
            .collect();
        for (turn, answer) in asked.into_iter().enumerate() {
            assert!(answer.join().unwrap() == if turn % 2 == 0 { before.clone() } else { after.clone() }, "{turn}");
        }
    });
    // A hidden edit is left out; a share in the link that names the model gives the same.
    let mut hidden = recipe(7, trees_off());
    hidden["edits"][0]["hidden"] = true.into();
    assert!(render(&hidden) == before);
    let model = server.get("/api/v1/models/scenes").json();
    let mut named = edited.clone();
    named["model"] = json!({ "name": "scenes", "blake3": model["blake3"] });
    assert!(render(&named) == after);
}

#[test]
fn a_kept_picture_holds_its_recipe() {
    let server = Server::start();
    let sent = recipe(7, trees_off());
    let kept = server.post("/api/v1/models/scenes/render?keep=true&scale=2", &sent).expect(200).body;
    let plain = server.post("/api/v1/models/scenes/render", &sent).expect(200).body;
    assert_eq!(decoded(&kept), pictures::zoomed(&decoded(&plain), 2));
    let key = b"iTXtganatomy-recipe\0\0\0\0\0";
    let at = kept.windows(key.len()).position(|bytes| bytes == key).unwrap();
    let length = u32::from_be_bytes(kept[at - 4..at].try_into().unwrap()) as usize;
    let text: Value = serde_json::from_slice(&kept[at + key.len()..at + 4 + length]).unwrap();
    assert_eq!((&text["latent"], &text["edits"][0]["place"]), (&sent["latent"], &sent["edits"][0]["place"]));
    assert!(server.post("/api/v1/models/scenes/render", &text).expect(200).body == plain);
    let film = server.post("/api/v1/models/scenes/render?format=gif", &sent).expect(200);
    assert!(film.header("content-type") == Some("image/gif") && film.body.starts_with(b"GIF89a"));
}

#[test]
fn a_sheet_holds_the_pictures_side_by_side() {
    let server = Server::start();
    let latents = json!([{ "seed": 7 }, { "between": { "seeds": [7, 19], "at": 1.0 } }, { "plane": { "seeds": [1, 2, 3, 19], "at": [1.0, 1.0] } }]);
    let sheet = server.post("/api/v1/models/scenes/sheet", &json!({ "latents": latents, "columns": 3 })).expect(200);
    let sheet = decoded(&sheet.body);
    assert_eq!([sheet.width, sheet.height], [192, 64]);
    let part = |n: usize| -> Vec<u8> {
        (0..64).flat_map(|y| sheet.pixels[(y * 192 + n * 64) * 3..][..192].to_vec()).collect()
    };
    let single = |seed| decoded(&server.post("/api/v1/models/scenes/render", &recipe(seed, json!([]))).body).pixels;
    assert!(part(0) == single(7) && part(1) == single(19) && part(2) == single(19));
}

#[test]
fn a_truncation_is_part_of_a_recipe_and_of_a_sheet() {
    let server = Server::start();
    assert_eq!(server.get("/api/v1/models/scenes").expect(200).json()["latent"]["truncation"], true);
    let render = |body: &Value| server.post("/api/v1/models/scenes/render", body);
    let of = |truncation: Value| {
        let mut sent = recipe(7, json!([]));
        sent["truncation"] = truncation;
        sent
    };
    let (plain, half) = (render(&recipe(7, json!([]))).expect(200).body, render(&of(json!(0.5))).expect(200).body);
    assert!(half != plain && render(&of(json!(1.0))).expect(200).body == plain);
    let sent = json!({ "latents": [{ "seed": 7 }], "columns": 1, "truncation": 0.5 });
    assert!(server.post("/api/v1/models/scenes/sheet", &sent).expect(200).body == half);
    let middle = render(&of(json!(0))).expect(200).body;
    let mut other = of(json!(0));
    other["latent"] = json!({ "seed": 8 });
    assert!(render(&other).expect(200).body == middle, "there is one middle");
    let refused = render(&of(json!(2.5))).expect(400).json();
    assert_eq!(refused["error"]["message"], "truncation: 2.5 is not from 0 to 2");
}

#[test]
fn it_says_what_an_edit_did_and_what_is_in_the_picture() {
    let server = Server::start();
    let ask = |what: &str, body: Value| server.post(&format!("/api/v1/models/scenes/{what}"), &body).expect(200).json();
    let seen = ask("segmentation", json!({ "recipe": recipe(7, json!([])) }));
    let runs = seen["planes"][0]["runs"].as_array().unwrap();
    assert_eq!(runs.iter().map(|run| run[1].as_u64().unwrap()).sum::<u64>(), 64 * 64);
    let effects = ask("effects", json!({ "recipe": recipe(7, trees_off()), "stroke": 0 }));
    let tree = effects["classes"].as_array().unwrap().iter().find(|class| class["id"] == "objects/tree").unwrap();
    assert!(tree["after"].as_u64() < tree["before"].as_u64());
    assert_eq!((&effects["stroke"]["removes"], &effects["stroke"]["cells"]["all"]), (&json!(true), &json!(48)));
    let at = ask("activations", json!({ "recipe": recipe(7, json!([])), "layer": "2", "pixel": [40, 20] }));
    assert_eq!(at["cell"], json!([10, 5]));
    let unit = at["units"][0]["unit"].clone();
    let heat = ask("activations", json!({ "recipe": recipe(7, json!([])), "layer": "2", "units": [unit] }));
    assert_eq!(heat["units"][0]["values"][10 * 16 + 5], at["units"][0]["value"]);
    let all = ask("activations", json!({ "recipe": recipe(7, json!([])), "layer": "2" }));
    assert_eq!(all["units"].as_array().unwrap().len(), 96);
    let painted = json!({ "size": [64, 64], "runs": [0, 1024] });
    let own = json!({ "layer": "2", "examples": [{ "latent": { "seed": 7 }, "painted": painted }] });
    assert_eq!(ask("concepts", own)["units"].as_array().unwrap().len(), 96);
}

#[test]
fn the_page_is_there_and_is_not_sent_twice() {
    let server = Server::start();
    let page = server.get("/").expect(200);
    assert!(page.header("content-type") == Some("text/html; charset=utf-8") && page.text().contains("<main"));
    let tag = page.header("etag").unwrap().to_owned();
    let head = server.head("GET", "/", &format!("If-None-Match: {tag}\r\n\r\n"));
    assert!(server.raw(head.as_bytes()).unwrap().expect(304).body.is_empty());
    assert_eq!(server.get("/js/main.js").expect(200).header("content-type"), Some("text/javascript; charset=utf-8"));
    server.get("/js/none.js").expect(404);
    server.get("/api/v1/none").expect(404);
    server.get("/api/v1/models/none").expect(404);
}

#[test]
fn what_is_wrong_with_a_recipe_is_said() {
    let server = Server::start();
    let refused =
        |recipe: Value, status: u16| server.post("/api/v1/models/scenes/render", &recipe).expect(status).message();
    let edited = |edit: Value| recipe(7, json!([edit]));
    for (recipe, status, message) in [
        (
            json!({ "format": 3, "edits": [] }),
            400,
            "the body is not what is asked for: it was written by a newer version (format 3; this one reads 1 to 2)",
        ),
        (json!({ "format": 2, "edits": [] }), 400, "latent: is not given"),
        (
            edited(json!({ "layer": "2", "units": [1], "value": { "number": null } })),
            400,
            "the body is not what is asked for: edit 1: invalid type: null, expected f64",
        ),
        (edited(json!({ "layer": "2", "units": [96] })), 400, "edit of 2: there is no unit 96; it has units 0 to 95"),
        (edited(json!({ "layer": "9", "units": [1] })), 400, "edit of 9: there is no such layer with maps"),
        (
            edited(json!({ "layer": "2", "units": [1], "colour": 3 })),
            400,
            "the body is not what is asked for: edit 1: unknown field `colour`",
        ),
        (
            edited(json!({ "layer": "2", "units": [1], "value": { "mean-of": "dragon" } })),
            400,
            "class: dragon: there is no such class",
        ),
        (
            json!({ "format": 2, "latent": { "between": { "seeds": [1, 2], "at": 1.5 } }, "edits": [] }),
            400,
            "latent: 1.5 is no place between two seeds: it is 0 to 1",
        ),
        (
            json!({ "format": 2, "model": { "name": "other", "blake3": "00" }, "latent": { "seed": 1 }, "edits": [] }),
            409,
            "the recipe was made for another generator (other)",
        ),
    ] {
        let told = refused(recipe, status);
        assert!(told.starts_with(message), "{told}");
    }
    let nan =
        br#"{"format": 2, "latent": {"seed": 7}, "edits": [{"layer": "2", "units": [1], "value": {"number": NaN}}]}"#;
    let told = server.send("POST", "/api/v1/models/scenes/render", "application/json", nan).expect(400).message();
    assert!(told.contains("expected value at line 1"), "{told}");
}
