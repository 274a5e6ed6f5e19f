//! The table of settings.

use train::settings::{Key, Values};

const LOSSES: &[&str] =
    &["minimax", "heuristic", "least-squares", "least-squares-logit", "hinge", "wasserstein", "direct", "relativistic"];
const NOISE: &[&str] = &["shared", "independent"];

/// All settings, in the order of a run's file.
pub(super) const KEYS: &[Key] = &[
    Key::new("preset", Values::OneOf(&super::PRESETS), "what the other values started from"),
    Key::new("data", Values::Free("a built-in name, a folder, a zip, an IDX or CIFAR file, an array"), "the images"),
    Key::new("from", Values::Free("a model file, or nothing"), "the model whose weights training begins with"),
    Key::new("seed", Values::SEED, "the seed of everything random"),
    Key::new("generations", Values::count(4_000_000_000), "generations in all"),
    Key::new(
        "network",
        Values::OneOf(&["dcgan", "residual", "progan", "mlp"]),
        "the family of networks; mlp is for points",
    ),
    Key::new("width", Values::count(4096), "the width of the generator: channels of its last maps but one"),
    Key::new("width_d", Values::count(4096), "the width of the discriminator"),
    Key::new("latent", Values::count(65_536), "numbers of a latent"),
    Key::new("latent_law", Values::OneOf(&["normal", "uniform"]), "the law of each of them"),
    Key::new("norm_g", Values::OneOf(&["none", "batch", "pixel"]), "what normalises the generator's layers"),
    Key::new("norm_d", Values::OneOf(&["none", "batch", "spectral"]), "what normalises the discriminator's layers"),
    Key::new("start", Values::OneOf(&["linear", "deconvolution"]), "the first layer of a DCGAN generator"),
    Key::new("extra", Values::Switch, "more 3x3 convolutions at 8 and 16 pixels in a DCGAN generator"),
    Key::new(
        "minibatch_std",
        Values::Switch,
        "a map of the batch's standard deviation at the end of a DCGAN discriminator",
    ),
    Key::new("classes", Values::Switch, "learn by class: the class of an image is an input of both networks"),
    Key::new("batch", Values::count(65_536), "images in a step of G or D"),
    Key::new("eval", Values::count(65_536), "images by which a child is judged: so many fakes, and as many reals"),
    Key::new("d_steps", Values::count(1000), "steps of D in a generation"),
    Key::new("mu", Values::count(1000), "survivors of a generation"),
    Key::new("gamma", Values::NotNegative, "the weight of diversity in the fitness"),
    Key::new("mutations", Values::SomeOf(LOSSES), "the mutations: losses of the generator"),
    Key::new("d_loss", Values::OneOf(LOSSES), "the loss of the discriminator"),
    Key::new("quality", Values::OneOf(&["probability", "logit"]), "what the quality of a child averages"),
    Key::new(
        "selection",
        Values::OneOf(&["fitness", "elitist", "pareto", "random", "round-robin"]),
        "who survives; with random and round-robin nothing is judged",
    ),
    Key::new("adam", Values::OneOf(&["inherit", "per-mutation", "fresh"]), "which moments a child's Adam starts with"),
    Key::new(
        "gradients",
        Values::OneOf(&["raw", "unit"]),
        "whether each loss's gradient is divided by its length before Adam sees it",
    ),
    Key::new(
        "lengths",
        Values::OneOf(&["own", "equal"]),
        "whether the steps of a parent's children are made equally long: their mean",
    ),
    Key::new(
        "fitness",
        Values::OneOf(&["exact", "linear", "one-pass"]),
        "how fitness is found: of each child, linearised at their mean, or before children are made",
    ),
    Key::new("noise", Values::OneOf(NOISE), "whether the mutations of a parent share their noise"),
    Key::new("eval_noise", Values::OneOf(NOISE), "whether all children are judged on the same noise"),
    Key::new(
        "fakes",
        Values::OneOf(&["evaluation", "fresh"]),
        "what D learns against: the survivors' evaluation images, or new ones",
    ),
    Key::new("precision", Values::OneOf(&["f32", "bf16"]), "what convolutions multiply"),
    Key::new("lr_g", Values::Positive, "the learning rate of the generators"),
    Key::new("lr_d", Values::Positive, "the learning rate of the discriminator"),
    Key::new("beta1_g", Values::BelowOne, "Adam's first decay for the generators"),
    Key::new("beta1_d", Values::BelowOne, "Adam's first decay for the discriminator"),
    Key::new("beta2", Values::BelowOne, "Adam's second decay"),
    Key::new(
        "ema",
        Values::BelowOne,
        "the decay of the moving average of the best survivor's weights; 0: none is kept",
    ),
    Key::new(
        "augment",
        Values::SomeOf(&["color", "translation", "cutout"]),
        "differentiable augmentation of all that D sees",
    ),
    Key::new(
        "rate.decay",
        Values::OneOf(&["constant", "linear", "cosine"]),
        "how learning rates fall, from after the warm-up to the end",
    ),
    Key::new("rate.end", Values::BelowOne, "the part of a learning rate that is left at the end"),
    Key::new(
        "rate.over",
        Values::EVERY,
        "the generation in which the fall is at its end; 0: the last one, so that more generations make it longer",
    ),
    Key::new(
        "rate.warm_up",
        Values::EVERY,
        "generations at the start over which learning rates grow to their full size",
    ),
    Key::new("rate.of", Values::SomeOf(&["g", "d"]), "whose learning rates fall and grow so"),
    Key::new(
        "image.size",
        Values::Free("64, or 80x48 for 80 in a row and 48 rows; 8 to 1024"),
        "the size of images in pixels",
    ),
    Key::new("image.channels", Values::Some(&[0, 1, 3], "0: as the data are"), "grey or colour"),
    Key::new("image.flip", Values::Switch, "mirror real images at random"),
    Key::new("image.broken", Values::OneOf(&["refuse", "skip"]), "what to do about images that cannot be read"),
    Key::new(
        "penalty.gp",
        Values::NotNegative,
        "the weight of WGAN-GP's penalty, (|grad D| - 1)^2 between reals and fakes",
    ),
    Key::new("penalty.r1", Values::NotNegative, "the weight of R1, |grad D|^2 / 2 on reals"),
    Key::new("penalty.r2", Values::NotNegative, "the weight of R2, |grad D|^2 / 2 on fakes"),
    Key::new(
        "score.every",
        Values::EVERY,
        "generations between scores, which choose the best checkpoint; 0: none, and a rough distance chooses",
    ),
    Key::new("score.features", Values::Free("scenes, or FILE[:NODE]"), "the network by whose features a score is"),
    Key::new("score.samples", Values::Whole(2, 1_000_000), "generated images of a score"),
    Key::new("log.checkpoint", Values::EVERY, "generations between checkpoints; 0: only at the end"),
    Key::new("log.keep", Values::EVERY, "checkpoints that are kept, besides the best"),
    Key::new("log.fitness", Values::EVERY, "generations between exact checks of an estimated fitness; 0: none"),
    Key::new("log.samples", Values::EVERY, "generations between grids of samples; 0: only where a run stops"),
];
