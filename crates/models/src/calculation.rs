//! Any network on given arrays: the value of any node, and gradients.

use base::Error;
use base::npy::Array;
use net::{Device, Mode, Network, NodeId, Op, Program, Result, Run, Tensor};

/// What is computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calculation {
    /// What goes in: values of inputs, or of inner nodes, at which the network is cut then. By the names of the description.
    pub feeds: Vec<(String, Array)>,
    /// The nodes whose values are wanted.
    pub fetch: Vec<String>,
    /// Gradients: the sum of the first node's values by the second, which may be an input, a parameter or any other node.
    pub gradients: Vec<[String; 2]>,
}

impl Calculation {
    /// Does it, with the stored statistics: the values of [`Calculation::fetch`], then the gradients, each in its shape.
    ///
    /// # Errors
    /// A node does not exist, an array does not fit its node, an input that is needed is not fed, or a gradient is wanted by something that
    /// the node does not depend on.
    pub fn run(&self, network: &Network, device: &Device) -> Result<Vec<Tensor>> {
        let mut program = Program::new(&network.graph, Mode::Inference)?;
        let names = |names: &[String]| names.iter().map(|name| program.find(name)).collect::<Result<Vec<_>>>();
        let (fetch, pairs) =
            (names(&self.fetch)?, self.gradients.iter().map(|pair| names(pair)).collect::<Result<Vec<_>>>()?);
        let mut feeds = Vec::with_capacity(self.feeds.len());
        for (name, array) in &self.feeds {
            if feeds.iter().any(|(fed, _): &(NodeId, Tensor)| program.find(name).is_ok_and(|id| id == *fed)) {
                return Err(Error::setting("feed", format!("{name} is given twice")).into());
            }
            feeds.push((program.find(name)?, Tensor::new(&array.shape, array.clone().into_f32(), device)));
        }
        let fed: Vec<NodeId> = feeds.iter().map(|(id, _)| *id).collect();
        check_fed(&program, network, &[&fetch[..], &pairs.concat()].concat(), &fed)?;

        let feeds: Vec<(NodeId, &Tensor)> = feeds.iter().map(|(id, tensor)| (*id, tensor)).collect();
        let is_param = |id: &NodeId| program.params().contains(id);
        if pairs.is_empty() && !fed.iter().any(is_param) {
            // As every other command computes it.
            let ready = network.inference()?;
            return ready.start(&feeds)?.fetch(&fetch);
        }
        let mut derivatives = Vec::with_capacity(pairs.len());
        for (pair, names) in pairs.iter().zip(&self.gradients) {
            let derivative = program.differentiate(pair[0], &pair[1..])?;
            let gradient = derivative.gradients.first().copied().flatten().ok_or_else(|| {
                let reason = format!("{} does not depend on {}, or in steps alone", names[0], names[1]);
                Error::setting("grad", reason)
            })?;
            derivatives.push((derivative.cotangent, gradient));
        }
        let mut run = program.start(&network.params, &feeds)?;
        for (cotangent, _) in &derivatives {
            feed_ones(&mut run, *cotangent, device)?;
        }
        let gradients = derivatives.iter().map(|(_, gradient)| *gradient);
        run.fetch(&fetch.iter().copied().chain(gradients).collect::<Vec<_>>())
    }
}

/// The gradient of a sum is 1 for each of its terms.
fn feed_ones(run: &mut Run, cotangent: NodeId, device: &Device) -> Result<()> {
    let shape = run.shape(cotangent).to_vec();
    let ones = vec![1.0; shape.iter().product()];
    run.feed(cotangent, &Tensor::new(&shape, ones, device))
}

/// Refuses where an input that is needed is not fed.
fn check_fed(program: &Program, network: &Network, wanted: &[NodeId], fed: &[NodeId]) -> Result<()> {
    let missing = program.needs(wanted, fed);
    let Some(input) = program.inputs().iter().find(|input| missing.contains(&input.node)) else { return Ok(()) };
    let lengths = match &network.graph.node(network.graph.find(&input.name)?).op {
        Op::Input { shape, batch, .. } => {
            let lengths = shape.iter().map(ToString::to_string);
            batch.then(|| "N".to_owned()).into_iter().chain(lengths).collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    };
    let reason = format!("the network needs its input {}, [{lengths}]", input.name);
    let hint = format!("Write it with numpy.save, and name it: `feed {}=FILE.npy`.", input.name);
    Err(Error::setting("feed", reason).with_hint(hint).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::tests::small;

    fn z(values: &[f32]) -> (String, Array) {
        ("z".into(), Array::f32(vec![values.len() / 4, 4], values.to_vec()))
    }

    #[test]
    fn any_node_of_any_network_is_computed() {
        let network = small(3).network().clone();
        let device = Device::cpu();
        let latents = network.latents(&[3, 4], &device);
        let feeds = vec![z(&latents.to_vec())];
        let fetch = vec!["x".to_owned(), "1".into(), "z".into(), "0.linear.weight".into()];
        let whole = Calculation { feeds, fetch, ..Calculation::default() }.run(&network, &device).unwrap();
        assert_eq!(whole[0].to_vec(), network.forward(&latents, &[]).unwrap().to_vec());
        assert_eq!(whole[2].to_vec(), latents.to_vec());
        assert_eq!(whole[3].to_vec(), network.params.tensors()[0].to_vec());
        // Fed at an inner node, the network begins there.
        let inner = Array::f32(whole[1].shape().to_vec(), whole[1].to_vec());
        let cut = Calculation { feeds: vec![("1".into(), inner)], fetch: vec!["x".into()], ..Calculation::default() };
        assert_eq!(cut.run(&network, &device).unwrap()[0].to_vec(), whole[0].to_vec());
    }

    #[test]
    fn gradients_are_those_of_the_sum() {
        let network = small(3).network().clone();
        let device = Device::cpu();
        let at = [0.3, -0.7, 0.2, 1.1];
        let ask = |z: (String, Array), gradients: &[[&str; 2]]| {
            let gradients = gradients.iter().map(|pair| pair.map(str::to_owned)).collect();
            Calculation { feeds: vec![z], fetch: vec!["x".into()], gradients }.run(&network, &device).unwrap()
        };
        let found = ask(z(&at), &[["x", "z"], ["1", "0.linear.weight"]]);
        assert_eq!((found[1].shape(), found[2].shape()), (&[1, 4][..], network.params.tensors()[0].shape()));
        let sum = |at: &[f32]| ask(z(at), &[])[0].numbers().iter().map(|&v| f64::from(v)).sum::<f64>();
        for place in 0..4 {
            let moved = |by: f32| {
                let mut at = at;
                at[place] += by;
                sum(&at)
            };
            let difference = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            let gradient = f64::from(found[1].to_vec()[place]);
            assert!(
                (difference - gradient).abs() < 0.02 * gradient.abs().max(1.0),
                "{place}: {gradient}, {difference}"
            );
        }
    }

    #[test]
    fn what_cannot_be_computed_says_why() {
        let network = small(3).network().clone();
        let refused = |calculation: Calculation| {
            let error = calculation.run(&network, &Device::cpu()).unwrap_err();
            error.hint().map_or(error.to_string(), |hint| format!("{error} | {hint}"))
        };
        let fetch = || vec!["x".to_owned()];
        let none = Calculation { fetch: fetch(), ..Calculation::default() };
        assert_eq!(
            refused(none),
            "feed: the network needs its input z, [N, 4] | Write it with numpy.save, and name it: `feed z=FILE.npy`."
        );
        let twice = Calculation { feeds: vec![z(&[0.0; 4]), z(&[0.0; 4])], fetch: fetch(), ..Calculation::default() };
        assert_eq!(refused(twice), "feed: z is given twice");
        let nowhere = Calculation { fetch: vec!["nowhere".into()], ..Calculation::default() };
        assert!(refused(nowhere).starts_with("there is no node \"nowhere\"; the nodes are: "));
        let other =
            Calculation { feeds: vec![z(&[0.0; 4])], fetch: fetch(), gradients: vec![["z".into(), "x".into()]] };
        assert_eq!(refused(other), "grad: z does not depend on x, or in steps alone");
        let shape = ("z".to_owned(), Array::f32(vec![1, 5], vec![0.0; 5]));
        let wrong = Calculation { feeds: vec![shape], fetch: fetch(), ..Calculation::default() };
        assert_eq!(refused(wrong), "node z (fed): expected [1, 4], found [1, 5]");
    }
}
