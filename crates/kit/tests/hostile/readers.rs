//! Every reader of what comes from outside, as a function of bytes: whatever they are, it ends in a value or an error.
//!
//! The tests beside this file give them changed forms of valid inputs, and what once failed; the fuzzers in `fuzz/` look for more.

use base::archive::ArchiveWriter;
use base::npy::{Array, Elements, write_npz};
use data::{Broken, Image, Options, Size, pictures};
use dissect::{Dissection, Recipe, unwatched};
use evolve::Evolution;
use metrics::features::{Generated, Real};
use metrics::{fid::fid, statistics::Stored};
use models::{Dissecting, Fit, Generator, INVERSION, InversionSettings, Latents, Photo};
use net::{Device, Network, Storage, zoo};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use train::checkpoint::{Checkpoint, Store};
use train::signals::Interrupt;
use train::{RunSettings, Training};

/// A reader by its name.
#[derive(Debug)]
pub(crate) struct Reader {
    /// What it reads; also the name of its fuzz target.
    pub(crate) name: &'static str,
    read: fn(&Place, &[u8]),
    valid: fn(&Place) -> Vec<Vec<u8>>,
}

/// A folder to work in, with a generator, a run and a dissection, whose files are replaced in turn.
#[derive(Debug)]
pub(crate) struct Place(TempDir);

/// All of them.
pub(crate) const READERS: [Reader; 27] = [
    Reader { name: "model", read: model, valid: |place| vec![place.bytes("g.safetensors")] },
    Reader { name: "onnx", read: onnx, valid: |_| small_onnx() },
    Reader { name: "pth", read: weights, valid: |_| fixtures(&["pt", "ckpt"]) },
    Reader { name: "pkl", read: weights, valid: |_| fixtures(&["pkl"]) },
    Reader { name: "weights_safetensors", read: weights, valid: |place| vec![place.bytes("g.safetensors")] },
    Reader { name: "image", read: image, valid: images },
    Reader { name: "mask", read: mask, valid: images },
    Reader { name: "zip", read: |place, bytes| source(place, "set.zip", bytes), valid: |_| vec![zip()] },
    Reader { name: "npy", read: |place, bytes| source(place, "set.npy", bytes), valid: |_| vec![array(&[2, 8, 8, 3])] },
    Reader { name: "npz", read: |place, bytes| source(place, "set.npz", bytes), valid: |place| vec![npz(place)] },
    Reader { name: "latents", read: latents, valid: |_| vec![array(&[2, 4, 1, 1]), array(&[3, 4])] },
    Reader {
        name: "idx",
        read: |place, bytes| source(place, "train-images-idx3-ubyte", bytes),
        valid: |_| vec![idx()],
    },
    Reader {
        name: "cifar",
        read: |place, bytes| source(place, "data_batch_1.bin", bytes),
        valid: |_| vec![vec![3; 2 * 3073]],
    },
    Reader {
        name: "dataset_json",
        read: dataset_json,
        valid: |_| vec![br#"{"labels": [["a.png", 0], ["b.png", 1]]}"#.to_vec()],
    },
    Reader {
        name: "classes_json",
        read: classes_json,
        valid: |_| vec![CLASSES.as_bytes().to_vec(), br#"["none", "sky"]"#.to_vec()],
    },
    Reader { name: "config", read: config, valid: |place| vec![place.bytes("run/config.toml")] },
    Reader {
        name: "manifest",
        read: manifest,
        valid: |place| vec![place.bytes("run/checkpoints/000001/manifest.json")],
    },
    Reader { name: "best", read: best, valid: |_| vec![br#"{"generation": 1, "score": 0.5}"#.to_vec()] },
    Reader { name: "recipe", read: recipe, valid: |_| vec![RECIPE.as_bytes().to_vec()] },
    Reader {
        name: "action",
        read: action,
        valid: |_| ["1:0,1", "1:sky/2@q0.99", "1:0@mean:sky"].map(|text| text.as_bytes().to_vec()).to_vec(),
    },
    Reader {
        name: "inversion",
        read: |place, bytes| inversion(place, INVERSION, bytes),
        valid: |place| vec![place.bytes("inverted/inversion.json")],
    },
    Reader {
        name: "shift",
        read: |place, bytes| inversion(place, "shift.npy", bytes),
        valid: |place| vec![place.bytes("inverted/shift.npy")],
    },
    Reader {
        name: "photo",
        read: |place, bytes| inversion(place, "photo.png", bytes),
        valid: |place| vec![place.bytes("inverted/photo.png")],
    },
    Reader {
        name: "plan",
        read: |place, bytes| dissection(place, "settings.json", bytes),
        valid: |place| vec![place.bytes("found/settings.json")],
    },
    Reader {
        name: "fit",
        read: |place, bytes| dissection(place, "fit.npz", bytes),
        valid: |place| vec![place.bytes("found/fit.npz")],
    },
    Reader {
        name: "tally",
        read: |place, bytes| dissection(place, "tally.npz", bytes),
        valid: |place| vec![place.bytes("found/tally.npz")],
    },
    Reader { name: "statistics", read: statistics, valid: stored },
];

const CLASSES: &str = r#"{"classes": [{"index": 0, "name": "none"}, {"index": 1, "name": "sky", "colour": [1, 2, 3]}], "ignore_index": 0}"#;
const RECIPE: &str = r#"{"format": 1, "edits": [
    {"layer": "1", "units": [0, 1], "value": {"number": 2.5}, "alpha": 0.5},
    {"layer": "1", "units": {"class": "sky", "best": 2}, "value": "zero", "place": {"mask": [[0, 1], [0.5, 1]]}}]}"#;

impl Reader {
    /// Reads, and uses what was read where it could be.
    pub(crate) fn read(&self, place: &Place, bytes: &[u8]) {
        (self.read)(place, bytes);
    }

    /// Inputs from which to start.
    pub(crate) fn valid(&self, place: &Place) -> Vec<Vec<u8>> {
        (self.valid)(place)
    }
}

impl Place {
    /// Makes a generator, a run and a dissection, all very small.
    ///
    /// # Panics
    /// They could not be made.
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.fill().unwrap();
        place
    }

    fn fill(&self) -> net::Result<()> {
        let device = Device::cpu();
        let graph = zoo::dcgan_generator(zoo::DcganGenerator {
            size: [8; 2],
            channels: 3,
            latent: 4,
            width: 4,
            norm: zoo::Norm::Batch,
            start: zoo::GeneratorStart::Deconvolution,
            extra: false,
        });
        Network::initial(graph, 0, "weights", &device).save(self.path("g.safetensors"), Storage::F32)?;
        let generator = Generator::open(self.path("g.safetensors"), &device)?;
        let size = Some(Size::square(8));
        for name in ["a.png", "b.png"] {
            self.write(&format!("set/{name}"), &png(name == "a.png"));
        }
        let set = data::open(&self.path("set").to_string_lossy(), &Options { size, ..Options::default() })?;
        let segmenter = segment::cluster(&set, 2, 2, 0, &device)?;
        segmenter.network().save(self.path("s.safetensors"), Storage::F32)?;
        let settings = dissect::Settings { samples: 16, fit_samples: 16, ..dissect::Settings::default() };
        let task = Dissecting::new((generator.subject(&[])?, "g"), (&segmenter, "s"), settings)?;
        unwatched(|watch| task.run(&self.path("found"), watch))?;

        let settings = InversionSettings { starts: 4, steps: 2, shift_steps: 2, ..InversionSettings::default() };
        let photo = Photo::new(Image::filled(12, 12, [90, 160, 30]), Fit::Same, [3, 8, 8])?;
        let inverter = generator.inverter(None, settings)?;
        unwatched(|watch| inverter.invert(&photo, watch))?.write(&self.path("inverted"))?;

        let settings =
            evolve::Settings { data: "ring8".into(), generations: 1, ..evolve::Settings::preset("paper", true)? };
        let settings = settings.with(&["width=4", "width_d=4", "batch=8", "eval=8"])?;
        Evolution::start_in(self.path("run"), settings, device)?.run(&Interrupt::default(), |_| ())?;
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Puts a file in place, with its folder.
    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Puts a file in the place of another while something is done.
    fn with(&self, name: &str, bytes: &[u8], then: impl FnOnce(&Path)) {
        let whole = self.bytes(name);
        then(&self.write(name, bytes));
        self.write(name, &whole);
    }
}

/// Work beyond which a network is not run: fuzzers find the largest that is allowed.
const MOST_MACS: u64 = 1 << 22;

fn model(place: &Place, bytes: &[u8]) {
    let device = Device::cpu();
    let Ok(network) = Network::from_bytes(bytes, &place.path("x.safetensors"), &device) else { return };
    let Ok(report) = network.report() else { return };
    let elements: usize = report.nodes.iter().map(|node| node.shape.iter().product::<usize>()).sum();
    if report.macs < MOST_MACS && elements < 1 << 20 {
        draw(place, bytes, &device);
    }
    drop(segment::Segmenter::from_bytes(bytes, &place.path("x.safetensors"), &device));
}

/// Makes two images where it is a generator, whatever it reads beside its latent.
fn draw(place: &Place, bytes: &[u8], device: &Device) {
    let Ok(generator) = Generator::open(place.write("drawn.safetensors", bytes), device) else { return };
    let latents: Latents = "0,1".parse().unwrap();
    drop(unwatched(|watch| generator.images(&latents, watch)));
}

fn onnx(_: &Place, bytes: &[u8]) {
    let device = Device::cpu();
    let Ok(imported) = ::onnx::import_bytes(bytes, &::onnx::Options::default(), &device) else { return };
    let Ok(report) = imported.network.report() else { return };
    let elements: usize = report.nodes.iter().map(|node| node.shape.iter().product::<usize>()).sum();
    let small = report.macs < MOST_MACS && elements < 1 << 20;
    if small && imported.network.graph.inputs().len() == 1 {
        drop(imported.network.forward(&imported.network.latents(&[0, 1], &device), &[]));
    }
}

/// The model of the tests of `onnx`; none where this crate is alone.
fn small_onnx() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/small.onnx");
    fs::read(path).into_iter().collect()
}

/// Reads a file of weights and all of its tensors.
fn weights(place: &Place, bytes: &[u8]) {
    let Ok(stored) = weights::Stored::from_bytes(bytes.to_vec(), place.path("x.pth")) else { return };
    for dict in stored.state_dicts().unwrap_or_default() {
        dict.entries().for_each(|(_, tensor)| drop(tensor.to_f32()));
    }
}

/// The small files of weights that PyTorch and NumPy wrote, by the ends of their names. A packed crate comes without them.
fn fixtures(ends: &[&str]) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../weights/tests/fixtures");
    let files = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| ends.iter().any(|&known| end == known))).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn image(_: &Place, bytes: &[u8]) {
    let path = Path::new("x.png");
    drop((data::decode(bytes, path), data::decode_labels(bytes, path)));
}

fn mask(place: &Place, bytes: &[u8]) {
    let path = place.write("mask.png", bytes);
    drop((models::read_mask(&path), segment::read_mask(&path, [3, 8, 8])));
}

/// Opens a data set and looks at some of it.
fn source(place: &Place, name: &str, bytes: &[u8]) {
    let path = place.write(&format!("sources/{name}"), bytes);
    look_at(&path);
}

fn look_at(path: &Path) {
    for (broken, size) in [(Broken::Refuse, None), (Broken::Skip, Some(Size::square(8)))] {
        let options = Options { size, broken, ..Options::default() };
        if let Ok(set) = data::open(&path.to_string_lossy(), &options) {
            drop(pictures::preview(&set, 4, 2));
        }
    }
}

fn latents(place: &Place, bytes: &[u8]) {
    let path = place.write("z.npy", bytes);
    let Ok(generator) = Generator::open(place.path("g.safetensors"), &Device::cpu()) else { return };
    drop(Latents::read(&path, &generator));
}

/// Reads the folder of a photo with one of its files replaced, and makes its picture where it fits the generator.
fn inversion(place: &Place, name: &str, bytes: &[u8]) {
    place.with(&format!("inverted/{name}"), bytes, |path| {
        let Ok(generator) = Generator::open(place.path("g.safetensors"), &Device::cpu()) else { return };
        let Ok(latents) = Latents::read(path.parent().unwrap(), &generator) else { return };
        let images = unwatched(|watch| generator.images(&latents, watch));
        if let (Ok(images), Some(photo)) = (images, latents.photo()) {
            drop(photo.put_back(&images[0], &images[0]));
        }
    });
}

fn dataset_json(place: &Place, bytes: &[u8]) {
    let path = place.write("classed/dataset.json", bytes);
    for name in ["a.png", "b.png"] {
        place.write(&format!("classed/{name}"), &png(true));
    }
    look_at(path.parent().unwrap());
}

fn classes_json(place: &Place, bytes: &[u8]) {
    let path = place.write("labelled/classes.json", bytes);
    place.write("labelled/images/a.png", &png(true));
    place.write("labelled/labels/a.png", &labels());
    look_at(path.parent().unwrap());
}

fn config(place: &Place, bytes: &[u8]) {
    place.with("run/config.toml", bytes, |path| {
        drop((evolve::Settings::read(path), segment::Settings::read(path)));
    });
}

fn manifest(place: &Place, bytes: &[u8]) {
    place.with("run/checkpoints/000001/manifest.json", bytes, |path| {
        drop(Checkpoint::read(path.parent().unwrap()));
    });
}

fn best(place: &Place, bytes: &[u8]) {
    place.write("run/checkpoints/best.json", bytes);
    drop(Store::open(place.path("run")).best());
    drop(Generator::open(place.path("run"), &Device::cpu()));
}

/// The subject and dissection that recipes speak of.
fn found(place: &Place) -> Option<(Generator, Dissection)> {
    let generator = Generator::open(place.path("g.safetensors"), &Device::cpu()).ok()?;
    Some((generator, models::open_dissection(place.path("found")).ok()?))
}

fn recipe(place: &Place, bytes: &[u8]) {
    let path = place.write("recipe.json", bytes);
    let Ok(recipe) = Recipe::read(&path) else { return };
    let Some((generator, dissection)) = found(place) else { return };
    if let Ok(subject) = generator.subject(&[]) {
        drop(recipe.resolve(&subject, Some(&dissection)));
    }
}

fn action(place: &Place, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(action) = text.parse::<dissect::Action>() else { return };
    let Some((generator, dissection)) = found(place) else { return };
    if let Ok(subject) = generator.subject(&[]) {
        drop(action.resolve(&subject, Some(&dissection)));
    }
}

/// Reads a dissection of which one file is another, and takes what is found in it.
fn dissection(place: &Place, name: &str, bytes: &[u8]) {
    place.with(&format!("found/{name}"), bytes, |path| {
        if let Ok(dissection) = models::open_dissection(path.parent().unwrap()) {
            drop(dissection.findings());
        }
    });
}

fn statistics(place: &Place, bytes: &[u8]) {
    let Ok(stored) = Stored::read(place.write("statistics.npz", bytes)) else { return };
    // The distance takes the cube of the number of features: fuzzers find the largest that is allowed.
    if stored.statistics.mean().len() <= 64 {
        drop(fid(Generated(&stored.statistics), Real(&stored.statistics)));
    }
    drop(stored.unknown());
}

/// Statistics as this program and as others write them.
fn stored(place: &Place) -> Vec<Vec<u8>> {
    let f64s = |shape: Vec<usize>, numbers: &[f64]| Array { shape, data: Elements::F64(numbers.to_vec()) };
    let (mean, covariance) = (f64s(vec![2], &[0.5, -1.0]), f64s(vec![2, 2], &[2.0, 0.5, 0.5, 1.0]));
    write_npz(place.path("made.npz"), &[("mu", &mean), ("sigma", &covariance)]).unwrap();
    vec![place.bytes("made.npz")]
}

fn png(light: bool) -> Vec<u8> {
    let pixel = |i: usize| if light { (i * 37 % 256) as u8 } else { (i % 3 * 90) as u8 };
    let image = Image::new(8, 8, 3, (0..192).map(pixel).collect()).unwrap();
    pictures::png(&image).unwrap()
}

fn images(_: &Place) -> Vec<Vec<u8>> {
    let image = Image::new(8, 8, 3, (0..192).map(|i| (i * 37 % 256) as u8).collect()).unwrap();
    vec![png(true), pictures::jpeg(&image, 80).unwrap(), pictures::gif(&[image.clone(), image], 50).unwrap(), labels()]
}

fn labels() -> Vec<u8> {
    let map = data::LabelMap { width: 8, height: 8, classes: (0..64).map(|i| u16::from(i > 20)).collect() };
    pictures::labels_png(&map).unwrap()
}

fn zip() -> Vec<u8> {
    let mut writer = ArchiveWriter::new("set.zip");
    for (name, bytes) in
        [("images/a.png", png(true)), ("labels/a.png", labels()), ("classes.json", CLASSES.as_bytes().to_vec())]
    {
        writer.add(name, &bytes).unwrap();
    }
    writer.finish().unwrap()
}

fn array(shape: &[usize]) -> Vec<u8> {
    let numbers = (0..shape.iter().product()).map(|i: usize| (i % 7) as f32 / 7.0).collect();
    Array::f32(shape.to_vec(), numbers).to_bytes()
}

fn npz(place: &Place) -> Vec<u8> {
    let numbers = Array::f32(vec![2, 8, 8, 3], vec![0.5; 384]);
    write_npz(place.path("made.npz"), &[("x_train", &numbers), ("x_test", &numbers)]).unwrap();
    place.bytes("made.npz")
}

fn idx() -> Vec<u8> {
    let head = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 4];
    head.into_iter().chain((0..32).map(|i| i * 8)).collect()
}
