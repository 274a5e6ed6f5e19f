/** How strongly the brush works: how many units, and what they are set to. */

/** @import { Concept, Layer } from "./types.js" */
/** @import { Value } from "./recipe.js" */

import { choices, h, unique } from "./dom.js";
import { count } from "./words.js";

const DEFAULT_UNITS = 20;

export class Strength {
  units = DEFAULT_UNITS;
  /** @type {"concept" | "quantile" | "number"} */
  #kind = "concept";
  #quantile = 0.99;
  #number = 1;
  /** @type {Layer | null} */
  #layer = null;

  constructor() {
    this.some = choices(
      "Number of units",
      ["4", "10", "20"].map((value) => ({ value, text: value })),
      String(DEFAULT_UNITS),
      (value) => {
        this.units = Number(value);
        this.free.value = "";
        this.#fault(this.free, "");
      },
    );
    this.some.element.classList.add("grow");
    this.of = h("span", { class: "now" });
    this.fault = h("p", { class: "fault small wrong", role: "alert", hidden: true });
    this.free = h("input", { type: "number", min: "1", step: "1", placeholder: "n", class: "figures free", "aria-label": "Another number of units", oninput: () => this.#freely() });
    const valueId = unique("value");
    this.value = h(
      "select",
      { id: valueId, onchange: () => this.#chosen() },
      h("option", { value: "concept" }, "mean where it is there"),
      h("option", { value: "quantile" }, "a quantile"),
      h("option", { value: "number" }, "a number"),
      h("option", { value: "zero", hidden: true }, "0, switched off"),
    );
    this.amount = h("input", { type: "number", step: "any", class: "figures free", hidden: true, oninput: () => this.#amount() });
    this.element = h(
      "section",
      { class: "strength-panel", "aria-label": "Strength and value" },
      h(
        "div",
        { class: "field" },
        h("span", { class: "label" }, h("span", {}, "Units"), this.of),
        h("div", { class: "row" }, this.some.element, this.free),
      ),
      h(
        "div",
        { class: "field" },
        h("label", { class: "label", for: valueId }, "Set them to"),
        h("div", { class: "row" }, h("div", { class: "grow field" }, this.value), this.amount),
      ),
      this.fault,
    );
  }

  /**
   * Shows what holds for this concept.
   * @param {Concept | null} concept
   * @param {Layer | null} layer
   * @param {boolean} removing
   */
  show(concept, layer, removing) {
    this.#layer = layer;
    this.of.textContent = layer ? `of ${count(layer.units)}, layer ${layer.name}` : "";
    if (layer) this.free.max = String(layer.units);
    const off = !concept;
    const why = off ? "There are no concepts: the model has no dissection" : "";
    this.some.disable(off, why);
    this.free.disabled = off;
    this.free.title = why;
    this.value.disabled = off || removing;
    this.value.title = off ? why : removing ? "Removing switches units off" : "";
    this.value.value = removing ? "zero" : this.#kind;
    this.amount.hidden = removing || this.#kind === "concept";
  }

  /** The units of a concept that the brush changes. @param {Concept} concept */
  unitsOf(concept) {
    return concept.units.slice(0, Math.min(this.units, this.#layer?.units ?? this.units));
  }

  /** @param {Concept} concept @returns {Value} */
  valueOf(concept) {
    if (this.#kind === "quantile") return { quantile: this.#quantile };
    return this.#kind === "number" ? { number: this.#number } : (concept.value ?? { "mean-of": concept.id });
  }

  #freely() {
    const most = this.#layer?.units ?? Infinity;
    const n = Number(this.free.value);
    if (this.free.value === "" && !this.free.validity.badInput) {
      this.#fault(this.free, "");
      return;
    }
    if (!Number.isInteger(n) || n < 1 || n > most || this.free.validity.badInput) {
      this.#fault(this.free, `1 to ${count(most)} units: layer ${this.#layer?.name} has no more. It stays at ${this.units}.`);
      return;
    }
    this.#fault(this.free, "");
    this.units = n;
    this.some.set(["4", "10", "20"].includes(String(n)) ? String(n) : null);
  }

  #chosen() {
    this.#kind = /** @type {"concept" | "quantile" | "number"} */ (this.value.value);
    const quantile = this.#kind === "quantile";
    this.amount.hidden = this.#kind === "concept";
    this.amount.setAttribute("aria-label", quantile ? "Quantile, 0 to 1" : "Number");
    this.amount.value = String(quantile ? this.#quantile : this.#number);
    this.#fault(this.amount, "");
  }

  #amount() {
    const value = this.amount.value === "" ? NaN : Number(this.amount.value);
    const quantile = this.#kind === "quantile";
    const fits = quantile ? value >= 0 && value <= 1 : Number.isFinite(Math.fround(value));
    const old = quantile ? this.#quantile : this.#number;
    this.#fault(this.amount, fits ? "" : `${quantile ? "A quantile is 0 to 1" : "A number is needed"}; it stays at ${old}.`);
    if (!fits) return;
    if (quantile) this.#quantile = value;
    else this.#number = value;
  }

  /** @param {HTMLInputElement} field @param {string} text */
  #fault(field, text) {
    field.setAttribute("aria-invalid", String(Boolean(text)));
    this.fault.textContent = text;
    this.fault.hidden = !text;
  }
}
