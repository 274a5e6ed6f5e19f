import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../js/examples.js";
import { Kept } from "../js/kept.js";
import { flat, runWords, scoreName, shortHash } from "../js/run-view.js";

test("examples are marked and unmarked pixel by pixel; nothing marked is no example", () => {
  const first = joined(undefined, Uint8Array.of(0, 1, 1, 0), false);
  assert.deepEqual([...first], [0, 1, 1, 0]);
  assert.deepEqual([...joined(first, Uint8Array.of(1, 1, 0, 0), false)], [1, 1, 1, 0]);
  assert.deepEqual([...joined(first, Uint8Array.of(1, 1, 0, 0), true)], [0, 0, 1, 0]);
  assert.equal(joined(first, Uint8Array.of(0, 1, 1, 1), true), null);
  assert.equal(joined(undefined, Uint8Array.of(1, 1, 1, 1), true), null);
  assert.deepEqual([...first], [0, 1, 1, 0], "undo needs the old one as it was");
});

test("the oldest answers go first", () => {
  const kept = new Kept(2);
  for (const key of ["a", "b", "c"]) kept.set(key, key.toUpperCase());
  assert.deepEqual([kept.get("a"), kept.get("b"), kept.get("c")], [undefined, "B", "C"]);
  assert.equal(kept.set("d", "D"), "D");
  kept.clear();
  assert.equal(kept.get("d"), undefined);
});

test("a run says where it stands and why it stopped", () => {
  const run = { id: "1", name: "1", kind: "evolve", generation: 1000, of: 2000, state: "running", best: null, seconds: 1, failed: null };
  assert.equal(runWords(run), "generation 1,000 of 2,000, running");
  assert.equal(runWords({ ...run, kind: "segmenter", generation: 2000, state: "done" }), "step 2,000 of 2,000, finished");
  const failed = { what: "d_loss", value: "NaN", generation: 731 };
  assert.equal(runWords({ ...run, state: "stopped", failed }), "stopped at generation 731: d_loss was NaN");
  assert.equal(runWords({ ...run, failed }), "generation 1,000 of 2,000, running", "it went on after that");
});

test("a score is called by what it depends on", () => {
  const score = { name: "fid2k scenes:middle@1a672cdc48ca", value: 0.3 };
  assert.equal(scoreName([{ generation: 1 }, { generation: 2, score }, { generation: 3 }]), score.name);
  assert.equal(scoreName([{ generation: 1, distance: 0.1 }]), null);
  assert.equal(shortHash(score.name), "fid2k scenes:middle@1a672cdc");
  assert.equal(shortHash("fid2k mine:x"), "fid2k mine:x");
});

test("settings as one reads them", () => {
  assert.deepEqual(flat({ seed: 0, image: { size: 64, flip: false }, mutations: ["hinge", "minimax"], resume: null }), [
    ["seed", "0"],
    ["image.size", "64"],
    ["image.flip", "false"],
    ["mutations", "hinge, minimax"],
    ["resume", "null"],
  ]);
});
