/**
 * inproc: two pipes of one thread joined directly; messages pass by reference. Commands do not exist here (R22),
 * subscriptions are calls. The pipe holds the sum of the sender's and the receiver's marks (G6). A connector's pipe
 * that waits for its name may instead become a stream pipe, when the name is bound in another thread: one object all
 * the way, because socket types remember the pipe that took a message (REQ). Knows no names: who is joined to whom
 * is decided in session/inproc.ts.
 */

import { Fifo } from "../base/fifo.js";
import { bytesNow, isSpoiled, type Message, type OutMessage, toReceived, unshared } from "../base/message.js";
import { FREE_BYTES } from "../engine/budget.js";
import { heldBytes } from "../engine/message-size.js";
import type { Shared } from "../engine/outgoing/shared-run.js";
import type { FlushScheduler, PipeLimits, PipeOwner, ReachedLimit } from "../engine/pipe.js";
import { StreamPipe } from "../engine/stream-pipe.js";

/** Runs a function after the current one has returned, so that two sockets never call into each other's callers. */
export type Defer = (run: () => void) => void;

export class DirectPipe extends StreamPipe {
  override readonly outlivesConnection: boolean = false;
  /** Over a stream to another thread: StreamPipe does everything then. */
  #overStream = false;
  #other: DirectPipe | null = null;
  /** Before the other side exists: messages of a connector whose name is not bound yet (R20). */
  readonly #waiting = new Fifo<Message>();
  #waitingBytes = 0;
  #full = false;
  #wakeScheduled = false;
  /** A queued message may have become smaller than it was. */
  #miscounted = false;
  readonly #defer: Defer;
  readonly #onFail: (error: Error) => void;
  readonly #onSpoiled: (pipe: DirectPipe) => void;

  constructor(
    owner: PipeOwner,
    limits: PipeLimits,
    scheduler: FlushScheduler,
    defer: Defer,
    onFail: (error: Error) => void,
    onSpoiled: (pipe: DirectPipe) => void,
  ) {
    super(owner, limits, scheduler);
    this.#defer = defer;
    this.#onFail = onFail;
    this.#onSpoiled = onSpoiled;
  }

  /** Join two ends; what was queued before goes over now. */
  static join(a: DirectPipe, b: DirectPipe): void {
    a.#other = b;
    b.#other = a;
    a.#handOver();
    b.#handOver();
  }

  #handOver(): void {
    const other = this.#other as DirectPipe;
    for (let message = this.#takeWaiting(); message !== null; message = this.#takeWaiting()) {
      if (isSpoiled(message)) this.#tellSpoiled();
      else this.#pass(other, message);
    }
    this.limitsChanged();
  }

  /** The name is bound in another thread: what was queued goes by a stream. To be linked next. */
  becomeStream(): void {
    for (let message = this.#takeWaiting(); message !== null; message = this.#takeWaiting()) {
      if (isSpoiled(message)) this.#tellSpoiled();
      else this.append(message.length === 1 ? message[0] : message);
    }
    this.#overStream = true;
    if (!this.#full) return;
    this.#full = false;
    if (super.hasRoom()) this.owner.pipeWritable(this); // else StreamPipe has noted the refusal
  }

  get joined(): boolean {
    return this.#other !== null;
  }

  override get linked(): boolean {
    return this.#overStream ? super.linked : this.joined;
  }

  /** Part the ends. Messages already passed stay readable on either side (G4). */
  separate(): void {
    const other = this.#other;
    this.#other = null;
    if (other !== null) other.#other = null;
  }

  /** What has been passed is with the peer. */
  override get outboundLength(): number {
    return this.#overStream ? super.outboundLength : this.#waiting.length;
  }

  get #outboundMessages(): number {
    return this.#other === null ? this.#waiting.length : this.#other.inboundLength;
  }

  get #outboundBytes(): number {
    return this.#other === null ? this.#waitingBytes : this.#other.inboundBytes;
  }

  override get shares(): boolean {
    return this.#overStream; // within one thread messages are passed as they are
  }

  override hasRoom(): boolean {
    if (this.#overStream) return super.hasRoom();
    if (!this.#full && this.#filledTo(1)) {
      this.#full = true;
      this.#awaitBudget();
    }
    return !this.#full;
  }

  /** Whether a mark, or that share of it, is reached. Marks of both sides add up; no mark on one side is no mark (G6). */
  #filledTo(share: number): boolean {
    const { sendHighWaterMark, sendHighWaterMarkBytes, conflate } = this.limits;
    if (conflate) return false;
    const other = this.#other;
    const theirs = other?.limits;
    const unlimited = sendHighWaterMark === 0 || theirs?.receiveHighWaterMark === 0;
    const mark = sendHighWaterMark + (theirs?.receiveHighWaterMark ?? 0);
    if (!unlimited && this.#outboundMessages >= Math.max(1, mark * share)) return true;
    const bytes = this.#outboundBytes;
    const byteMark = sendHighWaterMarkBytes + (theirs?.receiveHighWaterMarkBytes ?? 0);
    if (byteMark > 0 && bytes >= Math.max(1, byteMark * share)) return true;
    if (bytes < FREE_BYTES) return false;
    const budget = other === null ? this.owner.unsent : other.owner.received;
    return share < 1 ? !budget.low : budget.full;
  }

  /** Infinity for none. */
  get #mark(): number {
    const { sendHighWaterMark } = this.limits;
    const theirs = this.#other?.limits.receiveHighWaterMark;
    if (sendHighWaterMark === 0 || theirs === 0) return Number.POSITIVE_INFINITY;
    return sendHighWaterMark + (theirs ?? 0);
  }

  /** 0 for none. */
  get #markBytes(): number {
    return this.limits.sendHighWaterMarkBytes + (this.#other?.limits.receiveHighWaterMarkBytes ?? 0);
  }

  /** Told by the pipe that holds the messages, or by our own socket while nobody does. */
  #awaitBudget(): void {
    const other = this.#other;
    if (other === null) {
      if (this.owner.unsent.full) this.owner.unsent.wait(this);
    } else if (other.owner.received.full) other.owner.received.wait(other);
  }

  override budgetFell(): void {
    super.budgetFell();
    this.#wake();
    const other = this.#other;
    if (other !== null) other.#wake();
  }

  override get reached(): ReachedLimit {
    if (this.#overStream) return super.reached;
    const messages = this.#outboundMessages;
    if (messages >= this.#mark) return { limit: "sendHighWaterMark", value: messages };
    const bytes = this.#outboundBytes;
    return this.#markBytes > 0 && bytes >= this.#markBytes
      ? { limit: "sendHighWaterMarkBytes", value: bytes }
      : { limit: "maxQueuedBytes", value: bytes };
  }

  override dropOldest(): number {
    if (this.#overStream) return super.dropOldest();
    const other = this.#other;
    let dropped = 0;
    do {
      if (other === null) this.#takeWaiting();
      else if (other.inboundLength > 0) {
        other.forgetOldest();
        other.#miscounted = true; // perhaps
      }
      dropped++;
    } while (this.#filledTo(1) && this.#outboundMessages > 0);
    this.#full = false;
    return dropped;
  }

  /** The oldest message that waits for the other side, or null. When it was the last one nothing counts any more. */
  #takeWaiting(): Message | null {
    const message = this.#waiting.shift();
    if (message === undefined) return null;
    const bytes = this.#waiting.length === 0 ? this.#waitingBytes : heldBytes(message);
    this.#waitingBytes -= bytes;
    this.owner.unsent.remove(bytes);
    return message;
  }

  override discardOutbound(): number {
    if (this.#overStream) return super.discardOutbound();
    const lost = this.#waiting.length;
    while (this.#takeWaiting() !== null);
    return lost;
  }

  /** A message was dropped. Told later: a listener may close the socket. */
  #tellSpoiled(): void {
    this.#defer(() => this.#onSpoiled(this));
  }

  override trySend(message: OutMessage): boolean {
    if (this.#overStream) return super.trySend(message);
    if (!this.hasRoom()) return false;
    const own = toReceived(unshared(message));
    if (this.#other !== null) this.#pass(this.#other, own);
    else {
      if (this.limits.conflate) this.#takeWaiting();
      this.#waiting.push(own);
      const bytes = heldBytes(own);
      this.#waitingBytes += bytes;
      this.owner.unsent.add(bytes);
    }
    return true;
  }

  override trySendShared(shared: Shared, message: OutMessage): boolean {
    return this.#overStream ? super.trySendShared(shared, message) : this.trySend(message);
  }

  #pass(other: DirectPipe, message: Message): void {
    other.deliver(message);
    if (other.inboundLength > 0 && !other.#wakeScheduled) {
      other.#wakeScheduled = true;
      this.#defer(() => {
        other.#wakeScheduled = false;
        if (other.inboundLength > 0) other.owner.pipeReadable(other);
      });
    }
  }

  override read(): Message | undefined {
    let message = super.read();
    if (message !== undefined && (message.length > 1 || bytesNow(message[0]) === 0)) {
      message = this.#unspoiled(message);
    }
    if (this.#miscounted) this.#recount();
    const other = this.#other;
    if (other !== null) other.#wake();
    return message;
  }

  /** The message, or the next that has its memory yet. */
  #unspoiled(read: Message): Message | undefined {
    let message: Message | undefined = read;
    while (message !== undefined && isSpoiled(message)) {
      this.#miscounted = true;
      this.#tellSpoiled();
      const other = this.#other;
      if (other !== null) other.#tellSpoiled();
      message = super.read();
    }
    return message;
  }

  /** What a message counted that became smaller in the queue is known when the queue is empty. */
  #recount(): void {
    if (this.inboundLength > 0) return;
    this.#miscounted = false;
    this.clearCount();
  }

  /** G8: a sender that was refused goes on when half is read. */
  #wake(): void {
    if (!this.#full || this.#filledTo(0.5)) return;
    this.#full = false;
    this.overflowing = false;
    this.#defer(() => this.owner.pipeWritable(this));
  }

  override limitsChanged(): void {
    if (this.#overStream) {
      super.limitsChanged();
      return;
    }
    this.#admit();
    const other = this.#other;
    if (other !== null) other.#admit();
  }

  #admit(): void {
    if (!this.#full || this.#filledTo(1)) return;
    this.#full = false;
    this.overflowing = false;
    this.owner.pipeWritable(this);
  }

  override sendSubscription(topic: Buffer, subscribe: boolean): void {
    const other = this.#other;
    if (this.#overStream) super.sendSubscription(topic, subscribe);
    else if (other !== null) other.owner.pipeSubscription(other, topic, subscribe);
  }

  override fail(error: Error): void {
    if (this.#overStream) super.fail(error);
    else this.#onFail(error);
  }
}
