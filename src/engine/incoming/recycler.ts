/**
 * Memory for large bodies that is used again when the program has given a message back. Fresh memory costs the system a
 * cleared page for each 4 KiB and the collector its work: half of the time of a receiver of large messages. One store for
 * all connections of a thread. Hot path.
 */
import { LEAST_LENT_BYTES, type Lent, registerLent } from "../../base/lent.js";
import { Buffer } from "../../base/platform.js";
import { roundedUp } from "../../base/rounding.js";
import { BodyView } from "./body-view.js";

/** The most bytes that wait to be used again. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** One piece of memory. */
class Recycled implements Lent {
  readonly byReference = false;
  readonly memory: ArrayBuffer;
  users = 1;

  constructor(memory: ArrayBuffer) {
    this.memory = memory;
  }

  hold(): void {
    this.users++;
  }

  letGo(): void {
    if (--this.users === 0) store.put(this);
  }

  lend(view: Uint8Array): Uint8Array {
    return view;
  }

  /** A program that keeps it has it for ever: its memory is never used again. */
  keep(view: Uint8Array): Uint8Array {
    return view;
  }
}

/** Free memory by size. */
class Store {
  readonly #free = new Map<number, Recycled[]>();
  #bytes = 0;

  take(bytes: number): Recycled | undefined {
    const waiting = this.#free.get(bytes);
    if (waiting === undefined) return undefined;
    for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
      this.#bytes -= bytes;
      // A program that kept a view may have transferred the memory to another thread.
      if (entry.memory.byteLength !== bytes) continue;
      entry.users = 1;
      return entry;
    }
    return undefined;
  }

  put(entry: Recycled): void {
    const bytes = entry.memory.byteLength;
    if (bytes < LEAST_LENT_BYTES || bytes > KEPT_BYTES) return;
    if (this.#bytes + bytes > KEPT_BYTES) {
      this.#free.clear();
      this.#bytes = 0;
    }
    const waiting = this.#free.get(bytes);
    if (waiting === undefined) this.#free.set(bytes, [entry]);
    else waiting.push(entry);
    this.#bytes += bytes;
  }
}

const store = new Store();

/** A Buffer of so many bytes, not cleared. Its memory is used again when every user has let go of it. */
export function recycledBuffer(bytes: number): Buffer {
  const size = roundedUp(bytes);
  let entry = store.take(size);
  if (entry === undefined) {
    entry = new Recycled(Buffer.allocUnsafeSlow(size).buffer as ArrayBuffer);
    registerLent(entry.memory, entry);
  }
  return new BodyView(entry.memory, 0, bytes);
}
