/** Paint: the picture, what to paint with on its left, what has been done on its right. */

/** @import { Studio, Room } from "../studio.js" */
/** @import { Edit } from "../recipe.js" */

import { Brush } from "../brush.js";
import { Classes } from "../classes.js";
import { choices, h, iconButton, toggle } from "../dom.js";
import { erased } from "../eraser.js";
import { hint, lead, removes, resultLine } from "../feedback.js";
import { DRAW, edges, ERASE, fill, grid, line, REMOVE, ring } from "../outline.js";
import { Palette } from "../palette.js";
import { encodeRuns, pool, rasterOf } from "../recipe.js";
import { seedControl } from "../seed.js";
import { cover, smoothToggle, undoButtons } from "../stage.js";
import { Strength } from "../strength.js";
import { StrokeList } from "../strokes.js";
import { Surface } from "../surface.js";
import { Views } from "../views.js";
import { counted, latentWords, sentences } from "../words.js";

/** @typedef {"draw" | "remove" | "erase"} Op */

const HELP =
  "Arrow keys move the brush by a cell. Space paints there. Shift with an arrow paints on the way, until Shift is let go. Delete takes the chosen stroke away. Question mark lists all keys.";
/** The brush at the beginning: this share of the picture's side. */
const FIRST_SIZE = 3 / 16;
const NOTHING = "There are no concepts: the model has no dissection";

class Paint {
  /** @type {Op} */
  op = "draw";
  cells = false;
  /** Steps of the brush's size, in pixels. */
  sizes = [1];
  /** The size that was asked for: layers have different steps. @type {number | null} */
  wished = null;
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
      pen: () => (this.pens.hidden = false),
    });
    this.classes = new Classes(studio, this.surface, {
      counted: () => this.counted(),
      seen: () => undefined,
      bare: () => this.brush.painting,
      always: true,
    });
    this.palette = new Palette(studio, () => this.concept());
    this.strength = new Strength();
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

    this.ops = choices(
      "What the brush does",
      [
        { value: "draw", text: "Draw", icon: "draw", title: "Draw (D)" },
        { value: "remove", text: "Remove", icon: "remove", title: "Remove (R)" },
        { value: "erase", text: "Erase", icon: "erase", title: "Erase strokes (E)" },
      ],
      this.op,
      (op) => this.setOp(op),
    );
    this.ops.element.classList.add("ops", "wide");
    this.sizeNow = h("span", { class: "now" });
    this.size = h("input", { type: "range", min: "0", max: "1", value: "0", step: "1", "aria-label": "Size of the brush", oninput: () => this.setSize(this.sizes[Number(this.size.value)]) });
    this.finger = toggle("draw", "Finger paints", "With a pen, fingers move and enlarge the picture; this lets them paint", (on) => (this.brush.fingerPaints = on));
    this.press = toggle("smooth", "Pressure", "The pen's pressure makes the brush smaller", (on) => (this.brush.pressure = on));
    this.pens = h("div", { class: "row wrap pens", hidden: true }, this.finger.element, this.press.element);
    const more = h("button", { type: "button", class: "phone", "aria-expanded": "false" }, "More");
    more.addEventListener("click", () => more.setAttribute("aria-expanded", String(left.classList.toggle("open"))));
    const left = h(
      "div",
      { class: "panel left", role: "region", "aria-label": "Brush" },
      h(
        "section",
        { class: "brush" },
        this.ops.element,
        more,
        h("div", { class: "field size" }, h("span", { class: "label" }, h("span", {}, "Size ", h("kbd", {}, "["), " ", h("kbd", {}, "]")), this.sizeNow), this.size),
        this.pens,
      ),
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
    this.surface.paper.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
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
      this.wished = null;
    }
    this.palette.show();
    this.ops.disable(concepts?.length === 0, NOTHING);
    this.size.disabled = concepts?.length === 0;
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
    this.strength.show(this.palette.chosen, layer, this.op === "remove");
    if (!model) return;
    const [, height, width] = model.image;
    const cells = layer?.size ?? model.layers[0]?.size ?? [height, width];
    this.brush.cell = [height / cells[0], width / cells[1]];
    const cell = Math.max(1, Math.round(this.brush.cell[1]));
    const side = Math.max(height, width);
    this.sizes = [];
    for (let size = 1; size < cell; size += 1) this.sizes.push(size);
    for (let size = cell; size <= side; size += cell) this.sizes.push(size);
    this.size.max = String(this.sizes.length - 1);
    this.showSize(this.wished ?? side * FIRST_SIZE);
    this.say();
    this.surface.refresh();
  }

  /** @param {number} size in pixels */
  setSize(size) {
    this.wished = size;
    this.showSize(size);
  }

  /** @param {number} size in pixels; the nearest step is taken */
  showSize(size) {
    const near = this.sizes.reduce((a, b) => (Math.abs(b - size) < Math.abs(a - size) ? b : a));
    this.brush.diameter = near;
    this.size.value = String(this.sizes.indexOf(near));
    const layer = this.layer;
    this.sizeNow.textContent = `${counted(near, "pixel")}${layer ? `, layer ${layer.name}` : ""}`;
    this.size.setAttribute("aria-valuetext", counted(near, "pixel"));
    this.surface.refresh();
  }

  /** @param {number} by */
  resize(by) {
    const at = Math.min(this.sizes.length - 1, Math.max(0, Number(this.size.value) + by));
    this.setSize(this.sizes[at]);
  }

  /** @param {Op} op */
  setOp(op) {
    if (this.studio.concepts?.length === 0) return;
    this.op = op;
    this.ops.set(op);
    this.strength.show(this.palette.chosen, this.layer, op === "remove");
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

  /** The stroke of a mask with what is chosen now. @param {Uint8Array} mask @returns {Edit | null} */
  edit(mask) {
    const concept = this.palette.chosen;
    if (!concept) return null;
    const removing = this.op === "remove";
    return {
      layer: concept.layer,
      units: this.strength.unitsOf(concept),
      value: removing ? "zero" : this.strength.valueOf(concept),
      alpha: 1,
      place: { painted: { size: this.surface.size, runs: encodeRuns(mask) } },
      ...(concept.own ? {} : { class: concept.id }),
      hidden: false,
    };
  }

  get erasing() {
    return this.op === "erase" || this.brush.turned;
  }

  /** What would be left of the strokes. @param {Uint8Array} mask */
  rubbed(mask) {
    const region = { size: this.surface.size, shares: mask };
    return this.studio.store.scene.strokes.flatMap((stroke) => {
      const layer = this.studio.model?.layers.find(({ name }) => name === stroke.layer);
      if (stroke.hidden || !layer) return [stroke];
      const place = erased(stroke.place, layer.size, region);
      return place === stroke.place ? [stroke] : place ? [{ ...stroke, place }] : [];
    });
  }

  begin() {
    if (!this.erasing && !this.palette.chosen) {
      this.say();
      return false;
    }
    const most = this.studio.info?.limits.strokes ?? Infinity;
    if (!this.erasing && this.studio.store.scene.strokes.length >= most) {
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
    const { store, pictures } = this.studio;
    const stroke = this.erasing ? null : this.edit(mask);
    if (stroke && mask.some((bit) => bit)) pictures.ask([...store.scene.strokes, stroke]);
    else if (this.erasing) pictures.ask(this.rubbed(mask));
    this.surface.refresh();
  }

  /** @param {Uint8Array} mask */
  end(mask) {
    const { store } = this.studio;
    if (this.erasing) {
      const strokes = this.rubbed(mask);
      const before = store.scene.strokes;
      if (strokes.length !== before.length || strokes.some((stroke, i) => stroke !== before[i])) store.change({ strokes });
      else this.drop();
      return;
    }
    const stroke = this.edit(mask);
    if (stroke) this.strokes.choose(store.add(stroke));
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
    this.surface.paper.setAttribute("aria-label", `Picture of ${latentWords(store.scene.latent)}, ${counted(strokes, "stroke")}`);
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
      const does = { draw: `Drag on the picture to draw ${name}.`, remove: `Drag over what is to go: ${name}.`, erase: "Drag over strokes to take them back." }[this.op];
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
    const size = this.surface.size;
    const layer = this.layer;
    const { brush } = this;
    if ((this.cells || brush.painting) && layer) grid(context, layer.size, size, frame);
    for (const id of new Set([this.strokes.chosen, this.strokes.hovered])) {
      const stroke = store.stroke(id);
      const of = model.layers.find(({ name }) => name === stroke?.layer);
      if (!stroke || !of || stroke.place === "everywhere" || brush.painting) continue;
      const region = { size: of.size, shares: pool(rasterOf(stroke.place, of.size), of.size) };
      const hovered = id === this.strokes.hovered;
      const off = removes(stroke);
      if (hovered) fill(context, region, size, frame, off ? REMOVE : DRAW, 0.35, off);
      line(context, edges(region, size, frame), { dashed: off, wide: hovered });
    }
    if (!layer && this.op !== "erase") return;
    const erasing = this.erasing;
    const colour = erasing ? ERASE : this.op === "remove" ? REMOVE : DRAW;
    const how = { dashed: this.op === "remove" && !erasing };
    const cells = erasing || !layer ? size : layer.size;
    const region = /** @param {Uint8Array} mask */ (mask) => ({ size: cells, shares: pool({ size, shares: mask }, cells) });
    if (brush.mask) {
      const painted = region(brush.mask);
      fill(context, painted, size, frame, colour, 0.3, how.dashed);
      line(context, edges(painted, size, frame), how);
    }
    if (!brush.at) return;
    if (!brush.mask) {
      const under = brush.stamp(brush.at);
      fill(context, region(under), size, frame, colour, 0.28);
    }
    ring(context, brush.at, brush.diameter, frame, how);
  }

  // Keys and wheel

  /** @param {WheelEvent} event */
  wheel(event) {
    if (!event.ctrlKey && !event.altKey) return;
    event.preventDefault();
    if (event.deltaY) this.resize(event.deltaY < 0 ? 1 : -1);
  }

  /** @param {KeyboardEvent} event @param {string} key @returns {boolean} */
  keys(event, key) {
    const { store } = this.studio;
    const { chosen } = this.strokes;
    if (event.altKey && !event.ctrlKey && chosen !== null && (key === "ArrowUp" || key === "ArrowDown")) {
      store.move(chosen, key === "ArrowUp" ? 1 : -1);
      return true;
    }
    const left = key === "[" || key === "{" || (event.code === "BracketLeft" && key !== "]");
    const right = key === "]" || key === "}" || (event.code === "BracketRight" && key !== "[");
    // On some keyboards brackets need AltGr, which reads as Ctrl and Alt.
    if ((left || right) && (key === "[" || key === "]" || !(event.ctrlKey || event.altKey || event.metaKey))) {
      this.resize((left ? -1 : 1) * (event.shiftKey && key !== "[" && key !== "]" ? 4 : 1));
      return true;
    }
    if (event.ctrlKey || event.altKey || event.metaKey) return false;
    switch (key) {
      case "d":
        this.setOp("draw");
        break;
      case "r":
        this.setOp("remove");
        break;
      case "e":
        this.setOp("erase");
        break;
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
