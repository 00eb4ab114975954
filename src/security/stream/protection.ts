/**
 * How a connection is secured, from the socket's options, and the question that a handshake asks the authenticator.
 */
import { hostOf } from "../../base/endpoint.js";
import type { OptionValues } from "../../options/options.js";
import type { Stream } from "../../transport/contract/transport.js";
import { type Question, STATUSES, type Verdict } from "../../wire/zmtp/mechanisms/authentication.js";
import type { Security } from "../../wire/zmtp/mechanisms/security.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import type { AuthenticationRequest, Authenticator } from "../authenticator.js";

/** What a connection's handshake needs. */
export interface Protection {
  readonly security: Security;
  /** null if there is none. A mechanism that must ask then refuses the peer (O9, Q11). */
  readonly authenticator: Authenticator | null;
}

const NONE: Protection = { security: { mechanism: "NULL", ask: false }, authenticator: null };

/** The socket's security, or none for inproc, as in libzmq: both sides are in one process. */
export function protectionOf(options: OptionValues, endpoint: string): Protection {
  if (endpoint.startsWith("inproc://")) return NONE;
  return options;
}

/** RFC 27's request about a peer (Q1). */
export function requestAbout(
  question: Question,
  stream: Stream,
  endpoint: string,
  options: OptionValues,
): Omit<AuthenticationRequest, "metadata"> & Question {
  return {
    ...question,
    domain: options.zapDomain,
    address: addressOf(stream),
    endpoint,
    routingId: options.routingId ?? new Uint8Array(0),
    ...(stream.tls === undefined ? {} : { tls: stream.tls }),
    ...(stream.http === undefined ? {} : { http: stream.http }),
  };
}

/** For tcp the host without the port; for ipc the peer's process and user, if the system tells them (Q6). */
function addressOf(stream: Stream): string {
  const host = hostOf(stream.remoteAddress);
  if (host !== undefined) return host;
  const credentials = stream.peerCredentials?.();
  if (credentials === undefined) return "localhost";
  const { userId, groupId, processId } = credentials;
  return `localhost:${userId}:${groupId}:${processId}`;
}

/** A question that an authenticator has not answered yet. */
export class Inquiry {
  readonly #abort = new AbortController();

  /**
   * Asks at once. The answer always comes asynchronously; after `abort` none comes.
   * @param failed is called if there is no decision. The peer must be refused then
   */
  constructor(
    authenticator: Authenticator,
    request: AuthenticationRequest,
    answered: (verdict: Verdict) => void,
    failed: (error: ProtocolError) => void,
  ) {
    const { signal } = this.#abort;
    const ask = async (): Promise<Verdict> => authenticator.authenticate(request, signal);
    ask().then(
      (verdict) => {
        if (signal.aborted) return;
        if (STATUSES.includes(verdict?.status)) answered(verdict);
        else
          failed(noVerdict(new TypeError(`its answer must have one of the statuses ${STATUSES.join(", ")}`)));
      },
      (cause: unknown) => {
        if (!signal.aborted) failed(noVerdict(cause));
      },
    );
  }

  /** Tells the authenticator that the answer is not needed any more. */
  abort(): void {
    this.#abort.abort();
  }
}

function noVerdict(cause: unknown): ProtocolError {
  if (cause instanceof ProtocolError) return cause; // the error for a malformed reply says what is wrong (Q2)
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ProtocolError("authentication-failed", `the authenticator failed: ${reason}`, {
    rule: "Q12",
    kind: "other",
    cause,
  });
}

/** The error if an authenticator is needed and the socket has none. */
export function nobodyToAsk(): ProtocolError {
  const text =
    "the socket has no authenticator to decide about the peer: set authenticate, or bind a ZAP handler";
  return new ProtocolError("authentication-failed", text, { rule: "O9, Q11", kind: "other" });
}
