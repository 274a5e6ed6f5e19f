/** The colours of the segmenter's classes over the pictures. */

/** @import { Studio } from "./studio.js" */
/** @import { SegClass, Segmentation } from "./types.js" */

import { Kept } from "./kept.js";
import { Newest } from "./newest.js";

/** As many maps are kept. */
const KEPT = 40;

export class ClassOverlay {
  plane = 0;
  /** @type {CanvasImageSource | null} */
  after = null;
  /** @type {CanvasImageSource | null} */
  before = null;
  /** The classes of the present picture. @type {Segmentation | null} */
  found = null;
  #studio;
  #changed;
  /** @type {Kept<Segmentation>} */
  #kept = new Kept(KEPT);
  #afters;
  #befores;

  /** @param {Studio} studio @param {() => void} changed */
  constructor(studio, changed) {
    this.#studio = studio;
    this.#changed = changed;
    const run = /** @param {object} recipe @param {AbortSignal} signal */ (recipe, signal) => this.#ask(recipe, signal);
    this.#afters = new Newest(run, studio.api.again);
    this.#befores = new Newest(run, studio.api.again);
  }

  /** Asks for the classes of what is seen. */
  ask() {
    const { store } = this.#studio;
    const seen = store.scene.strokes.filter(({ hidden }) => !hidden);
    const fault = /** @param {unknown} error */ (error) => this.#studio.fault("classes", "The classes did not come.", error);
    this.#afters.ask(store.recipe(seen)).then((found) => {
      if (!found) return;
      this.found = found;
      this.after = this.#draw(found);
      if (!seen.length) this.before = this.after;
      this.#changed();
    }, fault);
    if (!seen.length) return;
    this.#befores.ask(store.recipe([])).then((found) => {
      if (!found) return;
      this.before = this.#draw(found);
      this.#changed();
    }, fault);
  }

  forget() {
    this.#afters.drop();
    this.#befores.drop();
    this.after = null;
    this.before = null;
    this.found = null;
  }

  /** @param {object} recipe @param {AbortSignal} signal @returns {Promise<Segmentation>} */
  async #ask(recipe, signal) {
    const key = JSON.stringify(recipe);
    return this.#kept.get(key) ?? this.#kept.set(key, await this.#studio.api.json(`models/${this.#studio.model?.id}/segmentation`, { body: { recipe }, signal }));
  }

  /** @param {Segmentation} found */
  #draw({ planes }) {
    const plane = planes[this.plane];
    const classes = /** @type {SegClass[] | undefined} */ (this.#studio.model?.segmenter?.planes[this.plane]?.classes);
    if (!plane || !classes) return null;
    const [height, width] = plane.size;
    const image = new ImageData(width, height);
    let at = 0;
    for (const [index, length] of plane.runs) {
      const known = classes[index];
      for (let i = at; i < at + length; i += 1) {
        if (!known || known.ignored) continue;
        image.data.set([...known.colour, 255], i * 4);
      }
      at += length;
    }
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d")?.putImageData(image, 0, 0);
    return canvas;
  }
}
