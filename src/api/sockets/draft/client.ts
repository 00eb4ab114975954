/**
 * CLIENT (RFC 41 §The CLIENT Socket Type; items N1, N2, N4): as DEALER, for messages of one part.
 */

import type { OutMessage } from "../../../base/message.js";
import { defineOptions } from "../../../core/socket.js";
import type { Pipe } from "../../../engine/pipe.js";
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
import { singlePart, skipMultipart } from "../../../patterns/single-part.js";
import { DealerBase } from "../dealer.js";

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
export class Client extends DealerBase {
  constructor(options?: ClientOptions) {
    super(13, "CLIENT");
    this.applyOptions(options, OPTIONS);
    if (new.target === Client) Object.seal(this);
  }

  override get threadSafe(): boolean {
    return true;
  }

  protected override route(message: OutMessage): boolean {
    return super.route(singlePart(message));
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    pipe.intercept = skipMultipart;
  }
}

defineOptions(Client, OPTIONS);
