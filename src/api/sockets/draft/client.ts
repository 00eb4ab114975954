/**
 * CLIENT (RFC 41 §The CLIENT Socket Type; items N1, N2, N4): as DEALER, for messages of one part.
 */

import type { OutMessage } from "../../../base/message.js";
import { defineOptions } from "../../../core/socket.js";
import type { Pipe } from "../../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { singlePart, skipMultipart } from "../../../patterns/single-part.js";
import { DealerBase } from "../dealer.js";

const OPTIONS = optionsOf("CLIENT");

/** Options of Client. */
export interface ClientOptions extends OptionsOf<"CLIENT"> {}

export interface Client extends PropertiesOf<"CLIENT"> {}

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
