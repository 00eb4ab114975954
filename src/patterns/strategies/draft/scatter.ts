/**
 * SCATTER (RFC 49 §The SCATTER Socket Type; items N1, N5): as PUSH, for messages of one part.
 */

import type { OutMessage } from "../../../base/message.js";
import type { Pipe } from "../../../engine/pipe.js";
import { singlePart } from "../../single-part.js";
import { discard, type SocketType } from "../../strategy.js";
import { TurnTaking } from "../../turn-taking.js";

export class ScatterStrategy extends TurnTaking {
  override send(message: OutMessage): boolean {
    return super.send(singlePart(message));
  }

  override attach(pipe: Pipe): void {
    pipe.intercept = discard; // a GATHER sends no messages
    super.attach(pipe);
  }
}

export const SCATTER: SocketType<ScatterStrategy> = {
  number: 17,
  name: "SCATTER",
  strategy: ScatterStrategy,
  threadSafe: true,
};
