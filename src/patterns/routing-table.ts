/**
 * Peers by name (RFC 28 §The ROUTER Socket Type; items I3, I8, I9, I11, I13, C14): which pipe a routing id stands
 * for. Generated names are five octets, the first zero, then a counter that begins at a random value. Knows pipes and
 * nothing else; randomness is handed in.
 */
import type { Pipe } from "../engine/pipe.js";

const GENERATED_OCTETS = 5;

export class RoutingTable {
  /** Generated names by number, others by their octets as text: looking up a number is cheaper. */
  readonly #numbered = new Map<number, Pipe>();
  readonly #named = new Map<string, Pipe>();
  #counter: number;

  /** @param random the first generated name's number, 32 bits */
  constructor(random: number) {
    this.#counter = random >>> 0;
  }

  /** The pipe of a name. */
  find(id: Uint8Array): Pipe | undefined {
    if (id.length === GENERATED_OCTETS && id[0] === 0) return this.#numbered.get(numberOf(id));
    return this.#named.get(keyOf(id));
  }

  /** Enter a pipe under its routingId, which must be free. */
  add(pipe: Pipe): void {
    const id = pipe.routingId as Buffer;
    if (id.length === GENERATED_OCTETS && id[0] === 0) this.#numbered.set(numberOf(id), pipe);
    else this.#named.set(keyOf(id), pipe);
  }

  /** Take a pipe out; one that has lost its name to another is not in. */
  remove(pipe: Pipe): void {
    const id = pipe.routingId;
    if (id === null || this.find(id) !== pipe) return;
    if (id.length === GENERATED_OCTETS && id[0] === 0) this.#numbered.delete(numberOf(id));
    else this.#named.delete(keyOf(id));
  }

  /** A name that no pipe has. */
  generate(): Buffer {
    const id = Buffer.alloc(GENERATED_OCTETS);
    do {
      id.writeUInt32BE(this.#counter, 1);
      this.#counter = (this.#counter + 1) >>> 0;
    } while (this.#numbered.has(numberOf(id)));
    return id;
  }
}

function numberOf(id: Uint8Array): number {
  return ((id[1] << 24) | (id[2] << 16) | (id[3] << 8) | id[4]) >>> 0;
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer as ArrayBuffer, id.byteOffset, id.byteLength).toString("latin1");
}
