/** Your photo: one that the generator could have made is found, painted, and gets its change back. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { apart, button, canvas, download, imageOf, open, pixelsOf, place, room, strokes, take } from "./browser.mjs";
import { CELL, disc, picture, pooled, seedWith, SIDE } from "./by-hand.mjs";
import { readPng, writePng } from "./png.mjs";
import { fixture, serve } from "./server.mjs";

const studio = await serve(join(fixture, "found"));
after(() => studio.stop());
const green = { seed: seedWith({ red: false, green: true, blue: false, yellow: false }) };
/** Nothing is faster than this on a busy machine, in milliseconds. */
const LONG = 120_000;

async function give(page, name, bytes, mimeType = "image/png") {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), button(page, "Choose a file …").click()]);
  await chooser.setFiles({ name, mimeType, buffer: bytes });
}

test("a photo is found, painted on, and gets the change back and nothing else", { timeout: 2 * LONG }, async (t) => {
  const photo = picture(green);
  const page = await open(t, studio.url, { room: "photo" });
  await give(page, "stripe.png", writePng(SIDE, SIDE, photo));
  const found = page.getByRole("region", { name: "How it was found" });
  await found.waitFor({ timeout: LONG });
  const [latent, refined] = (await found.locator("figcaption").allInnerTexts()).slice(1).map((text) => Number(text.match(/off by (\d\.\d+)/)[1]));
  assert.ok(refined <= latent && refined < 0.1, `off by ${latent}, then ${refined}`);

  await button(page, "Paint on it").click();
  await room(page).getByRole("application", { name: /Picture of a photo/ }).waitFor();
  await page.waitForFunction(() => document.querySelector('[data-room="paint"] canvas.pixels').width === 32);
  const mean = (a, b) => Math.sqrt(a.reduce((sum, x, i) => sum + ((x - b[i]) / 127.5) ** 2, 0) / a.length);
  const end = Date.now() + 10_000;
  let before = await pixelsOf(canvas(page));
  while (mean(before, photo) > refined + 0.01 && Date.now() < end) before = await pixelsOf(canvas(page));
  assert.ok(Math.abs(mean(before, photo) - refined) < 0.01, `the picture is off by ${mean(before, photo)}, not ${refined}`);

  await take(page, { of: "red", size: 12 });
  await page.mouse.click(...(await place(page, 22, 14)));
  await strokes(page).first().waitFor();
  await button(page, "Keep").waitFor();
  await page.getByRole("link", { name: "Your photo" }).click();
  const put = page.getByRole("region", { name: "Put back" });
  await put.getByText("On your photo: Draw red").waitFor();
  const { name, bytes } = await download(page, () => put.getByRole("button", { name: "Save it (PNG)" }).click());
  assert.equal(name, "stripe-edited.png");
  const edited = readPng(bytes);
  assert.deepEqual([edited.width, edited.height], [SIDE, SIDE]);
  const shares = pooled(disc(22, 14, 12));
  for (let i = 0; i < SIDE * SIDE; i += 1) {
    const share = shares[Math.floor(i / SIDE / CELL) * 8 + Math.floor((i % SIDE) / CELL)];
    const [was, is] = [photo, edited.pixels].map((all) => all.subarray(3 * i, 3 * i + 3));
    if (share === 0) assert.ok(apart(was, is) <= 1, `pixel ${i} is far from the stroke`);
    // What was there of red already is not known to the byte; where the stroke is whole nothing but red is.
    if (share === 1) assert.ok(is[0] > 200 && is[1] < 110, `pixel ${i} is ${is}`);
  }
});

test("a photo of another shape is cut first, and what is no picture is refused", { timeout: 2 * LONG }, async (t) => {
  const page = await open(t, studio.url, { room: "photo" });
  await give(page, "notes.png", Buffer.from("no picture"));
  await page.getByRole("alert").filter({ hasText: "notes.png was not opened: it is no picture that this browser reads. PNG, JPEG and WebP are read." }).waitFor();
  const photo = picture(green);
  const wide = new Uint8Array(48 * SIDE * 3);
  for (let row = 0; row < SIDE; row += 1) {
    for (let column = 0; column < 48; column += 1) {
      const from = 3 * (row * SIDE + Math.min(SIDE - 1, Math.max(0, column - 8)));
      wide.set(photo.subarray(from, from + 3), 3 * (row * 48 + column));
    }
  }
  await give(page, "wide.png", writePng(48, SIDE, wide));
  await page.getByText("This is 48 x 32; the generator makes squares. Choose what to keep.").waitFor();
  // So small a generator is through before anybody could look: the news of it are held back.
  await page.route("**/events", () => undefined);
  await button(page, "Look for it").click();
  const cut = await imageOf(page.getByRole("img", { name: "Your photo" }));
  assert.deepEqual([cut.width, cut.height], [SIDE, SIDE]);
  assert.ok(apart(cut.pixels, photo) <= 2, "the middle of it is what is looked for");
  await page.getByRole("progressbar", { name: "Looking for your photo" }).waitFor();
  await button(page, "Stop").click();
  await button(page, "Choose a file …").waitFor();
});
