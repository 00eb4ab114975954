/**
 * Encodes messages for the same peers once. What a publisher sends to the same subscribers in one turn of the event loop
 * becomes one run of bytes, which is handed to each of their pipes at the end of the turn. A message then costs the same
 * for two subscribers as for a thousand. Hot path: nothing is allocated per message. Knows pipes, but not topics.
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

/** Larger messages are not gathered here: copying them would cost more than encoding them once saves. */
const SHARED_MAX = 1024;
/** At most this many bytes stay unused at the end of a slab. */
const SLAB_REST = 2 * SHARED_MAX;
/** A run of at least this size keeps its slab; a shorter one is copied to be kept. */
const LASTING_BYTES = LARGE_SLAB_BYTES / 4;

/** The publisher's high-water marks, read at each use, so that a change takes effect at once (G7). */
export interface SharedLimits {
  readonly sendHighWaterMark: number;
  readonly sendHighWaterMarkBytes: number;
}

/** Bytes of a message with headers of the greatest length; Infinity for one that is too large to share. */
function sharedBytes(message: OutMessage): number {
  const bytes = encodedBytes(message);
  return bytes <= SHARED_MAX ? bytes : Number.POSITIVE_INFINITY;
}

export class SharedBatch {
  /** The peers for which messages are being gathered; null for none. */
  members: readonly Pipe[] | null = null;
  readonly #limits: SharedLimits;
  readonly #shared: Shared;
  #scheduler: FlushScheduler | null = null;
  #slab: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #messages = 0;
  /** Messages and bytes that the fullest member accepts. */
  #room = 0;
  #roomBytes = 0;
  #mark = 0;
  #markBytes = 0;
  /** Messages of this turn, shared or not, and the peers that got the last one. */
  #sentThisTurn = 0;
  #previous: readonly Pipe[] | null = null;
  #busy = false;
  /** A member had no room, or accepts no shared bytes: do not try again in this turn. */
  #refused = false;

  /** @param budget what all pipes of the socket hold unsent */
  constructor(limits: SharedLimits, budget: Budget) {
    this.#limits = limits;
    this.#shared = new Shared(budget);
  }

  /** Adds a message for the members; false when it is too large to share, or a member has no room for it. */
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
   * Starts to gather for these peers, beginning with this message. That pays only if the previous message went to the same
   * peers; and the first message of a quiet turn must be written at once.
   * @returns false when it does not pay or a peer has no room: then the caller sends the message to each peer
   */
  begin(members: readonly Pipe[], message: OutMessage): boolean {
    if (members !== this.#previous || this.#refused || !(this.#busy || this.#sentThisTurn > 0)) return false;
    if (members.length < 2 || sharedBytes(message) > SHARED_MAX) return false;
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
      if (!pipe.shares || pipe.conflate || !pipe.hasRoom()) return false;
      this.#room = Math.min(this.#room, pipe.room);
      this.#roomBytes = Math.min(this.#roomBytes, pipe.roomBytes);
    }
    return true;
  }

  /** Notes that a message was sent to each of these peers separately. */
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

  /** Hands the gathered messages to the members' pipes. Call before any of these pipes is used or counted otherwise. */
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
    // A short run would keep a whole slab alive: pipes that keep it keep a copy, and the slab is reused.
    const lasting = bytes.length >= LASTING_BYTES;
    if (lasting) this.#start = this.#end;
    else this.#end = this.#start;
    if (messages === 0) return;
    shared.set(bytes, messages, lasting);
    for (let i = 0; i < members.length; i++) members[i].sendShared(shared, flush);
    shared.clear();
  }

  /** Called by the scheduler at the end of the turn of the event loop. */
  endOfTurn(): void {
    this.#scheduler = null;
    this.#busy = this.#sentThisTurn > 1;
    this.#sentThisTurn = 0;
    this.#refused = false;
    if (!this.#busy) this.#previous = null;
    if (this.members !== null) this.#hand(true);
  }

  /** A peer came, left or changed, so the remembered peers are outdated. */
  reset(): void {
    this.settle();
    this.#previous = null;
  }
}
