/**
 * What a connection and the dialler or listener that made it know of each other.
 */

import type { Peer } from "../base/events.js";
import type { Runtime } from "../base/runtime.js";
import type { StreamPipe } from "../engine/stream-pipe.js";
import type { Stream } from "../transport/contract/transport.js";

/** Why a session ended. */
export interface SessionEnd {
  /** Whether the handshake had been completed. */
  readonly wasReady: boolean;
  /** undefined for an orderly close by the peer. */
  readonly error: Error | undefined;
  /** The application ended it, so the dialler does not reconnect (M4). */
  readonly final?: boolean;
}

/** One connection, as the dialler or listener sees it: a ZMTP session or a raw session. */
export interface Connection {
  readonly stream: Stream;
  /** The peer; undefined until the handshake is complete. */
  readonly peer: Peer | undefined;
  /** Starts reading. */
  start(): void;
  /**
   * Writes nothing more, and lets the peer find that end; what the peer has sent is still read. Where the transport cannot do
   * so, the connection ends. Call it when nothing is unsent.
   * @param peerKeeps see Stream
   * @returns false if it has to be called again, because the transport has something to write
   */
  endWriting(peerKeeps: boolean): boolean;
  /** Closes the connection and drops what is not yet written. Does not call the owner. */
  close(): void;
}

/** The dialler or listener that made the session. */
export interface SessionOwner {
  readonly runtime: Runtime;
  readonly socketType: string;
  /** The local endpoint, bound or connected. */
  readonly endpoint: string;
  /** Whether contexts of traces go with the socket's messages. */
  readonly carries: boolean;
  /** Asked at the end of a CURVE handshake: whether the peer's key may be used. */
  passesKey(publicKey: Uint8Array): boolean;
  /** Asked after the handshake: why the socket refuses the peer, or null if it accepts it. */
  refusalOf(peer: Peer): Error | null;
  /** Encoded messages that each peer gets first; null if there are none. */
  readonly greeting: Uint8Array[] | null;
  /** The peer is accepted: returns the pipe for the session to join. */
  sessionReady(session: Connection, peer: Peer): StreamPipe;
  /** The pipe is joined and can be written to. */
  sessionLinked(pipe: StreamPipe, peer: Peer): void;
  /** The connection is gone and the pipe unlinked. Called once, not after `close()`. */
  sessionEnded(session: Connection, end: SessionEnd): void;
  nextPeerId(): number;
}
