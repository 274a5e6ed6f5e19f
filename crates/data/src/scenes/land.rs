//! Mountains, meadow and road.

use super::canvas::{Canvas, Rgb, lerp, mix, scale, smooth};
use super::light::{Light, Season};
use super::noise::Noise;
use super::{between, object, part};
use base::seed::Stream;

/// Paints `count` ranges of mountains, the farthest first; the nearest are green hills.
pub(super) fn mountains(
    canvas: &mut Canvas,
    stream: &mut Stream,
    light: &Light,
    noise: Noise,
    season: Season,
    count: usize,
    horizon: f32,
) {
    for layer in 0..count {
        // 0 is near, 1 is far.
        let far = (count - layer) as f32 / 3.0;
        let alpine = far > 0.5;
        let offset = between(stream, 0.0, 200.0);
        let height = if alpine { between(stream, 0.24, 0.42) } else { between(stream, 0.09, 0.18) };
        let frequency = if alpine { between(stream, 1.5, 2.6) } else { between(stream, 1.4, 2.4) };
        // Folding the noise at its middle makes sharp ridges; hills keep it round.
        let fold = |v: f32| if alpine { 1.0 - (2.0 * v - 1.0).abs() } else { v };
        let ridge: Vec<f32> = (0..=canvas.columns)
            .map(|i| {
                let x = i as f32 / canvas.unit * frequency + offset;
                let fine = if alpine { 0.10 * fold(noise.at(x * 6.1, offset + 31.0)) } else { 0.0 };
                let shape = 0.64 * fold(noise.at(x, offset)) + 0.26 * fold(noise.at(x * 2.3, offset + 9.0)) + fine;
                horizon + 0.02 - height * (0.12 + 0.88 * shape)
            })
            .collect();
        let rock: Rgb = if alpine {
            mix([0.36, 0.42, 0.60], [0.60, 0.47, 0.42], stream.unit() as f32)
        } else {
            scale(mix(season.meadow(stream)[1], [0.20, 0.42, 0.28], 0.6), 0.95)
        };
        let snowy = alpine && (season == Season::Winter || stream.chance(0.6));
        let snow_line = horizon - height * between(stream, 0.42, 0.62);
        let top = ridge.iter().copied().fold(1.0, f32::min);
        let unit = canvas.unit;
        let reach = (unit as usize / 48).max(1);
        // Which way the rock looks, column by column: a slope that falls to the right looks to the right.
        let slope = |column: usize| {
            let (before, after) = (column.saturating_sub(reach), (column + reach).min(canvas.columns));
            ((ridge[after] - ridge[before]) * unit / (after - before) as f32).clamp(-1.2, 1.2) * light.side
        };
        let slopes: Vec<f32> = (0..canvas.columns).map(slope).collect();
        for (y, row) in canvas.rows([0.0, top, canvas.wide, horizon + 0.03]) {
            let (ribs, patches, grain) = (noise.row(y * 5.0), noise.row(y * 30.0), noise.rough(y * 55.0));
            for (x, sample) in row {
                let column = ((x * unit) as usize).min(slopes.len() - 1);
                let depth = y - ridge[column];
                if depth < 0.0 {
                    continue;
                }
                let mut sunny = 0.52 + 0.62 * slopes[column];
                let mut snow = false;
                if alpine {
                    // Ribs run down from the crest, leaning with the slope; they are folded noise as well.
                    let lean = (x + 0.30 * depth * slopes[column]) * 11.0 + offset;
                    let rib = fold(ribs.at(lean)) - fold(ribs.at(lean + 0.35 * light.side));
                    sunny = 0.50 + 0.55 * slopes[column] * smooth(0.5 * height, 0.0, depth) + 0.95 * rib;
                    snow = snowy && y + 0.10 * rib + 0.05 * patches.at(x * 30.0 + offset) < snow_line;
                } else {
                    sunny += 0.5 * (grain.at(x * 40.0 + offset) - 0.5);
                }
                let (colour, clear, on) =
                    if snow { ([0.98, 0.99, 1.0], 0.55, part::PEAK) } else { (rock, 1.0, part::NONE) };
                let mist = (0.16 + 0.34 * far + 0.34 * smooth(0.0, height, depth)).min(0.85) * clear;
                let lit = light.on(colour, sunny.clamp(0.0, 1.15));
                sample.set(mix(lit, light.haze, mist), object::MOUNTAIN, on);
            }
        }
    }
}

/// Paints the meadow below `horizon`.
pub(super) fn meadow(
    canvas: &mut Canvas,
    stream: &mut Stream,
    light: &Light,
    noise: Noise,
    season: Season,
    horizon: f32,
) {
    let [far, near] = season.meadow(stream);
    let middle = 0.5 * canvas.wide;
    let offset = between(stream, 0.0, 200.0);
    let swell: f32 = between(stream, 0.008, 0.03);
    let other = if season == Season::Winter { scale(near, 0.94) } else { mix(near, [0.72, 0.68, 0.26], 0.45) };
    let unit = canvas.unit;
    let edge: Vec<f32> = (0..canvas.columns)
        .map(|column| horizon - swell * noise.at(column as f32 / unit * 3.0 + offset, offset))
        .collect();
    for (y, row) in canvas.rows([0.0, horizon - swell, canvas.wide, 1.0]) {
        let depth = ((y - horizon) / (1.0 - horizon)).max(0.0);
        let t = depth * (2.0 - depth);
        // Fields narrow towards the horizon as the ground does.
        let distance = 1.0 / (depth + 0.12);
        let (fields, blades) = (noise.row(distance * 2.5), noise.rough(y * 30.0));
        let (ground, mist) = (mix(far, near, t), 0.28 * (1.0 - t) * (1.0 - t));
        for (x, sample) in row {
            if y < edge[((x * unit) as usize).min(edge.len() - 1)] {
                continue;
            }
            let field = fields.at((x - middle) * distance * 2.2 + offset);
            let blades = blades.at(x * 46.0 + offset) - 0.5;
            let colour = mix(ground, other, 0.55 * smooth(0.45, 0.75, field));
            let sunny = 0.78 + 0.55 * blades * (0.35 + 0.65 * t);
            sample.set(mix(light.on(colour, sunny), light.haze, mist), object::GRASS, part::NONE);
        }
    }
    if matches!(season, Season::Spring | Season::Summer) && stream.chance(0.35) {
        flowers(canvas, stream, light, horizon);
    }
}

/// Scatters dots of one colour over the near meadow. They count as grass.
fn flowers(canvas: &mut Canvas, stream: &mut Stream, light: &Light, horizon: f32) {
    const COLOURS: [Rgb; 4] = [[1.0, 0.95, 0.95], [1.0, 0.85, 0.2], [0.92, 0.25, 0.22], [0.72, 0.5, 0.9]];
    let colour = light.on(*stream.choose(&COLOURS), 0.9);
    let count = (12 + stream.below(20)) as f32 * canvas.wide;
    for _ in 0..count as u64 {
        let depth = between(stream, 0.35, 1.0);
        let (x, y) = (stream.unit() as f32 * canvas.wide, lerp(horizon, 1.0, depth));
        let r = 0.004 + 0.006 * depth;
        canvas.paint([x - r, y - r, x + r, y + r], |sx, sy, sample| {
            if (sx - x) * (sx - x) + (sy - y) * (sy - y) < r * r {
                sample.colour = colour;
            }
        });
    }
}

/// A road or path from a place in the scene down to the lower edge of the picture.
pub(super) struct Road {
    /// The far end: x, y and half of the width.
    pub(super) from: [f32; 3],
    /// The near end at the lower edge: x and half of the width.
    pub(super) to: [f32; 2],
    /// How far it swings out on its way.
    pub(super) bend: f32,
    /// A road has asphalt and marks, a path has neither.
    pub(super) paved: bool,
}

impl Road {
    /// The middle and half of the width at height `y`; `None` above the far end.
    pub(super) fn at(&self, y: f32) -> Option<(f32, f32)> {
        let [x, top, half] = self.from;
        let t = (y - top) / (1.0 - top);
        (t >= 0.0).then(|| (lerp(x, self.to[0], t) + self.bend * t * (1.0 - t), lerp(half, self.to[1], t)))
    }

    /// Paints it.
    pub(super) fn paint(&self, canvas: &mut Canvas, stream: &mut Stream, light: &Light, noise: Noise, season: Season) {
        let offset = between(stream, 0.0, 200.0);
        let ground = if self.paved {
            mix([0.40, 0.40, 0.44], [0.56, 0.54, 0.54], stream.unit() as f32)
        } else {
            mix([0.80, 0.68, 0.48], [0.70, 0.58, 0.44], stream.unit() as f32)
        };
        let ground = if season == Season::Winter { mix(ground, [0.7, 0.72, 0.78], 0.35) } else { ground };
        let marks = self.paved && stream.chance(0.7);
        let top = self.from[1];
        for (y, row) in canvas.rows([0.0, top, canvas.wide, 1.0]) {
            let Some((middle, half)) = self.at(y) else { continue };
            let depth = (y - top) / (1.0 - top);
            let dash = (1.0 / (depth + 0.10) * 2.2 + offset).fract() < 0.5;
            let grain = noise.rough(y * 40.0);
            for (x, sample) in row {
                let across = (x - middle).abs() / half;
                if across > 1.0 || sample.object != object::GRASS {
                    continue;
                }
                let grain = grain.at(x * 50.0 + offset) - 0.5;
                let white = marks && ((across < 0.07 && dash) || (0.84..0.91).contains(&across));
                let colour = if white { [0.93, 0.91, 0.84] } else { scale(ground, 1.0 - 0.18 * across * across) };
                let lit = light.on(colour, 0.72 + 0.35 * grain);
                sample.set(mix(lit, light.haze, 0.30 * (1.0 - depth) * (1.0 - depth)), object::ROAD, part::NONE);
            }
        }
    }
}

/// A soft shadow on the ground around a thing that stands at `x`, `y`.
pub(super) fn shadow(canvas: &mut Canvas, light: &Light, x: f32, y: f32, half: f32, length: f32) {
    let (cx, rx, ry) = (x - light.side * length, half + length, (half * 0.26).max(0.012));
    canvas.paint([cx - rx, y - ry, cx + rx, y + ry], |sx, sy, sample| {
        if matches!(sample.object, object::GRASS | object::ROAD) {
            let (dx, dy) = ((sx - cx) / rx, (sy - y) / ry);
            let dark = smooth(1.0, 0.45, dx * dx + dy * dy);
            sample.colour = mix(sample.colour, scale(sample.colour, 0.56), dark);
        }
    });
}
