/** How a picture is looked at: after, before, split or change; before for as long as B is held. */

/** @import { Surface, View } from "./surface.js" */

export class Views {
  /** The one that was chosen; while B is held another one is seen. @type {View} */
  chosen = "after";
  #held = false;
  #surface;
  #show;

  /**
   * @param {Surface} surface
   * @param {(view: View) => void} show shows on the control which one is seen
   */
  constructor(surface, show) {
    this.#surface = surface;
    this.#show = show;
  }

  /** @returns {View} */
  get seen() {
    return this.#held ? "before" : this.chosen;
  }

  /** @param {View} view */
  set(view) {
    this.chosen = view;
    this.#held = false;
    this.#see();
  }

  /** B went down. */
  hold() {
    if (this.#held) return;
    this.#held = true;
    this.#see();
  }

  /** B was let go. */
  release = () => {
    if (!this.#held) return;
    this.#held = false;
    this.#see();
  };

  /** The room is seen from now on: B is let go wherever that happens, or is lost with the window. */
  enter() {
    addEventListener("keyup", this.#up);
    addEventListener("blur", this.release);
  }

  leave() {
    this.release();
    removeEventListener("keyup", this.#up);
    removeEventListener("blur", this.release);
  }

  /** @param {KeyboardEvent} event */
  #up = (event) => {
    if (event.key.toLowerCase() === "b") this.release();
  };

  #see() {
    this.#show(this.seen);
    this.#surface.setView(this.seen);
  }
}
