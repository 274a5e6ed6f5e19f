/** Repair: candidates by eye, what becomes of a picture without those that go, what it costs, and the model that is written. */

/** @import { Room, Studio } from "../studio.js" */
/** @import { Candidate, Decision, Distances, Repair } from "../repairs.js" */

import { choices, h } from "../dom.js";
import { follow } from "../events.js";
import { lazyImage } from "../images.js";
import { Newest } from "../newest.js";
import { accepted, decided, measured, price, randomMean, shown, typedUnits } from "../repairs.js";
import { seedControl } from "../seed.js";
import { switchEdit } from "../unit-edits.js";
import { counted, pictureWords, sentences } from "../words.js";

class Repairs {
  present = false;
  modelId = "";
  /** @type {Repair | null} */
  repair = null;
  /** Decisions are sent one after the other. @type {Promise<unknown>} */
  sending = Promise.resolve();
  /** Ends what waits for the model that is written. @type {AbortController | null} */
  writing = null;
  /** What the pictures before and after show, or will. */
  shownPair = "";

  /** @param {HTMLElement} element @param {Studio} studio */
  constructor(element, studio) {
    this.studio = studio;
    this.element = element;
    this.counts = h("dl", { class: "facts" });
    this.typed = h("input", { type: "text", inputMode: "numeric", autocomplete: "off", placeholder: "17, 40", "aria-label": "Other units to take out" });
    this.typed.addEventListener("change", () => this.type());
    this.fault = h("p", { class: "small wrong", role: "alert", hidden: true });
    this.write = h("button", { type: "button", class: "main", onclick: () => void this.writeModel() });
    this.bar = h("span");
    this.progress = h("div", { class: "progress", role: "progressbar", "aria-label": "Writing the model", "aria-valuemin": 0, "aria-valuemax": 100, hidden: true }, this.bar);
    this.stop = h("button", { type: "button", hidden: true }, "Stop");
    this.said = h("p", { class: "small", role: "status" });
    this.left = h(
      "section",
      { hidden: true },
      h("h2", {}, "Decisions"),
      this.counts,
      h("div", { class: "field" }, h("span", { class: "label" }, "Other units to take out"), this.typed),
      this.fault,
      this.write,
      this.progress,
      this.stop,
      this.said,
    );
    this.work = h("div", { class: "work", role: "region", "aria-label": "Candidates" });
    this.pairTitle = h("h2", {});
    this.pairNote = h("small", {});
    this.pair = h("div", { class: "pair" });
    this.costs = h("div", { class: "costs" });
    const both = /** @param {object[]} recipes */ (recipes) => Promise.all(recipes.map((recipe) => studio.pictures.bytes(recipe, {})));
    this.pairs = new Newest(both);
    this.seed = seedControl(studio);
    const right = h(
      "div",
      { class: "panel right", role: "region", "aria-label": "Effect" },
      h("section", { "aria-label": "Before and after" }, h("div", { class: "head" }, this.pairTitle, this.pairNote), this.pair),
      this.seed.element,
      h("section", { "aria-label": "What it costs" }, this.costs),
    );
    element.append(h("div", { class: "panel left", role: "region", "aria-label": "Decisions" }, this.left), this.work, right);
    studio.onModel(() => this.opened());
    studio.store.subscribe(() => this.showPair());
  }

  enter() {
    this.present = true;
    this.opened();
  }

  opened() {
    const { model } = this.studio;
    if (!this.present || !model) return;
    if (model.id !== this.modelId) {
      this.writing?.abort();
      this.modelId = model.id;
      this.repair = null;
      this.said.textContent = "";
      this.work.replaceChildren(h("div", { class: "bones", "aria-hidden": "true" }, ...Array.from({ length: 4 }, () => h("span"))));
    }
    void this.ask();
  }

  /** What the folder of the repair says now. */
  async ask() {
    const { api, model } = this.studio;
    if (!model) return;
    try {
      const repair = /** @type {Repair | null} */ (await api.patient(() => api.json(`models/${model.id}/repair`)));
      if (this.studio.model === model) this.take(repair);
    } catch (error) {
      this.studio.fault("repair", "The candidates did not come.", error);
    }
  }

  /** @param {Repair | null} repair */
  take(repair) {
    const same =
      this.repair && repair && this.repair.name === repair.name && this.repair.layer === repair.layer && repair.candidates.every(({ unit }, i) => unit === this.repair?.candidates[i]?.unit) && repair.candidates.length === this.repair.candidates.length;
    this.repair = repair;
    if (!same) this.showCards();
    this.show();
  }

  showCards() {
    const { repair } = this;
    const { model, api, info } = this.studio;
    if (!repair || !model) {
      const layer = model?.layers[model.layers.length - 1]?.name ?? "LAYER";
      const path = info?.models.find(({ id }) => id === model?.id)?.path ?? "MODEL";
      this.work.replaceChildren(
        h(
          "div",
          { class: "empty" },
          h("b", {}, "No repair of this model was found"),
          h("span", {}, "A repair looks for units whose strongest pictures are farthest from real ones. Search for them, then start the studio on the folder that holds both:"),
          h("code", {}, `ganatomy repair ${path} --layer ${layer} --real IMAGES --out repair`),
        ),
      );
      return;
    }
    const rows = ["pictures", "where on", "without", "most alike"];
    const about = `Layer ${repair.layer} of ${model.name}, ${counted(repair.samples, "picture")} searched, real images of ${repair.real}. Rows: the pictures; where the unit is on; without it; the real ones most like them.`;
    /** @type {Map<number, {element: HTMLElement, set: (decision: Decision) => void}>} */
    this.cards = new Map();
    for (const candidate of repair.candidates) {
      const { unit } = candidate;
      const choice = choices(
        `Unit ${unit}`,
        /** @type {{value: Decision, text: string}[]} */ ([
          { value: "accept", text: "Take out" },
          { value: "undecided", text: "Undecided" },
          { value: "reject", text: "Leave in" },
        ]),
        candidate.decision,
        (decision) => this.decide(unit, decision),
      );
      choice.element.classList.add("wide");
      const path = `models/${model.id}/repair/candidates/${unit}/picture.png`;
      const element = h(
        "article",
        { class: "candidate", "aria-label": `Unit ${unit}` },
        h("div", { class: "head" }, h("h3", {}, `Unit ${unit}`), h("small", { class: "figures" }, figures(candidate))),
        h("div", { class: "rows" }, h("ul", { "aria-hidden": "true" }, ...rows.map((row) => h("li", {}, row))), lazyImage(api, path, `Unit ${unit}: ${rows.join(", ")}`)),
        choice.element,
      );
      this.cards.set(unit, { element, set: choice.set });
    }
    this.work.replaceChildren(
      h("div", {}, h("h2", {}, "Units whose strongest pictures are farthest from real ones"), h("p", { class: "small" }, about)),
      h("div", { class: "candidates" }, ...[...this.cards.values()].map(({ element }) => element)),
    );
  }

  show() {
    const { repair } = this;
    this.left.hidden = !repair;
    this.element.classList.toggle("alone", !repair);
    if (repair) {
      for (const { unit, decision } of repair.candidates) {
        const card = this.cards?.get(unit);
        card?.set(decision);
        if (card) card.element.dataset.decision = decision;
      }
      const { out, stay, open } = decided(repair);
      const facts = /** @type {[string, number][]} */ ([["take out", out], ["leave in", stay], ["undecided, left in", open]]);
      this.counts.replaceChildren(...facts.flatMap(([name, n]) => [h("dt", {}, name), h("dd", {}, String(n))]));
      const others = repair.others.filter(({ decision }) => decision === "accept").map(({ unit }) => unit);
      if (document.activeElement !== this.typed) this.typed.value = others.join(", ");
      this.write.textContent = out ? `Write the model without ${counted(out, "unit")}` : "Write the model";
      this.write.disabled = !out || this.writing !== null;
      this.write.title = out ? "" : "No unit is taken out yet";
      if (!this.said.textContent) this.said.replaceChildren(...this.written(repair));
    }
    this.showPair();
    this.showCosts();
  }

  /** What became of the decisions so far. @param {Repair} repair @returns {(Node | string)[]} */
  written(repair) {
    if (!repair.file) return ["The model that is open stays as it is."];
    const file = h("code", {}, repair.file);
    if (!repair.judged) return ["There is ", file, "."];
    return measured(repair) ? ["It is written: ", file, "."] : [file, " is of other decisions: write it anew."];
  }

  /** The picture before, and without the units that go. */
  showPair() {
    const { store, model } = this.studio;
    const { repair } = this;
    if (!this.present || !model || !repair) return;
    const units = accepted(repair);
    this.pairTitle.textContent = pictureWords(store.scene).replace(/^./, (first) => first.toUpperCase());
    this.pairNote.textContent = units.length ? `${units.length === 1 ? "unit" : "units"} ${units.slice(0, 6).join(", ")}${units.length > 6 ? " …" : ""} off` : "nothing is off";
    const before = store.recipe([]);
    const after = store.recipe(units.length ? [switchEdit(repair.layer, units, 0)] : []);
    const key = JSON.stringify([model.id, after]);
    if (key === this.shownPair) return;
    this.shownPair = key;
    this.pairs.ask([before, after]).then(
      (blobs) => {
        if (!blobs || this.shownPair !== key) return;
        const [rows, columns] = [model.image[1], model.image[2]];
        const figures = blobs.map((blob, i) => {
          const image = h("img", { src: URL.createObjectURL(blob), alt: i ? "After" : "Before" });
          image.addEventListener("load", () => URL.revokeObjectURL(image.src));
          image.style.aspectRatio = `${columns} / ${rows}`;
          return h("figure", {}, image, h("figcaption", {}, h("b", {}, i ? "After" : "Before")));
        });
        this.pair.replaceChildren(...figures);
      },
      (error) => this.studio.fault("repair", "The pictures did not come.", error),
    );
  }

  showCosts() {
    const { repair } = this;
    if (!repair) return this.costs.replaceChildren();
    const { judged } = repair;
    if (!judged) {
      const text = "It is measured when the model is written: how far its images are from real ones, before, after, and without as many random units.";
      return this.costs.replaceChildren(h("h2", {}, "What it costs"), h("p", { class: "small" }, text));
    }
    /** @type {(name: string, distances: Distances | null) => HTMLElement | null} */
    const row = (name, distances) =>
      distances &&
      h("tr", {}, h("th", { scope: "row" }, name), ...[distances.before, distances.after, randomMean(distances)].map((x) => h("td", { class: "n" }, shown(x))));
    const { lead, text, costs } = price(judged);
    const old = measured(repair) ? null : h("p", { class: "small refused" }, `Measured without ${judged.units.length === 1 ? "unit" : "units"} ${judged.units.join(", ")}; other units are decided now. Write the model to measure it anew.`);
    return this.costs.replaceChildren(
      h("h2", {}, "Distance from real images"),
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...["", "before", "after", "random"].map((head, i) => (i ? h("th", { scope: "col", class: "n" }, head) : h("td", {}))))),
        h("tbody", {}, row("strongest, to most alike", judged.alike), row("strongest, to all", judged.strongest), row("all images", judged.all)),
      ),
      h("p", { class: "small" }, h("b", { class: costs ? "refused" : "took" }, lead), " ", text),
      old ?? "",
      ...judged.obstacles.map((obstacle) => h("p", { class: "small" }, obstacle)),
    );
  }

  /** @param {number} unit @param {Decision} decision */
  decide(unit, decision) {
    if (!this.repair) return;
    const { api, model } = this.studio;
    const { candidates, others } = this.repair;
    const known = candidates.some((one) => one.unit === unit);
    // It is seen at once; the server's word replaces it.
    this.repair = {
      ...this.repair,
      candidates: candidates.map((one) => (one.unit === unit ? { ...one, decision } : one)),
      others: known ? others : [...others.filter((one) => one.unit !== unit), ...(decision === "undecided" ? [] : [{ unit, decision }])],
    };
    this.said.textContent = "";
    this.show();
    const send = this.sending.then(() => api.patient(() => api.json(`models/${model?.id}/repair/decisions`, { body: { unit, decision } })));
    this.sending = send.then(
      (repair) => {
        if (this.sending === last && this.studio.model === model) this.take(repair);
      },
      (error) => {
        this.studio.fault("repair", `What was decided about unit ${unit} was not kept.`, error);
        void this.ask();
      },
    );
    const last = this.sending;
  }

  /** Other units that were typed. */
  type() {
    const { repair } = this;
    const layer = this.studio.model?.layers.find(({ name }) => name === repair?.layer);
    if (!repair || !layer) return;
    const { units, fault } = typedUnits(this.typed.value, layer.units);
    this.fault.textContent = fault;
    this.fault.hidden = !fault;
    this.typed.setAttribute("aria-invalid", String(Boolean(fault)));
    if (fault) return;
    const before = repair.others.filter(({ decision }) => decision === "accept").map(({ unit }) => unit);
    for (const unit of units.filter((one) => !before.includes(one))) this.decide(unit, "accept");
    for (const unit of before.filter((one) => !units.includes(one))) this.decide(unit, "undecided");
  }

  async writeModel() {
    const { api, model } = this.studio;
    if (!model || this.writing) return;
    this.writing = new AbortController();
    const { signal } = this.writing;
    this.said.textContent = "";
    this.progress.hidden = false;
    this.stop.hidden = false;
    this.show();
    try {
      await this.sending;
      const { id } = await api.json(`models/${model.id}/repair/model`, { body: {}, signal });
      this.stop.onclick = () => void api.ask(`jobs/${id}`, { method: "DELETE" }).catch(() => undefined);
      const job = await follow(
        api,
        id,
        ({ stage, done, of }) => {
          const share = of ? done / of : 0;
          this.bar.style.transform = `scaleX(${share})`;
          this.progress.setAttribute("aria-valuenow", String(Math.round(share * 100)));
          this.said.textContent = stage;
        },
        signal,
      );
      if (signal.aborted) return;
      if (job.state === "failed") throw new Error(job.error ? sentences(job.error.message, job.error.hint) : "");
      if (job.state === "done") {
        const { file, units, removal, note } = job.result;
        this.said.replaceChildren("Written to ", h("code", {}, file), `: ${counted(units.length, "unit")} ${removal}. The model that is open stays as it is. ${note ?? ""}`);
        await this.ask();
      } else {
        this.said.textContent = "It was stopped; nothing was written.";
      }
    } catch (error) {
      if (signal.aborted) return;
      this.said.textContent = "";
      this.studio.fault("repair", "The model was not written.", error);
    } finally {
      this.writing = null;
      this.progress.hidden = true;
      this.stop.hidden = true;
      this.show();
    }
  }
}

/** @param {Candidate} candidate */
function figures({ distance, without, iou }) {
  if (iou !== null && iou !== undefined) return `IoU ${iou.toFixed(2)} with the defect`;
  return `${shown(distance)} from real${without === null ? "" : `; without it ${shown(without)}`}`;
}

/** @type {Repairs | null} */
let repairs = null;

/** @type {Room} */
export const room = {
  id: "repair",
  title: "Repair",
  mount: (element, studio) => {
    repairs = new Repairs(element, studio);
  },
  enter: () => repairs?.enter(),
  leave: () => {
    if (repairs) repairs.present = false;
  },
  keys: (event, key) => !event.ctrlKey && !event.altKey && !event.metaKey && (repairs?.seed.keys(key) ?? false),
};
