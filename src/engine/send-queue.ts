/**
 * A socket's FIFO of sends that wait for room: makes concurrent sends safe, keeps call order and multipart messages
 * whole, is bounded, and honours timeouts, abort signals and close. Hot path: a send that finds room creates no
 * promise. Knows no pipes (it is handed a route) and no clock (it is handed turns).
 *
 * The queue of a publisher or a router also holds what is sent right after the event loop stood still, until who
 * dialled meanwhile is there: a message to nobody is lost. What is held never fails by being held: whatever cannot wait
 * sends it first.
 */
import { ZmqError } from "../base/errors.js";
import { Fifo } from "../base/fifo.js";
import { type OutMessage, unshared } from "../base/message.js";
import type { CallOptions, Turns } from "../base/waiting.js";
import { BYTES_PER_OPERATION, OPERATIONS_PER_TURN } from "../base/waiting.js";
import { messageBytes } from "./message-size.js";

interface WaitingSend {
  /** null once cancelled or sent. */
  message: OutMessage | null;
  resolve: () => void;
  reject: (reason: unknown) => void;
  /** Undoes timer and abort listener. */
  cleanup: (() => void) | null;
}

/** Where messages go. */
export interface Route {
  /** Routes a message now; false when no pipe has room. May throw a ZmqError (EFSM, EHOSTUNREACH). */
  send(message: OutMessage): boolean;
}

/** Options of the socket that the queue reads afresh each time. */
export interface SendLimits {
  /** Milliseconds; -1 waits for ever, 0 fails at once (G13). */
  readonly sendTimeout: number;
  /** Waiting sends at most. */
  readonly sendQueueLimit: number;
  /** Only the newest message counts, and it has one part (G14). */
  readonly conflate: boolean;
}

/** Why a conflating socket does not take a message. */
export const SEVERAL_PARTS = "message must have one part on a conflating socket";

const SENT: Promise<void> = Promise.resolve();

export class SendQueue {
  readonly #waiting = new Fifo<WaitingSend>();
  readonly #route: Route;
  readonly #limits: SendLimits;
  readonly #turns: Turns;
  /** Messages that were accepted. */
  sent = 0;
  #live = 0;
  #operations = 0;
  #closed: ZmqError | null = null;
  #draining = false;
  /** Whether a message may be lost to peers who are not let in yet; null where no message is lost by being early. */
  #mayMiss: ((message: OutMessage) => boolean) | null = null;
  /** What waits is held for a late event loop. */
  #holding = false;
  /** The loop catches up; what it is late for has been held once. */
  #catchingUp = false;
  /** Room came while a waiting send was being attempted: look once more. */
  #again = false;
  /** Proxies whose trySend was refused and who want to know of room. */
  readonly #watchers = new Set<() => boolean>();

  constructor(route: Route, limits: SendLimits, turns: Turns) {
    this.#route = route;
    this.#limits = limits;
    this.#turns = turns;
  }

  /** Sends that wait. */
  get length(): number {
    return this.#live;
  }

  get closed(): boolean {
    return this.#closed !== null;
  }

  #attempt(message: OutMessage): boolean {
    if (!this.#route.send(message)) return false;
    this.sent++;
    return true;
  }

  /** Send now, or wait in line. */
  send(message: OutMessage, options: CallOptions | undefined): Promise<void> {
    if (this.#closed !== null) return Promise.reject(this.#closed);
    if (options?.signal?.aborted) return Promise.reject(options.signal.reason);
    if (this.#mayMiss !== null) this.#holdOrRelease(message, options);
    if (this.#live === 0 && !this.#holding) {
      try {
        if (this.#attempt(message)) return this.#sent(message);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return this.#wait(message, options);
  }

  /** Send now or answer false; never overtakes a waiting send. */
  trySend(message: OutMessage): boolean {
    if (this.#closed !== null) throw this.#closed;
    if (this.#holding) this.release();
    return this.#live === 0 && this.#attempt(message);
  }

  /** As trySend; also false where `send` would hold the message for a late event loop. */
  sendStraight(message: OutMessage): boolean {
    if (this.#closed !== null) throw this.#closed;
    if (this.#mayMiss !== null && this.#isLate(message)) return false;
    return this.#live === 0 && this.#attempt(message);
  }

  /**
   * From now on sends wait for an event loop that is late, for at most as long as it takes to catch up.
   * @param mayMiss whether a message could be for somebody who has dialled meanwhile
   */
  waitForLate(mayMiss: (message: OutMessage) => boolean): void {
    this.#mayMiss = mayMiss;
  }

  /** Whether a send has to wait for room. */
  get blocked(): boolean {
    return this.#live > 0 && !this.#holding;
  }

  /** Whether a send is to wait for the event loop. */
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

  /** Send what is held, now. */
  release(): void {
    if (!this.#holding) return;
    this.#holding = false;
    this.#operations = 0;
    this.drain();
  }

  /** Call a function whenever there may be room for trySend, and when the queue closes; it says if it sent anything. */
  watchRoom(room: () => boolean): void {
    this.#watchers.add(room);
  }

  /** Undo `watchRoom`. */
  unwatchRoom(room: () => boolean): void {
    this.#watchers.delete(room);
  }

  #tellRoom(): void {
    for (const room of [...this.#watchers]) {
      // Who has had some of the room is asked last the next time: the first may use up all of it.
      if (room() && this.#watchers.delete(room)) this.#watchers.add(room);
    }
  }

  /** A promise for a send that found room. */
  #sent(message: OutMessage): Promise<void> {
    return this.rest(message) ?? SENT;
  }

  /**
   * Counts a send that found room. Once in 512, or earlier where they are large, there is a later turn to wait for
   * before the next, so that no tight loop starves timers.
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
        if (options?.signal?.aborted !== true) this.release(); // for all that has no room it is over
        this.#cancel(entry, reason);
      };
      entry.cleanup = this.#turns.expire(timeout, options?.signal, expired);
      this.#waiting.push(entry);
      this.#live++;
    });
  }

  #cancel(entry: WaitingSend, reason: unknown): void {
    if (entry.message === null) return;
    entry.message = null;
    this.#live--;
    entry.reject(reason);
    // Cancelled entries go when they reach the head; many of them behind a blocked head go now.
    if (this.#waiting.length > 64 && this.#live < this.#waiting.length >> 1) {
      this.#waiting.retain((waiting) => waiting.message !== null);
    }
    if (this.#live === 0 && this.#watchers.size > 0) this.#tellRoom();
  }

  /** A pipe has room: send what waits, in order, until none has. */
  drain(): void {
    // An attempt may itself make room: a STREAM closes a connection by a send, and that wakes who waited for it.
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

  /** Until one finds no room. */
  #drainOnce(): void {
    for (let head = this.#waiting.peek(); head !== undefined; head = this.#waiting.peek()) {
      if (head.message !== null) {
        try {
          // Only of one that waited while the option was set: others are refused before they come here.
          if (this.#limits.conflate && Array.isArray(head.message))
            throw new ZmqError("EINVAL", { detail: SEVERAL_PARTS });
          if (!this.#attempt(head.message)) return;
          head.resolve();
        } catch (error) {
          head.reject(error);
        }
        if (head.message === null) continue; // the attempt has closed the queue, or cancelled this one
        head.message = null;
        head.cleanup?.();
        this.#live--;
      }
      this.#waiting.shift();
    }
  }

  /** Reject all that waits and everything after. */
  close(error: ZmqError): void {
    this.release();
    this.#closed = error;
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift()) {
      if (entry.message === null) continue;
      entry.message = null;
      entry.cleanup?.();
      entry.reject(error);
    }
    this.#live = 0;
    for (const room of [...this.#watchers]) room();
  }
}

function operationsOf(message: OutMessage): number {
  return 1 + Math.floor(messageBytes(message) / BYTES_PER_OPERATION);
}
