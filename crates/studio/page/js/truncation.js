/** How far latents, or the styles that are made of them, may be from the middle: below 1 pictures are more typical and more alike. */

/** @import { Studio } from "./studio.js" */

import { h, unique } from "./dom.js";
import { MOST_TRUNCATION } from "./recipe.js";

const STEP = 0.05;

/** @param {Studio} studio */
export function truncationControl(studio) {
  const { store } = studio;
  const id = unique("truncation");
  const now = h("span", { class: "now" });
  const slider = h("input", { type: "range", id, min: "0", max: String(MOST_TRUNCATION), step: String(STEP) });
  const back = h("button", { type: "button", class: "bare small", title: "Truncation 1: pictures as they are drawn" }, "Back to 1");
  slider.addEventListener("input", () => store.change({ truncation: Number(slider.value) }, "truncation"));
  slider.addEventListener("change", () => store.seal());
  back.addEventListener("click", () => {
    store.change({ truncation: 1 });
    slider.focus();
  });
  const element = h(
    "div",
    { class: "field truncation" },
    h("span", { class: "label" }, h("label", { for: id }, "Truncation"), h("span", {}, back, " ", now)),
    slider,
  );
  function show() {
    const { latent, truncation } = store.scene;
    element.hidden = !studio.model?.latent.truncation || "inversion" in latent;
    slider.value = String(truncation);
    slider.setAttribute("aria-valuetext", `${truncation} of the way from the middle`);
    now.textContent = truncation.toFixed(2);
    back.hidden = truncation === 1;
  }
  store.subscribe(show);
  studio.onModel(show);
  show();
  return element;
}
