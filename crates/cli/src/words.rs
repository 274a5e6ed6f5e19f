//! How the command line calls what libraries name. Their errors know settings (`real_samples`) and operations
//! (`segmenter train`), not flags and commands; here the former become the latter.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// Settings that some commands call otherwise: the setting, the flag. The first one that the command has is meant.
const OTHERWISE: [(&str, &str); 6] = [
    ("layers", "layer"),
    ("candidates", "units"),
    ("image.size", "size"),
    ("grid", "out"),
    ("animation", "out"),
    ("cloud", "out"),
];

/// The words of the running command, and of all others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    /// The flags of the running command, without dashes, and whether the user has typed them.
    flags: Vec<(String, bool)>,
    /// The settings that were typed with `--set`.
    set: Vec<String>,
    /// What the command takes without a flag, as its help calls it (`TOY`).
    places: Vec<String>,
    /// The commands that do something, by all their words, with their flags.
    commands: Vec<(String, Vec<String>)>,
}

impl Words {
    /// Of the command that was typed.
    pub(crate) fn of(program: &Command, typed: &ArgMatches) -> Self {
        let (mut command, mut typed) = (program, typed);
        while let Some((name, below)) = typed.subcommand() {
            let Some(found) = command.find_subcommand(name) else { break };
            (command, typed) = (found, below);
        }
        let is_typed = |id: &str| typed.value_source(id) == Some(ValueSource::CommandLine);
        let flag = |arg: &clap::Arg| Some((arg.get_long()?.to_owned(), is_typed(arg.get_id().as_str())));
        let mut words = Self { flags: command.get_arguments().filter_map(flag).collect(), ..Self::default() };
        let set = command.get_arguments().find(|arg| arg.get_long() == Some("set")).map(|arg| arg.get_id().as_str());
        let place = |arg: &clap::Arg| arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string);
        words.places = command.get_positionals().filter_map(place).collect();
        if let Some(Ok(Some(values))) = set.map(|id| typed.try_get_many::<String>(id)) {
            words.set = values.map(|entry| entry.split('=').next().unwrap_or_default().trim().to_owned()).collect();
        }
        words.collect(program, "");
        words
    }

    fn collect(&mut self, command: &Command, path: &str) {
        for part in command.get_subcommands() {
            let path = if path.is_empty() { part.get_name().to_owned() } else { format!("{path} {}", part.get_name()) };
            let by_itself = !part.has_subcommands() || part.get_positionals().next().is_some();
            self.collect(part, &path);
            if by_itself {
                let flags = part.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned));
                self.commands.push((path, flags.collect()));
            }
        }
    }

    /// What the user calls a setting that is at fault. Where the value may come from elsewhere (by `--set`, from a model that the data must
    /// fit, or a class from an edit), only a flag that was typed is named.
    pub(crate) fn key(&self, setting: &str) -> String {
        let has = |wanted: &str| self.flags.iter().any(|(flag, _)| flag == wanted);
        let elsewhere = setting.contains('.') || has("set") || setting == "class" && has("ablate");
        match self.flag(setting) {
            Some((flag, typed)) if *typed || !elsewhere => format!("--{flag}"),
            _ => setting.to_owned(),
        }
    }

    /// Whether the value of a setting stands on the command line.
    pub(crate) fn was_typed(&self, setting: &str) -> bool {
        let by_flag = self.flag(setting.trim_start_matches("--")).is_some_and(|(_, typed)| *typed);
        // Where edits were typed, so were their layers, units and classes.
        let is_typed = |flag: &str| self.flags.iter().any(|(name, typed)| name == flag && *typed);
        let of_edit = setting.starts_with("edit of ") || ["layers", "class"].contains(&setting);
        by_flag
            || setting == "set"
            || self.set.iter().chain(&self.places).any(|key| key == setting)
            || of_edit && ["ablate", "scale", "insert"].into_iter().any(is_typed)
    }

    /// A library's hint for the terminal. In backticks it names a setting, perhaps with a value, or an operation, perhaps with
    /// settings; whatever else stands there stays.
    pub(crate) fn text(&self, text: &str) -> String {
        let parts = text.split('`').enumerate();
        let said = parts.map(|(place, part)| match place % 2 {
            0 => part.to_owned(),
            _ => self.reached(part).unwrap_or_else(|| format!("`{part}`")),
        });
        // A backtick without a partner belongs to a name.
        if text.matches('`').count().is_multiple_of(2) { said.collect() } else { text.to_owned() }
    }

    fn reached(&self, words: &str) -> Option<String> {
        let is_meant = |path: &&(String, Vec<String>)| {
            words.strip_prefix(path.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let Some((path, flags)) = self.commands.iter().find(is_meant) else {
            let (first, rest) = words.split_once(' ').map_or((words, None), |(first, rest)| (first, Some(rest)));
            let (flag, _) = self.flag(first)?;
            return Some(rest.map_or_else(|| format!("--{flag}"), |rest| format!("--{flag} {rest}")));
        };
        let flag = |word: &str| {
            let dashed = dashed(word);
            if flags.contains(&dashed) { format!("--{dashed}") } else { word.to_owned() }
        };
        let rest: Vec<String> = words[path.len()..].split(' ').map(flag).collect();
        Some(format!("`ganatomy {path}{}`", rest.join(" ")))
    }

    fn flag(&self, setting: &str) -> Option<&(String, bool)> {
        let find = |name: &str| self.flags.iter().find(|(flag, _)| flag == name);
        let others = OTHERWISE.iter().filter(|(other, _)| *other == setting);
        find(&dashed(setting)).or_else(|| others.into_iter().find_map(|(_, flag)| find(flag)))
    }
}

/// The command that these words are, as far as it can be told.
pub(crate) fn command_in(program: &Command, words: impl Iterator<Item = String>) -> String {
    let (mut command, mut path) = (program, Vec::new());
    for word in words.filter(|word| !word.starts_with('-')) {
        let Some(found) = command.find_subcommand(&word) else { break };
        (command, path) = (found, [path, vec![word]].concat());
    }
    path.join(" ")
}

fn dashed(setting: &str) -> String {
    setting.replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use clap::CommandFactory;

    fn of(line: &str) -> Words {
        let program = Arguments::command();
        let typed = program.clone().try_get_matches_from(line.split(' ')).unwrap();
        Words::of(&program, &typed)
    }

    #[test]
    fn a_setting_is_called_by_the_flag_of_the_command() {
        let dissect = of("ganatomy dissect m --segmenter s");
        let keys = ["layers", "real_samples", "min_iou", "seed", "planes"].map(|key| dissect.key(key));
        assert_eq!(keys, ["--layers", "--real-samples", "--min-iou", "--seed", "planes"]);
        let repair = of("ganatomy repair m --layer 2 --real r");
        assert_eq!(["layers", "candidates"].map(|key| repair.key(key)), ["--layer", "--units"]);
        assert_eq!(of("ganatomy data preview scenes --size 9").key("image.size"), "--size");
        assert_eq!(of("ganatomy data preview scenes").key("image.size"), "image.size");
        assert_eq!(of("ganatomy sample m").key("grid"), "--out");
    }

    #[test]
    fn where_settings_come_from_elsewhere_a_flag_is_named_only_if_it_was_typed() {
        let evolve = of("ganatomy evolve --data scenes --set seed=1");
        assert_eq!(["data", "seed", "batch", "set"].map(|key| evolve.key(key)), ["--data", "seed", "batch", "--set"]);
    }

    #[test]
    fn what_was_typed_is_known() {
        let evolve = of("ganatomy evolve --data scenes --set batch=0 --preset modern");
        let typed = ["batch", "preset", "--data", "lr_g", "seed", "out"].map(|key| evolve.was_typed(key));
        assert_eq!(typed, [true, true, true, false, false, false]);
        assert!(of("ganatomy trial ring9").was_typed("TOY"));
        assert!(of("ganatomy edit m --ablate 1:2").was_typed("edit of 1"));
        assert!(!of("ganatomy edit m --recipe r.json").was_typed("edit of 1"));
    }

    #[test]
    fn the_command_is_told_from_words_that_are_wrong() {
        let of = |line: &str| command_in(&Arguments::command(), line.split(' ').map(str::to_owned));
        assert_eq!(of("-q segmenter --json train --nonsense"), "segmenter train");
        assert_eq!((of("sample scenes"), of("sampel scenes")), ("sample".into(), String::new()));
    }

    #[test]
    fn what_texts_name_becomes_what_can_be_typed() {
        let merge = of("ganatomy merge a --out b");
        for (text, said) in [
            ("Choose another with `out`.", "Choose another with --out."),
            ("Take `device cpu`, or `device gpu`.", "Take --device cpu, or --device gpu."),
            ("Run `dissect` again.", "Run `ganatomy dissect` again."),
            ("Train one: `segmenter train size`.", "Train one: `ganatomy segmenter train --size`."),
            ("Go on by `resume runs/a  b`.", "Go on by `ganatomy resume runs/a  b`."),
            ("There is a `layer` and a `dissection`.", "There is a `layer` and a `dissection`."),
            ("`out: no partner", "`out: no partner"),
        ] {
            assert_eq!(merge.text(text), said);
        }
        // A flag of `report` is called as the operation whose result it takes.
        assert_eq!(of("ganatomy report found").text("What `edit` writes."), "What `ganatomy edit` writes.");
    }
}
