/**
 * CHANNEL (RFC 52 §The CHANNEL Socket Type; items N1, N2, N7): as PAIR, for messages of one part.
 */
import type { OutMessage } from "../../../base/message.js";
import { defineOptions } from "../../../core/socket.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { singlePart, skipMultipart } from "../../../patterns/single-part.js";
import { PairBase } from "../pair.js";

const OPTIONS = optionsOf("CHANNEL");

/** Options of Channel. */
export interface ChannelOptions extends OptionsOf<"CHANNEL"> {}

export interface Channel extends PropertiesOf<"CHANNEL"> {}

/** Talks to one other Channel socket in messages of one part. */
export class Channel extends PairBase {
  constructor(options?: ChannelOptions) {
    super(20, "CHANNEL");
    this.applyOptions(options, OPTIONS);
    if (new.target === Channel) Object.seal(this);
  }

  override get threadSafe(): boolean {
    return true;
  }

  protected override route(message: OutMessage): boolean {
    return super.route(singlePart(message));
  }

  protected override readonly arrival = skipMultipart;
}

defineOptions(Channel, OPTIONS);
