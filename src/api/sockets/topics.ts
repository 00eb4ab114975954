/**
 * Topics as an application gives them.
 */

import { type MessageLike, normaliseMessage } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";

/**
 * Copies of topics, because they are remembered.
 * @param what the word for one in error texts
 * @throws TypeError for what is no part of a message, RangeError for one above `longest` bytes
 */
export function checkTopics(what: string, topics: readonly MessageLike[], longest: number): Buffer[] {
  const copies = topics.map((topic) => Buffer.from(normaliseMessage([topic]) as Uint8Array));
  for (const { length } of copies) {
    if (length > longest)
      throw new RangeError(`${what} must have at most ${longest} bytes (maxTopicLength); got ${length}`);
  }
  return copies;
}
