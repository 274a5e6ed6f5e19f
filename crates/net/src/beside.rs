//! What a generator reads beside its latent: a label, noise, how far styles go from their mean.

use crate::{Device, Feed, Graph, Network, Node, NodeId, Op, Role, Tensor};
use base::seed::Stream;

/// The note of a model file that holds the names of classes, a JSON list.
const CLASSES: &str = "classes";

impl Graph {
    /// Whether a seed says all that is fed: a first input, which is the latent, and beside it nothing but a label `[classes]`, noise for each
    /// image, and truncations.
    pub fn reads_seeds(&self) -> bool {
        let inputs = self.inputs();
        let follows = |&input: &NodeId| match &self.node(input).op {
            Op::Input { shape, batch, .. } => match self.role(input) {
                Role::Label => *batch && shape.len() == 1,
                Role::Noise => *batch,
                Role::Truncation => !*batch && shape.len() == 1,
                Role::Latent | Role::Image | Role::Other => false,
            },
            _ => false,
        };
        let labels = inputs.iter().filter(|&&input| self.role(input) == Role::Label).count();
        inputs.split_first().is_some_and(|(_, beside)| labels <= 1 && beside.iter().all(follows))
    }

    /// The inputs that have to be fed: those that have no value of themselves.
    pub fn inputs_to_feed(&self) -> Vec<NodeId> {
        self.inputs().into_iter().filter(|&input| self.role(input).otherwise().is_none()).collect()
    }

    /// The names of the inputs of a role, with their shapes for one image.
    fn inputs_of(&self, role: Role) -> impl Iterator<Item = (&str, &[usize])> {
        let inputs = self.inputs().into_iter().filter(move |&input| self.role(input) == role);
        inputs.filter_map(|input| match self.node(input) {
            Node { name, op: Op::Input { shape, .. }, .. } => Some((name.as_str(), shape.as_slice())),
            _ => None,
        })
    }
}

impl Network {
    /// The name of the input that says how far styles go from their mean, and for how many layers.
    pub fn truncation(&self) -> Option<(&str, usize)> {
        self.graph.inputs_of(Role::Truncation).next().map(|(name, shape)| (name, shape.iter().product()))
    }

    /// The name of the input for the label, and how many classes there are.
    pub fn label(&self) -> Option<(&str, usize)> {
        self.graph.inputs_of(Role::Label).next().map(|(name, shape)| (name, shape.iter().product()))
    }

    /// What its classes are called, by their numbers; nothing where nobody said.
    pub fn class_names(&self) -> Vec<String> {
        let note = self.notes.iter().find(|(key, _)| key == CLASSES);
        note.and_then(|(_, names)| serde_json::from_str(names).ok()).unwrap_or_default()
    }

    /// Says what its classes are called.
    pub fn name_classes(&mut self, names: &[String]) {
        self.notes.retain(|(key, _)| key != CLASSES);
        self.notes.push((CLASSES.to_owned(), serde_json::json!(names).to_string()));
    }

    /// The class of a seed's picture, where the network reads a label and nobody says which: each is as likely.
    pub fn class_of_seed(&self, seed: u64) -> Option<usize> {
        let (_, classes) = self.label().filter(|(_, classes)| *classes > 0)?;
        Some(Stream::new(seed, "class", 0).below(classes as u64) as usize)
    }

    /// All that people mean by seeds: latents, and beside them classes and noise, the same in every command and batch.
    pub fn feed(&self, seeds: &[u64], device: &Device) -> Feed {
        let mut feed = Feed { beside: self.noise(seeds, device), ..self.latents(seeds, device).into() };
        if let Some((name, classes)) = self.label() {
            let mut labels = vec![0.0; seeds.len() * classes];
            for (label, &seed) in labels.chunks_exact_mut(classes.max(1)).zip(seeds) {
                self.class_of_seed(seed).into_iter().for_each(|class| label[class] = 1.0);
            }
            feed.beside.push((name.to_owned(), Tensor::new(&[seeds.len(), classes], labels, device)));
        }
        feed
    }

    /// The noise of some seeds, for each input that reads noise.
    pub fn noise(&self, seeds: &[u64], device: &Device) -> Vec<(String, Tensor)> {
        let inputs = self.graph.inputs_of(Role::Noise).zip(0..);
        let noise = |((name, shape), place): ((&str, &[usize]), u64)| {
            let length = shape.iter().product::<usize>();
            let of_seed = |&seed: &u64| {
                let mut stream = Stream::new(seed, "noise", place);
                (0..length).map(|_| stream.normal() as f32).collect::<Vec<_>>()
            };
            let values = seeds.iter().flat_map(of_seed).collect();
            (name.to_owned(), Tensor::new(&[&[seeds.len()], shape].concat(), values, device))
        };
        inputs.map(noise).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Binary, Law, Program};

    /// `z * truncation + label @ names + noise`, of three numbers.
    fn network(roles: &[Role]) -> Network {
        let mut graph = Graph::default();
        let law = Some(Law::Normal);
        let mut x = graph.push("z", Op::Input { shape: vec![3], batch: true, role: Some(Role::Latent), law }, &[]);
        for (place, &role) in roles.iter().enumerate() {
            let input = Op::Input { shape: vec![3], batch: role != Role::Truncation, role: Some(role), law: None };
            let beside = graph.push(format!("in{place}"), input, &[]);
            let function = if role == Role::Truncation { Binary::Mul } else { Binary::Add };
            x = graph.push(format!("x{place}"), function, &[x, beside]);
        }
        Network::initial(graph, 1, "test", &Device::cpu())
    }

    #[test]
    fn what_is_not_fed_has_a_value_of_its_own() {
        let all = network(&[Role::Truncation, Role::Noise]);
        let z = all.latents(&[3, 4], &Device::cpu());
        assert_eq!(all.forward(&z, &[]).unwrap().to_vec(), z.to_vec());
        let ready = all.inference().unwrap();
        let half = Tensor::new(&[3], vec![0.5, 1.0, 0.0], &Device::cpu());
        let feed = Feed { beside: vec![("in0".into(), half)], ..z.clone().into() };
        let found = ready.begin(&feed).unwrap().fetch_one(ready.output()).unwrap().to_vec();
        let wanted: Vec<f32> = z.to_vec().iter().zip([0.5, 1.0, 0.0].iter().cycle()).map(|(z, t)| z * t).collect();
        assert_eq!(found, wanted);
        assert_eq!(all.graph.inputs_to_feed(), [all.graph.find("z").unwrap()]);
        let program = Program::inference(&all.graph).unwrap();
        assert_eq!(program.needs(&[program.output()], &[]), [program.input().unwrap()]);
        // In 64 bits as in 32.
        let wide = Tensor::new_f64(z.shape(), z.to_vec_f64());
        assert_eq!(all.forward(&wide, &[]).unwrap().to_vec_f64(), z.to_vec_f64());
    }

    #[test]
    fn a_seed_says_its_class_and_its_noise() {
        let network = network(&[Role::Label, Role::Noise]);
        let (together, alone) = (network.feed(&[7, 8, 9], &Device::cpu()), network.feed(&[8], &Device::cpu()));
        for (name, value) in &alone.beside {
            let all = together.beside.iter().find(|(other, _)| other == name).unwrap();
            assert_eq!(all.1.to_vec()[3..6], value.to_vec(), "{name}");
        }
        let label = alone.beside.iter().find(|(name, _)| name == "in0").unwrap().1.to_vec();
        assert_eq!(label.iter().sum::<f32>(), 1.0);
        assert_eq!(label[network.class_of_seed(8).unwrap()], 1.0);
        let classes: std::collections::HashSet<_> = (0..64).map(|seed| network.class_of_seed(seed)).collect();
        assert_eq!(classes.len(), 3, "each comes");
        assert!(network.forward(&alone.latents, &[]).unwrap_err().to_string().contains("in0 has to be fed"));
    }

    #[test]
    fn what_no_seed_says_is_no_matter_of_seeds() {
        for (roles, is) in [
            (&[][..], true),
            (&[Role::Label, Role::Noise, Role::Noise, Role::Truncation], true),
            (&[Role::Label, Role::Label], false),
            (&[Role::Other], false),
            (&[Role::Image], false),
        ] {
            assert_eq!(network(roles).graph.reads_seeds(), is, "{roles:?}");
        }
        assert!(!Graph::default().reads_seeds());
    }

    #[test]
    fn classes_have_names_where_somebody_said_them() {
        let mut network = network(&[Role::Label]);
        assert!(network.class_names().is_empty());
        network.name_classes(&["cat".into(), "dog".into(), "wild".into()]);
        network.name_classes(&["a".into(), "b, c".into(), "d".into()]);
        assert_eq!(network.class_names(), ["a", "b, c", "d"]);
        assert_eq!(network.notes.len(), 1);
    }
}
