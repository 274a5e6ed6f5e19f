/** One unit: what it stands for, what it does here, and a switch for it. */

/** @import { Studio } from "./studio.js" */
/** @import { Unit } from "./unit-answers.js" */
/** @import { UnitState } from "./unit-edits.js" */

import { choices, h } from "./dom.js";
import { lazyImage } from "./images.js";
import { PLAIN } from "./store.js";
import { switchEdit, unitState, without } from "./unit-edits.js";
import { percent, shortName } from "./words.js";

/** As many pictures are offered that activate it most. */
const SEEDS = 4;
/** As many effects are named. */
const EFFECTS = 3;

/** @typedef {"as" | "off" | "set"} Kind */

export class UnitPanel {
  #studio;
  /** @type {Unit | null} */
  unit = null;
  #layer = "";
  /** The value that a unit is forced to, where none is typed yet. */
  #first = 1;
  /** Whether the field for a value is open although the unit is off or as it is. */
  #forcing = false;

  /** @param {Studio} studio */
  constructor(studio) {
    this.#studio = studio;
    this.title = h("h2", {}, "Unit");
    this.where = h("small", {});
    this.state = choices(
      "What the unit does",
      /** @type {{value: Kind, text: string}[]} */ ([
        { value: "as", text: "As it is" },
        { value: "off", text: "Off" },
        { value: "set", text: "Force to" },
      ]),
      "as",
      (kind) => this.#choose(kind),
    );
    this.state.element.classList.add("wide");
    this.number = h("input", { type: "number", step: "any", class: "figures", "aria-label": "Value of the unit", oninput: () => this.#typed() });
    this.number.addEventListener("blur", () => studio.store.seal());
    this.range = h("input", { type: "range", step: "any", "aria-label": "Value of the unit", oninput: () => this.#dragged(), onchange: () => studio.store.seal() });
    this.value = h("div", { class: "row", hidden: true }, this.range, h("div", { class: "field number" }, this.number));
    this.fault = h("p", { class: "small wrong", role: "alert", hidden: true });
    this.facts = h("dl", { class: "facts" });
    this.strip = h("div", { class: "strip" });
    this.seeds = h("div", { class: "row wrap seeds" });
    this.element = h(
      "section",
      { class: "unit-panel", "aria-label": "Unit", hidden: true },
      h("div", { class: "head" }, this.title, this.where),
      this.state.element,
      this.value,
      this.fault,
      this.facts,
      this.strip,
      this.seeds,
    );
  }

  /** @param {string} layer @param {Unit | null} unit */
  set(layer, unit) {
    this.#layer = layer;
    this.unit = unit;
    this.#forcing = false;
    this.#first = unit?.top[0]?.max ?? 1;
    this.element.hidden = !unit;
    if (!unit) return;
    this.title.textContent = unit.label && unit.interpretable ? `Unit ${unit.unit}: ${shortName(unit.label)}` : `Unit ${unit.unit}`;
    this.where.textContent = `layer ${layer}`;
    const path = `models/${this.#studio.model?.id}/layers/${layer}/units/${unit.unit}/picture.png`;
    this.strip.replaceChildren(...(unit.top.length ? [lazyImage(this.#studio.api, path, `Pictures that activate unit ${unit.unit} most, dark where it is off`)] : []));
    this.seeds.replaceChildren(
      ...(unit.top.length ? [h("small", {}, "Strongest in")] : []),
      ...unit.top.slice(0, SEEDS).map(({ seed }) =>
        h("button", { type: "button", class: "bare small", title: `Go to seed ${seed}`, onclick: () => this.#studio.store.change({ latent: { seed }, ...PLAIN }) }, `seed ${seed}`),
      ),
    );
    this.here(null);
    this.show();
  }

  /**
   * What it does in the picture.
   * @param {{max: number, share: number | null, level: number | null} | null} here null until it is known
   */
  here(here) {
    const { unit } = this;
    if (!unit) return;
    if (here && !unit.top.length) this.#first = here.max > 0 ? here.max : 1;
    /** @type {[string, string][]} */
    const facts = [];
    if (unit.label !== null) {
      const interval = unit.iou_interval ? ` (${unit.iou_interval.map((x) => x.toFixed(3)).join(" to ")})` : "";
      facts.push([unit.interpretable ? "IoU" : `IoU with ${shortName(unit.label)}`, `${unit.iou?.toFixed(3)}${interval}`]);
      if (!unit.interpretable) facts.push(["class", "fits none better than chance"]);
    }
    if (unit.on !== null && unit.threshold !== null) facts.push(["on", `${(unit.on * 100).toFixed(1)} % of pixels, above ${unit.threshold.toFixed(2)}`]);
    if (here?.share !== null && here?.share !== undefined) facts.push(["on here", `${(here.share * 100).toFixed(1)} % of pixels`]);
    if (here) facts.push(["most here", here.level && here.level > 0 ? `${(here.max / here.level).toFixed(1)} times its level` : here.max.toFixed(2)]);
    for (const { class: id, effect } of unit.effects.slice(0, EFFECTS)) facts.push([`without it, ${shortName(id)}`, `${effect >= 0 ? "−" : "+"}${percent(Math.abs(effect))} of its pixels`]);
    this.facts.replaceChildren(...facts.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
    this.#scale();
  }

  /** What the recipe does with it. */
  show() {
    const { unit } = this;
    if (!unit) return;
    const state = unitState(this.#studio.store.scene.strokes, this.#layer, unit.unit);
    if (state !== null && state !== 0) this.#forcing = false;
    const kind = this.#forcing || (state !== null && state !== 0) ? "set" : state === 0 ? "off" : "as";
    this.state.set(kind);
    this.value.hidden = kind !== "set";
    if (kind !== "set") this.#fault("");
    const now = state ?? this.#first;
    if (document.activeElement !== this.number || Number(this.number.value) !== now) this.number.value = String(Number(now.toPrecision(4)));
    this.#scale();
    if (document.activeElement !== this.range) this.range.value = String(now);
  }

  #scale() {
    const { unit } = this;
    if (!unit) return;
    const most = Math.max(this.#first, Math.abs(Number(this.number.value) || 0)) || 1;
    this.range.min = String(Number(this.number.value) < 0 ? -most : 0);
    this.range.max = String(most);
    this.range.setAttribute("aria-valuetext", this.number.value);
  }

  /** @param {Kind} kind */
  #choose(kind) {
    this.#forcing = kind === "set";
    if (kind === "as") this.change(null);
    else if (kind === "off") this.change(0);
    else this.change(this.#first);
    if (kind === "set") this.number.focus();
  }

  #typed() {
    const value = this.number.value === "" ? NaN : Number(this.number.value);
    if (!Number.isFinite(Math.fround(value))) {
      this.#fault("A number is needed; it stays as it was.");
      return;
    }
    this.#fault("");
    this.#forcing = true;
    this.change(value, `unit ${this.unit?.unit}`);
  }

  #dragged() {
    this.number.value = String(Number(Number(this.range.value).toPrecision(4)));
    this.#typed();
  }

  /** @param {string} text */
  #fault(text) {
    this.fault.textContent = text;
    this.fault.hidden = !text;
    this.number.setAttribute("aria-invalid", String(Boolean(text)));
  }

  /** Puts the unit's state into the recipe. @param {UnitState} state @param {string} [group] */
  change(state, group) {
    const { unit } = this;
    const { store } = this.#studio;
    if (!unit) return;
    const strokes = without(store.scene.strokes, this.#layer, [unit.unit]);
    if (state === null && strokes.length === store.scene.strokes.length && strokes.every((stroke, i) => stroke === store.scene.strokes[i])) return;
    const more = state === null ? [] : store.numbered([switchEdit(this.#layer, [unit.unit], state)]);
    store.change({ strokes: [...strokes, ...more] }, group);
  }

}
