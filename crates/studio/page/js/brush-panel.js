/** What the brush does, how large it is, and what pens and fingers do. */

/** @import { Brush } from "./brush.js" */
/** @import { Layer, Model } from "./types.js" */

import { choices, h, toggle } from "./dom.js";
import { counted } from "./words.js";

/** @typedef {"draw" | "remove" | "erase"} Op */

/** The brush at the beginning: this share of the picture's side. */
const FIRST_SIZE = 3 / 16;
const NOTHING = "There are no concepts: the model has no dissection";

export class BrushPanel {
  /** @type {Op} */
  op = "draw";
  /** Steps of the size, in pixels. */
  #sizes = [1];
  /** The size that was asked for: layers have different steps. @type {number | null} */
  #wished = null;
  /** @type {Layer | null} */
  #layer = null;
  #off = false;
  #brush;
  #changed;

  /** @param {Brush} brush @param {{op: () => void, size: () => void}} changed */
  constructor(brush, changed) {
    this.#brush = brush;
    this.#changed = changed;
    this.ops = choices(
      "What the brush does",
      [
        { value: "draw", text: "Draw", icon: "draw", title: "Draw (D)" },
        { value: "remove", text: "Remove", icon: "remove", title: "Remove (R)" },
        { value: "erase", text: "Erase", icon: "erase", title: "Erase strokes (E)" },
      ],
      this.op,
      (op) => this.setOp(op),
    );
    this.ops.element.classList.add("ops", "wide");
    this.now = h("span", { class: "now" });
    this.size = h("input", { type: "range", min: "0", max: "1", value: "0", step: "1", "aria-label": "Size of the brush", oninput: () => this.#step(Number(this.size.value)) });
    const finger = toggle("draw", "Finger paints", "With a pen, fingers move and enlarge the picture; this lets them paint", (on) => (brush.fingerPaints = on));
    const press = toggle("smooth", "Pressure", "The pen's pressure makes the brush smaller", (on) => (brush.pressure = on));
    this.pens = h("div", { class: "row wrap pens", hidden: true }, finger.element, press.element);
    const more = h("button", { type: "button", class: "phone", "aria-expanded": "false" }, "More");
    more.addEventListener("click", () => more.setAttribute("aria-expanded", String(this.element.parentElement?.classList.toggle("open") ?? false)));
    this.element = h(
      "section",
      { class: "brush" },
      this.ops.element,
      more,
      h("div", { class: "field size" }, h("span", { class: "label" }, h("span", {}, "Size ", h("kbd", {}, "["), " ", h("kbd", {}, "]")), this.now), this.size),
      this.pens,
    );
  }

  /** @param {Op} op */
  setOp(op) {
    if (this.#off) return;
    this.op = op;
    this.ops.set(op);
    this.#changed.op();
  }

  /** There is nothing to paint with. @param {boolean} off */
  disable(off) {
    this.#off = off;
    this.ops.disable(off, NOTHING);
    this.size.disabled = off;
  }

  /** Another model: the brush is as large as at the beginning. */
  forget() {
    this.#wished = null;
  }

  /** Takes the steps of a layer: single pixels below a cell, and cells from there on. @param {Model} model @param {Layer | null} layer */
  fit({ image: [, height, width], layers }, layer) {
    this.#layer = layer;
    const cells = layer?.size ?? layers[0]?.size ?? [height, width];
    this.#brush.cell = [height / cells[0], width / cells[1]];
    const cell = Math.max(1, Math.round(this.#brush.cell[1]));
    const side = Math.max(height, width);
    this.#sizes = [];
    for (let size = 1; size < cell; size += 1) this.#sizes.push(size);
    for (let size = cell; size <= side; size += cell) this.#sizes.push(size);
    this.size.max = String(this.#sizes.length - 1);
    this.#show(this.#wished ?? side * FIRST_SIZE);
  }

  /** So many steps larger, or smaller. @param {number} by */
  resize(by) {
    this.#step(Math.min(this.#sizes.length - 1, Math.max(0, Number(this.size.value) + by)));
  }

  /** @param {number} step */
  #step(step) {
    this.#wished = this.#sizes[step];
    this.#show(this.#wished);
  }

  /** @param {number} size in pixels; the nearest step is taken */
  #show(size) {
    const near = this.#sizes.reduce((a, b) => (Math.abs(b - size) < Math.abs(a - size) ? b : a));
    this.#brush.diameter = near;
    this.size.value = String(this.#sizes.indexOf(near));
    this.now.textContent = `${counted(near, "pixel")}${this.#layer ? `, layer ${this.#layer.name}` : ""}`;
    this.size.setAttribute("aria-valuetext", counted(near, "pixel"));
    this.#changed.size();
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (!event.ctrlKey && !event.altKey) return;
    event.preventDefault();
    if (event.deltaY) this.resize(event.deltaY < 0 ? 1 : -1);
  }

  /** @param {KeyboardEvent} event @param {string} key @returns {boolean} */
  keys(event, key) {
    const left = key === "[" || key === "{" || (event.code === "BracketLeft" && key !== "]");
    const right = key === "]" || key === "}" || (event.code === "BracketRight" && key !== "[");
    // On some keyboards brackets need AltGr, which reads as Ctrl and Alt.
    if ((left || right) && (key === "[" || key === "]" || !(event.ctrlKey || event.altKey || event.metaKey))) {
      this.resize((left ? -1 : 1) * (event.shiftKey && key !== "[" && key !== "]" ? 4 : 1));
      return true;
    }
    const op = /** @type {Record<string, Op>} */ ({ d: "draw", r: "remove", e: "erase" })[key];
    if (!op || event.ctrlKey || event.altKey || event.metaKey) return false;
    this.setOp(op);
    return true;
  }
}
