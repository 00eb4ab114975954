/**
 * One listener on an abort signal for all calls that share it: Node warns of a leak when a signal has more than ten.
 */

/** By signal, for all clients together, because clients may share a signal. */
const watched = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `aborted` once when the signal is aborted; it must not be aborted yet. The returned function undoes this. */
export function onAbort(signal: AbortSignal, aborted: () => void): () => void {
  let waiting = watched.get(signal);
  if (waiting === undefined) {
    waiting = new Set();
    watched.set(signal, waiting);
    const all = waiting;
    const listener = (): void => {
      for (const one of [...all]) one();
      all.clear();
    };
    signal.addEventListener("abort", listener, { once: true });
  }
  const all = waiting;
  all.add(aborted);
  return () => all.delete(aborted);
}
