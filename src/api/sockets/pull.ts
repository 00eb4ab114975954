/**
 * PULL (RFC 30 §The PULL Socket Type): whole messages from all peers in turn.
 */

import {
  type ConflateOptions,
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type ReadableOptions,
  type SocketOptions,
} from "../../options/options.js";
import { PULL } from "../../patterns/strategies/pull.js";
import { ReadableSocket } from "../readable.js";
import { defineOptions } from "../socket.js";

const OPTIONS: readonly OptionName[] = [...OPTION_GROUPS.socket, ...OPTION_GROUPS.readable, "conflate"];

/** Options of Pull. */
export interface PullOptions extends SocketOptions, ReadableOptions, ConflateOptions {}

export interface Pull extends OptionProperties<PullOptions> {}

/** Collects messages from Push sockets. */
export class Pull extends ReadableSocket {
  constructor(options?: PullOptions) {
    super(PULL, options, OPTIONS);
    if (new.target === Pull) Object.seal(this);
  }
}

defineOptions(Pull, OPTIONS);
