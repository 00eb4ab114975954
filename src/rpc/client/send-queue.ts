/**
 * Queues calls until a server is connected and has room, and gives them to the links in turn. Calls wait here and not in a
 * socket, so that a cancelled call is never delivered (T32).
 */
import type { Call } from "./call.js";
import type { Link } from "./link.js";

/** What the queue tells the table of calls. */
export interface Dispatch {
  /** A link has taken a call, in this epoch of its connection. */
  sent(call: Call, link: Link, epoch: number): void;
  /** A link has taken a call that was given up meanwhile. */
  sentInVain(call: Call, link: Link, epoch: number): void;
}

export class SendQueue {
  readonly links: Link[] = [];
  readonly #dispatch: Dispatch;
  readonly #later: (resume: () => void) => void;
  /** In the order in which they will be sent. */
  readonly #waiting = new Set<Call>();
  /** Counts calls, so that links take them in turn. */
  #turn = 0;

  /** @param later calls back on a later turn of the event loop */
  constructor(dispatch: Dispatch, later: (resume: () => void) => void) {
    this.#dispatch = dispatch;
    this.#later = later;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Takes a call, to be sent as soon as a server has room. */
  add(call: Call): void {
    // Most calls never wait, and need no place in the queue.
    if (this.#waiting.size === 0) {
      const link = this.#offer(call);
      if (link !== null) {
        this.#dispatch.sent(call, link, link.epoch);
        return;
      }
    }
    this.#waiting.add(call);
    this.drain();
  }

  /** Takes a call that was sent already. It waits behind the others. */
  addAgain(call: Call): void {
    this.#waiting.add(call);
    this.drain();
  }

  /** A call is given up. */
  remove(call: Call): void {
    this.#waiting.delete(call);
  }

  /** Sends what waits, in order, as long as a server has room. */
  drain(): void {
    for (const call of this.#waiting) {
      if (call.state === "parked") return;
      const link = this.#offer(call);
      if (link === null) {
        this.#park(call);
        return;
      }
      this.#waiting.delete(call);
      this.#dispatch.sent(call, link, link.epoch);
    }
  }

  /** The link that took a call, in turn; null if none has room. */
  #offer(call: Call): Link | null {
    const count = this.links.length;
    for (let i = 0; i < count; i++) {
      const link = this.links[this.#turn++ % count];
      if (!this.#avoided(call, link) && link.trySend(call.payload)) return link;
    }
    return null;
  }

  /** Whether the server of a link has refused the call or given it up, and another one is there. */
  #avoided(call: Call, link: Link): boolean {
    return call.refusedBy?.has(link) === true && this.hasOther(call);
  }

  /** Whether a server is there that has not refused a call. */
  hasOther(call: Call): boolean {
    return this.links.some((one) => one.isUp && !call.refusedBy?.has(one));
  }

  /** No link has room: the first call in the queue waits at the least busy one, and can be taken back from there. */
  #park(call: Call): void {
    let link: Link | null = null;
    for (const one of this.links) {
      if (one.isUp && !this.#avoided(call, one) && (link === null || one.inFlight < link.inFlight))
        link = one;
    }
    if (link === null) return; // no server is connected; when one connects, the table calls drain()
    const target = link;
    const { epoch } = target;
    const wait = new AbortController();
    call.park(wait);
    void target.send(call.payload, wait.signal).then((sent) => {
      call.wait = null;
      if (sent) this.#leftPark(call, target, epoch);
      else if (call.state === "parked") call.unpark();
      if (sent) this.drain();
      else this.#later(() => this.drain()); // on a later turn, because it might fail again at once, in an endless loop
    });
  }

  /** The socket has taken a parked call. Meanwhile the call may have been given up, or the connection be gone. */
  #leftPark(call: Call, link: Link, epoch: number): void {
    if (call.state !== "parked") {
      this.#dispatch.sentInVain(call, link, epoch);
      return;
    }
    this.#waiting.delete(call);
    this.#dispatch.sent(call, link, epoch);
  }

  /** All calls that wait, as they are now. */
  all(): Call[] {
    return [...this.#waiting];
  }
}
