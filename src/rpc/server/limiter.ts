/**
 * How many handlers run at the same time, and the bounded queue of calls that wait for a place. Each client has a line of
 * its own and the lines are served in turn, so that a client with many calls delays only its own. A stream that waits for
 * its client gives its place back, and waits in line for another one.
 */

import { assert } from "../../base/assert.js";

/** What clients share is divided among these; see Connection in connection.ts. */
export interface Share {
  readonly line: Line;
}

/** What keeps a call from waiting. */
export type QueueLimit = "queueLimit" | "maxWaitingBytes";

/** What stands for a call. */
export interface Claim {
  readonly share: Share;
  /** Belongs to the limiter. */
  seat: "none" | "waiting" | "held" | "parked" | "returning";
  /** Bytes that it takes while it waits. */
  readonly weight: number;
  before: Claim | null;
  after: Claim | null;
  /** The call has a place: it starts. */
  start(): void;
  /** A parked stream has a place again. */
  resume(): void;
  /** A call of another client waits in its place, because of a limit: it will not start. */
  displaced(limit: QueueLimit): void;
}

/** Claims in order. Any of them may leave. */
class Queue {
  first: Claim | null = null;
  last: Claim | null = null;
  length = 0;

  push(claim: Claim): void {
    claim.before = this.last;
    if (this.last === null) this.first = claim;
    else this.last.after = claim;
    this.last = claim;
    this.length++;
  }

  remove(claim: Claim): void {
    const { before, after } = claim;
    if (before === null) this.first = after;
    else before.after = after;
    if (after === null) this.last = before;
    else after.before = before;
    claim.before = null;
    claim.after = null;
    this.length--;
  }
}

/** Claims of one client. Streams that go on come before calls that start. */
export class Line {
  readonly streams = new Queue();
  readonly calls = new Queue();
  /** Bytes of the calls. */
  weight = 0;

  get isEmpty(): boolean {
    return this.streams.first === null && this.calls.first === null;
  }
}

export class Limiter {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #mostBytes: number;
  /** Lines that are not empty, the next one to be served first. */
  readonly #lines = new Set<Line>();
  /** The line that was the longest when lines were last compared. */
  #longest: Line | null = null;
  #waiting = 0;
  #waitingBytes = 0;
  #held = 0;
  /** Streams without a place: parked, or in line for a place. */
  #parked = 0;
  #serving = false;
  #idle: (() => void) | null = null;

  /**
   * @param most handlers that run at the same time
   * @param mostWaiting calls that wait
   * @param mostBytes bytes that these may take; one call may always wait
   */
  constructor(most: number, mostWaiting: number, mostBytes: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
    this.#mostBytes = mostBytes;
  }

  /** Handlers that have started and are not done, with a place or without. */
  get running(): number {
    return this.#held + this.#parked;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Bytes of the calls that wait. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Starts a call now or when it has a place. Returns the limit that keeps it from waiting, or null. */
  enter(claim: Claim): QueueLimit | null {
    assert(claim.seat === "none", "a call enters once");
    if (this.#held < this.#most && this.#lines.size === 0) {
      this.#held++;
      claim.seat = "held";
      claim.start();
      return null;
    }
    const { line } = claim.share;
    if (!this.#makeRoom(line, claim.weight)) return "maxWaitingBytes";
    if (this.#waiting >= this.#mostWaiting && !this.#displaceFor(line)) return "queueLimit";
    claim.seat = "waiting";
    line.calls.push(claim);
    line.weight += claim.weight;
    this.#waitingBytes += claim.weight;
    this.#waiting++;
    this.#lines.add(line);
    if (this.#longest === null || line.calls.length > this.#longest.calls.length) this.#longest = line;
    return null;
  }

  /**
   * Makes room for the bytes of a call at the end of the line with the most bytes, if that line keeps at least as many as
   * the client of the call will have.
   */
  #makeRoom(line: Line, weight: number): boolean {
    const over = this.#waitingBytes + weight - this.#mostBytes;
    if (over <= 0 || this.#waiting === 0) return true;
    let heaviest = line;
    for (const one of this.#lines) if (one.weight > heaviest.weight) heaviest = one;
    if (heaviest.weight - over < line.weight + weight) return false;
    while (this.#waiting > 0 && this.#waitingBytes + weight > this.#mostBytes)
      this.#displace(heaviest, "maxWaitingBytes");
    return true;
  }

  /** The last call of a line waits no longer. */
  #displace(line: Line, limit: QueueLimit): void {
    const last = line.calls.last as Claim;
    this.withdraw(last);
    last.displaced(limit);
  }

  /** Makes room in the queue at the end of the longest line, if that line is longer than the one of the client will be. */
  #displaceFor(line: Line): boolean {
    const longest = this.#longest;
    if (longest === null || longest.calls.length <= line.calls.length + 1) return false;
    this.#displace(longest, "queueLimit");
    return true;
  }

  /** A call is over. If it waits, it never starts; otherwise nothing changes. */
  withdraw(claim: Claim): void {
    if (claim.seat !== "waiting") return;
    const { line } = claim.share;
    this.#leaveQueue(line, claim);
    if (line.isEmpty) this.#lines.delete(line);
    claim.seat = "none";
  }

  #leaveQueue(line: Line, claim: Claim): void {
    line.calls.remove(claim);
    line.weight -= claim.weight;
    this.#waitingBytes -= claim.weight;
    this.#waiting--;
    assert(this.#waiting > 0 || this.#waitingBytes === 0, "an empty queue holds no bytes");
  }

  /** A stream waits for its client: another call may have its place. */
  park(claim: Claim): void {
    if (claim.seat !== "held") return;
    claim.seat = "parked";
    this.#held--;
    this.#parked++;
    this.#serve();
  }

  /** A parked stream wants to go on. Returns whether it has a place; if not, `resume` follows. */
  unpark(claim: Claim): boolean {
    if (claim.seat === "held") return true;
    if (claim.seat === "returning") return false;
    if (this.#held < this.#most && this.#lines.size === 0) {
      this.#parked--;
      this.#held++;
      claim.seat = "held";
      return true;
    }
    claim.seat = "returning";
    const { line } = claim.share;
    line.streams.push(claim);
    this.#lines.add(line);
    return false;
  }

  /** Calls back when no handler runs, now or later. */
  whenIdle(idle: () => void): void {
    if (this.running === 0) idle();
    else this.#idle = idle;
  }

  /** A call that was started is done. */
  release(claim: Claim): void {
    const { seat } = claim;
    assert(seat !== "none" && seat !== "waiting", "only a call that was started can be done");
    if (seat === "returning") {
      const { line } = claim.share;
      line.streams.remove(claim);
      if (line.isEmpty) this.#lines.delete(line);
    }
    claim.seat = "none";
    if (seat === "held") this.#held--;
    else this.#parked--;
    if (seat === "held") this.#serve();
    if (this.running === 0) this.#idle?.();
  }

  /** Gives free places away, client by client. A call that is done at once comes back here; the loop goes on instead of another one inside it. */
  #serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    try {
      while (this.#held < this.#most) {
        const [line] = this.#lines;
        if (line === undefined) return;
        this.#lines.delete(line);
        const stream = line.streams.first;
        const claim = stream ?? (line.calls.first as Claim);
        if (stream === null) this.#leaveQueue(line, claim);
        else line.streams.remove(claim);
        if (!line.isEmpty) this.#lines.add(line);
        claim.seat = "held";
        this.#held++;
        if (stream === null) claim.start();
        else {
          this.#parked--;
          claim.resume();
        }
      }
    } finally {
      this.#serving = false;
    }
  }

  /** Takes out all calls that wait. They will not start. */
  takeWaiting(): Claim[] {
    const claims: Claim[] = [];
    for (const line of [...this.#lines]) {
      for (let first = line.calls.first; first !== null; first = line.calls.first) {
        this.withdraw(first);
        claims.push(first);
      }
    }
    return claims;
  }
}
