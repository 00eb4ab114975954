/**
 * PULL (RFC 30 §The PULL Socket Type): whole messages from all peers in turn.
 */

import { defineOptions } from "../../core/socket.js";
import {
  type ConflateOptions,
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type ReadableOptions,
  type SocketOptions,
} from "../../options/options.js";
import { ReadableSocket } from "../directions.js";

const OPTIONS: readonly OptionName[] = [...OPTION_GROUPS.socket, ...OPTION_GROUPS.readable, "conflate"];

/** Options of Pull. */
export interface PullOptions extends SocketOptions, ReadableOptions, ConflateOptions {}

export interface Pull extends OptionProperties<PullOptions> {}

/** Collects messages from Push sockets. */
export class Pull extends ReadableSocket {
  constructor(options?: PullOptions) {
    super(7, "PULL");
    this.applyOptions(options, OPTIONS);
    if (new.target === Pull) Object.seal(this);
  }
}

defineOptions(Pull, OPTIONS);
