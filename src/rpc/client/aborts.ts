/**
 * Many calls may share one abort signal: one listener for all of them, because Node warns of a leak at eleven.
 */

const watched = new WeakMap<AbortSignal, Set<() => void>>();

/** Call `aborted` once when the signal, which is not aborted yet, is; the result undoes it. */
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
