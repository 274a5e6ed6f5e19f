/** Chromium, and the page in it as a person finds things there: by role and name. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after } from "node:test";
import { chromium } from "playwright-core";
import { SIDE } from "./by-hand.mjs";
import { atEnd } from "./ends.mjs";

const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
/** Waiting for anything ends after this time, in milliseconds: machines that test are busy. */
const PATIENCE = 60_000;

export const browser = await chromium.launch({
  executablePath,
  args: [
    // A sandbox needs another user than root.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Names of other machines mean nothing here: the page must do without them.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  ],
});
after(() => browser.close());

/**
 * Opens the page in a window of its own. When the test ends, it fails if the page asked anybody else than its server, or if it complained.
 * @param {import("node:test").TestContext} t
 * @param {string} url of the studio
 * @param {{room?: string, recipe?: object, may?: RegExp, ready?: boolean} & import("playwright-core").BrowserContextOptions} [how] `recipe` is what
 *   the address holds, `may` are complaints that belong to the test, `ready` is whether to wait until a picture is there
 */
export async function open(t, url, { room = "paint", recipe, may = /^$/, ready = true, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const [strangers, complaints] = [[], []];
  context.on("request", (request) => {
    const to = new URL(request.url());
    if (!["blob:", "data:"].includes(to.protocol) && to.origin !== new URL(url).origin) strangers.push(request.url());
  });
  const complain = (text) => may.test(text) || complaints.push(text);
  page.on("console", (message) => message.type() === "error" && complain(message.text()));
  page.on("pageerror", (error) => complain(String(error)));
  atEnd(t, async () => {
    await context.close();
    assert.deepEqual(strangers, [], "requests to others");
    assert.deepEqual(complaints, [], "complaints of the page");
  });
  const written = recipe ? `&recipe=${encodeURIComponent(JSON.stringify({ format: 2, edits: [], ...recipe }))}` : "";
  await page.goto(`${url}#${room}${written}`);
  if (ready) await page.getByRole("status").getByText(/ms$/).first().waitFor({ state: "attached" });
  return page;
}

/** The room that is seen. */
export const room = (page) => page.locator("[data-room]:not([hidden])");

/** The picture's own pixels, as they are on the screen. */
export const canvas = (page) => room(page).locator("canvas.pixels");

/** @returns {Promise<Uint8Array>} red, green and blue of each pixel of a canvas */
export async function pixelsOf(locator) {
  const bytes = await locator.evaluate((element) => {
    const { data } = element.getContext("2d").getImageData(0, 0, element.width, element.height);
    return Array.from(data.filter((_, i) => i % 4 !== 3));
  });
  return Uint8Array.from(bytes);
}

/** @returns {Promise<{width: number, height: number, pixels: Uint8Array}>} an image's own pixels: red, green and blue of each */
export async function imageOf(locator) {
  const { text, ...size } = await locator.evaluate(async (image) => {
    await image.decode();
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(image, 0, 0);
    // As a string: an array of so many numbers takes seconds on its way here.
    const text = context.getImageData(0, 0, width, height).data.reduce((all, byte, i) => (i % 4 === 3 ? all : all + String.fromCharCode(byte)), "");
    return { width, height, text };
  });
  return { ...size, pixels: Buffer.from(text, "latin1") };
}

/** How far two pictures are apart at most, in steps of a byte. */
export const apart = (a, b) => (a.length === b.length ? a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0) : Infinity);

/** The pixels at which two pictures are more than a step apart. */
export const differing = (a, b) =>
  [...new Set([...a].flatMap((x, i) => (Math.abs(x - b[i]) > 1 ? [Math.floor(i / 3)] : [])))].map((pixel) => [Math.floor(pixel / SIDE), pixel % SIDE]);

/**
 * Waits until a canvas shows exactly what the formula says.
 * @param {import("playwright-core").Locator} locator
 * @param {Uint8Array} expected
 * @param {string} [what]
 */
export async function shows(locator, expected, what = "the picture") {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const seen = await pixelsOf(locator);
    if (apart(seen, expected) <= 1) return;
    if (Date.now() > end) {
      const where = differing(seen, expected);
      const [r, c] = where[0] ?? [0, 0];
      const at = (bytes) => [...bytes.subarray((r * SIDE + c) * 3, (r * SIDE + c) * 3 + 3)];
      assert.fail(`${what} differs at ${where.length} pixels; at row ${r}, column ${c} it is ${at(seen)}, not ${at(expected)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** By how many pixels the page is wider than the screen. */
export const wider = (page) => page.evaluate(() => Math.max(0, document.scrollingElement.scrollWidth - innerWidth));

/** Where a place of the picture, in its pixels, lies in the window. */
export async function place(page, x, y) {
  const box = await canvas(page).boundingBox();
  return [box.x + (x * box.width) / SIDE, box.y + (y * box.height) / SIDE];
}

/** Drags along places of the picture. */
export async function drag(page, ...places) {
  const [first, ...more] = await Promise.all(places.map(([x, y]) => place(page, x, y)));
  await page.mouse.move(...first);
  await page.mouse.down();
  for (const to of more) await page.mouse.move(...to, { steps: 4 });
  await page.mouse.up();
}

/** Chooses one of several. */
export const choose = (page, group, name) => room(page).getByRole("radiogroup", { name: group }).getByRole("radio", { name }).check();

/** Sets what the brush does: how, with which class, so many of its units, so large (in pixels). */
export async function take(page, { how = "Draw", of, units = 1, size = 4 } = {}) {
  await choose(page, "What the brush does", how);
  if (of) await choose(page, "Concept", new RegExp(`^${of}`));
  if (how !== "Erase") await room(page).getByRole("spinbutton", { name: "Another number of units" }).fill(String(units));
  await sized(page, size);
}

/** The slider has a step for each pixel below a cell, and for each cell from there on. */
export async function sized(page, size) {
  const step = size < 4 ? size - 1 : 2 + size / 4;
  await room(page).getByRole("slider", { name: "Size of the brush" }).fill(String(step));
}

/** The strokes, newest first. */
export const strokes = (page) => room(page).getByRole("list", { name: "Strokes, newest first" }).getByRole("listitem");

/** A button by its name, or by the beginning of it. */
export const button = (page, name) => page.getByRole("button", { name, exact: true });

/** The line under the picture. */
export const line = (page) => room(page).locator(".say");

/** Bodies of the requests for pictures, in their order. */
export function recipesOf(page) {
  const recipes = [];
  page.on("request", (request) => {
    if (request.url().includes("/render")) recipes.push(request.postDataJSON());
  });
  return recipes;
}

/** What the page hands to the person when `run` is done: the file's name and bytes. */
export async function download(page, run) {
  const [file] = await Promise.all([page.waitForEvent("download"), run()]);
  const chunks = [];
  for await (const chunk of await file.createReadStream()) chunks.push(chunk);
  return { name: file.suggestedFilename(), bytes: Buffer.concat(chunks) };
}

/** Chooses an entry of the menu Keep. */
export async function keep(page, name) {
  await button(page, "Keep").click();
  await page.getByRole("menuitem", { name }).click();
}

/** The recipe as the page saves it. */
export async function recipeNow(page) {
  const { bytes } = await download(page, () => keep(page, /^Recipe/));
  return JSON.parse(bytes.toString());
}

/** Goes through all rooms that the page has; gives the name of each while it is seen. */
export async function* eachRoom(page) {
  for (const link of await page.getByRole("navigation", { name: "Rooms" }).getByRole("link").all()) {
    const [name, place] = [await link.innerText(), (await link.getAttribute("href")).slice(1)];
    await link.click();
    await page.waitForFunction((wanted) => [...document.querySelectorAll("[data-room]:not([hidden])")].map(({ dataset }) => dataset.room).join() === wanted, place);
    yield name;
  }
}
