/** What strokes did, as the segmenter sees it: counted once for each state and kept. */

/** @import { Effects, StrokeEffect } from "./types.js" */
/** @import { Studio } from "./studio.js" */
/** @import { Stroke } from "./store.js" */

import { Kept } from "./kept.js";

/**
 * @typedef {{state: "waiting"} | {state: "none"} | {state: "failed", why: string} | {state: "done", effect: StrokeEffect}} Result
 */

/** As many answers are kept. */
const KEPT = 400;

export class Results {
  #studio;
  /** @type {Kept<Effects | Error>} */
  #kept = new Kept(KEPT);
  /** Keys of the state `#keyed`, by stroke. @type {Map<number | null, string>} */
  #keys = new Map();
  /** @type {import("./store.js").Scene | null} */
  #keyed = null;
  #asking = new AbortController();
  /** The state that is being counted. @type {import("./store.js").Scene | null} */
  #counted = null;
  /** @type {() => void} */
  #changed;
  /** The stroke that is looked at: it is counted first. @type {number | null} */
  first = null;
  /** Whether classes are shown, so that they are counted without a stroke too. */
  classesWanted = false;

  /**
   * @param {Studio} studio
   * @param {() => void} changed called when more is known
   */
  constructor(studio, changed) {
    this.#studio = studio;
    this.#changed = changed;
  }

  /** @param {Stroke} stroke @returns {Result} */
  of(stroke) {
    if (!this.#studio.model?.segmenter || stroke.hidden || stroke.class === undefined) return { state: "none" };
    const found = this.#kept.get(this.#key(stroke));
    if (!found) return { state: "waiting" };
    if (found instanceof Error) return { state: "failed", why: found.message };
    return found.stroke ? { state: "done", effect: found.stroke } : { state: "none" };
  }

  /** The classes of the whole picture, without strokes and with all; null until they are counted. */
  get classes() {
    const found = this.#kept.get(this.#key(null));
    return found instanceof Error || !found ? null : found.classes;
  }

  /** Forgets what is under way: the state has changed. */
  stop() {
    this.#asking.abort();
  }

  /** Counts what is not known yet, one after the other; what failed is tried again. */
  async count() {
    const { model, store, api } = this.#studio;
    if (!model?.segmenter || (this.#counted === store.scene && !this.#asking.signal.aborted)) return;
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    this.#counted = store.scene;
    const asked = [...store.scene.strokes].reverse().filter((stroke) => ["waiting", "failed"].includes(this.of(stroke).state));
    const chosen = asked.findIndex(({ id }) => id === this.first);
    if (chosen > 0) asked.unshift(...asked.splice(chosen, 1));
    const visible = store.scene.strokes.some(({ hidden }) => !hidden);
    /** @type {(Stroke | null)[]} */
    const queue = asked;
    if (!this.classes && !asked.length && (visible || this.classesWanted)) queue.push(null);
    for (const stroke of queue) {
      const index = stroke && store.scene.strokes.indexOf(stroke);
      const [key, whole] = [this.#key(stroke), this.#key(null)];
      const body = { recipe: store.recipe(), stroke: index };
      try {
        /** @type {Effects} */
        const effects = await api.patient(() => api.json(`models/${model.id}/effects`, { body, signal }), signal);
        this.#kept.set(key, effects);
        this.#kept.set(whole, effects);
      } catch (error) {
        if (signal.aborted) return;
        this.#kept.set(key, /** @type {Error} */ (error));
      }
      this.#changed();
    }
    if (!signal.aborted) this.#counted = null;
  }

  /** What a result depends on: the strokes up to it, or all. @param {Stroke | null} stroke */
  #key(stroke) {
    const { scene } = this.#studio.store;
    if (this.#keyed !== scene) {
      this.#keyed = scene;
      this.#keys.clear();
    }
    const known = this.#keys.get(stroke?.id ?? null);
    if (known) return known;
    const { strokes } = scene;
    const upTo = stroke ? strokes.slice(0, strokes.findIndex(({ id }) => id === stroke.id) + 1) : strokes;
    const recipe = this.#studio.store.recipe(upTo.filter(({ hidden }) => !hidden));
    const key = `${stroke ? "stroke" : "whole"} ${JSON.stringify(recipe)}`;
    this.#keys.set(stroke?.id ?? null, key);
    return key;
  }
}
