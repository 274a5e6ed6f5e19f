//! The flags that say what pictures are to be like: `--truncation`, `--class`.

use models::{Conditions, Truncation};

/// What is said of pictures beside their latents.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Likeness {
    /// How far from the middle pictures may be, 0 to 2: below 1 they are more typical and more alike. Styles go from their
    /// mean by that where the generator makes some; else latents are multiplied by it
    #[arg(long = "truncation", value_name = "PSI", allow_negative_numbers = true)]
    psi: Option<f64>,

    /// Truncate the styles of the first N layers alone
    #[arg(long, value_name = "N", requires = "psi")]
    truncation_layers: Option<usize>,

    /// The class, by name or number, of a generator that reads one [default: each seed has a class of its own]
    #[arg(long, value_name = "NAME|NUMBER")]
    class: Option<String>,
}

impl Likeness {
    /// What was said.
    pub(crate) fn conditions(&self) -> Conditions {
        let truncation = self.psi.map(|psi| Truncation { psi, layers: self.truncation_layers });
        Conditions { truncation, class: self.class.clone() }
    }
}
