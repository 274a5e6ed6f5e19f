/** The one state of the page: which picture, and what is painted into it. Each state is kept whole and never changed, so undo is a list. */

import { plainRecipe } from "./recipe.js";

/**
 * @typedef {import("./recipe.js").Edit & {id: number}} Stroke an edit; the number names it within the page
 * @typedef {object} Look what is said of pictures beside their latents
 * @property {number} truncation
 * @property {number} [layers] how many have truncated styles; all if not given
 * @property {string} label the class; empty for each seed's own
 *
 * @typedef {Look & {latent: import("./recipe.js").Latent, strokes: readonly Stroke[]}} Scene
 * @typedef {{id: string, name: string, blake3: string}} ModelName
 */

/** Pictures as their latents have them. @type {Look} */
export const PLAIN = { truncation: 1, layers: undefined, label: "" };

/**
 * As a recipe has it.
 * @param {Look} look
 */
export const looking = ({ truncation, layers, label }) => ({ truncation, truncation_layers: layers, class: label || undefined });

/**
 * What tells it from others.
 * @param {Look} look
 */
export const lookKey = ({ truncation, layers, label }) => JSON.stringify([truncation, layers ?? null, label]);

/** As many steps can be undone. */
export const STEPS = 200;

export class Store {
  /** @type {Scene} */
  scene;
  /** @type {ModelName | null} */
  model = null;
  /** @type {Scene[]} */
  #past = [];
  /** @type {Scene[]} */
  #future = [];
  /** @type {string | null} */
  #group = null;
  #next = 1;
  /** @type {Set<(scene: Scene, before: Scene) => void>} */
  #listeners = new Set();

  /** @param {import("./recipe.js").Latent} latent */
  constructor(latent) {
    this.scene = { latent, ...PLAIN, strokes: [] };
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /**
   * Calls `listener` after each change. The answer stops it.
   * @param {(scene: Scene, before: Scene) => void} listener
   * @returns {() => void}
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {Scene} scene */
  #set(scene) {
    const before = this.scene;
    this.scene = scene;
    for (const listener of this.#listeners) listener(scene, before);
  }

  /**
   * One step. Steps of the same group in a row are one, as those of a slider that is dragged; `seal` ends a group.
   * @param {Partial<Scene>} patch
   * @param {string} [group]
   */
  change(patch, group) {
    if (group === undefined || group !== this.#group) {
      this.#past.push(this.scene);
      if (this.#past.length > STEPS) this.#past.shift();
    }
    this.#group = group ?? null;
    this.#future = [];
    this.#set({ ...this.scene, ...patch });
  }

  /** Ends a group of steps: the next change is a step of its own. */
  seal() {
    this.#group = null;
  }

  undo() {
    this.#walk(this.#past, this.#future);
  }

  redo() {
    this.#walk(this.#future, this.#past);
  }

  /**
   * @param {Scene[]} from
   * @param {Scene[]} to
   */
  #walk(from, to) {
    const scene = from.pop();
    if (!scene) return;
    this.#group = null;
    to.push(this.scene);
    this.#set(scene);
  }

  /**
   * Begins anew, without a way back: another model.
   * @param {ModelName} model
   * @param {Scene} scene
   */
  reset(model, scene) {
    this.model = model;
    this.#past = [];
    this.#future = [];
    this.#group = null;
    this.#set(scene);
  }

  /**
   * @param {number | null} id
   * @returns {Stroke | undefined}
   */
  stroke(id) {
    return this.scene.strokes.find((stroke) => stroke.id === id);
  }

  /**
   * Gives edits their numbers.
   * @param {import("./recipe.js").Edit[]} edits
   * @returns {Stroke[]}
   */
  numbered(edits) {
    return edits.map((edit) => ({ ...edit, id: this.#next++ }));
  }

  /**
   * @param {import("./recipe.js").Edit} edit
   * @returns {number} its number
   */
  add(edit) {
    const [stroke] = this.numbered([edit]);
    this.change({ strokes: [...this.scene.strokes, stroke] });
    return stroke.id;
  }

  /**
   * @param {number} id
   * @param {Partial<import("./recipe.js").Edit>} patch
   * @param {string} [group]
   */
  update(id, patch, group) {
    const strokes = this.scene.strokes.map((stroke) => (stroke.id === id ? { ...stroke, ...patch } : stroke));
    this.change({ strokes }, group);
  }

  /** @param {number} id */
  remove(id) {
    this.change({ strokes: this.scene.strokes.filter((stroke) => stroke.id !== id) });
  }

  /**
   * Earlier (-1) or later (1). At the ends nothing happens.
   * @param {number} id
   * @param {-1 | 1} by
   */
  move(id, by) {
    const strokes = [...this.scene.strokes];
    const at = strokes.findIndex((stroke) => stroke.id === id);
    const to = at + by;
    if (at < 0 || to < 0 || to >= strokes.length) return;
    [strokes[at], strokes[to]] = [strokes[to], strokes[at]];
    this.change({ strokes });
  }

  clear() {
    if (this.scene.strokes.length) this.change({ strokes: [] });
  }

  /**
   * What is seen now, as it is sent and saved.
   * @param {readonly import("./recipe.js").Edit[]} [strokes] others than those of the state
   * @returns {object}
   */
  recipe(strokes = this.scene.strokes) {
    const model = this.model ? { name: this.model.name, blake3: this.model.blake3 } : undefined;
    return plainRecipe({ format: 2, model, latent: this.scene.latent, ...looking(this.scene), edits: [...strokes] });
  }
}
