//! `ganatomy settings` and `ganatomy presets`: what can be set, and where it starts from.

use crate::console;
use crate::exit::{self, Code};
use anyhow::Result;
use base::Error;
use evolve::{PRESETS, about_preset};
use serde::Serialize;
use std::collections::BTreeMap;
use train::RunSettings;
use train::settings::Key;

/// List the settings of trainings: what each is for, which values it takes, where it starts
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A setting is given with --set KEY=VALUE, or as a line of a file for --config. What a preset gives
it stands beside its name.

Examples:
  ganatomy settings
  ganatomy settings penalty
  ganatomy settings --preset modern
  ganatomy settings --json | jq '.settings[] | select(.key == \"gamma\")'")]
pub(crate) struct Settings {
    /// Only settings whose name or description holds this
    find: Option<String>,

    /// The preset whose values are shown
    #[arg(long, value_name = "NAME", default_value = evolve::usual_preset(false))]
    preset: String,
}

/// List the presets of `evolve`: what each is for, and where they differ
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ganatomy presets
  ganatomy presets --points")]
pub(crate) struct Presets {
    /// For points of the plane instead of images
    #[arg(long)]
    points: bool,
}

/// A setting with what is known of it.
#[derive(Serialize)]
pub(super) struct Told {
    /// The command that takes it.
    pub(super) command: &'static str,
    pub(super) key: &'static str,
    pub(super) values: String,
    pub(super) about: &'static str,
    /// Its value in each preset; of a training without presets under an empty name.
    pub(super) starts: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Json {
    settings: Vec<Told>,
}

#[derive(Serialize)]
struct JsonPresets {
    presets: Vec<JsonPreset>,
}

#[derive(Serialize)]
struct JsonPreset {
    name: &'static str,
    about: &'static str,
    settings: BTreeMap<String, String>,
}

impl Settings {
    pub(crate) fn run(self) -> Result<Code> {
        // Refuses what is no preset.
        evolve::Settings::preset(&self.preset, false)?;
        let wanted = self.find.as_deref().unwrap_or_default().to_lowercase();
        let holds = |told: &Told| told.key.contains(&wanted) || told.about.to_lowercase().contains(&wanted);
        let mut settings = all()?;
        settings.retain(holds);
        if settings.is_empty() {
            let names = evolve::Settings::KEYS.iter().chain(segment::Settings::KEYS).map(|key| key.name);
            let hint = base::known_names(&wanted, "settings", names);
            return Err(Error::setting("FIND", format!("no setting is called or about {wanted:?}"))
                .with_hint(hint)
                .into());
        }
        let text = shown(&settings, &self.preset, !wanted.is_empty());
        console::result(&Json { settings }, || text)?;
        Ok(exit::DONE)
    }
}

impl Presets {
    pub(crate) fn run(self) -> Result<Code> {
        let values = |name: &'static str| -> Result<JsonPreset> {
            let preset = evolve::Settings::preset(name, self.points)?;
            let settings = preset.as_typed().into_iter().collect();
            Ok(JsonPreset { name, about: about_preset(name), settings })
        };
        let presets = PRESETS.into_iter().map(values).collect::<Result<Vec<_>>>()?;
        let text = compared(&presets);
        console::result(&JsonPresets { presets }, || text)?;
        Ok(exit::DONE)
    }
}

/// All settings, those of `evolve` first.
pub(super) fn all() -> Result<Vec<Told>> {
    let mut starts: Starts = BTreeMap::new();
    for name in PRESETS {
        starts.insert(name, evolve::Settings::preset(name, false)?.as_typed());
    }
    let segmenter = BTreeMap::from([("", segment::Settings::preset("").as_typed())]);
    let evolving = evolve::Settings::KEYS.iter().map(|key| told::<evolve::Settings>(key, &starts));
    Ok(evolving.chain(segment::Settings::KEYS.iter().map(|key| told::<segment::Settings>(key, &segmenter))).collect())
}

/// All values by key, for each preset.
type Starts = BTreeMap<&'static str, Vec<(String, String)>>;

fn told<S: RunSettings>(key: &Key, starts: &Starts) -> Told {
    let value = |values: &Vec<(String, String)>| {
        values.iter().find(|(name, _)| name == key.name).map_or_else(String::new, |(_, value)| value.clone())
    };
    let starts = starts.iter().map(|(name, values)| (*name, value(values))).collect();
    Told { command: S::COMMAND, key: key.name, values: key.values.to_string(), about: key.about, starts }
}

fn shown(settings: &[Told], preset: &str, each: bool) -> String {
    let start = |told: &Told| told.starts.get(preset).or_else(|| told.starts.get("")).cloned().unwrap_or_default();
    let names = settings.iter().map(|told| told.key.len()).max().unwrap_or(0);
    let widest = settings.iter().map(|told| start(told).len()).max().unwrap_or(0).min(16);
    let mut lines = Vec::new();
    let mut command = "";
    for told in settings {
        if told.command != command {
            command = told.command;
            let from =
                if told.starts.contains_key("") { String::new() } else { format!(", as the preset {preset} has them") };
            lines.push(format!("{}{command}{from}\n", if lines.is_empty() { "" } else { "\n" }));
        }
        let start = start(told);
        // A long list has a line of its own.
        let (beside, below) = if start.len() > widest { (String::new(), start) } else { (start, String::new()) };
        let indent = " ".repeat(names + widest + 6);
        lines.push(format!("  {:names$}  {beside:widest$}  {}", told.key, told.about));
        lines.push(format!("{indent}{}", told.values));
        if !below.is_empty() {
            lines.push(format!("{indent}now {below}"));
        }
        if each && told.starts.len() > 1 {
            let starts: Vec<String> = told.starts.iter().map(|(name, value)| format!("{name} {value}")).collect();
            lines.push(format!("{indent}{}", starts.join("; ")));
        }
    }
    lines.join("\n") + "\n"
}

fn compared(presets: &[JsonPreset]) -> String {
    let names = presets.iter().map(|preset| preset.name.len()).max().unwrap_or(0);
    let mut text: String =
        presets.iter().map(|preset| format!("{:names$}  {}\n", preset.name, preset.about)).collect::<Vec<_>>().concat();
    let mut rows = vec![vec![String::new()]];
    rows[0].extend(presets.iter().map(|preset| preset.name.to_owned()));
    for key in evolve::Settings::KEYS.iter().filter(|key| key.name != "preset") {
        let values: Vec<&str> =
            presets.iter().map(|preset| preset.settings.get(key.name).map_or("", String::as_str)).collect();
        if values.iter().any(|value| *value != values[0]) {
            rows.push(std::iter::once(key.name).chain(values).map(str::to_owned).collect());
        }
    }
    text += "\nWhere they differ:\n\n";
    let columns = rows[0].len();
    let widths: Vec<usize> =
        (0..columns).map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0)).collect();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// The page `docs/settings.md`.
#[cfg(test)]
fn page() -> Result<String> {
    let settings = all()?;
    let mut lines = vec![
        "# Settings\n".to_owned(),
        "`ganatomy settings` prints this list, `ganatomy presets` where the presets differ. A setting is given with `--set KEY=VALUE`, or as a line of a".into(),
        "file for `--config`. A test keeps this page equal to the program's table.".into(),
    ];
    for command in [evolve::Settings::COMMAND, segment::Settings::COMMAND] {
        let presets = if command == evolve::Settings::COMMAND { PRESETS.to_vec() } else { vec![""] };
        lines.push(format!("\n## `{command}`\n"));
        if presets.len() > 1 {
            lines.extend(presets.iter().map(|name| format!("- `{name}`: {}", about_preset(name))));
            lines.push(String::new());
        }
        let head = |name: &&str| if name.is_empty() { "start".to_owned() } else { format!("`{name}`") };
        let heads: Vec<String> = presets.iter().map(head).collect();
        lines.push(format!("| key | what it is for | values | {} |", heads.join(" | ")));
        lines.push(format!("|---|---|---|{}", "---|".repeat(heads.len())));
        lines.extend(settings.iter().filter(|told| told.command == command).map(|told| {
            let starts: Vec<&str> = presets.iter().map(|name| told.starts[name].as_str()).collect();
            let about = told.about.replace('|', "\\|");
            format!("| `{}` | {about} | {} | {} |", told.key, told.values, starts.join(" | "))
        }));
    }
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_DOCS=1 cargo test -p ganatomy settings` writes it.
    #[test]
    fn the_page_of_settings_is_the_table() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
        let wanted = page().unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        // A package has no docs.
        let Ok(found) = std::fs::read_to_string(&path) else { return };
        assert!(found == wanted, "docs/settings.md is not the table: UPDATE_DOCS=1 cargo test -p ganatomy settings");
    }
}
