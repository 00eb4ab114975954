/**
 * The outgoing side of a connection over which loans are passed by reference: in place of a part that lies in a pool, it
 * writes a command that says where. The peer must have mapped the pool; until it has said so, parts are copied. Everybody
 * above writes, and counts, the bytes of whole messages.
 */
import { anyLent, LEAST_LENT_BYTES, lentBody } from "../base/lent.js";
import { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import { readLength } from "../engine/frame-header.js";
import type { Lending } from "../engine/pipe.js";
import type { SharedMemory, Stream } from "../transport/contract/transport.js";
import { COMMAND, LONG, LONG_HEADER, MORE } from "../wire/frame-format.js";
import { LEND_FRAME_BYTES, parsePool, parseReturn, writeLend } from "../wire/zmtp/lending.js";
import { Chunk } from "./loan-pool.js";
import { Numbered } from "./numbered.js";
import { Positions } from "./positions.js";

/** Most pools that are offered to one peer, which refuses more. */
const MOST_POOLS = 1024;

interface LentView extends Lending {
  readonly chunk: Chunk;
  readonly view: Uint8Array;
  /** The position behind its command, in memory; 0 if it went by the socket. */
  end: number;
}

/** A chunk that the peer has been offered. */
interface Offered {
  readonly index: number;
  /** Whether the peer can read it; undefined until it has answered. */
  usable: boolean | undefined;
}

export class Lender {
  readonly #stream: Stream;
  readonly #runtime: Runtime;
  /** null until it is needed, to save memory on idle connections. */
  #offered: Map<Chunk, Offered> | null = null;
  #offers = 0;
  readonly #lent = new Numbered<LentView>();
  /** null until the peer can read a chunk: before that, both counts are the same. */
  #positions: Positions | null = null;
  #memory: SharedMemory | null = null;

  constructor(stream: Stream, runtime: Runtime) {
    this.#stream = stream;
    this.#runtime = runtime;
  }

  /** What the peer has. */
  get lent(): Iterable<Lending> {
    return this.#lent.all();
  }

  // As the stream's

  /** As Stream.write. */
  write(segments: readonly Uint8Array[]): number {
    const carried = anyLent() && segments.some(inChunk) ? this.#withLoans(segments) : segments;
    const positions = this.#positions;
    if (positions === null) return this.#stream.write(carried);
    if (carried === segments) for (const segment of segments) positions.pass(segment.length);
    const left = this.#stream.write(carried);
    if (left > 0) return this.pending(left);
    if (this.#memory === null) positions.restart(0);
    return 0;
  }

  get untaken(): number {
    return this.pending(this.#stream.untaken);
  }

  /** Plain bytes for so many carried ones at the end of what was written. */
  pending(carried: number): number {
    const positions = this.#positions;
    return positions === null ? carried : positions.plain - positions.plainAt(positions.carried - carried);
  }

  /** From now on, bytes go through this memory. All that were written before have been taken. */
  through(memory: SharedMemory): SharedMemory {
    this.#memory = memory;
    this.#positions?.restart(0);
    for (const lent of this.#lent.all()) lent.end = 0;
    return new PlainProgress(memory, () => this.#positions);
  }

  // Lending

  #withLoans(segments: readonly Uint8Array[]): readonly Uint8Array[] {
    const carried: Uint8Array[] = [];
    let commands: Buffer | null = null;
    /** Commands that are written and not in `carried` yet. */
    let from = 0;
    let to = 0;
    const push = (segment: Uint8Array): void => {
      if (to > from) carried.push((commands as Buffer).subarray(from, to));
      from = to;
      carried.push(segment);
      this.#positions?.pass(segment.length);
    };
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i];
      const part = segments[i + 1];
      const pool = part !== undefined && announces(segment, part.length) ? this.#poolOf(part) : -1;
      if (pool < 0) {
        push(segment);
        continue;
      }
      const header = segment.length - LONG_HEADER;
      if (header > 0) push(segment.subarray(0, header));
      commands ??= Buffer.allocUnsafe((segments.length - i) * LEND_FRAME_BYTES);
      this.#lend(commands, to, part, pool, (segment[header] & MORE) !== 0);
      to += LEND_FRAME_BYTES;
      i++;
    }
    if (to > from) carried.push((commands as Buffer).subarray(from, to));
    return carried;
  }

  #lend(commands: Buffer, at: number, view: Uint8Array, pool: number, more: boolean): void {
    const chunk = lentBody(view) as Chunk;
    const positions = this.#positions as Positions;
    positions.replace(LONG_HEADER + view.length, LEND_FRAME_BYTES);
    chunk.hold(view);
    const { byteOffset: offset, length } = view;
    const since = this.#runtime.now();
    const id = this.#lent.add({ chunk, view, end: positions.carried, bytes: length, since });
    writeLend(commands, at, { id, pool, offset, length, more });
  }

  /** The number by which the peer knows the memory of a part; -1 if it is none of a pool, or the peer cannot read it yet. */
  #poolOf(part: Uint8Array): number {
    const chunk = lentBody(part);
    if (!(chunk instanceof Chunk)) return -1;
    const offered = this.#offered?.get(chunk);
    if (offered === undefined) this.#offer(chunk);
    return offered?.usable === true ? offered.index : -1;
  }

  #offer(chunk: Chunk): void {
    this.#offered ??= new Map();
    for (const other of this.#offered.keys()) if (other.gone) this.#offered.delete(other);
    const index = this.#offers;
    // What cannot be sent gets no number.
    if (index >= MOST_POOLS || this.#stream.offer?.(chunk.memory) !== true) return;
    this.#offers++;
    this.#offered.set(chunk, { index, usable: undefined });
  }

  // From the peer

  /** The peer has answered an offer. False: it has broken the rules. */
  answered(data: Buffer): boolean {
    const answer = parsePool(data);
    if (answer === undefined) return false;
    for (const [chunk, offered] of this.#offered ?? []) {
      if (offered.index !== answer.pool) continue;
      if (offered.usable !== undefined) return false;
      offered.usable = answer.usable;
      if (!answer.usable) return true;
      chunk.byReference = true;
      this.#begin();
      return true;
    }
    return false;
  }

  #begin(): void {
    if (this.#positions !== null) return;
    this.#positions = new Positions();
    // A write may be under way: its rest is plain.
    const written = this.#memory === null ? 0 : this.#memory.written;
    this.#positions.restart(written + this.#stream.unsent);
  }

  /** The peer gives parts back. False: it has broken the rules. */
  returned(data: Buffer): boolean {
    const ids = parseReturn(data);
    if (ids === undefined) return false;
    for (const id of ids) {
      const lent = this.#lent.take(id);
      if (lent === undefined) return false;
      lent.chunk.letGo(lent.view);
    }
    return true;
  }

  /**
   * The connection has ended. The program at the other side may still look at what it has not given back.
   * @param byPeer whether the peer ended it: then it has not got what it had not read
   */
  close(byPeer: boolean): void {
    const read = byPeer && this.#memory !== null ? this.#memory.passed : Number.POSITIVE_INFINITY;
    for (const { chunk, view, end } of this.#lent.all()) {
      if (end > read) chunk.letGo(view);
      else chunk.lose(view);
    }
    this.#lent.clear();
    this.#offered = null;
  }
}

/** How far a peer has read, in bytes of whole messages. */
class PlainProgress implements SharedMemory {
  readonly #memory: SharedMemory;
  readonly #positions: () => Positions | null;

  constructor(memory: SharedMemory, positions: () => Positions | null) {
    this.#memory = memory;
    this.#positions = positions;
  }

  get written(): number {
    const { written } = this.#memory;
    return this.#positions()?.plainAt(written) ?? written;
  }

  get passed(): number {
    const { passed } = this.#memory;
    const positions = this.#positions();
    if (positions === null) return passed;
    positions.forget(passed);
    return positions.plainAt(passed);
  }

  /** Positions are plain bytes already. */
  unread(_segments: readonly Uint8Array[], behind: number): number {
    return Math.max(0, behind);
  }

  extent(_segments: readonly Uint8Array[], bytes: number): number {
    return bytes;
  }
}

function inChunk(segment: Uint8Array): boolean {
  return lentBody(segment) instanceof Chunk;
}

/** Whether a segment ends with the header of a part of so many bytes. */
function announces(segment: Uint8Array, bytes: number): boolean {
  const at = segment.length - LONG_HEADER;
  if (bytes < LEAST_LENT_BYTES || at < 0) return false;
  const flags = segment[at];
  return (flags & LONG) !== 0 && (flags & COMMAND) === 0 && readLength(segment, at + 1) === bytes;
}
