/** What the segmenter sees, where it is asked for: the classes' colours over the picture, and how many pixels each has. */

/** @import { Studio } from "./studio.js" */
/** @import { Surface } from "./surface.js" */

import { toggle } from "./dom.js";
import { ClassOverlay } from "./overlay.js";
import { Results } from "./results.js";
import { WholePicture } from "./whole.js";

const TITLE = "What the segmenter sees (S)";

/**
 * @typedef {object} Watcher
 * @property {() => void} counted more is known of what strokes did
 * @property {() => void} seen the classes of the picture have come
 * @property {() => boolean} bare whether the picture is shown without colours for the moment
 * @property {boolean} always whether the table stands there without the colours too
 */

export class Classes {
  /** Whether the colours are over the picture. */
  on = false;
  #studio;
  #surface;
  #watcher;

  /** @param {Studio} studio @param {Surface} surface @param {Watcher} watcher */
  constructor(studio, surface, watcher) {
    this.#studio = studio;
    this.#surface = surface;
    this.#watcher = watcher;
    this.results = new Results(studio, () => watcher.counted());
    this.overlay = new ClassOverlay(studio, () => {
      this.tint();
      watcher.seen();
    });
    this.whole = new WholePicture(studio, this.results, this.overlay, () => this.overlay.ask());
    this.button = toggle("classes", "Classes", TITLE, (on) => this.set(on));
  }

  /** Another model, or another dissection of it. */
  opened() {
    const segmenter = this.#studio.model?.segmenter;
    this.overlay.forget();
    this.whole.opened();
    this.button.element.disabled = !segmenter;
    this.button.element.title = segmenter ? TITLE : "The studio has no segmenter for this model";
    if (!segmenter) this.set(false);
  }

  /** @param {boolean} on */
  set(on) {
    this.on = on && Boolean(this.#studio.model?.segmenter);
    this.button.set(this.on);
    this.results.classesWanted = this.on;
    if (this.on && this.#studio.pictures.current) this.ask();
    this.show();
    this.tint();
  }

  /** Asks for the classes of the picture that has come. */
  ask() {
    this.overlay.ask();
    void this.results.count();
  }

  /** The table. */
  show() {
    if (!this.#watcher.always) this.whole.element.hidden = !this.on;
    this.whole.show(this.on);
  }

  /** The colours. */
  tint() {
    const on = this.on && !this.#watcher.bare();
    this.#surface.setTint(on ? this.overlay.after : null, on ? this.overlay.before : null);
  }

  /** The class at a pixel of the picture; null where it is not known, or none. @param {[number, number]} pixel @returns {string | null} */
  at([row, column]) {
    const plane = this.overlay.found?.planes[this.overlay.plane];
    const classes = this.#studio.model?.segmenter?.planes[this.overlay.plane]?.classes;
    if (!plane || !classes) return null;
    const { size } = this.#surface;
    let left = Math.floor((row * plane.size[0]) / size[0]) * plane.size[1] + Math.floor((column * plane.size[1]) / size[1]);
    for (const [index, length] of plane.runs) {
      if (left < length) return classes[index] && !classes[index].ignored ? classes[index].name : null;
      left -= length;
    }
    return null;
  }
}
