/** A plane between four seeds: a map of small pictures with two handles, the pictures there, and the way from one to the other. */

/** @import { Studio } from "./studio.js" */
/** @import { Latent } from "./recipe.js" */

import { h } from "./dom.js";
import { Newest } from "./newest.js";
import { cut, sheet } from "./sheet.js";
import { lookKey } from "./store.js";
import { latentWords, percent, planeShares } from "./words.js";

/** Pictures on a side of the map; together a request's most. */
const SIDE = 8;
/** Pictures from one handle to the other. */
const WAY = 8;
/** An arrow key moves a handle by so much. */
const STEP = 1 / 40;
const CORNERS = ["top left", "top right", "bottom left", "bottom right"];

export class Plane {
  #studio;
  /** @type {[number, number, number, number]} */
  #seeds = [7, 19, 25, 17];
  /** @type {[number, number][]} */
  #at = [
    [0.3, 0.4],
    [0.75, 0.7],
  ];
  #mapped = "";
  #shown = "";
  #maps;
  #ways;

  /**
   * @param {Studio} studio
   * @param {(latent: Latent) => void} paint
   */
  constructor(studio, paint) {
    this.#studio = studio;
    const { again } = studio.api;
    this.#maps = new Newest(/** @param {Latent[]} latents @param {AbortSignal} signal */ (latents, signal) => sheet(studio, latents, { columns: SIDE, signal }), again);
    this.#ways = new Newest(/** @param {Latent[]} latents @param {AbortSignal} signal */ (latents, signal) => sheet(studio, latents, { signal }), again);
    this.tiles = Array.from({ length: SIDE * SIDE }, () => h("canvas", {}));
    this.corners = this.#seeds.map((seed, i) => {
      const field = h("input", {
        type: "number",
        min: "0",
        step: "1",
        value: String(seed),
        class: `corner figures ${i % 2 ? "end" : "start"} ${i > 1 ? "low" : "high"}`,
        "aria-label": `Seed of the ${CORNERS[i]} corner`,
        title: `Seed of the ${CORNERS[i]} corner`,
      });
      field.addEventListener("input", () => {
        const value = Number(field.value);
        const fits = field.value !== "" && Number.isSafeInteger(value) && value >= 0;
        field.setAttribute("aria-invalid", String(!fits));
        if (!fits) return;
        this.#seeds[i] = value;
        this.show();
      });
      field.addEventListener("blur", () => {
        field.value = String(this.#seeds[i]);
        field.setAttribute("aria-invalid", "false");
      });
      return field;
    });
    this.handles = this.#at.map((_, i) => this.#handle(i));
    this.map = h("div", { class: "plane" }, h("div", { class: "tiles", "aria-hidden": "true" }, ...this.tiles), ...this.handles);
    this.map.addEventListener("pointerdown", (event) => this.#grab(event));
    this.pictures = this.#at.map(() => h("canvas", { class: "shown", role: "img" }));
    this.captions = this.#at.map(() => h("small", { class: "figures" }));
    const figures = this.#at.map((_, i) =>
      h(
        "figure",
        {},
        this.pictures[i],
        h("figcaption", {}, h("span", { class: `handle-name handle-${i + 1}`, "aria-hidden": "true" }, String(i + 1)), this.captions[i]),
      ),
    );
    const buttons = this.#at.map((_, i) => h("button", { type: "button", onclick: () => paint(this.#latent(this.#at[i])) }, `Paint ${i + 1}`));
    this.strip = Array.from({ length: WAY }, () => h("canvas", {}));
    this.element = h(
      "section",
      { "aria-label": "Between four" },
      h("div", { class: "head" }, h("h2", {}, "Between four"), h("small", {}, "drag 1 and 2; corners are seeds")),
      h("div", { class: "plane-row" }, h("div", { class: "plane-frame" }, this.map, ...this.corners), h("div", { class: "plane-figures" }, ...figures)),
      h("div", { class: "way", role: "img", "aria-label": "The way from 1 to 2" }, ...this.strip),
      h("div", { class: "row wrap" }, ...buttons, h("small", {}, "Below the plane: the way from 1 to 2.")),
    );
  }

  /** Draws what is not drawn yet. */
  show() {
    const id = this.#studio.model?.id;
    if (!id) return;
    this.handles.forEach((handle, i) => {
      const [x, y] = this.#at[i];
      handle.style.left = `${x * 100}%`;
      handle.style.top = `${y * 100}%`;
      const words = latentWords(this.#latent(this.#at[i]));
      handle.setAttribute("aria-valuenow", String(Math.round(x * 100)));
      handle.setAttribute("aria-valuetext", words);
      this.captions[i].replaceChildren(...planeShares(this.#at[i]).map((share, corner) => h("span", {}, `${this.#seeds[corner]}: ${percent(share)}`)));
      this.pictures[i].setAttribute("aria-label", `Picture at ${i + 1}: ${words}`);
    });
    const mapped = `${id} ${this.#seeds} ${lookKey(this.#studio.store.scene)}`;
    if (mapped !== this.#mapped) {
      this.#mapped = mapped;
      const latents = this.tiles.map((_, i) => this.#latent([((i % SIDE) + 0.5) / SIDE, (Math.floor(i / SIDE) + 0.5) / SIDE]));
      this.#draw(this.#maps, latents, SIDE, this.tiles);
    }
    const shown = `${mapped} ${this.#at}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const [from, to] = this.#at;
    const between = Array.from({ length: WAY - 2 }, (_, i) => {
      const share = (i + 1) / (WAY - 1);
      return /** @type {[number, number]} */ ([from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share]);
    });
    const places = [from, ...between, to];
    this.#draw(this.#ways, places.map((place) => this.#latent(place)), WAY, this.strip, () => {
      this.pictures.forEach((picture, i) => {
        const source = this.strip[i ? WAY - 1 : 0];
        picture.width = source.width;
        picture.height = source.height;
        picture.getContext("2d")?.drawImage(source, 0, 0);
      });
    });
  }

  /** @param {[number, number]} at @returns {Latent} */
  #latent(at) {
    const round = /** @param {number} n */ (n) => Math.round(n * 1000) / 1000;
    return { plane: { seeds: [...this.#seeds], at: [round(at[0]), round(at[1])] } };
  }

  /**
   * @param {Newest<Latent[], Blob>} queue
   * @param {Latent[]} latents
   * @param {number} columns
   * @param {HTMLCanvasElement[]} canvases
   * @param {() => void} [then]
   */
  async #draw(queue, latents, columns, canvases, then) {
    try {
      const blob = await queue.ask(latents);
      if (!blob) return;
      await cut(blob, columns, canvases);
      then?.();
    } catch (error) {
      this.#mapped = this.#shown = "";
      this.#studio.fault("plane", "The plane was not drawn.", error);
    }
  }

  /** @param {number} i */
  #handle(i) {
    const handle = h(
      "div",
      {
        class: `handle handle-${i + 1}`,
        tabIndex: 0,
        role: "slider",
        "aria-label": `Handle ${i + 1}: arrow keys`,
        "aria-valuemin": 0,
        "aria-valuemax": 100,
      },
      String(i + 1),
    );
    handle.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!move) return;
      event.preventDefault();
      const by = event.shiftKey ? STEP * 4 : STEP;
      this.#move(i, this.#at[i][0] + move[0] * by, this.#at[i][1] + move[1] * by);
    });
    return handle;
  }

  /** @param {number} i @param {number} x @param {number} y */
  #move(i, x, y) {
    const within = /** @param {number} n */ (n) => Math.min(1, Math.max(0, n));
    this.#at[i] = [within(x), within(y)];
    this.show();
  }

  /** The handle under the pointer, or else the nearer one, follows it. @param {PointerEvent} event */
  #grab(event) {
    if (event.button !== 0) return;
    const place = /** @param {PointerEvent} one */ (one) => {
      const box = this.map.getBoundingClientRect();
      return /** @type {[number, number]} */ ([(one.clientX - box.left) / box.width, (one.clientY - box.top) / box.height]);
    };
    const [x, y] = place(event);
    const far = this.#at.map((at) => Math.hypot(at[0] - x, at[1] - y));
    const i = far[0] <= far[1] ? 0 : 1;
    event.preventDefault();
    this.handles[i].focus({ preventScroll: true });
    this.map.setPointerCapture(event.pointerId);
    const move = /** @param {PointerEvent} one */ (one) => this.#move(i, ...place(one));
    const done = () => {
      this.map.removeEventListener("pointermove", move);
      this.map.removeEventListener("pointerup", done);
      this.map.removeEventListener("pointercancel", done);
    };
    this.map.addEventListener("pointermove", move);
    this.map.addEventListener("pointerup", done);
    this.map.addEventListener("pointercancel", done);
    this.#move(i, x, y);
  }
}
