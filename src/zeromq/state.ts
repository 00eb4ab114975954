/**
 * What a socket of zeromq.js's surface holds: its core, what is bound and connected, and who has it exclusively. Messages
 * go straight to the core's queues, so that none costs more than it does in zwire.
 */

import { coreOf, type Socket } from "../api/socket.js";
import { parseEndpoint } from "../base/endpoint.js";
import type { OutMessage } from "../base/message.js";
import { setImmediate } from "../base/platform.js";
import { OPERATIONS_PER_TURN } from "../base/waiting.js";
import type { Context as CoreContext } from "../core/context.js";
import type { SocketCore } from "../core/socket-core.js";
import type { SendQueue } from "../engine/send-queue.js";
import type { Iteration, WaitingReceives } from "../engine/waiting-receives.js";
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

/** Makes zwire's socket of a type. */
export type SocketFactory = (options: { context: CoreContext }) => Socket;

const factories = new Map<number, SocketFactory>();

/** Makes a type known by its number. */
export function registerType(type: number, factory: SocketFactory): void {
  factories.set(type, factory);
}

/** @throws Error EINVAL for an unknown type, EMFILE when the context has too many sockets */
export function makeSocket(type: number, context: CoreContext): Socket {
  const factory = factories.get(type);
  if (factory === undefined) throw failure("EINVAL");
  return calling(() => factory({ context }));
}

/** Who has the socket to himself: a call about endpoints that is under way, or a proxy that runs. */
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
  /** Sends with an address, for the types that have one; takes message and options as the application gave them. */
  sendTo: ((message: unknown, options: unknown) => Promise<void>) | null = null;
  readonly queue: SendQueue | undefined;
  readonly receives: WaitingReceives<unknown> | null;
  #holder: Holder = null;
  #closeWanted = false;
  /** Connected in this turn: who observes from now on is told, as by libzmq, which connects in another thread. */
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
    // libzmq's default, where the type or the context has not said 0.
    if (core.options.linger > 0) core.options.linger = -1;
    core.asLibzmq = true;
    // libzmq keeps what its marks in messages allow.
    Object.assign(core.options, {
      sendHighWaterMarkBytes: 0,
      receiveHighWaterMarkBytes: 0,
      maxQueuedBytes: 0,
      heartbeatInterval: 0, // and sends PINGs where the program asks for them
      messageTimeout: 0,
      maxConnections: 0,
      maxHandshakes: 0,
    });
    Object.assign(core.options, UPSTREAM_TOPICS);
    core.warnsLate = false; // ours do, by zeromq.js's rule
    core.unref();
    core.turns.onWait = hold;
  }

  /**
   * Sets constructor fields that are options of zwire's own, and takes them out: no number reaches them, and zeromq.js's
   * sockets have no such properties. @throws TypeError or RangeError as zwire's socket does
   */
  takeOwnOptions(socket: object, fields: Record<string, unknown>): void {
    const names = Object.keys(fields).filter((name) => !(name in socket) && this.core.hasOption(name));
    for (const name of names) {
      if (fields[name] !== undefined) this.core.setOption(name as OptionName, fields[name]);
      delete fields[name];
    }
  }

  // Who may do what now

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

  /** For options, which libzmq refuses with another error. */
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

  /** Others may use the socket again; a close() that came meanwhile is done now. */
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

  /** The core learns what has been set about security. @throws Error EINVAL for what cannot work */
  #secure(address: string): void {
    if (address.startsWith("inproc:")) return; // has no security
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

  /** unbindSync() and disconnect(): it cannot fail any more when it returns, only take time to flush. */
  endNow(address: string): void {
    void calling(() => this.#end(address));
  }

  /**
   * Ends whatever has the name, bound or connected, however often, as libzmq does for unbind and disconnect alike; of a
   * name of inproc only the bound one where there is one. Resolves when it is flushed. @throws ZmqError ENOENT, EINVAL
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
    calling(() => this.socket.connect(address)); // which knows of a name for the peer
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
    if (this.core.options.conflate && Array.isArray(parts)) return Promise.reject(failure("EINVAL"));
    try {
      if (queue.sendStraight(parts)) return this.#turn() ?? DONE;
    } catch (error) {
      return Promise.reject(translated(error));
    }
    return queue.send(parts, undefined).catch((error) => {
      throw this.#failed(error, "maySend");
    });
  }

  /** A send by the core's own method. */
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

  /** Messages until the socket closes; a step that waits when the iteration is left takes no message. */
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
        // A close that finds a Request waiting for the reply to nothing ends the wait as libzmq does.
        if (result.done && !steps.left && this.#outOfTurn("mayReceive")) throw failure("EFSM");
        return result;
      },
      (error) => {
        throw this.#failed(error, "mayReceive");
      },
    );
  }

  /** Once in 512 operations that did not wait, the next turn of the event loop, so that no loop of them starves others. */
  #turn(): Promise<void> | undefined {
    if (++this.#operations < OPERATIONS_PER_TURN) return undefined;
    this.#operations = 0;
    return this.core.turns.nextTurn();
  }

  /** libzmq's reason: a socket that closes ends what waits as a time-out does, and out of turn both are EFSM. */
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
