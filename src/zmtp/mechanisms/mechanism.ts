/**
 * A security mechanism's part of the handshake: commands in, commands out. Knows no framing.
 */
import type { Metadata } from "../metadata.js";

export interface Mechanism {
  /** Name in the greeting. */
  readonly name: string;
  readonly asServer: boolean;
  /** Whether both sides have said all. */
  readonly done: boolean;
  /** What the peer's READY said; valid when done. */
  readonly peerMetadata: Metadata;
  /** Frames to send as soon as both greetings are in. */
  start(): Buffer | undefined;
  /**
   * One frame from the peer.
   * @returns frames to send
   * @throws ProtocolError
   */
  receive(body: Buffer): Buffer | undefined;
}
