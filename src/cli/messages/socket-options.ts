/**
 * `--option name=value`: any option of the socket, checked by the table of options.
 */
import type { SocketType } from "../../options/row.js";
import { type OptionName, optionsOf, ROWS } from "../../options/table.js";
import { UsageError } from "../errors.js";

/** What a value may mean: what it is in JSON, and the text itself. */
function meanings(text: string): unknown[] {
  try {
    return [JSON.parse(text), text];
  } catch {
    return [text];
  }
}

/** @throws UsageError with what the option's rule says */
function valueOf(name: OptionName, text: string): unknown {
  const { check, initial } = ROWS[name];
  let fault: Error | undefined;
  for (const value of meanings(text)) {
    try {
      check(name, value, initial);
      return value;
    } catch (error) {
      // Of the right type and out of range says more than of the wrong type.
      if (fault === undefined || error instanceof RangeError) fault = error as Error;
    }
  }
  throw new UsageError(`--option ${(fault as Error).message}`);
}

/**
 * The values of options of a socket type.
 * @throws UsageError
 */
export function readSocketOptions(type: SocketType, given: readonly string[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const one of given) {
    const at = one.indexOf("=");
    if (at < 1) throw new UsageError(`--option must be name=value; got "${one}"`);
    const name = one.slice(0, at);
    const known = optionsOf(type).find((option) => option === name);
    if (known === undefined) throw new UsageError(`--option: ${type} has no option "${name}"`);
    values[known] = valueOf(known, one.slice(at + 1));
  }
  return values;
}
