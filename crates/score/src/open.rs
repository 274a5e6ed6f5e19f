//! What people call a feature network: the name of one that comes with the program, or a file, and perhaps a node.

use crate::Extractor;
use base::{Error, files};
use net::{Device, Network, Result};
use segment::SEGMENTER;
use shipped::Kind as Shipped;
use std::path::{Path, PathBuf};
use train::checkpoint::Checkpoint;
use weights::Stored;

impl Extractor {
    /// Opens `NAME` or `FILE`, or `NAME:NODE` or `FILE:NODE`: a segmenter that comes with the program (`scenes`), a model file, an ONNX
    /// model, a file of weights of a network that is known ([`import::Architecture`]), or the folder of a run that trained a segmenter, or of
    /// one of its checkpoints. A path wins over a name only if it has a `/` in it.
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
        let network = if path.is_dir() { of_run(path, device)? } else { network(path, device)? };
        Self::new(&network, &called(path, &network), node, path, device)
    }

    /// The path that such a word begins with, where it names no network that comes with the program.
    pub fn file_in(spec: &str) -> Option<&str> {
        let (name, _) = parts(spec);
        (!name.is_empty() && shipped::by_name(name, Shipped::Segmenter).is_none()).then_some(name)
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
        _ if path.is_dir() => files::name_of(&path.to_string_lossy()),
        _ => PathBuf::from(files::name_of(&path.to_string_lossy())).with_extension("").display().to_string(),
    }
}

/// The segmenter of a run or a checkpoint. What is measured by it depends on all of its numbers, so none is taken instead of one that is broken.
fn of_run(folder: &Path, device: &Device) -> Result<Network> {
    let mut passed_over = None;
    let checkpoint = Checkpoint::of_folder(folder, &mut |passed| passed_over = passed_over.take().or(Some(passed)))?;
    let wrong = |reason: String| Error::file(folder, reason);
    let Some(checkpoint) = checkpoint else {
        return Err(wrong("is a folder, but neither a run nor a checkpoint".into())
            .with_hint("Give the folder that `segmenter train` made, a model file (.safetensors), an ONNX model, or a file of weights that `import` knows.")
            .into());
    };
    if let Some(passed) = passed_over {
        return Err(wrong(format!("leaves open which network is meant: {passed}"))
            .with_hint(format!("Give the checkpoint itself, such as {}.", checkpoint.path.display()))
            .into());
    }
    let Some(bytes) = checkpoint.files.get(SEGMENTER) else {
        return Err(wrong(format!("trains no feature network: {} holds no {SEGMENTER}", checkpoint.path.display()))
            .with_hint("Give the folder that `segmenter train` made.")
            .into());
    };
    Network::from_bytes(bytes, &checkpoint.path.join(SEGMENTER), device)
}

fn network(path: &Path, device: &Device) -> Result<Network> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    if ending == "onnx" {
        let any_number = onnx::Options { batch_of_one: true, ..onnx::Options::default() };
        let imported = onnx::import(path, &any_number, device);
        return Ok(imported.or_else(|_| onnx::import(path, &onnx::Options::default(), device))?.network);
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
        assert!(error.to_string().ends_with("is a folder, but neither a run nor a checkpoint"), "{error}");
    }

    #[test]
    fn a_run_stands_for_the_segmenter_of_its_best_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("seg.1");
        std::fs::create_dir(&run).unwrap();
        let shipped = shipped::by_name("scenes", Shipped::Segmenter).unwrap().bytes;
        let lock = train::RunLock::acquire(&run).unwrap();
        let store = train::checkpoint::Store::create(&lock).unwrap();
        store.save(1, &[(SEGMENTER, shipped)], "", 9).unwrap();
        store.save(2, &[("generator.safetensors", shipped)], "", 9).unwrap();
        let open = |path: &Path| Extractor::open(&format!("{}:middle", path.display()), &Device::cpu());
        let refused = open(&run).unwrap_err().to_string();
        assert!(refused.contains("trains no feature network") && refused.contains("000002"), "{refused}");
        store.mark_best(1, 0.5).unwrap();
        let named = Extractor::open("scenes", &Device::cpu()).unwrap();
        let of_run = open(&run).unwrap();
        assert_eq!((of_run.name().as_str(), of_run.weights()), ("seg.1:middle", named.weights()));
        assert_eq!(open(&store.path_of(1)).unwrap().weights(), named.weights());
        // Another one than was meant is not taken silently.
        std::fs::write(store.path_of(1).join(SEGMENTER), b"broken").unwrap();
        let refused = open(&run).unwrap_err();
        assert!(refused.to_string().contains("leaves open which network is meant: the best"), "{refused}");
        assert!(refused.hint().unwrap().contains("000002"));
    }

    #[test]
    fn a_word_begins_with_a_path_or_a_name() {
        let of = Extractor::file_in;
        assert_eq!([of("scenes"), of("scenes:middle"), of("")], [None; 3]);
        assert_eq!([of("./scenes"), of("a/b.onnx:pool")], [Some("./scenes"), Some("a/b.onnx")]);
    }
}
