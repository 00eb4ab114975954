/**
 * What a connection and its maker know of each other.
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
  /** The application ended it, and wants no other in its place (M4). */
  readonly final?: boolean;
}

/** One connection as its maker sees it: a session, or a raw one. */
export interface Connection {
  readonly stream: Stream;
  /** Who is at the other end, once the handshake is complete. */
  readonly peer: Peer | undefined;
  /** Begin to read. */
  start(): void;
  /** Close from our side, dropping what is not yet written; the owner is not called. */
  close(): void;
}

/** Who made the session: a dialler or a listener. */
export interface SessionOwner {
  readonly runtime: Runtime;
  readonly socketType: string;
  /** The endpoint of ours, bound or connected. */
  readonly endpoint: string;
  /** The handshake is complete: why the peer is turned away all the same, or null. */
  refusalOf(peer: Peer): Error | null;
  /** What each peer is to get before anything else, as bytes; null for nothing. */
  readonly greeting: Uint8Array[] | null;
  /** The peer is ours: gives the pipe to join. */
  sessionReady(session: Connection, peer: Peer): StreamPipe;
  /** The pipe is joined and can be written to. */
  sessionLinked(pipe: StreamPipe, peer: Peer): void;
  /** The connection is gone and the pipe unlinked. Called once, not after `close()`. */
  sessionEnded(session: Connection, end: SessionEnd): void;
  nextPeerId(): number;
}
