/** The address: `#ROOM&r=RECIPE`. What stands after `#` is never sent to a server. */

import { FORMAT, parseRecipe, RecipeError } from "./recipe.js";

/** Longer links are cut by some programs: the file is for those. */
export const LONGEST = 8000;
/** What a packed recipe may unfold to. */
const LARGEST = 8 << 20;

/** @param {Uint8Array} bytes */
const base64 = (bytes) => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
};

/** @param {string} text */
const bytesOf = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {CompressionStream | DecompressionStream} through
 * @param {number} most
 */
async function piped(bytes, through, most) {
  const parts = [];
  let length = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(through).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > most) {
      await reader.cancel();
      throw new RecipeError("It is too large.");
    }
    parts.push(next.value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/**
 * A recipe as text for an address.
 * @param {object} recipe
 * @returns {Promise<string>}
 */
export async function pack(recipe) {
  const bytes = new TextEncoder().encode(JSON.stringify(recipe));
  return base64(await piped(bytes, new CompressionStream("deflate"), LARGEST));
}

/**
 * @param {string} text
 * @returns {Promise<import("./recipe.js").Recipe>}
 * @throws {RecipeError}
 */
export async function unpack(text) {
  let json;
  try {
    json = new TextDecoder().decode(await piped(bytesOf(text), new DecompressionStream("deflate"), LARGEST));
  } catch (error) {
    if (error instanceof RecipeError) throw error;
    throw new RecipeError("It was cut or changed on the way.");
  }
  return parseRecipe(json);
}

/**
 * @typedef {{room: string, token: string | null, recipe: string | null}} Address
 * @param {string} hash with or without `#`
 * @returns {Address}
 */
export function readAddress(hash) {
  const parts = hash.replace(/^#/, "").split("&");
  const named = /** @param {string} name */ (name) =>
    parts.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
  const plain = named("recipe");
  const packed = named("r");
  return {
    room: parts[0].includes("=") ? "" : parts[0],
    token: named("token"),
    // `recipe={…}` is one that a person or a program wrote out.
    recipe: packed ?? (plain === null ? null : decode(plain)),
  };
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The recipe of an address: packed, or written out.
 * @param {string} text of `Address.recipe`
 * @returns {Promise<import("./recipe.js").Recipe>}
 */
export const recipeOf = async (text) => (text.startsWith("{") ? parseRecipe(text) : unpack(text));

/**
 * The fragment for a room and a recipe; null where it would be too long.
 * @param {string} room
 * @param {object} recipe
 * @param {string} base the address before `#`
 * @returns {Promise<string | null>}
 */
export async function writeAddress(room, recipe, base) {
  const fragment = `#${room}&r=${await pack({ ...recipe, format: FORMAT })}`;
  return base.length + fragment.length > LONGEST ? null : fragment;
}
