/** Protects memory that holds several message parts. */

import * as workerThreads from "node:worker_threads";
import type { Buffer } from "../../base/platform.js";

/**
 * Forbids to transfer this memory to another thread, because that would take away the other parts in it, too.
 * postMessage() and structuredClone() then throw a DataCloneError. Node.js does the same with the pool of small
 * Buffers.
 */
export function keepTogether(memory: Buffer): void {
  workerThreads.markAsUntransferable?.(memory.buffer); // absent in some runtimes
}
