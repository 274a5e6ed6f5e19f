/**
 * What the server says (API v1), as types. Recipes are in `recipe.js`.
 *
 * @typedef {[number, number]} Size height and width
 *
 * @typedef {object} Info GET /api/v1/studio
 * @property {string} version
 * @property {string} device
 * @property {number} recipe_format
 * @property {{id: string, name: string, path: string, error?: string | null}[]} models the one to show first
 * @property {boolean} [runs]
 * @property {{strokes: number, batch: number, maps: number, examples: number, body_bytes: number, photo_bytes: number, queue: number}} limits
 *
 * @typedef {object} Layer
 * @property {string} name
 * @property {number} units
 * @property {Size} size cells: height and width
 * @property {boolean} dissected
 * @property {number | null} interpretable how many of its units are
 *
 * @typedef {object} SegClass
 * @property {string} id
 * @property {string} name
 * @property {[number, number, number]} colour
 * @property {boolean} ignored
 *
 * @typedef {object} Model GET /api/v1/models/{m}
 * @property {string} id
 * @property {string} name
 * @property {string} blake3
 * @property {[number, number, number]} image channels, height, width
 * @property {{length: number, law: string, truncation: boolean, classes: string[]}} latent whether a truncation changes pictures, and the classes that it can be told
 * @property {Layer[]} layers
 * @property {{name: string, samples: number, segmenter: string} | null} dissection
 * @property {{message: string, hint: string | null} | null} dissection_problem
 * @property {{name: string, planes: {name: string, classes: SegClass[]}[]} | null} segmenter
 * @property {string[]} notes what went otherwise than people may think
 *
 * @typedef {object} Concept one of GET /api/v1/models/{m}/concepts
 * @property {string} id
 * @property {string} name
 * @property {string} category
 * @property {string} layer
 * @property {"causal" | "iou"} by
 * @property {number[]} units all of the layer, best first
 * @property {number | null} share of its pixels that goes with 20 units
 * @property {number} iou of its best unit
 * @property {{class: string, cells: number, made: number}[]} contexts the share of forced cells that made something of it, by what was there; most first
 * @property {boolean} [own] of the person's own: it lives in this page
 * @property {import("./recipe.js").Value} [value] what drawing sets the units to; the mean where the class is, if not given
 *
 * @typedef {object} ClassCount pixels of a class
 * @property {string} id
 * @property {string} name
 * @property {string} category
 * @property {number} before
 * @property {number} after
 *
 * @typedef {object} StrokeEffect
 * @property {string | null} class
 * @property {boolean} removes
 * @property {{all: number, had: number, took: number, before: number, after: number} | null} cells under the mask; pixels before and after are those of the class in them
 * @property {ClassCount[]} others what else changed, most first
 *
 * @typedef {object} Effects POST /api/v1/models/{m}/effects
 * @property {ClassCount[]} classes without any edit, and with all that are seen
 * @property {StrokeEffect | null} stroke
 *
 * @typedef {object} Segmentation POST /api/v1/models/{m}/segmentation
 * @property {{name: string, size: Size, runs: [number, number][]}[]} planes
 *
 * @typedef {object} Job
 * @property {string} id
 * @property {string} kind
 * @property {"waiting" | "running" | "done" | "failed" | "cancelled"} state
 * @property {string} stage
 * @property {number} done
 * @property {number} of
 * @property {number} seconds
 * @property {number | null} left
 * @property {{message: string, hint: string | null} | null} error
 * @property {any} result
 */
export {};
