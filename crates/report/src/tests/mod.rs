//! The page of a dissection in which everything that can have a name has a hostile one.

mod tags;

use crate::{Report, Wanted, comparison, report};
use data::{Class, Image, LabelMap, Plane, pictures};
use dissect::{
    Action, Causal, CausalSettings, Comparison, Concept, Context, Dissection, EDITED, Edited, Effect, Insertions,
    Means, Origin, PLAN, Plan, Point, RECIPE, Recipe, Settings, Shard, Sheet, Subject, Trace, Unwatched, dissect,
};
use net::zoo::{DcganGenerator, GeneratorStart, Norm, dcgan_generator};
use net::{Device, Graph, Network};
use segment::{Oracle, Segment};
use std::path::Path;
use tags::Tags;
use tempfile::TempDir;

const CLASS: &str = "<script>alert(1)</script>&\"'";
const CATEGORY: &str = "\"><img src=x onerror=alert(2)>";
const LAYER: &str = "' onload='alert(3)";
const MODEL: &str = "</title></style><script>alert(4)</script>{{content}}";
const SEGMENTER: &str = "--><svg onload=alert(5)> $(reboot)";

/// Pictures of 16x16 pixels; bright and dark are its only classes.
fn found(folder: &Path) -> Network {
    found_by(folder, Settings::default().max_fdr)
}

/// As [`found`], with another rule of what is interpretable: at a rate of 1 every unit that is on where a class is.
fn found_by(folder: &Path, max_fdr: f64) -> Network {
    let graph = dcgan_generator(DcganGenerator {
        size: [16; 2],
        channels: 3,
        latent: 4,
        width: 2,
        norm: Norm::Batch,
        start: GeneratorStart::Linear,
        extra: false,
    });
    let text = serde_json::to_string(&graph).unwrap().replace("\"1\"", &serde_json::to_string(LAYER).unwrap());
    let graph: Graph = serde_json::from_str(&text).unwrap();
    let device = Device::cpu();
    let network = Network::initial(graph, 1, "weights", &device);
    let subject = Subject::new(&network, &[], &device).unwrap();
    let class = |name: &str| Class { name: name.into(), colour: [0; 3] };
    let plane = Plane { name: CATEGORY.into(), classes: vec![class(CLASS), class("dark")], ignore: None };
    let segmenter = Oracle::new(vec![plane], [3, 16, 16], |image: &[f32]| {
        vec![LabelMap { width: 16, height: 16, classes: image[..256].iter().map(|&v| u16::from(v < 0.0)).collect() }]
    });
    let settings =
        Settings { samples: 32, fit_samples: 16, top_images: 2, min_iou: 0.0, max_fdr, ..Settings::default() };
    let origins = [Origin::of_network(MODEL, &network).unwrap(), Origin { name: SEGMENTER.into(), blake3: "0".into() }];
    let plan = Plan::new(&subject, segmenter.planes(), origins, None, settings, Shard::WHOLE);
    let means = Means { subject: &subject, segmenter: &segmenter, real: None, device: &device };
    dissect(folder, &plan, &means, &mut Unwatched).unwrap().unwrap();
    network
}

fn insertions() -> Insertions {
    let place = |class: &str, effect| Context {
        class: class.into(),
        category: CATEGORY.into(),
        cells: 1234,
        effect,
        error: 0.0625,
        made: 0.75,
    };
    Insertions {
        images: 17,
        units: vec![1, 0],
        values: vec![1.0, 2.0],
        contexts: vec![place("worst", -0.5), place(CLASS, 0.375)],
        trace: vec![Trace { layer: LAYER.into(), made: 0.125, refused: 0.0313 }],
    }
}

fn causal(units: usize) -> Causal {
    Causal {
        format: 1,
        networks: None,
        class: CLASS.into(),
        category: CATEGORY.into(),
        layer: LAYER.into(),
        units: (0..units).rev().collect(),
        alpha: vec![0.5; units],
        iou_units: (0..units).collect(),
        inserted: vec![1.0; units],
        curve: vec![Point { units: 1, causal: 0.25, iou: 0.125, random: 0.0625 }],
        effect: 0.5,
        unit_effects: vec![0.25],
        insertions: Some(insertions()),
        epochs: Vec::new(),
        present: 9,
        settings: CausalSettings { pool: 77, ..CausalSettings::default() },
    }
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// An edit of two images in a folder with a hostile name.
fn edit(folder: &Path, network: &Network) {
    std::fs::create_dir_all(folder).unwrap();
    Recipe::new(vec![Action::ablate(LAYER, vec![1])]).write(&folder.join(RECIPE)).unwrap();
    let sheet = Sheet::new(2, [16, 16]);
    let cells: Vec<Image> = (0..6).map(|i| Image::filled(sheet.cell[0], sheet.cell[1], [i * 40; 3])).collect();
    write(&folder.join("sheet.png"), pictures::png(&pictures::grid(&cells, 2, sheet.gap).unwrap()).unwrap());
    let concept = Concept { name: CLASS.into(), category: CATEGORY.into() };
    let edited = Edited {
        format: Edited::FORMAT,
        program: "0".into(),
        model: Origin::of_network(MODEL, network).unwrap(),
        dissection: None,
        segmenter: None,
        seeds: None,
        latents: Some("<b>z.npy".into()),
        images: 2,
        sheet,
        classes: vec![Effect { concept, before: 200, after: 50 }],
    };
    edited.write(folder).unwrap();
}

const REPAIR: &str = r#"{"format": 1, "model": {"name": "<i>m"}, "real": "<q>r.zip", "other_real": 0.25, "layer": "<u>", "units": [1], "removal": "<em>masked",
    "alike": {"images": 4, "before": 0.875, "after": 0.4375, "random": [0.875]}, "all": {"images": 64, "before": 0.5, "after": 0.375, "random": [0.5, 0.75]}, "settings": {"samples": 64}}"#;

/// A dissection with a result of each kind in its folder.
fn whole() -> (TempDir, Network) {
    let place = tempfile::tempdir().unwrap();
    let network = found(place.path());
    let units = Plan::read(place.path()).unwrap().layers.iter().find(|layer| layer.name == LAYER).unwrap().units;
    write(&place.path().join("causes/<b onclick=x>.json"), serde_json::to_string(&causal(units)).unwrap());
    edit(&place.path().join("edits/<b onclick=x>"), &network);
    write(&place.path().join("mended/repair.json"), REPAIR);
    write(
        &place.path().join("mended/candidates.json"),
        r#"{"real": "<q>r.zip", "candidates": [{"unit": 1, "distance": 0.5, "z": null}]}"#,
    );
    (place, network)
}

fn page(folder: &Path) -> String {
    let Report { html, notes } = report(folder, &Wanted::default()).unwrap();
    assert_eq!(notes, Vec::<String>::new());
    html
}

#[test]
fn hostile_names_are_only_texts() {
    let (place, _) = whole();
    let html = page(place.path());
    let tags = Tags::of(&html);
    for tag in tags.opened() {
        assert!(tag.attributes.iter().all(|(name, _)| !name.starts_with("on") && name != "style"), "{tag:?}");
    }
    assert_eq!(tags.opened().filter(|tag| tag.name == "script").count(), 1, "the page's own script alone");
    assert!(tags.opened().all(|tag| !["b onclick", "i", "u", "em"].contains(&tag.name.as_str())));
    let names = [CLASS, CATEGORY, LAYER, MODEL, SEGMENTER];
    for name in names {
        assert!(tags.texts().any(|text| text.contains(name)), "{name} can be read");
        assert!(!html.contains(name), "{name} stands there as it is");
    }
    assert!(!html.contains("<b onclick") && !html.contains("<b>z.npy") && !html.contains("<q>"));
}

#[test]
fn nothing_in_the_page_turns_the_direction_of_text() {
    let (place, _) = whole();
    let path = place.path().join(PLAN);
    let plan = std::fs::read_to_string(&path).unwrap();
    let turned = "d\u{202e}\u{2066}\u{200e}\u{200f}\u{61c}k";
    write(&path, plan.replace("\"dark\"", &format!("\"{turned}\"")));
    // In tables, lists and charts.
    let html = page(place.path());
    assert!(!html.chars().any(|c| c != '\n' && c != '\t' && base::is_deceptive(c)));
    assert!(html.matches(&format!("d{}k", "\u{fffd}".repeat(5))).count() > 3);
}

#[test]
fn the_best_places_for_a_class_come_first() {
    let (place, _) = whole();
    let html = page(place.path());
    let tags = Tags::of(&html);
    let all: Vec<String> = tags.texts().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect();
    let at = |wanted: &[&str]| all.windows(wanted.len()).position(|texts| texts == wanted);
    let best = at(&[CLASS, "1,234", "0.375", "0.062", "75 %"]).unwrap();
    assert!(best < at(&["worst", "1,234", "-0.500", "0.062", "75 %"]).unwrap());
    assert!(at(&[LAYER, "12 %", "3.1 %"]).is_some());
}

#[test]
fn the_page_loads_nothing_and_runs_nothing_else() {
    let (place, _) = whole();
    let html = page(place.path());
    let tags = Tags::of(&html);
    let policy = tags.opened().find(|tag| tag.get("http-equiv") == Some("Content-Security-Policy")).unwrap();
    let policy = policy.get("content").unwrap();
    assert!(policy.starts_with("default-src 'none'; img-src data:; ") && !policy.contains("unsafe"), "{policy}");
    let nonce = tags.opened().find(|tag| tag.name == "script").and_then(|tag| tag.get("nonce")).unwrap();
    assert!(nonce.len() == 32 && policy.contains(&format!("script-src 'nonce-{nonce}'")), "{policy}");
    for tag in tags.opened() {
        assert!(
            !["link", "iframe", "object", "embed", "base", "form", "use", "image"].contains(&tag.name.as_str()),
            "{tag:?}"
        );
        for (name, value) in &tag.attributes {
            match name.as_str() {
                "href" => assert!(value.starts_with('#'), "{tag:?}"),
                "src" => assert!(value.starts_with("data:image/"), "{tag:?}"),
                _ => assert!(!value.starts_with("http"), "{tag:?}"),
            }
        }
    }
    assert!(
        !html.contains("http://") && !html.contains("https://") && !html.contains("@import") && !html.contains("url(")
    );
}

#[test]
fn the_page_is_well_formed_and_its_links_lead_somewhere() {
    let (place, _) = whole();
    let html = page(place.path());
    let tags = Tags::of(&html);
    tags.check_nesting();
    let ids: Vec<&str> = tags.opened().filter_map(|tag| tag.get("id")).collect();
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "an id stands for one thing");
    for tag in tags.opened() {
        for name in ["href", "aria-labelledby", "aria-describedby", "for"] {
            let Some(target) = tag.get(name) else { continue };
            assert!(ids.contains(&target.trim_start_matches('#')), "{tag:?}");
        }
        assert!(tag.name != "img" || tag.get("alt").is_some_and(|alt| !alt.is_empty()), "{tag:?}");
    }
    let count = |name: &str| tags.opened().filter(|tag| tag.name == name).count();
    assert_eq!(count("table"), count("caption"), "every table says what it is");
    let scrolled = tags.opened().filter(|tag| tag.get("class") == Some("scroll")).count();
    assert_eq!(count("table"), scrolled, "every table can be wider than the page");
    assert_eq!((count("h1"), count("main"), count("nav")), (1, 1, 1));
    assert!(html.contains("class=\"swatch\"") && html.contains("fill=\"#000000\""), "classes have their colours");
    for section in ["layers", "classes", "causes", "edits", "repair", "units", "made"] {
        assert!(ids.contains(&section), "{section}");
    }
}

#[test]
fn numbers_are_those_that_were_found() {
    let (place, _) = whole();
    let html = page(place.path());
    let tags = Tags::of(&html);
    let table = std::fs::read_to_string(place.path().join("units.csv")).unwrap();
    let cards: Vec<_> = tags.opened().filter(|tag| tag.get("data-iou").is_some()).collect();
    assert_eq!(cards.len(), table.lines().count() - 1);
    let found = dissect::Dissection::read(place.path()).unwrap().findings();
    for (place, layer) in found.layers.iter().enumerate() {
        for unit in &layer.units {
            let id = format!("unit-{place}-{}", unit.unit);
            let card = cards.iter().find(|card| card.get("id") == Some(&id)).unwrap();
            assert_eq!(card.get("data-iou").unwrap(), format!("{:.6}", unit.iou));
            assert_eq!(card.get("data-class").unwrap(), unit.concept.map_or(String::new(), |c| c.to_string()));
        }
    }
    let texts: Vec<String> = tags.texts().collect();
    let has = |text: &str| texts.iter().any(|found| found.contains(text));
    assert!(has("25 %") && has("12 %") && has("6.2 %"), "the curve");
    assert!(has("75 %"), "three quarters of the class are gone");
    assert!(has("0.6250"), "the mean of the random draws");
    assert!(has("As many other real images are at "));
    assert!(has("--pool 77 "), "the command of the causes");
    assert!(
        has("ganatomy repair '<i>m' --layer '<u>' --real '<q>r.zip' --samples 64 --accept 1 --out "),
        "that of the repair"
    );
}

#[test]
fn what_lies_there_and_cannot_be_shown_is_said_and_what_is_named_must_be_right() {
    let (place, network) = whole();
    let at = |name: &str| place.path().join(name);
    write(&at("notes.json"), "{");
    write(&at("other.json"), r#"{"a": 1}"#);
    let mut other = causal(2);
    other.layer = "none".into();
    write(&at("other-layer.json"), serde_json::to_string(&other).unwrap());
    let another = Causal { networks: Some(["1", "2"].map(String::from)), ..causal(2) };
    write(&at("other-model.json"), serde_json::to_string(&another).unwrap());
    let mut stranger = Edited::read(&at("edits/<b onclick=x>")).unwrap();
    edit(&at("stranger"), &network);
    stranger.model.blake3 = "1".into();
    stranger.write(&at("stranger")).unwrap();
    let said = report(place.path(), &Wanted::default()).unwrap().notes;
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[0].ends_with("notes.json: corrupt: EOF while parsing an object at line 1 column 1"), "{said:?}");
    assert!(said[1].contains("other-layer.json: does not belong to this dissection: "), "{said:?}");
    assert!(said[2].ends_with("does not belong to this dissection: it is of another generator"), "{said:?}");
    assert!(
        said[3].contains("stranger: does not belong to this dissection: it is an edit of another generator"),
        "{said:?}"
    );

    let refused = |wanted: Wanted| report(place.path(), &wanted).unwrap_err().to_string();
    let causal = |name: &str| Wanted { causal: vec![at(name)], ..Wanted::default() };
    assert!(refused(causal("notes.json")).contains("notes.json: corrupt: "));
    assert!(refused(causal("other.json")).ends_with("other.json: holds no result of a search for causes"));
    assert!(refused(causal("units")).ends_with("units: holds no result of a search for causes"));
    assert!(refused(Wanted { edits: vec![at("stranger")], ..Wanted::default() }).contains("of another generator"));
    assert!(
        refused(Wanted { edits: vec![at("units")], ..Wanted::default() })
            .ends_with("units: is not an edit (no recipe.json)")
    );
    assert!(refused(Wanted { repair: Some(at("units")), ..Wanted::default() }).contains("units: is not a repair"));
    // What is named and lies there is shown once.
    let twice = Wanted { causal: vec![at("causes")], edits: vec![at("edits/<b onclick=x>")], ..Wanted::default() };
    let html = report(place.path(), &twice).unwrap().html;
    let articles = |class: &str| Tags::of(&html).opened().filter(|tag| tag.get("class") == Some(class)).count();
    assert_eq!((articles("cause"), articles("edit")), (1, 1));
}

#[test]
fn older_edits_show_their_sheet_and_broken_ones_say_so() {
    let (place, _) = whole();
    let folder = place.path().join("edits/<b onclick=x>");
    std::fs::remove_file(folder.join(EDITED)).unwrap();
    let html = page(place.path());
    assert!(html.contains("class=\"sheet\"") && !html.contains("type=\"range\""));
    write(&folder.join(EDITED), "{}");
    let notes = report(place.path(), &Wanted::default()).unwrap().notes;
    assert!(notes.len() == 1 && notes[0].contains("edit.json: corrupt: missing field"), "{notes:?}");
}

#[test]
fn broken_dissections_are_refused() {
    let (place, _) = whole();
    let refused = || report(place.path(), &Wanted::default()).unwrap_err().to_string();
    let picture = place.path().join("units/0/0.png");
    let bytes = std::fs::read(&picture).unwrap();
    std::fs::remove_file(&picture).unwrap();
    assert!(refused().ends_with("units/0/0.png: the picture of this unit is missing"), "{}", refused());
    assert!(report(place.path(), &Wanted { pictures: 0, ..Wanted::default() }).is_ok());
    write(&picture, &bytes[..bytes.len() / 2]);
    assert!(refused().contains("units/0/0.png: is a broken or truncated image"), "{}", refused());
    write(&picture, &bytes);
    assert!(report(place.path(), &Wanted::default()).is_ok());
    write(&place.path().join(PLAN), "{\"format\": 1");
    assert!(refused().contains("settings.json: corrupt: "), "{}", refused());
    let empty = tempfile::tempdir().unwrap();
    assert!(report(empty.path(), &Wanted::default()).unwrap_err().to_string().contains("is not a dissection"));
}

#[test]
fn pictures_can_be_few_and_the_page_says_so() {
    let (place, _) = whole();
    let made = |pictures, top_images| {
        let html = report(place.path(), &Wanted { pictures, top_images, ..Wanted::default() }).unwrap().html;
        (html.matches("class=\"top\"").count(), html.contains("<code>--pictures</code>"), html.len())
    };
    let layers = Plan::read(place.path()).unwrap().layers;
    assert_eq!(made(1, 2).0, layers.len());
    assert!(made(1, 2).1 && !made(1000, 2).1);
    assert_eq!(made(1000, 2).0, layers.iter().map(|layer| layer.units).sum::<usize>());
    assert!(made(1000, 1).2 < made(1000, 2).2);
}

/// Two dissections side by side, the second with other rules.
fn compared(folders: [&Path; 2]) -> Report {
    let read = || Vec::from(folders.map(|folder| Dissection::read(folder).unwrap()));
    comparison(read(), &Comparison::new(&read()))
}

#[test]
fn a_comparison_is_as_safe_as_a_page_and_holds_both() {
    let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [first, second] = [one.path().join("<b onclick=x>"), other.path().join("plain")];
    for folder in [&first, &second] {
        std::fs::create_dir(folder).unwrap();
        found_by(folder, 1.0);
    }
    let Report { html, notes } = compared([&first, &second]);
    assert_eq!(notes, Vec::<String>::new());
    let tags = Tags::of(&html);
    tags.check_nesting();
    for tag in tags.opened() {
        assert!(tag.attributes.iter().all(|(name, _)| !name.starts_with("on") && name != "style"), "{tag:?}");
        let foreign = ["link", "iframe", "object", "embed", "base", "form", "use", "image", "b onclick"];
        assert!(!foreign.contains(&tag.name.as_str()), "{tag:?}");
        assert!(tag.name != "img" || tag.get("src").is_some_and(|source| source.starts_with("data:image/")), "{tag:?}");
    }
    assert_eq!(tags.opened().filter(|tag| tag.name == "script").count(), 1, "the page's own script alone");
    for name in [CLASS, CATEGORY, LAYER, MODEL, "<b onclick=x>"] {
        assert!(tags.texts().any(|text| text.contains(name)) && !html.contains(name), "{name} is a text alone");
    }
    let texts: Vec<String> = tags.texts().collect();
    let has = |text: &str| texts.iter().any(|found| found.contains(text));
    assert!(has("all that follows can be compared"));
    assert!(has("ganatomy compare ") && has("ganatomy dissect "));
    let count = |name: &str| tags.opened().filter(|tag| tag.name == name).count();
    assert_eq!(count("table"), count("caption"));
    // Every class that a unit stands for has a tile for each of them.
    let best: std::collections::BTreeSet<_> = Dissection::read(&first)
        .unwrap()
        .findings()
        .layers
        .iter()
        .flat_map(|l| &l.concepts)
        .map(|d| d.concept.name.clone())
        .collect();
    assert!(!best.is_empty());
    assert_eq!(html.matches("<ul class=\"versus\">").count(), best.len());
    assert_eq!(count("img"), 2 * best.len());
    assert!(has("Made less by dissection 2 than by dissection 1: none."));
}

#[test]
fn what_cannot_be_compared_is_said_and_missing_pictures_are_left_out() {
    let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    found_by(one.path(), 1.0);
    found_by(other.path(), 1.0);
    let path = other.path().join(PLAN);
    let plan = std::fs::read_to_string(&path).unwrap().replace("\"dark\"", "\"dim\"");
    write(&path, plan);
    std::fs::remove_dir_all(other.path().join("units")).unwrap();
    let Report { html, notes } = compared([one.path(), other.path()]);
    assert!(
        !notes.is_empty() && notes.iter().all(|note| note.contains("the picture of this unit is missing")),
        "{notes:?}"
    );
    let texts: Vec<String> = Tags::of(&html).texts().collect();
    let has = |text: &str| texts.iter().any(|found| found.contains(text));
    assert!(has("their shares cannot be compared") && !has("all that follows can be compared"));
    assert!(has("no unit stands for it") || !html.contains(">dim<"));
}
