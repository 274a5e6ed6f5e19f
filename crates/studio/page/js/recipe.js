/**
 * Recipes: what is painted, as the server, the files and the links hold it. Format 2 is written; 1 and 2 are read.
 *
 * @typedef {{seed: number}
 *   | {between: {seeds: [number, number], at: number}}
 *   | {plane: {seeds: [number, number, number, number], at: [number, number]}}
 *   | {numbers: number[]}
 *   | {inversion: string}} Latent
 *
 * @typedef {"zero" | "mean" | {number: number} | {"mean-of": string} | {quantile: number}} Value
 *
 * @typedef {number[] | {class: string, best: number}} Units
 *
 * @typedef {{size: [number, number], runs: number[]}} Painted row by row: zeros, ones, zeros …; the rest is 0
 *
 * @typedef {"everywhere" | {cells: [number, number][]} | {mask: number[][]} | {painted: Painted}} Place
 *
 * @typedef {object} Edit
 * @property {string} layer
 * @property {Units} units
 * @property {Value} value
 * @property {number} alpha
 * @property {Place} place
 * @property {string} [class] what the edit is about
 * @property {boolean} hidden
 *
 * @typedef {object} Recipe
 * @property {2} format
 * @property {{name: string, blake3: string}} [model]
 * @property {Latent} [latent]
 * @property {number} [truncation] how far the latent or its styles may be from the middle; 1 if not given
 * @property {number} [truncation_layers] how many layers have truncated styles; all if not given
 * @property {string} [class] the picture's class; the seed's own if not given
 * @property {Edit[]} edits
 */

export const FORMAT = 2;
/** What a truncation can be at most. */
export const MOST_TRUNCATION = 2;
/** More layers has no generator. */
const MOST_LAYERS = 1000;
/** The most cells that a mask may have, here: the longer side of a picture, squared. */
const MOST_CELLS = 4096 * 4096;

/** A recipe that cannot be read; the message says where and why. */
export class RecipeError extends Error {}

/**
 * Runs of a mask: zeros, ones, zeros … row by row. Zeros at the end are left out.
 * @param {Uint8Array} bits 0 or 1
 * @returns {number[]}
 */
export function encodeRuns(bits) {
  const runs = [];
  let [value, start] = [0, 0];
  for (let i = 0; i <= bits.length; i += 1) {
    if (i < bits.length && (bits[i] ? 1 : 0) === value) continue;
    if (i === bits.length && !value) break;
    runs.push(i - start);
    [value, start] = [1 - value, i];
  }
  return runs;
}

/**
 * @param {Painted} painted
 * @returns {Uint8Array} height times width, 0 or 1
 */
export function decodeRuns({ size: [height, width], runs }) {
  const bits = new Uint8Array(height * width);
  let at = 0;
  runs.forEach((length, i) => {
    if (i % 2) bits.fill(1, at, at + length);
    at += length;
  });
  return bits;
}

/**
 * The place of an edit as shares (0 to 1) on a grid of its own.
 * @param {Place} place
 * @param {[number, number]} cells of the layer, for places that name cells
 * @returns {{size: [number, number], shares: Float32Array | Uint8Array}}
 */
export function rasterOf(place, cells) {
  if (place === "everywhere") return { size: cells, shares: new Uint8Array(cells[0] * cells[1]).fill(1) };
  if ("cells" in place) {
    const shares = new Uint8Array(cells[0] * cells[1]);
    for (const [row, column] of place.cells) shares[row * cells[1] + column] = 1;
    return { size: cells, shares };
  }
  if ("mask" in place) {
    return { size: [place.mask.length, place.mask[0].length], shares: Float32Array.from(place.mask.flat()) };
  }
  return { size: place.painted.size, shares: decodeRuns(place.painted) };
}

/**
 * A raster averaged to cells, as the layer gets it.
 * @param {{size: [number, number], shares: ArrayLike<number>}} raster
 * @param {[number, number]} cells
 * @returns {Float32Array}
 */
export function pool({ size: [height, width], shares }, [rows, columns]) {
  const out = new Float32Array(rows * columns);
  /** @type {(of: number, into: number, at: number) => [number, number][]} */
  const spans = (of, into, at) => {
    const [from, to] = [(at * of) / into, ((at + 1) * of) / into];
    const list = /** @type {[number, number][]} */ ([]);
    for (let i = Math.floor(from); i < Math.ceil(to); i += 1) {
      list.push([i, (Math.min(i + 1, to) - Math.max(i, from)) / (to - from)]);
    }
    return list;
  };
  const across = Array.from({ length: columns }, (_, c) => spans(width, columns, c));
  for (let r = 0; r < rows; r += 1) {
    const down = spans(height, rows, r);
    for (let c = 0; c < columns; c += 1) {
      let sum = 0;
      for (const [y, wy] of down) for (const [x, wx] of across[c]) sum += wy * wx * shares[y * width + x];
      out[r * columns + c] = sum;
    }
  }
  return out;
}

/**
 * An edit without what is as if it were not said; the server and the files know the same defaults.
 * @param {Edit} edit
 * @returns {object}
 */
function plainEdit({ layer, units, value, alpha, place, class: about, hidden }) {
  return {
    layer,
    units,
    value,
    ...(alpha === 1 ? {} : { alpha }),
    ...(place === "everywhere" ? {} : { place }),
    ...(about === undefined ? {} : { class: about }),
    ...(hidden ? { hidden } : {}),
  };
}

/**
 * @param {Recipe} recipe
 * @returns {object} what is sent and saved
 */
export function plainRecipe({ model, latent, truncation = 1, truncation_layers: layers, class: label, edits }) {
  return {
    format: FORMAT,
    ...(model ? { model } : {}),
    ...(latent ? { latent } : {}),
    ...(truncation === 1 ? {} : { truncation }),
    ...(layers === undefined || truncation === 1 ? {} : { truncation_layers: layers }),
    ...(label ? { class: label } : {}),
    edits: edits.map(plainEdit),
  };
}

/** @param {unknown} value */
const shown = (value) =>
  typeof value === "string" && value.startsWith("\0") ? value.slice(1) : (JSON.stringify(value) ?? "nothing");

/**
 * @param {string} where
 * @param {string} what
 * @returns {never}
 */
function wrong(where, what) {
  throw new RecipeError(where ? `${where}: ${what}` : what[0].toUpperCase() + what.slice(1));
}

/**
 * @param {string} where
 * @param {unknown} value
 * @param {string[]} known
 * @param {string[]} [needed]
 * @returns {Record<string, any>}
 */
function fields(where, value, known, needed = []) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return wrong(where, `${shown(value)} stands where an object is needed.`);
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) wrong(where, `“${key}” is no field here; known are ${known.join(", ")}.`);
  }
  for (const key of needed) if (!(key in value)) wrong(where, `“${key}” is missing.`);
  return value;
}

/**
 * @param {string} where
 * @param {string} name
 * @param {unknown} value
 * @param {number} [low]
 * @param {number} [high]
 * @returns {number}
 */
function number(where, name, value, low = -Infinity, high = Infinity) {
  if (typeof value !== "number" || !Number.isFinite(Math.fround(value))) {
    return wrong(where, `“${name}” is ${shown(value)}; a number is needed.`);
  }
  if (value < low || value > high) {
    wrong(where, `“${name}” is ${value}; ${high === Infinity ? `${low} at least` : `${low} to ${high}`} is needed.`);
  }
  return value;
}

/**
 * @param {string} where
 * @param {string} name
 * @param {unknown} value
 * @param {number} [high]
 * @returns {number}
 */
function whole(where, name, value, high = Number.MAX_SAFE_INTEGER) {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > high) {
    return wrong(where, `“${name}” is ${shown(value)}; a whole number from 0 on is needed.`);
  }
  return value;
}

/**
 * @template T
 * @param {string} where
 * @param {string} name
 * @param {unknown} value
 * @param {(item: unknown) => T} item
 * @param {number} [length]
 * @returns {T[]}
 */
function list(where, name, value, item, length) {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) {
    return wrong(where, `“${name}” is ${shown(value)}; a list${length === undefined ? "" : ` of ${length}`} is needed.`);
  }
  return value.map(item);
}

/**
 * @param {string} where
 * @param {string} name
 * @param {unknown} value
 * @returns {string}
 */
function text(where, name, value) {
  if (typeof value !== "string" || value.startsWith("\0")) {
    return wrong(where, `“${name}” is ${shown(value)}; a text is needed.`);
  }
  return value;
}

/**
 * @param {unknown} value
 * @returns {Latent}
 */
export function readLatent(value) {
  const where = "Latent";
  const kinds = ["seed", "between", "plane", "numbers", "inversion"];
  const latent = fields(where, value, kinds);
  const named = kinds.filter((kind) => kind in latent);
  if (named.length !== 1) wrong(where, `one of ${kinds.join(", ")} is needed.`);
  const seed = /** @param {unknown} s */ (s) => whole(where, "seeds", s);
  const share = /** @param {unknown} s */ (s) => number(where, "at", s, 0, 1);
  switch (named[0]) {
    case "seed":
      return { seed: whole(where, "seed", latent.seed) };
    case "between": {
      const { seeds, at } = fields(where, latent.between, ["seeds", "at"], ["seeds", "at"]);
      const [a, b] = list(where, "seeds", seeds, seed, 2);
      return { between: { seeds: [a, b], at: share(at) } };
    }
    case "plane": {
      const { seeds, at } = fields(where, latent.plane, ["seeds", "at"], ["seeds", "at"]);
      const [a, b, c, d] = list(where, "seeds", seeds, seed, 4);
      const [x, y] = list(where, "at", at, share, 2);
      return { plane: { seeds: [a, b, c, d], at: [x, y] } };
    }
    case "numbers":
      return { numbers: list(where, "numbers", latent.numbers, (n) => number(where, "numbers", n)) };
    default:
      return { inversion: text(where, "inversion", latent.inversion) };
  }
}

/**
 * @param {string} where
 * @param {unknown} value
 * @returns {Units}
 */
function readUnits(where, value) {
  if (Array.isArray(value)) {
    const units = value.map((unit) => whole(where, "units", unit));
    if (!units.length) wrong(where, "“units” names no unit.");
    const twice = units.find((unit, i) => units.indexOf(unit) !== i);
    if (twice !== undefined) wrong(where, `“units” names unit ${twice} twice.`);
    return units;
  }
  const units = fields(`${where}, units`, value, ["class", "best"], ["class", "best"]);
  return { class: text(where, "class", units.class), best: whole(where, "best", units.best) };
}

/**
 * @param {string} where
 * @param {unknown} value
 * @returns {Value}
 */
function readValue(where, value) {
  if (value === "zero" || value === "mean") return value;
  if (typeof value !== "object" || value === null) {
    return wrong(
      where,
      typeof value === "string" && value.startsWith("\0")
        ? `“value” is ${shown(value)}; a number is needed.`
        : `“value” is ${shown(value)}; it is "zero", "mean" or an object with number, mean-of or quantile.`,
    );
  }
  const kinds = ["number", "mean-of", "quantile"];
  const found = fields(`${where}, value`, value, kinds);
  if (Object.keys(found).length !== 1) wrong(where, `“value” needs one of ${kinds.join(", ")}.`);
  if ("number" in found) return { number: number(where, "value", found.number) };
  if ("quantile" in found) return { quantile: number(where, "quantile", found.quantile, 0, 1) };
  return { "mean-of": text(where, "mean-of", found["mean-of"]) };
}

/**
 * @param {string} where
 * @param {unknown} value
 * @param {number} format
 * @returns {Place}
 */
function readPlace(where, value, format) {
  if (value === "everywhere") return value;
  const kinds = format === 1 ? ["cells", "mask"] : ["cells", "mask", "painted"];
  const place = fields(`${where}, place`, value, kinds);
  if (Object.keys(place).length !== 1) wrong(where, `“place” needs one of ${kinds.join(", ")}.`);
  if ("cells" in place) {
    const cell = /** @param {unknown} c @returns {[number, number]} */ (c) => {
      const [row, column] = list(where, "cells", c, (n) => whole(where, "cells", n), 2);
      return [row, column];
    };
    const cells = list(where, "cells", place.cells, cell);
    if (!cells.length) wrong(where, "“cells” names no cell.");
    return { cells };
  }
  if ("mask" in place) {
    const mask = list(where, "mask", place.mask, (row) =>
      list(where, "mask", row, (share) => number(where, "mask", share, 0, 1)),
    );
    const width = mask[0]?.length ?? 0;
    if (!width || mask.some((row) => row.length !== width)) wrong(where, "the mask's rows are empty or differ in length.");
    if (mask.every((row) => row.every((share) => share === 0))) wrong(where, "the mask marks nothing.");
    return { mask };
  }
  const painted = fields(`${where}, painted`, place.painted, ["size", "runs"], ["size", "runs"]);
  const [height, width] = list(where, "size", painted.size, (n) => whole(where, "size", n), 2);
  if (!height || !width || height * width > MOST_CELLS) wrong(where, `a mask of ${height} x ${width} cannot be read.`);
  const runs = list(where, "runs", painted.runs, (n) => whole(where, "runs", n));
  const sum = runs.reduce((a, b) => a + b, 0);
  if (sum > height * width) wrong(where, `“runs” are ${sum} pixels long; the mask has ${height * width}.`);
  if (!runs.some((length, i) => i % 2 && length)) wrong(where, "nothing is painted in it.");
  return { painted: { size: [height, width], runs } };
}

/**
 * @param {unknown} value
 * @param {number} index
 * @param {number} format
 * @returns {Edit}
 */
function readEdit(value, index, format) {
  const where = `Edit ${index + 1}`;
  const known = ["layer", "units", "value", "alpha", "place", ...(format === 1 ? [] : ["class", "hidden"])];
  const edit = fields(where, value, known, ["layer", "units"]);
  if ("hidden" in edit && typeof edit.hidden !== "boolean") {
    wrong(where, `“hidden” is ${shown(edit.hidden)}; true or false is needed.`);
  }
  return {
    layer: text(where, "layer", edit.layer),
    units: readUnits(where, edit.units),
    value: "value" in edit ? readValue(where, edit.value) : "zero",
    alpha: "alpha" in edit ? number(where, "alpha", edit.alpha) : 1,
    place: "place" in edit ? readPlace(where, edit.place, format) : "everywhere",
    ...(edit.class === undefined ? {} : { class: text(where, "class", edit.class) }),
    hidden: edit.hidden ?? false,
  };
}

/**
 * Reads a recipe of format 1 or 2.
 * @param {unknown} value
 * @returns {Recipe}
 * @throws {RecipeError} with the field and the reason
 */
export function readRecipe(value) {
  if (typeof value === "object" && value !== null && "format" in value) {
    const { format } = value;
    if (typeof format === "number" && format > FORMAT) {
      wrong("", `it was written by a newer version (format ${format}; this one reads 1 and 2).`);
    }
    if (format !== 1 && format !== 2) wrong("", `“format” is ${shown(format)}; 1 or 2 is needed.`);
    const known = format === 1 ? ["format", "edits"] : ["format", "model", "latent", "truncation", "truncation_layers", "class", "edits"];
    const recipe = fields("Recipe", value, known, ["edits"]);
    const model = recipe.model === undefined ? undefined : fields("Model", recipe.model, ["name", "blake3"], ["name", "blake3"]);
    return {
      format: FORMAT,
      ...(model ? { model: { name: text("Model", "name", model.name), blake3: text("Model", "blake3", model.blake3) } } : {}),
      ...(recipe.latent === undefined ? {} : { latent: readLatent(recipe.latent) }),
      ...(recipe.truncation === undefined ? {} : { truncation: number("Recipe", "truncation", recipe.truncation, 0, MOST_TRUNCATION) }),
      ...(recipe.truncation_layers === undefined ? {} : { truncation_layers: number("Recipe", "truncation_layers", recipe.truncation_layers, 0, MOST_LAYERS) }),
      ...(recipe.class === undefined ? {} : { class: text("Recipe", "class", recipe.class) }),
      edits: list("Recipe", "edits", recipe.edits, (edit) => edit).map((edit, i) => readEdit(edit, i, format)),
    };
  }
  return wrong("", "it is not a recipe: it has no “format”.");
}

/**
 * Reads a recipe's JSON. Numbers that JSON does not know (NaN, Infinity) are named where they stand.
 * @param {string} json
 * @returns {Recipe}
 * @throws {RecipeError}
 */
export function parseRecipe(json) {
  // Strings are passed over; a bare NaN becomes a text that no recipe holds, so that its field is named.
  const marked = json.replace(/("(?:\\.|[^"\\])*")|-?\b(?:NaN|Infinity)\b/g, (found, string) =>
    string === undefined ? JSON.stringify(`\0${found}`) : found,
  );
  let value;
  try {
    value = JSON.parse(marked);
  } catch {
    return wrong("", "it is not JSON.");
  }
  return readRecipe(value);
}

/**
 * Whether a recipe fits a model.
 * @param {Recipe} recipe
 * @param {import("./types.js").Model} model
 * @throws {RecipeError} what does not fit
 */
export function checkAgainst(recipe, model) {
  recipe.edits.forEach((edit, i) => {
    const where = `Edit ${i + 1}`;
    const layer = model.layers.find(({ name }) => name === edit.layer);
    if (!layer) {
      const known = model.layers.map(({ name }) => name).join(", ");
      return wrong(where, `${model.name} has no layer “${edit.layer}”; it has ${known}.`);
    }
    const units = Array.isArray(edit.units) ? Math.max(...edit.units) + 1 : edit.units.best;
    if (units > layer.units) wrong(where, `layer ${layer.name} has ${layer.units} units, not ${units}.`);
    if (edit.place === "everywhere" || !("cells" in edit.place)) return;
    const [rows, columns] = layer.size;
    const out = edit.place.cells.find(([row, column]) => row >= rows || column >= columns);
    if (out) wrong(where, `there is no cell ${out.join(", ")}; layer ${layer.name} has ${rows} x ${columns}.`);
  });
  if (recipe.truncation !== undefined && !model.latent.truncation) {
    wrong("Recipe", `“truncation” changes nothing: ${model.name} divides each latent by its length.`);
  }
  const { classes } = model.latent;
  if (recipe.class !== undefined && !classes.includes(recipe.class) && !(Number(recipe.class) < classes.length)) {
    wrong("Recipe", classes.length ? `${model.name} has no class “${recipe.class}”.` : `“class” means nothing: ${model.name} has no classes.`);
  }
  if (recipe.truncation !== undefined && recipe.latent && "inversion" in recipe.latent) {
    wrong("Recipe", "“truncation” does not go with a photo, whose latent has the length that the photo needs.");
  }
  if (recipe.latent && "numbers" in recipe.latent && recipe.latent.numbers.length !== model.latent.length) {
    wrong("Latent", `${recipe.latent.numbers.length} numbers; ${model.name} takes ${model.latent.length}.`);
  }
}
