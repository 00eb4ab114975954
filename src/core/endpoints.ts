/**
 * Stores the bound and connected endpoints of one socket, and creates the right kind of handle for each. Knows nothing of
 * routing. The socket reports errors to the application.
 */

import { parseEndpoint } from "../base/endpoint.js";
import { ZmqError } from "../base/errors.js";
import type { Buffer } from "../base/platform.js";
import { DatagramEndpoint } from "../connect/datagrams.js";
import { Dialer } from "../connect/dialer.js";
import { EveryAddress, type EveryAddressOptions } from "../connect/every-address.js";
import { Gate } from "../connect/gate.js";
import { Listener } from "../connect/listener.js";
import type { Pipe } from "../engine/pipe.js";
import { InprocConnector } from "../inproc/connector.js";
import { InprocListener } from "../inproc/listener.js";
import type { InprocRegistry } from "../inproc/registry.js";
import type { DatagramUse } from "../patterns/strategy.js";
import type { EndpointHandle, Link, SocketHost } from "../session/host.js";
import type { DatagramTransport } from "../transport/contract/datagrams.js";
import type { Transport } from "../transport/contract/transport.js";
import {
  datagramsFor,
  type HttpEndpoint,
  hasTransport,
  httpEndpoint,
  httpEndpointName,
  schemes,
  transportFor,
} from "../transport/registry.js";

/** The parts of an endpoint, as the application wrote it. */
export interface Endpoint {
  readonly endpoint: string;
  readonly scheme: string;
  /** What follows `://`. */
  readonly address: string;
  /** The transport, if it is not that of the scheme. */
  readonly transport?: Transport;
}

/**
 * Parses an endpoint.
 * @throws TypeError if it is not a string; ZmqError EINVAL if it is malformed, EPROTONOSUPPORT for a scheme that zwire
 * does not support (R27)
 */
export function endpointOf(endpoint: string | HttpEndpoint): Endpoint {
  if (typeof endpoint === "object" && endpoint !== null) return httpEndpoint(endpoint);
  const { scheme, address } = parseEndpoint(endpoint);
  if (scheme === "inproc" || hasTransport(scheme)) return { endpoint, scheme, address };
  throw new ZmqError("EPROTONOSUPPORT", {
    address: endpoint,
    detail: `the scheme "${scheme}" is unknown; use ${schemes().join(", ")} or inproc`,
  });
}

/** The text by which a bound endpoint is known. @throws as endpointOf; ZmqError ENOENT for a path that is not bound */
export function boundName(endpoint: string | HttpEndpoint): string {
  if (typeof endpoint === "object" && endpoint !== null) return httpEndpointName(endpoint);
  return endpointOf(endpoint).endpoint;
}

/** Whether a scheme carries whole frames or messages only, and no bytes without framing. */
export function isFramed(scheme: string): boolean {
  return scheme === "inproc" || (datagramsFor(scheme) === undefined && transportFor(scheme).framed === true);
}

/** A connected endpoint as lastEndpoint shows it. */
export function shownEndpoint({ endpoint, scheme, address }: Endpoint): string {
  const streams = scheme !== "inproc" && datagramsFor(scheme) === undefined;
  const transport = streams ? transportFor(scheme) : undefined;
  return transport?.named === undefined ? endpoint : `${scheme}://${transport.named(address)}`;
}

/** The error for a connection under a name that another one has. */
export function nameInUse(endpoint: string, name: Buffer): ZmqError {
  return new ZmqError("EINVAL", {
    address: endpoint,
    detail: `routing id "${name}" is in use: choose another one`,
  });
}

/** What lingers. */
type Leaving = Pick<EndpointHandle, "unsent" | "abandon" | "pipe" | "retire">;

/** A connected endpoint, which start() begins to dial or to open. */
type Connecting = InprocConnector | Dialer | DatagramEndpoint;

export class Endpoints {
  readonly #host: SocketHost;
  readonly #inproc: () => InprocRegistry;
  readonly #gate: Gate;
  readonly #use: () => DatagramUse | undefined;
  /** A bind of datagrams is under way. */
  #binding = false;
  /** By the actual endpoint. */
  readonly #bound = new Map<string, EndpointHandle>();
  /** Actual endpoints by the text given to bind(), if it differs and is unambiguous, such as `tcp://localhost:5555`. */
  readonly #aliases = new Map<string, string>();
  readonly #connected: EndpointHandle[] = [];
  /** Unbound and disconnected handles, and disconnected peers, that are not yet flushed. */
  readonly #leaving = new Map<Leaving, Promise<void>>();

  /**
   * @param inproc the inproc names of the socket's context
   * @param use how the socket's type uses datagrams; undefined if it does not
   */
  constructor(host: SocketHost, inproc: () => InprocRegistry, use: () => DatagramUse | undefined) {
    this.#host = host;
    this.#use = use;
    this.#inproc = inproc;
    this.#gate = new Gate(host.options, () => host.runtime.now());
  }

  /** Number of endpoints bound and connected now. */
  get count(): number {
    return this.#bound.size + this.#connected.length;
  }

  /** What is bound and connected now. */
  get names(): { bound: string[]; connected: string[] } {
    return { bound: [...this.#bound.keys()], connected: this.#connected.map(({ endpoint }) => endpoint) };
  }

  /** Whether takeBound() would find it. */
  isBound(endpoint: string): boolean {
    return this.#bound.has(endpoint) || this.#aliases.has(endpoint);
  }

  #all(): EndpointHandle[] {
    return [...this.#bound.values(), ...this.#connected];
  }

  /** Rejects with EBADF if the socket is closed meanwhile. */
  async bind({ endpoint, scheme, address, transport: given }: Endpoint): Promise<EndpointHandle> {
    let handle: InprocListener | Listener | DatagramEndpoint;
    let wildcard = false;
    const datagrams = datagramsFor(scheme);
    if (datagrams !== undefined) {
      datagrams.checkBind(address, this.#host.options);
      handle = this.#datagramEndpoint(datagrams, endpoint, address);
      this.#binding = true;
      try {
        await handle.bind(this.#use()?.only === true);
      } finally {
        this.#binding = false;
      }
      this.#checkTwice(handle);
      wildcard = datagrams.isWildcard(address);
    } else if (scheme === "inproc") {
      handle = new InprocListener(this.#host, this.#inproc(), endpoint);
      await this.#inproc().bind(handle);
    } else {
      if (given !== undefined) this.#checkAnew(endpoint);
      const transport = given ?? transportFor(scheme);
      transport.checkBind(address, this.#host.options);
      handle = new Listener(this.#host, this.#gate);
      await handle.open(transport, address);
      wildcard = transport.isWildcard?.(address) === true;
    }
    if (this.#host.closed || this.#host.draining) {
      await handle.close(0);
      throw new ZmqError("EBADF", { address: endpoint });
    }
    return this.#keep(endpoint, handle, wildcard);
  }

  /** The system would allow it, but this socket is bound to the endpoint already. @throws ZmqError EADDRINUSE */
  #checkAnew(endpoint: string): void {
    if (this.#bound.has(endpoint))
      throw new ZmqError("EADDRINUSE", { detail: "this socket is bound to this endpoint: unbind it first" });
  }

  /** @throws ZmqError EINVAL for a second endpoint of a type that has only one */
  #datagramEndpoint(transport: DatagramTransport, endpoint: string, address: string): DatagramEndpoint {
    const use = this.#use() as DatagramUse;
    if (use.only && (this.#binding || this.count > 0)) {
      const detail = "a Datagram has one endpoint at a time: unbind it first";
      throw new ZmqError("EINVAL", { address: endpoint, detail });
    }
    const forget = (): void => this.#forget(handle);
    const handle = new DatagramEndpoint(this.#host, transport, { endpoint, address }, use.form, forget);
    return handle;
  }

  /** The system lets a multicast address be bound twice, even by one socket: then closes the second. @throws ZmqError EADDRINUSE */
  #checkTwice(handle: DatagramEndpoint): void {
    if (!this.#bound.has(handle.endpoint)) return;
    void handle.close(0);
    this.#checkAnew(handle.endpoint);
  }

  #keep(given: string, handle: EndpointHandle, wildcard: boolean): EndpointHandle {
    this.#bound.set(handle.endpoint, handle);
    if (given !== handle.endpoint && !wildcard) this.#aliases.set(given, handle.endpoint);
    return handle;
  }

  bindSync({ endpoint, scheme, address, transport: given }: Endpoint): EndpointHandle {
    let handle: InprocListener | Listener | DatagramEndpoint;
    let wildcard = false;
    const datagrams = datagramsFor(scheme);
    if (datagrams !== undefined) {
      datagrams.checkBind(address, this.#host.options);
      handle = this.#datagramEndpoint(datagrams, endpoint, address);
      handle.bindSync(this.#use()?.only === true);
      this.#checkTwice(handle);
      wildcard = datagrams.isWildcard(address);
    } else if (scheme === "inproc") {
      handle = new InprocListener(this.#host, this.#inproc(), endpoint);
      const contest = this.#inproc().bind(handle);
      if (contest !== undefined) {
        const undo = (): Promise<void> => (handle as InprocListener).close(0);
        contest.then(undo, () => {}); // the name was taken already: nothing to undo
        throw new ZmqError("ENOTSUP", {
          detail: "bindSync() cannot ask other threads whether they have bound the name: use bind()",
        });
      }
    } else {
      if (given !== undefined) this.#checkAnew(endpoint);
      const transport = given ?? transportFor(scheme);
      transport.checkBind(address, this.#host.options);
      handle = new Listener(this.#host, this.#gate);
      handle.openSync(transport, address);
      wildcard = transport.isWildcard?.(address) === true;
    }
    return this.#keep(endpoint, handle, wildcard);
  }

  /** Removes a bound endpoint, by its actual name or by the text given to bind(). @throws ZmqError ENOENT */
  takeBound(endpoint: string): EndpointHandle {
    const actual = this.#bound.has(endpoint) ? endpoint : this.#aliases.get(endpoint);
    const handle = actual === undefined ? undefined : this.#bound.get(actual);
    if (handle === undefined)
      throw new ZmqError("ENOENT", { address: endpoint, detail: `"${endpoint}" is not bound` });
    this.#bound.delete(handle.endpoint);
    for (const [alias, name] of this.#aliases) if (name === handle.endpoint) this.#aliases.delete(alias);
    return handle;
  }

  /** Whether an endpoint is connected. */
  isConnected(endpoint: string): boolean {
    return this.#connected.some((handle) => handle.endpoint === endpoint);
  }

  /** Whether connect() gave this name to a peer. */
  hasNamed(id: Buffer): boolean {
    return this.#connected.some((handle) => handle.routingId?.equals(id));
  }

  /**
   * Creates a handle that does not dial yet.
   * @throws ZmqError EINVAL for a name in use, and errors of the transport for an address that it refuses
   */
  connect({ endpoint, scheme, address }: Endpoint, routingId: Buffer | null): Connecting {
    // Check handles, not only pipes: with `immediate` there may be no pipe yet.
    if (routingId !== null && this.hasNamed(routingId)) throw nameInUse(endpoint, routingId);
    let handle: Connecting;
    const datagrams = datagramsFor(scheme);
    if (datagrams !== undefined) {
      datagrams.checkConnect(address, this.#host.options);
      handle = this.#datagramEndpoint(datagrams, endpoint, address);
    } else if (scheme === "inproc") {
      handle = new InprocConnector(this.#host, this.#inproc(), endpoint, routingId);
    } else {
      const transport = transportFor(scheme);
      transport.checkConnect(address, this.#host.options);
      const forget = (): void => this.#forget(handle);
      handle = new Dialer(this.#host, transport, { endpoint, address, routingId }, forget);
    }
    this.#connected.push(handle);
    return handle;
  }

  /**
   * Creates a handle that looks up the name of an endpoint, and dials each of its addresses.
   * @throws ZmqError EINVAL for a scheme without names, and errors of the transport for an address that it refuses
   */
  connectEach({ endpoint, scheme, address }: Endpoint, options: EveryAddressOptions): EveryAddress {
    const streams = scheme !== "inproc" && datagramsFor(scheme) === undefined;
    const transport = streams ? transportFor(scheme) : undefined;
    if (transport?.names === undefined)
      throw new ZmqError("EINVAL", {
        address: endpoint,
        detail: `all: true needs a host name, and ${scheme} has none`,
      });
    const { names } = transport;
    transport.checkConnect(address, this.#host.options);
    const target = {
      endpoint,
      name: names.hostOf(address, this.#host.options),
      lookup: options.lookup ?? names.lookup,
      refresh: options.refresh,
    };
    const every = new EveryAddress(this.#host, target, {
      dial: (host) => {
        const shown = `${scheme}://${names.at(address, host)}`;
        const forget = (): void => this.#forget(dialer);
        const dialer = new Dialer(
          this.#host,
          transport,
          { endpoint: shown, address, routingId: null, host },
          forget,
        );
        this.#connected.push(dialer);
        dialer.start();
        return dialer;
      },
      letGo: (dialer) => {
        if (this.takeConnected((one) => one === dialer) !== undefined)
          void this.release(dialer, this.#host.options.linger);
      },
    });
    this.#connected.push(every);
    return every;
  }

  /** Removes a connected endpoint; undefined if there is none. */
  takeConnected(matches: (handle: EndpointHandle) => boolean): EndpointHandle | undefined {
    const handle = this.#connected.find(matches);
    if (handle !== undefined) this.#forget(handle);
    return handle;
  }

  #forget(handle: EndpointHandle): void {
    const at = this.#connected.indexOf(handle);
    if (at >= 0) this.#connected.splice(at, 1);
  }

  /** Closes a removed handle. close() also waits for it until it is flushed. */
  release(handle: EndpointHandle, lingerMs: number): Promise<void> {
    const closed = handle.close(lingerMs);
    return this.linger(
      handle,
      closed.finally(() => this.#host.lost.tell({ address: handle.endpoint })),
    );
  }

  /** close() waits for what lingers, too, but no longer than it waits for the rest. */
  linger(leaving: Leaving, released: Promise<void>): Promise<void> {
    const over = released.finally(() => this.#leaving.delete(leaving));
    this.#leaving.set(leaving, over);
    return over;
  }

  /** A disconnected endpoint that sends the rest of a pipe. */
  leavingOf(pipe: Pipe): Leaving | undefined {
    for (const leaving of this.#leaving.keys()) if (leaving.pipe === pipe) return leaving;
    return undefined;
  }

  /** The dialled endpoint whose present or last peer has an id. */
  dialling(peerId: number): EndpointHandle | undefined {
    return this.#connected.find((handle) => handle.peerId === peerId);
  }

  /** Whether there are endpoints for datagrams, and no others. */
  get datagramsOnly(): boolean {
    const all = this.#all();
    return all.length > 0 && all.every((handle) => handle instanceof DatagramEndpoint);
  }

  /** Number of unsent messages of unbound and disconnected endpoints that linger. */
  get lingering(): number {
    let count = 0;
    for (const handle of this.#leaving.keys()) count += handle.unsent;
    return count;
  }

  /** Handles released earlier keep lingering, but no longer than the others. */
  async #released(lingerMs: number): Promise<void> {
    if (this.#leaving.size === 0) return;
    const abandon = (): void => {
      for (const handle of [...this.#leaving.keys()]) handle.abandon();
    };
    if (lingerMs === 0) abandon();
    const deadline = lingerMs > 0 ? this.#host.runtime.loop.deadline(lingerMs, abandon) : undefined;
    await Promise.all(this.#leaving.values());
    deadline?.cancel();
  }

  /** Drops the connection of a pipe. The dialling side dials again. */
  reset(pipe: Pipe): void {
    for (const handle of this.#all()) if (handle.reset(pipe)) return;
  }

  /** No endpoint takes new peers from now on. */
  drain(): void {
    for (const handle of this.#all()) handle.drain();
  }

  /** All connections. */
  get links(): Link[] {
    return this.#all().flatMap((handle) => [...handle.links]);
  }

  /** Number of messages that wait in queues of peers. */
  get unsent(): number {
    return this.#all().reduce((sum, handle) => sum + handle.unsent, this.lingering);
  }

  /** Closes everything; resolves when everything is flushed or the linger time is over. */
  async close(lingerMs: number): Promise<void> {
    const handles = this.#all();
    this.#bound.clear();
    this.#aliases.clear();
    this.#connected.length = 0;
    await Promise.all([this.#released(lingerMs), ...handles.map((handle) => handle.close(lingerMs))]);
  }

  ref(): void {
    for (const handle of this.#all()) handle.ref();
  }

  unref(): void {
    for (const handle of this.#all()) handle.unref();
  }
}
