//! Sky, sun and clouds.

use super::canvas::{Canvas, Rgb, mix, scale, smooth};
use super::light::Light;
use super::noise::Noise;
use super::{between, object, part};
use base::seed::Stream;

/// Paints the sky and the sun down to `bottom`.
pub(super) fn sky(canvas: &mut Canvas, light: &Light, bottom: f32) {
    let [sx, sy] = light.sun;
    let radius = light.sun_radius;
    let disc = mix(light.glow, [1.0, 0.98, 0.88], 0.72);
    let top = canvas.top;
    for (y, row) in canvas.rows([0.0, top, canvas.wide, bottom]) {
        let t = ((y - top) / (bottom - top)).clamp(0.0, 1.0);
        let plain = mix(light.zenith, light.haze, t * (0.45 + 0.55 * t));
        for (x, sample) in row {
            let mut colour = plain;
            let d2 = (x - sx) * (x - sx) + (y - sy) * (y - sy);
            let near = 1.0 / (1.0 + d2 * 55.0);
            let halo = 1.0 / (1.0 + d2 / (radius * radius) * 0.9);
            let strength = if light.sun_shows { 0.42 * near * near + 0.62 * halo * halo } else { 0.22 * near };
            (0..3).for_each(|c| colour[c] += light.glow[c] * strength);
            if light.sun_shows && d2 < radius * radius {
                let rim = smooth(0.75, 1.0, d2 / (radius * radius));
                sample.set(mix(scale(disc, 1.08), mix(disc, colour, 0.35), rim), object::SUN, part::NONE);
            } else {
                sample.set(colour, object::SKY, part::NONE);
            }
        }
    }
}

/// A heap of round puffs with a flat base.
struct Cloud {
    /// x, y and radius.
    puffs: Vec<[f32; 3]>,
    base: f32,
    left: f32,
    top: f32,
    right: f32,
    seed: [f32; 2],
}

impl Cloud {
    fn draw(stream: &mut Stream, horizon: f32, wide: f32, top: f32) -> Self {
        // Clouds near the horizon are far away and small.
        let height = stream.unit() as f32;
        let base = top + 0.10 + height * (horizon - 0.20 - top);
        let width = between(stream, 0.20, 0.50) * (1.0 - 0.55 * height);
        let centre = between(stream, -0.05, 1.05) * wide;
        let count = 5 + stream.below(4);
        let puffs: Vec<[f32; 3]> = (0..count)
            .map(|k| {
                let u = (k as f32 + between(stream, 0.2, 0.8)) / count as f32;
                let middle = 1.0 - (2.0 * u - 1.0) * (2.0 * u - 1.0);
                let radius = width * (0.10 + 0.14 * middle) * between(stream, 0.8, 1.25);
                [centre + (u - 0.5) * width, base - radius * between(stream, 0.30, 0.85), radius]
            })
            .collect();
        let edge = |f: fn(f32, f32) -> f32, side: fn(&[f32; 3]) -> f32| puffs.iter().map(side).reduce(f).unwrap_or(0.0);
        Self {
            base,
            left: edge(f32::min, |p| p[0] - p[2]),
            top: edge(f32::min, |p| p[1] - p[2]),
            right: edge(f32::max, |p| p[0] + p[2]),
            seed: [between(stream, 0.0, 200.0), between(stream, 0.0, 200.0)],
            puffs,
        }
    }

    fn paint(&self, canvas: &mut Canvas, light: &Light, noise: Noise) {
        let lit: Rgb = mix(light.on([1.02, 1.0, 0.98], 1.0), light.haze, 0.12);
        let shadow = mix(mix(light.on([0.74, 0.76, 0.82], 0.15), light.zenith, 0.25), light.haze, 0.30);
        let middle = 0.5 * (self.left + self.right);
        let (half, height) = (0.5 * (self.right - self.left), self.base - self.top);
        for (y, row) in canvas.rows([self.left, self.top, self.right, self.base + 0.02]) {
            let grain = noise.rough(y * 26.0 + self.seed[1]);
            let floor = smooth(self.base + 0.012, self.base - 0.012, y);
            let up = (self.base - y) / height;
            for (x, sample) in row {
                let density: f32 = self
                    .puffs
                    .iter()
                    .map(|[px, py, r]| (1.0 - ((x - px) * (x - px) + (y - py) * (y - py)) / (r * r)).max(0.0))
                    .sum();
                if density <= 0.0 {
                    continue;
                }
                let grain = grain.at(x * 22.0 + self.seed[0]) - 0.5;
                let alpha = smooth(0.10, 0.42, density + 0.45 * grain) * floor;
                let sunward = (x - middle) / half * light.side;
                let shade = smooth(-0.1, 0.85, up + 0.30 * sunward + 0.7 * grain);
                sample.colour = mix(sample.colour, mix(shadow, lit, shade), alpha * 0.95);
                if alpha > 0.5 {
                    (sample.object, sample.part) = (object::CLOUD, part::NONE);
                }
            }
        }
    }
}

/// Draws and paints the clouds, the far ones first.
pub(super) fn clouds(canvas: &mut Canvas, stream: &mut Stream, light: &Light, noise: Noise, horizon: f32) {
    // As thick in a picture with more sky.
    let (wide, top) = (canvas.wide, canvas.top);
    let count = (light.clouds * 5.0 * wide * (1.0 - top)) as usize;
    let mut clouds: Vec<Cloud> = (0..count).map(|_| Cloud::draw(stream, horizon, wide, top)).collect();
    clouds.sort_by(|a, b| b.base.total_cmp(&a.base));
    for cloud in &clouds {
        cloud.paint(canvas, light, noise);
    }
}
