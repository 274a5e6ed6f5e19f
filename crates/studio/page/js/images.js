/** Pictures from the API in the page: fetched, so that the token goes along, when they come into sight. */

/** @import { Api } from "./api.js" */

import { h } from "./dom.js";

/** An image has loaded its address by then, in milliseconds. */
const LOADED = 60_000;

/** @type {Map<string, Promise<string>>} */
const addresses = new Map();
/** One after the other: the server's queue is for what is painted. @type {Promise<unknown>} */
let last = Promise.resolve();

const sight = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      /** @type {any} */ (target).load?.();
    }
  },
  { rootMargin: "200px" },
);

/** Forgets all pictures: a model was opened, perhaps with another dissection, and what they showed may be something else now. */
export function forgetImages() {
  // Images that have just got their address still load it.
  for (const address of addresses.values()) address.then((url) => setTimeout(() => URL.revokeObjectURL(url), LOADED), () => undefined);
  addresses.clear();
}

/**
 * An image that loads when it is scrolled into view.
 * @param {Api} api
 * @param {string} path below /api/v1/
 * @param {string} alt
 * @param {Record<string, any>} [props]
 */
export function lazyImage(api, path, alt, props = {}) {
  const image = h("img", { alt, decoding: "async", ...props });
  /** @type {any} */ (image).load = async () => {
    let address = addresses.get(path);
    if (!address) {
      address = last.then(() => api.patient(() => api.blob(path))).then((blob) => URL.createObjectURL(blob));
      last = address.catch(() => undefined);
      addresses.set(path, address);
      address.catch(() => addresses.get(path) === address && addresses.delete(path));
    }
    image.src = await address.catch(() => "");
  };
  sight.observe(image);
  return image;
}
