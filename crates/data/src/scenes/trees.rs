//! Trees: round crowns, poplars and conifers.

use super::canvas::{Canvas, Rgb, mix, scale};
use super::land::shadow;
use super::light::{Light, Season};
use super::noise::Noise;
use super::{between, object, part, pick};
use base::seed::Stream;

/// A tree that stands at `x`, `y` and is `height` high.
pub(super) struct Tree {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) height: f32,
    pub(super) kind: Kind,
}

/// What grows there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Round,
    Poplar,
    Conifer,
}

impl Kind {
    /// Draws a kind; poplars are the rare ones.
    pub(super) fn draw(stream: &mut Stream) -> Self {
        [Self::Round, Self::Conifer, Self::Poplar][pick(stream, &[0.58, 0.30, 0.12])]
    }
}

impl Tree {
    /// Half of the crown's width.
    pub(super) fn half(&self) -> f32 {
        self.height
            * match self.kind {
                Kind::Round => 0.36,
                Kind::Poplar => 0.15,
                Kind::Conifer => 0.25,
            }
    }

    /// Paints shadow, trunk and crown.
    pub(super) fn paint(&self, canvas: &mut Canvas, stream: &mut Stream, light: &Light, noise: Noise, season: Season) {
        shadow(canvas, light, self.x, self.y, self.half() * 0.8, self.height * 0.16);
        self.trunk(canvas, stream, light);
        match self.kind {
            Kind::Conifer => self.conifer(canvas, stream, light, noise, season),
            Kind::Round | Kind::Poplar => self.crown(canvas, stream, light, noise, season),
        }
    }

    fn trunk(&self, canvas: &mut Canvas, stream: &mut Stream, light: &Light) {
        const BARKS: [Rgb; 4] = [[0.36, 0.25, 0.17], [0.42, 0.31, 0.22], [0.30, 0.22, 0.18], [0.82, 0.80, 0.76]];
        let barks = if self.kind == Kind::Round { &BARKS[..] } else { &BARKS[..3] };
        let bark = *stream.choose(barks);
        let (foot, neck) = (self.height * 0.050, self.height * 0.030);
        let top = self.y - self.height * if self.kind == Kind::Round { 0.48 } else { 0.25 };
        let (x, y) = (self.x, self.y);
        canvas.polygon(&[[x - foot, y], [x + foot, y], [x + neck, top], [x - neck, top]], |sx, _, sample| {
            let sunny = 0.5 + 0.5 * (sx - x) / foot * light.side;
            sample.set(light.on(bark, sunny.clamp(0.0, 1.0)), object::TREE, part::TRUNK);
        });
    }

    /// A heap of round tufts, each with its light and its dark side.
    fn crown(&self, canvas: &mut Canvas, stream: &mut Stream, light: &Light, noise: Noise, season: Season) {
        let leaf = season.foliage(stream);
        let offset = between(stream, 0.0, 200.0);
        let h = self.height;
        let poplar = self.kind == Kind::Poplar;
        let (centre, wide, high) =
            if poplar { (self.y - 0.54 * h, 0.10 * h, 0.44 * h) } else { (self.y - 0.64 * h, 0.31 * h, 0.27 * h) };
        let mut tufts = vec![[self.x, centre, if poplar { 0.12 * h } else { 0.25 * h }]];
        let count = if poplar { 8 } else { 6 + stream.below(3) };
        for k in 0..count {
            let (u, v) = if poplar {
                (between(stream, -0.4, 0.4), 0.86 - 1.72 * k as f32 / (count - 1) as f32)
            } else {
                let angle = std::f32::consts::TAU * (k as f32 + between(stream, -0.25, 0.25)) / count as f32;
                (0.66 * libm::cosf(angle), 0.60 * libm::sinf(angle))
            };
            let radius = if poplar { 0.135 * h * (1.12 - 0.62 * v * v) } else { 0.16 * h * between(stream, 0.85, 1.2) };
            tufts.push([self.x + u * wide, centre + v * high, radius]);
        }
        // Upper tufts lie behind lower ones, as leaves hang.
        tufts[1..].sort_by(|a, b| a[1].total_cmp(&b[1]));
        let reach = 0.46 * h;
        let bounds = [self.x - reach, self.y - 1.04 * h, self.x + reach, self.y - 0.06 * h];
        for (y, row) in canvas.rows(bounds) {
            let grain = noise.rough(y * 60.0);
            for (x, sample) in row {
                let grain = grain.at(x * 60.0 + offset) - 0.5;
                let swell = 1.0 + 0.55 * grain;
                let inside = |[tx, ty, r]: &&[f32; 3]| (x - tx) * (x - tx) + (y - ty) * (y - ty) < r * r * swell;
                let Some([tx, ty, r]) = tufts.iter().rev().find(inside) else { continue };
                let toward = |dx: f32, dy: f32| dx * light.side * 0.75 - dy * 0.8;
                let whole = toward((x - self.x) / (wide + 0.1 * h), (y - centre) / (high + 0.1 * h));
                let tuft = toward((x - tx) / r, (y - ty) / r);
                let sunny = (0.48 + 0.34 * whole + 0.30 * tuft + 0.55 * grain).clamp(-0.25, 1.15);
                let colour = mix(scale(leaf, 0.80), leaf, sunny.clamp(0.0, 1.0));
                sample.set(light.on(colour, sunny), object::TREE, part::CROWN);
            }
        }
    }

    /// Skirts of needles, one above the other.
    fn conifer(&self, canvas: &mut Canvas, stream: &mut Stream, light: &Light, noise: Noise, season: Season) {
        const NEEDLES: [Rgb; 3] = [[0.16, 0.38, 0.24], [0.20, 0.42, 0.22], [0.14, 0.34, 0.28]];
        let needle = scale(*stream.choose(&NEEDLES), between(stream, 0.95, 1.25));
        let offset = between(stream, 0.0, 200.0);
        let (h, half) = (self.height, self.half());
        let (top, bottom) = (self.y - h, self.y - 0.10 * h);
        let tiers = 4.0;
        for (y, row) in canvas.rows([self.x - half, top, self.x + half, bottom]) {
            let t = ((y - top) / (bottom - top)).max(0.0);
            let grain = noise.rough(y * 50.0);
            let tier = (t * tiers).min(tiers - 0.001);
            let within = tier.fract();
            // Each skirt starts narrower than the one above it ends.
            let width = half * ((tier.floor() * 0.80 + within * 1.35 + 0.12) / (tiers * 0.80 + 0.67));
            for (x, sample) in row {
                let grain = grain.at(x * 70.0 + offset) - 0.5;
                let across = (x - self.x) / width;
                if across.abs() > 1.0 + 0.5 * grain {
                    continue;
                }
                let sunny = (0.50 + 0.42 * across * light.side - 0.40 * within + 0.55 * grain + 0.12).clamp(-0.2, 1.1);
                let snow = season == Season::Winter && within < 0.55 + 0.5 * grain && across.abs() > 0.15;
                let colour = if snow { [0.90, 0.93, 0.98] } else { needle };
                sample.set(light.on(colour, sunny), object::TREE, part::CROWN);
            }
        }
    }
}
