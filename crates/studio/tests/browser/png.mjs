/** PNGs of eight bits without interlacing, as the program writes them. */

import assert from "node:assert/strict";
import { deflateSync, inflateSync } from "node:zlib";

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

/**
 * A PNG of red, green and blue.
 * @param {number} width
 * @param {number} height
 * @param {Uint8Array} pixels row by row
 */
export function writePng(width, height, pixels) {
  const chunk = (kind, body) => {
    const named = Buffer.concat([Buffer.from(kind, "latin1"), body]);
    return Buffer.concat([big(body.length), named, big(crc32(named))]);
  };
  const rows = Array.from({ length: height }, (_, row) => Buffer.concat([Buffer.from([0]), pixels.subarray(3 * row * width, 3 * (row + 1) * width)]));
  const head = Buffer.concat([big(width), big(height), Buffer.from([8, 2, 0, 0, 0])]);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", deflateSync(Buffer.concat(rows))), chunk("IEND", Buffer.alloc(0))]);
}

function big(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

/** The checksum of PNG's chunks. */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
