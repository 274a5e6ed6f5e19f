//! A step of G, a step of D, and a whole generation: the `paper` preset at 32x32 on reals that lie in memory.

use crate::nets::{IMAGE, Passes};
use crate::{Case, Cost, Setting, adam};
use base::seed::Stream;
use data::{Content, Dataset, Image, Loader, LoaderOptions, Source};
use evolve::{Gan, Generator, Graphs, Loss, Players, Rules, Settings, generation, networks};
use net::{Device, Law, Network, Params, Precision, Result};
use std::hint::black_box;
use std::sync::Arc;
use train::{Moments, RunSettings};

/// Random images: what is in them does not matter, and loading them is one copy.
struct Noise(Vec<Vec<u8>>);

impl Source for Noise {
    fn len(&self) -> Option<usize> {
        Some(self.0.len())
    }
    fn name(&self, index: u64) -> String {
        format!("noise {index}")
    }
    fn load(&self, index: u64) -> base::Result<Image> {
        Image::new(IMAGE[2], IMAGE[1], IMAGE[0], self.0[index as usize].clone())
    }
    fn in_memory(&self) -> bool {
        true
    }
}

/// Settings, networks and their first weights.
pub(crate) struct Table {
    settings: &'static Settings,
    pub(crate) graphs: &'static Graphs,
    pub(crate) generator: Params,
    pub(crate) discriminator: Params,
}

impl Table {
    /// For steps by themselves: as many evaluation images as D's one step takes fakes.
    pub(crate) fn new(Setting { batch, width }: Setting, precision: Precision) -> Result<Self> {
        let (batch, width) = (batch.to_string(), width.to_string());
        let sizes = [("batch", &*batch), ("eval", &batch), ("d_steps", "1"), ("width", &width), ("width_d", &width)];
        Self::with(&sizes, precision)
    }

    fn with(overrides: &[(&str, &str)], precision: Precision) -> Result<Self> {
        let precision = if precision == Precision::Bf16 { "precision=bf16" } else { "precision=f32" };
        let mut overrides: Vec<String> = overrides.iter().map(|(key, value)| format!("{key}={value}")).collect();
        overrides.push(precision.to_owned());
        let settings = Settings::resolve(&Settings::preset("paper", false)?, None, &overrides)?;
        let (g, d) = networks(&settings, &IMAGE);
        let graphs = Graphs::new(&g, &d, false)?;
        let initial = |graph, purpose| Network::initial(graph, settings.seed, purpose, &Device::cpu()).params;
        let (generator, discriminator) = (initial(g, "generator"), initial(d, "discriminator"));
        // The players borrow these few kilobytes: they live as long as the program.
        Ok(Self {
            settings: Box::leak(Box::new(settings)),
            graphs: Box::leak(Box::new(graphs)),
            generator,
            discriminator,
        })
    }

    pub(crate) fn generator(&self) -> Generator {
        Generator {
            params: self.generator.clone(),
            moments: Moments::zero(&self.graphs.g.graph, &self.generator),
            fakes: None,
            gradient_norm: 0.0,
        }
    }

    fn gan(&self) -> Result<Gan<'static>> {
        let mut stream = Stream::new(0, "reals", 0);
        let bytes: usize = IMAGE.iter().product();
        let images = (0..1024).map(|_| (0..bytes / 8).flat_map(|_| stream.bits().to_le_bytes()).collect()).collect();
        let set = Dataset::new("noise", Content::Images(Box::new(Noise(images))), data::Options::default())?;
        let loader = Loader::new(Arc::new(set), LoaderOptions { workers: 1, ..LoaderOptions::default() })?;
        Ok(Gan::new(self.graphs, self.settings, loader, self.discriminator.clone(), Device::cpu()))
    }

    fn rules(&self) -> Rules {
        Rules::of(self.settings)
    }
}

pub(crate) fn steps(setting: Setting, precision: Precision) -> [Case; 2] {
    [
        Case::new(format!("step/g/{}", setting.tag()), g_step_cost(setting), move || {
            let (mut gan, parent) = ready_for_g(setting, precision)?;
            Ok(Box::new(move || {
                black_box(gan.mutate(0, &parent, &[Loss::Heuristic])?);
                Ok(())
            }))
        }),
        Case::new(format!("step/d/{}", setting.tag()), d_step_cost(setting), move || {
            let (mut gan, mut survivors) = ready_for_d(setting, precision)?;
            let (discriminator, moments) = (gan.discriminator.clone(), gan.d_moments.clone());
            Ok(Box::new(move || {
                // Every repetition starts at the same weights: a D that is sure has other numbers to compute with.
                (gan.discriminator, gan.d_moments) = (discriminator.clone(), moments.clone());
                black_box(gan.train_discriminator(0, &mut survivors)?);
                Ok(())
            }))
        }),
    ]
}

/// Forward through G and D, back through D to its input, back through G to its weights, Adam.
fn g_step_cost(setting: Setting) -> Cost {
    let (g, d) = (Passes::generator(setting), Passes::discriminator(setting));
    let adam = adam::cost(adam::parameters_g(setting.width));
    g.forward() + d.forward() + d.to_input() + g.to_weights() + Cost { macs: 0, ..adam }
}

/// Reals and fakes forward and back to D's weights, Adam.
fn d_step_cost(setting: Setting) -> Cost {
    let d = Passes::discriminator(setting);
    let adam = adam::cost(adam::parameters_d(setting.width));
    2 * (d.forward() + d.to_weights()) + Cost { macs: 0, ..adam }
}

fn ready_for_g(setting: Setting, precision: Precision) -> Result<(Gan<'static>, Generator)> {
    let table = Table::new(setting, precision)?;
    let mut gan = table.gan()?;
    gan.begin(0)?;
    Ok((gan, table.generator()))
}

fn ready_for_d(setting: Setting, precision: Precision) -> Result<(Gan<'static>, Vec<Generator>)> {
    let table = Table::new(setting, precision)?;
    let mut gan = table.gan()?;
    gan.begin(0)?;
    // D is given its fakes, as in the releases, where they are the survivors' evaluation images.
    let fakes = Law::Uniform.batch(setting.batch, &IMAGE, 0, "fakes", 0, &Device::cpu());
    Ok((gan, vec![Generator { fakes: Some(fakes.into()), ..table.generator() }]))
}

/// Batch 32, evaluation on 256 images, width 128, three mutations, three steps of D.
pub(crate) fn paper_generation(precision: Precision) -> Case {
    const BATCH: Setting = Setting { batch: 32, width: 128 };
    const EVALUATION: Setting = Setting { batch: 256, width: 128 };
    let cost = generation_cost(BATCH, EVALUATION.batch);
    Case::new("generation/paper/b32w128", cost, move || {
        let table = Table::with(&[], precision)?;
        let rules = table.rules();
        let (mut gan, parent) = (table.gan()?, table.generator());
        let (discriminator, moments) = (gan.discriminator.clone(), gan.d_moments.clone());
        Ok(Box::new(move || {
            (gan.discriminator, gan.d_moments) = (discriminator.clone(), moments.clone());
            let mut population = vec![parent.clone()];
            black_box(generation(&mut gan, &mut population, &rules, 0)?);
            black_box(population);
            Ok(())
        }))
    })
}

/// One forward pass for three mutations; the real half of D's gradient once for three children.
fn generation_cost(setting: Setting, eval: usize) -> Cost {
    let (mutations, d_steps) = (3, 3);
    let (g, d) = (Passes::generator(setting), Passes::discriminator(setting));
    let judged = Setting { batch: eval, ..setting };
    let (eval_g, eval_d) = (Passes::generator(judged), Passes::discriminator(judged));
    let adam = Cost { macs: 0, ..adam::cost(adam::parameters_g(setting.width)) };
    let variation = g.forward() + d.forward() + mutations * (d.to_input() + g.to_weights() + adam);
    let judgement = eval_d.forward() + eval_d.to_weights();
    variation + mutations * (eval_g.forward() + judgement) + judgement + d_steps * d_step_cost(setting)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Setting = Setting { batch: 3, width: 4 };

    #[test]
    fn a_step_of_g_does_the_products_that_are_stated() {
        let (mut gan, parent) = ready_for_g(SMALL, Precision::F32).unwrap();
        gan.mutate(0, &parent, &[Loss::Heuristic]).unwrap();
        assert_eq!(gan.work.macs, g_step_cost(SMALL).macs);
    }

    #[test]
    fn a_step_of_d_does_the_products_that_are_stated() {
        let (mut gan, mut survivors) = ready_for_d(SMALL, Precision::F32).unwrap();
        gan.train_discriminator(0, &mut survivors).unwrap();
        assert_eq!(gan.work.macs, d_step_cost(SMALL).macs);
        assert_eq!(gan.work.g_images, 0, "the fakes are given");
    }

    #[test]
    fn a_generation_does_the_products_that_are_stated() {
        let table =
            Table::with(&[("batch", "3"), ("eval", "9"), ("width", "4"), ("width_d", "4")], Precision::F32).unwrap();
        let mut gan = table.gan().unwrap();
        generation(&mut gan, &mut vec![table.generator()], &table.rules(), 0).unwrap();
        assert_eq!(gan.work.macs, generation_cost(SMALL, 9).macs);
    }
}
