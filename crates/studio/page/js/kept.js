/** Answers by their question; the oldest go first. */

/** @template V */
export class Kept {
  /** @type {Map<string, V>} */
  #map = new Map();
  #most;

  /** @param {number} most as many are kept */
  constructor(most) {
    this.#most = most;
  }

  /** @param {string} key */
  get(key) {
    return this.#map.get(key);
  }

  /** @param {string} key @param {V} value @returns {V} */
  set(key, value) {
    this.#map.set(key, value);
    for (const [old] of this.#map) {
      if (this.#map.size <= this.#most) break;
      this.#map.delete(old);
    }
    return value;
  }

  clear() {
    this.#map.clear();
  }
}
