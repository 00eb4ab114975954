/**
 * How an option is read and written under libzmq's number for it. A number of 32 bits serves Bool, Int32 and Uint32,
 * one of 64 bits Int64 and Uint64: libzmq checks the size only.
 */

import { ZmqError } from "../base/errors.js";
import { Buffer } from "../base/platform.js";
import { parseProperty } from "../security/properties.js";

/** How libzmq stores an option. */
export type NumberKind = "int" | "long" | "binary";

type Value = number | bigint | string | Uint8Array | null;

/** An option behind a number. A missing half means write-only or read-only. */
export interface NumberedOption {
  readonly kind: NumberKind;
  readonly read?: (target: Target) => Value;
  readonly write?: (target: Target, value: Value) => void;
}

/** A socket or context, by property names. */
export type Target = Record<string, unknown> & NumberedActions;

/** Actions behind some numbers that are not options. Only sockets that support an action have its method. */
export interface NumberedActions {
  /** @internal SUBSCRIBE (6) and UNSUBSCRIBE (7) */
  subscribe?(topic: Uint8Array): void;
  /** @internal */
  unsubscribe?(topic: Uint8Array): void;
  /** @internal CONNECT_ROUTING_ID (61): the name of the next peer connected to (I11) */
  nextRoutingId?: Buffer | null;
}

/** One number of an option: libzmq's name for it without `ZMQ_`, and how the option of a name is reached by it. */
export interface NumberedAs {
  readonly number: number;
  readonly libzmq: string;
  readonly access: (name: string) => NumberedOption;
}

type Form = (name: string) => NumberedOption;

function as(access: Form) {
  return (number: number, libzmq: string): NumberedAs => ({ number, libzmq, access });
}

/** @throws ZmqError EINVAL for an option that this type does not have (U2) */
export function owned(target: Target, name: string): void {
  if (!(name in target))
    throw new ZmqError("EINVAL", { detail: `a socket of this type has no option "${name}"` });
}

function plain(kind: NumberKind): (name: string) => Required<NumberedOption> {
  return (name) => ({
    kind,
    read: (target) => {
      owned(target, name);
      return target[name] as Value;
    },
    write: (target, value) => {
      owned(target, name);
      (target as Record<string, unknown>)[name] = value;
    },
  });
}

export const int = plain("int");
export const long = plain("long");
export const binary = plain("binary");

/** @throws ZmqError EINVAL */
export function isSet(name: string, value: Value): boolean {
  if (value === 0 || value === 1) return value === 1;
  throw new ZmqError("EINVAL", { detail: `${name} must be 0 or 1; got ${value}` });
}

export function flag(name: string): Required<NumberedOption> {
  const { read, write } = int(name);
  return {
    kind: "int",
    read: (target) => Number(read(target)),
    write: (target, value) => write(target, isSet(name, value) as unknown as Value),
  };
}

/** As flag(), for options where libzmq accepts every number from 0 on, and treats all but 0 as 1. */
function lenientFlag(name: string): Required<NumberedOption> {
  const { kind, read, write } = flag(name);
  return { kind, read, write: (target, value) => write(target, sign(value)) };
}

/** Any number but 0 is 1. */
function anyFlag(name: string): Required<NumberedOption> {
  const { kind, read, write } = flag(name);
  return { kind, read, write: (target, value) => write(target, Number(value !== 0)) };
}

function sign(value: Value): Value {
  return typeof value === "number" ? Math.sign(value) : value;
}

/** One of several names, by its place among them. */
function choice(names: readonly string[]): Form {
  return (name) => {
    const { read, write } = int(name);
    return {
      kind: "int",
      read: (target) => names.indexOf(read(target) as string),
      write: (target, value) => write(target, names[value as number] ?? value),
    };
  };
}

export const readOnly = ({ kind, read }: NumberedOption): NumberedOption => ({ kind, read });
const writeOnly =
  (form: Form): Form =>
  (name) => {
    const { kind, write } = form(name);
    return { kind, write };
  };

/** A list of ids: each setting adds one. Those of users and groups have no sign, those of processes have one. */
function idList(unsigned: boolean): Form {
  return (name) => ({
    kind: "int",
    write: (target, value) => {
      owned(target, name);
      const id = unsigned ? (value as number) >>> 0 : value;
      (target as Record<string, unknown>)[name] = [...(target[name] as number[]), id];
    },
  });
}

/** XPUB_VERBOSE and XPUB_VERBOSER: two flags in libzmq, one choice here. */
function verbosity(level: "allSubs" | "allSubsUnsubs"): Form {
  return (name) => ({
    kind: "int",
    write: (target, value) => {
      owned(target, name);
      (target as Record<string, unknown>)[name] = isSet(name, sign(value)) ? level : null;
    },
  });
}

/** XPUB_MANUAL_LAST_VALUE sets XPUB_MANUAL, too, to whatever it is set to. */
function manualLastValue(name: string): NumberedOption {
  const { kind, write } = lenientFlag(name);
  return {
    kind,
    write: (target, value) => {
      write(target, value);
      (target as Record<string, unknown>).manual = target[name];
    },
  };
}

/** TCP_ACCEPT_FILTER: each setting adds a range, an empty text clears (R12). */
function acceptFilter(name: string): NumberedOption {
  const { kind, write } = binary(name);
  return { kind, write: (target, value) => write(target, value === "" ? null : value) };
}

/** METADATA: each setting adds a property, `X-name:value` (C17). */
function property(name: string): NumberedOption {
  return {
    kind: "binary",
    write: (target, value) => {
      owned(target, name);
      const [key, text] = parseProperty(Buffer.from((value ?? "") as string).toString());
      const before = target[name] as ReadonlyMap<string, Buffer>;
      (target as Record<string, unknown>)[name] = new Map([...before, [key, Buffer.from(text)]]);
    },
  };
}

/** IPV4ONLY: the opposite of `ipv6`. */
function opposite(name: string): NumberedOption {
  return {
    kind: "int",
    read: (target) => Number(!target[name]),
    write: (target, value) => {
      (target as Record<string, unknown>)[name] = !isSet("ipv4Only", value);
    },
  };
}

export const asInt = as(int);
export const asLong = as(long);
export const asBinary = as(binary);
export const asFlag = as(flag);
export const asLenientFlag = as(lenientFlag);
export const asOpposite = as(opposite);
/** GSSAPI name types by libzmq's number. */
export const asNameType = as(choice(["hostBased", "userName", "krb5Principal"]));
export const asFilter = as(acceptFilter);
export const addAsProperty = as(property);
export const asUnsignedId = as(idList(true));
export const asSignedId = as(idList(false));
export const asVerbose = as(verbosity("allSubs"));
export const asVerboser = as(verbosity("allSubsUnsubs"));
export const setAsManualLastValue = as(manualLastValue);
export const setAsInt = as(writeOnly(int));
export const setAsBinary = as(writeOnly(binary));
export const setAsFlag = as(writeOnly(flag));
export const setAsLenientFlag = as(writeOnly(lenientFlag));
export const setAsAnyFlag = as(writeOnly(anyFlag));
