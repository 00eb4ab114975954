/**
 * A security mechanism's part of the handshake: commands in, commands out. Knows no framing.
 */
import type { Metadata } from "../metadata.js";

/** One side of one connection's mechanism. */
export interface Mechanism {
  /** Name in the greeting. */
  readonly name: string;
  /** The as-server octet of our greeting. */
  readonly asServer: boolean;
  /** Whether both sides have said all. */
  readonly done: boolean;
  /** What the peer's READY said; valid when done. */
  readonly peerMetadata: Metadata;
  /** Frames to send as soon as both greetings are in. */
  start(): Buffer | undefined;
  /**
   * One frame from the peer, whether or not it has the COMMAND bit (C23).
   * @param body valid during the call
   * @returns frames to send
   * @throws ProtocolError
   */
  receive(body: Buffer): Buffer | undefined;
}
