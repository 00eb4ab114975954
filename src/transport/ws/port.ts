/**
 * A listening port, which sockets of this thread share by the paths of their endpoints (X13). The options of the socket that
 * opened it hold for its connections until they have asked for a path.
 */
import { ZmqError } from "../../base/errors.js";
import { systemRuntime } from "../../base/runtime.js";
import type { Acceptor, AcceptorHandler, Stream, TransportOptions } from "../contract/transport.js";
import { Guest, type Host } from "./guest.js";
import { type Bound, endpointFor } from "./upgrade.js";

/** Where all places are taken, the oldest guest is dropped if it has used this part of its time, or else the new one. */
const PATIENCE = 0.1;
const PATIENCE_MS = 3000;
/** The endpoint is told of guests that were not let in at most this often. */
const TELL_EVERY_MS = 1000;

export class Port implements AcceptorHandler, Host {
  readonly scheme: string;
  readonly #options: TransportOptions;
  readonly #bound = new Map<string, Bound>();
  /** In the order in which they came. */
  readonly #guests = new Set<Guest>();
  readonly #onEmpty: () => void;
  #acceptor: Acceptor | null = null;
  #told = Number.NEGATIVE_INFINITY;
  /** Endpoints that keep the process alive. */
  readonly #refs = new Set<Bound>();

  /** @param onEmpty the last endpoint has gone, and the port is free */
  constructor(scheme: string, options: TransportOptions, onEmpty: () => void) {
    this.scheme = scheme;
    this.#options = options;
    this.#onEmpty = onEmpty;
  }

  /** It listens. */
  set acceptor(acceptor: Acceptor) {
    this.#acceptor = acceptor;
  }

  /** Host and port, as they are. */
  get address(): string {
    return this.#acceptor === null ? "" : this.#acceptor.address.replace(/^.*:\/\//, "");
  }

  /** Reserves a path. @throws ZmqError EADDRINUSE */
  reserve(bound: Bound): void {
    if (this.#bound.has(bound.path))
      throw new ZmqError("EADDRINUSE", {
        detail: `a socket is bound to the path ${bound.path} of this port`,
      });
    this.#bound.set(bound.path, bound);
    this.#refs.add(bound);
  }

  /** The endpoint of a reserved path, when the port listens. */
  endpoint(bound: Bound): Acceptor {
    return {
      address: `${this.scheme}://${this.address}${bound.path}`,
      close: () => this.release(bound),
      ref: () => this.#keepAlive(bound, true),
      unref: () => this.#keepAlive(bound, false),
    };
  }

  /** Ends one endpoint; the port closes with the last one. */
  async release(bound: Bound): Promise<void> {
    if (this.#bound.get(bound.path) === bound) this.#bound.delete(bound.path);
    this.#keepAlive(bound, false);
    if (this.#bound.size > 0) return;
    this.#onEmpty();
    for (const guest of [...this.#guests]) guest.drop(undefined);
    await this.#acceptor?.close();
  }

  #keepAlive(bound: Bound, alive: boolean): void {
    if (alive) this.#refs.add(bound);
    else this.#refs.delete(bound);
    if (this.#refs.size > 0) this.#acceptor?.ref();
    else this.#acceptor?.unref();
  }

  // From the acceptor

  onStream(stream: Stream): void {
    const { handshakeInterval, maxHandshakes } = this.#options;
    const now = systemRuntime.now();
    if (maxHandshakes > 0 && this.#guests.size >= maxHandshakes && !this.#makeWay(now)) {
      stream.close();
      this.#tellFull(now);
      return;
    }
    // Accepted connections keep the process alive once they are WebSockets.
    stream.unref();
    const guest = new Guest(stream, this, now, handshakeInterval);
    this.#guests.add(guest);
    guest.start();
  }

  #makeWay(now: number): boolean {
    const [oldest] = this.#guests;
    const limit = this.#options.handshakeInterval;
    const patience = limit === 0 ? PATIENCE_MS : limit * PATIENCE;
    if (now - oldest.since < patience) return false;
    oldest.drop(undefined);
    this.#tellFull(now);
    return true;
  }

  #tellFull(now: number): void {
    if (now - this.#told < TELL_EVERY_MS) return;
    this.#told = now;
    const detail = `more than ${this.#options.maxHandshakes} connections have not asked for a WebSocket yet (maxHandshakes)`;
    this.first?.handler.onError(new ZmqError("EMFILE", { detail }));
  }

  onError(error: NodeJS.ErrnoException): void {
    for (const { handler } of [...this.#bound.values()]) handler.onError(error);
  }

  // From guests

  find(target: string): Bound | undefined {
    return endpointFor(this.#bound, target);
  }

  get first(): Bound | undefined {
    return this.#bound.values().next().value;
  }

  left(guest: Guest): void {
    this.#guests.delete(guest);
  }
}
