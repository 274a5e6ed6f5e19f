/** Server-sent events read with fetch, so that the token goes along. */

/** @import { Api } from "./api.js" */

/**
 * @typedef {{event: string, data: string}} ServerEvent
 */

/** Cuts a stream of text into events. Lines may end in any of the three ways, and anywhere in a piece. */
export class EventCutter {
  #rest = "";

  /**
   * @param {string} text
   * @returns {ServerEvent[]}
   */
  push(text) {
    this.#rest += text;
    // A carriage return at the end may be half of a line's end.
    const ready = this.#rest.endsWith("\r") ? this.#rest.slice(0, -1) : this.#rest;
    const blocks = ready.split(/\r\n\r\n|\n\n|\r\r/);
    this.#rest = (blocks.pop() ?? "") + this.#rest.slice(ready.length);
    return blocks.map(read).filter((event) => event.data !== "");
  }
}

/** @param {string} block @returns {ServerEvent} */
function read(block) {
  let event = "message";
  const data = [];
  for (const line of block.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    if (name === "data") data.push(value);
  }
  return { event, data: data.join("\n") };
}

/**
 * Listens until the server ends the stream or the signal is given. A stream that broke is taken up again.
 * @param {Api} api
 * @param {string} path below /api/v1/
 * @param {(data: any, event: string) => void} heard
 * @param {AbortSignal} signal
 * @param {() => Record<string, string>} [query] asked for anew each time: where to go on
 * @returns {Promise<void>} when the stream has ended
 */
export async function listen(api, path, heard, signal, query) {
  while (!signal.aborted) {
    try {
      const response = await api.patient(() => api.ask(path, { signal, query: query?.() }), signal);
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      const cutter = new EventCutter();
      for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
        for (const { event, data } of cutter.push(next.value)) heard(JSON.parse(data), event);
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof TypeError)) throw error;
      // The line broke under way: the first event of a new one says where it stands.
    }
  }
}

/**
 * Follows a job to its end.
 * @param {Api} api
 * @param {string} id
 * @param {(job: import("./types.js").Job) => void} heard
 * @param {AbortSignal} signal
 * @returns {Promise<import("./types.js").Job>} as it ended
 */
export async function follow(api, id, heard, signal) {
  /** @type {import("./types.js").Job | null} */
  let last = null;
  await listen(
    api,
    `jobs/${id}/events`,
    (job) => {
      last = job;
      heard(job);
    },
    signal,
  );
  return last ?? (await api.json(`jobs/${id}`, { signal }));
}
