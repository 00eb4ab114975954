/**
 * What must be true, checked also in production: a state that cannot be is found where it arises, and not by what it
 * spoils later. A failure is a fault of zwire; it ends the connection in which it is found, and nothing else.
 */

/** An assertion of zwire has failed. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
  readonly code = "ERR_ASSERTION";

  constructor(what: string) {
    super(`this is a bug of zwire, please report it with this text: ${what}`);
  }
}

/**
 * @param what should be true; names the object, and what is wrong with it
 * @throws AssertionError when it is not
 */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionError(what);
}
