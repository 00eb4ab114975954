/**
 * SCATTER (RFC 49 §The SCATTER Socket Type; items N1, N5): as PUSH, with messages of one part.
 */

import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { SCATTER } from "../../../patterns/strategies/draft/scatter.js";
import { defineOptions } from "../../socket.js";
import { WritableSocket } from "../../writable.js";

const OPTIONS = optionsOf("SCATTER");

/** Options of Scatter. */
export interface ScatterOptions extends OptionsOf<"SCATTER"> {}

export interface Scatter extends PropertiesOf<"SCATTER"> {}

/** Sends each message, which has one part, to one Gather socket, in turn to each that has room. */
export class Scatter extends WritableSocket {
  constructor(options?: ScatterOptions) {
    super(SCATTER, options, OPTIONS);
    if (new.target === Scatter) Object.seal(this);
  }
}

defineOptions(Scatter, OPTIONS);
