/**
 * The calls of a client and the links that carry them: who waits, who is sent where, which event belongs to whom, and what
 * becomes of a call whose server is lost. A call waits here, not in a socket, until a server is there and has room for
 * it, so that one that is given up is never delivered (T32). Knows no arguments: requests come encoded.
 */
import { type Buffer, nextTick, setImmediate } from "../../base/platform.js";
import { Channel } from "../channel.js";
import type { Clock } from "../clock.js";
import { CallRefused } from "../errors.js";
import { Faults } from "../faults.js";
import type { CheckedClientOptions } from "../options.js";
import type { Codec } from "../wire/codec.js";
import {
  CANCEL,
  decodeEvent,
  encodeEvent,
  HEARTBEAT,
  type IdSource,
  MORE,
  type RpcEvent,
} from "../wire/event.js";
import type { Id } from "../wire/id.js";
import { Call, type CallOwner } from "./call.js";
import { type Delivery, deliver } from "./deliver.js";
import type { Link, LinkOwner } from "./link.js";
import { type Attendant, attend } from "./liveness.js";
import { OpenCalls } from "./open-calls.js";

/** Seconds are fine enough to notice silence, unless heartbeats are closer. */
const LONGEST_TICK_MS = 1000;
const SHORTEST_TICK_MS = 5;
/** A tick that comes so much too late says that our own event loop was busy. */
const BUSY_MS = 20;
/** Calls given up while a server's kind is unknown that are told to it later. */
const MOST_UNTOLD = 1000;

export class CallTable implements CallOwner, LinkOwner, Delivery, Attendant {
  readonly links: Link[] = [];
  readonly #options: CheckedClientOptions;
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #ids: IdSource;
  /** In the order in which they will be sent. */
  readonly #waiting = new Set<Call>();
  /** Sent and not over, by channel. */
  readonly #open: OpenCalls<Call>;
  #turn = 0;
  #stopTicking: (() => void) | null = null;
  readonly #faults = new Faults();
  /** Calls sent again, late events, events that could not be understood. */
  readonly counts = { retried: 0, late: 0, dropped: 0 };

  constructor(options: CheckedClientOptions, codec: Codec, clock: Clock, ids: IdSource) {
    this.#options = options;
    this.#codec = codec;
    this.#clock = clock;
    this.#ids = ids;
    this.#open = new OpenCalls(ids);
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls that are sent and not over, and how many of them stream. */
  get open(): { all: number; streams: number } {
    let streams = 0;
    for (const call of this.#open.all()) if (call.state === "streaming") streams++;
    return { all: this.#open.size, streams };
  }

  // Sending

  /** Take a call, to be sent as soon as a server has room. */
  add(call: Call): void {
    // Most never wait: the queue is for the others.
    if (this.#waiting.size === 0) {
      const link = this.#offer(call);
      if (link !== null) {
        this.#sent(call, link);
        return;
      }
    }
    this.#waiting.add(call);
    this.#drain();
  }

  /** Send what waits, in order, as long as a server has room. */
  #drain(): void {
    for (const call of this.#waiting) {
      if (call.parked !== null) return; // it is at the head, and waits for room
      const link = this.#offer(call);
      if (link === null) {
        this.#park(call);
        return;
      }
      this.#sent(call, link);
    }
  }

  /** The link that took a call, in turn; null when none has room. */
  #offer(call: Call): Link | null {
    const count = this.links.length;
    for (let i = 0; i < count; i++) {
      const link = this.links[this.#turn++ % count];
      if (!this.#avoided(call, link) && link.trySend(call.payload)) return link;
    }
    return null;
  }

  /** Whether a call that this server has refused or given up should go to another that is there. */
  #avoided(call: Call, link: Link): boolean {
    return (
      call.refusedBy?.has(link) === true && this.links.some((one) => one.isUp && !call.refusedBy?.has(one))
    );
  }

  /** No link has room: the head of the queue waits at the least busy one, and may be withdrawn from there. */
  #park(call: Call): void {
    let link: Link | null = null;
    for (const one of this.links) {
      if (one.isUp && !this.#avoided(call, one) && (link === null || one.inFlight < link.inFlight))
        link = one;
    }
    if (link === null) return; // nobody is there; up() comes back here
    const target = link;
    const { epoch } = target;
    const parked = new AbortController();
    call.parked = parked;
    void target.send(call.payload, parked.signal).then((sent) => {
      call.parked = null;
      if (sent) this.#leftPark(call, target, epoch);
      // On a later turn if it was not sent: trying again at once might fail at once, for ever.
      if (sent) this.#drain();
      else setImmediate(() => this.#drain());
    });
  }

  /** LinkOwner. */
  up(): void {
    this.#drain();
  }

  /** A call that waited for room is sent; meanwhile it may have been given up, or the connection be gone. */
  #leftPark(call: Call, link: Link, epoch: number): void {
    if (call.state === "waiting") {
      this.#sent(call, link, epoch);
      if (link.epoch !== epoch) this.down(link, epoch);
    } else if (link.epoch === epoch) {
      call.link = link;
      call.epoch = epoch;
      this.#tellCancelled(call, link);
    }
  }

  #sent(call: Call, link: Link, epoch = link.epoch): void {
    if (this.#waiting.size > 0) this.#waiting.delete(call);
    call.state = "sent";
    call.link = link;
    call.epoch = epoch;
    call.channel = new Channel(this.#options, this.#clock.now());
    link.inFlight++;
    this.#open.add(call);
    this.#keepTicking();
  }

  /** Send an event of a channel that is open: it costs no credit. */
  #follow(call: Call, name: string, args: unknown[]): void {
    const { link } = call;
    if (link !== null && link.epoch === call.epoch) this.#tell(link, call.id, name, args);
  }

  #tell(link: Link, responseTo: Id, name: string, args: unknown[]): void {
    const extension = link.server === "zwire" ? {} : null;
    const fields = { id: this.#ids, responseTo, headers: null, extension };
    link.follow(encodeEvent(this.#codec, fields, name, args));
  }

  // Receiving

  received(link: Link, payload: Buffer): void {
    let event: RpcEvent;
    try {
      event = decodeEvent(this.#codec, payload);
    } catch {
      this.counts.dropped++; // whose it is cannot be known
      return;
    }
    if (link.server === "unknown") this.#meet(link, event.extension !== null);
    const call = event.responseTo === null ? undefined : this.#open.get(event.responseTo);
    if (call === undefined || call.link !== link) {
      this.counts.late++; // T28
      return;
    }
    try {
      deliver(call, event, this.#clock.now(), this);
    } catch (error) {
      // Callers hear of their calls by promises, and hooks are guarded: what comes here is ours.
      this.#faults.tell(error);
      call.fail(error, false);
    }
  }

  /** Bugs of ours that an event has met. */
  get faults(): number {
    return this.#faults.count;
  }

  heartbeat(call: Call): void {
    if (call.link?.isBehind === true) return;
    this.#follow(call, HEARTBEAT, [0]);
  }

  grant(call: Call, count: number): void {
    this.#follow(call, MORE, [count]);
  }

  failed(call: Call, error: Error): void {
    if (error instanceof CallRefused && call.outcome === null && this.#resend(call, true)) return;
    let told: unknown = error;
    for (const one of this.#options.middleware) {
      try {
        told = one.clientHandleRemoteError?.(call.request, told as Error) ?? told;
      } catch (thrown) {
        told = thrown;
      }
    }
    call.fail(told, false);
  }

  // The end of calls

  /** A connection is gone: what was sent by it fails, or goes elsewhere. */
  down(link: Link, epoch: number): void {
    for (const call of this.#open.all()) {
      if (call.link !== link || call.epoch > epoch) continue;
      this.lost(call, `the connection to ${link.endpoint} was lost`);
    }
    this.#drain();
  }

  /** A call will not be answered: it fails, or goes elsewhere. */
  lost(call: Call, why: string): void {
    if (call.outcome !== null || !this.#resend(call, false)) call.lost(why);
  }

  /** Put a call that was sent back into the queue; false when it may not be sent again. */
  #resend(call: Call, refused: boolean): boolean {
    const link = call.link as Link;
    call.refused(link);
    if (refused) {
      // It did not run. Only a server that is there now may have it: the one that refused it is the last word otherwise.
      if (!this.links.some((one) => one.isUp && !call.refusedBy?.has(one))) return false;
    } else if (call.retries-- <= 0) return false;
    this.#leave(call);
    call.state = "waiting";
    this.counts.retried++;
    this.#waiting.add(call);
    this.#drain();
    return true;
  }

  /** Take a call from the channels. */
  #leave(call: Call): void {
    if (!this.#open.delete(call)) return;
    (call.link as Link).inFlight--;
  }

  answered(call: Call): void {
    call.deadline?.cancel();
    call.deadline = null;
    const { outcome } = call;
    const error = outcome?.kind === "error" ? outcome.error : null;
    const value = outcome?.kind === "value" ? outcome.value : undefined;
    for (const one of this.#options.middleware) {
      try {
        one.clientAfterRequest?.(call.request, value, error);
      } catch (thrown) {
        // The hook's exception, and nobody else's: the call goes on.
        nextTick(() => {
          throw thrown;
        });
      }
    }
  }

  finished(call: Call, abandoned: boolean): void {
    call.cleanup?.();
    call.cleanup = null;
    if (call.state === "waiting") {
      this.#waiting.delete(call);
      call.parked?.abort();
      return;
    }
    this.#leave(call);
    const link = call.link as Link;
    if (abandoned && link.epoch === call.epoch) this.#tellCancelled(call, link);
  }

  /** Only a zwire server knows the event; whether it is one is learned from its first event. */
  #tellCancelled(call: Call, link: Link): void {
    if (link.server === "zwire") this.#follow(call, CANCEL, []);
    else if (link.server === "unknown" && link.untold.length < MOST_UNTOLD) link.untold.push(call.id);
  }

  #meet(link: Link, zwire: boolean): void {
    const { untold } = link;
    link.untold = [];
    link.server = zwire ? "zwire" : "other";
    if (zwire) for (const id of untold) this.#tell(link, id, CANCEL, []);
  }

  // Time

  #keepTicking(): void {
    if (this.#stopTicking !== null || this.#open.size === 0) return;
    const { heartbeat, lostAfter } = this.#options;
    const shortest = Math.min(heartbeat > 0 ? heartbeat : Infinity, lostAfter);
    const period = Math.min(LONGEST_TICK_MS, Math.max(SHORTEST_TICK_MS, shortest / 4));
    const expected = this.#clock.now() + period;
    this.#stopTicking = this.#clock.after(period, () => {
      this.#stopTicking = null;
      const now = this.#clock.now();
      const late = now - expected;
      for (const call of this.#open.all()) {
        if (late > BUSY_MS) call.channel?.away(late, now);
        attend(call, now, heartbeat, this);
      }
      this.#keepTicking();
    });
  }

  probe(link: Link): void {
    const id = this.#ids.next();
    const request = { method: "_zerorpc_ping", args: [], headers: {} };
    const extension = {};
    const payload = encodeEvent(
      this.#codec,
      { id, responseTo: null, headers: null, extension },
      request.method,
      [],
    );
    if (!link.trySend(payload)) return;
    const probe = { sent: this.#clock.now(), answered: null as number | null };
    const owner = {
      grant: () => {},
      answered: () => {
        probe.answered = this.#clock.now();
      },
      finished: (call: Call) => this.#leave(call),
    };
    const call = new Call(owner, { id, payload, request, retries: 0 });
    this.#sent(call, link);
    link.probe = probe;
  }

  /** Fail everything. */
  close(error: (call: Call) => Error): void {
    for (const call of [...this.#waiting, ...this.#open.all()]) call.fail(error(call), true);
    this.#stopTicking?.();
  }
}
