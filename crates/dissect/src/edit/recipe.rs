//! Recipes: what is done to which units, as a file that every command shares.

use super::place::Place;
use crate::dissection::Dissection;
use crate::plan::Origin;
use crate::subject::Subject;
use base::sniff::{Kind, Wanted};
use base::{Error, Malformed, Result, files};
use net::Edit;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::str::FromStr;

/// The version that is written, and the newest that is read. All before it are read, too.
pub const RECIPE_FORMAT: u32 = 2;
/// The file with the recipe in the folder of an edit.
pub const RECIPE: &str = "recipe.json";
/// The longest recipe that is read: masks may be large.
const LIMIT: u64 = 256 << 20;

/// Several actions, done in their order: later ones see what earlier ones left, as `x' = x (1 - a P) + k a P` one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// [`RECIPE_FORMAT`], or a lower one.
    pub format: u32,
    /// The generator that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Origin>,
    /// The picture that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latent: Option<LatentOf>,
    /// How far its latent, or the styles that are made of it, may be from the middle: less than 1 gives pictures that are more typical and more
    /// alike. 1 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncation: Option<f64>,
    /// How many layers have styles that are truncated, from the first on; all where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncation_layers: Option<usize>,
    /// Its class, by name or number, for generators that read a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What is done.
    pub edits: Vec<Action>,
}

/// Where the latent of one picture comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LatentOf {
    /// A seed.
    Seed(u64),
    /// The way from one seed to another, as the law of the latents has it.
    Between {
        /// Both ends.
        seeds: [u64; 2],
        /// The place on the way: 0 is the first, 1 the second.
        at: f64,
    },
    /// A place among four seeds: on the way between the place on the upper edge and that on the lower one.
    Plane {
        /// The corners: top left, top right, bottom left, bottom right.
        seeds: [u64; 4],
        /// How far to the right and how far down, each 0 to 1.
        at: [f64; 2],
    },
    /// Its numbers.
    Numbers(Vec<f32>),
    /// A photo that was inverted into the generator, by the name that it got then.
    Inversion(String),
}

/// Moves some units of one layer towards a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The layer's name.
    pub layer: String,
    /// Its units.
    pub units: Units,
    /// Where the units are moved to.
    #[serde(default)]
    pub value: Value,
    /// How far: 0 leaves them, 1 sets them to the value. Below 0 it moves them away from it: -1 with the value 0 doubles them.
    #[serde(default = "one")]
    pub alpha: f64,
    /// Where in the picture; everywhere if not given.
    #[serde(default, skip_serializing_if = "Place::is_everywhere")]
    pub place: Place,
    /// The class that it is about, for who looks at what it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Whether it is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

fn one() -> f64 {
    1.0
}

/// Which units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Units {
    /// By number.
    Numbers(Vec<usize>),
    /// The `best` units of a dissection by their `IoU` with a class.
    OfClass {
        /// The class.
        class: String,
        /// How many.
        best: usize,
    },
}

/// What units are set to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// 0: switched off.
    #[default]
    Zero,
    /// A number.
    Number(f64),
    /// Each unit's mean activation.
    Mean,
    /// Each unit's mean activation where this class is.
    MeanOf(String),
    /// Each unit's quantile, 0 to 1.
    Quantile(f64),
}

impl Action {
    /// Switches units off everywhere.
    pub fn ablate(layer: impl Into<String>, units: Vec<usize>) -> Self {
        let (units, value) = (Units::Numbers(units), Value::Zero);
        Self { layer: layer.into(), units, value, alpha: 1.0, place: Place::Everywhere, class: None, hidden: false }
    }

    /// The edit of a network that does it. `dissection` is needed where units or values are named by what was found.
    ///
    /// # Errors
    /// There is no such layer, unit, class or cell; a number is not finite; or a dissection is needed and not given.
    pub fn resolve(&self, subject: &Subject, dissection: Option<&Dissection>) -> Result<Edit> {
        let wrong = |reason: String| Error::setting(format!("edit of {}", self.layer), reason);
        let Some(layer) = subject.layers().iter().find(|layer| layer.name == self.layer) else {
            let known = subject.layers().iter().map(|layer| layer.name.as_str());
            return Err(wrong("there is no such layer with maps".into()).with_hint(base::known_names(
                &self.layer,
                "layers with maps",
                known,
            )));
        };
        // The network computes in f32, where larger numbers are infinite.
        let is_number = |value: f64| (value as f32).is_finite();
        if !is_number(self.alpha) {
            return Err(wrong(format!("alpha is {}", self.alpha)));
        }
        let found = || -> Result<(&Dissection, usize)> {
            let dissection = dissection.ok_or_else(|| {
                wrong("names units or values by what a dissection found, but none is given".into())
                    .with_hint("Give its folder with `dissection`.")
            })?;
            let place = dissection.plan.layers.iter().position(|other| other == layer);
            let place = place.ok_or_else(|| wrong(format!("is not in {}", dissection.folder.display())))?;
            Ok((dissection, place))
        };
        let units = match &self.units {
            Units::Numbers(units) => units.clone(),
            Units::OfClass { class, best } => {
                let (dissection, place) = found()?;
                let ranked = dissection.ranked_by_iou(place, dissection.concept(class)?);
                if *best > ranked.len() {
                    return Err(wrong(format!("{class}/{best}: it has {} units", ranked.len())));
                }
                ranked.into_iter().take(*best).collect()
            }
        };
        if units.is_empty() {
            return Err(wrong("names no unit".into()));
        }
        if let Some(unit) = units.iter().find(|&&unit| unit >= layer.units) {
            return Err(wrong(format!("there is no unit {unit}; it has units 0 to {}", layer.units - 1)));
        }
        let mut once = units.clone();
        once.sort_unstable();
        if let Some([unit, _]) = once.array_windows().find(|[a, b]| a == b) {
            return Err(wrong(format!("names unit {unit} twice")));
        }
        let values = match &self.value {
            Value::Zero => vec![0.0],
            Value::Number(value) if is_number(*value) => vec![*value],
            Value::Number(value) => return Err(wrong(format!("the value is {value}"))),
            Value::Mean => {
                let (dissection, place) = found()?;
                units.iter().map(|&u| dissection.fits[place].means[u].into()).collect()
            }
            Value::MeanOf(class) => {
                let (dissection, place) = found()?;
                let concept = dissection.concept(class)?;
                let means = &dissection.fits[place].class_means;
                let width = dissection.concepts.list().len();
                let values: Vec<f64> = units.iter().map(|&u| means[u * width + concept].into()).collect();
                if values.iter().any(|v| v.is_nan()) {
                    return Err(wrong(format!("{class} never occurred in the images that the levels were taken from")));
                }
                values
            }
            Value::Quantile(q) if (0.0..=1.0).contains(q) => {
                let (dissection, place) = found()?;
                units.iter().map(|&u| dissection.fits[place].quantile(u, *q).into()).collect()
            }
            Value::Quantile(q) => return Err(wrong(format!("{q} is no quantile; they are 0 to 1"))),
        };
        let mask = self.place.mask(layer).map_err(wrong)?;
        Ok(Edit { node: layer.name.clone(), units, alpha: self.alpha, values, mask })
    }
}

impl Recipe {
    /// These actions.
    pub fn new(edits: Vec<Action>) -> Self {
        Self {
            format: RECIPE_FORMAT,
            model: None,
            latent: None,
            truncation: None,
            truncation_layers: None,
            class: None,
            edits,
        }
    }

    /// Reads a recipe.
    ///
    /// # Errors
    /// The file cannot be read, or is not a recipe of a format that is known.
    pub fn read(path: &Path) -> Result<Self> {
        const WANTED: Wanted = Wanted { name: "a recipe (JSON)", kind: Kind::JSON, cure: FORM };
        let unfit = |error: Error| WANTED.unfit(path, Kind::of_path(path), error);
        let bytes = files::read(path, LIMIT).map_err(unfit)?;
        let value = serde_json::from_slice(&bytes).map_err(|e| unfit(not_a_recipe(path, &e.to_string())))?;
        Self::of_json(value).map_err(|what| not_a_recipe(path, &what))
    }

    /// The recipe that a JSON document holds.
    ///
    /// # Errors
    /// What is wrong, in words: of which edit, where one is.
    pub fn of_json(mut value: serde_json::Value) -> Result<Self, String> {
        let newest = u64::from(RECIPE_FORMAT);
        match value.get("format").map(serde_json::Value::as_u64) {
            Some(Some(format)) if (1..=newest).contains(&format) => {}
            Some(Some(format)) if format > newest => {
                return Err(format!(
                    "it was written by a newer version (format {format}; this one reads 1 to {newest})"
                ));
            }
            _ => return Err("it names no \"format\"".into()),
        }
        // Edits one by one, so that messages can say which.
        let edits = value.get_mut("edits").and_then(serde_json::Value::as_array_mut).map(std::mem::take);
        let mut recipe: Self = serde_json::from_value(value).map_err(|e| e.to_string())?;
        for (place, edit) in edits.unwrap_or_default().into_iter().enumerate() {
            recipe.edits.push(serde_json::from_value(edit).map_err(|e| format!("edit {}: {e}", place + 1))?);
        }
        Ok(recipe)
    }

    /// The edits that are not left out.
    pub fn shown(&self) -> impl Iterator<Item = &Action> {
        self.edits.iter().filter(|action| !action.hidden)
    }

    /// Writes the recipe, atomically.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self).map_err(|e| Error::file(path, e.to_string()))?;
        files::write_atomic(path, (json + "\n").as_bytes())
    }

    /// The edits of a network that do it, in order; those that are left out are not among them.
    ///
    /// # Errors
    /// As [`Action::resolve`].
    pub fn resolve(&self, subject: &Subject, dissection: Option<&Dissection>) -> Result<Vec<Edit>> {
        self.shown().map(|action| action.resolve(subject, dissection)).collect()
    }
}

/// The form of a recipe, for who gave something else.
const FORM: &str = r#"Its form is {"format": 2, "edits": [{"layer": "2", "units": [3, 5], "value": "zero"}]}; docs/formats.md has the rest."#;

fn not_a_recipe(path: &Path, what: &str) -> Error {
    Error::file(path, format!("is not a recipe that can be read: {what}")).with_hint(FORM)
}

/// `L:u,u` or `L:CLASS/N`, with `@VALUE` where a value is wanted: `2:3,5@0`, `2:tree/20@q0.99`, `2:7@mean`, `2:7@mean:door`.
impl FromStr for Action {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let wrong = |reason: String| Malformed::new("edit", reason);
        let (target, value) = text.split_once('@').map_or((text, None), |(t, v)| (t, Some(v)));
        let (layer, units) =
            target.rsplit_once(':').ok_or_else(|| wrong(format!("{text:?} names no layer: write LAYER:UNIT,UNIT")))?;
        let units = if let Some((class, best)) = units.rsplit_once('/') {
            let none = || wrong(format!("{best:?} is no number of units: write LAYER:CLASS/20"));
            Units::OfClass { class: class.into(), best: best.parse().map_err(|_| none())? }
        } else {
            let unit = |word: &str| {
                word.trim()
                    .parse::<usize>()
                    .map_err(|_| wrong(format!("{word:?} is not a unit: write LAYER:3,5 or LAYER:CLASS/20")))
            };
            Units::Numbers(units.split(',').map(unit).collect::<Result<_, _>>()?)
        };
        let value = value.map_or(Ok(Value::Zero), str::parse)?;
        Ok(Self { units, value, ..Self::ablate(layer, Vec::new()) })
    }
}

impl FromStr for Value {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Some(class) = text.strip_prefix("mean:") {
            return Ok(Self::MeanOf(class.into()));
        }
        if let Some(Ok(q)) = text.strip_prefix('q').map(str::parse) {
            return Ok(Self::Quantile(q));
        }
        match (text, text.parse::<f64>()) {
            ("mean", _) => Ok(Self::Mean),
            ("zero", _) => Ok(Self::Zero),
            (_, Ok(number)) if number.is_finite() => Ok(Self::Number(number)),
            _ => {
                let reason = format!("{text:?} is not a value: write a number, mean, mean:CLASS, q0.99 or zero");
                Err(Malformed::new("edit", reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_as_people_write_them() {
        let action = |text: &str| text.parse::<Action>().unwrap();
        assert_eq!(action("2:3,5"), Action::ablate("2", vec![3, 5]));
        assert_eq!(action("a:b:7@-1.5").value, Value::Number(-1.5));
        assert_eq!(action("a:b:7").layer, "a:b");
        assert_eq!(action("2:tree/20@q0.99").units, Units::OfClass { class: "tree".into(), best: 20 });
        assert_eq!(action("2:7@q0.99").value, Value::Quantile(0.99));
        assert_eq!(
            (action("2:7@mean").value, action("2:7@mean:door").value),
            (Value::Mean, Value::MeanOf("door".into()))
        );
        for text in ["2", "2:", "2:x", "2:3,", "2:3@", "2:3@high", "2:tree/x", "2:-1", "2:3@nan", "2:3@inf"] {
            assert!(text.parse::<Action>().is_err(), "{text}");
        }
    }

    #[test]
    fn actions_that_would_do_nothing_or_something_else_are_refused() {
        use net::zoo::{DcganGenerator, GeneratorStart, Norm, dcgan_generator};
        let (size, channels, latent, width) = ([16; 2], 3, 4, 2);
        let (norm, start) = (Norm::Batch, GeneratorStart::Linear);
        let graph = dcgan_generator(DcganGenerator { size, channels, latent, width, norm, start, extra: false });
        let network = net::Network::initial(graph, 1, "test", &net::Device::cpu());
        let subject = Subject::new(&network, &[], &net::Device::cpu()).unwrap();
        let off = |units: &[usize]| Action::ablate("0", units.to_vec());
        let under =
            |mask: &[&[f32]]| Action { place: Place::Mask(mask.iter().map(|row| row.to_vec()).collect()), ..off(&[1]) };
        let refused = |action: Action| {
            let error = action.resolve(&subject, None).unwrap_err().to_string();
            error.strip_prefix("edit of 0: ").unwrap().to_owned()
        };
        assert_eq!(refused(off(&[])), "names no unit");
        assert_eq!(refused(off(&[3, 1, 3])), "names unit 3 twice");
        assert_eq!(refused(off(&[4])), "there is no unit 4; it has units 0 to 3");
        assert_eq!(refused(Action { place: Place::Cells(vec![]), ..off(&[1]) }), "names no cell");
        assert_eq!(refused(under(&[&[0.0, 0.0]])), "the mask marks nothing: it is black (0) everywhere");
        assert_eq!(refused(under(&[&[0.0, 1.5]])), "the mask holds a number that is not in 0 to 1");
        assert_eq!(refused(under(&[&[1.0], &[]])), "the mask's rows are empty or of different lengths");
        assert_eq!(refused(under(&[])), "the mask's rows are empty or of different lengths");
        assert_eq!(refused(Action { alpha: 1e300, ..off(&[1]) }), format!("alpha is {}", 1e300));
        assert_eq!(refused(Action { value: Value::Number(-1e300), ..off(&[1]) }), format!("the value is {}", -1e300));
        assert!(under(&[&[0.0, 0.1]]).resolve(&subject, None).is_ok());
        // A factor above 1 or below 0 is an alpha outside of 0 to 1.
        assert!(Action { alpha: -1.0, ..off(&[1]) }.resolve(&subject, None).is_ok());
    }

    #[test]
    fn a_recipe_comes_back_from_its_file_and_unknown_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recipe.json");
        let placed = |place, value| Action { value, place, ..Action::ablate("1", vec![0]) };
        let recipe = Recipe::new(vec![
            placed(Place::Cells(vec![[1, 2]]), Value::MeanOf("door".into())),
            placed(Place::Mask(vec![vec![0.5]]), Value::Quantile(0.9)),
            Action {
                units: Units::OfClass { class: "tree".into(), best: 3 },
                alpha: 0.5,
                ..Action::ablate("2", vec![])
            },
        ]);
        recipe.write(&path).unwrap();
        assert_eq!(Recipe::read(&path).unwrap(), recipe);
        for wrong in [
            r#"{"format": 3, "edits": []}"#,
            r#"{"format": 0, "edits": []}"#,
            r#"{"edits": []}"#,
            r#"{"format": 2}"#,
            r#"{"format": 2, "edits": {}}"#,
            r#"{"format": 2, "latent": {"sed": 1}, "edits": []}"#,
            r#"{"format": 1, "edits": [{"layer": "1", "units": [1], "strength": 2}]}"#,
        ] {
            std::fs::write(&path, wrong).unwrap();
            assert!(Recipe::read(&path).is_err(), "{wrong}");
        }
    }
}
