/**
 * What zeromq.js's classes share because they are native code: the words for a call without `new`, and that an object of
 * one is taken where one of another is asked for, to fail later. Knows none of them.
 */

/**
 * The class as zeromq.js's is seen from outside.
 * @param name as it is exported
 */
export function nativeClass<C extends { readonly prototype: object }>(name: string, own: C): C {
  Object.defineProperty(own, "name", { value: name });
  const seen = new Proxy(own, {
    apply() {
      throw new TypeError("Class constructors cannot be invoked without 'new'");
    },
  });
  Object.defineProperty(own.prototype, "constructor", { value: seen });
  return seen;
}

const checks: ((value: object) => boolean)[] = [];

/** Tells how objects of a class are recognised. */
export function recognise(check: (value: object) => boolean): void {
  checks.push(check);
}

/** Whether a value was made by one of the classes. */
export function isNative(value: unknown): boolean {
  return typeof value === "object" && value !== null && checks.some((check) => check(value));
}
