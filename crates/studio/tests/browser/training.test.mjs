/** Training: a run is shown as its files say, and goes on before one's eyes. */

import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { grave } from "./axe.mjs";
import { apart, imageOf, open, room, wider } from "./browser.mjs";
import { atEnd } from "./ends.mjs";
import { evolving, folder, real, SEGMENTER } from "./made.mjs";
import { readPng } from "./png.mjs";
import { begin, fixture, run, serve } from "./server.mjs";

const GENERATIONS = 40;
const made = folder({ after });
const IMAGES = real(join(made, "images"));
const RUNS = join(made, "runs");
const [RUN, SEGMENTING] = [join(RUNS, "00001-by-hand"), join(RUNS, "00002-segmenter")];
await run(...evolving(IMAGES, RUN, `generations=${GENERATIONS}`, "log.samples=10", "log.checkpoint=10"));
await run("segmenter", "train", "--data", "scenes", "--size", "32", "--steps", "20", "--out", SEGMENTING, "--quiet");
await run("dissect", RUN, "--segmenter", SEGMENTER, "--samples", "64", "--fit-samples", "32", "--out", join(RUN, "what-is-in-it"), "--quiet");
const studio = await serve(RUNS);
after(() => studio.stop());

const recordsOf = (path) => readFileSync(join(path, "stats.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
const records = recordsOf(RUN);
const winnerOf = ({ children, survivors }) => children[survivors[0]].mutation;

const row = (page, name) => page.getByRole("region", { name: "Runs" }).getByRole("button", { name });
const figure = (page, name) => room(page).locator(".figures-row div").filter({ has: page.locator("dt", { hasText: name }) }).locator("dd");
const chart = (page, title) => room(page).getByRole("region", { name: title, exact: true });
const sheet = (page) => room(page).getByRole("region", { name: "Samples through time" });

/** The page on a run of evolution. */
async function shown(t, how = {}) {
  const page = await open(t, studio.url, { room: "training", ...how });
  await row(page, /^00001-by-hand/).click();
  await figure(page, /^generation$/).getByText(String(GENERATIONS), { exact: true }).waitFor();
  return page;
}

/**
 * The lines of a chart, read off its axes as a person would.
 * @returns {Promise<Record<string, [number, number][]>>} places and values by the name of the line
 */
const readOff = (page, title) =>
  chart(page, title).evaluate((section) => {
    const [drawing, legend] = [section.querySelector(".plot svg"), section.querySelector(".legend")];
    const at = (element, name) => Number(element.getAttribute(name));
    const texts = [...drawing.querySelectorAll("text")].map((text) => ({ text, number: Number(text.textContent.replaceAll(",", "")) }));
    const across = texts.filter(({ text, number }) => text.getAttribute("text-anchor") === "middle" && !Number.isNaN(number)).map(({ text, number }) => [at(text, "x"), number]);
    const marks = [...drawing.querySelectorAll(".grid")];
    const up = texts.filter(({ text }) => text.getAttribute("text-anchor") === "end").map(({ number }, i) => [at(marks[i], "y1"), number]);
    const scale = (marked) => {
      const [[p, a], [q, b]] = [marked[0], marked.at(-1)];
      return (place) => a + ((place - p) / (q - p)) * (b - a);
    };
    const [x, y] = [scale(across), scale(up)];
    const lines = [...drawing.querySelectorAll("polyline")];
    const names = legend.hidden ? [section.querySelector("h2").textContent] : [...legend.children].map((item) => item.textContent);
    const points = (line) => line.getAttribute("points").split(" ").map((pair) => pair.split(",").map(Number));
    return Object.fromEntries(lines.map((line, i) => [names[i], points(line).map(([left, top]) => [x(left), y(top)])]));
  });

/** Whether a line goes through these, as exactly as a drawing of 420 x 190 can. */
function through(line, expected, what) {
  assert.equal(line.length, expected.length, `points of ${what}`);
  const values = expected.map(([, value]) => value);
  const near = Math.max(...values) - Math.min(...values) || 1;
  expected.forEach(([place, value], i) => {
    assert.ok(Math.abs(line[i][0] - place) < 0.1, `${what} is at ${line[i][0]}, not ${place}`);
    assert.ok(Math.abs(line[i][1] - value) < 0.01 * near, `${what} at ${place} is ${line[i][1]}, not ${value}`);
  });
}

test("runs are listed, and one's numbers and settings are those of its files", async (t) => {
  const page = await shown(t);
  const rows = page.locator(".runs").getByRole("button");
  assert.deepEqual((await rows.allInnerTexts()).map((text) => text.split(/\n+/)), [
    ["00002-segmenter", "step 20 of 20, finished"],
    ["00001-by-hand", "generation 40 of 40, finished"],
  ]);
  assert.equal(await row(page, /^00001/).getAttribute("aria-current"), "true");
  assert.equal(await row(page, /^00002/).getAttribute("aria-current"), null);
  const best = JSON.parse(readFileSync(join(RUN, "checkpoints", "best.json"), "utf8"));
  assert.equal(await figure(page, `least distance to reals, at ${best.generation}`).innerText(), records[best.generation - 1].distance.toPrecision(3));
  assert.equal(await figure(page, "real images seen").innerText(), String(records.at(-1).images));
  await page.getByText("Settings", { exact: true }).click();
  const setting = async (name) => room(page).locator(".settings div").filter({ has: page.getByText(name, { exact: true }) }).locator("dd").innerText();
  assert.equal(await setting("lr_g"), "0.002");
  assert.equal(await setting("image.size"), "32");
  assert.equal(await setting("mutations"), "hinge, heuristic, least-squares-logit");
});

test("curves go through the run's numbers, and tell them place by place", async (t) => {
  const page = await shown(t);
  const line = (of) => records.filter((record) => of(record) !== undefined).map((record) => [record.generation, of(record)]);
  for (const [title, of] of [
    ["Distance to real images", ({ distance }) => distance],
    ["Loss of the discriminator", ({ d_loss }) => d_loss],
    ["Real or not", ({ d_accuracy }) => Math.max(0.4, d_accuracy)],
    ["Variance of the samples", ({ sample_variance }) => sample_variance],
  ]) {
    const [drawn, ...others] = Object.values(await readOff(page, title));
    assert.equal(others.length, 0);
    through(drawn, line(of), title);
  }
  const fitness = await readOff(page, "Fitness of the children");
  const mutations = ["hinge", "heuristic", "least-squares-logit"];
  assert.deepEqual(Object.keys(fitness), mutations);
  for (const name of mutations) through(fitness[name], line(({ children }) => children.find(({ mutation }) => mutation === name).f), name);

  const loss = chart(page, "Loss of the discriminator");
  const told = (generation) => loss.locator(".readout").getByText(new RegExp(`^generation ${generation}: `));
  const number = async (generation) => Number((await told(generation).innerText()).split(": ")[1]);
  await loss.getByRole("group").press("Home");
  assert.ok(Math.abs((await number(1)) - records[0].d_loss) < 0.01);
  await loss.getByRole("group").press("ArrowRight");
  assert.ok(Math.abs((await number(2)) - records[1].d_loss) < 0.01);
  await loss.getByRole("button", { name: "Numbers" }).click();
  const rows = await loss.getByRole("table").getByRole("row").allInnerTexts();
  assert.equal(rows.length, 1 + GENERATIONS);
  records.forEach(({ generation, d_loss }, i) => {
    const [place, value] = rows[i + 1].split("\t").map(Number);
    assert.ok(place === generation && Math.abs(value - d_loss) < 0.01, rows[i + 1]);
  });
});

test("each generation has the colour of the mutation that won it", async (t) => {
  const page = await shown(t);
  const wins = chart(page, "Which mutation wins");
  const columns = await wins.evaluate((section) => {
    const colours = [...section.querySelectorAll(".legend li")].map((item) => [item.querySelector("rect").getAttribute("fill"), item.textContent]);
    const boxes = [...section.querySelectorAll(".plot rect")].map((box) => [Number(box.getAttribute("x")), new Map(colours).get(box.getAttribute("fill"))]);
    return boxes.sort(([a], [b]) => a - b).map(([, name]) => name);
  });
  const winners = records.map(winnerOf);
  assert.ok(new Set(winners).size > 1, "more than one of them wins");
  assert.deepEqual(columns, winners);
  await wins.getByRole("button", { name: "Numbers" }).click();
  const [head, ...rows] = await wins.getByRole("table").getByRole("row").allInnerTexts();
  const names = head.split("\t").slice(1);
  assert.deepEqual(rows.map((text) => names[text.split("\t").slice(1).indexOf("100 %")]), winners);
});

test("what a recipe never records has no chart, and none waits for it", async (t) => {
  const alone = join(made, "alone");
  await run(...evolving(IMAGES, join(alone, "00001-one-loss"), "generations=3", 'mutations=["heuristic"]', "gamma=0"));
  assert.ok(recordsOf(join(alone, "00001-one-loss")).every(({ children }) => children.every(({ f }) => f === null)), "no fitness");
  const server = await serve(alone);
  atEnd(t, () => server.stop());
  const page = await open(t, server.url, { room: "training" });
  await row(page, /^00001-one-loss/).click();
  await chart(page, "Loss of the discriminator").locator("polyline").waitFor({ state: "attached" });
  for (const title of ["Which mutation wins", "Fitness of the children", "Score"]) assert.equal(await chart(page, title).count(), 0, title);
  assert.equal(await room(page).getByText("nothing yet").count(), 0);
  // The place beside the samples is not left empty.
  assert.equal(await room(page).locator(".aside .chart").count(), 2);
});

test("samples are gone through with a slider, from the real images to the newest", async (t) => {
  const page = await shown(t);
  const slider = sheet(page).getByRole("slider", { name: "Generation of the samples" });
  const files = readdirSync(RUN).filter((name) => name.startsWith("samples-")).toSorted();
  assert.ok(files.includes("samples-000020.png") && files.at(-1) === "samples-000040.png");
  for (const [name, file] of [
    ["Samples of generation 40", "samples-000040.png"],
    ["Samples of generation 20", "samples-000020.png"],
    ["Real images", "reals.png"],
  ]) {
    await slider.fill(String(files.indexOf(file) + 1));
    const seen = await imageOf(sheet(page).getByRole("img", { name }));
    const expected = readPng(readFileSync(join(RUN, file)));
    assert.deepEqual([seen.width, seen.height], [expected.width, expected.height]);
    assert.equal(apart(seen.pixels, expected.pixels), 0, name);
  }
  assert.equal(await slider.getAttribute("aria-valuetext"), "real images");
  assert.equal(await slider.getAttribute("max"), String(files.length));
});

test("a segmenter's run has its own curves, and held-out images", async (t) => {
  const page = await open(t, studio.url, { room: "training" });
  await row(page, /^00002-segmenter/).click();
  const steps = recordsOf(SEGMENTING);
  const judged = steps.filter(({ mean_iou }) => mean_iou);
  const planes = Object.keys(judged[0].mean_iou);
  await chart(page, "Mean IoU").locator("polyline").first().waitFor({ state: "attached" });
  const drawn = await readOff(page, "Mean IoU");
  for (const plane of planes) through(drawn[plane], judged.map(({ step, mean_iou }) => [step, mean_iou[plane]]), plane);
  through((await readOff(page, "Loss")).Loss, steps.map(({ step, loss }) => [step, loss]), "loss");
  const seen = await imageOf(room(page).getByRole("region", { name: "Held-out images" }).getByRole("img"));
  assert.equal(apart(seen.pixels, readPng(readFileSync(join(SEGMENTING, "preview.png"))).pixels), 0);
  assert.deepEqual(await grave(page, "A segmenter's run"), []);
});

test("what was found in a run is looked into, and its report opens", async (t) => {
  const page = await shown(t);
  const found = page.getByRole("region", { name: "Found in this run" });
  await found.getByText("Dissection what-is-in-it, with a report").waitFor();
  const [report] = await Promise.all([page.context().waitForEvent("page"), found.getByRole("link", { name: "Report" }).click()]);
  const faults = [];
  report.on("pageerror", (error) => faults.push(String(error)));
  await report.getByRole("heading", { level: 1 }).waitFor();
  assert.match(await report.title(), /^Dissection of .*00001-by-hand/);
  assert.deepEqual(faults, []);
  await report.close();
  await found.getByRole("button", { name: "Look inside" }).click();
  await room(page).getByText(/^\d+ of \d+ units$/).waitFor();
  assert.equal(await page.getByRole("combobox", { name: "Model" }).locator("option:checked").innerText(), "00001-by-hand");
});

test("a run that goes on is found, and grows in the page as it grows on the disk", async (t) => {
  const page = await shown(t);
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const live = join(RUNS, "00003-live");
  const evolution = begin(...evolving(IMAGES, live, "generations=1000000", "log.samples=20", "log.checkpoint=1000000"));
  atEnd(t, () => evolution.stop());
  await row(page, /^00003-live\s*generation \d+ of 1,000,000, running/).click();
  await figure(page, "still to go, about").waitFor();
  const at = async () => Number((await figure(page, /^generation$/).innerText()).replaceAll(",", ""));
  const grows = async (from) => {
    await page.waitForFunction((least) => Number(document.querySelector(".figures-row dd")?.textContent.replaceAll(",", "")) > least, from);
    return at();
  };
  const first = await grows(0);
  const second = await grows(first + 20);
  const last = async () => Number((await chart(page, "Loss of the discriminator").locator(".readout").innerText()).match(/^generation ([\d,]+): /)[1].replaceAll(",", ""));
  assert.ok((await last()) >= first, "the curve has grown too");
  assert.equal(asked.filter((path) => path.endsWith("/stats") && path.includes("live")).length, 1, "all but the first records came by themselves");
  assert.equal(asked.filter((path) => path.endsWith("/events")).length, 1);
  const slider = sheet(page).getByRole("slider");
  const sheets = Number(await slider.getAttribute("max"));
  await page.waitForFunction((before) => Number(document.querySelector(".samples input").max) > before, sheets);
  assert.equal(await slider.inputValue(), await slider.getAttribute("max"), "the newest samples are shown");

  // However slow a finger is, the row under it is not taken away.
  const box = await row(page, /^00001/).boundingBox();
  await page.mouse.move(box.x + 20, box.y + 10);
  await page.mouse.down();
  const now = second + 40;
  await page.waitForFunction((least) => Number(document.querySelector(".runs button small.running").textContent.match(/[\d,]+/)[0].replaceAll(",", "")) > least, now);
  await page.mouse.up();
  await figure(page, /^generation$/).getByText(String(GENERATIONS), { exact: true }).waitFor();

  await row(page, /^00003-live/).click();
  await figure(page, "still to go, about").waitFor();
  await evolution.stop();
  await row(page, /^00003-live\s*generation [\d,]+ of 1,000,000, stopped/).waitFor();
  await figure(page, "time in all").waitFor();
  assert.equal(await at(), recordsOf(live).at(-1).generation);
});

test("a run that vanishes is told, and shown again when it is back", async (t) => {
  const own = folder(t);
  const [here, away] = [join(own, "runs"), join(own, "away")];
  cpSync(RUN, join(here, "00001-by-hand"), { recursive: true });
  const { url, stop } = await serve(here);
  atEnd(t, stop);
  const page = await open(t, url, { room: "training", may: /status of 40[49]/ });
  await figure(page, /^generation$/).waitFor();
  renameSync(join(here, "00001-by-hand"), away);
  await page.getByRole("alert").filter({ hasText: "The run is gone." }).waitFor();
  await room(page).getByText("No runs").waitFor();
  renameSync(away, join(here, "00001-by-hand"));
  // Who comes back to the room need not wait for the next look.
  await page.getByRole("link", { name: "Paint" }).click();
  await page.getByRole("link", { name: "Training" }).click();
  await figure(page, /^generation$/).waitFor();
  assert.equal(await room(page).getByText("No runs").count(), 0);
});

test("without a run it is said how to get one", async (t) => {
  const alone = await serve(join(fixture, "found"));
  atEnd(t, () => alone.stop());
  const page = await open(t, alone.url, { room: "training" });
  await room(page).getByText("No runs").waitFor();
  await room(page).getByText("ganatomy studio runs/").waitFor();
  assert.ok(!(await page.getByRole("region", { name: "Runs" }).isVisible()));
});

for (const colorScheme of ["light", "dark"]) {
  test(`a run has nothing grave for axe, and fits a phone, ${colorScheme}`, async (t) => {
    const page = await shown(t, { colorScheme });
    await chart(page, "Which mutation wins").getByRole("button", { name: "Numbers" }).click();
    await page.getByText("Settings", { exact: true }).click();
    assert.deepEqual(await grave(page, "Training"), []);
    await page.setViewportSize({ width: 390, height: 844 });
    assert.equal(await wider(page), 0);
    assert.deepEqual(await grave(page, "Training on a phone"), []);
  });
}
