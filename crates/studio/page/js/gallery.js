/** Seeds in order, each with its picture: to paint, or to pin. */

/** @import { Studio } from "./studio.js" */

import { h, icon } from "./dom.js";
import { cut, sheet } from "./sheet.js";
import { lookKey } from "./store.js";

/** Pictures of one request. */
const PAGE = 48;
const COLUMNS = 8;
/** Milliseconds that a slider has to rest before all pictures are drawn anew. */
const REST = 120;

/**
 * @typedef {{seed: number, element: HTMLElement, canvas: HTMLCanvasElement, open: HTMLButtonElement, pin: HTMLButtonElement}} Tile
 */

export class Gallery {
  #studio;
  #on;
  /** @type {Tile[]} */
  #tiles = [];
  #first = 0;
  #shown = "";
  #looks = "";
  #later = 0;
  #asking = new AbortController();

  /**
   * @param {Studio} studio
   * @param {{paint: (seed: number) => void, pin: (seed: number) => void, pinned: (seed: number) => boolean}} on
   */
  constructor(studio, on) {
    this.#studio = studio;
    this.#on = on;
    this.strokes = h("input", { type: "checkbox", onchange: () => this.show() });
    this.withStrokes = h("label", { class: "line", hidden: true }, this.strokes, "with the strokes");
    this.list = h("ul", { class: "gallery" });
    this.more = h("button", { type: "button", onclick: () => this.#page() });
    this.element = h(
      "section",
      { "aria-label": "Gallery" },
      h("div", { class: "head" }, h("h2", {}, "Gallery"), h("div", { class: "row" }, this.withStrokes, h("small", { class: "keys-hint" }, "Enter paints a picture, P pins it"))),
      this.list,
      h("div", { class: "row" }, this.more),
    );
  }

  /** Begins at a seed. @param {number} seed */
  from(seed) {
    this.#first = seed;
    this.#shown = "";
    this.show();
    this.#tiles[0]?.open.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: "start" });
  }

  /** Shows the present state; asks only for what is not there. */
  show() {
    const { model, store } = this.#studio;
    if (!model) return;
    const painted = store.scene.strokes.some(({ hidden }) => !hidden);
    this.withStrokes.hidden = !painted;
    const edits = painted && this.strokes.checked ? store.scene.strokes : [];
    const shown = JSON.stringify([model.id, this.#first]);
    const looks = JSON.stringify([edits, lookKey(store.scene)]);
    const pages = Math.max(1, Math.ceil(this.#tiles.length / PAGE));
    if (shown !== this.#shown) {
      [this.#shown, this.#looks] = [shown, looks];
      this.#begin();
      this.#tiles = [];
      this.list.replaceChildren();
      for (let i = 0; i < pages; i += 1) this.#page();
    } else if (looks !== this.#looks) {
      this.#looks = looks;
      this.#begin();
      this.#later = setTimeout(() => {
        for (let i = 0; i < pages; i += 1) this.#draw(this.#tiles.slice(i * PAGE, (i + 1) * PAGE));
      }, REST);
    }
    const now = "seed" in store.scene.latent ? store.scene.latent.seed : null;
    for (const { seed, element, open, pin } of this.#tiles) {
      const pinned = this.#on.pinned(seed);
      element.classList.toggle("now", seed === now);
      element.classList.toggle("pinned", pinned);
      if (seed === now) open.setAttribute("aria-current", "true");
      else open.removeAttribute("aria-current");
      pin.setAttribute("aria-pressed", String(pinned));
    }
  }

  #page() {
    const from = this.#first + this.#tiles.length;
    const tiles = Array.from({ length: PAGE }, (_, i) => this.#tile(from + i));
    this.#tiles.push(...tiles);
    this.list.append(...tiles.map(({ element }) => element));
    const next = from + PAGE;
    this.more.textContent = `Seeds ${next} to ${next + PAGE - 1}`;
    this.#draw(tiles);
  }

  /** What is under way is not wanted any more. */
  #begin() {
    clearTimeout(this.#later);
    this.#asking.abort();
    this.#asking = new AbortController();
  }

  /** @param {Tile[]} tiles of one page */
  #draw(tiles) {
    const { store, api } = this.#studio;
    const edits = this.strokes.checked ? store.scene.strokes : [];
    const { signal } = this.#asking;
    const latents = tiles.map(({ seed }) => ({ seed }));
    api
      .patient(() => sheet(this.#studio, latents, { columns: COLUMNS, edits, signal }), signal)
      .then((blob) => cut(blob, COLUMNS, tiles.map(({ canvas }) => canvas)))
      .catch((error) => {
        if (!signal.aborted) this.#studio.fault("gallery", "The gallery was not drawn.", error);
      });
  }

  /** @param {number} seed @returns {Tile} */
  #tile(seed) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const open = h(
      "button",
      { type: "button", class: "open", "aria-label": `Paint seed ${seed}`, title: `Paint seed ${seed}`, onclick: () => this.#on.paint(seed) },
      canvas,
      h("span", { class: "figures" }, String(seed)),
    );
    const pin = h(
      "button",
      { type: "button", class: "pin", "aria-label": `Pin seed ${seed}`, title: "Pin (P)", "aria-pressed": "false", onclick: () => this.#on.pin(seed) },
      icon("pin"),
    );
    const element = h("li", {}, open, pin);
    element.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() === "p" && !event.ctrlKey && !event.altKey && !event.metaKey) {
        event.preventDefault();
        this.#on.pin(seed);
        return;
      }
      const tiles = this.#tiles.map((tile) => tile.open);
      const at = tiles.indexOf(open);
      const row = tiles.filter(({ offsetTop }) => offsetTop === tiles[0].offsetTop).length;
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - row, ArrowDown: at + row }[event.key];
      if (to === undefined || !tiles[to]) return;
      event.preventDefault();
      tiles[to].focus();
    });
    return { seed, element, canvas, open, pin };
  }
}
