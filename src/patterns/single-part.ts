/**
 * Messages of one part, as the thread-safe socket types of the drafts have them (RFC 37 §Thread-Safe Socket Types,
 * items N1, N2). Knows messages only.
 */

import { ZmqError } from "../base/errors.js";
import type { Message, OutMessage } from "../base/message.js";
import type { Pipe } from "../engine/pipe.js";

/** @throws ZmqError EINVAL for a message of several parts (N1) */
export function singlePart(message: OutMessage): Uint8Array {
  if (!Array.isArray(message)) return message;
  throw new ZmqError("EINVAL", { detail: "a message of this socket type must have exactly one part" });
}

/** An interceptor: what a peer sends in several parts is skipped (N2). */
export function skipMultipart(_pipe: Pipe, message: Message): boolean {
  return message.length !== 1;
}
