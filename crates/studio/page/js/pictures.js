/** The picture of the present state and the one without strokes: asked for once, kept for undo, the newest wins. */

/** @import { Api } from "./api.js" */
/** @import { Store } from "./store.js" */
/** @import { Edit } from "./recipe.js" */

import { Kept } from "./kept.js";
import { Newest } from "./newest.js";

/** As many pictures are kept. */
const KEPT = 120;
/** No sign of waiting before this time, in milliseconds. */
const QUIET = 200;

/**
 * @typedef {{path: string, recipe: any, key: string, keep: boolean}} Order
 */

export class Pictures {
  /** @type {ImageBitmap | null} */
  after = null;
  /** @type {ImageBitmap | null} */
  before = null;
  /** Whether `after` shows the present state, strokes under way aside. */
  current = false;
  /** Why the present state could not be drawn. @type {Error | null} */
  failed = null;
  /** From asking to the picture, the last time, in milliseconds. @type {number | null} */
  milliseconds = null;
  #api;
  #store;
  #afters;
  #befores;
  /** @type {Kept<ImageBitmap>} */
  #kept = new Kept(KEPT);
  #wanted = "";
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {Set<(waiting: boolean) => void>} */
  #waiters = new Set();
  #timer = 0;

  /**
   * @param {Api} api
   * @param {Store} store
   */
  constructor(api, store) {
    this.#api = api;
    this.#store = store;
    const run = /** @param {Order} order @param {AbortSignal} signal */ (order, signal) => this.#render(order, signal);
    this.#afters = new Newest(run, api.again);
    this.#befores = new Newest(run, api.again);
    store.subscribe(() => this.ask());
  }

  /** Calls `listener` whenever a picture has come or failed. @param {() => void} listener */
  onChange(listener) {
    this.#listeners.add(listener);
  }

  /** Calls `listener` when waiting has become long, and when it is over. @param {(waiting: boolean) => void} listener */
  onWait(listener) {
    this.#waiters.add(listener);
  }

  /** Forgets all pictures: another model. */
  forget() {
    this.#afters.drop();
    this.#befores.drop();
    this.#kept.clear();
    this.after = null;
    this.before = null;
    this.#wanted = "";
  }

  /**
   * Asks for the picture of the state, or of other strokes on the same latent, as those under way.
   * @param {readonly Edit[]} [strokes]
   */
  ask(strokes) {
    if (!this.#store.model) return;
    const seen = (strokes ?? this.#store.scene.strokes).filter(({ hidden }) => !hidden);
    // Pictures of strokes under way are seen once.
    const after = { ...this.#order(seen), keep: strokes === undefined };
    const before = this.#order([]);
    this.#wanted = after.key;
    this.current = false;
    this.failed = null;
    const none = this.#kept.get(before.key);
    if (none) this.before = none;
    const known = this.#kept.get(after.key);
    if (known) {
      this.#afters.drop();
      this.#take(after.key, known, after.keep);
    } else {
      this.#wait();
      this.#afters.ask(after).then(
        (image) => image && this.#take(after.key, image, after.keep),
        (error) => this.#fail(after.key, error),
      );
    }
    if (none || before.key === after.key) return;
    this.#befores.ask(before).then(
      (image) => {
        if (!image || this.#order([]).key !== before.key) return;
        this.before = image;
        this.#tell();
      },
      () => undefined,
    );
  }

  /**
   * The bytes of a picture as the server gives them.
   * @param {object} recipe
   * @param {Record<string, string>} query
   */
  bytes(recipe, query) {
    const path = `models/${this.#store.model?.id}/render`;
    return this.#api.patient(() => this.#api.blob(path, { body: recipe, query }));
  }

  /** @param {readonly Edit[]} strokes @returns {Order} */
  #order(strokes) {
    const recipe = this.#store.recipe(strokes);
    const path = `models/${this.#store.model?.id}/render`;
    return { path, recipe, key: JSON.stringify(recipe), keep: true };
  }

  /** @param {Order} order @param {AbortSignal} signal */
  async #render({ path, recipe, key, keep }, signal) {
    const known = this.#kept.get(key);
    if (known) return known;
    const from = performance.now();
    const image = await createImageBitmap(await this.#api.blob(path, { body: recipe, signal }));
    this.milliseconds = performance.now() - from;
    return keep ? this.#kept.set(key, image) : image;
  }

  /** @param {string} key @param {ImageBitmap} image @param {boolean} whole */
  #take(key, image, whole) {
    const present = key === this.#wanted;
    this.after = image;
    if (key === this.#order([]).key) this.before = image;
    this.current = present && whole;
    if (present) this.#wait(false);
    this.#tell();
  }

  /** @param {string} key @param {Error} error */
  #fail(key, error) {
    if (key !== this.#wanted) return;
    this.failed = error;
    this.#wait(false);
    this.#tell();
  }

  #wait(on = true) {
    if (on) {
      this.#timer ||= setTimeout(() => this.#waiters.forEach((listener) => listener(true)), QUIET);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = 0;
    for (const listener of this.#waiters) listener(false);
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}
