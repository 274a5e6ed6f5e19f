use super::*;
use proptest::prelude::*;

fn picture(height: usize, width: usize) -> Image {
    let pixel = |i: usize| {
        let (x, y) = (i % width, i / width);
        ((x * 37 + y * 91 + x * y * 5) % 256) as u8
    };
    Image::new(width, height, 1, (0..height * width).map(pixel).collect()).unwrap()
}

/// A rule, height and width before and after, and the numbers.
type Row = (Resize, [usize; 2], [usize; 2], &'static [f32]);

/// What Pillow 13 (as clean-fid uses it), NumPy (after TensorFlow's definition) and `PyTorch` 2.15 give.
#[test]
fn numbers_are_those_of_the_programs() {
    let table: [Row; 6] = [
        (
            Resize::Clean,
            [5, 4],
            [3, 7],
            &[
                37.0015, 50.3071, 75.9002, 98.2308, 120.5613, 146.1545, 159.4601, 124.6902, 146.5034, 176.4198,
                123.9047, 73.0114, 109.145, 134.591, 63.5418, 82.497, 118.9571, 160.1231, 175.807, 114.5857, 76.463,
            ],
        ),
        (
            Resize::Tf1,
            [5, 4],
            [3, 7],
            &[
                0.0, 21.1429, 42.2857, 63.4286, 84.5714, 105.7143, 111.0, 151.6667, 177.5714, 179.0952, 107.4762,
                84.6191, 110.5238, 117.0, 47.3333, 78.0, 108.6667, 139.3333, 145.619, 127.5238, 123.0,
            ],
        ),
        (
            Resize::Pytorch,
            [5, 4],
            [3, 7],
            &[
                30.3333, 44.1429, 66.2381, 88.3333, 110.4286, 132.5238, 146.3333, 182.0, 198.7857, 225.6429, 124.5,
                23.3572, 50.2143, 67.0, 77.6666, 97.4286, 129.0476, 160.6667, 180.0952, 114.1905, 73.0,
            ],
        ),
        (
            Resize::Clean,
            [3, 6],
            [8, 2],
            &[
                31.3763, 148.3416, 45.586, 141.2729, 82.9093, 122.3943, 129.8149, 99.0268, 150.9041, 90.0687, 147.8092,
                94.8265, 141.2104, 100.6541, 140.4225, 102.0216,
            ],
        ),
        (
            Resize::Tf1,
            [3, 6],
            [8, 2],
            &[
                0.0, 111.0, 34.125, 150.75, 68.25, 190.5, 102.375, 198.25, 136.5, 142.0, 170.625, 85.75, 182.0, 67.0,
                182.0, 67.0,
            ],
        ),
        (
            Resize::Pytorch,
            [3, 6],
            [8, 2],
            &[
                37.0, 148.0, 43.0, 138.9375, 79.0, 84.5625, 115.0, 30.1875, 151.0, 23.8125, 187.0, 65.4375, 223.0,
                107.0625, 229.0, 114.0,
            ],
        ),
    ];
    for (rule, [height, width], size, expected) in table {
        let found = rule.planes(&picture(height, width), size);
        let far = found.iter().zip(expected).fold(0f32, |far, (a, b)| far.max((a - b).abs()));
        assert!(far < 2e-4, "{rule} {size:?}: {far}");
    }
}

#[test]
fn names_are_read_and_others_are_refused_with_a_cure() {
    for rule in Resize::ALL {
        assert_eq!(rule.name().parse::<Resize>().unwrap(), rule);
    }
    assert_eq!("claen".parse::<Resize>().unwrap_err().to_string(), "\"claen\" is not known. Did you mean clean?");
}

proptest! {
    #[test]
    fn one_colour_stays_and_the_same_size_changes_nothing(h in 1usize..20, w in 1usize..20, height in 1usize..20, width in 1usize..20, v: u8) {
        for rule in Resize::ALL {
            let flat = Image::new(w, h, 3, vec![v; 3 * w * h]).unwrap();
            let found = rule.planes(&flat, [height, width]);
            prop_assert_eq!(found.len(), 3 * height * width);
            prop_assert!(found.iter().all(|value| (value - f32::from(v)).abs() < 1e-4));
            let grey = picture(h, w);
            let same: Vec<f32> = grey.pixels.iter().map(|&byte| f32::from(byte)).collect();
            prop_assert_eq!(rule.planes(&grey, [h, w]), same);
        }
    }
}
