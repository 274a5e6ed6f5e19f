/** The real program, on the generator built by hand. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const program = process.env.GANATOMY ?? join(target, "debug", "ganatomy");

/** What examples/by_hand.rs wrote. */
export const fixture = process.env.BY_HAND ?? join(target, "by-hand");

for (const path of [program, join(fixture, "latents.json")]) {
  if (!existsSync(path)) throw new Error(`${path} is missing: scripts/browser-test.sh builds it`);
}

/** Runs the program to its end. @param {string[]} args @throws {Error} with what it said, if it failed */
export const run = (...args) => promisify(execFile)(program, args);

/** Starts the program; it is ended as by Ctrl-C. @param {string[]} args */
export function begin(...args) {
  const child = spawn(program, args, { stdio: "ignore" });
  const ended = once(child, "exit");
  return {
    async stop() {
      child.kill("SIGINT");
      await ended;
    },
  };
}

/**
 * Starts a studio and waits until it says where it is.
 * @param {string[]} args after `studio`; without a port of its own it takes one that is free
 */
export async function serve(...args) {
  const port = args.includes("--port") ? [] : ["--port", "0"];
  const child = spawn(program, ["studio", ...args, ...port], { stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  child.stderr.on("data", (data) => said.push(data));
  const ended = once(child, "exit");
  const lines = createInterface(child.stdout);
  const first = await Promise.race([once(lines, "line"), ended.then(() => null)]);
  if (!first) throw new Error(`the studio did not start: ${Buffer.concat(said)}`);
  const url = new URL(first[0]);
  return {
    url: url.href,
    port: url.port,
    /** Ends it as Ctrl-C does. */
    async stop() {
      child.kill("SIGINT");
      await ended;
    },
  };
}
