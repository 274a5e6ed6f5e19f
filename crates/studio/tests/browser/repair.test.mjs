/** Repair by eye: real images have no red disc, so the unit that makes it is found, taken out, and gone. */

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { grave } from "./axe.mjs";
import { apart, canvas, imageOf, open, room, shows, wider } from "./browser.mjs";
import { GREEN, picture, RED, seedWith, SHIFT } from "./by-hand.mjs";
import { atEnd } from "./ends.mjs";
import { folder, real, searched } from "./made.mjs";
import { readPng } from "./png.mjs";
import { fixture, serve } from "./server.mjs";

const made = folder({ after });
const IMAGES = real(join(made, "images"));
const SEARCHED = join(made, "searched");
await searched(IMAGES, SEARCHED);

const seeds = [{ red: true, green: true }, { red: true, blue: true }, { red: false }].map((wanted) => seedWith(wanted));
const off = (...units) => units.map((unit) => ({ unit, value: 0 }));

/** A folder with a dissection and a repair of the same generator, the page on it, and the repair's own folder. */
async function begun(t, how = {}) {
  const own = mkdtempSync(join(made, "own-"));
  cpSync(join(fixture, "found"), join(own, "found"), { recursive: true });
  cpSync(SEARCHED, join(own, "repair"), { recursive: true });
  const studio = await serve(own);
  atEnd(t, () => studio.stop());
  const page = await open(t, studio.url, { room: "repair", recipe: { latent: { seed: seeds[0] } }, ...how });
  await card(page, RED).waitFor();
  return { page, repair: join(own, "repair") };
}

const card = (page, unit) => room(page).getByRole("article", { name: `Unit ${unit}`, exact: true });
const decide = (page, unit, decision) => card(page, unit).getByRole("radio", { name: decision }).check();
const decisions = (page) => page.getByRole("region", { name: "Decisions" });
const counts = (page) => decisions(page).locator("dd").allInnerTexts();
const said = (page) => decisions(page).getByRole("status");
const writing = (page, name) => decisions(page).getByRole("button", { name });
const costs = (page) => page.getByRole("region", { name: "What it costs" });

/** Waits until the pictures before and after are these. */
async function pairIs(page, latent, edits, what) {
  const expected = [picture(latent), picture(latent, edits)];
  const end = Date.now() + 30_000;
  const images = page.getByRole("region", { name: "Before and after" }).getByRole("img");
  for (;;) {
    await images.nth(1).waitFor();
    // They are put there both at once: one that has just gone is asked for again.
    const seen = await Promise.all([0, 1].map((i) => imageOf(images.nth(i)))).catch(() => null);
    if (seen?.every(({ pixels }, i) => apart(pixels, expected[i]) <= 1)) return;
    if (Date.now() > end) assert.fail(`${what}: before is off by ${apart(seen?.[0].pixels ?? [], expected[0])}, after by ${apart(seen?.[1].pixels ?? [], expected[1])}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** The table of distances, by the name of the row. */
async function table(page) {
  const [, ...rows] = await costs(page).getByRole("row").allInnerTexts();
  return Object.fromEntries(rows.map((text) => text.split("\t")).map(([name, ...cells]) => [name, cells]));
}

/** What the table of distances says of the numbers in repair.json. */
const distancesOf = (judged) =>
  Object.fromEntries(
    [["strongest, to most alike", judged.alike], ["strongest, to all", judged.strongest], ["all images", judged.all]].map(([name, { before, after: left, random }]) => [
      name,
      [before, left, random.reduce((a, b) => a + b, 0) / random.length].map((x) => x.toFixed(3)),
    ]),
  );

const judgedIn = (repair) => JSON.parse(readFileSync(join(repair, "repair.json"), "utf8"));

test("candidates are cards in the order of the search, with its numbers and pictures", async (t) => {
  const { page } = await begun(t);
  const { candidates } = JSON.parse(readFileSync(join(SEARCHED, "candidates.json"), "utf8"));
  assert.equal(candidates[0].unit, RED, "the unit of the red disc is the first");
  const cards = room(page).getByRole("article");
  assert.deepEqual(
    await cards.locator(".head").allInnerTexts().then((all) => all.map((text) => text.split(/\n+/))),
    candidates.map(({ unit, distance, without }) => [`Unit ${unit}`, `${distance.toFixed(3)} from real; without it ${without.toFixed(3)}`]),
  );
  for (const { unit } of [candidates[0], candidates.at(-1)]) {
    await card(page, unit).scrollIntoViewIfNeeded();
    const seen = card(page, unit).getByRole("img");
    await page.waitForFunction((image) => image.naturalWidth > 0, await seen.elementHandle());
    const expected = readPng(readFileSync(join(SEARCHED, "candidates", `${unit}.png`)));
    assert.equal(apart((await imageOf(seen)).pixels, expected.pixels), 0, `picture of unit ${unit}`);
  }
  assert.deepEqual(await counts(page), ["0", "0", String(candidates.length)]);
  assert.ok(await writing(page, "Write the model").isDisabled());
});

test("before and after are exact on any seed, as units are decided", async (t) => {
  const { page } = await begun(t);
  await pairIs(page, { seed: seeds[0] }, [], "nothing is decided");
  await decide(page, RED, "Take out");
  await pairIs(page, { seed: seeds[0] }, off(RED), "without red");
  const seed = room(page).getByRole("spinbutton", { name: "Seed" });
  for (const other of seeds.slice(1)) {
    await seed.fill(String(other));
    await pairIs(page, { seed: other }, off(RED), `seed ${other}`);
  }
  await seed.blur();
  await page.keyboard.press(".");
  await pairIs(page, { seed: seeds.at(-1) + 1 }, off(RED), "the next seed");
  await seed.fill(String(seeds[0]));
  await decide(page, GREEN, "Take out");
  await pairIs(page, { seed: seeds[0] }, off(RED, GREEN), "without red and green");
  await decide(page, RED, "Leave in");
  await pairIs(page, { seed: seeds[0] }, off(GREEN), "without green");
});

test("what is decided is kept, of candidates and of units that were typed", async (t) => {
  const { page, repair } = await begun(t);
  await decide(page, RED, "Take out");
  await decide(page, GREEN, "Leave in");
  const typed = decisions(page).getByRole("textbox", { name: "Other units to take out" });
  await typed.fill("5, 7");
  await typed.press("Enter");
  await decisions(page).getByRole("alert").getByText("“7” is no unit: they are 0 to 6.").waitFor();
  assert.deepEqual(await counts(page), ["1", "1", "4"]);
  await typed.fill("5");
  await typed.press("Enter");
  await writing(page, "Write the model without 2 units").waitFor();
  const kept = async () => {
    assert.deepEqual(await counts(page), ["2", "1", "4"]);
    assert.equal(await typed.inputValue(), "5");
    for (const [unit, decision] of [[RED, "Take out"], [GREEN, "Leave in"], [SHIFT, "Undecided"]]) {
      assert.ok(await card(page, unit).getByRole("radio", { name: decision }).isChecked(), `unit ${unit}`);
    }
  };
  await kept();
  const inFile = () => readFileSync(join(repair, "decisions.toml"), "utf8");
  while (!/^5 = "accept"/m.test(inFile())) await new Promise((resolve) => setTimeout(resolve, 25));
  assert.match(inFile(), /^0 = "accept"/m);
  assert.match(inFile(), /^1 = "reject"/m);
  await page.reload();
  await writing(page, "Write the model without 2 units").waitFor();
  await kept();
});

test("the model is written without the unit, and what that costs is told", async (t) => {
  const { page, repair } = await begun(t);
  await costs(page).getByText("It is measured when the model is written").waitFor();
  await decide(page, SHIFT, "Take out");
  await writing(page, "Write the model without 1 unit").click();
  await said(page).getByText(/^Written to .*repair\/model\.safetensors: 1 unit removed\./).waitFor();
  const price = judgedIn(repair);
  assert.deepEqual(price.units, [SHIFT]);
  assert.ok(price.all.after > price.all.before, "all pictures have the shift, real ones as well: without it they are farther");
  await costs(page).getByText("It has a price.").waitFor();
  assert.deepEqual(await table(page), distancesOf(price));
  await costs(page).getByText(`(${price.all.before.toFixed(3)} to ${price.all.after.toFixed(3)}); other real images are at ${price.other_real.toFixed(3)}.`).waitFor();

  await decide(page, SHIFT, "Leave in");
  await decide(page, RED, "Take out");
  await costs(page).getByText(`Measured without unit ${SHIFT}; other units are decided now.`).waitFor();
  await said(page).getByText("is of other decisions").waitFor();
  await writing(page, "Write the model without 1 unit").click();
  await costs(page).getByText("It costs nothing that was measured.").waitFor();
  const gain = judgedIn(repair);
  assert.ok(Math.abs(gain.all.after - gain.other_real) < 1e-6, "without the red disc they are what real images are");
  assert.deepEqual(await table(page), distancesOf(gain));
  assert.equal(await costs(page).getByText("other units are decided now").count(), 0);

  await page.reload();
  await said(page).getByText(/^It is written: .*repair\/model\.safetensors\.$/).waitFor();
  assert.deepEqual(await table(page), distancesOf(gain));

  const mended = await serve(join(repair, "model.safetensors"));
  atEnd(t, () => mended.stop());
  const other = await open(t, mended.url, { recipe: { latent: { seed: seeds[0] } } });
  await shows(canvas(other), picture({ seed: seeds[0] }, off(RED)), "the picture of the written model");
});

test("where the folder cannot be written it is said, and the decision is taken back", async (t) => {
  const { page } = await begun(t, { may: /status of 409/ });
  await page.route("**/decisions", (route) => route.fulfill({ status: 409, contentType: "application/json", body: '{"error":{"message":"process 7 is at work in this folder","hint":null}}' }));
  await decide(page, RED, "Take out");
  await page.getByRole("alert").getByText("What was decided about unit 0 was not kept. Process 7 is at work in this folder.").waitFor();
  await writing(page, /^Write the model$/).waitFor();
  assert.ok(await card(page, RED).getByRole("radio", { name: "Undecided" }).isChecked());
});

test("without a repair it is said how to search for one", async (t) => {
  const studio = await serve(join(fixture, "found"));
  atEnd(t, () => studio.stop());
  const page = await open(t, studio.url, { room: "repair" });
  await room(page).getByText("No repair of this model was found").waitFor();
  await room(page).getByText(`ganatomy repair ${join(fixture, "model.safetensors")} --layer seen --real IMAGES --out repair`).waitFor();
  assert.ok(!(await decisions(page).isVisible()));
});

for (const colorScheme of ["light", "dark"]) {
  test(`a repair has nothing grave for axe, and fits a phone, ${colorScheme}`, async (t) => {
    const { page } = await begun(t, { colorScheme });
    await decide(page, RED, "Take out");
    await decide(page, GREEN, "Leave in");
    await writing(page, "Write the model without 1 unit").click();
    await costs(page).getByText("It costs nothing that was measured.").waitFor();
    assert.deepEqual(await grave(page, "Repair"), []);
    await page.setViewportSize({ width: 390, height: 844 });
    assert.equal(await wider(page), 0);
    assert.deepEqual(await grave(page, "Repair on a phone"), []);
  });
}
