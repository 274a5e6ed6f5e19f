/** A walk through pinned seeds: a slider, a picture, and play. */

/** @import { Studio } from "./studio.js" */
/** @import { Latent } from "./recipe.js" */

import { calm, h } from "./dom.js";
import { Newest } from "./newest.js";
import { plainRecipe } from "./recipe.js";
import { looking, lookKey } from "./store.js";
import { latentWords } from "./words.js";

/** Steps of the slider between two pins. */
const STEPS = 48;
/** The most pictures a second while it plays. */
const RATE = 12;
/** From one pin to the next while it plays, in seconds. */
const PACE = 4;

export class Walk {
  #studio;
  /** @type {number[]} */
  #pins = [];
  #shown;
  #playing = 0;
  #wanted = "";

  /**
   * @param {Studio} studio
   * @param {(latent: Latent) => void} paint
   */
  constructor(studio, paint) {
    this.#studio = studio;
    this.#shown = new Newest(
      /** @param {Latent} latent @param {AbortSignal} signal */ (latent, signal) => {
        const body = plainRecipe({ format: 2, latent, ...looking(studio.store.scene), edits: [] });
        return studio.api.blob(`models/${studio.model?.id}/render`, { body, signal }).then(createImageBitmap);
      },
      studio.api.again,
    );
    this.now = h("small", { class: "figures" });
    this.picture = h("canvas", { class: "shown", role: "img" });
    this.slider = h("input", { type: "range", min: "0", max: String(STEPS), step: "1", value: "0", "aria-label": "Where on the walk", oninput: () => this.show() });
    this.ticks = h("div", { class: "ticks figures", "aria-hidden": "true" });
    this.play = h("button", { type: "button", onclick: () => this.#toggle() }, "Play");
    this.take = h("button", { type: "button", onclick: () => paint(this.latent) }, "Paint this one");
    this.element = h(
      "section",
      { "aria-label": "Walk" },
      h("div", { class: "head" }, h("h2", {}, "Walk"), this.now),
      this.picture,
      this.slider,
      this.ticks,
      h("div", { class: "row wrap" }, this.play, this.take),
    );
  }

  /** @param {number[]} pins */
  setPins(pins) {
    const at = Number(this.slider.value);
    this.#pins = [...pins];
    const legs = Math.max(0, pins.length - 1);
    this.slider.max = String(Math.max(1, legs * STEPS));
    this.slider.value = String(Math.min(at, legs * STEPS));
    this.slider.disabled = this.play.disabled = legs === 0;
    const title = legs ? "" : "Pin two seeds or more in the gallery";
    this.slider.title = this.play.title = title;
    this.take.disabled = !pins.length;
    this.ticks.replaceChildren(...pins.map((seed) => h("span", {}, String(seed))));
    if (!legs) this.stop();
    this.show();
  }

  /** @returns {Latent} */
  get latent() {
    const at = Number(this.slider.value);
    const leg = Math.min(Math.floor(at / STEPS), Math.max(0, this.#pins.length - 2));
    const share = (at - leg * STEPS) / STEPS;
    const [a, b] = [this.#pins[leg] ?? 0, this.#pins[leg + 1] ?? 0];
    if (share === 0 || this.#pins.length < 2) return { seed: a };
    return share === 1 ? { seed: b } : { between: { seeds: [a, b], at: share } };
  }

  stop() {
    cancelAnimationFrame(this.#playing);
    this.#playing = 0;
    this.play.textContent = "Play";
  }

  #toggle() {
    if (this.#playing) {
      this.stop();
      return;
    }
    const most = Number(this.slider.max);
    const move = /** @param {number} to */ (to) => {
      this.slider.value = String(to);
      this.show();
    };
    if (calm()) {
      move((Number(this.slider.value) + STEPS / 8) % (most + 1));
      return;
    }
    // There and back, from where it stands.
    const from = performance.now() - (Number(this.slider.value) / STEPS) * PACE * 1000;
    let last = 0;
    const step = /** @param {number} time */ (time) => {
      this.#playing = requestAnimationFrame(step);
      if (time - last < 1000 / RATE - 4) return;
      last = time;
      const way = (((time - from) / 1000 / PACE) * STEPS) % (2 * most);
      move(Math.round(way > most ? 2 * most - way : way));
    };
    this.play.textContent = "Stop";
    this.#playing = requestAnimationFrame(step);
  }

  /** Draws what is not drawn yet. */
  show() {
    const { latent } = this;
    const words = this.#pins.length ? latentWords(latent) : "no seed is pinned";
    this.now.textContent = words;
    this.slider.setAttribute("aria-valuetext", words);
    this.picture.setAttribute("aria-label", `Picture on the walk: ${words}`);
    const key = JSON.stringify([this.#studio.model?.id, latent, lookKey(this.#studio.store.scene)]);
    if (!this.#pins.length || !this.#studio.model || key === this.#wanted) return;
    this.#wanted = key;
    this.#shown.ask(latent).then(
      (image) => {
        if (!image) return;
        this.picture.width = image.width;
        this.picture.height = image.height;
        this.picture.getContext("2d")?.drawImage(image, 0, 0);
      },
      (error) => {
        this.#wanted = "";
        this.#studio.fault("walk", "The walk was not drawn.", error);
      },
    );
  }
}
