/**
 * Context with zeromq.js's members, over a context of the core.
 */
// biome-ignore-all lint/complexity/noArguments: zeromq.js counts what its calls are given
import { Context as Core, context as coreContext } from "../core/context.js";
import { checkCount, checkOptions } from "./arguments.js";
import { failure } from "./errors.js";
import { nativeClass, recognise } from "./native-class.js";
import { CONTEXT_HINTS, keptHint } from "./settings/hints.js";
import {
  checkId,
  convert,
  defineOptionProperties,
  type OptionProperty,
  readCore,
  type Target,
  writeCore,
} from "./settings/options.js";

const PROPERTIES: readonly OptionProperty[] = [
  { name: "ioThreads", kind: "Int32", id: 1, access: "rw" },
  { name: "maxSockets", kind: "Int32", id: 2, access: "rw" },
  { name: "maxSocketsLimit", kind: "Int32", id: 3, access: "r" },
  { name: "threadPriority", kind: "Int32", id: 3, access: "w" },
  { name: "threadSchedulingPolicy", kind: "Int32", id: 4, access: "w" },
  { name: "maxMessageSize", kind: "Int32", id: 5, access: "rw" },
  { name: "ipv6", kind: "Bool", id: 42, access: "rw" },
  { name: "blocky", kind: "Bool", id: 70, access: "rw" },
];

/** Size of libzmq's message structure, which programs can read. */
const MESSAGE_SIZE = { id: 6, bytes: 64 };
/** Numbers that mean something else, or nothing, when they are read: 3 then is maxSocketsLimit. */
const WRITE_ONLY: ReadonlySet<number> = new Set([3, 7]);

/** Sockets that share a context see each other's inproc names. */
export interface ContextClass {
  /** false: sockets made from now on have a linger of 0, and the end of the process waits for no message. Default true. */
  blocky: boolean;
  /** Stored but without effect: zwire has no I/O threads. Default 1. */
  ioThreads: number;
  /** Largest part that a socket accepts if it sets no maxMessageSize itself. Default 2^31-1. */
  maxMessageSize: number;
  /** Sockets that may be open at once. Default 1023. */
  maxSockets: number;
  /** Default of the sockets' ipv6. Default false. */
  ipv6: boolean;
  /** Write-only; changes nothing, because zwire has no I/O threads. */
  threadPriority: number;
  /** Write-only; as threadPriority. */
  threadSchedulingPolicy: number;
  readonly maxSocketsLimit: number;
}

/** Writable properties, as constructor fields. */
export interface ContextOptions extends Partial<Omit<ContextClass, "maxSocketsLimit">> {}

/** The core's context inside a Context of zeromq.js. */
export let coreOf: (context: unknown) => Core | undefined;
let adopt: Core | undefined;

export class ContextClass {
  readonly #core: Core;
  readonly #hints = new Map<number, number>();

  static {
    coreOf = (context) =>
      typeof context === "object" && context !== null && #core in context ? context.#core : undefined;
    recognise((value) => #core in value);
  }

  /** @throws TypeError for options that are no object or not known, Error EINVAL for a bad value */
  constructor(options?: ContextOptions) {
    checkCount(arguments.length, 1);
    this.#core = adopt ?? new Core();
    Object.seal(this);
    if (options === undefined) return;
    checkOptions(options);
    Object.assign(this, options);
  }

  protected getBoolOption(id: number): boolean {
    return this.#get("Bool", id, arguments.length) !== 0;
  }

  protected setBoolOption(id: number, value: boolean): void {
    this.#set("Bool", id, value, arguments.length);
  }

  protected getInt32Option(id: number): number {
    return this.#get("Int32", id, arguments.length);
  }

  protected setInt32Option(id: number, value: number): void {
    this.#set("Int32", id, value, arguments.length);
  }

  #get(_kind: "Bool" | "Int32", given: unknown, count: number): number {
    const id = checkId(given);
    checkCount(count, 1);
    if (id === MESSAGE_SIZE.id) return MESSAGE_SIZE.bytes;
    const kept = WRITE_ONLY.has(id) ? undefined : (this.#hints.get(id) ?? CONTEXT_HINTS.get(id)?.initial);
    return kept ?? (readCore(this.#core as Target, "Int32", id) as number);
  }

  #set(kind: "Bool" | "Int32", given: unknown, value: unknown, count: number): void {
    const id = checkId(given);
    const number = Number(convert(kind, value));
    checkCount(count, 2);
    if (number < 0) throw failure("EINVAL");
    const hint = CONTEXT_HINTS.get(id);
    if (hint !== undefined) this.#hints.set(id, keptHint(hint, number) as number);
    else writeCore(this.#core as Target, "Int32", id, number);
  }
}

export const Context = nativeClass(
  ContextClass,
  (build) =>
    function Context(...args: unknown[]) {
      return build(new.target, args);
    },
);
export type Context = ContextClass;

defineOptionProperties(Context.prototype, PROPERTIES);

/** The context that sockets use by default. "zwire" uses the same. */
export const context: Context = (() => {
  adopt = coreContext;
  const made = new Context();
  adopt = undefined;
  return made;
})();
