/**
 * PAIR (RFC 31 §The PAIR Socket Type): has one peer at a time, and sends and receives (L1 to L4).
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
 * Talks to one other Pair socket. A second peer is disconnected at once. Over tcp and ipc it connects again until the
 * place is free; over inproc it must call connect() again (L1, R22). Messages that it sent before are lost.
 */
export class Pair extends DuplexSocket {
  constructor(options?: PairOptions) {
    super(PAIR, options, OPTIONS);
    if (new.target === Pair) Object.seal(this);
  }
}

defineOptions(Pair, OPTIONS);
