/**
 * The queues of one udp endpoint. Outgoing, they hold what the system does not take at once. Incoming, there is no peer that could
 * be made to wait: what comes while the queue is full is dropped, and the endpoint is told. Does no I/O and uses no clock.
 */

import { assert } from "../../base/assert.js";
import { Fifo } from "../../base/fifo.js";
import type { OutMessage } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import { FREE_BYTES } from "../budget.js";
import { InboundPipe } from "../inbound-pipe.js";
import { type FlushScheduler, lowWaterMark, type PipeLimits, type PipeOwner } from "../pipe.js";
import type { Datagram, DatagramAddress, DatagramForm } from "./form.js";

/** Sends datagrams; of an open endpoint. */
export interface DatagramOutlet {
  /** Sends one. False: the system has not taken it yet; drained() of the pipe follows, and nothing may be sent before. */
  send(datagram: Datagram): boolean;
}

/** Limits on what a pipe receives. */
export interface DatagramLimits extends PipeLimits {
  /** The largest part; -1 for no limit. */
  readonly maxMessageSize: number;
}

/** Why a datagram that arrived was not queued. */
export interface Refusal {
  /** The option, or "datagram" if it is no message. */
  readonly limit:
    | "datagram"
    | "maxMessageSize"
    | "receiveHighWaterMark"
    | "receiveHighWaterMarkBytes"
    | "maxQueuedBytes";
  readonly value: number;
}

export class DatagramPipe extends InboundPipe {
  override onEmpty: (() => void) | null = null;
  override readonly tally = undefined;
  override readonly wantsAll = true;
  readonly #form: DatagramForm;
  readonly #sizes: DatagramLimits;
  readonly #waiting = new Fifo<Datagram>();
  #waitingBytes = 0;
  #outlet: DatagramOutlet | null = null;
  /** The system has not taken the last datagram. */
  #blocked = false;
  #full = false;

  constructor(owner: PipeOwner, limits: DatagramLimits, scheduler: FlushScheduler, form: DatagramForm) {
    super(owner, limits, scheduler);
    this.#sizes = limits;
    this.#form = form;
  }

  // In

  /** A datagram has arrived. @returns why it was dropped; undefined if it was queued, or is of no interest */
  arrived(bytes: Buffer, from: DatagramAddress): Refusal | undefined {
    const message = this.#form.decode(bytes, from);
    if (message === undefined) return { limit: "datagram", value: bytes.length };
    const { maxMessageSize } = this.#sizes;
    const size = message[1].length;
    if (maxMessageSize >= 0 && size > maxMessageSize) return { limit: "maxMessageSize", value: size };
    if (this.intercept?.(this, message)) return undefined;
    if (this.throttled) return this.#refusal();
    this.enqueue(message);
    this.delivered(0);
    return undefined;
  }

  #refusal(): Refusal {
    const { receiveHighWaterMark, receiveHighWaterMarkBytes } = this.limits;
    const { inboundLength, inboundBytes } = this;
    // It drops until half of the mark has been read, as others pause reading.
    if (receiveHighWaterMark > 0 && inboundLength > lowWaterMark(receiveHighWaterMark))
      return { limit: "receiveHighWaterMark", value: inboundLength };
    if (receiveHighWaterMarkBytes > 0 && inboundBytes > lowWaterMark(receiveHighWaterMarkBytes))
      return { limit: "receiveHighWaterMarkBytes", value: inboundBytes };
    return { limit: "maxQueuedBytes", value: this.owner.received.held };
  }

  /** Nobody can be asked to stop. */
  protected override pauseReading(): void {}

  protected override resumeReading(): void {}

  // Out

  override trySend(message: OutMessage): boolean {
    if (!this.hasRoom()) return false;
    const datagram = this.#form.encode(message);
    if (this.#outlet !== null && !this.#blocked) this.#blocked = !this.#outlet.send(datagram);
    else this.#keep(datagram);
    return true;
  }

  #keep(datagram: Datagram): void {
    const bytes = datagram.bytes.length;
    this.#waiting.push(datagram);
    this.#waitingBytes += bytes;
    this.owner.unsent.add(bytes);
  }

  #take(): Datagram | undefined {
    const datagram = this.#waiting.shift();
    if (datagram === undefined) return undefined;
    const bytes = datagram.bytes.length;
    this.#waitingBytes -= bytes;
    this.owner.unsent.remove(bytes);
    return datagram;
  }

  /** The endpoint is open: sends what has been queued. */
  link(outlet: DatagramOutlet): void {
    this.#outlet = outlet;
    this.#pump();
  }

  /** The system has taken the datagram that it had not taken at once. */
  drained(): void {
    this.#blocked = false;
    this.#pump();
  }

  #pump(): void {
    while (this.#outlet !== null && !this.#blocked) {
      const datagram = this.#take();
      if (datagram === undefined) break;
      this.#blocked = !this.#outlet.send(datagram);
    }
    if (this.#full && this.#below(0.5)) this.#room();
    if (this.onEmpty !== null && this.outboundLength === 0) this.onEmpty();
  }

  /** The endpoint is closed: nothing is sent any more. */
  unlink(): void {
    this.#outlet = null;
    this.#blocked = false;
  }

  /** Everything is handed over at once. */
  override endOfTurn(): void {}

  override hasRoom(): boolean {
    if (this.#below(1)) return true;
    this.#full = true;
    if (this.owner.unsent.full) this.owner.unsent.wait(this);
    return false;
  }

  /** Whether less than this share of each mark is used. */
  #below(share: number): boolean {
    const { sendHighWaterMark, sendHighWaterMarkBytes } = this.limits;
    if (sendHighWaterMark > 0 && this.outboundLength >= Math.max(1, sendHighWaterMark * share)) return false;
    if (sendHighWaterMarkBytes > 0 && this.#waitingBytes >= Math.max(1, sendHighWaterMarkBytes * share))
      return false;
    return this.#waitingBytes < FREE_BYTES || !this.owner.unsent.full;
  }

  #room(): void {
    this.#full = false;
    this.overflowing = false;
    this.owner.pipeWritable(this);
  }

  override limitsChanged(): void {
    if (this.#full && this.#below(1)) this.#room();
  }

  override budgetFell(): void {
    super.budgetFell();
    this.limitsChanged();
  }

  override get outboundBytes(): number {
    return this.#waitingBytes;
  }

  override get outboundLength(): number {
    return this.#waiting.length + (this.#blocked ? 1 : 0);
  }

  override dropOldest(): number {
    let dropped = 0;
    do {
      if (this.#take() === undefined) break;
      dropped++;
    } while (!this.#below(1));
    return dropped;
  }

  override discardOutbound(): number {
    const lost = this.#waiting.length;
    while (this.#take() !== undefined);
    return lost;
  }

  // What there is only with a connection

  /** There is nothing to close when a peer is slow. */
  override get linked(): boolean {
    return false;
  }

  override get shares(): boolean {
    return false;
  }

  override trySendShared(_shared: unknown, message: OutMessage): boolean {
    return this.trySend(message);
  }

  override sendShared(): void {
    assert(false, "a datagram was to be sent as a part of a batch");
  }

  /** Nobody is told of groups: who is sent a datagram decides whether it wants it. */
  override sendSubscription(): void {}

  override fail(): void {
    assert(false, "a udp endpoint was to be closed because of a peer");
  }
}
