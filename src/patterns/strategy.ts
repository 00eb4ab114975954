/**
 * A strategy implements a socket type: it decides which peers get a message and from which peers messages are read. The
 * socket core holds it, moves the messages, and tells it what happens to its pipes. A strategy does not know connections,
 * endpoints or the API.
 */

import type { Peer } from "../base/events.js";
import type { Message, OutMessage } from "../base/message.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import type { CallOptions, Turns } from "../base/waiting.js";
import type { DatagramForm } from "../engine/datagrams/form.js";
import type { Pipe, PipeOwner } from "../engine/pipe.js";
import type { OptionName, OptionValues } from "../options/options.js";
import type { FairQueue } from "./fair-queue.js";

/** What a strategy may use of the core that holds it. */
export interface StrategyHost extends Pick<PipeOwner, "unsent"> {
  readonly options: OptionValues;
  readonly turns: Turns;
  /** Time and random numbers. Not available in the constructor, because the socket's context is set later. */
  readonly runtime: Runtime;
  /** Behaves like libzmq where zwire's own behaviour is more lenient. */
  readonly asLibzmq: boolean;
  readonly closed: boolean;
  /** Whether anything is bound or connected. */
  readonly attached: boolean;
  /** The pipes that take part in routing. */
  readonly pipes: ReadonlySet<Pipe>;
  /** Messages from all peers, in turn (G10). */
  readonly inbound: FairQueue;
  /** There may be room for waiting sends now. */
  roomForSends(): void;
  /** There may be a message for waiting receives now. */
  serveReceives(): void;
  /** The strategy itself put a message into a pipe. */
  pipeReadable(pipe: Pipe): void;
  /** From now on, if the event loop is late, a send for which `mayMiss` is true waits until it has caught up. */
  holdWhenLate(mayMiss: (message: OutMessage) => boolean): void;
  /** Sends and receives as the application does. */
  send(message: OutMessage, options: CallOptions | undefined): Promise<void>;
  receive(options: CallOptions | undefined): Promise<Message>;
  /** Whether connect() gave the name to a peer. The peer may not be connected yet. */
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

/** Additional members of types that send. */
export interface Sending {
  /** Queues a message at a peer; false if no peer has room. May throw a ZmqError, which rejects the send. */
  send(message: OutMessage): boolean;
  /** Whether send() would take a message now. */
  readonly canSend: boolean;
}

/**
 * Additional members of types that receive.
 * @typeParam M one message as the application sees it
 */
export interface Receiving<M = Message> {
  /** The next message, or undefined. */
  next(): M | undefined;
}

const NONE: readonly Message[] = [];

/** The last messages of topics that a publisher keeps. */
export interface LastValuesKept {
  readonly topics: number;
  /** Those that its limits left no room for, so far. */
  readonly evicted: number;
}

const NOTHING_KEPT: LastValuesKept = { topics: 0, evicted: 0 };

/**
 * The defaults, which suit most types: each type overrides what it needs, and implements Sending, Receiving or both. When
 * the core is constructed, it checks which of the two the strategy has.
 */
export abstract class Strategy {
  protected readonly host: StrategyHost;

  constructor(host: StrategyHost) {
    this.host = host;
  }

  /** Adds the pipe to routing. */
  attach(_pipe: Pipe): void {}

  /** Removes the pipe from routing. Messages that it has received stay readable. */
  detach(_pipe: Pipe): void {}

  /** A peer has connected. The application has not been told yet. */
  connected(_pipe: Pipe, _peer: Peer): void {}

  /** The application has been told of the peer, and may have closed the socket. */
  announced(_pipe: Pipe): void {}

  /** The peer is gone. A dialled pipe may get another. */
  disconnected(_pipe: Pipe): void {}

  /** A pipe that had refused a message has room again. */
  writable(_pipe: Pipe): void {}

  /** The peer subscribed to or cancelled a topic. Most types ignore it (F5). */
  subscription(_pipe: Pipe, _topic: Buffer, _subscribe: boolean): void {}

  /** An option that takes effect at once has changed. */
  optionChanged(): void {}

  /** The socket closes: operations that wait in the strategy fail with the error. */
  close(_error: Error): void {}

  /** Why the socket refuses a peer, or null; as SocketHost.refusalOf. */
  refusalOf(_peer: Peer, _pipe: Pipe | null, _chosen: Buffer | null): Error | null {
    return null;
  }

  /** Whether the messages that wait in a dialled pipe are for the peer that has now connected. */
  resumes(_pipe: Pipe, _peer: Peer, _chosen: Buffer | null): boolean {
    return true;
  }

  /** By what the program addresses peers; null: by nothing. */
  readonly names: "bytes" | "numbers" | null = null;

  /** The pipe of such a name. */
  named(_name: Uint8Array | number): Pipe | undefined {
    return undefined;
  }

  /** The name by which the program addresses a peer; null if it does not. */
  nameOf(_pipe: Pipe): Buffer | number | null {
    return null;
  }

  /** Number of dropped messages, or copies of one. */
  get dropped(): number {
    return 0;
  }

  /** Messages that are kept for peers to come, if the type keeps any. */
  get lastValues(): LastValuesKept {
    return NOTHING_KEPT;
  }

  /** Whether a peer that is there is still due some of them. */
  get catchingUp(): boolean {
    return false;
  }

  /** Whether a message that was taken and given back still waits to be received. */
  wants(_message: unknown): boolean {
    return true;
  }

  /** The sender of the message that next() has just returned. */
  get origin(): Peer | undefined {
    return this.host.inbound.sender;
  }

  /** Number of readable messages, including those of peers that have left. */
  get unread(): number {
    return this.host.inbound.length;
  }

  /** Whether the pattern allows receiving now. */
  get mayReceive(): boolean {
    return true;
  }

  /** Whether somebody waits for an answer of the program. */
  get owes(): boolean {
    return false;
  }

  /** Whether a request waits for its reply. */
  get awaitsReply(): boolean {
    return false;
  }

  /** Whether what it receives is about what it sends, and no message that somebody must read. */
  readonly onlySends: boolean = false;

  /** Whether next() may skip unread messages. */
  get mayHoldUnwanted(): boolean {
    return false;
  }

  /** The unread messages of a pipe that stay readable when its endpoint is disconnected. */
  kept(_pipe: Pipe): readonly Message[] {
    return NONE;
  }
}

/** How a socket type uses transports of datagrams: udp. */
export interface DatagramUse {
  readonly form: DatagramForm;
  /** The call by which it opens an endpoint; libzmq allows no other. */
  readonly opens: "bind" | "connect";
  /** It uses no other transports, one endpoint at a time, and sends from where it is bound. */
  readonly only?: true;
}

/** Facts about a socket type, and the factory of its strategy. */
export interface SocketType<S extends Strategy = Strategy> {
  /** libzmq's number of the type. */
  readonly number: number;
  /** ZMTP name, such as `PUSH`. */
  readonly name: string;
  readonly strategy: new (host: StrategyHost) => S;
  /** Connecting the same endpoint twice keeps one connection (G15). */
  readonly singleConnection?: true;
  /** Connections carry bytes without framing (STREAM). */
  readonly raw?: true;
  /** Which messages begin with topics: see PipeOwner. */
  readonly topics?: "sent" | "received";
  /** Absent for types that use only streams. */
  readonly datagrams?: DatagramUse;
  /** One of libzmq's thread-safe types, whose messages have one part. */
  readonly threadSafe?: true;
}

/** An interceptor that discards every message. */
export function discard(): boolean {
  return true;
}

/** Whether no pipe holds unread messages, including those that are not ready yet. */
export function drained(pipes: Iterable<Pipe>): boolean {
  for (const pipe of pipes) if (pipe.inboundLength > 0) return false;
  return true;
}
