/**
 * Finds the pipe of a routing id (RFC 28 §The ROUTER Socket Type; items I3, I8, I9, I11, I13, C14). A generated id is five
 * bytes: a zero, then four random ones, so that no peer can guess it. Knows only pipes; randomness is handed in.
 */
import { Buffer } from "../base/platform.js";
import type { Pipe } from "../engine/pipe.js";

const GENERATED_BYTES = 5;

export class RoutingTable {
  /** Ids in the form of generated ones are keyed by number, because that lookup is cheaper; others by their bytes as text. */
  readonly #numbered = new Map<number, Pipe>();
  readonly #named = new Map<string, Pipe>();
  /** The numbers that we generated. A peer that announces one of them may not have it. */
  readonly #generated = new Set<number>();
  readonly #random: () => number;

  /** @param random 32 unpredictable bits */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The pipe of a name. */
  find(id: Uint8Array): Pipe | undefined {
    if (id.length === GENERATED_BYTES && id[0] === 0) return this.#numbered.get(numberOf(id));
    return this.#named.get(keyOf(id));
  }

  /** Add a pipe under its routingId, which must be free. */
  add(pipe: Pipe): void {
    const id = pipe.routingId as Buffer;
    if (id.length === GENERATED_BYTES && id[0] === 0) this.#numbered.set(numberOf(id), pipe);
    else this.#named.set(keyOf(id), pipe);
  }

  /** Remove a pipe. Does nothing if another pipe has taken over its name. */
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
   * @param reserved whether a name is in use although no pipe has it yet
   */
  generate(reserved: (id: Buffer) => boolean): Buffer {
    const id = Buffer.alloc(GENERATED_BYTES);
    do id.writeUInt32BE(this.#random() >>> 0, 1);
    while (this.#numbered.has(numberOf(id)) || reserved(id));
    this.#generated.add(numberOf(id));
    return id;
  }

  /** Whether we generated this name and a pipe has it. */
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
