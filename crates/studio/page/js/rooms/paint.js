/** Paint: the picture, what to paint with on its left, what has been done on its right. */

/** @import { Studio, Room } from "../studio.js" */

import { Brush } from "../brush.js";
import { BrushPanel } from "../brush-panel.js";
import { Classes } from "../classes.js";
import { choices, h, iconButton, toggle } from "../dom.js";
import { hint, lead, resultLine } from "../feedback.js";
import { drawBrush, drawCells, drawStrokes } from "../marks.js";
import { Painting } from "../painting.js";
import { Palette } from "../palette.js";
import { seedControl } from "../seed.js";
import { cover, smoothToggle, undoButtons } from "../stage.js";
import { Strength } from "../strength.js";
import { StrokeList } from "../strokes.js";
import { Surface } from "../surface.js";
import { Views } from "../views.js";
import { counted, pictureWords, sentences } from "../words.js";

const HELP =
  "Arrow keys move the brush by a cell. Space paints there. Shift with an arrow paints on the way, until Shift is let go. Delete takes the chosen stroke away. Question mark lists all keys.";

class Paint {
  cells = false;
  modelId = "";

  /**
   * @param {HTMLElement} element
   * @param {Studio} studio
   */
  constructor(element, studio) {
    this.studio = studio;
    const { store, pictures } = studio;
    this.surface = new Surface("painting surface", HELP);
    this.brush = new Brush(this.surface, {
      begin: () => this.begin(),
      move: (mask) => this.move(mask),
      end: (mask) => this.end(mask),
      drop: () => this.drop(),
      hover: () => this.surface.refresh(),
      pen: () => (this.panel.pens.hidden = false),
    });
    this.panel = new BrushPanel(this.brush, { op: () => this.setOp(), size: () => this.surface.refresh() });
    this.classes = new Classes(studio, this.surface, {
      counted: () => this.counted(),
      seen: () => undefined,
      bare: () => this.brush.painting,
      always: true,
    });
    this.palette = new Palette(studio, () => this.concept());
    this.strength = new Strength();
    this.painting = new Painting(studio, this.surface, this.brush, this.panel, this.strength, () => this.palette.chosen);
    this.strokes = new StrokeList(studio, this.classes.results, {
      choose: () => {
        this.classes.results.first = this.strokes.chosen;
        this.say();
        this.surface.refresh();
      },
      hover: () => this.surface.refresh(),
    });
    this.seed = seedControl(studio);
    this.line = h("div", { class: "say" });
    this.heard = h("div", { class: "out", "aria-live": "polite" });

    const left = h(
      "div",
      { class: "panel left", role: "region", "aria-label": "Brush" },
      this.panel.element,
      this.palette.element,
      this.strength.element,
    );
    this.undo = undoButtons(store, { id: "undo" });
    const views = choices(
      "View",
      [
        { value: "after", text: "After" },
        { value: "before", text: "Before", title: "Before (hold B)" },
        { value: "split", text: "Split" },
        { value: "change", text: "Change", title: "Yellow where it changed" },
      ],
      "after",
      (view) => this.views.set(view),
    );
    this.views = new Views(this.surface, (view) => views.set(view));
    this.cellsButton = toggle("cells", "Cells", "Cells of the layer (G)", (on) => this.setCells(on));
    this.smooth = smoothToggle(this.surface);
    this.smooth.element.classList.add("icon");
    this.smooth.element.lastChild?.remove();
    const whole = iconButton("whole", "The whole picture again", () => this.surface.zoom(1, 0, 0), { hidden: true });
    this.surface.onZoom = () => (whole.hidden = !this.surface.zoomed);
    const stage = h(
      "div",
      { class: "stage", role: "region", "aria-label": "Picture" },
      h(
        "div",
        { class: "stagebar" },
        h("div", { class: "row" }, ...this.undo.elements),
        views.element,
        h("div", { class: "row" }, whole, this.classes.button.element, this.cellsButton.element, this.smooth.element),
      ),
      this.surface.element,
      this.line,
      this.heard,
    );
    const right = h(
      "div",
      { class: "panel right", role: "region", "aria-label": "Strokes" },
      this.strokes.element,
      this.classes.whole.element,
      this.seed.element,
    );
    element.append(left, stage, right);

    this.surface.paintOver = (context, frame) => this.over(context, frame);
    this.surface.paper.addEventListener("wheel", (event) => this.panel.wheel(event), { passive: false });
    store.subscribe((scene, before) => this.changed(scene.strokes.length > before.strokes.length));
    pictures.onChange(() => this.pictured());
    pictures.onWait((waiting) => this.surface.wait(waiting));
    studio.onModel(() => this.opened());
    this.opened();
  }

  /** Another model, or more of it. */
  opened() {
    const { model, concepts } = this.studio;
    if (!model) {
      cover(this.surface, this.studio);
    } else if (this.modelId !== model.id) {
      this.modelId = model.id;
      this.surface.setCover(null);
      this.surface.setSize(model.image[1], model.image[2]);
      this.smooth.show();
      this.classes.opened();
      this.panel.forget();
    }
    this.palette.show();
    this.panel.disable(concepts?.length === 0);
    this.concept();
    this.changed(false);
  }

  get layer() {
    const { model } = this.studio;
    return model?.layers.find(({ name }) => name === this.palette?.chosen?.layer) ?? null;
  }

  /** Another concept: its layer has cells of its own. */
  concept() {
    const { model } = this.studio;
    const { layer } = this;
    this.strength.show(this.palette.chosen, layer, this.panel.op === "remove");
    if (!model) return;
    this.panel.fit(model, layer);
    this.say();
  }

  /** The brush does something else. */
  setOp() {
    this.strength.show(this.palette.chosen, this.layer, this.panel.op === "remove");
    this.say();
    this.surface.refresh();
  }

  /** @param {boolean} on */
  setCells(on) {
    this.cells = on;
    this.cellsButton.set(on);
    this.surface.refresh();
  }

  // Strokes

  begin() {
    if (!this.painting.erasing && !this.palette.chosen) {
      this.say();
      return false;
    }
    const most = this.studio.info?.limits.strokes ?? Infinity;
    if (!this.painting.erasing && this.studio.store.scene.strokes.length >= most) {
      this.line.replaceChildren(lead(`${counted(most, "stroke")} are the most.`), hint("Delete one, or keep the picture and begin anew."));
      return false;
    }
    // Who paints sees what comes of it.
    this.views.set(this.views.chosen === "split" ? "split" : "after");
    this.classes.results.stop();
    this.classes.tint();
    return true;
  }

  /** @param {Uint8Array} mask */
  move(mask) {
    const strokes = this.painting.after(mask);
    if (strokes) this.studio.pictures.ask(strokes);
    this.surface.refresh();
  }

  /** @param {Uint8Array} mask */
  end(mask) {
    const before = this.studio.store.scene;
    const stroke = this.painting.end(mask);
    if (stroke !== null) this.strokes.choose(stroke);
    else if (this.studio.store.scene === before) this.drop();
  }

  drop() {
    this.studio.pictures.ask();
    this.classes.tint();
    this.surface.refresh();
  }

  // What is seen

  /** The state has changed. @param {boolean} more there are more strokes than before */
  changed(more) {
    const { store } = this.studio;
    this.undo.show();
    this.classes.results.stop();
    if (more) this.strokes.chosen = store.scene.strokes.at(-1)?.id ?? null;
    this.classes.results.first = this.strokes.chosen;
    this.strokes.show();
    this.classes.show();
    this.say();
    this.surface.refresh();
    const strokes = store.scene.strokes.length;
    this.surface.paper.setAttribute("aria-label", `Picture of ${pictureWords(store.scene)}, ${counted(strokes, "stroke")}`);
    this.surface.paper.classList.toggle("brushed", this.studio.concepts?.length !== 0);
  }

  /** A picture has come. */
  pictured() {
    const { pictures } = this.studio;
    this.surface.setPictures(pictures.after, pictures.before);
    this.strokes.show();
    if (pictures.failed) {
      this.say();
      this.classes.show();
    }
    if (!pictures.current || this.brush.painting) return;
    void this.classes.results.count();
    if (this.classes.on) this.classes.overlay.ask();
  }

  /** More results are known. */
  counted() {
    this.strokes.show();
    this.classes.show();
    this.say();
    const stroke = this.studio.store.stroke(this.strokes.chosen);
    if (!stroke || this.classes.results.of(stroke).state !== "done") return;
    const text = this.line.innerText.replace(/\s+/g, " ");
    if (this.heard.textContent !== text) this.heard.textContent = text;
  }

  /** The line under the picture. */
  say() {
    const { store, concepts, pictures, palette, model } = this.studio;
    const { chosen } = this.strokes;
    const stroke = store.stroke(chosen);
    if (!model) {
      this.line.replaceChildren();
    } else if (pictures.failed) {
      const { message, hint: cure } = /** @type {Error & {hint?: string}} */ (pictures.failed);
      const again = h("button", { type: "button", class: "bare small", onclick: () => pictures.ask() }, "Try again");
      this.line.replaceChildren(lead(h("b", { class: "wrong" }, "Not drawn. "), again), hint(sentences(message, cure)));
    } else if (stroke) {
      const concept = palette?.find(({ id }) => id === stroke.class);
      this.line.replaceChildren(...resultLine(stroke, this.classes.results.of(stroke), concept));
    } else if (concepts?.length === 0) {
      this.line.replaceChildren(lead("There is nothing to paint with yet."), hint("Concepts come from a dissection of the model."));
    } else if (this.palette.chosen) {
      const { name } = this.palette.chosen;
      const does = { draw: `Drag on the picture to draw ${name}.`, remove: `Drag over what is to go: ${name}.`, erase: "Drag over strokes to take them back." }[this.panel.op];
      this.line.replaceChildren(lead(does), hint("Where the generator finds no place for it, it refuses; that is said here."));
    } else {
      this.line.replaceChildren();
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("../surface.js").Frame} frame
   */
  over(context, frame) {
    const { model, store } = this.studio;
    if (!model) return;
    const { brush, layer } = this;
    const { size } = this.surface;
    const { chosen, hovered } = this.strokes;
    if ((this.cells || brush.painting) && layer) drawCells(context, frame, size, layer);
    const looked = [...new Set([chosen, hovered])].flatMap((id) => {
      const stroke = store.stroke(id);
      return stroke ? [{ stroke, hovered: id === hovered }] : [];
    });
    if (!brush.painting) drawStrokes(context, frame, size, model, looked);
    const { op } = this.panel;
    if (layer || op === "erase") drawBrush(context, frame, size, brush, { op, erasing: this.painting.erasing, layer });
  }

  // Keys

  /** @param {KeyboardEvent} event @param {string} key @returns {boolean} */
  keys(event, key) {
    const { store } = this.studio;
    const { chosen } = this.strokes;
    if (event.altKey && !event.ctrlKey && chosen !== null && (key === "ArrowUp" || key === "ArrowDown")) {
      store.move(chosen, key === "ArrowUp" ? 1 : -1);
      return true;
    }
    if (this.panel.keys(event, key)) return true;
    if (event.ctrlKey || event.altKey || event.metaKey) return false;
    switch (key) {
      case "s":
        this.classes.set(!this.classes.on);
        break;
      case "g":
        this.setCells(!this.cells);
        break;
      case "x":
        this.smooth.flip();
        break;
      case "b":
        if (!event.repeat && !this.brush.painting) this.views.hold();
        break;
      case "h": {
        const stroke = store.stroke(chosen);
        if (stroke) store.update(stroke.id, { hidden: !stroke.hidden });
        break;
      }
      case "Delete":
        if (chosen !== null) this.strokes.remove(chosen);
        break;
      case "Escape":
        if (!this.brush.drop()) this.strokes.choose(null);
        break;
      case "/":
        this.palette.find.focus();
        break;
      default:
        if (/^[1-9]$/.test(key)) return this.palette.nth(Number(key));
        return this.seed.keys(key);
    }
    return true;
  }
}

/** @type {Paint | null} */
let paint = null;

/** @type {Room} */
export const room = {
  id: "paint",
  title: "Paint",
  mount: (element, studio) => {
    paint = new Paint(element, studio);
  },
  enter: () => {
    paint?.views.enter();
    paint?.surface.fit();
  },
  leave: () => {
    paint?.brush.drop();
    paint?.views.leave();
  },
  keys: (event, key) => paint?.keys(event, key) ?? false,
};
