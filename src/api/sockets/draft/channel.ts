/**
 * CHANNEL (RFC 52 §The CHANNEL Socket Type; items N1, N2, N7): as PAIR, for messages of one part.
 */

import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { CHANNEL } from "../../../patterns/strategies/draft/channel.js";
import { defineOptions } from "../../socket.js";
import { DuplexSocket } from "../../writable.js";

const OPTIONS = optionsOf("CHANNEL");

/** Options of Channel. */
export interface ChannelOptions extends OptionsOf<"CHANNEL"> {}

export interface Channel extends PropertiesOf<"CHANNEL"> {}

/** Talks to one other Channel socket in messages of one part. */
export class Channel extends DuplexSocket {
  constructor(options?: ChannelOptions) {
    super(CHANNEL, options, OPTIONS);
    if (new.target === Channel) Object.seal(this);
  }
}

defineOptions(Channel, OPTIONS);
