/**
 * PUSH (RFC 30 §The PUSH Socket Type): messages in turn to peers with room; never drops.
 */

import type { Pipe } from "../../engine/pipe.js";
import { discard, type SocketType } from "../strategy.js";
import { TurnTaking } from "../turn-taking.js";

export class PushStrategy extends TurnTaking {
  override attach(pipe: Pipe): void {
    pipe.intercept = discard; // a PULL sends no messages
    super.attach(pipe);
  }
}

export const PUSH: SocketType<PushStrategy> = { number: 8, name: "PUSH", strategy: PushStrategy };
