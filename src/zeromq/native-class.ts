/**
 * Behaviour that zeromq.js's classes share because they are native code: the error text for a call without `new`, and that
 * an argument may be an object of another of these classes, which fails only later. Does not know the classes themselves.
 */

/** Builds an object for a constructor called with `new`. @throws TypeError if it was called without */
export type Build = (target: unknown, args: unknown[]) => object;

/**
 * Gives a class the outside of a native one.
 * @param outside makes the function that is exported. Each caller writes this function with its name, because V8 takes the
 * name of an object in error texts from it.
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

/** Registers how to recognise objects of a class. */
export function recognise(check: (value: object) => boolean): void {
  checks.push(check);
}

/** Whether one of the classes created a value. */
export function isNative(value: unknown): boolean {
  return typeof value === "object" && value !== null && checks.some((check) => check(value));
}
