/**
 * One peer's two bounded queues, as patterns see them, and the incoming one. stream-pipe.ts sends through a session's
 * stream, direct-pipe.ts joins two sockets of one thread. Knows no I/O and no clock. Hot path.
 */
import type { Peer } from "../events.js";
import type { Message, OutMessage } from "../message.js";
import { heldBytes } from "./encoder.js";
import { Fifo } from "./fifo.js";
import type { FrameFilter, FrameRun } from "./frame-run.js";

/** The socket's marks, read afresh each time so that a change takes effect at once (G7). 0 = no limit (G5). */
export interface PipeLimits {
  readonly sendHighWaterMark: number;
  readonly sendHighWaterMarkBytes: number;
  readonly receiveHighWaterMark: number;
  readonly receiveHighWaterMarkBytes: number;
  readonly conflate: boolean;
}

/** The socket's side of its pipes. */
export interface PipeOwner {
  /** Messages have arrived; called once per chunk, not per message. */
  pipeReadable(pipe: Pipe): void;
  /** A pipe that had refused a message has room again. */
  pipeWritable(pipe: Pipe): void;
  /** The peer subscribed to or cancelled a topic. */
  pipeSubscription(pipe: Pipe, topic: Buffer, subscribe: boolean): void;
}

/** Consumes a message on arrival; true when it is dealt with and must not be queued. */
export type Interceptor = (pipe: Pipe, message: Message) => boolean;

/** Half of a mark is where a full queue counts as having room again (G8). */
export const lowWaterMark = (mark: number): number => mark >> 1;

export abstract class Pipe {
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
  /** Messages dropped because this pipe was full (PUB, J4). */
  dropped = 0;
  /** As `intercept`, of messages that are not made yet: set by socket types that only want some. */
  filter: FrameFilter | null = null;
  readonly #inbound = new Fifo<Message | FrameRun>();
  #inboundLength = 0;
  /** Taken from the queue, and not yet empty. */
  #run: FrameRun | null = null;
  protected readonly owner: PipeOwner;
  protected readonly limits: PipeLimits;
  #inboundBytes = 0;
  #throttled = false;

  constructor(owner: PipeOwner, limits: PipeLimits) {
    this.owner = owner;
    this.limits = limits;
  }

  /** Queue one whole message; false when a high-water mark forbids it, and then pipeWritable follows. */
  abstract trySend(message: OutMessage): boolean;
  /** Whether trySend would accept a message now; after false, pipeWritable follows. */
  abstract hasRoom(): boolean;
  /** Tell the peer about one of our subscriptions; not subject to high-water marks. */
  abstract sendSubscription(topic: Buffer, subscribe: boolean): void;
  /** The application broke nothing, the peer did: close this connection with an event. */
  abstract fail(error: Error): void;
  /** A mark has been raised, perhaps: a sender that was refused may have room now (G7). */
  abstract limitsChanged(): void;
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
    this.#inbound.push(run);
    this.#inboundLength += run.length;
    if (this.countsBytes()) this.#inboundBytes += run.heldBytes();
  }

  /** Put a message where the application will read it. */
  enqueue(message: Message): void {
    if (this.limits.conflate) {
      this.discardInbound(); // only the newest survives (G14)
    }
    this.#inbound.push(message);
    this.#inboundLength++;
    if (this.countsBytes()) this.#inboundBytes += heldBytes(message);
  }

  /** The peer subscribed to or cancelled a topic. */
  subscription(topic: Buffer, subscribe: boolean): void {
    this.owner.pipeSubscription(this, topic, subscribe);
  }

  /** The end of a chunk: enforce the receive marks and wake the socket. */
  delivered(): void {
    if (this.#inboundLength === 0) return;
    if (!this.#throttled && this.#aboveMark()) {
      this.#throttled = true;
      this.pauseReading();
    }
    this.owner.pipeReadable(this);
  }

  /** The next message of this peer, or undefined. */
  read(): Message | undefined {
    if (this.#inboundLength === 0) return undefined;
    this.#inboundLength--;
    const message = this.#take();
    if (this.#inboundBytes > 0) this.#inboundBytes -= heldBytes(message);
    if (this.#throttled && this.#belowMark()) {
      this.#throttled = false;
      this.resumeReading();
    }
    return message;
  }

  #take(): Message {
    let run = this.#run;
    if (run === null) {
      const head = this.#inbound.shift() as Message | FrameRun;
      if (Array.isArray(head)) return head;
      run = head;
      this.#run = run;
    }
    const message = run.shift();
    if (run.length === 0) this.#run = null;
    return message;
  }

  /** Whether a mark in octets is set: only then are they counted. */
  protected countsBytes(): boolean {
    return this.limits.receiveHighWaterMarkBytes > 0;
  }

  protected get inboundBytes(): number {
    return this.#inboundBytes;
  }

  /** Forget unread messages (S13). */
  discardInbound(): void {
    this.#inbound.clear();
    this.#run = null;
    this.#inboundLength = 0;
    this.#inboundBytes = 0;
  }

  /** Whether reading is paused because the application does not keep up. */
  get throttled(): boolean {
    return this.#throttled;
  }

  #aboveMark(): boolean {
    const { receiveHighWaterMark, receiveHighWaterMarkBytes, conflate } = this.limits;
    if (conflate) return false;
    if (receiveHighWaterMark > 0 && this.#inboundLength >= receiveHighWaterMark) return true;
    return receiveHighWaterMarkBytes > 0 && this.#inboundBytes >= receiveHighWaterMarkBytes;
  }

  #belowMark(): boolean {
    const { receiveHighWaterMark, receiveHighWaterMarkBytes } = this.limits;
    if (receiveHighWaterMark > 0 && this.#inboundLength > lowWaterMark(receiveHighWaterMark)) return false;
    return receiveHighWaterMarkBytes === 0 || this.#inboundBytes <= lowWaterMark(receiveHighWaterMarkBytes);
  }
}
