#![warn(clippy::indexing_slicing)]

use super::corrupt;
use base::{Error, Result, files};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The name of the manifest inside a checkpoint.
pub const MANIFEST: &str = "manifest.json";

/// The format version that is written, and the newest that is read.
pub const FORMAT: u32 = 1;

/// The longest manifest that is read.
const LIMIT: u64 = 1 << 20;

/// What a checkpoint holds. In the file, a last member `blake3` seals it: see [`seal`].
#[derive(Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) generation: u64,
    pub(super) config_hash: String,
    pub(super) program: String,
    pub(super) files: Vec<Entry>,
}

/// What every format has in common.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) blake3: String,
}

impl Manifest {
    pub(super) fn new(generation: u64, config_hash: &str, contents: &[(&str, &[u8])]) -> Self {
        let entry = |&(name, bytes): &(&str, &[u8])| Entry {
            name: name.to_owned(),
            bytes: bytes.len() as u64,
            blake3: blake3::hash(bytes).to_hex().to_string(),
        };
        Self {
            format: FORMAT,
            generation,
            config_hash: config_hash.to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            files: contents.iter().map(entry).collect(),
        }
    }

    /// The text of the file: pretty JSON, sealed.
    pub(super) fn to_text(&self, folder: &Path) -> Result<String> {
        let json = serde_json::to_string_pretty(self).map_err(|e| Error::file(folder, e.to_string()))?;
        Ok(seal(json.trim_end_matches("\n}")))
    }

    pub(super) fn read(folder: &Path) -> Result<Self> {
        let wrong = |what: String| corrupt(folder, &format!("{MANIFEST} {what}"));
        let path = folder.join(MANIFEST);
        if !path.try_exists().map_err(|e| Error::io("read", &path, e))? {
            return Err(wrong("is missing".into()));
        }
        let text = String::from_utf8(files::read(&path, LIMIT)?).map_err(|_| wrong("is not text".into()))?;
        // The sealed body is everything before the last comma: the seal has a fixed form without one.
        let body = text.rsplit_once(',').map_or("", |(body, _)| body);
        if seal(body) != text {
            return Err(wrong(format!("does not match its own BLAKE3, expected {}", blake3::hash(body.as_bytes()))));
        }
        let unreadable = |e: serde_json::Error| wrong(format!("is unreadable: {e}"));
        let Version { format } = serde_json::from_str(&text).map_err(unreadable)?;
        if format > FORMAT {
            return Err(Error::file(
                folder,
                format!("has checkpoint format {format}; this program reads up to {FORMAT}"),
            )
            .with_hint("Use the newer program that wrote it."));
        }
        let manifest: Self = serde_json::from_str(&text).map_err(unreadable)?;
        if let Some(entry) = manifest.files.iter().find(|entry| !is_plain(&entry.name)) {
            return Err(wrong(format!("names the file {:?}, which is not a plain name", entry.name)));
        }
        let mut names: Vec<&str> = manifest.files.iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        if let Some([name, ..]) = names.windows(2).find(|pair| pair.first() == pair.last()) {
            return Err(wrong(format!("names the file {name:?} twice")));
        }
        Ok(manifest)
    }
}

/// Closes an open JSON object with the hash of what it held, so that no changed byte of it goes unseen.
fn seal(body: &str) -> String {
    format!("{body},\n  \"blake3\": \"{}\"\n}}\n", blake3::hash(body.as_bytes()))
}

/// Whether a name can only mean a file right inside the checkpoint, on every system, and not the manifest.
pub(super) fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.len() <= 200 && name.chars().all(allowed) && name != MANIFEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed_in(folder: &Path, body: &str) -> String {
        std::fs::write(folder.join(MANIFEST), seal(body)).unwrap();
        Manifest::read(folder).err().unwrap().to_string()
    }

    #[test]
    fn the_text_is_json_with_its_own_hash_last() {
        let mut manifest = Manifest::new(120, "c0ffee", &[("a.safetensors", b"abc")]);
        manifest.program = "1.2.3".into();
        let text = manifest.to_text(Path::new("x")).unwrap();
        insta::assert_snapshot!(text, @r#"
        {
          "format": 1,
          "generation": 120,
          "config_hash": "c0ffee",
          "program": "1.2.3",
          "files": [
            {
              "name": "a.safetensors",
              "bytes": 3,
              "blake3": "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
            }
          ],
          "blake3": "34f4b85f61b2a7c9f42efac14b9bc0fe3ea6a2fc399a36e4d6c303cf785b9d42"
        }
        "#);
    }

    #[test]
    fn a_newer_format_is_named_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let message = sealed_in(folder.path(), r#"{"format": 2, "layout": "new"#);
        assert!(message.contains("is unreadable"), "{message}");
        let message = sealed_in(folder.path(), r#"{"format": 2, "layout": "new""#);
        assert!(message.ends_with("has checkpoint format 2; this program reads up to 1"), "{message}");
    }

    #[test]
    fn names_that_lead_out_of_the_folder_are_refused() {
        for name in ["../x", "/etc/passwd", "..", "a/b", "a\\b", "C:x", "", ".hidden", MANIFEST] {
            assert!(!is_plain(name), "{name}");
            let folder = tempfile::tempdir().unwrap();
            let entry = serde_json::json!({ "name": name, "bytes": 1, "blake3": "" });
            let body = format!(r#"{{"format":1,"generation":1,"config_hash":"","program":"","files":[{entry}]"#);
            let message = sealed_in(folder.path(), &body);
            assert!(message.contains("which is not a plain name"), "{message}");
        }
        assert!(is_plain("generator-ema_2.safetensors"));
    }

    #[test]
    fn a_file_is_named_once() {
        let folder = tempfile::tempdir().unwrap();
        let entry = r#"{"name":"a","bytes":1,"blake3":""}"#;
        let body = format!(r#"{{"format":1,"generation":1,"config_hash":"","program":"","files":[{entry},{entry}]"#);
        let message = sealed_in(folder.path(), &body);
        assert!(message.ends_with("names the file \"a\" twice"), "{message}");
    }
}
