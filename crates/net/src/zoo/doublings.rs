//! Which sizes the networks for images can have: small maps, doubled several times.

/// The longest side of the maps that doubling starts from.
const LONGEST: usize = 16;
/// Halving stops before a side is shorter than this.
const SHORTEST: usize = 3;

/// How a size comes from small maps by doubling both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doublings {
    /// Height and width of the smallest maps: 4 x 4 for every power of two, 3 x 5 for 48 x 80.
    pub start: [usize; 2],
    /// How often they are doubled, at least once.
    pub times: u32,
}

impl Doublings {
    /// The doublings to maps of a height and width; `None` where there are none: both sides are halved while they are whole and at
    /// least 3, and must come down to 16 or less.
    pub fn to(size: [usize; 2]) -> Option<Self> {
        let (mut start, mut times) = (size, 0);
        while start.iter().all(|side| side.is_multiple_of(2) && side / 2 >= SHORTEST) {
            start = start.map(|side| side / 2);
            times += 1;
        }
        (times > 0 && start.iter().all(|&side| side <= LONGEST)).then_some(Self { start, times })
    }

    /// The height and width nearest to `size` that networks can have, with sides of 8 to `most`; what is larger is made smaller first.
    pub fn nearest(size: [usize; 2], most: usize) -> [usize; 2] {
        let longest = size[0].max(size[1]).max(most);
        let size = size.map(|side| (side * most / longest).max(8));
        let apart = |other: &[usize; 2]| other[0].abs_diff(size[0]) + other[1].abs_diff(size[1]);
        // For each number of doublings the nearest multiples; of equals the one with the smallest maps.
        let sizes = (1..most.ilog2()).rev().map(|times| {
            let start = size.map(|side| ((side + (1 << times) / 2) >> times).clamp(SHORTEST, LONGEST));
            start.map(|side| side << times)
        });
        sizes.filter(|size| size.iter().all(|side| (8..=most).contains(side))).min_by_key(apart).unwrap_or([8; 2])
    }

    /// Pixels of the smallest maps.
    pub(super) fn cells(self) -> usize {
        self.start[0] * self.start[1]
    }

    /// The doublings to a size that was checked.
    ///
    /// # Panics
    /// There are none.
    pub(super) fn checked(size: [usize; 2]) -> Self {
        let Some(found) = Self::to(size) else {
            panic!("maps of {}x{} pixels cannot be made by doubling small ones", size[1], size[0])
        };
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn powers_of_two_start_from_4_x_4_and_other_sizes_from_their_own_form() {
        for times in 1..=8 {
            assert_eq!(Doublings::to([4 << times; 2]), Some(Doublings { start: [4; 2], times }));
        }
        for (size, start, times) in [
            ([48, 80], [3, 5], 4),
            ([80, 48], [5, 3], 4),
            ([48, 48], [3, 3], 4),
            ([64, 128], [4, 8], 4),
            ([144, 256], [9, 16], 4),
            ([90, 160], [45, 80], 1),
            ([6, 6], [3, 3], 1),
        ] {
            let expected = (start[1] <= 16).then_some(Doublings { start, times });
            assert_eq!(Doublings::to(size), expected, "{size:?}");
        }
        for size in [[4, 4], [50, 50], [75, 100], [3, 3], [0, 0], [64, 0], [33, 64]] {
            assert_eq!(Doublings::to(size), None, "{size:?}");
        }
    }

    #[test]
    fn a_size_that_cannot_be_has_a_near_one_that_can() {
        let near = |height, width| Doublings::nearest([height, width], 1024);
        assert_eq!([near(50, 50), near(75, 100), near(180, 240)], [[48, 48], [72, 104], [176, 240]]);
        assert_eq!(
            [near(0, 0), near(48, 0), near(9000, 9000), near(1080, 1920)],
            [[8, 8], [48, 12], [1024, 1024], [576, 1024]]
        );
    }

    proptest! {
        #[test]
        fn sizes_are_what_their_doublings_make(height in 0usize..1100, width in 0usize..1100) {
            if let Some(Doublings { start, times }) = Doublings::to([height, width]) {
                prop_assert_eq!(start.map(|side| side << times), [height, width]);
                prop_assert!(start.iter().all(|side| (3..=16).contains(side)) && times > 0);
            }
        }

        #[test]
        fn the_nearest_size_is_one_and_a_size_is_nearest_to_itself(height in 0usize..1100, width in 0usize..1100) {
            let nearest = Doublings::nearest([height, width], 1024);
            prop_assert!(Doublings::to(nearest).is_some(), "{nearest:?}");
            prop_assert!(nearest.iter().all(|side| (8..=1024).contains(side)));
            if [height, width].iter().all(|side| (8..=1024).contains(side)) && Doublings::to([height, width]).is_some() {
                prop_assert_eq!(nearest, [height, width]);
            }
        }
    }
}
