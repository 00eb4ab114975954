/**
 * A context holds the inproc names that its sockets can see (R21), the number of its sockets, and defaults for new ones.
 * Sockets use the default context unless another is given. All threads of the process share the names of the default
 * context; those of any other context belong to its thread.
 */
import { ZmqError } from "../base/errors.js";
import { type Runtime, systemRuntime } from "../base/runtime.js";
import { InprocRegistry } from "../inproc/registry.js";
import { OptionAccess } from "../options/access.js";
import { CONTEXT_OPTION_NUMBERS, type NumberedOption } from "../options/numbers.js";
import type { SocketContext } from "../options/options.js";
import { integer } from "../options/rules.js";
import { type CurveKey, KeyGuard } from "../security/key-guard.js";

const INT32_MAX = 2 ** 31 - 1;
const MAX_SOCKETS_LIMIT = 65535;
const NO_THREADS = "zwire has no I/O threads";

/** Constructor fields of a context. */
export interface ContextOptions extends Partial<SocketContext> {
  /** Only 1: zwire has no I/O threads. Sockets run on the event loop of the thread that created them. */
  ioThreads?: number;
}

const FIELDS: readonly string[] = [
  "ioThreads",
  "maxSockets",
  "threadPriority",
  "threadSchedulingPolicy",
  "maxMessageSize",
  "ipv6",
  "blocky",
];

function flag(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError(`${name} must be true or false; got ${typeof value}`);
  return value;
}

/** A socket, whose connections are checked again when a key is revoked. */
interface Guarded {
  recheckKeys(): number;
}

/** Inproc names, limits and defaults of a group of sockets. */
export class Context extends OptionAccess implements SocketContext {
  /** @internal for the sockets of this context; a test may replace it by a simulation before it creates any */
  runtime: Runtime = systemRuntime;
  /** @internal names bound by sockets of this context, and connectors that wait for one */
  readonly inproc = new InprocRegistry();
  /** @internal keys that all sockets of this context turn away; recheckKeys() after a change */
  readonly keys = new KeyGuard();
  #maxSockets = 1023;
  #maxMessageSize = INT32_MAX;
  #ipv6 = false;
  #blocky = true;
  /** The open sockets. Weak, because a socket may be garbage-collected without being closed: then its place is free. */
  readonly #sockets = new Set<WeakRef<Guarded>>();
  readonly #references = new WeakMap<Guarded, WeakRef<Guarded>>();
  readonly #forgotten = new FinalizationRegistry<WeakRef<Guarded>>((socket) => {
    this.#sockets.delete(socket);
  });

  /** @throws TypeError for an unknown field or a value of the wrong type, RangeError, ZmqError ENOTSUP */
  constructor(options?: ContextOptions) {
    super();
    if (options !== undefined) {
      if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
      for (const [name, value] of Object.entries(options)) {
        if (!FIELDS.includes(name)) throw new TypeError(`Context has no option "${name}"`);
        if (value !== undefined) (this as unknown as Record<string, unknown>)[name] = value;
      }
    }
    if (new.target === Context) Object.seal(this);
  }

  /** Number of sockets that may be open at once; creating one more throws EMFILE (S17). Default 1023. */
  get maxSockets(): number {
    return this.#maxSockets;
  }

  set maxSockets(value: number) {
    this.#maxSockets = integer(1, MAX_SOCKETS_LIMIT)("maxSockets", value);
  }

  /** Largest value of maxSockets. */
  get maxSocketsLimit(): number {
    return MAX_SOCKETS_LIMIT;
  }

  /** Default of maxMessageSize for sockets that do not set their own: the largest part, in bytes. Default 2^31-1. */
  get maxMessageSize(): number {
    return this.#maxMessageSize;
  }

  set maxMessageSize(value: number) {
    this.#maxMessageSize = integer(0, INT32_MAX)("maxMessageSize", value);
  }

  /** Whether sockets created from now on use IPv6 by default. Default false. */
  get ipv6(): boolean {
    return this.#ipv6;
  }

  set ipv6(value: boolean) {
    this.#ipv6 = flag("ipv6", value);
  }

  /** If false, sockets created from now on have a linger of 0 by default (S11). Default true. */
  get blocky(): boolean {
    return this.#blocky;
  }

  set blocky(value: boolean) {
    this.#blocky = flag("blocky", value);
  }

  /** Always 1; another value throws ENOTSUP: there are no I/O threads. */
  get ioThreads(): number {
    return 1;
  }

  set ioThreads(value: number) {
    if (integer(0, INT32_MAX)("ioThreads", value) !== 1) refuse("ioThreads");
  }

  /** Not supported: setting it to anything but -1 throws ENOTSUP. */
  set threadPriority(value: number) {
    if (integer(-1, INT32_MAX)("threadPriority", value) !== -1) refuse("threadPriority");
  }

  /** Not supported: setting it to anything but -1 throws ENOTSUP. */
  set threadSchedulingPolicy(value: number) {
    if (integer(-1, INT32_MAX)("threadSchedulingPolicy", value) !== -1) refuse("threadSchedulingPolicy");
  }

  /** Number of open sockets. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /**
   * Turns a CURVE key away on every socket of this context, as Socket.revokeKey. Sockets that are made later turn it away,
   * too. @returns how many connections it ended
   * @throws as Socket.revokeKey
   */
  revokeKey(publicKey: CurveKey): number {
    this.keys.revoke(publicKey);
    return this.recheckKeys();
  }

  /** Undoes revokeKey() of this context. @returns whether the key was revoked @throws as revokeKey */
  allowKey(publicKey: CurveKey): boolean {
    return this.keys.allow(publicKey);
  }

  /** @internal ends the connections whose key does not pass any more; returns how many */
  recheckKeys(): number {
    let ended = 0;
    for (const socket of [...this.#sockets]) ended += socket.deref()?.recheckKeys() ?? 0;
    return ended;
  }

  /** @internal @throws ZmqError EMFILE */
  enter(socket: Guarded): void {
    if (this.#sockets.size >= this.#maxSockets) {
      throw new ZmqError("EMFILE", {
        detail: `this context may have ${this.#maxSockets} sockets (maxSockets)`,
      });
    }
    const reference = new WeakRef(socket);
    this.#sockets.add(reference);
    this.#references.set(socket, reference);
    this.#forgotten.register(socket, reference, socket);
  }

  /** @internal */
  leave(socket: Guarded): void {
    const reference = this.#references.get(socket);
    if (reference !== undefined && this.#forgotten.unregister(socket)) this.#sockets.delete(reference);
  }

  protected override get optionNumbers(): ReadonlyMap<number, NumberedOption> {
    return CONTEXT_OPTION_NUMBERS;
  }

  protected override requireOpen(): void {
    // A context is never closed.
  }
}

function refuse(name: string): never {
  throw new ZmqError("ENOTSUP", { detail: `${name}: ${NO_THREADS}` });
}

/** The context that sockets use by default; its inproc names span the worker threads of the process. */
export const context: Context = new Context();
context.inproc.spanThreads();
