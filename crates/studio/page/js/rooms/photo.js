/** Your photo: looked for in the generator, painted like any other picture, and the change put back onto the photo. */

/** @import { Room, Studio } from "../studio.js" */
/** @import { Job } from "../types.js" */

import { Cropper } from "../cropper.js";
import { download, h } from "../dom.js";
import { follow } from "../events.js";
import { strokeName } from "../feedback.js";
import { Kept } from "../kept.js";
import { PLAIN } from "../store.js";
import { SMOOTH_FROM } from "../surface.js";
import { counted, listed, sentences } from "../words.js";

/** As many pictures are kept. */
const KEPT = 24;
/** Photos are read up to this many bytes. */
const LARGEST = 64 << 20;
const DISTANCE = "root mean square of the differences, range −1 to 1";
/** What the program calls the stages of the work, and what they are. */
const STAGES = /** @type {Record<string, string>} */ ({
  "first latents": "Nearest of many seeds",
  latent: "Latent",
  shift: "Activations of a layer",
});

/**
 * @typedef {object} Inversion what came of it
 * @property {string} inversion its id
 * @property {string} layer
 * @property {{latent: number, refined: number}} distance
 * @property {number[]} latent that of the picture before refinement
 * @property {number} seconds
 * @property {boolean} near
 *
 * @typedef {{kind: "none"} | {kind: "crop", cropper: Cropper, name: string}
 *   | {kind: "work", name: string, photo: Blob, job: Job | null}
 *   | {kind: "done", name: string, photo: Blob, found: Inversion}} State
 */

class Photo {
  /** @type {State} */
  state = { kind: "none" };
  present = false;
  modelId = "";
  /** Ends what listens to the work. */
  ending = new AbortController();
  /** @type {string | null} */
  job = null;
  /** Pictures by their request. @type {Kept<Promise<Blob>>} */
  pictures = new Kept(KEPT);
  shownPut = "";
  fault = "";

  /** @param {HTMLElement} element @param {Studio} studio */
  constructor(element, studio) {
    this.studio = studio;
    this.steps = h("ol", { class: "steps" });
    this.side = h("section", { "aria-label": "What to do", hidden: true });
    this.work = h("div", { class: "work", role: "region", "aria-label": "Photo" });
    this.said = h("p", { class: "out", role: "status" });
    this.file = h("input", { type: "file", accept: "image/png,image/jpeg,image/webp,image/*", hidden: true, "aria-hidden": "true", tabIndex: -1 });
    this.file.addEventListener("change", () => {
      const file = this.file.files?.[0];
      this.file.value = "";
      if (file) void this.take(file);
    });
    element.classList.add("two");
    element.append(
      h("div", { class: "panel left", role: "region", "aria-label": "Steps" }, h("section", {}, h("h2", {}, "From photo to picture"), this.steps), this.side, this.said, this.file),
      this.work,
    );
    studio.store.subscribe(() => this.putBack());
    studio.onModel(() => this.opened());
    this.opened();
  }

  opened() {
    const id = this.studio.model?.id ?? "";
    if (id === this.modelId && this.work.childElementCount) return;
    if (id !== this.modelId) this.stop();
    this.modelId = id;
    this.become({ kind: "none" });
  }

  /** @returns {[number, number]} height and width of the generator's pictures */
  get size() {
    const [, height, width] = this.studio.model?.image ?? [3, 1, 1];
    return [height, width];
  }

  // From file to picture

  /** @param {File} file */
  async take(file) {
    if (!this.studio.model) return;
    this.fault = "";
    let photo;
    try {
      if (file.size > LARGEST) throw new Error("it is larger than 64 MiB");
      photo = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch (error) {
      const why = error instanceof DOMException ? "it is no picture that this browser reads" : /** @type {Error} */ (error).message;
      this.fault = `${file.name} was not opened: ${why}. PNG, JPEG and WebP are read.`;
      if (this.state.kind === "none") this.show();
      else this.studio.notice("photo", { kind: "wrong", lead: "", text: this.fault });
      return;
    }
    this.stop();
    const cropper = new Cropper(photo, this.size);
    this.become({ kind: "crop", cropper, name: file.name });
    if (cropper.whole) void this.begin();
  }

  /** Sends the part that is kept, and follows the work. */
  async begin() {
    if (this.state.kind !== "crop") return;
    const { cropper, name } = this.state;
    const { api, model } = this.studio;
    if (!model) return;
    const photo = await cropper.cut();
    this.ending = new AbortController();
    const { signal } = this.ending;
    this.become({ kind: "work", name, photo, job: null });
    try {
      const { id } = await api.json(`models/${model.id}/inversions`, { body: photo });
      if (signal.aborted) return this.cancel(id);
      this.job = id;
      const job = await follow(api, id, (now) => this.hear(now), signal);
      if (signal.aborted) return;
      this.job = null;
      if (job.state === "done") {
        this.become({ kind: "done", name, photo, found: job.result });
        const done = `${name} was found: off by ${job.result.distance.refined.toFixed(3)}.`;
        this.said.textContent = done;
        if (!this.present) {
          const show = () => this.studio.go("photo");
          this.studio.notice("photo", { kind: "note", lead: "Your photo is ready.", text: done, buttons: [{ text: "Show it", run: show }] });
        }
      } else if (job.state === "failed") {
        throw new Error(job.error ? sentences(job.error.message, job.error.hint) : "");
      } else {
        this.become({ kind: "crop", cropper, name });
      }
    } catch (error) {
      if (signal.aborted) return;
      const { message, hint } = /** @type {Error & {hint?: string | null}} */ (error);
      this.fault = `${name} was not looked for. ${sentences(message, hint ?? null)}`;
      this.become({ kind: "crop", cropper, name });
    }
  }

  /** @param {Job} job */
  hear(job) {
    if (this.state.kind !== "work") return;
    this.state.job = job;
    this.progress();
  }

  /** Gives up what is under way. */
  stop() {
    this.ending.abort();
    if (this.job) this.cancel(this.job);
    this.job = null;
  }

  /** @param {string} job */
  cancel(job) {
    this.studio.api.ask(`jobs/${job}`, { method: "DELETE" }).catch(() => undefined);
  }

  /** @param {State} state */
  become(state) {
    this.state = state;
    this.show();
  }

  // What is seen

  show() {
    this.showSteps();
    this.side.hidden = true;
    this.shownPut = "";
    const { state } = this;
    if (state.kind === "none") this.showNone();
    else if (state.kind === "crop") this.showCrop(state.cropper);
    else if (state.kind === "work") this.showWork(state.photo);
    else this.showDone(state.photo, state.found);
  }

  showSteps() {
    const { state } = this;
    const done = state.kind === "done" ? state.found : null;
    const [height, width] = this.size;
    const stage = state.kind === "work" ? (state.job?.stage ?? "") : "";
    const at = { none: 0, crop: 1, work: 2, done: 4 }[state.kind] + (state.kind === "work" && stage === "shift" ? 1 : 0);
    /** @type {[string, string][]} */
    const steps = [
      ["Your photo", state.kind === "none" ? "" : state.name],
      ["What to keep of it", `${width} x ${height} pixels in the generator`],
      ["Latent", done ? `off by ${done.distance.latent.toFixed(3)}` : ""],
      [done ? `Activations of layer ${done.layer}` : "Activations of a layer", done ? `off by ${done.distance.refined.toFixed(3)}` : ""],
      ["Paint, and put the change back", ""],
    ];
    this.steps.replaceChildren(
      ...steps.map(([name, note], i) =>
        h(
          "li",
          { class: i < at ? "done" : i === at ? "now" : "", "aria-current": i === at ? "step" : null },
          h("span", { class: "n", "aria-hidden": "true" }, i < at ? "✓" : String(i + 1)),
          h("span", {}, h("b", {}, name), i <= at && note ? h("small", {}, note) : null),
        ),
      ),
    );
  }

  showNone() {
    const { model } = this.studio;
    if (!model) {
      this.work.replaceChildren(h("div", { class: "empty" }, "A photo is looked for in a generator: none is open."));
      return;
    }
    const [height, width] = this.size;
    const shape = height === width ? "is not square" : `has not the shape ${width} to ${height}`;
    this.work.replaceChildren(
      h(
        "div",
        { class: "photo-drop" },
        h("h2", {}, "Drop a picture here"),
        h("p", {}, "It is looked for in the generator, then painted like any other picture; what you change is put back onto your photo."),
        h("button", { type: "button", class: "main", onclick: () => this.file.click() }, "Choose a file …"),
        this.fault ? h("p", { class: "wrong", role: "alert" }, this.fault) : null,
        h(
          "p",
          { class: "small" },
          `PNG, JPEG or WebP. It goes to the studio alone, which runs where you started it. What ${shape} is cropped first, and you choose where. `,
          `${model.name} makes pictures like those that it learnt from; of anything else it makes the nearest that it knows.`,
        ),
      ),
    );
  }

  /** @param {Cropper} cropper */
  showCrop(cropper) {
    const [height, width] = cropper.size;
    const [rows, columns] = this.size;
    const makes = rows === columns ? "squares" : `pictures of ${columns} x ${rows}`;
    const say = cropper.whole ? "" : `This is ${width} x ${height}; the generator makes ${makes}. Choose what to keep.`;
    this.work.replaceChildren(
      h("div", { class: "head" }, h("h2", {}, "What to keep of it"), h("small", {}, say)),
      this.fault ? h("p", { class: "wrong", role: "alert" }, this.fault) : "",
      cropper.element,
      h(
        "div",
        { class: "row wrap" },
        h("button", { type: "button", class: "main", onclick: () => void this.begin() }, "Look for it"),
        h("button", { type: "button", onclick: () => this.file.click() }, "Another photo …"),
      ),
    );
    this.fault = "";
  }

  /** @param {Blob} photo */
  showWork(photo) {
    this.bar = h("span");
    this.progressbar = h("div", { class: "progress", role: "progressbar", "aria-label": "Looking for your photo", "aria-valuemin": 0, "aria-valuemax": 100 }, this.bar);
    this.stage = h("h2", {}, "Looking for your photo");
    this.left = h("p", { class: "small figures" });
    const stop = () => {
      const { state } = this;
      this.stop();
      if (state.kind === "work") this.become({ kind: "none" });
    };
    this.work.replaceChildren(
      h("div", { class: "found" }, this.figure(photo, "Your photo", "as it is looked for")),
      h("section", { class: "working", "aria-label": "Progress" }, h("div", { class: "head" }, this.stage, h("button", { type: "button", onclick: stop }, "Stop")), this.progressbar, this.left),
    );
    this.side.hidden = false;
    this.side.replaceChildren(h("p", { class: "small" }, "You can paint meanwhile. The search goes on, and a line above says when it is done."));
    this.progress();
  }

  progress() {
    if (this.state.kind !== "work" || !this.bar || !this.progressbar || !this.stage || !this.left) return;
    const { job } = this.state;
    const share = job?.of ? job.done / job.of : 0;
    this.bar.style.transform = `scaleX(${share})`;
    this.progressbar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    const name = job ? (STAGES[job.stage] ?? job.stage) : "";
    if (!job || job.state === "waiting") {
      this.stage.textContent = job ? "Waiting for other work" : "Sending your photo";
      this.left.textContent = "";
      return;
    }
    this.stage.textContent = `${name || "Looking for your photo"}: ${job.done} of ${job.of}`;
    this.left.textContent = `${Math.round(job.seconds)} s so far${job.left === null ? "" : `, ${counted(Math.ceil(job.left), "second")} left in this step`}`;
    this.showSteps();
  }

  /** @param {Blob} photo @param {Inversion} found */
  showDone(photo, found) {
    const { inversion, latent, distance, layer, near, seconds } = found;
    const plain = /** @param {object} latent */ (latent) => this.picture({ ...this.recipe([]), latent, truncation: undefined, truncation_layers: undefined, class: undefined });
    this.put = h("section", { class: "put", "aria-label": "Put back" });
    const verdict = near
      ? h("p", {}, "The generator makes something like it by itself: its units work here as in other pictures.")
      : h("p", {}, h("b", { class: "refused" }, "Not near: "), "this generator has seen nothing like it. The refined picture is near because nearly anything can be added to a layer; painting will fit less well.");
    this.work.replaceChildren(
      this.put,
      h(
        "section",
        { "aria-label": "How it was found" },
        h("div", { class: "head" }, h("h2", {}, "How near it came"), h("small", { class: "figures" }, `in ${seconds.toFixed(1)} s; ${DISTANCE}`)),
        h(
          "div",
          { class: "found" },
          this.figure(photo, "Your photo", ""),
          this.figure(plain({ numbers: latent }), "From the latent alone", `off by ${distance.latent.toFixed(3)}`),
          this.figure(plain({ inversion }), `And activations of layer ${layer}`, `off by ${distance.refined.toFixed(3)}`),
        ),
        verdict,
      ),
    );
    const paint = () => {
      this.studio.store.change({ latent: { inversion }, ...PLAIN });
      this.studio.store.seal();
      this.studio.go("paint");
    };
    this.side.hidden = false;
    this.side.replaceChildren(
      h("button", { type: "button", class: "main", onclick: paint }, "Paint on it"),
      h("button", { type: "button", onclick: () => this.file.click() }, "Another photo …"),
      h("p", { class: "small" }, "What you paint is the difference that it makes in the generator's picture; it is added to your photo here."),
    );
    this.putBack();
  }

  /** @param {readonly import("../recipe.js").Edit[]} strokes */
  recipe(strokes) {
    return /** @type {any} */ (this.studio.store.recipe(strokes));
  }

  /**
   * @param {object} recipe
   * @param {Record<string, string>} [query]
   * @returns {Promise<Blob>}
   */
  picture(recipe, query = {}) {
    const key = JSON.stringify([recipe, query]);
    return this.pictures.get(key) ?? this.pictures.set(key, this.studio.pictures.bytes(recipe, query));
  }

  /**
   * @param {Blob | Promise<Blob>} picture
   * @param {string} name
   * @param {string} note
   */
  figure(picture, name, note) {
    const image = h("img", { alt: name });
    image.addEventListener("load", () => {
      image.toggleAttribute("data-large", image.naturalWidth >= SMOOTH_FROM);
      URL.revokeObjectURL(image.src);
    });
    const caption = h("figcaption", {}, h("b", {}, name), note);
    Promise.resolve(picture).then(
      (blob) => (image.src = URL.createObjectURL(blob)),
      (error) => caption.append(h("span", { class: "wrong" }, ` not drawn: ${error.message}`)),
    );
    const [height, width] = this.size;
    image.style.aspectRatio = `${width} / ${height}`;
    return h("figure", {}, image, caption);
  }

  /** The change that the strokes make, on the photo itself. */
  putBack() {
    const { state, put } = this;
    if (!this.present || state.kind !== "done" || !put) return;
    const { scene } = this.studio.store;
    const { inversion } = state.found;
    const strokes = scene.strokes.filter(({ hidden }) => !hidden);
    const painted = "inversion" in scene.latent && scene.latent.inversion === inversion && strokes.length > 0;
    put.hidden = !painted;
    if (!painted) return;
    const recipe = { ...this.recipe(strokes), latent: { inversion } };
    const key = JSON.stringify(recipe);
    if (key === this.shownPut) return;
    this.shownPut = key;
    const edited = this.picture(recipe, { photo: "true" });
    const save = async () => download(await edited, `${state.name.replace(/\.[^.]*$/, "")}-edited.png`);
    const names = [...new Set(strokes.map(strokeName))];
    const what = names.length > 3 ? counted(strokes.length, "stroke") : listed(names);
    put.replaceChildren(
      h("div", { class: "head" }, h("h2", {}, `On your photo: ${what}`), h("small", {}, "the generator's change, added to your pixels")),
      h("div", { class: "found" }, this.figure(state.photo, "Your photo", ""), this.figure(edited, "Your photo, edited", "")),
      h(
        "div",
        { class: "row wrap" },
        h("button", { type: "button", class: "main", onclick: () => save().catch((error) => this.studio.fault("photo", "The picture was not saved.", error)) }, "Save it (PNG)"),
        h("button", { type: "button", onclick: () => this.studio.go("paint") }, "Go on painting"),
      ),
    );
  }

  enter() {
    this.present = true;
    if (this.state.kind === "done") this.studio.notice("photo", null);
    this.putBack();
  }
}

/** @type {Photo | null} */
let photo = null;
/** A photo that came before the room was there. @type {File | null} */
let waiting = null;

/** Goes to the room with a photo. @param {File} file @param {Studio} studio */
export function take(file, studio) {
  if (photo) void photo.take(file);
  else waiting = file;
  studio.go("photo");
}

/** @type {Room} */
export const room = {
  id: "photo",
  title: "Your photo",
  mount: (element, studio) => {
    photo = new Photo(element, studio);
    if (waiting) void photo.take(waiting);
    waiting = null;
  },
  enter: () => photo?.enter(),
  leave: () => {
    if (photo) photo.present = false;
  },
};
