/**
 * SERVER (RFC 41 §The SERVER Socket Type; items N1 to N3): messages of one part, each with the number of its peer.
 */

import {
  type DisconnectOptions,
  type HelloOptions,
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type ReadableOptions,
  type SocketOptions,
  type WritableOptions,
} from "../../../options/options.js";
import { SERVER } from "../../../patterns/strategies/draft/server.js";
import { NumberedSocket, type ServerMessage, type ServerRoutingOptions } from "../../numbered-socket.js";
import { defineOptions } from "../../socket.js";

const OPTIONS: readonly OptionName[] = [
  ...OPTION_GROUPS.socket,
  ...OPTION_GROUPS.writable,
  ...OPTION_GROUPS.readable,
  "helloMessage",
  "disconnectMessage",
];

/** Options of Server. */
export interface ServerOptions
  extends SocketOptions,
    WritableOptions,
    ReadableOptions,
    HelloOptions,
    DisconnectOptions {}

export interface Server extends OptionProperties<ServerOptions> {}

/** Answers Client sockets, each by its number. */
export class Server extends NumberedSocket {
  constructor(options?: ServerOptions) {
    super(SERVER, options, OPTIONS);
    if (new.target === Server) Object.seal(this);
  }
}

defineOptions(Server, OPTIONS);

export type { ServerMessage, ServerRoutingOptions };
