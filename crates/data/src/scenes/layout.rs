//! Where things stand in a scene: the story of one picture from the sky to the front.

use super::buildings::Building;
use super::canvas::{Canvas, lerp};
use super::land::{Road, meadow, mountains};
use super::light::{Light, Season};
use super::noise::Noise;
use super::sky::{clouds, sky};
use super::trees::{Kind, Tree};
use super::{MAX_SIDE, MIN_SIDE, Scene, between, pick};
use crate::size::Size;
use base::seed::Stream;

/// What a scene is about, with its weight: the frequent ones first.
const THEMES: [f64; 7] = [0.36, 0.20, 0.14, 0.12, 0.09, 0.05, 0.04];

/// A thing that stands on the ground.
enum Thing {
    Building(Building),
    Tree(Tree),
}

impl Thing {
    /// How near its foot is: larger is nearer.
    fn foot(&self) -> f32 {
        match self {
            Self::Building(b) => b.y,
            Self::Tree(t) => t.y,
        }
    }

    fn span(&self) -> [f32; 2] {
        match self {
            Self::Building(b) => b.span(),
            Self::Tree(t) => [t.x - 0.7 * t.half(), t.x + 0.7 * t.half()],
        }
    }
}

/// Renders scene `index` of a seed in a size whose sides are [`MIN_SIDE`] to [`MAX_SIDE`] (clamped).
pub fn render(seed: u64, index: u64, size: Size) -> Scene {
    let mut stream = Stream::new(seed, "scenes", index);
    let stream = &mut stream;
    let [width, height] = [size.width, size.height].map(|side| side.clamp(MIN_SIDE, MAX_SIDE));
    let mut canvas = Canvas::new(Size { width, height });
    let (wide, top) = (canvas.wide, canvas.top);
    let noise = Noise::new();
    let horizon = between(stream, 0.52, 0.66);
    let light = Light::draw(stream, horizon, wide, top);
    let season = Season::draw(stream);

    sky(&mut canvas, &light, horizon + 0.01);
    clouds(&mut canvas, stream, &light, noise, horizon);
    let ranges = pick(stream, &[0.28, 0.30, 0.30, 0.12]);
    mountains(&mut canvas, stream, &light, noise, season, ranges, horizon);
    meadow(&mut canvas, stream, &light, noise, season, horizon);

    let (things, road) = arrange(stream, horizon, wide);
    if let Some(road) = road {
        road.paint(&mut canvas, stream, &light, noise, season);
    }
    for thing in &things {
        match thing {
            Thing::Building(b) => b.paint(&mut canvas, stream, &light, noise, season, horizon - 0.02),
            Thing::Tree(t) => t.paint(&mut canvas, stream, &light, noise, season),
        }
    }
    canvas.develop()
}

/// Draws buildings, road and trees so that they do not stand in each other's way; far things come first.
fn arrange(stream: &mut Stream, horizon: f32, wide: f32) -> (Vec<Thing>, Option<Road>) {
    // Houses, churches and trees of each theme.
    let (houses, churches, trees) = match pick(stream, &THEMES) {
        0 => (1, 0, 1 + stream.below(4)), // a house
        1 => (0, 0, 2 + stream.below(4)), // trees
        2 => (2, 0, 1 + stream.below(3)), // two houses
        3 => (0, 1, 1 + stream.below(4)), // a church
        4 => (0, 0, 7 + stream.below(5)), // a forest
        5 => (2, 1, 1 + stream.below(3)), // a village around its church
        _ => (0, 0, stream.below(2)),     // an empty meadow
    };
    let forest = trees > 6;
    // Wide pictures have more room.
    let trees = (trees as f32 * wide + 0.5) as u64;
    let mut things: Vec<Thing> = Vec::new();
    for k in 0..churches + houses {
        let church = k < churches;
        let alone = churches + houses == 1;
        // A few tries for a free place; a crowded world has fewer houses.
        for _ in 0..12 {
            let building = draw_building(stream, horizon, wide, church, alone);
            let [left, right] = building.span();
            let free = things.iter().all(|t| t.span()[0] > right + 0.02 || t.span()[1] < left - 0.02);
            if free && left > -0.06 && right < wide + 0.06 {
                things.push(Thing::Building(building));
                break;
            }
        }
    }
    let road = draw_road(stream, horizon, wide, &things);
    let kind = Kind::draw(stream);
    for _ in 0..trees {
        for _ in 0..8 {
            let depth = if forest { between(stream, 0.04, 0.55) } else { between(stream, 0.06, 0.75) };
            let y = lerp(horizon, 1.0, depth);
            // Woods are of one kind, other trees are as they come.
            let kind = if forest && stream.chance(0.85) { kind } else { Kind::draw(stream) };
            let height = (0.17 + 0.42 * depth) * between(stream, 0.85, 1.25);
            let tree = Tree { x: between(stream, 0.02, 0.98) * wide, y, height, kind };
            let thing = Thing::Tree(tree);
            let [left, right] = thing.span();
            let on_road =
                road.as_ref().and_then(|r| r.at(y)).is_some_and(|(x, half)| left < x + half && right > x - half);
            // Trees may stand behind buildings but not before them, or doors would be hard to find.
            let in_the_way = things.iter().any(|t| {
                matches!(t, Thing::Building(_)) && t.foot() < y + 0.02 && t.span()[0] < right && t.span()[1] > left
            });
            if !on_road && !in_the_way {
                things.push(thing);
                break;
            }
        }
    }
    things.sort_by(|a, b| a.foot().total_cmp(&b.foot()));
    (things, road)
}

fn draw_building(stream: &mut Stream, horizon: f32, wide: f32, church: bool, alone: bool) -> Building {
    let depth = if alone { between(stream, 0.22, 0.55) } else { between(stream, 0.12, 0.42) };
    let size = (0.62 + 0.75 * depth) * between(stream, 0.9, 1.12);
    let long = !church && stream.chance(0.35);
    let height = 0.165 * size * if church { 0.95 } else { 1.0 };
    let width = if long { between(stream, 0.30, 0.40) } else { between(stream, 0.19, 0.24) } * size;
    let turn = if stream.chance(0.5) { 1.0 } else { -1.0 };
    Building {
        x: between(stream, 0.12, 0.88) * wide,
        y: lerp(horizon, 1.0, depth),
        width,
        height,
        depth: if long { 0.0 } else { turn * width * between(stream, 0.75, 1.25) },
        church,
    }
}

/// A road to the horizon, or a path from a door to the viewer.
fn draw_road(stream: &mut Stream, horizon: f32, wide: f32, things: &[Thing]) -> Option<Road> {
    let nearest = things.iter().max_by(|a, b| a.foot().total_cmp(&b.foot()));
    if let Some(Thing::Building(b)) = nearest
        && stream.chance(0.40)
    {
        let [x, half] = b.door();
        let to = [(x + between(stream, -0.25, 0.25)).clamp(0.1, wide - 0.1), between(stream, 0.07, 0.12)];
        let y = if b.church { b.y + 0.008 } else { b.y - 0.004 };
        return Some(Road { from: [x, y, half * 1.1], to, bend: between(stream, -0.15, 0.15), paved: false });
    }
    // Some tries for a road that no building blocks.
    for _ in 0..if stream.chance(0.55) { 10 } else { 0 } {
        let road = Road {
            from: [between(stream, 0.2, 0.8) * wide, horizon + 0.004, 0.006],
            to: [between(stream, 0.1, 0.9) * wide, between(stream, 0.12, 0.22)],
            bend: between(stream, -0.25, 0.25),
            paved: stream.chance(0.6),
        };
        let blocked = things.iter().any(|t| {
            let [left, right] = t.span();
            let at = |y: f32| road.at(y).is_some_and(|(x, half)| left < x + half + 0.01 && right > x - half - 0.01);
            at(t.foot()) || at(t.foot() - 0.03)
        });
        if !blocked {
            return Some(road);
        }
    }
    None
}
