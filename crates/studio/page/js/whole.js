/** The classes of the whole picture, without strokes and with them; also the legend of their colours. */

/** @import { Studio } from "./studio.js" */
/** @import { Results } from "./results.js" */
/** @import { ClassOverlay } from "./overlay.js" */

import { choices, h } from "./dom.js";
import { count } from "./words.js";

/** As many classes are listed, those that changed most. */
const LISTED = 8;

export class WholePicture {
  #studio;
  #results;
  #overlay;
  #replane;
  #shown = "";

  /**
   * @param {Studio} studio
   * @param {Results} results
   * @param {ClassOverlay} overlay
   * @param {() => void} replane another plane of the segmenter was chosen
   */
  constructor(studio, results, overlay, replane) {
    this.#studio = studio;
    this.#results = results;
    this.#overlay = overlay;
    this.#replane = replane;
    this.body = h("div", { class: "whole" });
    this.planes = h("div", { hidden: true });
    this.element = h("section", { "aria-label": "Whole picture" }, h("h2", {}, "Whole picture"), this.planes, this.body);
  }

  /** Another model. */
  opened() {
    const { model } = this.#studio;
    const planes = model?.segmenter?.planes ?? [];
    this.#overlay.plane = 0;
    this.#shown = "";
    this.element.hidden = !model?.segmenter;
    this.planes.replaceChildren();
    if (planes.length < 2) return;
    const options = planes.map(({ name }, i) => ({ value: String(i), text: name }));
    const chooser = choices("Classes that are shown", options, "0", (plane) => {
      this.#overlay.plane = Number(plane);
      this.#replane();
      this.show(true);
    });
    chooser.element.classList.add("wide");
    this.planes.append(chooser.element);
  }

  /** @param {boolean} legend whether the classes' colours are over the picture */
  show(legend) {
    const { model, store } = this.#studio;
    if (!model?.segmenter) return;
    const { classes } = this.#results;
    const [, height, width] = model.image;
    const plane = model.segmenter.planes[this.#overlay.plane];
    this.planes.hidden = !legend || !this.planes.childElementCount;
    const painted = store.scene.strokes.some(({ hidden }) => !hidden);
    const shown = JSON.stringify([legend, painted, classes, model.id, plane?.name, this.#studio.pictures.failed?.message]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (!legend && !painted) {
      this.body.replaceChildren(h("p", { class: "small" }, "Nothing has changed."));
      return;
    }
    // Until they are counted the old ones stay.
    if (!classes && this.#studio.pictures.failed) {
      this.body.replaceChildren(h("p", { class: "small" }, "Not drawn, so not counted."));
      return;
    }
    if (!classes) {
      if (!this.body.querySelector("table")) this.body.replaceChildren(h("p", { class: "small" }, "counting …"));
      return;
    }
    const note = h("p", { class: "small note" }, `Pixels of ${count(height * width)}, by the segmenter ${model.segmenter.name}.`);
    if (legend) {
      const share = /** @param {number} n */ (n) => `${((100 * n) / (height * width)).toFixed(1)} %`;
      const rows = (plane?.classes ?? [])
        .map((known) => ({ known, found: classes.find(({ id }) => id === known.id) }))
        .filter(({ known, found }) => !known.ignored && found && found.before + found.after > 0)
        .map(({ known, found }) => {
          const swatch = h("span", { class: "swatch" });
          swatch.style.background = `rgb(${known.colour.join(" ")})`;
          return [h("span", {}, swatch, known.name), share(found?.before ?? 0), share(found?.after ?? 0)];
        });
      this.body.replaceChildren(table(["class", "before", "after"], rows), note);
      return;
    }
    const changed = classes
      .filter(({ before, after }) => before !== after)
      .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
    if (!changed.length) {
      this.body.replaceChildren(h("p", { class: "small" }, "No class has more or fewer pixels than before."));
      return;
    }
    const names = changed.map(({ name }) => name);
    const rows = changed.slice(0, LISTED).map(({ name, category, before, after }) => {
      const twice = names.indexOf(name) !== names.lastIndexOf(name);
      return [h("span", {}, twice ? `${name} (${category})` : name), count(before), count(after), change(before, after)];
    });
    this.body.replaceChildren(table(["class", "before", "after", "change"], rows), note);
  }
}

/** @param {number} before @param {number} after */
function change(before, after) {
  if (!before) return "new";
  const share = Math.round((100 * (after - before)) / before);
  return `${share > 0 ? "+" : share < 0 ? "−" : "±"}${count(Math.abs(share))} %`;
}

/**
 * @param {string[]} heads
 * @param {(string | HTMLElement)[][]} rows the first of each is its head
 */
function table(heads, rows) {
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...heads.map((head, i) => h("th", { scope: "col", class: i ? "n" : "" }, head)))),
    h(
      "tbody",
      {},
      ...rows.map(([head, ...cells]) => h("tr", {}, h("th", { scope: "row" }, head), ...cells.map((cell) => h("td", { class: "n" }, cell)))),
    ),
  );
}
