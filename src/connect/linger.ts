/**
 * Waits until pipes are empty, for at most the linger time (item S9).
 */
import type { EventLoop } from "../base/deadline.js";

/** A pipe whose messages may still be on their way. */
interface Flushed {
  endOfTurn(): void;
  readonly outboundLength: number;
  onEmpty: (() => void) | null;
}

/** Resolves when the kernel has taken all messages of the pipes, or after `lingerMs` milliseconds (-1: no limit). */
export function flushed(pipes: readonly Flushed[], lingerMs: number, loop: EventLoop): Promise<void> {
  for (const pipe of pipes) pipe.endOfTurn();
  const waited = pipes.filter((pipe) => pipe.outboundLength > 0);
  if (waited.length === 0 || lingerMs === 0) return Promise.resolve();
  return new Promise((resolve) => {
    /** For each pipe that is not empty: stops waiting for it. */
    const waits = new Set<() => void>();
    const finish = (): void => {
      deadline?.cancel();
      for (const stop of waits) stop();
      resolve();
    };
    const deadline = lingerMs > 0 ? loop.deadline(lingerMs, finish) : undefined;
    for (const pipe of waited) {
      // Somebody may wait already: for the one peer, while its endpoint closes.
      const { onEmpty: before } = pipe;
      const stop = (): void => {
        if (pipe.onEmpty === empty) pipe.onEmpty = before;
      };
      const empty = (): void => {
        stop();
        waits.delete(stop);
        if (waits.size === 0) finish();
        before?.();
      };
      waits.add(stop);
      pipe.onEmpty = empty;
    }
  });
}
