//! What a generator reads beside its latent: a label, noise, how far styles go from their mean.

use crate::{Device, Feed, Graph, Network, Node, NodeId, Op, Role, Tensor};
use base::seed::Stream;

/// The note of a model file that holds the names of classes, a JSON list.
const CLASSES: &str = "classes";
/// The note that holds how many images of each class it learnt from, a JSON list.
const COUNTS: &str = "class counts";

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

    /// How likely each of its classes is, as whole numbers: as many images of it as there were to learn from, else all as likely.
    pub fn class_weights(&self) -> Vec<u64> {
        let classes = self.label().map_or(0, |(_, classes)| classes);
        let note = self.notes.iter().find(|(key, _)| key == COUNTS);
        let counts: Option<Vec<u64>> = note.and_then(|(_, counts)| serde_json::from_str(counts).ok());
        counts.filter(|counts| counts.len() == classes).unwrap_or_else(|| vec![1; classes])
    }

    /// The class of a seed's picture, where the network reads a label and nobody says which: drawn by [`Network::class_weights`].
    pub fn class_of_seed(&self, seed: u64) -> Option<usize> {
        class_of(seed, &self.class_weights())
    }

    /// All that people mean by seeds: latents, and beside them classes and noise, the same in every command and batch.
    pub fn feed(&self, seeds: &[u64], device: &Device) -> Feed {
        let mut feed = Feed { beside: self.noise(seeds, device), ..self.latents(seeds, device).into() };
        if let Some((name, classes)) = self.label() {
            let weights = self.class_weights();
            let of_seeds: Vec<usize> = seeds.iter().filter_map(|&seed| class_of(seed, &weights)).collect();
            feed.beside.push((name.to_owned(), one_hot(&of_seeds, classes, device)));
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

fn class_of(seed: u64, weights: &[u64]) -> Option<usize> {
    (!weights.is_empty()).then(|| Stream::new(seed, "class", 0).weighted(weights))
}

/// What a network's notes say of its classes: what they are called, and how many images of each it learnt from. Classes of seeds are drawn so.
pub fn class_notes(names: &[String], counts: &[u64]) -> [(String, String); 2] {
    [(CLASSES, serde_json::json!(names)), (COUNTS, serde_json::json!(counts))]
        .map(|(key, value)| (key.to_owned(), value.to_string()))
}

/// Labels `[n, classes]` of some classes: 1 in the place of each one's class, 0 elsewhere, and everywhere for a class that there is not.
pub fn one_hot(of: &[usize], classes: usize, device: &Device) -> Tensor {
    let mut labels = vec![0.0; of.len() * classes];
    for (label, &class) in labels.chunks_exact_mut(classes.max(1)).zip(of) {
        label.get_mut(class).into_iter().for_each(|one| *one = 1.0);
    }
    Tensor::new(&[of.len(), classes], labels, device)
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
    fn classes_of_seeds_come_as_often_as_the_images_that_taught_them() {
        let mut network = network(&[Role::Label]);
        let share = |network: &Network| {
            let mut found = [0; 3];
            (0..300).filter_map(|seed| network.class_of_seed(seed)).for_each(|class| found[class] += 1);
            found
        };
        assert!(share(&network).iter().all(|n| (70..130).contains(n)));
        let of_counts = |counts: &[u64]| class_notes(&["a", "b", "c"].map(str::to_owned), counts).to_vec();
        network.notes = of_counts(&[10, 0, 30]);
        assert_eq!(network.class_names(), ["a", "b", "c"]);
        let found = share(&network);
        assert!(found[1] == 0 && (55..95).contains(&found[0]), "{found:?}");
        // Counts that are not of its classes say nothing.
        for counts in [&[1, 2][..], &[]] {
            network.notes = of_counts(counts);
            assert_eq!(network.class_weights(), [1; 3]);
        }
        network.notes = vec![("class counts".into(), "[-1, many".into())];
        assert_eq!(network.class_weights(), [1; 3]);
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
