//! What `--help` says is a promise, so a diff shows each change of it.

use crate::support::{Place, check};

#[test]
fn help_of_each_command() {
    let place = Place::new();
    for command in ["", "sample", "interpolate", "data", "data preview", "inspect", "completions"] {
        let words = format!("{command} --help");
        let name = if command.is_empty() { "ganatomy" } else { command };
        check(&format!("help {name}").replace(' ', "-"), &place.run(words.trim()));
    }
}

#[test]
fn the_version_is_one_line() {
    assert_eq!(Place::new().succeed("--version"), format!("ganatomy {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_command_lines() {
    let place = Place::new();
    let wrong = ["", "smaple", "sample", "sample m --seeds 4..4", "sample m --seeds 0..4 --latents z.npy",
        "sample m --batch 0", "interpolate m --out a.png --steps 1", "data preview scenes --size 0", "completions tcsh"];
    for words in wrong {
        assert_eq!(place.output(words).status.code(), Some(2), "{words}");
    }
    check("wrong-command-lines", &wrong[1..].iter().map(|words| place.run(words) + "\n").collect::<String>());
}

#[test]
fn every_shell_gets_completions() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(place.succeed(&format!("completions {shell}")).contains("interpolate"), "{shell}");
    }
}
