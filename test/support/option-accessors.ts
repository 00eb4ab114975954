/**
 * What the tests of options by libzmq's number share: the accessors, and which of them serves an option.
 */
import { expect } from "vitest";
import type * as zwire from "../../src/index.js";
import { managed } from "./helpers.js";
import { type Kind, type Row, TYPES, type TypeName } from "./option-rows.js";

type Loose = Record<string, unknown>;

export type Accessor = "Bool" | "Int32" | "Uint32" | "Int64" | "Uint64" | "String";

type Target = zwire.Socket | zwire.Context;

export const ACCESSORS: readonly Accessor[] = ["Bool", "Int32", "Uint32", "Int64", "Uint64", "String"];

/** Which accessors serve an option; libzmq only compares sizes, so the three of 32 bits are one. */
export const SERVE: Record<Kind, readonly Accessor[]> = {
  flag: ["Bool", "Int32", "Uint32"],
  choice: ["Bool", "Int32", "Uint32"],
  int: ["Bool", "Int32", "Uint32"],
  long: ["Int64", "Uint64"],
  text: ["String"],
  list: ["Int32", "Uint32"],
  // Without a number.
  object: [],
  "flag or object": [],
  function: [],
  "optional int": [],
};

/** A value of each accessor's type. */
export const SAMPLES: Record<Accessor, unknown> = {
  Bool: true,
  Int32: 1,
  Uint32: 1,
  Int64: 1,
  Uint64: 1,
  String: "1",
};

export const einval = expect.objectContaining({ name: "ZmqError", code: "EINVAL" });

export const enotsup = expect.objectContaining({ name: "ZmqError", code: "ENOTSUP" });

export function get(target: Target, accessor: Accessor, id: number): unknown {
  return target[`get${accessor}Option`](id);
}

export function set(target: Target, accessor: Accessor, id: number, value: unknown): void {
  (target[`set${accessor}Option`] as (id: number, value: unknown) => void).call(target, id, value);
}

export function create(type: TypeName): zwire.Socket & Loose {
  const Type = TYPES[type] as new () => zwire.Socket;
  return managed(new Type()) as zwire.Socket & Loose;
}

export function serving(row: Row): readonly Accessor[] {
  return row.name === "tcpAcceptFilter" ? ["String"] : SERVE[row.kind];
}
