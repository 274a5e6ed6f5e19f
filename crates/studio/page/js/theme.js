/** Colours: automatic, light or dark; kept under the same name as the report's. */

import { byId } from "./dom.js";

const KEY = "ganatomy-theme";
const NEXT = { automatic: "light", light: "dark", dark: "automatic" };

/** @typedef {keyof typeof NEXT} Theme */

export function mountTheme() {
  const button = byId("theme", HTMLButtonElement);
  const name = byId("theme-name", HTMLElement);
  // colours.js has set what was kept.
  const kept = document.documentElement.dataset.theme;
  /** @type {Theme} */
  let theme = kept === "light" || kept === "dark" ? kept : "automatic";
  const show = () => {
    if (theme === "automatic") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    name.textContent = theme;
    button.setAttribute("aria-label", `Colours: ${theme}`);
  };
  show();
  button.addEventListener("click", () => {
    theme = /** @type {Theme} */ (NEXT[theme]);
    show();
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Storage is off: it holds for this page.
    }
  });
}
