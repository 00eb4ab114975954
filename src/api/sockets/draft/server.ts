/**
 * SERVER (RFC 41 §The SERVER Socket Type; items N1 to N3): sends and receives messages of one part, each with the
 * number of its peer.
 */

import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { SERVER } from "../../../patterns/strategies/draft/server.js";
import { NumberedSocket, type ServerMessage, type ServerRoutingOptions } from "../../numbered-socket.js";
import { defineOptions } from "../../socket.js";

const OPTIONS = optionsOf("SERVER");

/** Options of Server. */
export interface ServerOptions extends OptionsOf<"SERVER"> {}

export interface Server extends PropertiesOf<"SERVER"> {}

/** Talks to Client sockets, and addresses each by its number. */
export class Server extends NumberedSocket {
  constructor(options?: ServerOptions) {
    super(SERVER, options, OPTIONS);
    if (new.target === Server) Object.seal(this);
  }
}

defineOptions(Server, OPTIONS);

export type { ServerMessage, ServerRoutingOptions };
