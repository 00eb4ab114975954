/** How many bytes a message has, and how many it counts against a mark. Hot path. */
import type { OutMessage } from "../base/message.js";

/** Bytes of all parts of a message, without headers. */
export function messageBytes(message: OutMessage): number {
  if (!Array.isArray(message)) return message.length;
  let bytes = 0;
  for (let i = 0; i < message.length; i++) bytes += message[i].length;
  return bytes;
}

/** What a part that waits to be read costs beside its bytes: the Buffer that it becomes, as measured. */
export const PART_COST = 112;

/**
 * What a received message counts against a mark in bytes. Each part costs something even when it is empty, so that a mark
 * also bounds messages of many tiny parts.
 */
export function heldBytes(message: OutMessage): number {
  if (!Array.isArray(message)) return message.length + PART_COST;
  return messageBytes(message) + message.length * PART_COST;
}
