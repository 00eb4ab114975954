/**
 * A pipe that encodes outgoing messages into batches for a session's stream. Does no I/O and uses no clock: it asks its
 * link to write a batch. Hot path: nothing is allocated per message except the bytes that the batch copies.
 */

import { assert } from "../base/assert.js";
import { fronted } from "../base/carried.js";
import type { OutMessage } from "../base/message.js";
import { type Budget, FREE_BYTES } from "./budget.js";
import { LinkedPipe, type PipeLink, type PipeOutlet } from "./linked-pipe.js";
import { Batch } from "./outgoing/batch.js";
import { Leftover, NOTHING_LEFT } from "./outgoing/leftover.js";
import { Newest } from "./outgoing/newest.js";
import { encodedBytes, type Shared } from "./outgoing/shared-run.js";
import { LARGE_SLAB_BYTES } from "./outgoing/slab-pool.js";
import { type Progress, Unread } from "./outgoing/unread.js";
import { lowWaterMark } from "./pipe.js";

/** A pipe over a session's stream. Without a link (a dialled pipe that waits for its peer) it queues up to the mark. */
export class StreamPipe extends LinkedPipe {
  override onEmpty: (() => void) | null = null;
  /** There is one while there is a link. */
  #outlet: PipeOutlet | null = null;
  /** Messages being gathered. */
  #open = new Batch();
  /** The batch that the stream has not completely taken. */
  #sealed: Batch | null = null;
  /** What lost connections have left: it is sent before everything else. */
  leftover = NOTHING_LEFT;
  /** With shared memory: the batches that the peer has not read. */
  #unread: Unread | null = null;
  #spare: Batch | null = null;
  #full = false;
  #dirty = false;
  #sentThisTurn = 0;
  #busy = false;
  /** Unsent bytes of all pipes of the socket, and the part of them that this pipe has reported. */
  readonly #budget: Budget = this.owner.unsent;
  #told = 0;
  /** Accept the next message regardless of the marks: dropOldest() made room for it. */
  #forced = false;
  /** What waits if the pipe conflates, in place of an open batch. */
  readonly #newest = this.conflatesSent ? new Newest(this.#budget, this.conflate === true) : null;

  override get outboundLength(): number {
    this.gathering?.settle();
    return this.#messages;
  }

  override get outboundBytes(): number {
    this.gathering?.settle();
    return this.#bytes;
  }

  /** What waits. */
  get #messages(): number {
    const sealed = this.#sealed === null ? 0 : this.#sealed.messages;
    const newest = this.#newest === null ? 0 : this.#newest.messages;
    return this.#open.messages + sealed + this.leftover.messages + newest;
  }

  get #bytes(): number {
    const sealed = this.#sealed === null ? 0 : this.#sealed.bytes;
    const newest = this.#newest === null ? 0 : this.#newest.bytes;
    return this.#open.bytes + sealed + this.leftover.bytes + newest;
  }

  override trySend(message: OutMessage): boolean {
    if (this.#newest !== null) return this.#tryNewest(this.#newest, message, null);
    if (!this.#makeRoom()) return false;
    this.#open.append(this.carries ? fronted(message) : message);
    this.#written();
    return true;
  }

  /** Queues bytes without framing (STREAM). */
  trySendRaw(bytes: Uint8Array): boolean {
    if (!this.#makeRoom()) return false;
    this.#open.appendRaw(bytes);
    this.#written();
    return true;
  }

  /** Queues a message that was accepted earlier, without checking the marks again. */
  protected append(message: OutMessage): void {
    const encoded = this.carries ? fronted(message) : message;
    if (this.#newest === null) this.#open.append(encoded);
    else this.#newest.put(this.#newest.topicOf(message), encoded, null);
  }

  override trySendShared(shared: Shared, message: OutMessage): boolean {
    if (this.#newest !== null) return this.#tryNewest(this.#newest, message, shared);
    if (!this.#makeRoom()) return false;
    this.#open.appendShared(shared);
    this.#written();
    return true;
  }

  override get shares(): boolean {
    return !this.carries;
  }

  override sendShared(shared: Shared, flush: boolean): void {
    this.#open.appendShared(shared);
    this.#sentThisTurn += shared.messages;
    const outlet = this.#outlet;
    if (outlet === null) this.#account();
    else if (flush || this.#open.bytes >= LARGE_SLAB_BYTES) {
      outlet.flush();
      this.#account();
    } else if (!this.#dirty) {
      this.#dirty = true;
      this.scheduler.add(this);
    }
  }

  /** With `conflate` there is always room, because one message waits (G14). */
  override hasRoom(): boolean {
    return this.conflate === true || this.#makeRoom();
  }

  /** Queues a message in the place of an older one, which has room if it is not larger. */
  #tryNewest(newest: Newest, message: OutMessage, shared: Shared | null): boolean {
    const topic = newest.topicOf(message);
    const encoded = this.carries ? fronted(message) : message;
    if (this.conflate !== true) {
      const older = newest.bytesOf(topic);
      const room = older === undefined ? this.#makeRoom() : this.#mayGrow(encodedBytes(encoded) - older);
      if (!room) return false;
    }
    newest.put(topic, encoded, shared);
    this.#written();
    return true;
  }

  #makeRoom(): boolean {
    if (this.gathering !== null) this.gathering.settle();
    if (!this.#atMark()) return true;
    const forced = this.#forced;
    this.#forced = false;
    this.#outlet?.flush();
    return forced || !this.#atMark() || this.#refuse();
  }

  /** Whether so many bytes more may wait, without one more message. */
  #mayGrow(bytes: number): boolean {
    if (bytes <= 0 || !this.#atByteMark()) return true;
    this.#outlet?.flush();
    return !this.#atByteMark() || this.#refuse();
  }

  #refuse(): false {
    this.#full = true;
    if (this.#budget.full) this.#budget.wait(this);
    return false;
  }

  #atMark(): boolean {
    return this.#atOwnMark() || (this.#bytes >= FREE_BYTES && this.#budget.full);
  }

  #atOwnMark(): boolean {
    const { sendHighWaterMark, sendHighWaterMarkBytes } = this.limits;
    if (sendHighWaterMark > 0 && this.#messages >= sendHighWaterMark) return true;
    return sendHighWaterMarkBytes > 0 && this.#bytes >= sendHighWaterMarkBytes;
  }

  #atByteMark(): boolean {
    const { sendHighWaterMarkBytes } = this.limits;
    if (sendHighWaterMarkBytes > 0 && this.#bytes >= sendHighWaterMarkBytes) return true;
    return this.#bytes >= FREE_BYTES && this.#budget.full;
  }

  /**
   * Keeps the batch that is being written, and drops the oldest of the others. If none are queued, the new message is
   * accepted above the mark, so that the newest always gets through.
   */
  override dropOldest(): number {
    const newest = this.#newest;
    const waiting = newest !== null && newest.messages > 0 ? newest : this.#open;
    let dropped = 0;
    do {
      if (waiting.messages === 0) break;
      waiting.dropOldest();
      dropped++;
    } while (newest === null ? this.#atOwnMark() : this.#atMark());
    this.#account();
    this.#forced = this.#atMark();
    return dropped;
  }

  /** Reports to the socket's budget how much waits here. Messages that the kernel takes at once are never reported. */
  #account(): void {
    const own =
      this.#open.ownBytes + this.leftover.bytes + (this.#sealed === null ? 0 : this.#sealed.ownBytes);
    const more = own - this.#told;
    if (more === 0) return;
    this.#told = own;
    if (more > 0) this.#budget.add(more);
    else this.#budget.remove(-more);
  }

  /** Called by the budget: other pipes hold less. */
  override budgetFell(): void {
    super.budgetFell();
    this.limitsChanged();
  }

  /**
   * The flush policy: writes the first message of a quiet turn at once, and gathers those that follow until the turn ends
   * or a slab is full. After a turn that gathered, the next turn gathers from its first message on: writing the first
   * message of every busy turn alone caused half of all system calls.
   */
  #written(): void {
    const outlet = this.#outlet;
    if (outlet === null) {
      if (this.#open.bytes >= LARGE_SLAB_BYTES) this.#account();
      return;
    }
    this.#sentThisTurn++;
    if (!this.#dirty) {
      this.#dirty = true;
      this.scheduler.add(this);
      if (!this.#busy) outlet.flush();
    } else if (this.#open.bytes >= LARGE_SLAB_BYTES) {
      if (this.#open.load >= LARGE_SLAB_BYTES) outlet.flush();
      this.#account();
    }
  }

  /** Called by the scheduler at the end of the turn of the event loop. */
  override endOfTurn(): void {
    this.#dirty = false;
    this.#busy = this.#sentThisTurn > 1;
    this.#sentThisTurn = 0;
    this.#outlet?.flush();
    if (this.#open.bytes >= LARGE_SLAB_BYTES) this.#account();
  }

  /** For the session: the batch to write now, or null. It stays with the pipe until taken() or broken(). */
  takeBatch(): Batch | null {
    const batch = this.#nextBatch();
    if (batch !== null && this.carries) batch.refront(this.peerCarries);
    return batch;
  }

  #nextBatch(): Batch | null {
    if (this.#sealed !== null) return null;
    if (this.leftover.messages > 0) {
      this.#sealed = this.leftover.take() as Batch;
      return this.#sealed;
    }
    this.#newest?.moveTo(this.#open, LARGE_SLAB_BYTES);
    if (this.#open.bytes === 0) return null;
    this.#sealed = this.#open;
    this.#open = this.#spare ?? new Batch();
    this.#spare = null;
    return this.#sealed;
  }

  /** Called by the session when the kernel, or shared memory, has taken the batch. Wakes a sender if there is room. */
  taken(): void {
    const sealed = this.#sealed;
    if (sealed !== null) {
      this.takenMessages += sealed.messages;
      this.takenBytes += sealed.bytes;
    }
    if (this.#unread === null) {
      this.leftover.forget();
      this.#recycle();
    } else this.#keep(this.#unread);
    this.#wake();
    if (this.onEmpty !== null && this.outboundLength === 0) this.onEmpty();
  }

  #recycle(): void {
    const batch = this.#sealed;
    assert(batch !== null, "a pipe was told of a batch that it had not given");
    this.#sealed = null;
    this.#reuse(batch);
    if (this.#told > 0) this.#account();
  }

  #reuse(batch: Batch): void {
    this.#spare = batch;
    batch.release(); // this may make room for other pipes, which then send
  }

  /** Keeps the batch until the peer has read it, and reuses those that it has read. */
  #keep(unread: Unread): void {
    const batch = this.#sealed;
    assert(batch !== null, "a pipe was told of a batch that it had not given");
    this.#sealed = null;
    if (!unread.add(batch)) this.#reuse(batch);
    this.progressed();
    if (this.#told > 0) this.#account();
  }

  override progressed(): void {
    for (const read of this.#unread?.takeRead() ?? []) {
      this.leftover.forget();
      this.#reuse(read);
    }
  }

  /** Called by the session: from now on, messages go to the peer through memory that both share. */
  throughMemory(progress: Progress): void {
    this.sharesMemory = true;
    // Of a conflating socket only the newest message counts: what was written is not sent again.
    if (this.conflate !== true) this.#unread = new Unread(progress);
    this.owner.pipeSharesMemory(this);
  }

  #wake(): void {
    if (this.#full && this.#belowMark()) this.#room();
  }

  override limitsChanged(): void {
    if (this.#full && !this.#atMark()) this.#room();
  }

  #room(): void {
    this.#full = false;
    this.overflowing = false;
    this.owner.pipeWritable(this);
  }

  #belowMark(): boolean {
    const { sendHighWaterMark, sendHighWaterMarkBytes } = this.limits;
    if (sendHighWaterMark > 0 && this.outboundLength > lowWaterMark(sendHighWaterMark)) return false;
    const bytes = this.#bytes;
    if (sendHighWaterMarkBytes > 0 && bytes > lowWaterMark(sendHighWaterMarkBytes)) return false;
    return bytes < FREE_BYTES || !this.#budget.full;
  }

  /** The session is ready: sends what has been queued. */
  link(link: PipeLink, outlet: PipeOutlet): void {
    this.#outlet = outlet;
    this.connectionMade(link);
    outlet.flush();
  }

  /**
   * The connection is gone, and with it the messages that the kernel has taken, or that the peer has read from shared
   * memory. A message that was taken in part is sent again whole on the next connection. Wakes no sender: only the owner
   * knows whether the pipe continues, and then calls limitsChanged(). If the pipe ends instead, its queue is dropped, and
   * a woken send would lose its message.
   * @param pending bytes at the end of what was written that were not taken
   * @param byPeer whether the peer ended the connection
   */
  unlink(pending: number, byPeer: boolean): void {
    this.#outlet = null;
    this.connectionLost();
    const begun = this.#unread?.reclaim(byPeer) ?? [];
    if (this.#sealed !== null) begun.push([this.#sealed, pending]);
    this.sharesMemory = false;
    this.#unread = null;
    this.#sealed = null;
    if (this.leftover === NOTHING_LEFT && begun.length > 0) this.leftover = new Leftover();
    for (const batch of this.leftover.add(begun, byPeer, this.limits.maxResends)) this.#reuse(batch);
    if (this.#told > 0 || this.leftover.bytes > 0) this.#account();
    if (begun.length > 0 && this.onEmpty !== null && this.outboundLength === 0) this.onEmpty();
  }

  /** Drops everything not yet taken (the peer of an accepted pipe left, `immediate`, or the linger time is over). */
  override discardOutbound(): number {
    const lost = this.outboundLength;
    const unread = this.#unread?.reclaim(true).map(([batch]) => batch) ?? [];
    const batches = [...unread, ...this.leftover.clear(), this.#sealed, this.#open];
    this.#sealed = null;
    this.#unread = null;
    this.#open = new Batch();
    this.#newest?.clear();
    for (const batch of batches) batch?.letGo();
    this.#account();
    return lost;
  }
}
