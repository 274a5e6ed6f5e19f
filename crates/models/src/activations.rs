//! What any node of a generator holds while it makes pictures.

use crate::{Generator, Latents};
use base::Error;
use net::{Op, Result, Tensor};

impl Generator {
    /// The values of these nodes, by name, for at most `n` latents from place `first` on: one tensor `[n, ...]` each, all of one pass.
    ///
    /// [`net::Network::report`] lists the nodes with their shapes.
    ///
    /// # Errors
    /// A node does not exist or is a parameter.
    pub fn activations(&self, latents: &Latents, first: u64, n: usize, nodes: &[&str]) -> Result<Vec<Tensor>> {
        let graph = &self.network().graph;
        let wanted = nodes.iter().map(|name| {
            if matches!(graph.node(graph.find(name)?).op, Op::Param { .. }) {
                return Err(Error::setting("node", format!("{name}: is a parameter, not a layer")).into());
            }
            self.node(name)
        });
        self.fetch(&latents.batch(self, first, n), &wanted.collect::<Result<Vec<_>>>()?)
    }
}

#[cfg(test)]
mod tests {
    use crate::Seeds;
    use crate::generator::tests::small;

    #[test]
    fn any_node_can_be_looked_at() {
        let generator = small(3);
        let latents = "4..7".parse::<Seeds>().unwrap().into();
        let names: Vec<String> = generator.network().report().unwrap().nodes.into_iter().map(|n| n.name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|n| !n.ends_with("weight")).collect();
        for name in names {
            match generator.activations(&latents, 1, 9, &[name]) {
                Ok(found) => assert_eq!(found[0].shape()[0], 2, "{name}"),
                Err(error) => assert!(error.to_string().contains("is a parameter"), "{error}"),
            }
        }
        // What a dissection looks at are the same numbers.
        let subject = generator.subject(&["1".into()]).unwrap();
        let found = generator.activations(&latents, 1, 2, &["1", "z"]).unwrap();
        assert_eq!(found[0].to_vec(), subject.maps(&[5, 6]).unwrap()[0].to_vec());
        assert_eq!(found[1].shape(), [2, 4]);
    }

    #[test]
    fn what_is_no_layer_is_refused() {
        let generator = small(3);
        let latents = "0".parse::<Seeds>().unwrap().into();
        let refused = |name| generator.activations(&latents, 0, 1, &[name]).unwrap_err().to_string();
        assert_eq!(refused("0.linear.weight"), "node: 0.linear.weight: is a parameter, not a layer");
        assert!(refused("none").starts_with("there is no node \"none\"; the nodes are: "));
    }
}
