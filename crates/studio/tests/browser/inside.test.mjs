/** Look inside: the units of the generator built by hand are what its table says. */

import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { apart, button, canvas, choose, drag, imageOf, open, place, recipesOf, room, shows } from "./browser.mjs";
import { BLUE, CEILING, disc, LAMPS, MEANS, picture, RED, seedWith, SHIFT } from "./by-hand.mjs";
import { atEnd } from "./ends.mjs";
import { folder, MODEL, SEGMENTER } from "./made.mjs";
import { readPng } from "./png.mjs";
import { fixture, serve } from "./server.mjs";

const studio = await serve(join(fixture, "found"));
after(() => studio.stop());
const bright = { seed: seedWith({ red: true, green: true, blue: true }) };
const lamps = { seed: seedWith({ red: true, yellow: true }) };

const inside = (t, latent = bright, more = {}) => open(t, studio.url, { room: "inside", recipe: { latent }, ...more });
const units = (page) => room(page).getByRole("region", { name: "Units" });
const card = (page, name) => units(page).getByRole("button", { name });

test("W5: units are found and sorted, and one that is switched is exactly what is sent", async (t) => {
  const page = await inside(t);
  await shows(canvas(page), picture(bright));
  const recipes = recipesOf(page);
  // The red, green, blue and yellow units fit a class; the colour shift, the ceiling and the idle one fit none so well.
  await card(page, /^red unit 0/).waitFor();
  await page.getByRole("searchbox", { name: "Find units" }).fill("blue");
  await units(page).getByText(/^1 of 7 units$/).waitFor();
  await card(page, /^blue unit 2/).click();
  await choose(page, "What the unit does", "Off");
  await shows(canvas(page), picture(bright, [{ unit: BLUE, value: 0 }]), "no blue");
  assert.deepEqual(recipes.at(-1).edits, [{ layer: "units", units: [BLUE], value: "zero" }]);
  await page.getByRole("heading", { name: /^Unit 2/ }).click();
  await page.keyboard.down("b");
  await shows(canvas(page), picture(bright), "before, while B is held");
  await page.keyboard.up("b");
  await shows(canvas(page), picture(bright, [{ unit: BLUE, value: 0 }]), "B let go");
  await choose(page, "What the unit does", "Force to");
  await page.getByRole("spinbutton", { name: "Value of the unit" }).fill("0.3");
  await shows(canvas(page), picture(bright, [{ unit: BLUE, value: 0.3 }]), "a little blue everywhere");
  assert.deepEqual(recipes.at(-1).edits, [{ layer: "units", units: [BLUE], value: { number: 0.3 } }]);
  await choose(page, "What the unit does", "As it is");
  await shows(canvas(page), picture(bright), "as it was");

  await page.getByRole("searchbox", { name: "Find units" }).fill("");
  await page.getByRole("checkbox", { name: "fit a class" }).uncheck();
  await units(page).getByText(/^7 of 7 units$/).waitFor();
  await page.getByRole("combobox", { name: "Order" }).selectOption("by number");
  const names = await units(page).locator(".unit b").allTextContents();
  assert.equal(names.length, 7);
  assert.equal(names[RED], "red");
  assert.equal(names[LAMPS], "yellow");
  await page.getByRole("combobox", { name: "Order" }).selectOption("by effect");
  assert.match(await units(page).locator(".unit").first().innerText(), /^(red|yellow)/);
});

test("W6: a click on the picture names the unit that made the pixel", async (t) => {
  const page = await inside(t);
  await shows(canvas(page), picture(bright));
  const hits = page.getByRole("region", { name: "Pixel" }).locator(".hit");
  for (const [name, cell] of [["red", [2, 1]], ["green", [6, 3]], ["blue", [3, 7]]]) {
    await page.mouse.click(...(await place(page, 4 * cell[1] + 1.5, 4 * cell[0] + 1.5)));
    await page.getByRole("heading", { name: `At ${4 * cell[1] + 1}, ${4 * cell[0] + 1}: ${name}` }).waitFor();
    await page.waitForFunction((unit) => document.querySelector(".hit")?.dataset.unit === unit, String(MEANS[name][0]));
    assert.match(await hits.first().innerText(), new RegExp(`^${MEANS[name][0]}\\s+${name}`));
  }
  // By keys, from the pixel of the last click.
  await room(page).getByRole("application").focus();
  for (const key of ["ArrowUp", "Shift+ArrowDown", "ArrowLeft"]) await page.keyboard.press(key);
  await page.getByRole("heading", { name: "At 29, 13: blue" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "At 28, 16: blue" }).waitFor();
});

test("a unit that vetoes others is found out: without the ceiling the lamps above are lit", async (t) => {
  const mask = disc(16, 8, 8);
  const edit = { layer: "units", units: [LAMPS], value: { number: 1 }, place: { painted: { size: [32, 32], runs: runs(mask) } } };
  const page = await open(t, studio.url, { room: "inside", recipe: { latent: lamps, edits: [edit] } });
  await shows(canvas(page), picture(lamps), "none of the lamps above");
  await page.getByRole("checkbox", { name: "fit a class" }).uncheck();
  await page.getByRole("searchbox", { name: "Find units" }).fill(String(CEILING));
  await card(page, /unit 5/i).first().click();
  await choose(page, "What the unit does", "Off");
  await shows(canvas(page), picture(lamps, [{ unit: LAMPS, value: 1, mask }, { unit: CEILING, value: 0 }]), "lamps everywhere that they were asked for");
});

test("units that are dissected anew have new pictures", async (t) => {
  const own = folder(t);
  copyFileSync(MODEL, join(own, "plain.safetensors"));
  copyFileSync(join(fixture, "other.safetensors"), join(own, "other.safetensors"));
  const { url, stop } = await serve(own, "--segmenter", SEGMENTER);
  atEnd(t, stop);
  const page = await open(t, url, { room: "inside", recipe: { latent: bright } });
  /** @param {number} samples few or many: others of them are the strongest */
  const dissect = (samples) =>
    page.evaluate(async (wanted) => {
      const asked = await fetch("/api/v1/models/plain/dissections", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ samples: wanted }) });
      const { id } = await asked.json();
      for (;;) {
        const { state, error } = await (await fetch(`/api/v1/jobs/${id}`)).json();
        if (state === "done") return;
        if (!["waiting", "running"].includes(state)) throw new Error(`${state}: ${error?.message}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }, samples);
  const served = async () => readPng(Buffer.from(await (await page.request.get(`${url}api/v1/models/plain/layers/units/units/${SHIFT}/picture.png`)).body()));
  const seen = async () => {
    const picture = card(page, /unit 3/i).locator("img");
    await page.waitForFunction((image) => image.naturalWidth > 0, await picture.elementHandle());
    return imageOf(picture);
  };
  const again = async () => {
    const models = page.getByRole("combobox", { name: "Model" });
    for (const name of ["other", "plain"]) {
      await models.selectOption(name);
      await page.getByRole("region", { name: "Units" }).getByText(name === "plain" ? /^\d of 7 units$/ : "No dissection").waitFor();
    }
  };
  await dissect(20);
  // A unit of which every picture has another level.
  await page.getByRole("searchbox", { name: "Find units" }).fill(String(SHIFT));
  await again();
  await page.getByRole("checkbox", { name: "fit a class" }).uncheck();
  const first = await seen();
  assert.equal(apart(first.pixels, (await served()).pixels), 0);
  await dissect(400);
  const second = await served();
  assert.ok(apart(first.pixels, second.pixels) > 0, "the strongest pictures are others");
  await again();
  assert.equal(apart((await seen()).pixels, second.pixels), 0, "the new pictures");
});

/** Runs of a mask, as recipes have them. */
function runs(mask) {
  const out = [];
  let [value, length] = [0, 0];
  for (const on of mask) {
    if (on !== value) {
      out.push(length);
      [value, length] = [on, 0];
    }
    length += 1;
  }
  return value ? [...out, length] : out;
}

test("a concept of one's own is painted in three pictures, and its unit is found", async (t) => {
  const seeds = [0, 1, 2].reduce((found) => [...found, seedWith({ red: true }, (found.at(-1) ?? -1) + 1)], []);
  const page = await inside(t, { seed: seeds[0] });
  await shows(canvas(page), picture({ seed: seeds[0] }));
  await page.getByText("Name a concept of your own").click();
  await page.getByRole("textbox", { name: "Name" }).fill("ball");
  for (const seed of seeds) {
    await room(page).getByRole("spinbutton", { name: "Seed" }).fill(String(seed));
    await shows(canvas(page), picture({ seed }));
    // Over the middle of the red disc, a few strokes of a small brush.
    for (const row of [6, 10, 14, 18]) await drag(page, row === 6 || row === 18 ? [6, row] : [2, row], row === 6 || row === 18 ? [10, row] : [14, row]);
  }
  await button(page, "Find its units").click();
  await page.getByText(/^ball is in the palette\. Units that fit it best: unit 0 \(IoU (1\.00|0\.\d+)\)/).waitFor();
  await button(page, "Paint with it").click();
  await page.getByRole("radiogroup", { name: "Concept" }).getByRole("radio", { name: /^ball/ }).waitFor();
});
