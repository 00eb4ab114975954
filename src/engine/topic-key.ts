/** By what a message is told apart where only the newest of each topic waits: its first part. */
import type { OutMessage } from "../base/message.js";
import { Buffer } from "../base/platform.js";

/** Bytes of a first part that can be a topic. A longer one is none: its message waits like any other. */
const LONGEST_TOPIC = 16384;

/** One character per byte; null if the first part is too long for a topic. */
export function topicKey(message: OutMessage): string | null {
  const first = Array.isArray(message) ? message[0] : message;
  if (first.length > LONGEST_TOPIC) return null;
  const bytes = Buffer.isBuffer(first)
    ? first
    : Buffer.from(first.buffer as ArrayBuffer, first.byteOffset, first.length);
  return bytes.toString("latin1");
}
