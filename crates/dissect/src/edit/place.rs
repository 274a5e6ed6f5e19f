//! Where in a picture units are changed.

use crate::subject::Layer;
use data::MAX_SIDE;
use net::Edit;
use serde::{Deserialize, Serialize};

/// Where units are changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// At every cell.
    #[default]
    Everywhere,
    /// At these cells of the layer's map: `[row, column]`.
    Cells(Vec<[usize; 2]>),
    /// Under a mask of any size, rows of numbers in 0 to 1, averaged to the layer's cells.
    Mask(Vec<Vec<f32>>),
    /// Under what was painted, averaged to the layer's cells.
    Painted(Painted),
}

/// A mask of pixels that are painted or not, row by row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Painted {
    /// Height and width in pixels.
    pub size: [usize; 2],
    /// How many pixels are not painted, then how many are, in turn; what is left at the end is not.
    pub runs: Vec<usize>,
}

impl Painted {
    /// The pixels that are painted, by row and column.
    pub fn of(size: [usize; 2], is_painted: impl Fn(usize, usize) -> bool) -> Self {
        let (mut runs, mut run, mut last) = (Vec::new(), 0, false);
        for pixel in 0..size[0] * size[1] {
            let now = is_painted(pixel / size[1], pixel % size[1]);
            if now != last {
                runs.push(std::mem::replace(&mut run, 0));
                last = now;
            }
            run += 1;
        }
        if last {
            runs.push(run);
        }
        Self { size, runs }
    }

    /// Each pixel, row by row.
    ///
    /// # Errors
    /// The size is none, or the runs are longer than the mask; in words.
    pub fn pixels(&self) -> Result<Vec<bool>, String> {
        let [height, width] = self.size;
        if [height, width].iter().any(|side| !(1..=MAX_SIDE).contains(side)) {
            return Err(format!("the mask is {width} x {height}; sides are 1 to {MAX_SIDE} pixels"));
        }
        let all = height * width;
        let mut pixels = Vec::with_capacity(all);
        for (place, &run) in self.runs.iter().enumerate() {
            if run > all - pixels.len() {
                return Err(format!("the runs of the mask are longer than its {all} pixels"));
            }
            pixels.resize(pixels.len() + run, place % 2 == 1);
        }
        pixels.resize(all, false);
        Ok(pixels)
    }

    /// The share of each cell of a map of `size` (height and width) that is painted, row by row.
    ///
    /// # Errors
    /// It is no mask, or nothing is painted; in words.
    pub fn cells(&self, size: [usize; 2]) -> Result<Vec<f32>, String> {
        let mask = Some(checked(self.mask()?)?);
        Edit { mask, ..Edit::ablate("", Vec::new()) }.cells(size).ok_or_else(|| "the mask is ragged".into())
    }

    fn mask(&self) -> Result<Vec<Vec<f32>>, String> {
        let pixels = self.pixels()?;
        Ok(pixels
            .chunks_exact(self.size[1])
            .map(|row| row.iter().map(|&on| f32::from(u8::from(on))).collect())
            .collect())
    }
}

impl Place {
    pub(super) fn is_everywhere(&self) -> bool {
        *self == Self::Everywhere
    }

    /// The mask of an edit of this layer; none where all cells are meant.
    pub(super) fn mask(&self, layer: &Layer) -> Result<Option<Vec<Vec<f32>>>, String> {
        match self {
            Self::Everywhere => Ok(None),
            Self::Cells(cells) if cells.is_empty() => Err("names no cell".into()),
            Self::Cells(cells) => mask_of_cells(cells, layer).map(Some),
            Self::Mask(mask) => checked(mask.clone()).map(Some),
            Self::Painted(painted) => checked(painted.mask()?).map(Some),
        }
    }
}

/// Refuses a mask that is none, or under which nothing would change.
fn checked(mask: Vec<Vec<f32>>) -> Result<Vec<Vec<f32>>, String> {
    let width = mask.first().map_or(0, Vec::len);
    if width == 0 || mask.iter().any(|row| row.len() != width) {
        return Err("the mask's rows are empty or of different lengths".into());
    }
    if mask.iter().flatten().any(|share| !(0.0..=1.0).contains(share)) {
        return Err("the mask holds a number that is not in 0 to 1".into());
    }
    if mask.iter().flatten().all(|&share| share == 0.0) {
        return Err("the mask marks nothing: it is black (0) everywhere".into());
    }
    Ok(mask)
}

fn mask_of_cells(cells: &[[usize; 2]], layer: &Layer) -> Result<Vec<Vec<f32>>, String> {
    let [height, width] = layer.size;
    let mut mask = vec![vec![0.0; width]; height];
    for &[row, column] in cells {
        match mask.get_mut(row).and_then(|cells| cells.get_mut(column)) {
            Some(cell) => *cell = 1.0,
            None => return Err(format!("there is no cell {row},{column}; its maps have {height}x{width} cells")),
        }
    }
    Ok(mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_painted_comes_back_from_its_runs(width in 1usize..9, bits in prop::collection::vec(any::<bool>(), 1..80)) {
            let height = bits.len().div_ceil(width);
            let on = |row: usize, column: usize| bits.get(row * width + column).copied().unwrap_or(false);
            let painted = Painted::of([height, width], on);
            let wanted: Vec<bool> = (0..height * width).map(|pixel| on(pixel / width, pixel % width)).collect();
            prop_assert_eq!(painted.pixels().unwrap(), wanted);
            prop_assert!(painted.runs.iter().skip(1).all(|&run| run > 0));
        }
    }

    #[test]
    fn masks_that_cannot_be_are_refused() {
        let refused = |size, runs: &[usize]| Painted { size, runs: runs.to_vec() }.pixels().unwrap_err();
        assert_eq!(refused([0, 3], &[]), "the mask is 3 x 0; sides are 1 to 8192 pixels");
        assert!(refused([usize::MAX, 2], &[]).contains("sides are 1 to 8192"));
        assert_eq!(refused([2, 2], &[1, 4]), "the runs of the mask are longer than its 4 pixels");
        assert_eq!(refused([2, 2], &[1, usize::MAX, 3]), "the runs of the mask are longer than its 4 pixels");
        let layer = Layer { name: "1".into(), units: 3, size: [2, 2] };
        let nothing = Place::Painted(Painted { size: [2, 2], runs: vec![4] });
        assert!(nothing.mask(&layer).unwrap_err().contains("marks nothing"));
        let one = Place::Painted(Painted { size: [2, 2], runs: vec![1, 1] });
        assert_eq!(one.mask(&layer).unwrap().unwrap(), [[0.0, 1.0], [0.0, 0.0]]);
    }
}
