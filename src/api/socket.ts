/**
 * The public members of every socket. Each is a few lines; the core does the work.
 */

import { type Call, edge, edgeLater } from "../base/caller.js";
import { EVENT_TYPES, type Peer } from "../base/events.js";
import { inspect } from "../base/platform.js";
import { type CallOptions, checkCallOptions, checkNames } from "../base/waiting.js";
import type { Context } from "../core/context.js";
import type { Drained } from "../core/drain.js";
import { type ConnectOptions, checkConnectOptions } from "../core/endpoint-calls.js";
import type { Observer } from "../core/observer.js";
import type { PeerReference } from "../core/peer-calls.js";
import { type PeerStats, peerStatsOf } from "../core/peer-stats.js";
import { SocketCore } from "../core/socket-core.js";
import type { SocketStats } from "../core/stats.js";
import { type NumberedOption, SOCKET_OPTION_NUMBERS } from "../options/numbers.js";
import type { OptionName } from "../options/options.js";
import { readOption } from "../options/values.js";
import type { SocketType, Strategy } from "../patterns/strategy.js";
import type { CurveKey } from "../security/key-guard.js";
import { mechanismOf } from "../security/settings.js";
import { type HttpEndpoint, streamEngine } from "../transport/registry.js";
import { Emitting } from "./emitting.js";

/** Options of `close`. */
export interface CloseOptions {
  /** Milliseconds to wait for unsent messages; -1 for ever, 0 drops them. Default: the socket's `linger`. */
  readonly linger?: number;
}

/** Options of `disconnectPeer`. */
export interface DisconnectPeerOptions {
  /** Milliseconds to wait until what is unsent is sent; -1 for ever, 0 drops it. Default 0. */
  readonly linger?: number;
}

/** Options of `drain`. */
export interface DrainOptions {
  /** Milliseconds until the socket is closed, whatever is left; -1 for no limit. Default 10000. */
  readonly timeout?: number;
  /** Closes the socket at once, and rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Default of `timeout` of drain(). */
const DRAIN_MS = 10_000;

/** Options of `bind`. */
export interface BindOptions {
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal;
}

/** Options of `connected`. */
export interface ConnectedOptions extends CallOptions {
  /** How many peers must be connected. Default 1. */
  readonly count?: number;
}

/**
 * The core of a socket; undefined for anything else, and for a socket of another copy of zwire. No entry exports this.
 */
export let findCore: (value: unknown) => SocketCore | undefined;

/** What all socket types have in common. Abstract: use one of the types, such as Push or Pull. */
export abstract class Socket extends Emitting {
  readonly #core: SocketCore;

  static {
    findCore = (value) =>
      typeof value === "object" && value !== null && #core in value ? value.#core : undefined;
  }

  protected constructor(type: SocketType, given: object | undefined, options: readonly OptionName[]) {
    super();
    this.#core = new SocketCore(type, this);
    edge(new.target as unknown as Call, () => {
      this.#core.start(given, options, this.constructor.name);
    });
  }

  /** libzmq's number for the socket type, such as 8 for Push. */
  get type(): number {
    return this.#core.type.number;
  }

  /** The context of this socket: sockets of one context share its inproc names. */
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

  /**
   * The security mechanism of the next connections; null for none. Never "gssapi", which zeromq.js has in its types.
   */
  get securityMechanism(): null | "plain" | "curve" | "gssapi" {
    return mechanismOf(this.#core.options);
  }

  /** Whether the type is a draft type, which libzmq calls thread-safe and whose messages have one part. */
  get threadSafe(): boolean {
    return this.#core.type.threadSafe === true;
  }

  /** The engine for tcp and ipc: "native" is the addon, "portable" is node:net, used if the addon does not load. */
  get engine(): "native" | "portable" {
    return streamEngine().name;
  }

  /** The peers whose handshake is complete. */
  get peers(): Peer[] {
    return [...this.#core.peers.values()];
  }

  /**
   * Listens on an endpoint, or on a path of an HTTP server that the program has: `{ server, path }`. Resolves to the actual
   * endpoint: `tcp://*:0` gets a port, `ipc://*` a path. Rejects with a TypeError for any other value, and with a ZmqError:
   * EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO, EADDRINUSE,
   * EADDRNOTAVAIL, ENODEV, ENAMETOOLONG, ENOENT, EBADF. With the signal's reason on abort: then nothing is bound.
   * @param options `signal` ends the wait, for a host name that is looked up for example
   */
  bind(endpoint: string | HttpEndpoint, options?: BindOptions): Promise<string> {
    if (options !== undefined) {
      checkNames(options, this.bind, ["signal"]);
      checkCallOptions(options, this.bind);
    }
    const { endpoints } = this.#core;
    return edgeLater(this.bind, () => endpoints.bindUnless(endpoint, options?.signal), options?.signal);
  }

  /**
   * As bind(), but the socket listens when this returns the actual endpoint. Host names are not looked up, except
   * "localhost". An ipc path is taken over even if another process serves it, because it takes time to find that out.
   * @throws as bind() rejects; also ZmqError ENODEV for a host name, ENOTSUP if the platform cannot do it
   */
  bindSync(endpoint: string | HttpEndpoint): string {
    return edge(this.bindSync, () => this.#core.endpoints.bindSync(endpoint));
  }

  /**
   * Stops listening, and closes every connection that was accepted on this endpoint (S12). Takes the actual endpoint,
   * or what was given to bind() unless it has a wildcard port or path. An HTTP server stays open. Waits for unsent
   * messages as `linger` says. Rejects with a TypeError for a value that is neither a string nor `{ server, path }`, and
   * with a ZmqError: ENOENT for an endpoint that is not bound, EINVAL, EPROTONOSUPPORT, EBADF.
   */
  unbind(endpoint: string | HttpEndpoint): Promise<void> {
    return edgeLater(this.unbind, () => this.#core.endpoints.unbind(endpoint));
  }

  /**
   * Connects to an endpoint. If nothing listens there yet, or the connection is lost, it tries again
   * (`reconnectInterval`), except over inproc, which waits for a bind and does not reconnect. Returns at once; events
   * and connected() tell the rest.
   * @param options `all: true` connects to every address of the host name, and follows changes of it
   * @throws TypeError for a value that is not a string; ZmqError EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO, ENAMETOOLONG, EBADF, ENOTSUP
   */
  connect(endpoint: string, options?: ConnectOptions): void {
    edge(this.connect, () => {
      this.#core.endpoints.connect(endpoint, null, checkConnectOptions(options, []));
    });
  }

  /**
   * Undoes `connect`. Messages from there that were not read are lost; unsent ones are sent within `linger` (S13).
   * @throws TypeError for a value that is not a string; ZmqError ENOENT for an endpoint that is not connected, EINVAL,
   * EPROTONOSUPPORT, EBADF
   */
  disconnect(endpoint: string): void {
    edge(this.disconnect, () => this.#core.endpoints.disconnect(endpoint));
  }

  /**
   * Ends the connection of one peer. What was unsent is dropped, with the event "drop", unless `linger` gives it
   * time; what has arrived stays readable. The event "disconnect" has the reason "disconnectPeer". A peer that we dialled is
   * not dialled again: its endpoint is gone as after disconnect(), with the event "close". One that has dialled us may do
   * so again; revokeKey() and filters of addresses keep it out.
   * @param peer its id, or an object that has it: a peer of an event, of `peers` or of `peerStats`. On a Router and a Stream
   * also its name, which is bytes or text; on a Server and a Peer a number is its `routingId`, and not its id
   * @returns whether there was such a peer. A dialled one that has just been lost is there as long as it is dialled again
   * @throws TypeError for what is no peer; RangeError if `linger` is not an integer of at least -1; ZmqError ENOTSUP if all
   * endpoints are udp, EBADF on a closed socket
   */
  disconnectPeer(peer: PeerReference, options?: DisconnectPeerOptions): boolean {
    const core = this.#core;
    if (options !== undefined) checkNames(options, this.disconnectPeer, ["linger"]);
    const linger = lingerOf(options, 0);
    core.requireOpen();
    return core.connections.disconnect(peer, linger);
  }

  /**
   * Turns a CURVE key away from now on, whatever `authenticate` or a ZAP handler says: no handshake with it succeeds, and
   * connections of peers that have it end at once, with the event "disconnect" and the reason "revokeKey". What has
   * arrived from them stays readable; what waits for those that we accepted is dropped (`stats.droppedUnsent`).
   * `context.revokeKey` does it for all sockets of a context.
   * @returns how many connections it ended
   * @throws TypeError, RangeError for what is no key; ZmqError EBADF on a closed socket
   */
  revokeKey(publicKey: CurveKey): number {
    const core = this.#core;
    core.requireOpen();
    core.keys.revoke(publicKey);
    return core.recheckKeys();
  }

  /**
   * Undoes revokeKey() of this socket: its authenticator decides about the key again. Peers that dial again get in.
   * @returns whether the key was revoked
   * @throws as revokeKey
   */
  allowKey(publicKey: CurveKey): boolean {
    this.#core.requireOpen();
    return this.#core.keys.allow(publicKey);
  }

  /**
   * Resolves when `count` peers have completed their handshake. Without `timeout` it waits for ever. Rejects with
   * EAGAIN on timeout, with the signal's reason on abort, and with EBADF when the socket closes.
   * @throws RangeError if `count` is not an integer of at least 0; TypeError or RangeError for wrong options
   */
  connected(options?: ConnectedOptions): Promise<void> {
    const count = options?.count ?? 1;
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`count must be an integer of at least 0; got ${count}`);
    }
    checkCallOptions(options, this.connected, ["count"]);
    return this.#core.connected(count, options);
  }

  /**
   * Closes the socket: pending calls reject with EBADF, and endpoints are released. Resolves when all accepted messages
   * are sent, or the linger time is over. Another call returns the same promise.
   * @throws RangeError if `linger` is not an integer of at least -1
   */
  close(options?: CloseOptions): Promise<void> {
    const core = this.#core;
    if (core.closing !== null) return core.closing;
    if (options !== undefined) checkNames(options, this.close, ["linger"]);
    return core.close(lingerOf(options, core.options.linger));
  }

  /**
   * Ends the socket without losing what is on its way, for a process that is told to end. It unbinds and takes no new peers;
   * half-closes each connection when it has brought what it had, and reads it to the peer's end; gives the program all
   * messages, which it may answer meanwhile; then loops over messages end, what was accepted for sending is flushed, and the
   * socket is closed. When `timeout` is over, the rest is counted and thrown away: the result and the event "drop" tell how
   * much. docs/delivery.md says what it means for each type. Another call gives the same result; `close()` cuts it short.
   * Rejects with the signal's reason on abort, when what was left is thrown away and the socket closed.
   * @throws TypeError or RangeError for wrong options
   */
  drain(options?: DrainOptions): Promise<Drained> {
    checkCallOptions(options, this.drain);
    return this.#drain(options?.timeout ?? DRAIN_MS, options?.signal);
  }

  async #drain(timeout: number, signal: AbortSignal | undefined): Promise<Drained> {
    signal?.throwIfAborted();
    const drain = this.#core.drain(timeout);
    const cut = (): void => drain.cut();
    signal?.addEventListener("abort", cut, { once: true });
    try {
      const drained = await drain.run();
      signal?.throwIfAborted();
      return drained;
    } finally {
      signal?.removeEventListener("abort", cut);
    }
  }

  /** @internal what console.log() shows: endpoints, peers, what waits, and the options that are not the defaults; no secret */
  [inspect.custom](_depth: number, options: object, show: typeof inspect): string {
    return `${this.constructor.name} ${show(this.#core.shown, { ...options, depth: 3, compact: 3 } as never)}`;
  }

  /** `await using` closes the socket. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Lets open endpoints keep the process alive: the default. */
  ref(): this {
    this.#core.ref();
    return this;
  }

  /** Lets the process end although endpoints are open. */
  unref(): this {
    this.#core.unref();
    return this;
  }

  /** An observer from which the events of this socket can be read. To listen to them, use `on()`. */
  get events(): Observer {
    return this.#core.events.observe();
  }

  /** The current counters and queue lengths. */
  get stats(): SocketStats {
    return this.#core.stats;
  }

  /**
   * Each connected peer with its figures at this moment, oldest first: who it is, what it has sent and got, what waits. A new
   * list each time. `peerRates` computes rates from two of them.
   */
  get peerStats(): PeerStats[] {
    return peerStatsOf(this.#core);
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

/** @throws RangeError */
function lingerOf(options: CloseOptions | undefined, initial: number): number {
  const linger = options?.linger ?? initial;
  if (!Number.isInteger(linger) || linger < -1) {
    throw new RangeError(`linger must be an integer of at least -1; got ${linger}`);
  }
  return linger;
}

/**
 * The core of a socket, for the public classes.
 * @throws TypeError for a socket that another copy of zwire has made
 */
export function coreOf<S extends Strategy = Strategy>(socket: Socket): SocketCore<S> {
  const core = findCore(socket);
  if (core === undefined)
    throw new TypeError("the socket was made by another copy of zwire: install one copy only (npm ls zwire)");
  return core as SocketCore<S>;
}

/** Adds the options of a socket class to it as properties. */
export function defineOptions(target: { prototype: Socket }, names: readonly OptionName[]): void {
  for (const name of names) {
    Object.defineProperty(target.prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: Socket) {
        return readOption(coreOf(this).options, name);
      },
      set(this: Socket, value: unknown) {
        coreOf(this).settings.set(name, value);
      },
    });
  }
}
