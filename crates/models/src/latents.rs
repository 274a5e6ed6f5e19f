//! Where latents come from: seeds, numbers, or a photo.

use crate::conditions::{Conditions, Truncation};
use crate::elsewhere::Elsewhere;
use crate::point::Point;
use crate::{Generator, Seeds, Way};
use base::npy::Array;
use base::{Error, Malformed};
use dissect::LatentOf;
use invert::{Inverted, Photo};
use net::{Feed, Result, Tensor};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// Latents that are delivered in batches.
#[derive(Clone, Debug, PartialEq)]
pub struct Latents {
    source: Source,
    truncation: Truncation,
    /// The class that was asked for, by its number.
    class: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// Drawn from seeds, a batch at a time.
    Seeds(Seeds),
    /// Their numbers, side by side, and those of their labels where these are known.
    Numbers { n: usize, values: Vec<f32>, labels: Vec<f32> },
    /// That of a photo which was inverted into the generator, with a shift of a layer.
    Photo(Arc<Inverted>),
}

impl From<Seeds> for Latents {
    fn from(seeds: Seeds) -> Self {
        Self::of(Source::Seeds(seeds))
    }
}

/// Those of seeds: `0..16`, `0..4,7`.
impl FromStr for Latents {
    type Err = Malformed;

    fn from_str(seeds: &str) -> Result<Self, Malformed> {
        seeds.parse::<Seeds>().map(Self::from)
    }
}

impl Latents {
    fn of(source: Source) -> Self {
        Self { source, truncation: Truncation::NONE, class: None }
    }

    /// The same, truncated: the styles that the generator makes of them where it makes some, else each of their own numbers, whose law has its
    /// middle at 0.
    ///
    /// # Errors
    /// The truncation is out of its range; the generator takes no notice of a latent's length ([`Network::reads_latent_length`]); or they are
    /// the latent of a photo, which has the length that the photo needs.
    ///
    /// [`Network::reads_latent_length`]: net::Network::reads_latent_length
    pub fn truncated(self, truncation: impl Into<Truncation>, generator: &Generator) -> Result<Self> {
        let truncation = truncation.into();
        truncation.check(generator)?;
        if self.photo().is_some() {
            let reason = "the latent of a photo has the length that the photo needs";
            return Err(Error::setting("truncation", reason).into());
        }
        Ok(Self { truncation, ..self })
    }

    /// The same as pictures that are to be so.
    ///
    /// # Errors
    /// As [`Latents::truncated`]; the generator has no such class; or it reads a label, and nothing says which.
    pub fn under(self, conditions: &Conditions, generator: &Generator) -> Result<Self> {
        let class = conditions.class.as_deref().map(|class| generator.class(class)).transpose()?;
        let latents = Self { class: class.or(self.class), ..self };
        if latents.class.is_none() && generator.network().label().is_some() && !latents.know_labels() {
            let hint = "Say by `class` which one is meant.";
            let reason = "is not given, and these latents say nothing of it";
            return Err(Error::setting("class", reason).with_hint(hint).into());
        }
        match conditions.truncation {
            Some(truncation) => latents.truncated(truncation, generator),
            None => Ok(latents),
        }
    }

    /// The same as pictures of the class of this number.
    #[must_use]
    pub(crate) fn of_class(self, class: usize) -> Self {
        Self { class: Some(class), ..self }
    }

    fn know_labels(&self) -> bool {
        match &self.source {
            Source::Seeds(_) => true,
            Source::Numbers { labels, .. } => !labels.is_empty(),
            Source::Photo(_) => false,
        }
    }

    /// Latents for a generator: of an `.npy` file, `[N, Z]` or `[N, Z, 1, 1]`, or the folder of an inversion; or those that another library
    /// draws for a seed. `torch:1x64` are those of `torch.manual_seed(1); torch.randn(64, Z)`, `numpy:1x64` those of
    /// `numpy.random.RandomState(1).standard_normal((64, Z))`, and of several seeds (`numpy:0..4`) each has its own. Where the generator's
    /// latents are uniform, these are, too: `torch.empty(64, Z).uniform_(-1, 1)` and `RandomState(1).uniform(-1, 1, (64, Z))`.
    ///
    /// # Errors
    /// The file or folder cannot be read, holds none, or others than the generator reads, or numbers that are not finite; or no seed, or too
    /// many, are named.
    pub fn read(path: &Path, generator: &Generator) -> Result<Self> {
        if let Some(elsewhere) = path.to_str().and_then(Elsewhere::named) {
            let (network, elsewhere) = (generator.network(), elsewhere?);
            let length = network.input_shape().iter().product();
            let values = elsewhere.draw(length, network.latent_law())?;
            return Self::given(values, generator);
        }
        if path.is_dir() {
            return Self::inverted(Inverted::read(path)?, generator);
        }
        let array = Array::read(path)?;
        let (shape, wanted) = (array.shape.clone(), generator.network().input_shape());
        let (n, fits) = match shape.split_first() {
            Some((&n, rest)) => (n, without_ones(rest) == without_ones(&wanted)),
            None => (0, false),
        };
        if !fits {
            let z = without_ones(&wanted);
            let accepted = match *z {
                [z] => format!("[N, {z}] or [N, {z}, 1, 1]"),
                _ => format!("{:?}", [&["N".to_owned()], &*strings(&wanted)].concat()).replace('"', ""),
            };
            return Err(Error::file(path, format!("has shape {shape:?}, but this model reads latents {accepted}"))
                .with_hint("See the model's input with `inspect MODEL`.")
                .into());
        }
        if n == 0 {
            return Err(Error::file(path, "holds no latents").into());
        }
        Ok(Self::of_numbers(n, array.into_f32()).map_err(|reason| Error::file(path, reason))?)
    }

    /// Latents by their numbers, side by side.
    ///
    /// # Errors
    /// They are no whole latents of this generator, or not finite.
    pub fn given(values: Vec<f32>, generator: &Generator) -> Result<Self> {
        let length = generator.network().input_shape().iter().product::<usize>();
        let wrong = |reason: String| Error::setting("latents", reason);
        if values.is_empty() || length == 0 || !values.len().is_multiple_of(length) {
            return Err(wrong(format!("{} numbers are not latents of {length} numbers each", values.len())).into());
        }
        Ok(Self::of_numbers(values.len() / length, values).map_err(wrong)?)
    }

    /// Places between seeds.
    ///
    /// # Errors
    /// As [`Latents::given`].
    pub(crate) fn of_points(points: Vec<Point>, generator: &Generator) -> Result<Self> {
        let (values, labels): (Vec<_>, Vec<_>) = points.into_iter().map(|point| (point.latent, point.label)).unzip();
        let mut latents = Self::given(values.concat(), generator)?;
        if let Source::Numbers { labels: known, .. } = &mut latents.source {
            *known = labels.concat();
        }
        Ok(latents)
    }

    /// The one picture that a recipe is about.
    ///
    /// # Errors
    /// A place is not between its ends; there are not as many numbers as the generator reads, or some are not finite; or it is an
    /// inversion, which only who made it knows.
    pub fn of_recipe(latent: &LatentOf, generator: &Generator) -> Result<Self> {
        let way = Way::of_law(generator.network().latent_law());
        let outside = |at: f64| Error::setting("latent", format!("{at} is no place between two seeds: it is 0 to 1"));
        let inside = |at: f64| if (0.0..=1.0).contains(&at) { Ok(at) } else { Err(outside(at)) };
        match latent {
            LatentOf::Seed(seed) => Ok(seed.to_string().parse::<Seeds>()?.into()),
            LatentOf::Between { seeds, at } => {
                let ends = Point::of_seeds(seeds, generator);
                Self::of_points(vec![ends[0].between(&ends[1], way, inside(*at)?)], generator)
            }
            LatentOf::Plane { seeds, at: [x, y] } => {
                let (corners, x, y) = (Point::of_seeds(seeds, generator), inside(*x)?, inside(*y)?);
                let [upper, lower] = [0, 2].map(|left| corners[left].between(&corners[left + 1], way, x));
                Self::of_points(vec![upper.between(&lower, way, y)], generator)
            }
            LatentOf::Numbers(values) => {
                let latents = Self::given(values.clone(), generator)?;
                match latents.len() {
                    1 => Ok(latents),
                    n => {
                        Err(Error::setting("latent", format!("holds {n} latents; a recipe is about one picture"))
                            .into())
                    }
                }
            }
            LatentOf::Inversion(name) => {
                let reason = format!("names the inversion {name}, which is known to the studio that made it alone");
                Err(Error::setting("latent", reason).with_hint("Invert the photo: `invert`.").into())
            }
        }
    }

    /// The seeds, where they come from seeds.
    pub fn seeds(&self) -> Option<&Seeds> {
        match &self.source {
            Source::Seeds(seeds) => Some(seeds),
            Source::Numbers { .. } | Source::Photo(_) => None,
        }
    }

    /// That of a photo which was inverted into this generator.
    ///
    /// # Errors
    /// It was inverted into another one, or its numbers have other shapes than this one's.
    pub fn inverted(inverted: Inverted, generator: &Generator) -> Result<Self> {
        inverted.check(generator.network(), &generator.path().display().to_string())?;
        Ok(Self::of(Source::Photo(Arc::new(inverted))))
    }

    /// The photo, where they are the latent of one.
    pub fn photo(&self) -> Option<&Photo> {
        if let Source::Photo(inverted) = &self.source { Some(&inverted.photo) } else { None }
    }

    fn of_numbers(n: usize, values: Vec<f32>) -> Result<Self, String> {
        match values.iter().position(|v| !v.is_finite()) {
            Some(at) => {
                let latent = at / (values.len() / n);
                Err(format!("latent {latent} holds {}, which is not finite", values[at]))
            }
            None => Ok(Self::of(Source::Numbers { n, values, labels: Vec::new() })),
        }
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        match &self.source {
            Source::Seeds(seeds) => seeds.len(),
            Source::Numbers { n, .. } => *n as u64,
            Source::Photo(_) => 1,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// At most `n` latents from place `first` on, as the generator reads them, with what it reads beside them and what shifts a layer on the
    /// way. Latents that are no seeds' all have the noise of seed 0.
    pub fn batch(&self, generator: &Generator, first: u64, n: usize) -> Feed {
        let mut feed = self.whole_batch(generator, first, n);
        if let (Some(class), Some((name, classes))) = (self.class, generator.network().label()) {
            let mut labels = vec![0.0; feed.len() * classes];
            labels.iter_mut().skip(class).step_by(classes).for_each(|label| *label = 1.0);
            feed.set(name, Tensor::new(&[feed.len(), classes], labels, generator.device()));
        }
        self.truncation.apply(&mut feed, generator);
        feed
    }

    /// As [`Latents::batch`], of no class that was asked for and not truncated.
    fn whole_batch(&self, generator: &Generator, first: u64, n: usize) -> Feed {
        let (network, device) = (generator.network(), generator.device());
        let mut feed = match &self.source {
            Source::Seeds(seeds) => return network.feed(&seeds.part(first, n), device),
            Source::Photo(inverted) if first == 0 && n > 0 => inverted.feed(device),
            Source::Photo(_) => {
                Tensor::new(&[&[0], network.input_shape().as_slice()].concat(), Vec::new(), device).into()
            }
            Source::Numbers { n: all, values, labels } => {
                let start = all.min(&(first as usize)).to_owned();
                let end = all.min(&start.saturating_add(n)).to_owned();
                let part = |values: &[f32], shape: &[usize]| {
                    let length = values.len() / all;
                    let shape = [&[end - start], shape].concat();
                    Tensor::new(&shape, values[start * length..end * length].to_vec(), device)
                };
                let mut feed = Feed::from(part(values, &network.input_shape()));
                if let Some((name, classes)) = network.label().filter(|_| !labels.is_empty()) {
                    feed.set(name, part(labels, &[classes]));
                }
                feed
            }
        };
        for (name, noise) in network.noise(&vec![0; feed.len()], device) {
            feed.set(&name, noise);
        }
        feed
    }

    /// What one of them is called below its picture: its seed, else its place with a sign of number before it.
    pub fn caption(&self, place: u64) -> String {
        match &self.source {
            Source::Seeds(seeds) => seeds.part(place, 1).first().map(u64::to_string).unwrap_or_default(),
            Source::Numbers { .. } => format!("#{place}"),
            Source::Photo(_) => "photo".into(),
        }
    }

    /// What one of them is called: `seed000003`, or `latent000000` where it has no seed.
    pub fn name(&self, place: u64) -> String {
        match &self.source {
            Source::Seeds(seeds) => format!("seed{:06}", seeds.part(place, 1).first().copied().unwrap_or_default()),
            Source::Numbers { .. } => format!("latent{place:06}"),
            Source::Photo(_) => "photo".into(),
        }
    }
}

fn without_ones(shape: &[usize]) -> Vec<usize> {
    // [Z, 1, 1] and [Z] are the same latent; [1] alone stays one number.
    match shape {
        [z, 1, 1] => vec![*z],
        other => other.to_vec(),
    }
}

fn strings(shape: &[usize]) -> Vec<String> {
    shape.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::tests::small;

    #[test]
    fn numbers_give_what_their_seeds_give() {
        let generator = small(3);
        let seeds = Latents::from("2..5".parse::<Seeds>().unwrap());
        let all = seeds.batch(&generator, 0, 9).latents.to_vec();
        let given = Latents::given(all.clone(), &generator).unwrap();
        assert_eq!((given.len(), given.batch(&generator, 1, 9).latents.to_vec()), (3, all[4..].to_vec()));
        assert_eq!((seeds.name(1), given.name(1)), ("seed000003".into(), "latent000001".into()));
        assert_eq!((seeds.caption(1), given.caption(1)), ("3".into(), "#1".into()));
        assert_eq!(given.batch(&generator, 7, 1).latents.shape(), [0, 4], "beyond the last there is nothing");
    }

    #[test]
    fn a_recipe_says_which_picture() {
        let generator = small(3);
        let numbers = |latent: &LatentOf| {
            Latents::of_recipe(latent, &generator).map(|l| l.batch(&generator, 0, 1).latents.to_vec())
        };
        let seed = |seed| numbers(&LatentOf::Seed(seed)).unwrap();
        assert_eq!(numbers(&LatentOf::Between { seeds: [3, 4], at: 1.0 }).unwrap(), seed(4));
        let way = Way::of_law(generator.network().latent_law());
        let half = way.between(&seed(3), &seed(4), 0.5);
        assert_eq!(numbers(&LatentOf::Between { seeds: [3, 4], at: 0.5 }).unwrap(), half);
        let plane = |at| numbers(&LatentOf::Plane { seeds: [3, 4, 5, 6], at }).unwrap();
        assert_eq!(
            (plane([0.0, 0.0]), plane([1.0, 0.0]), plane([0.0, 1.0]), plane([1.0, 1.0])),
            (seed(3), seed(4), seed(5), seed(6))
        );
        assert_eq!(plane([0.5, 0.0]), half);
        assert_eq!(numbers(&LatentOf::Numbers(half.clone())).unwrap(), half);
        for wrong in [
            LatentOf::Between { seeds: [3, 4], at: f64::NAN },
            LatentOf::Plane { seeds: [3; 4], at: [0.0, 1.1] },
            LatentOf::Numbers(vec![0.0; 8]),
            LatentOf::Numbers(vec![0.0; 3]),
            LatentOf::Inversion("a".into()),
        ] {
            assert!(numbers(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn truncated_latents_are_nearer_to_the_middle() {
        let generator = small(3);
        let seeds = || Latents::from("2..5".parse::<Seeds>().unwrap());
        let whole = seeds().batch(&generator, 0, 9).latents.to_vec();
        let of = |latents: Latents, truncation| {
            latents.truncated(truncation, &generator).map(|latents| latents.batch(&generator, 0, 9).latents.to_vec())
        };
        let half: Vec<f32> = whole.iter().map(|z| z * 0.5).collect();
        assert_eq!(of(seeds(), 0.5).unwrap(), half);
        assert_eq!(of(Latents::given(whole.clone(), &generator).unwrap(), 0.5).unwrap(), half);
        assert_eq!(of(seeds(), 1.0).unwrap(), whole);
        assert!(of(seeds(), 0.0).unwrap().iter().all(|&z| z == 0.0));
        for wrong in [-0.1, 2.1, f64::NAN, f64::INFINITY] {
            let told = of(seeds(), wrong).unwrap_err().to_string();
            assert_eq!(told, format!("truncation: {wrong} is not from 0 to 2"));
        }
    }

    #[test]
    fn a_generator_of_directions_has_no_truncation() {
        let mut b = net::Builder::dcgan();
        let z = b.input("z", &[4]);
        let point = b.reshape("point", z, &[4, 1, 1]);
        let unit = b.norm("unit", point, 4, net::Norm::Pixel);
        b.push("big", net::Op::UpsampleNearest { factor: 2 }, &[unit]);
        let network = net::Network::initial(b.finish(), 1, "test", &net::Device::cpu());
        let generator = Generator::new(crate::Model { network, path: "g".into() }, &net::Device::cpu()).unwrap();
        let told = Latents::from("0..2".parse::<Seeds>().unwrap()).truncated(0.5, &generator).unwrap_err().to_string();
        assert!(
            told.starts_with("truncation: changes nothing: this generator divides each latent by its length"),
            "{told}"
        );
    }

    #[test]
    fn numbers_that_are_no_latents_are_refused() {
        let generator = small(3);
        let refused = |values: &[f32]| Latents::given(values.to_vec(), &generator).unwrap_err().to_string();
        assert_eq!(refused(&[0.0; 5]), "latents: 5 numbers are not latents of 4 numbers each");
        assert!(refused(&[]).starts_with("latents: 0 numbers"));
        let sick = [0., 0., 0., 0., 0., f32::NAN, 0., 0.];
        assert_eq!(refused(&sick), "latents: latent 1 holds NaN, which is not finite");
    }
}
