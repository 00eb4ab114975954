/** Memory in which several parts lie. */
import * as workerThreads from "node:worker_threads";

/**
 * As Node does with the memory of small Buffers: who hands one part to another thread must not take the others along.
 * postMessage() and structuredClone() then throw a DataCloneError for it.
 */
export function keepTogether(memory: Buffer): void {
  workerThreads.markAsUntransferable?.(memory.buffer); // absent in some runtimes
}
