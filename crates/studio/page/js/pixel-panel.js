/** The units at a pixel: how far each is above its level there. */

/** @import { Studio } from "./studio.js" */
/** @import { Hit, PixelAnswer } from "./unit-answers.js" */

import { h } from "./dom.js";
import { switchEdit, without } from "./unit-edits.js";
import { shortName } from "./words.js";

/** As many units are listed. */
const LISTED = 10;

export class PixelPanel {
  #studio;
  #choose;
  /** In pixels of the picture: row and column. @type {[number, number] | null} */
  pixel = null;
  #layer = "";
  /** @type {Hit[]} */
  #hits = [];

  /**
   * @param {Studio} studio
   * @param {(unit: number) => void} choose
   */
  constructor(studio, choose) {
    this.#studio = studio;
    this.#choose = choose;
    this.title = h("h2", {}, "At a pixel");
    this.note = h("p", { class: "small" });
    this.list = h("div", { class: "hits" });
    this.off = h("button", { type: "button", hidden: true, onclick: () => this.#switchOff() });
    this.element = h("section", { class: "pixel-panel", "aria-label": "Pixel" }, this.title, this.note, this.list, h("div", { class: "row wrap" }, this.off));
    this.clear();
  }

  /** Lets go of the pixel. */
  clear() {
    this.pixel = null;
    this.#hits = [];
    this.title.textContent = "At a pixel";
    this.note.textContent = "Click the picture: the units are listed that are strongest there.";
    this.list.replaceChildren();
    this.off.hidden = true;
  }

  /** @param {string} layer @param {PixelAnswer} answer @param {string | null} what stands there */
  show(layer, answer, what) {
    if (!this.pixel) return;
    this.#layer = layer;
    this.#hits = answer.units.slice(0, LISTED);
    this.name(what);
    const levels = this.#hits.some(({ ratio }) => ratio !== null);
    this.note.textContent = levels
      ? "Activation, in multiples of the level above which the unit counts as on"
      : "Activation; without a dissection there are no levels to compare with";
    const of = /** @param {Hit} hit */ (hit) => (levels ? (hit.ratio ?? 0) : hit.value);
    const most = Math.max(1e-9, levels ? 1 : 0, ...this.#hits.map(of));
    this.list.replaceChildren(
      ...this.#hits.map((hit) => {
        const bar = h("span");
        bar.style.transform = `scaleX(${Math.min(1, Math.max(0, of(hit) / most))})`;
        return h(
          "button",
          { type: "button", class: "hit", "data-unit": hit.unit, onclick: () => this.#choose(hit.unit) },
          h("b", { class: "figures" }, String(hit.unit)),
          h("span", { class: "label" }, hit.label ? shortName(hit.label) : levels ? "no class" : ""),
          h("span", { class: "meter", "aria-hidden": "true" }, bar),
          h("span", { class: "figures" }, levels ? `${of(hit).toFixed(1)} ×` : hit.value.toFixed(2)),
        );
      }),
    );
    this.off.hidden = !this.#hits.length;
    this.off.textContent = `Switch these ${this.#hits.length} off`;
  }

  /** @param {string | null} what stands there */
  name(what) {
    if (this.pixel) this.title.textContent = `At ${this.pixel[1]}, ${this.pixel[0]}${what ? `: ${what}` : ""}`;
  }

  /** The unit that is looked at. @param {number | null} unit */
  mark(unit) {
    for (const hit of this.list.children) hit.setAttribute("aria-pressed", String(hit.getAttribute("data-unit") === String(unit)));
  }

  #switchOff() {
    const { store } = this.#studio;
    const units = this.#hits.map(({ unit }) => unit);
    const strokes = without(store.scene.strokes, this.#layer, units);
    store.change({ strokes: [...strokes, ...store.numbered([switchEdit(this.#layer, units, 0)])] });
  }
}
