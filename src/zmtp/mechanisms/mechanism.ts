/**
 * A security mechanism's part of the handshake: commands in, commands out. Knows no framing.
 */
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
  readonly cipher: FrameCipher | null;
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
  /** The connection is gone: wipe keys. Idempotent. */
  destroy(): void;
}

/** Protects whole frames after the handshake (CURVE). Each box has its nonce: call in wire order. */
export interface FrameCipher {
  /** Octets that a frame of `length` octets grows by inside its box, header of the outer frame not counted. */
  readonly overhead: number;
  /**
   * Put one frame in a box (P8).
   * @param flags MORE and COMMAND of the inner frame
   * @returns the whole outer frame, header included
   */
  seal(flags: number, body: Uint8Array): Buffer;
  /**
   * Open one box.
   * @param body of the outer frame
   * @returns the inner frame
   * @throws ProtocolError
   */
  open(body: Buffer): { flags: number; body: Buffer };
}
