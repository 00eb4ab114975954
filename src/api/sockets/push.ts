/**
 * PUSH (RFC 30 §The PUSH Socket Type): messages in turn to peers with room; never drops.
 */

import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { PUSH } from "../../patterns/strategies/push.js";
import { defineOptions } from "../socket.js";
import { WritableSocket } from "../writable.js";

const OPTIONS = optionsOf("PUSH");

/** Options of Push. */
export interface PushOptions extends OptionsOf<"PUSH"> {}

export interface Push extends PropertiesOf<"PUSH"> {}

/** Hands out messages, one peer at a time, to Pull sockets. */
export class Push extends WritableSocket {
  constructor(options?: PushOptions) {
    super(PUSH, options, OPTIONS);
    if (new.target === Push) Object.seal(this);
  }
}

defineOptions(Push, OPTIONS);
