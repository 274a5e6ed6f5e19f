/** A photo with a frame in it: drag it, or move it with the arrow keys; a slider makes it smaller. */

import { fits, largest, moved, sent } from "./crop.js";
import { h } from "./dom.js";
import { line } from "./outline.js";

/** The longer side of the photo on the page, in its own pixels. */
const SHOWN = 900;
/** A step of the arrow keys, as a share of the photo. */
const STEP = 0.02;

export class Cropper {
  #photo;
  #picture;
  #part;
  #drag = { x: 0, y: 0 };

  /**
   * @param {ImageBitmap} photo
   * @param {[number, number]} picture height and width of the generator's pictures
   */
  constructor(photo, picture) {
    this.#photo = photo;
    this.#picture = picture;
    this.#part = largest(this.size, picture);
    const scale = Math.min(1, SHOWN / Math.max(photo.width, photo.height));
    this.canvas = h("canvas", { width: Math.round(photo.width * scale), height: Math.round(photo.height * scale) });
    this.frame = h(
      "div",
      { class: "crop", tabIndex: 0, role: "application", "aria-roledescription": "frame in a photo", "aria-label": "The part that is kept: arrow keys move it, plus and minus change its size" },
      this.canvas,
    );
    this.slider = h("input", { type: "range", min: "0", max: "100", value: "100", "aria-label": "Size of the part that is kept", oninput: () => this.#slid() });
    this.element = h("div", { class: "cropper" }, this.frame, h("div", { class: "field" }, h("span", { class: "label" }, h("span", {}, "How much of it")), this.slider));
    this.#listen();
    this.#draw();
  }

  /** Whether nothing has to be cut off. */
  get whole() {
    return fits(this.size, this.#picture);
  }

  /** Of the photo: height and width. @returns {[number, number]} */
  get size() {
    return [this.#photo.height, this.#photo.width];
  }

  /** The part that is kept, as a PNG. @returns {Promise<Blob>} */
  cut() {
    const [height, width] = sent(this.#part, this.#picture);
    const canvas = new OffscreenCanvas(width, height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.imageSmoothingQuality = "high";
    // Clear pixels would be black: paper is white.
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    const { x, y, width: across, height: down } = this.#part;
    context.drawImage(this.#photo, x, y, across, down, 0, 0, width, height);
    return canvas.convertToBlob({ type: "image/png" });
  }

  /** @param {{dx?: number, dy?: number, times?: number}} change */
  #change(change) {
    this.#part = moved(this.#part, this.size, this.#picture, change);
    this.slider.value = String(Math.round((100 * this.#part.width) / largest(this.size, this.#picture).width));
    this.#draw();
  }

  #slid() {
    const { width } = largest(this.size, this.#picture);
    this.#change({ times: ((Number(this.slider.value) / 100) * width) / this.#part.width });
  }

  #listen() {
    const { frame } = this;
    /** Pixels of the photo in one of the page. */
    const scale = () => this.#photo.width / this.canvas.clientWidth;
    frame.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      frame.focus({ preventScroll: true });
      frame.setPointerCapture(event.pointerId);
      this.#drag = { x: event.clientX, y: event.clientY };
    });
    frame.addEventListener("pointermove", (event) => {
      if (!frame.hasPointerCapture(event.pointerId)) return;
      this.#change({ dx: (event.clientX - this.#drag.x) * scale(), dy: (event.clientY - this.#drag.y) * scale() });
      this.#drag = { x: event.clientX, y: event.clientY };
    });
    frame.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      const times = { "+": 1 / 0.95, "=": 1 / 0.95, "-": 0.95 }[event.key];
      if (!step && !times) return;
      event.preventDefault();
      event.stopPropagation();
      this.#change(step ? { dx: step[0] * STEP * this.#photo.width, dy: step[1] * STEP * this.#photo.height } : { times });
    });
  }

  #draw() {
    const { width, height } = this.canvas;
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const scale = width / this.#photo.width;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.#photo, 0, 0, width, height);
    const { x, y, width: across, height: down } = this.#part;
    const kept = new Path2D();
    kept.rect(x * scale, y * scale, across * scale, down * scale);
    const others = new Path2D(kept);
    others.rect(0, 0, width, height);
    context.fillStyle = "rgb(8 12 24 / 0.6)";
    context.fill(others, "evenodd");
    line(context, kept);
  }
}
