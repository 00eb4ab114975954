/**
 * Events without an answer (T31): Pusher to Puller, Publisher to Subscriber. Each is one frame without a topic, as in
 * zerorpc.
 */
import { Buffer, emitWarning } from "../base/platform.js";
import {
  type CloseOptions,
  type PublisherOptions,
  Publisher as PubSocket,
  Pull,
  type PullOptions,
  Push,
  type PushOptions,
  Subscriber as SubSocket,
  type SubscriberOptions,
  ZmqError,
} from "../index.js";
import { type Environment, systemEnvironment } from "./clock.js";
import { RequestContext } from "./service/context.js";
import { methodsOf, type ServedMethod } from "./service/service.js";
import type { CallPeer, EventLimits, Headers, Service } from "./types.js";
import { Codec, sendable } from "./wire/codec.js";
import { checkHeaders, decodeEvent, encodeEvent, IdSource } from "./wire/event.js";

/** Options of a Pusher or Publisher. */
export interface EmitterOptions<S> {
  /** Header keys for every event. */
  readonly headers?: Headers;
  /** See ClientOptions. */
  readonly legacyRaw?: boolean;
  /** Options of the socket. */
  readonly socket?: S;
}

/** Options of a Puller or Subscriber. */
export interface HandlerOptions<S> {
  /** Number of handlers that may run at the same time. While all are busy, nothing is read. Default 1: one after the other. */
  readonly concurrency?: number;
  /** Called with what a handler throws. By default it becomes a process warning. */
  readonly onError?: (error: unknown, method: string) => void;
  /** See EventLimits. */
  readonly limits?: EventLimits;
  /** See ServeOptions. */
  readonly legacyRaw?: boolean;
  /** Options of the socket. */
  readonly socket?: S;
}

/** Options of one `emit`. */
export interface EmitOptions {
  /** Milliseconds to wait for room; -1 waits for ever. Default: that of the socket. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Header keys for this event. */
  readonly headers?: Headers;
}

/** Counters of a Puller or Subscriber. */
export interface HandlerStats {
  /** Events that were given to a handler. */
  handled: number;
  /** Handlers that threw. */
  failed: number;
  /** Events that could not be decoded, or have no handler. */
  dropped: number;
}

function known(options: object, names: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw new TypeError(`there is no option "${name}"`);
  }
}

/** What all four share: they bind, connect and close their socket. */
abstract class OneWay<S extends Push | Pull | PubSocket | SubSocket> {
  /** The socket that carries the events. */
  readonly socket: S;

  protected constructor(socket: S) {
    this.socket = socket;
  }

  /** As Socket.bind: resolves to the actual endpoint. */
  bind(endpoint: string): Promise<string> {
    return this.socket.bind(endpoint);
  }

  /** As Socket.connect. */
  connect(endpoint: string): this {
    this.socket.connect(endpoint);
    return this;
  }

  /** As Socket.close. */
  close(options?: CloseOptions): Promise<void> {
    return this.socket.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

abstract class Emitter<S extends Push | PubSocket> extends OneWay<S> {
  readonly #codec: Codec;
  readonly #ids: IdSource;
  readonly #headers: Headers;

  protected constructor(socket: S, options: EmitterOptions<unknown>, environment: Environment) {
    super(socket);
    const { headers = {}, legacyRaw = false } = options;
    checkHeaders(headers);
    this.#headers = headers;
    this.#codec = new Codec(undefined, legacyRaw);
    this.#ids = new IdSource(environment.randomBytes(16), legacyRaw);
  }

  /**
   * Sends an event. Resolves and rejects as Socket.send.
   * @throws TypeError or RangeError naming the argument that cannot be sent
   */
  emit(name: string, args: readonly unknown[] = [], options: EmitOptions = {}): Promise<void> {
    if (typeof name !== "string") throw new TypeError("name must be a string");
    if (!Array.isArray(args)) throw new TypeError("args must be an array");
    const { headers = {}, ...send } = options;
    checkHeaders(headers);
    const all = sendable({ ...this.#headers, ...headers }, "headers") as Headers;
    const fields = { id: this.#ids, responseTo: null, headers: all, extension: null };
    return this.socket.send(
      encodeEvent(this.#codec, fields, sendable(name, "name") as string, sendable(args, "args")),
      send,
    );
  }
}

/** These sockets do not tell their peers apart. */
const NOBODY: CallPeer = { routingId: Buffer.alloc(0), envelope: [], zwire: false };

abstract class Handler<S extends Pull | SubSocket> extends OneWay<S> {
  readonly #codec: Codec;
  readonly #table: Map<string, ServedMethod>;
  readonly #onError: (error: unknown, method: string) => void;
  /** Counters. */
  readonly stats: HandlerStats = { handled: 0, failed: 0, dropped: 0 };

  protected constructor(socket: S, service: Service, options: HandlerOptions<unknown>) {
    super(socket);
    const { concurrency = 1, onError = warn, limits, legacyRaw = false } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new RangeError(`concurrency must be an integer of at least 1; got ${concurrency}`);
    }
    if (typeof onError !== "function") throw new TypeError("onError must be a function");
    this.#table = methodsOf(service);
    this.#codec = new Codec(limits, legacyRaw);
    this.#onError = onError;
    for (let i = 0; i < concurrency; i++) void this.#work();
  }

  async #work(): Promise<void> {
    for (;;) {
      let frames: Buffer[];
      try {
        frames = await this.socket.receive({ timeout: -1 });
      } catch (error) {
        if (error instanceof ZmqError && error.code === "EBADF") return;
        throw error;
      }
      await this.#handle(frames[frames.length - 1]); // another sender may put a topic in front (§2)
    }
  }

  async #handle(payload: Buffer): Promise<void> {
    const call = this.#parse(payload);
    if (call === null) {
      this.stats.dropped++;
      return;
    }
    const { context, served } = call;
    this.stats.handled++;
    try {
      await served.invoke(context, context.args);
    } catch (error) {
      this.stats.failed++;
      this.#onError(error, context.method);
    }
  }

  #parse(payload: Buffer): { context: RequestContext; served: ServedMethod } | null {
    try {
      const { name, args, header, fault } = decodeEvent(this.#codec, payload);
      const served = typeof name === "string" ? this.#table.get(name) : undefined;
      if (served === undefined || fault !== null || !Array.isArray(args)) return null;
      return { context: new RequestContext(name as string, args, NOBODY, Infinity, header), served };
    } catch {
      return null; // not an event, and there is nobody to answer
    }
  }
}

function warn(error: unknown, method: string): void {
  emitWarning(error instanceof Error ? error : `${method}: ${String(error)}`);
}

const EMITTER_NAMES = ["headers", "legacyRaw", "socket"];
const HANDLER_NAMES = ["concurrency", "onError", "limits", "legacyRaw", "socket"];

/** Sends each event to one Puller, in turn. */
export class Pusher extends Emitter<Push> {
  constructor(options: EmitterOptions<PushOptions> = {}, environment: Environment = systemEnvironment) {
    known(options, EMITTER_NAMES);
    super(new Push(options.socket), options, environment);
  }
}

/** Calls a service's methods for the events of Pushers. */
export class Puller extends Handler<Pull> {
  constructor(service: Service, options: HandlerOptions<PullOptions> = {}) {
    known(options, HANDLER_NAMES);
    super(new Pull(options.socket), service, options);
  }
}

/** Sends each event to every Subscriber that is connected. */
export class Publisher extends Emitter<PubSocket> {
  constructor(options: EmitterOptions<PublisherOptions> = {}, environment: Environment = systemEnvironment) {
    known(options, EMITTER_NAMES);
    super(new PubSocket(options.socket), options, environment);
  }
}

/** Calls a service's methods for the events of Publishers. */
export class Subscriber extends Handler<SubSocket> {
  constructor(service: Service, options: HandlerOptions<SubscriberOptions> = {}) {
    known(options, HANDLER_NAMES);
    const socket = new SubSocket(options.socket);
    socket.subscribe();
    super(socket, service, options);
  }
}
