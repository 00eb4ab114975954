/**
 * The two bounded queues of one peer, as patterns and sockets use them. inbound-pipe.ts has the incoming queue. The outgoing
 * one is added by stream-pipe.ts, which sends through a session's stream, by direct-pipe.ts, which joins two sockets of one
 * thread, and by datagram-pipe.ts. Uses no I/O and no clock.
 */

import type { Peer } from "../base/events.js";
import type { Message, OutMessage } from "../base/message.js";
import type { Buffer } from "../base/platform.js";
import type { Budget } from "./budget.js";
import type { FrameFilter } from "./incoming/frame-run.js";
import type { Shared } from "./outgoing/shared-run.js";

/** The socket's high-water marks, read at each use, so that a change takes effect at once (G7). 0 means no limit (G5). */
export interface PipeLimits {
  readonly sendHighWaterMark: number;
  readonly sendHighWaterMarkBytes: number;
  readonly receiveHighWaterMark: number;
  readonly receiveHighWaterMarkBytes: number;
  /** Whether only the newest message waits: of all, or of each topic in the direction that `PipeOwner.topics` says. */
  readonly conflate: boolean | "topic";
  /** How often to resend a message during which the peer ended the connection; -1 for no limit. */
  readonly maxResends: number;
}

/** A part in memory that one side of a connection has lent to the other. */
export interface Lending {
  readonly bytes: number;
  /** Milliseconds of a monotonic clock. */
  readonly since: number;
}

/** What has arrived on a connection. */
export interface Tally {
  readonly messages: number;
  /** Of frames with their headers. */
  readonly bytes: number;
  /** When the last of it came: milliseconds of the runtime's clock; -1 where nobody looks. */
  readonly heardAt: number;
  /** The security mechanism; null for none, not even NULL. */
  readonly mechanism: string | null;
}

/** Calls `endOfTurn` of each added object once, at the end of the current turn of the event loop. */
export interface FlushScheduler {
  add(gathering: { endOfTurn(): void }): void;
}

/** The socket's side of its pipes. */
export interface PipeOwner {
  /** Bytes that all pipes of the socket hold: received but not yet read, and accepted but not yet sent. */
  readonly received: Budget;
  readonly unsent: Budget;
  /** Whether the program borrows messages: large bodies may be put into memory that it gives back. */
  readonly borrows: boolean;
  /** Whether contexts of traces go with its messages. Does not change once there are pipes. */
  readonly carries: boolean;
  /** Which messages begin with topics: those of a socket that publishes or subscribes. Does not change. */
  readonly topics: "sent" | "received" | null;
  /** Reading from the pipe's peer stopped, because all pipes together hold too much. */
  pipeHeldBack(pipe: Pipe): void;
  /** Messages have arrived; called once per chunk, not per message. */
  pipeReadable(pipe: Pipe): void;
  /** A pipe that had refused a message has room again. */
  pipeWritable(pipe: Pipe): void;
  /** From now on, messages go to the peer through memory that both share. */
  pipeSharesMemory(pipe: Pipe): void;
  /** The peer subscribed to or cancelled a topic. */
  pipeSubscription(pipe: Pipe, topic: Buffer, subscribe: boolean): void;
}

/** The limit that stops further messages from being queued. */
export interface ReachedLimit {
  readonly limit: "sendHighWaterMark" | "sendHighWaterMarkBytes" | "maxQueuedBytes";
  /** Messages or bytes that count against it. */
  readonly value: number;
}

/** Called with each message on arrival; returns true when it has consumed the message, which is then not queued. */
export type Interceptor = (pipe: Pipe, message: Message) => boolean;

/** A full queue has room again when it has fallen to half of its mark (G8). */
export const lowWaterMark = (mark: number): number => mark >> 1;

/** How much fits below a mark; 0 is no mark. */
function belowMark(mark: number, used: number): number {
  return mark === 0 ? Number.POSITIVE_INFINITY : mark - used;
}

export abstract class Pipe {
  /** The peer at the other end; undefined while a dialled pipe waits for its first handshake. */
  peer: Peer | undefined = undefined;
  /** Whether a fair queue holds this pipe. Only the fair queue uses it. */
  queued = false;
  /** Whether a load balancer may offer it messages. Only the load balancer uses it. */
  active = false;
  /** The peer's name on sockets that route by name. Set before the handshake if connect() gave one. */
  routingId: Buffer | null = null;
  /** Set by socket types that inspect messages on arrival. */
  intercept: Interceptor | null = null;
  /** Whether the pipe can get a new connection after losing one. Over inproc it ends with its connection. */
  readonly outlivesConnection: boolean = true;
  /** Whether nobody behind it tells what it wants, so that everything is sent to it: udp. */
  readonly wantsAll: boolean = false;
  /** Gathers messages for this pipe and others. They must be handed over before anything else is sent. */
  gathering: { settle(): void } | null = null;
  /** Calls back at the end of the turn. */
  readonly scheduler: FlushScheduler;
  /** The pipe refused a message, that was reported, and it has had no room since. Only the reporting code uses it. */
  overflowing = false;
  /** Whether messages go to the peer through memory that both share. */
  sharesMemory = false;
  /** Decides on messages before their Buffers are created. Set by socket types that want only some messages. */
  filter: FrameFilter | null = null;
  /** Whether this side dialled. */
  dialled = false;
  /** When the present connection was made: milliseconds of the runtime's clock. */
  connectedAt = 0;
  /** Messages of the present connection that the kernel or the peer has taken, and the bytes of their frames. */
  takenMessages = 0;
  takenBytes = 0;
  /** The socket has no use for it any more: it must not be given messages, because nobody would take them from it. */
  left = false;
  /** Messages that were dropped because this peer was full, since the pipe exists. */
  dropped = 0;
  /** Whether contexts of traces go with the messages of the socket: then messages are queued with a part in front. */
  readonly carries: boolean;
  /** The option of the endpoint: what waits of one kind would be out of order if it changed. */
  readonly conflate: boolean | "topic";
  /** Whether only the newest of what is sent, or received, waits: of all, or of each topic. */
  readonly conflatesSent: boolean;
  readonly conflatesReceived: boolean;
  protected readonly owner: PipeOwner;
  protected readonly limits: PipeLimits;

  /** @param conflate the option as it was when the endpoint was bound or connected */
  constructor(
    owner: PipeOwner,
    limits: PipeLimits,
    scheduler: FlushScheduler,
    conflate: boolean | "topic" = limits.conflate,
  ) {
    this.conflate = conflate;
    this.conflatesSent = conflate === true || (conflate === "topic" && owner.topics === "sent");
    this.conflatesReceived = conflate === true || (conflate === "topic" && owner.topics === "received");
    this.scheduler = scheduler;
    this.owner = owner;
    this.limits = limits;
    this.carries = owner.carries;
  }

  /** Queues one whole message; false when a limit forbids it, and then pipeWritable follows. */
  abstract trySend(message: OutMessage): boolean;
  /** As trySend, for a message that was encoded once for many peers. */
  abstract trySendShared(shared: Shared, message: OutMessage): boolean;
  /** Whether sendShared() may be used. */
  abstract get shares(): boolean;
  /**
   * Queues messages that were encoded together for many peers. The caller has checked that there is room.
   * @param flush whether the turn is over, so that the pipe writes at once
   */
  abstract sendShared(shared: Shared, flush: boolean): void;
  /** Whether trySend would accept a message now; after false, pipeWritable follows. */
  abstract hasRoom(): boolean;
  /** Sends the peer one subscription of this socket. High-water marks do not apply. */
  abstract sendSubscription(topic: Buffer, subscribe: boolean): void;
  /** Drops the oldest waiting messages, so that the next one is accepted. Returns how many were dropped. */
  abstract dropOldest(): number;
  /** Drops all messages not yet taken by the kernel or the peer; returns how many. */
  abstract discardOutbound(): number;
  /** Closes this connection because of the peer, and emits an event with the error. */
  abstract fail(error: Error): void;
  /** The limits may have been raised, so a refused sender may have room now (G7). */
  abstract limitsChanged(): void;
  /** What has arrived on the present connection. */
  abstract get tally(): Tally | undefined;
  /** Called when nothing waits to be sent. Set while a close lingers. */
  abstract onEmpty: (() => void) | null;
  /** Hands over what was gathered in this turn of the event loop. */
  abstract endOfTurn(): void;
  /** Whether there is a connection now. */
  abstract get linked(): boolean;
  /** Messages accepted and not yet taken by the kernel or the peer. */
  abstract get outboundLength(): number;
  /** Their bytes, with the headers of their frames. */
  abstract get outboundBytes(): number;
  /** Messages received and not yet read. */
  abstract get inboundLength(): number;
  /** Their bytes, as they count against the marks. */
  abstract get inboundBytes(): number;
  /** Whether reading is paused because the application does not keep up. */
  abstract get throttled(): boolean;
  /** The next message of this peer, or undefined. */
  abstract read(): Message | undefined;
  /** Queues a message for the application to read. */
  abstract enqueue(message: Message): void;
  /** Drops all unread messages (S13). */
  abstract discardInbound(): void;
  /** Reads nothing more from the peer until letOn(). */
  abstract holdBack(): void;
  /** Undoes holdBack(). */
  abstract letOn(): void;

  /** Whether the program borrows messages and gives them back. */
  get borrows(): boolean {
    return this.owner.borrows;
  }

  /** Number of messages that the pipe accepts before it reaches its mark. */
  get room(): number {
    return belowMark(this.limits.sendHighWaterMark, this.outboundLength);
  }

  /** Bytes that the pipe accepts before it reaches its mark. The message that reaches the mark may exceed it. */
  get roomBytes(): number {
    return belowMark(this.limits.sendHighWaterMarkBytes, this.outboundBytes);
  }

  /** The limit that refused a message. */
  get reached(): ReachedLimit {
    const { sendHighWaterMark, sendHighWaterMarkBytes } = this.limits;
    const messages = this.outboundLength;
    if (sendHighWaterMark > 0 && messages >= sendHighWaterMark)
      return { limit: "sendHighWaterMark", value: messages };
    const bytes = this.outboundBytes;
    return sendHighWaterMarkBytes > 0 && bytes >= sendHighWaterMarkBytes
      ? { limit: "sendHighWaterMarkBytes", value: bytes }
      : { limit: "maxQueuedBytes", value: this.owner.unsent.held };
  }

  /** Lets go of the messages that the peer has read by now. */
  progressed(): void {}

  /** What the peer has of us, and what the program has of the peer. */
  get lent(): Iterable<Lending> {
    return [];
  }

  get borrowed(): Iterable<Lending> {
    return [];
  }
}
