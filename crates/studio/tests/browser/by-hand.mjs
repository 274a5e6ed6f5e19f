/**
 * The formula of the generator that examples/by_hand.rs writes, once more: what every pixel of every recipe must be.
 *
 * It shares nothing with the program but the numbers that seeds stand for. Colours are computed in double precision and the program's in
 * single, so bytes may differ by one.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "./server.mjs";

/** Pixels and cells on each side, and pixels on each side of a cell. */
export const [SIDE, CELLS, CELL] = [32, 8, 4];
const UNITS = 7;
/** Units by name. */
export const [RED, GREEN, BLUE, SHIFT, LAMPS, CEILING, IDLE] = [0, 1, 2, 3, 4, 5, 6];
/** The unit of each class, and what it is on average where the class is. */
export const MEANS = { red: [RED, 1], green: [GREEN, 1], blue: [BLUE, 0.75], yellow: [LAMPS, 1] };
const COLOURS = {
  none: [-0.5, -0.5, -0.5],
  red: [1, -0.5, -0.5],
  green: [-0.5, 1, -0.5],
  blue: [-0.5, -0.5, 1],
  yellow: [1, 1, -0.5],
};

const LATENTS = JSON.parse(readFileSync(join(fixture, "latents.json"), "utf8"));

/** Of this and the following seeds the first whose picture has these classes (true), and not those (false). */
export function seedWith(wanted, from = 0) {
  const fits = (z) => Object.entries(wanted).every(([name, there]) => z[MEANS[name][0]] > 0 === there);
  const found = LATENTS.findIndex((z, seed) => seed >= from && fits(z));
  if (found < 0) throw new Error(`no seed is like ${JSON.stringify(wanted)}`);
  return found;
}

const mixed = (a, b, t) => a.map((x, i) => (1 - t) * x + t * b[i]);

/** The numbers of a latent as recipes name it. */
function numbersOf(latent) {
  if ("seed" in latent) return LATENTS[latent.seed];
  if ("numbers" in latent) return latent.numbers;
  if ("between" in latent) {
    const { seeds, at } = latent.between;
    return mixed(LATENTS[seeds[0]], LATENTS[seeds[1]], at);
  }
  const { seeds, at } = latent.plane;
  const [a, b, c, d] = seeds.map((seed) => LATENTS[seed]);
  return mixed(mixed(a, b, at[0]), mixed(c, d, at[0]), at[1]);
}

/** A latent with its numbers multiplied. */
export const truncated = (latent, psi) => ({ numbers: numbersOf(latent).map((x) => psi * x) });

/** Each unit's map, row by row. */
export function unitsOf(latent) {
  const z = numbersOf(latent);
  const on = z.map((x) => (x > 0 ? 1 : 0));
  const value = [
    (r, c) => on[0] * ((r - 2.5) ** 2 + (c - 1.5) ** 2 <= 4),
    (r) => on[1] * (r === 6),
    (r, c) => (r < 6 && c >= 4 ? (on[2] * (2 * c - 7)) / 8 : 0),
    () => (z[3] + 1) / 2,
    (r, c) => on[4] * (r === 7 && [1, 4, 6].includes(c)),
    (r) => r < 4,
    (r, c) => on[6] * ((r + c) % 2 === 0),
  ];
  return value.map((at) => Array.from({ length: CELLS * CELLS }, (_, i) => Number(at(Math.floor(i / CELLS), i % CELLS))));
}

/** The share of each cell that a mask of pixels covers. */
export const pooled = (mask) =>
  Array.from({ length: CELLS * CELLS }, (_, cell) => {
    let sum = 0;
    for (let i = 0; i < CELL * CELL; i += 1) {
      sum += mask[(Math.floor(cell / CELLS) * CELL + Math.floor(i / CELL)) * SIDE + (cell % CELLS) * CELL + (i % CELL)];
    }
    return sum / (CELL * CELL);
  });

/** The pixels, 0 or 1, whose middle is not farther than half of the diameter from a place; always that at the place itself. */
export function disc(x, y, diameter) {
  const inside = (r, c) => (c + 0.5 - x) ** 2 + (r + 0.5 - y) ** 2 <= (diameter / 2) ** 2 || (Math.floor(x) === c && Math.floor(y) === r);
  return Array.from({ length: SIDE * SIDE }, (_, i) => Number(inside(Math.floor(i / SIDE), i % SIDE)));
}

/** What any of some masks covers. */
export const union = (...masks) => masks[0].map((_, i) => Number(masks.some((mask) => mask[i])));

/** What the first of two masks covers and the second does not. */
export const less = (mask, other) => mask.map((on, i) => Number(on && !other[i]));

/** Row-major runs of a recipe: zeros, ones, zeros … */
export function ofRuns(runs) {
  const mask = runs.flatMap((length, i) => Array(length).fill(i % 2));
  return [...mask, ...Array(SIDE * SIDE - mask.length).fill(0)];
}

/**
 * A picture's bytes, red, green and blue of each pixel.
 * @param {object} latent as in recipes
 * @param {{unit: number, value: number, alpha?: number, mask?: number[]}[]} edits of layer `units`, in order; everywhere without a mask
 */
export const picture = (latent, edits = []) => Uint8Array.from(coloursOf(latent, edits), byteOf);

/** The class of each pixel. */
export function classesOf(latent, edits = []) {
  const colours = coloursOf(latent, edits);
  const far = (colour, i) => colour.reduce((sum, x, k) => sum + (x - colours[3 * i + k]) ** 2, 0);
  const nearest = (i) => Object.entries(COLOURS).reduce((best, one) => (far(one[1], i) < far(best[1], i) ? one : best))[0];
  return Array.from({ length: SIDE * SIDE }, (_, i) => nearest(i));
}

function coloursOf(latent, edits) {
  const units = unitsOf(latent);
  for (const { unit, value, alpha = 1, mask } of edits) {
    const shares = mask ? pooled(mask) : Array(CELLS * CELLS).fill(1);
    units[unit] = units[unit].map((x, cell) => x * (1 - alpha * shares[cell]) + value * alpha * shares[cell]);
  }
  const seen = (unit, cell) => Math.max(0, unit === LAMPS ? units[LAMPS][cell] - 4 * units[CEILING][cell] : units[unit][cell]);
  return Array.from({ length: SIDE * SIDE }, (_, i) => {
    const cell = Math.floor(i / SIDE / CELL) * CELLS + Math.floor((i % SIDE) / CELL);
    const [red, green, blue, shift, lamps] = [RED, GREEN, BLUE, SHIFT, LAMPS].map((unit) => seen(unit, cell));
    return [-0.5 + 1.5 * (red + lamps) + 0.125 * shift, -0.5 + 1.5 * (green + lamps), -0.5 + 1.5 * blue - 0.125 * shift];
  }).flat();
}

const byteOf = (x) => Math.min(255, Math.max(0, Math.trunc(x * 127.5 + 128)));

/** How many units there are. */
export const unitCount = UNITS;
