/**
 * The empty message that tells a ROUTER of a new peer before that has anything to say (item I14).
 */

import type { Pipe } from "../engine/pipe.js";

const EMPTY = new Uint8Array(0);

/**
 * The first message of an inproc pipe; there is room, because nothing else is in it yet. A pipe over tcp or ipc outlives
 * its connection, and the peer that comes then knows nothing of us: there each session sends the probe before anything
 * else.
 */
export function sendProbe(pipe: Pipe): void {
  if (!pipe.outlivesConnection) pipe.trySend(EMPTY);
}
