/** What all rooms share: the server, the state, the open model, and what is said above them. */

/** @import { Concept, Info, Model } from "./types.js" */
/** @import { Recipe } from "./recipe.js" */
/** @import { Scene } from "./store.js" */

import { Api, ApiError, Lost } from "./api.js";
import { h } from "./dom.js";
import { follow } from "./events.js";
import { forgetImages } from "./images.js";
import { Pictures } from "./pictures.js";
import { checkAgainst, RecipeError } from "./recipe.js";
import { PLAIN, Store } from "./store.js";
import { duration, sentences } from "./words.js";

/** The picture that a model opens with. */
const FIRST_SEED = 7;
/** Images of a dissection that is begun from the page. */
const SAMPLES = 2000;

/**
 * @typedef {object} Room
 * @property {string} id its name in the address
 * @property {string} title
 * @property {(element: HTMLElement, studio: Studio) => void} mount called once, before it is first entered
 * @property {() => void} enter it is seen from now on
 * @property {() => void} leave
 * @property {(event: KeyboardEvent, key: string) => boolean} [keys] a key outside of text fields; true if it did something
 *
 * @typedef {object} Notice
 * @property {"wrong" | "note"} kind
 * @property {string} lead what happened
 * @property {string} text what to do
 * @property {{text: string, run: () => void}[]} [buttons]
 * @property {HTMLElement} [extra] as a bar of progress
 */

export class Studio {
  store = new Store({ seed: FIRST_SEED });
  /** @type {Info | null} */
  info = null;
  /** @type {Model | null} */
  model = null;
  /** Of the dissection, best first; null until they are known. @type {Concept[] | null} */
  concepts = null;
  /** Concepts of the person's own, which live in this page. @type {Concept[]} */
  own = [];
  /** Goes to a room. @type {(room: string) => void} */
  go = () => {};
  /** Lets the person choose a recipe or a picture. @type {() => void} */
  choose = () => {};
  /** Takes a photo to the room for photos, where there is one. @type {((file: File) => void) | null} */
  takePhoto = null;
  #banners;
  /** @type {Map<string, HTMLElement>} */
  #notices = new Map();
  /** @type {Map<string, Scene>} */
  #scenes = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #opening = new AbortController();
  /** @type {(text: string) => void} */
  tell = () => {};

  /**
   * @param {string | null} token
   * @param {HTMLElement} banners
   */
  constructor(token, banners) {
    this.api = new Api(token);
    this.pictures = new Pictures(this.api, this.store);
    this.#banners = banners;
  }

  /** Calls `listener` when a model was opened, or more of it is known. @param {() => void} listener */
  onModel(listener) {
    this.#listeners.add(listener);
  }

  changed() {
    for (const listener of this.#listeners) listener();
  }

  /** The palette: own concepts first. @returns {Concept[] | null} */
  get palette() {
    return this.concepts && [...this.own, ...this.concepts];
  }

  /**
   * Says something above the rooms, until it is over (null).
   * @param {string} about one notice stands for one thing
   * @param {Notice | null} notice
   */
  notice(about, notice) {
    this.#notices.get(about)?.remove();
    this.#notices.delete(about);
    if (!notice) return;
    const close = () => this.notice(about, null);
    const banner = h(
      "div",
      { class: `banner ${notice.kind}`, role: notice.kind === "wrong" ? "alert" : "status" },
      h("p", {}, h("b", {}, notice.lead), " ", notice.text),
      notice.extra,
      ...(notice.buttons ?? []).map(({ text, run }) => h("button", { type: "button", onclick: run }, text)),
      h("button", { type: "button", class: "bare icon", "aria-label": "Close", title: "Close", onclick: close }, "×"),
    );
    this.#notices.set(about, banner);
    this.#banners.append(banner);
  }

  /**
   * @param {string} about
   * @param {string} lead
   * @param {unknown} error
   */
  fault(about, lead, error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    const text = sentences(/** @type {Error} */ (error).message, error instanceof ApiError ? error.hint : null);
    this.notice(about, { kind: "wrong", lead, text });
  }

  /**
   * Learns what there is and opens a model: that of the recipe, where the address holds one.
   * @param {(() => Promise<Recipe>) | null} read
   */
  async begin(read) {
    this.info = /** @type {Info} */ (await this.api.patient(() => this.api.json("studio")));
    this.changed();
    /** @type {Recipe | undefined} */
    let recipe;
    try {
      recipe = await read?.();
    } catch (error) {
      this.#unopened("The link", error);
    }
    const usable = this.info.models.filter(({ error }) => !error);
    const named = usable.find(({ name }) => name === recipe?.model?.name);
    const first = named?.id ?? usable[0]?.id;
    if (first) await this.open(first, recipe);
  }

  /**
   * Opens a model, with what was painted in it before.
   * @param {string} id
   * @param {Recipe} [recipe] to begin with
   */
  async open(id, recipe) {
    this.#opening.abort();
    this.#opening = new AbortController();
    const { signal } = this.#opening;
    if (this.model) this.#scenes.set(this.model.id, this.store.scene);
    const path = `models/${id}`;
    const concepts = this.api.patient(() => this.api.json(`${path}/concepts`, { signal }), signal).catch((error) => error);
    let model;
    try {
      model = /** @type {Model} */ (await this.api.patient(() => this.api.json(path, { signal }), signal));
    } catch (error) {
      if (!signal.aborted) this.fault("model", `${id} was not opened.`, error);
      return;
    }
    if (signal.aborted) return;
    this.notice("model", null);
    this.model = model;
    this.concepts = null;
    this.pictures.forget();
    forgetImages();
    let scene = this.#scenes.get(id) ?? { latent: { seed: FIRST_SEED }, ...PLAIN, strokes: [] };
    try {
      if (recipe) {
        if (recipe.model && recipe.model.blake3 !== model.blake3) throw otherModel(recipe.model, model);
        checkAgainst(recipe, model);
        scene = { ...scene, ...pictureOf(recipe), strokes: this.store.numbered(recipe.edits) };
      }
    } catch (error) {
      this.#unopened("The link", error);
    }
    this.store.reset({ id, name: model.name, blake3: model.blake3 }, scene);
    this.changed();
    const found = await concepts;
    if (signal.aborted) return;
    if (found instanceof Error) {
      this.concepts = [];
      if (model.dissection) this.fault("model", "The concepts did not come.", found);
    } else {
      this.concepts = found;
    }
    this.#dissection(model);
    const text = model.notes.join(" ");
    this.notice("notes", text ? { kind: "note", lead: `${model.name}:`, text } : null);
    this.changed();
  }

  /** @param {Model} model */
  #dissection(model) {
    const begin = { text: "Dissect it now", run: () => void this.dissect(model) };
    if (model.dissection_problem) {
      const { message, hint } = model.dissection_problem;
      this.notice("dissection", { kind: "wrong", lead: "This dissection is not used.", text: sentences(message, hint), buttons: [begin] });
    } else if (!model.dissection) {
      const text =
        "One of 2,000 images takes about half a minute on two cores, and makes the palette. Painting waits for it; single units can be switched without it.";
      this.notice("dissection", { kind: "note", lead: "This model has no dissection yet.", text, buttons: model.segmenter ? [begin] : [] });
    } else {
      this.notice("dissection", null);
    }
  }

  /** @param {Model} model */
  async dissect(model) {
    const bar = h("span");
    const extra = h("div", { class: "progress", role: "progressbar", "aria-label": "Dissection", "aria-valuemin": 0, "aria-valuemax": 100 }, bar);
    const ending = new AbortController();
    try {
      const { id } = await this.api.json(`models/${model.id}/dissections`, { body: { samples: SAMPLES } });
      const cancel = {
        text: "Stop",
        run: () => {
          ending.abort();
          this.api.ask(`jobs/${id}`, { method: "DELETE" }).catch(() => undefined);
          this.#dissection(model);
        },
      };
      /** @param {import("./types.js").Job} job */
      const show = (job) => {
        const share = job.of ? job.done / job.of : 0;
        bar.style.transform = `scaleX(${share})`;
        extra.setAttribute("aria-valuenow", String(Math.round(share * 100)));
        const left = job.left === null ? "" : `, about ${duration(job.left)} left`;
        this.notice("dissection", { kind: "note", lead: `Dissecting ${model.name}.`, text: sentences(`${job.stage || "waiting"}${left}`), buttons: [cancel], extra });
      };
      const job = await follow(this.api, id, show, ending.signal);
      if (ending.signal.aborted) return;
      if (job.state !== "done") throw new Error(job.error ? sentences(job.error.message, job.error.hint) : "It was stopped.");
      if (this.model?.id === model.id) await this.open(model.id);
    } catch (error) {
      if (!ending.signal.aborted) this.fault("dissection", "The dissection did not come to its end.", error);
    }
  }

  /**
   * Shows a recipe from a file, a picture or a link; one step that can be undone. What cannot be shown is said, and nothing changes.
   * @param {() => Recipe | Promise<Recipe>} read
   * @param {string} name of the file
   */
  async openRecipe(read, name) {
    try {
      const recipe = await read();
      if (recipe.model && recipe.model.blake3 !== this.model?.blake3) await this.#modelOf(recipe.model);
      if (!this.model) return;
      checkAgainst(recipe, this.model);
      this.store.change({ ...pictureOf(recipe), strokes: this.store.numbered(recipe.edits) });
      this.store.seal();
      this.notice("recipe", null);
    } catch (error) {
      this.#unopened(name, error);
    }
  }

  /** @param {string} name @param {unknown} error */
  #unopened(name, error) {
    if (!(error instanceof RecipeError) && !(error instanceof ApiError) && !(error instanceof Lost)) throw error;
    this.notice("recipe", { kind: "wrong", lead: `${name} was not opened.`, text: `${sentences(error.message)} Nothing was changed.`, buttons: [{ text: "Choose another", run: () => this.choose() }] });
  }

  /** @param {{name: string, blake3: string}} wanted */
  async #modelOf(wanted) {
    const before = this.model;
    const other = this.info?.models.find(({ id, name, error }) => name === wanted.name && id !== before?.id && !error);
    if (other) await this.open(other.id);
    const model = /** @type {Model | null} */ (this.model);
    if (model?.blake3 === wanted.blake3) return;
    if (other && before) await this.open(before.id);
    throw otherModel(wanted, before);
  }
}

/** The picture of a recipe, where it names one. @param {Recipe} recipe */
const pictureOf = ({ latent, truncation = 1, truncation_layers: layers, class: label = "" }) => (latent ? { latent, truncation, layers, label } : {});

/**
 * @param {{name: string, blake3: string}} wanted
 * @param {Model | null} open
 */
function otherModel({ name, blake3 }, open) {
  const here = open ? `open is “${open.name}” (${open.blake3.slice(0, 4)}…)` : "none is open";
  return new RecipeError(`It was made with “${name}” (${blake3.slice(0, 4)}…); ${here}.`);
}
