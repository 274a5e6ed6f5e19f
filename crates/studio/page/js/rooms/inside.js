/** Look inside: the units of a layer, where they are on in the picture, which ones a pixel comes from, and a switch for each. */

/** @import { Room, Studio } from "../studio.js" */
/** @import { Edit } from "../recipe.js" */
/** @import { View } from "../surface.js" */
/** @import { Heat } from "../heat-layer.js" */
/** @import { Unit } from "../unit-answers.js" */

import { Brush } from "../brush.js";
import { Classes } from "../classes.js";
import { Cross } from "../cross.js";
import { choices, h } from "../dom.js";
import { Examples } from "../examples.js";
import { HeatLayer } from "../heat-layer.js";
import { examplesLine, failedLine, movedWords, pixelLine, switchedLine, unitLine } from "../inside-line.js";
import { DRAW, edges, fill, line, ring } from "../outline.js";
import { PixelPanel } from "../pixel-panel.js";
import { anySeed, seedControl } from "../seed.js";
import { cover, smoothToggle, undoButtons } from "../stage.js";
import { Surface } from "../surface.js";
import { UnitAnswers } from "../unit-answers.js";
import { switched, switchOf, unitState, without } from "../unit-edits.js";
import { UnitList } from "../unit-list.js";
import { UnitPanel } from "../unit-panel.js";
import { Views } from "../views.js";
import { pictureWords } from "../words.js";

const HELP =
  "Arrow keys move a cross over the picture, with Shift by four pixels. Enter asks which units are strongest there. Escape lets go. Question mark lists all keys.";

class Inside {
  present = false;
  modelId = "";
  dissected = "";
  layer = "";
  /** What the chosen unit's switch changed, in words; null until it is counted. @type {string | null} */
  moved = null;
  loading = new AbortController();

  /** @param {HTMLElement} element @param {Studio} studio */
  constructor(element, studio) {
    this.studio = studio;
    const { store, pictures } = studio;
    this.answers = new UnitAnswers(studio);
    this.surface = new Surface("picture to ask about", HELP);
    this.surface.paper.classList.add("asked");
    this.heat = new HeatLayer();
    this.brush = new Brush(this.surface, {
      begin: () => this.examples.open && Boolean(studio.model),
      move: () => this.surface.refresh(),
      end: (mask) => this.examples.paint(mask),
      drop: () => this.surface.refresh(),
      hover: () => this.surface.refresh(),
      pen: () => undefined,
    });
    this.cross = new Cross(this.surface, () => !this.examples.open && studio.model !== null, () => this.ask());
    this.classes = new Classes(studio, this.surface, {
      counted: () => this.classes.show(),
      seen: () => this.seen(),
      bare: () => false,
      always: false,
    });
    this.list = new UnitList(studio, {
      choose: (unit) => this.choose(unit),
      layer: (name) => void this.open(name),
      order: () => this.askHere(),
    });
    this.panel = new UnitPanel(studio);
    this.pixel = new PixelPanel(studio, (unit) => this.chooseNumber(unit));
    this.examples = new Examples(studio, {
      open: () => this.mode(),
      change: () => this.surface.refresh(),
      next: () => store.change({ latent: { seed: "seed" in store.scene.latent ? store.scene.latent.seed + 1 : anySeed() } }),
      size: (share) => (this.brush.diameter = Math.max(1, Math.round(share * this.surface.size[1]))),
      found: (concept) => {
        if (concept.layer === this.layer) this.list.orderBy(concept.id);
      },
    });
    this.seed = seedControl(studio);
    this.line = h("div", { class: "say", "aria-live": "polite" });

    this.undo = undoButtons(store);
    this.heats = choices(
      "How activation is shown",
      /** @type {{value: Heat, text: string, title?: string}[]} */ ([
        { value: "on", text: "Where on", title: "Dark where the unit is off, a yellow line around where it is on" },
        { value: "strength", text: "How strongly" },
        { value: "none", text: "Picture", title: "The picture alone" },
      ]),
      this.heat.kind,
      (kind) => this.setHeat(kind),
    );
    this.view = h(
      "select",
      { "aria-label": "View", title: "Before: hold B", onchange: () => this.views.set(/** @type {View} */ (this.view.value)) },
      ...[["after", "After"], ["before", "Before"], ["split", "Split"], ["change", "Change"]].map(([value, text]) => h("option", { value }, text)),
    );
    this.views = new Views(this.surface, (view) => (this.view.value = view));
    this.smooth = smoothToggle(this.surface);
    const stage = h(
      "div",
      { class: "stage", role: "region", "aria-label": "Picture" },
      h(
        "div",
        { class: "stagebar" },
        h("div", { class: "row" }, ...this.undo.elements, this.view),
        this.heats.element,
        h("div", { class: "row" }, this.classes.button.element, this.smooth.element),
      ),
      this.surface.element,
      this.line,
    );
    const left = h("div", { class: "panel left", role: "region", "aria-label": "Units" }, this.list.element);
    const right = h(
      "div",
      { class: "panel right", role: "region", "aria-label": "Unit and pixel" },
      this.panel.element,
      this.pixel.element,
      this.classes.whole.element,
      this.examples.element,
      this.seed.element,
    );
    element.append(left, stage, right);

    this.surface.paintOver = (context, frame) => this.over(context, frame);
    store.subscribe(() => this.changed());
    pictures.onChange(() => this.pictured());
    pictures.onWait((waiting) => this.surface.wait(waiting));
    studio.onModel(() => this.opened());
    this.opened();
  }

  // The model, its layers and units

  opened() {
    const { model } = this.studio;
    if (!model) {
      cover(this.surface, this.studio);
      return;
    }
    const dissected = model.dissection?.name ?? "";
    if (this.modelId !== model.id || this.dissected !== dissected) {
      const other = this.modelId !== model.id;
      this.modelId = model.id;
      this.dissected = dissected;
      this.answers.forget();
      this.heat.set(null, [1, 1]);
      this.classes.opened();
      this.pixel.clear();
      this.cross.at = null;
      if (other) {
        // Concepts of one's own are of the units of one model.
        this.studio.own = [];
        this.surface.setCover(null);
        this.surface.setSize(model.image[1], model.image[2]);
        this.examples.forget();
        this.smooth.show();
      }
      // Opened is the layer with the most units that stand for something.
      const first = [...model.layers].sort((a, b) => (b.interpretable ?? -1) - (a.interpretable ?? -1))[0];
      if (first) void this.open(first.name);
    }
    this.list.orders();
    this.examples.show();
    this.changed();
  }

  /** Shows the units of a layer. @param {string} name */
  async open(name) {
    this.loading.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    this.layer = name;
    this.list.setLayers(name);
    this.list.wait();
    this.examples.setLayer(name);
    this.panel.set(name, null);
    this.heat.set(null, [1, 1]);
    this.surface.refresh();
    let units;
    try {
      units = await this.answers.units(name, signal);
    } catch (error) {
      if (!signal.aborted) this.studio.fault("units", `The units of layer ${name} did not come.`, error);
      return;
    }
    if (signal.aborted) return;
    this.list.set(name, units);
    this.list.mark(switched(this.studio.store.scene.strokes, name));
    const first = this.list.list.querySelector("button");
    if (first) first.click();
    else this.say();
    if (this.pixel.pixel) this.askPixel();
    this.askHere();
  }

  /** @param {Unit} unit */
  choose(unit) {
    this.list.choose(unit.unit);
    this.panel.set(this.layer, unit);
    this.pixel.mark(unit.unit);
    this.moved = null;
    // Where the unit before was on is seen until the new one is known: nothing flickers.
    this.askUnit();
    this.say();
    this.surface.refresh();
  }

  /** @param {number} number */
  chooseNumber(number) {
    const unit = this.list.units.find((one) => one.unit === number);
    if (!unit) return;
    this.choose(unit);
    this.list.reveal();
  }

  // What is asked of the server: after the picture, so that it comes first

  get visible() {
    return this.studio.store.scene.strokes.filter(({ hidden }) => !hidden);
  }

  pictured() {
    const { pictures } = this.studio;
    this.surface.setPictures(pictures.after, pictures.before);
    if (pictures.failed) this.say();
    if (!this.present || !pictures.current) return;
    this.askUnit();
    if (this.pixel.pixel) this.askPixel();
    this.askHere();
    this.askMoved();
    if (this.classes.on) this.classes.ask();
    else if (this.pixel.pixel) this.classes.overlay.ask();
  }

  /** Where the chosen unit is on; were it switched, where it would be. */
  askUnit() {
    const { unit } = this.panel;
    if (!unit || !this.present) return;
    this.answers.map(without(this.visible, this.layer, [unit.unit]), this.layer, unit.unit).then(
      (map) => {
        if (!map || this.panel.unit !== unit) return;
        this.heat.set(map, this.surface.size);
        this.panel.here({ max: this.heat.max, level: map.level, share: map.level === null ? null : this.heat.share });
        this.panel.show();
        this.say();
        this.surface.refresh();
      },
      (error) => this.studio.fault("units", `The activations of unit ${unit.unit} did not come.`, error),
    );
  }

  /** The units at the cross. */
  askPixel() {
    if (!this.pixel.pixel) return;
    const { pixel } = this.pixel;
    const { layer } = this;
    this.answers.pixel(this.visible, layer, pixel).then(
      (answer) => {
        if (!answer || layer !== this.layer || !this.pixel.pixel) return;
        this.pixel.show(layer, answer, this.classes.at(this.pixel.pixel));
        this.pixel.mark(this.panel.unit?.unit ?? null);
        this.say();
      },
      (error) => this.studio.fault("units", "The units at the pixel did not come.", error),
    );
  }

  /** How strong all units are here, if they are ordered by it. */
  askHere() {
    if (!this.list.byHere || !this.present || !this.studio.model) return;
    const { layer } = this;
    this.answers.here(this.visible, layer).then(
      (here) => here && layer === this.layer && this.list.setHere(here),
      (error) => this.studio.fault("units", "The activations did not come.", error),
    );
  }

  /** What the chosen unit's switch alone changes. */
  askMoved() {
    const { unit } = this.panel;
    const edit = unit && switchOf(this.studio.store.scene.strokes, this.layer, unit.unit);
    if (!edit || !this.studio.model?.segmenter) return;
    this.answers.effects([{ ...edit, units: [unit.unit] }]).then(
      (classes) => {
        if (!classes || this.panel.unit !== unit) return;
        this.moved = movedWords(classes);
        this.say();
      },
      (error) => this.studio.fault("units", "The classes were not counted.", error),
    );
  }

  /** The classes of the picture have come. */
  seen() {
    if (!this.pixel.pixel) return;
    this.pixel.name(this.classes.at(this.pixel.pixel));
    this.say();
  }

  /** What is at the cross. */
  ask() {
    this.pixel.pixel = this.cross.at;
    this.askPixel();
    if (this.studio.model?.segmenter && !this.classes.on) this.classes.overlay.ask();
  }

  // What is seen

  /** @param {Heat} kind */
  setHeat(kind) {
    this.heat.kind = kind;
    this.heat.redo();
    this.heats.set(kind);
    this.surface.refresh();
  }

  /** Asking, or painting examples; those are painted on pictures without strokes. */
  mode() {
    this.views.release();
    this.surface.setView(this.examples.open ? "before" : this.views.chosen);
    this.view.disabled = this.examples.open;
    this.surface.paper.classList.toggle("asked", !this.examples.open);
    this.surface.paper.classList.toggle("brushed", this.examples.open);
    this.brush.at = null;
    this.say();
    this.surface.refresh();
  }

  changed() {
    const { store } = this.studio;
    this.undo.show();
    this.moved = null;
    this.classes.results.stop();
    this.panel.show();
    this.list.mark(switched(store.scene.strokes, this.layer));
    this.classes.show();
    this.surface.paper.setAttribute("aria-label", `Picture of ${pictureWords(store.scene)}: ask which units a pixel comes from`);
    this.say();
    this.surface.refresh();
  }

  say() {
    this.line.replaceChildren(...this.words());
  }

  /** The line under the picture. @returns {(Node | string)[]} */
  words() {
    const { store, pictures, model } = this.studio;
    const { unit } = this.panel;
    if (!model) return [];
    if (pictures.failed) return failedLine(pictures.failed, () => pictures.ask());
    if (this.examples.open) return examplesLine(this.examples.name.value);
    const state = unit && unitState(store.scene.strokes, this.layer, unit.unit);
    if (unit && state !== null) return switchedLine(unit.unit, state, model.segmenter ? (this.moved ?? "counting …") : "look at Split or Change.");
    if (this.pixel.pixel && this.pixel.list.childElementCount) return pixelLine(this.pixel.pixel, this.classes.at(this.pixel.pixel));
    return unit && this.heat.map?.unit === unit.unit ? unitLine(unit, this.heat) : [];
  }

  /** @param {CanvasRenderingContext2D} context @param {import("../surface.js").Frame} frame */
  over(context, frame) {
    const { model } = this.studio;
    if (!model) return;
    const { size } = this.surface;
    if (this.examples.open) {
      const { mask } = this.examples;
      for (const shares of [mask, this.brush.mask]) {
        if (!shares) continue;
        fill(context, { size, shares }, size, frame, DRAW, 0.5);
        line(context, edges({ size, shares }, size, frame));
      }
      if (this.brush.at) ring(context, this.brush.at, this.brush.diameter, frame, { dashed: this.examples.away });
      return;
    }
    const other = this.views.seen === "change" || this.views.seen === "before" || this.classes.on;
    if (!other) this.heat.draw(context, frame, size);
    this.cross.draw(context, frame);
  }

  /** @param {KeyboardEvent} event @param {string} key @returns {boolean} */
  keys(event, key) {
    if (event.ctrlKey || event.altKey || event.metaKey) return false;
    switch (key) {
      case "s":
        this.classes.set(!this.classes.on);
        return true;
      case "x":
        this.smooth.flip();
        return true;
      case "b":
        if (!event.repeat && !this.examples.open) this.views.hold();
        return true;
      case "/":
        this.list.find.focus();
        return true;
      case "Escape":
        if (this.brush.drop()) return true;
        this.pixel.clear();
        this.cross.at = null;
        this.say();
        this.surface.refresh();
        return true;
      default:
        return this.seed.keys(key);
    }
  }
}

/** @type {Inside | null} */
let inside = null;

/** @type {Room} */
export const room = {
  id: "inside",
  title: "Look inside",
  mount: (element, studio) => {
    inside = new Inside(element, studio);
  },
  enter: () => {
    if (!inside) return;
    inside.present = true;
    inside.views.enter();
    inside.surface.fit();
    inside.pictured();
  },
  leave: () => {
    if (!inside) return;
    inside.present = false;
    inside.brush.drop();
    inside.views.leave();
  },
  keys: (event, key) => inside?.keys(event, key) ?? false,
};
