/**
 * ZMTP 2.0 (RFC 15), as JeroMQ up to 0.3 and NetMQ up to 4.0.0 speak it: behind signature and revision each side says
 * its socket type in one octet and its identity in one frame. Frames follow as in ZMTP 3, but no commands: there are no
 * mechanisms, properties or heartbeats, and subscriptions are messages (A10, A20). Knows no I/O.
 */
import { Buffer } from "../../base/platform.js";
import { ProtocolError } from "./protocol-error.js";

/** Socket types by their octet; libzmq also says the last two, for which RFC 15 has the octets of PUB and SUB (A19). */
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

/** What a peer says of itself. */
export interface LegacyHello {
  readonly socketType: string;
  readonly routingId: Buffer;
}

/** Whether a socket type is one that ZMTP 2.0 knows. */
export function isLegacyType(socketType: string): boolean {
  return Object.hasOwn(CODES, socketType);
}

/** What we say behind the revision. @param routingId at most 255 octets */
export function encodeLegacyHello(socketType: string, routingId: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([CODES[socketType], 0, routingId.length]), routingId]);
}

/** Octets before the identity: socket type, flags and length of its frame. */
const HEAD_SIZE = 3;
const IDENTITY_MAX = 255;

/** Collects what the peer says, however it is cut. */
export class LegacyHelloParser {
  readonly #octets = Buffer.alloc(HEAD_SIZE + IDENTITY_MAX);
  #length = 0;

  /** @throws ProtocolError for an unknown socket type, and for what is no identity */
  push(chunk: Uint8Array): { hello?: LegacyHello; consumed: number } {
    let consumed = this.#take(chunk, HEAD_SIZE);
    this.#check();
    if (this.#length < HEAD_SIZE) return { consumed };
    const size = HEAD_SIZE + this.#octets[2];
    consumed += this.#take(chunk.subarray(consumed), size);
    if (this.#length < size) return { consumed };
    const routingId = Buffer.from(this.#octets.subarray(HEAD_SIZE, size));
    return { hello: { socketType: TYPES[this.#octets[0]], routingId }, consumed };
  }

  /** Takes octets until there are `size`; how many these were. */
  #take(chunk: Uint8Array, size: number): number {
    const count = Math.min(Math.max(0, size - this.#length), chunk.length);
    this.#octets.set(chunk.subarray(0, count), this.#length);
    this.#length += count;
    return count;
  }

  #check(): void {
    const [type, flags] = this.#octets;
    if (this.#length >= 1 && type >= TYPES.length) {
      const text = `the peer speaks ZMTP 2.0 and has no socket type that we know (${type})`;
      throw new ProtocolError("incompatible-socket-type", text, { rule: "A18, RFC 15", octets: 1 });
    }
    if (this.#length >= 2 && flags !== 0) {
      const text = "the peer speaks ZMTP 2.0 and sends no identity";
      throw new ProtocolError("invalid-routing-id", text, { rule: "A10, RFC 15", octets: 2 });
    }
  }
}
