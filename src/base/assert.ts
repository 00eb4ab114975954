/**
 * Invariants that are checked in production too: what they cost is less than an error that shows up far from its cause.
 */

/**
 * Throws if the condition is false, which only a bug in zwire can cause.
 * @param text what should have been true
 */
export function assert(condition: unknown, text: string): asserts condition {
  if (!condition) throw new Error(`This is a bug in zwire, please report it: ${text}`);
}
