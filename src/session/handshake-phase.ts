/**
 * A connection until its handshake is complete: loads the crypto library if CURVE needs it, drives the protocol's
 * handshake, asks an authenticator, and enforces handshakeInterval. Ends with a call of `shaken` or `fail`.
 */

import { AssertionError } from "../base/assert.js";
import type { Deadline } from "../base/deadline.js";
import { rowOf, type Table } from "../base/machine.js";
import { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import type { OptionValues } from "../options/options.js";
import { type Crypto, loadCrypto, loadedCrypto } from "../security/crypto/crypto.js";
import { Inquiry, nobodyToAsk, type Protection, requestAbout } from "../security/stream/protection.js";
import type { Stream } from "../transport/contract/transport.js";
import { Handshake, type Progress } from "../wire/zmtp/handshake.js";
import type { Question, Verdict } from "../wire/zmtp/mechanisms/authentication.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { frameLimits } from "./frame-limits.js";
import type { SessionOwner } from "./owner.js";
import { announce, withoutAnnouncement } from "./sharing.js";

const HANDSHAKE_COMMAND_CEILING = 64 * 1024;
/** A low maxMessageSize must leave room for the commands of PLAIN and CURVE. */
const HANDSHAKE_COMMAND_FLOOR = 4096;
/** Longest life of a CURVE cookie, in milliseconds (P4). */
const COOKIE_LIFE_MS = 60_000;

/** What becomes of a peer whose key the application has revoked. */
const REVOKED: Verdict = { status: 400, text: "its key is revoked", userId: "", metadata: new Map() };

/** What a handshake needs of its session. */
export interface Shaking {
  readonly runtime: Runtime;
  readonly stream: Stream;
  /** Starts reading: bytes go to `receive` of the phase. */
  read(): void;
  sendControl(bytes: Uint8Array): void;
  /**
   * The handshake is complete. `leftover` are bytes that arrived after its last command; `publicKey` is the peer's, under
   * CURVE.
   */
  shaken(handshake: Handshake, leftover: Uint8Array, publicKey: Buffer | undefined): void;
  /** The handshake has failed. */
  fail(error: Error): void;
  /** An assertion of zwire has failed. */
  faulty(error: AssertionError): void;
}

type State = "new" | "loading" | "talking" | "asking" | "over";

interface Events {
  start: undefined;
  loaded: Crypto | undefined;
  ask: Question;
  answer: Verdict;
  stop: undefined;
}

export class HandshakePhase {
  /** The crypto library and a verdict may arrive after the phase is over: both are ignored then. */
  static readonly #table: Table<State, HandshakePhase, Events> = {
    new: {
      start: ["loading", (phase) => phase.#load()],
      stop: ["over"],
    },
    loading: {
      loaded: ["talking", (phase, crypto) => phase.#begin(crypto)],
      stop: ["over", (phase) => phase.#release()],
    },
    talking: {
      ask: ["asking", (phase, question) => phase.#ask(question)],
      stop: ["over", (phase) => phase.#release()],
    },
    asking: {
      answer: ["talking", (phase, verdict) => phase.#answered(verdict)],
      stop: ["over", (phase) => phase.#release()],
    },
    over: { loaded: ["over"], answer: ["over"], stop: ["over"] },
  };

  #state: State = "new";
  readonly #session: Shaking;
  readonly #owner: SessionOwner;
  readonly #options: OptionValues;
  readonly #protection: Protection;
  #handshake: Handshake | null = null;
  #inquiry: Inquiry | null = null;
  /** Under CURVE: the peer's public key, once the peer has proved to have its secret. */
  #peerKey: Buffer | undefined = undefined;
  #timer: Deadline | undefined;
  #cookieTimer: Deadline | undefined;

  constructor(session: Shaking, owner: SessionOwner, options: OptionValues, protection: Protection) {
    this.#session = session;
    this.#owner = owner;
    this.#options = options;
    this.#protection = protection;
  }

  #on<E extends keyof Events>(event: E, argument: Events[E]): void {
    try {
      const [next, act] = rowOf(HandshakePhase.#table, this.#state, event);
      this.#state = next;
      act?.(this, argument);
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      this.#session.faulty(error);
    }
  }

  /** Sends the greeting at once (A1), and starts reading. */
  start(): void {
    this.#on("start", undefined);
  }

  /** The handshake is complete, or the connection has ended. */
  stop(): void {
    this.#on("stop", undefined);
  }

  #load(): void {
    const { loop } = this.#session.runtime;
    const limit = this.#options.handshakeInterval;
    if (limit > 0) {
      this.#timer = loop.deadline(limit, () => {
        const text = `no complete handshake within ${limit} ms (handshakeInterval)`;
        const error = new ProtocolError("handshake-timeout", text, { rule: "A25, S7", kind: "other" });
        this.#session.fail(error);
      });
      this.#timer.unref();
    }
    loop.handshakeMoved();
    const crypto = loadedCrypto();
    if (this.#protection.security.mechanism !== "CURVE" || crypto !== undefined) this.#on("loaded", crypto);
    else {
      loadCrypto().then(
        (loaded) => this.#on("loaded", loaded),
        (error: Error) => this.#session.fail(error),
      );
    }
  }

  #begin(crypto: Crypto | undefined): void {
    const { security } = this.#protection;
    const floor = security.mechanism === "NULL" ? 0 : HANDSHAKE_COMMAND_FLOOR;
    const ceiling = Math.max(floor, frameLimits(this.#options, false).maxFrameBytes);
    const handshake = new Handshake({
      socketType: this.#owner.socketType,
      routingId: this.#options.routingId ?? undefined,
      metadata: announce(this.#session.stream, this.#options, this.#owner.carries),
      maxHandshakeBytes: Math.min(ceiling, HANDSHAKE_COMMAND_CEILING),
      security,
      crypto: crypto?.curve,
    });
    this.#handshake = handshake;
    if (security.mechanism === "CURVE" && security.server) {
      const { loop } = this.#session.runtime;
      this.#cookieTimer = loop.deadline(COOKIE_LIFE_MS, () => handshake.expire()).unref();
    }
    this.#session.read();
    this.#session.sendControl(handshake.start());
  }

  receive(chunk: Buffer): void {
    const handshake = this.#handshake;
    if (handshake === null) return;
    this.#session.runtime.loop.handshakeMoved();
    this.#proceed(handshake, () => handshake.receive(chunk));
  }

  /** Takes one step of the handshake, and acts on its result. */
  #proceed(handshake: Handshake, step: () => Progress): void {
    try {
      const { output, done, leftover } = guarded(step);
      if (output !== undefined) this.#session.sendControl(output);
      if (this.#over) return; // the write ended the connection
      if (done) this.#done(handshake, leftover);
      else if (handshake.question !== null && this.#state === "talking") this.#on("ask", handshake.question);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#session.fail(error);
    }
  }

  /** A getter, because calls change the state and the compiler does not see it. */
  get #over(): boolean {
    return this.#state === "over";
  }

  #done(handshake: Handshake, leftover: Uint8Array): void {
    const { security } = this.#protection;
    if (security.mechanism === "CURVE" && !security.server) {
      this.#peerKey = Buffer.from(security.serverKey);
      // Without a word: the server takes what follows its READY for traffic.
      if (!this.#owner.passesKey(this.#peerKey)) throw revokedServer();
    }
    this.#handshake = null; // the session owns it from now on
    this.#session.shaken(handshake, leftover, this.#peerKey);
  }

  /** Asks the authenticator. Meanwhile the peer waits, and the handshake's timer keeps running (Q12). */
  #ask(question: Question): void {
    const { authenticator } = this.#protection;
    if (authenticator === null) throw nobodyToAsk();
    const { stream } = this.#session;
    const handshake = this.#handshake as Handshake;
    if (question.mechanism === "CURVE") this.#peerKey = question.publicKey;
    const request = {
      ...requestAbout(question, stream, this.#owner.endpoint, this.#options),
      metadata: withoutAnnouncement(handshake.announced),
    };
    stream.pause();
    this.#inquiry = new Inquiry(
      authenticator,
      request,
      (verdict) => this.#on("answer", verdict),
      (error) => this.#session.fail(error),
    );
  }

  #answered(verdict: Verdict): void {
    this.#inquiry = null;
    this.#session.stream.resume();
    const handshake = this.#handshake as Handshake;
    // Now and not before the question: the key may have been revoked while the authenticator thought.
    const key = this.#peerKey;
    const revoked = verdict.status === 200 && key !== undefined && !this.#owner.passesKey(key);
    this.#proceed(handshake, () => handshake.answer(revoked ? REVOKED : verdict));
  }

  #release(): void {
    this.#timer?.cancel();
    this.#cookieTimer?.cancel();
    this.#inquiry?.abort();
    this.#handshake?.destroy();
    this.#handshake = null;
  }
}

function revokedServer(): ProtocolError {
  return new ProtocolError("authentication-denied", "the key of the server is revoked", {
    rule: "Q9",
    kind: "auth",
  });
}

/**
 * A peer's bytes may end its own connection, and nothing else. So an unexpected exception of the decoder, which is a bug
 * of zwire, becomes a protocol error. `step` must not call listeners of the program, whose exceptions would be hidden.
 */
function guarded(step: () => Progress): Progress {
  try {
    return step();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    const text = "what the peer sent could not be decoded";
    throw new ProtocolError("undecodable", text, { rule: "E4", cause: error });
  }
}
