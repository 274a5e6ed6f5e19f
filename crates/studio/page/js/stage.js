/** Parts of the bar above a picture, and what stands in place of one, in all rooms that have it. */

/** @import { Store } from "./store.js" */
/** @import { Studio } from "./studio.js" */
/** @import { Surface } from "./surface.js" */

import { h, iconButton, toggle } from "./dom.js";

/**
 * Undo and redo.
 * @param {Store} store
 * @param {Record<string, any>} [props] of the first of them
 */
export function undoButtons(store, props = {}) {
  const undo = iconButton("undo", "Undo (Ctrl+Z)", () => store.undo(), props);
  const redo = iconButton("redo", "Redo (Ctrl+Shift+Z)", () => store.redo());
  return {
    elements: [undo, redo],
    /** Whether there is something to take back or to do again. */
    show() {
      undo.disabled = !store.canUndo;
      undo.title = store.canUndo ? "Undo (Ctrl+Z)" : "Nothing to undo";
      redo.disabled = !store.canRedo;
      redo.title = store.canRedo ? "Redo (Ctrl+Shift+Z)" : "Nothing to do again";
    },
  };
}

/** Whether the picture's pixels are smoothed. @param {Surface} surface */
export function smoothToggle(surface) {
  const button = toggle("smooth", "Smooth", "Smooth pixels (X)", (on) => set(on));
  button.element.classList.add("smooth");
  const set = /** @param {boolean} on */ (on) => {
    button.set(on);
    surface.setSmooth(on);
    surface.draw();
  };
  return { element: button.element, set, flip: () => set(!surface.smooth), show: () => button.set(surface.smooth) };
}

/** The surface is empty until a model is open. @param {Surface} surface @param {Studio} studio */
export function cover(surface, { info }) {
  surface.setCover(h("p", { class: "small" }, info?.models.length === 0 ? "No model" : "Opening the model …"));
}
