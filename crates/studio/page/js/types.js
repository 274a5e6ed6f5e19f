/**
 * What the server says (API v1), as types. Recipes are in `recipe.js`.
 *
 * @typedef {[number, number]} Size height and width
 *
 * @typedef {object} Info GET /api/v1/studio
 * @property {string} version
 * @property {string} device
 * @property {number} recipe_format
 * @property {{id: string, name: string, path: string, image: [number, number, number] | null, error: string | null}[]} models
 * @property {boolean} runs
 * @property {Record<string, number>} limits
 * @property {string | null} default_model
 *
 * @typedef {object} Layer
 * @property {string} name
 * @property {number} units
 * @property {Size} size cells: height and width
 * @property {boolean} dissected
 * @property {number | null} interpretable units that fit a class
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
 * @property {{length: number, law: string}} latent
 * @property {Layer[]} layers
 * @property {{name: string, samples: number, segmenter: string, interpretable: Record<string, number>} | null} dissection
 * @property {{message: string, hint: string | null} | null} dissection_problem
 * @property {{name: string, planes: {name: string, classes: SegClass[]}[]} | null} segmenter
 * @property {boolean} truncation
 * @property {string[] | null} labels
 * @property {unknown[]} reports
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
 * @property {boolean} own
 * @property {{contexts: {class: string, effect: number}[], likes: string[]} | null} insertion
 * @property {import("./recipe.js").Value} value what drawing sets the units to
 *
 * @typedef {object} ClassCount
 * @property {string} id
 * @property {number} before
 * @property {number} after
 *
 * @typedef {object} StrokeEffect
 * @property {string | null} class
 * @property {number} cells
 * @property {number} took
 * @property {number} had
 * @property {number} pixels_before
 * @property {number} pixels_after
 * @property {ClassCount[]} others
 *
 * @typedef {object} Effects POST /api/v1/models/{m}/effects
 * @property {(ClassCount & {name: string, category: string})[]} classes
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
 * @property {string | null} error
 * @property {any} result
 */
export {};
