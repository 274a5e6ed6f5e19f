/** Painting with mouse, pen, fingers and keys: makes masks of the picture's own pixels. */

/** @import { Surface } from "./surface.js" */

/**
 * @typedef {object} Hand what the room does with strokes
 * @property {() => boolean} begin a stroke begins; false if there is nothing to paint with
 * @property {(mask: Uint8Array) => void} move the mask so far
 * @property {(mask: Uint8Array) => void} end
 * @property {() => void} drop the stroke is given up
 * @property {() => void} hover where the brush is has changed
 * @property {() => void} pen a pen was seen for the first time
 */

/** A second finger within this time means that no stroke was meant, in milliseconds. */
const SECOND_FINGER = 150;

export class Brush {
  /** In pixels of the picture. */
  diameter = 12;
  /** Where it is, in pixels of the picture; null if it is nowhere. @type {{x: number, y: number} | null} */
  at = null;
  /** What is painted now. @type {Uint8Array | null} */
  mask = null;
  /** A cell of the layer, in pixels of the picture: the step of the arrow keys. @type {[number, number]} */
  cell = [1, 1];
  /** Whether the pen's other end is held down. */
  turned = false;
  /** Whether a finger paints although there is a pen. */
  fingerPaints = false;
  /** Whether a pen's pressure makes the brush smaller. */
  pressure = false;
  penSeen = false;
  #surface;
  #hand;
  /** @type {number | null} */
  #pointer = null;
  #began = 0;
  /** @type {{x: number, y: number} | null} */
  #last = null;
  #byKeys = false;
  /** Fingers on the picture. @type {Map<number, {x: number, y: number}>} */
  #fingers = new Map();
  /** @type {{middle: {x: number, y: number}, apart: number, zoom: {by: number, x: number, y: number}} | null} */
  #pinch = null;

  /**
   * @param {Surface} surface
   * @param {Hand} hand
   */
  constructor(surface, hand) {
    this.#surface = surface;
    this.#hand = hand;
    const { paper } = surface;
    paper.addEventListener("pointerdown", (event) => this.#down(event));
    paper.addEventListener("pointermove", (event) => this.#moved(event));
    paper.addEventListener("pointerup", (event) => this.#up(event));
    paper.addEventListener("pointercancel", (event) => this.#lost(event));
    paper.addEventListener("pointerleave", (event) => {
      if (event.pointerId === this.#pointer || this.#byKeys) return;
      this.at = null;
      hand.hover();
    });
    paper.addEventListener("contextmenu", (event) => {
      if (this.mask) event.preventDefault();
    });
    paper.addEventListener("keydown", (event) => this.#key(event));
    paper.addEventListener("keyup", (event) => {
      if (event.key === "Shift" && this.#byKeys && this.mask) this.#finish();
    });
    paper.addEventListener("blur", () => {
      if (this.#byKeys && this.mask) this.#finish();
      if (this.#byKeys) {
        this.#byKeys = false;
        this.at = null;
        hand.hover();
      }
    });
  }

  get painting() {
    return this.mask !== null;
  }

  /** Gives up the stroke under way. */
  drop() {
    if (!this.mask) return false;
    this.mask = null;
    this.#pointer = null;
    this.#last = null;
    this.turned = false;
    this.#hand.drop();
    return true;
  }

  /**
   * The pixels under a brush.
   * @param {{x: number, y: number}} at
   * @param {number} [diameter]
   * @param {Uint8Array} [into]
   * @returns {Uint8Array} 0 or 1, of the picture's size
   */
  stamp({ x, y }, diameter = this.diameter, into = new Uint8Array(this.#surface.size[0] * this.#surface.size[1])) {
    const [height, width] = this.#surface.size;
    const radius = diameter / 2;
    const [top, bottom] = [Math.max(0, Math.floor(y - radius)), Math.min(height - 1, Math.ceil(y + radius))];
    const [left, right] = [Math.max(0, Math.floor(x - radius)), Math.min(width - 1, Math.ceil(x + radius))];
    for (let r = top; r <= bottom; r += 1) {
      for (let c = left; c <= right; c += 1) {
        const [dx, dy] = [c + 0.5 - x, r + 0.5 - y];
        if (dx * dx + dy * dy <= radius * radius) into[r * width + c] = 1;
      }
    }
    // The smallest brush is always one pixel, wherever within it the pointer is.
    if (x >= 0 && y >= 0 && x < width && y < height) into[Math.floor(y) * width + Math.floor(x)] = 1;
    return into;
  }

  /** @param {{x: number, y: number}} to @param {number} diameter */
  #line(to, diameter) {
    if (!this.mask) return;
    const from = this.#last ?? to;
    const steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / Math.max(0.5, diameter / 6)));
    for (let i = 1; i <= steps; i += 1) {
      const share = i / steps;
      this.stamp({ x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share }, diameter, this.mask);
    }
    this.#last = to;
  }

  /** @returns {boolean} */
  #begin() {
    if (!this.#hand.begin()) return false;
    this.mask = new Uint8Array(this.#surface.size[0] * this.#surface.size[1]);
    this.#last = null;
    return true;
  }

  #finish() {
    const mask = this.mask;
    this.mask = null;
    this.#pointer = null;
    this.#last = null;
    if (mask?.some((bit) => bit)) this.#hand.end(mask);
    else this.#hand.drop();
    this.turned = false;
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.pointerType === "touch") {
      this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (this.#fingers.size === 2) {
        // Later than that the first finger paints on, and the second is a palm.
        if (this.mask && event.timeStamp - this.#began > SECOND_FINGER) return;
        this.drop();
        this.#pinch = this.#gesture();
        return;
      }
      if (this.#fingers.size > 2 || this.#pinch) return;
      if (this.penSeen && !this.fingerPaints) {
        this.#pinch = this.#gesture();
        return;
      }
    }
    if (event.pointerType === "pen" && !this.penSeen) {
      this.penSeen = true;
      this.#hand.pen();
    }
    if (this.#pointer !== null || this.mask) return;
    // The pen's other end reports the button 5.
    if (event.button !== 0 && event.button !== 5) return;
    this.#byKeys = false;
    this.turned = event.button === 5;
    if (!this.#begin()) return;
    this.#pointer = event.pointerId;
    this.#began = event.timeStamp;
    try {
      this.#surface.paper.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already; its end has been told.
    }
    this.#paint(event);
  }

  /** @param {PointerEvent} event */
  #moved(event) {
    if (this.#fingers.has(event.pointerId)) {
      this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (this.#pinch) {
        this.#pinched();
        return;
      }
    }
    if (event.pointerId === this.#pointer && this.mask) {
      this.#paint(event);
      return;
    }
    if (event.pointerType === "touch") return;
    this.#byKeys = false;
    this.at = this.#surface.at(event);
    this.#hand.hover();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    this.#lift(event);
    if (event.pointerId !== this.#pointer || !this.mask) return;
    this.#paint(event);
    if (event.pointerType === "touch") this.at = null;
    this.#finish();
  }

  /** @param {PointerEvent} event */
  #lost(event) {
    this.#lift(event);
    if (event.pointerId === this.#pointer) this.drop();
  }

  /** @param {PointerEvent} event */
  #lift(event) {
    this.#fingers.delete(event.pointerId);
    if (!this.#pinch) return;
    this.#pinch = this.#fingers.size ? this.#gesture() : null;
  }

  /** @param {PointerEvent} event */
  #paint(event) {
    const between = event.type === "pointermove" ? event.getCoalescedEvents?.() : [];
    for (const one of between?.length ? between : [event]) {
      const soft = this.pressure && one.pointerType === "pen" && one.pressure > 0;
      this.at = this.#surface.at(one);
      this.#line(this.at, soft ? Math.max(1, this.diameter * one.pressure) : this.diameter);
    }
    if (this.mask) this.#hand.move(this.mask);
  }

  #gesture() {
    const points = [...this.#fingers.values()];
    const middle = {
      x: points.reduce((sum, point) => sum + point.x, 0) / points.length,
      y: points.reduce((sum, point) => sum + point.y, 0) / points.length,
    };
    const apart = points.length > 1 ? Math.hypot(points[0].x - points[1].x, points[0].y - points[1].y) : 0;
    return { middle, apart, zoom: this.#surface.zoomState };
  }

  #pinched() {
    const from = this.#pinch;
    if (!from) return;
    const now = this.#gesture();
    const by = Math.max(1, from.apart > 0 && now.apart > 0 ? (from.zoom.by * now.apart) / from.apart : from.zoom.by);
    const box = this.#surface.paper.getBoundingClientRect();
    // What was under the fingers stays under them.
    const x = now.middle.x - box.left - ((from.middle.x - box.left - from.zoom.x) * by) / from.zoom.by;
    const y = now.middle.y - box.top - ((from.middle.y - box.top - from.zoom.y) * by) / from.zoom.by;
    this.#surface.zoom(by, x, y);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.#surface.paper) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step && event.key !== " ") return;
    event.preventDefault();
    if (this.#pointer !== null) return;
    const [height, width] = this.#surface.size;
    const [high, wide] = this.cell;
    const centred = /** @param {number} at @param {number} cell @param {number} side */ (at, cell, side) =>
      Math.min(side - cell / 2, Math.max(cell / 2, (Math.floor(at / cell) + 0.5) * cell));
    this.#byKeys = true;
    this.at ??= { x: width / 2, y: height / 2 };
    const here = { x: centred(this.at.x, wide, width), y: centred(this.at.y, high, height) };
    if (event.key === " ") {
      if (event.repeat || this.mask || !this.#begin()) return;
      this.at = here;
      this.#line(here, this.diameter);
      this.#finish();
      return;
    }
    const to = {
      x: centred(here.x + (step?.[0] ?? 0) * wide, wide, width),
      y: centred(here.y + (step?.[1] ?? 0) * high, high, height),
    };
    if (event.shiftKey && !this.mask && this.#begin()) this.#line(here, this.diameter);
    this.at = to;
    if (this.mask) {
      this.#line(to, this.diameter);
      this.#hand.move(this.mask);
    }
    this.#hand.hover();
  }
}
