/**
 * GATHER (RFC 49 §The GATHER Socket Type; items N2, N5): as PULL, with messages of one part.
 */

import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { GATHER } from "../../../patterns/strategies/draft/gather.js";
import { ReadableSocket } from "../../readable.js";
import { defineOptions } from "../../socket.js";

const OPTIONS = optionsOf("GATHER");

/** Options of Gather. */
export interface GatherOptions extends OptionsOf<"GATHER"> {}

export interface Gather extends PropertiesOf<"GATHER"> {}

/** Receives the messages of Scatter sockets, which have one part. */
export class Gather extends ReadableSocket {
  constructor(options?: GatherOptions) {
    super(GATHER, options, OPTIONS);
    if (new.target === Gather) Object.seal(this);
  }
}

defineOptions(Gather, OPTIONS);
