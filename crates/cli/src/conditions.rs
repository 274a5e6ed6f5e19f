//! The flag `--truncation`.

use models::{Generator, Latents};

/// How far latents may be from the middle of their law.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Truncation {
    /// Multiply latents by this, 0 to 2: below 1 pictures are more typical and more alike
    #[arg(long = "truncation", value_name = "PSI", allow_negative_numbers = true)]
    pub(crate) psi: Option<f64>,
}

impl Truncation {
    /// The latents, truncated where that was asked for.
    ///
    /// # Errors
    /// As [`Latents::truncated`].
    pub(crate) fn of(self, latents: Latents, generator: &Generator) -> net::Result<Latents> {
        match self.psi {
            Some(psi) => latents.truncated(psi, generator),
            None => Ok(latents),
        }
    }
}
