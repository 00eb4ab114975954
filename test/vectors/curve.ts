/**
 * CURVE handshakes with fixed keys and nonces (RFC 26): every command composed here, with nothing but crypto_box and
 * crypto_secretbox of sodium-native. What zwire says with the same keys must be the same bytes.
 */
import { createRequire } from "node:module";
import type { CurveCrypto } from "../../src/wire/zmtp/mechanisms/mechanism.js";
import { frame, socketType } from "./frames.js";
import { octets, text, zeros } from "./octets.js";

interface Sodium {
  crypto_box_easy(box: Buffer, plain: Buffer, nonce: Buffer, publicKey: Buffer, secretKey: Buffer): void;
  crypto_secretbox_easy(box: Buffer, plain: Buffer, nonce: Buffer, key: Buffer): void;
  crypto_scalarmult_base(publicKey: Buffer, secretKey: Buffer): void;
}
const sodium = createRequire(import.meta.url)("sodium-native") as Sodium;

export interface KeyPair {
  readonly publicKey: Buffer;
  readonly secretKey: Buffer;
}

/** The pair whose secret key is one byte, 32 times. */
export function keyPair(octet: number): KeyPair {
  const secretKey = Buffer.alloc(32, octet);
  const publicKey = Buffer.alloc(32);
  sodium.crypto_scalarmult_base(publicKey, secretKey);
  return { publicKey, secretKey };
}

/** crypto_box. */
export function box(plain: Buffer, prefix: string, rest: Buffer, to: KeyPair, from: KeyPair): Buffer {
  const sealed = Buffer.alloc(plain.length + 16);
  sodium.crypto_box_easy(sealed, plain, octets(text(prefix), rest), to.publicKey, from.secretKey);
  return sealed;
}

/** crypto_secretbox, for the cookie. */
export function secretBox(plain: Buffer, prefix: string, rest: Buffer, key: Buffer): Buffer {
  const sealed = Buffer.alloc(plain.length + 16);
  sodium.crypto_secretbox_easy(sealed, plain, octets(text(prefix), rest), key);
  return sealed;
}

/** A short nonce. */
export function short(value: bigint): Buffer {
  const nonce = zeros(8);
  nonce.writeBigUInt64BE(value);
  return nonce;
}

/** Long-term and transient keys of both sides, and what else is random. */
export const CLIENT = keyPair(0x11);
export const CLIENT_TRANSIENT = keyPair(0x22);
export const SERVER = keyPair(0x33);
export const SERVER_TRANSIENT = keyPair(0x44);
export const VOUCH_NONCE = Buffer.alloc(16, 0x55);
export const COOKIE_NONCE = Buffer.alloc(16, 0x66);
export const COOKIE_KEY = Buffer.alloc(32, 0x77);
export const WELCOME_NONCE = Buffer.alloc(16, 0x88);

export const CLIENT_SECURITY = {
  mechanism: "CURVE" as const,
  server: false as const,
  ...CLIENT,
  serverKey: SERVER.publicKey,
};
export const SERVER_SECURITY = { mechanism: "CURVE" as const, server: true as const, ask: false, ...SERVER };

/** The greeting of either side. */
export function greeting(asServer: boolean, mechanism = "CURVE", minor = 1): Buffer {
  const name = Buffer.alloc(20);
  name.write(mechanism);
  return octets("ff 0000000000000000 7f 03", Buffer.from([minor]), name, asServer ? "01" : "00", zeros(31));
}

/** Bodies of the commands. */
export const HELLO = octets(
  "05",
  text("HELLO"),
  "01 00",
  zeros(72),
  CLIENT_TRANSIENT.publicKey,
  short(1n),
  box(zeros(64), "CurveZMQHELLO---", short(1n), SERVER, CLIENT_TRANSIENT),
);

export const COOKIE = octets(
  COOKIE_NONCE,
  secretBox(
    octets(CLIENT_TRANSIENT.publicKey, SERVER_TRANSIENT.secretKey),
    "COOKIE--",
    COOKIE_NONCE,
    COOKIE_KEY,
  ),
);

export const WELCOME = octets(
  "07",
  text("WELCOME"),
  WELCOME_NONCE,
  box(octets(SERVER_TRANSIENT.publicKey, COOKIE), "WELCOME-", WELCOME_NONCE, CLIENT_TRANSIENT, SERVER),
);

/** What may differ in an INITIATE. */
export interface InitiateOptions {
  readonly metadata?: Buffer;
  readonly client?: KeyPair;
  /** What the vouch says. */
  readonly vouched?: Buffer;
  readonly cookie?: Buffer;
}

export function initiate(options: InitiateOptions = {}): Buffer {
  const { metadata = socketType("DEALER"), client = CLIENT, cookie = COOKIE } = options;
  const vouched = options.vouched ?? octets(CLIENT_TRANSIENT.publicKey, SERVER.publicKey);
  const vouch = box(vouched, "VOUCH---", VOUCH_NONCE, SERVER_TRANSIENT, client);
  const content = octets(client.publicKey, VOUCH_NONCE, vouch, metadata);
  const sealed = box(content, "CurveZMQINITIATE", short(2n), SERVER_TRANSIENT, CLIENT_TRANSIENT);
  return octets("08", text("INITIATE"), cookie, short(2n), sealed);
}

export function ready(metadata = socketType("DEALER"), nonce = 1n): Buffer {
  const sealed = box(metadata, "CurveZMQREADY---", short(nonce), CLIENT_TRANSIENT, SERVER_TRANSIENT);
  return octets("05", text("READY"), short(nonce), sealed);
}

/** Body of a MESSAGE: flags inside, data. */
export function message(fromServer: boolean, nonce: bigint, flags: number, data: Buffer): Buffer {
  const [to, from] = fromServer ? [CLIENT_TRANSIENT, SERVER_TRANSIENT] : [SERVER_TRANSIENT, CLIENT_TRANSIENT];
  const prefix = `CurveZMQMESSAGE${fromServer ? "S" : "C"}`;
  const sealed = box(octets(Buffer.from([flags]), data), prefix, short(nonce), to, from);
  return octets("07", text("MESSAGE"), short(nonce), sealed);
}

/** A handshake command in its frame. */
export const command = (body: Buffer): Buffer => frame(4, body);

/** The crypto library with these bytes for random ones, in their order. */
export function scripted(crypto: CurveCrypto, ...random: Buffer[]): CurveCrypto {
  const left = [...random];
  return {
    random(length) {
      const next = left.shift();
      if (next?.length !== length) throw new Error(`${length} random octets; the script has ${next?.length}`);
      return Buffer.from(next); // a copy: it may be wiped
    },
    publicKey: (secret) => crypto.publicKey(secret),
    sharedKey: (publicKey, secret) => crypto.sharedKey(publicKey, secret),
    seal: (plain, nonce, key) => crypto.seal(plain, nonce, key),
    open: (sealed, nonce, key) => crypto.open(sealed, nonce, key),
    wipe: (secret) => crypto.wipe(secret),
  };
}

/** The random bytes of our client and of our server in the order in which they are asked for. */
export const CLIENT_RANDOM = [CLIENT_TRANSIENT.secretKey, VOUCH_NONCE];
export const SERVER_RANDOM = [SERVER_TRANSIENT.secretKey, COOKIE_NONCE, COOKIE_KEY, WELCOME_NONCE];
