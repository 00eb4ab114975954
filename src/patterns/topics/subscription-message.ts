/**
 * Subscriptions as messages (RFC 29 §The XPUB Socket Type; items F3, F4, J17): a part of 01 or 00, then the topic.
 */

import type { Message, OutMessage } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";

/** A message that XPUB delivers. */
export function subscriptionMessage(topic: Uint8Array, subscribe: boolean): Buffer {
  const bytes = Buffer.allocUnsafe(1 + topic.length);
  bytes[0] = subscribe ? 1 : 0;
  bytes.set(topic, 1);
  return bytes;
}

/** A subscription, or the end of one. */
export interface Subscription {
  readonly topic: Buffer;
  readonly subscribe: boolean;
}

/** Parses a part as a subscription or cancellation; undefined for any other part. */
export function subscriptionIn(part: Uint8Array): Subscription | undefined {
  if (part.length === 0 || part[0] > 1) return undefined;
  const topic = Buffer.from(part.buffer as ArrayBuffer, part.byteOffset + 1, part.length - 1);
  return { topic, subscribe: part[0] === 1 };
}

/** Parses a message of one part as a subscription or cancellation. */
export function subscriptionOf(message: Message | OutMessage): Subscription | undefined {
  if (!Array.isArray(message)) return subscriptionIn(message);
  return message.length === 1 ? subscriptionIn(message[0]) : undefined;
}

/**
 * Whether any part of a multipart message is a subscription, by libzmq's rules (J17).
 * @param onlyFirst check the other parts only if the first is a subscription
 */
export function hasSubscriptions(parts: readonly Uint8Array[], onlyFirst: boolean): boolean {
  if (onlyFirst && subscriptionIn(parts[0]) === undefined) return false;
  return parts.some((part) => part.length > 0 && part[0] <= 1);
}
