/**
 * What a server asks before it lets a peer in, and what it is told: RFC 27's request and reply as values. Knows neither
 * ZAP's frames nor who answers.
 */
import type { Buffer } from "../../../base/platform.js";

/** What a mechanism knows of a peer that wants in (Q1, Q3). */
export type Question =
  | { readonly mechanism: "NULL" }
  | { readonly mechanism: "PLAIN"; readonly username: string; readonly password: string }
  | { readonly mechanism: "CURVE"; readonly publicKey: Buffer };

/** Status codes of RFC 27: let in, try later, refused, the authenticator failed. */
export type Status = 200 | 300 | 400 | 500;

export const STATUSES: readonly Status[] = [200, 300, 400, 500];

/** An authenticator's decision (Q2). */
export interface Verdict {
  readonly status: Status;
  /** For people; goes into logs, never beyond the status code to the peer. */
  readonly text: string;
  /** Becomes the peer's User-Id; empty for none. Only with 200. */
  readonly userId: string;
  /** Becomes metadata of the peer. Only with 200. */
  readonly metadata: ReadonlyMap<string, Buffer>;
}
