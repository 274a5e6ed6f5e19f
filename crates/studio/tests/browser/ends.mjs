/** What ends with a test. */

/** @type {WeakMap<object, (() => unknown)[]>} */
const begun = new WeakMap();

/**
 * Ends something when the test ends; what began last ends first, so that a page is closed before the server that it talks to is gone.
 * (`after` of node:test alone goes the other way round.) All is ended, also if an end fails; the first failure is the test's.
 * @param {{after: (end: () => unknown) => void}} t a test, or `node:test` for all tests of a file
 * @param {() => unknown} end
 */
export function atEnd(t, end) {
  const ends = begun.get(t);
  if (ends) return void ends.push(end);
  const own = [end];
  begun.set(t, own);
  t.after(async () => {
    const failures = [];
    for (const last of own.toReversed()) await Promise.resolve().then(last).catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  });
}
