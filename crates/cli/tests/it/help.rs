//! What `--help` says is a promise, so a diff shows each change of it.

use crate::support::{Place, check};

#[test]
fn help_of_each_command() {
    let place = Place::new();
    check("help-ganatomy", &place.run("--help"));
    for command in commands_in(&place.succeed("--help")) {
        // It is part of the parser's, and shows what is shown here.
        if command == "help" {
            continue;
        }
        let help = place.run(&format!("{command} --help"));
        check(&format!("help-{command}"), &help);
        for part in commands_in(&help).into_iter().filter(|part| part != "help") {
            check(&format!("help-{command}-{part}"), &place.run(&format!("{command} {part} --help")));
        }
    }
}

/// The names that a help text lists as commands.
fn commands_in(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    listed
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|n| !n.is_empty()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_of_a_command_is_there_by_either_word() {
    let place = Place::new();
    for command in ["sample", "segmenter train"] {
        assert_eq!(place.succeed(&format!("help {command}")), place.succeed(&format!("{command} --help")));
    }
}

#[test]
fn the_version_is_one_line_and_more_when_asked_in_full() {
    let (short, long) = (Place::new().succeed("-V"), Place::new().succeed("--version"));
    assert_eq!(short, format!("ganatomy {}\n", env!("CARGO_PKG_VERSION")));
    let facts = long.strip_prefix(&short).unwrap_or_else(|| panic!("{long}"));
    let facts: Vec<_> = facts.lines().map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{long}"))).collect();
    let asked = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.git").exists();
    let names: Vec<&str> = facts.iter().map(|fact| fact.0).collect();
    match (names.as_slice(), asked) {
        // A checkout without git at hand says no commit either.
        (["commit", "instructions", "devices"], true) | (["instructions", "devices"], _) => {}
        _ => panic!("{long}"),
    }
    if names[0] == "commit" {
        assert!(facts[0].1.len() >= 12 && facts[0].1.bytes().all(|b| b.is_ascii_hexdigit()), "{long}");
    }
    let [.., (_, instructions), (_, devices)] = facts[..] else { panic!("{long}") };
    assert!(["portable", "AVX2", "AVX-512", "AVX-512 with BF16"].contains(&instructions), "{long}");
    assert!(devices.split(", ").next() == Some("CPU"), "{long}");
}

#[test]
fn wrong_command_lines() {
    let place = Place::new();
    let wrong = [
        "",
        "smaple",
        "sample",
        "sample m --seeds 4..4",
        "sample m --seeds 0..4 --latents z.npy",
        "sample m --batch 0",
        "interpolate m --out a.png --steps 1",
        "data preview scenes --size 0",
        "completions tcsh",
    ];
    for words in wrong {
        assert_eq!(place.output(words).status.code(), Some(2), "{words}");
    }
    check("wrong-command-lines", &wrong[1..].iter().map(|words| place.run(words) + "\n").collect::<String>());
}

#[test]
fn every_command_has_a_manual_page() {
    let place = Place::new();
    assert_eq!(place.succeed("man pages"), "pages\n");
    let names = place.names("pages");
    for name in ["ganatomy.1", "ganatomy-evolve.1", "ganatomy-segmenter-train.1", "ganatomy-man.1", "ganatomy-keys.5"] {
        assert!(names.contains(&name.to_owned()), "{name}: {names:?}");
    }
    let page = String::from_utf8(place.read("pages/ganatomy-segmenter-train.1")).unwrap();
    assert!(
        page.contains("ganatomy segmenter train") && page.contains("held\\_out") || page.contains("\\-\\-steps"),
        "{page}"
    );
    let keys = String::from_utf8(place.read("pages/ganatomy-keys.5")).unwrap();
    assert!(keys.contains("\\fBimage.size\\fR") && keys.contains(".SH EVOLVE"), "{keys}");
}

#[test]
fn every_shell_gets_completions() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(place.succeed(&format!("completions {shell}")).contains("interpolate"), "{shell}");
    }
}
