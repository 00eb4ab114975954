/**
 * A pipe whose outgoing messages are encoded into batches for a session's stream. Knows no I/O and no clock: when a
 * batch should go, it asks its link. Hot path: nothing here allocates per message except what the batch copies.
 */
import type { OutMessage } from "../message.js";
import { Batch } from "./encoder.js";
import { lowWaterMark, Pipe, type PipeLimits, type PipeOwner } from "./pipe.js";
import { LARGE_SLAB_BYTES } from "./slab-pool.js";

/** What a stream pipe needs of its session. */
export interface PipeLink {
  /** Write what the pipe has, unless a write is pending. */
  flush(): void;
  sendSubscription(topic: Buffer, subscribe: boolean): void;
  pauseReading(): void;
  resumeReading(): void;
  fail(error: Error): void;
}

/** Calls `endOfTurn` of each that was added, once, when the current turn of the event loop is over. */
export interface FlushScheduler {
  add(gathering: { endOfTurn(): void }): void;
}

/** A pipe over a session's stream. Without a link it queues up to the mark: a dialled pipe waiting for its peer. */
export class StreamPipe extends Pipe {
  /** Called when nothing is queued any more; set while a close lingers. */
  onEmpty: (() => void) | null = null;
  #link: PipeLink | null = null;
  readonly scheduler: FlushScheduler;
  /** Messages being gathered. */
  #open = new Batch();
  /** The batch handed to the stream and not wholly taken, or one to be sent again after a reconnect. */
  #sealed: Batch | null = null;
  #resend = false;
  #spare: Batch | null = null;
  /** Gathers messages for this pipe and others: they come before anything that is sent otherwise. */
  gathering: { settle(): void } | null = null;
  /** Only the newest message, for a conflating socket. */
  #newest: OutMessage | null = null;
  #full = false;
  #dirty = false;
  #sentThisTurn = 0;
  #busy = false;

  constructor(owner: PipeOwner, limits: PipeLimits, scheduler: FlushScheduler) {
    super(owner, limits);
    this.scheduler = scheduler;
  }

  override get outboundLength(): number {
    this.gathering?.settle();
    const sealed = this.#sealed === null ? 0 : this.#sealed.messages;
    return this.#open.messages + sealed + (this.#newest === null ? 0 : 1);
  }

  get #outboundBytes(): number {
    return this.#open.bytes + (this.#sealed === null ? 0 : this.#sealed.bytes);
  }

  override trySend(message: OutMessage): boolean {
    if (this.limits.conflate) {
      this.#newest = Buffer.from(message as Uint8Array); // one part only (G14); a copy, because it may wait for long
      this.#written();
      return true;
    }
    if (!this.#makeRoom()) return false;
    this.#open.append(message);
    this.#written();
    return true;
  }

  /** Queue octets that go out as they are: a connection without framing (STREAM). */
  trySendRaw(octets: Uint8Array): boolean {
    if (!this.#makeRoom()) return false;
    this.#open.appendRaw(octets);
    this.#written();
    return true;
  }

  /** Queue a message that has been accepted already, under the mark as it was then. */
  protected append(message: OutMessage): void {
    if (this.limits.conflate) this.#newest = Buffer.from(message as Uint8Array);
    else this.#open.append(message);
  }

  /** As trySend, for a message that the distributor has encoded once for many peers. */
  trySendEncoded(octets: Uint8Array, message: OutMessage): boolean {
    if (this.limits.conflate) return this.trySend(message);
    if (!this.#makeRoom()) return false;
    this.#open.appendEncoded(octets);
    this.#written();
    return true;
  }

  /** Whether what is encoded once for many peers may be sent by reference. */
  get shares(): boolean {
    return true;
  }

  /** Messages that it takes until its mark is reached. */
  get room(): number {
    const { sendHighWaterMark } = this.limits;
    return sendHighWaterMark === 0 ? Number.POSITIVE_INFINITY : sendHighWaterMark - this.outboundLength;
  }

  /** Octets that it takes until its mark is reached; the message that reaches it may go beyond. */
  get roomBytes(): number {
    const { sendHighWaterMarkBytes } = this.limits;
    return sendHighWaterMarkBytes === 0
      ? Number.POSITIVE_INFINITY
      : sendHighWaterMarkBytes - this.#outboundBytes;
  }

  /**
   * Messages that were encoded together for many peers; there was room for them.
   * @param flush the turn is over: write at once
   */
  sendShared(octets: Uint8Array, messages: number, flush: boolean): void {
    this.#open.appendShared(octets, messages);
    this.#sentThisTurn += messages;
    const link = this.#link;
    if (link === null) return;
    if (flush || this.#open.bytes >= LARGE_SLAB_BYTES) link.flush();
    else if (!this.#dirty) {
      this.#dirty = true;
      this.scheduler.add(this);
    }
  }

  override hasRoom(): boolean {
    return this.limits.conflate || this.#makeRoom();
  }

  #makeRoom(): boolean {
    if (this.gathering !== null) this.gathering.settle();
    if (!this.#atMark()) return true;
    this.#link?.flush();
    if (!this.#atMark()) return true;
    this.#full = true;
    return false;
  }

  #atMark(): boolean {
    const { sendHighWaterMark, sendHighWaterMarkBytes } = this.limits;
    const sealed = this.#sealed === null ? 0 : this.#sealed.messages;
    if (sendHighWaterMark > 0 && this.#open.messages + sealed >= sendHighWaterMark) return true;
    return sendHighWaterMarkBytes > 0 && this.#outboundBytes >= sendHighWaterMarkBytes;
  }

  /**
   * The flush policy: the first message of a quiet turn goes at once, what follows is gathered until the turn ends
   * or a slab is full. After a turn that gathered, the next one gathers from its first message on: writing the
   * first message of every busy turn alone cost one system call in two.
   */
  #written(): void {
    const link = this.#link;
    if (link === null) return;
    this.#sentThisTurn++;
    if (!this.#dirty) {
      this.#dirty = true;
      this.scheduler.add(this);
      if (!this.#busy) link.flush();
    } else if (this.#open.bytes >= LARGE_SLAB_BYTES) {
      link.flush();
    }
  }

  /** From the scheduler: this turn of the event loop is over. */
  endOfTurn(): void {
    this.#dirty = false;
    this.#busy = this.#sentThisTurn > 1;
    this.#sentThisTurn = 0;
    this.#link?.flush();
  }

  /** For the session: the batch to write now, or null. It stays with the pipe until taken() or broken(). */
  takeBatch(): Batch | null {
    if (this.#sealed !== null) {
      if (!this.#resend) return null;
      this.#resend = false;
      return this.#sealed;
    }
    if (this.#newest !== null) {
      this.#open.append(this.#newest);
      this.#newest = null;
    }
    if (this.#open.bytes === 0) return null;
    this.#sealed = this.#open;
    this.#open = this.#spare ?? new Batch();
    this.#spare = null;
    return this.#sealed;
  }

  /** For the session: the kernel has taken the batch. Wakes a socket that was refused, once there is room. */
  taken(): void {
    this.#recycle();
    this.#wake();
    if (this.onEmpty !== null && this.outboundLength === 0) this.onEmpty();
  }

  #recycle(): void {
    const batch = this.#sealed as Batch;
    batch.release();
    this.#sealed = null;
    this.#spare = batch;
  }

  #wake(): void {
    if (!this.#full || !this.#belowMark()) return;
    this.#full = false;
    this.owner.pipeWritable(this);
  }

  override limitsChanged(): void {
    if (!this.#full || this.#atMark()) return;
    this.#full = false;
    this.owner.pipeWritable(this);
  }

  #belowMark(): boolean {
    const { sendHighWaterMark, sendHighWaterMarkBytes } = this.limits;
    if (sendHighWaterMark > 0 && this.outboundLength > lowWaterMark(sendHighWaterMark)) return false;
    return sendHighWaterMarkBytes === 0 || this.#outboundBytes <= lowWaterMark(sendHighWaterMarkBytes);
  }

  /** The session is ready: what has been queued goes out. */
  link(link: PipeLink): void {
    this.#link = link;
    if (this.throttled) link.pauseReading();
    link.flush();
  }

  /**
   * The connection is gone. What the kernel has taken is gone with it; a message that it took in part will be sent
   * again whole on the next connection. Wakes no sender: only the owner knows whether the pipe lives on
   * (limitsChanged() wakes it then) or dies with its queue, and a send that waits must not die with that.
   * @param pending octets at the end of the last write that the kernel has not taken
   */
  unlink(pending: number): void {
    this.#link = null;
    if (this.#sealed === null) return;
    if (!this.#resend) this.#sealed.dropTaken(pending);
    if (this.#sealed.messages > 0) {
      this.#resend = true;
      return;
    }
    this.#recycle();
    if (this.onEmpty !== null && this.outboundLength === 0) this.onEmpty();
  }

  /** Drop everything not yet taken (an accepted pipe whose peer left, `immediate`, or linger over). */
  discardOutbound(): number {
    const lost = this.outboundLength;
    this.#sealed = null;
    this.#resend = false;
    this.#open = new Batch();
    this.#newest = null;
    return lost;
  }

  get linked(): boolean {
    return this.#link !== null;
  }

  override sendSubscription(topic: Buffer, subscribe: boolean): void {
    this.#link?.sendSubscription(topic, subscribe);
  }

  override fail(error: Error): void {
    this.#link?.fail(error);
  }

  protected override pauseReading(): void {
    this.#link?.pauseReading();
  }

  protected override resumeReading(): void {
    this.#link?.resumeReading();
  }
}
