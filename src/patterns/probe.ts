/**
 * The empty message that announces a new peer to a ROUTER before the peer sends anything else (item I14).
 */

import type { Pipe } from "../engine/pipe.js";

const EMPTY = new Uint8Array(0);

/**
 * Sends the probe as the first message of an inproc pipe. The pipe is empty, so it has room. A pipe over tcp or ipc outlives
 * its connection, and a later peer would not get the probe: there, each session sends it before anything else.
 */
export function sendProbe(pipe: Pipe): void {
  if (!pipe.outlivesConnection) pipe.trySend(EMPTY);
}
