/**
 * Greeting and handshake of one connection, sans I/O: octets in, octets out, until both sides know each other. Then
 * the rest of the octets are frames, and not ours. Knows no sockets and no timers: how long it may take is the
 * session's business (A25).
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
 * | greeting  | 64 octets, same mechanism         | mechanism | the mechanism's first command (C1)     |
 * | greeting  | revision 1, and we are NULL       | legacy    | our socket type and identity (A10)     |
 * | legacy    | socket type and identity          | done      |                                        |
 * | greeting  | any other octets                  | failed    |                                        |
 * | mechanism | mechanism has a question          | mechanism | nothing until it is answered           |
 * | mechanism | mechanism done, peer acceptable   | done      | what the mechanism says                |
 * | mechanism | mechanism done, peer unacceptable | failed    | ERROR (§2 row 7)                       |
 * | mechanism | frame refused                     | failed    |                                        |
 *
 * done and failed take no more octets.
 */
type State = "greeting" | "legacy" | "mechanism" | "done" | "failed";

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
  /** Default: NULL, and nobody is asked. */
  readonly security?: Security;
  /** Needed for CURVE. */
  readonly crypto?: CurveCrypto;
}

/** What we know of the peer afterwards. */
export interface PeerDescription {
  /** Version in its greeting, which may be above ours (A8). */
  readonly major: number;
  readonly minor: number;
  /** Empty when it did not say (C6). */
  readonly socketType: string;
  /** Its Identity; empty when it has none, or is of a type that has none (C11). */
  readonly routingId: Buffer;
  /**
   * All properties of its READY or INITIATE, known or not (C15), and what the authenticator said of it (Q7): that has
   * the last word, and only it says who the User-Id is.
   */
  readonly metadata: Metadata;
  /** Whether SUBSCRIBE and CANCEL go as commands: ZMTP 3.1 (A7). */
  readonly commands: boolean;
  /** It speaks ZMTP 2.0: it may be sent no command at all, and none of its frames is one (A20). */
  readonly legacy: boolean;
}

/** Socket types that have an Identity (C11). */
const IDENTIFIED = new Set(["REQ", "DEALER", "ROUTER"]);
const IDENTITY_MAX = 255;
const DEFAULT_MAX_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);
/** RFC 27: the authenticator's name for the peer, among its metadata. */
const USER_ID = "User-Id";
/**
 * Octets that a peer may send on while an authenticator decides. A peer that keeps to the protocol waits; what was read
 * before reading paused has to be kept.
 */
const HELD_MAX = 1024 * 1024;
const NULL_SECURITY: Security = { mechanism: "NULL", ask: false };

/** What came of some octets, or of an answer. */
export interface Progress {
  /** Octets to send. */
  readonly output: Buffer | undefined;
  readonly done: boolean;
  /** When done: octets that belong to frames already (C24). */
  readonly leftover: Uint8Array;
}

/** Our side of one connection's handshake. */
export class Handshake {
  readonly #config: HandshakeConfig;
  readonly #mechanism: Mechanism;
  readonly #greetingParser = new GreetingParser();
  readonly #frames: FrameReader;
  #legacy: LegacyHelloParser | null = null;
  /** What of our greeting waits for the peer's revision. */
  #rest: Buffer | null = null;
  #state: State = "greeting";
  #greeting: Greeting | undefined;
  #peer: PeerDescription | undefined;
  /** What came while a question was open. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  /** @throws RangeError for metadata that has no encoding, rather than when the peer is there */
  constructor(config: HandshakeConfig) {
    this.#config = config;
    this.#frames = new FrameReader(config.maxHandshakeBytes ?? DEFAULT_MAX_BYTES);
    const properties: [string, Uint8Array][] = [["Socket-Type", Buffer.from(config.socketType)]];
    if (IDENTIFIED.has(config.socketType)) properties.push(["Identity", config.routingId ?? EMPTY]);
    for (const [name, value] of config.metadata ?? []) properties.push([name, value]);
    this.#mechanism = chooseMechanism(config.security ?? NULL_SECURITY, properties, config.crypto);
  }

  /** Where we are. */
  get state(): State {
    return this.#state;
  }

  /** Valid when done. */
  get peer(): PeerDescription {
    if (this.#peer === undefined) throw new Error("assertion: the handshake is not done");
    return this.#peer;
  }

  /** The beginning of our greeting, to be sent at once (A1); the rest follows when the peer has told its revision. */
  start(): Buffer {
    const greeting = encodeGreeting(this.#mechanism.name, this.#mechanism.asServer);
    this.#rest = greeting.subarray(OPENING_SIZE);
    return greeting.subarray(0, OPENING_SIZE);
  }

  /** Set while an authenticator has to decide: pause reading, ask it, and hand its verdict to `answer`. */
  get question(): Question | null {
    return this.#state === "mechanism" ? this.#mechanism.question : null;
  }

  /**
   * What the peer has said of itself so far, in a map of its own. While an authenticator decides: all of it under CURVE,
   * and nothing under NULL and PLAIN, where it comes later. Who the User-Id is, the peer cannot say.
   */
  get announced(): Metadata {
    return withVerdict(this.#mechanism.peerMetadata, null);
  }

  /** How frames are protected from now on; null: as they are. Valid when done, until `destroy`. */
  get cipher(): CipherKeys | null {
    return this.#mechanism.cipher;
  }

  /**
   * Octets from the peer. Not to be called again when done or after an error.
   * @throws ProtocolError; its `reply` goes out before closing
   */
  receive(chunk: Uint8Array): Progress {
    if (this.question === null) return this.#progress(chunk, undefined);
    this.#hold(chunk);
    return { output: undefined, done: false, leftover: EMPTY };
  }

  /**
   * The authenticator has decided about `question`.
   * @throws ProtocolError where it refused; its `reply` goes out before closing
   */
  answer(verdict: Verdict): Progress {
    const held = Buffer.concat(this.#held);
    this.#held = [];
    return this.#progress(held, verdict);
  }

  /** A minute has passed since the beginning (P4). */
  expire(): void {
    this.#mechanism.expire();
  }

  /** The connection is gone: wipe keys, those of the cipher too. Idempotent. */
  destroy(): void {
    this.#mechanism.destroy();
  }

  #hold(chunk: Uint8Array): void {
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > HELD_MAX) {
      this.#state = "failed";
      throw new ProtocolError("handshake-too-large", "the peer does not wait for its authentication", {
        rule: "E4, RFC 27",
        octets: this.#heldBytes,
      });
    }
    this.#held.push(Buffer.from(chunk));
  }

  #progress(chunk: Uint8Array, verdict: Verdict | undefined): Progress {
    if (this.#state === "done" || this.#state === "failed") {
      throw new Error(`assertion: octets for a handshake that is ${this.#state}`);
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
      // What was due before the fault still goes out: how the octets were cut must make no difference.
      if (error instanceof ProtocolError) {
        error.reply = joined(error.reply === undefined ? output : [...output, error.reply]);
      }
      throw error;
    }
  }

  /** A getter, because the state changes behind calls that the compiler cannot see through. */
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

  /** The peer has told its revision: what it understands follows, once. */
  #answerRevision(output: Buffer[]): void {
    const { revision } = this.#greetingParser;
    if (revision === undefined || this.#rest === null) return;
    if (revision !== LEGACY_REVISION) output.push(this.#rest);
    else {
      const { socketType, routingId = EMPTY, security = NULL_SECURITY } = this.#config;
      // A17: nothing older than 3.0 can be secured, nor be asked about.
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
      throw new ProtocolError("incompatible-socket-type", text, { rule: "A18, C8", octets: 1 });
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
      const text = `the peer offers mechanism "${printable(greeting.mechanism)}", we use "${name}"`;
      throw new ProtocolError("mechanism-mismatch", text, { rule: "B1, B9" });
    }
    this.#greeting = greeting;
    this.#state = "mechanism";
  }

  /** The mechanism is content: is the peer somebody for us? */
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

/** The peer's properties and the authenticator's (Q7). Who the peer is, the peer cannot say. */
function withVerdict(said: Metadata, verdict: Verdict | null): Metadata {
  const metadata = new Map<string, Buffer>();
  const decided = new Map(verdict?.metadata);
  if (verdict !== null && verdict.userId !== "") decided.set(USER_ID, Buffer.from(verdict.userId));
  const taken = new Set([USER_ID, ...decided.keys()].map((name) => name.toLowerCase()));
  for (const [name, value] of said) if (!taken.has(name.toLowerCase())) metadata.set(name, value);
  for (const [name, value] of decided) metadata.set(name, value);
  return metadata;
}

/** Octets to send, or undefined for none. */
function joined(pieces: Buffer[]): Buffer | undefined {
  return pieces.length < 2 ? pieces[0] : Buffer.concat(pieces);
}

function say(output: Buffer[], octets: Buffer | undefined): void {
  if (octets !== undefined) output.push(octets);
}

/** Refuse with an ERROR command (§2 row 7). */
function refusal(
  code: "incompatible-socket-type" | "invalid-routing-id",
  text: string,
  rule: string,
): ProtocolError {
  return new ProtocolError(code, text, { rule, reply: encodeError(text) });
}
