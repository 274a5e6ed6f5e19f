/** The cross on the picture of Look inside: the pixel that is asked about, pointed at or moved to by keys. */

/** @import { Frame, Surface } from "./surface.js" */

import { line } from "./outline.js";

/** Pixels of a step with Shift. */
const LEAP = 4;

export class Cross {
  /** Row and column; null if it is nowhere. @type {[number, number] | null} */
  at = null;
  #surface;
  #ask;

  /**
   * @param {Surface} surface
   * @param {() => boolean} can whether one can ask now
   * @param {() => void} ask what is at the cross
   */
  constructor(surface, can, ask) {
    this.#surface = surface;
    this.#ask = ask;
    const { paper } = surface;
    paper.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !can()) return;
      paper.setPointerCapture(event.pointerId);
      this.#point(event);
    });
    paper.addEventListener("pointermove", (event) => {
      if (can() && paper.hasPointerCapture(event.pointerId)) this.#point(event);
    });
    paper.addEventListener("keydown", (event) => {
      if (!can() || event.ctrlKey || event.metaKey || event.altKey || event.target !== paper) return;
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step && event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      const [row, column] = this.at ?? this.#middle;
      if (step) {
        const by = event.shiftKey ? LEAP : 1;
        this.#set(row + step[0] * by, column + step[1] * by);
      } else {
        this.#set(row, column);
        ask();
      }
    });
  }

  /** @returns {[number, number]} */
  get #middle() {
    const [height, width] = this.#surface.size;
    return [Math.floor(height / 2), Math.floor(width / 2)];
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const { x, y } = this.#surface.at(event);
    this.#set(Math.floor(y), Math.floor(x));
    this.#ask();
  }

  /** @param {number} row @param {number} column the nearest pixel of the picture is taken */
  #set(row, column) {
    const inside = /** @param {number} place @param {number} side */ (place, side) => Math.min(side - 1, Math.max(0, place));
    const [height, width] = this.#surface.size;
    this.at = [inside(row, height), inside(column, width)];
    this.#surface.refresh();
  }

  /** Leaves the pixel itself free. @param {CanvasRenderingContext2D} context @param {Frame} frame */
  draw(context, { left, top, scale }) {
    if (!this.at) return;
    const [row, column] = this.at;
    const unit = devicePixelRatio || 1;
    const [x, y] = [left + column * scale, top + row * scale];
    const [near, far] = [4 * unit, 16 * unit];
    const path = new Path2D();
    path.rect(x, y, scale, scale);
    const middle = scale / 2;
    for (const [dx, dy] of [[-1, 0], [1, 0], [0, -1], [0, 1]]) {
      const edge = middle + near;
      const end = middle + far;
      path.moveTo(x + middle + dx * edge, y + middle + dy * edge);
      path.lineTo(x + middle + dx * end, y + middle + dy * end);
    }
    line(context, path);
  }
}
