/** Small helpers for the page's elements. */

/**
 * An element. Properties that start with `on` are listeners, `class` and `aria-…`/`data-…` are attributes, the others are properties.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && !key.includes("-")) /** @type {any} */ (element)[key] = value;
    else element.setAttribute(key, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * One of the icons of index.html.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon-image");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/**
 * A button with an icon alone; its name is its label and its title.
 * @param {string} name of the icon
 * @param {string} label
 * @param {(event: MouseEvent) => void} click
 * @param {Record<string, any>} [props]
 */
export const iconButton = (name, label, click, props = {}) =>
  h("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick: click, ...props }, icon(name));

/**
 * @template {Element} T
 * @param {string} id
 * @param {new (...args: any[]) => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`The page has no #${id}.`);
  return element;
}

let names = 0;
/** A name for an element that another one refers to. @param {string} stem */
export const unique = (stem) => `${stem}-${(names += 1)}`;

/**
 * Choices of which one holds: radio buttons in a row.
 * @template {string} V
 * @param {string} label
 * @param {{value: V, text: string, icon?: string, title?: string}[]} options
 * @param {V} chosen
 * @param {(value: V) => void} change
 * @returns {{element: HTMLElement, set: (value: V | null) => void, disable: (off: boolean, why?: string) => void}}
 */
export function choices(label, options, chosen, change) {
  const name = unique("choice");
  const inputs = options.map(({ value }) =>
    h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => change(value) }),
  );
  const labels = options.map((option, i) =>
    h("label", { title: option.title ?? "" }, inputs[i], option.icon ? icon(option.icon) : null, h("span", {}, option.text)),
  );
  return {
    element: h("div", { class: "choices", role: "radiogroup", "aria-label": label }, ...labels),
    set: (value) => {
      for (const input of inputs) input.checked = input.value === value;
    },
    disable: (off, why = "") => {
      inputs.forEach((input, i) => {
        input.disabled = off;
        labels[i].title = off ? why : (options[i].title ?? "");
      });
    },
  };
}

/**
 * A button that is on or off.
 * @param {string} iconName
 * @param {string} text
 * @param {string} title
 * @param {(on: boolean) => void} change
 */
export function toggle(iconName, text, title, change) {
  const button = h(
    "button",
    { type: "button", "aria-pressed": "false", "aria-label": text, title },
    icon(iconName),
    h("span", { class: "word" }, text),
  );
  const set = /** @param {boolean} on */ (on) => button.setAttribute("aria-pressed", String(on));
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    set(on);
    change(on);
  });
  return { element: button, set };
}

/** Whether a key press belongs to a field that takes text. @param {EventTarget | null} target */
export const takesText = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !["radio", "checkbox", "button", "range", "file"].includes(target.type)));

/** Whether the person asked for less motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * Gives a file to the person.
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
