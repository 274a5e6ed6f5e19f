/** What goes wrong is said in words that help, and nothing is lost by it. */

import assert from "node:assert/strict";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { button, canvas, keep, open, place, shows, strokes, take } from "./browser.mjs";
import { disc, MEANS, picture, seedWith } from "./by-hand.mjs";
import { atEnd } from "./ends.mjs";
import { folder, MODEL, SEGMENTER } from "./made.mjs";
import { fixture, serve } from "./server.mjs";

const FOUND = join(fixture, "found");
const OTHER = join(fixture, "other.safetensors");
const studio = await serve(FOUND);
after(() => studio.stop());

const dark = { seed: seedWith({ red: false, green: false, blue: false, yellow: false }) };
const DOT = disc(18, 18, 4);
const dotted = picture(dark, [{ unit: MEANS.red[0], value: 1, mask: DOT }]);

async function started(t, ...args) {
  const own = await serve(...args);
  atEnd(t, () => own.stop());
  return own;
}

/** A page with one stroke. */
async function painted(t) {
  const page = await open(t, studio.url, { recipe: { latent: dark } });
  await take(page, { of: "red" });
  await page.mouse.click(...(await place(page, 18, 18)));
  await shows(canvas(page), dotted);
  return page;
}

async function offer(page, name, text) {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), keep(page, /^Open/)]);
  await chooser.setFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
}

const said = (page, text) => page.getByRole("alert").filter({ hasText: text }).waitFor();

test("recipes that cannot be read are refused with the place and the reason, and what is painted stays", async (t) => {
  const page = await painted(t);
  const edit = (value) => `{"layer": "units", "units": [0], "value": ${value}}`;
  const files = [
    [`{"format": 2, "edits": [${edit('"zero"')}, ${edit('{"number": NaN}')}]}`, /recipe\.json was not opened\. Edit 2: .*NaN.* Nothing was changed\./],
    [`{"format": 3, "edits": []}`, /recipe\.json was not opened\. It was written by a newer version \(format 3; this one reads 1 and 2\)\. Nothing was changed\./],
    [`{"format": 2, "edits": [${edit('"zero"').replace("}", ', "colour": 1}')}]}`, /Edit 1: .*“colour” is no field here/],
    [`{"format": 2, "edits": [{"layer": "unit", "units": [0]}]}`, /Edit 1: .*unit.*Nothing was changed/],
    [`{"format": 2, "edits": [{"layer": "units", "units": [7]}]}`, /Edit 1: .*7.*Nothing was changed/],
    [`{"format": 2, "model": {"name": "streets", "blake3": "ab28"}, "edits": []}`, /It was made with “streets” \(ab28…\); open is “found”/],
    ["no recipe at all", /recipe\.json was not opened\..*Nothing was changed\./],
  ];
  for (const [text, answer] of files) {
    await offer(page, "recipe.json", text);
    await said(page, answer);
    assert.equal(await strokes(page).count(), 1);
    await shows(canvas(page), dotted, "what was painted");
  }
  await offer(page, "recipe.json", `{"format": 1, "edits": [${edit('"zero"')}]}`);
  await shows(canvas(page), picture(dark, [{ unit: 0, value: 0 }]), "an older recipe");
  assert.equal(await page.getByRole("alert").filter({ visible: true }).count(), 0, "the last complaint is gone");
  await page.keyboard.press("Control+z");
  await shows(canvas(page), dotted, "back");
});

test("a link that was cut is said to be, and the studio opens all the same", async (t) => {
  const page = await open(t, studio.url, { room: "paint&r=eJyrVsrPz" });
  await said(page, /The link was not opened\. It was cut or changed on the way\./);
  await shows(canvas(page), picture({ seed: 7 }), "the first picture");
});

test("a dissection of another model is named and not used", async (t) => {
  const { url } = await started(t, OTHER, "--dissection", FOUND);
  const page = await open(t, url);
  const alert = page.getByRole("alert").filter({ hasText: "This dissection is not used." });
  await alert.waitFor();
  assert.match(await alert.innerText(), /model/);
  await page.getByText("No concepts").waitFor();
  assert.ok(await page.getByRole("radio", { name: "Draw" }).isDisabled());
});

test("a model without a dissection is dissected from the page, and then painted on", async (t) => {
  const own = join(folder(t), "plain.safetensors");
  copyFileSync(MODEL, own);
  const { url } = await started(t, own, "--segmenter", SEGMENTER);
  const page = await open(t, url, { recipe: { latent: dark } });
  const notice = page.getByRole("status").filter({ hasText: "This model has no dissection yet." });
  await notice.waitFor();
  await shows(canvas(page), picture(dark));
  await notice.getByRole("button", { name: "Dissect it now" }).click();
  await page.getByRole("progressbar", { name: "Dissection" }).waitFor();
  await page.getByRole("radiogroup", { name: "Concept" }).getByRole("radio", { name: /^red/ }).waitFor({ timeout: 120_000 });
  await take(page, { of: "red" });
  await page.mouse.click(...(await place(page, 18, 18)));
  await shows(canvas(page), dotted, "drawn with what was found just now");
});

test("a model whose folder has vanished is told, and the one that is open goes on", async (t) => {
  const own = folder(t);
  copyFileSync(MODEL, join(own, "a.safetensors"));
  copyFileSync(OTHER, join(own, "b.safetensors"));
  const { url } = await started(t, own);
  const page = await open(t, url, { may: /status of 409/ });
  await shows(canvas(page), picture({ seed: 7 }));
  rmSync(own, { recursive: true });
  await page.getByRole("combobox", { name: "Model" }).selectOption("b");
  await said(page, /b was not opened\. .*b\.safetensors/);
  await page.getByRole("spinbutton", { name: "Seed" }).fill("8");
  await shows(canvas(page), picture({ seed: 8 }), "the model that is open");
});

test("a port that is taken is said to be", async () => {
  await assert.rejects(serve(FOUND, "--port", studio.port), /did not start: .*(in use|taken)/s);
});

test("what is asked too often waits and comes", async (t) => {
  const page = await open(t, studio.url, { recipe: { latent: dark }, may: /status of 429/ });
  await shows(canvas(page), picture(dark));
  await take(page, { of: "red" });
  let refusals = 3;
  await page.route("**/render", (route) => {
    if ((refusals -= 1) < 0) return route.continue();
    return route.fulfill({ status: 429, headers: { "Retry-After": "1" }, contentType: "application/json", body: '{"error":{"message":"too many","hint":null}}' });
  });
  await page.mouse.click(...(await place(page, 18, 18)));
  await page.getByText("Too much at once.").waitFor();
  await shows(canvas(page), dotted, "after the third try");
  await page.getByText("Too much at once.").waitFor({ state: "detached" });
});
