/** One run: its numbers, samples through time, curves; drawn anew as it goes on. */

/** @import { Api } from "./api.js" */
/** @import { Generation, Series, Step } from "./curves.js" */

import { Chart } from "./chart.js";
import { contest, fitness, median, series } from "./curves.js";
import { h } from "./dom.js";
import { Newest } from "./newest.js";
import { count, duration } from "./words.js";

/**
 * @typedef {object} Run one of GET /api/v1/runs
 * @property {string} id
 * @property {string} name
 * @property {"evolve" | "segmenter"} kind
 * @property {number} generation
 * @property {number} of
 * @property {"running" | "stopped" | "done"} state
 * @property {{generation: number, score: number} | null} best
 * @property {number} seconds
 * @property {{what: string, value: string, generation: number} | null} failed
 *
 * @typedef {object} Details
 * @property {Record<string, any>} settings
 * @property {number[]} samples generations
 * @property {boolean} reals
 * @property {boolean} preview
 * @property {{generation: number, score: number | null}[]} checkpoints
 * @property {{id: string, name: string, model: string | null, report: boolean}[]} dissections
 *
 * @typedef {Run & Details} RunDetails GET /api/v1/runs/{r}
 */

/** As many curves stand beside the samples. */
const ASIDE = 2;
/** From this width on a sheet of samples is smoothed. */
const LARGE = 700;

/** @param {Run} run */
export function runWords({ kind, generation, of, state, failed }) {
  const unit = kind === "segmenter" ? "step" : "generation";
  const now = `${unit} ${count(generation)} of ${count(of)}`;
  if (failed && state !== "running" && state !== "done") return `stopped at ${unit} ${count(failed.generation)}: ${failed.what} was ${failed.value}`;
  return `${now}, ${{ running: "running", stopped: "stopped", done: "finished" }[state]}`;
}

/** Settings as pairs; tables by dotted keys. @param {Record<string, any>} settings @param {string} [above] @returns {[string, string][]} */
export const flat = (settings, above = "") =>
  Object.entries(settings).flatMap(([key, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? flat(value, `${above}${key}.`)
      : [/** @type {[string, string]} */ ([above + key, Array.isArray(value) ? value.join(", ") : String(value)])],
  );

export class RunView {
  /** @type {RunDetails} */
  run;
  /** @type {{chart: Chart, draw: (chart: Chart, records: any[]) => void}[]} */
  #charts;
  #numbers = h("dl", { class: "figures-row" });
  #warning = h("p", { class: "refused", hidden: true });
  #settings = h("dl", { class: "settings" });
  /** The sheet that is shown: a generation, or the newest (null). @type {number | null} */
  #sheet = null;
  #shown = "";
  #pictures;

  /** @param {Api} api @param {RunDetails} run */
  constructor(api, run) {
    this.run = run;
    this.#charts = run.kind === "segmenter" ? segmenterCharts() : evolveCharts();
    this.slider = h("input", { type: "range", min: "0", max: "0", step: "1", "aria-label": "Generation of the samples", oninput: () => this.#slid() });
    this.when = h("small", { class: "figures" });
    this.picture = h("div", {});
    this.ends = h("div", { class: "ends figures", "aria-hidden": "true" });
    this.samples = h(
      "section",
      { class: "chart samples", "aria-label": "Samples through time" },
      h("div", { class: "head" }, h("h2", {}, "Samples through time"), this.when),
      this.picture,
      this.slider,
      this.ends,
      h("p", { class: "small" }, "The same latents every time; at the left end the images that it learns from."),
    );
    this.preview = h("section", { class: "chart samples", "aria-label": "Held-out images" });
    const first = run.kind === "segmenter" ? this.preview : this.samples;
    this.aside = h("div", { class: "aside" });
    this.below = h("div", { class: "charts" });
    this.#pictures = new Newest(/** @param {string} path @param {AbortSignal} signal */ (path, signal) => api.blob(path, { signal }), api.again);
    this.element = h(
      "div",
      { class: "run" },
      this.#numbers,
      this.#warning,
      h("div", { class: "beside" }, first, this.aside),
      this.below,
      h("details", {}, h("summary", {}, "Settings"), this.#settings),
    );
  }

  /** @param {RunDetails} run @param {(Generation | Step)[]} records */
  show(run, records) {
    this.run = run;
    for (const { chart, draw } of this.#charts) draw(chart, records);
    // What a recipe never records is not waited for: a run of one mutation has no fitness.
    const charts = this.#charts.filter(({ chart }) => !records.length || !chart.isEmpty).map(({ chart }) => chart.element);
    fill(this.aside, charts.slice(0, ASIDE));
    fill(this.below, charts.slice(ASIDE));
    this.#numbers.replaceChildren(...numbers(run, records).map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text))));
    const last = records[records.length - 1];
    const collapsed = last && "collapsed" in last && last.collapsed;
    this.#warning.hidden = !collapsed && !run.failed;
    this.#warning.textContent = run.failed && run.state !== "done"
      ? `It stopped in generation ${count(run.failed.generation)}: ${run.failed.what} was ${run.failed.value}.`
      : collapsed
        ? "All samples are alike: the variance of the samples has been below 1 % of that of the real images for 500 generations."
        : "";
    const settings = flat(run.settings);
    if (this.#settings.childElementCount !== settings.length) {
      this.#settings.replaceChildren(...settings.map(([key, value]) => h("div", {}, h("dt", {}, h("code", {}, key)), h("dd", {}, value))));
    }
    if (run.kind === "segmenter") this.#showPreview();
    else this.#showSamples();
  }

  #showPreview() {
    const { run } = this;
    this.preview.hidden = !run.preview;
    // It is written anew with each judgement.
    const shown = String(run.best?.generation);
    if (!run.preview || this.#shown === shown) return;
    this.#shown = shown;
    const alt = "Held-out images, their labels, and what the segmenter says";
    this.preview.replaceChildren(h("h2", {}, "Held-out images"), this.picture, h("p", { class: "small" }, `${alt}.`));
    void this.#load(`runs/${run.id}/preview.png`, alt);
  }

  /** The places of the slider: the real images, then each sheet. */
  get #sheets() {
    return [...(this.run.reals ? [-1] : []), ...this.run.samples];
  }

  #slid() {
    const at = Number(this.slider.value);
    const sheets = this.#sheets;
    this.#sheet = at === sheets.length - 1 ? null : sheets[at];
    this.#showSamples();
  }

  #showSamples() {
    const sheets = this.#sheets;
    this.samples.hidden = !sheets.length;
    if (!sheets.length) return;
    const at = this.#sheet === null ? sheets.length - 1 : Math.max(0, sheets.indexOf(this.#sheet));
    const generation = sheets[at];
    this.slider.max = String(sheets.length - 1);
    this.slider.value = String(at);
    this.slider.disabled = sheets.length < 2;
    const words = generation < 0 ? "real images" : `generation ${count(generation)}`;
    this.slider.setAttribute("aria-valuetext", words);
    this.when.textContent = words;
    const name = /** @param {number} sheet */ (sheet) => (sheet < 0 ? "reals" : count(sheet));
    this.ends.replaceChildren(h("span", {}, name(sheets[0])), h("span", {}, sheets.length > 1 ? name(sheets[sheets.length - 1]) : ""));
    const shown = `${this.run.id} ${generation}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const path = generation < 0 ? `runs/${this.run.id}/reals.png` : `runs/${this.run.id}/samples/${generation}.png`;
    void this.#load(path, generation < 0 ? "Real images" : `Samples of generation ${generation}`);
  }

  /** Shows a picture of the run; the one before stays until it has come. @param {string} path @param {string} alt */
  async #load(path, alt) {
    const blob = await this.#pictures.ask(path).catch(() => null);
    if (!blob) return;
    const image = h("img", { alt, src: URL.createObjectURL(blob) });
    await image.decode().catch(() => undefined);
    URL.revokeObjectURL(image.src);
    image.toggleAttribute("data-large", image.naturalWidth >= LARGE);
    this.picture.replaceChildren(image);
  }
}

/** @param {RunDetails} run @param {(Generation | Step)[]} records @returns {[string, string][]} */
function numbers(run, records) {
  const last = records[records.length - 1];
  /** @type {[string, string][]} */
  const found = [[run.kind === "segmenter" ? "step" : "generation", count(run.generation)]];
  const middle = median(records.slice(-200).map(({ seconds }) => seconds));
  if (last && "images" in last) found.push(["real images seen", count(last.images)]);
  if (middle !== null) found.push([`a ${run.kind === "segmenter" ? "step" : "generation"} takes`, `${middle.toPrecision(2)} s`]);
  if (run.state === "running" && middle !== null) found.push(["still to go, about", duration(middle * Math.max(0, run.of - run.generation))]);
  else found.push(["time in all", duration(run.seconds)]);
  if (last && "memory" in last && last.memory) found.push(["memory", `${count(Math.round(last.memory / 1e6))} MB`]);
  if (run.best) {
    const score = scoreName(records);
    const name = run.kind === "segmenter" ? "best mean IoU" : score === null ? "least distance to reals" : `least ${shortHash(score)}`;
    found.push([`${name}, at ${count(run.best.generation)}`, run.best.score === null ? "–" : run.best.score.toPrecision(3)]);
  }
  return found;
}

/** A name with so much of a hash in it as tells it from others. @param {string} name */
export const shortHash = (name) => name.replace(/@([0-9a-f]{8})[0-9a-f]+/, "@$1");

/** What the scores of a run are called, with the features and the number of images that they depend on; null where nothing was scored. @param {any[]} records */
export const scoreName = (records) => records.findLast(({ score }) => score)?.score.name ?? null;

/** @type {() => {chart: Chart, draw: (chart: Chart, records: any[]) => void}[]} */
const evolveCharts = () => {
  /** @type {(title: string, note: string, of: (record: Generation) => number | null | undefined, look?: object) => {chart: Chart, draw: (chart: Chart, records: Generation[]) => void}} */
  const one = (title, note, of, look = {}) => ({
    chart: new Chart({ title, note, x: "generation", ...look }),
    draw: (chart, records) => chart.lines([series(records, title.toLowerCase(), of)]),
  });
  return [
    {
      chart: new Chart({ title: "Which mutation wins", note: "Share of the generations whose best child came from each mutation.", x: "generation" }),
      draw: (chart, records) => chart.columns(contest(records)),
    },
    {
      chart: new Chart({ title: "Fitness of the children", note: "Quality and a share of diversity, means of steps; children of different mutations compete by it.", x: "generation" }),
      draw: (chart, records) => chart.lines(fitness(records)),
    },
    one("Distance to real images", "Of scored checkpoints: squared MMD on images of 8 x 8 pixels. Lower is nearer; it compares checkpoints of one run.", ({ distance }) => distance, { points: true }),
    {
      chart: new Chart({ title: "Score", note: "Of checkpoints, by the features that the name tells. Lower is better; compare only scores of one name.", x: "generation", points: true }),
      draw: (chart, /** @type {Generation[]} */ records) => {
        chart.lines([series(records, scoreName(records) ?? "", ({ score }) => score?.value)]);
      },
    },
    one("Loss of the discriminator", "Means of steps, penalties included.", ({ d_loss }) => d_loss),
    one("Real or not", "Share of real images that the discriminator finds more real than the fake beside them. 0.5: it cannot tell; 1: it always can.", ({ d_accuracy }) => d_accuracy, { y: [0.4, 1] }),
    one("Variance of the samples", "Near 0 all samples are alike.", ({ sample_variance }) => sample_variance),
  ];
};

/** @type {() => {chart: Chart, draw: (chart: Chart, records: any[]) => void}[]} */
const segmenterCharts = () => [
  {
    chart: new Chart({ title: "Mean IoU", note: "On held-out images, by plane of labels.", x: "step", points: true, y: [0, 1] }),
    draw: (chart, /** @type {Step[]} */ records) => {
      const planes = [...new Set(records.flatMap(({ mean_iou }) => Object.keys(mean_iou ?? {})))];
      chart.lines(planes.map((plane) => series(records, plane, ({ mean_iou }) => mean_iou?.[plane])));
    },
  },
  {
    chart: new Chart({ title: "Loss", note: "Cross-entropy, summed over planes, means of steps.", x: "step" }),
    draw: (chart, /** @type {Step[]} */ records) => chart.lines([series(records, "loss", ({ loss }) => loss)]),
  },
];

/** Fills a box, which is left alone where all is in it already: a chart that somebody reads keeps the focus. @param {HTMLElement} box @param {HTMLElement[]} elements */
function fill(box, elements) {
  const same = elements.length === box.children.length && elements.every((element, i) => element === box.children[i]);
  if (!same) box.replaceChildren(...elements);
}
