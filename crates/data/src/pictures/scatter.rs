//! Points of the plane as a picture.

use crate::image::Image;

/// Points to draw in one colour.
pub struct Cloud<'a> {
    /// The points, x and y by turns.
    pub points: &'a [f32],
    /// Their colour.
    pub colour: [u8; 3],
}

/// A square picture of `side` pixels (1 to 8192, clamped) that shows the square from `-range` to `range`, y upwards.
/// Points are soft dots that grow brighter where they are dense; later clouds lie over earlier ones. Points outside
/// and points that are not numbers are left out.
pub fn scatter(clouds: &[Cloud], side: usize, range: f32) -> Image {
    let side = side.clamp(1, crate::MAX_SIDE);
    let mut picture = Image::filled(side, side, super::GROUND);
    let axis = side / 2;
    for k in 0..side {
        for at in [axis * side + k, k * side + axis] {
            picture.pixels[at * 3..][..3].copy_from_slice(&[52, 54, 62]);
        }
    }
    for cloud in clouds {
        for point in cloud.points.as_chunks::<2>().0 {
            dot(&mut picture, point.map(|v| v / range), cloud.colour);
        }
    }
    picture
}

/// Mixes one dot into the picture; coordinates from -1 to 1.
fn dot(picture: &mut Image, [x, y]: [f32; 2], colour: [u8; 3]) {
    if !(x.abs() < 1.0 && y.abs() < 1.0) {
        return;
    }
    let side = picture.width;
    let (cx, cy) = ((x + 1.0) * 0.5 * side as f32, (1.0 - y) * 0.5 * side as f32);
    let radius = (side as f32 / 200.0).max(1.0);
    let range = |c: f32| (c - radius).max(0.0) as usize..((c + radius) as usize + 1).min(side);
    for py in range(cy) {
        for px in range(cx) {
            let (dx, dy) = (px as f32 + 0.5 - cx, py as f32 + 0.5 - cy);
            let cover = 0.55 * (1.0 - (dx * dx + dy * dy) / (radius * radius)).max(0.0);
            for (c, v) in picture.pixels[(py * side + px) * 3..][..3].iter_mut().enumerate() {
                *v = (f32::from(*v) + (f32::from(colour[c]) - f32::from(*v)) * cover + 0.5) as u8;
            }
        }
    }
}
