/**
 * What a handler has returned: whether it is a promise, and whether it is something to stream.
 */

/** Something that yields items. */
export interface Source {
  next(): unknown;
  return?(): unknown;
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function"
  );
}

/** The source in a value, or null. Iterators and async iterables are streamed; arrays, Maps, Sets and strings are values. */
export function sourceOf(value: unknown): Source | null {
  if (typeof value !== "object" || value === null) return null;
  const given = value as Partial<AsyncIterable<unknown>> &
    Partial<Iterator<unknown>> &
    Partial<Iterable<unknown>>;
  if (typeof given[Symbol.asyncIterator] === "function")
    return (given as AsyncIterable<unknown>)[Symbol.asyncIterator]() as Source;
  return typeof given.next === "function" && typeof given[Symbol.iterator] === "function"
    ? (given as Source)
    : null;
}

/** Ends a source after an error. What `return` throws is dropped: the caller gets the first error. */
export async function giveBack(source: Source): Promise<void> {
  try {
    await source.return?.();
  } catch {
    // See above.
  }
}
