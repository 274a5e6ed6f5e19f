/** What is decided about the candidates of a repair, and what it costs, in words. */

/**
 * @typedef {"undecided" | "accept" | "reject"} Decision
 *
 * @typedef {object} Candidate
 * @property {number} unit
 * @property {number | null} distance of its strongest images from the real ones most like them
 * @property {number | null} z
 * @property {number | null} without the same images without the unit
 * @property {number | null} iou with a painted defect
 * @property {Decision} decision
 *
 * @typedef {{images: number, before: number | null, after: number | null, random: (number | null)[]}} Distances
 *
 * @typedef {object} Judged
 * @property {number[]} units
 * @property {string} removal
 * @property {string[]} obstacles
 * @property {Distances | null} alike
 * @property {Distances | null} strongest
 * @property {Distances | null} all
 * @property {number | null} other_real
 *
 * @typedef {object} Repair GET /api/v1/models/{m}/repair
 * @property {string} name
 * @property {string} layer
 * @property {string} real
 * @property {number} samples
 * @property {Candidate[]} candidates
 * @property {{unit: number, decision: Decision}[]} others
 * @property {number} columns images in a row of a candidate's picture
 * @property {Judged | null} judged
 * @property {string | null} file
 */

/** The units to take out, in order. @param {Repair} repair @returns {number[]} */
export const accepted = ({ candidates, others }) =>
  [...candidates, ...others].filter(({ decision }) => decision === "accept").map(({ unit }) => unit).sort((a, b) => a - b);

/** How many candidates are decided how. @param {Repair} repair */
export function decided({ candidates, others }) {
  const count = /** @param {Decision} decision */ (decision) => candidates.filter((one) => one.decision === decision).length;
  return { out: count("accept") + others.filter(({ decision }) => decision === "accept").length, stay: count("reject"), open: count("undecided") };
}

/** Whether what was measured is of the units that are taken out now. @param {Repair} repair */
export function measured(repair) {
  const now = accepted(repair);
  const units = repair.judged ? [...repair.judged.units].sort((a, b) => a - b) : [];
  return units.length === now.length && now.every((unit, i) => unit === units[i]);
}

/**
 * Reads numbers of units, typed.
 * @param {string} text
 * @param {number} units of the layer
 * @returns {{units: number[], fault: string}}
 */
export function typedUnits(text, units) {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  const wrong = parts.find((part) => !/^\d+$/.test(part) || Number(part) >= units);
  if (wrong !== undefined) return { units: [], fault: `“${wrong}” is no unit: they are 0 to ${units - 1}.` };
  return { units: [...new Set(parts.map(Number))].sort((a, b) => a - b), fault: "" };
}

/** @param {number | null} x */
export const shown = (x) => (x === null ? "–" : x.toFixed(3));

/** The mean of what random units as many give. @param {Distances} distances */
export function randomMean({ random }) {
  const known = /** @type {number[]} */ (random.filter((x) => x !== null));
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
}

/**
 * What the repair costs all images.
 * @param {Judged} judged
 * @returns {{lead: string, text: string, costs: boolean}}
 */
export function price({ all, other_real }) {
  const others = other_real === null || other_real === undefined ? "" : `; other real images are at ${shown(other_real)}`;
  if (!all || all.before === null || all.after === null) return { lead: "Its price is not known.", text: "The distance of all images was not measured.", costs: true };
  const way = `(${shown(all.before)} to ${shown(all.after)})${others}.`;
  return all.after > all.before
    ? { lead: "It has a price.", text: `All images together are farther from real ones than before ${way} Look at the pictures before you use it.`, costs: true }
    : { lead: "It costs nothing that was measured.", text: `All images together are no farther from real ones than before ${way}`, costs: false };
}
