/**
 * The request-reply envelope of RFC 28: address parts, one empty part, the body (items H1, H5, H13, H14). Also the name
 * that a ROUTER puts in front of a received message (I3, M1). Knows only messages.
 */

import { passOn } from "../base/carried.js";
import type { Message, OutMessage } from "../base/message.js";
import { Buffer } from "../base/platform.js";

const DELIMITER = Buffer.alloc(0);

/** Puts the address parts and the empty delimiter in front of a body. */
export function wrap(address: readonly Uint8Array[], body: OutMessage): OutMessage {
  return Array.isArray(body) ? [...address, DELIMITER, ...body] : [...address, DELIMITER, body];
}

/** Splits at the first empty part; undefined if there is none or nothing follows it. */
export function unwrap(message: Message): { address: Message; body: Message } | undefined {
  const at = message.findIndex((part) => part.length === 0);
  if (at < 0 || at === message.length - 1) return undefined;
  const body = message.slice(at + 1);
  passOn(message, body);
  return { address: message.slice(0, at), body };
}

/**
 * A message with its sender's name in front. Copies the name each time, because received parts belong to the application.
 * Creates a new array, because V8 reserves room for 17 parts in an array that grows.
 */
export function named(routingId: Uint8Array, message: Message): Message {
  const name = Buffer.from(routingId);
  const result = message.length === 1 ? [name, message[0]] : [name, ...message];
  passOn(message, result);
  return result;
}
