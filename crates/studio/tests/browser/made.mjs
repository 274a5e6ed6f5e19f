/** Folders that go when a test ends, and what the real program makes in them. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { picture, RED, SIDE } from "./by-hand.mjs";
import { atEnd } from "./ends.mjs";
import { writePng } from "./png.mjs";
import { fixture, run } from "./server.mjs";

export const MODEL = join(fixture, "model.safetensors");
export const SEGMENTER = join(fixture, "segmenter.safetensors");
/** Seeds whose pictures are real ones. */
const REAL = 64;

/** A folder that goes when the test ends; with `{ after }` of node:test, when all tests of the file have ended. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "studio-"));
  atEnd(t, () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Writes real images: what the generator built by hand would make if it had no red disc. That is what there is to repair. */
export function real(path) {
  mkdirSync(path);
  for (let seed = 0; seed < REAL; seed += 1) {
    writeFileSync(join(path, `${String(seed).padStart(2, "0")}.png`), writePng(SIDE, SIDE, picture({ seed }, [{ unit: RED, value: 0 }])));
  }
  return path;
}

/** What `evolve` is told, so that a generation takes hundredths of a second. Learning is fast, so that mutations win in turn. */
export const evolving = (images, out, ...settings) => [
  ...["evolve", "--preset", "modern", "--data", images, "--out", out, "--quiet"],
  ...["width=8", "width_d=8", "latent=16", "batch=8", "eval=16", "lr_g=0.002", "gamma=0.1", ...settings].flatMap((setting) => ["--set", setting]),
];

/** Searches the generator built by hand for units that make what these images do not show. */
export const searched = (images, out) =>
  run("repair", MODEL, "--layer", "units", "--real", images, "--samples", "32", "--real-samples", "32", "--random", "2", "--units", "7", "--out", out, "--quiet");
