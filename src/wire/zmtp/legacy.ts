/**
 * ZMTP 2.0 (RFC 15), as JeroMQ up to 0.3 and NetMQ up to 4.0.0 speak it. After signature and revision, each side sends
 * its socket type in one byte and its identity in one frame. Frames follow as in ZMTP 3, but no commands: there are no
 * mechanisms, properties or heartbeats, and subscriptions are messages (A10, A20).
 */
import { Buffer } from "../../base/platform.js";
import { ProtocolError } from "./protocol-error.js";

/** Socket types by their number. libzmq also sends the last two; RFC 15 uses the numbers of PUB and SUB for them (A19). */
const TYPES = [
  "PAIR",
  "PUB",
  "SUB",
  "REQ",
  "REP",
  "DEALER",
  "ROUTER",
  "PULL",
  "PUSH",
  "XPUB",
  "XSUB",
] as const;
const CODES: Readonly<Record<string, number>> = {
  ...Object.fromEntries(TYPES.map((type, code) => [type, code])),
  XPUB: TYPES.indexOf("PUB"),
  XSUB: TYPES.indexOf("SUB"),
};

/** What a peer says about itself. */
export interface LegacyHello {
  readonly socketType: string;
  readonly routingId: Buffer;
}

/** Whether ZMTP 2.0 has a socket type. */
export function isLegacyType(socketType: string): boolean {
  return Object.hasOwn(CODES, socketType);
}

/** What we send after the revision. @param routingId at most 255 bytes */
export function encodeLegacyHello(socketType: string, routingId: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([CODES[socketType], 0, routingId.length]), routingId]);
}

/** Bytes before the identity: socket type, flags and length of its frame. */
const HEAD_SIZE = 3;
const IDENTITY_MAX = 255;

/** Collects what the peer says, from pieces of any size. */
export class LegacyHelloParser {
  readonly #bytes = Buffer.alloc(HEAD_SIZE + IDENTITY_MAX);
  #length = 0;

  /** @throws ProtocolError for an unknown socket type, or a frame that cannot be an identity */
  push(chunk: Uint8Array): { hello?: LegacyHello; consumed: number } {
    let consumed = this.#take(chunk, HEAD_SIZE);
    this.#check();
    if (this.#length < HEAD_SIZE) return { consumed };
    const size = HEAD_SIZE + this.#bytes[2];
    consumed += this.#take(chunk.subarray(consumed), size);
    if (this.#length < size) return { consumed };
    const routingId = Buffer.from(this.#bytes.subarray(HEAD_SIZE, size));
    return { hello: { socketType: TYPES[this.#bytes[0]], routingId }, consumed };
  }

  /** Takes bytes until there are `size`, and returns how many it took. */
  #take(chunk: Uint8Array, size: number): number {
    const count = Math.min(Math.max(0, size - this.#length), chunk.length);
    this.#bytes.set(chunk.subarray(0, count), this.#length);
    this.#length += count;
    return count;
  }

  #check(): void {
    const [type, flags] = this.#bytes;
    if (this.#length >= 1 && type >= TYPES.length) {
      const text = `the peer speaks ZMTP 2.0 and has an unknown socket type, ${type}`;
      throw new ProtocolError("incompatible-socket-type", text, { rule: "A18, RFC 15", size: 1 });
    }
    if (this.#length >= 2 && flags !== 0) {
      const text = "the peer speaks ZMTP 2.0 and sends no identity";
      throw new ProtocolError("invalid-routing-id", text, { rule: "A10, RFC 15", size: 2 });
    }
  }
}
