/**
 * The errors of calls. All extend RpcError. A wrong argument is a TypeError or RangeError instead, and an error of a
 * socket a ZmqError.
 */

/** A call has failed. */
export class RpcError extends Error {
  override name = "RpcError";
  /** Method that was called; undefined if the error is not about one call. */
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
  /** Stack of the other side. */
  readonly traceback?: string | null;
  /** `error.code` of a zwire server's error. */
  readonly code?: string;
  /** `error.data` of a zwire server's error. */
  readonly data?: unknown;
}

/**
 * The handler of the other side threw. `name` and `message` are those of its error: `ValueError`, `TypeError`.
 * A handler that throws one passes all of it on to its own caller.
 */
export class RemoteError extends RpcError {
  /** Stack of the other side, or null. */
  readonly traceback: string | null;
  /** `error.code` of the other side's error, if that side is zwire and the error had one. */
  readonly code: string | undefined;
  /** `error.data` of the other side's error, if that side is zwire and the error had some. */
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

/** The server did not run the call, because it is closing (`code` "closing") or too many calls wait there (`code` "busy"). */
export class CallRefused extends RemoteError {}

/** The server is gone or has forgotten the call, or the client was closed. The call may have run or not. */
export class LostRemote extends RpcError {
  override name = "LostRemote";
}

/** No answer came in time. */
export class TimeoutExpired extends RpcError {
  override name = "TimeoutExpired";
  /** The timeout in milliseconds. */
  readonly timeout: number;
  /** Whether the request was handed to the socket. If not, the server will never see it. */
  readonly sent: boolean;

  constructor(method: string, timeout: number, sent: boolean) {
    super(
      `no answer to ${method} within ${timeout} ms${sent ? "" : "; the call was never sent, because no server was there or none had room"}`,
      method,
    );
    this.timeout = timeout;
    this.sent = sent;
  }
}

/** The other side gave an answer that the protocol does not allow. */
export class MalformedAnswer extends RpcError {
  override name = "MalformedAnswer";
}
