//! A segmenter for pictures without labels: pixels of like colour and texture get the same class.
//!
//! It is a [`Segmenter`] like any other, whose network is written down instead of learnt: for each pixel the mean colour of
//! 3x3 pixels and the deviation of lightness in 5x5 (how much goes on there), then the distance to each centre of a
//! k-means clustering. With `|f - c|^2 = |f|^2 - 2 c f + |c|^2` the nearest centre is that of the largest `2 c f - |c|^2`,
//! which is a 1x1 convolution. Where a pixel lies does not count.

use crate::Segmenter;
use base::seed::Stream;
use base::{Error, Result};
use data::{Class, Dataset, Plane, byte_of};
use net::{Binary, Conv, Device, Graph, Init, Network, NodeId, Op, Params, Program, Tensor, Unary};
use rayon::prelude::*;
use std::sync::Arc;

/// The most clusters.
pub const MOST_CLUSTERS: usize = 64;

/// How much texture counts beside colour, whose channels count 1.
const TEXTURE: f32 = 2.0;
/// Pixels on each side of the largest window.
const MARGIN: usize = 2;
/// Pixels that are clustered.
const POINTS: usize = 20_000;
/// Rounds of Lloyd's algorithm, at most.
const ROUNDS: usize = 100;

/// Clusters pixels of the first `images` images of a set into `clusters` classes, the largest first.
///
/// # Errors
/// `clusters` is not between 2 and [`MOST_CLUSTERS`], an image cannot be read, the set consists of points, or its images have
/// fewer different pixels than there are to be clusters.
pub fn cluster(set: &Dataset, clusters: usize, images: usize, seed: u64, device: &Device) -> Result<Segmenter> {
    if !(2..=MOST_CLUSTERS).contains(&clusters) {
        return Err(Error::setting("clusters", format!("{clusters} is not between 2 and {MOST_CLUSTERS}")));
    }
    let &[c, h, w] = set.shape() else {
        return Err(Error::setting("data", format!("{} has points, not images", set.name())));
    };
    let n = set.len().map_or(images, |n| n.min(images)).max(1);
    let values = (0..n as u64).into_par_iter().map(|i| set.values(i)).collect::<Result<Vec<_>>>()?.concat();
    let (mut graph, mut params) = (Graph::default(), Vec::new());
    let features = describe(&mut graph, &mut params, [c, h, w], device);
    let given = Params::new(params.clone());
    let program = Program::inference(&graph)?;
    let images = Tensor::new(&[n, c, h, w], values, device);
    let found = program.start(&given, &[(program.input()?, &images)])?.fetch_one(program.output())?.to_vec();
    let points = sample(&found, n, c + 1, h * w, seed);
    let centres = k_means(&points, c + 1, clusters, seed).ok_or_else(|| {
        Error::file(set.name(), format!("has fewer than {clusters} different colours"))
            .with_hint("Ask for fewer clusters.")
    })?;

    let weights = centres.iter().flatten().map(|v| 2.0 * v).collect();
    let biases = centres.iter().map(|centre| -centre.iter().map(|v| v * v).sum::<f32>()).collect();
    let shape = [clusters, c + 1, 1, 1];
    let weights = constant(&mut graph, &mut params, "centres.weight", &shape, weights, device);
    let biases = constant(&mut graph, &mut params, "centres.bias", &[clusters], biases, device);
    graph.push("logits", Op::conv2d(Conv::new(1, 0)), &[features, weights, biases]);
    let class = |(k, centre): (usize, &Vec<f32>)| {
        let colour = std::array::from_fn(|channel| byte_of(centre[if c == 3 { channel } else { 0 }]));
        Class { name: format!("cluster {}", k + 1), colour }
    };
    let classes = centres.iter().enumerate().map(class).collect();
    let notes = [
        ("made by", format!("ganatomy {}", env!("CARGO_PKG_VERSION"))),
        ("clusters of", set.name().to_owned()),
        ("images", n.to_string()),
        ("seed", seed.to_string()),
    ];
    let notes = notes.map(|(key, value)| (key.to_owned(), value)).to_vec();
    let network = Network { graph: Arc::new(graph), params: Params::new(params), notes };
    Segmenter::new(network, vec![Plane { name: "clusters".into(), classes, ignore: None }])
}

/// A parameter that nobody trains.
pub(crate) fn constant(
    graph: &mut Graph,
    params: &mut Vec<Tensor>,
    name: &str,
    shape: &[usize],
    values: Vec<f32>,
    device: &Device,
) -> NodeId {
    params.push(Tensor::new(shape, values, device));
    graph.push(name, Op::Param { shape: shape.to_vec(), init: Init::Constant(0.0), trainable: false }, &[])
}

/// Appends the features of each pixel, `[c + 1, h, w]`.
fn describe(graph: &mut Graph, params: &mut Vec<Tensor>, [c, h, w]: [usize; 3], device: &Device) -> NodeId {
    let mut x = graph.push("x", Op::input(&[c, h, w]), &[]);
    // The pixels at the edge go on beyond it: zeros there would be an edge of their own.
    for (axis, name, length) in [(2, "rows", h), (3, "columns", w)] {
        let first = graph.push(format!("{name}.first"), Op::Narrow { axis, start: 0, len: 1 }, &[x]);
        let last = graph.push(format!("{name}.last"), Op::Narrow { axis, start: length - 1, len: 1 }, &[x]);
        x = graph.push(format!("{name}.wide"), Op::concat(axis), &[first, first, x, last, last]);
    }
    let mut fixed = |graph: &mut Graph, name: &str, shape: [usize; 4], value: &dyn Fn([usize; 4]) -> f32| {
        let mut values = Vec::with_capacity(shape.iter().product());
        for o in 0..shape[0] {
            for i in 0..shape[1] {
                for y in 0..shape[2] {
                    values.extend((0..shape[3]).map(|x| value([o, i, y, x])));
                }
            }
        }
        constant(graph, params, name, &shape, values, device)
    };
    let side = 2 * MARGIN + 1;
    let inner = move |at: usize| at.abs_diff(MARGIN) <= 1;
    let small = fixed(graph, "colour.weight", [c, c, side, side], &|[o, i, y, x]| {
        if o == i && inner(y) && inner(x) { 1.0 / 9.0 } else { 0.0 }
    });
    let grey = fixed(graph, "grey.weight", [1, c, 1, 1], &|_| 1.0 / c as f32);
    let large = fixed(graph, "mean.weight", [1, 1, side, side], &|_| 1.0 / (side * side) as f32);
    let inside = Conv::new(1, 0);
    let colour = graph.push("colour", Op::conv2d(inside), &[x, small]);
    // The deviation is the root of the mean of squares less the square of the mean.
    let grey = graph.push("grey", Op::conv2d(inside), &[x, grey]);
    let squares = graph.push("squares", Binary::Mul, &[grey, grey]);
    let mean = graph.push("mean", Op::conv2d(inside), &[grey, large]);
    let mean_square = graph.push("mean_square", Op::conv2d(inside), &[squares, large]);
    let square_mean = graph.push("square_mean", Binary::Mul, &[mean, mean]);
    let variance = graph.push("variance", Binary::Sub, &[mean_square, square_mean]);
    let safe = graph.push("variance.safe", Unary::AddScalar { term: 1e-4 }, &[variance]);
    let deviation = graph.push("deviation", Unary::Sqrt, &[safe]);
    let texture = graph.push("texture", Unary::Scale { factor: f64::from(TEXTURE) }, &[deviation]);
    graph.push("features", Op::concat(1), &[colour, texture])
}

/// Some pixels of maps `[n, d, area]`, a point of d numbers each.
fn sample(maps: &[f32], n: usize, d: usize, area: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut stream = Stream::new(seed, "clusters/pixels", 0);
    let point = |at: usize| (0..d).map(|k| maps[(at / area * d + k) * area + at % area]).collect();
    if n * area <= POINTS {
        return (0..n * area).map(point).collect();
    }
    (0..POINTS).map(|_| point(stream.below((n * area) as u64) as usize)).collect()
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b) * f64::from(a - b)).sum()
}

fn nearest(point: &[f32], centres: &[Vec<f32>]) -> usize {
    let all = centres.iter().enumerate().map(|(k, centre)| (k, distance(point, centre)));
    all.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(k, _)| k)
}

/// Centres by Lloyd's algorithm from a start by k-means++ (Arthur and Vassilvitskii 2007), the largest cluster first; `None`
/// where there are fewer different points than clusters.
fn k_means(points: &[Vec<f32>], d: usize, clusters: usize, seed: u64) -> Option<Vec<Vec<f32>>> {
    let mut stream = Stream::new(seed, "clusters/start", 0);
    let mut centres = vec![points[stream.below(points.len() as u64) as usize].clone()];
    let mut far: Vec<f64> = points.iter().map(|p| distance(p, &centres[0])).collect();
    while centres.len() < clusters {
        let total: f64 = far.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let mut left = stream.unit() * total;
        let chosen = far.iter().position(|&f| {
            left -= f;
            left < 0.0
        });
        // Rounding may leave nothing to choose: then the farthest will do.
        let farthest = || far.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
        let centre = points[chosen.unwrap_or_else(farthest)].clone();
        far.iter_mut().zip(points).for_each(|(far, p)| *far = far.min(distance(p, &centre)));
        centres.push(centre);
    }
    let mut sizes = vec![0usize; clusters];
    let mut before = Vec::new();
    for _ in 0..ROUNDS {
        let members: Vec<usize> = points.par_iter().map(|p| nearest(p, &centres)).collect();
        if members == before {
            break;
        }
        sizes = vec![0; clusters];
        let mut sums = vec![vec![0.0f64; d]; clusters];
        for (&k, point) in members.iter().zip(points) {
            sizes[k] += 1;
            sums[k].iter_mut().zip(point).for_each(|(sum, &v)| *sum += f64::from(v));
        }
        for ((centre, sum), &size) in centres.iter_mut().zip(&sums).zip(&sizes).filter(|(_, size)| **size > 0) {
            *centre = sum.iter().map(|v| (v / size as f64) as f32).collect();
        }
        before = members;
    }
    let mut order: Vec<usize> = (0..clusters).collect();
    order.sort_by_key(|&k| (std::cmp::Reverse(sizes[k]), k));
    Some(order.into_iter().map(|k| centres[k].clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Segment;
    use net::Storage;
    use std::path::Path;

    /// A set of 12x12 pictures: a red left, a green right, and a fine checkerboard of both below.
    fn set(folder: &Path) -> Dataset {
        let pixel = |p: usize| match (p % 12, p / 12) {
            (x, y) if y >= 6 => {
                if (x + y) % 2 == 0 {
                    [255, 255, 255]
                } else {
                    [0, 0, 0]
                }
            }
            (x, _) if x < 6 => [220, 30, 30],
            _ => [30, 200, 30],
        };
        let image = data::Image::new(12, 12, 3, (0..144).flat_map(pixel).collect()).unwrap();
        std::fs::write(folder.join("a.png"), data::pictures::png(&image).unwrap()).unwrap();
        data::open(folder.to_str().unwrap(), &data::Options::default()).unwrap()
    }

    #[test]
    fn like_pixels_get_one_class_up_to_the_edge() {
        let folder = tempfile::tempdir().unwrap();
        let set = set(folder.path());
        let segmenter = cluster(&set, 3, 8, 0, &Device::cpu()).unwrap();
        let image = Tensor::new(&[1, 3, 12, 12], set.values(0).unwrap(), &Device::cpu());
        let map = segmenter.segment(&image).unwrap().remove(0).remove(0);
        let at = |x: usize, y: usize| map.classes[y * 12 + x];
        let [red, green, checked] = [at(0, 0), at(11, 0), at(5, 11)];
        assert!(red != green && green != checked && red != checked, "{map:?}");
        assert!((0..5).all(|x| at(x, 0) == red && at(x, 3) == red) && (7..12).all(|x| at(x, 0) == green), "{map:?}");
        assert!((0..12).all(|x| at(x, 11) == checked && at(x, 9) == checked), "{map:?}");
        // The largest is named first.
        assert_eq!(checked, 0);
        let colour = segmenter.planes()[0].classes[usize::from(red)].colour;
        assert!(colour[0] > 180 && colour[1] < 80, "{colour:?}");
    }

    #[test]
    fn it_is_a_segmenter_like_any_other_and_always_the_same() {
        let set =
            data::open("scenes", &data::Options { size: Some(data::Size::square(32)), ..data::Options::default() })
                .unwrap();
        let make = || cluster(&set, 6, 8, 3, &Device::cpu()).unwrap().to_bytes(Storage::F32).unwrap();
        let bytes = make();
        assert_eq!(make(), bytes);
        let back = Segmenter::from_bytes(&bytes, Path::new("c"), &Device::cpu()).unwrap();
        let images = Tensor::new(&[1, 3, 32, 32], set.values(0).unwrap(), &Device::cpu());
        let map = back.segment(&images).unwrap().remove(0).remove(0);
        let classes: std::collections::BTreeSet<u16> = map.classes.into_iter().collect();
        assert!(classes.len() >= 3, "{classes:?}");
        let (_, gradient) = back.class_gradient(&images, 0, 0, &[1.0; 1024]).unwrap();
        assert!(gradient.to_vec().iter().all(|g| g.is_finite()));
    }

    #[test]
    fn too_many_clusters_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let image = data::Image::filled(8, 8, [9; 3]);
        std::fs::write(folder.path().join("a.png"), data::pictures::png(&image).unwrap()).unwrap();
        let set = data::open(folder.path().to_str().unwrap(), &data::Options::default()).unwrap();
        let refused = |clusters| cluster(&set, clusters, 1, 0, &Device::cpu()).err().unwrap().to_string();
        assert!(refused(2).ends_with("has fewer than 2 different colours"), "{}", refused(2));
        assert_eq!(refused(1), "clusters: 1 is not between 2 and 64");
    }
}
