/** The bytes of a message, and the bytes that it counts against a high-water mark. Hot path. */
import { anyLent, goesByReference } from "../base/lent.js";
import type { OutMessage } from "../base/message.js";

/** Bytes of all parts of a message, without headers. */
export function messageBytes(message: OutMessage): number {
  if (!Array.isArray(message)) return message.length;
  let bytes = 0;
  for (let i = 0; i < message.length; i++) bytes += message[i].length;
  return bytes;
}

/** A loan counts this part of its bytes as work, because whoever fills it takes time, too. */
const LOAN_WORK = 1 / 8;

/** The bytes of a message, but fewer for loans, which are not moved: how long a turn of sends takes. */
export function workBytes(message: OutMessage): number {
  if (!anyLent()) return messageBytes(message);
  if (!Array.isArray(message)) return workOf(message);
  let bytes = 0;
  for (let i = 0; i < message.length; i++) bytes += workOf(message[i]);
  return bytes;
}

function workOf(body: Uint8Array): number {
  return goesByReference(body) ? body.length * LOAN_WORK : body.length;
}

/** Measured memory of the Buffer object of a part, in addition to its bytes. */
export const PART_COST = 112;

/**
 * The bytes that a received message counts against a high-water mark. Even an empty part counts, so that the mark also
 * limits messages of many tiny parts.
 */
export function heldBytes(message: OutMessage): number {
  if (!Array.isArray(message)) return message.length + PART_COST;
  return messageBytes(message) + message.length * PART_COST;
}
