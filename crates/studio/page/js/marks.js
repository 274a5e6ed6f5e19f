/** What is drawn over the picture while one paints: cells, the strokes that are looked at, what the brush has covered and would cover. */

/** @import { Brush } from "./brush.js" */
/** @import { Op } from "./brush-panel.js" */
/** @import { Stroke } from "./store.js" */
/** @import { Frame } from "./surface.js" */
/** @import { Layer, Model, Size } from "./types.js" */

import { removes } from "./feedback.js";
import { DRAW, edges, ERASE, fill, grid, line, REMOVE, ring } from "./outline.js";
import { pool, rasterOf } from "./recipe.js";

/**
 * The places of strokes, in cells of their layers.
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {Size} size of the picture
 * @param {Model} model
 * @param {{stroke: Stroke, hovered: boolean}[]} strokes
 */
export function drawStrokes(context, frame, size, model, strokes) {
  for (const { stroke, hovered } of strokes) {
    const layer = model.layers.find(({ name }) => name === stroke.layer);
    if (!layer || stroke.place === "everywhere") continue;
    const region = { size: layer.size, shares: pool(rasterOf(stroke.place, layer.size), layer.size) };
    const dashed = removes(stroke);
    if (hovered) fill(context, region, size, frame, dashed ? REMOVE : DRAW, 0.35, dashed);
    line(context, edges(region, size, frame), { dashed, wide: hovered });
  }
}

/**
 * The brush: what it has covered, and what it would where it is; strokes in cells of the layer, the eraser in pixels.
 * @param {CanvasRenderingContext2D} context
 * @param {Frame} frame
 * @param {Size} size of the picture
 * @param {Brush} brush
 * @param {{op: Op, erasing: boolean, layer: Layer | null}} how
 */
export function drawBrush(context, frame, size, brush, { op, erasing, layer }) {
  const colour = erasing ? ERASE : op === "remove" ? REMOVE : DRAW;
  const how = { dashed: op === "remove" && !erasing };
  const cells = erasing || !layer ? size : layer.size;
  const region = /** @param {Uint8Array} mask */ (mask) => ({ size: cells, shares: pool({ size, shares: mask }, cells) });
  if (brush.mask) {
    const painted = region(brush.mask);
    fill(context, painted, size, frame, colour, 0.3, how.dashed);
    line(context, edges(painted, size, frame), how);
  }
  if (!brush.at) return;
  if (!brush.mask) fill(context, region(brush.stamp(brush.at)), size, frame, colour, 0.28);
  ring(context, brush.at, brush.diameter, frame, how);
}

/** The cells of a layer. @param {CanvasRenderingContext2D} context @param {Frame} frame @param {Size} size of the picture @param {Layer} layer */
export const drawCells = (context, frame, size, layer) => grid(context, layer.size, size, frame);
