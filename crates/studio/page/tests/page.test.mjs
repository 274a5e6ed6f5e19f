import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const page = fileURLToPath(new URL("..", import.meta.url));
const read = (path) => readFileSync(page + path, "utf8");
const html = read("index.html");
const files = ["js", "js/rooms", "style"].flatMap((folder) => readdirSync(page + folder).map((name) => `${folder}/${name}`)).filter((name) => /\.(js|css)$/.test(name));

/** All modules that a module needs before it runs. */
function graph(path, seen = new Set()) {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const [, name] of read(path).matchAll(/^(?:import|export) [^"]*"(\.{1,2}\/[^"]+)";/gm)) graph(new URL(name, `file:///${path}`).pathname.slice(1), seen);
  return seen;
}

test("what the first page needs is loaded at once, and nothing else", () => {
  const wanted = new Set([...graph("js/main.js"), ...graph("js/rooms/paint.js")]);
  wanted.delete("js/main.js");
  const listed = [...html.matchAll(/rel="modulepreload" href="\/([^"]+)"/g)].map(([, path]) => path);
  assert.deepEqual(listed, [...wanted].sort());
});

test("markup and scripts keep to the policy: nothing inline, nothing from elsewhere", () => {
  assert.doesNotMatch(html, /\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)/);
  for (const name of files) {
    const text = read(name);
    assert.doesNotMatch(text.replaceAll("http://www.w3.org/2000/svg", ""), /https?:\/\/|@import url|innerHTML|insertAdjacentHTML|\beval\(|new Function|setAttribute\("style"/, name);
  }
  for (const [, path] of html.matchAll(/(?:href|src)="(\/[^"]*)"/g)) assert.ok(files.includes(path.slice(1)), path);
});

test("every icon that is used is there", () => {
  const icons = new Set([...html.matchAll(/id="icon-([\w-]+)"/g)].map(([, name]) => name));
  for (const name of files) {
    for (const [, icon] of read(name).matchAll(/(?:(?<!\.)\b(?:icon|iconButton|toggle)\(|icon: )"([\w-]+)"/g)) assert.ok(icons.has(icon), `${name}: ${icon}`);
  }
});
