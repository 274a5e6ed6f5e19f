import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN, STEPS, Store } from "../js/store.js";

const edit = (layer) => ({ layer, units: [1], value: /** @type {const} */ ("zero"), alpha: 1, place: /** @type {const} */ ("everywhere"), hidden: false });
const layers = (store) => store.scene.strokes.map(({ layer }) => layer).join("");
const filled = (...names) => {
  const store = new Store({ seed: 7 });
  for (const name of names) store.add(edit(name));
  return store;
};

test("undo and redo bring back the very same states", () => {
  const store = filled("a", "b");
  const [two, seen] = [store.scene, []];
  store.subscribe((scene) => seen.push(scene));
  store.undo();
  assert.equal(layers(store), "a");
  store.undo();
  assert.equal(layers(store), "");
  assert.equal(store.canUndo, false);
  store.undo();
  store.redo();
  store.redo();
  assert.equal(store.scene, two);
  assert.equal(store.canRedo, false);
  assert.equal(seen.length, 4);
});

test("a change after undo takes redo away", () => {
  const store = filled("a", "b");
  store.undo();
  store.add(edit("c"));
  assert.equal(store.canRedo, false);
  assert.equal(layers(store), "ac");
});

test("a slider that is dragged is one step; the next drag is another", () => {
  const store = filled("a");
  const { id } = store.scene.strokes[0];
  for (const alpha of [0.9, 0.8, 0.7]) store.update(id, { alpha }, "opacity");
  store.seal();
  for (const alpha of [0.6, 0.5]) store.update(id, { alpha }, "opacity");
  assert.equal(store.scene.strokes[0].alpha, 0.5);
  store.undo();
  assert.equal(store.scene.strokes[0].alpha, 0.7);
  store.undo();
  assert.equal(store.scene.strokes[0].alpha, 1);
});

test("200 steps are kept", () => {
  const store = new Store({ seed: 0 });
  for (let seed = 1; seed <= STEPS + 50; seed += 1) store.change({ latent: { seed } });
  let steps = 0;
  while (store.canUndo) {
    store.undo();
    steps += 1;
  }
  assert.equal(steps, STEPS);
  assert.deepEqual(store.scene.latent, { seed: 50 });
});

test("strokes are moved within the list, and not beyond its ends", () => {
  const store = filled("a", "b", "c");
  const [a, b] = store.scene.strokes;
  store.move(b.id, -1);
  assert.equal(layers(store), "bac");
  store.move(a.id, 1);
  assert.equal(layers(store), "bca");
  const { scene } = store;
  store.move(a.id, 1);
  store.move(99, 1);
  assert.equal(store.scene, scene);
});

test("clearing keeps the picture, and undo brings the strokes back", () => {
  const store = filled("a", "b");
  store.clear();
  assert.deepEqual(store.scene, { latent: { seed: 7 }, ...PLAIN, strokes: [] });
  store.clear();
  store.undo();
  assert.equal(layers(store), "ab");
});

test("the recipe says no more than it must", () => {
  const store = filled("a");
  assert.deepEqual(store.recipe(), { format: 2, latent: { seed: 7 }, edits: [{ layer: "a", units: [1], value: "zero" }] });
  store.change({ truncation: 0.7 });
  assert.deepEqual(store.recipe([]), { format: 2, latent: { seed: 7 }, truncation: 0.7, edits: [] });
  store.change({ layers: 4, label: "cat" });
  const wanted = { format: 2, latent: { seed: 7 }, truncation: 0.7, truncation_layers: 4, class: "cat", edits: [] };
  assert.deepEqual(store.recipe([]), wanted);
  store.change({ truncation: 1 });
  assert.ok(!("truncation_layers" in store.recipe([])), "where nothing is truncated, no layers are");
  store.reset({ id: "s", name: "scenes", blake3: "ab" }, { latent: { seed: 1 }, ...PLAIN, strokes: [] });
  assert.deepEqual(store.recipe(), { format: 2, model: { name: "scenes", blake3: "ab" }, latent: { seed: 1 }, edits: [] });
  assert.equal(store.canUndo, false);
});
