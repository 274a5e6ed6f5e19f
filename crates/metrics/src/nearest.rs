//! Nearest neighbours: whether a generator makes new images, or gives back those that it was shown.

/// Numbers that are compared before it is asked again whether an image can still be the nearest.
const BLOCK: usize = 1024;

/// The nearest of the candidates that were seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// The candidate's number.
    pub number: u64,
    /// The root of the mean squared difference of their numbers.
    pub distance: f64,
    /// Whether it is the candidate turned left to right that is so near.
    pub mirrored: bool,
}

/// Looks for the nearest candidate of every query, one candidate at a time: only the queries are held.
#[derive(Clone, Debug)]
pub struct Search {
    queries: Vec<f32>,
    length: usize,
    width: usize,
    found: Vec<Option<Neighbour>>,
}

impl Search {
    /// A search for images of `length` numbers in rows of `width`, one after the other in `queries`.
    ///
    /// # Panics
    /// They are not whole images of whole rows.
    pub fn new(queries: Vec<f32>, length: usize, width: usize) -> Self {
        assert!(length > 0 && width > 0 && length.is_multiple_of(width), "images of whole rows");
        assert!(queries.len().is_multiple_of(length), "whole images");
        let found = vec![None; queries.len() / length];
        Self { queries, length, width, found }
    }

    /// Compares a candidate, as it is and mirrored, with the queries that `counts` says yes to (by their place). Of equally near
    /// candidates the first one stays; one that is not finite is never near.
    ///
    /// # Panics
    /// The candidate has another length.
    pub fn see(&mut self, number: u64, candidate: &[f32], counts: impl Fn(usize) -> bool) {
        assert_eq!(candidate.len(), self.length, "numbers of a candidate");
        let mut turned = candidate.to_vec();
        turned.chunks_exact_mut(self.width).for_each(<[f32]>::reverse);
        let queries = self.queries.chunks_exact(self.length).zip(&mut self.found).enumerate();
        for (_, (query, found)) in queries.filter(|(place, _)| counts(*place)) {
            for (mirrored, candidate) in [(false, candidate), (true, &turned[..])] {
                let n = self.length as f64;
                let limit = found.map_or(f64::INFINITY, |f| f.distance * f.distance * n);
                if let Some(sum) = squares_below(query, candidate, limit) {
                    *found = Some(Neighbour { number, distance: (sum / n).sqrt(), mirrored });
                }
            }
        }
    }

    /// What was found for each query; none where no candidate counted.
    pub fn found(&self) -> &[Option<Neighbour>] {
        &self.found
    }
}

/// The sum of squared differences, where it is below the limit.
fn squares_below(a: &[f32], b: &[f32], limit: f64) -> Option<f64> {
    let mut sum = 0.0;
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let mut lanes = [0.0f32; 16];
        for (a, b) in a.chunks(16).zip(b.chunks(16)) {
            for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
                *lane += (a - b) * (a - b);
            }
        }
        sum += lanes.iter().map(|&v| f64::from(v)).sum::<f64>();
        if sum >= limit || sum.is_nan() {
            return None;
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::seed::Stream;
    use proptest::prelude::*;

    fn numbers(n: usize, index: u64) -> Vec<f32> {
        let mut stream = Stream::new(5, "test", index);
        (0..n).map(|_| stream.uniform(-1.0, 1.0) as f32).collect()
    }

    proptest! {
        #[test]
        fn the_nearest_is_that_of_all_distances(n in 1usize..5, m in 1usize..9, rows in 1usize..300, width in 1usize..9) {
            let length = rows * width;
            let queries = numbers(n * length, 1);
            let mut search = Search::new(queries.clone(), length, width);
            let mut all: Vec<Vec<Neighbour>> = vec![Vec::new(); n];
            for number in 0..m as u64 {
                let candidate = numbers(length, 10 + number);
                search.see(number, &candidate, |_| true);
                for (query, all) in queries.chunks(length).zip(&mut all) {
                    for mirrored in [false, true] {
                        let at = |i: usize| if mirrored { candidate[i / width * width + width - 1 - i % width] } else { candidate[i] };
                        let sum: f64 = (0..length).map(|i| (f64::from(query[i]) - f64::from(at(i))).powi(2)).sum();
                        all.push(Neighbour { number, distance: (sum / length as f64).sqrt(), mirrored });
                    }
                }
            }
            for (found, all) in search.found().iter().zip(all) {
                let least = all.iter().map(|n| n.distance).fold(f64::INFINITY, f64::min);
                let found = found.unwrap();
                prop_assert!((found.distance - least).abs() < 1e-6);
                let same = all.iter().find(|n| (n.number, n.mirrored) == (found.number, found.mirrored)).unwrap();
                prop_assert!((same.distance - least).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_copy_is_found_also_turned_and_an_image_is_not_its_own_neighbour() {
        let images = numbers(3 * 12, 1);
        let mut search = Search::new(images.clone(), 12, 4);
        for (number, image) in images.chunks(12).enumerate() {
            search.see(number as u64, image, |query| query != number);
        }
        assert!(search.found().iter().enumerate().all(|(i, f)| f.is_some_and(|f| f.number != i as u64)));
        let mut turned = images[12..24].to_vec();
        turned.chunks_mut(4).for_each(<[f32]>::reverse);
        search.see(7, &turned, |_| true);
        assert_eq!(search.found()[1], Some(Neighbour { number: 7, distance: 0.0, mirrored: true }));
    }

    #[test]
    fn what_is_not_finite_is_never_near() {
        let mut search = Search::new(vec![0.0; 4], 4, 2);
        search.see(0, &[f32::NAN, 0.0, 0.0, 0.0], |_| true);
        assert_eq!(search.found(), [None]);
        search.see(1, &[9.0; 4], |_| true);
        assert_eq!(search.found(), [Some(Neighbour { number: 1, distance: 9.0, mirrored: false })]);
    }
}
