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
  const waiting = new Set(pipes.filter((pipe) => pipe.outboundLength > 0));
  if (waiting.size === 0 || lingerMs === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      deadline?.cancel();
      for (const pipe of waiting) pipe.onEmpty = null;
      resolve();
    };
    const deadline = lingerMs > 0 ? loop.deadline(lingerMs, finish) : undefined;
    for (const pipe of waiting) {
      pipe.onEmpty = () => {
        pipe.onEmpty = null;
        waiting.delete(pipe);
        if (waiting.size === 0) finish();
      };
    }
  });
}
