/** Regions, drawn over the picture: outlines, tints, grids. Colour is never the only sign: drawing is solid, removing is dashed and hatched. */

/** @import { Frame } from "./surface.js" */

/**
 * Part of a picture, on a grid of its own that covers the whole picture.
 * @typedef {{size: [number, number], shares: ArrayLike<number>}} Region
 */

export const DRAW = "#0072b2";
export const REMOVE = "#d55e00";
export const ERASE = "#8a9099";

/** From this share on a cell counts as painted, in general; the server counts so too. */
const HALF = 0.5;

/**
 * The edges between what counts of the region and what does not, as one path.
 * @param {Region} region
 * @param {[number, number]} picture height and width
 * @param {Frame} frame
 * @returns {Path2D}
 */
export function edges(region, [height, width], frame) {
  const { size, shares } = region;
  const [rows, columns] = size;
  const from = least(region);
  const path = new Path2D();
  const x = /** @param {number} c */ (c) => Math.round(frame.left + (c / columns) * width * frame.scale);
  const y = /** @param {number} r */ (r) => Math.round(frame.top + (r / rows) * height * frame.scale);
  const inside = /** @param {number} r @param {number} c */ (r, c) =>
    r >= 0 && c >= 0 && r < rows && c < columns && shares[r * columns + c] >= from;
  for (let r = 0; r <= rows; r += 1) {
    for (let c = 0; c <= columns; c += 1) {
      const here = inside(r, c);
      if (here !== inside(r - 1, c)) {
        path.moveTo(x(c), y(r));
        path.lineTo(x(c + 1), y(r));
      }
      if (here !== inside(r, c - 1)) {
        path.moveTo(x(c), y(r));
        path.lineTo(x(c), y(r + 1));
      }
    }
  }
  return path;
}

/** From this share on a cell of the region counts: a half, or as much as any has. @param {Region} region */
const least = ({ shares }) => {
  let most = 0;
  for (let i = 0; i < shares.length; i += 1) most = Math.max(most, shares[i]);
  return Math.min(HALF, most || HALF);
};

/**
 * White inside black, so that it is seen on everything.
 * @param {CanvasRenderingContext2D} context
 * @param {Path2D} path
 * @param {{dashed?: boolean, wide?: boolean, colour?: string}} [how]
 */
export function line(context, path, { dashed = false, wide = false, colour = "#fff" } = {}) {
  const unit = devicePixelRatio || 1;
  context.save();
  context.lineCap = "square";
  context.lineJoin = "miter";
  context.setLineDash([]);
  context.strokeStyle = "rgb(0 0 0 / 0.85)";
  context.lineWidth = (wide ? 5 : 3.5) * unit;
  context.stroke(path);
  if (dashed) context.setLineDash([6 * unit, 5 * unit]);
  context.lineCap = "butt";
  context.strokeStyle = colour;
  context.lineWidth = (wide ? 2.5 : 1.5) * unit;
  context.stroke(path);
  context.restore();
}

/**
 * Fills the region; the more of a cell, the stronger.
 * @param {CanvasRenderingContext2D} context
 * @param {Region} region
 * @param {[number, number]} picture
 * @param {Frame} frame
 * @param {string} colour
 * @param {number} strength 0 to 1
 * @param {boolean} [hatched]
 */
export function fill(context, region, [height, width], frame, colour, strength, hatched = false) {
  const { size, shares } = region;
  const [rows, columns] = size;
  const from = least(region);
  const x = /** @param {number} c */ (c) => Math.round(frame.left + (c / columns) * width * frame.scale);
  const y = /** @param {number} r */ (r) => Math.round(frame.top + (r / rows) * height * frame.scale);
  context.save();
  context.fillStyle = colour;
  const covered = new Path2D();
  for (let i = 0; i < rows * columns; i += 1) {
    if (!(shares[i] > 0.02)) continue;
    const [r, c] = [Math.floor(i / columns), i % columns];
    const box = /** @type {const} */ ([x(c), y(r), x(c + 1) - x(c), y(r + 1) - y(r)]);
    context.globalAlpha = strength * Math.min(1, shares[i]);
    context.fillRect(...box);
    if (shares[i] >= from) covered.rect(...box);
  }
  if (hatched) {
    context.globalAlpha = Math.min(1, strength * 1.4);
    context.clip(covered);
    context.strokeStyle = colour;
    context.lineWidth = 1.5 * (devicePixelRatio || 1);
    context.beginPath();
    const step = 8 * (devicePixelRatio || 1);
    for (let at = -frame.height; at < frame.width; at += step) {
      context.moveTo(at, frame.height);
      context.lineTo(at + frame.height, 0);
    }
    context.stroke();
  }
  context.restore();
}

/**
 * The cells of a layer.
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number]} cells
 * @param {[number, number]} picture
 * @param {Frame} frame
 */
export function grid(context, [rows, columns], [height, width], frame) {
  const [right, bottom] = [width * frame.scale, height * frame.scale];
  context.save();
  context.lineWidth = devicePixelRatio || 1;
  for (const [colour, shift] of /** @type {const} */ ([["rgb(0 0 0 / 0.28)", 1], ["rgb(255 255 255 / 0.42)", 0]])) {
    context.strokeStyle = colour;
    context.beginPath();
    for (let c = 1; c < columns; c += 1) {
      const x = Math.round(frame.left + (c / columns) * right) + 0.5 + shift;
      context.moveTo(x, frame.top);
      context.lineTo(x, frame.top + bottom);
    }
    for (let r = 1; r < rows; r += 1) {
      const y = Math.round(frame.top + (r / rows) * bottom) + 0.5 + shift;
      context.moveTo(frame.left, y);
      context.lineTo(frame.left + right, y);
    }
    context.stroke();
  }
  context.restore();
}

/**
 * The brush's edge, at its true size.
 * @param {CanvasRenderingContext2D} context
 * @param {{x: number, y: number}} at in the picture's pixels
 * @param {number} diameter in the picture's pixels
 * @param {Frame} frame
 * @param {{dashed?: boolean, colour?: string}} [how]
 */
export function ring(context, at, diameter, frame, how) {
  const path = new Path2D();
  const radius = Math.max(2 * (devicePixelRatio || 1), (diameter / 2) * frame.scale);
  path.arc(frame.left + at.x * frame.scale, frame.top + at.y * frame.scale, radius, 0, 2 * Math.PI);
  line(context, path, how);
}
