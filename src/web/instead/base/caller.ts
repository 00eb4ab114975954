/** Stands for base/caller.ts: a page's developer tools show where a call came from, and its file is to be small. */

export type Call = (...args: never[]) => unknown;

export function from<E>(_call: Call, error: E): E {
  return error;
}

export function edge<T>(_call: Call, run: () => T): T {
  return run();
}

export function edgeLater<T>(_call: Call, run: () => Promise<T>): Promise<T> {
  return run();
}
