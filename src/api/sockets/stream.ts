/**
 * STREAM (section M): connections with programs that do not speak ZMTP. Each message has two parts: the name of the
 * connection, and bytes. The limits between messages have no meaning for the byte stream.
 */

import { edge } from "../../base/caller.js";
import type { Buffer } from "../../base/platform.js";
import { type ConnectOptions, checkConnectOptions } from "../../core/endpoint-calls.js";
import { nameInUse } from "../../core/endpoints.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { routingId as checkRoutingId } from "../../options/rules.js";
import { optionsOf } from "../../options/table.js";
import { STREAM, type StreamStrategy } from "../../patterns/strategies/stream.js";
import { coreOf, defineOptions } from "../socket.js";
import { DuplexSocket } from "../writable.js";

const OPTIONS = optionsOf("STREAM");

/** Options of Stream. */
export interface StreamOptions extends OptionsOf<"STREAM"> {}

/** Options of one connect(). */
export interface StreamConnectOptions extends ConnectOptions {
  /** The name of the connection, 1 to 255 bytes (M6). Default: a generated name. */
  readonly routingId?: string | Uint8Array;
}

export interface Stream extends PropertiesOf<"STREAM"> {}

/**
 * Sends and receives plain bytes over tcp or ipc. Each message has two parts, the name of the connection and the bytes.
 * By default an empty second part tells that a connection was made or lost (`notify`); to send one closes the
 * connection.
 */
export class Stream extends DuplexSocket {
  #newest: Buffer | null = null;
  #nextName: Buffer | null = null;

  constructor(options?: StreamOptions) {
    super(STREAM, options, OPTIONS);
    if (new.target === Stream) Object.seal(this);
  }

  /** The name of the newest connection made by connect() (M6); null before. */
  get routingId(): Buffer | null {
    return this.#newest;
  }

  /**
   * Connects. `routingId` is the name of the connection. What is sent to it waits until the connection is made, and
   * again until it is made anew after a loss. With `immediate`, such a send rejects with EHOSTUNREACH instead (M5).
   * @throws as Socket.connect; TypeError or RangeError for a wrong `routingId`; ZmqError EINVAL if it is in use, and
   * EPROTONOSUPPORT for inproc, which passes messages and not bytes
   */
  override connect(endpoint: string, options?: StreamConnectOptions): void {
    const core = coreOf<StreamStrategy>(this);
    const every = edge(this.connect, () => checkConnectOptions(options, ["routingId"]));
    const name = checkRoutingId("routingId", options?.routingId ?? this.#nextName);
    this.#nextName = null;
    if (name !== null && core.strategy.knows(name)) throw nameInUse(endpoint, name);
    const id = name ?? core.strategy.newName();
    edge(this.connect, () => core.endpoints.connect(endpoint, id, every));
    this.#newest = id;
  }

  /** @internal CONNECT_ROUTING_ID: the name for the next connect() only */
  get nextRoutingId(): Buffer | null {
    return this.#nextName;
  }

  /** @internal */
  set nextRoutingId(name: Buffer | null) {
    this.#nextName = name;
  }
}

defineOptions(Stream, OPTIONS);
