/**
 * The incoming side of a connection over which a peer passes parts by reference: it finds them in the memory that the peer
 * has offered, and tells the peer when nobody needs them any more. In queues lie views, which cost no memory, so that a
 * reference of a few bytes cannot make us copy gigabytes. A program that borrows gets the view; any other gets a copy when
 * it takes the message, and the peer gets its memory back at once.
 */
import { LEAST_LENT_BYTES, type Lent, registerLent } from "../base/lent.js";
import { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import { BodyView } from "../engine/incoming/body-view.js";
import type { Lending } from "../engine/pipe.js";
import { keepTogether } from "../transport/contract/keep-together.js";
import type { PeerPool } from "../transport/contract/transport.js";
import { encodePool, encodeReturn, type LentPart, parseLend } from "../wire/zmtp/lending.js";

/** What the borrower needs from its session. */
export interface BorrowerOwner {
  readonly runtime: Runtime;
  /** How many bytes of this peer's memory the program may hold. */
  readonly maxBorrowedBytes: number;
  sendControl(bytes: Uint8Array): void;
}

/** A part that lies in the peer's memory. */
interface Held extends Lending {
  bytes: number;
  since: number;
  /** The names by which the peer has lent it: it may have sent the same part twice. */
  readonly ids: number[];
  users: number;
  /** Whether the program has borrowed it. */
  borrowed: boolean;
}

/** Most objects for parts that wait to be used again. */
const SPARE = 256;

/** Memory of the peer, mapped for reading. */
class PeerMemory implements Lent {
  readonly byReference = false;
  /** By offset. */
  readonly held = new Map<number, Held>();
  readonly #borrower: Borrower;
  readonly #pool: PeerPool;
  /** The connection has ended: it goes when the program holds nothing of it. */
  #closing = false;

  constructor(borrower: Borrower, pool: PeerPool) {
    this.#borrower = borrower;
    this.#pool = pool;
    keepTogether(Buffer.from(pool.memory));
    registerLent(pool.memory, this);
  }

  get memory(): ArrayBuffer {
    return this.#pool.memory;
  }

  close(): void {
    this.#closing = true;
    if (this.held.size === 0) this.#pool.close();
  }

  hold(view: Uint8Array): void {
    const offset = this.#find(view);
    if (offset >= 0) (this.held.get(offset) as Held).users++;
  }

  letGo(view: Uint8Array): void {
    const offset = this.#find(view);
    if (offset < 0) return;
    const held = this.held.get(offset) as Held;
    if (--held.users > 0) return;
    this.held.delete(offset);
    this.#borrower.giveBack(held);
    if (this.#closing && this.held.size === 0) this.#pool.close();
  }

  /** Where the part begins that this view is a view of; -1 if there is none. */
  #find(view: Uint8Array): number {
    const at = view.byteOffset;
    if (this.held.has(at)) return at;
    for (const [offset, { bytes }] of this.held) if (offset <= at && at < offset + bytes) return offset;
    return -1;
  }

  lend(view: Uint8Array): Uint8Array {
    const held = this.held.get(this.#find(view));
    return held !== undefined && this.#borrower.mayBorrow(held) ? view : this.keep(view);
  }

  keep(view: Uint8Array): Uint8Array {
    const copy = copied(view);
    this.letGo(view);
    return copy;
  }
}

export class Borrower {
  readonly #owner: BorrowerOwner;
  /** By number; undefined for one that could not be mapped. */
  readonly #memories: (PeerMemory | undefined)[] = [];
  /** Bytes that the program has borrowed. */
  #bytes = 0;
  /** Objects for further parts: each part needs one, and they would all be garbage. */
  readonly #spare: Held[] = [];
  /** What goes back when the turn ends. */
  #returns: number[] = [];
  #closed = false;

  constructor(owner: BorrowerOwner) {
    this.#owner = owner;
  }

  /** What the program holds. */
  *held(): Generator<Lending> {
    for (const memory of this.#memories) if (memory !== undefined) yield* memory.held.values();
  }

  /** The peer has offered memory; undefined if it could not be mapped. */
  offered(memory: PeerPool | undefined): void {
    const pool = this.#memories.length;
    this.#memories.push(memory === undefined ? undefined : new PeerMemory(this, memory));
    this.#owner.sendControl(encodePool(pool, memory !== undefined));
  }

  /** The part that a LEND command refers to; undefined if the command is malformed, or refers to memory that is not there. */
  find(data: Buffer): LentPart | undefined {
    const part = parseLend(data);
    const memory = part === undefined ? undefined : this.#memories[part.pool]?.memory;
    if (part === undefined || memory === undefined) return undefined;
    return part.length >= LEAST_LENT_BYTES && part.offset + part.length <= memory.byteLength
      ? part
      : undefined;
  }

  /** The bytes of a part that was found. */
  take(part: LentPart): Buffer {
    const memory = this.#memories[part.pool] as PeerMemory;
    const held = memory.held.get(part.offset);
    if (held === undefined) {
      memory.held.set(part.offset, this.#newHeld(part));
    } else {
      held.ids.push(part.id);
      held.users++;
    }
    return new BodyView(memory.memory, part.offset, part.length);
  }

  #newHeld({ id, length }: LentPart): Held {
    const since = this.#owner.runtime.now();
    const held = this.#spare.pop();
    if (held === undefined) return { ids: [id], users: 1, bytes: length, since, borrowed: false };
    held.ids.push(id);
    held.users = 1;
    held.bytes = length;
    held.since = since;
    held.borrowed = false;
    return held;
  }

  /** Whether the program may hold this part, too. */
  mayBorrow(held: Held): boolean {
    if (held.borrowed) return true;
    if (this.#bytes + held.bytes > this.#owner.maxBorrowedBytes) return false;
    this.#bytes += held.bytes;
    held.borrowed = true;
    return true;
  }

  /** Nobody needs a part any more. */
  giveBack(held: Held): void {
    if (held.borrowed) this.#bytes -= held.bytes;
    for (const id of held.ids) this.#return(id);
    held.ids.length = 0;
    if (this.#spare.length < SPARE) this.#spare.push(held);
  }

  #return(id: number): void {
    if (this.#closed) return;
    this.#returns.push(id);
    if (this.#returns.length > 1) return;
    this.#owner.runtime.nextTick(() => {
      const ids = this.#returns;
      this.#returns = [];
      if (!this.#closed) this.#owner.sendControl(encodeReturn(ids));
    });
  }

  /** The connection has ended. What the program holds stays readable. */
  close(): void {
    this.#closed = true;
    for (const memory of this.#memories) memory?.close();
  }
}

function copied(view: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(view.length);
  copy.set(view);
  return copy;
}
