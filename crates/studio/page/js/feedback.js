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

/** @param {StrokeEffect} effect @param {boolean} removed */
export function verdict(effect, removed) {
  if (removed) {
    const went = Math.max(0, effect.pixels_before - effect.pixels_after);
    return { good: effect.pixels_before > 0 && went >= REFUSED_BELOW * effect.pixels_before, went };
  }
  return { good: effect.cells > 0 && effect.took >= REFUSED_BELOW * effect.cells, went: 0 };
}

/** In the list of strokes. @param {Stroke} stroke @param {Result} result @returns {HTMLElement} */
export function resultShort(stroke, result) {
  if (stroke.hidden) return h("span", { class: "small" }, "hidden");
  if (result.state === "waiting") return h("span", { class: "small", "aria-label": "counting" }, "…");
  if (result.state === "failed") return h("span", { class: "wrong" }, "not counted");
  if (result.state === "none") return h("span", {});
  const { effect } = result;
  const { good, went } = verdict(effect, removes(stroke));
  if (removes(stroke)) {
    if (!effect.pixels_before) return h("span", { class: "refused" }, "none was there");
    const text = `${count(went)} of ${counted(effect.pixels_before, "pixel")} went`;
    return h("span", { class: good ? "took" : "refused" }, good ? text : `refused: ${text}`);
  }
  if (!effect.cells) return h("span", { class: "refused" }, "too thin for a cell");
  const cells = `${count(effect.took)} of ${counted(effect.cells, "cell")}`;
  return h("span", { class: good ? "took" : "refused" }, good ? `${cells} took it` : `refused: ${cells}`);
}

/** @param {StrokeEffect} effect */
const sides = ({ others }) =>
  others
    .map(({ id, before, after }) => ({ name: shortName(id), change: after - before }))
    .filter(({ change }) => Math.abs(change) >= FEW_PIXELS)
    .slice(0, NAMED)
    .map(({ name, change }) => `${name} ${signed(change)}`)
    .join(", ");

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
  const { good, went } = verdict(effect, removes(stroke));
  const tone = good ? "took" : "refused";
  const changed = sides(effect);
  if (removes(stroke)) {
    if (!effect.pixels_before) return [lead(asked, h("b", { class: "refused" }, "none was there")), hint(changed && `What changed instead: ${changed} pixels.`)];
    const where = effect.had ? `, in ${count(effect.took)} of the ${counted(effect.had, "cell")} that had some` : "";
    return [
      lead(asked, h("b", { class: tone }, `${count(went)} of ${counted(effect.pixels_before, "pixel")} went`), where),
      hint(changed ? `What stands there now: ${changed}.` : "Nothing else changed."),
    ];
  }
  if (!effect.cells) {
    const text = "No cell of the layer is painted by half: use a larger brush, or paint over it again.";
    return [lead(asked, h("b", { class: "refused" }, "too thin for a cell")), hint(text)];
  }
  const cells = h("b", { class: tone }, `${count(effect.took)} of ${counted(effect.cells, "cell")} took it`);
  const meter = effect.cells <= SHOWN_CELLS ? cellMeter(effect) : null;
  if (good) {
    const there = `${counted(effect.pixels_after, `${name} pixel`)} there, ${count(effect.pixels_before)} before.`;
    return [lead(asked, cells, meter), hint(changed ? `${there} Also changed: ${changed} pixels.` : there)];
  }
  const likes = concept?.insertion?.likes.map((like) => (like === name ? `other ${plural(name)}` : plural(like)));
  const reason = likes?.length ? `: it puts ${plural(name)} on ${listed(likes)}, hardly anywhere else` : "";
  return [lead(asked, cells, meter), hint(`The generator refused${reason}.${changed ? ` What changed instead: ${changed} pixels.` : ""}`)];
}

/** @param {...(Node | string | null)} parts */
export const lead = (...parts) => h("p", { class: "lead" }, ...parts);
/** @param {string} text */
export const hint = (text) => h("p", { class: "small hint" }, text);

/** @param {StrokeEffect} effect */
function cellMeter({ cells, took }) {
  const boxes = Array.from({ length: cells }, (_, i) => h("i", { class: i < took ? "on" : "" }));
  return h("span", { class: "cellmeter", "aria-hidden": "true" }, ...boxes);
}
