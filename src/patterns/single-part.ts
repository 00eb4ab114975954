/**
 * Checks for messages of exactly one part, which the thread-safe draft socket types require (RFC 37 §Thread-Safe Socket
 * Types, items N1, N2). Knows only messages.
 */

import { ZmqError } from "../base/errors.js";
import type { Message, OutMessage } from "../base/message.js";
import type { Pipe } from "../engine/pipe.js";

/** @throws ZmqError EINVAL for a message of several parts (N1) */
export function singlePart(message: OutMessage): Uint8Array {
  if (!Array.isArray(message)) return message;
  throw new ZmqError("EINVAL", { detail: "a message of this socket type must have exactly one part" });
}

/** An interceptor that skips messages of several parts from a peer (N2). */
export function skipMultipart(_pipe: Pipe, message: Message): boolean {
  return message.length !== 1;
}
