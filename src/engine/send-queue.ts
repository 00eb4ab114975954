/**
 * A socket's FIFO of sends that wait for room. It makes concurrent sends safe, keeps their order and keeps multipart
 * messages whole; it is bounded, and honours timeouts, abort signals and close. Hot path: a send that finds room creates
 * no promise. The owner supplies a route to the pipes, and turns instead of a clock.
 *
 * After the program has blocked the event loop, the queue of a publisher or a router also holds messages until peers that
 * dialled meanwhile have connected, because a message without a receiver is lost. Holding a message never makes it fail:
 * whatever cannot wait for it (a timeout, close) sends the held messages first.
 */
import { sendCarrying } from "../base/carried.js";
import { publishMessage, SENDS } from "../base/channels.js";
import { ZmqError } from "../base/errors.js";
import { Fifo } from "../base/fifo.js";
import { holdOf, letGoOf } from "../base/lent.js";
import { type OutMessage, SEVERAL_PARTS, unshared } from "../base/message.js";
import type { CallOptions, Turns } from "../base/waiting.js";
import { BYTES_PER_OPERATION, OPERATIONS_PER_TURN } from "../base/waiting.js";
import { workBytes } from "./message-size.js";

interface WaitingSend {
  /** null once cancelled or sent. */
  message: OutMessage | null;
  resolve: () => void;
  reject: (reason: unknown) => void;
  /** Undoes timer and abort listener. */
  cleanup: (() => void) | null;
}

/** Sends messages to pipes. */
export interface Route {
  /** Routes a message now; false when no pipe has room. May throw a ZmqError (EFSM, EHOSTUNREACH). */
  send(message: OutMessage): boolean;
}

/** Options of the socket, read at each use. */
export interface SendLimits {
  /** Milliseconds; -1 waits without limit, 0 fails at once (G13). */
  readonly sendTimeout: number;
  /** Most sends that may wait. */
  readonly sendQueueLimit: number;
  /** Keep only the newest message, which must have one part (G14). */
  readonly conflate: boolean | "topic";
}

const SENT: Promise<void> = Promise.resolve();

export class SendQueue {
  readonly #waiting = new Fifo<WaitingSend>();
  #route: Route;
  readonly #limits: SendLimits;
  readonly #turns: Turns;
  /** Number of accepted messages. */
  sent = 0;
  /** The socket, for those who watch its messages; null if nobody may. */
  owner: object | null = null;
  #live = 0;
  #operations = 0;
  #closed: ZmqError | null = null;
  #draining = false;
  /** Whether peers that are still connecting may miss a message; null for types that lose no message by sending early. */
  #mayMiss: ((message: OutMessage) => boolean) | null = null;
  /** Sends are held until the event loop has caught up. */
  #holding = false;
  /** The loop is catching up, and messages have already been held once for that. */
  #catchingUp = false;
  /** Room came while a waiting send was being attempted: try again. */
  #again = false;
  /** Callbacks of proxies whose trySend was refused. */
  readonly #watchers = new Set<() => boolean>();

  constructor(route: Route, limits: SendLimits, turns: Turns) {
    this.#route = route;
    this.#limits = limits;
    this.#turns = turns;
  }

  /** From now on, what goes with messages beside their parts is handed over with them. */
  carry(): void {
    const route = this.#route;
    this.#route = {
      send: (message) => sendCarrying(message, (parts) => route.send(parts)),
    };
  }

  /** Number of sends that wait. */
  get length(): number {
    return this.#live;
  }

  get closed(): boolean {
    return this.#closed !== null;
  }

  #attempt(message: OutMessage): boolean {
    if (!this.#route.send(message)) return false;
    this.sent++;
    if (SENDS.hasSubscribers) publishMessage(SENDS, this.owner, message);
    return true;
  }

  /** Sends now, or waits in the queue. */
  send(message: OutMessage, options: CallOptions | undefined): Promise<void> {
    if (this.#closed !== null) return Promise.reject(this.#closed);
    if (options?.signal?.aborted) return Promise.reject(options.signal.reason);
    if (this.#mayMiss !== null) this.#holdOrRelease(message, options);
    if (this.#live === 0 && !this.#holding) {
      try {
        if (this.#route.send(message)) {
          this.sent++;
          if (SENDS.hasSubscribers) publishMessage(SENDS, this.owner, message);
          return this.rest(message) ?? SENT;
        }
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return this.#wait(message, options);
  }

  /** Sends now, or returns false; never overtakes a waiting send. */
  trySend(message: OutMessage): boolean {
    if (this.#closed !== null) throw this.#closed;
    if (this.#holding) this.release();
    return this.#live === 0 && this.#attempt(message);
  }

  /** As trySend; also returns false if `send` would hold the message until the event loop has caught up. */
  sendStraight(message: OutMessage): boolean {
    if (this.#closed !== null) throw this.#closed;
    if (this.#mayMiss !== null && this.#isLate(message)) return false;
    return this.#live === 0 && this.#attempt(message);
  }

  /**
   * From now on, if the event loop is late, sends wait until it has caught up.
   * @param mayMiss whether a message could be for a peer that dialled meanwhile
   */
  waitForLate(mayMiss: (message: OutMessage) => boolean): void {
    this.#mayMiss = mayMiss;
  }

  /** Whether a send has to wait for room. */
  get blocked(): boolean {
    return this.#live > 0 && !this.#holding;
  }

  /** Whether a send must wait for the event loop to catch up. */
  #isLate(message: OutMessage): boolean {
    if (this.#holding) return true;
    if (!this.#turns.late() || this.#catchingUp || this.#live > 0) return false;
    return this.#mayMiss?.(message) === true;
  }

  #holdOrRelease(message: OutMessage, options: CallOptions | undefined): void {
    if (!this.#isLate(message)) return;
    const timeout = options?.timeout ?? this.#limits.sendTimeout;
    const most = Math.min(OPERATIONS_PER_TURN, this.#limits.sendQueueLimit);
    if (timeout === 0 || this.#live >= most || this.#operations >= OPERATIONS_PER_TURN) this.release();
    else if (!this.#holding) this.#hold();
  }

  #hold(): void {
    this.#holding = true;
    this.#catchingUp = true;
    this.#operations = 0;
    this.#turns.whenCaughtUp(() => {
      this.#catchingUp = false;
      this.release();
    });
  }

  /** Sends held messages now. */
  release(): void {
    if (!this.#holding) return;
    this.#holding = false;
    this.#operations = 0;
    this.drain();
  }

  /** Calls a function whenever trySend may have room, and on close. It must return whether it sent anything. */
  watchRoom(room: () => boolean): void {
    this.#watchers.add(room);
  }

  /** Undoes `watchRoom`. */
  unwatchRoom(room: () => boolean): void {
    this.#watchers.delete(room);
  }

  #tellRoom(): void {
    for (const room of [...this.#watchers]) {
      // For fairness, a watcher that has sent goes to the end: the first one asked may use up all the room.
      if (room() && this.#watchers.delete(room)) this.#watchers.add(room);
    }
  }

  /**
   * Counts a send that found room. After 512 of them, or fewer large ones, returns a promise of a later turn of the event
   * loop, so that a tight loop of sends does not starve timers.
   */
  rest(message: OutMessage): Promise<void> | undefined {
    this.#operations += operationsOf(message);
    if (this.#operations < OPERATIONS_PER_TURN) return undefined;
    this.#operations = 0;
    return this.#turns.nextTurn();
  }

  #wait(message: OutMessage, options: CallOptions | undefined): Promise<void> {
    const timeout = options?.timeout ?? this.#limits.sendTimeout;
    if (timeout === 0) return Promise.reject(new ZmqError("EAGAIN"));
    if (this.#live >= this.#limits.sendQueueLimit) {
      return Promise.reject(
        new ZmqError("EAGAIN", {
          detail: `${this.#live} sends are waiting already, as many as sendQueueLimit allows`,
        }),
      );
    }
    this.#operations = this.#holding ? this.#operations + operationsOf(message) : 0;
    return new Promise((resolve, reject) => {
      const entry: WaitingSend = { message: unshared(message), resolve, reject, cleanup: null };
      const expired = (reason: unknown): void => {
        if (options?.signal?.aborted !== true) this.release(); // a timeout must not lose a held message: send it
        this.#cancel(entry, reason);
      };
      entry.cleanup = this.#turns.expire(timeout, options?.signal, expired);
      holdOf(entry.message);
      this.#waiting.push(entry);
      this.#live++;
    });
  }

  #cancel(entry: WaitingSend, reason: unknown): void {
    if (entry.message === null) return;
    letGoOf(entry.message);
    entry.message = null;
    this.#live--;
    entry.reject(reason);
    // Cancelled entries leave when they reach the head. If many wait behind a blocked head, remove them now.
    if (this.#waiting.length > 64 && this.#live < this.#waiting.length >> 1) {
      this.#waiting.retain((waiting) => waiting.message !== null);
    }
    if (this.#live === 0 && this.#watchers.size > 0) this.#tellRoom();
  }

  /** A pipe has room: sends what waits, in order, while there is room. */
  drain(): void {
    // An attempt may itself make room and call drain(): on STREAM, an empty send closes a connection.
    this.#again = true;
    if (this.#draining || this.#holding) return;
    this.#draining = true;
    try {
      while (this.#again) {
        this.#again = false;
        this.#drainOnce();
      }
    } finally {
      this.#draining = false;
    }
    if (this.#watchers.size > 0 && this.#waiting.length === 0) this.#tellRoom();
  }

  /** Sends until one finds no room. */
  #drainOnce(): void {
    for (let head = this.#waiting.peek(); head !== undefined; head = this.#waiting.peek()) {
      const { message } = head;
      if (message !== null) {
        let sent = false;
        try {
          // Only for a send that was waiting when the option was set: later ones are refused earlier.
          if (this.#limits.conflate === true && severalParts(message))
            throw new ZmqError("EINVAL", { detail: SEVERAL_PARTS });
          if (!this.#route.send(message)) return;
          sent = true;
          this.sent++;
          head.resolve();
        } catch (error) {
          head.reject(error);
        }
        // Else the attempt closed the queue, or cancelled this send.
        if (head.message !== null) this.#settled(head);
        // Only now: who watches may abort the send, or close the socket.
        if (sent && SENDS.hasSubscribers) publishMessage(SENDS, this.owner, message);
      } else {
        this.#waiting.shift();
      }
    }
  }

  /** The head of the queue was sent, or refused. */
  #settled(head: WaitingSend): void {
    letGoOf(head.message as OutMessage);
    head.message = null;
    head.cleanup?.();
    this.#live--;
    this.#waiting.shift();
  }

  /** Rejects all waiting sends, and all later ones. */
  close(error: ZmqError): void {
    this.release();
    this.#closed = error;
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift()) {
      if (entry.message === null) continue;
      letGoOf(entry.message);
      entry.message = null;
      entry.cleanup?.();
      entry.reject(error);
    }
    this.#live = 0;
    for (const room of [...this.#watchers]) room();
  }
}

function severalParts(message: OutMessage): boolean {
  return Array.isArray(message) && message.length > 1;
}

function operationsOf(message: OutMessage): number {
  return 1 + Math.floor(workBytes(message) / BYTES_PER_OPERATION);
}
