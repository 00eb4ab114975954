/**
 * STREAM (section M): tcp connections of programs that do not speak ZMTP. Each message has two parts, the name of the
 * connection and bytes as they came or shall go; where one chunk ends means nothing.
 */

import type { Buffer } from "../../base/platform.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { routingId as checkRoutingId } from "../../options/rules.js";
import { optionsOf } from "../../options/table.js";
import { STREAM, type StreamStrategy } from "../../patterns/strategies/stream.js";
import { coreOf, defineOptions } from "../socket.js";
import { DuplexSocket } from "../writable.js";
import { nameInUse } from "./router.js";

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
  #newest: Buffer | null = null;
  #nextName: Buffer | null = null;

  constructor(options?: StreamOptions) {
    super(STREAM, options, OPTIONS);
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
   * EPROTONOSUPPORT for inproc, which has no bytes
   */
  override connect(endpoint: string, options?: StreamConnectOptions): void {
    const core = coreOf<StreamStrategy>(this);
    const name = checkRoutingId("routingId", options?.routingId ?? this.#nextName);
    this.#nextName = null;
    if (name !== null && core.strategy.knows(name)) throw nameInUse(endpoint, name);
    const id = name ?? core.strategy.newName();
    core.endpoints.connect(endpoint, id);
    this.#newest = id;
  }

  /** @internal CONNECT_ROUTING_ID: for the next connect() only */
  get nextRoutingId(): Buffer | null {
    return this.#nextName;
  }

  /** @internal */
  set nextRoutingId(name: Buffer | null) {
    this.#nextName = name;
  }
}

defineOptions(Stream, OPTIONS);
