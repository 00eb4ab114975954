/**
 * The memory of one socket for loans: the program fills a loan, gives it to send(), and peers on this machine read it
 * where it is. It consists of chunks, each divided into slots of one size. A chunk is as large as all that may be lent, because
 * pages that no loan has touched cost nothing, and each chunk has to be offered to each peer. Knows no connections.
 */
import { LEAST_LENT_BYTES, type Lent, registerLent } from "../base/lent.js";
import { Buffer } from "../base/platform.js";
import { roundedUp } from "../base/rounding.js";
import type { Lending } from "../engine/pipe.js";
import { keepTogether } from "../transport/contract/keep-together.js";
import type { LoanMemory } from "../transport/contract/transport.js";

/** If the system has no room for all that may be lent, a chunk has so many bytes, or one slot. */
const LEAST_CHUNK_BYTES = 32 * 1024 * 1024;

/** Memory that the program fills and then gives to send(). */
export type Loan = Buffer & {
  /** Gives it back unsent; its memory is gone then. Does nothing after send(). */
  release(): void;
  /** The same. */
  [Symbol.dispose](): void;
};

/** What the pool needs to know of its socket. */
export interface PoolOwner {
  /** The most bytes of slots in use. */
  readonly maxLoanedBytes: number;
  /** Makes memory that peers can map; undefined where that cannot be had. */
  newMemory(bytes: number): LoanMemory | undefined;
  now(): number;
  /** A slot has become free. */
  roomForLoans(): void;
  /** Lets go of everything that peers have read by now. */
  reclaim(): void;
}

/** One piece of memory, divided into slots of one size. It counts who uses each slot. */
export class Chunk implements Lent {
  /** Some peer reads it. */
  byReference = false;
  readonly memory: LoanMemory;
  readonly slotBytes: number;
  readonly pool: LoanPool;
  /** Somebody who has left may still look at a slot, so that nothing may be written here any more. */
  retired = false;
  /** Slots in use. */
  used = 0;
  /** All of it: views for batches are made of this, because the program's own are taken away when it sends. */
  readonly #bytes: Buffer;
  readonly #users: Uint32Array;
  /** What the program has and has not sent, by slot. An array, because each loan comes and goes. */
  readonly #given: (Given | undefined)[] = [];
  #peak = 0;
  #closing = false;
  readonly #free: number[] = [];

  constructor(pool: LoanPool, memory: LoanMemory, slotBytes: number, slots: number) {
    this.pool = pool;
    this.memory = memory;
    this.slotBytes = slotBytes;
    this.#bytes = Buffer.from(memory.memory);
    this.#users = new Uint32Array(slots);
    for (let slot = slots - 1; slot >= 0; slot--) this.#free.push(slot);
    keepTogether(this.#bytes);
    registerLent(memory.memory, this);
  }

  /** Bytes of pages that loans have touched: free slots are used again, the last one first. */
  get touched(): number {
    return this.#peak * this.slotBytes;
  }

  /** It is unmapped. */
  get gone(): boolean {
    return this.#closing && this.used === 0;
  }

  get hasRoom(): boolean {
    return !this.retired && this.#free.length > 0;
  }

  /** A free slot, which has one user now. There must be one. */
  take(): number {
    const slot = this.#free.pop() as number;
    this.#users[slot] = 1;
    this.#peak = Math.max(this.#peak, ++this.used);
    return slot;
  }

  /** A part of a slot, as zwire sends it. */
  view(slot: number, at: number, bytes: number): Buffer {
    const start = slot * this.slotBytes + at;
    return this.#bytes.subarray(start, start + bytes);
  }

  /** The program has a slot now. */
  give(loan: Given): void {
    this.#given[loan.slot] = loan;
  }

  /** The program has it no more. */
  giveBack({ slot }: Given): void {
    this.#given[slot] = undefined;
    this.drop(slot);
  }

  /** Loans that the program has and has not sent. */
  *given(): Generator<Given> {
    for (const loan of this.#given) if (loan !== undefined) yield loan;
  }

  hold(view: Uint8Array): void {
    this.#users[this.#slotOf(view)]++;
  }

  letGo(view: Uint8Array): void {
    this.drop(this.#slotOf(view));
  }

  drop(slot: number): void {
    if (--this.#users[slot] > 0) return;
    this.used--;
    this.#free.push(slot);
    if (this.#closing) this.close();
    else this.pool.freed(this);
  }

  /** No further loan is made here: our mapping goes when the last slot is free. */
  close(): void {
    this.#closing = true;
    this.memory.close();
    if (this.used === 0) this.memory.detach(this.memory.memory);
  }

  /** The holder has gone without giving the view back. It may still look at it: nothing may be written there any more. */
  lose(view: Uint8Array): void {
    this.retired = true;
    this.letGo(view);
  }

  lend(view: Uint8Array): Uint8Array {
    return this.keep(view); // no program borrows from itself: over inproc parts are copied
  }

  keep(view: Uint8Array): Uint8Array {
    const copy = Buffer.allocUnsafeSlow(view.length);
    copy.set(view);
    this.letGo(view);
    return copy;
  }

  #slotOf(view: Uint8Array): number {
    return Math.floor(view.byteOffset / this.slotBytes);
  }
}

/** A loan that the program has and has not sent. */
class Given {
  readonly chunk: Chunk;
  readonly slot: number;
  readonly bytes: number;
  readonly since: number;

  constructor(chunk: Chunk, slot: number, bytes: number, since: number) {
    this.chunk = chunk;
    this.slot = slot;
    this.bytes = bytes;
    this.since = since;
  }
}

/** What the programs of this thread have, by their memory. */
const given = new WeakMap<ArrayBufferLike, Given>();
let outstanding = 0;
/** Loans that the program has dropped without sending them. */
const dropped = new FinalizationRegistry<Given>((loan) => giveBack(loan));

function giveBack(loan: Given): void {
  outstanding--;
  loan.chunk.giveBack(loan);
}

/** Takes a loan from the program: its views of it have no bytes from now on. */
function takeAway(memory: ArrayBuffer): void {
  const loan = given.get(memory);
  if (loan === undefined) return;
  given.delete(memory);
  dropped.unregister(loan);
  loan.chunk.memory.detach(memory);
  giveBack(loan);
}

/** The parts of a message, in zwire's own views where they are loans; the same array, or part, if none is. */
export function sendable<M extends Uint8Array | Uint8Array[]>(message: M): M {
  if (outstanding === 0) return message;
  if (!Array.isArray(message)) return ownView(message as Uint8Array) as M;
  return message.some((part) => given.has(part.buffer)) ? (message.map(ownView) as M) : message;
}

function ownView(part: Uint8Array): Uint8Array {
  const loan = given.get(part.buffer);
  return loan === undefined ? part : loan.chunk.view(loan.slot, part.byteOffset, part.length);
}

/** The program has given this message to send(): takes its loans away. */
export function handedOver(message: Uint8Array | Uint8Array[]): void {
  for (const part of Array.isArray(message) ? message : [message]) takeAway(part.buffer as ArrayBuffer);
}

/** A Buffer with the methods of a loan. A class, because properties of its own cost a Buffer a microsecond. */
class LoanView extends Uint8Array<ArrayBuffer> {
  release(): void {
    takeAway(this.buffer);
  }

  [Symbol.dispose](): void {
    takeAway(this.buffer);
  }
}
Object.setPrototypeOf(LoanView.prototype, Buffer.prototype);
// What is made from a loan, as by map(), is an ordinary Buffer.
Reflect.deleteProperty(LoanView.prototype, "constructor");

function asLoan(memory: ArrayBuffer): Loan {
  return new LoanView(memory) as Loan;
}

/** All chunks of one socket. */
export class LoanPool {
  readonly #owner: PoolOwner;
  #chunks: Chunk[] = [];
  /** Loans for which there was no room, so that they are copied. */
  copied = 0;

  constructor(owner: PoolOwner) {
    this.#owner = owner;
  }

  /** Loans that the program has and has not sent. */
  *given(): Generator<Lending> {
    for (const chunk of this.#chunks) yield* chunk.given();
  }

  /** Bytes of slots in use. */
  get loanedBytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.used * chunk.slotBytes, 0);
  }

  /** A loan of so many bytes, not cleared. Ordinary memory if the pool has none, or for few bytes. */
  loan(bytes: number): Loan {
    return this.tryLoan(bytes) ?? this.#ordinary(bytes);
  }

  /** undefined if the pool has no room now. */
  tryLoan(bytes: number): Loan | undefined {
    if (bytes < LEAST_LENT_BYTES || !this.possible(bytes)) return undefined;
    const slotBytes = roundedUp(bytes);
    if (!this.#allows(slotBytes)) this.#owner.reclaim();
    const chunk = this.#allows(slotBytes) ? (this.#free(slotBytes) ?? this.#newChunk(slotBytes)) : undefined;
    return chunk === undefined ? undefined : this.#give(chunk, chunk.take(), bytes);
  }

  #allows(slotBytes: number): boolean {
    return this.loanedBytes + slotBytes <= this.#owner.maxLoanedBytes;
  }

  /** A chunk with a free slot of this size. */
  #free(slotBytes: number): Chunk | undefined {
    return this.#chunks.find((chunk) => chunk.slotBytes === slotBytes && chunk.hasRoom);
  }

  /** Whether the pool could ever have room for so much. */
  possible(bytes: number): boolean {
    return roundedUp(bytes) <= this.#owner.maxLoanedBytes;
  }

  #ordinary(bytes: number): Loan {
    if (bytes >= LEAST_LENT_BYTES) this.copied++;
    return asLoan(Buffer.allocUnsafeSlow(bytes).buffer);
  }

  #give(chunk: Chunk, slot: number, bytes: number): Loan | undefined {
    const memory = chunk.memory.view(slot * chunk.slotBytes, bytes);
    if (memory === undefined) {
      chunk.drop(slot);
      return undefined;
    }
    const view = asLoan(memory);
    keepTogether(view);
    const loan = new Given(chunk, slot, bytes, this.#owner.now());
    given.set(memory, loan);
    dropped.register(memory, loan, loan);
    chunk.give(loan);
    outstanding++;
    return view;
  }

  #newChunk(slotBytes: number): Chunk | undefined {
    const { maxLoanedBytes } = this.#owner;
    const touched = this.#chunks.reduce((sum, chunk) => sum + chunk.touched, 0);
    if (touched + slotBytes > maxLoanedBytes) this.#forget((chunk) => chunk.used === 0);
    for (const wanted of [maxLoanedBytes, LEAST_CHUNK_BYTES, slotBytes]) {
      const slots = Math.floor(Math.min(wanted, maxLoanedBytes) / slotBytes);
      const memory = slots === 0 ? undefined : this.#owner.newMemory(slots * slotBytes);
      if (memory === undefined) continue;
      const chunk = new Chunk(this, memory, slotBytes, slots);
      this.#chunks.push(chunk);
      return chunk;
    }
    return undefined;
  }

  /** Called by a chunk: one of its slots is free. */
  freed(chunk: Chunk): void {
    if (chunk.retired && chunk.used === 0) this.#forget((other) => other === chunk);
    this.#owner.roomForLoans();
  }

  /** Its pages go back to the system when nothing of it is in use, and no peer maps it any more. */
  #forget(which: (chunk: Chunk) => boolean): void {
    for (const chunk of this.#chunks) if (which(chunk)) chunk.close();
    this.#chunks = this.#chunks.filter((chunk) => !which(chunk));
  }

  /** The socket is closed. */
  close(): void {
    this.#forget(() => true);
  }
}
