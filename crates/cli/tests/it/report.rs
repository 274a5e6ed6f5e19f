//! `ganatomy report`: the page says what the tables say, and how to make it again.

use crate::support::{Place, check};
use std::collections::BTreeSet;

const SMALL: &str = "-q dissect scenes --segmenter scenes --layers 2,3 --samples 48 --fit-samples 16 --top-images 2";

fn text(place: &Place, name: &str) -> String {
    String::from_utf8(place.read(name)).unwrap()
}

/// The value of an attribute in the tag of the card with this anchor.
fn of_card<'a>(page: &'a str, anchor: &str, name: &str) -> &'a str {
    let tag = page.split(&format!("id=\"{anchor}\"")).nth(1).unwrap().split('>').next().unwrap();
    tag.split(&format!(" data-{name}=\"")).nth(1).unwrap().split('"').next().unwrap()
}

#[test]
fn the_page_says_what_the_tables_say() {
    let place = Place::new();
    place.succeed(&format!("{SMALL} --real scenes --real-samples 32 --out d"));
    place
        .succeed("-q edit scenes --ablate 2:cloud/20 --dissection d --segmenter scenes --seeds 0..3 --out d/no-clouds");
    place.succeed("-q causal d --layer 3 --class cloud --pool 16 --epochs 1 --curve-images 4 --insertion-images 1 --out cloud.json");
    assert_eq!(place.succeed("-q report d --causal cloud.json --top-images 1"), "d/report.html\n");
    let page = text(&place, "d/report.html");

    let units = text(&place, "d/units.csv");
    let mut interpretable = 0;
    let mut classes = BTreeSet::new();
    for row in units.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let anchor = format!("unit-{}-{}", usize::from(fields[0] == "3"), fields[1]);
        assert_eq!(of_card(&page, &anchor, "iou"), fields[4], "{row}");
        assert_eq!(of_card(&page, &anchor, "iqr"), fields[5], "{row}");
        assert_eq!(of_card(&page, &anchor, "fdr"), fields[13], "{row}");
        assert_eq!(of_card(&page, &anchor, "interpretable"), fields[7], "{row}");
        let words = [fields[0], fields[2], fields[3], fields[1]];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        assert_eq!(of_card(&page, &anchor, "words"), words.join(" "), "{row}");
        if fields[7] == "true" {
            interpretable += 1;
            classes.insert(fields[2]);
        }
    }
    assert!(page.contains(&format!("<dd>{interpretable} <small>of 192 units</small></dd>")), "{interpretable}");
    let pictures = page.matches("data:image/jpeg").count();
    assert_eq!(
        pictures,
        2 * 32 + classes.len() + 1,
        "so many units of a layer, the best one of each class, and samples"
    );
    assert_eq!(page.matches("data:image/png").count(), 2 * 3, "three images before and after");
    assert!(page.contains("What causes <a href=\"#class-1\">cloud</a> in layer 3"));
    for line in text(&place, "d/classes.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        assert!(
            page.contains(&format!(">{}</a>", fields[0])) && page.contains(&format!("data-key=\"{}\"", fields[2])),
            "{line}"
        );
    }

    // The commands that it names do the same again: nothing is refused, and nothing changes.
    let commands = page.split("<pre tabindex=\"0\"><code>").nth(1).unwrap().split("</code>").next().unwrap();
    let commands: Vec<&str> = commands.lines().filter_map(|line| line.strip_prefix("ganatomy ")).collect();
    assert_eq!(commands.len(), 4, "{commands:?}");
    let files =
        ["d/settings.json", "d/dissection.json", "cloud.json", "d/no-clouds/sheet.png", "d/no-clouds/edit.json"];
    let before: Vec<Vec<u8>> = files.iter().map(|file| place.read(file)).collect();
    std::fs::remove_file(place.path("cloud.json")).unwrap();
    for command in &commands[..3] {
        place.succeed(&format!("-q {command}"));
    }
    for (file, before) in files.iter().zip(before) {
        assert!(place.read(file) == before, "{file}");
    }
    place.succeed("-q report d --causal cloud.json --top-images 1 --out again.html");
    assert!(text(&place, "again.html") == page, "the same folder gives the same page");
}

#[test]
fn what_cannot_be_reported() {
    let place = Place::new();
    place
        .succeed("-q dissect scenes --segmenter scenes --layers 4 --samples 16 --fit-samples 1 --top-images 1 --out d");
    place.write("empty/thesis.tex", b"x");
    place.write("notes.json", b"{");
    place.write("d/found.json", b"{");
    let mut words = vec![
        "report empty",
        "report d --out page.pdf",
        "report d --out d",
        "report d --out notes.json/page.html",
        "report d --causal notes.json",
        "report d --causal nowhere.json",
        "report d --causal empty",
        "report d --edit empty",
        "report d --repair empty",
        "report d --top-images 0",
        "report d",
    ];
    if cfg!(target_os = "linux") {
        words.push("report d --out /dev/full");
    }
    let mut said: String = words.iter().map(|words| place.run(words) + "\n").collect();
    let whole = place.read("d/dissection.json");
    std::fs::remove_file(place.path("d/units/4/7.png")).unwrap();
    said += &(place.run("report d") + "\n");
    // The cure that is named is one.
    std::fs::remove_file(place.path("d/dissection.json")).unwrap();
    place
        .succeed("-q dissect scenes --segmenter scenes --layers 4 --samples 16 --fit-samples 1 --top-images 1 --out d");
    assert!(place.read("d/dissection.json") == whole);
    std::fs::remove_file(place.path("d/found.json")).unwrap();
    place.succeed("-q report d --out page.html");
    let tally = place.read("d/tally.npz");
    place.write("d/tally.npz", &tally[..tally.len() / 2]);
    said += &(place.run("report d") + "\n");
    place.write("d/settings.json", b"{\"format\": 1,");
    said += &(place.run("report d") + "\n");
    check("report-refused", &said);
}
