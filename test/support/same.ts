/** For loops of many thousand rounds: `expect` costs 15 µs each time, and is only needed where something is wrong. */
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";

/** Fails unless the two are the same value, as `expect(actual).toBe(expected)` does. */
export function same<T>(actual: T, expected: T, what?: string): void {
  if (!Object.is(actual, expected)) expect(actual, what).toBe(expected);
}

/** Fails unless the two are equal, as `expect(actual).toEqual(expected)` does. */
export function alike<T>(actual: T, expected: T, what?: () => string): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual, what?.()).toEqual(expected);
}
