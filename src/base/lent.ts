/**
 * Memory that zwire will use again, although parts of messages are views of it: recycled bodies, and memory that two
 * processes share. Whoever keeps such a part, or sends it by reference, holds its memory; when all have let go, it is
 * used again. Asking costs nothing until there is such memory.
 */

/** Kinds of memory know how to hold their parts. */
export interface Lent {
  /** Whether peers read it where it is: then sending it moves no bytes. */
  readonly byReference: boolean;
  /** One more user of the memory under this view. */
  hold(view: Uint8Array): void;
  /** One user fewer. */
  letGo(view: Uint8Array): void;
  /** The bytes for a program that gives them back: the view itself, or a copy, and one user fewer. */
  lend(view: Uint8Array): Uint8Array;
  /** The bytes for a program that keeps them as long as it likes, and one user fewer: the view itself, or a copy. */
  keep(view: Uint8Array): Uint8Array;
}

/** Smaller bodies never arrive in such memory, and are not sent by reference; a program may make smaller slices. */
export const LEAST_LENT_BYTES = 16384;

const memories = new WeakMap<object, Lent>();
let any = false;

/** From now on, views of this memory are found by `lentMemory`. */
export function registerLent(memory: ArrayBufferLike, lent: Lent): void {
  memories.set(memory, lent);
  any = true;
}

/** Whose memory a part is a view of, which may be a small slice of it; undefined for ordinary memory. */
export function lentMemory(part: Uint8Array): Lent | undefined {
  return any ? memories.get(part.buffer) : undefined;
}

/** The same for a body as it arrived, or as it is sent by reference: a smaller one is never lent. */
export function lentBody(body: Uint8Array): Lent | undefined {
  return any && body.length >= LEAST_LENT_BYTES ? memories.get(body.buffer) : undefined;
}

/** Whether sending this body moves no bytes, at least to some peers. */
export function goesByReference(body: Uint8Array): boolean {
  return lentBody(body)?.byReference === true;
}

/** Whether there is, or was, any such memory in this thread. */
export function anyLent(): boolean {
  return any;
}

/** Lets go of all parts of a message, which may be a single part. */
export function letGoOf(message: unknown): void {
  if (any) forParts(message, (part) => lentMemory(part)?.letGo(part));
}

/** One more user of all parts of a message, which may be a single part. */
export function holdOf(message: unknown): void {
  if (any) forParts(message, (part) => lentMemory(part)?.hold(part));
}

function forParts(message: unknown, act: (part: Uint8Array) => void): void {
  if (Array.isArray(message)) {
    for (const part of message) if (part instanceof Uint8Array) act(part);
  } else if (message instanceof Uint8Array) act(message);
}

/** A message for a program that keeps it as long as it likes. */
export function kept<M>(message: M): M {
  if (!any || !Array.isArray(message)) return message;
  for (let i = 0; i < message.length; i++) {
    const part: unknown = message[i];
    if (part instanceof Uint8Array) message[i] = lentBody(part)?.keep(part) ?? part;
  }
  return message;
}
