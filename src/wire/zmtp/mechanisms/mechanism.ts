/**
 * A security mechanism's part of the handshake: commands in, commands out. Knows no framing.
 */
import type { Buffer } from "../../../base/platform.js";
import type { Metadata } from "../metadata.js";
import type { Question, Verdict } from "./authentication.js";

/** One side of one connection's mechanism. */
export interface Mechanism {
  /** Name in the greeting. */
  readonly name: string;
  /** The as-server octet of our greeting. */
  readonly asServer: boolean;
  /** Whether both sides have said all. */
  readonly done: boolean;
  /** What the peer's READY or INITIATE said; valid when done. */
  readonly peerMetadata: Metadata;
  /**
   * Set while an authenticator has to decide before the handshake goes on. No frame is handed to `receive` until
   * `answer` was called.
   */
  readonly question: Question | null;
  /** What the authenticator said of the peer (user id, metadata); null where nobody was asked. */
  readonly verdict: Verdict | null;
  /** How frames after the handshake are protected; null: as they are. Valid when done. */
  readonly cipher: CipherKeys | null;
  /** Frames to send as soon as both greetings are in. */
  start(): Buffer | undefined;
  /**
   * One frame from the peer, whether or not it has the COMMAND bit (C23).
   * @param body valid during the call
   * @returns frames to send
   * @throws ProtocolError
   */
  receive(body: Buffer): Buffer | undefined;
  /**
   * The authenticator has decided.
   * @returns frames to send
   * @throws ProtocolError where it refused; its `reply` goes out before closing (Q8: none for 300)
   */
  answer(verdict: Verdict): Buffer | undefined;
  /** A minute has passed since the beginning: what may live no longer dies (P4). Harmless when the peer was faster. */
  expire(): void;
  /** The connection is gone: wipe keys. Idempotent. */
  destroy(): void;
}

/**
 * What protects frames after the handshake (CURVE), as data: sealing and opening them is hot, and not done here. Whoever
 * does it counts on from the short nonces that the handshake has used (P12).
 */
export interface CipherKeys {
  /** Shared key of the two transient pairs; wiped by the mechanism's `destroy`, so copy nothing out of it for keeps. */
  readonly key: Uint8Array;
  /** Whether we are the server: it decides which nonce prefix is whose (P8). */
  readonly asServer: boolean;
  /** Last short nonce that we sent, as two numbers of 32 bits. */
  readonly sent: ShortNonce;
  /** Last short nonce of the peer's. */
  readonly received: ShortNonce;
}

/** A 64-bit counter in two halves: a peer may begin with any value, above what a number holds exactly. */
export interface ShortNonce {
  readonly high: number;
  readonly low: number;
}

/** What CURVE needs of a crypto library, randomness included. No clock and no source of randomness in this room. */
export interface CurveCrypto {
  random(length: number): Uint8Array;
  /** Public half of a secret key (X25519). */
  publicKey(secretKey: Uint8Array): Uint8Array;
  /** Key of two pairs for `seal` and `open`; undefined for a public key that makes no secret. */
  sharedKey(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined;
  /** XSalsa20-Poly1305: 16 octets longer than the message. */
  seal(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array;
  /** undefined for a box that was not made with this nonce and key. */
  open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | undefined;
  /** Overwrite secret octets. */
  wipe(octets: Uint8Array): void;
}
