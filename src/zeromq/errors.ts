/**
 * Errors as zeromq.js throws them: plain Error objects with its constant texts, `errno`, `code` and, for an endpoint,
 * `address`. The more detailed error of zwire is kept as the cause.
 */
import { ZmqError } from "../base/errors.js";

/** Texts of libzmq that differ from zwire's. */
const TEXTS: Record<string, string> = {
  EAGAIN: "Operation was not possible or timed out",
  EBADF: "Socket is closed",
  ENOENT: "No such endpoint",
  EFSM: "Operation cannot be accomplished in current state",
  EHOSTUNREACH: "Host unreachable",
  EINVAL: "Invalid argument",
  EPROTONOSUPPORT: "Protocol not supported",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  EMFILE: "Too many open file descriptors",
  ENODEV: "No such device",
  ENAMETOOLONG: "File name too long",
  ENOTSOCK: "Socket operation on non-socket",
  EACCES: "Permission denied",
  ENOCOMPATPROTO: "The protocol is not compatible with the socket type",
};

/** An error of zeromq.js. */
export interface ErrnoError extends Error {
  code: string;
  errno: number;
}

/** An error about an endpoint, or of an operation. */
export interface FullError extends ErrnoError {
  address?: string;
}

function build(message: string, source: ZmqError, cause: unknown): FullError {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  const full = Object.assign(error, { errno: source.errno, code: source.code }) as FullError;
  if (source.address !== undefined) full.address = source.address;
  return full;
}

/** A new error by code. `text` replaces the code's standard text where zeromq.js uses another. */
export function failure(code: string, text?: string): FullError {
  return build(text ?? TEXTS[code], new ZmqError(code), undefined);
}

/**
 * Turns an error of the core into the one of zeromq.js. A TypeError or RangeError of the core about a value becomes EINVAL,
 * as in libzmq. Errors from elsewhere stay as they are.
 */
export function translated(error: unknown): unknown {
  if (error instanceof RangeError || error instanceof TypeError) {
    return build(TEXTS.EINVAL, new ZmqError("EINVAL"), error);
  }
  if (!(error instanceof ZmqError)) return error;
  // A code that is not in TEXTS means that libzmq can do it and zwire cannot. Then use the detailed reason as the message.
  return build(TEXTS[error.code] ?? error.message, error, error);
}

/** Calls into the core and translates its errors. */
export function calling<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translated(error);
  }
}
