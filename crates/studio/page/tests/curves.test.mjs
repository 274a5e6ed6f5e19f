import assert from "node:assert/strict";
import test from "node:test";
import { contest, decimals, fitness, grown, marks, means, median, mutations, series, ticks, winners } from "../js/curves.js";

const child = (mutation, f) => ({ parent: 0, mutation, fq: f, fd: null, f });
const record = (generation, winner, fs = [0.1, 0.2]) => ({
  generation,
  seconds: 1,
  images: generation * 32,
  children: [child("hinge", fs[0]), child("minimax", fs[1])],
  survivors: [winner, 1 - winner],
  d_loss: generation / 10,
  d_accuracy: null,
  sample_variance: null,
  images_per_second: 1,
  memory: null,
});

test("an axis has marks at round numbers that span the range", () => {
  assert.deepEqual(ticks(0, 1).steps, [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(ticks(0.13, 0.47).steps, [0.1, 0.2, 0.3, 0.4, 0.5]);
  assert.deepEqual(ticks(1, 1000).steps, [0, 250, 500, 750, 1000]);
  assert.deepEqual(ticks(-0.4, 0.3).steps, [-0.4, -0.2, 0, 0.2, 0.4]);
  for (const [low, high] of [[3, 3], [0, 0], [-2, -2], [1e-9, 2e-9], [1e9, 3e9]]) {
    const found = ticks(low, high);
    assert.ok(found.low <= low && found.high >= high && found.steps.length >= 2 && found.steps.length <= 7, `${low} ${high} ${found.steps}`);
  }
});

test("marks of an axis are what they are written to be", () => {
  assert.deepEqual(marks([0, 0.25, 0.5, 0.75, 1]), ["0.00", "0.25", "0.50", "0.75", "1.00"]);
  assert.deepEqual(marks([3.5, 4, 4.5]), ["3.5", "4.0", "4.5"]);
  assert.deepEqual(marks([0, 0.002, 0.004]), ["0.000", "0.002", "0.004"]);
  assert.deepEqual(marks([0, 250]), ["0", "250"]);
  assert.deepEqual(marks([0, 5e-7, 1e-6]), ["0e+0", "5e-7", "1e-6"]);
});

test("decimals tell values apart", () => {
  assert.equal(decimals(0.25, 1), "0.3");
  assert.equal(decimals(0.0286, 0.05), "0.029");
  assert.equal(decimals(-0.001, 1), "0.0", "minus zero is zero");
  assert.equal(decimals(120.4, 500), "120");
});

test("means keep short curves as they are and leave nulls out of long ones", () => {
  assert.deepEqual(means([[1, 2], [2, null], [3, NaN], [4, 5]]), [[1, 2], [4, 5]]);
  const long = means(Array.from({ length: 1000 }, (_, i) => [i, i % 2 ? 3 : 1]), 10);
  assert.equal(long.length, 10);
  for (const [, y] of long) assert.ok(Math.abs(y - 2) < 0.05);
  assert.ok(long.every(([x], i) => !i || x > long[i - 1][0]));
});

test("one mutation competes with none", () => {
  const alone = { ...record(1, 0), children: [child("hinge", null)], survivors: [0] };
  assert.deepEqual(contest([alone]), { names: ["hinge"], bins: [] });
  assert.deepEqual(contest([record(1, 0)]), winners([record(1, 0)]));
});

test("winners are counted by the best survivor, each step by itself", () => {
  const { names, bins } = winners([record(1, 0), record(2, 1), record(3, 1), record(4, 1)]);
  assert.deepEqual(names, ["hinge", "minimax"]);
  assert.deepEqual(bins.map(({ parts }) => parts), [[1, 0], [0, 1], [0, 1], [0, 1]]);
  assert.deepEqual([bins[0].from, bins[3].to], [0, 4]);
  const many = winners(Array.from({ length: 400 }, (_, i) => record(i + 1, i < 200 ? 0 : 1)));
  assert.equal(many.bins.length, 40);
  assert.deepEqual(many.bins.map(({ parts }) => parts[0]), Array.from({ length: 40 }, (_, i) => (i < 20 ? 1 : 0)));
  assert.deepEqual(winners([]), { names: [], bins: [] });
});

test("records that are thinned leave no empty columns; a parent that competes has a name", () => {
  const thin = winners([record(10, 0), record(900, 1), record(1800, 1)]);
  assert.ok(thin.bins.every(({ parts }) => Math.abs(parts[0] + parts[1] - 1) < 1e-9));
  const elitist = record(1, 0);
  elitist.children[0].mutation = null;
  assert.deepEqual(mutations([elitist]), ["parent", "minimax"]);
  assert.equal(winners([elitist]).bins[0].parts[0], 1);
});

test("fitness is by mutation, other curves by record", () => {
  const records = [record(1, 0, [1, 2]), record(2, 0, [3, null])];
  assert.deepEqual(fitness(records), [{ name: "hinge", points: [[1, 1], [2, 3]] }, { name: "minimax", points: [[1, 2]] }]);
  assert.deepEqual(series(records, "loss", ({ d_loss }) => d_loss).points, [[1, 0.1], [2, 0.2]]);
  assert.deepEqual(series([{ step: 5, seconds: 1, loss: 2, lr: 1 }], "loss", ({ loss }) => loss).points, [[5, 2]]);
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([]), null);
});

test("records grow; of a generation that is told twice the later record stands", () => {
  const start = grown([], [record(1, 0), record(2, 0), record(3, 0)]);
  const later = grown(start, [record(2, 1), record(3, 1), record(4, 0)]);
  assert.deepEqual(later.map(({ generation, survivors }) => [generation, survivors[0]]), [[1, 0], [2, 1], [3, 1], [4, 0]]);
  assert.deepEqual(grown(start, [record(2, 1)]).map(({ generation }) => generation), [1, 2], "it went back and is not there yet again");
  assert.deepEqual(grown(start, []), start);
});
