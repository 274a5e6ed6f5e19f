import assert from "node:assert/strict";
import test from "node:test";
import { contour, shareAbove, spotlight, strength, upsample } from "../js/heat.js";

test("between the cells it is bilinear, held at the edges", () => {
  assert.deepEqual([...upsample([0, 4], [1, 2], [1, 4])], [0, 1, 3, 4]);
  assert.deepEqual([...upsample([0, 4], [2, 1], [4, 1])], [0, 1, 3, 4]);
  assert.deepEqual([...upsample([1, 2, 3, 4], [2, 2], [2, 2])], [1, 2, 3, 4]);
  const middle = upsample([0, 2, 4, 6], [2, 2], [3, 3]);
  assert.equal(middle[4], 3);
  assert.deepEqual([...upsample([0, 8, 8, 0], [2, 2], [1, 1])], [4], "a coarser grid takes what lies at its middle");
});

test("the line around a disc has its radius everywhere, and its pieces join", () => {
  const side = 64;
  const values = new Float32Array(side * side);
  for (let y = 0; y < side; y += 1) for (let x = 0; x < side; x += 1) values[y * side + x] = 20 - Math.hypot(x + 0.5 - 32, y + 0.5 - 32);
  const pieces = contour(values, [side, side], 0);
  assert.ok(pieces.length > 100);
  const ends = new Map();
  for (let i = 0; i < pieces.length; i += 2) {
    const [x, y] = [pieces[i] * side, pieces[i + 1] * side];
    assert.ok(Math.abs(Math.hypot(x - 32, y - 32) - 20) < 0.05, `${x} ${y}`);
    const key = `${x.toFixed(4)} ${y.toFixed(4)}`;
    ends.set(key, (ends.get(key) ?? 0) + 1);
  }
  assert.ok([...ends.values()].every((times) => times === 2), "closed");
  assert.ok(Math.abs(shareAbove(values, 0) - (Math.PI * 400) / 4096) < 0.005);
});

test("what touches the edge is closed along it; all or nothing has a frame or no line", () => {
  const all = contour(new Float32Array(16).fill(1), [4, 4], 0);
  assert.ok(all.length > 0 && all.every((place) => place >= 0 && place <= 1));
  for (let i = 0; i < all.length; i += 2) assert.ok([0, 1].includes(all[i]) || [0, 1].includes(all[i + 1]), `${all[i]} ${all[i + 1]}`);
  assert.deepEqual(contour(new Float32Array(16), [4, 4], 0), [], "at the level is not above it");
  const ends = contour([1, 0, 0, 0], [2, 2], 0.5);
  assert.equal(ends.length % 4, 0);
});

test("two corners that only touch are two lines", () => {
  const pieces = contour([1, 0, 0, 1], [2, 2], 0.5);
  for (let i = 0; i < pieces.length; i += 4) {
    const [x0, y0, x1, y1] = pieces.slice(i, i + 4);
    // No piece crosses the middle between the two that are on, which is at the level.
    const side = /** @type {(x: number, y: number) => number} */ ((x, y) => x + y - 1);
    assert.ok(side(x0, y0) * side(x1, y1) >= -1e-9, pieces.slice(i, i + 4).join(" "));
  }
});

test("dark where it is off, clear where it is on; the stronger the lighter", () => {
  const spot = spotlight(Float32Array.of(0, 2), 1);
  assert.ok(spot[3] > 100);
  assert.equal(spot[7], 0);
  const light = (rgba, i) => rgba[4 * i] + rgba[4 * i + 1] + rgba[4 * i + 2];
  const heat = strength(Float32Array.of(-1, 0, 0.5, 1, 3), 1);
  assert.equal(light(heat, 0), light(heat, 1));
  assert.ok(light(heat, 1) < light(heat, 2) && light(heat, 2) < light(heat, 3));
  assert.equal(light(heat, 3), light(heat, 4));
  assert.equal(light(strength(Float32Array.of(0), 0), 0), light(heat, 1), "nothing anywhere is all dark");
});
