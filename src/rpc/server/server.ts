/**
 * A server's life: puts its parts together, opens its endpoints, and closes.
 */
import { EventEmitter } from "../../base/platform.js";
import type { HttpEndpoint } from "../../index.js";
import { type Environment, systemEnvironment } from "../clock.js";
import { Deadlines } from "../deadlines.js";
import { Faults } from "../faults.js";
import { type CheckedServeOptions, checkServeOptions, duration } from "../options.js";
import { Hooks } from "../service/hooks.js";
import { BuiltIns, methodsOf } from "../service/service.js";
import type { ServeOptions, ServerCloseOptions, ServerEvents, ServerStats, Service } from "../types.js";
import { Codec } from "../wire/codec.js";
import { CANCEL, IdSource } from "../wire/event.js";
import { Admission } from "./admission.js";
import { callOwner } from "./call-owner.js";
import { Channels } from "./channels.js";
import { newCounts } from "./counts.js";
import { Dispatcher } from "./dispatcher.js";
import { Leaving } from "./leaving.js";
import { Limiter } from "./limiter.js";
import { Outbox } from "./outbox.js";
import { Peers } from "./peers.js";
import { Port } from "./port.js";
import type { ServedCall } from "./served-call.js";

/** A running server; made by `serve`. Event: `limit`. */
export class Server extends EventEmitter<ServerEvents> {
  readonly #options: CheckedServeOptions;
  readonly #environment: Environment;
  readonly #deadlines: Deadlines;
  readonly #port: Port;
  readonly #peers = new Peers();
  readonly #channels: Channels;
  readonly #limiter: Limiter;
  readonly #admission: Admission;
  readonly #leaving: Leaving;
  readonly #outbox: Outbox;
  readonly #counts = newCounts();
  readonly #faults = new Faults();
  readonly #endpoints: string[] = [];
  /** Set when closing has begun. */
  #closing: Promise<void> | null = null;

  /** @internal use `serve` */
  constructor(
    service: Service,
    options: ServeOptions | undefined,
    environment: Environment = systemEnvironment,
  ) {
    super();
    this.#options = checkServeOptions(options);
    const { name, limits, legacyRaw, tracebacks, abandonAfter, middleware } = this.#options;
    const { socket, concurrency, queueLimit, maxWaitingBytes, maxClientCalls, maxUnsentBytes } =
      this.#options;
    const table = methodsOf(service);
    const codec = new Codec(limits, legacyRaw);
    const ids = new IdSource(environment.randomBytes(16), legacyRaw);
    const counts = this.#counts;
    this.#environment = environment;
    this.#deadlines = new Deadlines(environment);
    this.#port = new Port(socket, maxUnsentBytes, environment, (connection, value) =>
      this.#admission.exceeded(this.#peers.connection(connection), "maxUnsentBytes", "dropped", value),
    );
    this.#leaving = new Leaving(
      this.#peers,
      (id) => this.#port.isThere(id),
      (resume) => environment.later(resume),
      (call, reason) => this.#giveUp(call, reason),
    );
    this.#outbox = new Outbox(codec, ids, this.#port, counts, () => this.#leaving.sweepSoon());
    this.#channels = new Channels(environment, abandonAfter, (stream) => this.#starved(stream));
    this.#limiter = new Limiter(concurrency, queueLimit, maxWaitingBytes);
    this.#admission = new Admission(
      { environment, deadlines: this.#deadlines, limiter: this.#limiter, counts },
      maxClientCalls,
      (event) => this.emit("limit", event),
    );
    const shared = {
      environment,
      channels: this.#channels,
      admission: this.#admission,
      outbox: this.#outbox,
      counts,
    };
    const owner = callOwner({
      ...shared,
      tracebacks,
      hooks: new Hooks(middleware),
      limiter: this.#limiter,
      port: this.#port,
    });
    const builtIns = new BuiltIns(table, name, (value) => this.#outbox.encoded(value));
    const own = { codec, peers: this.#peers, owner, table, builtIns, faults: this.#faults };
    this.#listen(new Dispatcher({ ...shared, ...own }));
  }

  #listen(dispatcher: Dispatcher): void {
    const { socket } = this.#port;
    socket.on("message", (frames) => dispatcher.received(frames));
    socket.on("limit", (event) => this.emit("limit", event));
    socket.on("disconnect", ({ peer }) => this.#leaving.disconnected(peer.routingId));
  }

  /** @internal */
  async open(endpoints: readonly (string | HttpEndpoint)[]): Promise<void> {
    const { middleware, connect } = this.#options;
    try {
      for (const given of endpoints) {
        if (typeof given !== "string") {
          if (connect) throw new TypeError("a server that connects has endpoints as text");
          this.#endpoints.push(await this.#port.socket.bind(given));
          continue;
        }
        const endpoint = middleware.reduce((name, one) => one.resolveEndpoint?.(name) ?? name, given);
        if (!connect) this.#endpoints.push(await this.#port.socket.bind(endpoint));
        else {
          this.#port.socket.connect(endpoint);
          this.#endpoints.push(endpoint);
        }
      }
    } catch (error) {
      await this.#port.close(0);
      throw error;
    }
  }

  /** The actual endpoints, with the port if one was bound. */
  get endpoints(): readonly string[] {
    return this.#endpoints;
  }

  /** The first endpoint. */
  get endpoint(): string {
    return this.#endpoints[0];
  }

  /** Counters, and depths now. */
  get stats(): ServerStats {
    return {
      waiting: this.#limiter.waiting,
      running: this.#limiter.running,
      streams: this.#channels.streams,
      channels: this.#channels.count,
      peers: this.#peers.active,
      ...this.#counts,
      undelivered: this.#counts.undelivered + this.#port.lost,
      faults: this.#faults.count,
    };
  }

  #giveUp(call: ServedCall, reason: unknown): void {
    this.#counts.cancelled++;
    call.abandon(reason);
  }

  /** The client of a stream accepts nothing and is silent. */
  #starved(stream: ServedCall): void {
    if (stream.from.zwire) this.#outbox.emit(stream, CANCEL, [], null);
    this.#giveUp(stream, new DOMException("The caller accepts nothing and is silent", "AbortError"));
  }

  /**
   * Closes the server. New calls are refused from now on, as are those that wait for a place; running ones may finish
   * within `grace`, and are aborted then. Resolves when the last answer is sent, or `linger` is over.
   */
  close(options: ServerCloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(duration("grace", options.grace ?? 30_000, 0), options.linger);
    return this.#closing;
  }

  async #close(grace: number, linger: number | undefined): Promise<void> {
    this.#admission.close();
    await null; // the handler that closes the server may be the first of many that are about to start
    this.#admission.refuseWaiting();
    if (grace > 0) await this.#finished(grace);
    for (const call of [...this.#peers.calls()]) {
      const { zwire, envelope } = call.from;
      if (zwire && envelope.length > 1) this.#outbox.emit(call, CANCEL, [], null); // a broker would not tell it
      call.abandon(new DOMException("The server is closing", "AbortError"));
    }
    this.#leaving.finish();
    this.#channels.stop();
    this.#deadlines.close();
    await this.#port.close(linger);
  }

  /** Resolves when no handler runs any more, or the time is over. */
  #finished(grace: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = Number.isFinite(grace) ? this.#environment.after(grace, resolve) : null;
      this.#limiter.whenIdle(() => {
        stop?.();
        resolve();
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
