/**
 * What all sockets share: endpoints, life cycle, events, options. Routing is left to the types in sockets/, which
 * compose patterns; moving octets is left to sessions. Longer than other files, because what a user may call on any
 * socket is documented here.
 */

import { Condition } from "../base/condition.js";
import { parseEndpoint } from "../base/endpoint.js";
import { endpointError, ZmqError } from "../base/errors.js";
import {
  EVENT_TYPES,
  type Event,
  type EventType,
  Observer,
  type Peer,
  type SocketEvents,
} from "../base/events.js";
import { type Buffer, emitWarning, nextTick } from "../base/platform.js";
import { type CallOptions, checkCallOptions, type Turns } from "../base/turns.js";
import { Budget } from "../engine/budget.js";
import type { Pipe } from "../engine/pipe.js";
import type { FlushScheduler } from "../engine/stream-pipe.js";
import { type NumberedOption, SOCKET_OPTION_NUMBERS } from "../options/numbers.js";
import type { OptionName, OptionValues, SocketOptions } from "../options/options.js";
import { defaultsOf } from "../options/table.js";
import { checkFields, defaultOptions, readOption, setOption } from "../options/values.js";
import { mechanismOf, secure } from "../security/settings.js";
import { zapClient } from "../security/zap/client.js";
import { flushScheduler } from "../session/flush-scheduler.js";
import type { EndpointHandle, SocketHost } from "../session/host.js";
import { streamEngine } from "../transport/registry.js";
import { Context, context as defaultContext } from "./context.js";
import { Emitting } from "./emitting.js";
import { type Endpoint, Endpoints } from "./endpoints.js";
import { SocketTurns } from "./socket-turns.js";

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

/** Counters and queue depths of a socket. Counters run from its creation. */
export interface SocketStats {
  /** Sends that wait for room. */
  sendQueue: number;
  /** Messages queued for peers and not yet taken by the kernel. */
  outboundQueue: number;
  /** Messages received and not yet read. */
  receiveQueue: number;
  /** Receives that wait for a message. */
  waitingReceives: number;
  /** Messages that a peer's queue, or a publisher's routing, has accepted. */
  messagesSent: number;
  /** Messages given to the application. */
  messagesReceived: number;
  /**
   * Messages, or copies of one, that were dropped because a peer was full; also those of a Router for a peer that it does
   * not know, of a Reply for a requester that has left, and what `maxResends` has given up.
   */
  dropped: number;
  /** What queues hold, in bytes: received and not read. Each part counts 112 more. */
  receivedBytes: number;
  /** What queues hold, in bytes: accepted and not sent, as far as the kernel did not take it at once. */
  unsentBytes: number;
  /** Connections with a complete handshake. */
  peers: number;
}

const INT32_MAX = 2 ** 31 - 1;
let lastPeerId = 0;
/** A ZeroMQ socket. Abstract: use one of the types. */
export abstract class Socket extends Emitting implements SocketHost {
  /** @internal ZMTP name of the type */
  readonly socketType: string;
  /** libzmq's number of the socket type. */
  readonly type: number;
  /** Whose inproc names this socket sees. */
  readonly context: Context = defaultContext;
  /** @internal */
  readonly options: OptionValues = defaultOptions();
  /** @internal what all pipes hold together, received and not read */
  readonly received = new Budget(this.options);
  /** @internal accepted and not sent */
  readonly unsent = new Budget(this.options);
  /** @internal an option set too late for the endpoints that exist is told as a process warning */
  warnsLate = true;
  /** @internal does what libzmq does where zwire is kinder: zeromq.js's surface */
  asLibzmq = false;
  /** @internal */
  readonly scheduler: FlushScheduler = flushScheduler;
  readonly #turns = new SocketTurns();
  /** @internal */
  readonly turns: Turns = this.#turns;
  /** @internal all pipes, for depths */
  protected readonly pipes = new Set<Pipe>();
  /** Whether the same endpoint connected twice stays one connection (G15). */
  protected readonly singleConnection: boolean = false;
  /** @internal connections carry octets without framing (STREAM) */
  readonly raw: boolean = false;
  #observer: Observer | null = null;
  readonly #endpoints = new Endpoints(this, () => this.context.inproc);
  readonly #peers = new Map<Pipe, Peer>();
  /** @internal Messages dropped because too many connections ended within them. */
  protected givenUp = 0;
  readonly #peerChange: Condition;
  #lastEndpoint: string | null = null;
  #closed = false;
  #closing: Promise<void> | null = null;
  /** "end" has been told: nothing follows it, also of a bind() that only now finds the socket closed. */
  #ended = false;
  #refed = true;
  #optionNames: readonly string[] = [];

  protected constructor(type: number, socketType: string) {
    super();
    this.type = type;
    this.socketType = socketType;
    Object.assign(this.options, defaultsOf(socketType));
    this.#peerChange = new Condition(this.turns);
  }

  /** @internal Apply constructor fields; `names` are the options of the type. */
  protected applyOptions(given: object | undefined, names: readonly OptionName[]): void {
    if (given !== undefined && (typeof given !== "object" || given === null))
      throw new TypeError("options must be an object");
    this.#optionNames = names;
    const fields = new Map<string, unknown>(Object.entries(given ?? {}));
    this.#useContext(fields.get("context"));
    fields.delete("context");
    checkFields(fields);
    for (const [name, value] of fields) {
      if (!names.includes(name as OptionName)) {
        throw new TypeError(`${this.constructor.name} has no option "${name}"`);
      } else if (value !== undefined) setOption(this.options, name as OptionName, value);
    }
    this.context.enter(this); // S17: last, so that a socket that was never made takes no place
  }

  /** Before any other field, because a context has defaults for some. */
  #useContext(value: unknown): void {
    if (value !== undefined) {
      if (!(value instanceof Context)) throw new TypeError("context must be a Context");
      (this as { context: Context }).context = value;
    }
    this.options.ipv6 = this.context.ipv6;
    if (!this.context.blocky) this.options.linger = 0; // S11
    if (this.options.maxMessageSize === -1 && this.context.maxMessageSize < INT32_MAX) {
      this.options.maxMessageSize = this.context.maxMessageSize;
    }
  }

  /** @internal Whether the type has an option of a name. */
  hasOption(name: string): boolean {
    return this.#optionNames.includes(name);
  }

  // Endpoints

  /** Whether `close()` has been called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The endpoint of the newest bind or connect, with the actual port or path; null before. */
  get lastEndpoint(): string | null {
    return this.#lastEndpoint;
  }

  /** Mechanism that the next connections are secured with; null for none. */
  get securityMechanism(): null | "plain" | "curve" | "gssapi" {
    return mechanismOf(this.options);
  }

  /** Whether libzmq counts the type among the thread-safe ones, whose messages have one part. */
  get threadSafe(): boolean {
    return false;
  }

  /** Which engine moves the octets of tcp and ipc: the addon, or node:net where no addon loads. */
  get engine(): "native" | "portable" {
    return streamEngine().name;
  }

  /** Peers with a complete handshake. */
  get peers(): Peer[] {
    return [...this.#peers.values()];
  }

  /** @internal Whether anything is bound or connected now. */
  get attached(): boolean {
    return this.#endpoints.count > 0;
  }

  /** @internal Endpoints bound and connected now. */
  get endpointCount(): number {
    return this.#endpoints.count;
  }

  /** @internal Whether unbind() would find the endpoint. */
  isBound(endpoint: string): boolean {
    return this.#endpoints.isBound(endpoint);
  }

  /** @internal Whether disconnect() would find the endpoint. */
  isConnected(endpoint: string): boolean {
    return this.#endpoints.isConnected(endpoint);
  }

  /** @internal Messages of endpoints that are unbound or disconnected, and linger. */
  get lingering(): number {
    return this.#endpoints.lingering;
  }

  /**
   * Listen on an endpoint. Resolves to the actual one: `tcp://*:0` gets a port, `ipc://*` a path.
   * Rejects with a TypeError for a value that is no string, and with a ZmqError: EINVAL, EPROTONOSUPPORT, EADDRINUSE, EADDRNOTAVAIL, ENODEV, ENAMETOOLONG, ENOENT, EBADF.
   */
  async bind(endpoint: string): Promise<string> {
    const parsed = this.#parse(endpoint);
    this.requireOpen();
    try {
      this.#secure(parsed);
      return this.#bound(await this.#endpoints.bind(parsed));
    } catch (error) {
      throw this.#bindFailed(endpoint, error);
    }
  }

  /**
   * bind(), done when it returns; the actual endpoint is its result. Host names are not looked up, except "localhost", and
   * an ipc path is taken over even from a living process: only connecting could tell, and that takes time.
   * @throws as bind() rejects; also ZmqError ENODEV for a host name, ENOTSUP where the platform cannot do it
   */
  bindSync(endpoint: string): string {
    const parsed = this.#parse(endpoint);
    this.requireOpen();
    try {
      this.#secure(parsed);
      return this.#bound(this.#endpoints.bindSync(parsed));
    } catch (error) {
      throw this.#bindFailed(endpoint, error);
    }
  }

  /** What has to be known of security before there is a connection; inproc has none. @throws ZmqError EINVAL */
  #secure({ scheme, endpoint }: Endpoint): void {
    if (scheme === "inproc") return;
    try {
      secure(this.options, () => zapClient(this.context.inproc), this.raw);
    } catch (error) {
      throw endpointError(error as Error, endpoint);
    }
  }

  #bound({ endpoint }: EndpointHandle): string {
    this.#lastEndpoint = endpoint;
    this.emitEvent("bind", { address: endpoint });
    return endpoint;
  }

  #bindFailed(endpoint: string, cause: unknown): ZmqError {
    const error = endpointError(cause as NodeJS.ErrnoException, endpoint);
    if (!this.#closed) this.emitEvent("bind:error", { address: endpoint, error });
    return error;
  }

  #parse(endpoint: string): Endpoint {
    const { scheme, address } = parseEndpoint(endpoint);
    if (!this.raw || scheme !== "inproc") return { endpoint, scheme, address };
    throw new ZmqError("EPROTONOSUPPORT", { address: endpoint, detail: "a Stream needs tcp or ipc" });
  }

  /**
   * Stop listening, and close every connection that came in by this endpoint (S12). Takes the actual endpoint, or the one given to
   * bind() unless it has a wildcard port or path.
   * Rejects with ENOENT for one that is not bound.
   */
  async unbind(endpoint: string): Promise<void> {
    parseEndpoint(endpoint);
    this.requireOpen();
    this.sendHeld();
    await this.#endpoints.release(this.#endpoints.takeBound(endpoint), this.options.linger);
  }

  /**
   * Connect to an endpoint, now or as soon as it is there, and again whenever the connection is lost.
   * @throws TypeError for a value that is no string; ZmqError EINVAL, EPROTONOSUPPORT, ENAMETOOLONG, EBADF, ENOTSUP
   */
  connect(endpoint: string): void {
    this.connectAs(endpoint, null);
  }

  /** connect(), with the name by which this socket will know the peer (I11). */
  protected connectAs(endpoint: string, routingId: Buffer | null): void {
    const parsed = this.#parse(endpoint);
    this.requireOpen();
    if (this.singleConnection && this.#endpoints.isConnected(endpoint)) return; // G15
    this.#secure(parsed);
    const handle = this.#endpoints.connect(parsed, routingId);
    this.#lastEndpoint = endpoint;
    handle.start();
  }

  /** Whether connect() gave a name to a peer, which may not be there yet. */
  protected isReserved(id: Buffer): boolean {
    return this.#endpoints.hasNamed(id);
  }

  /**
   * Undo `connect`: what is unread from there is lost, what is unsent follows `linger` (S13).
   * @throws ZmqError ENOENT when the endpoint is not connected
   */
  disconnect(endpoint: string): void {
    parseEndpoint(endpoint);
    this.requireOpen();
    this.sendHeld();
    const handle = this.#endpoints.takeConnected((one) => one.endpoint === endpoint);
    if (handle === undefined) throw new ZmqError("ENOENT", { address: endpoint });
    this.#letGo(handle);
  }

  /** disconnect(), by pipe: one endpoint may be connected several times. False when we did not dial it. */
  protected disconnectPipe(pipe: Pipe): boolean {
    const handle = this.#endpoints.takeConnected((one) => one.pipe === pipe);
    if (handle !== undefined) this.#letGo(handle);
    return handle !== undefined;
  }

  #letGo(handle: EndpointHandle): void {
    const { pipe } = handle;
    void this.#endpoints.release(handle, this.options.linger);
    if (!pipe) return;
    this.forgetInbound(pipe);
    pipe.intercept = discard; // nor is what comes while output lingers wanted
  }

  /** Drops the connection of a pipe; the dialling side dials again. */
  protected resetConnection(pipe: Pipe): void {
    this.#endpoints.reset(pipe);
  }

  /** Resolves when `count` peers have completed their handshake. Rejects with EAGAIN on timeout. */
  connected(options?: ConnectedOptions): Promise<void> {
    const count = options?.count ?? 1;
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`count must be an integer of at least 0; got ${count}`);
    }
    checkCallOptions(options);
    return this.#peerChange.until(() => this.#peers.size >= count, options);
  }

  /**
   * Close: reject what waits, let go of endpoints, and resolve when everything accepted is flushed or the linger
   * time is over. Calling it again gives the same promise.
   */
  close(options?: CloseOptions): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    const linger = options?.linger ?? this.options.linger;
    if (!Number.isInteger(linger) || linger < -1) {
      throw new RangeError(`linger must be an integer of at least -1; got ${linger}`);
    }
    this.#closed = true;
    this.context.leave(this);
    const error = new ZmqError("EBADF");
    this.closeQueues(error);
    this.#peerChange.close(error);
    // Before anything is told of it: a listener may call close(), too.
    let follow: (closed: Promise<void>) => void = () => {};
    this.#closing = new Promise((resolve) => {
      follow = resolve;
    });
    follow(this.#closeEndpoints(linger));
    return this.#closing;
  }

  async #closeEndpoints(linger: number): Promise<void> {
    await this.#endpoints.close(linger);
    for (const pipe of [...this.pipes]) this.detachPipe(pipe);
    this.emitEvent("end", { address: "" });
    this.#ended = true;
    this.#observer?.close();
  }

  /** `await using` closes the socket. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Open endpoints keep the process alive: the default. */
  ref(): this {
    this.#refed = true;
    this.#endpoints.ref();
    return this;
  }

  /** Let the process end although endpoints are open. */
  unref(): this {
    this.#refed = false;
    this.#endpoints.unref();
    return this;
  }

  /** @internal */
  get refed(): boolean {
    return this.#refed;
  }

  /** @internal */
  protected override requireOpen(): void {
    if (this.#closed) throw new ZmqError("EBADF");
  }

  /** @internal */
  protected override get optionNumbers(): ReadonlyMap<number, NumberedOption> {
    return SOCKET_OPTION_NUMBERS;
  }

  // Events

  /** Events of this socket, to be read; `on()` listens to them instead. */
  get events(): Observer {
    this.#observer ??= new Observer();
    return this.#observer;
  }

  /** @internal */
  protected override tells(name: unknown): boolean {
    return (EVENT_TYPES as readonly unknown[]).includes(name);
  }

  /** @internal */
  emitEvent<E extends EventType>(type: E, payload: SocketEvents[E]): void {
    if (type === "handshake") this.#turns.lastFailure = undefined;
    else if (type === "connect:retry" || type.startsWith("handshake:error")) {
      this.#turns.lastFailure = (payload as { error?: Error }).error ?? this.#turns.lastFailure;
    }
    if (this.#ended || (this.#observer === null && this.listenerCount(type) === 0)) return;
    const event = { type, endpoint: payload.address, ...payload } as unknown as Event;
    try {
      this.#observer?.tell(event);
      this.emit(type, event);
    } catch (error) {
      // The application's exception, and nobody else's: the connection that it was told of goes on.
      nextTick(() => {
        throw error;
      });
    }
  }

  /** @internal */
  pipeHeldBack(pipe: Pipe): void {
    if (this.received.tells()) this.tellLimit(pipe.peer, "maxQueuedBytes", "paused", this.received.held);
  }

  /** @internal */
  tellLimit(
    peer: Peer | undefined,
    limit: OptionName,
    action: SocketEvents["limit"]["action"],
    value: number,
  ): void {
    const at = { address: peer?.address ?? "", endpoint: peer?.endpoint ?? "" };
    this.emitEvent("limit", { ...at, peer, limit, action, value });
  }

  /** @internal */
  messageGivenUp(peer: Peer | undefined, bytes: number): void {
    this.givenUp++;
    this.tellLimit(peer, "maxResends", "dropped", bytes);
  }

  /** Counters and queue depths now. */
  get stats(): SocketStats {
    let outboundQueue = 0;
    let receiveQueue = this.unread();
    for (const pipe of this.pipes) {
      outboundQueue += pipe.outboundLength;
      if (!pipe.queued) receiveQueue += pipe.inboundLength;
    }
    return {
      sendQueue: 0,
      outboundQueue,
      receiveQueue,
      waitingReceives: 0,
      messagesSent: 0,
      messagesReceived: 0,
      dropped: this.givenUp,
      receivedBytes: this.received.held,
      unsentBytes: this.unsent.held,
      peers: this.#peers.size,
    };
  }

  // From sessions

  /** @internal */
  nextPeerId(): number {
    return ++lastPeerId;
  }

  /** @internal */
  attachPipe(pipe: Pipe): void {
    this.pipes.add(pipe);
  }

  /** @internal */
  detachPipe(pipe: Pipe): void {
    this.pipes.delete(pipe);
  }

  /** @internal Types that know their peers by name may refuse one. */
  refusalOf(_peer: Peer, _pipe: Pipe | null, _chosen: Buffer | null): Error | null {
    return null;
  }

  /** @internal */
  resumes(_pipe: Pipe, _peer: Peer, _chosen: Buffer | null): boolean {
    return true;
  }

  /** @internal */
  pipeConnected(pipe: Pipe, peer: Peer): void {
    this.#peers.set(pipe, peer);
    this.emitEvent("handshake", { address: peer.address, endpoint: peer.endpoint, peer });
    this.#peerChange.notify();
  }

  /** @internal */
  pipeDisconnected(pipe: Pipe): void {
    this.#peers.delete(pipe);
  }

  /** @internal */
  abstract pipeReadable(pipe: Pipe): void;
  /** @internal */
  abstract pipeWritable(pipe: Pipe): void;
  /** @internal An option that acts at once has another value. */
  optionChanged(): void {
    for (const pipe of this.pipes) pipe.limitsChanged();
  }

  /** @internal Most types ignore subscriptions (F5). */
  pipeSubscription(_pipe: Pipe, _topic: Buffer, _subscribe: boolean): void {}
  /** Send what waits only for a late event loop: endpoints are about to end. */
  protected sendHeld(): void {}
  /** Reject all waiting operations and those to come. */
  protected abstract closeQueues(error: ZmqError): void;
  /** Messages in pipes that are ready to be read, also of peers that have left. */
  protected unread(): number {
    return 0;
  }

  /** What a pipe holds unread is not wanted any more. */
  protected forgetInbound(pipe: Pipe): void {
    pipe.discardInbound();
  }
}

function discard(): boolean {
  return true;
}

/**
 * Gives a socket class its options as properties.
 * @internal
 */
export function defineOptions(target: { prototype: Socket }, names: readonly OptionName[]): void {
  for (const name of names) {
    Object.defineProperty(target.prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: Socket) {
        return readOption(this.options, name);
      },
      set(this: Socket, value: unknown) {
        if (this.closed) throw new ZmqError("EBADF"); // U4
        const live = setOption(this.options, name, value);
        if (live) this.optionChanged();
        if (!live && this.warnsLate && this.lastEndpoint !== null) {
          emitWarning("Socket option will not take effect until next connect/bind.");
        }
      },
    });
  }
}

export type { SocketOptions };
