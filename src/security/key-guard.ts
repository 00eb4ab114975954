/**
 * The CURVE keys that a socket, or a context, turns away, whatever an authenticator says. It is asked when a handshake
 * ends, in the same turn in which the connection becomes a peer, so that no key slips through between the decision of
 * the authenticator and a revocation.
 */
import { Buffer } from "../base/platform.js";
import { type CurveKey, parseKey } from "./crypto/keys.js";

export type { CurveKey };

/** Whether a public key (32 bytes) may be used now. */
export type KeyCheck = (publicKey: Uint8Array) => boolean;

export class KeyGuard {
  /** Keys as text of one character for each byte. */
  readonly #revoked = new Set<string>();
  readonly #checks = new Set<KeyCheck>();

  /** Turns a key away from now on. @throws TypeError, RangeError for what is no key */
  revoke(publicKey: CurveKey): void {
    this.#revoked.add(textOf(parseKey("publicKey", publicKey)));
  }

  /** Undoes revoke(). @returns whether the key was revoked @throws as revoke */
  allow(publicKey: CurveKey): boolean {
    return this.#revoked.delete(textOf(parseKey("publicKey", publicKey)));
  }

  /** Asks a function, too, such as a directory of keys. @returns a function that undoes this */
  add(check: KeyCheck): () => void {
    this.#checks.add(check);
    return () => void this.#checks.delete(check);
  }

  /** Whether nothing is known against the key. */
  passes(publicKey: Uint8Array): boolean {
    if (this.#revoked.size > 0 && this.#revoked.has(textOf(publicKey))) return false;
    for (const check of this.#checks) if (!check(publicKey)) return false;
    return true;
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key).toString("latin1");
}
