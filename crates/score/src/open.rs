//! What people call a feature network: the name of one that comes with the program, or a file, and perhaps a node.

use crate::Extractor;
use base::{Error, files};
use net::{Device, Network, Result};
use shipped::Kind as Shipped;
use std::path::{Path, PathBuf};
use weights::Stored;

impl Extractor {
    /// Opens `NAME` or `FILE`, or `NAME:NODE` or `FILE:NODE`: a segmenter that comes with the program (`scenes`), a model file, an ONNX
    /// model, or a file of weights of a network that is known ([`import::Architecture`]). A path wins over a name only if it has a `/` in it.
    ///
    /// # Errors
    /// There is nothing of this name, the file cannot be read, or as [`Extractor::new`].
    pub fn open(spec: &str, device: &Device) -> Result<Self> {
        let (name, node) = parts(spec);
        let path = Path::new(name);
        if let Some(shipped) = shipped::by_name(name, Shipped::Segmenter) {
            return Self::new(&Network::from_bytes(shipped.bytes, path, device)?, name, node, path, device);
        }
        if !path.exists() {
            let names: Vec<&str> = shipped::of_kind(Shipped::Segmenter).map(|shipped| shipped.name).collect();
            let cure = base::known_names(name, "feature networks that come with the program", names.iter().copied());
            return Err(Error::file(path, "is neither a file nor a feature network that comes with the program")
                .with_hint(format!("{cure} Or give a file: `features FILE:NODE`."))
                .into());
        }
        let network = network(path, device)?;
        Self::new(&network, &called(path, &network), node, path, device)
    }
}

/// The name or path, and the node behind the last colon. A file of the whole name is meant as it is.
fn parts(spec: &str) -> (&str, Option<&str>) {
    match spec.rsplit_once(':') {
        Some((name, node)) if !Path::new(spec).exists() && !name.is_empty() && !node.is_empty() => (name, Some(node)),
        _ => (spec, None),
    }
}

/// What results call it: a network that is known by its architecture, others by their file.
fn called(path: &Path, network: &Network) -> String {
    let known = network.notes.iter().find(|(key, _)| key == "imported as").map(|(_, value)| value.as_str());
    match known {
        Some(name) if import::Architecture::names().any(|known| known == name) => name.to_owned(),
        _ => PathBuf::from(files::name_of(&path.to_string_lossy())).with_extension("").display().to_string(),
    }
}

fn network(path: &Path, device: &Device) -> Result<Network> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    if ending == "onnx" {
        let any_number = onnx::Options { batch_of_one: true, ..onnx::Options::default() };
        let imported = onnx::import(path, &any_number, device);
        return Ok(imported.or_else(|_| onnx::import(path, &onnx::Options::default(), device))?.network);
    }
    if path.is_dir() {
        return Err(Error::file(path, "is a folder, not a feature network")
            .with_hint("Give a model file (.safetensors), an ONNX model, or a file of weights that `import` knows.")
            .into());
    }
    if ending == "safetensors" {
        // Ours say what they are; others hold tensors by names alone.
        let ours = Network::load(path, device);
        if ours.is_ok() || !is_of_others(path) {
            return ours;
        }
    }
    let weights = Stored::open(path)?.state_dict(None)?;
    let network = import::import(&weights, None)?.network;
    if device.is_cpu() {
        return Ok(network);
    }
    // Imported networks lie in the processor's memory.
    Network::from_bytes(&network.to_bytes(net::Storage::F32)?, path, device)
}

fn is_of_others(path: &Path) -> bool {
    Stored::open(path).is_ok_and(|stored| stored.notes().iter().all(|(key, _)| key != net::METADATA_KEY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_stands_behind_the_last_colon() {
        assert_eq!(parts("scenes"), ("scenes", None));
        assert_eq!(parts("scenes:down.2"), ("scenes", Some("down.2")));
        assert_eq!(parts("C:\\n.onnx:pool"), ("C:\\n.onnx", Some("pool")));
        assert_eq!((parts("a:"), parts(":a")), (("a:", None), (":a", None)));
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let error = Extractor::open("scene", &Device::cpu()).unwrap_err();
        assert_eq!(error.to_string(), "scene: is neither a file nor a feature network that comes with the program");
        assert_eq!(error.hint().unwrap(), "Did you mean scenes? Or give a file: `features FILE:NODE`.");
        let folder = tempfile::tempdir().unwrap();
        let error = Extractor::open(folder.path().to_str().unwrap(), &Device::cpu()).unwrap_err();
        assert!(error.to_string().ends_with("is a folder, not a feature network"), "{error}");
    }
}
