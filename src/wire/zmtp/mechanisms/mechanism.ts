/**
 * A security mechanism's part of the handshake: commands in, commands out. Framing is done elsewhere.
 */
import type { Buffer } from "../../../base/platform.js";
import type { Metadata } from "../metadata.js";
import type { Question, Verdict } from "./authentication.js";

/** One side of one connection's mechanism. */
export interface Mechanism {
  /** Its name in the greeting. */
  readonly name: string;
  /** The as-server field of our greeting. */
  readonly asServer: boolean;
  /** Whether the mechanism is complete. */
  readonly done: boolean;
  /** The properties in the peer's READY or INITIATE; valid when done. */
  readonly peerMetadata: Metadata;
  /**
   * Set while an authenticator has to decide before the handshake goes on. Do not call `receive` until `answer` was
   * called.
   */
  readonly question: Question | null;
  /** What the authenticator said about the peer (user id, metadata); null if nobody was asked. */
  readonly verdict: Verdict | null;
  /** How frames after the handshake are protected; null: not at all. Valid when done. */
  readonly cipher: CipherKeys | null;
  /** Frames to send as soon as both greetings are complete. */
  start(): Buffer | undefined;
  /**
   * Takes one frame from the peer, with or without the COMMAND bit (C23).
   * @param body valid during the call
   * @returns frames to send
   * @throws ProtocolError
   */
  receive(body: Buffer): Buffer | undefined;
  /**
   * The authenticator has decided.
   * @returns frames to send
   * @throws ProtocolError if it refused; its `reply` goes out before closing (Q8: none for 300)
   */
  answer(verdict: Verdict): Buffer | undefined;
  /** A minute has passed since the handshake began: wipes what may not live longer (P4). Harmless when done. */
  expire(): void;
  /** The connection is gone: wipes keys. Idempotent. */
  destroy(): void;
}

/**
 * What protects frames after the handshake (CURVE), as data. Sealing and opening them is a hot path and done in
 * security/, which continues the short nonces that the handshake used (P12).
 */
export interface CipherKeys {
  /** Shared key of the two transient pairs. The mechanism's `destroy` wipes it, so keep no copy. */
  readonly key: Uint8Array;
  /** Whether we are the server, which decides about the nonce prefixes (P8). */
  readonly asServer: boolean;
  /** The last short nonce that we sent. */
  readonly sent: ShortNonce;
  /** The last short nonce that the peer sent. */
  readonly received: ShortNonce;
}

/** A counter of 64 bits in two halves: a peer may begin with a value that a number cannot hold exactly. */
export interface ShortNonce {
  readonly high: number;
  readonly low: number;
}

/** What CURVE needs from a crypto library, including randomness, because this room has no source of it. */
export interface CurveCrypto {
  random(length: number): Uint8Array;
  /** Public half of a secret key (X25519). */
  publicKey(secretKey: Uint8Array): Uint8Array;
  /** The key of two pairs for `seal` and `open`; undefined for a public key that gives no secret. */
  sharedKey(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined;
  /** XSalsa20-Poly1305; the result is 16 bytes longer than the message. */
  seal(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array;
  /** Returns undefined for a box that was not made with this nonce and key. */
  open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | undefined;
  /** Overwrites secret bytes. */
  wipe(bytes: Uint8Array): void;
}
