/**
 * ROUTER (RFC 28 §The ROUTER Socket Type): each received message begins with the name of its peer, and each sent
 * message with the name of the one to get it (I3 to I15).
 */

import { ZmqError } from "../../base/errors.js";
import type { Buffer } from "../../base/platform.js";
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
export interface RouterConnectOptions {
  /** Name by which the peer is addressed, at once and whatever it calls itself (I11): 1 to 255 bytes. */
  readonly routingId?: string | Uint8Array;
}

export interface Router extends PropertiesOf<"ROUTER"> {}

/** Talks to many Dealer, Request and Router sockets, each by its name. */
export class Router extends DuplexSocket {
  #nextName: Buffer | null = null;

  constructor(options?: RouterOptions) {
    super(ROUTER, options, OPTIONS);
    if (new.target === Router) Object.seal(this);
  }

  /**
   * Connect, as any socket; with `routingId` the peer can be addressed before it is there.
   * @throws as Socket.connect; TypeError or RangeError for a bad name, ZmqError EINVAL for one that is in use
   */
  override connect(endpoint: string, options?: RouterConnectOptions): void {
    const core = coreOf<RouterStrategy>(this);
    const name = checkRoutingId("routingId", options?.routingId ?? this.#nextName);
    this.#nextName = null;
    if (name !== null && core.strategy.knows(name)) throw nameInUse(endpoint, name);
    core.endpoints.connect(endpoint, name);
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

defineOptions(Router, OPTIONS);

/** @internal connect() was given a name that a peer has already. */
export function nameInUse(endpoint: string, name: Buffer): ZmqError {
  return new ZmqError("EINVAL", { address: endpoint, detail: `routing id "${name}" is in use` });
}
