/**
 * STREAM (section M): tcp connections of programs that do not speak ZMTP. Each message has two parts, the name of the
 * connection and octets as they came or shall go; where one chunk ends means nothing.
 */

import { ZmqError } from "../../base/errors.js";
import type { Peer } from "../../base/events.js";
import type { Message, OutMessage } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";
import { random32 } from "../../base/random.js";
import { defineOptions } from "../../core/socket.js";
import type { Pipe } from "../../engine/pipe.js";
import type { StreamPipe } from "../../engine/stream-pipe.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { routingId as checkRoutingId } from "../../options/rules.js";
import { optionsOf } from "../../options/table.js";
import { named } from "../../patterns/envelope.js";
import { RoutingTable } from "../../patterns/routing-table.js";
import { DuplexSocket } from "../directions.js";

const OPTIONS = optionsOf("STREAM");

/** Options of Stream. */
export interface StreamOptions extends OptionsOf<"STREAM"> {}

/** Options of one connect(). */
export interface StreamConnectOptions {
  /** Name of the connection (M6), 1 to 255 bytes; else one is generated. */
  readonly routingId?: string | Uint8Array;
}

export interface Stream extends PropertiesOf<"STREAM"> {}

/** Talks plain tcp: what comes in has the name of its connection in front, and so has what goes out. */
export class Stream extends DuplexSocket {
  override readonly raw = true;
  readonly #table = new RoutingTable(random32);
  /** Pipes whose connection was told of, and whose end is to be told. */
  readonly #told = new Set<Pipe>();
  #newest: Buffer | null = null;
  /** @internal CONNECT_ROUTING_ID: for the next connect() only */
  nextRoutingId: Buffer | null = null;

  constructor(options?: StreamOptions) {
    super(11, "STREAM");
    this.applyOptions(options, OPTIONS);
    if (new.target === Stream) Object.seal(this);
  }

  /** Name of the newest connection that this socket dialled (M6); null before. */
  get routingId(): Buffer | null {
    return this.#newest;
  }

  /**
   * Connect; `routingId` names the connection. What is sent to it waits until it is there, and again between two
   * connections, unless `immediate` is set: then that is EHOSTUNREACH (M5).
   * @throws as Socket.connect; TypeError or RangeError for a bad name, ZmqError EINVAL for one that is in use, and
   * EPROTONOSUPPORT for inproc, which has no octets
   */
  override connect(endpoint: string, options?: StreamConnectOptions): void {
    const name = checkRoutingId("routingId", options?.routingId ?? this.nextRoutingId);
    this.nextRoutingId = null;
    if (name !== null && this.#table.find(name) !== undefined) {
      throw new ZmqError("EINVAL", { address: endpoint, detail: `routing id "${name}" is in use` });
    }
    const id = name ?? this.#newName();
    this.connectAs(endpoint, id);
    this.#newest = id;
  }

  protected override canSend(): boolean {
    return true; // one peer may be full; another is not
  }

  protected override route(message: OutMessage): boolean {
    if (!Array.isArray(message) || message.length !== 2) {
      throw new ZmqError("EINVAL", { detail: "a Stream sends two parts: the connection's name and octets" });
    }
    const pipe = this.#table.find(message[0]);
    if (pipe === undefined) throw new ZmqError("EHOSTUNREACH"); // M5
    if (message[1].length > 0) return (pipe as StreamPipe).trySendRaw(message[1]);
    this.#told.delete(pipe); // who closes a connection is not told that it is closed
    pipe.fail(new Error("closed by the application")); // M4
    return true;
  }

  protected override next(): Message | undefined {
    const message = this.inbound.next();
    return message && named((this.inbound.last as Pipe).routingId as Buffer, message);
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    pipe.routingId ??= this.#newName();
    this.#table.add(pipe);
    this.sender.queue.drain();
  }

  override pipeConnected(pipe: Pipe, peer: Peer): void {
    this.#told.add(pipe);
    super.pipeConnected(pipe, peer);
    // Last, when there is all that whoever hears of it can close; and not where a listener has done so already.
    if (this.#told.has(pipe)) this.#notice(pipe);
  }

  override detachPipe(pipe: Pipe): void {
    if (this.#told.delete(pipe) && !this.closed) this.#notice(pipe);
    super.detachPipe(pipe);
    this.#table.remove(pipe);
    this.sender.queue.drain(); // a send may have waited for this one
  }

  #newName(): Buffer {
    return this.#table.generate((id) => this.isReserved(id));
  }

  /** M2: an empty chunk tells that a connection is there, or gone. */
  #notice(pipe: Pipe): void {
    if (!this.options.notify) return;
    pipe.enqueue([Buffer.alloc(0)]);
    this.pipeReadable(pipe);
  }
}

defineOptions(Stream, OPTIONS);
