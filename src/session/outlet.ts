/**
 * The outgoing side of one connection: writes commands and the pipe's batches to the stream, one write at a time.
 * Commands (handshake, greeting, subscriptions, PING and PONG) go before the next batch (F15). Hot path.
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

/** Subscriptions that may wait for a publisher that does not read: as many, and as many bytes, as a publisher accepts. */
const WAITING_SUBSCRIPTIONS = 1_000_000;
const WAITING_SUBSCRIPTION_BYTES = 256 * 1024 * 1024;
/** Commands above which no heartbeat is added: a peer may send PINGs and never read the PONGs. */
const WAITING_CONTROL_CEILING = 16;

/** How a subscription is sent: as a command (F18), as a message (A7), or as a group (N8). */
export type SubscriptionStyle = "command" | "message" | "group";

/** What the outlet needs from its session. */
export interface OutletOwner {
  readonly runtime: Runtime;
  /** A message's memory is gone after its length was sent. `pendingBytes` were not handed to the stream. */
  spoiled(pendingBytes: number): void;
}

/** Where bytes are written: the stream, or what passes them on to it. */
export type Way = Pick<Stream, "write" | "untaken">;

export class Outlet implements Writing {
  readonly #owner: OutletOwner;
  #stream: Way;
  readonly #writer: PacedWriter | null;
  #pipe: StreamPipe | null = null;
  #control: Uint8Array[] = [];
  #subscriptionBytes = 0;
  /** A flush at the end of the turn is scheduled. */
  #tick = false;
  #writing = false;
  #inFlight: Batch | null = null;
  #open = true;
  #used = false;

  /**
   * @param paced whether to limit writes to what the peer answers. Must be false on a stream with a cipher: pacing splits
   * frames, and the cipher seals whole ones
   */
  constructor(owner: OutletOwner, stream: Stream, paced: boolean) {
    this.#owner = owner;
    this.#stream = stream;
    this.#writer = paced ? new PacedWriter(stream, this) : null;
  }

  get runtime(): Runtime {
    return this.#owner.runtime;
  }

  /** From now on, writes go through this. */
  redirect(way: Way): void {
    this.#stream = way;
    this.#writer?.redirect(way);
  }

  /** A write is under way: the stream has not taken all of it. */
  get writing(): boolean {
    return this.#writing;
  }

  /** Whether messages were written since the last call. */
  takeUsed(): boolean {
    const used = this.#used;
    this.#used = false;
    return used;
  }

  /** Bytes of the current write that the kernel has certainly not taken, for when zwire ends the connection. */
  get untaken(): number {
    return this.#stream.untaken + this.waiting;
  }

  /** Bytes of the current write that were not handed to the stream. */
  get waiting(): number {
    return this.#writer === null ? 0 : this.#writer.waiting;
  }

  /** Starts sending the pipe's batches. */
  join(pipe: StreamPipe): void {
    this.#pipe = pipe;
  }

  /** Takes the waiting commands: the caller writes them. */
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

  /** Sends a heartbeat, unless too many commands wait. */
  sendHeartbeat(bytes: Uint8Array): void {
    if (this.#control.length < WAITING_CONTROL_CEILING) this.sendControl(bytes);
  }

  /** Queues a heartbeat for the next flush. With many connections, a system call per heartbeat would be most of the work. */
  queueHeartbeat(bytes: Uint8Array): void {
    if (this.#control.length >= WAITING_CONTROL_CEILING) this.flush();
    if (this.#control.length < WAITING_CONTROL_CEILING) this.#control.push(bytes);
  }

  /**
   * Sends a subscription at the end of the turn, with all others of the turn: a program may subscribe to thousands.
   * @returns false when too many subscriptions wait
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

  /**
   * Makes gathered writes until nothing is left, or until the stream does not take everything: then a call of `written`
   * follows. A loop: behind a batch that is sent again another waits.
   */
  flush(): void {
    while (!this.#writing && this.#open) {
      const pipe = this.#pipe;
      const batch = pipe === null ? null : pipe.takeBatch();
      let segments: Uint8Array[];
      if (this.#control.length > 0) {
        segments = this.takeControl();
        if (batch !== null) segments = segments.concat(batch.seal());
      } else if (batch !== null) segments = batch.seal();
      else return;
      let taken = false;
      if (batch === null) taken = this.#stream.write(segments) === 0;
      else {
        this.#used = true;
        if (!batch.intact) this.memoryGone(batch.bytes);
        else if (this.#writer === null) taken = this.#stream.write(segments) === 0;
        else taken = this.#writer.write(segments, batch.bytes, batch.messages);
      }
      if (!taken) {
        this.#writing = true;
        this.#inFlight = batch;
      } else if (batch !== null) (pipe as StreamPipe).taken();
    }
  }

  /** Called from the stream's onDrain(). */
  drained(): void {
    if (this.#writer === null) this.written();
    else this.#writer.drained();
  }

  /** The stream has taken all of the last write. */
  written(): void {
    assert(this.#writing, "a stream told of the end of a write that nobody had made");
    this.#writing = false;
    if (this.#inFlight !== null) {
      this.#inFlight = null;
      this.#pipe?.taken();
    }
    this.flush();
  }

  /** Messages have arrived, so the peer answers. */
  read(messages: number): void {
    this.#writer?.read(messages);
  }

  /** Whether the memory of the batch being written is still there. */
  get intact(): boolean {
    return this.#inFlight === null || this.#inFlight.intact;
  }

  /** The peer has been told a length whose bytes are gone. Nothing may be sent in their place, so the connection ends. */
  memoryGone(pendingBytes: number): void {
    // Later, because the application may be inside its call of send().
    this.runtime.later(() => this.#owner.spoiled(pendingBytes));
  }

  /** The connection has ended: write nothing more. */
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
