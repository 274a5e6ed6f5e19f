//! `ganatomy settings` and `ganatomy presets`

use crate::support::{Place, check};

#[test]
fn settings_and_presets_are_listed() {
    let place = Place::new();
    check("settings", &place.run("settings"));
    check("settings-found", &place.run("settings penalty --preset modern"));
    check("settings-none", &(place.run("settings batsh") + "\n" + &place.run("settings --preset moderm")));
    check("presets", &place.run("presets"));
}

#[test]
fn shells_complete_settings() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.succeed(&format!("completions {shell}"));
        for entry in ["gamma=", "selection=pareto", "augment.flip=true"] {
            assert!(script.contains(entry), "{shell}: {entry}");
        }
    }
}
