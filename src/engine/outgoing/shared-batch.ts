/**
 * Messages that go to the same peers, encoded once: what a publisher sends in one turn of the event loop to the same
 * subscribers is one run of bytes, handed to each of their pipes when the turn ends. A message then costs the same
 * for two subscribers as for a thousand. Hot path: nothing here allocates per message. Knows pipes, no topics.
 */

import type { OutMessage } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";
import * as frameFormat from "../../wire/frame-format.js";
import type { Budget } from "../budget.js";
import { writeFrameHeader } from "../frame-header.js";
import type { FlushScheduler, Pipe } from "../pipe.js";
import { encodedBytes, Shared } from "./shared-run.js";
import { LARGE_SLAB_BYTES, newSlab } from "./slab-pool.js";

// Constants of this module: see frame-format.ts.
const { MORE } = frameFormat;

/** Larger messages are not shared: pipes gather them by reference, or copying them is what costs. */
const SHARED_MAX = 1024;
/** Less than this is left unused at the end of a slab. */
const SLAB_REST = 2 * SHARED_MAX;
/** From here on a run may keep the slab that it is in. */
const LASTING_BYTES = LARGE_SLAB_BYTES / 4;

/** The publisher's marks, read afresh: a change takes effect at once (G7). */
export interface SharedLimits {
  readonly sendHighWaterMark: number;
  readonly sendHighWaterMarkBytes: number;
  readonly conflate: boolean;
}

/** Bytes of a message with its headers at their longest; Infinity for one that is not to be shared. */
function sharedBytes(message: OutMessage): number {
  const bytes = encodedBytes(message);
  return bytes <= SHARED_MAX ? bytes : Number.POSITIVE_INFINITY;
}

export class SharedBatch {
  /** Whose messages are being gathered; null when nobody's are. */
  members: readonly Pipe[] | null = null;
  readonly #limits: SharedLimits;
  readonly #shared: Shared;
  #scheduler: FlushScheduler | null = null;
  #slab: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #messages = 0;
  /** What the fullest member may still take. */
  #room = 0;
  #roomBytes = 0;
  #mark = 0;
  #markBytes = 0;
  /** Messages of this turn, shared or not, and to whom the last one went. */
  #sentThisTurn = 0;
  #previous: readonly Pipe[] | null = null;
  #busy = false;
  /** Somebody had no room, or takes no bytes: not to be asked again before the next turn. */
  #refused = false;

  /** @param budget what all pipes of the socket hold unsent */
  constructor(limits: SharedLimits, budget: Budget) {
    this.#limits = limits;
    this.#shared = new Shared(budget);
  }

  /** Add a message for the members; false when it is not one to share, or somebody has no room for it. */
  append(message: OutMessage): boolean {
    const limits = this.#limits;
    if (this.#messages >= this.#room || this.#end - this.#start >= this.#roomBytes) return false;
    if (this.#mark !== limits.sendHighWaterMark || this.#markBytes !== limits.sendHighWaterMarkBytes)
      return false;
    if (this.#end + sharedBytes(message) > this.#slab.length) return false;
    if (Array.isArray(message)) {
      const last = message.length - 1;
      for (let i = 0; i < last; i++) this.#frame(message[i], MORE);
      this.#frame(message[last], 0);
    } else {
      this.#frame(message, 0);
    }
    this.#messages++;
    this.#sentThisTurn++;
    return true;
  }

  #frame(body: Uint8Array, flags: number): void {
    const at = writeFrameHeader(this.#slab, this.#end, flags, body.length);
    if (body.length !== 0) this.#slab.set(body, at);
    this.#end = at + body.length;
  }

  /**
   * Gather for these peers from now on, beginning with this message. Only what follows another message to the same ones
   * is worth it, and the first of a quiet turn has to go at once.
   * @returns false when it is not worth it, or when a peer has no room: then the message is to be sent to each
   */
  begin(members: readonly Pipe[], message: OutMessage): boolean {
    if (members !== this.#previous || this.#refused || !(this.#busy || this.#sentThisTurn > 0)) return false;
    if (members.length < 2 || this.#limits.conflate || sharedBytes(message) > SHARED_MAX) return false;
    if (!this.#measureRoom(members)) {
      this.#refused = true;
      return false;
    }
    this.#mark = this.#limits.sendHighWaterMark;
    this.#markBytes = this.#limits.sendHighWaterMarkBytes;
    if (this.#slab.length - this.#end < SLAB_REST) {
      this.#slab = newSlab(LARGE_SLAB_BYTES);
      this.#start = 0;
      this.#end = 0;
    }
    this.members = members;
    for (let i = 0; i < members.length; i++) members[i].gathering = this;
    this.#schedule(members);
    return this.append(message);
  }

  #measureRoom(members: readonly Pipe[]): boolean {
    this.#room = Number.POSITIVE_INFINITY;
    this.#roomBytes = Number.POSITIVE_INFINITY;
    for (let i = 0; i < members.length; i++) {
      const pipe = members[i];
      if (!pipe.shares || !pipe.hasRoom()) return false;
      this.#room = Math.min(this.#room, pipe.room);
      this.#roomBytes = Math.min(this.#roomBytes, pipe.roomBytes);
    }
    return true;
  }

  /** A message has gone to each of these peers by itself. */
  passed(members: readonly Pipe[]): void {
    this.#previous = members;
    this.#sentThisTurn++;
    this.#schedule(members);
  }

  #schedule(members: readonly Pipe[]): void {
    if (this.#scheduler !== null) return;
    if (members.length === 0) return;
    this.#scheduler = members[0].scheduler;
    this.#scheduler.add(this);
  }

  /** Hand what is gathered to the members' pipes: before any of them is used otherwise, or counted. */
  settle(): void {
    if (this.members !== null) this.#hand(false);
  }

  #hand(flush: boolean): void {
    const members = this.members as readonly Pipe[];
    const bytes = this.#slab.subarray(this.#start, this.#end);
    const messages = this.#messages;
    const shared = this.#shared;
    this.members = null;
    this.#messages = 0;
    for (let i = 0; i < members.length; i++) members[i].gathering = null;
    // A short run would keep a slab for itself: who keeps it keeps a copy, and the slab is used again.
    const lasting = bytes.length >= LASTING_BYTES;
    if (lasting) this.#start = this.#end;
    else this.#end = this.#start;
    if (messages === 0) return;
    shared.set(bytes, messages, lasting);
    for (let i = 0; i < members.length; i++) members[i].sendShared(shared, flush);
    shared.clear();
  }

  /** From the scheduler: this turn of the event loop is over. */
  endOfTurn(): void {
    this.#scheduler = null;
    this.#busy = this.#sentThisTurn > 1;
    this.#sentThisTurn = 0;
    this.#refused = false;
    if (!this.#busy) this.#previous = null;
    if (this.members !== null) this.#hand(true);
  }

  /** A peer comes, goes or changes: what was true of the last messages' peers is not any more. */
  reset(): void {
    this.settle();
    this.#previous = null;
  }
}
