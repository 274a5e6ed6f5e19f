/** Wander: seeds side by side, and the pictures between them. */

/** @import { Studio, Room } from "../studio.js" */
/** @import { Latent } from "../recipe.js" */

import { download, h, iconButton } from "../dom.js";
import { Gallery } from "../gallery.js";
import { Plane } from "../plane.js";
import { anySeed } from "../seed.js";
import { cut, MOST, sheet } from "../sheet.js";
import { classControl } from "../label.js";
import { lookKey } from "../store.js";
import { truncationControl } from "../truncation.js";
import { Walk } from "../walk.js";

/** What is pinned at the beginning. */
const FIRST_PINS = [7, 19, 38];
/** Pictures of a strip from one pin to the next, both included. */
const STRIP = 8;

class Wander {
  /** @type {number[]} */
  pins = [...FIRST_PINS];
  modelId = "";
  /** The model and truncation that the pinned pictures are drawn with. */
  pinned = "";
  seen = false;

  /**
   * @param {HTMLElement} element
   * @param {Studio} studio
   */
  constructor(element, studio) {
    this.studio = studio;
    const paint = /** @param {Latent} latent */ (latent) => this.paint(latent);
    this.walk = new Walk(studio, paint);
    this.plane = new Plane(studio, paint);
    this.gallery = new Gallery(studio, {
      paint: (seed) => this.paint({ seed }),
      pin: (seed) => this.pin(seed),
      pinned: (seed) => this.pins.includes(seed),
    });
    this.field = h("input", { type: "number", min: "0", step: "1", class: "grow figures", "aria-label": "Seed", placeholder: "7" });
    this.fault = h("p", { class: "small wrong", role: "alert", hidden: true });
    this.field.addEventListener("input", () => this.go(this.field.value));
    this.list = h("ol", { class: "strokes pins", "aria-label": "Pinned seeds" });
    this.strip = h("button", { type: "button", onclick: () => void this.saveStrip() }, "Strip of these (PNG)");
    this.none = h("p", { class: "empty small" }, "Pin pictures of the gallery: the walk goes through them.");
    this.law = h("small", {});
    element.classList.add("two");
    element.append(
      h(
        "div",
        { class: "panel left", role: "region", "aria-label": "Seeds" },
        h(
          "section",
          { "aria-label": "Go to a seed" },
          h("h2", {}, "Go to a seed"),
          h("div", { class: "row" }, this.field, iconButton("any", "Any seed (N)", () => this.any())),
          this.fault,
        ),
        h(
          "section",
          { "aria-label": "Pinned" },
          h("div", { class: "head" }, h("h2", {}, "Pinned"), h("small", {}, "the walk goes down")),
          this.none,
          this.list,
          this.strip,
        ),
        h("section", { "aria-label": "Latents" }, h("h2", {}, "Latents"), classControl(studio), truncationControl(studio), this.law),
      ),
      h(
        "div",
        { class: "work", role: "region", "aria-label": "Pictures" },
        h("div", { class: "ways" }, this.walk.element, this.plane.element),
        this.gallery.element,
      ),
    );
    studio.onModel(() => this.show());
    studio.store.subscribe(() => this.show());
  }

  show() {
    const { model } = this.studio;
    if (!this.seen || !model) return;
    if (this.modelId !== model.id) {
      this.modelId = model.id;
      const { length, law, truncation, classes } = model.latent;
      const drawn = `${model.name} makes a picture of ${length} numbers that are drawn with the law “${law}”.`;
      const middle = truncation
        ? "Truncation takes pictures nearer to the middle: below 1 they are more typical and more alike, above 1 less usual."
        : "It divides them by their length, so there is nothing to truncate.";
      const kinds = classes.length ? `It has ${classes.length} classes; a seed has one of its own until you choose one.` : "It has no classes.";
      this.law.textContent = `${drawn} ${middle} ${kinds}`;
    }
    const pinned = `${model.id} ${lookKey(this.studio.store.scene)}`;
    if (pinned !== this.pinned) {
      this.pinned = pinned;
      this.listPins();
    }
    this.walk.show();
    this.plane.show();
    this.gallery.show();
  }

  enter() {
    this.seen = true;
    this.modelId = this.pinned = "";
    this.show();
  }

  leave() {
    this.seen = false;
    this.walk.stop();
  }

  /** @param {Latent} latent */
  paint(latent) {
    this.studio.store.change({ latent });
    this.studio.go("paint");
  }

  any() {
    this.field.value = String(anySeed());
    this.go(this.field.value);
  }

  /** The gallery begins at a seed that was typed. @param {string} text */
  go(text) {
    const seed = Number(text);
    const fits = text !== "" && Number.isSafeInteger(seed) && seed >= 0;
    const bad = !fits && (text !== "" || this.field.validity.badInput);
    this.fault.textContent = bad ? "A seed is a whole number from 0 on." : "";
    this.fault.hidden = !bad;
    this.field.setAttribute("aria-invalid", String(bad));
    if (fits) this.gallery.from(seed);
  }

  /** @param {number} seed */
  pin(seed) {
    this.pins = this.pins.includes(seed) ? this.pins.filter((pin) => pin !== seed) : [...this.pins, seed];
    this.listPins();
    this.gallery.show();
  }

  /** @param {number} from @param {-1 | 1} by */
  reorder(from, by) {
    const to = from + by;
    if (to < 0 || to >= this.pins.length) return;
    [this.pins[from], this.pins[to]] = [this.pins[to], this.pins[from]];
    this.listPins();
    const name = by < 0 ? "later" : "earlier";
    /** @type {HTMLElement | null} */ (this.list.children[to]?.querySelector(`[data-does="${name}"]:enabled, button:enabled`))?.focus();
  }

  listPins() {
    const { pins } = this;
    this.none.hidden = pins.length > 0;
    this.strip.disabled = pins.length < 2;
    this.strip.title = pins.length < 2 ? "Pin two seeds or more" : "";
    const canvases = pins.map(() => h("canvas", { class: "thumb", "aria-hidden": "true" }));
    this.list.replaceChildren(
      ...pins.map((seed, i) =>
        h(
          "li",
          { class: "stroke pin-row" },
          canvases[i],
          h("b", {}, `Seed ${seed}`),
          h(
            "div",
            { class: "row tools" },
            iconButton("later", `Up: seed ${seed}`, () => this.reorder(i, -1), { disabled: i === 0, "data-does": "later" }),
            iconButton("earlier", `Down: seed ${seed}`, () => this.reorder(i, 1), { disabled: i === pins.length - 1, "data-does": "earlier" }),
            iconButton("delete", `Take the pin off seed ${seed}`, () => {
              this.pin(seed);
              /** @type {HTMLElement | null} */ (this.list.children[Math.min(i, pins.length - 2)]?.querySelector("button:enabled"))?.focus();
            }),
          ),
        ),
      ),
    );
    this.walk.setPins(pins);
    if (!pins.length || !this.studio.model) return;
    const few = pins.slice(0, MOST);
    this.studio.api
      .patient(() => sheet(this.studio, few.map((seed) => ({ seed }))))
      .then((blob) => cut(blob, few.length, canvases.slice(0, few.length)))
      .catch((error) => this.studio.fault("pins", "The pinned pictures were not drawn.", error));
  }

  /** From pin to pin, a row for each pair. */
  async saveStrip() {
    const rows = this.pins.slice(0, -1).map((seed, i) => /** @type {[number, number]} */ ([seed, this.pins[i + 1]]));
    const fit = rows.slice(0, Math.floor(MOST / STRIP));
    const latents = fit.flatMap((seeds) => Array.from({ length: STRIP }, (_, i) => ({ between: { seeds, at: i / (STRIP - 1) } })));
    try {
      const blob = await this.studio.api.patient(() => sheet(this.studio, latents, { columns: STRIP }));
      download(blob, `${this.studio.model?.name}-strip-${this.pins.slice(0, fit.length + 1).join("-")}.png`);
      if (fit.length < rows.length) {
        const text = `A strip has ${fit.length} rows at most; it goes from seed ${fit[0][0]} to seed ${fit[fit.length - 1][1]}.`;
        this.studio.notice("strip", { kind: "note", lead: "The strip was saved in part.", text });
      }
    } catch (error) {
      this.studio.fault("strip", "The strip was not saved.", error);
    }
  }

  /** @param {string} key */
  keys(key) {
    if (key === "n") this.any();
    else if (key === "/") this.field.focus();
    else return false;
    return true;
  }
}

/** @type {Wander | null} */
let wander = null;

/** @type {Room} */
export const room = {
  id: "wander",
  title: "Wander",
  mount: (element, studio) => {
    wander = new Wander(element, studio);
  },
  enter: () => wander?.enter(),
  leave: () => wander?.leave(),
  keys: (event, key) => !(event.ctrlKey || event.altKey || event.metaKey) && (wander?.keys(key) ?? false),
};
