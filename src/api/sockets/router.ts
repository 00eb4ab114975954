/**
 * ROUTER (RFC 28 §The ROUTER Socket Type): the first part of a received message is the name of the peer that sent it.
 * The first part of a message to send is the name of the peer that shall get it (I3 to I15).
 */

import { edge } from "../../base/caller.js";
import type { Buffer } from "../../base/platform.js";
import { type ConnectOptions, checkConnectOptions } from "../../core/endpoint-calls.js";
import { nameInUse } from "../../core/endpoints.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { routingId as checkRoutingId } from "../../options/rules.js";
import { optionsOf } from "../../options/table.js";
import { ROUTER, type RouterStrategy } from "../../patterns/strategies/router.js";
import { coreOf, defineOptions } from "../socket.js";
import { DuplexSocket } from "../writable.js";

const OPTIONS = optionsOf("ROUTER");

/** Options of Router. */
export interface RouterOptions extends OptionsOf<"ROUTER"> {}

/** Options of one connect(). */
export interface RouterConnectOptions extends ConnectOptions {
  /**
   * The name of the peer, 1 to 255 bytes. It may be used at once, and replaces the peer's own name (I11). Default: the
   * peer's own name.
   */
  readonly routingId?: string | Uint8Array;
}

export interface Router extends PropertiesOf<"ROUTER"> {}

/** Talks to many Dealer, Request, Reply and Router sockets, and addresses each by its name. */
export class Router extends DuplexSocket {
  #nextName: Buffer | null = null;

  constructor(options?: RouterOptions) {
    super(ROUTER, options, OPTIONS);
    if (new.target === Router) Object.seal(this);
  }

  /**
   * Connects, as any socket. With `routingId`, messages can be sent to the peer before it is connected.
   * @throws as Socket.connect; TypeError or RangeError for a wrong `routingId`, ZmqError EINVAL if it is in use
   */
  override connect(endpoint: string, options?: RouterConnectOptions): void {
    const core = coreOf<RouterStrategy>(this);
    const every = edge(this.connect, () => checkConnectOptions(options, ["routingId"]));
    const name = checkRoutingId("routingId", options?.routingId ?? this.#nextName);
    this.#nextName = null;
    if (name !== null && core.strategy.knows(name)) throw nameInUse(endpoint, name);
    edge(this.connect, () => core.endpoints.connect(endpoint, name, every));
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

defineOptions(Router, OPTIONS);
