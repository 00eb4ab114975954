/**
 * How a connection is secured, taken from the socket's options, and the one question that a handshake may ask of an
 * authenticator. Knows no mechanism.
 */
import type { OptionValues } from "../../options/options.js";
import type { Stream } from "../../transport/contract/transport.js";
import { type Question, STATUSES, type Verdict } from "../../wire/zmtp/mechanisms/authentication.js";
import type { Security } from "../../wire/zmtp/mechanisms/security.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import type { AuthenticationRequest, Authenticator } from "../authenticator.js";

/** What decides about a connection's handshake. */
export interface Protection {
  readonly security: Security;
  /** null where nobody decides: whoever has to be asked about is refused then (O9, Q11). */
  readonly authenticator: Authenticator | null;
}

const NONE: Protection = { security: { mechanism: "NULL", ask: false }, authenticator: null };

/** inproc has no security, as in libzmq: both sides are one process. */
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
  };
}

/** The host alone for tcp; for ipc who the peer is, where the system tells (Q6). */
function addressOf(stream: Stream): string {
  const { remoteAddress } = stream;
  if (remoteAddress.startsWith("tcp://")) {
    return remoteAddress
      .slice("tcp://".length)
      .replace(/:\d+$/, "")
      .replace(/^\[(.*)\]$/, "$1");
  }
  const credentials = stream.peerCredentials?.();
  if (credentials === undefined) return "localhost";
  const { userId, groupId, processId } = credentials;
  return `localhost:${userId}:${groupId}:${processId}`;
}

/** A question that is on its way. */
export class Inquiry {
  readonly #abort = new AbortController();

  /**
   * Asks at once; an answer comes later, and none after `abort`.
   * @param failed nobody could decide: the peer is refused (fail closed)
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
        else failed(noVerdict(new TypeError("its answer is no verdict")));
      },
      (cause: unknown) => {
        if (!signal.aborted) failed(noVerdict(cause));
      },
    );
  }

  /** The answer is not wanted any more. */
  abort(): void {
    this.#abort.abort();
  }
}

function noVerdict(cause: unknown): ProtocolError {
  if (cause instanceof ProtocolError) return cause; // a malformed reply says itself what is wrong with it (Q2)
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ProtocolError("authentication-failed", `the authenticator failed: ${reason}`, {
    rule: "Q12",
    kind: "other",
    cause,
  });
}

/** Somebody has to be asked, and there is nobody. */
export function nobodyToAsk(): ProtocolError {
  const text = "nobody decides about peers: the socket has no authenticator";
  return new ProtocolError("authentication-failed", text, { rule: "O9, Q11", kind: "other" });
}
