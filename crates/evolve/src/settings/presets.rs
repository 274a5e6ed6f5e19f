//! Where settings start from.

use super::{
    AdamPolicy, BrokenImages, Fakes, Family, Fitness, Gradients, ImageSettings, Lengths, LogSettings, Noise,
    PenaltySettings, Precision, Quality, ScoreSettings, Settings,
};
use crate::rate::RateSettings;
use crate::{Loss, Selection};
use base::{Error, Result};
use data::Size;
use net::Law;
use net::zoo::{GeneratorStart, Norm};

/// The names of the presets.
pub const PRESETS: [&str; 5] = ["laptop", "modern", "paper", "theano", "pytorch"];

/// The preset of those who name none: `paper` for points, which are its toys, `laptop` for images.
pub fn usual_preset(points: bool) -> &'static str {
    if points { "paper" } else { "laptop" }
}

/// What a preset is for, in one line; nothing of others.
pub fn about_preset(name: &str) -> &'static str {
    match name {
        "laptop" => "small networks and one loss: good pictures soonest on a processor",
        "paper" => "E-GAN as the paper describes it",
        "theano" => "the paper's Theano release: noise of each mutation its own, Adam's moments by mutation",
        "pytorch" => "the paper's PyTorch release: other losses, a transposed convolution first",
        "modern" => "wide networks that evolve by three losses: for long runs on images of one's own",
        _ => "",
    }
}

impl Settings {
    /// The values of a preset, for images (or for points where `points`).
    ///
    /// # Errors
    /// There is no such preset.
    pub fn preset(name: &str, points: bool) -> Result<Self> {
        let paper = Self {
            preset: name.to_owned(),
            data: String::new(),
            from: String::new(),
            seed: 0,
            generations: 10_000,
            network: Family::Dcgan,
            width: 128,
            width_d: 128,
            latent: 100,
            latent_law: Law::Uniform,
            norm_g: Norm::None,
            norm_d: Norm::Batch,
            start: GeneratorStart::Linear,
            extra: false,
            minibatch_std: false,
            classes: false,
            batch: 32,
            eval: 256,
            d_steps: 3,
            mu: 1,
            // The paper's is not known. Once D is sure, -log of its gradient grows without bound, and with the releases'
            // 0.004 to 0.01 the child that changes nothing wins for ever (docs/results.md): this one is small enough.
            gamma: 1e-4,
            mutations: vec![Loss::Minimax, Loss::Heuristic, Loss::LeastSquares],
            d_loss: Loss::Minimax,
            quality: Quality::Probability,
            selection: Selection::Fitness,
            adam: AdamPolicy::Inherit,
            gradients: Gradients::Raw,
            lengths: Lengths::Own,
            fitness: Fitness::Exact,
            noise: Noise::Shared,
            eval_noise: Noise::Shared,
            fakes: Fakes::Evaluation,
            precision: Precision::F32,
            lr_g: 2e-4,
            lr_d: 2e-4,
            beta1_g: 0.5,
            beta1_d: 0.5,
            beta2: 0.999,
            ema: 0.0,
            augment: Vec::new(),
            rate: RateSettings::default(),
            image: ImageSettings { size: Size::square(32), channels: 0, flip: false, broken: BrokenImages::Refuse },
            penalty: PenaltySettings { gp: 0.0, r1: 0.0, r2: 0.0 },
            score: ScoreSettings::default(),
            log: LogSettings { checkpoint: 500, keep: 3, fitness: 100, samples: 250 },
        };
        let published = Self { noise: Noise::Independent, eval_noise: Noise::Independent, ..paper.clone() };
        let modern = Self {
            width: 64,
            width_d: 64,
            latent: 64,
            latent_law: Law::Normal,
            norm_g: Norm::Batch,
            norm_d: Norm::Spectral,
            extra: true,
            minibatch_std: true,
            eval: 64,
            d_steps: 1,
            gamma: 0.01,
            mutations: vec![Loss::Hinge, Loss::Heuristic, Loss::LeastSquaresLogit],
            d_loss: Loss::Hinge,
            beta1_g: 0.0,
            beta1_d: 0.0,
            lr_d: 4e-4,
            ema: 0.999,
            ..paper.clone()
        };
        let mut settings = match name {
            // What made the generator that comes with the program (docs/results.md). One mutation leaves nothing to judge.
            "laptop" => Self {
                width: 24,
                width_d: 32,
                start: GeneratorStart::Deconvolution,
                eval: 32,
                gamma: 0.0,
                mutations: vec![Loss::Hinge],
                ..modern
            },
            "modern" => modern,
            "paper" => paper,
            "theano" => Self { adam: AdamPolicy::PerMutation, gamma: 0.004, ..published },
            "pytorch" => Self {
                gamma: 0.01,
                mutations: vec![Loss::Heuristic, Loss::LeastSquaresLogit, Loss::Minimax],
                start: GeneratorStart::Deconvolution,
                ..published
            },
            _ => {
                return Err(Error::setting("preset", format!("there is no preset {name:?}"))
                    .with_hint(base::known_names(name, "presets", PRESETS)));
            }
        };
        if points {
            // The toys of the Theano release.
            settings = Self {
                network: Family::Mlp,
                width: 512,
                width_d: 512,
                latent: 2,
                norm_g: Norm::None,
                norm_d: if matches!(name, "laptop" | "modern") { Norm::Spectral } else { Norm::Batch },
                batch: 64,
                eval: 256,
                d_steps: 1,
                gamma: if name == "pytorch" { settings.gamma } else { 2.0 },
                lr_g: 1e-4,
                lr_d: 1e-4,
                beta1_d: 0.0,
                ..settings
            };
        }
        Ok(settings)
    }
}
