/** Keep: the picture, the animation, the recipe, the link; and opening them again. */

/** @import { Studio } from "./studio.js" */

import { byId, download, h } from "./dom.js";
import { LONGEST, writeAddress } from "./link.js";
import { recipeInPng } from "./png.js";
import { parseRecipe, RecipeError } from "./recipe.js";
import { pictureWords } from "./words.js";

/** Longer files are no recipes. */
const LARGEST = 64 << 20;

/** @param {Studio} studio */
export function mountKeep(studio) {
  const button = byId("keep", HTMLButtonElement);
  const menu = byId("keep-menu", HTMLElement);
  const file = h("input", { type: "file", accept: ".json,.png,application/json,image/png", hidden: true, "aria-label": "Recipe or picture" });
  file.addEventListener("change", () => {
    if (file.files?.[0]) void openFile(studio, file.files[0]);
    file.value = "";
  });

  studio.choose = () => file.click();
  /** @type {[string, string, () => void | Promise<void>][]} */
  const entries = [
    ["Picture (PNG)", "the recipe is inside the file", () => save({ format: "png", keep: "true" }, "png")],
    ["Animation of the edit", "before to after and back, GIF", () => save({ format: "gif" }, "gif")],
    ["Recipe (JSON)", "for ganatomy edit --recipe", saveRecipe],
    ["Open a recipe or picture …", "or drop it anywhere on this page", () => studio.choose()],
    ["Copy the link", "the recipe is in the link, nothing is uploaded", copyLink],
  ];
  const items = entries.map(([text, note, run]) =>
    h(
      "button",
      {
        type: "button",
        role: "menuitem",
        tabIndex: -1,
        onclick: () => {
          close(true);
          Promise.resolve(run()).catch((error) => studio.fault("keep", `${text}: that did not work.`, error));
        },
      },
      h("span", {}, text, h("small", {}, note)),
    ),
  );
  menu.append(...items);
  document.body.append(file);

  const name = () => `${studio.model?.name ?? "picture"}-${pictureWords(studio.store.scene).replace(/[^\w]+/g, "-")}`.replace(/-+$/, "");

  /** @param {Record<string, string>} query @param {string} ending */
  async function save(query, ending) {
    download(await studio.pictures.bytes(studio.store.recipe(), query), `${name()}.${ending}`);
  }

  function saveRecipe() {
    const text = `${JSON.stringify(studio.store.recipe(), null, 2)}\n`;
    download(new Blob([text], { type: "application/json" }), `${name()}.json`);
  }

  async function copyLink() {
    const room = location.hash.replace(/^#/, "").split("&")[0] || "paint";
    const base = location.href.split("#")[0];
    const fragment = await writeAddress(room, studio.store.recipe(), base);
    if (!fragment) {
      const text = `A link may have ${LONGEST.toLocaleString("en-US")} characters; this recipe needs more.`;
      const buttons = [{ text: "Recipe (JSON)", run: saveRecipe }];
      studio.notice("keep", { kind: "note", lead: "Use the file instead.", text, buttons });
      return;
    }
    try {
      await navigator.clipboard.writeText(base + fragment);
      studio.tell("link copied");
    } catch {
      const field = h("input", { type: "text", value: base + fragment, readOnly: true, "aria-label": "Link", class: "grow" });
      studio.notice("keep", { kind: "note", lead: "The browser does not let the page copy.", text: "This is the link:", extra: field });
      field.select();
    }
  }

  /** @param {boolean} back whether the button gets the focus */
  function close(back) {
    if (menu.hidden) return;
    menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (back) button.focus();
  }
  const live = () => items.filter((item) => !item.disabled);
  button.addEventListener("click", () => {
    if (!menu.hidden) {
      close(true);
      return;
    }
    const none = !studio.store.scene.strokes.some(({ hidden }) => !hidden);
    items[1].disabled = none;
    items[1].title = none ? "Nothing is painted: before and after are the same" : "";
    for (const i of [0, 2, 4]) items[i].disabled = !studio.model;
    menu.hidden = false;
    button.setAttribute("aria-expanded", "true");
    live()[0]?.focus();
  });
  menu.addEventListener("keydown", (event) => {
    const list = live();
    const at = list.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const to = { ArrowDown: (at + 1) % list.length, ArrowUp: (at - 1 + list.length) % list.length, Home: 0, End: list.length - 1 }[event.key];
    if (event.key === "Escape") close(true);
    else if (event.key === "Tab") close(false);
    else if (to === undefined) return;
    else list[to]?.focus();
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  });
  menu.addEventListener("focusout", (event) => {
    const to = event.relatedTarget;
    if (!(to instanceof Node && (menu.contains(to) || button.contains(to)))) close(false);
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.target instanceof Node && !menu.parentElement?.contains(event.target)) close(false);
  });
  mountDrop(studio);
}

/** Files that are let fall anywhere. @param {Studio} studio */
function mountDrop(studio) {
  const sign = h("div", { class: "drop-sign" }, "Let it fall: a recipe, or a picture of the studio");
  const has = /** @param {DragEvent} event */ (event) => event.dataTransfer?.types.includes("Files") ?? false;
  addEventListener("dragover", (event) => {
    if (!has(event)) return;
    event.preventDefault();
    if (!sign.isConnected) document.body.append(sign);
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) sign.remove();
  });
  addEventListener("drop", (event) => {
    sign.remove();
    if (!has(event)) return;
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) void openFile(studio, file);
  });
}

/**
 * A recipe, or a picture with one in it. Other pictures go to the room for photos.
 * @param {Studio} studio
 * @param {File} file
 */
export async function openFile(studio, file) {
  const picture = file.type.startsWith("image/");
  const bytes = file.size > LARGEST ? null : new Uint8Array(await file.arrayBuffer());
  const inside = bytes && (await recipeInPng(bytes).catch(() => null));
  if (picture && !inside && studio.takePhoto) {
    studio.takePhoto(file);
    return;
  }
  await studio.openRecipe(() => {
    if (!bytes) throw new RecipeError("It is too large for a recipe.");
    if (inside) return parseRecipe(inside);
    if (picture) throw new RecipeError("There is no recipe in this picture; those that the studio saves have one.");
    return parseRecipe(new TextDecoder().decode(bytes));
  }, file.name);
}
