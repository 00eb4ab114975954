/**
 * An authenticator that calls a function of the application. If the function fails in any way, the peer is refused.
 */

import type { EventLoop } from "../base/deadline.js";
import { hiding } from "../base/hiding.js";
import { Buffer } from "../base/platform.js";
import { STATUSES, type Status, type Verdict } from "../wire/zmtp/mechanisms/authentication.js";
import type { AuthenticationRequest, Authenticator } from "./authenticator.js";
import { parseProperties } from "./properties.js";

/**
 * The result of `authenticate`. A string that is not empty lets the peer in and is its User-Id; true lets it in without
 * one. false, null and undefined refuse it with status 400. An object can say more. `userId` (1 to 255 bytes) and
 * `metadata` are allowed with status 200 only.
 */
export type AuthenticationAnswer =
  | string
  | boolean
  | null
  | undefined
  | {
      /** 200 lets in, 300 asks to try again later, 400 refuses, 500 is a failure of the authenticator. */
      readonly status: Status;
      /** The reason, for logs. Default "". */
      readonly text?: string;
      readonly userId?: string;
      readonly metadata?: Readonly<Record<string, string | Uint8Array>> | ReadonlyMap<string, Uint8Array>;
    };

/**
 * Decides about a peer; called once for each connection. If it throws or rejects, the peer is refused.
 * @param signal aborted when the answer is no longer wanted: it is late, or the connection is gone
 */
export type Authenticate = (
  request: AuthenticationRequest,
  signal: AbortSignal,
) => AuthenticationAnswer | Promise<AuthenticationAnswer>;

const NOTHING: ReadonlyMap<string, Buffer> = new Map();
const TEXT_MAX = 255;

/** A Verdict without metadata. */
export function verdict(status: Status, text: string, userId = ""): Verdict {
  return { status, text, userId, metadata: NOTHING };
}

/**
 * Checks what an application's function answered.
 * @throws TypeError, RangeError for a wrong answer; the peer is then refused
 */
export function toVerdict(answer: unknown): Verdict {
  if (answer === true) return verdict(200, "OK");
  if (answer === false || answer === null || answer === undefined) return verdict(400, "refused");
  if (typeof answer === "string") return verdict(200, "OK", userIdOf(answer));
  if (typeof answer !== "object")
    throw new TypeError(
      `authenticate must answer with a string, a boolean, an object, null or undefined; got ${typeof answer}`,
    );
  const { status, text = "", userId, metadata } = answer as Record<string, unknown>;
  if (!STATUSES.includes(status as Status))
    throw new TypeError(
      `authenticate must answer with an object whose status is one of ${STATUSES.join(", ")}`,
    );
  if (typeof text !== "string") throw new TypeError("the text in authenticate's answer must be a string");
  if (status !== 200) {
    if (userId === undefined && metadata === undefined) return verdict(status as Status, text);
    throw new TypeError("authenticate's answer may have userId and metadata with status 200 only");
  }
  return {
    status: 200,
    text,
    userId: userId === undefined ? "" : userIdOf(userId),
    metadata: metadata === undefined ? NOTHING : parseProperties("metadata", metadata, false),
  };
}

function userIdOf(value: unknown): string {
  if (typeof value !== "string" || value === "" || Buffer.byteLength(value) > TEXT_MAX) {
    throw new RangeError(`authenticate's user id must be a string of 1 to ${TEXT_MAX} bytes`);
  }
  return value;
}

/** Asks a function of the application. */
export class CallbackAuthenticator implements Authenticator {
  readonly #authenticate: Authenticate;
  readonly #timeoutMs: number;
  readonly #loop: EventLoop;

  /** @param timeoutMs milliseconds that an answer may take; 0: no limit but that of the connection's handshake */
  constructor(authenticate: Authenticate, timeoutMs: number, loop: EventLoop) {
    this.#authenticate = authenticate;
    this.#timeoutMs = timeoutMs;
    this.#loop = loop;
  }

  authenticate(request: AuthenticationRequest, signal: AbortSignal): Promise<Verdict> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const limit = this.#timeoutMs;
    const wanted = new AbortController();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        deadline?.cancel();
        signal.removeEventListener("abort", gone);
      };
      const giveUp = (reason: unknown): void => {
        end();
        reject(reason);
        wanted.abort(reason);
      };
      const gone = (): void => giveUp(signal.reason);
      const late = (): void => giveUp(new Error(`authenticate gave no answer within ${limit} ms`));
      const deadline = limit === 0 ? undefined : this.#loop.deadline(limit, late).unref();
      signal.addEventListener("abort", gone, { once: true });
      this.#decide(request, wanted.signal).then(resolve, reject).finally(end);
    });
  }

  /** Async, so that an exception of the function becomes a rejection, too. */
  async #decide(request: AuthenticationRequest, signal: AbortSignal): Promise<Verdict> {
    return toVerdict(await this.#authenticate(presented(request), signal));
  }
}

/** The request for the application. Its password is not enumerable, so that logging the request does not show it. */
function presented(request: AuthenticationRequest): AuthenticationRequest {
  if (request.mechanism !== "PLAIN") return Object.freeze({ ...request });
  const { password, ...rest } = request;
  return hiding(rest, { password });
}
