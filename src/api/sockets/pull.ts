/**
 * PULL (RFC 30 §The PULL Socket Type): whole messages from all peers in turn.
 */

import { defineOptions } from "../../core/socket.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { ReadableSocket } from "../directions.js";

const OPTIONS = optionsOf("PULL");

/** Options of Pull. */
export interface PullOptions extends OptionsOf<"PULL"> {}

export interface Pull extends PropertiesOf<"PULL"> {}

/** Collects messages from Push sockets. */
export class Pull extends ReadableSocket {
  constructor(options?: PullOptions) {
    super(7, "PULL");
    this.applyOptions(options, OPTIONS);
    if (new.target === Pull) Object.seal(this);
  }
}

defineOptions(Pull, OPTIONS);
