//! Houses and churches, seen from a corner or from the front.

use super::canvas::{Canvas, Point, Rgb, bounds, lerp, mix, scale};
use super::land::shadow;
use super::light::{Light, Season};
use super::noise::Noise;
use super::{between, object, part};
use base::seed::Stream;

/// What all walls, roofs and windows of one building need to know.
struct Builder<'a> {
    canvas: &'a mut Canvas,
    light: &'a Light,
    noise: Noise,
    object: u8,
    offset: f32,
    /// The height that stays as it is when things go into the distance: the eye's.
    eye: f32,
    lit: bool,
    trim: Rgb,
    snow: bool,
}

/// Half of a round arch over a unit square, from right to left.
const ARCH: [Point; 5] = [[1.0, 0.0], [0.85, 0.55], [0.5, 0.8], [0.15, 0.55], [0.0, 0.0]];

/// A flat piece of wall: lower left, lower right, upper left, upper right; and how it faces the light.
#[derive(Clone, Copy)]
struct Wall {
    corners: [Point; 4],
    sunny: f32,
}

impl Wall {
    /// The place at `u` (0 left to 1 right) and `v` (0 ground to 1 top).
    fn at(&self, u: f32, v: f32) -> Point {
        let [bl, br, tl, tr] = self.corners;
        [0, 1].map(|c| lerp(lerp(bl[c], br[c], u), lerp(tl[c], tr[c], u), v))
    }

    /// A rectangle on it, the upper edge an arch if asked for.
    fn opening(&self, [u0, u1, v0, v1]: [f32; 4], arched: bool) -> Vec<Point> {
        if !arched {
            return [[u0, v0], [u1, v0], [u1, v1], [u0, v1]].map(|[u, v]| self.at(u, v)).into();
        }
        let spring = lerp(v0, v1, 0.65);
        let arch = ARCH.map(|[a, b]| self.at(lerp(u0, u1, a), lerp(spring, v1 + 0.25 * (v1 - spring), b)));
        [self.at(u0, v0), self.at(u1, v0)].into_iter().chain(arch).collect()
    }
}

impl Builder<'_> {
    /// A point moved by `dx` into the distance, where everything is smaller.
    fn away(&self, p: Point, dx: f32) -> Point {
        let shrink = 1.0 - 0.75 * dx.abs();
        [p[0] + dx, self.eye + (p[1] - self.eye) * shrink]
    }

    fn surface(&mut self, corners: &[Point], colour: Rgb, sunny: f32, part: u8, grain: [f32; 2]) {
        let (light, noise, offset, object) = (self.light, self.noise, self.offset, self.object);
        self.canvas.polygon(corners, |x, y, sample| {
            let rough = noise.at(x * grain[0] + offset, y * grain[1]) - 0.5;
            sample.set(light.on(colour, sunny + 0.28 * rough), object, part);
        });
    }

    fn wall(&mut self, wall: &Wall, colour: Rgb, part: u8) {
        let [bl, br, tl, tr] = wall.corners;
        self.surface(&[bl, br, tr, tl], colour, wall.sunny, part, [50.0, 110.0]);
    }

    fn roof(&mut self, corners: &[Point], colour: Rgb, sunny: f32, part: u8) {
        let colour = if self.snow { mix(colour, [0.95, 0.97, 1.0], 0.85) } else { colour };
        self.surface(corners, colour, sunny, part, [70.0, 90.0]);
    }

    fn flat(&mut self, corners: &[Point], colour: Rgb, object: u8) {
        self.canvas.polygon(corners, |_, _, sample| sample.set(colour, object, part::NONE));
    }

    fn window(&mut self, wall: &Wall, [u0, u1, v0, v1]: [f32; 4], arched: bool) {
        let frame = self.light.on(self.trim, wall.sunny);
        self.flat(&wall.opening([u0, u1, v0, v1], arched), frame, object::WINDOW);
        let (du, dv) = ((u1 - u0) * 0.13, (v1 - v0) * 0.11);
        let pane = wall.opening([u0 + du, u1 - du, v0 + dv, v1 - dv], arched);
        let [_, top, _, bottom] = bounds(&pane);
        let (high, low) = if self.lit {
            ([1.0, 0.86, 0.48], [1.0, 0.70, 0.28])
        } else {
            (mix(self.light.zenith, [0.16, 0.22, 0.32], 0.68), mix(self.light.haze, [0.16, 0.20, 0.28], 0.78))
        };
        self.canvas.polygon(&pane, |_, y, sample| {
            sample.set(mix(high, low, (y - top) / (bottom - top)), object::WINDOW, part::NONE);
        });
        // The bar across.
        let (mu, bar) = (0.5 * (u0 + u1), (u1 - u0) * 0.055);
        self.flat(&wall.opening([mu - bar, mu + bar, v0 + dv, v1 - dv], false), frame, object::WINDOW);
    }

    fn door(&mut self, wall: &Wall, [u0, u1, v1]: [f32; 3], colour: Rgb, arched: bool) {
        let frame = self.light.on(self.trim, wall.sunny);
        self.flat(&wall.opening([u0, u1, 0.0, v1], arched), frame, object::DOOR);
        let du = (u1 - u0) * 0.14;
        let leaf = self.light.on(colour, wall.sunny);
        self.flat(&wall.opening([u0 + du, u1 - du, 0.0, v1 - 0.035], arched), leaf, object::DOOR);
    }
}

/// The colours of a building.
pub(super) struct Coat {
    wall: Rgb,
    roof: Rgb,
    door: Rgb,
    trim: Rgb,
}

impl Coat {
    /// Draws a house's colours.
    pub(super) fn house(stream: &mut Stream) -> Self {
        const WALLS: [Rgb; 7] = [
            [0.96, 0.92, 0.82],
            [0.95, 0.93, 0.91],
            [0.93, 0.80, 0.55],
            [0.80, 0.42, 0.32],
            [0.70, 0.80, 0.86],
            [0.88, 0.68, 0.56],
            [0.66, 0.26, 0.20],
        ];
        const ROOFS: [Rgb; 5] =
            [[0.72, 0.30, 0.20], [0.58, 0.24, 0.18], [0.36, 0.38, 0.45], [0.48, 0.34, 0.26], [0.80, 0.42, 0.26]];
        const DOORS: [Rgb; 5] =
            [[0.50, 0.26, 0.14], [0.20, 0.40, 0.30], [0.70, 0.16, 0.14], [0.18, 0.32, 0.55], [0.36, 0.22, 0.14]];
        let wall = *stream.choose(&WALLS);
        // Dark walls have light frames, and a red wall has no red door.
        let trim = if wall[1] > 0.75 { [0.46, 0.36, 0.30] } else { [0.97, 0.95, 0.92] };
        let doors = if wall[0] - wall[1] > 0.3 { &DOORS[3..] } else { &DOORS[..] };
        let vary = |stream: &mut Stream, c: Rgb| scale(c, between(stream, 0.92, 1.06));
        let (roof, door) = (*stream.choose(&ROOFS), *stream.choose(doors));
        Self { wall: vary(stream, wall), roof: vary(stream, roof), door, trim }
    }

    /// Draws a church's colours.
    pub(super) fn church(stream: &mut Stream) -> Self {
        const WALLS: [Rgb; 3] = [[0.96, 0.95, 0.92], [0.80, 0.76, 0.68], [0.93, 0.87, 0.72]];
        const ROOFS: [Rgb; 4] = [[0.30, 0.34, 0.42], [0.62, 0.26, 0.18], [0.34, 0.58, 0.50], [0.38, 0.30, 0.28]];
        let (wall, roof) = (*stream.choose(&WALLS), *stream.choose(&ROOFS));
        Self { wall, roof, door: [0.34, 0.20, 0.12], trim: [0.55, 0.50, 0.46] }
    }
}

/// A building: where its front stands, how large it is and how it is turned.
pub(super) struct Building {
    /// The middle of the front's foot.
    pub(super) x: f32,
    pub(super) y: f32,
    /// Width of the front.
    pub(super) width: f32,
    /// Height of the walls.
    pub(super) height: f32,
    /// How far the side goes to the right (or to the left, below 0); 0 shows the long side alone.
    pub(super) depth: f32,
    pub(super) church: bool,
}

impl Building {
    /// Leftmost and rightmost x.
    pub(super) fn span(&self) -> [f32; 2] {
        let half = 0.5 * self.width;
        [self.x - half + self.depth.min(0.0), self.x + half + self.depth.max(0.0)]
    }

    /// Where the door is: x, and half of its width.
    pub(super) fn door(&self) -> [f32; 2] {
        [self.x, self.width * if self.depth == 0.0 { 0.065 } else { 0.12 }]
    }

    /// Paints shadow, walls, roof, door and windows.
    pub(super) fn paint(
        &self,
        canvas: &mut Canvas,
        stream: &mut Stream,
        light: &Light,
        noise: Noise,
        season: Season,
        eye: f32,
    ) {
        let [left, right] = self.span();
        shadow(canvas, light, 0.5 * (left + right), self.y, 0.5 * (right - left), self.height * 0.35);
        let coat = if self.church { Coat::church(stream) } else { Coat::house(stream) };
        let mut builder = Builder {
            canvas,
            light,
            noise,
            object: if self.church { object::CHURCH } else { object::HOUSE },
            offset: between(stream, 0.0, 200.0),
            eye,
            lit: stream.chance(f64::from(light.lit)),
            trim: coat.trim,
            snow: season == Season::Winter,
        };
        if self.depth == 0.0 {
            self.long_side(&mut builder, stream, &coat);
        } else {
            self.corner(&mut builder, stream, &coat);
        }
    }

    fn front(&self, light: &Light) -> Wall {
        let (l, r, top) = (self.x - 0.5 * self.width, self.x + 0.5 * self.width, self.y - self.height);
        Wall { corners: [[l, self.y], [r, self.y], [l, top], [r, top]], sunny: light.on_wall(0.0) }
    }

    /// The eaves in front, the roof sloping back above them.
    fn long_side(&self, b: &mut Builder, stream: &mut Stream, coat: &Coat) {
        let wall = self.front(b.light);
        let [_, _, tl, tr] = wall.corners;
        let (over, rise) = (0.05 * self.width, self.height * between(stream, 0.62, 0.85));
        let chimney = if stream.chance(0.6) { Some(between(stream, 0.22, 0.78)) } else { None };
        if let Some(u) = chimney {
            let (x, half) = (lerp(tl[0], tr[0], u), 0.036 * self.width);
            let top = tl[1] - rise - 0.26 * self.height;
            let corners = [[x - half, tl[1]], [x + half, tl[1]], [x + half, top], [x - half, top]];
            b.surface(&corners, [0.62, 0.36, 0.28], wall.sunny, part::CHIMNEY, [60.0, 120.0]);
        }
        b.wall(&wall, coat.wall, part::WALL);
        let eave = tl[1] + 0.05 * self.height;
        let ridge = tl[1] - rise;
        let inset = 0.10 * self.width;
        let roof = [[tl[0] - over, eave], [tr[0] + over, eave], [tr[0] - inset, ridge], [tl[0] + inset, ridge]];
        b.roof(&roof, coat.roof, 0.85, part::ROOF);
        b.door(&wall, [0.435, 0.565, 0.66], coat.door, false);
        for u in [0.09, 0.265, 0.605, 0.78] {
            // The outer pair is always there, the inner one in wide houses.
            if self.width > 1.75 * self.height || !(0.2..0.7).contains(&u) {
                b.window(&wall, [u, u + 0.13, 0.34, 0.72], false);
            }
        }
    }

    /// The gable in front and one long side going away.
    fn corner(&self, b: &mut Builder, stream: &mut Stream, coat: &Coat) {
        let turn = 1.0_f32.copysign(self.depth);
        let front = self.front(b.light);
        let [bl, br, tl, tr] = front.corners;
        // The corner where both walls meet.
        let (foot, head, other) = if turn > 0.0 { (br, tr, tl) } else { (bl, tl, tr) };
        let (far_foot, far_head) = (b.away(foot, self.depth), b.away(head, self.depth));
        let rise = self.width * between(stream, 0.42, 0.62) * if self.church { 1.15 } else { 1.0 };
        let apex = [self.x, tl[1] - rise];
        let far_apex = b.away(apex, self.depth);
        let sunny = b.light.on_wall(turn);
        let side = if turn > 0.0 {
            Wall { corners: [foot, far_foot, head, far_head], sunny }
        } else {
            Wall { corners: [far_foot, foot, far_head, head], sunny }
        };
        if !self.church && stream.chance(0.55) {
            let u = between(stream, 0.35, 0.75);
            let [x, ridge] = [0, 1].map(|c| lerp(apex[c], far_apex[c], u));
            let (half, top) = (0.065 * self.width, ridge - 0.18 * self.width);
            let foot = ridge + 0.3 * rise;
            let corners = [[x - half, foot], [x + half, foot], [x + half, top], [x - half, top]];
            b.surface(&corners, [0.62, 0.36, 0.28], front.sunny, part::CHIMNEY, [60.0, 120.0]);
        }
        b.wall(&side, coat.wall, part::WALL);
        b.wall(&front, coat.wall, part::WALL);
        b.surface(&[tl, tr, apex], coat.wall, front.sunny, part::WALL, [50.0, 110.0]);
        // The roof's slope over the side, its eaves a little outside of the wall, and the edge over the gable.
        let beyond = |from: Point, to: Point, by: f32| [0, 1].map(|c| to[c] + (to[c] - from[c]) * by);
        let (eave, far_eave) = (beyond(apex, head, 0.14), beyond(far_apex, far_head, 0.14));
        b.roof(&[apex, far_apex, far_eave, eave], coat.roof, 0.62 + 0.4 * b.light.side * turn, part::ROOF);
        let thick = 0.065 * self.width;
        for (end, lit) in [(eave, 0.55), (beyond(apex, other, 0.14), 0.45)] {
            let edge = [apex, end, [end[0], end[1] - thick], [apex[0], apex[1] - 1.4 * thick]];
            b.roof(&edge, scale(coat.roof, 0.86), lit, part::ROOF);
        }
        if self.church {
            for u in [0.16, 0.46, 0.76] {
                b.window(&side, [u, u + 0.14, 0.28, 0.78], true);
            }
            self.tower(b, stream, coat);
            return;
        }
        b.door(&front, [0.38, 0.62, 0.64], coat.door, false);
        for u in [0.08, 0.72] {
            b.window(&front, [u, u + 0.20, 0.36, 0.72], false);
        }
        let gable = Wall { corners: [tl, tr, [tl[0], apex[1]], [tr[0], apex[1]]], ..front };
        b.window(&gable, [0.42, 0.58, 0.10, 0.42], false);
        for u in [0.16, 0.58] {
            b.window(&side, [u, u + 0.24, 0.36, 0.72], false);
        }
    }

    /// The tower before a church's gable, with door, belfry and spire.
    fn tower(&self, b: &mut Builder, stream: &mut Stream, coat: &Coat) {
        let turn = 1.0_f32.copysign(self.depth);
        let tower = Self {
            y: self.y + 0.012,
            width: 0.50 * self.width,
            height: self.height * between(stream, 2.0, 2.5),
            depth: 0.16 * self.width * turn,
            ..*self
        };
        let front = tower.front(b.light);
        let [bl, br, tl, tr] = front.corners;
        let (foot, head) = if turn > 0.0 { (br, tr) } else { (bl, tl) };
        let (far_foot, far_head) = (b.away(foot, tower.depth), b.away(head, tower.depth));
        let side = Wall { corners: [foot, far_foot, head, far_head], sunny: b.light.on_wall(turn) };
        b.wall(&side, coat.wall, part::TOWER);
        b.wall(&front, coat.wall, part::TOWER);
        let tip = [self.x + 0.5 * tower.depth, tl[1] - self.width * between(stream, 0.85, 1.25)];
        let over = 0.05 * tower.width;
        let out = |p: Point, dx: f32| [p[0] + dx, p[1] + 0.3 * over];
        let (l, r) = (out(tl, -over), out(tr, over));
        let corner = if turn > 0.0 { r } else { l };
        b.roof(&[corner, out(far_head, over * turn), tip], coat.roof, 0.45 + 0.5 * b.light.side * turn, part::SPIRE);
        b.roof(&[l, r, tip], coat.roof, 0.7, part::SPIRE);
        let (thin, arm) = (0.028 * tower.width.max(0.10), 0.085 * tower.width.max(0.10));
        let gold = b.light.on([0.95, 0.80, 0.35], 1.0);
        let object = b.object;
        for [x0, y0, x1, y1] in [[-thin, -3.6 * arm, thin, 0.3 * arm], [-arm, -2.6 * arm, arm, -2.6 * arm + 2.0 * thin]]
        {
            let [x, y] = tip;
            b.canvas.paint([x + x0, y + y0, x + x1, y + y1], |_, _, sample| sample.set(gold, object, part::SPIRE));
        }
        b.door(&front, [0.28, 0.72, 0.26], coat.door, true);
        b.window(&front, [0.34, 0.66, 0.74, 0.90], true);
        b.window(&front, [0.38, 0.62, 0.44, 0.58], true);
    }
}
