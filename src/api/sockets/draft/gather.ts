/**
 * GATHER (RFC 49 §The GATHER Socket Type; items N2, N5): as PULL, for messages of one part.
 */

import { defineOptions } from "../../../core/socket.js";
import type { Pipe } from "../../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { skipMultipart } from "../../../patterns/single-part.js";
import { ReadableSocket } from "../../directions.js";

const OPTIONS = optionsOf("GATHER");

/** Options of Gather. */
export interface GatherOptions extends OptionsOf<"GATHER"> {}

export interface Gather extends PropertiesOf<"GATHER"> {}

/** Collects messages of one part from Scatter sockets. */
export class Gather extends ReadableSocket {
  constructor(options?: GatherOptions) {
    super(16, "GATHER");
    this.applyOptions(options, OPTIONS);
    if (new.target === Gather) Object.seal(this);
  }

  override get threadSafe(): boolean {
    return true;
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    pipe.intercept = skipMultipart;
  }
}

defineOptions(Gather, OPTIONS);
