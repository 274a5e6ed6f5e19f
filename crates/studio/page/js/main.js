/** The page: header, rooms by the address's fragment, keys. */

/** @import { Room } from "./studio.js" */

import { byId, h, takesText } from "./dom.js";
import { mountKeep } from "./keep.js";
import { mountKeys } from "./keys.js";
import { readAddress, recipeOf, writeAddress } from "./link.js";
import { Studio } from "./studio.js";
import { mountTheme } from "./theme.js";

/** The rooms, in the order of the header. Each is loaded when it is first entered. */
const ROOMS = [
  { id: "paint", title: "Paint", load: async () => (await import("./rooms/paint.js")).room },
  { id: "inside", title: "Look inside", load: async () => (await import("./rooms/inside.js")).room },
  { id: "wander", title: "Wander", load: async () => (await import("./rooms/wander.js")).room },
  { id: "photo", title: "Your photo", load: async () => (await import("./rooms/photo.js")).room },
  { id: "training", title: "Training", load: async () => (await import("./rooms/training.js")).room },
  { id: "repair", title: "Repair", load: async () => (await import("./rooms/repair.js")).room },
];
/** The address is written at most this often, in milliseconds: browsers refuse more. */
const ADDRESS_PAUSE = 300;
/** A full queue is said when it stays full for so long, in milliseconds. */
const BUSY_QUIET = 600;

const main = byId("main", HTMLElement);
const status = byId("status", HTMLElement);
const select = byId("model", HTMLSelectElement);
const address = readAddress(location.hash);
const studio = new Studio(address.token, byId("banners", HTMLElement));
/** @type {Map<string, {room: Room, element: HTMLElement}>} */
const mounted = new Map();
/** @type {{room: Room, element: HTMLElement} | null} */
let present = null;
let wanted = "";

// Rooms

const links = ROOMS.map(({ id, title }, i) =>
  h("a", { href: `#${id}`, "data-name": title, title: `${title} (Alt+${i + 1})` }, title),
);
byId("rooms", HTMLElement).append(...links.map((link) => h("li", {}, link)));

/** @param {string} name */
async function enter(name) {
  const entry = ROOMS.find(({ id }) => id === name) ?? ROOMS[0];
  wanted = entry.id;
  for (const link of links) {
    if (link.hash === `#${entry.id}`) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else {
      link.removeAttribute("aria-current");
    }
  }
  let place = mounted.get(entry.id);
  if (!place) {
    const room = await entry.load();
    place = mounted.get(entry.id) ?? { room, element: h("div", { class: "room", "data-room": entry.id, hidden: true }) };
    if (!mounted.has(entry.id)) {
      mounted.set(entry.id, place);
      main.append(place.element);
      place.element.hidden = false;
      room.mount(place.element, studio);
    }
  }
  if (wanted !== entry.id || present === place) return;
  present?.room.leave();
  for (const { element } of mounted.values()) element.hidden = element !== place.element;
  present = place;
  present.room.enter();
  title();
  writeSoon();
}

studio.go = (room) => {
  if (room !== wanted) location.hash = `#${room}`;
};

// A photo may be dropped before its room was ever entered.
studio.takePhoto = (file) => void import("./rooms/photo.js").then(({ take }) => take(file, studio));

function title() {
  const room = ROOMS.find(({ id }) => id === wanted)?.title;
  document.title = [room, studio.model?.name, "ganatomy studio"].filter(Boolean).join(" – ");
}

// Address

let addressTimer = 0;
/** The room and the recipe stand in the address after every change; nothing of it reaches the server. */
function writeSoon() {
  addressTimer ||= setTimeout(async () => {
    const base = location.href.split("#")[0];
    const fragment = studio.model && (await writeAddress(wanted, studio.store.recipe(), base));
    addressTimer = 0;
    // Where the recipe is too long for a link, the room alone stands there.
    history.replaceState({ studio: true }, "", fragment ?? `#${wanted}`);
  }, ADDRESS_PAUSE);
}

addEventListener("popstate", (event) => {
  const { room, recipe } = readAddress(location.hash);
  // Entries of our own are ways between rooms; what is painted stays.
  if (recipe && !event.state?.studio) void studio.openRecipe(() => recipeOf(recipe), "The link");
  void enter(room);
});

// Status

let told = 0;
studio.tell = (text) => {
  clearTimeout(told);
  told = setTimeout(() => {
    told = 0;
    showStatus();
  }, 3000);
  status.replaceChildren(h("span", { class: "text" }, text));
};

function showStatus() {
  if (told) return;
  const { link } = studio.api;
  const { milliseconds } = studio.pictures;
  const words = { opening: "opening", busy: "busy", lost: "no answer", ready: milliseconds === null ? "ready" : `${Math.ceil(milliseconds)} ms` };
  status.dataset.link = link;
  const device = link === "ready" && studio.info ? h("span", { class: "device" }, `${studio.info.device}, `) : null;
  // Times change with every picture: they are seen, not read aloud.
  const time = h("span", link === "ready" ? { "aria-hidden": "true" } : {}, words[link]);
  status.replaceChildren(h("span", { class: "text" }, device, time, link === "ready" ? h("span", { class: "out" }, "ready") : null));
  status.title = link === "ready" && milliseconds !== null ? "From asking to the last picture" : "";
}

let busyTimer = 0;
studio.api.onLink((link) => {
  showStatus();
  const lost = link === "lost";
  const text = "Your strokes are kept in this page. It asks again every two seconds; if you stopped the program, start it again with the same command.";
  studio.notice(
    "link",
    lost ? { kind: "wrong", lead: "The studio does not answer.", text, buttons: [{ text: "Ask now", run: () => studio.api.look() }] } : null,
  );
  clearTimeout(busyTimer);
  if (link !== "busy") {
    studio.notice("busy", null);
    return;
  }
  // A queue that is full for a moment is nobody's concern.
  const busy = "The last stroke waits for the one before.";
  busyTimer = setTimeout(() => studio.notice("busy", { kind: "note", lead: "Too much at once.", text: busy }), BUSY_QUIET);
});
studio.pictures.onChange(showStatus);

// Models

select.addEventListener("change", () => void studio.open(select.value));
studio.onModel(() => {
  const { info, model } = studio;
  if (info) {
    const options = info.models.map(({ id, name, error }) =>
      h("option", { value: id, disabled: Boolean(error), title: error ?? "", selected: id === model?.id }, name),
    );
    select.replaceChildren(...(options.length ? options : [h("option", {}, "none")]));
    select.disabled = !options.length;
    if (!options.length && !info.runs) {
      const text = "There is no generator in the folder that the studio was started on.";
      studio.notice("model", { kind: "note", lead: "Nothing to open.", text });
    }
  }
  showStatus();
  title();
  writeSoon();
});
studio.store.subscribe(writeSoon);

// Keys

const showKeys = mountKeys();
addEventListener("keydown", (event) => {
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.altKey && !event.ctrlKey && !event.metaKey) {
    // On some keyboards Alt makes another sign of a digit.
    const digit = Number(event.code.replace(/^(Digit|Numpad)/, "")) || Number(key);
    const entry = Number.isInteger(digit) ? ROOMS[digit - 1] : undefined;
    if (entry) {
      event.preventDefault();
      studio.go(entry.id);
      return;
    }
  }
  if (takesText(event.target)) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && (key === "z" || key === "y")) {
    event.preventDefault();
    if (key === "y" || event.shiftKey) studio.store.redo();
    else studio.store.undo();
    return;
  }
  if (key === "?") {
    event.preventDefault();
    showKeys();
    return;
  }
  if (present?.room.keys?.(event, key)) event.preventDefault();
});

// Beginning

mountTheme();
mountKeep(studio);
showStatus();
// The token is no part of the address from here on.
if (address.token) history.replaceState({ studio: true }, "", `#${address.room}`);
void enter(address.room);
const linked = address.recipe;
studio.begin(linked === null ? null : () => recipeOf(linked)).catch((error) => studio.fault("model", "The studio did not open.", error));
