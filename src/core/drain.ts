/**
 * Ends a socket without losing what is on its way: no new peers; each connection is half-closed when it has brought what it
 * had, and read to the peer's end; the program gets all of it, answers, and what it sends is flushed. When the time is over,
 * the rest is counted and thrown away. It looks at the queues every few milliseconds, so that nothing else has to know of it.
 */
import { ZmqError } from "../base/errors.js";
import type { Runtime } from "../base/runtime.js";
import type { Pipe } from "../engine/pipe.js";
import type { WaitingReceives } from "../engine/waiting-receives.js";
import type { OptionValues } from "../options/options.js";
import type { FairQueue } from "../patterns/fair-queue.js";
import type { Strategy } from "../patterns/strategy.js";
import type { Link, Lost } from "../session/host.js";
import type { Endpoints } from "./endpoints.js";
import type { Sender } from "./sender.js";
import { type Counted, unreadOf } from "./stats.js";

/** What a drain has thrown away: both numbers are 0 if everything was handled. */
export interface Drained {
  /** Received messages that nobody had read when the time was over, including those that the system still held. */
  readonly unread: number;
  /** Accepted messages that were not sent. */
  readonly unsent: number;
  /** Connections whose peers had not come to an end: what the system still held of them is not in `unread`. */
  readonly open: number;
}

/** How often to look. */
const LOOK_MS = 5;
/** A connection that brings nothing for so long is half-closed: its peer has nothing more for us. */
const QUIET_MS = 250;
/** The same for one whose peer keeps what it has: it is enough that nothing is held up. */
const CAUGHT_UP_MS = 20;
/** At the latest, connections are half-closed after half of the time, or so long. */
const LATE_MS = 5000;
/** Part of the time that is kept for counting what the system still holds, and most of it. */
const COUNTING_SHARE = 0.1;
const COUNTING_MS = 500;

/** The socket. */
export interface Draining extends Counted {
  readonly options: Pick<OptionValues, "linger">;
  readonly runtime: Runtime;
  readonly refed: boolean;
  readonly strategy: Strategy;
  readonly sender: Sender | null;
  readonly receives: WaitingReceives<unknown> | null;
  readonly inbound: FairQueue;
  readonly lost: Lost;
  readonly closing: Promise<void> | null;
  /** Refuses all calls from now on. */
  endCalls(error: ZmqError): void;
  close(linger: number): Promise<void>;
}

/** What is known of a connection. */
interface Known {
  received: number;
  /** When something last came, or was held up. */
  since: number;
  ended: boolean;
}

export class Drain {
  readonly #core: Draining;
  readonly #endpoints: Endpoints;
  readonly #known = new Map<Pipe, Known>();
  readonly #began: number;
  readonly #late: number;
  /** When what is left is thrown away, and until when it is counted. */
  #end: number;
  #counted: number;
  /** Everything is refused, and only counted. */
  #over = false;
  #done: () => void = () => {};
  #running: Promise<Drained> | null = null;

  /** @param timeout milliseconds; -1 for no limit */
  constructor(core: Draining, endpoints: Endpoints, timeout: number) {
    this.#core = core;
    this.#endpoints = endpoints;
    this.#began = core.runtime.now();
    const limit = timeout < 0 ? Number.POSITIVE_INFINITY : timeout;
    this.#counted = this.#began + limit;
    this.#end = this.#counted - Math.min(COUNTING_MS, limit * COUNTING_SHARE);
    this.#late = this.#began + Math.min(LATE_MS, limit / 2);
  }

  /** Resolves when the socket is closed. Another call gives the same promise. */
  run(): Promise<Drained> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<Drained> {
    const { lost, sender } = this.#core;
    const { unread, unsent } = lost;
    sender?.queue.release();
    this.#endpoints.drain();
    await new Promise<void>((resolve) => {
      this.#done = resolve;
      this.#look();
    });
    const open = this.#reads() ? this.#endpoints.links.length : 0;
    await this.#core.close(0);
    return { unread: lost.unread - unread, unsent: lost.unsent - unsent, open };
  }

  /** Throws away what is left, as at the end of the time. */
  cut(): void {
    const now = this.#core.runtime.now();
    this.#counted = Math.min(this.#counted, now + COUNTING_MS);
    this.#end = now;
  }

  #look(): void {
    const { closing, refed, runtime } = this.#core;
    if (closing !== null || this.#isDone(runtime.now())) {
      this.#done();
      return;
    }
    const timer = runtime.loop.deadline(LOOK_MS, () => this.#look());
    if (!refed) timer.unref();
  }

  #isDone(now: number): boolean {
    if (!this.#over && now >= this.#end) this.#giveUp();
    if (this.#over) return now >= this.#counted || this.#endpoints.links.length === 0;
    const { pipes, sender, strategy } = this.#core;
    const { links } = this.#endpoints;
    const reads = this.#reads();
    const busy = reads && this.#isBusy(links.length > 0);
    if (reads) for (const link of links) this.#follow(link, now, busy);
    const open = reads && links.length > 0;
    const waiting = sender !== null && sender.queue.length > 0 && pipes.size > 0;
    return !busy && !open && !waiting && !strategy.catchingUp && this.#flushed(links, now);
  }

  /** Whether the socket reads messages: what publishers get are subscriptions. */
  #reads(): boolean {
    return this.#core.receives !== null && !this.#core.strategy.onlySends;
  }

  /** Whether the program has something to do: to read, to answer, or to finish what it does with a message. */
  #isBusy(connected: boolean): boolean {
    const { receives, strategy } = this.#core;
    if (receives === null) return false;
    const asks = connected && strategy.awaitsReply && receives.waiting > 0;
    return asks || unreadOf(this.#core) > 0 || receives.busy || strategy.owes;
  }

  /** Half-closes a connection when its time has come. */
  #follow(link: Link, now: number, busy: boolean): void {
    const { partial, pipe, received } = link;
    const { sender, strategy } = this.#core;
    let known = this.#known.get(pipe);
    if (known === undefined) {
      known = { received, since: now, ended: false };
      this.#known.set(pipe, known);
    }
    if (known.ended) return;
    if (known.received !== received || partial || pipe.throttled) {
      known.received = received;
      known.since = now;
    }
    const late = now >= this.#late;
    if (sender === null) {
      if (late || now - known.since >= (link.peerKeeps ? CAUGHT_UP_MS : QUIET_MS)) known.ended = link.end();
      return;
    }
    // Once half-closed, it gets no answers. So nothing more is read first, and what is there is answered and flushed.
    if (late && !strategy.awaitsReply) pipe.holdBack();
    if (busy || pipe.outboundLength > 0 || !(late || now - known.since >= QUIET_MS)) return;
    known.ended = link.end();
    if (known.ended) pipe.letOn();
  }

  /** Whether nothing is unsent. What waits for a peer that is not there waits no longer than `linger`. */
  #flushed(links: readonly Link[], now: number): boolean {
    const { lingering, unsent } = this.#endpoints;
    if (unsent === 0) return true;
    if (lingering > 0) return false; // for endpoints and peers that were told to go, each has a time of its own
    const { linger } = this.#core.options;
    if (linger < 0 || now < this.#began + linger) return false;
    return links.every(({ pipe }) => pipe.outboundLength === 0);
  }

  /** The time is over: nothing is given or taken any more. What the system still holds is read, and counted. */
  #giveUp(): void {
    this.#over = true;
    const { inbound, lost, receives } = this.#core;
    this.#core.endCalls(new ZmqError("EBADF"));
    for (const { pipe, end } of this.#endpoints.links) {
      if (this.#known.get(pipe)?.ended === true) continue;
      lost.unsent += pipe.discardOutbound();
      end();
      pipe.letOn();
    }
    if (receives === null) return;
    receives.discard(() => {
      while (inbound.next() !== undefined) if (this.#reads()) lost.unread++;
    });
  }
}
