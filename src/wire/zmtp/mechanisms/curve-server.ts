/**
 * The server of CURVE (RFC 26). Until INITIATE it keeps nothing about a client except the key of one cookie, which opens
 * once (P4).
 */
import { Buffer } from "../../../base/platform.js";
import { encodeCommand } from "../command.js";
import { encodeMetadata, type Metadata, parseMetadata } from "../metadata.js";
import { ProtocolError } from "../protocol-error.js";
import type { Question, Verdict } from "./authentication.js";
import {
  agree,
  COOKIE_BYTES,
  cipherKeys,
  HELLO_BYTES,
  INITIATE_MIN_BYTES,
  KEY_BYTES,
  LONG_NONCE_BYTES,
  MAC_BYTES,
  malformedCommand,
  nonceOf,
  openBox,
  PREFIX,
  readShortNonce,
  SHORT_NONCE_BYTES,
  sameKey,
  shortNonce,
} from "./curve.js";
import type { CipherKeys, CurveCrypto, Mechanism, ShortNonce } from "./mechanism.js";
import { expectCommand, refusedByUs } from "./refusal.js";

/** Where the parts of HELLO begin, after its name. */
const HELLO_KEY_AT = 2 + 72;
const HELLO_NONCE_AT = HELLO_KEY_AT + KEY_BYTES;
const HELLO_BOX_AT = HELLO_NONCE_AT + SHORT_NONCE_BYTES;
/** Where the parts of INITIATE's box begin. */
const VOUCH_NONCE_AT = KEY_BYTES;
const VOUCH_AT = VOUCH_NONCE_AT + LONG_NONCE_BYTES;
const METADATA_AT = VOUCH_AT + MAC_BYTES + 2 * KEY_BYTES;

/** Long-term keys, 32 bytes each. */
export interface ServerKeys {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/**
 * | state    | event                              | next     | sends                |
 * |----------|------------------------------------|----------|----------------------|
 * | hello    | HELLO opens                        | initiate | WELCOME              |
 * | initiate | a minute has passed                | expired  |                      |
 * | initiate | INITIATE opens, nobody to ask      | done     | READY                |
 * | initiate | INITIATE opens                     | asking   |                      |
 * | asking   | the authenticator lets it in       | done     | READY                |
 * | asking   | the authenticator refuses it       |          | ERROR, or none (Q8)  |
 */
type State = "hello" | "initiate" | "expired" | "asking" | "done";

/** Our side of CURVE as the server. */
export class CurveServer implements Mechanism {
  readonly name = "CURVE";
  readonly asServer = true;
  cipher: CipherKeys | null = null;
  peerMetadata: Metadata = new Map();
  question: Question | null = null;
  verdict: Verdict | null = null;
  readonly #crypto: CurveCrypto;
  readonly #keys: ServerKeys;
  readonly #ask: boolean;
  readonly #metadata: Buffer;
  #cookieKey: Uint8Array | null = null;
  #sessionKey: Uint8Array | null = null;
  #received: ShortNonce = { high: 0, low: 0 };
  #state: State = "hello";

  /**
   * @param properties what our READY says
   * @param ask whether an authenticator decides about the client's key; otherwise every client is let in (P18)
   * @throws RangeError for a property that cannot be encoded
   */
  constructor(
    properties: Iterable<readonly [string, Uint8Array]>,
    keys: ServerKeys,
    ask: boolean,
    crypto: CurveCrypto,
  ) {
    this.#metadata = encodeMetadata(properties);
    this.#crypto = crypto;
    this.#keys = keys;
    this.#ask = ask;
  }

  get done(): boolean {
    return this.#state === "done";
  }

  start(): undefined {
    return undefined;
  }

  receive(body: Buffer): Buffer | undefined {
    if (this.#state === "hello") {
      const data = expectCommand(body, "HELLO", "P2");
      if (body.length !== HELLO_BYTES || data[0] !== 1 || data[1] !== 0) {
        throw malformedCommand("malformed-hello", "HELLO has the wrong size or version", "P2", body.length);
      }
      return this.#welcome(data);
    }
    const data = expectCommand(body, "INITIATE", "P5");
    if (body.length < INITIATE_MIN_BYTES) {
      throw malformedCommand("malformed-initiate", "INITIATE is cut short", "P5", body.length);
    }
    return this.#initiated(data);
  }

  /** Sends S' to the client, with C' and s' in a cookie that only we can open (P3). */
  #welcome(data: Buffer): Buffer {
    const crypto = this.#crypto;
    const clientTransient = data.subarray(HELLO_KEY_AT, HELLO_NONCE_AT);
    const helloNonce = nonceOf(PREFIX.hello, data.subarray(HELLO_NONCE_AT, HELLO_BOX_AT));
    const helloKey = agree(crypto, clientTransient, this.#keys.secretKey);
    openBox(crypto, data.subarray(HELLO_BOX_AT), helloNonce, helloKey, "HELLO", "P2");

    const secret = crypto.random(KEY_BYTES);
    const cookieNonce = crypto.random(LONG_NONCE_BYTES);
    this.#cookieKey = crypto.random(KEY_BYTES);
    const kept = Buffer.concat([clientTransient, secret]);
    const cookie = crypto.seal(kept, nonceOf(PREFIX.cookie, cookieNonce), this.#cookieKey);
    const content = Buffer.concat([crypto.publicKey(secret), cookieNonce, cookie]);
    const nonce = crypto.random(LONG_NONCE_BYTES);
    const box = crypto.seal(content, nonceOf(PREFIX.welcome, nonce), helloKey);
    for (const bytes of [secret, kept, helloKey]) crypto.wipe(bytes);
    this.#state = "initiate";
    return encodeCommand("WELCOME", Buffer.concat([nonce, box]));
  }

  #initiated(data: Buffer): Buffer | undefined {
    const crypto = this.#crypto;
    const { clientTransient, secret } = this.#openCookie(data.subarray(0, COOKIE_BYTES));
    const nonce = data.subarray(COOKIE_BYTES, COOKIE_BYTES + SHORT_NONCE_BYTES);
    this.#sessionKey = agree(crypto, clientTransient, secret);
    const box = data.subarray(COOKIE_BYTES + SHORT_NONCE_BYTES);
    let content: Buffer;
    let vouchKey: Uint8Array;
    try {
      content = openBox(
        crypto,
        box,
        nonceOf(PREFIX.initiate, nonce),
        this.#sessionKey,
        "INITIATE",
        "P6, P19",
      );
      vouchKey = agree(crypto, content.subarray(0, KEY_BYTES), secret);
    } finally {
      crypto.wipe(secret);
    }
    const vouchNonce = nonceOf(PREFIX.vouch, content.subarray(VOUCH_NONCE_AT, VOUCH_AT));
    const vouch = openBox(
      crypto,
      content.subarray(VOUCH_AT, METADATA_AT),
      vouchNonce,
      vouchKey,
      "the vouch",
      "P6",
    );
    crypto.wipe(vouchKey);
    // Both halves: without S, another server that the client talks to could pass its vouch on to us.
    if (
      !sameKey(vouch.subarray(0, KEY_BYTES), clientTransient) ||
      !sameKey(vouch.subarray(KEY_BYTES), this.#keys.publicKey)
    ) {
      const text = "the vouch is for another connection or another server";
      throw new ProtocolError("key-exchange", text, { rule: "P6" });
    }
    this.peerMetadata = parseMetadata(content.subarray(METADATA_AT));
    this.#received = readShortNonce(nonce);
    if (!this.#ask) return this.#ready();
    this.question = { mechanism: "CURVE", publicKey: Buffer.from(content.subarray(0, KEY_BYTES)) };
    this.#state = "asking";
    return undefined;
  }

  /** The cookie opens once (P4, P6). */
  #openCookie(cookie: Buffer): { clientTransient: Buffer; secret: Buffer } {
    const key = this.#cookieKey;
    this.#cookieKey = null;
    if (key === null) {
      throw new ProtocolError("unexpected-command", "the cookie in INITIATE is too old", { rule: "P4" });
    }
    try {
      const nonce = nonceOf(PREFIX.cookie, cookie.subarray(0, LONG_NONCE_BYTES));
      const kept = openBox(this.#crypto, cookie.subarray(LONG_NONCE_BYTES), nonce, key, "the cookie", "P6");
      return { clientTransient: kept.subarray(0, KEY_BYTES), secret: kept.subarray(KEY_BYTES) };
    } finally {
      this.#crypto.wipe(key);
    }
  }

  answer(verdict: Verdict): Buffer {
    this.question = null;
    if (verdict.status !== 200) throw refusedByUs(verdict); // P15
    this.verdict = verdict;
    return this.#ready();
  }

  #ready(): Buffer {
    const key = this.#sessionKey as Uint8Array;
    const nonce = shortNonce(1);
    const box = this.#crypto.seal(this.#metadata, nonceOf(PREFIX.ready, nonce), key);
    this.cipher = cipherKeys(key, true, 1, this.#received);
    this.#state = "done";
    return encodeCommand("READY", Buffer.concat([nonce, box]));
  }

  expire(): void {
    if (this.#state !== "initiate") return;
    this.#state = "expired";
    this.#forgetCookie();
  }

  #forgetCookie(): void {
    if (this.#cookieKey !== null) this.#crypto.wipe(this.#cookieKey);
    this.#cookieKey = null;
  }

  destroy(): void {
    this.question = null;
    this.#forgetCookie();
    if (this.#sessionKey !== null) this.#crypto.wipe(this.#sessionKey);
  }
}
