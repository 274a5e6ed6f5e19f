/** Records of a run as what is drawn: curves, shares, means of steps; and the marks of an axis. */

/**
 * @typedef {{name: string, points: [number, number][]}} Series
 * @typedef {{names: string[], bins: {from: number, to: number, middle: number, parts: number[]}[]}} Shares
 *
 * @typedef {object} Child
 * @property {number} parent
 * @property {string | null} mutation
 * @property {number | null} fq
 * @property {number | null} fd
 * @property {number | null} f
 *
 * @typedef {object} Generation a line of stats.jsonl of `evolve`
 * @property {number} generation
 * @property {number} seconds
 * @property {number} images
 * @property {Child[]} children
 * @property {number[]} survivors places in `children`, best first
 * @property {number | null} d_loss
 * @property {number | null} d_accuracy
 * @property {number | null} sample_variance
 * @property {number | null} images_per_second
 * @property {number | null} memory
 * @property {number} [distance]
 * @property {{name: string, value: number}} [score]
 * @property {number} [modes]
 * @property {boolean} [collapsed]
 *
 * @typedef {object} Step a line of stats.jsonl of `segmenter train`
 * @property {number} step
 * @property {number} seconds
 * @property {number | null} loss
 * @property {number | null} lr
 * @property {Record<string, number>} [mean_iou] by plane, where it was judged
 */

/** As many means are drawn of a curve: more would be noise. */
const MEANS = 100;
/** As many columns of shares. */
const COLUMNS = 40;

/**
 * Where an axis has its marks: at most six, at round numbers, and the range that they span.
 * @param {number} from
 * @param {number} to
 * @returns {{low: number, high: number, steps: number[]}}
 */
export function ticks(from, to) {
  if (!(to > from)) [from, to] = [from - (Math.abs(from) * 0.1 || 0.5), from + (Math.abs(from) * 0.1 || 0.5)];
  const rough = (to - from) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough * (1 - 1e-9)) ?? 10 * power;
  // Counted in whole steps, so that sums of tenths stay tenths.
  const [first, last] = [Math.floor(from / step + 1e-9), Math.ceil(to / step - 1e-9)];
  const steps = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { low: steps[0], high: steps[steps.length - 1], steps };
}

/** As many decimals has a mark of an axis at most. */
const DECIMALS = 5;

/** The marks of an axis as they are written: exactly, and all with as many decimals. @param {number[]} steps */
export function marks(steps) {
  for (let digits = 0; digits <= DECIMALS; digits += 1) {
    const texts = steps.map((step) => step.toFixed(digits));
    if (texts.every((text, i) => Number(text) === steps[i])) return texts;
  }
  return steps.map((step) => step.toExponential());
}

/**
 * As many decimals as tell values apart within a range.
 * @param {number} value
 * @param {number} range
 */
export function decimals(value, range) {
  const digits = range > 0 ? Math.min(6, Math.max(0, Math.ceil(1 - Math.log10(range)))) : 2;
  const text = value.toFixed(digits);
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

/**
 * Means of equal steps of the axis, where there are more points than are drawn.
 * @param {[number, number | null][]} points in order; null is left out
 * @param {number} [most]
 * @returns {[number, number][]}
 */
export function means(points, most = MEANS) {
  const known = /** @type {[number, number][]} */ (points.filter(([, y]) => y !== null && Number.isFinite(y)));
  if (known.length <= most) return known;
  const [from, to] = [known[0][0], known[known.length - 1][0]];
  /** @type {[number, number, number][]} */
  const sums = [];
  for (const [x, y] of known) {
    const bin = Math.min(most - 1, Math.floor(((x - from) / (to - from)) * most));
    const sum = (sums[bin] ??= [0, 0, 0]);
    sum[0] += x;
    sum[1] += y;
    sum[2] += 1;
  }
  return sums.filter(Boolean).map(([x, y, n]) => [x / n, y / n]);
}

/** The mutations of a run, in the order in which they are made. @param {readonly Generation[]} records */
export function mutations(records) {
  const names = new Set(records.flatMap(({ children }) => children.map(({ mutation }) => mutation ?? "parent")));
  return [...names];
}

/**
 * Which mutation the best survivor came from, as shares of the generations in each step.
 * @param {readonly Generation[]} records
 * @returns {Shares}
 */
export function winners(records) {
  const names = mutations(records);
  if (!records.length) return { names, bins: [] };
  const [from, to] = [records[0].generation - 1, records[records.length - 1].generation];
  const step = Math.max(1, Math.ceil((to - from) / COLUMNS));
  /** @type {number[][]} */
  const counts = Array.from({ length: Math.ceil((to - from) / step) }, () => names.map(() => 0));
  for (const { generation, children, survivors } of records) {
    const winner = children[survivors[0]];
    if (!winner) continue;
    counts[Math.floor((generation - 1 - from) / step)][names.indexOf(winner.mutation ?? "parent")] += 1;
  }
  const bins = counts.flatMap((parts, i) => {
    const sum = parts.reduce((a, b) => a + b, 0);
    const [low, high] = [from + i * step, Math.min(to, from + (i + 1) * step)];
    return sum ? [{ from: low, to: high, middle: (low + high) / 2, parts: parts.map((part) => part / sum) }] : [];
  });
  return { names, bins };
}

/** As `winners`, of a run in which more than one mutation takes part: else there is nothing to win. @param {readonly Generation[]} records */
export const contest = (records) => {
  const shares = winners(records);
  return shares.names.length > 1 ? shares : { ...shares, bins: [] };
};

/**
 * The fitness of children by their mutation, means of steps.
 * @param {readonly Generation[]} records
 * @returns {Series[]}
 */
export const fitness = (records) =>
  mutations(records).map((name) => ({
    name,
    points: means(
      records.flatMap(({ generation, children }) =>
        children.filter(({ mutation }) => (mutation ?? "parent") === name).map(({ f }) => /** @type {[number, number | null]} */ ([generation, f])),
      ),
    ),
  }));

/**
 * One number of each record, means of steps.
 * @template {Generation | Step} R
 * @param {readonly R[]} records
 * @param {string} name
 * @param {(record: R) => number | null | undefined} of
 * @returns {Series}
 */
export const series = (records, name, of) => ({
  name,
  points: means(records.map((record) => [placeOf(record), of(record) ?? null])),
});

/** Its place on the axis. @param {Generation | Step} record */
export const placeOf = (record) => ("generation" in record ? record.generation : record.step);

/** The middle one of numbers. @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : null;
}

/**
 * Records with newer ones. A run that has gone back to a checkpoint tells generations a second time: the later record stands.
 * @template {Generation | Step} R
 * @param {readonly R[]} records in order
 * @param {readonly R[]} more in order
 * @returns {R[]}
 */
export const grown = (records, more) => (more.length ? [...records.filter((record) => placeOf(record) < placeOf(more[0])), ...more] : [...records]);
