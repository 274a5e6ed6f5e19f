/** Single units switched off or set to a value, as edits of the recipe: everywhere, about no class. */

/** @import { Edit, Value } from "./recipe.js" */

/** As it is (null), off (0) or another value. @typedef {number | null} UnitState */

/** Whether an edit is one of units switched as such, not a stroke. @param {Edit} edit @param {string} layer */
const switches = (edit, layer) => edit.layer === layer && edit.place === "everywhere" && edit.class === undefined && Array.isArray(edit.units);

/** @param {Value} value @returns {UnitState} */
function stateOf(value) {
  if (value === "zero") return 0;
  return typeof value === "object" && "number" in value ? value.number : null;
}

/** @param {number} state @returns {Value} */
const valueOf = (state) => (state === 0 ? "zero" : { number: state });

/**
 * The last visible edit that switches the unit.
 * @template {Edit} E
 * @param {readonly E[]} edits
 * @param {string} layer
 * @param {number} unit
 * @returns {E | undefined}
 */
export const switchOf = (edits, layer, unit) =>
  edits.findLast((edit) => !edit.hidden && switches(edit, layer) && /** @type {number[]} */ (edit.units).includes(unit) && stateOf(edit.value) !== null);

/**
 * @param {readonly Edit[]} edits
 * @param {string} layer
 * @param {number} unit
 * @returns {UnitState}
 */
export function unitState(edits, layer, unit) {
  const edit = switchOf(edits, layer, unit);
  return edit ? stateOf(edit.value) : null;
}

/** The units of a layer that visible edits of any kind change everywhere. @param {readonly Edit[]} edits @param {string} layer @returns {Set<number>} */
export const switched = (edits, layer) =>
  new Set(edits.flatMap((edit) => (!edit.hidden && switches(edit, layer) ? /** @type {number[]} */ (edit.units) : [])));

/**
 * The edits without those units switched.
 * @template {Edit} E
 * @param {readonly E[]} edits
 * @param {string} layer
 * @param {readonly number[]} units
 * @returns {E[]}
 */
export const without = (edits, layer, units) =>
  edits.flatMap((edit) => {
    if (!switches(edit, layer)) return [edit];
    const left = /** @type {number[]} */ (edit.units).filter((unit) => !units.includes(unit));
    if (left.length === /** @type {number[]} */ (edit.units).length) return [edit];
    return left.length ? [{ ...edit, units: left }] : [];
  });

/**
 * @param {string} layer
 * @param {number[]} units
 * @param {number} state
 * @returns {Edit}
 */
export const switchEdit = (layer, units, state) => ({ layer, units, value: valueOf(state), alpha: 1, place: "everywhere", hidden: false });
