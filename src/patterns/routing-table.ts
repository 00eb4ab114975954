/**
 * Peers by name (RFC 28 §The ROUTER Socket Type; items I3, I8, I9, I11, I13, C14): which pipe a routing id stands
 * for. Generated names are five bytes, the first zero, the others random, so that no peer can guess one. Knows pipes
 * and nothing else; randomness is handed in.
 */
import { Buffer } from "../base/platform.js";
import type { Pipe } from "../engine/pipe.js";

const GENERATED_BYTES = 5;

export class RoutingTable {
  /** Generated names by number, others by their bytes as text: looking up a number is cheaper. */
  readonly #numbered = new Map<number, Pipe>();
  readonly #named = new Map<string, Pipe>();
  /** Those of the numbers that we made up: whoever announces one has no claim to it. */
  readonly #generated = new Set<number>();
  readonly #random: () => number;

  /** @param random 32 bits that nobody can foresee */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The pipe of a name. */
  find(id: Uint8Array): Pipe | undefined {
    if (id.length === GENERATED_BYTES && id[0] === 0) return this.#numbered.get(numberOf(id));
    return this.#named.get(keyOf(id));
  }

  /** Enter a pipe under its routingId, which must be free. */
  add(pipe: Pipe): void {
    const id = pipe.routingId as Buffer;
    if (id.length === GENERATED_BYTES && id[0] === 0) this.#numbered.set(numberOf(id), pipe);
    else this.#named.set(keyOf(id), pipe);
  }

  /** Take a pipe out; one that has lost its name to another is not in. */
  remove(pipe: Pipe): void {
    const id = pipe.routingId;
    if (id === null || this.find(id) !== pipe) return;
    if (id.length === GENERATED_BYTES && id[0] === 0) {
      this.#numbered.delete(numberOf(id));
      this.#generated.delete(numberOf(id));
    } else this.#named.delete(keyOf(id));
  }

  /**
   * A name that no pipe has.
   * @param reserved tells of names that are in use though no pipe has them yet
   */
  generate(reserved: (id: Buffer) => boolean): Buffer {
    const id = Buffer.alloc(GENERATED_BYTES);
    do id.writeUInt32BE(this.#random() >>> 0, 1);
    while (this.#numbered.has(numberOf(id)) || reserved(id));
    this.#generated.add(numberOf(id));
    return id;
  }

  /** Whether a name in use is one that we made up. */
  isGenerated(id: Uint8Array): boolean {
    return id.length === GENERATED_BYTES && id[0] === 0 && this.#generated.has(numberOf(id));
  }
}

function numberOf(id: Uint8Array): number {
  return ((id[1] << 24) | (id[2] << 16) | (id[3] << 8) | id[4]) >>> 0;
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer as ArrayBuffer, id.byteOffset, id.byteLength).toString("latin1");
}
