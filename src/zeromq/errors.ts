/**
 * Errors as zeromq.js throws them: plain Error objects with `errno`, `code` and, about an endpoint, `address`, and its
 * constant texts. What zwire says in more detail is kept as the cause.
 */
import { ZmqError } from "../base/errors.js";

/** libzmq's words where they differ from zwire's. */
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

/** A new error by code; `text` where zeromq.js words it otherwise than the code. */
export function failure(code: string, text?: string): FullError {
  return build(text ?? TEXTS[code], new ZmqError(code), undefined);
}

/**
 * What the core threw, as zeromq.js would have. A TypeError or RangeError of the core about a value is libzmq's EINVAL;
 * what does not come from the core is left alone.
 */
export function translated(error: unknown): unknown {
  if (error instanceof RangeError || error instanceof TypeError) {
    return build(TEXTS.EINVAL, new ZmqError("EINVAL"), error);
  }
  if (!(error instanceof ZmqError)) return error;
  // Not in TEXTS: something that libzmq can do and zwire cannot. Then the reason is the message.
  return build(TEXTS[error.code] ?? error.message, error, error);
}

/** Calls into the core. */
export function calling<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translated(error);
  }
}
