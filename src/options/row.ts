/**
 * Defines one option: a row of the table in rows/. Checks, defaults, access by number, the options of each socket type,
 * their TypeScript types and docs/options.md are all derived from rows.
 */

import type { SecurityValues } from "../security/settings.js";
import type { NumberedAs } from "./number-forms.js";

/** Socket types by their names in ZMTP. */
export const SOCKET_TYPES = [
  "PAIR",
  "PUB",
  "SUB",
  "REQ",
  "REP",
  "DEALER",
  "ROUTER",
  "PULL",
  "PUSH",
  "XPUB",
  "XSUB",
  "STREAM",
  "SERVER",
  "CLIENT",
  "RADIO",
  "DISH",
  "GATHER",
  "SCATTER",
  "PEER",
  "CHANNEL",
  "DGRAM",
] as const;

export type SocketType = (typeof SOCKET_TYPES)[number];

/** The values that an option accepts. */
export interface Rule<Value = unknown> {
  /** Returns the value to store; `before` is the current one. Throws TypeError, RangeError or ZmqError. */
  readonly check: (name: string, value: unknown, before: unknown) => unknown;
  /** The type, range and unit, as docs/options.md shows them. */
  readonly type: string;
  /** Never set: carries the type of the values. */
  readonly value?: Value;
}

/** Stores a checked value that affects other options. May throw a TypeError. */
type Store = (values: SecurityValues, name: string, value: unknown) => void;

/** The properties of a row besides its rule. */
export interface RowFields {
  readonly initial: unknown;
  /** Defaults of socket types that differ from the common default. */
  readonly initialOf?: Partial<Record<SocketType, unknown>>;
  /** The default as docs/options.md shows it, if that differs from the value. */
  readonly shown?: string;
  /** The default in zwire/zeromq, if it differs. */
  readonly zeromq?: string;
  /** Whether a change takes effect at once, also on existing connections. If not, it applies to the next bind or connect. */
  readonly live?: boolean;
  /** libzmq's numbers, if it has the option. */
  readonly numbers?: readonly NumberedAs[];
  readonly store?: Store;
  /** Converts the stored value to the one that the application reads, if they differ. */
  readonly read?: (values: SecurityValues) => unknown;
}

/** One option. */
export interface Row extends Rule, RowFields {
  readonly live: boolean;
  readonly numbers: readonly NumberedAs[];
}

/**
 * Creates a row, for a field of a class in rows/. For the compiler the field has the type of the option's values, so that a
 * class of rows is also the type of these options, and editors show its doc comments. (A mapped type over rows would work
 * too, but TypeScript 7 shows no doc comments through mapped types.)
 */
export function option<Value>(rule: Rule<Value>, fields: RowFields): Value {
  const row: Row = { ...rule, live: false, numbers: [], ...fields };
  return Object.freeze(row) as unknown as Value;
}

/** Rows that belong together and that the same socket types have. */
export interface Group<Types extends SocketType = SocketType, Fields = object> {
  /** Heading in docs/options.md. */
  readonly title: string;
  readonly types: readonly Types[];
  readonly rows: Readonly<Record<string, Row>>;
  /** Never set: carries the type of the options. */
  readonly fields?: Fields;
}

/** @param fields an instance of a class of rows */
export function group<const Types extends SocketType, Fields extends object>(
  title: string,
  types: readonly Types[],
  fields: Fields,
): Group<Types, Fields> {
  return { title, types, rows: fields as unknown as Record<string, Row> };
}
