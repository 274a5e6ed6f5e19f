/** Training: the runs of a folder, live curves, samples through time, what was found in them. */

/** @import { Room, Studio } from "../studio.js" */
/** @import { Generation, Step } from "../curves.js" */
/** @import { Run, RunDetails } from "../run-view.js" */

import { pause } from "../api.js";
import { grown, placeOf } from "../curves.js";
import { download, h } from "../dom.js";
import { listen } from "../events.js";
import { RunView, runWords } from "../run-view.js";
import { sentences } from "../words.js";

/** Between two looks for new runs, in milliseconds. */
const LOOK = 5000;
const NOTE = "Of the folder that the studio was started on. New runs appear by themselves.";

class Training {
  /** @type {Run[]} */
  runs = [];
  /** What is listed, by run. @type {Map<string, {element: HTMLElement, show: (run: Run) => void}>} */
  rows = new Map();
  /** The run that is shown. @type {string | null} */
  chosen = null;
  /** @type {RunView | null} */
  view = null;
  /** @type {(Generation | Step)[]} */
  records = [];
  /** Ends what listens to the shown run. */
  listening = new AbortController();
  timer = 0;

  /** @param {HTMLElement} element @param {Studio} studio */
  constructor(element, studio) {
    this.studio = studio;
    this.element = element;
    this.list = h("ul", { class: "runs" });
    this.found = h("ul", { class: "found" });
    this.foundIn = h("section", { "aria-label": "Found in this run", hidden: true }, h("h2", {}, "Found in this run"), this.found);
    this.work = h("div", { class: "work", role: "region", "aria-label": "Run" });
    element.classList.add("two");
    element.append(
      h("div", { class: "panel left", role: "region", "aria-label": "Runs" }, h("section", {}, h("h2", {}, "Runs"), this.list, h("p", { class: "small" }, NOTE)), this.foundIn),
      this.work,
    );
  }

  enter() {
    void this.look();
    this.timer = setInterval(() => void this.look(), LOOK);
    // What was missed meanwhile comes at once.
    if (this.chosen) void this.follow(this.chosen);
  }

  leave() {
    clearInterval(this.timer);
    this.listening.abort();
  }

  /** Which runs there are. */
  async look() {
    if (this.studio.api.link === "lost") return;
    try {
      this.runs = /** @type {Run[]} */ (await this.studio.api.json("runs"));
    } catch (error) {
      if (!this.runs.length) this.empty(/** @type {Error} */ (error).message);
      return;
    }
    this.showList();
    if (!this.runs.length) {
      this.empty("");
      return;
    }
    if (!this.runs.some(({ id }) => id === this.chosen)) this.choose((this.runs.find(({ state }) => state === "running") ?? this.runs[0]).id);
  }

  /** @param {string} why */
  empty(why) {
    this.listening.abort();
    this.chosen = null;
    this.view = null;
    this.element.classList.add("alone");
    const text = why || "Start the studio on the folder of a run, or on a folder of runs, and they are shown here while they train.";
    this.work.replaceChildren(h("div", { class: "empty" }, h("b", {}, "No runs"), h("span", {}, text), h("code", {}, "ganatomy studio runs/")));
  }

  /** A row that stays is the element that it was: a running one changes twice a second, and a click takes longer than that. */
  showList() {
    const rows = this.runs.map((run) => {
      const row = this.rows.get(run.id) ?? this.row(run.id);
      row.show(run);
      return row;
    });
    this.rows = new Map(this.runs.map(({ id }, i) => [id, rows[i]]));
    const elements = rows.map(({ element }) => element);
    if (elements.length !== this.list.childElementCount || elements.some((element, i) => element !== this.list.children[i])) {
      const focused = document.activeElement;
      this.list.replaceChildren(...elements);
      if (focused instanceof HTMLElement && this.list.contains(focused)) focused.focus({ preventScroll: true });
    }
  }

  /** @param {string} id */
  row(id) {
    const [name, where] = [h("b", {}), h("small", {})];
    const button = h("button", { type: "button", onclick: () => this.choose(id) }, name, where);
    return {
      element: h("li", {}, button),
      show: /** @param {Run} run */ (run) => {
        name.textContent = run.name;
        where.textContent = runWords(run);
        where.classList.toggle("running", run.state === "running");
        if (run.id === this.chosen) button.setAttribute("aria-current", "true");
        else button.removeAttribute("aria-current");
      },
    };
  }

  /** @param {string} id */
  choose(id) {
    if (id === this.chosen) return;
    this.chosen = id;
    this.view = null;
    this.records = [];
    this.element.classList.remove("alone");
    this.foundIn.hidden = true;
    this.work.replaceChildren(h("div", { class: "bones", "aria-hidden": "true" }, ...Array.from({ length: 5 }, () => h("span"))));
    this.showList();
    void this.follow(id);
  }

  /** Gets what is known of a run, then what comes. @param {string} id */
  async follow(id) {
    this.listening.abort();
    this.listening = new AbortController();
    const { signal } = this.listening;
    const { api } = this.studio;
    const path = `runs/${id}`;
    const from = () => (this.records.length ? String(placeOf(this.records[this.records.length - 1])) : "0");
    try {
      const [run, records] = await Promise.all([
        api.patient(() => api.json(path, { signal }), signal),
        api.patient(() => api.json(`${path}/stats`, { query: { from: from() }, signal }), signal),
      ]);
      if (signal.aborted) return;
      this.records = grown(this.records, records);
      this.show(run);
      // The studio may be ended and started again meanwhile.
      while (!signal.aborted) {
        await listen(api, `${path}/events`, (data, event) => this.heard(data, event), signal, () => ({ from: from() }));
        await pause(LOOK, signal);
      }
    } catch (error) {
      if (!signal.aborted) this.studio.fault("runs", `The run ${id} was not read.`, error);
    }
  }

  /** @param {any} data @param {string} event */
  heard(data, event) {
    if (event === "run") {
      this.show(data);
    } else if (event === "gone") {
      this.listening.abort();
      this.studio.notice("runs", { kind: "wrong", lead: "The run is gone.", text: sentences(data.message, data.hint) });
    } else {
      this.records = grown(this.records, data);
      if (this.view) this.show({ ...this.view.run, generation: placeOf(this.records[this.records.length - 1]) });
    }
  }

  /** @param {RunDetails} run */
  show(run) {
    if (!this.view || this.view.run.id !== run.id) {
      this.view = new RunView(this.studio.api, run);
      this.work.replaceChildren(this.view.element);
    }
    this.view.show(run, this.records);
    const at = this.runs.findIndex(({ id }) => id === run.id);
    if (at >= 0) this.runs[at] = run;
    this.showList();
    this.showFound(run);
  }

  /** @param {RunDetails} run */
  showFound({ dissections }) {
    this.foundIn.hidden = !dissections.length;
    const shown = JSON.stringify(dissections);
    if (this.found.dataset.shown === shown) return;
    this.found.dataset.shown = shown;
    this.found.replaceChildren(
      ...dissections.map(({ id, name, model, report }) =>
        h(
          "li",
          {},
          h("span", {}, "Dissection ", h("code", {}, name), report ? ", with a report" : ""),
          h(
            "div",
            { class: "row wrap" },
            model ? h("button", { type: "button", onclick: () => void this.openDissection(model) }, "Look inside") : null,
            report ? this.reportLink(id, name) : null,
          ),
        ),
      ),
    );
  }

  /** A report has a policy of its own, which a page of ours could not give it: it opens as a page, or is saved where that needs the token. @param {string} id @param {string} name */
  reportLink(id, name) {
    const { api } = this.studio;
    if (!api.guarded) return h("a", { href: `/api/v1/reports/${encodeURIComponent(id)}`, target: "_blank", rel: "noopener" }, "Report");
    const save = async () => download(await api.blob(`reports/${id}`), `${name}-report.html`);
    return h("button", { type: "button", onclick: () => save().catch((error) => this.studio.fault("runs", "The report did not come.", error)) }, "Save the report");
  }

  /** @param {string} model */
  async openDissection(model) {
    if (this.studio.model?.id !== model) await this.studio.open(model);
    this.studio.go("inside");
  }
}

/** @type {Training | null} */
let training = null;

/** @type {Room} */
export const room = {
  id: "training",
  title: "Training",
  mount: (element, studio) => {
    training = new Training(element, studio);
  },
  enter: () => training?.enter(),
  leave: () => training?.leave(),
};
