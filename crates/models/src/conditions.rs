//! What is said of pictures beside their latents: how usual they are to be, and of which class.

use crate::Generator;
use base::{Error, known_names};
use dissect::Recipe;
use net::{Feed, Result, Tensor};

/// What a truncation can be at most.
const MOST: f64 = 2.0;

/// How far latents may be from the middle of their law, or styles from their mean: less than 1 gives pictures that are more typical and
/// more alike, 0 one picture, more than 1 less usual ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truncation {
    /// 0 to 2.
    pub psi: f64,
    /// How many layers have truncated styles, from the first on; all where nothing is said.
    pub layers: Option<usize>,
}

impl Truncation {
    /// Nothing is truncated.
    pub(crate) const NONE: Self = Self { psi: 1.0, layers: None };

    /// Refuses one that this generator cannot have.
    ///
    /// # Errors
    /// It is out of its range; the generator takes no notice of a latent's length; or it is for some layers, and the generator has no styles.
    pub(crate) fn check(self, generator: &Generator) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::setting("truncation", reason));
        if !(0.0..=MOST).contains(&self.psi) {
            return wrong(format!("{} is not from 0 to {MOST}", self.psi));
        }
        match (generator.network().truncation(), self.layers) {
            (Some((_, most)), Some(layers)) if layers > most => {
                Err(Error::setting("truncation_layers", format!("{layers} are more than the {most} that there are")))
            }
            (Some(_), _) => Ok(()),
            (None, Some(_)) => {
                Err(Error::setting("truncation_layers", "this generator makes no styles of its latents"))
            }
            (None, None) if !generator.network().reads_latent_length() => {
                wrong("changes nothing: this generator divides each latent by its length before it reads it".into())
            }
            (None, None) => Ok(()),
        }
    }

    /// The feed, truncated: its styles where the network makes some, else its latents.
    pub(crate) fn apply(self, feed: &mut Feed, generator: &Generator) {
        if self.psi == 1.0 {
            return;
        }
        match generator.network().truncation() {
            Some((name, layers)) => {
                let psi = |layer| if self.layers.is_none_or(|first| layer < first) { self.psi as f32 } else { 1.0 };
                let values = (0..layers).map(psi).collect();
                feed.set(name, Tensor::new(&[layers], values, generator.device()));
            }
            None => feed.latents = feed.latents.scale(self.psi),
        }
    }
}

impl From<f64> for Truncation {
    fn from(psi: f64) -> Self {
        Self { psi, layers: None }
    }
}

/// What is said of pictures beside their latents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions {
    /// How usual they are to be.
    pub truncation: Option<Truncation>,
    /// Their class, by name or number. Where nothing is said, a seed has a class of its own.
    pub class: Option<String>,
}

impl Conditions {
    /// Those of a recipe's picture.
    pub fn of_recipe(recipe: &Recipe) -> Self {
        let truncation = recipe.truncation.map(|psi| Truncation { psi, layers: recipe.truncation_layers });
        Self { truncation, class: recipe.class.clone() }
    }
}

impl Generator {
    /// Whether a truncation changes pictures.
    pub fn can_truncate(&self) -> bool {
        Truncation::NONE.check(self).is_ok()
    }

    /// The names of the classes of which it makes pictures when it is told to, by their numbers: `0`, `1` and so on where nobody named
    /// them. Nothing where it reads no label.
    pub fn classes(&self) -> Vec<String> {
        let Some((_, count)) = self.network().label() else { return Vec::new() };
        let names = self.network().class_names();
        (0..count).map(|number| names.get(number).cloned().unwrap_or_else(|| number.to_string())).collect()
    }

    /// The number of a class, by its name or number.
    ///
    /// # Errors
    /// It reads no label, or has no such class.
    pub fn class(&self, class: &str) -> Result<usize, Error> {
        let names = self.classes();
        if names.is_empty() {
            return Err(Error::setting("class", "this generator reads no label"));
        }
        let number = || class.parse::<usize>().ok().filter(|&number| number < names.len());
        names.iter().position(|name| name == class).or_else(number).ok_or_else(|| {
            let hint = match names.len() {
                count if names[0] == "0" => format!("They are 0 to {}.", count - 1),
                _ => known_names(class, "classes", names.iter().map(String::as_str)),
            };
            Error::setting("class", format!("there is no class {class:?}")).with_hint(hint)
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::generator::tests::small;
    use crate::{Latents, Model, Seeds, Walk};
    use dissect::LatentOf;
    use net::{Binary, Device, Graph, Network, Op, Primitive, Role};

    /// A generator whose styles are its latent and its label, `ws = truncation * (z + 10 label)`, two of three numbers, and whose pixel (row,
    /// column) is number `column` of style `row`.
    pub(crate) fn conditional() -> Generator {
        let mut graph = Graph::default();
        let z = graph.push("z", Op::Input { shape: vec![3], batch: true, role: Some(Role::Latent), law: None }, &[]);
        let label = Op::Input { shape: vec![3], batch: true, role: Some(Role::Label), law: None };
        let label = graph.push("c", label, &[]);
        let ten = graph.push("c.ten", net::Unary::Scale { factor: 10.0 }, &[label]);
        let w = graph.push("w", Binary::Add, &[z, ten]);
        let row = graph.push("w.row", Op::Reshape { shape: vec![1, 3] }, &[w]);
        let psi = Op::Input { shape: vec![2], batch: false, role: Some(Role::Truncation), law: None };
        let psi = graph.push("psi", psi, &[]);
        let column = [2, 1].map(net::Dim::Fixed).to_vec();
        let psi = graph.push("psi.column", Primitive::Reshape { shape: column }, &[psi]);
        let ws = graph.push("ws", Binary::Mul, &[row, psi]);
        graph.push("x", Op::Reshape { shape: vec![1, 2, 3] }, &[ws]);
        let mut network = Network::initial(graph, 1, "test", &Device::cpu());
        network.name_classes(&["cat".into(), "dog".into(), "wild".into()]);
        Generator::new(Model { network, path: "g".into() }, &Device::cpu()).unwrap()
    }

    fn under(latents: Latents, truncation: Option<Truncation>, class: Option<&str>) -> Result<Vec<f32>> {
        let generator = conditional();
        let conditions = Conditions { truncation, class: class.map(str::to_owned) };
        let latents = latents.under(&conditions, &generator)?;
        Ok(generator.forward(&latents.batch(&generator, 0, 9))?.to_vec())
    }

    fn seeds(text: &str) -> Latents {
        text.parse::<Seeds>().unwrap().into()
    }

    /// The pictures by hand.
    fn by_hand(psi: [f32; 2], classes: &[usize], seeds: &[u64]) -> Vec<f32> {
        let z = conditional().network().latents(seeds, &Device::cpu()).to_vec();
        let picture = |(z, &class): (&[f32], &usize)| {
            let style: Vec<f32> = (0..3).map(|i| z[i] + if i == class { 10.0 } else { 0.0 }).collect();
            psi.iter().flat_map(|psi| style.iter().map(move |w| psi * w)).collect::<Vec<_>>()
        };
        z.chunks_exact(3).zip(classes).flat_map(picture).collect()
    }

    #[test]
    fn styles_are_truncated_where_there_are_some() {
        let own: Vec<usize> = [4, 5].map(|seed| conditional().network().class_of_seed(seed).unwrap()).to_vec();
        let of = |psi, layers| under(seeds("4..6"), Some(Truncation { psi, layers }), None).unwrap();
        assert_eq!(of(0.5, None), by_hand([0.5, 0.5], &own, &[4, 5]));
        assert_eq!(of(0.5, Some(1)), by_hand([0.5, 1.0], &own, &[4, 5]));
        assert_eq!(of(0.5, Some(0)), by_hand([1.0, 1.0], &own, &[4, 5]));
        assert_eq!(under(seeds("4..6"), None, None).unwrap(), by_hand([1.0, 1.0], &own, &[4, 5]));
        let refused = |generator: &Generator, psi, layers| Truncation { psi, layers }.check(generator).unwrap_err();
        let told = refused(&conditional(), 0.5, Some(3)).to_string();
        assert_eq!(told, "truncation_layers: 3 are more than the 2 that there are");
        let told = refused(&small(3), 0.5, Some(1)).to_string();
        assert_eq!(told, "truncation_layers: this generator makes no styles of its latents");
        assert!(conditional().can_truncate() && small(3).can_truncate());
    }

    #[test]
    fn a_class_is_named_or_numbered_or_that_of_the_seed() {
        assert_eq!(under(seeds("4..6"), None, Some("dog")).unwrap(), by_hand([1.0, 1.0], &[1, 1], &[4, 5]));
        assert_eq!(under(seeds("4..6"), None, Some("2")).unwrap(), by_hand([1.0, 1.0], &[2, 2], &[4, 5]));
        let refused = under(seeds("4"), None, Some("dgo")).unwrap_err();
        assert_eq!(refused.to_string(), "class: there is no class \"dgo\"");
        assert!(refused.hint().unwrap().contains("dog"), "{refused:?}");
        let none = Latents::from("4".parse::<Seeds>().unwrap());
        let told = none.under(&Conditions { class: Some("1".into()), ..Conditions::default() }, &small(3));
        assert_eq!(told.unwrap_err().to_string(), "class: this generator reads no label");
        assert!(small(3).classes().is_empty());
    }

    #[test]
    fn numbers_have_no_class_of_their_own() {
        let z = conditional().network().latents(&[4], &Device::cpu()).to_vec();
        let given = || Latents::given(z.clone(), &conditional()).unwrap();
        assert_eq!(under(given(), None, Some("cat")).unwrap(), by_hand([1.0, 1.0], &[0], &[4]));
        let refused = under(given(), None, None).unwrap_err();
        assert_eq!(refused.to_string(), "class: is not given, and these latents say nothing of it");
    }

    #[test]
    fn between_seeds_classes_are_mixed() {
        let generator = conditional();
        let between = |at| {
            let latents = Latents::of_recipe(&LatentOf::Between { seeds: [4, 5], at }, &generator).unwrap();
            under(latents, None, None).unwrap()
        };
        let own: Vec<usize> = [4, 5].map(|seed| generator.network().class_of_seed(seed).unwrap()).to_vec();
        assert_eq!([between(0.0), between(1.0)].concat(), by_hand([1.0, 1.0], &own, &[4, 5]));
        let feed = Latents::of_recipe(&LatentOf::Between { seeds: [4, 5], at: 0.25 }, &generator).unwrap();
        let label = feed.batch(&generator, 0, 1).value("c").unwrap().to_vec();
        let wanted: Vec<f32> = (0..3)
            .map(|class| if class == own[0] { 0.75 } else { 0.0 } + if class == own[1] { 0.25 } else { 0.0 })
            .collect();
        assert_eq!(label, wanted);
        let walk = Walk { seeds: "4,5".parse().unwrap(), steps: 3, round: false, way: None };
        let walked = walk.latents(&generator).unwrap().batch(&generator, 0, 1).value("c").unwrap().to_vec();
        assert_eq!(walked[own[0]], 1.0);
    }
}
