/** One request in flight; of those that wait, the newest alone is kept. */

/**
 * @template I, O
 */
export class Newest {
  #run;
  #again;
  /** @type {{input: I, resolve: (output: O | null) => void, reject: (error: unknown) => void} | null} */
  #waiting = null;
  #busy = false;
  #abort = new AbortController();

  /**
   * @param {(input: I, signal: AbortSignal) => Promise<O>} run
   * @param {(error: unknown, signal: AbortSignal) => Promise<boolean>} [again] waits until it is worth another try; false gives the error on
   */
  constructor(run, again = async () => false) {
    this.#run = run;
    this.#again = again;
  }

  /** Whether something is on its way. */
  get busy() {
    return this.#busy;
  }

  /**
   * @param {I} input
   * @returns {Promise<O | null>} null if a newer one took its place, or all was dropped
   */
  ask(input) {
    return new Promise((resolve, reject) => {
      this.#waiting?.resolve(null);
      this.#waiting = { input, resolve, reject };
      if (!this.#busy) void this.#work();
    });
  }

  /** Drops what is on its way and what waits. */
  drop() {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#waiting?.resolve(null);
    this.#waiting = null;
  }

  async #work() {
    this.#busy = true;
    while (this.#waiting) {
      let job = this.#waiting;
      this.#waiting = null;
      const { signal } = this.#abort;
      for (;;) {
        try {
          const output = await this.#run(job.input, signal);
          job.resolve(signal.aborted ? null : output);
          break;
        } catch (error) {
          if (signal.aborted) {
            job.resolve(null);
            break;
          }
          if (!(await this.#again(error, signal))) {
            if (signal.aborted) job.resolve(null);
            else job.reject(error);
            break;
          }
          // What waited meanwhile is newer than what failed.
          if (this.#waiting) {
            job.resolve(null);
            job = this.#waiting;
            this.#waiting = null;
          }
        }
      }
    }
    this.#busy = false;
  }
}
