/** What a stroke did, in a line: what happened first, then what else changed. */

/** @import { Concept, StrokeEffect } from "./types.js" */
/** @import { Stroke } from "./store.js" */
/** @import { Result } from "./results.js" */

import { h } from "./dom.js";
import { count, counted, listed, plural, shortName, signed } from "./words.js";

/** Side effects of fewer pixels are not named. */
const FEW_PIXELS = 4;
/** As many side effects are named. */
const NAMED = 3;
/** A smaller part of the cells means that the generator refused. */
const REFUSED_BELOW = 0.25;
/** Fewer cells that were tried say nothing about what stands there. */
const ENOUGH = 20;
/** As many cells are shown one by one. */
const SHOWN_CELLS = 24;

/** @param {Stroke} stroke */
export const removes = (stroke) => stroke.value === "zero";

/** @param {Stroke} stroke */
export const strokeName = (stroke) => {
  const what = stroke.class === undefined ? unitsName(stroke) : shortName(stroke.class);
  return stroke.class === undefined ? what : `${removes(stroke) ? "Remove" : "Draw"} ${what}`;
};

/** @param {Stroke} stroke */
const unitsName = ({ units, value }) => {
  const many = Array.isArray(units) ? (units.length === 1 ? `Unit ${units[0]}` : counted(units.length, "unit")) : `${shortName(units.class)} units`;
  return `${many} ${value === "zero" ? "off" : "set"}`;
};

/** @param {Stroke} stroke */
export const strokeUnits = ({ units, layer }) => `${counted(Array.isArray(units) ? units.length : units.best, "unit")} of layer ${layer}`;

/** @typedef {NonNullable<StrokeEffect["cells"]>} Cells */

/** @param {Cells} cells */
const went = ({ before, after }) => Math.max(0, before - after);

/** Whether enough of what was asked for has come, or gone. @param {Cells} cells @param {boolean} removed */
const good = (cells, removed) =>
  removed ? cells.before > 0 && went(cells) >= REFUSED_BELOW * cells.before : cells.took >= REFUSED_BELOW * cells.all;

/** In the list of strokes. @param {Stroke} stroke @param {Result} result @returns {HTMLElement} */
export function resultShort(stroke, result) {
  if (stroke.hidden) return h("span", { class: "small" }, "hidden");
  if (result.state === "waiting") return h("span", { class: "small", "aria-label": "counting" }, "…");
  if (result.state === "failed") return h("span", { class: "wrong" }, "not counted");
  if (result.state === "none" || !result.effect.cells) return h("span", {});
  const { cells, removes: removed } = result.effect;
  const fine = good(cells, removed);
  const tone = { class: fine ? "took" : "refused" };
  if (removed && !cells.before) return h("span", tone, "none was there");
  const text = removed ? `${count(went(cells))} of ${counted(cells.before, "pixel")}` : `${count(cells.took)} of ${counted(cells.all, "cell")}`;
  return h("span", tone, fine ? `${text} ${removed ? "went" : "took it"}` : `refused: ${text}`);
}

/** @param {StrokeEffect} effect */
const sides = ({ others }) =>
  others
    .map(({ name, before, after }) => ({ name, change: after - before }))
    .filter(({ change }) => Math.abs(change) >= FEW_PIXELS)
    .slice(0, NAMED)
    .map(({ name, change }) => `${name} ${signed(change)}`)
    .join(", ");

/**
 * Where the generator puts a class, if that was measured.
 * @param {string} name
 * @param {Concept | undefined} concept
 * @returns {string} ": it puts doors on …"
 */
function reason(name, concept) {
  const contexts = concept?.contexts ?? [];
  const own = contexts.find((context) => context.class === concept?.id);
  // A share of a handful of cells says little.
  const others = contexts.filter((context) => context !== own && context.cells >= ENOUGH);
  const best = others[0]?.made ?? 0;
  if (!best) return "";
  const likes = others.filter(({ made }) => made >= best / 2).slice(0, NAMED);
  const rest = others.some((context) => !likes.includes(context) && context.made > best / 4) ? "seldom" : "hardly";
  const names = likes.map((context) => plural(shortName(context.class)));
  if (own && own.made >= best / 2) names.push(`other ${plural(name)}`);
  return `: it puts ${plural(name)} on ${listed(names)}, ${rest} anywhere else`;
}

/**
 * Under the picture.
 * @param {Stroke} stroke
 * @param {Result} result
 * @param {Concept | undefined} concept
 * @returns {HTMLElement[]}
 */
export function resultLine(stroke, result, concept) {
  if (stroke.hidden) return [lead(`${strokeName(stroke)}: hidden`), hint("Show it with its eye in the list, or H.")];
  if (result.state === "none") {
    return [lead(strokeName(stroke)), hint(stroke.class === undefined ? "" : "Without a segmenter nothing is counted.")];
  }
  if (result.state === "failed") return [lead(`${strokeName(stroke)}: not counted`), hint(result.why)];
  const name = shortName(stroke.class ?? "");
  const asked = removes(stroke) ? `Removed ${name}: ` : `Asked for ${plural(name)}: `;
  if (result.state === "waiting") return [lead(`${asked}counting …`), hint("")];
  const { effect } = result;
  const { cells, removes: removed } = effect;
  const changed = sides(effect);
  if (!cells) return [lead(strokeName(stroke)), hint(changed && `What changed: ${changed} pixels.`)];
  const fine = good(cells, removed);
  const tone = { class: fine ? "took" : "refused" };
  if (removed) {
    const instead = changed ? `${fine ? "What stands there now" : "What changed instead"}: ${changed} pixels.` : "Nothing else changed.";
    if (!cells.before) return [lead(asked, h("b", tone, "none was there")), hint(instead)];
    const where = `, in ${count(cells.took)} of the ${counted(cells.had, "cell")} that had some`;
    return [lead(asked, h("b", tone, `${count(went(cells))} of ${counted(cells.before, "pixel")} went`), where), hint(instead)];
  }
  const took = h("b", tone, `${count(cells.took)} of ${counted(cells.all, "cell")} took it`);
  const meter = cells.all <= SHOWN_CELLS ? cellMeter(cells) : null;
  const there = `${counted(cells.after, `${name} pixel`)} there, ${count(cells.before)} before.`;
  const text = fine
    ? `${there}${changed ? ` Also changed: ${changed} pixels.` : ""}`
    : `The generator refused${reason(name, concept)}.${changed ? ` What changed instead: ${changed} pixels.` : ""}`;
  return [lead(asked, took, meter), hint(text)];
}

/** @param {...(Node | string | null)} parts */
export const lead = (...parts) => h("p", { class: "lead" }, ...parts);
/** @param {string} text */
export const hint = (text) => h("p", { class: "small hint" }, text);

/** @param {Cells} cells */
function cellMeter({ all, took }) {
  const boxes = Array.from({ length: all }, (_, i) => h("i", { class: i < took ? "on" : "" }));
  return h("span", { class: "cellmeter", "aria-hidden": "true" }, ...boxes);
}
