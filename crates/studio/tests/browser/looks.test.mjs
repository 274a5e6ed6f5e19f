/** How it looks to everybody: on a phone, in the dark, to those who hear it, and to those who want less motion. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { grave } from "./axe.mjs";
import { button, canvas, eachRoom, line, open, place, room, shows, take, wider } from "./browser.mjs";
import { picture, seedWith } from "./by-hand.mjs";
import { fixture, serve } from "./server.mjs";

const studio = await serve(join(fixture, "found"));
after(() => studio.stop());
const bright = { seed: seedWith({ red: true, green: true }) };

for (const colorScheme of ["light", "dark"]) {
  test(`W12: nothing grave is found by axe in any room, ${colorScheme}`, async (t) => {
    const page = await open(t, studio.url, { recipe: { latent: bright }, colorScheme });
    await take(page, { of: "yellow", size: 8 });
    await page.mouse.click(...(await place(page, 8, 8)));
    await line(page).getByText("The generator refused").waitFor();
    const all = [];
    for await (const name of eachRoom(page)) all.push(...(await grave(page, name)));
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    all.push(...(await grave(page, "Keys")));
    assert.deepEqual(all, []);
  });
}

test("W12: everything is reached by Tab, in the order brush, picture, strokes", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: bright } });
  await shows(canvas(page), picture(bright));
  const order = [];
  for (let i = 0; i < 80; i += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const focused = document.activeElement;
      if (!focused || focused === document.body) return null;
      const style = getComputedStyle(focused.matches("input[type=radio]") ? focused.parentElement : focused);
      return { region: focused.closest('[role="region"], header')?.getAttribute("aria-label") ?? focused.closest("header")?.tagName ?? "", outline: style.outlineStyle !== "none" };
    });
    if (!at) break;
    assert.ok(at.outline, `the focus is seen in ${at.region}`);
    if (order.at(-1) !== at.region) order.push(at.region);
  }
  assert.deepEqual(order.slice(0, 4), ["HEADER", "Brush", "Picture", "Strokes"]);
});

test("on a phone nothing is wider than the screen, and picture, result and brush are seen at once", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: bright }, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await shows(canvas(page), picture(bright));
  for (const what of [room(page).getByRole("application"), line(page), page.getByRole("radiogroup", { name: "What the brush does" }), page.getByRole("radiogroup", { name: "Concept" })]) {
    const box = await what.boundingBox();
    assert.ok(box.y >= 0 && box.y < 844 && box.x >= 0 && box.x + box.width <= 391, `${await what.getAttribute("class")}: ${JSON.stringify(box)}`);
  }
  const box = await canvas(page).boundingBox();
  assert.ok(box.width >= 0.8 * 390, `the picture is ${box.width} wide`);
  for await (const name of eachRoom(page)) {
    assert.equal(await wider(page), 0, `${name}: pixels beyond the screen's width`);
  }
});

test("every pixel of the picture is as large as the others, at any size of the window", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: bright } });
  for (const [width, height] of [[1440, 900], [1024, 768], [800, 700], [390, 844]]) {
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(100);
    const box = await canvas(page).boundingBox();
    assert.equal(box.width % 32, 0, `${box.width} at ${width}`);
    assert.equal(box.width, box.height);
    assert.ok(box.width >= 0.4 * Math.min(width, height), `${box.width} at ${width} x ${height}`);
  }
});

test("all rooms are named in the header, however wide the window is, unless it is a phone's", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: bright } });
  const rooms = page.getByRole("navigation", { name: "Rooms" });
  for (const width of [1440, 1280, 1160, 1040, 1000, 900, 700]) {
    await page.setViewportSize({ width, height: 800 });
    const hidden = await rooms.evaluate((nav) => nav.scrollWidth - nav.clientWidth);
    assert.equal(hidden, 0, `pixels out of sight at ${width}`);
    assert.equal(await wider(page), 0);
  }
});

test("colours follow the system until they are chosen, and are kept", async (t) => {
  const page = await open(t, studio.url, { colorScheme: "dark" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number).reduce((a, b) => a + b));
  assert.ok((await ground()) < 3 * 80);
  await button(page, "Colours: automatic").click();
  assert.ok((await ground()) > 3 * 200, "light");
  await page.reload();
  await button(page, "Colours: light").click();
  assert.ok((await ground()) < 3 * 80, "dark");
  await button(page, "Colours: dark").click();
  await page.emulateMedia({ colorScheme: "light" });
  await button(page, "Colours: automatic").waitFor();
  assert.ok((await ground()) > 3 * 200, "as the system");
});

test("who wants less motion gets steps instead of it", async (t) => {
  const page = await open(t, studio.url, { room: "wander", reducedMotion: "reduce" });
  const walk = page.getByRole("slider", { name: "Where on the walk" });
  await button(page, "Play").click();
  await button(page, "Play").click();
  assert.equal(await walk.inputValue(), "12", "a step for each press, and it stands");
  await shows(page.getByRole("region", { name: "Walk" }).getByRole("img"), picture({ between: { seeds: [7, 19], at: 0.25 } }));
  const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((element) => parseFloat(getComputedStyle(element).transitionDuration) > 0.01).length);
  assert.equal(moving, 0);
});
