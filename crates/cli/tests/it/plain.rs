//! Libraries know settings and operations; flags and commands belong to the program alone.

use std::path::{Path, PathBuf};

/// What repeats the user's command line, because that is its content: the page of a dissection.
const COMMAND_LINES: [&str; 3] = ["report/src/made.rs", "report/src/repair.rs", "report/src/classes.rs"];

#[test]
fn no_library_names_a_flag_or_a_command() {
    let rooms = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources = Vec::new();
    for room in std::fs::read_dir(rooms).unwrap() {
        let room = room.unwrap().path();
        if room.file_name().unwrap() != "cli" {
            collect(&room.join("src"), &mut sources);
        }
    }
    assert!(sources.len() > 100, "{}", sources.len());
    let mut named = Vec::new();
    for path in sources {
        let shown = path.strip_prefix(rooms).unwrap().to_string_lossy().replace('\\', "/");
        if COMMAND_LINES.contains(&&*shown) || shown.contains("/tests") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        // Tests may speak as users do; they come last in a file.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for (line, number) in code.lines().zip(1..) {
            if !line.trim_start().starts_with("//") && (has_flag(line) || line.contains("`ganatomy ")) {
                named.push(format!("{shown}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(named.is_empty(), "name the setting or the operation instead, in backticks:\n{}", named.join("\n"));
}

/// Whether a line holds something like `--out`; `var(--ink)` and `<!--` are none.
fn has_flag(line: &str) -> bool {
    let before = |at: usize| line[..at].chars().next_back().unwrap_or(' ');
    let after = |at: usize| line[at + 2..].starts_with(|c: char| c.is_ascii_lowercase());
    line.match_indices("--").any(|(at, _)| after(at) && matches!(before(at), ' ' | '"' | '`' | '\''))
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn a_flag_is_told_from_what_looks_like_one() {
    assert!(has_flag("with_hint(\"Give --out.\")") && has_flag("(\"--out\", 1)") && has_flag("`--x`"));
    assert!(!has_flag("=\"var(--plot-{name})\"") && !has_flag("<!-- x -->") && !has_flag("i -- 1"));
}
