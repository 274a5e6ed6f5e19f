/** The server's API: one place that sends, with the tab's name, the token, and words for what went wrong. */

/** The server's answer to what it cannot do, in its words. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {string | null} hint
   * @param {number} status
   * @param {number} [wait] seconds until another try is worth it
   */
  constructor(message, hint, status, wait = 0) {
    super(message);
    this.hint = hint;
    this.status = status;
    this.wait = wait;
  }
}

/** No answer at all. */
export class Lost extends Error {}

/** @typedef {"opening" | "ready" | "busy" | "lost"} Link */

const TOKEN = "ganatomy-token";
/** Between two looks whether the server is back, in milliseconds. */
const LOOK = 2000;

/** @param {number} ms @param {AbortSignal} [signal] */
export const pause = (ms, signal) =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve(undefined);
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });

/** @param {string} part of a path */
const escaped = (part) => part.split("/").map(encodeURIComponent).join("/");

export class Api {
  #fetch;
  #token;
  #client;
  /** @type {Link} */
  #link = "opening";
  /** @type {Set<(link: Link) => void>} */
  #listeners = new Set();
  /** @type {(() => void)[]} */
  #returns = [];
  #looking = false;
  #wake = new AbortController();

  /**
   * @param {string | null} token of the address, for servers on other hosts
   * @param {typeof fetch} [fetcher]
   */
  constructor(token, fetcher = (input, init) => fetch(input, init)) {
    this.#fetch = fetcher;
    this.#token = token ?? kept(TOKEN);
    if (token) keep(TOKEN, token);
    this.#client = crypto.randomUUID?.() ?? Math.random().toString(36).slice(2);
  }

  /** Whether the server asks for a token, which plain links do not carry. */
  get guarded() {
    return Boolean(this.#token);
  }

  get link() {
    return this.#link;
  }

  /** @param {(link: Link) => void} listener */
  onLink(listener) {
    this.#listeners.add(listener);
  }

  /** @param {Link} link */
  #becomes(link) {
    if (link === this.#link) return;
    this.#link = link;
    for (const listener of this.#listeners) listener(link);
    if (link !== "ready") return;
    for (const back of this.#returns.splice(0)) back();
  }

  /**
   * @param {string} path below /api/v1/, unescaped
   * @param {{method?: string, body?: unknown, query?: Record<string, string>, signal?: AbortSignal}} [how] a Blob is sent as it is, everything else as JSON
   * @returns {Promise<Response>}
   * @throws {ApiError | Lost} also the signal's own error
   */
  async ask(path, { method, body, query, signal } = {}) {
    /** @type {Record<string, string>} */
    const headers = { "X-Client": this.#client };
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    const raw = body instanceof Blob;
    if (body !== undefined && !raw) headers["Content-Type"] = "application/json";
    const url = `/api/v1/${escaped(path)}${query ? `?${new URLSearchParams(query)}` : ""}`;
    let response;
    try {
      response = await this.#fetch(url, {
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers,
        body: raw ? body : body === undefined ? undefined : JSON.stringify(body),
        signal,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      this.#becomes("lost");
      void this.#look();
      throw new Lost("The studio does not answer.");
    }
    if (response.status === 429) this.#becomes("busy");
    else this.#becomes("ready");
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  /**
   * @param {string} path
   * @param {Parameters<Api["ask"]>[1]} [how]
   * @returns {Promise<any>}
   */
  async json(path, how) {
    return (await this.ask(path, how)).json();
  }

  /**
   * @param {string} path
   * @param {Parameters<Api["ask"]>[1]} [how]
   */
  async blob(path, how) {
    return (await this.ask(path, how)).blob();
  }

  /**
   * Waits while the server is away or busy.
   * @param {unknown} error
   * @param {AbortSignal} [signal]
   * @returns {Promise<boolean>} whether another try is worth it
   */
  again = async (error, signal) => {
    if (error instanceof Lost) {
      await this.back(signal);
    } else if (error instanceof ApiError && error.status === 429) {
      await pause(Math.max(0.2, error.wait) * 1000, signal);
    } else {
      return false;
    }
    return !signal?.aborted;
  };

  /**
   * Does `run` until the server answered; for requests that change nothing.
   * @template T
   * @param {() => Promise<T>} run
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async patient(run, signal) {
    for (;;) {
      try {
        return await run();
      } catch (error) {
        if (!(await this.again(error, signal))) throw error;
      }
    }
  }

  /**
   * Until the server answers again.
   * @param {AbortSignal} [signal]
   * @returns {Promise<void>}
   */
  back(signal) {
    if (this.#link !== "lost") return Promise.resolve();
    return new Promise((resolve) => {
      this.#returns.push(resolve);
      signal?.addEventListener("abort", () => resolve());
    });
  }

  /** Looks at once whether the server is back. */
  look() {
    this.#wake.abort();
  }

  async #look() {
    if (this.#looking) return;
    this.#looking = true;
    while (this.#link === "lost") {
      this.#wake = new AbortController();
      await pause(LOOK, this.#wake.signal);
      await this.ask("studio").catch(() => undefined);
    }
    this.#looking = false;
  }
}

/**
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function errorOf(response) {
  const wait = Number(response.headers.get("Retry-After")) || 0;
  try {
    const { error } = await response.json();
    return new ApiError(String(error.message), error.hint ?? null, response.status, wait);
  } catch {
    return new ApiError(`The studio answered with status ${response.status}.`, null, response.status, wait);
  }
}

/** @param {string} key */
function kept(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
function keep(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // Storage is off: the token lives as long as this page.
  }
}
