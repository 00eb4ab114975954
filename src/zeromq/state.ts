/**
 * The state of a zeromq.js socket: its core, its bound and connected endpoints, and what uses it exclusively. Messages go
 * straight to the core's queues, so that they cost no more than in zwire.
 */

import { coreOf, type Socket } from "../api/socket.js";
import { parseEndpoint } from "../base/endpoint.js";
import type { OutMessage } from "../base/message.js";
import { setImmediate } from "../base/platform.js";
import { OPERATIONS_PER_TURN } from "../base/waiting.js";
import type { Context as CoreContext } from "../core/context.js";
import type { SocketCore } from "../core/socket-core.js";
import type { Iteration } from "../engine/iteration.js";
import type { SendQueue } from "../engine/send-queue.js";
import type { WaitingReceives } from "../engine/waiting-receives.js";
import type { OptionName } from "../options/options.js";
import { checkGroup } from "./arguments.js";
import type { Context } from "./context.js";
import { calling, failure, translated } from "./errors.js";
import { type Event, watchCore } from "./events.js";
import type { TakesTurns } from "./lockstep.js";
import type { EventSource, Observer } from "./observer.js";
import { hold, type Lingering, unwatchUnsent, watchUnsent } from "./process-end.js";
import { OptionStore } from "./settings/options.js";
import type { SecuredCore } from "./settings/security.js";

const BLOCKED = "Socket is blocked by a bind or unbind operation";
const DONE: Promise<void> = Promise.resolve();

/** Creates zwire's socket of a type. */
export type SocketFactory = (options: { context: CoreContext }) => Socket;

const factories = new Map<number, SocketFactory>();

/** Registers a type under its number. */
export function registerType(type: number, factory: SocketFactory): void {
  factories.set(type, factory);
}

/** @throws Error EINVAL for an unknown type, EMFILE if the context has too many sockets */
export function makeSocket(type: number, context: CoreContext): Socket {
  const factory = factories.get(type);
  if (factory === undefined) throw failure("EINVAL");
  return calling(() => factory({ context }));
}

/** What uses the socket exclusively: a running call about endpoints, or a running proxy. */
type Holder = "endpoint" | "proxy" | null;

/** What libzmq does not bound, and what it looks for in messages of several parts. */
const UPSTREAM_TOPICS = {
  maxTopics: 0,
  maxTopicsPerPeer: 0,
  maxTopicLength: 2 ** 28,
  onlyFirstSubscribe: false,
};

export class SocketState implements Lingering, EventSource {
  /** For options by number, listeners, and sends that carry an address. */
  readonly socket: Socket;
  readonly core: SocketCore;
  readonly context: Context;
  readonly options: OptionStore;
  observer: Observer | null = null;
  /** Send of the types whose messages have an address. Takes message and options as the application gave them. */
  sendTo: ((message: unknown, options: unknown) => Promise<void>) | null = null;
  readonly queue: SendQueue | undefined;
  readonly receives: WaitingReceives<unknown> | null;
  #holder: Holder = null;
  #closeWanted = false;
  /**
   * Endpoints connected in this turn. An observer attached later in the turn still gets their events, as with libzmq, which
   * connects in another thread.
   */
  readonly #dialled: string[] = [];
  #operations = 0;

  constructor(socket: Socket, context: Context) {
    const core = coreOf(socket);
    this.socket = socket;
    this.core = core;
    this.context = context;
    this.options = new OptionStore(socket);
    this.queue = core.sender?.queue;
    this.receives = core.receives;
    // libzmq's default, unless the type or the context sets 0.
    if (core.options.linger > 0) core.options.linger = -1;
    core.asLibzmq = true;
    // libzmq has no limits in bytes: only its marks, in messages, limit what it keeps.
    Object.assign(core.options, {
      sendHighWaterMarkBytes: 0,
      receiveHighWaterMarkBytes: 0,
      maxQueuedBytes: 0,
      heartbeatInterval: 0, // libzmq sends PINGs only if the program asks for them
      messageTimeout: 0,
      maxConnections: 0,
      maxHandshakes: 0,
    });
    Object.assign(core.options, UPSTREAM_TOPICS);
    core.settings.warnsLate = false; // this entry warns instead, by the rule of zeromq.js
    core.unref();
    core.turns.onWait = hold;
  }

  /**
   * Sets the constructor fields that are zwire's own options, and removes them from the fields: they have no number, and
   * zeromq.js's sockets have no such properties. @throws TypeError or RangeError as zwire's socket does
   */
  takeOwnOptions(socket: object, fields: Record<string, unknown>): void {
    const names = Object.keys(fields).filter((name) => !(name in socket) && this.core.settings.has(name));
    for (const name of names) {
      if (fields[name] !== undefined) this.core.settings.set(name as OptionName, fields[name]);
      delete fields[name];
    }
  }

  // Checks of what is allowed now

  /** For send and receive. */
  requireOpen(): void {
    if (this.core.closed) throw failure("EBADF");
    if (this.#holder === "proxy") throw failure("EBUSY", BLOCKED);
  }

  /** For everything about endpoints. */
  requireFree(): void {
    if (this.core.closed) throw failure("EBADF");
    if (this.#holder !== null) throw failure("EBUSY", BLOCKED);
  }

  /** For options, for which libzmq uses another error. */
  requireOptions(): void {
    if (this.core.closed) throw failure("ENOTSOCK");
  }

  /** Whether a call about endpoints, or a proxy, is under way. */
  get busy(): boolean {
    return this.#holder !== null;
  }

  take(holder: Exclude<Holder, null>): void {
    this.#holder = holder;
  }

  /** Ends the exclusive use. Runs a close() that was called meanwhile. */
  release(): void {
    this.#holder = null;
    if (this.#closeWanted) this.close();
  }

  close(): void {
    if (this.core.closed) return;
    if (this.#holder !== null) {
      this.#closeWanted = true;
      return;
    }
    this.queue?.release();
    const lingers = this.unsent > 0 && this.linger !== 0;
    unwatchUnsent(this);
    if (lingers) hold(1);
    void this.core.close(this.linger).finally(() => {
      if (lingers) hold(-1);
    });
  }

  // Endpoints

  /** Endpoints bound and connected. */
  get endpoints(): number {
    return this.core.endpoints.count;
  }

  /** Passes the security settings to the core. @throws Error EINVAL if they cannot work */
  #secure(address: string): void {
    if (address.startsWith("inproc:")) return; // inproc has no security
    try {
      this.options.security.apply(this.socket as Socket & SecuredCore);
    } catch (error) {
      throw Object.assign(translated(error) as Error, { address });
    }
  }

  bind(address: string): Promise<void> {
    try {
      this.#secure(address);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#alone(this.core.endpoints.bind(address).then(() => watchUnsent(this)));
  }

  bindSync(address: string): void {
    this.#secure(address);
    calling(() => this.core.endpoints.bindSync(address));
    watchUnsent(this);
  }

  unbind(address: string): Promise<void> {
    try {
      return this.#alone(this.#end(address));
    } catch (error) {
      return Promise.reject(translated(error));
    }
  }

  /** For unbindSync() and disconnect(). Fails before it returns, if at all; flushing may take longer. */
  endNow(address: string): void {
    void calling(() => this.#end(address));
  }

  /**
   * Ends all endpoints with this name, bound or connected, as libzmq does for both unbind and disconnect. If an inproc name is
   * bound, ends only the bound endpoint. Resolves when all is flushed. @throws ZmqError ENOENT, EINVAL
   */
  #end(address: string): Promise<unknown> {
    const { endpoints } = this.core;
    const { scheme } = parseEndpoint(address);
    const bound = endpoints.isBound(address);
    const flushed = bound ? endpoints.unbind(address) : Promise.resolve();
    if (bound && scheme === "inproc") return flushed;
    if (!bound || endpoints.isConnected(address)) endpoints.disconnect(address);
    while (endpoints.isConnected(address)) endpoints.disconnect(address);
    return flushed;
  }

  async #alone(doing: Promise<unknown>): Promise<void> {
    this.take("endpoint");
    try {
      await doing;
    } catch (error) {
      throw translated(error);
    } finally {
      this.release();
    }
  }

  connect(address: string): void {
    this.#secure(address);
    calling(() => this.socket.connect(address)); // the type's own connect(), which handles a name for the peer
    if (this.observer === null) {
      this.#dialled.push(address);
      setImmediate(() => this.#dialled.shift());
    }
    watchUnsent(this);
  }

  // Messages

  get readable(): boolean {
    return this.core.readable;
  }

  get writable(): boolean {
    return this.core.writable;
  }

  send(parts: OutMessage): Promise<void> {
    const { queue } = this;
    if (queue === undefined) return Promise.reject(failure("ENOTSUP", "Operation not supported"));
    if (this.core.options.conflate === true && Array.isArray(parts)) return Promise.reject(failure("EINVAL"));
    try {
      if (queue.sendStraight(parts)) return this.#turn() ?? DONE;
    } catch (error) {
      return Promise.reject(translated(error));
    }
    return queue.send(parts, undefined).catch((error) => {
      throw this.#failed(error, "maySend");
    });
  }

  /** A send through the core's own method. */
  passed(send: () => Promise<void>): Promise<void> {
    try {
      return send().catch((error) => {
        throw this.#failed(error, "maySend");
      });
    } catch (error) {
      if (error instanceof TypeError) throw error;
      return Promise.reject(translated(error));
    }
  }

  receive(): Promise<unknown> {
    const { receives } = this;
    if (receives === null) return Promise.reject(failure("ENOTSUP", "Operation not supported"));
    const message = receives.tryReceive();
    if (message !== undefined) return this.#turn()?.then(() => message) ?? Promise.resolve(message);
    return receives.receive().catch((error) => {
      throw this.#failed(error, "mayReceive");
    });
  }

  /** Messages until the socket closes. If the loop is left while a step waits, that step takes no message. */
  iterate(): AsyncIterator<unknown, undefined> {
    const steps = this.receives?.iterate();
    return {
      next: () => this.#step(steps),
      return: () => steps?.return() ?? Promise.resolve({ value: undefined, done: true }),
    };
  }

  #step(steps: Iteration<unknown> | undefined): Promise<IteratorResult<unknown, undefined>> {
    if (this.core.closed) return Promise.resolve({ value: undefined, done: true });
    this.requireOpen();
    if (steps === undefined) return Promise.reject(failure("ENOTSUP", "Operation not supported"));
    return steps.next().then(
      (result) => {
        // A Request waited for a reply without having sent a request: end the wait with libzmq's error when it closes.
        if (result.done && !steps.left && this.#outOfTurn("mayReceive")) throw failure("EFSM");
        return result;
      },
      (error) => {
        throw this.#failed(error, "mayReceive");
      },
    );
  }

  /** After 512 operations that did not wait, the promise of the next turn, so that a loop does not starve other work. */
  #turn(): Promise<void> | undefined {
    if (++this.#operations < OPERATIONS_PER_TURN) return undefined;
    this.#operations = 0;
    return this.core.turns.nextTurn();
  }

  /** The error as in libzmq: closing ends waiting calls as a timeout does, and for a call out of turn both give EFSM. */
  #failed(error: unknown, right: keyof TakesTurns): unknown {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EBADF" && code !== "EAGAIN") return translated(error);
    if (this.#outOfTurn(right)) return failure("EFSM");
    return code === "EBADF" ? failure("EAGAIN") : translated(error);
  }

  #outOfTurn(right: keyof TakesTurns): boolean {
    return (this.core.strategy as Partial<TakesTurns>)[right] === false;
  }

  joinGroups(act: "join" | "leave", groups: unknown[]): void {
    this.requireOptions();
    const socket = this.socket as Partial<Record<typeof act, (...groups: Uint8Array[]) => void>>;
    const method = socket[act];
    if (method === undefined) throw failure("ENOTSUP", "Operation not supported");
    const bytes = groups.map(checkGroup);
    calling(() => method.apply(socket, bytes));
  }

  // The end of the process

  get unsent(): number {
    let count = this.core.endpoints.lingering;
    for (const pipe of this.core.pipes) {
      count += pipe.outboundLength;
    }
    return count;
  }

  get linger(): number {
    return this.core.options.linger;
  }

  get blocky(): boolean {
    return this.core.context.blocky;
  }

  // Events

  get closed(): boolean {
    return this.core.closed;
  }

  watch(tell: (event: Event) => void): () => void {
    return watchCore(this.socket, this.#dialled, tell);
  }
}
