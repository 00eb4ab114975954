/**
 * The bound and connected endpoints of one socket: which kind of handle each needs, and finding them again. Knows
 * nothing of routing; errors are told to the application by the socket.
 */

import { parseEndpoint } from "../base/endpoint.js";
import { ZmqError } from "../base/errors.js";
import type { Buffer } from "../base/platform.js";
import { Dialer } from "../connect/dialer.js";
import { Gate } from "../connect/gate.js";
import { Listener } from "../connect/listener.js";
import type { Pipe } from "../engine/pipe.js";
import { InprocConnector } from "../inproc/connector.js";
import { InprocListener } from "../inproc/listener.js";
import type { InprocRegistry } from "../inproc/registry.js";
import type { EndpointHandle, SocketHost } from "../session/host.js";
import { hasTransport, schemes, transportFor } from "../transport/registry.js";

/** An endpoint as the application wrote it, taken apart. */
export interface Endpoint {
  readonly endpoint: string;
  readonly scheme: string;
  /** What follows `://`. */
  readonly address: string;
}

/**
 * Takes an endpoint apart.
 * @throws TypeError when it is not a string; ZmqError EINVAL when it is malformed, EPROTONOSUPPORT for a scheme that
 * zwire does not speak (R27)
 */
export function endpointOf(endpoint: string): Endpoint {
  const { scheme, address } = parseEndpoint(endpoint);
  if (scheme === "inproc" || hasTransport(scheme)) return { endpoint, scheme, address };
  throw new ZmqError("EPROTONOSUPPORT", {
    address: endpoint,
    detail: `the scheme "${scheme}" is unknown; use ${schemes().join(", ")} or inproc`,
  });
}

export class Endpoints {
  readonly #host: SocketHost;
  readonly #inproc: () => InprocRegistry;
  readonly #gate: Gate;
  /** By the actual endpoint. */
  readonly #bound = new Map<string, EndpointHandle>();
  /** Actual endpoints by the words of bind(), where those differ and can mean no other: `tcp://localhost:5555`. */
  readonly #aliases = new Map<string, string>();
  readonly #connected: EndpointHandle[] = [];
  /** Unbound and disconnected, and not yet flushed. */
  readonly #leaving = new Map<EndpointHandle, Promise<void>>();

  /** @param inproc the names that the socket's context holds */
  constructor(host: SocketHost, inproc: () => InprocRegistry) {
    this.#host = host;
    this.#inproc = inproc;
    this.#gate = new Gate(host.options, () => host.runtime.now());
  }

  /** How many are bound and connected now. */
  get count(): number {
    return this.#bound.size + this.#connected.length;
  }

  /** Whether takeBound() would find it. */
  isBound(endpoint: string): boolean {
    return this.#bound.has(endpoint) || this.#aliases.has(endpoint);
  }

  #all(): EndpointHandle[] {
    return [...this.#bound.values(), ...this.#connected];
  }

  /** Rejects with EBADF when the socket was closed meanwhile. */
  async bind({ endpoint, scheme, address }: Endpoint): Promise<EndpointHandle> {
    let handle: InprocListener | Listener;
    let wildcard = false;
    if (scheme === "inproc") {
      handle = new InprocListener(this.#host, this.#inproc(), endpoint);
      await this.#inproc().bind(handle);
    } else {
      const transport = transportFor(scheme);
      transport.checkBind(address, this.#host.options);
      handle = new Listener(this.#host, this.#gate);
      await handle.open(transport, address);
      wildcard = transport.isWildcard?.(address) === true;
    }
    if (this.#host.closed) {
      await handle.close(0);
      throw new ZmqError("EBADF", { address: endpoint });
    }
    return this.#keep(endpoint, handle, wildcard);
  }

  #keep(given: string, handle: EndpointHandle, wildcard: boolean): EndpointHandle {
    this.#bound.set(handle.endpoint, handle);
    if (given !== handle.endpoint && !wildcard) this.#aliases.set(given, handle.endpoint);
    return handle;
  }

  bindSync({ endpoint, scheme, address }: Endpoint): EndpointHandle {
    let handle: InprocListener | Listener;
    let wildcard = false;
    if (scheme === "inproc") {
      handle = new InprocListener(this.#host, this.#inproc(), endpoint);
      const contest = this.#inproc().bind(handle);
      if (contest !== undefined) {
        const undo = (): Promise<void> => (handle as InprocListener).close(0);
        contest.then(undo, () => {}); // taken already: nothing to undo
        throw new ZmqError("ENOTSUP", {
          detail: "bindSync() cannot ask other threads whether they have bound the name: use bind()",
        });
      }
    } else {
      const transport = transportFor(scheme);
      transport.checkBind(address, this.#host.options);
      handle = new Listener(this.#host, this.#gate);
      handle.openSync(transport, address);
      wildcard = transport.isWildcard?.(address) === true;
    }
    return this.#keep(endpoint, handle, wildcard);
  }

  /** Lets go of a bound endpoint, named as it is or as it was given to bind(). @throws ZmqError ENOENT */
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
   * Makes a handle that has not begun to dial. @throws ZmqError EINVAL for a name in use, and what the transport
   * refuses
   */
  connect({ endpoint, scheme, address }: Endpoint, routingId: Buffer | null): InprocConnector | Dialer {
    // Not only names of pipes: with immediate there is no pipe yet.
    if (routingId !== null && this.hasNamed(routingId)) {
      throw new ZmqError("EINVAL", {
        address: endpoint,
        detail: `routing id "${routingId}" is in use: choose another one`,
      });
    }
    let handle: InprocConnector | Dialer;
    if (scheme === "inproc") {
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

  /** Lets go of a connected endpoint; undefined where there is none. */
  takeConnected(matches: (handle: EndpointHandle) => boolean): EndpointHandle | undefined {
    const handle = this.#connected.find(matches);
    if (handle !== undefined) this.#forget(handle);
    return handle;
  }

  #forget(handle: EndpointHandle): void {
    const at = this.#connected.indexOf(handle);
    if (at >= 0) this.#connected.splice(at, 1);
  }

  /** Closes a handle that was taken. Until it is flushed it is one of those that close() waits for. */
  release(handle: EndpointHandle, lingerMs: number): Promise<void> {
    const released = handle.close(lingerMs).finally(() => this.#leaving.delete(handle));
    this.#leaving.set(handle, released);
    return released;
  }

  /** Messages of unbound and disconnected endpoints that linger. */
  get lingering(): number {
    let count = 0;
    for (const handle of this.#leaving.keys()) count += handle.unsent;
    return count;
  }

  /** Those that were released before linger on, but no longer than the rest. */
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

  /** Drops the connection of a pipe; the dialling side dials again. */
  reset(pipe: Pipe): void {
    for (const handle of this.#all()) if (handle.reset(pipe)) return;
  }

  /** Closes everything; resolves when all is flushed, or the linger time over. */
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
