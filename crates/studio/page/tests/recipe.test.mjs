import assert from "node:assert/strict";
import { test } from "node:test";
import { erased } from "../js/eraser.js";
import { checkAgainst, decodeRuns, encodeRuns, parseRecipe, plainRecipe, pool, rasterOf, RecipeError } from "../js/recipe.js";

const edit = { layer: "2", units: [3, 5] };
const json = (recipe) => JSON.stringify(recipe);
const refused = (text) => {
  try {
    parseRecipe(text);
  } catch (error) {
    assert.ok(error instanceof RecipeError, String(error.stack));
    return error.message;
  }
  return assert.fail(`${text} was read`);
};

test("runs begin with zeros, and zeros at the end are left out", () => {
  assert.deepEqual(encodeRuns(Uint8Array.from([0, 0, 1, 1, 1, 0, 1, 0, 0])), [2, 3, 1, 1]);
  assert.deepEqual(encodeRuns(Uint8Array.from([1, 1, 0])), [0, 2]);
  assert.deepEqual(encodeRuns(Uint8Array.from([0, 1])), [1, 1]);
  assert.deepEqual(encodeRuns(new Uint8Array(4)), []);
});

test("masks come back from their runs", () => {
  let state = 7;
  for (let round = 0; round < 200; round += 1) {
    const size = /** @type {[number, number]} */ ([1 + (round % 9), 1 + (round % 7)]);
    const bits = Uint8Array.from({ length: size[0] * size[1] }, () => {
      state = (state * 48271) % 2147483647;
      return state % 3 === 0 ? 1 : 0;
    });
    assert.deepEqual(decodeRuns({ size, runs: encodeRuns(bits) }), bits);
  }
});

test("a mask is averaged to cells, also where they do not divide it", () => {
  const shares = Uint8Array.from([1, 1, 0, 0, 1, 1, 0, 1]);
  assert.deepEqual([...pool({ size: [2, 4], shares }, [1, 2])], [1, 0.25]);
  const thirds = pool({ size: [1, 3], shares: [1, 0, 0] }, [1, 2]);
  assert.ok(Math.abs(thirds[0] - 2 / 3) < 1e-6 && thirds[1] === 0);
  assert.deepEqual([...pool({ size: [1, 1], shares: [0.5] }, [2, 2])], [0.5, 0.5, 0.5, 0.5]);
});

test("both formats are read, with what is not said filled in", () => {
  const first = parseRecipe(json({ format: 1, edits: [edit] }));
  assert.deepEqual(first, {
    format: 2,
    edits: [{ ...edit, value: "zero", alpha: 1, place: "everywhere", hidden: false }],
  });
  const whole = {
    format: 2,
    model: { name: "scenes", blake3: "ab" },
    latent: { between: { seeds: [7, 19], at: 0.42 } },
    truncation: 0.7,
    truncation_layers: 4,
    class: "cat",
    edits: [
      { ...edit, value: { "mean-of": "objects/door" }, alpha: 0.5, place: { painted: { size: [2, 2], runs: [1, 2] } }, class: "objects/door", hidden: true },
      { layer: "1", units: { class: "tree", best: 3 }, value: { quantile: 0.99 }, place: { cells: [[0, 1]] } },
      { layer: "1", units: [0], value: { number: -1.5 }, place: { mask: [[0.5, 0]] } },
      { layer: "1", units: [0], value: "mean" },
    ],
  };
  assert.deepEqual(plainRecipe(parseRecipe(json(whole))), whole);
});

test("all kinds of latents are read", () => {
  const latents = [{ seed: 7 }, { plane: { seeds: [1, 2, 3, 4], at: [0, 1] } }, { numbers: [0.5, -1] }, { inversion: "x" }];
  for (const latent of latents) assert.deepEqual(parseRecipe(json({ format: 2, latent, edits: [] })).latent, latent);
  for (const latent of [{}, { seed: -1 }, { seed: 1.5 }, { seed: 1, numbers: [] }, { seed: 1, only: "latent" }, { between: { seeds: [1], at: 0 } }, { between: { seeds: [1, 2], at: 2 } }, 7, null]) {
    assert.match(refused(json({ format: 2, latent, edits: [] })), /^Latent: /);
  }
});

test("a truncation is 0 to 2, and 1 where it is not said", () => {
  assert.equal(parseRecipe(json({ format: 2, truncation: 2, edits: [] })).truncation, 2);
  assert.ok(!("truncation" in plainRecipe(parseRecipe(json({ format: 2, truncation: 1, edits: [] })))));
  for (const truncation of [-0.1, 2.1, null, "0.5"]) {
    assert.match(refused(json({ format: 2, truncation, edits: [] })), /^Recipe: “truncation” is /);
  }
});

test("what is wrong is named with its edit and its field", () => {
  const of = (wrong, format = 2) => refused(json({ format, edits: [edit, { ...edit, ...wrong }] }));
  assert.equal(refused('{"format":2,"edits":[{"layer":"2","units":[1]},{"layer":"2","units":[1],"value":{"number":NaN}}]}'), "Edit 2: “value” is NaN; a number is needed.");
  assert.equal(refused('{"format":2,"edits":[{"layer":"2","units":[1],"value":NaN}]}'), "Edit 1: “value” is NaN; a number is needed.");
  assert.equal(refused('{"format":2,"edits":[{"layer":"2","units":[1],"alpha":-Infinity}]}'), "Edit 1: “alpha” is -Infinity; a number is needed.");
  assert.equal(of({ alpha: 1e300 }), `Edit 2: “alpha” is 1e+300; a number is needed.`);
  assert.match(of({ strength: 2 }), /^Edit 2: “strength” is no field here/);
  assert.equal(of({ units: [] }), "Edit 2: “units” names no unit.");
  assert.equal(of({ units: [1, 2, 1] }), "Edit 2: “units” names unit 1 twice.");
  assert.match(of({ value: { quantile: 1.5 } }), /^Edit 2: “quantile” is 1.5; 0 to 1/);
  assert.match(of({ value: "high" }), /^Edit 2: “value” is "high"/);
  assert.match(of({ place: { cells: [] } }), /names no cell/);
  assert.match(of({ place: { mask: [[1], []] } }), /rows are empty or differ/);
  assert.match(of({ place: { mask: [[0]] } }), /marks nothing/);
  assert.match(of({ place: { painted: { size: [2, 2], runs: [1, 4] } } }), /5 pixels long; the mask has 4/);
  assert.match(of({ place: { painted: { size: [2, 2], runs: [4] } } }), /nothing is painted/);
  assert.match(of({ place: { painted: { size: [0, 2], runs: [0, 1] } } }), /cannot be read/);
  assert.match(of({ place: { painted: { size: [99999, 99999], runs: [0, 1] } } }), /cannot be read/);
  assert.match(of({ hidden: true }, 1), /“hidden” is no field here/);
  assert.match(of({ hidden: "yes" }), /“hidden” is "yes"/);
  assert.equal(refused(json({ format: 3, edits: [] })), "It was written by a newer version (format 3; this one reads 1 and 2).");
  assert.match(refused(json({ format: 2 })), /“edits” is missing/);
  assert.match(refused(json({ format: 2, edits: {} })), /a list is needed/);
  assert.equal(refused("{"), "It is not JSON.");
  assert.match(refused("[]"), /not a recipe/);
  assert.match(refused("null"), /not a recipe/);
});

test("a text that holds NaN stays a text", () => {
  const { edits } = parseRecipe('{"format":2,"edits":[{"layer":"a NaN \\" NaN","units":[1]}]}');
  assert.equal(edits[0].layer, 'a NaN " NaN');
});

test("a recipe is held against the model", () => {
  const model = /** @type {any} */ ({ name: "scenes", latent: { length: 2, truncation: false, classes: [] }, layers: [{ name: "2", units: 6, size: [4, 4] }] });
  const of = (wrong, latent) => () => checkAgainst(parseRecipe(json({ format: 2, ...(latent ? { latent } : {}), edits: [{ ...edit, ...wrong }] })), model);
  assert.doesNotThrow(of({ place: { cells: [[3, 3]] } }));
  assert.throws(of({ layer: "9" }), /Edit 1: scenes has no layer “9”; it has 2\./);
  assert.throws(of({ units: [6] }), /Edit 1: layer 2 has 6 units, not 7\./);
  assert.throws(of({ place: { cells: [[4, 0]] } }), /there is no cell 4, 0/);
  assert.throws(of({}, { numbers: [1] }), /1 numbers; scenes takes 2/);
  const truncated = (latent) => () => checkAgainst(parseRecipe(json({ format: 2, latent, truncation: 0.7, edits: [] })), model);
  assert.throws(truncated({ seed: 1 }), /changes nothing: scenes divides each latent by its length/);
  const labelled = (/** @type {string} */ label) => () => checkAgainst(parseRecipe(json({ format: 2, class: label, edits: [] })), model);
  assert.throws(labelled("cat"), /“class” means nothing: scenes has no classes/);
  model.latent.classes = ["cat", "dog"];
  assert.throws(labelled("cow"), /scenes has no class “cow”/);
  assert.throws(labelled("2"), /scenes has no class “2”/);
  ["dog", "1"].forEach((label) => assert.doesNotThrow(labelled(label)));
  model.latent.truncation = true;
  assert.doesNotThrow(truncated({ seed: 1 }));
  assert.throws(truncated({ inversion: "x" }), /does not go with a photo/);
});

test("the eraser takes places out of strokes of every kind", () => {
  const rubbed = { size: /** @type {[number, number]} */ ([2, 2]), shares: Uint8Array.from([1, 0, 0, 0]) };
  const painted = (runs) => ({ painted: { size: /** @type {[number, number]} */ ([2, 2]), runs } });
  assert.deepEqual(erased(painted([0, 2]), [2, 2], rubbed), painted([1, 1]));
  assert.equal(erased(painted([0, 1]), [2, 2], rubbed), null);
  const away = painted([3, 1]);
  assert.equal(erased(away, [2, 2], rubbed), away);
  assert.equal(erased("everywhere", [2, 2], rubbed), "everywhere");
  assert.deepEqual(erased({ cells: [[0, 0], [1, 1]] }, [2, 2], rubbed), { cells: [[1, 1]] });
  assert.deepEqual(erased({ mask: [[0.5, 0.25]] }, [2, 2], { size: [1, 2], shares: [1, 0] }), { mask: [[0, 0.25]] });
  // A quarter of the one cell is rubbed: it stays.
  const one = { cells: /** @type {[number, number][]} */ ([[0, 0]]) };
  assert.equal(erased(one, [1, 1], rubbed), one);
});

test("places are drawn on the layer's cells or on their own grid", () => {
  assert.deepEqual(rasterOf({ cells: [[0, 1]] }, [1, 2]), { size: [1, 2], shares: Uint8Array.from([0, 1]) });
  assert.deepEqual(rasterOf("everywhere", [1, 2]).shares, Uint8Array.from([1, 1]));
  assert.deepEqual(rasterOf({ mask: [[0.5], [1]] }, [9, 9]), { size: [2, 1], shares: Float32Array.from([0.5, 1]) });
});
