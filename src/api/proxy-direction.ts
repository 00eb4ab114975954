/**
 * One direction of a proxy: takes messages from the receive queue of one socket and gives them to the send queue of the
 * other, in turns of limited length.
 */

import { ZmqError } from "../base/errors.js";
import type { Message } from "../base/message.js";
import { OPERATIONS_PER_TURN } from "../base/waiting.js";
import type { Sender } from "../core/sender.js";
import type { SocketCore } from "../core/socket-core.js";
import { messageBytes } from "../engine/message-size.js";
import type { WaitingReceives } from "../engine/waiting-receives.js";

/** What went through one socket of a proxy. A message counts once, whatever its number of parts. */
export interface ProxyTraffic {
  /** Messages received from the socket, without those that were given back to it. */
  messagesIn: number;
  /** The bytes of their parts. */
  bytesIn: number;
  /** Messages that the socket accepted for sending. */
  messagesOut: number;
  /** The bytes of their parts. */
  bytesOut: number;
}

/** The state that the two directions share. */
export interface Shared {
  running: boolean;
  readonly capture: Sender | null;
  captured: number;
  captureDropped: number;
  undeliverable: number;
  /** Ends the proxy. `error` is undefined if a socket was closed. */
  readonly end: (error: unknown) => void;
}

/** One of the two sockets. */
export interface Side {
  readonly core: SocketCore;
  readonly traffic: ProxyTraffic;
}

/**
 * Forwards from one socket to the other. If there is no room for a message, it is held and no further one is taken. So
 * the receiving socket fills up to its high-water mark, and its peers wait. Hot path: no promise per message.
 */
export class Direction {
  readonly #from: Side;
  readonly #to: Side;
  readonly #incoming: WaitingReceives<Message>;
  readonly #outgoing: Sender;
  readonly #shared: Shared;
  /** A message that was taken from one socket and not accepted by the other one yet. */
  #held: Message | undefined;
  #heldBytes = 0;
  /**
   * How many messages may be forwarded before the next turn of the event loop. It counts over all calls, because inproc
   * makes many calls in one turn.
   */
  #left = OPERATIONS_PER_TURN;
  #pumping = false;
  #wokenMeanwhile = false;
  #scheduled = false;
  #started = false;

  constructor(from: Side, to: Side, incoming: WaitingReceives<Message>, outgoing: Sender, shared: Shared) {
    this.#from = from;
    this.#to = to;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#shared = shared;
  }

  /** Begins to forward. @throws ZmqError EBUSY if something else receives from the socket */
  start(): void {
    this.#incoming.lend(this.#wake);
    this.#outgoing.queue.watchRoom(this.#wake);
    this.#started = true;
    this.schedule();
  }

  /** Stops. A message that is held goes back to the socket that it came from. */
  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    this.#incoming.reclaim();
    this.#outgoing.queue.unwatchRoom(this.#wake);
    if (!this.#pumping) this.#handBack();
  }

  /** Continues in a later turn of the event loop. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#from.core.turns.defer(() => {
      this.#scheduled = false;
      this.#left = OPERATIONS_PER_TURN;
      this.#wake();
    });
  }

  /**
   * Called when messages may be ready, when there may be room, or when a socket was closed. Returns whether it
   * forwarded any.
   */
  readonly #wake = (): boolean => {
    if (!this.#started) return false;
    if (this.#pumping) {
      // A call of our own #pump() caused this, so continue in a later turn.
      this.#wokenMeanwhile = true;
      return false;
    }
    if (this.#from.core.closed || this.#to.core.closed) this.#shared.end(undefined);
    else if (this.#shared.running && !this.#scheduled) return this.#pump();
    return false;
  };

  /**
   * Forwards until there are no more messages or no room, at most 512 messages in one turn of the event loop. Returns
   * whether it forwarded any.
   */
  #pump(): boolean {
    const shared = this.#shared;
    const before = this.#left;
    let failure: { error: unknown } | null = null;
    this.#pumping = true;
    this.#wokenMeanwhile = false;
    try {
      while (this.#left > 0 && shared.running) {
        const message = this.#held ?? this.#take();
        if (message === undefined || !this.#forward(message)) break;
        this.#held = undefined;
        this.#left--;
      }
    } catch (error) {
      failure = { error };
    }
    this.#pumping = false;
    if (failure !== null) shared.end(failure.error);
    if (!this.#started) this.#handBack();
    else if (this.#left === 0 || this.#wokenMeanwhile) this.schedule();
    return this.#left < before;
  }

  #take(): Message | undefined {
    const message = this.#incoming.take();
    if (message === undefined) return undefined;
    this.#held = message;
    this.#heldBytes = messageBytes(message);
    const { traffic } = this.#from;
    traffic.messagesIn++;
    traffic.bytesIn += this.#heldBytes;
    return message;
  }

  /** Whether the message is done with; false if it has to wait for room. */
  #forward(message: Message): boolean {
    try {
      if (!this.#outgoing.forward(message)) return false;
    } catch (error) {
      if (this.#to.core.closed) return false;
      // One message that cannot be sent must not end the proxy. EFSM must, because the pattern does not allow any
      // message.
      if (!(error instanceof TypeError || error instanceof ZmqError) || isOutOfTurn(error)) throw error;
      this.#shared.undeliverable++;
      return true;
    }
    const { traffic } = this.#to;
    traffic.messagesOut++;
    traffic.bytesOut += this.#heldBytes;
    if (this.#shared.capture !== null) this.#copy(message, this.#shared.capture);
    return true;
  }

  #copy(message: Message, capture: Sender): void {
    const shared = this.#shared;
    try {
      if (capture.forward(message)) shared.captured++;
      else shared.captureDropped++;
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof ZmqError)) throw error;
      shared.captureDropped++;
    }
  }

  #handBack(): void {
    const message = this.#held;
    if (message === undefined) return;
    this.#held = undefined;
    if (this.#from.core.closed) {
      this.#shared.undeliverable++;
      return;
    }
    const { traffic } = this.#from;
    traffic.messagesIn--;
    traffic.bytesIn -= this.#heldBytes;
    this.#incoming.giveBack(message);
  }
}

function isOutOfTurn(error: Error): boolean {
  return error instanceof ZmqError && error.code === "EFSM";
}
