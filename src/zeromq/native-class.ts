/**
 * What zeromq.js's classes share because they are native code: the words for a call without `new`, and that an object of
 * one is taken where one of another is asked for, to fail later. Knows none of them.
 */

/** Builds an object for a constructor that was called with `new`. @throws TypeError for one that was not */
export type Build = (target: unknown, args: unknown[]) => object;

/**
 * The class as zeromq.js's is seen from outside.
 * @param outside makes the function that is exported. It is written out with its name at each place, because V8 takes the
 * name of an object in its error texts from there.
 */
export function nativeClass<C extends { readonly prototype: object }>(
  own: C,
  outside: (build: Build) => (...args: unknown[]) => object,
): C {
  const construct = own as unknown as new (...args: unknown[]) => object;
  const seen = outside((target, args) => {
    if (target === undefined) throw new TypeError("Class constructors cannot be invoked without 'new'");
    return Reflect.construct(construct, args, target as typeof construct);
  });
  const { name } = seen;
  for (const [key, field] of Object.entries(Object.getOwnPropertyDescriptors(own)))
    if (key !== "prototype") Object.defineProperty(seen, key, field);
  for (const one of [own, seen]) Object.defineProperty(one, "name", { value: name, configurable: true });
  Object.defineProperty(seen, "prototype", { value: own.prototype, writable: false });
  Object.defineProperty(own.prototype, "constructor", { value: seen, writable: true, configurable: true });
  return seen as unknown as C;
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
