/**
 * Who decides about peers that want in, whatever the mechanism.
 */
import type { Buffer } from "../base/platform.js";
import type { Question, Verdict } from "../wire/zmtp/mechanisms/authentication.js";

/** A question with what the connection adds to it (RFC 27 §Message Format). */
export type AuthenticationRequest = Question & {
  /** The socket's zapDomain; may be empty (Q13). */
  readonly domain: string;
  /** Address of the peer: the host alone for tcp; for ipc `host:uid:gid:pid` where the platform tells (Q6). */
  readonly address: string;
  /** Our endpoint that it connected to. */
  readonly endpoint: string;
  /** Our own routing id, as libzmq sends it (Q4). */
  readonly routingId: Uint8Array;
  /**
   * What the peer says about itself (RFC 37 §Connection Metadata), including its `X-…` properties: claims, not facts. Empty
   * under NULL and PLAIN, where it arrives after the decision.
   */
  readonly metadata: ReadonlyMap<string, Buffer>;
};

/** Asked once for each connection that a server must decide about. */
export interface Authenticator {
  /**
   * @param signal aborted when the connection is gone and the answer is no longer wanted
   * @returns the decision. A rejection closes the connection; the event shows its error
   */
  authenticate(request: AuthenticationRequest, signal: AbortSignal): Promise<Verdict>;
}
