/**
 * What goes with a message beside its parts: the context of a trace. Between two peers that have agreed on it, it is a part
 * in front of each message, empty without a context. Programs and strategies see messages without it. Nothing here is
 * asked for while no socket carries contexts.
 */
import { Given } from "./given.js";
import { anyLent, letGoOf } from "./lent.js";
import type { Message, OutMessage } from "./message.js";

/** Most bytes of it: traceparent has 55, tracestate up to 512. */
export const CARRIED_BYTES = 568;

const NOTHING = new Uint8Array(0);
/** Whether anything was ever noted. */
let any = false;

class Carrying extends Given {
  #bytes: Uint8Array;

  constructor(message: object, bytes: Uint8Array) {
    super(message);
    this.#bytes = bytes;
  }

  static write(message: object, bytes: Uint8Array): void {
    if (#bytes in message) message.#bytes = bytes;
    else new Carrying(message, bytes);
  }

  static read(message: object): Uint8Array | undefined {
    return #bytes in message ? message.#bytes : undefined;
  }
}

/** Of the message that is being handed to pipes. */
let sending: Uint8Array = NOTHING;

/** What came with a message; undefined for nothing. */
export function carriedBy(message: object): Uint8Array | undefined {
  return any ? Carrying.read(message) : undefined;
}

/** Notes what goes with a message; nothing if it is empty. */
export function carry(message: object, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  any = true;
  Carrying.write(message, bytes);
}

/** A message has become another array. */
export function passOn(from: object, to: object): void {
  const bytes = carriedBy(from);
  if (bytes !== undefined) Carrying.write(to, bytes);
}

/** The message must go without it. */
export function strip(message: object): void {
  if (carriedBy(message) !== undefined) Carrying.write(message, NOTHING);
}

/** Hands a message to pipes; meanwhile `sent` tells what goes with it. One that is no array was queued earlier. */
export function sendCarrying(message: OutMessage, send: (message: OutMessage) => boolean): boolean {
  if (!Array.isArray(message)) return send(message);
  const before = sending;
  sending = carriedBy(message) ?? NOTHING;
  try {
    return send(message.length === 1 ? message[0] : message);
  } finally {
    sending = before; // a listener of an event may have sent this one while another is being handed over
  }
}

/** What goes with the message that is being handed to pipes. */
export function sent(): Uint8Array {
  return sending;
}

/** The message that is being handed to pipes, as it is encoded. */
export function fronted(message: OutMessage): Uint8Array[] {
  return Array.isArray(message) ? [sending, ...message] : [sending, message];
}

/** A message as it has arrived, without what is in front. It must have two parts or more. */
export function unfronted(message: Message): Message {
  const [bytes, ...parts] = message;
  // Too much is taken for none. A copy, because a message may be kept for longer than the chunk that it came in.
  if (bytes.length > 0 && bytes.length <= CARRIED_BYTES) carry(parts, new Uint8Array(bytes));
  if (anyLent()) letGoOf([bytes]);
  return parts;
}
