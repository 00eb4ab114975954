/**
 * How many handlers run at the same time, and the bounded queue of those that wait: one line for each client, served in
 * turn, so that a client with many calls holds up its own. A stream that waits for its client holds no place: it gives
 * its place back, and stands in line for another. Knows nothing of what it starts.
 */

/** What one client has of everything that is shared out; see peers.ts. */
export interface Share {
  readonly line: Line;
}

/** What stands for a call. */
export interface Claim {
  readonly share: Share;
  /** For the limiter. */
  seat: "none" | "waiting" | "held" | "parked" | "returning";
  before: Claim | null;
  after: Claim | null;
  /** A place is there: run. */
  start(): void;
  /** A stream that was parked has a place again. */
  resume(): void;
  /** Others of other clients have taken its turn to wait: it will not start. */
  displaced(): void;
}

/** Claims in order; any of them may leave. */
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

/** Claims of one client. Streams that go on are served before calls that begin. */
export class Line {
  readonly streams = new Queue();
  readonly calls = new Queue();

  get isEmpty(): boolean {
    return this.streams.first === null && this.calls.first === null;
  }
}

export class Limiter {
  readonly #most: number;
  readonly #mostWaiting: number;
  /** Clients with somebody in line, the next to be served in front. */
  readonly #lines = new Set<Line>();
  /** The line that was the longest when it was last looked at. */
  #longest: Line | null = null;
  #waiting = 0;
  #held = 0;
  /** Streams without a place: parked, or in line for one. */
  #parked = 0;
  #serving = false;
  #idle: (() => void) | null = null;

  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** Handlers that have begun and are not done, with a place or without. */
  get running(): number {
    return this.#held + this.#parked;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Start now or when there is a place; false when too many wait. */
  enter(claim: Claim): boolean {
    if (this.#held < this.#most && this.#lines.size === 0) {
      this.#held++;
      claim.seat = "held";
      claim.start();
      return true;
    }
    const { line } = claim.share;
    if (this.#waiting >= this.#mostWaiting && !this.#displaceFor(line)) return false;
    claim.seat = "waiting";
    line.calls.push(claim);
    this.#waiting++;
    this.#lines.add(line);
    if (this.#longest === null || line.calls.length > this.#longest.calls.length) this.#longest = line;
    return true;
  }

  /** Room in the queue for a client that has fewer calls in it than another: at the end of the other's line. */
  #displaceFor(line: Line): boolean {
    const longest = this.#longest;
    if (longest === null || longest.calls.length <= line.calls.length + 1) return false;
    const last = longest.calls.last as Claim;
    this.withdraw(last);
    last.displaced();
    return true;
  }

  /** A call is not wanted any more: it never starts if it waits, and else nothing changes. */
  withdraw(claim: Claim): void {
    if (claim.seat !== "waiting") return;
    const { line } = claim.share;
    line.calls.remove(claim);
    if (line.isEmpty) this.#lines.delete(line);
    claim.seat = "none";
    this.#waiting--;
  }

  /** A stream waits for its client: others may run. */
  park(claim: Claim): void {
    if (claim.seat !== "held") return;
    claim.seat = "parked";
    this.#held--;
    this.#parked++;
    this.#serve();
  }

  /** A stream that was parked may go on: true when it may at once, else `resume` follows. */
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

  /** Call back when nothing runs, now or later. */
  whenIdle(idle: () => void): void {
    if (this.running === 0) idle();
    else this.#idle = idle;
  }

  /** One that was started is done. */
  release(claim: Claim): void {
    const { seat } = claim;
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

  /** Give free places away, client by client. One that is done at once comes back here, and is not a level deeper. */
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
        (stream === null ? line.calls : line.streams).remove(claim);
        if (!line.isEmpty) this.#lines.add(line);
        claim.seat = "held";
        this.#held++;
        if (stream === null) {
          this.#waiting--;
          claim.start();
        } else {
          this.#parked--;
          claim.resume();
        }
      }
    } finally {
      this.#serving = false;
    }
  }

  /** Take out all calls that wait: they will not start. */
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
