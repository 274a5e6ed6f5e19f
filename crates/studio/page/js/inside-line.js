/** The line under the picture of Look inside: what the chosen unit does there, or what stands at the cross. */

/** @import { HeatLayer } from "./heat-layer.js" */
/** @import { Unit } from "./unit-answers.js" */

import { h } from "./dom.js";
import { hint, lead } from "./feedback.js";
import { percent, sentences, shortName, signed } from "./words.js";

/** Side effects of fewer pixels are not named, and of more classes neither. */
const FEW_PIXELS = 3;
const NAMED = 4;

/** What a switch changed. @param {{id: string, before: number, after: number}[]} classes */
export function movedWords(classes) {
  const changes = classes
    .map(({ id, before, after }) => ({ name: shortName(id), change: after - before }))
    .filter(({ change }) => Math.abs(change) >= FEW_PIXELS)
    .sort((a, b) => Math.abs(b.change) - Math.abs(a.change))
    .slice(0, NAMED);
  if (!changes.length) return `no class changes by ${FEW_PIXELS} pixels or more.`;
  return `${changes.map(({ name, change }) => `${name} ${signed(change)}`).join(", ")} pixels.`;
}

/** The picture was not drawn. @param {Error & {hint?: string | null}} error @param {() => void} again */
export const failedLine = ({ message, hint: cure }, again) => [
  lead(h("b", { class: "wrong" }, "Not drawn. "), h("button", { type: "button", class: "bare small", onclick: again }, "Try again")),
  hint(sentences(message, cure ?? null)),
];

/** Examples of a concept are painted. @param {string} name */
export const examplesLine = (name) => [
  lead(`Paint over ${name.trim() || "the thing"} in this picture.`),
  hint("All of it, and nothing else: what is not painted counts as something else."),
];

/**
 * A unit is switched.
 * @param {number} unit
 * @param {number | undefined} value undefined if it is no single number
 * @param {string} moved what that changed
 */
export const switchedLine = (unit, value, moved) => [
  lead(value === 0 ? "Without unit " : "Unit ", h("b", {}, String(unit)), value === 0 ? ": " : ` forced to ${Number(value?.toPrecision(4))}: `, moved),
  hint("One unit is seldom all that makes a thing: switch several, or paint with 20."),
];

/** A pixel was asked about. @param {[number, number]} pixel @param {string | null} what the class there */
export const pixelLine = ([row, column], what) => [
  lead(`Pixel ${column}, ${row}`, what ? ": " : "", what ? h("b", {}, what) : "", ". Its strongest units are listed."),
  hint("Drag to go on asking. Escape lets go."),
];

/** Where a unit is on. @param {Unit} unit @param {HeatLayer} heat of that unit */
export function unitLine(unit, { map, share, max }) {
  const stands = unit.label && unit.interpretable ? ` stands for ${shortName(unit.label)}` : "";
  const level = map !== null && map.level !== null;
  const text = !level
    ? `${stands}: at its strongest it is ${max.toFixed(2)} here.`
    : share > 0
      ? `${stands}: it is on in ${share < 0.01 ? `${(share * 100).toFixed(1)} %` : percent(share)} of this picture.`
      : `${stands}: it is off everywhere in this picture.`;
  const more = level ? "Click the picture to see which units a place comes from." : "Without a dissection it has no level: the line is at half of its strongest.";
  return [lead("Unit ", h("b", {}, String(unit.unit)), text), hint(more)];
}
