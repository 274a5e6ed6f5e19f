//! What documents say about the whole workspace is what its manifests and its source say. In a package of this crate alone
//! there is no workspace, and nothing to compare.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const SKIPPED: &str = "skipped: this is no checkout of the workspace";

/// The root of the workspace, where there is one.
fn workspace() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("ARCHITECTURE.md").is_file().then_some(root)
}

/// The packages of the workspace, as cargo reads their manifests.
fn packages(root: &Path) -> Vec<Value> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]).current_dir(root);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// A package that is a room, by its folder in `crates`.
fn room(package: &Value) -> Option<String> {
    let folder = Path::new(package["manifest_path"].as_str()?).parent()?;
    (folder.parent()?.file_name()? == "crates").then(|| folder.file_name().unwrap().to_str().unwrap().to_owned())
}

/// The rooms with what each may know, from the top of the table to its end.
fn table(architecture: &str) -> Vec<(String, BTreeSet<String>)> {
    let lines =
        architecture.lines().skip_while(|line| !line.starts_with("| Crate | Responsible for | Knows |")).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        (names(cells[0])[0].clone(), names(cells[cells.len() - 1]).into_iter().collect())
    })
    .collect()
}

#[test]
fn arrows_between_rooms_are_those_of_the_table() {
    let Some(root) = workspace() else { return println!("{SKIPPED}") };
    let allowed = table(&std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap());
    let packages = packages(&root);
    let room_of: BTreeMap<&str, String> =
        packages.iter().filter_map(|p| Some((p["name"].as_str()?, room(p)?))).collect();
    let mut wrong = String::new();
    let mut seen = BTreeSet::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        let Some(from) = room_of.get(name) else { continue };
        seen.insert(from.clone());
        let Some(place) = allowed.iter().position(|row| row.0 == *from) else {
            writeln!(wrong, "{from} has no row in the table").unwrap();
            continue;
        };
        let above: BTreeSet<&String> = allowed[..place].iter().map(|row| &row.0).collect();
        let mut known = BTreeSet::new();
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            let Some(to) = room_of.get(other) else { continue };
            if !above.contains(to) && to != from {
                writeln!(wrong, "{from} depends on {to}, which does not stand above it in the table").unwrap();
            }
            // Tests may know more, as long as it stands above.
            if dependency["kind"].is_null() {
                known.insert(to.clone());
            }
        }
        if known != allowed[place].1 {
            let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            writeln!(wrong, "{from} knows {}; the table says {:?}", names.join(", "), allowed[place].1).unwrap();
        }
    }
    for (name, _) in allowed.iter().filter(|row| !seen.contains(&row.0)) {
        writeln!(wrong, "{name} is in the table and not in crates/").unwrap();
    }
    assert!(wrong.is_empty(), "ARCHITECTURE.md's table of rooms and the manifests do not agree:\n{wrong}");
}

/// A crate published without one of these is refused by the registry, or takes a common name in the programs of others.
#[test]
fn every_crate_says_what_a_registry_asks_for() {
    let Some(root) = workspace() else { return println!("{SKIPPED}") };
    let mut wrong = String::new();
    for package in packages(&root) {
        let name = package["name"].as_str().unwrap();
        if package["publish"].as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        let mut asks = |good: bool, what: &str| {
            if !good {
                writeln!(wrong, "{name}: {what}").unwrap();
            }
        };
        let count = |key: &str| package[key].as_array().map_or(0, Vec::len);
        for key in ["description", "license", "readme"] {
            asks(package[key].is_string(), key);
        }
        asks((1..=5).contains(&count("keywords")), "one to five keywords");
        asks((1..=5).contains(&count("categories")), "one to five categories");
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
        for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
            asks(folder.join(file).is_file(), &format!("a link to the workspace's {file}"));
        }
        for target in package["targets"].as_array().unwrap() {
            if target["kind"].as_array().unwrap().iter().any(|kind| kind == "lib") {
                let prefixed = target["name"].as_str().unwrap().starts_with("ganatomy");
                asks(prefixed, "the name of its library begins with ganatomy");
            }
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            let version = dependency["path"].is_null() || dependency["req"] != "*";
            asks(version, &format!("the dependency on {} needs a version beside its path", dependency["name"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Unsafe blocks, functions, and implementations in a source text.
fn unsafe_in(source: &str) -> [usize; 3] {
    let mut counts = [0; 3];
    for line in source.lines() {
        let code = line.split("//").next().unwrap_or_default();
        for (place, _) in code.match_indices("unsafe") {
            let part_of_a_word = code[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let next = code[place + "unsafe".len()..].trim_start();
            let kind = match next {
                _ if part_of_a_word => continue,
                _ if next.starts_with('{') => 0,
                _ if next.starts_with("fn ") => 1,
                _ if next.starts_with("impl") => 2,
                _ => continue,
            };
            counts[kind] += 1;
        }
    }
    counts
}

fn unsafe_under(folder: &Path) -> [usize; 3] {
    let mut counts = [0; 3];
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let found = if entry.is_dir() {
            unsafe_under(&entry)
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            unsafe_in(&std::fs::read_to_string(&entry).unwrap())
        } else {
            continue;
        };
        counts = std::array::from_fn(|kind| counts[kind] + found[kind]);
    }
    counts
}

#[test]
fn the_count_of_unsafe_code_knows_code_from_comments() {
    let source = "/// unsafe { }\nunsafe fn f() { unsafe{ g() }; unsafe { h() } }\nunsafe impl Send for T {}\nlet not_unsafe { }";
    assert_eq!(unsafe_in(source), [2, 1, 1]);
}

#[test]
fn the_security_policy_counts_unsafe_code_rightly() {
    let Some(root) = workspace() else { return println!("{SKIPPED}") };
    let mut rows = BTreeMap::new();
    for entry in std::fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.join("src").is_dir() {
            let counts = unsafe_under(&entry.join("src"));
            if counts != [0; 3] {
                let name = entry.file_name().unwrap().to_str().unwrap().to_owned();
                let [blocks, functions, implementations] = counts;
                rows.insert(name.clone(), format!("| `{name}` | {blocks} | {functions} | {implementations} |\n"));
            }
        }
    }
    let head = "| Crate | `unsafe` blocks | `unsafe` functions | `unsafe` implementations |\n|---|---|---|---|\n";
    let right = rows.into_values().fold(head.to_owned(), |table, row| table + &row);
    let policy = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    assert!(policy.contains(&format!("\n{right}\n")), "SECURITY.md should count:\n\n{right}");
}

#[test]
fn each_test_that_a_promise_names_exists() {
    let Some(root) = workspace() else { return println!("{SKIPPED}") };
    let page = std::fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let table = page.split("## The promises, and what decides each").nth(1).unwrap().split("\n## ").next().unwrap();
    let is_test = |word: &&str| word.contains('_') && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let named: BTreeSet<&str> = table.split('`').skip(1).step_by(2).filter(is_test).collect();
    assert!(named.len() > 30, "{named:?}");
    let mut source = String::new();
    collect_source(&root.join("crates"), &mut source);
    let lints = ["unwrap_used", "expect_used", "indexing_slicing"];
    let missing: Vec<_> =
        named.iter().filter(|name| !lints.contains(name) && !source.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "docs/reliability.md names tests that do not exist: {missing:?}");
}

fn collect_source(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_source(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn the_book_has_every_page() {
    let Some(root) = workspace() else { return println!("{SKIPPED}") };
    let docs = root.join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let mut missing: Vec<String> = std::fs::read_dir(&docs)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| std::path::Path::new(name).extension().is_some_and(|ending| ending == "md"))
        .filter(|name| name != "SUMMARY.md" && !summary.contains(&format!("({name})")))
        .collect();
    missing.sort();
    assert_eq!(missing, [""; 0], "pages that docs/SUMMARY.md does not name");
}
