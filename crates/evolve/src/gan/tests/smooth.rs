//! Linearised fitness against the exact one, in f64 with smooth activations: its errors are of second order, and the
//! three ways to the gradient of diversity agree.

use super::*;
use net::{Builder, Graph, Init, Mode, Primitive, Program, Unary};

const WIDTH: usize = 12;

/// Three layers with tanh between them; `before` are parameters that no layer reads.
fn smooth(before: &[Vec<usize>], input: &str, ends: [usize; 2]) -> Graph {
    let mut b = Builder::new(Init::glorot);
    for (k, shape) in before.iter().enumerate() {
        b.param(format!("direction.{k}"), shape, Init::Constant(0.0), false);
    }
    let mut x = b.input(input, &[ends[0]]);
    for (layer, [from, to]) in [[ends[0], WIDTH], [WIDTH, WIDTH]].into_iter().enumerate() {
        let linear = b.linear(&layer.to_string(), x, from, to, net::Norm::None);
        x = b.push(&format!("{layer}.tanh"), Unary::Tanh, &[linear]);
    }
    b.linear("out", x, WIDTH, ends[1], net::Norm::None);
    b.finish()
}

fn in_f64(params: &Params) -> Params {
    Params::new(params.tensors().iter().map(|t| Tensor::new_f64(t.shape(), t.to_vec_f64())).collect())
}

/// A table of smooth networks in double precision, on points.
fn table(overrides: &[&str]) -> Table {
    let small =
        ["data=ring8", "network=mlp", "latent=2", "batch=32", "eval=64", "d_steps=1", "norm_d=none", "lr_g=0.01"];
    let settings = settings(&[&small[..], overrides].concat());
    let (g, d) = (smooth(&[], "z", [2, 2]), smooth(&[], "x", [2, 1]));
    let graphs = Graphs::new(&g, &d, false).unwrap();
    let new = |graph, purpose| {
        let network = Network::initial(graph, 3, purpose, &Device::cpu());
        Network { params: in_f64(&network.params), ..network }
    };
    Table { graphs, g: new(g, "g"), d: new(d, "d"), settings }
}

/// A child at a multiple of its step.
fn at(parent: &Params, child: &Generator, scale: f64) -> Generator {
    let mut moved = child.clone();
    for (place, value) in parent.tensors().iter().enumerate() {
        moved.params.set(place, value.add(&super::super::fair::step(parent, &child.params, place).scale(scale)));
    }
    moved
}

/// A child some way off in a direction of its own.
fn elsewhere(parent: &Generator, number: u64) -> Generator {
    let mut child = parent.clone();
    for (place, value) in parent.params.tensors().iter().enumerate() {
        let noise = net::Law::Normal.batch(1, value.shape(), number, "direction", place as u64, &Device::cpu());
        child.params.set(place, value.add(&noise.reshape(value.shape()).scale(0.02)));
    }
    child
}

/// The length of the errors of the estimates for steps of several sizes, and the spread of the exact fitness.
fn errors(table: &Table, children: &[Generator], gamma: f64, scales: &[f64]) -> Vec<[f64; 2]> {
    let mut gan = table.gan();
    let parent = &table.population()[0];
    gan.begin(0).unwrap();
    let each = scales.iter().map(|&scale| {
        let mut moved: Vec<Generator> = children.iter().map(|child| at(&parent.params, child, scale)).collect();
        let estimates = gan.linear(&moved, gamma).unwrap();
        let exact: Vec<f64> = moved
            .iter_mut()
            .enumerate()
            .map(|(k, child)| {
                let (quality, diversity) = gan.evaluate(k, child, gamma != 0.0).unwrap();
                quality + gamma * diversity.unwrap_or(0.0)
            })
            .collect();
        let error = estimates.iter().zip(&exact).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let of = |f: fn(f64, f64) -> f64, start| exact.iter().copied().fold(start, f);
        [error, of(f64::max, f64::NEG_INFINITY) - of(f64::min, f64::INFINITY)]
    });
    each.collect()
}

#[test]
fn errors_of_the_linearised_fitness_are_of_second_order() {
    // A large gamma leaves Fd alone to decide.
    for (gamma, d_loss) in [
        (0.0, "minimax"),
        (100.0, "minimax"),
        (100.0, "wasserstein"),
        (100.0, "least-squares"),
        (100.0, "relativistic"),
    ] {
        let table = table(&["gamma=1", &format!("d_loss={d_loss}")]);
        let children: Vec<Generator> = (0..5).map(|k| elsewhere(&table.population()[0], k)).collect();
        let found = errors(&table, &children, gamma, &[1.0, 0.5, 0.25, 0.125]);
        for pair in found.windows(2) {
            let order = (pair[0][0] / pair[1][0]).log2();
            assert!((1.9..2.1).contains(&order), "gamma {gamma}, {d_loss}: order {order} of {found:?}");
        }
        // The estimate tells children apart, so the order is not that of something constant.
        assert!(found[2][0] < 0.2 * found[2][1], "gamma {gamma}, {d_loss}: {found:?}");
    }
}

#[test]
fn at_the_mean_child_errors_are_smaller_than_at_the_parent() {
    let table = table(&["mutations=[heuristic, least-squares-logit, direct]", "gamma=0", "gradients=unit"]);
    let mut gan = table.gan();
    let population = table.population();
    gan.begin(0).unwrap();
    let mut children = gan.mutate(0, &population[0], &table.settings.mutations).unwrap();
    let at_mean = errors(&table, &children, 0.0, &[1.0])[0][0];
    // The mean of a child and its mirror image is the parent, so each pair is linearised there.
    let error = |child: &mut Generator| {
        let mirrored = at(&population[0].params, child, -1.0);
        let estimate = gan.linear(&[child.clone(), mirrored], 0.0).unwrap()[0];
        (estimate - gan.evaluate(0, child, false).unwrap().0).abs()
    };
    let at_parent = children.iter_mut().map(error).map(|e| e * e).sum::<f64>().sqrt();
    assert!(at_mean < 0.5 * at_parent, "{at_mean} {at_parent}");
}

/// By the graph of g: the gradient by the images of `<g, const g>`.
/// Forward over reverse: the derivative along g of the gradient by the images, as the gradient of a product by its cotangent.
/// By the program: a central difference. All are `u` of `-u / |g|^2`.
#[test]
fn three_ways_to_the_gradient_of_diversity_agree() {
    let table = table(&["gamma=1"]);
    let mut gan = table.gan();
    gan.begin(0).unwrap();
    let e = table.settings.eval;
    let z = gan.evaluation_noise(0);
    let images = in_f64(&Params::new(vec![gan.images(&table.g.params, &z).unwrap().x])).tensors()[0].clone();
    let (run, logits) = gan.judge(&images.clone().into(), &table.graphs.d.by_params.nodes()).unwrap();
    let gradient = gan.discriminator_gradient(&run, &logits).unwrap();
    let length = gradient_norm(&gradient);
    let found =
        gan.diversity_by_image(&images.clone().into(), &gradient, length).unwrap().unwrap().scale(-length * length);

    // The discriminator with the gradient as parameters of its own, and the mean of its loss on fakes.
    let directions: Vec<Tensor> = gradient.into_iter().flatten().collect();
    let shapes: Vec<Vec<usize>> = directions.iter().map(|t| t.shape().to_vec()).collect();
    let mut p = Program::new(&smooth(&shapes, "x", [2, 1]), Mode::Training).unwrap();
    let (x, logit) = (p.input().unwrap(), p.output());
    let directed: Vec<NodeId> = p.params()[..shapes.len()].to_vec();
    let weights: Vec<NodeId> = p.trainable().iter().map(|&place| p.params()[place]).collect();
    let each = p.push("loss", Unary::Softplus, &[logit]).unwrap();
    let sum = p.push("sum", Primitive::sum([0, 1]), &[each]).unwrap();
    let loss = p.push("mean", Unary::Scale { factor: 1.0 / e as f64 }, &[sum]).unwrap();
    let product = |p: &mut Program, name: &str, a: &[Option<NodeId>]| {
        let mut total: Option<NodeId> = None;
        for (k, (a, &b)) in a.iter().zip(&directed).enumerate() {
            let wide = p.push(format!("{name}.{k}"), net::Binary::Mul, &[a.unwrap(), b]).unwrap();
            let axes: Vec<usize> = (0..p.dims(wide).len()).collect();
            let sum = p.push(format!("{name}.{k}.sum"), Primitive::sum(axes), &[wide]).unwrap();
            let flat = p.push(format!("{name}.{k}.flat"), Primitive::Reshape { shape: vec![] }, &[sum]).unwrap();
            total =
                Some(total.map_or(flat, |t| p.push(format!("{name}.{k}.add"), net::Binary::Add, &[t, flat]).unwrap()));
        }
        total.unwrap()
    };
    // (a)
    let by_weights = p.differentiate(loss, &weights).unwrap();
    let along = product(&mut p, "a", &by_weights.gradients);
    let a = p.differentiate(along, &[x]).unwrap();
    // (b)
    let by_image = p.differentiate(loss, &[x]).unwrap();
    let back = p.differentiate(by_image.gradients[0].unwrap(), &weights).unwrap();
    let forward = product(&mut p, "b", &back.gradients);
    let b = p.differentiate(forward, &[back.cotangent]).unwrap();

    let params = Params::new(directions.iter().chain(table.d.params.tensors()).cloned().collect());
    let mut run = p.start(&params, &[(x, &images)]).unwrap();
    let one = |shape: &[usize]| Tensor::new_f64(shape, vec![1.0; shape.iter().product()]);
    for node in [by_weights.cotangent, by_image.cotangent, a.cotangent, b.cotangent, back.cotangent] {
        let shape = run.shape(node).to_vec();
        run.feed(node, &one(&shape)).unwrap();
    }
    let ways = run.fetch(&[a.gradients[0].unwrap(), b.gradients[0].unwrap()]).unwrap();
    let size = gradient_norm(&[Some(found.clone())]);
    assert!(size > 0.0);
    for (way, other) in ["graph", "forward over reverse"].into_iter().zip(&ways) {
        let error = gradient_norm(&[Some(found.binary(net::Binary::Sub, other))]) / size;
        assert!(error < 1e-3, "{way}: {error}");
    }
}
