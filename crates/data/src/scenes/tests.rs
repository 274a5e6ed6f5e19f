//! The laws of the world, over many scenes.

use super::*;
use crate::size::Size;
use proptest::prelude::*;

const SIDE: usize = 64;

/// The classes above, below, left and right of a pixel.
fn neighbours(map: &LabelMap, at: usize) -> impl Iterator<Item = u16> + '_ {
    let (x, y) = (at % map.width, at / map.width);
    let inside = move |dx: i32, dy: i32| {
        let (x, y) = (x as i32 + dx, y as i32 + dy);
        let (width, height) = (map.width as i32, map.height as i32);
        ((0..width).contains(&x) && (0..height).contains(&y)).then(|| map.classes[(y * width + x) as usize])
    };
    [(0, -1), (0, 1), (-1, 0), (1, 0)].into_iter().filter_map(move |(dx, dy)| inside(dx, dy))
}

#[test]
fn a_scene_is_a_function_of_seed_and_index() {
    assert_eq!(render(1, 2, Size::square(SIDE)), render(1, 2, Size::square(SIDE)));
    assert_ne!(render(1, 2, Size::square(SIDE)).image, render(1, 3, Size::square(SIDE)).image);
    assert_ne!(render(1, 2, Size::square(SIDE)).image, render(2, 2, Size::square(SIDE)).image);
}

#[test]
fn scenes_are_pinned_for_ever() {
    // A change here makes another world: whatever was trained on this one has to be trained again.
    let mut crc = flate2::Crc::new();
    for index in 0..20 {
        let scene = render(0, index, Size::square(SIDE));
        crc.update(&scene.image.pixels);
        let labels = scene.objects.classes.iter().chain(&scene.parts.classes);
        crc.update(&labels.map(|&class| class as u8).collect::<Vec<u8>>());
    }
    assert_eq!(crc.sum(), 2_137_658_287);
}

#[test]
fn every_class_of_both_planes_occurs_and_common_ones_are_common() {
    let (mut objects, mut parts) = ([0; OBJECTS.len()], [0; PARTS.len()]);
    for index in 0..400 {
        let scene = render(0, index, Size::square(SIDE));
        (0..OBJECTS.len()).for_each(|c| objects[c] += usize::from(scene.objects.classes.contains(&(c as u16))));
        (0..PARTS.len()).for_each(|c| parts[c] += usize::from(scene.parts.classes.contains(&(c as u16))));
    }
    assert_eq!((objects[usize::from(object::SKY)], objects[usize::from(object::GRASS)]), (400, 400));
    assert!(objects.iter().all(|&scenes| scenes >= 20), "{objects:?}");
    assert!(parts.iter().all(|&scenes| scenes >= 20), "{parts:?}");
    assert!(objects[usize::from(object::HOUSE)] > 2 * objects[usize::from(object::CHURCH)]);
}

#[test]
fn clouds_and_suns_are_in_the_sky_and_windows_on_buildings() {
    // Large, because in a small picture the strip of wall beside a far window may be less than a pixel.
    for index in 0..100 {
        let scene = render(3, index, Size::square(3 * SIDE));
        for (at, &class) in scene.objects.classes.iter().enumerate() {
            let mut around = neighbours(&scene.objects, at).map(|c| c as u8);
            match class as u8 {
                object::CLOUD | object::SUN => assert!(around.all(|c| c != object::GRASS && c != object::DOOR)),
                object::WINDOW => assert!(
                    around.all(|c| matches!(c, object::HOUSE | object::CHURCH | object::WINDOW | object::TREE)),
                    "scene {index}, pixel {at}"
                ),
                _ => {}
            }
        }
    }
}

#[test]
fn a_door_stands_on_the_ground_and_belongs_to_a_building() {
    let mut doors = 0;
    for index in 0..300 {
        let scene = render(4, index, Size::square(SIDE));
        let map = &scene.objects;
        let is_door = |at: &usize| map.classes.get(*at) == Some(&u16::from(object::DOOR));
        for x in 0..SIDE {
            let Some(lowest) = (0..SIDE).map(|y| y * SIDE + x).rfind(is_door) else { continue };
            doors += 1;
            // Below a door is the ground, or what stands before the building, or the lower edge.
            let below = map.classes.get(lowest + SIDE).map(|&c| c as u8);
            assert!(!matches!(below, Some(object::SKY | object::CLOUD | object::SUN | object::MOUNTAIN)));
        }
        if map.classes.contains(&u16::from(object::DOOR)) {
            let building = |c: &u16| [object::HOUSE, object::CHURCH].contains(&(*c as u8));
            assert!(map.classes.iter().any(building), "scene {index}");
        }
    }
    assert!(doors > 200, "{doors}");
}

#[test]
fn parts_belong_to_their_objects() {
    for index in 0..200 {
        let scene = render(5, index, Size::square(SIDE));
        for (&object, &part) in scene.objects.classes.iter().zip(&scene.parts.classes) {
            let expected: &[u8] = match part as u8 {
                part::WALL | part::ROOF => &[object::HOUSE, object::CHURCH],
                part::CHIMNEY => &[object::HOUSE],
                part::TOWER | part::SPIRE => &[object::CHURCH],
                part::CROWN | part::TRUNK => &[object::TREE],
                part::PEAK => &[object::MOUNTAIN],
                _ => &[
                    object::SKY,
                    object::CLOUD,
                    object::SUN,
                    object::MOUNTAIN,
                    object::GRASS,
                    object::WINDOW,
                    object::DOOR,
                    object::ROAD,
                ],
            };
            assert!(expected.contains(&(object as u8)), "scene {index}: part {part} on object {object}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_seed_index_and_size_gives_a_whole_scene(seed: u64, index: u64, width in 0usize..140, height in 0usize..140) {
        let scene = render(seed, index, Size { width, height });
        let [width, height] = [width, height].map(|side| side.clamp(MIN_SIDE, MAX_SIDE));
        prop_assert_eq!((scene.image.width, scene.image.height), (width, height));
        prop_assert_eq!(scene.image.pixels.len(), width * height * 3);
        for map in [&scene.objects, &scene.parts] {
            prop_assert_eq!((map.width, map.height, map.classes.len()), (width, height, width * height));
        }
        prop_assert!(scene.objects.classes.iter().all(|&c| usize::from(c) < OBJECTS.len()));
        prop_assert!(scene.parts.classes.iter().all(|&c| usize::from(c) < PARTS.len()));
    }

    #[test]
    fn the_content_does_not_depend_on_the_size(index in 0u64..1000, form in prop::sample::select(vec![(1, 1), (5, 3), (2, 3)])) {
        let sized = |k: usize| render(0, index, Size { width: form.0 * k, height: form.1 * k });
        let (small, large) = (sized(32), sized(64));
        let share = |map: &LabelMap, class: u16| {
            map.classes.iter().filter(|&&c| c == class).count() as f64 / map.classes.len() as f64
        };
        for class in 0..OBJECTS.len() as u16 {
            prop_assert!((share(&small.objects, class) - share(&large.objects, class)).abs() < 0.03, "{}", class);
        }
    }

    /// A wide picture has land to its right end, a high one sky up to its top; the ground is at the bottom of both.
    #[test]
    fn scenes_of_any_form_are_filled(index in 0u64..1000, wide: bool) {
        let size = if wide { Size { width: 128, height: 48 } } else { Size { width: 48, height: 128 } };
        let scene = render(0, index, size);
        let of_the_sky = |c: &u16| [object::SKY, object::CLOUD, object::SUN].contains(&(*c as u8));
        let rows: Vec<&[u16]> = scene.objects.classes.chunks_exact(size.width).collect();
        prop_assert!(rows[0].iter().filter(|c| of_the_sky(c)).count() * 2 > size.width);
        prop_assert!(!rows[size.height - 1].iter().any(of_the_sky));
        // Every place was painted: what nobody paints is black.
        prop_assert!(scene.image.pixels.as_chunks::<3>().0.iter().all(|pixel| *pixel != [0; 3]));
    }
}
