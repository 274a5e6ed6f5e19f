/** The palette: what can be drawn, found by name, each with its picture and how much its units do. */

/** @import { Studio } from "./studio.js" */
/** @import { Concept } from "./types.js" */

import { h, unique } from "./dom.js";
import { lazyImage } from "./images.js";
import { percent } from "./words.js";

export class Palette {
  /** @type {Concept | null} */
  chosen = null;
  #studio;
  #change;
  #name = unique("concept");
  #shown = "";

  /**
   * @param {Studio} studio
   * @param {() => void} change another concept was chosen
   */
  constructor(studio, change) {
    this.#studio = studio;
    this.#change = change;
    this.find = h("input", { type: "search", placeholder: "Find ( / )", autocomplete: "off", "aria-label": "Find a concept", oninput: () => this.#filter() });
    this.list = h("div", { class: "concepts", role: "radiogroup", "aria-label": "Concept" });
    this.what = h("small", {});
    this.none = h("p", { class: "small", role: "status" });
    this.element = h(
      "section",
      { class: "palette", "aria-label": "Concepts" },
      h("div", { class: "head" }, h("h2", {}, "Concept"), this.what),
      this.find,
      this.list,
      this.none,
    );
    this.find.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#visible()[0]?.click();
      if (event.key === "Escape" && this.find.value) {
        this.find.value = "";
        this.#filter();
      }
    });
  }

  /** Shows the concepts of the open model. */
  show() {
    const concepts = this.#studio.palette;
    const { model } = this.#studio;
    const shown = model && concepts ? `${model.id} ${concepts.map(({ id }) => id).join(" ")}` : "";
    if (shown === this.#shown && this.list.childElementCount) return;
    this.#shown = shown;
    this.find.disabled = !concepts?.length;
    const shares = concepts?.some(({ share }) => share !== null) ?? false;
    this.what.textContent = concepts?.length ? (shares ? "20 units take away" : "IoU of the best unit") : "";
    this.what.title = shares
      ? "Share of the class's pixels that goes when its 20 best units are off; IoU where no search was made"
      : "How well the best unit's place agrees with the class's (intersection over union)";
    if (!concepts) {
      this.list.replaceChildren(h("div", { class: "bones", "aria-hidden": "true" }, ...Array.from({ length: 9 }, () => h("span"))));
      return;
    }
    if (!concepts.length) {
      const text = "Concepts come from a dissection. Units can be switched without one.";
      this.list.replaceChildren(h("div", { class: "empty" }, h("b", {}, "No concepts"), h("span", { class: "small" }, text)));
      this.choose(null);
      return;
    }
    this.list.replaceChildren(...concepts.map((concept) => this.#row(concept)));
    this.choose(concepts.find(({ id }) => id === this.chosen?.id) ?? concepts[0]);
    this.#filter();
  }

  /** @param {Concept | null} concept */
  choose(concept) {
    this.chosen = concept;
    for (const input of this.list.querySelectorAll("input")) input.checked = input.value === concept?.id;
    this.#change();
  }

  /** The n-th that is shown, from 1. @param {number} n */
  nth(n) {
    const input = this.#visible()[n - 1];
    const concept = input && this.#studio.palette?.find(({ id }) => id === input.value);
    if (!concept) return false;
    this.choose(concept);
    input.closest("label")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  }

  /** @param {Concept} concept */
  #row(concept) {
    const { id, name, category, share, iou, layer, own } = concept;
    const strength = share ?? iou;
    const bar = h("span");
    bar.style.transform = `scaleX(${Math.min(1, Math.max(0, strength))})`;
    const told = share === null ? `IoU ${iou.toFixed(2)}` : `${percent(share)} of its pixels go with 20 units`;
    const several = this.#studio.palette?.some((other) => other.name === name && other.id !== id);
    return h(
      "label",
      { class: "concept", title: `${name} (${category}), layer ${layer}: ${told}`, "data-name": `${name} ${category}`.toLowerCase() },
      h("input", { type: "radio", name: this.#name, value: id, onchange: () => this.choose(concept) }),
      own
        ? h("span", { class: "picture", "aria-hidden": "true" })
        : lazyImage(this.#studio.api, `models/${this.#studio.model?.id}/concepts/${id}/picture.png`, "", { class: "picture", width: 48, height: 48 }),
      h("span", { class: "name" }, name, several ? h("small", {}, ` ${category}`) : null),
      h(
        "span",
        { class: "strength" },
        h("span", { class: "meter", "aria-hidden": "true" }, bar),
        h("span", {}, share === null ? iou.toFixed(2) : percent(share)),
      ),
    );
  }

  #visible() {
    return [...this.list.querySelectorAll("input")].filter((input) => !input.closest("label")?.hidden);
  }

  #filter() {
    const words = this.find.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const label of this.list.querySelectorAll("label")) {
      label.hidden = !words.every((word) => label.dataset.name?.includes(word));
      if (!label.hidden) found += 1;
    }
    this.none.textContent = found || !words.length ? "" : `No concept has “${this.find.value.trim()}” in its name.`;
    this.none.hidden = !this.none.textContent;
  }
}
