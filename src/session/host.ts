/**
 * What sessions, diallers and listeners need from their socket.
 */

import type { EventType, Peer, SocketEvents } from "../base/events.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import type { Pipe, PipeOwner } from "../engine/pipe.js";
import type { OptionValues } from "../options/options.js";

/** Messages that were thrown away. */
export interface Lost {
  /** Dropped on their way, which no strategy knows of. */
  messages: number;
  /** Received and not read, at the end of the socket or of an endpoint. */
  unread: number;
  /** Accepted and not sent, at the end of the socket, of an endpoint, or of the connection that had them. */
  unsent: number;
  /** Tells of unread and unsent messages that were counted since the last call: the event "drop". */
  tell(place: Omit<SocketEvents["drop"], "unread" | "unsent">): void;
  /** A message of so many bytes was dropped, because too many connections ended while it was being sent (maxResends). */
  giveUp(peer: Peer | undefined, bytes: number): void;
}

export interface SocketHost extends PipeOwner {
  /** ZMTP socket type, such as `PUSH`. */
  readonly socketType: string;
  readonly options: OptionValues;
  /** Connections carry bytes without framing or handshake (STREAM). */
  readonly raw: boolean;
  /** Behaves like libzmq where zwire's own behaviour is more lenient. */
  readonly asLibzmq: boolean;
  /** Time, turns of the event loop and randomness, for everything that belongs to the socket. */
  readonly runtime: Runtime;
  /** Whether the application has closed the socket. */
  readonly closed: boolean;
  /** Whether it takes no new endpoints and peers, because it is being drained. */
  readonly draining: boolean;
  /** Whether open connections keep the process alive. */
  readonly refed: boolean;
  /** Returns the number of a new peer. */
  nextPeerId(): number;
  /** Adds the pipe to routing. */
  attachPipe(pipe: Pipe): void;
  /** Removes the pipe from routing. Messages that it has received stay readable. */
  detachPipe(pipe: Pipe): void;
  /** Asked at the end of a CURVE handshake: whether the peer's key may be used. */
  passesKey(publicKey: Uint8Array): boolean;
  /**
   * Asked after the handshake: why the socket refuses the peer, or null if it accepts it.
   * @param pipe the pipe that the peer would join, if a dialled endpoint already has one
   * @param chosen the name that connect() gave to the peer, or null
   */
  refusalOf(peer: Peer, pipe: Pipe | null, chosen: Buffer | null): Error | null;
  /** Whether the messages that wait in the pipe of a dialled endpoint are for the peer that has now connected. */
  resumes(pipe: Pipe, peer: Peer, chosen: Buffer | null): boolean;
  /** The handshake of the pipe's connection is complete. */
  pipeConnected(pipe: Pipe, peer: Peer): void;
  /** The pipe has lost its connection; a dialled one may get another. */
  pipeDisconnected(pipe: Pipe): void;
  readonly lost: Lost;
  emitEvent<E extends EventType>(type: E, payload: SocketEvents[E]): void;
}

/** A connection of an endpoint, for a drain of the socket. */
export interface Link {
  readonly pipe: Pipe;
  /** Changes when something arrives. */
  readonly received: number;
  /** Whether something has arrived in part, or is still being unpacked. */
  readonly partial: boolean;
  /** Whether nothing is lost that the peer still has in its queue when the connection ends: it dialled, and will dial again. */
  readonly peerKeeps: boolean;
  /**
   * Takes the connection out of routing, and lets the peer find the end of what we send; what it has sent is still read. Call
   * it when nothing is unsent.
   * @returns false if it has to be called again
   */
  end(): boolean;
}

/** A bound or connected endpoint of a socket. */
export interface EndpointHandle {
  /** The name by which the application may unbind or disconnect it. */
  readonly endpoint: string;
  /** The pipe of a dialled endpoint, which queues messages for its peer; or null. */
  readonly pipe?: Pipe | null;
  /** The name that connect() gave to the peer (I11). */
  readonly routingId?: Buffer | null;
  /** Of a dialled endpoint: the id of its present or last peer. */
  readonly peerId?: number;
  /** The endpoints that it has connected: each of the addresses of a name. */
  readonly handles?: readonly EndpointHandle[];
  /** Does not dial again when its connection ends. */
  retire?(): void;
  /** Flushes for at most `lingerMs` milliseconds (-1: without limit), then closes. */
  close(lingerMs: number): Promise<void>;
  /** Number of messages that wait to be sent. */
  readonly unsent: number;
  /** From now on it takes no new peer, and dials only while messages wait for its peer. Present connections stay. */
  drain(): void;
  /** Its connections. */
  readonly links: Iterable<Link>;
  /** Ends the wait of a running close(): drops the messages that are left. */
  abandon(): void;
  /** Drops the connection of a pipe and connects again; false when the pipe belongs to another endpoint. */
  reset(pipe: Pipe): boolean;
  ref(): void;
  unref(): void;
}
