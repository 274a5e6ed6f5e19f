//! The time of day, the weather and the season of a scene.

use super::canvas::{Point, Rgb, lerp, mix, scale, tint};
use super::{between, pick};
use base::seed::Stream;

/// What shines on a scene.
pub(super) struct Light {
    /// The sky straight up.
    pub(super) zenith: Rgb,
    /// The sky at the horizon, which is the colour of haze, too.
    pub(super) haze: Rgb,
    /// The light of the sky.
    ambient: Rgb,
    /// The light of the sun.
    direct: Rgb,
    /// Where the sun stands; it may be out of the picture or below the horizon.
    pub(super) sun: Point,
    pub(super) sun_radius: f32,
    /// Whether there is a sun to see.
    pub(super) sun_shows: bool,
    /// The colour around the sun.
    pub(super) glow: Rgb,
    /// How much of the light comes from the right: -1 to 1.
    pub(super) side: f32,
    /// The share of windows that are lit.
    pub(super) lit: f32,
    /// How much of the sky is clouds: 0 to 1.
    pub(super) clouds: f32,
}

/// A time of day.
struct Hour {
    zenith: Rgb,
    haze: Rgb,
    ambient: Rgb,
    direct: Rgb,
    lit: f32,
}

/// Dusk, sunset, evening, day; times between are mixed.
const HOURS: [Hour; 4] = [
    Hour {
        zenith: [0.09, 0.11, 0.30],
        haze: [0.80, 0.42, 0.42],
        ambient: [0.34, 0.33, 0.50],
        direct: [0.10, 0.06, 0.06],
        lit: 0.9,
    },
    Hour {
        zenith: [0.25, 0.31, 0.60],
        haze: [1.00, 0.67, 0.40],
        ambient: [0.46, 0.41, 0.50],
        direct: [0.62, 0.34, 0.16],
        lit: 0.4,
    },
    Hour {
        zenith: [0.28, 0.50, 0.82],
        haze: [0.97, 0.87, 0.70],
        ambient: [0.50, 0.51, 0.57],
        direct: [0.58, 0.46, 0.28],
        lit: 0.0,
    },
    Hour {
        zenith: [0.17, 0.44, 0.86],
        haze: [0.75, 0.89, 0.98],
        ambient: [0.52, 0.57, 0.64],
        direct: [0.50, 0.47, 0.39],
        lit: 0.0,
    },
];

impl Light {
    /// Draws the light of a scene whose ground begins at height `horizon`, in a picture that goes from `top` down and as far as `wide`.
    pub(super) fn draw(stream: &mut Stream, horizon: f32, wide: f32, top: f32) -> Self {
        // Weights of: dusk, sunset, evening, day.
        let hour = match pick(stream, &[0.10, 0.13, 0.17, 0.60]) {
            0 => between(stream, 0.0, 0.45),
            1 => between(stream, 0.75, 1.3),
            2 => between(stream, 1.5, 2.3),
            _ => between(stream, 2.6, 3.0),
        };
        let at = (hour as usize).min(2);
        let (a, b, t) = (&HOURS[at], &HOURS[at + 1], hour - at as f32);
        // Grey evenings would be dull; grey days are rare.
        let overcast = if stream.chance(0.12) && hour > 1.5 { between(stream, 0.4, 0.85) } else { 0.0 };
        let grey = |c: Rgb, level: f32| {
            let luma = 0.3 * c[0] + 0.55 * c[1] + 0.15 * c[2];
            mix(c, [luma * level, luma * level * 1.01, luma * level * 1.04], overcast)
        };
        let x = between(stream, 0.08, 0.92);
        let elevation = hour / 3.0;
        // Low suns touch the horizon, high ones stand in the upper third.
        let y = lerp(horizon + 0.05, top + 0.10, (elevation * 1.05).min(1.0)) + between(stream, -0.04, 0.06);
        let side = ((x - 0.5) * 2.6).clamp(-1.0, 1.0);
        let low = 1.0 - elevation;
        Self {
            zenith: grey(mix(a.zenith, b.zenith, t), 1.25),
            haze: grey(mix(a.haze, b.haze, t), 0.92),
            ambient: grey(mix(a.ambient, b.ambient, t), 1.0),
            direct: scale(mix(a.direct, b.direct, t), 1.0 - 0.75 * overcast),
            sun: [x * wide, y],
            sun_radius: between(stream, 0.042, 0.060) * (1.0 + 0.35 * low),
            sun_shows: hour > 0.5 && overcast < 0.3 && stream.chance(0.72),
            glow: scale(mix([0.95, 0.42, 0.16], [0.55, 0.50, 0.38], elevation), 1.0 - overcast),
            side: if side.abs() < 0.35 { 0.35_f32.copysign(side) } else { side },
            lit: lerp(a.lit, b.lit, t),
            clouds: (stream.unit() as f32 * 0.9 + overcast).min(1.0),
        }
    }

    /// A surface's colour where `sunny` (0 to 1, or a little more) of the sun's light falls on it.
    pub(super) fn on(&self, surface: Rgb, sunny: f32) -> Rgb {
        let light = [0, 1, 2].map(|c| self.ambient[c] + self.direct[c] * sunny);
        tint(surface, scale(light, 1.08))
    }

    /// The share of sun on a wall that looks to the viewer's right (1), to the viewer (0) or to the left (-1).
    pub(super) fn on_wall(&self, facing: f32) -> f32 {
        (0.55 + 0.55 * facing * self.side - 0.15 * facing.abs()).clamp(0.0, 1.1)
    }
}

/// What grows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Season {
    Spring,
    Summer,
    Autumn,
    Winter,
}

impl Season {
    /// Draws a season; winter is the rare one.
    pub(super) fn draw(stream: &mut Stream) -> Self {
        [Self::Spring, Self::Summer, Self::Autumn, Self::Winter][pick(stream, &[0.27, 0.38, 0.24, 0.11])]
    }

    /// The meadow far away and near.
    pub(super) fn meadow(self, stream: &mut Stream) -> [Rgb; 2] {
        let [far, near] = match self {
            Self::Spring => [[0.66, 0.85, 0.38], [0.36, 0.64, 0.17]],
            Self::Summer => [[0.62, 0.76, 0.33], [0.30, 0.54, 0.16]],
            Self::Autumn => [[0.83, 0.75, 0.40], [0.58, 0.52, 0.20]],
            Self::Winter => [[0.93, 0.95, 1.00], [0.82, 0.87, 0.95]],
        };
        let shift = [between(stream, -0.06, 0.06), between(stream, -0.03, 0.03), 0.0];
        [far, near].map(|c| [c[0] + shift[0], c[1] + shift[1], c[2]])
    }

    /// The foliage of one tree with leaves.
    pub(super) fn foliage(self, stream: &mut Stream) -> Rgb {
        const SPRING: [Rgb; 4] = [[0.48, 0.72, 0.22], [0.40, 0.64, 0.22], [0.96, 0.72, 0.80], [0.55, 0.76, 0.26]];
        const SUMMER: [Rgb; 3] = [[0.26, 0.52, 0.17], [0.32, 0.58, 0.20], [0.22, 0.45, 0.20]];
        const AUTUMN: [Rgb; 5] =
            [[0.90, 0.48, 0.12], [0.80, 0.28, 0.13], [0.93, 0.70, 0.18], [0.62, 0.50, 0.18], [0.86, 0.40, 0.10]];
        const WINTER: [Rgb; 2] = [[0.74, 0.78, 0.84], [0.62, 0.62, 0.64]];
        let c = match self {
            Self::Spring => *stream.choose(&SPRING),
            Self::Summer => *stream.choose(&SUMMER),
            Self::Autumn => *stream.choose(&AUTUMN),
            Self::Winter => *stream.choose(&WINTER),
        };
        scale(c, between(stream, 0.9, 1.1))
    }
}
