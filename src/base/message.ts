/**
 * What an application may send and what it receives, and the one place where the first becomes bytes. Knows
 * nothing of frames.
 */
import { anyLent, lentMemory } from "./lent.js";
import { Buffer, isSharedMemory } from "./platform.js";

/** One part of a message as an application may give it. Numbers are sent as text; null is an empty part. */
export type MessageLike =
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | string
  | number
  | bigint
  | boolean
  | null;

/**
 * A received message: one Buffer per part. Parts belong to the receiver. A part above 64 KiB begins at a multiple of 8 in
 * its memory; a smaller one may begin anywhere, because it is a view of the chunk that it came in. Before a typed array
 * is laid over a part, copy it: `new Float64Array(new Uint8Array(part).buffer)`.
 */
export type Message = Buffer[];

/** A message inside zwire: its single part, or two and more parts. */
export type OutMessage = Uint8Array | Uint8Array[];

/**
 * Parts up to this many bytes are copied on their way to a stream, larger ones are gathered by reference. Others found
 * a break-even between 16 and 32 KiB. Here limits from 2 to 32 KiB could not be told apart with messages of 4 to 16 KiB
 * over tcp: the receiver sets the pace.
 */
export const COPY_LIMIT = 16384;

/**
 * How many bytes a view has now: fewer than before where its memory was transferred or resized. The V8 of Node 20 may
 * answer the old `length` of a transferred view, from compiled code that has seen resizable buffers, too; the memory
 * itself always tells. For views above COPY_LIMIT only: asking a small one for its memory can cost more than copying it.
 */
export function bytesNow(view: Uint8Array): number {
  const { length } = view;
  return length <= COPY_LIMIT || view.byteOffset + length <= view.buffer.byteLength ? length : 0;
}

/** How many bytes some views have now. */
export function totalNow(views: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const view of views) bytes += bytesNow(view);
  return bytes;
}

const EMPTY = new Uint8Array(0);

/** Options of a socket that say how many parts a message may have. */
export interface PartLimits {
  /** Only the newest message counts, and it has one part (G14). */
  readonly conflate: boolean | "topic";
  /** Parts that the application gives; envelopes are not counted. */
  readonly maxMessageParts: number;
}

/** Error text for a message that a conflating socket does not accept. */
export const SEVERAL_PARTS = "message must have one part on a conflating socket";

/**
 * Checks and converts what `send` was given.
 * @throws TypeError naming the argument for a value that is no MessageLike; RangeError for too many parts
 */
export function normaliseMessage(
  message: MessageLike | readonly MessageLike[],
  limits: PartLimits,
): OutMessage {
  if (!Array.isArray(message)) return toPart(message as MessageLike);
  const count = message.length;
  if (count === 1) return toPart(message[0]);
  if (count === 0) throw new TypeError("message must have at least one part; send null for an empty one");
  const parts: Uint8Array[] = new Array(count);
  for (let i = 0; i < count; i++) parts[i] = toPart(message[i]);
  if (limits.conflate === true) throw new TypeError(SEVERAL_PARTS);
  if (count > limits.maxMessageParts) {
    const most = `message must have at most ${limits.maxMessageParts} parts (maxMessageParts)`;
    throw new RangeError(`${most}; got ${count}`);
  }
  return parts;
}

/** One part as bytes. @throws TypeError for a value that is no MessageLike */
export function toPart(value: MessageLike): Uint8Array {
  // Whoever holds on to a small part instead of copying it asks `unshared`: looking here cost as much as copying.
  if (value instanceof Uint8Array && (value.length <= COPY_LIMIT || !isShared(value))) return value;
  if (typeof value === "string") return Buffer.from(value);
  if (value === null) return EMPTY;
  return convertPart(value);
}

function convertPart(value: Exclude<MessageLike, null>): Uint8Array {
  if (ArrayBuffer.isView(value)) {
    const view = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    // Another thread may write to shared memory at any time: take a copy now.
    return isShared(value) ? view.slice() : view;
  }
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (isSharedMemory(value)) return new Uint8Array(value).slice();
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    return Buffer.from(String(value));
  }
  throw new TypeError(
    `message part must be a string, number, null, ArrayBuffer or view; got ${value === undefined ? "undefined" : typeof value}`,
  );
}

const isShared = (part: ArrayBufferView): boolean => isSharedMemory(part.buffer);

/**
 * The message without memory that another thread may write to: such parts are copied now. For who keeps a message, or
 * passes it on by reference.
 */
export function unshared(message: OutMessage): OutMessage {
  if (!Array.isArray(message)) return unsharedPart(message);
  return message.some(isShared) ? message.map(unsharedPart) : message;
}

/** Not by slice(): that of a Buffer is no copy. */
function unsharedPart(part: Uint8Array): Uint8Array {
  return isShared(part) ? new Uint8Array(part) : part;
}

/** As `unshared`, and also without memory that will be used again: for who keeps a message for long. */
export function independent(message: OutMessage): OutMessage {
  if (!anyLent()) return unshared(message);
  if (!Array.isArray(message)) return independentPart(message);
  return message.map(independentPart);
}

function independentPart(part: Uint8Array): Uint8Array {
  return isShared(part) || lentMemory(part) !== undefined ? new Uint8Array(part) : part;
}

/** A copy that shares no memory with the message. */
export function copied(message: OutMessage): OutMessage {
  return Array.isArray(message) ? message.map((part) => new Uint8Array(part)) : new Uint8Array(message);
}

/** The empty part of every message that is passed by reference; see `isSpoiled`. */
const NOTHING = Buffer.alloc(0);

/** A message as the receiver on the other side of an inproc pipe sees it: the same memory, as Buffers. */
export function toReceived(message: OutMessage): Message {
  if (!Array.isArray(message)) return [asBuffer(message)];
  return message.map(asBuffer);
}

/**
 * Whether a message from `toReceived` has lost memory since: its sender has transferred or resized a buffer. Such a part
 * is empty now, so that one comparison per part is all that other messages pay.
 */
export function isSpoiled(message: Message): boolean {
  for (let i = 0; i < message.length; i++) {
    const part = message[i];
    if (bytesNow(part) === 0 && part !== NOTHING && isTaken(part.buffer)) return true;
  }
  return false;
}

/** Whether an empty part's memory has been transferred or resized. */
function isTaken(memory: ArrayBufferLike & { readonly resizable?: boolean }): boolean {
  if (memory.byteLength > 0 || memory.resizable === true) return memory.resizable === true;
  try {
    new Uint8Array(memory); // Node 20 has no ArrayBuffer.prototype.detached
    return false;
  } catch {
    return true;
  }
}

function asBuffer(part: Uint8Array): Buffer {
  if (part.length === 0) return NOTHING;
  return Buffer.isBuffer(part)
    ? part
    : Buffer.from(part.buffer as ArrayBuffer, part.byteOffset, part.byteLength);
}
