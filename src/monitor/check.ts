/** Checks the options of a call. @throws TypeError if they are no object, or for a name that is unknown */
export function checkOptions(call: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`options must be an object; got ${options === null ? "null" : typeof options}`);
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new TypeError(`${call} has no option "${name}"; it has ${names.join(", ")}`);
    }
  }
}
