/** Curves and shares as pictures (SVG) that one can read at any place, with the numbers as a table behind a button. */

import { h, unique } from "./dom.js";
import { decimals, marks, ticks } from "./curves.js";
import { count } from "./words.js";

/** @import { Series, Shares } from "./curves.js" */

const NS = "http://www.w3.org/2000/svg";
/** The drawing's own units, and its margins. */
const [WIDTH, HEIGHT] = [420, 190];
const [LEFT, RIGHT, TOP, BOTTOM] = [42, 10, 8, 32];
const DASHES = ["none", "7 4", "2 3"];
const COLOURS = ["var(--c1)", "var(--c2)", "var(--c3)"];
/** Lines are told apart by their dashes too; nine pairs. @param {number} i */
const lineLook = (i) => ({ class: "line", stroke: COLOURS[i % 3], "stroke-dasharray": DASHES[(i + Math.floor(i / 3)) % 3] });
/** @param {number} i */
const shareLook = (i) => ({ class: "share", fill: COLOURS[i % 3], "fill-opacity": 1 / (1 + Math.floor(i / 3)) });
/** Rows of the table, at most. */
const ROWS = 40;

/** @param {string} tag @param {Record<string, string | number>} attributes @param {string} [text] */
function svg(tag, attributes, text) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/** @param {number} x */
const round = (x) => x.toFixed(1);

/**
 * @typedef {object} ChartLook
 * @property {string} title
 * @property {string} note what is drawn, in a sentence
 * @property {string} x the name of the axis
 * @property {[number, number]} [y] the range, where it is not that of the numbers
 * @property {boolean} [points] single measurements: drawn as points, too
 */

export class Chart {
  #look;
  #drawing;
  #cross;
  #readout;
  #table;
  #legend;
  /** @type {Series[]} */
  #series = [];
  /** @type {Shares | null} */
  #shares = null;
  /** All places on the axis where there is a number. @type {number[]} */
  #places = [];
  #at = -1;
  /** @type {[number, number]} */
  #range = [0, 1];

  /** @param {ChartLook} look */
  constructor(look) {
    this.#look = look;
    const title = unique("chart");
    this.#drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${look.title}. ${look.note}` });
    this.#cross = svg("line", { y1: TOP, y2: HEIGHT - BOTTOM, class: "cross", visibility: "hidden" });
    this.#readout = h("p", { class: "readout figures" });
    this.#legend = h("ul", { class: "legend" });
    this.#table = h("div", { class: "numbers-table", hidden: true, tabIndex: 0, role: "region", "aria-label": `${look.title}, numbers` });
    const button = h("button", { type: "button", class: "bare small", "aria-expanded": "false" }, "Numbers");
    button.addEventListener("click", () => {
      this.#table.hidden = !this.#table.hidden;
      button.setAttribute("aria-expanded", String(!this.#table.hidden));
      this.#tabulate();
    });
    const plot = h("div", { class: "plot", tabIndex: 0, role: "group", "aria-label": `${look.title}: arrow keys read it place by place` });
    plot.append(this.#drawing);
    plot.addEventListener("pointermove", (event) => {
      const box = this.#drawing.getBoundingClientRect();
      const share = (((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT);
      this.#read(this.#nearest(this.#range[0] + share * (this.#range[1] - this.#range[0])));
    });
    plot.addEventListener("pointerleave", () => this.#read(-1));
    plot.addEventListener("blur", () => this.#read(-1));
    plot.addEventListener("keydown", (event) => {
      const last = this.#places.length - 1;
      const to = { ArrowLeft: Math.max(0, (this.#at < 0 ? last + 1 : this.#at) - 1), ArrowRight: Math.min(last, this.#at + 1), Home: 0, End: last, Escape: -1 }[event.key];
      if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      this.#read(to);
      heard.textContent = this.#readout.textContent;
    });
    const heard = h("p", { class: "out", "aria-live": "polite" });
    this.element = h(
      "section",
      { class: "chart", "aria-labelledby": title },
      h("div", { class: "head" }, h("h2", { id: title }, look.title), button),
      plot,
      this.#readout,
      heard,
      this.#legend,
      h("p", { class: "small" }, look.note),
      this.#table,
    );
    this.#read(-1);
  }

  /**
   * Draws lines.
   * @param {Series[]} series
   */
  lines(series) {
    this.#series = series.filter(({ points }) => points.length);
    this.#shares = null;
    this.#places = [...new Set(this.#series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
    const values = this.#series.flatMap(({ points }) => points.map(([, y]) => y));
    if (!values.length) return this.#empty();
    const { low, high, steps } = ticks(...(this.#look.y ?? [Math.min(...values), Math.max(...values)]));
    const [x, y] = this.#axes(low, high, steps, marks(steps));
    const drawn = this.#series.map(({ points }, i) => {
      const path = points.map(([px, py]) => `${round(x(px))},${round(y(Math.min(high, Math.max(low, py))))}`).join(" ");
      return svg("polyline", { points: path, ...lineLook(i) });
    });
    const dots = this.#look.points
      ? this.#series.flatMap(({ points }, i) => points.map(([px, py]) => svg("circle", { cx: round(x(px)), cy: round(y(py)), r: 3, fill: COLOURS[i % 3] })))
      : [];
    this.#drawing.append(...drawn, ...dots, this.#cross);
    this.#named(this.#series.map(({ name }) => name), "stroke");
    this.#after();
  }

  /**
   * Draws shares of one, as columns.
   * @param {Shares} shares
   */
  columns(shares) {
    this.#series = [];
    this.#shares = shares;
    this.#places = shares.bins.map(({ middle }) => middle);
    if (!shares.bins.length) return this.#empty();
    const [, y] = this.#axes(0, 1, [0, 0.5, 1], ["0 %", "50 %", "100 %"], [shares.bins[0].from, shares.bins[shares.bins.length - 1].to]);
    const x = this.#across;
    for (const { from, to, parts } of shares.bins) {
      let below = 0;
      parts.forEach((part, i) => {
        if (!part) return;
        const box = { x: round(x(from)), width: round(Math.max(0.5, x(to) - x(from) - 0.6)), y: round(y(below + part)), height: round(y(below) - y(below + part)) };
        this.#drawing.append(svg("rect", { ...box, ...shareLook(i) }));
        below += part;
      });
    }
    this.#drawing.append(this.#cross);
    this.#named(shares.names, "fill");
    this.#after();
  }

  /** Whether there is nothing to draw. */
  get isEmpty() {
    return this.#places.length === 0;
  }

  #empty() {
    this.#drawing.replaceChildren(svg("text", { x: WIDTH / 2, y: HEIGHT / 2, "text-anchor": "middle" }, "nothing yet"));
    this.#legend.replaceChildren();
    this.#read(-1);
  }

  #after() {
    this.#read(this.#at < this.#places.length ? this.#at : -1);
    if (!this.#table.hidden) this.#tabulate();
  }

  /** @param {number} at */
  #across = (at) => {
    const [from, to] = this.#range;
    return LEFT + ((at - from) / (to - from || 1)) * (WIDTH - LEFT - RIGHT);
  };

  /**
   * @param {number} low
   * @param {number} high
   * @param {number[]} steps
   * @param {string[]} texts of the steps
   * @param {[number, number]} [range] of the axis below
   * @returns {[(at: number) => number, (value: number) => number]}
   */
  #axes(low, high, steps, texts, range) {
    // Runs begin at 0, whatever is drawn of them.
    this.#range = range ?? [0, this.#places[this.#places.length - 1]];
    const y = /** @param {number} value */ (value) => HEIGHT - BOTTOM - ((value - low) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM);
    const parts = steps.flatMap((value, i) => [
      svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: round(y(value)), y2: round(y(value)), class: "grid" }),
      svg("text", { x: LEFT - 6, y: round(y(value) + 4), "text-anchor": "end" }, texts[i]),
    ]);
    const [from, to] = this.#range;
    const below = ticks(from, to).steps.filter((at) => at >= from && at <= to && Number.isInteger(at));
    for (const at of below) parts.push(svg("text", { x: round(this.#across(at)), y: HEIGHT - 16, "text-anchor": "middle" }, count(at)));
    parts.push(svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 2, "text-anchor": "middle" }, this.#look.x));
    this.#drawing.replaceChildren(...parts);
    return [this.#across, y];
  }

  /** @param {string[]} names @param {"stroke" | "fill"} kind */
  #named(names, kind) {
    this.#legend.hidden = names.length < 2;
    this.#legend.replaceChildren(
      ...names.map((name, i) => {
        const key = svg("svg", { viewBox: "0 0 24 12", class: "key", "aria-hidden": "true" });
        key.append(
          kind === "fill"
            ? svg("rect", { x: 6, y: 0, width: 12, height: 12, ...shareLook(i) })
            : svg("line", { x1: 0, x2: 24, y1: 6, y2: 6, ...lineLook(i) }),
        );
        const item = h("li", {}, name);
        item.prepend(key);
        return item;
      }),
    );
  }

  /** @param {number} x */
  #nearest(x) {
    let best = -1;
    this.#places.forEach((place, i) => {
      if (best < 0 || Math.abs(place - x) < Math.abs(this.#places[best] - x)) best = i;
    });
    return best;
  }

  /** The numbers at a place. @param {number} at */
  #row(at) {
    const place = this.#places[at];
    if (this.#shares) {
      const { parts } = this.#shares.bins[at];
      return this.#shares.names.map((name, i) => ({ name, text: `${Math.round(parts[i] * 100)} %` }));
    }
    const [low, high] = this.#drawnRange();
    return this.#series.map(({ name, points }) => {
      const found = points.find(([x]) => x === place);
      return { name, text: found ? decimals(found[1], (high - low) / 20) : "–" };
    });
  }

  #drawnRange() {
    const values = this.#series.flatMap(({ points }) => points.map(([, y]) => y));
    return [Math.min(...values), Math.max(...values)];
  }

  /** @param {number} at a place, or -1 for none */
  #read(at) {
    this.#at = at;
    const place = this.#places[at];
    this.#cross.setAttribute("visibility", place === undefined ? "hidden" : "visible");
    if (place === undefined) {
      const last = this.#places.length - 1;
      this.#readout.textContent = last < 0 ? "" : `${this.#last(last)}`;
      return;
    }
    const x = round(this.#across(place));
    this.#cross.setAttribute("x1", x);
    this.#cross.setAttribute("x2", x);
    this.#readout.textContent = this.#last(at);
  }

  /** @param {number} at */
  #last(at) {
    const row = this.#row(at);
    const numbers = row.length === 1 ? row[0].text : row.map(({ name, text }) => `${name} ${text}`).join(", ");
    return `${this.#look.x} ${count(Math.round(this.#places[at]))}: ${numbers}`;
  }

  #tabulate() {
    if (this.#table.hidden) return;
    const every = Math.max(1, Math.ceil(this.#places.length / ROWS));
    const last = this.#places.length - 1;
    const rows = this.#places.map((_, i) => i).filter((i) => i % every === 0 || i === last);
    const names = this.#shares ? this.#shares.names : this.#series.map(({ name }) => name);
    this.#table.replaceChildren(
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...[this.#look.x, ...names].map((name, i) => h("th", { scope: "col", class: i ? "n" : "" }, name)))),
        h(
          "tbody",
          {},
          ...rows.map((at) =>
            h("tr", {}, h("th", { scope: "row" }, count(Math.round(this.#places[at]))), ...this.#row(at).map(({ text }) => h("td", { class: "n" }, text))),
          ),
        ),
      ),
    );
  }
}
