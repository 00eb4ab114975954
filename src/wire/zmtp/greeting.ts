/**
 * The greeting (RFC 37 §Formal Grammar, section A of docs/conformance.md): 64 bytes each way. The first 11, signature and
 * revision, are the same for ZMTP 2.0, which goes on differently. So ours goes out in two steps, and the peer's revision
 * decides about the second (A4). An older peer is refused as soon as its bytes show that it is one.
 */
import { Buffer } from "../../base/platform.js";
import { ProtocolError } from "./protocol-error.js";

/** Bytes of a greeting. */
export const GREETING_SIZE = 64;
/** Bytes of signature and revision: a peer of ZMTP 2.0 sees from these that we understand it. */
export const OPENING_SIZE = 11;
const MECHANISM_AT = 12;
const MECHANISM_SIZE = 20;
const AS_SERVER_AT = 32;
const MAJOR_AT = 10;
const MAJOR = 3;
const MINOR = 1;
/** The revision of ZMTP 2.0. */
export const LEGACY_REVISION = 1;

/** The content of a greeting. */
export interface Greeting {
  readonly major: number;
  readonly minor: number;
  readonly mechanism: string;
  /** Do not rely on it: libzmq always says false (B4). */
  readonly asServer: boolean;
}

/**
 * Our greeting (A6).
 * @param mechanism at most 20 bytes of ASCII; a longer name is a mistake of ours
 */
export function encodeGreeting(mechanism: string, asServer: boolean): Buffer {
  if (mechanism.length > MECHANISM_SIZE) throw new RangeError(`mechanism name too long: ${mechanism}`);
  const bytes = Buffer.alloc(GREETING_SIZE);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[MAJOR_AT] = MAJOR;
  bytes[MAJOR_AT + 1] = MINOR;
  bytes.write(mechanism, MECHANISM_AT, "latin1");
  bytes[AS_SERVER_AT] = asServer ? 1 : 0;
  return bytes;
}

/** Collects a peer's greeting from pieces of any size (A23). */
export class GreetingParser {
  readonly #bytes = Buffer.alloc(GREETING_SIZE);
  #length = 0;

  /** The first byte of its version, once it is known: 1 for ZMTP 2.0, 3 and more for ours. */
  get revision(): number | undefined {
    return this.#length > MAJOR_AT ? this.#bytes[MAJOR_AT] : undefined;
  }

  /**
   * Takes the bytes that belong to the greeting. For a peer of ZMTP 2.0 these are signature and revision only.
   * @throws ProtocolError as soon as the bytes show that it is neither ZMTP 3 nor 2.0
   */
  push(chunk: Uint8Array): { greeting?: Greeting; consumed: number } {
    const opening = Math.min(Math.max(0, OPENING_SIZE - this.#length), chunk.length);
    this.#take(chunk.subarray(0, opening));
    if (this.revision === LEGACY_REVISION) return { consumed: opening };
    const consumed = opening + Math.min(GREETING_SIZE - this.#length, chunk.length - opening);
    this.#take(chunk.subarray(opening, consumed));
    if (this.#length < GREETING_SIZE) return { consumed };
    return { greeting: this.#read(), consumed };
  }

  #take(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    this.#check();
  }

  #read(): Greeting {
    const bytes = this.#bytes;
    // Only NULs at the end are padding: all 20 bytes count when names are compared (B1).
    const mechanism = bytes
      .toString("latin1", MECHANISM_AT, MECHANISM_AT + MECHANISM_SIZE)
      .replace(/\0+$/, "");
    return {
      major: bytes[MAJOR_AT],
      minor: bytes[MAJOR_AT + 1],
      mechanism,
      asServer: bytes[AS_SERVER_AT] === 1,
    };
  }

  /** Ignores padding and filler (A3, A24). The count in an error is how many bytes it took to see the fault. */
  #check(): void {
    const bytes = this.#bytes;
    const length = this.#length;
    if (length >= 1 && bytes[0] !== 0xff) {
      throw new ProtocolError("not-zmtp", "the peer speaks ZMTP 1.0, or does not speak ZMTP", {
        rule: "A12, A22",
        size: 1,
      });
    }
    if (length >= 10 && (bytes[9] & 1) === 0) {
      throw new ProtocolError("version-too-old", "the peer speaks ZMTP 1.0", {
        rule: "A13, A22",
        size: 10,
      });
    }
    // libzmq 2 says 0, ZMTP 2.0 says 1, and no real peer says 2: it is closed as older than 3.0, where libzmq takes it
    // for 3.1 (A9). Every peer from 3 on speaks 3 with us (A8).
    const { revision } = this;
    if (revision !== undefined && revision < MAJOR && revision !== LEGACY_REVISION) throw tooOld(revision);
  }
}

/** The peer speaks a version of ZMTP that is too old here. */
export function tooOld(revision: number): ProtocolError {
  const text = `the peer speaks a ZMTP older than 3.0 (revision ${revision})`;
  const rule = `${["A11", "A10, A17", "A9"][revision]}, A22`;
  return new ProtocolError("version-too-old", text, { rule, size: OPENING_SIZE });
}
