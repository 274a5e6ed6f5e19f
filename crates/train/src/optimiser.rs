//! What an optimiser must do: one step over named parameters, and a memory that a checkpoint can hold.

use base::Result;
use net::{Graph, Params, Tensor, Trainee};

/// A parameter in one step.
#[derive(Clone, Copy, Debug)]
pub struct Parameter<'a> {
    /// Its name: the node's, in a network.
    pub name: &'a str,
    /// Its value.
    pub value: &'a Tensor,
    /// The gradient of the loss by it; a missing one counts as zero.
    pub gradient: Option<&'a Tensor>,
}

/// What an optimiser remembers from step to step. Cloning shares the tensors.
pub trait Memory: Clone + Sized {
    /// Steps taken.
    fn steps(&self) -> u64;

    /// Groups of tensors by name, each in the order of the parameters. A checkpoint holds tensor k of a group as
    /// `name.k`.
    fn groups(&self) -> Vec<(&'static str, &[Tensor])>;

    /// The memory after `steps` steps, from its groups: `take` gives the one of a name.
    ///
    /// # Errors
    /// Those of `take`.
    fn from_groups(steps: u64, take: &mut dyn FnMut(&str) -> Result<Vec<Tensor>>) -> Result<Self>;
}

/// What a step of [`Optimiser::descend`] came to.
#[derive(Clone, Debug)]
pub struct Descent<M> {
    /// The new parameters, with the state that the pass moved.
    pub params: Params,
    /// The new memory.
    pub memory: M,
    /// Length of the gradient.
    pub gradient: f64,
}

/// A rule that moves parameters against their gradients.
///
/// A step writes beside what it reads, so a parent can have many children and a step that turns out bad costs nothing.
pub trait Optimiser {
    /// What it remembers.
    type Memory: Memory;

    /// The memory before the first step over parameters with these values.
    fn begin(&self, values: &[&Tensor]) -> Self::Memory;

    /// One step: the new values and the new memory.
    fn advance(&self, parameters: &[Parameter], memory: &Self::Memory) -> (Vec<Tensor>, Self::Memory);

    /// One step over the trainable parameters of a network, with their gradients in order.
    fn advance_network(
        &self,
        graph: &Graph,
        params: &Params,
        memory: &Self::Memory,
        gradients: &[Option<Tensor>],
    ) -> (Params, Self::Memory) {
        let places = trainable(graph);
        assert_eq!(places.len(), gradients.len(), "a gradient, or none, for each trainable parameter");
        let parameters: Vec<Parameter> = places
            .iter()
            .zip(gradients)
            .map(|(&place, gradient)| Parameter {
                name: &graph.node(graph.params()[place]).name,
                value: &params.tensors()[place],
                gradient: gradient.as_ref(),
            })
            .collect();
        let (values, memory) = self.advance(&parameters, memory);
        let mut new = params.clone();
        places.into_iter().zip(values).for_each(|(place, value)| new.set(place, value));
        (new, memory)
    }

    /// One step of a network down a loss: a pass forward, the loss, a pass back, the optimiser, and the state that a pass
    /// moves. `loss` gets the output and gives its own derivative by each number of it.
    ///
    /// # Errors
    /// The input or the derivative has another shape than is expected, or what `loss` gives.
    fn descend<E: From<net::Error>>(
        &self,
        trainee: &Trainee,
        (params, memory): (&Params, &Self::Memory),
        input: &Tensor,
        loss: impl FnOnce(&Tensor) -> Result<Tensor, E>,
    ) -> Result<Descent<Self::Memory>, E> {
        let mut run = trainee.start(params, input)?;
        let updates = trainee.updates();
        let wanted: Vec<_> = std::iter::once(trainee.output).chain(updates.iter().map(|(_, node)| *node)).collect();
        let values = run.fetch_before(&wanted, &trainee.by_params.nodes())?;
        run.feed(trainee.by_params.cotangent, &loss(&values[0])?)?;
        let gradients = run.fetch_some(&trainee.by_params.gradients)?;
        let (mut params, memory) = self.advance_network(&trainee.graph, params, memory, &gradients);
        updates.iter().zip(&values[1..]).for_each(|((place, _), value)| params.set(*place, value.clone()));
        Ok(Descent { params, memory, gradient: gradient_norm(&gradients) })
    }
}

/// The places of the trainable parameters in [`Params`].
pub fn trainable(graph: &Graph) -> Vec<usize> {
    let wanted = graph.trainable();
    (0..graph.params().len()).filter(|&i| wanted.contains(&graph.params()[i])).collect()
}

/// Length of a gradient over all parameters; each tensor is summed in f64 in its own order.
pub fn gradient_norm(gradients: &[Option<Tensor>]) -> f64 {
    let squares = |values: &[f32]| values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>();
    gradients.iter().flatten().map(|t| squares(&t.numbers())).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Adam, Moments};
    use net::{Builder, Device, Error, Init, Network, Norm};

    /// A linear layer to two features, and batch norm.
    fn small() -> (Network, Trainee) {
        let mut b = Builder::new(Init::glorot);
        let x = b.input("x", &[2]);
        let y = b.linear("0.linear", x, 2, 2, Norm::Batch);
        b.norm("0", y, 2, Norm::Batch);
        let graph = b.finish();
        let trainee = Trainee::new(&graph).unwrap();
        (Network::initial(graph, 1, "weights", &Device::cpu()), trainee)
    }

    #[test]
    fn a_step_down_moves_weights_and_running_statistics() {
        let (network, trainee) = small();
        let adam = Adam { lr: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let moments = Moments::zero(&network.graph, &network.params);
        let x = Tensor::new(&[3, 2], vec![1.0, 2.0, -1.0, 0.5, 3.0, 0.0], &Device::cpu());
        let down =
            |_: &Tensor| Ok::<_, Error>(Tensor::new(&[3, 2], vec![1.0, 0.0, 2.0, -1.0, 0.5, 3.0], &Device::cpu()));
        let step = adam.descend(&trainee, (&network.params, &moments), &x, down).unwrap();
        for (place, &id) in network.graph.params().iter().enumerate() {
            let [before, after] = [&network.params, &step.params].map(|params| params.tensors()[place].to_vec());
            assert_ne!(before, after, "{}", network.graph.node(id).name);
        }
        assert!(step.gradient > 0.0 && step.memory.steps == 1);
    }

    #[test]
    fn what_the_loss_refuses_moves_nothing() {
        let (network, trainee) = small();
        let adam = Adam { lr: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let moments = Moments::zero(&network.graph, &network.params);
        let x = Tensor::new(&[1, 2], vec![1.0, 2.0], &Device::cpu());
        let step = |loss: fn(&Tensor) -> Result<Tensor, Error>| {
            adam.descend(&trainee, (&network.params, &moments), &x, loss).unwrap_err().to_string()
        };
        assert_eq!(step(|_| Err(Error::Graph("no".into()))), "no");
        assert!(step(|y| Ok(y.reshape(&[2, 1]))).contains("expected [1, 2], found [2, 1]"));
    }
}
