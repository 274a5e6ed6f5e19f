"use strict";
// Everything can be read without this. It searches, sorts, wipes and enlarges; it makes no markup of texts.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const get = (id) => document.getElementById(id);
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

  // Light, dark, or as the system says.
  const themes = ["automatic", "light", "dark"];
  const theme = get("theme");
  const store = (value) => {
    try {
      if (value !== undefined) localStorage.setItem("ganatomy-theme", value);
      return localStorage.getItem("ganatomy-theme");
    } catch {
      return null; // Some browsers keep nothing for files.
    }
  };
  const paint = (name) => {
    if (name === "automatic") delete root.dataset.theme;
    else root.dataset.theme = name;
    get("theme-name").textContent = name;
  };
  paint(themes.includes(store()) ? store() : "automatic");
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme ?? "automatic") + 1) % themes.length];
    paint(next);
    store(next);
  });

  // What is not known comes last, whatever the direction; equals keep their order.
  const compare = (a, b, falling) => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return falling ? b - a : a - b;
  };

  // The units: search, filter, order. A comparison has none.
  const list = get("cards");
  const ofUnits = () => {
    const cards = all(".unit");
    const search = get("search");
    const filters = { layer: get("by-layer"), category: get("by-category"), class: get("by-class") };
    const [order, only] = [get("order"), get("only")];
    // As many cards are shown at a time: a page of a thousand pictures is no pleasure.
    const STEP = 24;
    const more = get("more");
    let most = STEP;
    const show = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      for (const card of list.children) {
        const text = card.dataset.words.toLowerCase();
        const fits =
          words.every((word) => text.includes(word)) &&
          Object.entries(filters).every(([key, { value }]) => value === "" || card.dataset[key] === value) &&
          (!only.checked || card.dataset.interpretable === "true");
        found += fits ? 1 : 0;
        card.hidden = !fits || found > most;
      }
      get("counted").textContent = `${found} of ${cards.length} units`;
      get("none").hidden = found > 0;
      more.parentElement.hidden = found <= most;
      more.textContent = `Show more (${Math.max(0, found - most)} are left)`;
    };
    const anew = () => {
      most = STEP;
      show();
    };
    more.addEventListener("click", () => {
      const last = [...list.children].filter((card) => !card.hidden).at(-1);
      most += 4 * STEP;
      show();
      last?.nextElementSibling?.focus({ preventScroll: true });
    });
    const sort = () => {
      const falling = order.value.startsWith("-");
      const key = order.value.replace("-", "");
      const number = (card) => (card.dataset[key] === "" ? NaN : Number(card.dataset[key]));
      const sorted = key === "" ? cards : [...cards].sort((a, b) => compare(number(a), number(b), falling));
      list.append(...sorted);
      anew();
    };
    const clear = () => {
      search.value = "";
      only.checked = false;
      for (const filter of Object.values(filters)) filter.value = "";
      anew();
    };
    search.addEventListener("input", anew);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") clear();
    });
    for (const filter of [...Object.values(filters), only]) filter.addEventListener("change", anew);
    order.addEventListener("change", sort);
    get("reset").addEventListener("click", () => {
      clear();
      order.value = "";
      sort();
    });
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input:not([type=range]):not([type=checkbox]), select, textarea, dialog");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      search.focus();
      search.select();
    });
    for (const button of all("[data-show-layer], [data-show-class]")) {
      button.addEventListener("click", () => {
        clear();
        const { showLayer, showClass } = button.dataset;
        if (showLayer !== undefined) filters.layer.value = showLayer;
        if (showClass !== undefined) {
          filters.class.value = showClass;
          only.checked = true;
        }
        anew();
        get("units").scrollIntoView();
        search.focus({ preventScroll: true });
      });
    }
    show();
    // A card that a filter hides, or that is not among those that are shown yet.
    return (card) => {
      clear();
      if (!card.hidden) return;
      most = [...list.children].indexOf(card) + 1;
      show();
    };
  };
  const uncover = list === null ? null : ofUnits();

  // A link to a card that a filter hides, or into something closed, shows it.
  const reveal = () => {
    const target = get(decodeURIComponent(location.hash.slice(1)));
    if (target === null) return;
    if (target.hidden) uncover?.(target);
    if (target instanceof HTMLDetailsElement) target.open = true;
    target.scrollIntoView({ block: target.matches(".unit") ? "center" : "start" });
    if (target.tabIndex === -1) target.focus({ preventScroll: true });
  };
  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    // The same link once more changes no address.
    const link = event.target.closest('a[href^="#"]');
    if (link !== null && link.hash === location.hash) reveal();
  });
  if (location.hash !== "") reveal();

  // Tables sort by a click, Enter or Space on a heading.
  for (const table of all("table.sortable")) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const headings = all("thead th", table);
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const value = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
        const numbers = rows.every((row) => value(row) === "" || value(row) === "–" || !Number.isNaN(parseFloat(value(row))));
        // Numbers fall first, names rise first; then the other way round.
        const first = numbers ? "descending" : "ascending";
        const other = numbers ? "ascending" : "descending";
        const way = heading.getAttribute("aria-sort") === first ? other : first;
        const falling = way === "descending";
        const sorted = [...rows].sort((a, b) =>
          numbers
            ? compare(parseFloat(value(a)), parseFloat(value(b)), falling)
            : value(a).localeCompare(value(b), undefined, { numeric: true }) * (falling ? -1 : 1),
        );
        body.append(...sorted);
        for (const each of headings) each.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", way);
      });
    });
  }

  // Before and after.
  for (const box of all(".compare")) {
    const range = box.querySelector("input");
    const set = (value) => {
      range.value = value;
      box.style.setProperty("--at", `${range.value}%`);
      range.setAttribute("aria-valuetext", `${range.value} % after the edit`);
    };
    range.addEventListener("input", () => set(range.value));
    box.querySelector(".pairs").addEventListener("pointermove", (event) => {
      const pair = event.target.closest(".pair");
      if (event.buttons === 0 || pair === null) return;
      const { left, width } = pair.getBoundingClientRect();
      set((100 * (event.clientX - left)) / width);
    });
    for (const image of all("img", box)) image.draggable = false;
    set(50);
  }

  // Pictures of units and candidates, larger; and once more at the classes that they stand for.
  const large = get("large");
  for (const image of all(".top img, .tiles img, .versus img, .candidates img")) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `Enlarge: ${image.alt}`);
    image.replaceWith(button);
    button.append(image);
    button.addEventListener("click", () => {
      large.querySelector("img")?.remove();
      get("large-name").textContent = image.alt;
      large.append(image.cloneNode());
      large.showModal();
    });
  }
  get("close").addEventListener("click", () => large.close());
  large.addEventListener("click", (event) => {
    if (event.target === large) large.close();
  });
  for (const place of all("[data-echo]")) {
    const image = get(place.dataset.echo)?.querySelector("img");
    if (image) place.append(image.cloneNode());
  }

  // Paper cannot be opened.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
})();
