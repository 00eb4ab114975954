/**
 * CLIENT (RFC 41 §The CLIENT Socket Type; items N1, N2, N4): as DEALER, with messages of one part.
 */

import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { CLIENT } from "../../../patterns/strategies/draft/client.js";
import { defineOptions } from "../../socket.js";
import { DuplexSocket } from "../../writable.js";

const OPTIONS = optionsOf("CLIENT");

/** Options of Client. */
export interface ClientOptions extends OptionsOf<"CLIENT"> {}

export interface Client extends PropertiesOf<"CLIENT"> {}

/** Sends messages of one part to Server sockets in turn, and receives their answers. */
export class Client extends DuplexSocket {
  constructor(options?: ClientOptions) {
    super(CLIENT, options, OPTIONS);
    if (new.target === Client) Object.seal(this);
  }
}

defineOptions(Client, OPTIONS);
