/** The thirteen things that a person expects of the studio, W1 to W13, each seen in pixels that the formula knows. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { join } from "node:path";
import { apart, button, canvas, choose, differing, download, drag, eachRoom, keep, line, open, place, recipeNow, recipesOf, room, shows, sized, strokes, take } from "./browser.mjs";
import { disc, GREEN, MEANS, ofRuns, picture, seedWith, SIDE, truncated } from "./by-hand.mjs";
import { atEnd } from "./ends.mjs";
import { readPng } from "./png.mjs";
import { fixture, serve } from "./server.mjs";

const FOUND = join(fixture, "found");
const studio = await serve(FOUND);
after(() => studio.stop());

/** A picture with nothing but its ground. */
const dark = { seed: seedWith({ red: false, green: false, blue: false, yellow: false }) };
/** A picture with a red disc and a green stripe. */
const bright = { seed: seedWith({ red: true, green: true }) };
const drawn = (name, mask, alpha = 1) => ({ unit: MEANS[name][0], value: MEANS[name][1], mask, alpha });
const removed = (name, mask) => ({ unit: MEANS[name][0], value: 0, mask });
/** The middle of a cell, in pixels. */
const middle = (row, column) => [4 * column + 2, 4 * row + 2];

test("W1: the brush draws and removes, in every size, with mouse, keys and eraser", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: dark } });
  await shows(canvas(page), picture(dark));
  await take(page, { of: "red" });
  await page.mouse.click(...(await place(page, ...middle(5, 5))));
  const dot = disc(...middle(5, 5), 4);
  await shows(canvas(page), picture(dark, [drawn("red", dot)]), "a dot of one cell");

  await take(page, { of: "green", size: 12 });
  await drag(page, [6, 8], [26, 8]);
  const recipe = await recipeNow(page);
  const painted = ofRuns(recipe.edits[1].place.painted.runs);
  // Every pixel within the brush's reach of the line, none outside of it; at the very rim it may be either.
  for (let i = 0; i < painted.length; i += 1) {
    const [y, x] = [Math.floor(i / SIDE) + 0.5, (i % SIDE) + 0.5];
    const far = Math.hypot(x - Math.min(26, Math.max(6, x)), y - 8);
    if (far < 5.8) assert.equal(painted[i], 1, `a gap at ${x}, ${y}`);
    if (far > 6.1) assert.equal(painted[i], 0, `too far at ${x}, ${y}`);
  }
  const two = [drawn("red", dot), drawn("green", painted)];
  await shows(canvas(page), picture(dark, two), "a stroke of three cells' width");

  await take(page, { how: "Remove", of: "green", size: 8 });
  await page.mouse.click(...(await place(page, 16, 8)));
  const three = [...two, removed("green", disc(16, 8, 8))];
  await shows(canvas(page), picture(dark, three), "something removed");

  await take(page, { how: "Erase", size: 8 });
  await page.mouse.click(...(await place(page, ...middle(5, 5))));
  await shows(canvas(page), picture(dark, three.slice(1)), "the dot rubbed out");
  assert.equal(await strokes(page).count(), 2);

  await take(page, { of: "blue", size: 4 });
  await page.keyboard.press("]");
  await page.keyboard.press("]");
  await page.keyboard.press("[");
  await page.mouse.move(1, 1);
  await room(page).getByRole("application").focus();
  // The brush begins in the middle, in the cell below and right of it.
  for (const key of ["ArrowDown", "ArrowDown", "ArrowRight"]) await page.keyboard.press(key);
  await page.keyboard.press("Space");
  await shows(canvas(page), picture(dark, [...three.slice(1), drawn("blue", disc(...middle(6, 5), 8))]), "a dot by keys");
});

test("W2: undo, redo, delete and reset lead to the very pictures of before", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: dark } });
  const names = ["red", "green", "blue"];
  const masks = [disc(...middle(1, 1), 4), disc(...middle(3, 4), 4), disc(...middle(5, 6), 4)];
  const edits = names.map((name, i) => drawn(name, masks[i]));
  for (const [i, at] of [[1, 1], [3, 4], [5, 6]].entries()) {
    await take(page, { of: names[i] });
    await page.mouse.click(...(await place(page, ...middle(...at))));
    await shows(canvas(page), picture(dark, edits.slice(0, i + 1)));
  }
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await shows(canvas(page), picture(dark, edits.slice(0, 1)), "two steps back");
  assert.equal(await strokes(page).count(), 1);
  await page.keyboard.press("Control+Shift+Z");
  await page.keyboard.press("Control+y");
  await shows(canvas(page), picture(dark, edits), "two steps forth");
  assert.ok(await button(page, /^Redo/).isDisabled());

  await strokes(page).nth(1).getByRole("button", { name: /^Draw green/ }).click();
  await button(page, "Delete: Draw green").click();
  await shows(canvas(page), picture(dark, [edits[0], edits[2]]), "the middle one deleted");
  await button(page, "Clear all").click();
  await shows(canvas(page), picture(dark), "all cleared");
  assert.equal(await strokes(page).count(), 0);
  await button(page, /^Undo/).click();
  await button(page, /^Undo/).click();
  await shows(canvas(page), picture(dark, edits), "all back");
});

test("W3: while the brush is dragged one picture is on its way, and the last one is always drawn", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: dark } });
  await shows(canvas(page), picture(dark));
  await take(page, { of: "red", size: 8 });
  let [now, most, all] = [0, 0, 0];
  await page.route("**/render", async (route) => {
    all += 1;
    most = Math.max(most, (now += 1));
    await new Promise((resolve) => setTimeout(resolve, 120));
    now -= 1;
    await route.continue();
  });
  const [from, to] = [await place(page, 4, 4), await place(page, 28, 28)];
  await page.mouse.move(...from);
  await page.mouse.down();
  for (let i = 1; i <= 30; i += 1) {
    await page.mouse.move(from[0] + ((to[0] - from[0]) * i) / 30, from[1] + ((to[1] - from[1]) * i) / 30);
    await page.waitForTimeout(20);
  }
  assert.ok(all >= 2, "the picture is drawn while the brush moves");
  await page.mouse.up();
  const painted = ofRuns((await recipeNow(page)).edits[0].place.painted.runs);
  assert.ok(painted[4 * SIDE + 4] && painted[27 * SIDE + 27], "from the first to the last place");
  await shows(canvas(page), picture(dark, [drawn("red", painted)]), "the whole stroke");
  assert.equal(most, 1, "requests at a time");
  assert.ok(all < 30, `${all} requests for 30 movements: those between are left out`);
});

test("W4: strokes are hidden, reordered and weakened as the formula says", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: dark } });
  const [wide, dot] = [disc(16, 16, 20), disc(...middle(4, 4), 4)];
  await take(page, { of: "red", size: 20 });
  await page.mouse.click(...(await place(page, 16, 16)));
  await take(page, { how: "Remove", of: "red", size: 4 });
  await page.mouse.click(...(await place(page, ...middle(4, 4))));
  await shows(canvas(page), picture(dark, [drawn("red", wide), removed("red", dot)]), "a hole in it");
  await button(page, "Earlier: Remove red").click();
  await shows(canvas(page), picture(dark, [removed("red", dot), drawn("red", wide)]), "the hole painted over");
  await page.keyboard.press("Alt+ArrowUp");
  await shows(canvas(page), picture(dark, [drawn("red", wide), removed("red", dot)]), "and again a hole");
  await button(page, "Hide: Remove red").click();
  await shows(canvas(page), picture(dark, [drawn("red", wide)]), "without the hidden one");
  await button(page, /^Draw red/).click();
  await page.getByRole("slider", { name: "Opacity: Draw red" }).fill("50");
  await shows(canvas(page), picture(dark, [drawn("red", wide, 0.5)]), "half as strong");
  await button(page, "Show: Remove red").click();
  await shows(canvas(page), picture(dark, [drawn("red", wide, 0.5), removed("red", dot)]), "all together");
});

test("W5: the palette is found by name, and strength and value are what is sent", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: dark } });
  const recipes = recipesOf(page);
  const palette = page.getByRole("radiogroup", { name: "Concept" });
  assert.equal(await palette.getByRole("radio").count(), 4);
  const find = page.getByRole("searchbox", { name: "Find a concept" });
  await find.fill("ee");
  assert.equal(await palette.getByRole("radio").count(), 1);
  await find.press("Enter");
  await find.fill("lamp");
  await page.getByText("No concept has “lamp” in its name.").waitFor();
  await find.fill("");

  const value = page.getByRole("combobox", { name: "Set them to" });
  await value.selectOption("a number");
  await page.getByRole("spinbutton", { name: "Number", exact: true }).fill("0.4");
  await page.getByRole("spinbutton", { name: "Another number of units" }).fill("1");
  await sized(page, 4);
  await page.mouse.click(...(await place(page, ...middle(2, 2))));
  const dot = disc(...middle(2, 2), 4);
  await shows(canvas(page), picture(dark, [{ unit: GREEN, value: 0.4, mask: dot }]));
  assert.deepEqual(recipes.at(-1).edits[0].units, [GREEN]);
  assert.deepEqual(recipes.at(-1).edits[0].value, { number: 0.4 });

  const some = page.getByRole("spinbutton", { name: "Another number of units" });
  await some.fill("8");
  await page.getByText("1 to 7 units: layer units has no more. It stays at 1.").waitFor();
  await value.selectOption("a quantile");
  await page.getByRole("spinbutton", { name: "Quantile, 0 to 1" }).fill("0.5");
  await page.mouse.click(...(await place(page, ...middle(2, 2))));
  // Most of the time there is no green at a cell: the median is 0.
  const two = [{ unit: GREEN, value: 0.4, mask: dot }, removed("green", dot)];
  await shows(canvas(page), picture(dark, two), "the median");
  assert.deepEqual(recipes.at(-1).edits[1], { ...recipes.at(-1).edits[0], value: { quantile: 0.5 } });

  await value.selectOption("a number");
  await choose(page, "Number of units", "4");
  await page.mouse.click(...(await place(page, ...middle(4, 2))));
  await strokes(page).nth(2).waitFor();
  const { units } = recipes.at(-1).edits[2];
  assert.deepEqual([units.length, units[0], new Set(units).size], [4, GREEN, 4]);
  const third = units.map((unit) => ({ unit, value: 0.4, mask: disc(...middle(4, 2), 4) }));
  await shows(canvas(page), picture(dark, [...two, ...third]), "four units at once");
});

test("W7: a seed is typed, taken in turn and pinned, and a walk goes from one to the other", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: { seed: 3 } } });
  const seed = room(page).getByRole("spinbutton", { name: "Seed" });
  await shows(canvas(page), picture({ seed: 3 }));
  await seed.fill("19");
  await shows(canvas(page), picture({ seed: 19 }), "the seed typed");
  await button(page, "Next seed (.)").click();
  await shows(canvas(page), picture({ seed: 20 }), "the next one");
  await room(page).getByRole("application").focus();
  await page.keyboard.press(",");
  await shows(canvas(page), picture({ seed: 19 }), "the one before");
  assert.deepEqual((await recipeNow(page)).latent, { seed: 19 });

  await page.getByRole("link", { name: "Wander" }).click();
  await button(page, "Pin seed 5").waitFor();
  for (const old of [7, 19, 38]) await button(page, `Take the pin off seed ${old}`).click();
  await button(page, "Pin seed 5").click();
  await button(page, "Pin seed 11").click();
  const shown = page.getByRole("region", { name: "Walk" }).getByRole("img");
  const walk = page.getByRole("slider", { name: "Where on the walk" });
  await shows(shown, picture({ seed: 5 }), "the walk's beginning");
  for (const [step, at] of [[12, 0.25], [24, 0.5], [36, 0.75]]) {
    await walk.fill(String(step));
    await shows(shown, picture({ between: { seeds: [5, 11], at } }), `the walk at ${at}`);
  }
  const paper = room(page).locator(".gallery li").nth(9).locator("canvas");
  await shows(paper, picture({ seed: 9 }), "seed 9 in the gallery");
  await button(page, "Paint this one").click();
  await shows(canvas(page), picture({ between: { seeds: [5, 11], at: 0.75 } }), "the walk's picture, to paint on");

  await page.getByRole("link", { name: "Wander" }).click();
  for (const [i, corner] of ["top left", "top right", "bottom left", "bottom right"].entries()) {
    await page.getByRole("spinbutton", { name: `Seed of the ${corner} corner` }).fill(String([1, 2, 3, 4][i]));
  }
  const plane = await page.locator(".plane").boundingBox();
  await page.mouse.move(plane.x + 0.3 * plane.width, plane.y + 0.4 * plane.height);
  await page.mouse.down();
  await page.mouse.move(plane.x + 0.25 * plane.width, plane.y + 0.75 * plane.height, { steps: 3 });
  await page.mouse.up();
  await button(page, "Paint 1").click();
  const { latent } = await recipeNow(page);
  assert.deepEqual(latent.plane.seeds, [1, 2, 3, 4]);
  assert.ok(Math.abs(latent.plane.at[0] - 0.25) < 0.01 && Math.abs(latent.plane.at[1] - 0.75) < 0.01, `${latent.plane.at}`);
  await shows(canvas(page), picture(latent), "a place in the plane");
});

test("truncation: every picture of the page goes towards the middle, and a recipe keeps it", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: { seed: 3 } } });
  await shows(canvas(page), picture({ seed: 3 }));
  const slider = () => room(page).getByRole("slider", { name: "Truncation" });
  await slider().fill("0.4");
  await shows(canvas(page), picture(truncated({ seed: 3 }, 0.4)), "the picture");
  assert.deepEqual([(await recipeNow(page)).latent, (await recipeNow(page)).truncation], [{ seed: 3 }, 0.4]);
  await button(page, "Next seed (.)").click();
  await shows(canvas(page), picture(truncated({ seed: 4 }, 0.4)), "another seed");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await shows(canvas(page), picture({ seed: 3 }), "undone");
  await page.keyboard.press("Control+y");
  await shows(canvas(page), picture(truncated({ seed: 3 }, 0.4)), "done again");

  await page.getByRole("link", { name: "Wander" }).click();
  const tile = room(page).locator(".gallery li").nth(9).locator("canvas");
  const walk = page.getByRole("region", { name: "Walk" }).getByRole("img");
  await shows(tile, picture(truncated({ seed: 9 }, 0.4)), "the gallery");
  await shows(walk, picture(truncated({ seed: 7 }, 0.4)), "the walk");
  await slider().fill("1.5");
  await shows(tile, picture(truncated({ seed: 9 }, 1.5)), "the gallery, beyond the law");
  await shows(walk, picture(truncated({ seed: 7 }, 1.5)), "the walk, beyond the law");
  await room(page).locator(".pins canvas").first().waitFor();
  await shows(room(page).locator(".pins canvas").first(), picture(truncated({ seed: 7 }, 1.5)), "a pinned seed");
  await button(page, "Back to 1").click();
  await shows(tile, picture({ seed: 9 }), "the gallery as it was");
  await page.getByRole("link", { name: "Paint", exact: true }).click();
  await shows(canvas(page), picture({ seed: 3 }), "and the picture");
});

test("W8: before, after, side by side and what changed", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: bright } });
  const before = picture(bright);
  await shows(canvas(page), before);
  await choose(page, "View", "Change");
  const grey = (a, b) => {
    const out = new Uint8Array(a.length);
    for (let i = 0; i < a.length; i += 3) {
      const change = Math.max(...[0, 1, 2].map((k) => Math.abs(a[i + k] - b[i + k]))) / 255;
      const share = Math.min(1, Math.sqrt(change) * 1.25);
      const base = 40 + 0.35 * (0.3 * a[i] + 0.59 * a[i + 1] + 0.11 * a[i + 2]);
      [255, 214, 10].forEach((full, k) => (out[i + k] = Math.round(base + share * (full - base))));
    }
    return out;
  };
  await shows(canvas(page), grey(before, before), "nothing has changed: all is grey");
  await take(page, { how: "Remove", of: "red", size: 32 });
  await page.mouse.click(...(await place(page, 8, 12)));
  const edits = [removed("red", disc(8, 12, 32))];
  const now = picture(bright, edits);
  // Who paints sees what comes of it.
  await shows(canvas(page), now, "after");
  await choose(page, "View", "Before");
  await shows(canvas(page), before, "before");
  await choose(page, "View", "After");
  await page.keyboard.down("b");
  await shows(canvas(page), before, "before, while B is held");
  await page.keyboard.up("b");
  await shows(canvas(page), now, "after, B let go");
  await choose(page, "View", "Change");
  await shows(canvas(page), grey(before, now), "what changed");
  await choose(page, "View", "Split");
  const split = (column) => before.map((x, i) => (Math.floor(i / 3) % SIDE < column ? x : now[i]));
  await shows(canvas(page), split(16), "half and half");
  const handle = page.getByRole("slider", { name: "Where before ends and after begins" });
  await handle.focus();
  for (let i = 0; i < 3; i += 1) await handle.press("PageDown");
  await handle.press("ArrowDown");
  await shows(canvas(page), split(Math.round(0.19 * SIDE)), "after from a fifth on");
});

test("W9: the page says what really changed, and when the generator refused", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: dark } });
  await shows(canvas(page), picture(dark));
  await take(page, { of: "yellow", size: 8 });
  // Two by two cells below the ceiling.
  await page.mouse.click(...(await place(page, 8, 8)));
  await shows(canvas(page), picture(dark), "nothing is seen of it");
  await line(page).getByText("0 of 4 cells took it").waitFor();
  await line(page).getByText(/^The generator refused/).waitFor();
  await strokes(page).first().getByText("refused: 0 of 4 cells").waitFor();

  await page.mouse.click(...(await place(page, 8, 24)));
  await line(page).getByText("4 of 4 cells took it").waitFor();
  const lamps = [drawn("yellow", disc(8, 8, 8)), drawn("yellow", disc(8, 24, 8))];
  const seen = picture(dark, lamps);
  await shows(canvas(page), seen);
  const yellow = differing(seen, picture(dark)).length;
  await line(page).getByText(`${yellow} yellow pixels there, 0 before.`).waitFor();
  const row = page.getByRole("table").getByRole("row", { name: /^yellow/ });
  assert.deepEqual(await row.getByRole("cell").allTextContents(), ["0", String(yellow), "new"]);

  await take(page, { how: "Remove", of: "green", size: 8 });
  await page.mouse.click(...(await place(page, 24, 12)));
  await line(page).getByText("none was there").waitFor();
  await line(page).getByText("Nothing else changed.").waitFor();
});

/** The bytes of all pictures that a page gets. */
async function bytesOf(page) {
  const all = [];
  await page.route("**/render", async (route) => {
    const response = await route.fetch();
    all.push(await response.body());
    await route.fulfill({ response });
  });
  return all;
}

test("W10: picture, recipe and link each bring back the very same bytes", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: bright } });
  const shown = await bytesOf(page);
  await take(page, { of: "blue", size: 12 });
  await page.mouse.click(...(await place(page, 12, 18)));
  const edits = [drawn("blue", disc(12, 18, 12))];
  const expected = picture(bright, edits);
  await shows(canvas(page), expected);
  const first = shown.at(-1);
  assert.ok(apart(readPng(first).pixels, expected) <= 1);

  const png = await download(page, () => keep(page, /^Picture/));
  assert.match(png.name, /^found-seed-\d+\.png$/);
  assert.ok(apart(readPng(png.bytes).pixels, expected) <= 1);
  const gif = await download(page, () => keep(page, /^Animation/));
  assert.equal(gif.bytes.toString("latin1", 0, 6), "GIF89a");
  const json = await download(page, () => keep(page, /^Recipe/));
  const recipe = JSON.parse(json.bytes.toString());
  assert.deepEqual([recipe.format, recipe.latent, recipe.edits.length], [2, bright, 1]);
  await keep(page, /^Copy the link/);
  await page.getByText("link copied").waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());

  for (const file of [png, json]) {
    await button(page, "Clear all").click();
    await shows(canvas(page), picture(bright), "cleared");
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), keep(page, /^Open/)]);
    await chooser.setFiles({ name: file.name, mimeType: file.name.endsWith("png") ? "image/png" : "application/json", buffer: file.bytes });
    await shows(canvas(page), expected, file.name);
  }

  // Another window, which knows nothing but the link.
  const asked = [];
  const other = await page.context().newPage();
  other.on("request", (request) => asked.push(request.url()));
  const again = await bytesOf(other);
  await other.goto(link);
  await shows(canvas(other), expected, "the link's picture");
  assert.ok(again.some((bytes) => bytes.equals(first)), "the bytes of the link's picture");
  assert.ok(asked.every((url) => !url.includes("r=")), "what is in the link is sent to nobody");
});

test("W11: it says what is open and how fast it is, misses the server and finds it again", async (t) => {
  let own = await serve(FOUND);
  atEnd(t, () => own.stop());
  const page = await open(t, own.url, { recipe: { latent: dark }, may: /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/ });
  const status = page.getByRole("banner").getByRole("status");
  assert.match(await status.innerText(), /cpu.*, \d+ ms/i);
  assert.equal(await page.getByRole("combobox", { name: "Model" }).locator("option:checked").innerText(), "found");
  await shows(canvas(page), picture(dark));
  await own.stop();
  await take(page, { of: "red" });
  await page.mouse.click(...(await place(page, ...middle(5, 5))));
  const alert = page.getByRole("alert").filter({ hasText: "The studio does not answer. Your strokes are kept in this page." });
  await alert.waitFor();
  assert.equal(await strokes(page).count(), 1);
  own = await serve(FOUND, "--port", own.port);
  await shows(canvas(page), picture(dark, [drawn("red", disc(...middle(5, 5), 4))]), "the stroke of meanwhile");
  await alert.waitFor({ state: "detached" });
});

test("W13: nothing is asked of anybody else", async (t) => {
  // Every test watches that; here all files that the page has are asked for, and the policy is the one that browsers keep.
  const page = await open(t, studio.url, { recipe: { latent: dark }, may: /Content Security Policy/ });
  const seen = [];
  for await (const name of eachRoom(page)) seen.push(name);
  assert.deepEqual(seen, ["Paint", "Look inside", "Wander", "Your photo", "Training", "Repair"]);
  const { policy, own } = await page.evaluate(async () => {
    const answer = await fetch("/");
    return { policy: answer.headers.get("content-security-policy"), own: performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin) };
  });
  assert.match(policy, /^default-src 'self'; img-src 'self' blob: data:;/);
  assert.ok(own.length > 20 && own.every((origin) => origin === new URL(studio.url).origin || origin === "null"), `${own}`);
  const refused = await page.evaluate(() => fetch("http://example.org/").then(() => "answered", () => "refused"));
  assert.equal(refused, "refused");
});
