/**
 * One peer's two bounded queues, as patterns see them, and the incoming one. stream-pipe.ts sends through a session's
 * stream, direct-pipe.ts joins two sockets of one thread. Knows no I/O and no clock. Hot path.
 */

import type { Peer } from "../base/events.js";
import { Fifo } from "../base/fifo.js";
import type { Message, OutMessage } from "../base/message.js";
import type { Buffer } from "../base/platform.js";
import { type Budget, FREE_BYTES, type Waiting } from "./budget.js";
import type { FrameFilter, FrameRun } from "./incoming/frame-run.js";
import type { OpenMessage } from "./incoming/open-message.js";
import { heldBytes, PART_COST } from "./message-size.js";
import type { Shared } from "./outgoing/shared-run.js";

/** The socket's marks, read afresh each time so that a change takes effect at once (G7). 0 = no limit (G5). */
export interface PipeLimits {
  readonly sendHighWaterMark: number;
  readonly sendHighWaterMarkBytes: number;
  readonly receiveHighWaterMark: number;
  readonly receiveHighWaterMarkBytes: number;
  readonly conflate: boolean;
  /** How often a message is sent again that peers end their connections within; -1 for as often as it takes. */
  readonly maxResends: number;
}

/** Calls `endOfTurn` of each that was added, once, when the current turn of the event loop is over. */
export interface FlushScheduler {
  add(gathering: { endOfTurn(): void }): void;
}

/** The socket's side of its pipes. */
export interface PipeOwner {
  /** What all pipes of the socket hold: received and not read, accepted and not sent. */
  readonly received: Budget;
  readonly unsent: Budget;
  /** Reading from the pipe's peer stopped because of what all pipes hold. */
  pipeHeldBack(pipe: Pipe): void;
  /** Messages have arrived; called once per chunk, not per message. */
  pipeReadable(pipe: Pipe): void;
  /** A pipe that had refused a message has room again. */
  pipeWritable(pipe: Pipe): void;
  /** The peer subscribed to or cancelled a topic. */
  pipeSubscription(pipe: Pipe, topic: Buffer, subscribe: boolean): void;
}

/** A limit on what waits to be sent. */
export interface ReachedLimit {
  readonly limit: "sendHighWaterMark" | "sendHighWaterMarkBytes" | "maxQueuedBytes";
  /** Messages or bytes that count against it. */
  readonly value: number;
}

/** Consumes a message on arrival; true when it is dealt with and must not be queued. */
export type Interceptor = (pipe: Pipe, message: Message) => boolean;

/** Half of a mark is where a full queue counts as having room again (G8). */
export const lowWaterMark = (mark: number): number => mark >> 1;

export abstract class Pipe implements Waiting {
  /** The peer at the other end; undefined while a dialled pipe waits for its first handshake. */
  peer: Peer | undefined = undefined;
  /** Whether a fair queue holds this pipe; its own bookkeeping. */
  queued = false;
  /** Whether a load balancer may offer it messages; its own bookkeeping. */
  active = false;
  /** The name by which a socket that routes by name knows the peer; set before the handshake where connect() gave it. */
  routingId: Buffer | null = null;
  /** Set by socket types that look at messages on arrival. */
  intercept: Interceptor | null = null;
  /** Whether it may lose its connection and get another; over inproc it ends with it. */
  readonly outlivesConnection: boolean = true;
  /** Gathers messages for this pipe and others. They come before anything that is sent otherwise. */
  gathering: { settle(): void } | null = null;
  /** Tells when the turn is over. */
  readonly scheduler: FlushScheduler;
  /** Has refused a message, that was told, and it has had no room since; bookkeeping of who tells it. */
  overflowing = false;
  /** As `intercept`, of messages that are not made yet: set by socket types that only want some. */
  filter: FrameFilter | null = null;
  readonly #inbound = new Fifo<Message | FrameRun | OpenMessage>();
  #inboundLength = 0;
  /** Taken from the queue, and not yet empty. */
  #run: FrameRun | OpenMessage | null = null;
  protected readonly owner: PipeOwner;
  protected readonly limits: PipeLimits;
  readonly #budget: Budget;
  /** What is queued counts, and what has come of a message without its end. */
  #inboundBytes = 0;
  #openBytes = 0;
  #throttled = false;

  constructor(owner: PipeOwner, limits: PipeLimits, scheduler: FlushScheduler) {
    this.scheduler = scheduler;
    this.owner = owner;
    this.limits = limits;
    this.#budget = owner.received;
  }

  /** Queue one whole message; false when a high-water mark forbids it, and then pipeWritable follows. */
  abstract trySend(message: OutMessage): boolean;
  /** As trySend, for a message that is encoded once for many peers. */
  abstract trySendShared(shared: Shared, message: OutMessage): boolean;
  /** Whether what is encoded once for many peers may be sent with sendShared(). */
  abstract get shares(): boolean;
  /** Messages that the pipe takes before its mark is reached. */
  abstract get room(): number;
  /** Bytes that the pipe takes before its mark is reached; the message that reaches the mark may go beyond. */
  abstract get roomBytes(): number;
  /**
   * Queues messages that were encoded together for many peers; there is room for them.
   * @param flush the turn is over: write at once
   */
  abstract sendShared(shared: Shared, flush: boolean): void;
  /** Whether trySend would accept a message now; after false, pipeWritable follows. */
  abstract hasRoom(): boolean;
  /** Tell the peer about one of our subscriptions; not subject to high-water marks. */
  abstract sendSubscription(topic: Buffer, subscribe: boolean): void;
  /** Which limit refused a message, and what stands at it. */
  abstract get reached(): ReachedLimit;
  /** Drop the oldest messages that wait, so that the next is taken. Answers how many were dropped. */
  abstract dropOldest(): number;
  /** Drop everything not yet taken; answers how much that was. */
  abstract discardOutbound(): number;
  /** The application broke nothing, the peer did: close this connection with an event. */
  abstract fail(error: Error): void;
  /** A mark has been raised, perhaps: a sender that was refused may have room now (G7). */
  abstract limitsChanged(): void;
  /** Whether there is a connection now. */
  abstract get linked(): boolean;
  /** Messages accepted and not yet taken by the kernel or the peer. */
  abstract get outboundLength(): number;
  protected abstract pauseReading(): void;
  protected abstract resumeReading(): void;

  /** Messages received and not yet read. */
  get inboundLength(): number {
    return this.#inboundLength;
  }

  /** A message has arrived. */
  deliver(message: Message): void {
    if (!this.intercept?.(this, message)) this.enqueue(message);
  }

  /** Many messages have arrived. */
  deliverRun(run: FrameRun): void {
    if (this.filter !== null) run.retain(this.filter);
    else if (this.intercept !== null) {
      while (run.length > 0) this.deliver(run.shift());
      return;
    }
    if (run.length === 0) return;
    if (this.limits.conflate) {
      while (run.length > 0) this.enqueue(run.shift());
      return;
    }
    this.#queue(run);
  }

  /** A message of very many parts has arrived. */
  deliverLong(message: OpenMessage): void {
    if (this.filter !== null) {
      if (!message.wanted(this.filter)) return;
    } else if (this.intercept !== null) {
      this.deliver(message.shift());
      return;
    }
    if (this.limits.conflate) this.discardInbound();
    this.#queue(message);
  }

  #queue(run: FrameRun | OpenMessage): void {
    this.#inbound.push(run);
    this.#inboundLength += run.length;
    this.#hold(run.cost);
  }

  #hold(bytes: number): void {
    this.#inboundBytes += bytes;
    this.#budget.add(bytes);
  }

  #letGo(bytes: number): void {
    this.#inboundBytes -= bytes;
    this.#budget.remove(bytes);
  }

  /** Put a message where the application will read it. */
  enqueue(message: Message): void {
    if (this.limits.conflate) {
      this.discardInbound(); // only the newest survives (G14)
    }
    this.#inbound.push(message);
    this.#inboundLength++;
    const bytes = message.length === 1 ? message[0].length + PART_COST : heldBytes(message);
    this.#inboundBytes += bytes;
    this.#budget.held += bytes;
  }

  /** The peer subscribed to or cancelled a topic. */
  subscription(topic: Buffer, subscribe: boolean): void {
    this.owner.pipeSubscription(this, topic, subscribe);
  }

  /**
   * The end of a chunk: enforce the receive marks and wake the socket.
   * @param openBytes what has come of a message without its end counts
   */
  delivered(openBytes: number): void {
    if (openBytes !== this.#openBytes) this.#begun(openBytes);
    if (!this.#throttled && this.#mustPause()) {
      this.#throttled = true;
      this.pauseReading();
    }
    if (this.#inboundLength > 0) this.owner.pipeReadable(this);
  }

  #begun(openBytes: number): void {
    const more = openBytes - this.#openBytes;
    this.#openBytes = openBytes;
    if (more > 0) this.#budget.add(more);
    else this.#budget.remove(-more);
    if (openBytes === 0) this.#budget.done(this);
  }

  /** The next message of this peer, or undefined. */
  read(): Message | undefined {
    if (this.#inboundLength === 0) return undefined;
    this.#inboundLength--;
    const message = this.#take();
    if (this.#throttled && this.#belowMark()) this.#readOn();
    return message;
  }

  /** Put the oldest unread messages behind the others. */
  moveToEnd(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#inboundLength--;
      this.enqueue(this.#take());
    }
  }

  /** The queue is empty: nothing counts any more, also not what a message has lost while it was queued. */
  protected clearCount(): void {
    this.#letGo(this.#inboundBytes);
  }

  /** Drop the oldest unread message; there must be one. */
  forgetOldest(): void {
    this.#inboundLength--;
    this.#take();
  }

  #readOn(): void {
    this.#throttled = false;
    this.resumeReading();
  }

  #take(): Message {
    let run = this.#run;
    if (run === null) {
      const head = this.#inbound.shift() as Message | FrameRun | OpenMessage;
      if (Array.isArray(head)) {
        const bytes = head.length === 1 ? head[0].length + PART_COST : heldBytes(head);
        this.#inboundBytes -= bytes;
        this.#budget.held -= bytes;
        if (this.#budget.watched) this.#budget.fell();
        return head;
      }
      run = head;
      this.#run = run;
    }
    const message = run.shift();
    if (run.length === 0) {
      this.#run = null;
      this.#letGo(run.cost);
    }
    return message;
  }

  protected get inboundBytes(): number {
    return this.#inboundBytes;
  }

  /** Forget unread messages (S13). */
  discardInbound(): void {
    this.#inbound.clear();
    this.#run = null;
    this.#inboundLength = 0;
    this.#letGo(this.#inboundBytes);
  }

  /** Whether reading is paused because the application does not keep up. */
  get throttled(): boolean {
    return this.#throttled;
  }

  #mustPause(): boolean {
    const { receiveHighWaterMark, receiveHighWaterMarkBytes, conflate } = this.limits;
    if (conflate) return false;
    const bytes = this.#inboundBytes + this.#openBytes;
    if (this.#inboundLength > 0) {
      if (receiveHighWaterMark > 0 && this.#inboundLength >= receiveHighWaterMark) return true;
      if (receiveHighWaterMarkBytes > 0 && bytes >= receiveHighWaterMarkBytes) return true;
    }
    if (bytes < FREE_BYTES || !this.#budget.full || this.#mayFinish()) return false;
    this.#budget.wait(this);
    this.owner.pipeHeldBack(this);
    return true;
  }

  /** A message that has begun can only be let go of when its end has come: one of the socket's pipes at a time reads on. */
  #mayFinish(): boolean {
    return this.#inboundLength === 0 && this.#budget.favours(this);
  }

  #belowMark(): boolean {
    const { receiveHighWaterMark, receiveHighWaterMarkBytes } = this.limits;
    const bytes = this.#inboundBytes + this.#openBytes;
    if (this.#inboundLength > 0) {
      if (receiveHighWaterMark > 0 && this.#inboundLength > lowWaterMark(receiveHighWaterMark)) return false;
      if (receiveHighWaterMarkBytes > 0 && bytes > lowWaterMark(receiveHighWaterMarkBytes)) return false;
    }
    if (bytes < FREE_BYTES || this.#budget.low || this.#mayFinish()) return true;
    this.#budget.wait(this);
    return false;
  }

  /** What came of a message will not be continued, and nothing is read any more. */
  protected connectionLost(): void {
    if (this.#openBytes > 0) this.#begun(0);
    this.#budget.forget(this);
    if (this.#throttled && this.#belowMark()) this.#throttled = false;
  }

  /** From the budget: others hold less, or have ended the message that they were allowed to end. */
  budgetFell(): void {
    if (this.#throttled && this.#belowMark()) this.#readOn();
  }
}
