//! A convolution whose weights stay the same from call to call.

use super::{ConvShape, Layer, Precision, Way, forward, input_gradient};
use crate::elementwise::Unary;
use crate::simd::Level;
use crate::winograd::Kept;

/// A convolution, or a transposed one, ready for any number of images: weights are transformed, and it is known how it goes.
///
/// The results are those of [`super::conv2d`] and [`super::conv2d_input_gradient`] to the bit, with an activation after them.
#[derive(Debug)]
pub struct PreparedConv {
    shape: ConvShape,
    transposed: bool,
    way: Way,
    /// None where they are kept.
    weights: Vec<f32>,
    kept: Option<Kept>,
    bias: Option<Vec<f32>>,
    activation: Option<Unary>,
}

impl PreparedConv {
    /// `shape` is that of the convolution whatever its number of images; a `transposed` one goes from y to x.
    ///
    /// # Panics
    /// The weights are not those of the shape, or the bias is not a number for each channel of the result.
    pub fn new(
        shape: &ConvShape,
        transposed: bool,
        weights: Vec<f32>,
        bias: Option<Vec<f32>>,
        activation: Option<Unary>,
        precision: Precision,
    ) -> Self {
        let shape = ConvShape { n: 0, ..*shape };
        shape.check(0, weights.len(), 0);
        let channels = if transposed { shape.c } else { shape.o };
        assert!(bias.as_ref().is_none_or(|bias| bias.len() == channels), "length of the bias for {shape:?}");
        let way = Way::new(&shape, precision);
        let keep = if transposed { Kept::input_gradient } else { Kept::forward };
        let (kept, weights) = match &way {
            Way::Tiles(plan) => (Some(keep(Level::best(), plan, &weights)), Vec::new()),
            _ => (None, weights),
        };
        Self { shape, transposed, way, weights, kept, bias, activation }
    }

    /// The result for `images` images.
    ///
    /// # Panics
    /// `maps` are not those of so many images.
    pub fn run(&self, images: usize, maps: &[f32]) -> Vec<f32> {
        let (way, weights) = (&self.way, self.weights.as_slice());
        let (kept, bias, activation) = (self.kept.as_ref(), self.bias.as_deref(), self.activation);
        let layer = Layer { way, weights, kept, bias, activation };
        let pass = if self.transposed { input_gradient } else { forward };
        pass(&ConvShape { n: images, ..self.shape }, maps, &layer)
    }
}
