/**
 * The interface of what decides whether a peer may connect, for every mechanism.
 */
import type { HttpRequest } from "../base/http.js";
import type { Buffer } from "../base/platform.js";
import type { TlsPeer } from "../base/tls.js";
import type { Question, Verdict } from "../wire/zmtp/mechanisms/authentication.js";

/** What a mechanism asks about a peer, with what is known about its connection (RFC 27 §Message Format). */
export type AuthenticationRequest = Question & {
  /** The socket's `zapDomain`; may be empty (Q13). */
  readonly domain: string;
  /**
   * The peer's address: the host without a port for tcp; `localhost:uid:gid:pid` for ipc if the system tells, or else
   * `localhost` (Q6).
   */
  readonly address: string;
  /** The endpoint of ours that the peer connected to. */
  readonly endpoint: string;
  /** Our own routing id, as libzmq sends it (Q4). */
  readonly routingId: Uint8Array;
  /**
   * What the peer says about itself (RFC 37 §Connection Metadata), including its `X-…` properties. These are claims,
   * not facts. Empty with NULL and PLAIN, whose peers send it after the decision.
   */
  readonly metadata: ReadonlyMap<string, Buffer>;
  /** The TLS connection that the peer came over, with its certificate; absent for other transports. */
  readonly tls?: TlsPeer;
  /** The request with which the peer asked for its WebSocket; absent for other transports. All of it are claims. */
  readonly http?: HttpRequest;
};

/** Asked once for each connection that a server must decide about. */
export interface Authenticator {
  /**
   * @param signal aborted when the connection is gone and the answer is no longer wanted
   * @returns the decision. If it rejects, the connection is closed, and the event has its error
   */
  authenticate(request: AuthenticationRequest, signal: AbortSignal): Promise<Verdict>;
}
