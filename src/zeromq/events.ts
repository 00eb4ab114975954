/**
 * Turns the core's events into those of zeromq.js: always about an endpoint of the socket, and in libzmq's order. Inproc
 * and udp endpoints emit none.
 */
import type { Socket as Core } from "../api/socket.js";
import { ZmqError } from "../base/errors.js";
import { type Event as CoreEvent, EVENT_TYPES } from "../base/events.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { type ErrnoError, failure, translated } from "./errors.js";

/** An authenticator refused the peer. */
export interface AuthError extends Error {
  status: 300 | 400 | 500;
}

/** The other side broke the protocol. */
export interface ProtoError extends Error {
  code:
    | "ERR_ZMTP_UNSPECIFIED"
    | "ERR_ZMTP_UNEXPECTED_COMMAND"
    | "ERR_ZMTP_INVALID_SEQUENCE"
    | "ERR_ZMTP_KEY_EXCHANGE"
    | "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"
    | "ERR_ZMTP_MALFORMED_COMMAND_MESSAGE"
    | "ERR_ZMTP_MALFORMED_COMMAND_HELLO"
    | "ERR_ZMTP_MALFORMED_COMMAND_INITIATE"
    | "ERR_ZMTP_MALFORMED_COMMAND_ERROR"
    | "ERR_ZMTP_MALFORMED_COMMAND_READY"
    | "ERR_ZMTP_MALFORMED_COMMAND_WELCOME"
    | "ERR_ZMTP_INVALID_METADATA"
    | "ERR_ZMTP_CRYPTOGRAPHIC"
    | "ERR_ZMTP_MECHANISM_MISMATCH"
    | "ERR_ZAP_UNSPECIFIED"
    | "ERR_ZAP_MALFORMED_REPLY"
    | "ERR_ZAP_BAD_REQUEST_ID"
    | "ERR_ZAP_BAD_VERSION"
    | "ERR_ZAP_INVALID_STATUS_CODE"
    | "ERR_ZAP_INVALID_METADATA";
}

interface At {
  /** Endpoint bound or connected. */
  address: string;
}
interface Failed<E = ErrnoError> extends At {
  error: E;
}

/** The fields of each event. */
interface Fields {
  accept: At;
  "accept:error": Failed;
  bind: At;
  "bind:error": Failed;
  connect: At;
  "connect:delay": At;
  /** The next attempt follows after `interval` ms. */
  "connect:retry": At & { interval: number };
  close: At;
  "close:error": Failed;
  disconnect: At;
  end: object;
  handshake: At;
  "handshake:error:protocol": Failed<ProtoError>;
  "handshake:error:auth": Failed<AuthError>;
  "handshake:error:other": Failed;
  unknown: object;
}

/** Name of an event. */
export type EventType = keyof Fields;
/** An event of a certain name. */
export type EventOfType<E extends EventType = EventType> = { [T in E]: { type: T } & Fields[T] }[E];
/** What happened to a socket's connections. */
export type Event = EventOfType;

/** A source of events with named listeners. */
export interface EventSubscriber {
  on<E extends EventType>(type: E, listener: (data: EventOfType<E>) => void): EventSubscriber;
  off<E extends EventType>(type: E, listener: (data: EventOfType<E>) => void): EventSubscriber;
}

/**
 * Passes on the core's events in the form of zeromq.js, until the returned function is called.
 * @param dialled endpoints whose first attempt the core has already reported
 */
export function watchCore(core: Core, dialled: readonly string[], tell: (event: Event) => void): () => void {
  const translation = new Translation(core, tell);
  for (const endpoint of dialled) {
    translation.take({ type: "connect:delay", address: endpoint, endpoint });
  }
  const listener = (event: CoreEvent): void => translation.take(event);
  for (const type of EVENT_TYPES) core.on(type, listener as never);
  return () => {
    for (const type of EVENT_TYPES) core.off(type, listener as never);
  };
}

class Translation {
  readonly #core: Core;
  readonly #tell: (event: Event) => void;
  /** Endpoints with an attempt under way: if it fails, libzmq emits "close" for the attempt's socket. */
  readonly #trying = new Set<string>();
  /** Endpoints that connect. libzmq emits nothing when the socket's own close() ends them. */
  readonly #dialled = new Set<string>();

  constructor(core: Core, tell: (event: Event) => void) {
    this.#core = core;
    this.#tell = tell;
  }

  take(event: CoreEvent): void {
    if (event.type === "end") {
      this.#tell({ type: "end" });
      return;
    }
    const address = event.endpoint;
    if (/^(inproc|udp):/.test(address)) return;
    switch (event.type) {
      case "connect:delay":
        this.#trying.add(address);
        this.#dialled.add(address);
        if (!address.startsWith("ipc:")) this.#tell({ type: "connect:delay", address });
        break;
      case "connect:retry":
        if (this.#trying.delete(address)) this.#tell({ type: "close", address });
        this.#tell({ type: "connect:retry", address, interval: event.interval });
        break;
      case "close":
        if (!(this.#core.closed && this.#dialled.has(address))) this.#tell({ type: "close", address });
        break;
      case "bind:error":
        // libzmq gives the address without the scheme here.
        this.#tell({
          type: event.type,
          address: address.slice(address.indexOf("://") + 3),
          error: errnoError(event.error),
        });
        break;
      case "connect":
        this.#trying.delete(address);
        this.#tell({ type: "connect", address });
        break;
      case "limit": {
        // Not an event type of zeromq.js: see observer.ts.
        const { type, limit, action, value } = event;
        this.#tell({ type, address, limit, action, value } as unknown as Event);
        break;
      }
      case "memory": // nothing that zeromq.js knows
      case "drop":
      case "handshake:error:tls":
        break;
      case "accept":
      case "bind":
      case "disconnect":
      case "handshake":
        this.#tell({ type: event.type, address });
        break;
      case "handshake:error:protocol":
        this.#tell({ type: event.type, address, error: protocolFault(event.error) });
        // The core emits nothing more for a connection without a complete handshake; libzmq always ends with "disconnect".
        if (event.peer === undefined) this.#tell({ type: "disconnect", address });
        break;
      case "handshake:error:auth":
        this.#tell({ type: event.type, address, error: refusal(event.error) });
        this.#tell({ type: "disconnect", address });
        break;
      case "handshake:error:other":
        this.#tell({ type: event.type, address, error: errnoError(event.error) });
        this.#tell({ type: "disconnect", address });
        break;
      default:
        this.#tell({ type: event.type, address, error: errnoError(event.error) });
    }
  }
}

function errnoError(error: Error): ErrnoError {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof ZmqError) return translated(error) as ErrnoError;
  if (error instanceof ProtocolError && error.code === "authentication-failed") {
    return Object.assign(failure("EFAULT", error.message), { cause: error });
  }
  // A connection was lost in the middle of its handshake.
  const made = failure("EPIPE", code === undefined ? "Broken pipe" : error.message);
  made.cause = error;
  return code === undefined ? made : Object.assign(made, { code, errno: new ZmqError(code).errno });
}

/** The names that zeromq.js has for libzmq's numbers. */
const FAULTS: ReadonlyMap<number, ProtoError["code"]> = new Map([
  [0x10000001, "ERR_ZMTP_UNEXPECTED_COMMAND"],
  [0x10000002, "ERR_ZMTP_INVALID_SEQUENCE"],
  [0x10000003, "ERR_ZMTP_KEY_EXCHANGE"],
  [0x10000012, "ERR_ZMTP_MALFORMED_COMMAND_MESSAGE"],
  [0x10000013, "ERR_ZMTP_MALFORMED_COMMAND_HELLO"],
  [0x10000014, "ERR_ZMTP_MALFORMED_COMMAND_INITIATE"],
  [0x10000015, "ERR_ZMTP_MALFORMED_COMMAND_ERROR"],
  [0x10000016, "ERR_ZMTP_MALFORMED_COMMAND_READY"],
  [0x10000017, "ERR_ZMTP_MALFORMED_COMMAND_WELCOME"],
  [0x10000018, "ERR_ZMTP_INVALID_METADATA"],
  [0x11000001, "ERR_ZMTP_CRYPTOGRAPHIC"],
  [0x11000002, "ERR_ZMTP_MECHANISM_MISMATCH"],
  [0x20000001, "ERR_ZAP_MALFORMED_REPLY"],
  [0x20000002, "ERR_ZAP_BAD_REQUEST_ID"],
  [0x20000003, "ERR_ZAP_BAD_VERSION"],
  [0x20000004, "ERR_ZAP_INVALID_STATUS_CODE"],
  [0x20000005, "ERR_ZAP_INVALID_METADATA"],
]);

function protocolFault(cause: Error): ProtoError {
  const number = cause instanceof ProtocolError ? cause.zmqCode : 0;
  const code = FAULTS.get(number) ?? "ERR_ZMTP_UNSPECIFIED";
  const text = code.startsWith("ERR_ZAP") ? "ZAP protocol error" : "ZMTP protocol error";
  return Object.assign(new Error(text, { cause }), { code }) as ProtoError;
}

const REFUSALS = { 300: "Temporary error", 400: "Authentication failure", 500: "Internal error" } as const;

function refusal(cause: Error): AuthError {
  const number = cause instanceof ProtocolError ? cause.zmqCode : 0;
  const status = (number in REFUSALS ? number : 400) as AuthError["status"];
  return Object.assign(new Error(REFUSALS[status], { cause }), { status });
}
