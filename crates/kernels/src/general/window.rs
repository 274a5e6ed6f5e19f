//! Windows that move over maps.

use rayon::prelude::*;

/// A window's size and how it moves, down and across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub kernel: [usize; 2],
    /// Step.
    pub stride: [usize; 2],
    /// Cells around the map, which no window counts: `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
    /// Distance between a window's cells.
    pub dilation: [usize; 2],
}

impl Window {
    /// Windows down and across a map of this height and width.
    ///
    /// # Panics
    /// A step or a size of 0.
    pub fn output(&self, map: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| {
            assert!(self.stride[axis] > 0 && self.kernel[axis] > 0, "{self:?} moves");
            let span = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            let room = map[axis] + self.padding[axis].iter().sum::<usize>();
            room.checked_sub(span).map_or(0, |rest| rest / self.stride[axis] + 1)
        })
    }
}

/// Where in its map each window's largest number is, of several the first; the first NaN where there is one. `x` is
/// `[maps, height, width]`, the result has [`Window::output`] numbers for each map. A window that lies outside of its map altogether
/// has `u32::MAX`.
///
/// # Panics
/// A window that does not move, or maps of more than `u32::MAX` cells.
pub fn window_max_index(x: &[f32], [maps, height, width]: [usize; 3], window: &Window) -> Vec<u32> {
    assert_eq!(x.len(), maps * height * width, "numbers of {maps} maps of {height} x {width}");
    assert!(u32::try_from(height * width).is_ok(), "cells of a map");
    let [down, across] = window.output([height, width]);
    let mut places = vec![u32::MAX; maps * down * across];
    if places.is_empty() || x.is_empty() {
        return places;
    }
    places.par_chunks_mut(down * across).zip(x.par_chunks(height * width)).for_each(|(places, x)| {
        for (number, place) in places.iter_mut().enumerate() {
            let cell = |axis: usize, at: usize, tap: usize, length: usize| {
                let cell =
                    (at * window.stride[axis] + tap * window.dilation[axis]).checked_sub(window.padding[axis][0]);
                cell.filter(|&cell| cell < length)
            };
            let mut best: Option<usize> = None;
            for row in (0..window.kernel[0]).filter_map(|tap| cell(0, number / across, tap, height)) {
                for column in (0..window.kernel[1]).filter_map(|tap| cell(1, number % across, tap, width)) {
                    let at = row * width + column;
                    if best.is_none_or(|best| !x[best].is_nan() && (x[at] > x[best] || x[at].is_nan())) {
                        best = Some(at);
                    }
                }
            }
            if let Some(best) = best {
                *place = best as u32;
            }
        }
    });
    places
}
