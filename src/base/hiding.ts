/**
 * Secrets in values that a program may print: they can be read by name, and are not shown.
 */

/** The text that is shown instead of a secret. */
export const HIDDEN = "[hidden]";

/** Adds properties that can be read by name but are not enumerable, and freezes the object. */
export function hiding<T extends object, S extends object>(object: T, secrets: S): T & S {
  for (const [name, value] of Object.entries(secrets)) Object.defineProperty(object, name, { value });
  return Object.freeze(object) as T & S;
}
