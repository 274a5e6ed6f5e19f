/** The eraser takes places out of strokes. */

/** @import { Place } from "./recipe.js" */

import { encodeRuns, pool, rasterOf } from "./recipe.js";

/**
 * @param {Place} place of a stroke; one that is everywhere stays
 * @param {[number, number]} cells of its layer
 * @param {{size: [number, number], shares: ArrayLike<number>}} rubbed
 * @returns {Place | null} the same one if nothing of it was rubbed; null if nothing is left
 */
export function erased(place, cells, rubbed) {
  if (place === "everywhere") return place;
  const { size, shares } = rasterOf(place, cells);
  const same = size[0] === rubbed.size[0] && size[1] === rubbed.size[1];
  const over = same ? rubbed.shares : pool(rubbed, size);
  const left = shares.slice();
  let changed = false;
  for (let i = 0; i < left.length; i += 1) {
    if (!left[i] || over[i] < 0.5) continue;
    left[i] = 0;
    changed = true;
  }
  if (!changed) return place;
  if (left.every((share) => share === 0)) return null;
  if ("cells" in place) return { cells: place.cells.filter(([row, column]) => left[row * size[1] + column]) };
  if ("painted" in place) return { painted: { size, runs: encodeRuns(Uint8Array.from(left)) } };
  return { mask: place.mask.map((row, r) => row.map((_, c) => left[r * size[1] + c])) };
}
