/** A concept of one's own: painted over in some pictures, then looked for among the units. */

/** @import { Studio } from "./studio.js" */
/** @import { Latent } from "./recipe.js" */
/** @import { Concept } from "./types.js" */

import { choices, h } from "./dom.js";
import { encodeRuns } from "./recipe.js";
import { lookKey } from "./store.js";
import { pictureWords, sentences } from "./words.js";

/** So many pictures are needed: with fewer, what they share by chance fits as well. */
export const NEEDED = 3;

/**
 * @typedef {import("./store.js").Look & {latent: Latent, mask: Uint8Array}} Example the mask is of the picture's pixels
 */

/**
 * Puts a stroke into an example, or takes it out of it.
 * @param {Uint8Array | undefined} mask
 * @param {Uint8Array} stroke
 * @param {boolean} away
 * @returns {Uint8Array | null} null if nothing is left
 */
export function joined(mask, stroke, away) {
  const out = new Uint8Array(stroke.length);
  for (let i = 0; i < out.length; i += 1) out[i] = stroke[i] ? (away ? 0 : 1) : (mask?.[i] ?? 0);
  return out.some((bit) => bit) ? out : null;
}

/** The quantile that drawing sets the units to: there is no class whose mean would be known. */
const VALUE = 0.99;

/** @param {string} name @param {string} layer @param {number[]} units @param {number[]} ious @returns {Concept} */
const ownConcept = (name, layer, units, ious) => ({
  id: `own/${name}`,
  name,
  category: "own",
  layer,
  by: "iou",
  units,
  share: null,
  iou: ious[0] ?? 0,
  own: true,
  contexts: [],
  value: { quantile: VALUE },
});

export class Examples {
  away = false;
  #studio;
  #on;
  #layer = "";
  /** By the picture's latent and truncation; strokes have no part in it. @type {Map<string, Example>} */
  #examples = new Map();
  #asking = false;

  /**
   * @param {Studio} studio
   * @param {{open: (open: boolean) => void, change: () => void, next: () => void, size: (share: number) => void, found: (concept: Concept) => void}} on
   */
  constructor(studio, on) {
    this.#studio = studio;
    this.#on = on;
    this.name = h("input", { type: "text", placeholder: "crooked window", autocomplete: "off", maxLength: 60, oninput: () => this.show() });
    this.mode = choices(
      "What painting does",
      /** @type {{value: "add" | "away", text: string}[]} */ ([
        { value: "add", text: "Mark" },
        { value: "away", text: "Unmark" },
      ]),
      "add",
      (mode) => (this.away = mode === "away"),
    );
    this.size = h("input", { type: "range", min: "2", max: "40", value: "10", "aria-label": "Size of the brush", oninput: () => this.#sized() });
    this.count = h("p", { class: "small", role: "status" });
    this.list = h("ul", { class: "examples" });
    this.find = h("button", { type: "button", class: "main", onclick: () => void this.#find() }, "Find its units");
    this.said = h("p", { class: "small", role: "status" });
    this.own = h("ul", { class: "own" });
    this.details = h(
      "details",
      { ontoggle: () => on.open(this.details.open) },
      h("summary", {}, "Name a concept of your own"),
      h(
        "div",
        { class: "own-concept" },
        h("p", { class: "small" }, "Paint over the thing in three or more pictures. The units that fit what you painted become a concept in the palette."),
        h("label", { class: "field" }, h("span", { class: "label" }, "Name"), this.name),
        h("div", { class: "row" }, this.mode.element, h("div", { class: "grow" }, this.size)),
        this.list,
        this.count,
        h("div", { class: "row wrap" }, h("button", { type: "button", onclick: () => on.next() }, "Next picture"), this.find),
        this.said,
        this.own,
      ),
    );
    this.element = h("section", { "aria-label": "Concept of your own" }, this.details);
  }

  get open() {
    return this.details.open;
  }

  #sized() {
    this.size.setAttribute("aria-valuetext", `${this.size.value} % of the picture's width`);
    this.#on.size(Number(this.size.value) / 100);
  }

  get #key() {
    const { scene } = this.#studio.store;
    return JSON.stringify([scene.latent, lookKey(scene)]);
  }

  /** What is painted in the present picture. */
  get mask() {
    return this.#examples.get(this.#key)?.mask ?? null;
  }

  /** Another model: its pictures are others. */
  forget() {
    this.#examples.clear();
    this.said.textContent = "";
    this.#sized();
    this.show();
  }

  /** @param {string} layer in which units are looked for */
  setLayer(layer) {
    this.#layer = layer;
    this.show();
  }

  /** @param {Uint8Array} stroke */
  paint(stroke) {
    const { latent, truncation, layers, label } = this.#studio.store.scene;
    const mask = joined(this.#examples.get(this.#key)?.mask, stroke, this.away);
    if (mask) this.#examples.set(this.#key, { latent, truncation, layers, label, mask });
    else this.#examples.delete(this.#key);
    this.show();
    this.#on.change();
  }

  show() {
    const left = NEEDED - this.#examples.size;
    const name = this.name.value.trim();
    this.count.textContent = `${this.#examples.size} of ${NEEDED}${left < 0 ? " or more" : ""} examples painted`;
    this.find.disabled = this.#asking || left > 0 || !name;
    this.find.title = left > 0 ? `${left} more to paint` : name ? "" : "It has no name yet";
    this.list.replaceChildren(
      ...[...this.#examples].map(([key, example]) => {
        const words = pictureWords(example);
        const show = h("button", { type: "button", class: "bare small", title: "Show this picture", onclick: () => this.#show(key) }, words);
        const drop = h("button", { type: "button", class: "bare small", "aria-label": `Drop the example in ${words}`, title: "Drop it", onclick: () => this.#drop(key) }, "×");
        return h("li", {}, show, drop);
      }),
    );
    this.own.replaceChildren(
      ...this.#studio.own.map((concept) =>
        h(
          "li",
          { class: "row" },
          h("span", { class: "grow" }, h("b", {}, concept.name), h("small", {}, ` layer ${concept.layer}, IoU ${concept.iou.toFixed(2)}`)),
          h("button", { type: "button", class: "bare small", "aria-label": `Forget ${concept.name}`, onclick: () => this.#forget(concept) }, "Forget"),
        ),
      ),
    );
  }

  /** @param {string} key */
  #show(key) {
    const example = this.#examples.get(key);
    if (example && key !== this.#key) {
      const { latent, truncation, layers, label } = example;
      this.#studio.store.change({ latent, truncation, layers, label });
    }
  }

  /** @param {string} key */
  #drop(key) {
    this.#examples.delete(key);
    this.show();
    this.#on.change();
    this.find.focus();
  }

  /** @param {Concept} concept */
  #forget(concept) {
    this.#studio.own = this.#studio.own.filter((one) => one !== concept);
    this.#studio.changed();
    this.show();
  }

  async #find() {
    const { model, api } = this.#studio;
    if (!model) return;
    const [, height, width] = model.image;
    const examples = [...this.#examples.values()].map(({ latent, truncation, layers, label, mask }) => ({
      latent,
      ...(truncation === 1 ? {} : { truncation, truncation_layers: layers }),
      ...(label ? { class: label } : {}),
      painted: { size: [height, width], runs: encodeRuns(mask) },
    }));
    const name = this.name.value.trim();
    const layer = this.#layer;
    this.#asking = true;
    this.said.textContent = "looking …";
    this.show();
    try {
      /** @type {{units: number[], ious: number[]}} */
      const { units, ious } = await api.patient(() => api.json(`models/${model.id}/concepts`, { body: { layer, examples } }));
      if (this.#studio.model !== model) return;
      const concept = ownConcept(name, layer, units, ious);
      this.#studio.own = [concept, ...this.#studio.own.filter(({ id }) => id !== concept.id)];
      this.#studio.changed();
      const best = concept.units.slice(0, 3).map((unit, i) => `unit ${unit} (IoU ${ious[i]?.toFixed(2)})`);
      this.said.replaceChildren(
        `${name} is in the palette. Units that fit it best: ${best.join(", ")}. `,
        h("button", { type: "button", class: "bare small", onclick: () => this.#studio.go("paint") }, "Paint with it"),
      );
      this.#on.found(concept);
    } catch (error) {
      const { message, hint } = /** @type {Error & {hint?: string | null}} */ (error);
      this.said.replaceChildren(h("span", { class: "wrong" }, `Not found: ${sentences(message, hint ?? null)}`));
    } finally {
      this.#asking = false;
      this.show();
    }
  }
}
