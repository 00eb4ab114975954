/**
 * Errors that an application sees: one class with a constant `code` and the messages of zeromq.js. A wrong argument
 * throws a TypeError or RangeError instead, and a fault of a peer is reported as an event.
 */
import { errnoNumbers, type SystemError } from "./platform.js";

/** First number of libzmq's own errno range (ZMQ_HAUSNUMERO). */
const HAUSNUMERO = 156384712;
/** Those that only libzmq has. */
const OWN_NUMBERS: Readonly<Record<string, number>> = {
  EFSM: HAUSNUMERO + 51,
  ENOCOMPATPROTO: HAUSNUMERO + 52,
};

const TEXTS: Record<string, string> = {
  EAGAIN: "Operation was not possible or timed out",
  EBADF: "Socket is closed",
  ENOENT: "No such endpoint",
  EFAULT: "Bad address",
  EFSM: "Operation cannot be accomplished in current state",
  EHOSTUNREACH: "Host unreachable",
  EINVAL: "Invalid argument",
  EPROTONOSUPPORT: "Protocol not supported",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Address not available",
  EBUSY: "Socket is busy",
  EMFILE: "Too many open files",
  ENODEV: "No such device",
  ENAMETOOLONG: "File name too long",
  ENOTSUP: "Operation not supported",
  ETIMEDOUT: "Operation timed out",
  ECONNREFUSED: "Connection refused",
  EACCES: "Permission denied",
  EPROTO: "Protocol error",
  ECONNRESET: "Connection reset by peer",
  ENETUNREACH: "Network unreachable",
  EAFNOSUPPORT: "Address family not supported",
  EMSGSIZE: "Message too long",
  ENOCOMPATPROTO: "The protocol is not compatible with the socket type",
};

/** Details of a ZmqError. */
export interface ZmqErrorDetails {
  /** Endpoint that the error is about. */
  readonly address?: string;
  /** The error that caused this one. */
  readonly cause?: unknown;
  /** Added to the standard text. */
  readonly detail?: string;
}

/** An operation failed. */
export class ZmqError extends Error {
  override readonly name = "ZmqError";
  /** Constant name, such as `EAGAIN`. */
  readonly code: string;
  /** The platform's number for the code, or libzmq's own. */
  readonly errno: number;
  /** Endpoint that the error is about, if any. */
  declare readonly address?: string;

  constructor(code: string, details: ZmqErrorDetails = {}) {
    const text = TEXTS[code] ?? code;
    super(details.detail === undefined ? text : `${text}: ${details.detail}`, { cause: details.cause });
    if (details.cause === undefined) delete this.cause;
    this.code = code;
    this.errno = OWN_NUMBERS[code] ?? errnoNumbers[code] ?? 0;
    if (details.address !== undefined) this.address = details.address;
  }
}

/** Wraps an error of the operating system about an endpoint. */
export function endpointError(error: SystemError, address: string): ZmqError {
  if (error instanceof ZmqError) {
    return error.address === undefined
      ? new ZmqError(error.code, {
          address,
          cause: error.cause,
          detail: error.message.split(": ").slice(1).join(": ") || undefined,
        })
      : error;
  }
  return new ZmqError(error.code ?? "EINVAL", { address, cause: error });
}

/** Memory given to send() is gone: the error with which a connection ends, or over inproc a message is dropped. */
export function memoryGone(): ZmqError {
  return new ZmqError("EFAULT", {
    detail:
      "a buffer given to send() was transferred or resized before it was on the wire or read; its message is dropped",
  });
}
