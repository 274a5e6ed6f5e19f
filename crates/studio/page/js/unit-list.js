/** The units of a layer as cards: found by name or number, in several orders, each with the pictures that activate it most. */

/** @import { Studio } from "./studio.js" */
/** @import { Here, Unit } from "./unit-answers.js" */
/** @import { Order } from "./unit-order.js" */

import { h } from "./dom.js";
import { lazyImage } from "./images.js";
import { chosenUnits, unitWords } from "./unit-order.js";
import { percent, shortName } from "./words.js";

/** The IoU that fills a bar: better ones are rare. */
const FULL_IOU = 0.4;

/**
 * @typedef {{unit: Unit, element: HTMLButtonElement, right: HTMLElement, dot: HTMLElement}} Card
 */

export class UnitList {
  /** @type {number | null} */
  chosen = null;
  #studio;
  #on;
  layer = "";
  /** @type {Unit[]} */
  units = [];
  /** @type {Map<number, Card>} */
  #cards = new Map();
  /** @type {Map<number, number> | null} */
  #here = null;
  /** The order that was chosen; layers that have none such show another. */
  #order = "";

  /**
   * @param {Studio} studio
   * @param {{choose: (unit: Unit) => void, layer: (name: string) => void, order: () => void}} on
   */
  constructor(studio, on) {
    this.#studio = studio;
    this.#on = on;
    this.layers = h("select", { "aria-label": "Layer", onchange: () => on.layer(this.layers.value) });
    this.find = h("input", { type: "search", placeholder: "Find ( / )", title: "Names of classes, or numbers of units", autocomplete: "off", "aria-label": "Find units", oninput: () => this.show() });
    this.find.addEventListener("keydown", (event) => {
      if (event.key === "Enter") /** @type {HTMLElement | null} */ (this.list.firstElementChild)?.click();
      if (event.key === "Escape" && this.find.value) {
        this.find.value = "";
        this.show();
      }
    });
    this.order = h("select", {
      "aria-label": "Order",
      onchange: () => {
        this.#order = this.order.value;
        on.order();
        this.show();
      },
    });
    this.fitting = h("input", { type: "checkbox", checked: true, onchange: () => this.show() });
    this.fits = h("label", { class: "line" }, this.fitting, "fit a class");
    this.count = h("p", { class: "small", role: "status" });
    this.list = h("div", { class: "units" });
    this.begin = h("button", { type: "button", onclick: () => studio.model && void studio.dissect(studio.model) }, "Dissect it now");
    this.plain = h(
      "div",
      { class: "empty", hidden: true },
      h("b", {}, "No dissection"),
      h("span", { class: "small" }, "So it is not known what units stand for. They can be looked at and switched by their numbers."),
      this.begin,
    );
    this.element = h(
      "section",
      { class: "unit-list" },
      h("label", { class: "field" }, h("span", { class: "label" }, "Layer"), this.layers),
      this.find,
      h("div", { class: "row order" }, h("div", { class: "grow field" }, this.order), this.fits),
      this.plain,
      this.count,
      this.list,
    );
  }

  /** Whether units are ordered by how strong they are in the picture. */
  get byHere() {
    return this.order.value === "here";
  }

  /** The layers of the open model. @param {string} layer the one that is shown */
  setLayers(layer) {
    const { model } = this.#studio;
    const layers = model?.layers ?? [];
    this.plain.hidden = !model || model.dissection !== null;
    this.begin.hidden = !model?.segmenter;
    this.layers.replaceChildren(
      ...layers.map(({ name, units, size, dissected }) =>
        h("option", { value: name, selected: name === layer }, `${name}: ${units} units of ${size[1]}x${size[0]}${dissected || !model?.dissection ? "" : ", not dissected"}`),
      ),
    );
  }

  /** Other units: another layer, or more is known of it. @param {string} layer @param {Unit[]} units */
  set(layer, units) {
    this.layer = layer;
    this.units = units;
    this.#cards.clear();
    this.#here = null;
    this.orders();
    this.show();
  }

  /** What is known of the units decides in which orders they can be listed. */
  orders() {
    const { units } = this;
    const dissected = units.some(({ iou }) => iou !== null);
    const fit = units.some(({ interpretable }) => interpretable);
    const effects = units.some(({ effects: found }) => found.length);
    const own = this.#studio.own.filter(({ layer }) => layer === this.layer);
    /** @type {[Order, string][]} */
    const orders = [];
    if (dissected) orders.push(["iou", "by IoU"]);
    if (effects) orders.push(["effect", "by effect"]);
    if (fit) orders.push(["class", "by class"]);
    orders.push(["here", "by activity here"], ["number", "by number"]);
    for (const { id, name } of own) orders.push([`own ${id}`, `by fit: ${name}`]);
    const before = this.#order;
    this.order.replaceChildren(...orders.map(([value, text]) => h("option", { value }, text)));
    this.order.value = orders.some(([value]) => value === before) ? before : dissected ? "iou" : "number";
    this.fits.hidden = !fit;
  }

  /** How strong each unit is in the picture. @param {Here[]} here */
  setHere(here) {
    this.#here = new Map(here.map(({ unit, max, level }) => [unit, level && level > 0 ? max / level : max]));
    if (this.byHere) this.show();
  }

  /** Lists what is asked for. */
  show() {
    const order = /** @type {Order} */ (this.order.value);
    const own = this.#studio.own.find(({ id }) => order === `own ${id}`)?.units ?? [];
    const fitting = this.fitting.checked && !this.fits.hidden && !order.startsWith("own");
    const shown = chosenUnits(this.units, { text: this.find.value, fitting, order, here: this.#here, own });
    this.count.textContent = this.units.length ? `${shown.length} of ${this.units.length} units` : "";
    const focused = document.activeElement;
    const cards = shown.map((unit) => this.#card(unit));
    for (const card of cards) card.right.textContent = this.#right(card.unit, order);
    if (!cards.length && this.units.length) {
      const text = "Clear the search, or take the tick away: units that fit no class are hidden.";
      this.list.replaceChildren(h("div", { class: "empty" }, h("b", {}, "No unit is like that"), h("span", { class: "small" }, text)));
      return;
    }
    const elements = cards.map(({ element }) => element);
    // Cards that stand where they stood are left alone, so that their pictures and the focus stay.
    if (elements.length === this.list.childElementCount && elements.every((element, i) => element === this.list.children[i])) return;
    this.list.replaceChildren(...elements);
    if (focused instanceof HTMLElement && this.list.contains(focused)) focused.focus({ preventScroll: true });
  }

  /** Lists them by how well they fit a concept of one's own. @param {string} id of the concept */
  orderBy(id) {
    this.#order = `own ${id}`;
    this.orders();
    this.show();
  }

  /** While the units of a layer are on their way. */
  wait() {
    this.units = [];
    this.count.textContent = "";
    this.list.replaceChildren(h("div", { class: "bones", "aria-hidden": "true" }, ...Array.from({ length: 7 }, () => h("span"))));
  }

  /** @param {Unit} unit @param {Order} order */
  #right(unit, order) {
    if (order === "here") {
      const here = this.#here?.get(unit.unit);
      return here === undefined ? "…" : unit.threshold === null ? here.toFixed(2) : `${here.toFixed(1)} ×`;
    }
    if (order === "effect") {
      const [first] = unit.effects;
      return first ? `${shortName(first.class)} ${percent(first.effect)}` : "";
    }
    return unit.iou === null ? "" : `IoU ${unit.iou.toFixed(2)}`;
  }

  /** @param {Unit} unit @returns {Card} */
  #card(unit) {
    const known = this.#cards.get(unit.unit);
    if (known) return known;
    const name = unitWords(unit);
    const right = h("small", { class: "figures" });
    const dot = h("span", { class: "dot", role: "img", "aria-label": "changed", title: "Changed in the recipe", hidden: true });
    const dissected = unit.iou !== null;
    const element = h(
      "button",
      { type: "button", class: "unit", "aria-pressed": String(unit.unit === this.chosen), onclick: () => this.#on.choose(unit) },
      h("span", { class: "name" }, h("span", {}, dot, h("b", {}, name), unit.label ? h("small", {}, ` unit ${unit.unit}`) : null), right),
      dissected ? lazyImage(this.#studio.api, `models/${this.#studio.model?.id}/layers/${this.layer}/units/${unit.unit}/picture.png`, "") : null,
      dissected ? iouBar(unit) : null,
    );
    const card = { unit, element, right, dot };
    this.#cards.set(unit.unit, card);
    return card;
  }

  /** @param {number | null} unit */
  choose(unit) {
    this.chosen = unit;
    for (const card of this.#cards.values()) card.element.setAttribute("aria-pressed", String(card.unit.unit === unit));
  }

  /** Brings the chosen card into sight. */
  reveal() {
    const card = this.chosen === null ? null : this.#cards.get(this.chosen);
    // In a column of its own it scrolls; where the page scrolls as a whole it does not jump away from the picture.
    if (card && !matchMedia("(max-width: 53rem)").matches) card.element.scrollIntoView({ block: "nearest" });
  }

  /** A dot at each unit that the recipe changes. @param {Set<number>} units */
  mark(units) {
    for (const unit of this.units) {
      const card = this.#cards.get(unit.unit);
      if (card) card.dot.hidden = !units.has(unit.unit);
    }
  }
}

/** Its IoU, with the interval as a line. @param {Unit} unit */
function iouBar({ iou, iou_interval: interval }) {
  const bar = h("span", { class: "bar" });
  bar.style.transform = `scaleX(${Math.min(1, Math.max(0, (iou ?? 0) / FULL_IOU))})`;
  const line = h("span", { class: "interval" });
  if (interval) {
    const [low, high] = interval.map((at) => Math.min(1, Math.max(0, at / FULL_IOU)));
    line.style.left = `${low * 100}%`;
    line.style.width = `${(high - low) * 100}%`;
  }
  return h("span", { class: "iou", "aria-hidden": "true" }, bar, interval ? line : null);
}
