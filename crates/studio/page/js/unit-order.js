/** Which units are listed, and in which order. */

/** @import { Unit } from "./unit-answers.js" */

import { shortName } from "./words.js";

/** @typedef {"iou" | "effect" | "class" | "here" | "number" | `own ${string}`} Order the last by how well they fit a concept of one's own */

/**
 * The units that are shown, in their order.
 * @param {readonly Unit[]} units
 * @param {object} how
 * @param {string} how.text names of classes, or numbers of units, which are found whether they fit a class or not
 * @param {boolean} how.fitting those alone that fit a class
 * @param {Order} how.order
 * @param {ReadonlyMap<number, number> | null} how.here how strong each is in the picture
 * @param {readonly number[]} how.own units in the order of a concept of one's own
 * @returns {Unit[]}
 */
export function chosenUnits(units, { text, fitting, order, here, own }) {
  const words = text.toLowerCase().split(/[\s,]+/).filter(Boolean);
  const numbers = words.filter((word) => /^\d+$/.test(word)).map(Number);
  const names = words.filter((word) => !/^\d+$/.test(word));
  const found = units.filter((unit) => {
    if (numbers.includes(unit.unit)) return true;
    if (fitting && !unit.interpretable) return false;
    return !words.length || names.some((name) => unit.label?.toLowerCase().includes(name));
  });
  const key = keyOf(order === "class" ? "iou" : order, here, own);
  // Those that fit no class come after all classes.
  const name = /** @param {Unit} unit */ (unit) => (order !== "class" ? "" : unit.label && unit.interpretable ? unit.label : "\uffff");
  return found.sort((a, b) => Number(name(a) > name(b)) - Number(name(a) < name(b)) || key(b) - key(a) || a.unit - b.unit);
}

/**
 * What units are ordered by, the largest first.
 * @param {Order} order
 * @param {ReadonlyMap<number, number> | null} here
 * @param {readonly number[]} own
 * @returns {(unit: Unit) => number}
 */
function keyOf(order, here, own) {
  if (order === "iou") return ({ iou }) => iou ?? -1;
  if (order === "effect") return ({ effects }) => Math.max(0, ...effects.map(({ effect }) => Math.abs(effect)));
  if (order === "here") return ({ unit }) => here?.get(unit) ?? -Number.MAX_VALUE;
  if (order === "number") return () => 0;
  return ({ unit }) => -own.indexOf(unit);
}

/** @param {Unit} unit what it stands for, in a word */
export const unitWords = ({ unit, label, interpretable }) => (label ? (interpretable ? shortName(label) : "no class") : `unit ${unit}`);
