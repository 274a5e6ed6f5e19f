import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { LONGEST, pack, readAddress, recipeOf, unpack, writeAddress } from "../js/link.js";
import { recipeInPng } from "../js/png.js";
import { plainRecipe } from "../js/recipe.js";
import { count, duration, listed, plural, sentences, signed } from "../js/words.js";

const recipe = {
  format: 2,
  latent: { seed: 7 },
  edits: [{ layer: "2", units: [3, 5], value: "zero", place: { painted: { size: [8, 8], runs: [9, 4] } }, class: "objects/door" }],
};

test("a recipe comes back from its link", async () => {
  const text = await pack(recipe);
  assert.match(text, /^[\w-]+$/);
  assert.deepEqual(plainRecipe(await unpack(text)), recipe);
  const fragment = await writeAddress("paint", recipe, "http://127.0.0.1:8000/");
  const address = readAddress(fragment);
  assert.equal(address.room, "paint");
  assert.deepEqual(plainRecipe(await recipeOf(address.recipe)), recipe);
});

test("a recipe that is written out is read, too", async () => {
  const address = readAddress(`#recipe=${encodeURIComponent(JSON.stringify(recipe))}`);
  assert.equal(address.room, "");
  assert.deepEqual(plainRecipe(await recipeOf(address.recipe)), recipe);
});

test("token, room and recipe are told apart", () => {
  assert.deepEqual(readAddress("#token=abc"), { room: "", token: "abc", recipe: null });
  assert.deepEqual(readAddress("#wander&r=x_-1&token=abc"), { room: "wander", token: "abc", recipe: "x_-1" });
  assert.deepEqual(readAddress(""), { room: "", token: null, recipe: null });
});

test("broken links are refused in words", async () => {
  const text = await pack(recipe);
  for (const broken of ["", "!!", text.slice(0, -6), `x${text}`, "AAAA"]) {
    await assert.rejects(unpack(broken), { message: "It was cut or changed on the way." });
  }
  await assert.rejects(recipeOf("{"), { message: "It is not JSON." });
});

test("a link that would unfold to very much is refused", async () => {
  const bomb = deflateSync(Buffer.alloc(64 << 20, 32)).toString("base64url");
  await assert.rejects(unpack(bomb), { message: "It is too large." });
});

test("a link that would be too long is none", async () => {
  let state = 1;
  const runs = Array.from({ length: 20_000 }, () => 1 + ((state = (state * 48271) % 2147483647) % 251));
  const long = { ...recipe, edits: [{ ...recipe.edits[0], place: { painted: { size: [4000, 4000], runs } } }] };
  assert.equal(await writeAddress("paint", long, "http://127.0.0.1/"), null);
  assert.ok((await writeAddress("paint", recipe, "x".repeat(LONGEST - 300))) !== null);
  assert.equal(await writeAddress("paint", recipe, "x".repeat(LONGEST)), null);
});

const chunk = (type, data) => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length, 0);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, data, Buffer.alloc(4)]);
};
const png = (...chunks) => new Uint8Array(Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), ...chunks, chunk("IEND", Buffer.alloc(0))]));
const text = (keyword, packed, value) => chunk("iTXt", Buffer.concat([Buffer.from(`${keyword}\0${packed ? "\x01" : "\0"}\0en\0\0`, "latin1"), value]));

test("the recipe is found in a picture, packed or not, behind other texts", async () => {
  const json = '{"format":2,"name":"Tür"}';
  const ihdr = chunk("IHDR", Buffer.alloc(13));
  assert.equal(await recipeInPng(png(ihdr, text("Comment", false, Buffer.from("x")), text("ganatomy-recipe", false, Buffer.from(json)))), json);
  assert.equal(await recipeInPng(png(ihdr, text("ganatomy-recipe", true, deflateSync(Buffer.from(json))))), json);
});

test("pictures without a recipe and broken ones have none", async () => {
  assert.equal(await recipeInPng(png(chunk("IHDR", Buffer.alloc(13)))), null);
  assert.equal(await recipeInPng(new Uint8Array([1, 2, 3])), null);
  assert.equal(await recipeInPng(new Uint8Array(0)), null);
  const whole = png(text("ganatomy-recipe", false, Buffer.from("{}")));
  assert.equal(await recipeInPng(whole.slice(0, 30)), null);
  assert.equal(await recipeInPng(png(chunk("iTXt", Buffer.from("ganatomy-recipe\0", "latin1")))), null);
});

test("names and numbers in words", () => {
  assert.deepEqual(["door", "church", "sky", "glass", "family", "key", "tall tree", "green grass"].map(plural), [
    "doors",
    "churches",
    "sky",
    "glass",
    "families",
    "keys",
    "tall trees",
    "green grass",
  ]);
  assert.deepEqual([signed(47), signed(-32), signed(0)], ["+47", "−32", "±0"]);
  assert.equal(count(4096), "4,096");
  assert.deepEqual([1, 12.2, 89, 435, 7200].map(duration), ["1 s", "13 s", "89 s", "7 min", "2.0 h"]);
  assert.equal(sentences("no unit 7", "Take another."), "No unit 7. Take another.");
  assert.equal(sentences("is it?", null), "Is it?");
  assert.deepEqual([listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])], ["", "a", "a and b", "a, b and c"]);
});
