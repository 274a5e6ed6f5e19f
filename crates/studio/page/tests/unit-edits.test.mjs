import assert from "node:assert/strict";
import test from "node:test";
import { switchEdit, switched, switchOf, unitState, without } from "../js/unit-edits.js";

const stroke = { layer: "2", units: [3, 5], value: "zero", alpha: 1, place: { cells: [[0, 0]] }, class: "objects/door", hidden: false };

test("a unit is as it is, off, or at a value; the last visible edit says so", () => {
  const edits = [stroke, switchEdit("2", [3, 7], 0), switchEdit("2", [7], 1.5), switchEdit("1b", [3], 2)];
  assert.equal(unitState(edits, "2", 3), 0);
  assert.equal(unitState(edits, "2", 7), 1.5);
  assert.equal(unitState(edits, "1b", 3), 2);
  assert.equal(unitState(edits, "2", 5), null, "a stroke is no switch");
  assert.equal(unitState([{ ...edits[1], hidden: true }], "2", 3), null);
  assert.equal(switchOf(edits, "2", 7), edits[2]);
  assert.equal(switchOf([{ ...edits[1], value: "mean" }], "2", 3), undefined);
  assert.deepEqual([...switched(edits, "2")].sort(), [3, 7]);
});

test("what is taken back leaves strokes and other units alone", () => {
  const edits = [stroke, switchEdit("2", [3, 7], 0), switchEdit("2", [7], 1.5)];
  const left = without(edits, "2", [7]);
  assert.deepEqual(left.map(({ units }) => units), [[3, 5], [3]]);
  assert.equal(left[0], stroke);
  assert.deepEqual(without(edits, "1b", [7]), edits);
  assert.deepEqual(without(edits, "2", [3, 7]), [stroke]);
});

test("off is zero in the recipe, everything else a number", () => {
  assert.equal(switchEdit("2", [1], 0).value, "zero");
  assert.deepEqual(switchEdit("2", [1], -0.5), { layer: "2", units: [1], value: { number: -0.5 }, alpha: 1, place: "everywhere", hidden: false });
});
