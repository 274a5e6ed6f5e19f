/** The activations of one unit over the picture: where it is on, or how strongly. */

/** @import { Frame } from "./surface.js" */
/** @import { UnitMap } from "./unit-answers.js" */

import { contour, shareAbove, spotlight, strength, upsample } from "./heat.js";
import { line } from "./outline.js";

/** The longer side of what is drawn, at least: the line is smooth from here on. */
const FINE = 256;
/** The line around where it is on. */
const YELLOW = "#ffe240";
/** Without a dissection there is no level: this share of the strongest activation stands for it. */
const HALF = 0.5;

/** @typedef {"on" | "strength" | "none"} Heat */

export class HeatLayer {
  /** @type {Heat} */
  kind = "on";
  /** @type {UnitMap | null} */
  map = null;
  /** @type {{canvas: OffscreenCanvas, pieces: number[]} | null} */
  #drawn = null;
  #share = 0;
  /** @type {[number, number]} */
  #fine = [FINE, FINE];

  /** @param {UnitMap | null} map @param {[number, number]} picture height and width */
  set(map, [height, width]) {
    this.map = map;
    this.#drawn = null;
    const times = Math.max(1, Math.ceil(FINE / Math.max(height, width)));
    this.#fine = [height * times, width * times];
    // Shares are those of the picture's own pixels, as a dissection counts them.
    this.#share = map ? shareAbove(upsample(map.values, map.size, [height, width]), this.level) : 0;
  }

  /** Its strongest activation in the picture. */
  get max() {
    return this.map ? this.map.values.reduce((a, b) => Math.max(a, b), -Infinity) : 0;
  }

  /** Above it the unit counts as on. */
  get level() {
    const { map, max } = this;
    return map?.level ?? (max > 0 ? max * HALF : Infinity);
  }

  /** Share of the picture where it is on. */
  get share() {
    return this.#share;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Frame} frame
   * @param {[number, number]} picture
   */
  draw(context, frame, [height, width]) {
    if (!this.map || this.kind === "none") return;
    this.#drawn ??= this.#make(this.map);
    const [right, bottom] = [width * frame.scale, height * frame.scale];
    const { canvas, pieces } = this.#drawn;
    context.imageSmoothingEnabled = true;
    context.drawImage(canvas, frame.left, frame.top, right, bottom);
    const path = new Path2D();
    for (let i = 0; i < pieces.length; i += 4) {
      path.moveTo(frame.left + pieces[i] * right, frame.top + pieces[i + 1] * bottom);
      path.lineTo(frame.left + pieces[i + 2] * right, frame.top + pieces[i + 3] * bottom);
    }
    line(context, path, { colour: this.kind === "on" ? YELLOW : "#fff" });
  }

  /** Draws anew what was drawn in another way. */
  redo() {
    this.#drawn = null;
  }

  /** @param {UnitMap} map */
  #make(map) {
    const [height, width] = this.#fine;
    const values = upsample(map.values, map.size, this.#fine);
    const most = Math.max(this.max, map.level === null ? 0 : 2 * map.level);
    const rgba = this.kind === "on" ? spotlight(values, this.level) : strength(values, most);
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d")?.putImageData(new ImageData(rgba, width, height), 0, 0);
    return { canvas, pieces: contour(values, this.#fine, this.level) };
  }
}
