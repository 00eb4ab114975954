/**
 * The client: what a program calls. It encodes requests and gives calls their deadlines; the table of calls does the rest.
 */
import { ZmqError } from "../../index.js";
import { type Environment, systemEnvironment } from "../clock.js";
import { Deadlines } from "../deadlines.js";
import { LostRemote, TimeoutExpired } from "../errors.js";
import { type CheckedClientOptions, checkCallOptions, checkClientOptions } from "../options.js";
import type {
  CallOptions,
  Cancellable,
  ClientOptions,
  ClientRequest,
  ClientStats,
  Headers,
  PendingCall,
  Remote,
  RemoteControl,
  RpcStream,
} from "../types.js";
import { Codec, sendable } from "../wire/codec.js";
import { checkHeaders, type Extension, ExtensionField, encodeEvent, IdSource } from "../wire/event.js";
import { onAbort } from "./aborts.js";
import { Call } from "./call.js";
import { CallTable } from "./call-table.js";
import { introspect, type ServiceDescription } from "./introspect.js";
import { Link } from "./link.js";
import { CallHandle, CallStream } from "./pending.js";
import { makeRemote } from "./remote.js";

/** What a request says about its deadline. */
function extensionOf(timeout: number): Extension {
  return Number.isFinite(timeout) ? { timeout: Math.ceil(timeout) } : {};
}

const NO_OPTIONS: CallOptions = Object.freeze({});
/** For calls without headers, if there is no middleware that could add some. */
const NO_HEADERS: Record<string, unknown> = Object.freeze({});

/** Calls methods of servers. */
export class Client {
  readonly #options: CheckedClientOptions;
  readonly #codec: Codec;
  readonly #deadlines: Deadlines;
  /** For calls with the default timeout. */
  readonly #extension: ExtensionField;
  /** Calls have no headers except those in their own options. */
  readonly #headless: boolean;
  readonly #ids: IdSource;
  readonly #table: CallTable;
  #calls = 0;
  #closing: Promise<void> | null = null;

  /**
   * @param endpoints one endpoint, or those of several servers that offer the same methods: calls go in turn to the
   * servers that are connected
   * @throws TypeError or RangeError for a wrong argument, ZmqError as Socket.connect
   */
  constructor(
    endpoints: string | readonly string[],
    options?: ClientOptions,
    environment: Environment = systemEnvironment,
  ) {
    this.#options = checkClientOptions(options);
    this.#headless = this.#options.middleware.length === 0 && Object.keys(this.#options.headers).length === 0;
    this.#codec = new Codec(this.#options.limits, this.#options.legacyRaw);
    this.#extension = new ExtensionField(this.#codec, extensionOf(this.#options.timeout));
    this.#ids = new IdSource(environment.randomBytes(16), this.#options.legacyRaw);
    this.#deadlines = new Deadlines(environment);
    this.#table = new CallTable(this.#options, this.#codec, environment, this.#ids);
    const list = typeof endpoints === "string" ? [endpoints] : endpoints;
    if (!Array.isArray(list) || list.length === 0) {
      throw new TypeError("endpoints must be a string or a non-empty array of strings");
    }
    try {
      for (const endpoint of list) {
        const resolved = this.#options.middleware.reduce(
          (name, one) => one.resolveEndpoint?.(name) ?? name,
          endpoint,
        );
        this.#table.links.push(
          new Link(resolved, this.#options.bind, this.#options.socket, this.#table, environment),
        );
      }
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  /** The endpoints, with the actual ports if they were bound. */
  get endpoints(): readonly string[] {
    return this.#table.links.map((link) => link.endpoint);
  }

  // Calls

  /**
   * Calls a method by name. Resolves to its value, or to an RpcStream if it streams. Rejects with RemoteError and its
   * subclasses, TimeoutExpired, LostRemote, MalformedAnswer, ZmqError EAGAIN (too many calls wait), or the signal's reason.
   * @throws TypeError or RangeError for a wrong argument, naming it
   */
  call<T = unknown>(
    name: string,
    args?: readonly unknown[],
    options?: CallOptions,
  ): Promise<T> & Cancellable {
    return this.start<T, unknown>(name, args, options);
  }

  /**
   * Calls a method that streams. The request goes out now; the first `next()` rejects as `call` does.
   * @throws TypeError or RangeError for a wrong argument, naming it
   */
  stream<T = unknown>(name: string, args?: readonly unknown[], options?: CallOptions): RpcStream<T> {
    return new CallStream<T>(this.#begin(name, args, options));
  }

  /** Calls a method by name. The result can be awaited or iterated, as what the methods of `api()` return. */
  start<T, I>(name: string, args?: readonly unknown[], options?: CallOptions): PendingCall<T, I> {
    return new CallHandle<T, I>(this.#begin(name, args, options));
  }

  /** An object with the methods of the server. `options` apply to each call. */
  api<Api = unknown>(options?: CallOptions): Remote<Api> & RemoteControl<Client> {
    checkCallOptions(options);
    return makeRemote(this, options) as Remote<Api> & RemoteControl<Client>;
  }

  #begin(name: string, args: readonly unknown[] = [], options: CallOptions = NO_OPTIONS): Call {
    if (typeof name !== "string") throw new TypeError("name must be a string");
    if (!Array.isArray(args)) throw new TypeError("args must be an array");
    if (options !== NO_OPTIONS) checkCallOptions(options);
    const request: ClientRequest = { method: name, args, headers: this.#headers(options.headers) };
    if (this.#options.middleware.length > 0) {
      for (const one of this.#options.middleware) one.clientBeforeRequest?.(request);
      checkHeaders(request.headers);
    }
    try {
      return this.#send(request, options);
    } catch (error) {
      for (const one of this.#options.middleware) one.clientAfterRequest?.(request, undefined, error);
      throw error;
    }
  }

  #send(request: ClientRequest, options: CallOptions): Call {
    const { method: name, args } = request;
    const timeout = options.timeout ?? this.#options.timeout;
    const id = this.#ids.next();
    const extension = timeout === this.#options.timeout ? this.#extension : extensionOf(timeout);
    const headers = request.headers === NO_HEADERS ? null : (sendable(request.headers, "headers") as Headers);
    const payload = encodeEvent(
      this.#codec,
      { id, responseTo: null, headers, extension },
      sendable(name, "name") as string,
      sendable(args, "args"),
    );
    const retries = options.retries ?? (this.#options.idempotent.has(name) ? this.#options.retries : 0);
    const call = new Call(this.#table, { id, payload, request, retries });
    this.#calls++;
    this.#admit(call, timeout, options.signal);
    return call;
  }

  #headers(own: Headers | undefined): Record<string, unknown> {
    if (own === undefined && this.#headless) return NO_HEADERS;
    const headers: Record<string, unknown> = { ...this.#options.headers };
    for (const one of this.#options.middleware) Object.assign(headers, one.getTaskContext?.());
    return Object.assign(headers, own);
  }

  #admit(call: Call, timeout: number, signal: AbortSignal | undefined): void {
    const refused = this.#refusal(call, signal);
    if (refused !== null) {
      call.fail(refused.reason, false);
      return;
    }
    if (signal !== undefined) {
      call.cleanup = onAbort(signal, () => call.fail(signal.reason, true));
    }
    if (Number.isFinite(timeout)) {
      call.deadline = this.#deadlines.after(timeout, () =>
        call.fail(new TimeoutExpired(call.method, timeout, !call.isUnsent), true),
      );
    }
    this.#table.add(call);
  }

  /** Why a call may not even wait, or null. */
  #refusal(call: Call, signal: AbortSignal | undefined): { reason: unknown } | null {
    if (signal?.aborted) return { reason: signal.reason };
    if (this.#closing !== null) return { reason: closed(call) };
    const { waiting } = this.#table;
    if (waiting < this.#options.queueLimit) return null;
    return {
      reason: new ZmqError("EAGAIN", { detail: `${waiting} calls are waiting already (queueLimit)` }),
    };
  }

  // The client itself

  /** Counters, and depths now. */
  get stats(): ClientStats {
    const { all, streams } = this.#table.open;
    return {
      waiting: this.#table.waiting,
      inFlight: all - streams,
      streams,
      servers: this.#table.links.filter((link) => link.isUp).length,
      calls: this.#calls,
      ...this.#table.counts,
      faults: this.#table.faults,
    };
  }

  /**
   * Resolves when a server is connected; with `all`, when there is one at each endpoint. Rejects with EAGAIN on timeout,
   * and with the reason of the signal on abort.
   */
  async connected(options: { timeout?: number; signal?: AbortSignal; all?: boolean } = {}): Promise<void> {
    const { all, ...wait } = options;
    const waits = this.#table.links.map((link) => link.connected(wait));
    if (all === true) {
      await Promise.all(waits);
      return;
    }
    await Promise.any(waits).catch((error: AggregateError) => {
      throw error.errors[0];
    });
  }

  /** Calls `_zerorpc_ping`. Resolves to the name of the server. */
  async ping(options?: CallOptions): Promise<string> {
    const answer = await this.call<unknown>("_zerorpc_ping", [], options);
    return Array.isArray(answer) ? String(answer[1]) : String(answer);
  }

  /** Calls `_zerorpc_list`. Resolves to the names of the methods. */
  list(options?: CallOptions): Promise<string[]> {
    return this.call<string[]>("_zerorpc_list", [], options);
  }

  /** Calls `_zerorpc_help`. Resolves to the documentation of a method, or null. */
  help(method: string, options?: CallOptions): Promise<string | null> {
    return this.call<string | null>("_zerorpc_help", [method], options);
  }

  /** Resolves to all methods with their parameters and documentation, or as much of it as the server can tell. */
  inspect(options?: CallOptions): Promise<ServiceDescription> {
    return introspect((name, args) => this.call(name, args, options));
  }

  /** Closes the client. Calls under way reject with LostRemote, and zwire servers are told. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#table.close(closed);
    this.#deadlines.close();
    await Promise.all(this.#table.links.map((link) => link.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function closed(call: Call): LostRemote {
  return new LostRemote(`${call.method}: the client was closed`, call.method);
}
