/**
 * The greeting (RFC 37 §Formal Grammar, section A of the conformance list): 64 octets each way. A peer older than
 * ZMTP 3.0 is refused as early as its octets show it. Knows nothing of what the mechanisms say afterwards.
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

/**
 * Our greeting (A6).
 * @param mechanism at most 20 octets of ASCII; a longer name is our own mistake
 */
export function encodeGreeting(mechanism: string, asServer: boolean): Buffer {
  if (mechanism.length > MECHANISM_SIZE) throw new RangeError(`mechanism name too long: ${mechanism}`);
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
    // Only NULs at the end are padding: all 20 octets count when names are compared (B1).
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

  /** Padding and filler are never looked at (A3, A24). The count in an error is how many octets gave it away. */
  #check(): void {
    const octets = this.#octets;
    const length = this.#length;
    if (length >= 1 && octets[0] !== 0xff) {
      throw new ProtocolError("not-zmtp", "the peer speaks ZMTP 1.0 or no ZMTP at all", {
        rule: "A12, A22",
        octets: 1,
      });
    }
    if (length >= 10 && (octets[9] & 1) === 0) {
      throw new ProtocolError("version-too-old", "the peer speaks ZMTP 1.0", {
        rule: "A13, A22",
        octets: 10,
      });
    }
    // Revision 0 is what libzmq 2 says, 1 is ZMTP 2.0, and 2 is nothing real: closed as older than 3.0, rather than
    // taken for 3.1 as libzmq does (§2 row 12). Anything from 3 on talks 3 with us (A8).
    const revision = octets[MAJOR_AT];
    if (length > MAJOR_AT && revision < MAJOR) {
      const text = `the peer speaks a ZMTP older than 3.0 (revision ${revision})`;
      throw new ProtocolError("version-too-old", text, {
        rule: `${["A11", "A10", "A9"][revision]}, A22`,
        octets: 11,
      });
    }
  }
}
