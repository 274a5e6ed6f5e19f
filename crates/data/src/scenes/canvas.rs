//! The supersampled sheet on which a scene is painted, back to front, and how it becomes pixels and labels.

use super::{OBJECTS, PARTS, Scene};
use crate::image::{Image, LabelMap};
use crate::size::Size;

/// Samples along one side of a pixel.
const SUPER: usize = 3;

/// Red, green, blue as displayed, 0 to 1.
pub(super) type Rgb = [f32; 3];
/// A place in the world: x to the right from 0 to [`Canvas::wide`], y down from [`Canvas::top`] to 1. The shorter side of the
/// picture is 1.
pub(super) type Point = [f32; 2];

/// What is known of one place of the scene.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub(super) colour: Rgb,
    pub(super) object: u8,
    pub(super) part: u8,
}

impl Sample {
    /// Covers the sample.
    pub(super) fn set(&mut self, colour: Rgb, object: u8, part: u8) {
        *self = Self { colour, object, part };
    }
}

/// The sheet.
pub(super) struct Canvas {
    /// Samples in a row.
    pub(super) columns: usize,
    /// Samples in a unit of the world, which is the shorter side.
    pub(super) unit: f32,
    /// Where the picture ends at the right: 1, or more in a wide one.
    pub(super) wide: f32,
    /// Where the picture begins above: 0, or less in a high one.
    pub(super) top: f32,
    samples: Vec<Sample>,
}

impl Canvas {
    /// A sheet for a picture of `size` pixels.
    pub(super) fn new(size: Size) -> Self {
        let (columns, rows) = (size.width * SUPER, size.height * SUPER);
        let unit = columns.min(rows) as f32;
        Self {
            columns,
            unit,
            wide: columns as f32 / unit,
            top: 1.0 - rows as f32 / unit,
            samples: vec![Sample { colour: [0.0; 3], object: 0, part: 0 }; columns * rows],
        }
    }

    /// The samples of a box (left, top, right, bottom) row by row: the height of each row, and its samples with how far right they are.
    pub(super) fn rows(
        &mut self,
        bounds: [f32; 4],
    ) -> impl Iterator<Item = (f32, impl Iterator<Item = (f32, &mut Sample)>)> {
        let (unit, sky) = (self.unit, self.top);
        let [from_x, from_y, to_x, to_y] = [bounds[0], bounds[1] - sky, bounds[2], bounds[3] - sky];
        // Casts of negative floats give 0.
        let first = |v: f32| (v * unit) as usize;
        let last = |v: f32| ((v * unit) as usize).saturating_add(1);
        let (left, top, right, bottom) = (first(from_x), first(from_y), last(to_x).min(self.columns), last(to_y));
        let nothing = to_x <= 0.0 || to_y <= 0.0 || left >= right;
        let rows = self.samples.chunks_exact_mut(self.columns).enumerate();
        rows.take(if nothing { 0 } else { bottom }).skip(top).map(move |(iy, row)| {
            let samples = row[left..right].iter_mut().enumerate();
            let y = (iy as f32 + 0.5) / unit + sky;
            (y, samples.map(move |(ix, sample)| (((left + ix) as f32 + 0.5) / unit, sample)))
        })
    }

    /// Shows every sample of a box (left, top, right, bottom) to the brush.
    pub(super) fn paint(&mut self, bounds: [f32; 4], mut brush: impl FnMut(f32, f32, &mut Sample)) {
        for (y, row) in self.rows(bounds) {
            row.for_each(|(x, sample)| brush(x, y, sample));
        }
    }

    /// Shows the samples inside of a convex polygon to the brush. Corners go round either way.
    pub(super) fn polygon(&mut self, corners: &[Point], mut brush: impl FnMut(f32, f32, &mut Sample)) {
        let area: f32 = edges(corners).map(|([ax, ay], [bx, by])| ax * by - bx * ay).sum();
        let turn = if area < 0.0 { -1.0 } else { 1.0 };
        let mut lines = [[0.0f32; 3]; 12];
        let count = corners.len().min(lines.len());
        for (line, ([ax, ay], [bx, by])) in lines.iter_mut().zip(edges(corners)) {
            *line = [turn * (ay - by), turn * (bx - ax), turn * (ax * by - bx * ay)];
        }
        let lines = &lines[..count];
        self.paint(bounds(corners), |x, y, sample| {
            if lines.iter().all(|[a, b, c]| a * x + b * y + c >= 0.0) {
                brush(x, y, sample);
            }
        });
    }

    /// Averages the samples of each pixel. Its object is that of most samples (the middle one's where they are split),
    /// its part that of most samples of this object, so that the planes agree.
    pub(super) fn develop(&self) -> Scene {
        let (width, height) = (self.columns / SUPER, self.samples.len() / self.columns / SUPER);
        let mut pixels = Vec::with_capacity(width * height * 3);
        let (mut objects, mut parts) = (Vec::with_capacity(width * height), Vec::with_capacity(width * height));
        for y in 0..height {
            for x in 0..width {
                let first = y * SUPER * self.columns + x * SUPER;
                let block: [[Sample; SUPER]; SUPER] = std::array::from_fn(|row| {
                    let start = first + row * self.columns;
                    std::array::from_fn(|column| self.samples[start + column])
                });
                let block = block.as_flattened();
                let mut sum = [0.0; 3];
                for sample in block {
                    (0..3).for_each(|c| sum[c] += sample.colour[c].clamp(0.0, 1.0));
                }
                pixels.extend(sum.map(|v| (v * (255.0 / block.len() as f32) + 0.5) as u8));
                let middle = &block[block.len() / 2];
                // Nearly all pixels lie inside of one thing.
                if block.iter().all(|s| (s.object, s.part) == (middle.object, middle.part)) {
                    objects.push(u16::from(middle.object));
                    parts.push(u16::from(middle.part));
                    continue;
                }
                let object = winner::<{ OBJECTS.len() }>(block.iter().map(|s| s.object), middle.object);
                let of_object = block.iter().filter(|s| s.object == object).map(|s| s.part);
                let part = winner::<{ PARTS.len() }>(of_object, if middle.object == object { middle.part } else { 0 });
                objects.push(u16::from(object));
                parts.push(u16::from(part));
            }
        }
        let map = |classes| LabelMap { width, height, classes };
        Scene { image: Image { width, height, channels: 3, pixels }, objects: map(objects), parts: map(parts) }
    }
}

/// The class with the most votes; `middle` if nothing has more.
fn winner<const N: usize>(votes: impl Iterator<Item = u8>, middle: u8) -> u8 {
    let mut counts = [0u8; N];
    votes.for_each(|class| counts[usize::from(class)] += 1);
    let mut best = middle;
    for (class, &count) in counts.iter().enumerate() {
        if count > counts[usize::from(best)] {
            best = class as u8;
        }
    }
    best
}

fn edges(corners: &[Point]) -> impl Iterator<Item = (Point, Point)> + '_ {
    corners.iter().copied().zip(corners.iter().copied().cycle().skip(1))
}

/// The box around some points.
pub(super) fn bounds(points: &[Point]) -> [f32; 4] {
    points.iter().fold([f32::MAX, f32::MAX, f32::MIN, f32::MIN], |[l, t, r, b], &[x, y]| {
        [l.min(x), t.min(y), r.max(x), b.max(y)]
    })
}

/// From `a` to `b` as `t` goes from 0 to 1.
pub(super) fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    [lerp(a[0], b[0], t), lerp(a[1], b[1], t), lerp(a[2], b[2], t)]
}

/// From `a` to `b` as `t` goes from 0 to 1.
pub(super) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// Brighter or darker.
pub(super) fn scale(a: Rgb, k: f32) -> Rgb {
    a.map(|v| v * k)
}

/// A surface's colour under a light's.
pub(super) fn tint(a: Rgb, b: Rgb) -> Rgb {
    [a[0] * b[0], a[1] * b[1], a[2] * b[2]]
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(super) fn smooth(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
