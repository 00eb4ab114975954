/**
 * PUSH (RFC 30 §The PUSH Socket Type): messages in turn to peers with room; never drops.
 */

import {
  type ConflateOptions,
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type SocketOptions,
  type WritableOptions,
} from "../../options/options.js";
import { PUSH } from "../../patterns/strategies/push.js";
import { defineOptions } from "../socket.js";
import { WritableSocket } from "../writable.js";

const OPTIONS: readonly OptionName[] = [...OPTION_GROUPS.socket, ...OPTION_GROUPS.writable, "conflate"];

/** Options of Push. */
export interface PushOptions extends SocketOptions, WritableOptions, ConflateOptions {}

export interface Push extends OptionProperties<PushOptions> {}

/** Hands out messages, one peer at a time, to Pull sockets. */
export class Push extends WritableSocket {
  constructor(options?: PushOptions) {
    super(PUSH, options, OPTIONS);
    if (new.target === Push) Object.seal(this);
  }
}

defineOptions(Push, OPTIONS);
