//! The words that settings choose from.

use serde::{Deserialize, Serialize};

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$variant_doc])* $variant),* }
    };
}

choice!(
    /// A family of networks.
    Family {
        /// Strided and transposed 4x4 convolutions.
        Dcgan,
        /// SNGAN's residual blocks.
        Residual,
        /// Upsampling and 3x3 convolutions, equalised learning rate.
        Progan,
        /// Three hidden layers, for points.
        Mlp
    }
);
choice!(
    /// What the quality of a child averages.
    Quality {
        /// `sigmoid(logit)`.
        Probability,
        /// The logit itself.
        Logit
    }
);
choice!(
    /// Which moments a child's Adam starts with.
    AdamPolicy {
        /// Its parent's.
        Inherit,
        /// Those of its mutation, which run over all evaluations.
        PerMutation,
        /// None.
        Fresh
    }
);
choice!(
    /// What of a loss's gradient enters Adam's moments.
    Gradients {
        /// All of it: the loss with the largest gradients rules moments that are shared.
        Raw,
        /// Its direction: it is divided by its length.
        Unit
    }
);
choice!(
    /// How long the steps are by which the children of a parent differ from it.
    Lengths {
        /// As Adam makes them.
        Own,
        /// Equal: the mean of them.
        Equal
    }
);
choice!(
    /// How the fitness of children is found (docs/evolution.md).
    Fitness {
        /// Each child makes images, which the discriminator judges.
        Exact,
        /// One gradient at the mean of a parent's children, and a product with each child's step.
        Linear,
        /// From one more forward pass, before there are children; only the best is made.
        OnePass
    }
);
choice!(
    /// Whether noise is common.
    Noise {
        /// The same for all.
        Shared,
        /// Each its own.
        Independent
    }
);
choice!(
    /// The fakes of the discriminator's steps.
    Fakes {
        /// The survivors' evaluation images, as the releases do.
        Evaluation,
        /// New ones for every step.
        Fresh
    }
);
choice!(
    /// What to do about images that cannot be read.
    BrokenImages {
        /// The first one met is an error.
        Refuse,
        /// They are found at the start, named, and left out.
        Skip
    }
);
choice!(
    /// A differentiable augmentation.
    Augmentation {
        /// Brightness, saturation, contrast.
        Color,
        /// Shifts of up to an eighth of the height and of the width.
        Translation,
        /// A missing part of half the height and half the width.
        Cutout
    }
);
choice!(
    /// What convolutions multiply.
    Precision {
        /// Numbers of 32 bits.
        F32,
        /// Numbers rounded to 16 bits with the range of 32 ([`net::Precision::Bf16`]).
        Bf16
    }
);

#[allow(clippy::derivable_impls, reason = "the macro has no variant for it")]
impl Default for Precision {
    fn default() -> Self {
        Self::F32
    }
}

impl From<Precision> for net::Precision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
        }
    }
}
