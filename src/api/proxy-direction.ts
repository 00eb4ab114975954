/**
 * One direction of a proxy: takes messages from one socket's receive queue and gives them to the other's send queue,
 * in turns of bounded length. Knows nothing of the other direction, nor of why the proxy runs or stops.
 */

import { ZmqError } from "../base/errors.js";
import type { Message } from "../base/message.js";
import { OPERATIONS_PER_TURN } from "../base/turns.js";
import type { Sender } from "../core/sender.js";
import type { SocketCore } from "../core/socket-core.js";
import { messageBytes } from "../engine/message-size.js";
import type { ReceiveQueue } from "../engine/waiting-receives.js";

/** What went through one socket of a proxy. Messages are whole ones; bytes are those of their parts. */
export interface ProxyTraffic {
  /** Messages taken from the socket, less those given back to it. */
  messagesIn: number;
  bytesIn: number;
  /** Messages that the socket accepted for sending. */
  messagesOut: number;
  bytesOut: number;
}

/** What the two directions share. */
export interface Shared {
  running: boolean;
  readonly capture: Sender | null;
  captured: number;
  captureDropped: number;
  undeliverable: number;
  /** The proxy cannot go on; undefined when a socket was closed. */
  readonly end: (error: unknown) => void;
}

/** One of the two sockets. */
export interface Side {
  readonly core: SocketCore;
  readonly traffic: ProxyTraffic;
}

/**
 * Forwards from one socket to the other. A message that finds no room stays in hand and nothing more is taken, so
 * that the receiving socket fills up to its high-water mark and its peers wait. Hot path: no promise per message.
 */
export class Direction {
  readonly #from: Side;
  readonly #to: Side;
  readonly #incoming: ReceiveQueue<Message>;
  readonly #outgoing: Sender;
  readonly #shared: Shared;
  /** Taken from one side, not yet accepted by the other. */
  #held: Message | undefined;
  #heldBytes = 0;
  /**
   * Messages that may go before the next turn of the event loop. Counted over all calls in between, because over
   * inproc many of them come in one turn.
   */
  #left = OPERATIONS_PER_TURN;
  #pumping = false;
  #wokenMeanwhile = false;
  #scheduled = false;
  #started = false;

  constructor(from: Side, to: Side, incoming: ReceiveQueue<Message>, outgoing: Sender, shared: Shared) {
    this.#from = from;
    this.#to = to;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#shared = shared;
  }

  /** @throws ZmqError EBUSY when somebody else receives from the socket */
  start(): void {
    this.#incoming.lend(this.#wake);
    this.#outgoing.queue.watchRoom(this.#wake);
    this.#started = true;
    this.schedule();
  }

  /** Let go of the sockets; a message in hand goes back to the one that it came from. */
  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    this.#incoming.reclaim();
    this.#outgoing.queue.unwatchRoom(this.#wake);
    if (!this.#pumping) this.#handBack();
  }

  /** Go on in a later turn of the event loop. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#from.core.turns.defer(() => {
      this.#scheduled = false;
      this.#left = OPERATIONS_PER_TURN;
      this.#wake();
    });
  }

  /** Messages may be ready, there may be room, or a socket was closed. Answers whether any message went. */
  readonly #wake = (): boolean => {
    if (!this.#started) return false;
    if (this.#pumping) {
      // From within a call of ours: seen to in a later turn.
      this.#wokenMeanwhile = true;
      return false;
    }
    if (this.#from.core.closed || this.#to.core.closed) this.#shared.end(undefined);
    else if (this.#shared.running && !this.#scheduled) return this.#pump();
    return false;
  };

  /**
   * Forward until there is nothing more or no room, at most 512 messages in one turn of the event loop. Answers whether
   * any message went.
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

  /** Whether the message is dealt with; false when it has to wait. */
  #forward(message: Message): boolean {
    try {
      if (!this.#outgoing.forward(message)) return false;
    } catch (error) {
      if (this.#to.core.closed) return false;
      // One message that cannot go must not end the service to all; a pattern used out of turn must.
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
