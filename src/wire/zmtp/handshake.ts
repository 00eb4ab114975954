/**
 * Greeting and handshake of one connection, without I/O: bytes in, bytes out, until both sides know each other. The bytes
 * after that are frames, which the engine decodes. The session limits how long it may take (A25).
 */
import { Buffer } from "../../base/platform.js";
import { encodeError } from "./command.js";
import { isCompatible } from "./compatibility.js";
import { FrameReader } from "./frame-reader.js";
import {
  encodeGreeting,
  type Greeting,
  GreetingParser,
  LEGACY_REVISION,
  OPENING_SIZE,
  tooOld,
} from "./greeting.js";
import { encodeLegacyHello, isLegacyType, type LegacyHello, LegacyHelloParser } from "./legacy.js";
import type { Question, Verdict } from "./mechanisms/authentication.js";
import { chooseMechanism } from "./mechanisms/choose.js";
import type { CipherKeys, CurveCrypto, Mechanism } from "./mechanisms/mechanism.js";
import type { Security } from "./mechanisms/security.js";
import { getProperty, type Metadata } from "./metadata.js";
import { ProtocolError, printable } from "./protocol-error.js";

/**
 * | state     | event                             | next      | sends                                  |
 * |-----------|-----------------------------------|-----------|----------------------------------------|
 * | greeting  | revision 3 or above               | greeting  | the rest of our greeting (A4)          |
 * | greeting  | 64 bytes, same mechanism          | mechanism | the mechanism's first command (C1)     |
 * | greeting  | revision 1, and we are NULL       | legacy    | our socket type and identity (A10)     |
 * | legacy    | socket type and identity          | done      |                                        |
 * | greeting  | any other bytes                   | failed    |                                        |
 * | mechanism | mechanism has a question          | mechanism | nothing until it is answered           |
 * | mechanism | mechanism done, peer acceptable   | done      | what the mechanism says                |
 * | mechanism | mechanism done, peer unacceptable | failed    | ERROR (C9)                             |
 * | mechanism | frame refused                     | failed    |                                        |
 *
 * done and failed take no more bytes.
 */
type State = "greeting" | "legacy" | "mechanism" | "done" | "failed";

/** What we say about ourselves, and how much a peer may say. */
export interface HandshakeConfig {
  /** Such as `PUSH`. */
  readonly socketType: string;
  /** Sent as Identity by REQ, DEALER and ROUTER (C11). */
  readonly routingId?: Uint8Array;
  /** Further properties for READY. */
  readonly metadata?: Iterable<readonly [string, Uint8Array]>;
  /** Most bytes of one handshake command. Default 64 KiB. */
  readonly maxHandshakeBytes?: number;
  /** Default: NULL, without asking anybody. */
  readonly security?: Security;
  /** Needed for CURVE. */
  readonly crypto?: CurveCrypto;
}

/** What we know about the peer after the handshake. */
export interface PeerDescription {
  /** The version in its greeting, which may be higher than ours (A8). */
  readonly major: number;
  readonly minor: number;
  /** Empty if the peer did not say (C6). */
  readonly socketType: string;
  /** Its Identity; empty if it has none, or its type has none (C11). */
  readonly routingId: Buffer;
  /**
   * All properties of its READY or INITIATE, known or not (C15), and what the authenticator said about it (Q7). The
   * authenticator's win, and only the authenticator can set the User-Id.
   */
  readonly metadata: Metadata;
  /** Whether SUBSCRIBE and CANCEL go as commands: ZMTP 3.1 (A7). */
  readonly commands: boolean;
  /** It speaks ZMTP 2.0: we send it no commands, and none of its frames is one (A20). */
  readonly legacy: boolean;
}

/** Socket types that have an Identity (C11). */
const IDENTIFIED = new Set(["REQ", "DEALER", "ROUTER"]);
const IDENTITY_MAX = 255;
const DEFAULT_MAX_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);
/** The property that holds the authenticator's name for the peer (RFC 27). */
const USER_ID = "User-Id";
/**
 * Most bytes that a peer may send while an authenticator decides. A peer that follows the protocol waits, but what was
 * read before reading paused has to be kept.
 */
const HELD_MAX = 1024 * 1024;
const NULL_SECURITY: Security = { mechanism: "NULL", ask: false };

/** The result of some bytes, or of an answer. */
export interface Progress {
  /** Bytes to send. */
  readonly output: Buffer | undefined;
  readonly done: boolean;
  /** When done: bytes that already belong to frames (C24). */
  readonly leftover: Uint8Array;
}

/** Our side of the handshake of one connection. */
export class Handshake {
  readonly #config: HandshakeConfig;
  readonly #mechanism: Mechanism;
  readonly #greetingParser = new GreetingParser();
  readonly #frames: FrameReader;
  #legacy: LegacyHelloParser | null = null;
  /** The part of our greeting that waits for the peer's revision. */
  #rest: Buffer | null = null;
  #state: State = "greeting";
  #greeting: Greeting | undefined;
  #peer: PeerDescription | undefined;
  /** Bytes that arrived while a question was open. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  /** @throws RangeError for metadata that cannot be encoded: now, rather than when a peer is there */
  constructor(config: HandshakeConfig) {
    this.#config = config;
    this.#frames = new FrameReader(config.maxHandshakeBytes ?? DEFAULT_MAX_BYTES);
    const properties: [string, Uint8Array][] = [["Socket-Type", Buffer.from(config.socketType)]];
    if (IDENTIFIED.has(config.socketType)) properties.push(["Identity", config.routingId ?? EMPTY]);
    for (const [name, value] of config.metadata ?? []) properties.push([name, value]);
    this.#mechanism = chooseMechanism(config.security ?? NULL_SECURITY, properties, config.crypto);
  }

  /** The state now. */
  get state(): State {
    return this.#state;
  }

  /** The peer. Valid when done. */
  get peer(): PeerDescription {
    if (this.#peer === undefined) throw new Error("assertion: the handshake is not done");
    return this.#peer;
  }

  /** The beginning of our greeting, to send at once (A1). The rest follows when the peer has sent its revision. */
  start(): Buffer {
    const greeting = encodeGreeting(this.#mechanism.name, this.#mechanism.asServer);
    this.#rest = greeting.subarray(OPENING_SIZE);
    return greeting.subarray(0, OPENING_SIZE);
  }

  /** Set while an authenticator has to decide: pause reading, ask it, and pass its verdict to `answer`. */
  get question(): Question | null {
    return this.#state === "mechanism" ? this.#mechanism.question : null;
  }

  /**
   * What the peer has said about itself so far, as a new map. While an authenticator decides, that is all of it under
   * CURVE, and nothing under NULL and PLAIN, where it comes later. The peer cannot set its User-Id.
   */
  get announced(): Metadata {
    return withVerdict(this.#mechanism.peerMetadata, null);
  }

  /** How frames are protected from now on; null: not at all. Valid when done, until `destroy`. */
  get cipher(): CipherKeys | null {
    return this.#mechanism.cipher;
  }

  /**
   * Takes bytes from the peer. Do not call it again when done or after an error.
   * @throws ProtocolError; its `reply` goes out before closing
   */
  receive(chunk: Uint8Array): Progress {
    if (this.question === null) return this.#progress(chunk, undefined);
    this.#hold(chunk);
    return { output: undefined, done: false, leftover: EMPTY };
  }

  /**
   * The authenticator has decided about `question`.
   * @throws ProtocolError if it refused; its `reply` goes out before closing
   */
  answer(verdict: Verdict): Progress {
    const held = Buffer.concat(this.#held);
    this.#held = [];
    return this.#progress(held, verdict);
  }

  /** A minute has passed since the handshake began (P4). */
  expire(): void {
    this.#mechanism.expire();
  }

  /** The connection is gone: wipes keys, also those of the cipher. Idempotent. */
  destroy(): void {
    this.#mechanism.destroy();
  }

  #hold(chunk: Uint8Array): void {
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > HELD_MAX) {
      this.#state = "failed";
      throw new ProtocolError(
        "handshake-too-large",
        "the peer sends too much before its authentication has ended",
        {
          rule: "E4, RFC 27",
          size: this.#heldBytes,
        },
      );
    }
    this.#held.push(Buffer.from(chunk));
  }

  #progress(chunk: Uint8Array, verdict: Verdict | undefined): Progress {
    if (this.#state === "done" || this.#state === "failed") {
      throw new Error(`assertion: bytes for a handshake that is ${this.#state}`);
    }
    const output: Buffer[] = [];
    try {
      if (verdict !== undefined) {
        say(output, this.#mechanism.answer(verdict));
        if (this.#mechanism.done) this.#complete();
      }
      const leftover = this.#advance(chunk, output);
      return { output: joined(output), done: this.#isDone, leftover };
    } catch (error) {
      this.#state = "failed";
      // What was due before the fault still goes out: the result must not depend on how the bytes were cut.
      if (error instanceof ProtocolError) {
        error.reply = joined(error.reply === undefined ? output : [...output, error.reply]);
      }
      throw error;
    }
  }

  /** A getter, because calls change the state in ways that the compiler does not see. */
  get #isDone(): boolean {
    return this.#state === "done";
  }

  #advance(chunk: Uint8Array, output: Buffer[]): Uint8Array {
    let rest = chunk;
    if (this.#state === "greeting") {
      const { greeting, consumed } = this.#greetingParser.push(rest);
      rest = rest.subarray(consumed);
      this.#answerRevision(output);
      if (this.#legacy !== null) return this.#advanceLegacy(this.#legacy, rest);
      if (greeting === undefined) return EMPTY;
      this.#acceptGreeting(greeting);
      say(output, this.#mechanism.start());
    } else if (this.#legacy !== null) return this.#advanceLegacy(this.#legacy, rest);
    while (!this.#isDone && rest.length > 0) {
      if (this.#mechanism.question !== null) {
        this.#hold(rest);
        return EMPTY;
      }
      const next = this.#frames.push(rest);
      rest = next.rest;
      if (next.body === undefined) break;
      say(output, this.#mechanism.receive(next.body));
      if (this.#mechanism.done) this.#complete();
    }
    return rest;
  }

  /** Once the peer has sent its revision, sends what that version understands. */
  #answerRevision(output: Buffer[]): void {
    const { revision } = this.#greetingParser;
    if (revision === undefined || this.#rest === null) return;
    if (revision !== LEGACY_REVISION) output.push(this.#rest);
    else {
      const { socketType, routingId = EMPTY, security = NULL_SECURITY } = this.#config;
      // A17: a version before 3.0 has no security, and nothing to ask an authenticator about.
      if (security.mechanism !== "NULL" || security.ask || !isLegacyType(socketType)) throw tooOld(revision);
      output.push(encodeLegacyHello(socketType, IDENTIFIED.has(socketType) ? routingId : EMPTY));
      this.#legacy = new LegacyHelloParser();
      this.#state = "legacy";
    }
    this.#rest = null;
  }

  #advanceLegacy(parser: LegacyHelloParser, chunk: Uint8Array): Uint8Array {
    const { hello, consumed } = parser.push(chunk);
    if (hello !== undefined) this.#completeLegacy(hello);
    return chunk.subarray(consumed);
  }

  #completeLegacy({ socketType, routingId }: LegacyHello): void {
    if (!isCompatible(this.#config.socketType, socketType)) {
      const text = `${this.#config.socketType} cannot talk to "${socketType}"`;
      throw new ProtocolError("incompatible-socket-type", text, { rule: "A18, C8", size: 1 });
    }
    this.#peer = {
      major: 2,
      minor: 0,
      socketType,
      routingId: IDENTIFIED.has(socketType) ? routingId : EMPTY,
      metadata: new Map(),
      commands: false,
      legacy: true,
    };
    this.#state = "done";
  }

  #acceptGreeting(greeting: Greeting): void {
    const { name } = this.#mechanism;
    if (greeting.mechanism !== name) {
      const text = `the peer has mechanism "${printable(greeting.mechanism)}", but this socket has "${name}"`;
      throw new ProtocolError("mechanism-mismatch", text, { rule: "B1, B9" });
    }
    this.#greeting = greeting;
    this.#state = "mechanism";
  }

  /** The mechanism is done. Checks whether the peer fits. */
  #complete(): void {
    const { major, minor } = this.#greeting as Greeting;
    const said = this.#mechanism.peerMetadata;
    const metadata = withVerdict(said, this.#mechanism.verdict);
    const announced = getProperty(said, "Socket-Type");
    const socketType = announced?.toString("latin1") ?? "";
    // C6: libzmq accepts a READY without Socket-Type, and so do we.
    if (announced !== undefined && !isCompatible(this.#config.socketType, socketType)) {
      const text = `${this.#config.socketType} cannot talk to "${printable(socketType)}"`;
      throw refusal("incompatible-socket-type", text, "C8, C9");
    }
    // C11: the Identity of a type that has none is ignored.
    const identified = announced === undefined || IDENTIFIED.has(socketType);
    const routingId = (identified && getProperty(said, "Identity")) || EMPTY;
    if (routingId.length > IDENTITY_MAX) {
      throw refusal("invalid-routing-id", "the peer's identity is too long", "C13");
    }
    const commands = major > 3 || minor >= 1;
    this.#peer = { major, minor, socketType, routingId, metadata, commands, legacy: false };
    this.#state = "done";
  }
}

/** The peer's properties and the authenticator's (Q7). The peer cannot set its User-Id. */
function withVerdict(said: Metadata, verdict: Verdict | null): Metadata {
  const metadata = new Map<string, Buffer>();
  const decided = new Map(verdict?.metadata);
  if (verdict !== null && verdict.userId !== "") decided.set(USER_ID, Buffer.from(verdict.userId));
  const taken = new Set([USER_ID, ...decided.keys()].map((name) => name.toLowerCase()));
  for (const [name, value] of said) if (!taken.has(name.toLowerCase())) metadata.set(name, value);
  for (const [name, value] of decided) metadata.set(name, value);
  return metadata;
}

/** Bytes to send, or undefined for none. */
function joined(pieces: Buffer[]): Buffer | undefined {
  return pieces.length < 2 ? pieces[0] : Buffer.concat(pieces);
}

function say(output: Buffer[], bytes: Buffer | undefined): void {
  if (bytes !== undefined) output.push(bytes);
}

/** Refuses the peer with an ERROR command (C9). */
function refusal(
  code: "incompatible-socket-type" | "invalid-routing-id",
  text: string,
  rule: string,
): ProtocolError {
  return new ProtocolError(code, text, { rule, reply: encodeError(text) });
}
