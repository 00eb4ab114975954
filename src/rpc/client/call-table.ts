/**
 * The unfinished calls of a client: finds the call of each event, and decides what happens to calls whose server is lost.
 * Requests are already encoded.
 */
import { type Buffer, debuglog } from "../../base/platform.js";
import { Channel } from "../channel.js";
import type { Environment } from "../clock.js";
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
import { type Attendant, Watch } from "./liveness.js";
import { OpenCalls } from "./open-calls.js";
import { type Dispatch, SendQueue } from "./send-queue.js";

/** Cancelled calls remembered until it is known whether the server is zwire, which is then told of the cancellations. */
const MOST_UNTOLD = 1000;

const debug = debuglog("zwire");

export class CallTable implements CallOwner, LinkOwner, Delivery, Attendant, Dispatch {
  readonly #options: CheckedClientOptions;
  readonly #codec: Codec;
  readonly #environment: Environment;
  readonly #ids: IdSource;
  readonly #queue: SendQueue;
  /** Calls that were sent and are unfinished, by channel. */
  readonly #open: OpenCalls<Call>;
  readonly #watch: Watch;
  readonly #faults = new Faults();
  /** Calls sent again, late events, events that could not be understood. */
  readonly counts = { retried: 0, late: 0, dropped: 0 };

  constructor(options: CheckedClientOptions, codec: Codec, environment: Environment, ids: IdSource) {
    this.#options = options;
    this.#codec = codec;
    this.#environment = environment;
    this.#ids = ids;
    this.#queue = new SendQueue(this, (resume) => environment.later(resume));
    this.#open = new OpenCalls(ids);
    this.#watch = new Watch(environment, options, this.#open, this);
  }

  get links(): Link[] {
    return this.#queue.links;
  }

  /** Number of calls that wait to be sent. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Number of calls that were sent and are unfinished, and how many of them stream. */
  get open(): { all: number; streams: number } {
    let streams = 0;
    for (const call of this.#open.all()) if (call.state === "streaming") streams++;
    return { all: this.#open.size, streams };
  }

  // Sending

  /** Takes a call, to be sent as soon as a server has room. */
  add(call: Call): void {
    this.#queue.add(call);
  }

  /** LinkOwner: a server has connected. */
  up(): void {
    this.#queue.drain();
  }

  /** Dispatch. The connection that took a parked call may be gone by now. */
  sent(call: Call, link: Link, epoch: number): void {
    call.sent(link, epoch, new Channel(this.#options, this.#environment.now()));
    link.inFlight++;
    this.#open.add(call);
    this.#watch.start();
    if (link.epoch !== epoch) this.down(link, epoch);
  }

  /** Dispatch. */
  sentInVain(call: Call, link: Link, epoch: number): void {
    if (link.epoch !== epoch) return;
    call.link = link;
    call.epoch = epoch;
    this.#tellCancelled(call, link);
  }

  /** Sends an event of a channel that is open: it costs no credit. */
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
      this.counts.dropped++; // it is unknown to which call the event belongs
      return;
    }
    if (link.server === "unknown") this.#meet(link, event.extension !== null);
    const call = event.responseTo === null ? undefined : this.#open.get(event.responseTo);
    if (call === undefined || call.link !== link) {
      this.counts.late++; // T28
      return;
    }
    try {
      deliver(call, event, this.#environment.now(), this);
    } catch (error) {
      // Callers get errors through promises, and errors of hooks are caught elsewhere: this one is a bug of zwire.
      this.#faults.tell(error);
      call.fail(error, false);
    }
  }

  /** Bugs in zwire/rpc that an event has hit. */
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

  /** A connection is gone: calls sent over it fail, or are sent to another server. */
  down(link: Link, epoch: number): void {
    for (const call of this.#open.all()) {
      if (call.link !== link || call.epoch > epoch) continue;
      this.lost(call, `the connection to ${link.endpoint} was lost`);
    }
    this.#queue.drain();
  }

  /** A call will not be answered: it fails, or is sent to another server. */
  lost(call: Call, why: string): void {
    if (call.outcome !== null || !this.#resend(call, false)) call.lost(why);
  }

  /** Puts a call that was sent back into the queue. False if it may not be sent again. */
  #resend(call: Call, refused: boolean): boolean {
    call.refused(call.link as Link);
    if (refused) {
      // The call did not run. Only a server that is connected now may get it; if there is none, the refusal is the answer.
      if (!this.#queue.hasOther(call)) return false;
    } else if (call.retries-- <= 0) return false;
    this.#leave(call);
    call.requeue();
    this.counts.retried++;
    debug("rpc call of %s is sent again: its server %s", call.method, refused ? "refused it" : "was lost");
    this.#queue.addAgain(call);
    return true;
  }

  /** Removes a call from the channels. */
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
        // An exception of the hook becomes an uncaught exception; the call continues.
        this.#environment.nextTick(() => {
          throw thrown;
        });
      }
    }
  }

  withdrawn(call: Call): void {
    this.#forgetSignal(call);
    this.#queue.remove(call);
  }

  finished(call: Call, abandoned: boolean): void {
    this.#forgetSignal(call);
    this.#leave(call);
    const link = call.link as Link;
    if (abandoned && link.epoch === call.epoch) this.#tellCancelled(call, link);
  }

  #forgetSignal(call: Call): void {
    call.cleanup?.();
    call.cleanup = null;
  }

  /** Only a zwire server understands the event. The server's first event tells whether it is one. */
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

  // Pings

  probe(link: Link): void {
    const id = this.#ids.next();
    const request = { method: "_zerorpc_ping", args: [], headers: {} };
    const fields = { id, responseTo: null, headers: null, extension: {} };
    const payload = encodeEvent(this.#codec, fields, request.method, []);
    if (!link.trySend(payload)) return;
    const probe = { sent: this.#environment.now(), answered: null as number | null };
    const owner: CallOwner = {
      grant: () => {},
      answered: () => {
        probe.answered = this.#environment.now();
      },
      withdrawn: () => {},
      finished: (call) => this.#leave(call),
    };
    this.sent(new Call(owner, { id, payload, request, retries: 0 }), link, link.epoch);
    link.probe = probe;
  }

  /** Fails all calls. */
  close(error: (call: Call) => Error): void {
    for (const call of [...this.#queue.all(), ...this.#open.all()]) call.fail(error(call), true);
    this.#watch.stop();
  }
}
