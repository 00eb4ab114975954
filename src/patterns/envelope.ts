/**
 * The request-reply envelope of RFC 28: address parts, one empty part, the body (items H1, H5, H13, H14). Knows
 * messages only.
 */
import type { Message, OutMessage } from "../message.js";

const DELIMITER = Buffer.alloc(0);

/** A body behind address parts and the empty delimiter. */
export function wrap(address: readonly Uint8Array[], body: OutMessage): OutMessage {
  return Array.isArray(body) ? [...address, DELIMITER, ...body] : [...address, DELIMITER, body];
}

/** Splits at the first empty part; undefined where there is none or nothing follows it. */
export function unwrap(message: Message): { address: Message; body: Message } | undefined {
  const at = message.findIndex((part) => part.length === 0);
  if (at < 0 || at === message.length - 1) return undefined;
  return { address: message.slice(0, at), body: message.slice(at + 1) };
}
