/**
 * A strategy decides who gets a message and who may give one: there is one for each socket type. A core holds it, moves
 * the messages, and tells it what happens to its pipes. A strategy sees no connections, no endpoints and no API.
 */

import type { Peer } from "../base/events.js";
import type { Message, OutMessage } from "../base/message.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import type { CallOptions, Turns } from "../base/waiting.js";
import type { Pipe, PipeOwner } from "../engine/pipe.js";
import type { OptionName, OptionValues } from "../options/options.js";
import type { FairQueue } from "./fair-queue.js";

/** What a strategy may use of the core that holds it. */
export interface StrategyHost extends Pick<PipeOwner, "unsent"> {
  readonly options: OptionValues;
  readonly turns: Turns;
  /** Time, and random numbers; not before the socket's context is known, which is after the construction. */
  readonly runtime: Runtime;
  /** Does what libzmq does where zwire is kinder. */
  readonly asLibzmq: boolean;
  readonly closed: boolean;
  /** Whether anything is bound or connected. */
  readonly attached: boolean;
  /** The pipes that take part in routing. */
  readonly pipes: ReadonlySet<Pipe>;
  /** What peers have sent, in turn (G10). */
  readonly inbound: FairQueue;
  /** Sends that wait may find room now. */
  roomForSends(): void;
  /** Receives that wait may find a message now. */
  serveReceives(): void;
  /** A message was put into a pipe by the strategy itself. */
  pipeReadable(pipe: Pipe): void;
  /** From now on a send for which `mayMiss` is true waits until an event loop that is late has caught up. */
  holdWhenLate(mayMiss: (message: OutMessage) => boolean): void;
  /** Send and receive as the application does. */
  send(message: OutMessage, options: CallOptions | undefined): Promise<void>;
  receive(options: CallOptions | undefined): Promise<Message>;
  /** Whether connect() gave the name to a peer, which may not be there yet. */
  isReserved(id: Buffer): boolean;
  /** Drops the connection of a pipe; the dialling side dials again. */
  resetConnection(pipe: Pipe): void;
  /** Tells the application of a limit: the event "limit". */
  tellLimit(
    peer: Peer | undefined,
    limit: OptionName,
    action: "refused" | "closed" | "ignored" | "dropped" | "paused",
    value: number,
  ): void;
}

/** What a type that sends has in addition. */
export interface Sending {
  /** Queues a message at a peer; false when none has room. May throw a ZmqError, which rejects the send. */
  send(message: OutMessage): boolean;
  /** Whether send() would take a message now. */
  readonly canSend: boolean;
}

/**
 * What a type that receives has in addition.
 * @typeParam M one message as the application sees it
 */
export interface Receiving<M = Message> {
  /** The next message, or undefined. */
  next(): M | undefined;
}

const NONE: readonly Message[] = [];

/**
 * The parts that most types leave as they are: each type overrides what it needs, and adds Sending, Receiving or both.
 * The core looks at the construction which of the two it has.
 */
export abstract class Strategy {
  protected readonly host: StrategyHost;

  constructor(host: StrategyHost) {
    this.host = host;
  }

  /** The pipe takes part in routing from now on. */
  attach(_pipe: Pipe): void {}

  /** The pipe takes no more messages; what it holds unread stays readable. */
  detach(_pipe: Pipe): void {}

  /** A peer is there; the application does not know yet. */
  connected(_pipe: Pipe, _peer: Peer): void {}

  /** The application has been told of the peer, and may have closed the socket. */
  announced(_pipe: Pipe): void {}

  /** The peer has gone; a dialled pipe may get another. */
  disconnected(_pipe: Pipe): void {}

  /** A pipe that had refused a message has room again. */
  writable(_pipe: Pipe): void {}

  /** The peer subscribed to or cancelled a topic. Most types ignore it (F5). */
  subscription(_pipe: Pipe, _topic: Buffer, _subscribe: boolean): void {}

  /** An option that acts at once has another value. */
  optionChanged(): void {}

  /** The socket closes: whatever waits here fails with the error. */
  close(_error: Error): void {}

  /** Why the socket cannot have a peer, or null; as SocketHost.refusalOf. */
  refusalOf(_peer: Peer, _pipe: Pipe | null, _chosen: Buffer | null): Error | null {
    return null;
  }

  /** Whether what waits in a dialled pipe is for the peer that is there now. */
  resumes(_pipe: Pipe, _peer: Peer, _chosen: Buffer | null): boolean {
    return true;
  }

  /** Messages, or copies of one, that were dropped. */
  get dropped(): number {
    return 0;
  }

  /** Whether a message that was taken and given back is still to be received. */
  wants(_message: unknown): boolean {
    return true;
  }

  /** Who sent the message that next() has just given. */
  get origin(): Peer | undefined {
    return this.host.inbound.sender;
  }

  /** Messages that are ready to be read, also of peers that have left. */
  get unread(): number {
    return this.host.inbound.length;
  }

  /** Whether the pattern allows to receive now. */
  get mayReceive(): boolean {
    return true;
  }

  /** Whether next() may leave out what is there. */
  get mayHoldUnwanted(): boolean {
    return false;
  }

  /** What is kept of the unread messages of a pipe whose endpoint is disconnected. */
  kept(_pipe: Pipe): readonly Message[] {
    return NONE;
  }
}

/** Facts about a socket type, and what makes its strategy. */
export interface SocketType<S extends Strategy = Strategy> {
  /** libzmq's number. */
  readonly number: number;
  /** ZMTP name, such as `PUSH`. */
  readonly name: string;
  readonly strategy: new (host: StrategyHost) => S;
  /** The same endpoint connected twice stays one connection (G15). */
  readonly singleConnection?: true;
  /** Connections carry bytes without framing (STREAM). */
  readonly raw?: true;
  /** libzmq counts it among the thread-safe ones, whose messages have one part. */
  readonly threadSafe?: true;
}

/** An interceptor for peers that have nothing to say. */
export function discard(): boolean {
  return true;
}

/** Whether no pipe holds anything unread, also of what is not ready yet. */
export function drained(pipes: Iterable<Pipe>): boolean {
  for (const pipe of pipes) if (pipe.inboundLength > 0) return false;
  return true;
}
