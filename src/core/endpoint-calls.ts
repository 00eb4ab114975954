/**
 * The endpoint calls of an application, such as bind() and connect(): adds argument checks, security and events to
 * Endpoints, which stores the endpoints.
 */

import { endpointError, ZmqError } from "../base/errors.js";
import type { Buffer } from "../base/platform.js";
import type { EveryAddressOptions } from "../connect/every-address.js";
import type { Pipe } from "../engine/pipe.js";
import type { SocketType } from "../patterns/strategy.js";
import type { KeyGuard } from "../security/key-guard.js";
import { followKeys } from "../security/key-watch.js";
import { requireUnsecured, secure } from "../security/settings.js";
import { type OpenAsking, zapClient } from "../security/zap/client.js";
import type { EndpointHandle, SocketHost } from "../session/host.js";
import { datagramsFor, type HttpEndpoint } from "../transport/registry.js";
import type { Context } from "./context.js";
import { explained } from "./endpoint-faults.js";
import {
  boundName,
  type Endpoint,
  type Endpoints,
  endpointOf,
  isFramed,
  shownEndpoint,
} from "./endpoints.js";

/** Schemes that zwire/zeromq does not have. */
const TLS_SCHEMES = ["tls+tcp", "wss"];

/** What these calls need from their socket. */
interface Caller
  extends Pick<SocketHost, "options" | "runtime" | "raw" | "asLibzmq" | "closed" | "emitEvent"> {
  readonly context: Context;
  readonly keys: KeyGuard;
  readonly type: Pick<SocketType, "name" | "singleConnection" | "datagrams">;
  /** The queue of waiting sends; null for a socket that only receives. */
  readonly sender: { readonly queue: { release(): void } } | null;
  /** @throws ZmqError EBADF when the socket is closed */
  requireOpen(): void;
  /** @throws ZmqError EBADF also when it is being drained */
  requireTaking(): void;
  /** Opens the socket that sends requests to a ZAP handler. */
  openAsking(): OpenAsking;
  /** The pipe's endpoint was disconnected: drops its unread messages. */
  forget(pipe: Pipe): void;
}

export class EndpointCalls {
  readonly #core: Caller;
  readonly #endpoints: Endpoints;
  /** The endpoint of the newest bind or connect, with the actual port or path; null before. */
  last: string | null = null;

  constructor(core: Caller, endpoints: Endpoints) {
    this.#core = core;
    this.#endpoints = endpoints;
  }

  /** Number of endpoints bound and connected now. */
  get count(): number {
    return this.#endpoints.count;
  }

  /** Whether unbind() would find the endpoint. */
  isBound(endpoint: string): boolean {
    return this.#endpoints.isBound(endpoint);
  }

  /** Whether disconnect() would find the endpoint. */
  isConnected(endpoint: string): boolean {
    return this.#endpoints.isConnected(endpoint);
  }

  /** Number of unsent messages of unbound or disconnected endpoints that linger. */
  get lingering(): number {
    return this.#endpoints.lingering;
  }

  async bind(endpoint: string | HttpEndpoint): Promise<string> {
    const parsed = this.#parse(endpoint);
    this.#core.requireTaking();
    this.#checkType(parsed, "bind");
    try {
      this.#secure(parsed);
      return this.#bound(await this.#endpoints.bind(parsed));
    } catch (error) {
      throw this.#bindFailed(parsed.endpoint, error);
    }
  }

  /** As bind(), unless the signal aborts: then what was bound meanwhile is unbound, and the reason is the rejection. */
  async bindUnless(endpoint: string | HttpEndpoint, signal: AbortSignal | undefined): Promise<string> {
    signal?.throwIfAborted();
    const bound = this.bind(endpoint);
    if (signal === undefined) return bound;
    let abort = (): void => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason);
    });
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await Promise.race([bound, aborted]);
    } catch (error) {
      if (signal.aborted) void bound.then((actual) => this.#undo(actual)).catch(() => {}); // it has failed by itself
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #undo(endpoint: string): Promise<void> {
    if (this.#endpoints.isBound(endpoint))
      await this.#endpoints.release(this.#endpoints.takeBound(endpoint), 0);
  }

  bindSync(endpoint: string | HttpEndpoint): string {
    const parsed = this.#parse(endpoint);
    this.#core.requireTaking();
    this.#checkType(parsed, "bind");
    try {
      this.#secure(parsed);
      return this.#bound(this.#endpoints.bindSync(parsed));
    } catch (error) {
      throw this.#bindFailed(parsed.endpoint, error);
    }
  }

  /** Checks the security options before there is a connection; inproc has no security. @throws ZmqError EINVAL */
  #secure({ scheme, endpoint }: Endpoint): void {
    if (scheme === "inproc") return;
    try {
      const { options, context, runtime, raw } = this.#core;
      if (datagramsFor(scheme) !== undefined) {
        requireUnsecured(options, scheme);
        return;
      }
      secure(options, () => zapClient(context.inproc, runtime, this.#core.openAsking()), raw, runtime.loop);
      followKeys(this.#core);
    } catch (error) {
      throw endpointError(error as Error, endpoint);
    }
  }

  #bound({ endpoint }: EndpointHandle): string {
    this.last = endpoint;
    this.#core.emitEvent("bind", { address: endpoint });
    return endpoint;
  }

  #bindFailed(endpoint: string, cause: unknown): ZmqError {
    const told = endpointError(cause as NodeJS.ErrnoException, endpoint);
    const error = this.#core.asLibzmq ? told : explained(told);
    if (!this.#core.closed) this.#core.emitEvent("bind:error", { address: endpoint, error });
    return error;
  }

  #parse(endpoint: string | HttpEndpoint): Endpoint {
    const parsed = endpointOf(endpoint);
    const { asLibzmq, raw } = this.#core;
    if (asLibzmq && TLS_SCHEMES.includes(parsed.scheme)) {
      throw new ZmqError("EPROTONOSUPPORT", {
        address: parsed.endpoint,
        detail: "zeromq.js has no TLS: use a socket of zwire",
      });
    }
    if (!raw || !isFramed(parsed.scheme)) return parsed;
    const detail = `a Stream carries bytes without framing, and has no ${parsed.scheme}`;
    throw new ZmqError("EPROTONOSUPPORT", { address: parsed.endpoint, detail });
  }

  /** @throws ZmqError ENOCOMPATPROTO where the socket's type and the kind of transport do not fit (R26) */
  #checkType({ scheme, endpoint }: Endpoint, call: "bind" | "connect"): void {
    const { name, datagrams } = this.#core.type;
    const onDatagrams = datagramsFor(scheme) !== undefined;
    if (!onDatagrams && datagrams?.only !== true) return;
    if (onDatagrams && datagrams?.opens === call) return;
    let detail = `a ${name} socket has no ${scheme}; RADIO, DISH and DGRAM do`;
    if (!onDatagrams) detail = `a ${name} socket has udp only`;
    else if (datagrams !== undefined) detail = `over ${scheme} a ${name} socket can only ${datagrams.opens}`;
    throw new ZmqError("ENOCOMPATPROTO", { address: endpoint, detail });
  }

  async unbind(endpoint: string | HttpEndpoint): Promise<void> {
    const name = boundName(endpoint);
    this.#core.requireOpen();
    this.#core.sender?.queue.release(); // sends that wait only for the event loop to catch up
    await this.#endpoints.release(this.#endpoints.takeBound(name), this.#core.options.linger);
  }

  /**
   * @param routingId the name by which this socket will know the peer (I11), or null
   * @param every connects to every address of the name
   */
  connect(endpoint: string, routingId: Buffer | null = null, every?: EveryAddressOptions): void {
    const parsed = this.#parse(endpoint);
    this.#core.requireTaking();
    this.#checkType(parsed, "connect");
    if (this.#core.type.singleConnection && this.#endpoints.isConnected(endpoint)) return; // G15
    this.#secure(parsed);
    if (every !== undefined && (routingId !== null || this.#core.raw)) {
      const detail = `all: true makes many connections, ${this.#core.raw ? "and a Stream names each" : "and a routingId names one"}`;
      throw new ZmqError("EINVAL", { address: endpoint, detail });
    }
    const handle =
      every === undefined
        ? this.#endpoints.connect(parsed, routingId)
        : this.#endpoints.connectEach(parsed, every);
    this.last = shownEndpoint(parsed);
    handle.start();
  }

  /** @throws ZmqError ENOENT when the endpoint is not connected */
  disconnect(endpoint: string): void {
    endpointOf(endpoint);
    this.#core.requireOpen();
    this.#core.sender?.queue.release();
    const handle = this.#endpoints.takeConnected((one) => one.endpoint === endpoint);
    if (handle === undefined)
      throw new ZmqError("ENOENT", { address: endpoint, detail: `"${endpoint}" is not connected` });
    this.#letGo(handle);
    for (const one of handle.handles ?? []) {
      if (this.#endpoints.takeConnected((other) => other === one) !== undefined) this.#letGo(one);
    }
  }

  /** As disconnect(), but by pipe, because an endpoint may be connected several times. False if it was not dialled. */
  disconnectPipe(pipe: Pipe): boolean {
    const handle = this.#endpoints.takeConnected((one) => one.pipe === pipe);
    if (handle !== undefined) this.#letGo(handle);
    return handle !== undefined;
  }

  #letGo(handle: EndpointHandle): void {
    const { pipe } = handle;
    void this.#endpoints.release(handle, this.#core.options.linger);
    if (pipe) this.#core.forget(pipe);
  }
}

export { type ConnectOptions, checkConnectOptions } from "../connect/every-address.js";
export type { HttpEndpoint } from "../transport/registry.js";
