/** Keys: what they do, in a dialog. */

import { byId, h } from "./dom.js";

/** @type {[string, string][]} */
const KEYS = [
  ["D R E", "draw, remove, erase"],
  ["[ ]", "size; with Shift by 4"],
  ["1 to 9", "a concept"],
  ["Ctrl+Z", "undo"],
  ["Ctrl+Shift+Z, Ctrl+Y", "redo"],
  ["Esc", "give up the stroke under way; close"],
  ["B, held", "before"],
  ["S G X", "classes, cells, smooth"],
  [", . N", "seed before, next, any"],
  ["H", "hide the chosen stroke"],
  ["Delete", "delete the chosen stroke"],
  ["Alt+↑ Alt+↓", "the chosen stroke later, earlier"],
  ["arrows on the picture", "move the brush by a cell"],
  ["Space", "paint there"],
  ["Shift+arrow", "paint on the way, until Shift is let go"],
  ["Ctrl or Alt and the wheel", "size"],
  ["/", "find"],
  ["P on a picture of the gallery", "pin it"],
  ["Tab", "leaves the picture"],
  ["Alt+1 to 6", "rooms"],
  ["?", "these keys"],
];

/** @returns {() => void} opens the dialog */
export function mountKeys() {
  const button = byId("keys", HTMLButtonElement);
  const rows = KEYS.map(([keys, does]) => h("div", {}, h("dt", {}, h("kbd", {}, keys)), h("dd", {}, does)));
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "Close");
  const dialog = h(
    "dialog",
    { "aria-label": "Keys" },
    h("div", { class: "head" }, h("h2", {}, "Keys"), close),
    h("p", { class: "small" }, "None of them acts while you type in a field."),
    h("dl", { class: "keys" }, ...rows),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  const open = () => {
    if (!dialog.open) dialog.showModal();
  };
  button.addEventListener("click", open);
  return open;
}
