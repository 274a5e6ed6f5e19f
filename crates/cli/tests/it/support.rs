//! A fresh folder, small models in it, and the program.

use net::zoo::{self, DcganGenerator, GeneratorStart, Norm};
use net::{Device, Law, Network, Storage};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder of one test, in which the program runs.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn npy(&self, name: &str) -> base::npy::Array {
        base::npy::Array::read(self.path(name)).unwrap()
    }

    /// One array of an `.npz` archive.
    pub(crate) fn npy_of(&self, name: &str, array: &str) -> base::npy::Array {
        let arrays = base::npy::read_npz(self.path(name)).unwrap();
        arrays.into_iter().find(|(found, _)| found == array).unwrap().1
    }

    pub(crate) fn picture(&self, name: &str) -> data::Image {
        data::decode(&self.read(name), Path::new(name)).unwrap()
    }

    /// The names in a folder, sorted.
    pub(crate) fn names(&self, name: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(name)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program with these words (separated by spaces), ready to run in the folder.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ganatomy"));
        command.args(words.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("COLUMNS").env_remove("RUST_BACKTRACE");
        // What programs keep lies beside the folder, not in the home of whoever runs the tests.
        command.env("XDG_CACHE_HOME", self.folder.path().join(".kept"));
        command
    }

    pub(crate) fn output(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs the program, which must succeed without a word on stderr, and gives its stdout.
    pub(crate) fn succeed(&self, words: &str) -> String {
        let output = self.output(words);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && stderr.is_empty(), "ganatomy {words}: {:?}\n{stderr}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// The whole result of a run, for a snapshot.
    pub(crate) fn run(&self, words: &str) -> String {
        shown(words, &self.output(words))
    }
}

pub(crate) fn shown(words: &str, output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let code = output.status.code().map_or_else(|| format!("{:?}", output.status), |code| code.to_string());
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    format!("$ ganatomy {words}\nexit code: {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
}

/// Snapshots with the paths of this machine and run taken out.
pub(crate) fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"[^\s:(]*/\.tmp\w+", "[folder]");
    settings.add_filter(r"has \d+ bytes, expected \d+", "has [n] bytes, expected [n]");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// An image generator: 16x16 pixels in colour, latents of 4 numbers.
pub(crate) fn image_generator(channels: usize) -> Network {
    let graph = zoo::dcgan_generator(DcganGenerator {
        size: [16; 2],
        channels,
        latent: 4,
        width: 2,
        norm: Norm::Batch,
        start: GeneratorStart::Linear,
        extra: false,
    });
    let mut network = Network::initial(graph, 1, "weights", &Device::cpu());
    // The initial weights are so small that pictures would be all grey.
    let louder: Vec<_> = network.params.tensors().iter().map(|t| t.scale(8.0)).collect();
    network.params = net::Params::new(louder);
    network.notes.push(("trained on".into(), "nothing".into()));
    network
}

/// A generator of points, with uniform latents of 2 numbers.
pub(crate) fn point_generator() -> Network {
    Network::initial(zoo::mlp_generator(2, 8).with_latent(Law::Uniform), 1, "weights", &Device::cpu())
}

/// A folder with `g.safetensors` (images) and `p.safetensors` (points).
pub(crate) fn with_models() -> Place {
    let place = Place::new();
    place.write("g.safetensors", &bytes_of(&image_generator(3)));
    place.write("p.safetensors", &bytes_of(&point_generator()));
    place
}

pub(crate) fn bytes_of(network: &Network) -> Vec<u8> {
    network.to_bytes(Storage::F32).unwrap()
}

/// The latents that the program draws for some seeds, as an `.npy` file.
pub(crate) fn latents_npy(network: &Network, seeds: &[u64], shape: &[usize]) -> Vec<u8> {
    let values = network.latents(seeds, &Device::cpu()).to_vec();
    base::npy::Array::f32(shape.to_vec(), values).to_bytes()
}
