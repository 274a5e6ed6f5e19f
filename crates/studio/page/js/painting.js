/** From what the brush has covered to strokes: new ones, and what the eraser leaves of the others. */

/** @import { Brush } from "./brush.js" */
/** @import { BrushPanel } from "./brush-panel.js" */
/** @import { Edit } from "./recipe.js" */
/** @import { Strength } from "./strength.js" */
/** @import { Studio } from "./studio.js" */
/** @import { Surface } from "./surface.js" */
/** @import { Concept } from "./types.js" */

import { erased } from "./eraser.js";
import { encodeRuns } from "./recipe.js";

export class Painting {
  #studio;
  #surface;
  #brush;
  #panel;
  #strength;
  #concept;

  /**
   * @param {Studio} studio
   * @param {Surface} surface
   * @param {Brush} brush
   * @param {BrushPanel} panel
   * @param {Strength} strength
   * @param {() => Concept | null} concept that is chosen
   */
  constructor(studio, surface, brush, panel, strength, concept) {
    this.#studio = studio;
    this.#surface = surface;
    this.#brush = brush;
    this.#panel = panel;
    this.#strength = strength;
    this.#concept = concept;
  }

  get erasing() {
    return this.#panel.op === "erase" || this.#brush.turned;
  }

  /** All strokes as a mask would leave them. @param {Uint8Array} mask @returns {readonly Edit[] | null} null if there is nothing to paint with */
  after(mask) {
    const { strokes } = this.#studio.store.scene;
    if (this.erasing) return this.#rubbed(mask) ?? strokes;
    const stroke = mask.some((bit) => bit) ? this.#stroke(mask) : null;
    return stroke && [...strokes, stroke];
  }

  /** Makes it so. @param {Uint8Array} mask @returns {number | null} the new stroke; null if there is none */
  end(mask) {
    const { store } = this.#studio;
    if (!this.erasing) {
      const stroke = this.#stroke(mask);
      return stroke && store.add(stroke);
    }
    const left = this.#rubbed(mask);
    if (left) store.change({ strokes: left });
    return null;
  }

  /** The stroke of a mask with what is chosen now. @param {Uint8Array} mask @returns {Edit | null} */
  #stroke(mask) {
    const concept = this.#concept();
    if (!concept) return null;
    return {
      layer: concept.layer,
      units: this.#strength.unitsOf(concept),
      value: this.#panel.op === "remove" ? "zero" : this.#strength.valueOf(concept),
      alpha: 1,
      place: { painted: { size: this.#surface.size, runs: encodeRuns(mask) } },
      ...(concept.own ? {} : { class: concept.id }),
      hidden: false,
    };
  }

  /** What is left of the strokes; null if all is. @param {Uint8Array} mask */
  #rubbed(mask) {
    const region = { size: this.#surface.size, shares: mask };
    const { strokes } = this.#studio.store.scene;
    const left = strokes.flatMap((stroke) => {
      const layer = this.#studio.model?.layers.find(({ name }) => name === stroke.layer);
      if (stroke.hidden || !layer) return [stroke];
      const place = erased(stroke.place, layer.size, region);
      return place === stroke.place ? [stroke] : place ? [{ ...stroke, place }] : [];
    });
    return left.length !== strokes.length || left.some((stroke, i) => stroke !== strokes[i]) ? left : null;
  }
}
