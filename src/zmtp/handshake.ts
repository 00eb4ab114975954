/**
 * Greeting and handshake of one connection, sans I/O: octets in, octets out, until both sides know each other. Then
 * the rest of the octets are frames, and not ours.
 */
import { encodeError } from "./command.js";
import { isCompatible } from "./compatibility.js";
import { LONG } from "./frame-flags.js";
import { encodeGreeting, type Greeting, GreetingParser } from "./greeting.js";
import type { Mechanism } from "./mechanisms/mechanism.js";
import { NullMechanism } from "./mechanisms/null.js";
import { getProperty, type Metadata } from "./metadata.js";
import { ProtocolError } from "./protocol-error.js";

/**
 * greeting → mechanism → done
 * greeting, mechanism → failed
 */
type State = "greeting" | "mechanism" | "done" | "failed";

/** What we say of ourselves, and how much we listen to. */
export interface HandshakeConfig {
  /** Such as `PUSH`. */
  readonly socketType: string;
  /** Sent as Identity by REQ, DEALER and ROUTER (C11). */
  readonly routingId?: Uint8Array;
  /** Further properties for READY. */
  readonly metadata?: Iterable<readonly [string, Uint8Array]>;
  /** Octets of one handshake command at most. Default 64 KiB. */
  readonly maxHandshakeBytes?: number;
}

/** What we know of the peer afterwards. */
export interface PeerDescription {
  readonly major: number;
  readonly minor: number;
  readonly socketType: string;
  readonly routingId: Buffer;
  readonly metadata: Metadata;
  /** Whether SUBSCRIBE and CANCEL go as commands: ZMTP 3.1 (A7). */
  readonly commands: boolean;
}

const IDENTIFIED = new Set(["REQ", "DEALER", "ROUTER"]);
const IDENTITY_MAX = 255;
const DEFAULT_MAX_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);

export class Handshake {
  readonly #config: HandshakeConfig;
  readonly #maxBytes: number;
  readonly #mechanism: Mechanism;
  readonly #parser = new GreetingParser();
  #state: State = "greeting";
  #greeting: Greeting | undefined;
  #peer: PeerDescription | undefined;
  /** The frame that is coming in: header first, then as much memory as it announced. */
  #frame = Buffer.alloc(9);
  #filled = 0;
  #frameSize = 0;
  #headerSize = 0;

  constructor(config: HandshakeConfig) {
    this.#config = config;
    this.#maxBytes = config.maxHandshakeBytes ?? DEFAULT_MAX_BYTES;
    const properties: [string, Uint8Array][] = [["Socket-Type", Buffer.from(config.socketType)]];
    if (IDENTIFIED.has(config.socketType)) properties.push(["Identity", config.routingId ?? EMPTY]);
    for (const [name, value] of config.metadata ?? []) properties.push([name, value]);
    this.#mechanism = new NullMechanism(properties);
  }

  get state(): State {
    return this.#state;
  }

  /** Valid when done. */
  get peer(): PeerDescription {
    if (this.#peer === undefined) throw new Error("assertion: the handshake is not done");
    return this.#peer;
  }

  /** Our whole greeting, to be sent at once (A1, A5). */
  start(): Buffer {
    return encodeGreeting(this.#mechanism.name, this.#mechanism.asServer);
  }

  /**
   * Octets from the peer.
   * @returns octets to send; whether we are done; octets that belong to frames already (C24)
   * @throws ProtocolError; its `reply` goes out before closing
   */
  receive(chunk: Uint8Array): { output: Buffer | undefined; done: boolean; leftover: Uint8Array } {
    try {
      return this.#receive(chunk);
    } catch (error) {
      this.#state = "failed";
      throw error;
    }
  }

  #receive(chunk: Uint8Array): { output: Buffer | undefined; done: boolean; leftover: Uint8Array } {
    let rest = chunk;
    let output: Buffer | undefined;
    if (this.#state === "greeting") {
      const { greeting, consumed } = this.#parser.push(rest);
      rest = rest.subarray(consumed);
      if (greeting === undefined) return { output, done: false, leftover: EMPTY };
      this.#acceptGreeting(greeting);
      output = this.#mechanism.start();
    }
    while (this.#state === "mechanism" && rest.length > 0) {
      rest = this.#fill(rest);
      if (this.#headerSize === 0 || this.#filled < this.#frameSize) continue;
      const reply = this.#mechanism.receive(this.#takeFrame());
      if (reply !== undefined) output = output === undefined ? reply : Buffer.concat([output, reply]);
      if (this.#mechanism.done) this.#complete(output);
    }
    return { output, done: this.#state === "done", leftover: rest };
  }

  #acceptGreeting(greeting: Greeting): void {
    const { name } = this.#mechanism;
    if (greeting.mechanism !== name) {
      const theirs = greeting.mechanism.replace(/[^\x20-\x7e]/g, "?");
      throw new ProtocolError(
        "mechanism-mismatch",
        `the peer offers mechanism "${theirs}", we use "${name}"`,
        { rule: "B1, B9" },
      );
    }
    this.#greeting = greeting;
    this.#state = "mechanism";
  }

  /** Takes octets for the frame that is coming in; returns the others. C23: the COMMAND bit is not insisted on. */
  #fill(chunk: Uint8Array): Uint8Array {
    if (this.#headerSize === 0) {
      const need = this.#filled === 0 ? 1 : (this.#frame[0] & LONG) === 0 ? 2 : 9;
      const rest = this.#copy(chunk, need);
      if (this.#filled < need || need === 1) return rest;
      this.#headerSize = need;
      const size = need === 2 ? this.#frame[1] : Number(this.#frame.readBigUInt64BE(1));
      if (size > this.#maxBytes) {
        throw new ProtocolError("handshake-too-large", `a handshake command of ${size} octets`, {
          rule: "C20, E15",
          octets: size,
        });
      }
      this.#frameSize = need + size;
      const frame = Buffer.alloc(this.#frameSize);
      this.#frame.copy(frame, 0, 0, need);
      this.#frame = frame;
      return rest;
    }
    return this.#copy(chunk, this.#frameSize);
  }

  #copy(chunk: Uint8Array, upTo: number): Uint8Array {
    const take = Math.min(upTo - this.#filled, chunk.length);
    this.#frame.set(chunk.subarray(0, take), this.#filled);
    this.#filled += take;
    return chunk.subarray(take);
  }

  #takeFrame(): Buffer {
    const body = this.#frame.subarray(this.#headerSize);
    this.#frame = Buffer.alloc(9);
    this.#filled = 0;
    this.#headerSize = 0;
    this.#frameSize = 0;
    return body;
  }

  /** The mechanism is content: is the peer somebody for us? */
  #complete(output: Buffer | undefined): void {
    const { major, minor } = this.#greeting as Greeting;
    const metadata = this.#mechanism.peerMetadata;
    const announced = getProperty(metadata, "Socket-Type");
    const socketType = announced?.toString("latin1") ?? "";
    // C6: libzmq accepts a READY without Socket-Type, and so do we.
    if (announced !== undefined && !isCompatible(this.#config.socketType, socketType)) {
      const theirs = socketType.replace(/[^\x20-\x7e]/g, "?");
      const text = `${this.#config.socketType} cannot talk to "${theirs}"`;
      throw refuse("incompatible-socket-type", text, "C8, C9", output);
    }
    const routingId = getProperty(metadata, "Identity") ?? EMPTY;
    if (routingId.length > IDENTITY_MAX || (routingId.length > 0 && routingId[0] === 0)) {
      throw refuse(
        "invalid-routing-id",
        "the peer's identity is too long or begins with zero",
        "C13",
        output,
      );
    }
    this.#peer = { major, minor, socketType, routingId, metadata, commands: major > 3 || minor >= 1 };
    this.#state = "done";
  }
}

/** Refuse with an ERROR command (§2 row 7), behind what we had still to say. */
function refuse(
  code: "incompatible-socket-type" | "invalid-routing-id",
  text: string,
  rule: string,
  output: Buffer | undefined,
): ProtocolError {
  const reply = Buffer.concat([output ?? EMPTY, encodeError(text)]);
  return new ProtocolError(code, text, { rule, reply });
}
