/** What is in a part of a message, as text or as a value. */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of a part. @throws TypeError if it is not UTF-8 */
export function text(part: Uint8Array): string {
  if (!(part instanceof Uint8Array)) throw new TypeError("part must be a Uint8Array");
  return decoder.decode(part);
}

/** The value of a part that has JSON. @throws TypeError if it is not UTF-8, SyntaxError if it is not JSON */
export function json<T = unknown>(part: Uint8Array): T {
  return JSON.parse(text(part)) as T;
}
