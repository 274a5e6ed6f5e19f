//! What can be chosen of each figure: the constants in which programs of this field differ.

use metrics::inception_score::Order;
use metrics::kid::{Estimator, Subsets};
use metrics::neighbourhood::Border;
use metrics::path_length::{Places, Space};
use metrics::{defaults, inception_score, infinity, kid, mind, neighbourhood, path_length};
use score::{Divisor, Options};

/// The flags.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Figures")]
pub(crate) struct Choices {
    /// What covariances are divided by: N-1 (pytorch-fid, torch-fidelity), or N (StyleGAN3)
    #[arg(long, value_name = "N-1|N", default_value = "N-1", value_parser = ["N-1", "N"])]
    divisor: String,

    /// Confidence of the interval of fid-infinity
    #[arg(long, value_name = "P", default_value_t = defaults::CONFIDENCE)]
    confidence: f64,

    /// Random subsets of kid; 0: all images at once
    #[arg(long, value_name = "N", default_value_t = defaults::KID_SUBSETS)]
    kid_subsets: usize,

    /// Images of a subset of kid, of either side
    #[arg(long, value_name = "N", default_value_t = defaults::KID_SUBSET_SIZE)]
    kid_size: usize,

    /// How kid is estimated
    #[arg(long, value_name = "HOW", default_value = "unbiased", value_parser = ["unbiased", "biased", "u-statistic"])]
    kid_estimator: String,

    /// Parts of is
    #[arg(long, value_name = "N", default_value_t = defaults::SCORE_SPLITS)]
    splits: usize,

    /// Neighbours that the balls of prdc reach to
    #[arg(long, value_name = "K", default_value_t = defaults::NEIGHBOURS)]
    k: usize,

    /// Whether the border of a ball of prdc is in it (StyleGAN3, torch-fidelity) or out (prdc)
    #[arg(long, value_name = "in|out", default_value = "in", value_parser = ["in", "out"])]
    border: String,

    /// Random directions of mind
    #[arg(long, value_name = "N", default_value_t = defaults::DIRECTIONS)]
    directions: usize,

    /// Where the paths of ppl lie: between latents (z), or between styles (w) where a model makes some
    #[arg(long, value_name = "z|w", default_value = "z", value_parser = ["z", "w"])]
    ppl_space: String,

    /// Where on its path a step of ppl is: anywhere (full), or at the beginning (end)
    #[arg(long, value_name = "full|end", default_value = "full", value_parser = ["full", "end"])]
    ppl_places: String,

    /// How long a step of ppl is, as a part of the path
    #[arg(long, value_name = "E", default_value_t = defaults::PATH_STEP)]
    ppl_step: f64,

    /// The seed of all that is drawn: images, subsets, the order of is, directions, paths
    #[arg(long, value_name = "S", default_value_t = defaults::SEED)]
    pub(crate) seed: u64,
}

impl Choices {
    /// As figures know them.
    pub(crate) fn options(&self) -> Options {
        let seed = self.seed;
        let subsets = match self.kid_subsets {
            0 => Subsets::Whole,
            subsets => Subsets::Random { subsets, size: self.kid_size, seed },
        };
        let estimator = match self.kid_estimator.as_str() {
            "biased" => Estimator::Biased,
            "u-statistic" => Estimator::UStatistic,
            _ => Estimator::Unbiased,
        };
        let order = Order::Shuffled { seed };
        Options {
            divisor: if self.divisor == "N" { Divisor::Samples } else { Divisor::SamplesLessOne },
            infinity: infinity::Options { confidence: self.confidence, ..infinity::Options::default() },
            kid: kid::Options { estimator, subsets, ..kid::Options::default() },
            score: inception_score::Options { splits: self.splits, order, ..inception_score::Options::default() },
            neighbourhood: neighbourhood::Options {
                k: self.k,
                border: if self.border == "out" { Border::Out } else { Border::In },
            },
            mind: mind::Options { directions: self.directions, seed },
            path: path_length::Options {
                step: self.ppl_step,
                space: if self.ppl_space == "w" { Space::W } else { Space::Z },
                places: if self.ppl_places == "end" { Places::End } else { Places::Full },
                seed,
                ..path_length::Options::default()
            },
        }
    }
}
