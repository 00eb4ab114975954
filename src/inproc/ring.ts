/**
 * The memory of a connection between two threads: two byte rings, one per direction, in one SharedArrayBuffer. Each
 * ring has one writer and one reader, and needs no lock. ring-stream.ts makes a stream of them.
 *
 * A copy between shared and ordinary memory runs at 30 GB/s if source and target have the same offset modulo 8, and at
 * 3.7 GB/s otherwise (V8 then moves single bytes). So bytes travel in records: a header of 8 bytes (the length, and the
 * source's offset modulo 8), then padding that gives the data the same offset modulo 8 as the source. Records have no
 * meaning for the reader, who sees a stream of bytes.
 */

/** Bytes of one ring. Messages of 64 KiB were 1.5 times as fast as with 256 KiB; 1 MiB was not faster. */
export const RING_BYTES = 512 * 1024;

/**
 * The distance, in 32-bit words, of words that two threads write often. If they shared a cache line, both would be
 * slow.
 */
const LINE = 16;
/** Words per direction: bytes written so far, bytes read so far (both modulo 2^32). */
const HEAD = 0;
const TAIL = LINE;
const DIRECTION_WORDS = 2 * LINE;
/** Words per side: see RingWord. */
const SIDES_AT = 2 * DIRECTION_WORDS;
const CONTROL_WORDS = 4 * DIRECTION_WORDS;
const CONTROL_BYTES = CONTROL_WORDS * 4;

const RECORD_HEADER = 8;
/** If less than this much data fits into a filling ring, it waits for more room, so that records do not become tiny. */
const FRAGMENT_BYTES = 512;

/** The connecting side is 0 and writes ring 0. The bound side is 1 and writes ring 1. */
export type RingSide = 0 | 1;

/**
 * The words of one side: whether it waits for data or for room, how often it was woken, and whether it closed in order.
 */
export const RingWord = { wantsData: 0, wantsRoom: 1, wakes: 2, closed: 3 } as const;
export type RingWord = (typeof RingWord)[keyof typeof RingWord];

/** Makes the memory of a connection. The system allocates its pages only when they are first written. */
export function createRing(bytes: number = RING_BYTES): SharedArrayBuffer {
  return new SharedArrayBuffer(CONTROL_BYTES + 2 * bytes);
}

/** The control words of both rings. */
export function ringControl(memory: SharedArrayBuffer): Int32Array<SharedArrayBuffer> {
  return new Int32Array(memory, 0, CONTROL_WORDS);
}

/** The index of a side's word among the control words. */
export function ringWord(side: RingSide, word: RingWord): number {
  return SIDES_AT + side * DIRECTION_WORDS + (word < 2 ? word : LINE + word - 2);
}

function capacityOf(memory: SharedArrayBuffer): number {
  return (memory.byteLength - CONTROL_BYTES) / 2;
}

function dataOf(memory: SharedArrayBuffer, direction: RingSide): Buffer {
  const capacity = capacityOf(memory);
  return Buffer.from(memory, CONTROL_BYTES + direction * capacity, capacity);
}

/** The writing end of one direction. */
export class RingWriter {
  readonly capacity: number;
  readonly #control: Int32Array;
  readonly #base: number;
  readonly #data: Buffer;
  readonly #words: Int32Array;
  #head: number;
  /** The last known position of the reader. It is loaded again only if there seems to be too little room. */
  #tail: number;

  constructor(memory: SharedArrayBuffer, direction: RingSide) {
    this.capacity = capacityOf(memory);
    this.#control = ringControl(memory);
    this.#base = direction * DIRECTION_WORDS;
    this.#data = dataOf(memory, direction);
    this.#words = new Int32Array(memory, this.#data.byteOffset, this.capacity / 4);
    this.#head = Atomics.load(this.#control, this.#base + HEAD);
    this.#tail = Atomics.load(this.#control, this.#base + TAIL);
  }

  /** The bytes of the ring that are free, before record headers are subtracted. */
  get free(): number {
    this.#tail = Atomics.load(this.#control, this.#base + TAIL);
    return this.capacity - ((this.#head - this.#tail) | 0);
  }

  /**
   * Copies as much of `source` from `from` on as there is room for. Returns the number of bytes. publish() shows them
   * to the reader.
   */
  put(source: Uint8Array, from: number): number {
    const left = source.length - from;
    const skew = (source.byteOffset + from) & 7;
    let room = this.#room(skew);
    if (room < left) {
      this.#tail = Atomics.load(this.#control, this.#base + TAIL);
      room = this.#room(skew);
    }
    if (room < left && room < FRAGMENT_BYTES) return 0;
    const taken = Math.min(left, room);
    const mask = this.capacity - 1;
    const at = this.#head & mask;
    this.#words[at >> 2] = taken;
    this.#words[(at >> 2) + 1] = skew;
    const start = (at + RECORD_HEADER + skew) & mask;
    const first = Math.min(taken, this.capacity - start);
    if (first === source.length) this.#data.set(source, start);
    else this.#data.set(source.subarray(from, from + first), start);
    if (first < taken) this.#data.set(source.subarray(from + first, from + taken), 0);
    this.#head = (this.#head + ((RECORD_HEADER + skew + taken + 7) & ~7)) | 0;
    return taken;
  }

  #room(skew: number): number {
    return ((this.capacity - ((this.#head - this.#tail) | 0)) & ~7) - RECORD_HEADER - skew;
  }

  /** Shows the reader everything that was put. */
  publish(): void {
    Atomics.store(this.#control, this.#base + HEAD, this.#head);
  }
}

/** The reading end of one direction. */
export class RingReader {
  readonly #memory: SharedArrayBuffer;
  readonly #capacity: number;
  readonly #control: Int32Array;
  readonly #base: number;
  readonly #offset: number;
  readonly #words: Int32Array;
  #head: number;
  #tail: number;
  /** Bytes of the current record that have not been read. */
  #left = 0;

  constructor(memory: SharedArrayBuffer, direction: RingSide) {
    this.#memory = memory;
    this.#capacity = capacityOf(memory);
    this.#control = ringControl(memory);
    this.#base = direction * DIRECTION_WORDS;
    this.#offset = CONTROL_BYTES + direction * this.#capacity;
    this.#words = new Int32Array(memory, this.#offset, this.#capacity / 4);
    this.#head = Atomics.load(this.#control, this.#base + HEAD);
    this.#tail = Atomics.load(this.#control, this.#base + TAIL);
  }

  /** Whether there is something to read. */
  get readable(): boolean {
    if (this.#left > 0 || this.#head !== this.#tail) return true;
    this.#head = Atomics.load(this.#control, this.#base + HEAD);
    return this.#head !== this.#tail;
  }

  /**
   * Bytes that are written and not read, including record headers. The writer may have written more since the last
   * `readable`.
   */
  get backlog(): number {
    return (this.#head - this.#tail) | 0;
  }

  /** The size of the ring in bytes. */
  get capacity(): number {
    return this.#capacity;
  }

  /**
   * The next bytes, as far as they lie together in memory; null if there are none. It is a view of shared memory that
   * the writer overwrites after skip(): so copy the bytes, and never give the view to other code.
   */
  next(): Buffer | null {
    const mask = this.#capacity - 1;
    if (this.#left === 0) {
      if (!this.readable) return null;
      const word = (this.#tail & mask) >> 2;
      this.#left = this.#words[word];
      this.#tail = (this.#tail + RECORD_HEADER + this.#words[word + 1]) | 0;
    }
    const at = this.#tail & mask;
    return Buffer.from(this.#memory, this.#offset + at, Math.min(this.#left, this.#capacity - at));
  }

  /** The first `length` bytes of next() have been copied: gives their room back to the writer. */
  skip(length: number): void {
    this.#left -= length;
    this.#tail = (this.#tail + length) | 0;
    if (this.#left === 0) this.#tail = (this.#tail + 7) & ~7;
    Atomics.store(this.#control, this.#base + TAIL, this.#tail);
  }
}
