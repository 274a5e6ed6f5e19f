import assert from "node:assert/strict";
import { test } from "node:test";
import { fits, largest, LONGEST, moved, sent } from "../js/crop.js";

test("the largest part of the shape lies in the middle", () => {
  assert.deepEqual(largest([200, 320], [64, 64]), { x: 60, y: 0, width: 200, height: 200 });
  assert.deepEqual(largest([320, 200], [64, 128]), { x: 0, y: 110, width: 200, height: 100 });
  assert.ok(fits([640, 640], [64, 64]) && fits([641, 640], [64, 64]) && !fits([200, 320], [64, 64]));
});

test("it stays within the photo, wherever it is moved and however large", () => {
  const [photo, picture] = [[200, 320], [64, 64]];
  let part = largest(photo, picture);
  for (const change of [{ dx: 500 }, { dy: -70 }, { times: 0.5 }, { dx: -900, dy: 900 }, { times: 0.01 }, { dx: 4 }, { times: 100 }]) {
    part = moved(part, photo, picture, change);
    assert.ok(part.x >= 0 && part.y >= 0 && part.x + part.width <= 320 + 1e-9 && part.y + part.height <= 200 + 1e-9, JSON.stringify(part));
    assert.ok(Math.abs(part.width - part.height) < 1e-9);
    assert.ok(part.width >= 64 - 1e-9, "no smaller than the generator's picture");
  }
  assert.deepEqual([part.width, part.height], [200, 200]);
});

test("a smaller part keeps its middle", () => {
  const part = moved({ x: 60, y: 0, width: 200, height: 200 }, [200, 320], [64, 64], { times: 0.5 });
  assert.deepEqual(part, { x: 110, y: 50, width: 100, height: 100 });
});

test("photos smaller than the generator's pictures are kept whole", () => {
  const part = moved(largest([20, 30], [64, 64]), [20, 30], [64, 64], { times: 0.2 });
  assert.equal(part.width, 20);
  assert.deepEqual(sent(part, [64, 64]), [64, 64]);
});

test("what is sent is neither larger than needed nor smaller than the generator's", () => {
  for (const width of [65, 97.3, 333, 801]) {
    const [down, across] = sent({ x: 0, y: 0, width, height: (width * 48) / 64 }, [48, 64]);
    assert.equal(down * 64, across * 48, `${width}: not a pixel off the generator's shape`);
    assert.ok(Math.abs(across - width) <= 2);
  }
  assert.deepEqual(sent({ x: 0, y: 0, width: 300, height: 300 }, [64, 64]), [300, 300]);
  assert.deepEqual(sent({ x: 0, y: 0, width: 6000, height: 3000 }, [64, 128]), [LONGEST / 2, LONGEST]);
});
