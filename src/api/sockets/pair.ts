/**
 * PAIR (RFC 31 §The PAIR Socket Type): one peer at a time, both ways (L1 to L4).
 */

import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { PAIR } from "../../patterns/strategies/pair.js";
import { defineOptions } from "../socket.js";
import { DuplexSocket } from "../writable.js";

const OPTIONS = optionsOf("PAIR");

/** Options of Pair. */
export interface PairOptions extends OptionsOf<"PAIR"> {}

export interface Pair extends PropertiesOf<"PAIR"> {}

/**
 * Talks to one other Pair socket. A second one is disconnected at once: over tcp and ipc it dials again until the place
 * is free, over inproc it has to connect anew (L1, R22). What it sent before that is lost.
 */
export class Pair extends DuplexSocket {
  constructor(options?: PairOptions) {
    super(PAIR, options, OPTIONS);
    if (new.target === Pair) Object.seal(this);
  }
}

defineOptions(Pair, OPTIONS);
