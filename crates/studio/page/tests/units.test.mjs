import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenUnits, unitWords } from "../js/unit-order.js";

const unit = (number, label, iou, interpretable = true, effects = []) => ({ unit: number, label, iou, interpretable, effects, iou_interval: null, threshold: 1, on: 0, top: [] });
const units = [unit(0, "objects/tree", 0.1), unit(1, "objects/house", 0.3), unit(2, "parts/roof", 0.2, false), unit(3, "objects/tree", 0.4, true, [{ class: "objects/tree", effect: 0.01 }]), unit(4, null, null, false)];
const shown = (how) => chosenUnits(units, { text: "", fitting: false, order: "number", here: null, own: [], ...how }).map(({ unit: number }) => number);

test("units are found by class and by number", () => {
  assert.deepEqual(shown({ text: "tree" }), [0, 3]);
  assert.deepEqual(shown({ text: "TREE, 1" }), [0, 1, 3]);
  assert.deepEqual(shown({ text: "objects" }), [0, 1, 3]);
  assert.deepEqual(shown({ text: "zebra" }), []);
  assert.deepEqual(shown({ fitting: true }), [0, 1, 3]);
  assert.deepEqual(shown({ text: "roof", fitting: true }), []);
  assert.deepEqual(shown({ text: "4", fitting: true }), [4], "who types a number wants that unit");
});

test("they come by IoU, effect, class, activity here, number, or as they fit a concept of one's own", () => {
  assert.deepEqual(shown({ order: "iou" }), [3, 1, 2, 0, 4]);
  assert.deepEqual(shown({ order: "class" }), [1, 3, 0, 2, 4]);
  assert.deepEqual(shown({ order: "effect" }), [3, 0, 1, 2, 4]);
  assert.deepEqual(shown({ order: "here", here: new Map([[0, -1], [1, 5], [2, 0], [3, 2], [4, 9]]) }), [4, 1, 3, 2, 0]);
  assert.deepEqual(shown({ order: "here" }), [0, 1, 2, 3, 4], "as long as it is not known");
  assert.deepEqual(shown({ order: "own own/x", own: [2, 4, 0, 1, 3] }), [2, 4, 0, 1, 3]);
});

test("a unit that fits no class has no class's name", () => {
  assert.deepEqual([units[0], units[2], units[4]].map(unitWords), ["tree", "no class", "unit 4"]);
});
