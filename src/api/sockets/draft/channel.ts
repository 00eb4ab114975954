/**
 * CHANNEL (RFC 52 §The CHANNEL Socket Type; items N1, N2, N7): as PAIR, for messages of one part.
 */

import {
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type ReadableOptions,
  type SocketOptions,
  type WritableOptions,
} from "../../../options/options.js";
import { CHANNEL } from "../../../patterns/strategies/draft/channel.js";
import { defineOptions } from "../../socket.js";
import { DuplexSocket } from "../../writable.js";

const OPTIONS: readonly OptionName[] = [
  ...OPTION_GROUPS.socket,
  ...OPTION_GROUPS.writable,
  ...OPTION_GROUPS.readable,
];

/** Options of Channel. */
export interface ChannelOptions extends SocketOptions, WritableOptions, ReadableOptions {}

export interface Channel extends OptionProperties<ChannelOptions> {}

/** Talks to one other Channel socket in messages of one part. */
export class Channel extends DuplexSocket {
  constructor(options?: ChannelOptions) {
    super(CHANNEL, options, OPTIONS);
    if (new.target === Channel) Object.seal(this);
  }
}

defineOptions(Channel, OPTIONS);
