/** The recipe that a PNG of the studio carries, in its iTXt chunk. */

const KEYWORD = "ganatomy-recipe";
const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/**
 * @param {Uint8Array<ArrayBuffer>} bytes of a file
 * @returns {Promise<string | null>} the recipe's JSON; null if it is no PNG or has none
 */
export async function recipeInPng(bytes) {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (data.length < length) return null;
    if (type === "iTXt") {
      const text = await international(data);
      if (text !== null) return text;
    }
    at += 12 + length;
  }
  return null;
}

/**
 * Keyword, 0, whether it is packed, how, language, 0, translated keyword, 0, text.
 * @param {Uint8Array<ArrayBuffer>} data
 * @returns {Promise<string | null>} null if the keyword is another
 */
async function international(data) {
  const end = data.indexOf(0);
  if (new TextDecoder("latin1").decode(data.subarray(0, end)) !== KEYWORD) return null;
  const language = data.indexOf(0, end + 3);
  const translated = data.indexOf(0, language + 1);
  if (language < 0 || translated < 0) return null;
  const text = data.subarray(translated + 1);
  if (!data[end + 1]) return new TextDecoder().decode(text);
  const stream = new Blob([text]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}
