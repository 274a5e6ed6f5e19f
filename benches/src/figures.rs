//! Figures of features: the Fréchet distance at the width of the Inception network, the statistics that it needs, and the kernel
//! distance of random subsets.

use crate::{Case, Cost, Step};
use base::seed::Stream;
use metrics::features::{Features, Generated, Real};
use metrics::kid::{Options, Subsets};
use metrics::moments::Moments;
use metrics::statistics::{Divisor, Statistics};
use metrics::{fid, kid};
use net::Result;
use std::hint::black_box;

/// Features of the Inception network.
const WIDTH: usize = 2048;
/// Images whose statistics are taken.
const IMAGES: usize = 4096;
/// Images of a subset.
const SUBSET: usize = 1000;
/// Subsets, and images of a set of which they are drawn: the usual number of subsets, which share images; and some that share few.
const KERNELS: [(usize, usize); 2] = [(100, 5000), (4, 20_000)];

/// What the published programs do, and the best that we know in NumPy and `SciPy`. The cases are the same here.
const FORMS: [&str; 3] = ["sqrtm", "eigvals", "eigvalsh"];

pub(crate) fn cases() -> Vec<Case> {
    let n = WIDTH;
    // Two factors, a product, its Gram matrix, and its eigenvalues: a third, one, a half and two thirds of n^3.
    let distance = Cost {
        macs: (2 * n * n * n / 6 + n * n * n + n * n * n / 2 + 2 * n * n * n / 3) as u64,
        bytes: 16 * (n * n) as u64,
    };
    let mut cases: Vec<Case> =
        FORMS.into_iter().map(|form| Case::new(format!("figures/fid-{form}/d{n}"), distance, apart)).collect();
    let square = Cost { macs: (IMAGES * n * n / 2) as u64, bytes: (4 * IMAGES * n + 8 * n * n) as u64 };
    cases.push(Case::new(format!("figures/moments/d{n}n{IMAGES}"), square, || Ok(gathered())));
    cases.extend(KERNELS.map(|(subsets, images)| {
        // Each pair of images once, however many subsets hold it; a set with itself is half the work.
        let pairs = 2 * (images * images).min(subsets * SUBSET * SUBSET);
        let cost = Cost { macs: (pairs * n) as u64, bytes: (2 * 4 * images.min(subsets * SUBSET) * n) as u64 };
        Case::new(format!("figures/kid/d{n}s{subsets}x{SUBSET}n{images}"), cost, move || Ok(kernel(subsets, images)))
    }));
    cases
}

/// As a network ends: sums of what lies before, nothing below 0. Numbers depend on each other, and some matter more.
fn features(images: usize, purpose: &str, shift: f64) -> Vec<f32> {
    const HIDDEN: usize = 24;
    let mut draw = Stream::new(0, "figures-mix", 0);
    let mix: Vec<f64> = (0..HIDDEN * WIDTH).map(|_| 0.2 * draw.normal()).collect();
    let mut draw = Stream::new(0, purpose, 0);
    let mut values = Vec::with_capacity(images * WIDTH);
    for _ in 0..images {
        let hidden: Vec<f64> = (0..HIDDEN).map(|_| draw.normal() + shift).collect();
        for column in 0..WIDTH {
            let sum: f64 = hidden.iter().enumerate().map(|(k, h)| h * mix[k * WIDTH + column]).sum();
            values.push((0.4 + sum + 0.3 * draw.normal()).max(0.0) as f32);
        }
    }
    values
}

fn statistics(images: &[f32]) -> Result<Statistics> {
    let mut moments = Moments::new(WIDTH);
    moments.push(0, &Features::new("features", images, WIDTH)?)?;
    Ok(moments.statistics(Divisor::SamplesLessOne)?)
}

fn apart() -> Result<Step> {
    let generated = statistics(&features(IMAGES, "figures-generated", 0.1))?;
    let real = statistics(&features(IMAGES, "figures-real", 0.0))?;
    Ok(Box::new(move || {
        black_box(fid::fid(Generated(&generated), Real(&real))?);
        Ok(())
    }))
}

fn gathered() -> Step {
    let images = features(IMAGES, "figures-real", 0.0);
    Box::new(move || {
        black_box(statistics(&images)?);
        Ok(())
    })
}

fn kernel(subsets: usize, images: usize) -> Step {
    let generated = features(images, "figures-generated", 0.1);
    let real = features(images, "figures-real", 0.0);
    let options = Options { subsets: Subsets::Random { subsets, size: SUBSET, seed: 1 }, ..Options::default() };
    Box::new(move || {
        let generated = Features::new("generated features", &generated, WIDTH)?;
        let real = Features::new("real features", &real, WIDTH)?;
        black_box(kid::kid(Generated(generated), Real(real), options)?);
        Ok(())
    })
}
