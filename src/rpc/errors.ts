/**
 * The errors of calls, as classes that a program can test for. All extend RpcError. Misuse of an argument is a TypeError
 * or RangeError, a socket's trouble a ZmqError. Knows no events and no sockets.
 */

/** What went wrong with a call, in any way. */
export class RpcError extends Error {
  override name = "RpcError";
  /** Method that was called, where it is about one call. */
  readonly method: string | undefined;

  constructor(message: string, method?: string, options?: ErrorOptions) {
    super(message, options);
    this.method = method;
  }
}

/** Details of a RemoteError. */
export interface RemoteErrorDetails {
  /** Method that was called. */
  readonly method?: string;
  /** Stack of the other side, as text. */
  readonly traceback?: string | null;
  /** `error.code` of a zwire server's error. */
  readonly code?: string;
  /** `error.data` of a zwire server's error. */
  readonly data?: unknown;
}

/**
 * The handler of the other side threw. `name` and `message` are those of its error: `ValueError`, `TypeError`.
 * Throwing one in a handler hands all of it on.
 */
export class RemoteError extends RpcError {
  /** Stack of the other side, or null. */
  readonly traceback: string | null;
  /** `error.code` of the other side's error, where that is zwire and it had one. */
  readonly code: string | undefined;
  /** `error.data` of the other side's error, where that is zwire and it had some. */
  readonly data: unknown;

  constructor(name: string, message: string, details: RemoteErrorDetails = {}) {
    super(message, details.method);
    this.name = name;
    this.traceback = details.traceback ?? null;
    this.code = details.code;
    this.data = details.data;
  }
}

/** The server has no such method. */
export class UnknownMethod extends RemoteError {}

/** The server did not run the call: it is closing (`code` "closing") or too many calls wait there (`code` "busy"). */
export class CallRefused extends RemoteError {}

/** The server is gone, or has forgotten the call. Whether it ran is not known. Also: the client was closed. */
export class LostRemote extends RpcError {
  override name = "LostRemote";
}

/** No answer in time. */
export class TimeoutExpired extends RpcError {
  override name = "TimeoutExpired";
  /** Milliseconds that were allowed. */
  readonly timeout: number;
  /** Whether the request had been handed to the socket; if not, the server never sees it. */
  readonly sent: boolean;

  constructor(method: string, timeout: number, sent: boolean) {
    super(
      `no answer to ${method} within ${timeout} ms${sent ? "" : "; it was never sent, because no server was there or none had room"}`,
      method,
    );
    this.timeout = timeout;
    this.sent = sent;
  }
}

/** The other side answered with something that the protocol does not allow. */
export class MalformedAnswer extends RpcError {
  override name = "MalformedAnswer";
}
