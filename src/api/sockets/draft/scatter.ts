/**
 * SCATTER (RFC 49 §The SCATTER Socket Type; items N1, N5): as PUSH, for messages of one part.
 */

import {
  type ConflateOptions,
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type SocketOptions,
  type WritableOptions,
} from "../../../options/options.js";
import { SCATTER } from "../../../patterns/strategies/draft/scatter.js";
import { defineOptions } from "../../socket.js";
import { WritableSocket } from "../../writable.js";

const OPTIONS: readonly OptionName[] = [...OPTION_GROUPS.socket, ...OPTION_GROUPS.writable, "conflate"];

/** Options of Scatter. */
export interface ScatterOptions extends SocketOptions, WritableOptions, ConflateOptions {}

export interface Scatter extends OptionProperties<ScatterOptions> {}

/** Hands out messages of one part, one peer at a time, to Gather sockets. */
export class Scatter extends WritableSocket {
  constructor(options?: ScatterOptions) {
    super(SCATTER, options, OPTIONS);
    if (new.target === Scatter) Object.seal(this);
  }
}

defineOptions(Scatter, OPTIONS);
