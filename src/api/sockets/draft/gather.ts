/**
 * GATHER (RFC 49 §The GATHER Socket Type; items N2, N5): as PULL, for messages of one part.
 */

import {
  type ConflateOptions,
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type ReadableOptions,
  type SocketOptions,
} from "../../../options/options.js";
import { GATHER } from "../../../patterns/strategies/draft/gather.js";
import { ReadableSocket } from "../../readable.js";
import { defineOptions } from "../../socket.js";

const OPTIONS: readonly OptionName[] = [...OPTION_GROUPS.socket, ...OPTION_GROUPS.readable, "conflate"];

/** Options of Gather. */
export interface GatherOptions extends SocketOptions, ReadableOptions, ConflateOptions {}

export interface Gather extends OptionProperties<GatherOptions> {}

/** Collects messages of one part from Scatter sockets. */
export class Gather extends ReadableSocket {
  constructor(options?: GatherOptions) {
    super(GATHER, options, OPTIONS);
    if (new.target === Gather) Object.seal(this);
  }
}

defineOptions(Gather, OPTIONS);
