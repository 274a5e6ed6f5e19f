/** Reads the PNGs that the program writes: eight bits, no interlacing. */

import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";

const CHANNELS = { 0: 1, 2: 3, 4: 2, 6: 4 };

/**
 * @param {Uint8Array} bytes
 * @returns {{width: number, height: number, pixels: Uint8Array}} red, green and blue of each pixel, row by row
 */
export function readPng(bytes) {
  const buffer = Buffer.from(bytes);
  assert.equal(buffer.toString("latin1", 1, 4), "PNG");
  const data = [];
  let head = null;
  for (let at = 8; at < buffer.length; ) {
    const length = buffer.readUInt32BE(at);
    const [kind, body] = [buffer.toString("latin1", at + 4, at + 8), buffer.subarray(at + 8, at + 8 + length)];
    if (kind === "IHDR") head = body;
    if (kind === "IDAT") data.push(body);
    at += 12 + length;
  }
  const [width, height, depth, colour, interlaced] = [head.readUInt32BE(0), head.readUInt32BE(4), head[8], head[9], head[12]];
  assert.deepEqual([depth, interlaced], [8, 0]);
  const channels = CHANNELS[colour];
  const rows = unfiltered(inflateSync(Buffer.concat(data)), width * channels, height, channels);
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i += 1) {
    for (let k = 0; k < 3; k += 1) pixels[3 * i + k] = rows[i * channels + (channels < 3 ? 0 : k)];
  }
  return { width, height, pixels };
}

function unfiltered(raw, length, height, step) {
  const out = new Uint8Array(length * height);
  for (let row = 0; row < height; row += 1) {
    const filter = raw[row * (length + 1)];
    for (let i = 0; i < length; i += 1) {
      const at = row * length + i;
      const left = i >= step ? out[at - step] : 0;
      const up = row ? out[at - length] : 0;
      const corner = row && i >= step ? out[at - length - step] : 0;
      const near = [left, up, corner].map((x) => Math.abs(left + up - corner - x));
      const paeth = near[0] <= near[1] && near[0] <= near[2] ? left : near[1] <= near[2] ? up : corner;
      out[at] = raw[row * (length + 1) + 1 + i] + [0, left, up, (left + up) >> 1, paeth][filter];
    }
  }
  return out;
}
