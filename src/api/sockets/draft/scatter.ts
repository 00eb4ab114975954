/**
 * SCATTER (RFC 49 §The SCATTER Socket Type; items N1, N5): as PUSH, for messages of one part.
 */
import type { OutMessage } from "../../../base/message.js";
import { defineOptions } from "../../../core/socket.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { singlePart } from "../../../patterns/single-part.js";
import { PushBase } from "../push.js";

const OPTIONS = optionsOf("SCATTER");

/** Options of Scatter. */
export interface ScatterOptions extends OptionsOf<"SCATTER"> {}

export interface Scatter extends PropertiesOf<"SCATTER"> {}

/** Hands out messages of one part, one peer at a time, to Gather sockets. */
export class Scatter extends PushBase {
  constructor(options?: ScatterOptions) {
    super(17, "SCATTER");
    this.applyOptions(options, OPTIONS);
    if (new.target === Scatter) Object.seal(this);
  }

  override get threadSafe(): boolean {
    return true;
  }

  protected override route(message: OutMessage): boolean {
    return super.route(singlePart(message));
  }
}

defineOptions(Scatter, OPTIONS);
