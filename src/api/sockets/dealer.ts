/**
 * DEALER (RFC 28 §The DEALER Socket Type): messages in turn to peers with room and from all peers in turn, their parts
 * untouched (I1, I2).
 */

import {
  type ConflateOptions,
  type HelloOptions,
  type HiccupOptions,
  type IdentityOptions,
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type ProbeOptions,
  type ReadableOptions,
  type SocketOptions,
  type WritableOptions,
} from "../../options/options.js";
import { DEALER } from "../../patterns/strategies/dealer.js";
import { defineOptions } from "../socket.js";
import { DuplexSocket } from "../writable.js";

const OPTIONS: readonly OptionName[] = [
  ...OPTION_GROUPS.socket,
  ...OPTION_GROUPS.writable,
  ...OPTION_GROUPS.readable,
  "routingId",
  "probeRouter",
  "conflate",
  "helloMessage",
  "hiccupMessage",
];

/** Options of Dealer. */
export interface DealerOptions
  extends SocketOptions,
    WritableOptions,
    ReadableOptions,
    IdentityOptions,
    ProbeOptions,
    ConflateOptions,
    HelloOptions,
    HiccupOptions {}

export interface Dealer extends OptionProperties<DealerOptions> {}

/** Talks to Router, Reply and Dealer sockets without waiting for replies. */
export class Dealer extends DuplexSocket {
  constructor(options?: DealerOptions) {
    super(DEALER, options, OPTIONS);
    if (new.target === Dealer) Object.seal(this);
  }
}

defineOptions(Dealer, OPTIONS);
