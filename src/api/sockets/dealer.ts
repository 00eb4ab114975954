/**
 * DEALER (RFC 28 §The DEALER Socket Type): sends messages to peers with room in turn, and receives from all peers in
 * turn. Adds or removes no parts (I1, I2).
 */

import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { DEALER } from "../../patterns/strategies/dealer.js";
import { defineOptions } from "../socket.js";
import { DuplexSocket } from "../writable.js";

const OPTIONS = optionsOf("DEALER");

/** Options of Dealer. */
export interface DealerOptions extends OptionsOf<"DEALER"> {}

export interface Dealer extends PropertiesOf<"DEALER"> {}

/**
 * Talks to Router, Reply and Dealer sockets, without waiting for a reply before the next message. A message for a Reply
 * must begin with an empty part, and so does its reply.
 */
export class Dealer extends DuplexSocket {
  constructor(options?: DealerOptions) {
    super(DEALER, options, OPTIONS);
    if (new.target === Dealer) Object.seal(this);
  }
}

defineOptions(Dealer, OPTIONS);
