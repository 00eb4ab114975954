/**
 * Checks the options of clients, servers and calls, and fills in their defaults.
 */
import type { DealerOptions, RouterOptions } from "../index.js";
import type { CallOptions, ClientOptions, EventLimits, Headers, Middleware, ServeOptions } from "./types.js";
import { checkHeaders } from "./wire/event.js";

/** Options of a client, complete. */
export interface CheckedClientOptions {
  readonly timeout: number;
  readonly headers: Headers;
  readonly idempotent: ReadonlySet<string>;
  readonly retries: number;
  readonly bind: boolean;
  readonly heartbeat: number;
  readonly lostAfter: number;
  readonly window: number;
  readonly queueLimit: number;
  readonly middleware: readonly Middleware[];
  readonly limits: EventLimits | undefined;
  readonly legacyRaw: boolean;
  readonly socket: DealerOptions | undefined;
}

/** Options of a server, complete. */
export interface CheckedServeOptions {
  readonly name: string;
  readonly connect: boolean;
  readonly concurrency: number;
  readonly queueLimit: number;
  readonly maxWaitingBytes: number;
  readonly maxClientCalls: number;
  readonly maxUnsentBytes: number;
  readonly middleware: readonly Middleware[];
  readonly tracebacks: boolean;
  readonly abandonAfter: number;
  readonly limits: EventLimits | undefined;
  readonly legacyRaw: boolean;
  readonly socket: RouterOptions | undefined;
}

const CLIENT_NAMES = [
  "timeout",
  "headers",
  "idempotent",
  "retries",
  "bind",
  "heartbeat",
  "lostAfter",
  "window",
  "queueLimit",
  "middleware",
  "limits",
  "legacyRaw",
  "socket",
];
const SERVE_NAMES = [
  "name",
  "connect",
  "concurrency",
  "queueLimit",
  "maxWaitingBytes",
  "maxClientCalls",
  "maxUnsentBytes",
  "middleware",
  "tracebacks",
  "abandonAfter",
  "limits",
  "legacyRaw",
  "socket",
];
const CALL_NAMES = ["timeout", "signal", "headers", "retries"];
const NOT_OURS = [
  "immediate",
  "conflate",
  "probeRouter",
  "mandatory",
  "helloMessage",
  "disconnectMessage",
  "hiccupMessage",
  "routerNotify",
];

function known(options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw new TypeError(`there is no option "${name}"`);
  }
}

/**
 * A number of milliseconds that may be Infinity.
 * @throws TypeError or RangeError naming the option
 */
export function duration(name: string, value: unknown, least: number): number {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number of milliseconds`);
  if (!(value >= least))
    throw new RangeError(`${name} must be at least ${least} ms, or Infinity; got ${value}`);
  return value;
}

function count(name: string, value: unknown, least: number, infinite = false): number {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number`);
  if (!(Number.isInteger(value) || (infinite && value === Infinity)) || value < least) {
    throw new RangeError(`${name} must be an integer of at least ${least}; got ${value}`);
  }
  return value;
}

function flag(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError(`${name} must be true or false`);
  return value;
}

function hooks(value: unknown): readonly Middleware[] {
  if (!Array.isArray(value) || value.some((one) => typeof one !== "object" || one === null)) {
    throw new TypeError("middleware must be an array of objects");
  }
  return value;
}

function limits(value: EventLimits | undefined): EventLimits | undefined {
  if (value === undefined) return undefined;
  known(value, ["depth", "items"]);
  if (value.depth !== undefined) count("limits.depth", value.depth, 3);
  if (value.items !== undefined) count("limits.items", value.items, 10);
  return value;
}

function socket<T extends object>(value: T | undefined): T | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null)
    throw new TypeError("socket must be an object of socket options");
  for (const name of NOT_OURS) {
    if (name in value) throw new TypeError(`socket.${name} is set by zwire/rpc itself`);
  }
  return value;
}

/** @throws TypeError or RangeError naming the option */
export function checkCallOptions(options: CallOptions | undefined): void {
  if (options === undefined) return;
  known(options, CALL_NAMES);
  const { timeout, signal, headers, retries } = options;
  if (timeout !== undefined) duration("timeout", timeout, 1);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError("signal must be an AbortSignal");
  if (headers !== undefined) checkHeaders(headers);
  if (retries !== undefined) count("retries", retries, 0);
}

/** @throws TypeError or RangeError naming the option */
export function checkClientOptions(options: ClientOptions = {}): CheckedClientOptions {
  known(options, CLIENT_NAMES);
  const { idempotent = [], headers = {} } = options;
  if (!Array.isArray(idempotent)) throw new TypeError("idempotent must be an array of method names");
  checkHeaders(headers);
  return {
    timeout: duration("timeout", options.timeout ?? 30_000, 1),
    headers,
    idempotent: new Set(idempotent),
    retries: count("retries", options.retries ?? 2, 0),
    bind: flag("bind", options.bind ?? false),
    heartbeat: count("heartbeat", options.heartbeat ?? 5000, 0),
    lostAfter: duration("lostAfter", options.lostAfter ?? Infinity, 1),
    window: count("window", options.window ?? 100, 1),
    queueLimit: count("queueLimit", options.queueLimit ?? 65536, 1, true),
    middleware: hooks(options.middleware ?? []),
    limits: limits(options.limits),
    legacyRaw: flag("legacyRaw", options.legacyRaw ?? false),
    socket: socket(options.socket),
  };
}

/** @throws TypeError or RangeError naming the option */
export function checkServeOptions(options: ServeOptions = {}): CheckedServeOptions {
  known(options, SERVE_NAMES);
  const { name = "zwire" } = options;
  if (typeof name !== "string") throw new TypeError("name must be a string");
  return {
    name,
    connect: flag("connect", options.connect ?? false),
    concurrency: count("concurrency", options.concurrency ?? Infinity, 1, true),
    queueLimit: count("queueLimit", options.queueLimit ?? 10_000, 0, true),
    maxWaitingBytes: count("maxWaitingBytes", options.maxWaitingBytes ?? 64 * 1024 * 1024, 0, true),
    maxClientCalls: count("maxClientCalls", options.maxClientCalls ?? 65_536, 1, true),
    maxUnsentBytes: count("maxUnsentBytes", options.maxUnsentBytes ?? 32 * 1024 * 1024, 0, true),
    middleware: hooks(options.middleware ?? []),
    tracebacks: flag("tracebacks", options.tracebacks ?? true),
    abandonAfter: duration("abandonAfter", options.abandonAfter ?? 300_000, 1),
    limits: limits(options.limits),
    legacyRaw: flag("legacyRaw", options.legacyRaw ?? false),
    socket: socket(options.socket),
  };
}
