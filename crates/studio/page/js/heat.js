/** Where a unit is on: its activations between the cells, as a dissection reads them, and the line around what lies above its level. */

/** @typedef {import("./types.js").Size} Size */

/**
 * Bilinear; the source of target `t` is `(t + 0.5) S / T - 0.5`, held at the edges, as when a dissection is made.
 * @param {ArrayLike<number>} values row by row
 * @param {Size} from
 * @param {Size} to
 * @returns {Float32Array}
 */
export function upsample(values, [rows, columns], [height, width]) {
  const out = new Float32Array(height * width);
  const ways = /** @param {number} of @param {number} into */ (of, into) =>
    Array.from({ length: into }, (_, t) => {
      const at = Math.min(of - 1, Math.max(0, ((t + 0.5) * of) / into - 0.5));
      const low = Math.floor(at);
      return /** @type {const} */ ([low, Math.min(of - 1, low + 1), at - low]);
    });
  const across = ways(columns, width);
  ways(rows, height).forEach(([top, bottom, down], y) => {
    across.forEach(([left, right, aside], x) => {
      const upper = values[top * columns + left] + aside * (values[top * columns + right] - values[top * columns + left]);
      const lower = values[bottom * columns + left] + aside * (values[bottom * columns + right] - values[bottom * columns + left]);
      out[y * width + x] = upper + down * (lower - upper);
    });
  });
  return out;
}

/** Share of the points above the level. @param {Float32Array} values @param {number} level */
export function shareAbove(values, level) {
  let above = 0;
  for (const value of values) if (value > level) above += 1;
  return above / values.length;
}

/**
 * The line around what is above the level, by marching squares, with the picture's edge as an edge.
 * @param {ArrayLike<number>} values row by row, at the middles of their pixels
 * @param {Size} size
 * @param {number} level
 * @returns {number[]} pieces, four numbers each: x and y where it begins, x and y where it ends, as shares of width and height
 */
export function contour(values, [height, width], level) {
  const pieces = /** @type {number[]} */ ([]);
  // Beyond the edge nothing is on: what touches the edge is closed along it.
  const at = /** @param {number} y @param {number} x */ (y, x) =>
    y < 0 || x < 0 || y >= height || x >= width ? -Infinity : values[y * width + x];
  const place = /** @param {number} i @param {number} of */ (i, of) => Math.min(1, Math.max(0, (i + 0.5) / of));
  const between = /** @param {number} a @param {number} b */ (a, b) => (Number.isFinite(a) && Number.isFinite(b) ? (level - a) / (b - a) : 0.5);
  for (let y = -1; y < height; y += 1) {
    for (let x = -1; x < width; x += 1) {
      const [a, b, c, d] = [at(y, x), at(y, x + 1), at(y + 1, x + 1), at(y + 1, x)];
      const kind = (a > level ? 8 : 0) + (b > level ? 4 : 0) + (c > level ? 2 : 0) + (d > level ? 1 : 0);
      if (kind === 0 || kind === 15) continue;
      const sides = {
        top: [place(x + between(a, b), width), place(y, height)],
        right: [place(x + 1, width), place(y + between(b, c), height)],
        bottom: [place(x + between(d, c), width), place(y + 1, height)],
        left: [place(x, width), place(y + between(a, d), height)],
      };
      // Two corners that lie across from each other: the middle says whether they are joined.
      const apart = (kind === 5 || kind === 10) && !((a + b + c + d) / 4 > level);
      for (const [from, to] of WAYS[apart ? 15 - kind : kind]) pieces.push(...sides[from], ...sides[to]);
    }
  }
  return pieces;
}

/** @typedef {"top" | "right" | "bottom" | "left"} Side */
/** Which sides of a square the line joins, by which of its corners are above: 8 top left, 4 top right, 2 bottom right, 1 bottom left. */
const WAYS = /** @type {[Side, Side][][]} */ ([
  [],
  [["left", "bottom"]],
  [["bottom", "right"]],
  [["left", "right"]],
  [["top", "right"]],
  [["left", "top"], ["bottom", "right"]],
  [["top", "bottom"]],
  [["left", "top"]],
  [["left", "top"]],
  [["top", "bottom"]],
  [["left", "bottom"], ["top", "right"]],
  [["top", "right"]],
  [["left", "right"]],
  [["bottom", "right"]],
  [["left", "bottom"]],
  [],
]);

/** How dark it is where the unit is off. */
const DARK = [8, 12, 24, 168];

/**
 * Dark where the unit is off, clear where it is on.
 * @param {Float32Array} values
 * @param {number} level
 * @returns {Uint8ClampedArray<ArrayBuffer>} RGBA
 */
export function spotlight(values, level) {
  const out = new Uint8ClampedArray(values.length * 4);
  values.forEach((value, i) => {
    if (!(value > level)) out.set(DARK, i * 4);
  });
  return out;
}

/**
 * From dark blue to yellow: the stronger, the lighter.
 * @param {Float32Array} values
 * @param {number} most what is drawn lightest
 * @returns {Uint8ClampedArray<ArrayBuffer>} RGBA
 */
export function strength(values, most) {
  const out = new Uint8ClampedArray(values.length * 4);
  values.forEach((value, i) => {
    const share = most > 0 ? Math.min(1, Math.max(0, value / most)) : 0;
    out.set([20 + 235 * share, 24 + 190 * share * share, 96 + 60 * share * (1 - share) - 70 * share, 176 + 40 * share], i * 4);
  });
  return out;
}
