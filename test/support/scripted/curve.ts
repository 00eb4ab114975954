/**
 * Scripted peers for CURVE (RFC 26), client and server, straight on libsodium. Every field may be changed and every
 * method replaced between the steps: nonces, keys, what goes into a box. See script.ts.
 */
import sodium from "sodium-native";
import { commandBody, frame, type GreetingOptions, metadata } from "../raw-peer.js";
import {
  commandFrame,
  type Plain,
  propertiesOf,
  type Script,
  type ScriptOptions,
  split,
  type Tamper,
} from "./script.js";

const MAC = 16;
const NOTHING = Buffer.alloc(0);
/** Flag of a command inside a box (P10). */
export const INNER_COMMAND = 2;

/** A key pair of Curve25519. */
export interface KeyPair {
  publicKey: Buffer;
  secretKey: Buffer;
}

/** A fresh key pair. */
export function keyPair(): KeyPair {
  const pair = { publicKey: Buffer.alloc(32), secretKey: Buffer.alloc(32) };
  sodium.crypto_box_keypair(pair.publicKey, pair.secretKey);
  return pair;
}

/** Bytes that nobody can guess. */
export function random(length: number): Buffer {
  const octets = Buffer.alloc(length);
  sodium.randombytes_buf(octets);
  return octets;
}

/** A short nonce on the wire. */
export function shortNonce(value: bigint): Buffer {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64BE(value);
  return octets;
}

/** A whole nonce: a prefix of 8 or 16 characters and the rest. */
export function nonce(prefix: string, rest: Buffer): Buffer {
  return Buffer.concat([Buffer.from(prefix, "latin1"), rest]);
}

/** crypto_box. */
export function box(plain: Buffer, withNonce: Buffer, to: Buffer, from: Buffer): Buffer {
  const sealed = Buffer.alloc(plain.length + MAC);
  sodium.crypto_box_easy(sealed, plain, withNonce, to, from);
  return sealed;
}

/** crypto_box_open. Throws for what does not open. */
export function open(sealed: Buffer, withNonce: Buffer, from: Buffer, to: Buffer): Buffer {
  const plain = Buffer.alloc(Math.max(0, sealed.length - MAC));
  if (sealed.length < MAC || !sodium.crypto_box_open_easy(plain, sealed, withNonce, from, to)) {
    throw new Error(`a box of ${sealed.length} octets does not open`);
  }
  return plain;
}

/** What both sides have: transient keys, counters of nonces, MESSAGE. */
abstract class CurvePeer implements Script {
  readonly greeting: GreetingOptions;
  done = false;
  theirs: ReadonlyMap<string, Buffer> = new Map();
  /** Long-term keys. */
  keys: KeyPair;
  /** C' and c', or S' and s'. */
  transient: KeyPair = keyPair();
  /** The other side's transient key. */
  theirTransient: Buffer = NOTHING;
  /** Short nonce of the next command (P12). */
  nonce = 1n;
  /** Short nonces of all that came, in order. */
  readonly theirNonces: bigint[] = [];
  properties: Buffer;
  readonly tamper: Tamper | undefined;
  protected abstract readonly sending: string;
  protected abstract readonly receiving: string;

  constructor(asServer: number, keys: KeyPair, options: ScriptOptions) {
    this.greeting = { mechanism: "CURVE", asServer, ...options.greeting };
    this.keys = keys;
    this.properties =
      options.metadata ?? metadata([["Socket-Type", options.type], ...(options.properties ?? [])]);
    this.tamper = options.tamper;
  }

  abstract begin(): Buffer;
  abstract next(body: Buffer): Buffer;

  /** A handshake command as it goes out. */
  say(name: string, ...pieces: Buffer[]): Buffer {
    return commandFrame(name, commandBody(name, Buffer.concat(pieces)), this.tamper);
  }

  protected expect(name: string, body: Buffer, octets?: number): Buffer {
    const command = split(body);
    if (command.name !== name) throw new Error(`${command.name} came instead of ${name}`);
    if (octets !== undefined && body.length !== octets) throw new Error(`${name} of ${body.length} octets`);
    return command.data;
  }

  /** Takes a short nonce off, and remembers it. */
  protected heard(data: Buffer, prefix: string): Buffer {
    this.theirNonces.push(data.readBigUInt64BE(0));
    return nonce(prefix, data.subarray(0, 8));
  }

  /** Body of a MESSAGE; with the next nonce unless told otherwise. */
  message(flags: number, data: Buffer | string, value = this.nonce++): Buffer {
    const short = shortNonce(value);
    const octets = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    const plain = Buffer.concat([Buffer.from([flags]), octets]);
    const sealed = box(plain, nonce(this.sending, short), this.theirTransient, this.transient.secretKey);
    return commandBody("MESSAGE", Buffer.concat([short, sealed]));
  }

  /** The outer frame has no COMMAND bit (P9). Commands are given with the bit of plain frames. */
  seal(flags: number, body: Buffer | string): Buffer {
    return frame(this.message((flags & 1) | ((flags & 4) >> 1), body));
  }

  open(flags: number, body: Buffer): Plain {
    if ((flags & 4) !== 0) throw new Error("MESSAGE came with the COMMAND bit (P9)");
    const data = this.expect("MESSAGE", body);
    const whole = this.heard(data, this.receiving);
    const plain = open(data.subarray(8), whole, this.theirTransient, this.transient.secretKey);
    return { flags: plain[0], body: plain.subarray(1) };
  }
}

/** A client that knows the server's key. */
export class CurveClient extends CurvePeer {
  protected readonly sending = "CurveZMQMESSAGEC";
  protected readonly receiving = "CurveZMQMESSAGES";
  /** S. */
  serverKey: Buffer;
  cookie: Buffer = NOTHING;
  #welcomed = false;

  constructor(serverKey: Buffer, options: ScriptOptions, keys = keyPair()) {
    super(0, keys, options);
    this.serverKey = serverKey;
  }

  /** Data of HELLO. */
  hello(): Buffer {
    const short = shortNonce(this.nonce++);
    const whole = nonce("CurveZMQHELLO---", short);
    const signature = box(Buffer.alloc(64), whole, this.serverKey, this.transient.secretKey);
    const head = Buffer.from([1, 0]);
    return Buffer.concat([head, Buffer.alloc(72), this.transient.publicKey, short, signature]);
  }

  begin(): Buffer {
    return this.say("HELLO", this.hello());
  }

  takeWelcome(body: Buffer): void {
    const data = this.expect("WELCOME", body, 168);
    const whole = nonce("WELCOME-", data.subarray(0, 16));
    const plain = open(data.subarray(16), whole, this.serverKey, this.transient.secretKey);
    this.theirTransient = plain.subarray(0, 32);
    this.cookie = plain.subarray(32);
    this.#welcomed = true;
  }

  /** Nonce and box of the vouch: Box[C',S](C->S'). */
  vouch(): Buffer {
    const rest = random(16);
    const plain = Buffer.concat([this.transient.publicKey, this.serverKey]);
    return Buffer.concat([
      rest,
      box(plain, nonce("VOUCH---", rest), this.theirTransient, this.keys.secretKey),
    ]);
  }

  /** Data of INITIATE. */
  initiate(): Buffer {
    const short = shortNonce(this.nonce++);
    const plain = Buffer.concat([this.keys.publicKey, this.vouch(), this.properties]);
    const whole = nonce("CurveZMQINITIATE", short);
    const sealed = box(plain, whole, this.theirTransient, this.transient.secretKey);
    return Buffer.concat([this.cookie, short, sealed]);
  }

  takeReady(body: Buffer): void {
    const data = this.expect("READY", body);
    const whole = this.heard(data, "CurveZMQREADY---");
    const plain = open(data.subarray(8), whole, this.theirTransient, this.transient.secretKey);
    this.theirs = propertiesOf(plain);
    this.done = true;
  }

  next(body: Buffer): Buffer {
    if (this.#welcomed) {
      this.takeReady(body);
      return NOTHING;
    }
    this.takeWelcome(body);
    return this.say("INITIATE", this.initiate());
  }
}

/** A server that lets everybody in. */
export class CurveServer extends CurvePeer {
  protected readonly sending = "CurveZMQMESSAGES";
  protected readonly receiving = "CurveZMQMESSAGEC";
  /** C: the client's long-term key, once it has proved it. */
  clientKey: Buffer = NOTHING;
  readonly #cookieKey = random(32);
  #greeted = false;

  constructor(keys: KeyPair, options: ScriptOptions) {
    super(1, keys, options);
  }

  begin(): Buffer {
    return NOTHING;
  }

  takeHello(body: Buffer): void {
    const data = this.expect("HELLO", body, 200);
    if (data[0] !== 1 || data[1] !== 0) throw new Error("HELLO of another version");
    if (data.subarray(2, 74).some((octet) => octet !== 0)) throw new Error("padding of HELLO");
    const theirs = Buffer.from(data.subarray(74, 106));
    const whole = this.heard(data.subarray(106), "CurveZMQHELLO---");
    const signature = open(data.subarray(114), whole, theirs, this.keys.secretKey);
    if (!signature.equals(Buffer.alloc(64))) throw new Error("the box of HELLO holds something");
    this.theirTransient = theirs;
    this.#greeted = true;
  }

  /** Data of WELCOME. */
  welcome(): Buffer {
    const cookieNonce = random(16);
    const inside = Buffer.concat([this.theirTransient, this.transient.secretKey]);
    const sealed = Buffer.alloc(80);
    sodium.crypto_secretbox_easy(sealed, inside, nonce("COOKIE--", cookieNonce), this.#cookieKey);
    const rest = random(16);
    const plain = Buffer.concat([this.transient.publicKey, cookieNonce, sealed]);
    const whole = nonce("WELCOME-", rest);
    return Buffer.concat([rest, box(plain, whole, this.theirTransient, this.keys.secretKey)]);
  }

  takeInitiate(body: Buffer): void {
    const data = this.expect("INITIATE", body);
    const inside = Buffer.alloc(64);
    const cookieNonce = nonce("COOKIE--", data.subarray(0, 16));
    if (!sodium.crypto_secretbox_open_easy(inside, data.subarray(16, 96), cookieNonce, this.#cookieKey)) {
      throw new Error("the cookie does not open");
    }
    const whole = this.heard(data.subarray(96), "CurveZMQINITIATE");
    const plain = open(data.subarray(104), whole, this.theirTransient, this.transient.secretKey);
    const clientKey = Buffer.from(plain.subarray(0, 32));
    const vouchNonce = nonce("VOUCH---", plain.subarray(32, 48));
    const vouch = open(plain.subarray(48, 128), vouchNonce, clientKey, this.transient.secretKey);
    const expected = Buffer.concat([this.theirTransient, this.keys.publicKey]);
    if (!vouch.equals(expected)) throw new Error("the vouch is for others (P6)");
    this.clientKey = clientKey;
    this.theirs = propertiesOf(plain.subarray(128));
  }

  /** Data of READY. */
  ready(): Buffer {
    const short = shortNonce(this.nonce++);
    const whole = nonce("CurveZMQREADY---", short);
    return Buffer.concat([short, box(this.properties, whole, this.theirTransient, this.transient.secretKey)]);
  }

  next(body: Buffer): Buffer {
    if (!this.#greeted) {
      this.takeHello(body);
      return this.say("WELCOME", this.welcome());
    }
    this.takeInitiate(body);
    this.done = true;
    return this.say("READY", this.ready());
  }
}
