/** The list of strokes, newest first: what each did, and what can be done with it. */

/** @import { Studio } from "./studio.js" */
/** @import { Stroke } from "./store.js" */
/** @import { Results } from "./results.js" */

import { h, icon, iconButton } from "./dom.js";
import { removes, resultShort, strokeName, strokeUnits } from "./feedback.js";
import { DRAW, edges, fill, line, REMOVE } from "./outline.js";
import { rasterOf } from "./recipe.js";
import { lookKey } from "./store.js";
import { percent } from "./words.js";

/** Side of a stroke's small picture, in device pixels. */
const THUMB = 96;

/**
 * @typedef {object} Row
 * @property {HTMLLIElement} element
 * @property {(stroke: Stroke, at: number, of: number) => void} update
 * @property {HTMLButtonElement} what
 */

export class StrokeList {
  /** @type {number | null} */
  chosen = null;
  /** @type {number | null} */
  hovered = null;
  #studio;
  #results;
  #on;
  /** @type {Map<number, Row>} */
  #rows = new Map();

  /**
   * @param {Studio} studio
   * @param {Results} results
   * @param {{choose: () => void, hover: () => void}} on
   */
  constructor(studio, results, on) {
    this.#studio = studio;
    this.#results = results;
    this.#on = on;
    this.number = h("small", { class: "figures" });
    this.clear = h("button", { type: "button", class: "bare small", onclick: () => studio.store.clear() }, "Clear all");
    this.list = h("ol", { class: "strokes", "aria-label": "Strokes, newest first" });
    this.empty = h(
      "div",
      { class: "empty" },
      h("b", {}, "No strokes yet"),
      h("span", { class: "small" }, "Choose a concept, then drag on the picture. Each stroke can be hidden, weakened, moved or taken away here."),
    );
    this.element = h(
      "section",
      {},
      h("div", { class: "head" }, h("h2", {}, "Strokes ", this.number), this.clear),
      this.empty,
      this.list,
    );
  }

  /** @param {number | null} id */
  choose(id) {
    if (this.chosen === id) return;
    this.chosen = id;
    this.show();
    this.#on.choose();
  }

  /** Takes the chosen stroke away; the focus goes to the next. @param {number} id */
  remove(id) {
    const { strokes } = this.#studio.store.scene;
    const at = strokes.findIndex((stroke) => stroke.id === id);
    if (at < 0) return;
    const focused = this.list.contains(document.activeElement);
    const next = strokes[at - 1] ?? strokes[at + 1] ?? null;
    this.#studio.store.remove(id);
    this.choose(next?.id ?? null);
    if (!focused) return;
    if (next) this.#rows.get(next.id)?.what.focus();
    else this.#studio.store.canUndo && document.getElementById("undo")?.focus();
  }

  /** Shows the present state. */
  show() {
    const { strokes } = this.#studio.store.scene;
    if (this.chosen !== null && !strokes.some(({ id }) => id === this.chosen)) this.chosen = null;
    this.number.textContent = strokes.length ? String(strokes.length) : "";
    this.clear.disabled = !strokes.length;
    this.empty.hidden = strokes.length > 0;
    for (const [id, row] of this.#rows) {
      if (strokes.some((stroke) => stroke.id === id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    const order = [...strokes].reverse();
    order.forEach((stroke, i) => {
      const row = this.#rows.get(stroke.id) ?? this.#row(stroke);
      this.#rows.set(stroke.id, row);
      row.update(stroke, strokes.length - 1 - i, strokes.length);
      if (this.list.children[i] !== row.element) {
        const focus = row.element.contains(document.activeElement) ? document.activeElement : null;
        this.list.insertBefore(row.element, this.list.children[i] ?? null);
        if (focus instanceof HTMLElement) focus.focus();
      }
    });
  }

  /** @param {Stroke} first @returns {Row} */
  #row(first) {
    const { store } = this.#studio;
    const { id } = first;
    const thumb = h("canvas", { class: "thumb", width: THUMB, height: THUMB, "aria-hidden": "true" });
    const name = h("b", {});
    const units = h("small", {});
    const result = h("span", { class: "result small" });
    const what = h("button", { type: "button", class: "what", onclick: () => this.choose(this.chosen === id ? null : id) }, name, units, result);
    const eye = iconButton("seen", "Hide", () => {
      const stroke = store.stroke(id);
      if (stroke) store.update(id, { hidden: !stroke.hidden });
    });
    const now = h("span", { class: "now figures" });
    const range = h("input", { type: "range", min: "0", max: "100", step: "1" });
    range.addEventListener("input", () => store.update(id, { alpha: Number(range.value) / 100 }, `opacity ${id}`));
    range.addEventListener("change", () => store.seal());
    const later = iconButton("later", "Later", () => store.move(id, 1));
    const earlier = iconButton("earlier", "Earlier", () => store.move(id, -1));
    const bin = iconButton("delete", "Delete", () => this.remove(id));
    const more = h(
      "div",
      { class: "more" },
      h("div", { class: "row grow opacity" }, h("span", { class: "small" }, "Opacity"), range, now),
      h("div", { class: "row tools" }, later, earlier, bin),
    );
    const element = h("li", { class: "stroke" }, thumb, what, eye, more);
    const hover = /** @param {boolean} on */ (on) => {
      this.hovered = on ? id : this.hovered === id ? null : this.hovered;
      this.#on.hover();
    };
    element.addEventListener("pointerenter", () => hover(true));
    element.addEventListener("pointerleave", () => hover(false));
    element.addEventListener("focusin", () => hover(true));
    element.addEventListener("focusout", () => hover(false));

    /** @param {HTMLButtonElement} button @param {string} label */
    const label = (button, label) => {
      button.setAttribute("aria-label", label);
      button.title = label;
    };
    let [drawn, shape] = ["", ""];
    return {
      element,
      what,
      update: (stroke, at, of) => {
        const chosen = this.chosen === id;
        const title = strokeName(stroke);
        name.textContent = title;
        units.textContent = strokeUnits(stroke);
        element.classList.toggle("chosen", chosen);
        element.classList.toggle("unseen", stroke.hidden);
        what.setAttribute("aria-pressed", String(chosen));
        more.hidden = !chosen;
        const known = resultShort(stroke, this.#studio.pictures.failed ? { state: "none" } : this.#results.of(stroke));
        const failed = this.#studio.pictures.failed && at === of - 1 && !stroke.hidden;
        const news = failed ? h("span", { class: "wrong" }, "not drawn, try again") : known;
        if (news.outerHTML !== drawn) {
          drawn = news.outerHTML;
          result.replaceChildren(news);
        }
        label(eye, `${stroke.hidden ? "Show" : "Hide"}: ${title}`);
        eye.replaceChildren(icon(stroke.hidden ? "hidden" : "seen"));
        label(later, `Later: ${title}`);
        label(earlier, `Earlier: ${title}`);
        label(bin, `Delete: ${title}`);
        later.disabled = at === of - 1;
        if (later.disabled) later.title = "It is the last that is painted";
        earlier.disabled = at === 0;
        if (earlier.disabled) earlier.title = "It is the first that is painted";
        range.value = String(Math.round(stroke.alpha * 100));
        range.setAttribute("aria-label", `Opacity: ${title}`);
        range.setAttribute("aria-valuetext", percent(stroke.alpha));
        now.textContent = percent(stroke.alpha);
        const image = this.#studio.pictures.before;
        const looks = `${JSON.stringify(stroke.place)} ${JSON.stringify(store.scene.latent)} ${lookKey(store.scene)} ${image ? 1 : 0}`;
        if (looks === shape || !this.#studio.model) return;
        shape = looks;
        drawThumb(thumb, stroke, image, this.#studio.model);
      },
    };
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Stroke} stroke
 * @param {ImageBitmap | null} image
 * @param {import("./types.js").Model} model
 */
function drawThumb(canvas, stroke, image, model) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const [, height, width] = model.image;
  const scale = THUMB / Math.max(height, width);
  const frame = { scale, left: 0, top: 0, width: THUMB, height: THUMB };
  context.imageSmoothingEnabled = false;
  context.globalAlpha = 1;
  context.clearRect(0, 0, THUMB, THUMB);
  if (image) context.drawImage(image, 0, 0, width * scale, height * scale);
  context.fillStyle = "rgb(0 0 0 / 0.45)";
  context.fillRect(0, 0, THUMB, THUMB);
  const layer = model.layers.find(({ name }) => name === stroke.layer);
  if (!layer || stroke.place === "everywhere") return;
  const region = rasterOf(stroke.place, layer.size);
  const off = removes(stroke);
  fill(context, region, [height, width], frame, off ? REMOVE : DRAW, 0.75, off);
  line(context, edges(region, [height, width], frame), { dashed: off });
}
