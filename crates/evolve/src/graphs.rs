//! The networks of a run, with the gradients that the game needs.

use crate::settings::{Family, Settings};
use net::zoo::{self, DcganDiscriminator, DcganGenerator};
use net::{Binary, Derivative, Dim, Graph, NodeId, Op, Primitive, Result, Trainee};

/// The descriptions of generator and discriminator for data of a shape, `[c, h, w]` or `[2]`.
pub fn networks(s: &Settings, data: &[usize]) -> (Graph, Graph) {
    let (channels, size) = (data[0], [1, 2].map(|axis| data.get(axis).copied().unwrap_or(1)));
    let (g, d) = match s.network {
        Family::Mlp => (zoo::mlp_generator(s.latent, s.width), zoo::mlp_discriminator(data[0], s.width_d, s.norm_d)),
        Family::Dcgan => {
            let (latent, width, norm, start, extra) = (s.latent, s.width, s.norm_g, s.start, s.extra);
            let g = DcganGenerator { size, channels, latent, width, norm, start, extra };
            let (width, norm, minibatch_std) = (s.width_d, s.norm_d, s.minibatch_std);
            let d = DcganDiscriminator { size, channels, width, norm, minibatch_std };
            (zoo::dcgan_generator(g), zoo::dcgan_discriminator(d))
        }
        Family::Residual => (
            zoo::residual_generator(size, channels, s.latent, s.width, s.norm_g),
            zoo::residual_discriminator(size, channels, s.width_d, s.norm_d),
        ),
        Family::Progan => (
            zoo::progan_generator(size, channels, s.latent, s.width),
            zoo::progan_discriminator(size, channels, s.width_d),
        ),
    };
    (g.with_latent(s.latent_law), d)
}

/// Both networks by class: the class of an image is one more input of each.
///
/// # Errors
/// The networks do not fit the data: the message names the node.
pub fn by_class([g, d]: [&Graph; 2], classes: usize) -> Result<(Graph, Graph)> {
    Ok((zoo::generator_by_class(g, classes)?, zoo::discriminator_by_class(d, classes)?))
}

/// What a penalty needs of the discriminator.
#[derive(Clone, Debug)]
pub struct Penalty {
    /// Squared length of the logit's gradient by the image, one for each image.
    pub squares: NodeId,
    /// Its gradient by the trainable parameters.
    pub by_params: Derivative,
}

/// Both sides of the game.
#[derive(Clone, Debug)]
pub struct Graphs {
    /// The generator.
    pub g: Trainee,
    /// The discriminator.
    pub d: Trainee,
    /// Gradient of the logit by the image.
    pub d_by_input: Derivative,
    /// There where a gradient penalty is asked for.
    pub penalty: Option<Penalty>,
    /// Whether the discriminator judges each image by itself, so that its gradient by an image is that of the image's logit.
    pub judges_singly: bool,
}

impl Graphs {
    /// Makes both networks ready for training and differentiates them.
    ///
    /// # Errors
    /// The networks do not fit the data: the message names the node.
    pub fn new(generator: &Graph, discriminator: &Graph, with_penalty: bool) -> Result<Self> {
        let g = Trainee::new(generator)?;
        let mut d = Trainee::new(discriminator)?;
        let d_by_input = d.program.differentiate(d.output, &[d.input])?;
        let mut penalty = None;
        if let (true, Some(gradient)) = (with_penalty, d_by_input.gradients[0]) {
            let program = &mut d.program;
            let squares = program.push("penalty/squares", Binary::Mul, &[gradient, gradient])?;
            let axes: Vec<usize> = (1..program.dims(gradient).len()).collect();
            let sum = program.push("penalty/sum", Primitive::sum(axes), &[squares])?;
            let shape = vec![Dim::N, Dim::Fixed(1)];
            let flat = program.push("penalty", Primitive::Reshape { shape }, &[sum])?;
            let trainable: Vec<NodeId> = program.trainable().iter().map(|&place| program.params()[place]).collect();
            penalty = Some(Penalty { squares: flat, by_params: program.differentiate(flat, &trainable)? });
        }
        Ok(Self { g, d, d_by_input, penalty, judges_singly: judges_singly(discriminator) })
    }
}

/// Whether no layer reads more than one image of the batch while it trains.
fn judges_singly(graph: &Graph) -> bool {
    !graph.nodes().iter().any(|node| matches!(node.op, Op::BatchNorm { .. } | Op::MinibatchStd))
}
