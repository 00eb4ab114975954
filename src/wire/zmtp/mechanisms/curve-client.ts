/**
 * The client of CURVE (RFC 26). It knows the server's key beforehand, says HELLO, and proves its identity in INITIATE.
 */
import { Buffer } from "../../../base/platform.js";
import { encodeCommand } from "../command.js";
import { encodeMetadata, type Metadata, parseMetadata } from "../metadata.js";
import {
  agree,
  COOKIE_BYTES,
  cipherKeys,
  KEY_BYTES,
  LONG_NONCE_BYTES,
  malformedCommand,
  nonceOf,
  openBox,
  PREFIX,
  READY_MIN_BYTES,
  readShortNonce,
  SHORT_NONCE_BYTES,
  shortNonce,
  WELCOME_BYTES,
} from "./curve.js";
import type { CipherKeys, CurveCrypto, Mechanism } from "./mechanism.js";
import { expectCommand } from "./refusal.js";

/** HELLO: version 1.0, and padding so that WELCOME is not longer than HELLO (P1). */
const VERSION = Buffer.from([1, 0]);
const PADDING = Buffer.alloc(72);
const SIGNATURE = Buffer.alloc(64);
const EMPTY = new Uint8Array(0);

/** Long-term keys, 32 bytes each. */
export interface ClientKeys {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/**
 * | state    | event                 | next     | sends    |
 * |----------|-----------------------|----------|----------|
 * | greeting | both greetings are in | hello    | HELLO    |
 * | hello    | WELCOME opens         | initiate | INITIATE |
 * | initiate | READY opens           | done     |          |
 */
type State = "greeting" | "hello" | "initiate" | "done";

/** Our side of CURVE as a client. */
export class CurveClient implements Mechanism {
  readonly name = "CURVE";
  readonly asServer = false;
  readonly question = null;
  readonly verdict = null;
  cipher: CipherKeys | null = null;
  peerMetadata: Metadata = new Map();
  readonly #crypto: CurveCrypto;
  readonly #keys: ClientKeys;
  readonly #metadata: Buffer;
  /** C' and c' of this connection (P17). */
  readonly #transientPublic: Uint8Array;
  readonly #transientSecret: Uint8Array;
  /** Shared with S, for HELLO and WELCOME. */
  #helloKey: Uint8Array = EMPTY;
  /** Shared with S', for what follows. */
  #sessionKey: Uint8Array | null = null;
  #state: State = "greeting";

  /**
   * @param properties what our INITIATE says
   * @throws RangeError for a property that cannot be encoded
   */
  constructor(properties: Iterable<readonly [string, Uint8Array]>, keys: ClientKeys, crypto: CurveCrypto) {
    this.#metadata = encodeMetadata(properties);
    this.#crypto = crypto;
    this.#keys = keys;
    this.#transientSecret = crypto.random(KEY_BYTES);
    this.#transientPublic = crypto.publicKey(this.#transientSecret);
  }

  get done(): boolean {
    return this.#state === "done";
  }

  /** @throws ProtocolError for a server key that gives no shared secret */
  start(): Buffer {
    this.#state = "hello";
    this.#helloKey = agree(this.#crypto, this.#keys.serverKey, this.#transientSecret);
    const nonce = shortNonce(1);
    const box = this.#crypto.seal(SIGNATURE, nonceOf(PREFIX.hello, nonce), this.#helloKey);
    return encodeCommand("HELLO", Buffer.concat([VERSION, PADDING, this.#transientPublic, nonce, box]));
  }

  receive(body: Buffer): Buffer | undefined {
    if (this.#state === "hello") {
      const data = expectCommand(body, "WELCOME", "P3");
      if (body.length !== WELCOME_BYTES) {
        throw malformedCommand("malformed-welcome", "WELCOME has the wrong size", "P3", body.length);
      }
      return this.#initiate(data);
    }
    const data = expectCommand(body, "READY", "P7");
    if (body.length < READY_MIN_BYTES) {
      throw malformedCommand("malformed-ready", "READY is cut short", "P7", body.length);
    }
    const nonce = data.subarray(0, SHORT_NONCE_BYTES);
    const key = this.#sessionKey as Uint8Array;
    const box = data.subarray(SHORT_NONCE_BYTES);
    this.peerMetadata = parseMetadata(
      openBox(this.#crypto, box, nonceOf(PREFIX.ready, nonce), key, "READY", "P7"),
    );
    this.cipher = cipherKeys(key, false, 2, readShortNonce(nonce));
    this.#state = "done";
    return undefined;
  }

  /** WELCOME contains S' and the cookie. INITIATE returns the cookie, and vouches for C' with C (P5). */
  #initiate(data: Buffer): Buffer {
    const crypto = this.#crypto;
    const { publicKey, secretKey, serverKey } = this.#keys;
    const welcomeNonce = nonceOf(PREFIX.welcome, data.subarray(0, LONG_NONCE_BYTES));
    const box = data.subarray(LONG_NONCE_BYTES);
    const welcome = openBox(crypto, box, welcomeNonce, this.#helloKey, "WELCOME", "P3");
    const serverTransient = welcome.subarray(0, KEY_BYTES);
    const cookie = welcome.subarray(KEY_BYTES, KEY_BYTES + COOKIE_BYTES);
    this.#sessionKey = agree(crypto, serverTransient, this.#transientSecret);

    const vouchNonce = crypto.random(LONG_NONCE_BYTES);
    const vouchKey = agree(crypto, serverTransient, secretKey);
    const halves = Buffer.concat([this.#transientPublic, serverKey]);
    const vouch = crypto.seal(halves, nonceOf(PREFIX.vouch, vouchNonce), vouchKey);
    crypto.wipe(vouchKey);
    // Nothing else needs these two.
    crypto.wipe(this.#transientSecret);
    crypto.wipe(this.#helloKey);

    const nonce = shortNonce(2);
    const content = Buffer.concat([publicKey, vouchNonce, vouch, this.#metadata]);
    const sealed = crypto.seal(content, nonceOf(PREFIX.initiate, nonce), this.#sessionKey);
    this.#state = "initiate";
    return encodeCommand("INITIATE", Buffer.concat([cookie, nonce, sealed]));
  }

  answer(): never {
    throw new Error("assertion: a CURVE client has no question");
  }

  expire(): void {
    // Only a server has a cookie.
  }

  destroy(): void {
    this.#crypto.wipe(this.#transientSecret);
    this.#crypto.wipe(this.#helloKey);
    if (this.#sessionKey !== null) this.#crypto.wipe(this.#sessionKey);
  }
}
