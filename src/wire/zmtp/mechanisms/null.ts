/**
 * NULL (RFC 37 §The NULL Security Mechanism): both sides send READY, or ERROR, at once (C1). If there is an
 * authenticator, ours waits until it has let the peer in (Q10).
 */
import type { Buffer } from "../../../base/platform.js";
import { encodeCommand } from "../command.js";
import { encodeMetadata, type Metadata, parseMetadata } from "../metadata.js";
import type { Question, Verdict } from "./authentication.js";
import type { Mechanism } from "./mechanism.js";
import { expectCommand, refusedByUs } from "./refusal.js";

/** Our side of NULL. */
export class NullMechanism implements Mechanism {
  readonly name = "NULL";
  readonly asServer = false; // B3
  readonly cipher = null;
  done = false;
  peerMetadata: Metadata = new Map();
  question: Question | null = null;
  verdict: Verdict | null = null;
  readonly #ready: Buffer;
  readonly #ask: boolean;

  /**
   * @param properties what our READY says
   * @param ask whether an authenticator decides about the peer
   * @throws RangeError for a property that cannot be encoded
   */
  constructor(properties: Iterable<readonly [string, Uint8Array]>, ask = false) {
    this.#ready = encodeCommand("READY", encodeMetadata(properties));
    this.#ask = ask;
  }

  start(): Buffer | undefined {
    if (!this.#ask) return this.#ready;
    this.question = { mechanism: "NULL" };
    return undefined;
  }

  receive(body: Buffer): undefined {
    this.peerMetadata = parseMetadata(expectCommand(body, "READY", "C2"));
    this.done = true;
    return undefined;
  }

  answer(verdict: Verdict): Buffer {
    this.question = null;
    if (verdict.status !== 200) throw refusedByUs(verdict);
    this.verdict = verdict;
    return this.#ready;
  }

  expire(): void {
    // NULL has no secrets.
  }

  destroy(): void {
    // NULL has no secrets.
  }
}
