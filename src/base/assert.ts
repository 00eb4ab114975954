/**
 * Assertions, checked in production as well: they find an impossible state where it arises, before it does damage. A
 * failure is a bug of zwire. It ends the connection in which it is found, and nothing else.
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
 * @param what text of the error: names the object, and what is wrong with it
 * @throws AssertionError if the condition is false
 */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionError(what);
}
