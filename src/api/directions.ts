/**
 * The two directions of a socket, `send` and `receive`, over the queues of the engine. A socket type extends one of
 * the three classes and says how a message is routed.
 */

import { ZmqError } from "../base/errors.js";
import type { EventOfType, EventType, Peer } from "../base/events.js";
import { type Message, type MessageLike, normaliseMessage, type OutMessage } from "../base/message.js";
import { type CallOptions, checkCallOptions, type Turns } from "../base/turns.js";
import { Socket, type SocketStats } from "../core/socket.js";
import type { Pipe } from "../engine/pipe.js";
import { SendQueue } from "../engine/send-queue.js";
import { ReceiveQueue } from "../engine/waiting-receives.js";
import type { OptionValues } from "../options/options.js";
import { FairQueue } from "../patterns/fair-queue.js";

/** One message as an application gives it: a part, or several. */
export type Sendable = MessageLike | readonly MessageLike[];

const EVERYTHING = 1024;
const SEVERAL_PARTS = "message must have one part on a conflating socket";

/** The sending half of a socket: checks arguments and counts; the queue does the rest. @internal */
export class Sender {
  readonly queue: SendQueue;
  readonly #options: OptionValues;
  /** Messages that were accepted. */
  sent = 0;

  constructor(route: (message: OutMessage) => boolean, options: OptionValues, turns: Turns) {
    this.#options = options;
    const attempt = (message: OutMessage): boolean => {
      // Only one that waited while the option was set: prepare() refuses the others.
      if (options.conflate && Array.isArray(message)) throw new ZmqError("EINVAL", { detail: SEVERAL_PARTS });
      if (!route(message)) return false;
      this.sent++;
      return true;
    };
    this.queue = new SendQueue(attempt, options, turns);
  }

  /** Checks and converts an argument of send. */
  prepare(message: Sendable): OutMessage {
    const parts = normaliseMessage(message);
    if (Array.isArray(parts)) this.#checkParts(parts);
    return parts;
  }

  #checkParts(parts: Uint8Array[]): void {
    const { conflate, maxMessageParts } = this.#options;
    if (conflate) throw new TypeError(SEVERAL_PARTS); // G14
    // Envelopes are not counted.
    if (parts.length > maxMessageParts) {
      const most = `message must have at most ${maxMessageParts} parts (maxMessageParts)`;
      throw new RangeError(`${most}; got ${parts.length}`);
    }
  }

  /** As trySend, for a message that was received: it is what `prepare` would make of it. */
  forward(message: Message): boolean {
    return this.queue.trySend(message.length === 1 ? message[0] : this.prepare(message));
  }

  async sendMany(messages: Iterable<Sendable>, options: CallOptions | undefined): Promise<void> {
    const { queue } = this;
    for (const message of messages) {
      const parts = this.prepare(message);
      // Straight through while there is room; the queue only for what has to wait.
      if (options?.signal?.aborted !== true && !queue.closed && queue.sendStraight(parts)) {
        const turn = queue.rest(parts);
        if (turn !== undefined) await turn;
      } else {
        await queue.send(parts, options);
      }
    }
  }
}

/**
 * A socket that sends.
 * @typeParam S one message as sendMany takes it
 */
export abstract class WritableSocket<S = Sendable> extends Socket {
  /** @internal */
  protected readonly sender = new Sender((message) => this.route(message), this.options, this.turns);

  /** Whether a message could be sent at once: trySend() would not be false. */
  get writable(): boolean {
    return !this.closed && !this.sender.queue.blocked && this.canSend();
  }

  /**
   * Send one message. Resolves when a peer's queue has taken it under its high-water mark; calls keep their order
   * and never interleave, however many are made at once. A buffer given here belongs to zwire until then, and one
   * above 16 KiB until it is on the wire. A Publisher, XPublisher or Radio whose event loop stood still for 50 ms or
   * more lets in who dialled meanwhile first, for about 100 ms at most.
   *
   * Rejects with EAGAIN when no peer had room in time or too many sends wait, with the signal's reason on abort,
   * with EBADF when the socket closes; such a message was not sent.
   * @throws TypeError for a part that is no MessageLike; RangeError for more than `maxMessageParts` parts
   */
  send(message: Sendable, options?: CallOptions): Promise<void> {
    if (options !== undefined) checkCallOptions(options);
    return this.sender.queue.send(this.sender.prepare(message), options);
  }

  /**
   * Send one message if there is room now; false when there is none.
   * @throws TypeError as `send`; ZmqError EBADF on a closed socket
   */
  trySend(message: Sendable): boolean {
    return this.sender.queue.trySend(this.sender.prepare(message));
  }

  /**
   * Send many messages, each element one message, for one promise. It rejects as `send` does; the messages before
   * the one that failed were sent, the ones behind it were not.
   */
  sendMany(messages: Iterable<S>, options?: CallOptions): Promise<void> {
    checkCallOptions(options);
    return this.sender.sendMany(messages as Iterable<Sendable>, options);
  }

  override get stats(): SocketStats {
    return { ...super.stats, sendQueue: this.sender.queue.length, messagesSent: this.sender.sent };
  }

  /** @internal for a proxy */
  get outgoing(): Sender {
    return this.sender;
  }

  /** Queue a message at a peer; false when none has room. May throw a ZmqError that rejects the send. */
  protected abstract route(message: OutMessage): boolean;

  /** Whether route() would take a message now. */
  protected abstract canSend(): boolean;

  /** @internal */
  override pipeWritable(_pipe: Pipe): void {
    this.sender.queue.drain();
  }

  protected override sendHeld(): void {
    this.sender.queue.release();
  }

  protected override closeQueues(error: ZmqError): void {
    this.sender.queue.close(error);
  }
}

/**
 * A socket that receives.
 * @typeParam M one message as the application sees it
 */
export abstract class ReadableSocket<M = Message> extends Socket {
  /** @internal */
  protected readonly receives: ReceiveQueue<M> = new ReceiveQueue<M>(
    () => this.#take(),
    this.options,
    this.turns,
    (message) => this.wants(message),
  );
  /** @internal what peers have sent, in turn (G10) */
  protected readonly inbound = new FairQueue();
  #received = 0;
  /** Senders of messages, while `messagePeers` is set. */
  readonly #senders = new WeakMap<object, Peer>();

  /**
   * Who sent a received message; undefined for one that was received without `messagePeers`, or over a `conflate`
   * connection that has been lost since. Takes the array that receive() or iteration gave, not a copy.
   */
  peerOf(message: M): Peer | undefined {
    return this.#senders.get(message as object);
  }

  /** Whether a message could be received at once: tryReceive() would have one. */
  get readable(): boolean {
    return !this.closed && this.receives.waiting === 0 && this.canReceive();
  }

  /**
   * The next message. May be called any number of times at once; calls are served in order. Rejects with EAGAIN on
   * timeout, the signal's reason on abort, EBADF when the socket closes; no message is lost by that.
   */
  receive(options?: CallOptions): Promise<M> {
    if (options !== undefined) checkCallOptions(options);
    return this.receives.receive(options);
  }

  /**
   * The next message if there is one now.
   * @throws ZmqError EBADF on a closed socket
   */
  tryReceive(): M | undefined {
    return this.receives.tryReceive();
  }

  /** All messages that are ready, at least one and at most `max` (default 1024), for one promise. */
  receiveMany(max: number = EVERYTHING, options?: CallOptions): Promise<M[]> {
    checkCallOptions(options);
    if (!Number.isInteger(max) || max < 1) throw new RangeError(`max must be a positive integer; got ${max}`);
    return this.receives.receiveMany(max, options);
  }

  /**
   * Messages until the socket closes. Leaving the loop (`break`, `Readable.from(socket).destroy()`) does not close the
   * socket, and takes no message that has not been given.
   */
  [Symbol.asyncIterator](): AsyncIterator<M, undefined> {
    return this.receives.iterate();
  }

  override get stats(): SocketStats {
    const stats = super.stats;
    stats.receiveQueue += this.receives.returned;
    return { ...stats, waitingReceives: this.receives.waiting, messagesReceived: this.#received };
  }

  /** @internal */
  protected override tells(name: unknown): boolean {
    return name === "message" || super.tells(name);
  }

  /** @internal Messages go to whoever listens now. */
  protected override listenersChanged(name: string): void {
    if (name !== "message") return;
    const listeners = this.rawListeners("message");
    if (listeners.length === 0) this.receives.listen(null);
    else if (listeners.length === 1) {
      this.receives.listen(listeners[0].bind(this)); // the emitter would cost a tenth of a message
    } else this.receives.listen((message) => this.emit("message", message));
  }

  /** @internal for a proxy */
  get incoming(): ReceiveQueue<M> {
    return this.receives;
  }

  #take(): M | undefined {
    const message = this.next();
    if (message === undefined) return undefined;
    this.#received++;
    if (this.options.messagePeers) this.#note(message);
    return message;
  }

  #note(message: M): void {
    const peer = this.origin;
    if (peer !== undefined) this.#senders.set(message as object, peer);
  }

  /** Who sent the message that next() has just given. */
  protected get origin(): Peer | undefined {
    return this.inbound.sender;
  }

  /** @internal */
  override pipeDisconnected(pipe: Pipe): void {
    super.pipeDisconnected(pipe);
    // Which of them a conflating pipe holds cannot be told: a newer one takes the place of what it holds.
    this.inbound.parted(pipe, this.options.conflate ? undefined : pipe.peer);
  }

  /** The next message as the application sees it, or undefined. By default what peers sent, as it is. */
  protected next(): M | undefined {
    return this.inbound.next() as M | undefined;
  }

  /** Whether a message that was taken and given back is still to be received. */
  protected wants(_message: M): boolean {
    return true;
  }

  /** Whether no pipe holds anything unread, also of what is not ready yet. */
  protected get drained(): boolean {
    for (const pipe of this.pipes) if (pipe.inboundLength > 0) return false;
    return true;
  }

  /** Whether next() may leave out what is there. */
  protected get mayHoldUnwanted(): boolean {
    return false;
  }

  /** Whether next() would have a message. */
  protected canReceive(): boolean {
    if (this.receives.returned === 0 && this.unread() === 0) return false;
    if (!this.mayHoldUnwanted) return true;
    // Only by looking for one can it be told. It is the next to be received.
    const message = this.receives.take();
    if (message !== undefined) this.receives.giveBack(message);
    return message !== undefined;
  }

  /** @internal */
  override pipeReadable(pipe: Pipe): void {
    this.inbound.activate(pipe);
    this.receives.serve();
  }

  /** @internal */
  override detachPipe(pipe: Pipe): void {
    super.detachPipe(pipe);
    if (pipe.inboundLength > 0) this.inbound.activate(pipe); // what it holds is ours to find from now on
  }

  protected override unread(): number {
    return this.inbound.length;
  }

  protected override forgetInbound(pipe: Pipe): void {
    this.inbound.remove(pipe);
    super.forgetInbound(pipe);
  }

  /** @internal */
  override pipeWritable(_pipe: Pipe): void {
    // Nothing of ours waits for room.
  }

  protected override closeQueues(error: ZmqError): void {
    this.receives.close(error);
  }
}

/** Listening, to messages as well. The methods themselves are those of every socket. */
export interface ReadableSocket<M = Message> {
  /** Call a function for each message, or for each event of a name. */
  on(type: "message", listener: (message: M) => void): this;
  on<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  on(type: "error", listener: (error: Error) => void): this;
  /** The same as `on`. */
  addListener(type: "message", listener: (message: M) => void): this;
  addListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  addListener(type: "error", listener: (error: Error) => void): this;
  /** As `on`, before the listeners that are there. */
  prependListener(type: "message", listener: (message: M) => void): this;
  prependListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  prependListener(type: "error", listener: (error: Error) => void): this;
  /** As `on`, for one call. */
  once(type: "message", listener: (message: M) => void): this;
  once<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  once(type: "error", listener: (error: Error) => void): this;
  /** As `once`, before the listeners that are there. */
  prependOnceListener(type: "message", listener: (message: M) => void): this;
  prependOnceListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  prependOnceListener(type: "error", listener: (error: Error) => void): this;
  /** Undo `on` or `once`. */
  off(type: "message", listener: (message: M) => void): this;
  off<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  off(type: "error", listener: (error: Error) => void): this;
  /** The same as `off`. */
  removeListener(type: "message", listener: (message: M) => void): this;
  removeListener<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): this;
  removeListener(type: "error", listener: (error: Error) => void): this;
}

/** A socket that sends and receives. */
export abstract class DuplexSocket<M = Message, S = Sendable> extends ReadableSocket<M> {
  /** @internal */
  protected readonly sender = new Sender((message) => this.route(message), this.options, this.turns);

  /** Whether a message could be sent at once: trySend() would not be false. */
  get writable(): boolean {
    return !this.closed && !this.sender.queue.blocked && this.canSend();
  }

  /** Send one message; as WritableSocket.send. Rejects with EFSM where the pattern does not allow a send now. */
  send(message: Sendable, options?: CallOptions): Promise<void> {
    if (options !== undefined) checkCallOptions(options);
    return this.sender.queue.send(this.sender.prepare(message), options);
  }

  /**
   * Send one message if there is room now; false when there is none.
   * @throws TypeError as `send`; ZmqError EBADF on a closed socket, EFSM where the pattern does not allow it
   */
  trySend(message: Sendable): boolean {
    return this.sender.queue.trySend(this.sender.prepare(message));
  }

  /** Send many messages for one promise; as WritableSocket.sendMany. */
  sendMany(messages: Iterable<S>, options?: CallOptions): Promise<void> {
    checkCallOptions(options);
    return this.sender.sendMany(messages as Iterable<Sendable>, options);
  }

  override get stats(): SocketStats {
    return { ...super.stats, sendQueue: this.sender.queue.length, messagesSent: this.sender.sent };
  }

  /** @internal for a proxy */
  get outgoing(): Sender {
    return this.sender;
  }

  /** Queue a message at a peer; false when none has room. May throw a ZmqError that rejects the send. */
  protected abstract route(message: OutMessage): boolean;

  /** Whether route() would take a message now. */
  protected abstract canSend(): boolean;

  /** @internal */
  override pipeWritable(_pipe: Pipe): void {
    this.sender.queue.drain();
  }

  protected override sendHeld(): void {
    this.sender.queue.release();
  }

  protected override closeQueues(error: ZmqError): void {
    super.closeQueues(error);
    this.sender.queue.close(error);
  }
}
