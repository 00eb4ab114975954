/**
 * The two bounded queues of one peer: the interface that patterns use, and the implementation of the incoming queue. Two
 * classes add the outgoing one: stream-pipe.ts sends through a session's stream, direct-pipe.ts joins two sockets of one
 * thread. Uses no I/O and no clock. Hot path.
 */

import type { Peer } from "../base/events.js";
import { Fifo } from "../base/fifo.js";
import { anyLent, letGoOf } from "../base/lent.js";
import type { Message, OutMessage } from "../base/message.js";
import type { Buffer } from "../base/platform.js";
import { type Budget, FREE_BYTES, type Waiting } from "./budget.js";
import type { FrameFilter, FrameRun } from "./incoming/frame-run.js";
import { NewestMessage, NewestOfTopics } from "./incoming/newest.js";
import { OpenMessage } from "./incoming/open-message.js";
import { heldBytes, PART_COST } from "./message-size.js";
import type { Shared } from "./outgoing/shared-run.js";

/** The socket's high-water marks, read at each use, so that a change takes effect at once (G7). 0 means no limit (G5). */
export interface PipeLimits {
  readonly sendHighWaterMark: number;
  readonly sendHighWaterMarkBytes: number;
  readonly receiveHighWaterMark: number;
  readonly receiveHighWaterMarkBytes: number;
  /** Whether only the newest message waits: of all, or of each topic in the direction that `Pipe.topics` says. */
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
export function belowMark(mark: number, used: number): number {
  return mark === 0 ? Number.POSITIVE_INFINITY : mark - used;
}

/** What stands in the queue in place of whole messages. */
type Queued = FrameRun | OpenMessage | NewestMessage;

export abstract class Pipe implements Waiting {
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
  /** Which messages begin with topics. Set by socket types that publish or subscribe. */
  topics: "sent" | "received" | null = null;
  /** Whether contexts of traces go with the messages of the socket: then messages are queued with a part in front. */
  readonly carries: boolean;
  readonly #inbound = new Fifo<Message | Queued>();
  #inboundLength = 0;
  /** A run taken from the queue that still holds messages. */
  #run: Queued | null = null;
  /** The places of topics in the queue, where only the newest message of each waits. */
  #newest: NewestOfTopics | null = null;
  /** The option of the endpoint: what waits of one kind would be out of order if it changed. */
  readonly conflate: boolean | "topic";
  protected readonly owner: PipeOwner;
  protected readonly limits: PipeLimits;
  readonly #budget: Budget;
  /** Bytes of queued messages, and of an incomplete message. Both count against the limits. */
  #inboundBytes = 0;
  #openBytes = 0;
  #throttled = false;
  /** Reading has stopped whatever the marks say. */
  #heldBack = false;

  /** @param conflate the option as it was when the endpoint was bound or connected */
  constructor(
    owner: PipeOwner,
    limits: PipeLimits,
    scheduler: FlushScheduler,
    conflate: boolean | "topic" = limits.conflate,
  ) {
    this.conflate = conflate;
    this.scheduler = scheduler;
    this.owner = owner;
    this.limits = limits;
    this.#budget = owner.received;
    this.carries = owner.carries;
  }

  /** Queues one whole message; false when a limit forbids it, and then pipeWritable follows. */
  abstract trySend(message: OutMessage): boolean;
  /** As trySend, for a message that was encoded once for many peers. */
  abstract trySendShared(shared: Shared, message: OutMessage): boolean;
  /** Whether sendShared() may be used. */
  abstract get shares(): boolean;
  /** Number of messages that the pipe accepts before it reaches its mark. */
  abstract get room(): number;
  /** Bytes that the pipe accepts before it reaches its mark. The message that reaches the mark may exceed it. */
  abstract get roomBytes(): number;
  /**
   * Queues messages that were encoded together for many peers. The caller has checked that there is room.
   * @param flush whether the turn is over, so that the pipe writes at once
   */
  abstract sendShared(shared: Shared, flush: boolean): void;
  /** Whether trySend would accept a message now; after false, pipeWritable follows. */
  abstract hasRoom(): boolean;
  /** Sends the peer one subscription of this socket. High-water marks do not apply. */
  abstract sendSubscription(topic: Buffer, subscribe: boolean): void;
  /** The limit that refused a message. */
  abstract get reached(): ReachedLimit;
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
  protected abstract pauseReading(): void;
  protected abstract resumeReading(): void;

  /** Whether the program borrows messages and gives them back. */
  get borrows(): boolean {
    return this.owner.borrows;
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

  /** Messages received and not yet read. */
  get inboundLength(): number {
    return this.#inboundLength;
  }

  /** A message has arrived. */
  deliver(message: Message): void {
    if (!this.intercept?.(this, message)) this.enqueue(message);
    else letGoOf(message);
  }

  /** Many messages have arrived. */
  deliverRun(run: FrameRun): void {
    if (this.filter !== null) run.retain(this.filter);
    else if (this.intercept !== null) {
      while (run.length > 0) this.deliver(run.shift());
      return;
    }
    if (run.length === 0) return;
    if (this.conflatesReceived) {
      while (run.length > 0) this.enqueue(run.shift());
      return;
    }
    this.#queue(run);
  }

  /** A message of very many parts has arrived. */
  deliverLong(message: OpenMessage): void {
    if (this.filter !== null) {
      if (!message.wanted(this.filter)) {
        message.letGo();
        return;
      }
    } else if (this.intercept !== null) {
      this.deliver(message.shift());
      return;
    }
    if (this.conflatesReceived) this.enqueue(message.shift());
    else this.#queue(message);
  }

  /** Whether only the newest of what is received waits. */
  get conflatesReceived(): boolean {
    const { conflate } = this;
    return conflate === true || (conflate === "topic" && this.topics === "received");
  }

  #queue(run: Queued): void {
    this.#inbound.push(run);
    this.#inboundLength += run.length;
    this.#hold(run.cost);
  }

  #hold(bytes: number): void {
    this.#inboundBytes += bytes;
    this.#budget.add(bytes);
  }

  #letGo(bytes: number): void {
    this.#inboundBytes -= bytes;
    this.#budget.remove(bytes);
  }

  /** Queues a message for the application to read. */
  enqueue(message: Message): void {
    if (this.conflate && this.conflatesReceived && this.#conflated(message)) return;
    this.#inbound.push(message);
    this.#inboundLength++;
    const bytes = message.length === 1 ? message[0].length + PART_COST : heldBytes(message);
    this.#inboundBytes += bytes;
    this.#budget.held += bytes;
  }

  /** Makes room for the newest message (G14). True: it has been queued in its topic's place. */
  #conflated(message: Message): boolean {
    if (this.conflate === "topic") return this.putNewest(message);
    this.conflateInbound();
    return false;
  }

  /** Makes room for the newest message of all. */
  protected conflateInbound(): void {
    if (this.#inboundLength > 0) this.#budget.conflated++;
    this.discardInbound();
  }

  /** Queues a message in the place of the one of its topic that waits. False for a message without a topic. */
  protected putNewest(message: Message): boolean {
    this.#newest ??= new NewestOfTopics();
    const place = this.#newest.put(message);
    if (place === undefined) return false;
    if (place === null) {
      this.#budget.conflated++;
      if (this.#newest.grown > 0) this.#hold(this.#newest.grown);
      else this.#letGo(-this.#newest.grown);
    } else this.#queue(place);
    return true;
  }

  /** Whether putNewest() would add neither a message nor bytes. */
  protected coveredByNewest(message: Message): boolean {
    return this.#newest?.covers(message) === true;
  }

  /** The peer subscribed to or cancelled a topic. */
  subscription(topic: Buffer, subscribe: boolean): void {
    this.owner.pipeSubscription(this, topic, subscribe);
  }

  /**
   * Call at the end of each chunk: enforces the receive marks and wakes the socket.
   * @param openBytes what an incomplete message counts against the marks
   */
  delivered(openBytes: number): void {
    if (openBytes !== this.#openBytes) this.#begun(openBytes);
    if (!this.#throttled && this.#mustPause()) {
      this.#throttled = true;
      this.pauseReading();
    }
    if (this.#inboundLength > 0) this.owner.pipeReadable(this);
  }

  #begun(openBytes: number): void {
    const more = openBytes - this.#openBytes;
    this.#openBytes = openBytes;
    if (more > 0) this.#budget.add(more);
    else this.#budget.remove(-more);
    if (openBytes === 0) this.#budget.done(this);
  }

  /** The next message of this peer, or undefined. */
  read(): Message | undefined {
    if (this.#inboundLength === 0) return undefined;
    this.#inboundLength--;
    const message = this.#take();
    if (this.#throttled && this.#belowMark()) this.#readOn();
    return message;
  }

  /** Moves the oldest unread messages to the end of the queue. */
  moveToEnd(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#inboundLength--;
      this.enqueue(this.#take());
    }
  }

  /** Resets the count when the queue is empty. A message may have shrunk while it was queued, so the sum may be off. */
  protected clearCount(): void {
    this.#letGo(this.#inboundBytes);
  }

  /** Drops the oldest unread message. There must be one. */
  forgetOldest(): void {
    this.#inboundLength--;
    this.#take();
  }

  #readOn(): void {
    this.#throttled = false;
    this.resumeReading();
  }

  #take(): Message {
    let run = this.#run;
    if (run === null) {
      const head = this.#inbound.shift() as Message | Queued;
      if (Array.isArray(head)) {
        const bytes = head.length === 1 ? head[0].length + PART_COST : heldBytes(head);
        this.#inboundBytes -= bytes;
        this.#budget.held -= bytes;
        if (this.#budget.watched) this.#budget.fell();
        return head;
      }
      run = head;
      this.#run = run;
    }
    const message = run.shift();
    if (run.length === 0) {
      this.#run = null;
      this.#letGo(run.cost);
    }
    return message;
  }

  /** Bytes of the messages received and not yet read, as they count against the marks. */
  get inboundBytes(): number {
    return this.#inboundBytes;
  }

  /** Drops all unread messages (S13). */
  discardInbound(): void {
    if (anyLent()) {
      for (const entry of this.#inbound) {
        if (entry instanceof OpenMessage || entry instanceof NewestMessage) entry.letGo();
        else letGoOf(entry);
      }
    }
    this.#inbound.clear();
    this.#newest?.clear();
    this.#run = null;
    this.#inboundLength = 0;
    this.#letGo(this.#inboundBytes);
  }

  /** Whether reading is paused because the application does not keep up. */
  get throttled(): boolean {
    return this.#throttled;
  }

  #mustPause(): boolean {
    const { receiveHighWaterMark, receiveHighWaterMarkBytes } = this.limits;
    if (this.conflate === true) return false;
    const bytes = this.#inboundBytes + this.#openBytes;
    if (this.#inboundLength > 0) {
      if (receiveHighWaterMark > 0 && this.#inboundLength >= receiveHighWaterMark) return true;
      if (receiveHighWaterMarkBytes > 0 && bytes >= receiveHighWaterMarkBytes) return true;
    }
    if (bytes < FREE_BYTES || !this.#budget.full || this.#mayFinish()) return false;
    this.#budget.wait(this);
    this.owner.pipeHeldBack(this);
    return true;
  }

  /** An incomplete message frees its memory only after its end has arrived, so one pipe at a time may read on. */
  #mayFinish(): boolean {
    return this.#inboundLength === 0 && this.#budget.favours(this);
  }

  /** Reads nothing more from the peer until letOn(). */
  holdBack(): void {
    this.#heldBack = true;
    if (this.#throttled) return;
    this.#throttled = true;
    this.pauseReading();
  }

  /** Undoes holdBack(). */
  letOn(): void {
    if (!this.#heldBack) return;
    this.#heldBack = false;
    if (this.#throttled && this.#belowMark()) this.#readOn();
  }

  #belowMark(): boolean {
    if (this.#heldBack) return false;
    const { receiveHighWaterMark, receiveHighWaterMarkBytes } = this.limits;
    const bytes = this.#inboundBytes + this.#openBytes;
    if (this.#inboundLength > 0) {
      if (receiveHighWaterMark > 0 && this.#inboundLength > lowWaterMark(receiveHighWaterMark)) return false;
      if (receiveHighWaterMarkBytes > 0 && bytes > lowWaterMark(receiveHighWaterMarkBytes)) return false;
    }
    if (bytes < FREE_BYTES || this.#budget.low || this.#mayFinish()) return true;
    this.#budget.wait(this);
    return false;
  }

  /** The connection is gone: an incomplete message will not be continued. */
  protected connectionLost(): void {
    if (this.#openBytes > 0) this.#begun(0);
    this.#budget.forget(this);
    if (this.#throttled && this.#belowMark()) this.#throttled = false;
  }

  /** Called by the budget: other pipes hold less, or the pipe that was allowed to read on has completed its message. */
  budgetFell(): void {
    if (this.#throttled && this.#belowMark()) this.#readOn();
  }
}
