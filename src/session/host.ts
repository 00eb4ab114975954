/**
 * What sessions, diallers and listeners need of the socket they work for.
 */

import type { EventType, Peer, SocketEvents } from "../base/events.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import type { Pipe, PipeOwner } from "../engine/pipe.js";
import type { OptionValues } from "../options/options.js";

export interface SocketHost extends PipeOwner {
  /** ZMTP socket type, such as `PUSH`. */
  readonly socketType: string;
  readonly options: OptionValues;
  /** Connections carry bytes without framing or handshake (STREAM). */
  readonly raw: boolean;
  /** Does what libzmq does where zwire is kinder. */
  readonly asLibzmq: boolean;
  /** Time, turns and randomness for everything that works for the socket. */
  readonly runtime: Runtime;
  /** Whether the application has closed the socket. */
  readonly closed: boolean;
  /** Whether open connections keep the process alive. */
  readonly refed: boolean;
  /** A number for a new peer. */
  nextPeerId(): number;
  /** The pipe takes part in routing from now on. */
  attachPipe(pipe: Pipe): void;
  /** The pipe takes no more messages; what it holds unread stays readable. */
  detachPipe(pipe: Pipe): void;
  /**
   * Why the socket cannot have a peer whose handshake is complete, or null.
   * @param pipe that would be its own: of an endpoint that was dialled, where there is one
   * @param chosen the name that connect() gave to the peer, or null
   */
  refusalOf(peer: Peer, pipe: Pipe | null, chosen: Buffer | null): Error | null;
  /** Whether what waits in the pipe of an endpoint that was dialled is for the peer that is there now. */
  resumes(pipe: Pipe, peer: Peer, chosen: Buffer | null): boolean;
  /** A handshake is complete on the pipe. */
  pipeConnected(pipe: Pipe, peer: Peer): void;
  /** The pipe has lost its connection; a dialled one may get another. */
  pipeDisconnected(pipe: Pipe): void;
  /** Too many connections to the peer ended within a message of so many bytes: it is dropped (maxResends). */
  messageGivenUp(peer: Peer | undefined, bytes: number): void;
  emitEvent<E extends EventType>(type: E, payload: SocketEvents[E]): void;
}

/** A bound or connected endpoint of a socket. */
export interface EndpointHandle {
  /** As the application may name it to unbind or disconnect. */
  readonly endpoint: string;
  /** Of an endpoint that was dialled: the queues that wait for its peer, or null. */
  readonly pipe?: Pipe | null;
  /** The name that connect() gave to the peer (I11). */
  readonly routingId?: Buffer | null;
  /** Flush for at most `lingerMs` (-1: for ever), then let go. */
  close(lingerMs: number): Promise<void>;
  /** Messages that wait to be sent. */
  readonly unsent: number;
  /** A close() under way waits no longer: the rest is dropped. */
  abandon(): void;
  /** Drop the connection of a pipe of ours and make it anew; false when the pipe is not ours. */
  reset(pipe: Pipe): boolean;
  ref(): void;
  unref(): void;
}
