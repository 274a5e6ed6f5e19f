/** What the server says about units: what a dissection found, and how they are activated in the picture; each asked once and kept. */

/** @import { Studio } from "./studio.js" */
/** @import { Edit } from "./recipe.js" */
/** @import { Size } from "./types.js" */

import { Kept } from "./kept.js";
import { Newest } from "./newest.js";

/**
 * @typedef {object} Unit what a dissection says; all but the number is null without one
 * @property {number} unit
 * @property {string | null} label the class that it fits best, "category/name"
 * @property {number | null} iou
 * @property {[number, number] | null} iou_interval
 * @property {number | null} threshold above it the unit counts as on
 * @property {number | null} on share of pixels
 * @property {boolean} interpretable whether it fits the class better than chance
 * @property {{class: string, effect: number}[]} effects
 * @property {{seed: number, max: number}[]} top
 *
 * @typedef {{size: Size, unit: number, level: number | null, values: number[]}} UnitMap
 * @typedef {{unit: number, value: number, ratio: number | null, label: string | null}} Hit
 * @typedef {{cell: [number, number], units: Hit[]}} PixelAnswer
 * @typedef {{unit: number, max: number, mean: number, level: number | null}} Here a unit in the whole picture
 */

const KEPT = 200;

export class UnitAnswers {
  #studio;
  /** @type {Kept<any>} */
  #kept = new Kept(KEPT);
  #queues;

  /** @param {Studio} studio */
  constructor(studio) {
    this.#studio = studio;
    const queue = () =>
      new Newest(/** @param {{path: string, body: any}} order @param {AbortSignal} signal */ (order, signal) => this.#ask(order, signal), studio.api.again);
    this.#queues = { map: queue(), pixel: queue(), here: queue(), effects: queue() };
  }

  /** @param {{path: string, body: any}} order @param {AbortSignal} signal */
  async #ask({ path, body }, signal) {
    const key = `${path} ${JSON.stringify(body)}`;
    return this.#kept.get(key) ?? this.#kept.set(key, await this.#studio.api.json(path, { body, signal }));
  }

  get #model() {
    return `models/${this.#studio.model?.id}`;
  }

  /** All units of a layer, as a dissection has them. @param {string} layer @param {AbortSignal} signal @returns {Promise<Unit[]>} */
  async units(layer, signal) {
    const path = `${this.#model}/layers/${layer}/units`;
    const { api } = this.#studio;
    return this.#kept.get(path) ?? this.#kept.set(path, await api.patient(() => api.json(path, { signal }), signal));
  }

  /**
   * Where a unit is how strong; null if a newer question took its place.
   * @param {readonly Edit[]} strokes
   * @param {string} layer
   * @param {number} unit
   * @returns {Promise<UnitMap | null>}
   */
  async map(strokes, layer, unit) {
    const body = { recipe: this.#studio.store.recipe(strokes), layer, units: [unit] };
    const found = await this.#queues.map.ask({ path: `${this.#model}/activations`, body });
    return found && { ...found.units[0], size: found.size };
  }

  /**
   * The units at a pixel, the most responsible first.
   * @param {readonly Edit[]} strokes
   * @param {string} layer
   * @param {[number, number]} pixel row and column
   * @returns {Promise<PixelAnswer | null>}
   */
  pixel(strokes, layer, pixel) {
    return this.#queues.pixel.ask({ path: `${this.#model}/activations`, body: { recipe: this.#studio.store.recipe(strokes), layer, pixel } });
  }

  /**
   * All units of a layer in the picture.
   * @param {readonly Edit[]} strokes
   * @param {string} layer
   * @returns {Promise<Here[] | null>}
   */
  async here(strokes, layer) {
    const found = await this.#queues.here.ask({ path: `${this.#model}/activations`, body: { recipe: this.#studio.store.recipe(strokes), layer } });
    return found && found.units;
  }

  /**
   * The classes of the plain picture and of that with these edits alone.
   * @param {readonly Edit[]} edits
   * @returns {Promise<import("./types.js").Effects["classes"] | null>}
   */
  async effects(edits) {
    const found = await this.#queues.effects.ask({ path: `${this.#model}/effects`, body: { recipe: this.#studio.store.recipe(edits), stroke: null } });
    return found && found.classes;
  }

  /** Another model. */
  forget() {
    for (const queue of Object.values(this.#queues)) queue.drop();
    this.#kept.clear();
  }
}
