/**
 * Pictures of the page for the README and the guide, of the shipped scenes: `npm run shots`, after scripts/browser-test.sh has built what
 * it needs. Look at them before they are committed.
 */

import { fileURLToPath } from "node:url";
import { browser, canvas, choose, line, open, room, strokes } from "./browser.mjs";
import { serve } from "./server.mjs";

const images = fileURLToPath(new URL("../../../../docs/images/", import.meta.url));
/** Pixels on each side of a scene. */
const SCENE = 64;
const LOOK = { viewport: { width: 1440, height: 900 }, colorScheme: "light", recipe: { latent: { seed: 7 } } };

const ends = [];
const later = { after: (end) => ends.push(end) };
const studio = await serve();
later.after(() => studio.stop());

/** Drags along places of the picture, in its pixels. */
async function drag(page, ...places) {
  const box = await canvas(page).boundingBox();
  const at = ([x, y]) => [box.x + (x * box.width) / SCENE, box.y + (y * box.height) / SCENE];
  await page.mouse.move(...at(places[0]));
  await page.mouse.down();
  for (const place of places) await page.mouse.move(...at(place), { steps: 8 });
  await page.mouse.up();
}

/** Until all strokes are counted. */
const counted = async (page, all) => {
  await strokes(page).nth(all - 1).waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll(".stroke .result")].every((result) => !/…|^$/.test(result.textContent)));
};

const paint = await open(later, studio.url, { ...LOOK });
for (const [how, concept, ...places] of [
  ["Remove", "tree", [54, 34], [60, 44], [54, 52]],
  ["Draw", "door", [38, 43], [42, 44]],
  ["Draw", "door", [8, 20], [13, 20]],
]) {
  await choose(paint, "What the brush does", how);
  await choose(paint, "Concept", new RegExp(`^${concept}`));
  await drag(paint, ...places);
}
await counted(paint, 3);
await paint.mouse.move(720, 895);
await paint.screenshot({ path: `${images}studio.png` });
console.log((await line(paint).innerText()).replace(/\s+/g, " "));
for (const row of await strokes(paint).all()) console.log((await row.innerText()).replace(/\s+/g, " "));

const inside = await open(later, studio.url, { ...LOOK, room: "inside" });
await room(inside).getByText(/ of \d+ units$/).waitFor();
await drag(inside, [20, 40], [21, 40]);
await room(inside).locator(".hit").first().waitFor();
await inside.waitForTimeout(1000);
await inside.screenshot({ path: `${images}studio-inside.png` });

for (const end of ends.reverse()) await end();
await browser.close();
