/** Which picture: a seed, typed or taken in turn. */

/** @import { Studio } from "./studio.js" */

import { h, iconButton } from "./dom.js";
import { classControl } from "./label.js";
import { truncationControl } from "./truncation.js";
import { latentWords } from "./words.js";

/** Seeds that are drawn by chance are smaller, so that they can be said aloud. */
const CHANCE = 10_000;

export const anySeed = () => Math.floor(Math.random() * CHANCE);

/** @param {Studio} studio */
export function seedControl(studio) {
  const { store } = studio;
  const field = h("input", { type: "number", min: "0", step: "1", class: "grow figures", "aria-label": "Seed" });
  const words = h("small", {});
  const fault = h("p", { class: "fault small wrong", role: "alert", hidden: true });
  const seed = () => ("seed" in store.scene.latent ? store.scene.latent.seed : null);
  /** @param {number} next @param {string} [group] */
  const set = (next, group) => {
    if (next !== seed()) store.change({ latent: { seed: next } }, group);
  };
  const step = /** @param {-1 | 1} by */ (by) => set(Math.max(0, (seed() ?? 0) + by));
  const say = /** @param {string} text */ (text) => {
    fault.textContent = text;
    fault.hidden = !text;
    field.setAttribute("aria-invalid", String(Boolean(text)));
  };
  field.addEventListener("input", () => {
    if (field.value === "" && !field.validity.badInput) return say("");
    const next = Number(field.value);
    if (field.validity.badInput || !Number.isSafeInteger(next) || next < 0) return say("A seed is a whole number from 0 on.");
    say("");
    set(next, "seed");
  });
  field.addEventListener("blur", () => {
    store.seal();
    say("");
    show();
  });
  const before = iconButton("before", "Seed before (,)", () => step(-1));
  const buttons = [before, iconButton("next", "Next seed (.)", () => step(1)), iconButton("any", "Any seed (N)", () => set(anySeed()))];
  function show() {
    const now = seed();
    before.disabled = now === 0;
    if (document.activeElement !== field || Number(field.value) !== now) field.value = now === null ? "" : String(now);
    words.textContent = now === null ? `Now: ${latentWords(store.scene.latent)}.` : "Strokes stay when the seed changes.";
  }
  store.subscribe(show);
  show();
  const element = h(
    "section",
    { "aria-label": "Seed" },
    h("h2", {}, "Picture"),
    h("div", { class: "row" }, buttons[0], field, buttons[1], buttons[2]),
    fault,
    words,
    classControl(studio),
    truncationControl(studio),
  );
  /** @param {string} key @returns {boolean} */
  const keys = (key) => {
    if (key === ",") step(-1);
    else if (key === ".") step(1);
    else if (key === "n") set(anySeed());
    else return false;
    return true;
  };
  return { element, keys };
}
