/**
 * Who decides about peers that want in. Knows no mechanism and no frames.
 */
import type { Buffer } from "../base/platform.js";
import type { Question, Verdict } from "../wire/zmtp/mechanisms/authentication.js";

/** A question with what the connection adds to it (RFC 27 §Message Format). */
export type AuthenticationRequest = Question & {
  /** The socket's zapDomain; may be empty (Q13). */
  readonly domain: string;
  /** Address of the peer: the host alone for tcp; for ipc `host:uid:gid:pid` where the platform tells (Q6). */
  readonly address: string;
  /** Endpoint of ours by which it came. */
  readonly endpoint: string;
  /** Our own routing id, as libzmq sends it (Q4). */
  readonly routingId: Uint8Array;
  /**
   * What the peer says of itself (RFC 37 §Connection Metadata), its `X-…` properties among it: claims, not facts. Known by
   * now under CURVE only; empty under NULL and PLAIN, where it comes after the decision.
   */
  readonly metadata: ReadonlyMap<string, Buffer>;
};

/** Asked once for each connection that a server-role socket must decide on. */
export interface Authenticator {
  /**
   * @param signal aborted when the connection is gone: the answer is not wanted any more
   * @returns the decision. A rejection closes the connection (fail closed); its error is shown in the event
   */
  authenticate(request: AuthenticationRequest, signal: AbortSignal): Promise<Verdict>;
}
