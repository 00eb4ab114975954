/**
 * Checks topics that an application gives.
 */

import { type MessageLike, toPart } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";

/**
 * Checks topics, and copies them, because they are kept.
 * @param what the word for a topic in error texts
 * @throws TypeError for a topic that is not a MessageLike, RangeError for one of more than `longest` bytes
 */
export function checkTopics(what: string, topics: readonly MessageLike[], longest: number): Buffer[] {
  const copies = topics.map((topic) => Buffer.from(toPart(topic)));
  for (const { length } of copies) {
    if (length > longest)
      throw new RangeError(`${what} must have at most ${longest} bytes (maxTopicLength); got ${length}`);
  }
  return copies;
}
