/**
 * inproc within a thread: two pipes that are joined directly, and pass messages by reference. There are no commands
 * (R22); a subscription is a function call. The pipe's mark is the sum of the sender's and the receiver's marks (G6).
 * While a connector waits for its name, its pipe queues messages. If the name is bound in another thread, the pipe
 * becomes a stream pipe. It stays the same object then, because some socket types (REQ) remember the pipe that took a
 * message. registry.ts decides which pipes are joined.
 */

import { carry, sendCarrying, sent, strip } from "../base/carried.js";
import { Fifo } from "../base/fifo.js";
import {
  bytesNow,
  independent,
  isSpoiled,
  type Message,
  type OutMessage,
  toReceived,
} from "../base/message.js";
import type { Buffer } from "../base/platform.js";
import { FREE_BYTES } from "../engine/budget.js";
import { heldBytes, messageBytes } from "../engine/message-size.js";
import type { Shared } from "../engine/outgoing/shared-run.js";
import type { FlushScheduler, PipeLimits, PipeOwner, ReachedLimit, Tally } from "../engine/pipe.js";
import { StreamPipe } from "../engine/stream-pipe.js";

/**
 * Runs a function after the current call has returned, so that one socket never runs code in the middle of another's
 * call.
 */
export type Defer = (run: () => void) => void;

export class DirectPipe extends StreamPipe {
  override readonly outlivesConnection: boolean = false;
  /** Whether it goes over a stream to another thread. If so, StreamPipe does all the work. */
  #overStream = false;
  #other: DirectPipe | null = null;
  /** Messages of a connector whose name is not bound yet (R20). */
  readonly #waiting = new Fifo<Message>();
  #waitingBytes = 0;
  #full = false;
  #wakeScheduled = false;
  /** What waits is being passed on: nothing newer may be sent before it. */
  #handing = false;
  /** Whether a queued message may have become smaller, so that the byte count may be too high. */
  #miscounted = false;
  readonly #defer: Defer;
  readonly #onFail: (error: Error) => void;
  readonly #onSpoiled: (pipe: DirectPipe) => void;

  constructor(
    owner: PipeOwner,
    limits: PipeLimits,
    scheduler: FlushScheduler,
    conflate: boolean | "topic",
    defer: Defer,
    onFail: (error: Error) => void,
    onSpoiled: (pipe: DirectPipe) => void,
  ) {
    super(owner, limits, scheduler, conflate);
    this.#defer = defer;
    this.#onFail = onFail;
    this.#onSpoiled = onSpoiled;
  }

  /** Joins two ends, and passes on what each has queued. */
  static join(a: DirectPipe, b: DirectPipe): void {
    a.#other = b;
    b.#other = a;
    a.#handing = true;
    b.#handing = true;
    a.#handOver();
    b.#handOver();
    a.#handing = false;
    b.#handing = false;
    a.limitsChanged();
  }

  /** Passes queued messages to the other end. */
  #handOver(): void {
    const other = this.#other as DirectPipe;
    for (let message = this.#takeWaiting(); message !== null; message = this.#takeWaiting()) {
      if (isSpoiled(message)) this.#tellSpoiled();
      else this.#pass(other, message);
    }
  }

  /**
   * The name is bound in another thread: turns into a stream pipe, with the queued messages. It must be linked next.
   */
  becomeStream(): void {
    for (let message = this.#takeWaiting(); message !== null; message = this.#takeWaiting()) {
      if (isSpoiled(message)) this.#tellSpoiled();
      else if (this.carries) sendCarrying(message, (parts) => this.#appended(parts));
      else this.append(message.length === 1 ? message[0] : message);
    }
    this.#overStream = true;
    if (!this.#full) return;
    this.#full = false;
    if (super.hasRoom()) this.owner.pipeWritable(this); // if it has no room, StreamPipe has noted that and tells later
  }

  #appended(message: OutMessage): true {
    this.append(message);
    return true;
  }

  get joined(): boolean {
    return this.#other !== null;
  }

  override get linked(): boolean {
    return this.#overStream ? super.linked : this.joined;
  }

  /** Separates the ends. Each end can still read the messages that were passed to it (G4). */
  separate(): void {
    const other = this.#other;
    this.#other = null;
    if (other !== null) other.#other = null;
  }

  /** Messages that have been passed do not count: the peer has them. */
  override get outboundLength(): number {
    return this.#overStream ? super.outboundLength : this.#waiting.length;
  }

  override get outboundBytes(): number {
    return this.#overStream ? super.outboundBytes : this.#waitingBytes;
  }

  /** Nobody notes when messages are passed within a thread. */
  override get tally(): Tally | undefined {
    const other = this.#other;
    if (this.#overStream || other === null) return super.tally;
    return { messages: other.takenMessages, bytes: other.takenBytes, heardAt: -1, mechanism: null };
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

  /**
   * Whether a mark, or this share of it, is reached. The marks of both sides are added; if one side has no limit, there
   * is none (G6).
   */
  #filledTo(share: number): boolean {
    const { sendHighWaterMark, sendHighWaterMarkBytes } = this.limits;
    if (this.conflate === true) return false;
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

  /** The mark of both sides in messages; Infinity if there is none. */
  get #mark(): number {
    const { sendHighWaterMark } = this.limits;
    const theirs = this.#other?.limits.receiveHighWaterMark;
    if (sendHighWaterMark === 0 || theirs === 0) return Number.POSITIVE_INFINITY;
    return sendHighWaterMark + (theirs ?? 0);
  }

  /** The mark of both sides in bytes; 0 if there is none. */
  get #markBytes(): number {
    return this.limits.sendHighWaterMarkBytes + (this.#other?.limits.receiveHighWaterMarkBytes ?? 0);
  }

  /**
   * Waits for the byte budget of the socket that holds the messages: the peer's, or our own while the pipe is not
   * joined.
   */
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
        other.#miscounted = true; // the message may have become smaller before
      }
      dropped++;
    } while (this.#filledTo(1) && this.#outboundMessages > 0);
    this.#full = false;
    return dropped;
  }

  /** Takes the oldest message that waits for the other side, or null. With the last one, the byte count becomes 0. */
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

  /** Tells that a message was dropped. Deferred, because a listener may close the socket. */
  #tellSpoiled(): void {
    this.#defer(() => this.#onSpoiled(this));
  }

  override trySend(message: OutMessage): boolean {
    if (this.#overStream) return super.trySend(message);
    if (!this.hasRoom() && !this.#takesPlace(message)) return false;
    const own = toReceived(independent(message));
    if (this.carries) carry(own, sent());
    if (this.#other !== null) this.#pass(this.#other, own);
    else {
      if (this.conflate === true) this.#takeWaiting();
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

  /** Either side may want only the newest of each topic: there is one queue between them (G6). */
  get #conflatesTopics(): boolean {
    if (this.conflate === "topic" && this.conflatesSent) return true;
    const other = this.#other;
    return other !== null && other.conflate === "topic" && other.conflatesReceived;
  }

  /** Whether a message only replaces one that waits. */
  #takesPlace(message: OutMessage): boolean {
    const other = this.#other;
    return other !== null && this.#conflatesTopics && other.coveredByNewest(toReceived(message));
  }

  /** What the sender conflates is conflated here: there is one queue between the two. */
  override enqueue(message: Message): void {
    const other = this.#other;
    const theirs = other?.conflate;
    if (theirs === true) this.conflateInbound();
    const byTopic = theirs === "topic" && other?.conflatesSent === true;
    if (!byTopic || !this.putNewest(message)) super.enqueue(message);
  }

  #pass(other: DirectPipe, message: Message): void {
    if (this.carries && !other.carries) strip(message);
    this.takenMessages++;
    this.takenBytes += message.length === 1 ? message[0].length : messageBytes(message);
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

  /** The message, or the next one whose memory has not been transferred. */
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

  /** Corrects the byte count when the queue is empty. How much smaller a message became is not known before. */
  #recount(): void {
    if (this.inboundLength > 0) return;
    this.#miscounted = false;
    this.clearCount();
  }

  /** G8: lets a sender that was refused continue when half of the mark has been read. */
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

  /** Lets a sender that was refused continue as soon as the mark is not reached. */
  #admit(): void {
    if (!this.#full || this.#handing || this.#filledTo(1)) return;
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
