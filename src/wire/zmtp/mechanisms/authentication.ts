/**
 * What a server asks before it lets a peer in, and the answer: request and reply of RFC 27 as values, not as frames.
 */
import type { Buffer } from "../../../base/platform.js";

/** What a mechanism knows about a peer that wants in (Q1, Q3). */
export type Question =
  | { readonly mechanism: "NULL" }
  | { readonly mechanism: "PLAIN"; readonly username: string; readonly password: string }
  | { readonly mechanism: "CURVE"; readonly publicKey: Buffer };

/** Status codes of RFC 27: let in, try again later, refused, the authenticator failed. */
export type Status = 200 | 300 | 400 | 500;

export const STATUSES: readonly Status[] = [200, 300, 400, 500];

/** An authenticator's decision (Q2). */
export interface Verdict {
  readonly status: Status;
  /** For logs; the peer is told the status only. */
  readonly text: string;
  /** Becomes the peer's User-Id; empty for none. Only with 200. */
  readonly userId: string;
  /** Becomes part of the peer's metadata. Only with 200. */
  readonly metadata: ReadonlyMap<string, Buffer>;
}
