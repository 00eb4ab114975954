/**
 * Subscriptions as messages (RFC 29 §The XPUB Socket Type; items F3, F4, J17): one part, 01 or 00, then the topic.
 * Messages of several parts are never subscriptions.
 */
import type { Message, OutMessage } from "../message.js";

/** A message that XPUB delivers. */
export function subscriptionMessage(topic: Uint8Array, subscribe: boolean): Buffer {
  const octets = Buffer.allocUnsafe(1 + topic.length);
  octets[0] = subscribe ? 1 : 0;
  octets.set(topic, 1);
  return octets;
}

/** What a message says about a topic; undefined for one that is no subscription. */
export function subscriptionOf(
  message: Message | OutMessage,
): { topic: Buffer; subscribe: boolean } | undefined {
  if (Array.isArray(message) && message.length !== 1) return undefined;
  const part = Array.isArray(message) ? message[0] : message;
  if (part.length === 0 || part[0] > 1) return undefined;
  const topic = Buffer.from(part.buffer as ArrayBuffer, part.byteOffset + 1, part.length - 1);
  return { topic, subscribe: part[0] === 1 };
}
