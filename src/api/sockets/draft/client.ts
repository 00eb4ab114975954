/**
 * CLIENT (RFC 41 §The CLIENT Socket Type; items N1, N2, N4): as DEALER, for messages of one part.
 */

import {
  type HelloOptions,
  type HiccupOptions,
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type ReadableOptions,
  type SocketOptions,
  type WritableOptions,
} from "../../../options/options.js";
import { CLIENT } from "../../../patterns/strategies/draft/client.js";
import { defineOptions } from "../../socket.js";
import { DuplexSocket } from "../../writable.js";

const OPTIONS: readonly OptionName[] = [
  ...OPTION_GROUPS.socket,
  ...OPTION_GROUPS.writable,
  ...OPTION_GROUPS.readable,
  "helloMessage",
  "hiccupMessage",
];

/** Options of Client. */
export interface ClientOptions
  extends SocketOptions,
    WritableOptions,
    ReadableOptions,
    HelloOptions,
    HiccupOptions {}

export interface Client extends OptionProperties<ClientOptions> {}

/** Talks to Server sockets, in turn, in messages of one part. */
export class Client extends DuplexSocket {
  constructor(options?: ClientOptions) {
    super(CLIENT, options, OPTIONS);
    if (new.target === Client) Object.seal(this);
  }
}

defineOptions(Client, OPTIONS);
