/** Many pictures with one request: a sheet without gaps, cut into canvases. */

/** @import { Studio } from "./studio.js" */
/** @import { Edit, Latent } from "./recipe.js" */

import { plainRecipe } from "./recipe.js";
import { looking } from "./store.js";

/** A request takes so many latents. */
export const MOST = 64;

/**
 * Pictures with the truncation and the class of the state.
 * @param {Studio} studio
 * @param {Latent[]} latents 64 at most
 * @param {{columns?: number, edits?: readonly Edit[], signal?: AbortSignal}} [how]
 * @returns {Promise<Blob>} a PNG
 */
export function sheet(studio, latents, { columns = latents.length, edits = [], signal } = {}) {
  const { model, api, store } = studio;
  const seen = edits.filter(({ hidden }) => !hidden);
  // The recipe's own writer leaves out what is as if not said.
  const { format, edits: plain, ...picture } = /** @type {Record<string, any>} */ (
    plainRecipe({ format: 2, ...looking(store.scene), edits: seen })
  );
  const body = { latents, columns, ...picture, ...(plain.length ? { edits: plain } : {}) };
  return api.blob(`models/${model?.id}/sheet`, { body, signal });
}

/**
 * @param {Blob} blob of a sheet
 * @param {number} columns
 * @param {HTMLCanvasElement[]} canvases in the order of the latents
 */
export async function cut(blob, columns, canvases) {
  const image = await createImageBitmap(blob);
  const width = image.width / columns;
  const height = image.height / Math.ceil(canvases.length / columns);
  canvases.forEach((canvas, i) => {
    canvas.width = width;
    canvas.height = height;
    const from = /** @type {const} */ ([(i % columns) * width, Math.floor(i / columns) * height]);
    canvas.getContext("2d")?.drawImage(image, ...from, width, height, 0, 0, width, height);
  });
  image.close();
}
