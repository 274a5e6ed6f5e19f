import assert from "node:assert/strict";
import { test } from "node:test";
import { accepted, decided, measured, price, randomMean, typedUnits } from "../js/repairs.js";

const candidate = (unit, decision) => ({ unit, decision, distance: 0.1, z: 1, without: 0.1, iou: null });
const repair = (judged = null) => ({
  candidates: [candidate(71, "accept"), candidate(93, "undecided"), candidate(14, "reject"), candidate(3, "accept")],
  others: [{ unit: 17, decision: "accept" }, { unit: 40, decision: "reject" }],
  judged,
});

test("taken out are accepted candidates and accepted others", () => {
  assert.deepEqual(accepted(repair()), [3, 17, 71]);
  assert.deepEqual(decided(repair()), { out: 3, stay: 1, open: 1 });
});

test("what was measured is of other units once decisions changed", () => {
  assert.equal(measured(repair()), false);
  assert.equal(measured(repair({ units: [71, 3, 17] })), true);
  assert.equal(measured(repair({ units: [3, 17] })), false);
});

test("typed units are numbers of the layer, each once", () => {
  assert.deepEqual(typedUnits("17, 40 17;3", 96), { units: [3, 17, 40], fault: "" });
  assert.deepEqual(typedUnits("", 96), { units: [], fault: "" });
  assert.match(typedUnits("96", 96).fault, /0 to 95/);
  assert.match(typedUnits("-1", 96).fault, /“-1”/);
  assert.match(typedUnits("1.5", 96).fault, /no unit/);
});

test("the price is that of all images", () => {
  const all = (before, after) => ({ images: 500, before, after, random: [] });
  assert.equal(price({ all: all(0.032, 0.038), other_real: 0.019 }).lead, "It has a price.");
  assert.match(price({ all: all(0.032, 0.038), other_real: 0.019 }).text, /\(0\.032 to 0\.038\); other real images are at 0\.019/);
  assert.equal(price({ all: all(0.032, 0.031), other_real: null }).costs, false);
  assert.equal(price({ all: null, other_real: null }).lead, "Its price is not known.");
  assert.equal(randomMean({ random: [0.1, null, 0.3] }), 0.2);
  assert.equal(randomMean({ random: [] }), null);
});
