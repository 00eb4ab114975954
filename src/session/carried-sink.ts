/**
 * Between a connection and its pipe, where both sides carry contexts of traces: takes off the part in front of each message.
 * Whatever is in it, the message goes on; a message without it ends the connection, because nothing behind it can be trusted
 * to begin where it seems to.
 */
import { unfronted } from "../base/carried.js";
import { letGoOf } from "../base/lent.js";
import type { Message } from "../base/message.js";
import type { MessageSink } from "../engine/incoming/assembler.js";
import type { FrameRun } from "../engine/incoming/frame-run.js";
import type { OpenMessage } from "../engine/incoming/open-message.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";

export class CarriedSink implements MessageSink {
  readonly #pipe: MessageSink;
  readonly #fail: (error: Error) => void;
  #failed = false;

  constructor(pipe: MessageSink, fail: (error: Error) => void) {
    this.#pipe = pipe;
    this.#fail = fail;
  }

  deliver(message: Message): void {
    if (this.#failed) letGoOf(message);
    else if (message.length > 1) this.#pipe.deliver(unfronted(message));
    else {
      this.#failed = true;
      const text = "a message has no part for the context of a trace, which both sides have agreed on";
      this.#fail(new ProtocolError("trace-part-missing", text, { rule: "docs/observability.md" }));
    }
  }

  deliverRun(run: FrameRun): void {
    while (run.length > 0) this.deliver(run.shift());
  }

  deliverLong(message: OpenMessage): void {
    this.deliver(message.shift());
  }
}
