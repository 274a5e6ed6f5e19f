/** Which part of a photo is kept: of the shape of the generator's pictures, as large as one likes. */

/** @typedef {{x: number, y: number, width: number, height: number}} Part in the photo's pixels */

/** Photos are sent no larger than this side, in pixels: what the generator changes is coarser than that. */
export const LONGEST = 1024;
/** Shapes that differ by less than this are the same. */
const SAME = 0.01;

/**
 * Whether a photo has the shape of the generator's pictures.
 * @param {[number, number]} photo height and width
 * @param {[number, number]} picture height and width
 */
export const fits = ([height, width], [rows, columns]) => Math.abs(width / height / (columns / rows) - 1) < SAME;

/**
 * The largest part of that shape, in the middle.
 * @param {[number, number]} photo height and width
 * @param {[number, number]} picture height and width
 * @returns {Part}
 */
export function largest([height, width], [rows, columns]) {
  const times = Math.min(width / columns, height / rows);
  const part = { width: columns * times, height: rows * times };
  return { x: (width - part.width) / 2, y: (height - part.height) / 2, ...part };
}

/**
 * The same shape elsewhere or of another size, within the photo.
 * @param {Part} part
 * @param {[number, number]} photo height and width
 * @param {[number, number]} picture height and width
 * @param {{dx?: number, dy?: number, times?: number}} change `times` keeps the middle
 * @returns {Part}
 */
export function moved(part, [height, width], picture, { dx = 0, dy = 0, times = 1 }) {
  const most = largest([height, width], picture);
  // No smaller than the generator's own picture, where the photo has that many pixels.
  const least = Math.min(1, picture[1] / most.width);
  const share = Math.min(1, Math.max(least, (part.width * times) / most.width));
  const size = { width: most.width * share, height: most.height * share };
  const within = /** @param {number} at @param {number} of @param {number} side */ (at, of, side) => Math.min(of - side, Math.max(0, at));
  return {
    x: within(part.x + (part.width - size.width) / 2 + dx, width, size.width),
    y: within(part.y + (part.height - size.height) / 2 + dy, height, size.height),
    ...size,
  };
}

/** @param {number} a @param {number} b @returns {number} the largest number that divides both */
const divisor = (a, b) => (b ? divisor(b, a % b) : a);

/**
 * The size in which a part is sent: its own, not above `LONGEST`, not below the generator's, and exactly of that shape.
 * @param {Part} part
 * @param {[number, number]} picture height and width
 * @returns {[number, number]} height and width
 */
export function sent(part, [rows, columns]) {
  const of = divisor(rows, columns);
  const own = Math.min(part.width / columns, part.height / rows, LONGEST / Math.max(rows, columns));
  const times = Math.max(of, Math.round(of * own));
  return [(rows / of) * times, (columns / of) * times];
}
