/**
 * The empty message that tells a ROUTER of a new peer before that has anything to say (item I14).
 */
import type { Pipe } from "../engine/pipe.js";

const EMPTY = new Uint8Array(0);

/** The first message of a pipe; there is room, because nothing else is in it yet. */
export function sendProbe(pipe: Pipe): void {
  pipe.trySend(EMPTY);
}
