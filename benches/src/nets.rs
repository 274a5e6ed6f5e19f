//! The layers of the paper's networks at 32x32, and what their passes take.

use crate::{Cost, Setting};
use kernels::ConvShape;

/// Length of the latent.
pub(crate) const LATENT: usize = 100;
/// Channels and side of an image.
pub(crate) const IMAGE: [usize; 3] = [3, 32, 32];

/// What is computed of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    Forward,
    InputGradient,
    WeightGradient,
}

impl Pass {
    pub(crate) const ALL: [Self; 3] = [Self::Forward, Self::InputGradient, Self::WeightGradient];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::InputGradient => "input-gradient",
            Self::WeightGradient => "weight-gradient",
        }
    }
}

/// A 4x4 convolution of stride 2, or a transposed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    pub(crate) transposed: bool,
    /// As a convolution from its larger maps to its smaller ones.
    pub(crate) shape: ConvShape,
    pub(crate) bias: bool,
}

impl Layer {
    fn conv(name: &'static str, n: usize, [c, o]: [usize; 2], side: usize, bias: bool) -> Self {
        let output = [side / 2; 2];
        let shape = ConvShape {
            n,
            c,
            h: side,
            w: side,
            o,
            kernel: [4; 2],
            stride: [2; 2],
            padding: [[1; 2]; 2],
            dilation: [1; 2],
            groups: 1,
            output,
        };
        Self { name, transposed: false, shape, bias }
    }

    /// From maps of `side` pixels to maps of twice as many.
    fn deconv(name: &'static str, n: usize, [i, o]: [usize; 2], side: usize) -> Self {
        Self { transposed: true, ..Self::conv(name, n, [o, i], 2 * side, true) }
    }

    /// Numbers in the larger maps, the weights and the smaller maps.
    pub(crate) fn lengths(&self) -> [usize; 3] {
        let s = &self.shape;
        [s.n * s.c * s.h * s.w, s.o * s.c * s.kernel[0] * s.kernel[1], s.n * s.o * s.output[0] * s.output[1]]
    }

    /// What any of the three passes takes: each reads two of maps, maps and weights, and writes the third.
    pub(crate) fn cost(&self) -> Cost {
        Cost { macs: self.shape.macs(), bytes: 4 * self.lengths().iter().sum::<usize>() as u64 }
    }
}

/// D's convolutions, 32 to 16, 8 and 4 pixels. Batch norm replaces the biases of all but the first.
pub(crate) fn discriminator(Setting { batch, width }: Setting) -> [Layer; 3] {
    [
        Layer::conv("d0", batch, [IMAGE[0], width], 32, true),
        Layer::conv("d1", batch, [width, 2 * width], 16, false),
        Layer::conv("d2", batch, [2 * width, 4 * width], 8, false),
    ]
}

/// G's transposed convolutions, 4 to 8, 16 and 32 pixels.
pub(crate) fn generator(Setting { batch, width }: Setting) -> [Layer; 3] {
    [
        Layer::deconv("g1", batch, [4 * width, 2 * width], 4),
        Layer::deconv("g2", batch, [2 * width, width], 8),
        Layer::deconv("g3", batch, [width, IMAGE[0]], 16),
    ]
}

/// Any pass of a linear layer.
pub(crate) fn linear(n: usize, i: usize, o: usize) -> Cost {
    Cost::new(n * i * o, n * i + i * o + n * o)
}

/// The passes of a network: one cost for each layer in their order, the same in all three passes.
pub(crate) struct Passes(Vec<Cost>);

impl Passes {
    pub(crate) fn generator(setting: Setting) -> Self {
        let first = linear(setting.batch, LATENT, 16 * 4 * setting.width);
        Self([first].into_iter().chain(generator(setting).iter().map(Layer::cost)).collect())
    }

    pub(crate) fn discriminator(setting: Setting) -> Self {
        let last = linear(setting.batch, 16 * 4 * setting.width, 1);
        Self(discriminator(setting).iter().map(Layer::cost).chain([last]).collect())
    }

    pub(crate) fn forward(&self) -> Cost {
        self.0.iter().copied().sum()
    }

    /// Back to the input, weights frozen.
    pub(crate) fn to_input(&self) -> Cost {
        self.forward()
    }

    /// Back to all weights: the first layer takes no input gradient.
    pub(crate) fn to_weights(&self) -> Cost {
        self.forward() + self.0[1..].iter().copied().sum()
    }
}
