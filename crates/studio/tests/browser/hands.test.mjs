/** Other hands: pens and fingers, keyboards of other countries, strokes that leave the picture. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { join } from "node:path";
import { button, canvas, open, place, recipeNow, room, shows, strokes, take } from "./browser.mjs";
import { disc, MEANS, ofRuns, picture, seedWith, SIDE, union } from "./by-hand.mjs";
import { fixture, serve } from "./server.mjs";

const studio = await serve(join(fixture, "found"));
after(() => studio.stop());

const dark = { seed: seedWith({ red: false, green: false, blue: false, yellow: false }) };
const red = (mask) => ({ unit: MEANS.red[0], value: 1, mask });
const middle = (row, column) => [4 * column + 2, 4 * row + 2];

/** Paper, brush and the browser's own line to its input devices. */
async function begin(t, options) {
  const page = await open(t, studio.url, { recipe: { latent: dark }, ...options });
  await shows(canvas(page), picture(dark));
  await take(page, { of: "red" });
  const devices = await page.context().newCDPSession(page);
  const point = async (x, y, id = 0) => {
    const [left, top] = await place(page, x, y);
    return { x: left, y: top, id };
  };
  return {
    page,
    point,
    pen: async (type, x, y) => {
      const { x: left, y: top } = await point(x, y);
      await devices.send("Input.dispatchMouseEvent", { type, x: left, y: top, button: "left", buttons: 1, clickCount: 1, pointerType: "pen", force: 0.5 });
    },
    fingers: (type, ...touchPoints) => devices.send("Input.dispatchTouchEvent", { type, touchPoints }),
    size: () => room(page).getByRole("slider", { name: "Size of the brush" }).getAttribute("aria-valuetext"),
  };
}

test("a pen draws, its other end rubs out, and from then on fingers only move the picture", async (t) => {
  const { page, pen, fingers, point } = await begin(t, { hasTouch: true });
  await pen("mousePressed", ...middle(2, 2));
  await pen("mouseMoved", ...middle(2, 5));
  await pen("mouseReleased", ...middle(2, 5));
  await strokes(page).first().waitFor();
  const painted = ofRuns((await recipeNow(page)).edits[0].place.painted.runs);
  assert.ok(painted[10 * SIDE + 10] && painted[10 * SIDE + 16] && painted[10 * SIDE + 22]);
  await shows(canvas(page), picture(dark, [red(painted)]), "the pen's stroke");

  const [x, y] = await place(page, ...middle(2, 2));
  // No program can turn a pen: the page hears what a turned one sends.
  await room(page)
    .getByRole("application")
    .evaluate((paper, at) => {
      for (const [type, buttons] of [["pointerdown", 32], ["pointerup", 0]]) {
        paper.dispatchEvent(new PointerEvent(type, { pointerId: 9, pointerType: "pen", button: 5, buttons, clientX: at[0], clientY: at[1], bubbles: true, cancelable: true }));
      }
    }, [x, y]);
  const left = painted.map((on, i) => Number(on && !disc(...middle(2, 2), 4)[i]));
  await shows(canvas(page), picture(dark, [red(left)]), "what the other end left");

  await fingers("touchStart", await point(...middle(6, 6)));
  await fingers("touchEnd");
  assert.equal(await strokes(page).count(), 1, "a palm draws nothing");
  await button(page, "Finger paints").click();
  await fingers("touchStart", await point(...middle(6, 6)));
  await fingers("touchEnd");
  await shows(canvas(page), picture(dark, [red(left), red(disc(...middle(6, 6), 4))]), "the finger's dot");
});

test("a finger paints, two of them enlarge, and a stroke that the system takes away is dropped", async (t) => {
  const { page, fingers, point } = await begin(t, { hasTouch: true });
  await fingers("touchStart", await point(...middle(3, 3)));
  await fingers("touchMove", await point(...middle(3, 5)));
  await fingers("touchEnd");
  await strokes(page).first().waitFor();
  const painted = ofRuns((await recipeNow(page)).edits[0].place.painted.runs);
  assert.ok(union(painted, disc(...middle(3, 3), 4)).every((on, i) => on === painted[i]), "from where it began");
  await shows(canvas(page), picture(dark, [red(painted)]), "the finger's stroke");

  const before = await canvas(page).boundingBox();
  // At once: the second of two that come one after the other is a palm, if the machine is busy in between.
  await fingers("touchStart", await point(14, 16, 0), await point(18, 16, 1));
  await fingers("touchMove", await point(10, 16, 0), await point(22, 16, 1));
  await fingers("touchEnd");
  const large = await canvas(page).boundingBox();
  assert.ok(large.width > 2 * before.width, `${before.width} to ${large.width}`);
  assert.equal(await strokes(page).count(), 1, "two fingers draw nothing");
  await button(page, "The whole picture again").click();
  assert.equal((await canvas(page).boundingBox()).width, before.width);

  await fingers("touchStart", await point(...middle(6, 2)));
  await fingers("touchCancel");
  await shows(canvas(page), picture(dark, [red(painted)]), "nothing of the stroke that was taken away");
  assert.equal(await strokes(page).count(), 1);
});

test("a stroke may leave the picture and end outside; Escape gives it up; other buttons do not paint", async (t) => {
  const { page } = await begin(t);
  await page.mouse.move(...(await place(page, 29, 14)));
  await page.mouse.down();
  await page.mouse.move(...(await place(page, 40, 14)), { steps: 6 });
  await page.mouse.up();
  await strokes(page).first().waitFor();
  const painted = ofRuns((await recipeNow(page)).edits[0].place.painted.runs);
  assert.ok(painted[14 * SIDE + 31], "up to the edge");
  await shows(canvas(page), picture(dark, [red(painted)]), "the stroke that left");

  await page.mouse.move(...(await place(page, 8, 24)));
  await page.mouse.down();
  await page.mouse.move(...(await place(page, 20, 24)), { steps: 3 });
  await page.keyboard.press("Escape");
  await page.mouse.up();
  await page.mouse.click(...(await place(page, 8, 24)), { button: "middle" });
  await shows(canvas(page), picture(dark, [red(painted)]), "nothing of the stroke that was given up");
  assert.equal(await strokes(page).count(), 1);
});

test("Shift and arrows paint a line", async (t) => {
  const { page } = await begin(t);
  await page.mouse.move(1, 1);
  await room(page).getByRole("application").focus();
  await page.keyboard.down("Shift");
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("ArrowRight");
  await page.keyboard.up("Shift");
  await strokes(page).first().waitFor();
  const painted = ofRuns((await recipeNow(page)).edits[0].place.painted.runs);
  const ends = union(disc(...middle(4, 4), 4), disc(...middle(4, 7), 4));
  assert.ok(ends.every((on, i) => painted[i] >= on), "from cell 4 to cell 7");
  await shows(canvas(page), picture(dark, [red(painted)]));
});

test("the size changes by brackets on any keyboard, and by the wheel with Ctrl alone", async (t) => {
  const { page, size } = await begin(t);
  const press = (key, code, held = {}) => page.evaluate(([k, c, more]) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: k, code: c, bubbles: true, cancelable: true, ...more })), [key, code, held]);
  const altGr = { ctrlKey: true, altKey: true };
  assert.equal(await size(), "4 pixels");
  // QWERTZ: brackets are AltGr+8 and AltGr+9; where they lie on other keyboards are ü and +.
  await press("]", "Digit9", altGr);
  assert.equal(await size(), "8 pixels");
  await press("[", "Digit8", altGr);
  assert.equal(await size(), "4 pixels");
  await press("+", "BracketRight");
  assert.equal(await size(), "8 pixels");
  await press("ü", "BracketLeft");
  assert.equal(await size(), "4 pixels");
  // AZERTY: AltGr+5 and AltGr+°; in their place lie ^ and $.
  await press("]", "Minus", altGr);
  await press("[", "Digit5", altGr);
  assert.equal(await size(), "4 pixels");
  await press("$", "BracketRight");
  assert.equal(await size(), "8 pixels");
  await press("^", "BracketLeft");
  assert.equal(await size(), "4 pixels");
  await press("{", "BracketLeft", { shiftKey: true });
  assert.equal(await size(), "1 pixel", "with Shift by four steps, and no farther than the first");

  await page.mouse.click(...(await place(page, ...middle(4, 4))));
  await strokes(page).first().waitFor();
  await press("z", "KeyW", { ctrlKey: true });
  await shows(canvas(page), picture(dark), "undone by the key that is called Z");
  await press("Z", "KeyW", { ctrlKey: true, shiftKey: true });
  await strokes(page).first().waitFor();

  await page.mouse.wheel(0, -300);
  assert.equal(await size(), "1 pixel");
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, -100);
  await page.keyboard.up("Control");
  assert.equal(await size(), "2 pixels");
});

test("no key acts while one types", async (t) => {
  const { page } = await begin(t);
  const find = page.getByRole("searchbox", { name: "Find a concept" });
  await find.pressSequentially("red [ 1 n e");
  assert.equal(await find.inputValue(), "red [ 1 n e");
  assert.ok(await page.getByRole("radio", { name: "Draw" }).isChecked());
  await shows(canvas(page), picture(dark), "the same seed");
});
