/**
 * The greeting (RFC 37 §Formal Grammar, section A of the conformance list): 64 octets each way. A peer older than
 * ZMTP 3.0 is refused as early as its octets show it.
 */
import { ProtocolError } from "./protocol-error.js";

/** Octets of a greeting. */
export const GREETING_SIZE = 64;
const MECHANISM_AT = 12;
const MECHANISM_SIZE = 20;
const AS_SERVER_AT = 32;
const MAJOR_AT = 10;
const MAJOR = 3;
const MINOR = 1;

/** What a greeting says. */
export interface Greeting {
  readonly major: number;
  readonly minor: number;
  readonly mechanism: string;
  /** Not to be relied on: libzmq always says false (B4). */
  readonly asServer: boolean;
}

/** Our greeting (A6). */
export function encodeGreeting(mechanism: string, asServer: boolean): Buffer {
  const octets = Buffer.alloc(GREETING_SIZE);
  octets[0] = 0xff;
  octets[9] = 0x7f;
  octets[MAJOR_AT] = MAJOR;
  octets[MAJOR_AT + 1] = MINOR;
  octets.write(mechanism, MECHANISM_AT, MECHANISM_SIZE, "latin1");
  octets[AS_SERVER_AT] = asServer ? 1 : 0;
  return octets;
}

/** Collects a peer's greeting, however it is cut (A23). */
export class GreetingParser {
  readonly #octets = Buffer.alloc(GREETING_SIZE);
  #length = 0;

  /**
   * Takes what belongs to the greeting.
   * @throws ProtocolError as soon as the octets show that it is none of ZMTP 3
   */
  push(chunk: Uint8Array): { greeting?: Greeting; consumed: number } {
    const consumed = Math.min(GREETING_SIZE - this.#length, chunk.length);
    this.#octets.set(chunk.subarray(0, consumed), this.#length);
    this.#length += consumed;
    this.#check();
    if (this.#length < GREETING_SIZE) return { consumed };
    const octets = this.#octets;
    const mechanism = octets
      .toString("latin1", MECHANISM_AT, MECHANISM_AT + MECHANISM_SIZE)
      .replace(/\0+$/, "");
    const greeting = {
      major: octets[MAJOR_AT],
      minor: octets[MAJOR_AT + 1],
      mechanism,
      asServer: octets[AS_SERVER_AT] === 1,
    };
    return { greeting, consumed };
  }

  /** Padding and filler are never looked at (A3, A24). */
  #check(): void {
    const octets = this.#octets;
    const length = this.#length;
    if (length >= 1 && octets[0] !== 0xff) {
      throw new ProtocolError("not-zmtp", "the peer speaks ZMTP 1.0 or no ZMTP at all", {
        rule: "A12, A21, A22",
        octets: length,
      });
    }
    if (length >= 10 && (octets[9] & 1) === 0) {
      throw new ProtocolError("version-too-old", "the peer speaks ZMTP 1.0", {
        rule: "A13, A22",
        octets: length,
      });
    }
    // Revisions 0 to 2 are ZMTP 1.0 and 2.0 (A9, A10, A11); anything from 3 on talks 3 with us (A8).
    if (length > MAJOR_AT && octets[MAJOR_AT] < MAJOR) {
      const text = `the peer speaks a ZMTP older than 3.0 (revision ${octets[MAJOR_AT]})`;
      throw new ProtocolError("version-too-old", text, { rule: "A9, A10, A22", octets: length });
    }
  }
}
