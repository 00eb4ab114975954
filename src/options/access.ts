/**
 * Access to options by libzmq's number, for sockets and contexts: `getInt32Option(17)`, `setStringOption(5, "me")`.
 * numbers.ts maps the numbers to options.
 */

import { ZmqError } from "../base/errors.js";
import { Buffer } from "../base/platform.js";
import type { NumberedOption, NumberKind, Target } from "./numbers.js";

type Accessible = number | bigint | string | Uint8Array | null;

function checkId(id: unknown): number {
  if (typeof id !== "number") throw new TypeError("Option identifier must be a number");
  return id;
}

function checkNumber(value: unknown, minimum: number, maximum: number): number {
  if (typeof value !== "number") throw new TypeError("Option value must be a number");
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new RangeError(`Option value must be an integer from ${minimum} to ${maximum}; got ${value}`);
  }
  return value;
}

const SIZES: Readonly<Record<NumberKind, string>> = {
  int: "a number of 32 bits",
  long: "a number of 64 bits",
  binary: "text or bytes",
};
const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
const UINT32_MAX = 2 ** 32 - 1;

/** A class whose options can be accessed by libzmq's number. */
export abstract class OptionAccess {
  /** @internal */
  protected abstract get optionNumbers(): ReadonlyMap<number, NumberedOption>;
  /** @internal throws when the options can no longer be reached */
  protected abstract requireOpen(): void;

  /**
   * A flag by libzmq's number, such as 39 for `immediate`.
   * @throws TypeError for an identifier that is not a number; ZmqError EINVAL for an option that this does not have, that
   * has another size, or that is write-only, ENOTSUP for one that has no meaning here, EBADF when closed
   */
  getBoolOption(id: number): boolean {
    return this.#get(id, "int") !== 0;
  }

  /** A number of 32 bits by libzmq's number; as getBoolOption. */
  getInt32Option(id: number): number {
    return this.#get(id, "int") as number;
  }

  /** An unsigned number of 32 bits by libzmq's number; as getBoolOption. */
  getUint32Option(id: number): number {
    return (this.#get(id, "int") as number) >>> 0;
  }

  /** A number of 64 bits by libzmq's number; as getBoolOption. */
  getInt64Option(id: number): number {
    return this.#get(id, "long") as number;
  }

  /** An unsigned number of 64 bits by libzmq's number; as getBoolOption. */
  getUint64Option(id: number): number {
    return Number(BigInt.asUintN(64, BigInt(this.#get(id, "long") as number)));
  }

  /** Text or bytes by libzmq's number, null when unset; as getBoolOption. */
  getStringOption(id: number): string | null {
    const value = this.#get(id, "binary");
    return value instanceof Uint8Array ? Buffer.from(value).toString() : (value as string | null);
  }

  /** Set a flag by libzmq's number; as setInt32Option. */
  setBoolOption(id: number, value: boolean): void {
    checkId(id);
    if (typeof value !== "boolean") throw new TypeError("Option value must be a boolean");
    this.#set(id, "int", Number(value));
  }

  /**
   * Set a number of 32 bits by libzmq's number, such as 17 for `linger`.
   * @throws TypeError or RangeError for an argument of the wrong type; ZmqError EINVAL for an option that this does not
   * have, that is of another size or read-only, and for a value out of range; ENOTSUP for one that has no meaning here
   */
  setInt32Option(id: number, value: number): void {
    checkId(id);
    this.#set(id, "int", checkNumber(value, INT32_MIN, INT32_MAX));
  }

  /** Set an unsigned number of 32 bits by libzmq's number; as setInt32Option. */
  setUint32Option(id: number, value: number): void {
    checkId(id);
    this.#set(id, "int", checkNumber(value, 0, UINT32_MAX) | 0);
  }

  /** Set a number of 64 bits by libzmq's number; as setInt32Option. */
  setInt64Option(id: number, value: number): void {
    checkId(id);
    this.#set(id, "long", checkNumber(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER));
  }

  /** Set an unsigned number of 64 bits by libzmq's number; as setInt32Option. */
  setUint64Option(id: number, value: number): void {
    checkId(id);
    this.#set(id, "long", checkNumber(value, 0, Number.MAX_SAFE_INTEGER));
  }

  /** Set text or bytes by libzmq's number; null unsets. As setInt32Option. */
  setStringOption(id: number, value: string | Uint8Array | null): void {
    checkId(id);
    if (value !== null && typeof value !== "string" && !(value instanceof Uint8Array)) {
      throw new TypeError("Option value must be a string, a Uint8Array or null");
    }
    this.#set(id, "binary", value);
  }

  #get(id: number, kind: NumberKind): Accessible {
    const option = this.#find(checkId(id), kind);
    if (option.read === undefined) throw new ZmqError("EINVAL", { detail: `option ${id} is write-only` });
    return option.read(this as unknown as Target);
  }

  #set(id: number, kind: NumberKind, value: Accessible): void {
    const option = this.#find(id, kind);
    if (option.write === undefined) throw new ZmqError("EINVAL", { detail: `option ${id} is read-only` });
    try {
      option.write(this as unknown as Target, value);
    } catch (error) {
      // Access by number throws EINVAL for a wrong value, as libzmq does (U2), whatever error the property throws.
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      throw new ZmqError("EINVAL", { detail: error.message, cause: error });
    }
  }

  #find(id: number, kind: NumberKind): NumberedOption {
    this.requireOpen();
    const option = this.optionNumbers.get(id);
    if (option === undefined) throw new ZmqError("EINVAL", { detail: `there is no option ${id}` });
    if (option.kind !== kind)
      throw new ZmqError("EINVAL", { detail: `option ${id} is ${SIZES[option.kind]}, not ${SIZES[kind]}` });
    return option;
  }
}
