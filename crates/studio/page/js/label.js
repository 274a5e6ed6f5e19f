/** Of which class pictures are, for models that read a label. */

/** @import { Studio } from "./studio.js" */

import { h, unique } from "./dom.js";

/** @param {Studio} studio */
export function classControl(studio) {
  const { store } = studio;
  const id = unique("class");
  const choice = h("select", { id });
  choice.addEventListener("change", () => store.change({ label: choice.value }));
  const element = h("div", { class: "field" }, h("span", { class: "label" }, h("label", { for: id }, "Class")), choice);
  let known = "";
  function show() {
    const classes = studio.model?.latent.classes ?? [];
    element.hidden = classes.length === 0;
    const key = JSON.stringify(classes);
    if (key !== known) {
      known = key;
      choice.replaceChildren(h("option", { value: "" }, "Each seed's own"), ...classes.map((name) => h("option", { value: name }, name)));
    }
    const { label } = store.scene;
    // A recipe may name a class by its number.
    choice.value = label === "" || classes.includes(label) ? label : (classes[Number(label)] ?? "");
  }
  store.subscribe(show);
  studio.onModel(show);
  show();
  return element;
}
