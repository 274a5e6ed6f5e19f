/** Numbers and names in words. */

const figures = new Intl.NumberFormat("en-US");
/** @param {number} n */
export const count = (n) => figures.format(n);

/** With its sign, which is a true minus. @param {number} n */
export const signed = (n) => `${n > 0 ? "+" : n < 0 ? "−" : "±"}${figures.format(Math.abs(n))}`;

/** @param {number} share 0 to 1 */
export const percent = (share) => `${Math.round(share * 100)} %`;

/** Things that are not counted. */
const MASS = new Set(
  "sky grass water sea sand snow ground earth foliage fog smoke land dirt rock field ice food light hair skin metal wood brick glass paper fabric background".split(
    " ",
  ),
);

/** @param {string} name of a class */
export function plural(name) {
  if (MASS.has(name.split(" ").at(-1) ?? name)) return name;
  if (/(s|x|z|ch|sh)$/.test(name)) return `${name}es`;
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`;
  return `${name}s`;
}

/** @param {number} n @param {string} one */
export const counted = (n, one) => `${count(n)} ${n === 1 ? one : plural(one)}`;

/** A time, as exact as people want to know it. @param {number} seconds @returns {string} */
export function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/**
 * The server's words as sentences.
 * @param {string} message
 * @param {string | null} [cure]
 */
export const sentences = (message, cure) =>
  [message, cure ?? ""]
    .filter(Boolean)
    .map((text) => text[0].toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : "."))
    .join(" ");

/** "a", "a and b", "a, b and c". @param {string[]} parts */
export const listed = (parts) =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;

/**
 * What is left of a concept's name: "objects/door" is door.
 * @param {string} id
 */
export const shortName = (id) => id.slice(id.lastIndexOf("/") + 1);

/**
 * @param {import("./recipe.js").Latent} latent
 * @returns {string} in words
 */
export function latentWords(latent) {
  if ("seed" in latent) return `seed ${latent.seed}`;
  if ("between" in latent) {
    const { seeds, at } = latent.between;
    return `${percent(1 - at)} seed ${seeds[0]}, ${percent(at)} seed ${seeds[1]}`;
  }
  if ("plane" in latent) {
    const { seeds, at } = latent.plane;
    return planeShares(at)
      .map((share, i) => `${percent(share)} seed ${seeds[i]}`)
      .join(", ");
  }
  return "inversion" in latent ? "a photo" : "a latent of your own";
}

/**
 * @param {import("./store.js").Look & {latent: import("./recipe.js").Latent}} picture
 * @returns {string} in words
 */
export const pictureWords = ({ latent, truncation, layers, label }) =>
  [
    latentWords(latent),
    ...(truncation === 1 ? [] : [`truncation ${truncation}${layers === undefined ? "" : ` of ${layers} layers`}`]),
    ...(label ? [`class ${label}`] : []),
  ].join(", ");

/**
 * How much of each corner stands at a place in the plane: top left, top right, bottom left, bottom right.
 * @param {[number, number]} at x and y, 0 to 1
 */
export const planeShares = ([x, y]) => [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
