/**
 * PUSH (RFC 30 §The PUSH Socket Type): sends messages to peers with room in turn; never drops one.
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

/** Sends each message to one Pull socket, in turn to each that has room. If none has room, send() waits. */
export class Push extends WritableSocket {
  constructor(options?: PushOptions) {
    super(PUSH, options, OPTIONS);
    if (new.target === Push) Object.seal(this);
  }
}

defineOptions(Push, OPTIONS);
