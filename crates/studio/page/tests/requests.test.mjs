import assert from "node:assert/strict";
import { test } from "node:test";
import { Api, ApiError, Lost } from "../js/api.js";
import { EventCutter, follow } from "../js/events.js";
import { Newest } from "../js/newest.js";

/** A promise that is settled from outside. */
const later = () => {
  let settle;
  const promise = new Promise((resolve, reject) => (settle = { resolve, reject }));
  return { promise, ...settle };
};
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test("one is in flight, and of those that wait the newest alone is done", async () => {
  const asked = [];
  const queue = new Newest((input) => {
    const one = later();
    asked.push({ input, ...one });
    return one.promise;
  });
  const answers = [1, 2, 3, 4].map((input) => queue.ask(input));
  await turn();
  assert.deepEqual(asked.map(({ input }) => input), [1]);
  assert.equal(await answers[1], null);
  assert.equal(await answers[2], null);
  asked[0].resolve("one");
  assert.equal(await answers[0], "one");
  await turn();
  assert.deepEqual(asked.map(({ input }) => input), [1, 4]);
  asked[1].resolve("four");
  assert.equal(await answers[3], "four");
  assert.equal(queue.busy, false);
  const next = queue.ask(5);
  asked[2].resolve("five");
  assert.equal(await next, "five");
});

test("what failed for a while is asked again, or the newer one in its place", async () => {
  let tries = 0;
  const queue = new Newest(
    async (input) => {
      tries += 1;
      if (tries < 3) throw new Error("busy");
      return input;
    },
    async () => true,
  );
  const first = queue.ask("old");
  const second = queue.ask("new");
  assert.equal(await first, null);
  assert.equal(await second, "new");
  assert.equal(tries, 3);
});

test("what failed for good is told, and the next one is asked", async () => {
  const queue = new Newest(async (input) => {
    if (input === "bad") throw new Error("no");
    return input;
  });
  const [bad, good] = [queue.ask("bad"), queue.ask("good")];
  await assert.rejects(bad, /no/);
  assert.equal(await good, "good");
});

test("dropping gives up what is under way and what waits", async () => {
  const queue = new Newest((_, signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))));
  const answers = [queue.ask(1), queue.ask(2)];
  await turn();
  queue.drop();
  assert.deepEqual(await Promise.all(answers), [null, null]);
});

const answer = (status, body, headers = {}) => new Response(body === undefined ? null : JSON.stringify(body), { status, headers });

test("requests carry the tab's name, the token, and JSON or bytes", async () => {
  const sent = [];
  const api = new Api("secret", async (url, init) => {
    sent.push({ url, ...init });
    return answer(200, { fine: true });
  });
  assert.deepEqual(await api.json("models/a b/concepts/objects/x?y", { query: { scale: "2" } }), { fine: true });
  assert.equal(sent[0].url, "/api/v1/models/a%20b/concepts/objects/x%3Fy?scale=2");
  assert.equal(sent[0].method, "GET");
  assert.equal(sent[0].headers.Authorization, "Bearer secret");
  assert.ok(sent[0].headers["X-Client"].length > 8);
  assert.equal(sent[0].headers["Content-Type"], undefined);
  await api.json("x", { body: { a: 1 } });
  assert.equal(sent[1].method, "POST");
  assert.equal(sent[1].headers["Content-Type"], "application/json");
  assert.equal(sent[1].body, '{"a":1}');
  assert.equal(sent[1].headers["X-Client"], sent[0].headers["X-Client"]);
  const photo = new Blob(["x"], { type: "image/png" });
  await api.json("x", { body: photo });
  assert.equal(sent[2].body, photo);
  assert.equal(sent[2].headers["Content-Type"], undefined);
});

test("errors have the server's words, and the number where there are none", async () => {
  const api = new Api(null, async (url) => (url.endsWith("words") ? answer(400, { error: { message: "no unit 7", hint: "Take another." } }) : new Response("<html>", { status: 500 })));
  const words = await api.json("words").catch((error) => error);
  assert.ok(words instanceof ApiError);
  assert.deepEqual([words.message, words.hint, words.status], ["no unit 7", "Take another.", 400]);
  const none = await api.json("none").catch((error) => error);
  assert.equal(none.message, "The studio answered with status 500.");
  assert.equal(await api.again(words), false);
});

test("a busy server is asked again, and says when it is over", async () => {
  let tries = 0;
  const links = [];
  const api = new Api(null, async () => {
    tries += 1;
    return tries < 3 ? answer(429, { error: { message: "too much", hint: null } }) : answer(200, tries);
  });
  api.onLink((link) => links.push(link));
  assert.equal(await api.patient(() => api.json("x")), 3);
  assert.deepEqual(links, ["busy", "ready"]);
});

test("a server that is away is waited for", async () => {
  let away = true;
  const links = [];
  const api = new Api(null, async () => {
    if (away) throw new TypeError("fetch failed");
    return answer(200, "here");
  });
  api.onLink((link) => links.push(link));
  assert.ok((await api.json("x").catch((error) => error)) instanceof Lost);
  const found = api.patient(() => api.json("x"));
  await turn();
  away = false;
  api.look();
  assert.equal(await found, "here");
  assert.deepEqual(links, ["lost", "ready"]);
  const ended = AbortSignal.abort();
  await assert.rejects(
    new Api(null, async (_, { signal }) => {
      throw signal.reason;
    }).json("x", { signal: ended }),
    { name: "AbortError" },
  );
});

test("events are cut out of a stream wherever it is broken", () => {
  const text = ': hello\n\ndata: {"a":1}\n\nevent: run\r\ndata: one\r\ndata: two\r\n\r\ndata:three\r\r';
  const whole = new EventCutter().push(`${text}\n`);
  const want = [
    { event: "message", data: '{"a":1}' },
    { event: "run", data: "one\ntwo" },
    { event: "message", data: "three" },
  ];
  assert.deepEqual(whole, want);
  const cutter = new EventCutter();
  assert.deepEqual([...text, "\n"].flatMap((letter) => cutter.push(letter)), want);
});

test("a job is followed to its end", async () => {
  const job = (state) => `data: ${JSON.stringify({ id: "7", state })}\n\n`;
  const api = new Api(null, async () => new Response(job("running") + job("done")));
  const heard = [];
  const end = await follow(api, "7", ({ state }) => heard.push(state), new AbortController().signal);
  assert.deepEqual(heard, ["running", "done"]);
  assert.equal(end.state, "done");
});
