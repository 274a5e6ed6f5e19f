/** The picture on the page: as large as fits in whole device pixels, in four views, with a layer for what is drawn over it. */

import { h } from "./dom.js";

/** @typedef {"after" | "before" | "split" | "change"} View */
/**
 * Where the picture lies on the layer over it, in device pixels: `x * scale + left`.
 * @typedef {{scale: number, left: number, top: number, width: number, height: number}} Frame
 */

/** The layer over the picture reaches beyond it by so many CSS pixels: the brush's ring stays whole at the edge. */
const BEYOND = 40;
/** From this side on pictures are smoothed by default: single pixels are no longer seen. */
export const SMOOTH_FROM = 256;
/** The most that two fingers enlarge. */
const CLOSEST = 8;

export class Surface {
  /** @type {View} */
  #view = "after";
  #height = 1;
  #width = 1;
  #smooth = false;
  #split = 0.5;
  #frameAsked = false;
  /** @type {ImageBitmap | null} */
  #after = null;
  /** @type {ImageBitmap | null} */
  #before = null;
  /** @type {{after: CanvasImageSource | null, before: CanvasImageSource | null}} */
  #tint = { after: null, before: null };
  #zoom = { by: 1, x: 0, y: 0 };
  /** @type {HTMLElement | null} */
  #cover = null;
  /** @type {(context: CanvasRenderingContext2D, frame: Frame) => void} */
  paintOver = () => {};
  /** @type {(split: number) => void} */
  onSplit = () => {};
  /** @type {() => void} */
  onZoom = () => {};

  /**
   * @param {string} role what it is, in words, for those who hear the page
   * @param {string} help its keys, in words
   */
  constructor(role, help) {
    const id = `paper-help-${role.replaceAll(" ", "-")}`;
    this.pixels = h("canvas", { class: "pixels" });
    this.over = h("canvas", { class: "over" });
    this.handle = h("div", {
      class: "split",
      tabIndex: 0,
      role: "slider",
      "aria-label": "Where before ends and after begins",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      hidden: true,
    });
    this.tags = [h("span", { class: "tag start", hidden: true }, "before"), h("span", { class: "tag end", hidden: true }, "after")];
    this.bar = h("div", { class: "waiting", hidden: true });
    this.paper = h(
      "div",
      { class: "paper", tabIndex: 0, role: "application", "aria-roledescription": role, "aria-describedby": id },
      h("div", { class: "clip" }, this.pixels),
      this.over,
      ...this.tags,
      this.handle,
      this.bar,
    );
    this.element = h("div", { class: "easel" }, this.paper, h("p", { class: "out", id }, help));
    new ResizeObserver(() => this.fit()).observe(this.element);
    // Another screen may have other pixels.
    addEventListener("resize", () => this.fit());
    this.#splitting();
  }

  get size() {
    return /** @type {[number, number]} */ ([this.#height, this.#width]);
  }

  get view() {
    return this.#view;
  }

  get zoomed() {
    return this.#zoom.by > 1;
  }

  /** @param {number} height @param {number} width of the picture in its own pixels */
  setSize(height, width) {
    [this.#height, this.#width] = [height, width];
    this.setSmooth(Math.max(height, width) >= SMOOTH_FROM);
    this.zoom(1, 0, 0);
    this.fit();
  }

  /** @param {boolean} smooth */
  setSmooth(smooth) {
    this.#smooth = smooth;
    this.paper.toggleAttribute("data-smooth", smooth);
  }

  get smooth() {
    return this.#smooth;
  }

  /** @param {View} view */
  setView(view) {
    this.#view = view;
    this.draw();
  }

  /** @param {ImageBitmap | null} after @param {ImageBitmap | null} before */
  setPictures(after, before) {
    [this.#after, this.#before] = [after, before];
    this.draw();
  }

  /**
   * What is laid over the pictures, of their size, as the colours of classes.
   * @param {CanvasImageSource | null} after
   * @param {CanvasImageSource | null} before
   */
  setTint(after, before) {
    this.#tint = { after, before };
    this.draw();
  }

  /** @param {boolean} on */
  wait(on) {
    this.bar.hidden = !on;
  }

  /** Instead of a picture. @param {HTMLElement | null} cover */
  setCover(cover) {
    this.#cover?.remove();
    this.#cover = cover && h("div", { class: "cover" }, cover);
    if (this.#cover) this.paper.append(this.#cover);
  }

  /** Makes the picture as large as fits: a whole number of device pixels for each of its own. */
  fit() {
    const style = getComputedStyle(this.element);
    const inside = this.element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (inside <= 0) return;
    // On narrow screens the page scrolls as a whole: the picture may be as high as the screen, less the header.
    const narrow = matchMedia("(max-width: 53rem)").matches;
    const high = narrow ? Math.max(200, innerHeight - 150) : this.element.clientHeight - 4;
    if (high <= 0) return;
    const density = devicePixelRatio || 1;
    const most = Math.min((inside * density) / this.#width, (high * density) / this.#height);
    const times = most >= 1 ? Math.floor(most) : most;
    const css = /** @param {number} pixels */ (pixels) => `${(pixels * times) / density}px`;
    this.paper.style.width = css(this.#width);
    this.paper.style.height = css(this.#height);
    const beyond = Math.round(BEYOND * density);
    this.over.style.inset = `${-beyond / density}px`;
    const [width, height] = [this.#width * times + 2 * beyond, this.#height * times + 2 * beyond].map(Math.round);
    this.over.style.width = `${width / density}px`;
    this.over.style.height = `${height / density}px`;
    if (this.over.width !== width || this.over.height !== height) {
      this.over.width = width;
      this.over.height = height;
    }
    this.#place();
    this.draw();
  }

  /** CSS pixels of one of the picture's own. */
  get times() {
    return (this.paper.clientWidth / this.#width) * this.#zoom.by;
  }

  /** @returns {Frame} */
  get frame() {
    const density = this.over.width / (this.over.offsetWidth || 1) || 1;
    const beyond = BEYOND * density;
    return {
      scale: this.times * density,
      left: beyond + this.#zoom.x * density,
      top: beyond + this.#zoom.y * density,
      width: this.over.width,
      height: this.over.height,
    };
  }

  /**
   * Enlarges, and moves the picture within its frame so that no edge comes inside.
   * @param {number} by 1 is the whole picture
   * @param {number} x of the picture's left edge, in CSS pixels, 0 or less
   * @param {number} y
   */
  zoom(by, x, y) {
    const within = /** @param {number} at @param {number} side */ (at, side) => Math.min(0, Math.max(side * (1 - this.#zoom.by), at));
    this.#zoom.by = Math.min(CLOSEST, Math.max(1, by));
    this.#zoom.x = within(x, this.paper.clientWidth);
    this.#zoom.y = within(y, this.paper.clientHeight);
    this.#place();
    this.refresh();
    this.onZoom();
  }

  get zoomState() {
    return { ...this.#zoom };
  }

  #place() {
    const { by, x, y } = this.#zoom;
    this.pixels.style.transform = by === 1 ? "" : `translate(${x}px, ${y}px) scale(${by})`;
    this.handle.style.left = `${this.#split * 100}%`;
  }

  /**
   * Where in the picture a pointer is, in its pixels.
   * @param {{clientX: number, clientY: number}} event
   * @returns {{x: number, y: number}}
   */
  at({ clientX, clientY }) {
    const box = this.pixels.getBoundingClientRect();
    return { x: ((clientX - box.left) / box.width) * this.#width, y: ((clientY - box.top) / box.height) * this.#height };
  }

  /** Draws the picture in its view, and what lies over it. */
  draw() {
    const [height, width] = [this.#height, this.#width];
    if (this.pixels.width !== width || this.pixels.height !== height) {
      this.pixels.width = width;
      this.pixels.height = height;
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.pixels.getContext("2d"));
    const [after, before] = [this.#after, this.#before ?? this.#after];
    const split = this.#view === "split";
    this.handle.hidden = !split;
    for (const tag of this.tags) tag.hidden = !split;
    if (after && before) {
      /** @type {(image: CanvasImageSource, tint: CanvasImageSource | null, from?: number) => void} */
      const put = (image, tint, from = 0) => {
        if (from >= width) return;
        const part = /** @type {const} */ ([from, 0, width - from, height, from, 0, width - from, height]);
        context.drawImage(image, ...part);
        if (!tint) return;
        context.globalAlpha = 0.62;
        context.drawImage(tint, ...part);
        context.globalAlpha = 1;
      };
      if (this.#view === "change") drawChange(context, before, after);
      else if (this.#view === "after") put(after, this.#tint.after);
      else put(before, this.#tint.before);
      if (split) {
        put(after, this.#tint.after, Math.round(this.#split * width));
        this.handle.setAttribute("aria-valuenow", String(Math.round(this.#split * 100)));
        this.handle.setAttribute("aria-valuetext", `before up to ${Math.round(this.#split * 100)} % of the width`);
      }
    }
    this.refresh();
  }

  /** Draws what lies over the picture, in the next frame. */
  refresh() {
    if (this.#frameAsked) return;
    this.#frameAsked = true;
    requestAnimationFrame(() => {
      this.#frameAsked = false;
      const context = /** @type {CanvasRenderingContext2D} */ (this.over.getContext("2d"));
      context.clearRect(0, 0, this.over.width, this.over.height);
      this.paintOver(context, this.frame);
    });
  }

  #splitting() {
    const set = /** @param {number} split */ (split) => {
      this.#split = Math.min(1, Math.max(0, split));
      this.#place();
      this.draw();
      this.onSplit(this.#split);
    };
    const { handle } = this;
    handle.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      event.stopPropagation();
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const box = this.paper.getBoundingClientRect();
      set((event.clientX - box.left) / box.width);
    });
    handle.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
      const ends = { Home: 0, End: 1 }[event.key];
      if (step === undefined && ends === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      set(ends ?? this.#split + (step ?? 0) / 100);
    });
  }
}

/**
 * Yellow where it changed, on a grey picture: the more, the stronger. Without a change it is grey alone.
 * @param {CanvasRenderingContext2D} context
 * @param {ImageBitmap} before
 * @param {ImageBitmap} after
 */
function drawChange(context, before, after) {
  const { width, height } = context.canvas;
  const read = /** @param {ImageBitmap} image */ (image) => {
    const canvas = new OffscreenCanvas(width, height);
    const inside = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
    inside.drawImage(image, 0, 0, width, height);
    return inside.getImageData(0, 0, width, height);
  };
  const [a, b] = [read(before).data, read(after).data];
  const out = context.createImageData(width, height);
  for (let i = 0; i < a.length; i += 4) {
    const change = Math.max(Math.abs(a[i] - b[i]), Math.abs(a[i + 1] - b[i + 1]), Math.abs(a[i + 2] - b[i + 2])) / 255;
    const share = Math.min(1, Math.sqrt(change) * 1.25);
    const grey = 40 + 0.35 * (0.3 * a[i] + 0.59 * a[i + 1] + 0.11 * a[i + 2]);
    out.data[i] = grey + share * (255 - grey);
    out.data[i + 1] = grey + share * (214 - grey);
    out.data[i + 2] = grey + share * (10 - grey);
    out.data[i + 3] = 255;
  }
  context.putImageData(out, 0, 0);
}
