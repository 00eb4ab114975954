/**
 * The way out of one connection: commands and the pipe's batches to the stream, one write at a time. Commands go before
 * the next batch (F15): handshake, greeting, subscriptions, PING and PONG. Hot path.
 */
import { assert } from "../base/assert.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import type { Batch } from "../engine/outgoing/batch.js";
import type { StreamPipe } from "../engine/stream-pipe.js";
import type { Stream } from "../transport/contract/transport.js";
import {
  encodeCancel,
  encodeCancelMessage,
  encodeCommand,
  encodeSubscribe,
  encodeSubscribeMessage,
} from "../wire/zmtp/command.js";
import { PacedWriter, type Writing } from "./paced-writer.js";

/** Subscriptions that may wait for a publisher that does not read: as many as it may be told, in number and in bytes. */
const WAITING_SUBSCRIPTIONS = 1_000_000;
const WAITING_SUBSCRIPTION_BYTES = 256 * 1024 * 1024;
/** PONGs that may wait for a peer that sends PINGs and does not read. */
const WAITING_CONTROL_CEILING = 16;

/** How a peer is told a subscription: as a command (F18), as a message (A7), or as a group (N8). */
export type SubscriptionStyle = "command" | "message" | "group";

/** What the way out needs of its session. */
export interface OutletOwner {
  readonly runtime: Runtime;
  /** Memory of a message is gone that has been announced; so many bytes were not handed to the stream. */
  spoiled(pendingBytes: number): void;
}

export class Outlet implements Writing {
  readonly #owner: OutletOwner;
  readonly #stream: Stream;
  readonly #writer: PacedWriter | null;
  #pipe: StreamPipe | null = null;
  #control: Uint8Array[] = [];
  #subscriptionBytes = 0;
  /** A flush at the end of the turn is on its way. */
  #tick = false;
  #writing = false;
  #inFlight: Batch | null = null;
  #open = true;
  #used = false;

  /** @param paced write no more than the peer answers; never on a stream with a cipher, which seals whole frames */
  constructor(owner: OutletOwner, stream: Stream, paced: boolean) {
    this.#owner = owner;
    this.#stream = stream;
    this.#writer = paced ? new PacedWriter(stream, this) : null;
  }

  get runtime(): Runtime {
    return this.#owner.runtime;
  }

  /** The stream has not taken all that it was given. */
  get writing(): boolean {
    return this.#writing;
  }

  /** Whether messages have gone out since this was last asked. */
  takeUsed(): boolean {
    const used = this.#used;
    this.#used = false;
    return used;
  }

  /** Bytes at the end of the write under way that are known not to have been taken, for an end that we make. */
  get untaken(): number {
    return this.#stream.untaken + this.waiting;
  }

  /** Bytes that were not even handed to the stream. */
  get waiting(): number {
    return this.#writer === null ? 0 : this.#writer.waiting;
  }

  /** From now on the pipe's batches go out. */
  join(pipe: StreamPipe): void {
    this.#pipe = pipe;
  }

  /** Commands that wait: they are somebody else's to write now. */
  takeControl(): Uint8Array[] {
    const control = this.#control;
    this.#control = [];
    this.#subscriptionBytes = 0;
    return control;
  }

  sendControl(bytes: Uint8Array): void {
    this.#control.push(bytes);
    this.flush();
  }

  /** Sends a heartbeat, unless too many wait. */
  sendHeartbeat(bytes: Uint8Array): void {
    if (this.#control.length < WAITING_CONTROL_CEILING) this.sendControl(bytes);
  }

  /** As sendHeartbeat, and it goes with the next flush: a system call for each would be most of the work of many. */
  queueHeartbeat(bytes: Uint8Array): void {
    if (this.#control.length >= WAITING_CONTROL_CEILING) this.flush();
    if (this.#control.length < WAITING_CONTROL_CEILING) this.#control.push(bytes);
  }

  /**
   * Gathers what is sent in the same turn: a program may subscribe to thousands of topics.
   * @returns false when too many wait
   */
  sendSubscription(style: SubscriptionStyle, topic: Buffer, subscribe: boolean): boolean {
    const bytes = encodeSubscription(style, topic, subscribe);
    this.#control.push(bytes);
    this.#subscriptionBytes += bytes.length;
    if (this.#control.length > WAITING_SUBSCRIPTIONS || this.#subscriptionBytes > WAITING_SUBSCRIPTION_BYTES)
      return false;
    if (this.#tick) return true;
    this.#tick = true;
    this.runtime.nextTick(() => {
      this.#tick = false;
      this.flush();
    });
    return true;
  }

  /** Writes until nothing is left or the kernel takes no more: behind a batch that is sent again waits the open one. */
  flush(): void {
    while (!this.#writing && this.#open && this.#writeNext());
  }

  /** One gathered write; false when there was nothing to write. */
  #writeNext(): boolean {
    const pipe = this.#pipe;
    const batch = pipe === null ? null : pipe.takeBatch();
    let segments: Uint8Array[];
    if (batch !== null) this.#used = true;
    if (this.#control.length === 0) {
      if (batch === null) return false;
      segments = batch.seal();
    } else {
      segments = this.takeControl();
      if (batch !== null) segments = segments.concat(batch.seal());
    }
    if (!this.#write(segments, batch)) {
      this.#writing = true;
      this.#inFlight = batch;
    } else if (batch !== null) {
      (pipe as StreamPipe).taken();
    }
    return true;
  }

  /** True when all of it is taken; else `written` follows. */
  #write(segments: readonly Uint8Array[], batch: Batch | null): boolean {
    if (batch === null) return this.#stream.write(segments) === 0;
    if (!batch.intact) {
      this.memoryGone(batch.bytes);
      return false;
    }
    if (this.#writer === null) return this.#stream.write(segments) === 0;
    return this.#writer.write(segments, batch.bytes, batch.messages);
  }

  /** From the stream's onDrain(). */
  drained(): void {
    if (this.#writer === null) this.written();
    else this.#writer.drained();
  }

  /** All of the last write is taken. */
  written(): void {
    assert(this.#writing, "a stream told of the end of a write that nobody had made");
    this.#writing = false;
    if (this.#inFlight !== null) {
      this.#inFlight = null;
      this.#pipe?.taken();
    }
    this.flush();
  }

  /** Messages have arrived: the peer answers. */
  read(messages: number): void {
    this.#writer?.read(messages);
  }

  /** Whether what is being written may be written on. */
  get intact(): boolean {
    return this.#inFlight === null || this.#inFlight.intact;
  }

  /** A length has been announced whose bytes are not there any more: nothing else may be sent in their place. */
  memoryGone(pendingBytes: number): void {
    // Not within the application's call of send().
    this.runtime.later(() => this.#owner.spoiled(pendingBytes));
  }

  /** The connection is at its end: nothing is written any more. */
  stop(): void {
    this.#open = false;
    this.#writer?.stop();
  }
}

function encodeSubscription(style: SubscriptionStyle, topic: Buffer, subscribe: boolean): Uint8Array {
  if (style === "group") return encodeCommand(subscribe ? "JOIN" : "LEAVE", topic);
  if (style === "command") return subscribe ? encodeSubscribe(topic) : encodeCancel(topic);
  return subscribe ? encodeSubscribeMessage(topic) : encodeCancelMessage(topic);
}
