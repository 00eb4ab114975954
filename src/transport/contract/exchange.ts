/**
 * What has to be agreed on a new connection before it can be used: with a proxy, or with an HTTP server.
 */
import { systemRuntime } from "../../base/runtime.js";

/** How an exchange ends: one of the two, once. */
export interface Outcome<T> {
  done(result: T): void;
  fail(error: unknown): void;
}

/**
 * Does an exchange over a stream. When it fails, is aborted or takes too long, closes the stream and rejects.
 * @param limitMs how long it may take; 0 for no limit
 * @param signal aborts it; its reason becomes the rejection
 * @param late the error when the time is over
 */
export function exchange<T>(
  stream: { close(): void },
  limitMs: number,
  signal: AbortSignal,
  late: () => Error,
  begin: (outcome: Outcome<T>) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      deadline?.cancel();
      signal.removeEventListener("abort", abort);
    };
    const fail = (error: unknown): void => {
      settle();
      stream.close();
      reject(error);
    };
    const abort = (): void => fail(signal.reason);
    // Unref'ed, because the stream keeps the event loop alive.
    const deadline =
      limitMs > 0 ? systemRuntime.loop.deadline(limitMs, () => fail(late())).unref() : undefined;
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener("abort", abort, { once: true });
    const done = (result: T): void => {
      settle();
      resolve(result);
    };
    begin({ done, fail });
  });
}
