/**
 * PULL (RFC 30 §The PULL Socket Type): receives messages from all peers in turn.
 */

import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { PULL } from "../../patterns/strategies/pull.js";
import { ReadableSocket } from "../readable.js";
import { defineOptions } from "../socket.js";

const OPTIONS = optionsOf("PULL");

/** Options of Pull. */
export interface PullOptions extends OptionsOf<"PULL"> {}

export interface Pull extends PropertiesOf<"PULL"> {}

/** Receives the messages of Push sockets, in turn from each that has some. */
export class Pull extends ReadableSocket {
  constructor(options?: PullOptions) {
    super(PULL, options, OPTIONS);
    if (new.target === Pull) Object.seal(this);
  }
}

defineOptions(Pull, OPTIONS);
