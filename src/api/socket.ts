/**
 * What a user may call on any socket: the documented members. Each is a few lines over the core, which does the work.
 */

import { EVENT_TYPES, type Peer } from "../base/events.js";
import { type CallOptions, checkCallOptions } from "../base/turns.js";
import type { Context } from "../core/context.js";
import type { Observer } from "../core/observer.js";
import { SocketCore } from "../core/socket-core.js";
import type { SocketStats } from "../core/stats.js";
import { type NumberedOption, SOCKET_OPTION_NUMBERS } from "../options/numbers.js";
import type { OptionName } from "../options/options.js";
import { readOption } from "../options/values.js";
import type { SocketType, Strategy } from "../patterns/strategy.js";
import { mechanismOf } from "../security/settings.js";
import { streamEngine } from "../transport/registry.js";
import { Emitting } from "./emitting.js";

/** Options of `close`. */
export interface CloseOptions {
  /** Milliseconds to wait for unsent messages, instead of the socket's `linger`; -1 for ever. */
  readonly linger?: number;
}

/** Options of `connected`. */
export interface ConnectedOptions extends CallOptions {
  /** Peers that must be connected. Default 1. */
  readonly count?: number;
}

/** The core of a socket; undefined for what is no socket of this copy of the module. Not exported by an entry. */
export let findCore: (value: unknown) => SocketCore | undefined;

/** A ZeroMQ socket. Abstract: use one of the types. */
export abstract class Socket extends Emitting {
  readonly #core: SocketCore;

  static {
    findCore = (value) =>
      typeof value === "object" && value !== null && #core in value ? value.#core : undefined;
  }

  protected constructor(type: SocketType, given: object | undefined, options: readonly OptionName[]) {
    super();
    this.#core = new SocketCore(type, this);
    this.#core.applyOptions(given, options, this.constructor.name);
  }

  /** libzmq's number of the socket type. */
  get type(): number {
    return this.#core.type.number;
  }

  /** Whose inproc names this socket sees. */
  get context(): Context {
    return this.#core.context;
  }

  /** Whether `close()` has been called. */
  get closed(): boolean {
    return this.#core.closed;
  }

  /** The endpoint of the newest bind or connect, with the actual port or path; null before. */
  get lastEndpoint(): string | null {
    return this.#core.endpoints.last;
  }

  /** Mechanism that the next connections are secured with; null for none. */
  get securityMechanism(): null | "plain" | "curve" | "gssapi" {
    return mechanismOf(this.#core.options);
  }

  /** Whether libzmq counts the type among the thread-safe ones, whose messages have one part. */
  get threadSafe(): boolean {
    return this.#core.type.threadSafe === true;
  }

  /** Which engine moves the bytes of tcp and ipc: the addon, or node:net where no addon loads. */
  get engine(): "native" | "portable" {
    return streamEngine().name;
  }

  /** Peers with a complete handshake. */
  get peers(): Peer[] {
    return [...this.#core.peers.values()];
  }

  /**
   * Listen on an endpoint. Resolves to the actual one: `tcp://*:0` gets a port, `ipc://*` a path.
   * Rejects with a TypeError for a value that is not a string, and with a ZmqError: EINVAL, EPROTONOSUPPORT, EADDRINUSE,
   * EADDRNOTAVAIL, ENODEV, ENAMETOOLONG, ENOENT, EBADF.
   */
  bind(endpoint: string): Promise<string> {
    return this.#core.endpoints.bind(endpoint);
  }

  /**
   * bind(), done when it returns; the actual endpoint is its result. Host names are not looked up, except "localhost", and
   * an ipc path is taken over even from a living process: only connecting could tell, and that takes time.
   * @throws as bind() rejects; also ZmqError ENODEV for a host name, ENOTSUP where the platform cannot do it
   */
  bindSync(endpoint: string): string {
    return this.#core.endpoints.bindSync(endpoint);
  }

  /**
   * Stop listening, and close every connection that came in by this endpoint (S12). Takes the actual endpoint, or the one
   * given to bind() unless it has a wildcard port or path.
   * Rejects with ENOENT for one that is not bound.
   */
  unbind(endpoint: string): Promise<void> {
    return this.#core.endpoints.unbind(endpoint);
  }

  /**
   * Connect to an endpoint, now or as soon as it is there, and again whenever the connection is lost.
   * @throws TypeError for a value that is not a string; ZmqError EINVAL, EPROTONOSUPPORT, ENAMETOOLONG, EBADF, ENOTSUP
   */
  connect(endpoint: string): void {
    this.#core.endpoints.connect(endpoint);
  }

  /**
   * Undo `connect`: what is unread from there is lost, what is unsent follows `linger` (S13).
   * @throws ZmqError ENOENT when the endpoint is not connected
   */
  disconnect(endpoint: string): void {
    this.#core.endpoints.disconnect(endpoint);
  }

  /** Resolves when `count` peers have completed their handshake. Rejects with EAGAIN on timeout. */
  connected(options?: ConnectedOptions): Promise<void> {
    const count = options?.count ?? 1;
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`count must be an integer of at least 0; got ${count}`);
    }
    checkCallOptions(options);
    return this.#core.connected(count, options);
  }

  /**
   * Close: reject what waits, let go of endpoints, and resolve when everything accepted is flushed or the linger
   * time is over. Calling it again gives the same promise.
   */
  close(options?: CloseOptions): Promise<void> {
    const core = this.#core;
    if (core.closing !== null) return core.closing;
    const linger = options?.linger ?? core.options.linger;
    if (!Number.isInteger(linger) || linger < -1) {
      throw new RangeError(`linger must be an integer of at least -1; got ${linger}`);
    }
    return core.close(linger);
  }

  /** `await using` closes the socket. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Open endpoints keep the process alive: the default. */
  ref(): this {
    this.#core.ref();
    return this;
  }

  /** Let the process end although endpoints are open. */
  unref(): this {
    this.#core.unref();
    return this;
  }

  /** Events of this socket, to be read; `on()` listens to them instead. */
  get events(): Observer {
    return this.#core.events.observe();
  }

  /** Counters and queue depths now. */
  get stats(): SocketStats {
    return this.#core.stats;
  }

  /** @internal */
  protected override requireOpen(): void {
    this.#core.requireOpen();
  }

  /** @internal */
  protected override get optionNumbers(): ReadonlyMap<number, NumberedOption> {
    return SOCKET_OPTION_NUMBERS;
  }

  /** @internal */
  protected override tells(name: unknown): boolean {
    return (EVENT_TYPES as readonly unknown[]).includes(name);
  }
}

/**
 * The core of a socket, for the faces of its type.
 * @throws TypeError for a socket that another copy of the module has made
 */
export function coreOf<S extends Strategy = Strategy>(socket: Socket): SocketCore<S> {
  const core = findCore(socket);
  if (core === undefined) throw new TypeError("the socket was made by another copy of zwire");
  return core as SocketCore<S>;
}

/** Gives a socket class its options as properties. */
export function defineOptions(target: { prototype: Socket }, names: readonly OptionName[]): void {
  for (const name of names) {
    Object.defineProperty(target.prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: Socket) {
        return readOption(coreOf(this).options, name);
      },
      set(this: Socket, value: unknown) {
        coreOf(this).setOption(name, value);
      },
    });
  }
}
