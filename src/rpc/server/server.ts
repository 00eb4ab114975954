/**
 * The server: events of all clients to channels, calls to handlers (§5, §6). It answers everything that can be answered,
 * drops and counts what cannot, and is stopped by nothing that a client sends.
 */
import { Buffer, EventEmitter, nextTick, randomBytes, setImmediate } from "../../base/platform.js";
import { describeName, refusal } from "../answers.js";
import { Channel, type ChannelRules } from "../channel.js";
import { type Clock, systemClock } from "../clock.js";
import { Deadlines } from "../deadlines.js";
import { TimeoutExpired } from "../errors.js";
import { Faults } from "../faults.js";
import { type CheckedServeOptions, checkServeOptions, duration } from "../options.js";
import type {
  ServeOptions,
  ServerCloseOptions,
  ServerEvents,
  ServerLimitEvent,
  ServerStats,
  Service,
} from "../types.js";
import { Codec, sendable } from "../wire/codec.js";
import {
  CANCEL,
  decodeEvent,
  EncodedArgs,
  type Extension,
  ExtensionField,
  enclose,
  encodeEvent,
  HEARTBEAT,
  IdSource,
  MORE,
  openEnvelope,
  type RpcEvent,
} from "../wire/event.js";
import type { Id } from "../wire/id.js";
import { RequestContext } from "./context.js";
import { Hooks } from "./hooks.js";
import { Leaving } from "./leaving.js";
import { Limiter } from "./limiter.js";
import { type Connection, type PeerState, Peers } from "./peers.js";
import { Port } from "./port.js";
import { ServedCall, type ServedCallOwner } from "./served-call.js";
import { BuiltIns, methodsOf, type ServedMethod } from "./service.js";

/** A server begins no heartbeats (§5.2); its silence rules are its own. */
const RULES: ChannelRules = { window: 1, heartbeat: 0, lostAfter: Infinity };
/** How often channels are looked over. */
const TICK_MS = 5000;
const CLOSING = refusal("closing", "ServerClosing", "the server is closing");
/** Channels that a heartbeat opened and no call followed: so many, and for so long. */
const MOST_IDLE = 1000;
const IDLE_MS = 60_000;

/** A running server; made by `serve`. Event: `limit`. */
export class Server extends EventEmitter<ServerEvents> {
  readonly #options: CheckedServeOptions;
  readonly #table: Map<string, ServedMethod>;
  readonly #builtIns: BuiltIns<EncodedArgs>;
  readonly #codec: Codec;
  /** To clients that are zwire: we are, too. */
  readonly #announcement: ExtensionField;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #ids: IdSource;
  readonly #port: Port;
  readonly #peers = new Peers();
  readonly #limiter: Limiter;
  readonly #leaving: Leaving;
  readonly #owner: ServedCallOwner;
  readonly #idle = new Set<ServedCall>();
  readonly #endpoints: string[] = [];
  #streams = new Set<ServedCall>();
  #channels = 0;
  #sweepDue = false;
  #stopTicking: (() => void) | null = null;
  #closing: Promise<void> | null = null;
  readonly #faults = new Faults();
  readonly #counts = { calls: 0, refused: 0, cancelled: 0, dropped: 0, late: 0, undelivered: 0 };

  /** @internal use `serve` */
  constructor(service: Service, options: ServeOptions | undefined, clock: Clock = systemClock) {
    super();
    this.#options = checkServeOptions(options);
    this.#table = methodsOf(service);
    this.#codec = new Codec(this.#options.limits, this.#options.legacyRaw);
    this.#announcement = new ExtensionField(this.#codec, {});
    const encoded = (value: unknown): EncodedArgs =>
      new EncodedArgs(this.#codec, [sendable(value, "result")]);
    this.#builtIns = new BuiltIns(this.#table, this.#options.name, encoded);
    this.#clock = clock;
    this.#deadlines = new Deadlines(clock);
    this.#ids = new IdSource(randomBytes(16), this.#options.legacyRaw);
    this.#limiter = new Limiter(this.#options.concurrency, this.#options.queueLimit);
    this.#port = new Port(this.#options.socket, this.#options.maxUnsentBytes, clock, (name, value) =>
      this.#exceeded(this.#peers.connection(name), "maxUnsentBytes", "dropped", value),
    );
    this.#leaving = new Leaving(
      (call, reason) => {
        this.#counts.cancelled++;
        call.abandon(reason);
      },
      (resume) => setImmediate(resume),
    );
    this.#owner = this.#makeOwner(new Hooks(this.#options.middleware));
    this.#port.socket.on("message", (frames) => this.#received(frames));
    this.#port.socket.on("limit", (event) => this.emit("limit", event));
    this.#port.socket.on("disconnect", ({ peer }) => {
      // A client with a name of its own may be back under it before anybody looks.
      if (peer.routingId.length > 0) this.#leaving.add(this.#peers.takeNamed(peer.routingId));
      this.#sweepSoon();
    });
  }

  #makeOwner(hooks: Hooks): ServedCallOwner {
    return {
      tracebacks: this.#options.tracebacks,
      execute: (call) => hooks.execute(call.context as RequestContext, call.served as ServedMethod),
      after: hooks.any ? (call, result) => hooks.after(call.context as RequestContext, result) : null,
      inspect: hooks.any ? (call, error) => hooks.inspect(call.context as RequestContext, error) : null,
      emit: (call, name, args, extension) => {
        if (call.streaming) this.#streams.add(call);
        this.#emit(call, name, args, extension);
      },
      clear: (call) => {
        const { routingId } = call.from;
        if (!this.#port.congested(routingId)) return true;
        this.#port.whenClear(routingId, call);
        return false;
      },
      later: (resume) => setImmediate(resume),
      started: () => this.#counts.calls++,
      parked: (call) => this.#limiter.park(call),
      unparked: (call) => this.#limiter.unpark(call),
      displaced: (call) => this.#busy(call),
      closed: (call) => this.#closed(call),
      released: (call) => this.#limiter.release(call),
    };
  }

  /** @internal */
  async open(endpoints: readonly string[]): Promise<void> {
    try {
      for (const given of endpoints) {
        const endpoint = this.#options.middleware.reduce(
          (name, one) => one.resolveEndpoint?.(name) ?? name,
          given,
        );
        if (!this.#options.connect) this.#endpoints.push(await this.#port.socket.bind(endpoint));
        else {
          this.#port.socket.connect(endpoint);
          this.#endpoints.push(endpoint);
        }
      }
    } catch (error) {
      await this.#port.close(0);
      throw error;
    }
  }

  /** Actual endpoints, with the port where one was bound. */
  get endpoints(): readonly string[] {
    return this.#endpoints;
  }

  /** The first endpoint. */
  get endpoint(): string {
    return this.#endpoints[0];
  }

  // Events

  #received(frames: Buffer[]): void {
    const opened = openEnvelope(frames);
    let event: RpcEvent;
    try {
      if (opened === null) throw new TypeError("no payload");
      event = decodeEvent(this.#codec, opened.payload);
    } catch {
      this.#counts.dropped++; // T6: whose answer it would be cannot be known
      return;
    }
    const { id, responseTo, extension, name } = event;
    if ((responseTo ?? id) === null) {
      this.#counts.dropped++;
      return;
    }
    const peer = this.#peers.at(opened.envelope);
    if (extension !== null) peer.zwire = true;
    try {
      if (responseTo === null) this.#opening(peer, id as Id, event);
      else {
        const call = peer.channels.get(responseTo);
        if (call !== undefined) this.#following(call, event);
        else this.#unknown(peer, responseTo, name);
      }
    } catch (error) {
      // Handlers and hooks are called behind guards of their own: what comes here is ours. Nobody else pays for it.
      this.#faults.tell(error);
      peer.channels.get((responseTo ?? id) as Id)?.abandon(error);
    }
  }

  /** An event that opens a channel: a call, or a heartbeat in front of one (§5). */
  #opening(peer: PeerState, id: Id, event: RpcEvent): void {
    const now = this.#clock.now();
    const call = new ServedCall(this.#owner, id, peer, new Channel(RULES, now));
    call.version = event.version;
    if (event.name === CANCEL) return;
    this.#channels++;
    if (event.name !== HEARTBEAT && event.name !== MORE) {
      this.#request(call, event);
      if (!call.isClosed) this.#kept(peer, call);
      return;
    }
    this.#kept(peer, call);
    this.#idle.add(call);
    if (this.#idle.size > MOST_IDLE) {
      for (const oldest of this.#idle) {
        oldest.abandon(null);
        break;
      }
    }
    this.#following(call, event);
  }

  /** A channel that stays open. T33: a second one with its id takes its place in what follows, and both are answered. */
  #kept(peer: PeerState, call: ServedCall): void {
    peer.open(call);
    this.#keepTicking();
  }

  #following(call: ServedCall, event: RpcEvent): void {
    const now = this.#clock.now();
    const { channel, from } = call;
    switch (event.name) {
      case HEARTBEAT:
        this.#heartbeat(call, event, now);
        return;
      case MORE:
        if (channel.grant(event.args, now)) call.wake();
        else this.#counts.dropped++;
        return;
      case CANCEL:
        this.#counts.cancelled++;
        call.abandon(new DOMException("The caller has cancelled the call", "AbortError"));
        return;
    }
    channel.touched(now);
    if (call.phase !== "idle") return; // T34
    this.#idle.delete(call);
    if (event.extension !== null) from.zwire = true;
    this.#request(call, event);
  }

  #heartbeat(call: ServedCall, event: RpcEvent, now: number): void {
    const { channel, from } = call;
    const answer = channel.heartbeat(now);
    from.beats = true;
    from.interval = Math.max(from.interval, channel.peerInterval);
    // Version 2 has no event of its own for grants.
    if (event.version < 3 && channel.grant(event.args, now)) call.wake();
    if (answer) this.#emit(call, HEARTBEAT, [0], null);
  }

  /** An event for a channel that is closed. A zwire client that keeps it alive is told, others never knew such an event. */
  #unknown(peer: PeerState, id: Id, name: unknown): void {
    this.#counts.late++;
    if (!peer.zwire || (name !== HEARTBEAT && name !== MORE)) return;
    const gone = new ServedCall(this.#owner, id, peer, new Channel(RULES, 0));
    this.#emit(gone, CANCEL, [], null);
  }

  #emit(call: ServedCall, name: string, args: unknown, extension: Extension | null): void {
    const { from } = call;
    const announced = from.zwire ? (extension ?? this.#announcement) : null;
    if (from.zwire) from.greeted = true;
    const fields = { id: this.#ids, responseTo: call.id, headers: null, extension: announced };
    const encode = (): Buffer[] => enclose(from.envelope, encodeEvent(this.#codec, fields, name, args));
    const sent =
      args instanceof EncodedArgs ? this.#port.sendLazily(from.routingId, encode) : this.#port.send(encode());
    if (sent === "sent" || sent === "waiting") return;
    this.#counts.undelivered++;
    this.#sweepSoon();
  }

  // Calls

  #request(call: ServedCall, event: RpcEvent): void {
    const { name, args, fault } = event;
    const served = typeof name === "string" ? this.#table.get(name) : undefined;
    const internal = typeof name === "string" && name.startsWith("_") ? this.#builtIns.find(name) : null;
    if (served === undefined && internal === null) {
      call.refuse(refusal("unknown-method", "NameError", describeName(name))); // T25, T7
      return;
    }
    if (fault !== null || !Array.isArray(args)) {
      const why =
        fault === null ? "arguments must be an array" : `arguments cannot be decoded: ${fault.message}`;
      call.refuse({ args: ["TypeError", why, null], extension: {} }); // T8
      return;
    }
    if (internal !== null) call.answer(() => internal(args));
    else this.#admit(call, event, name as string, served as ServedMethod, args);
  }

  #admit(call: ServedCall, event: RpcEvent, name: string, served: ServedMethod, args: unknown[]): void {
    if (this.#closing !== null) {
      this.#counts.refused++;
      call.refuse(CLOSING);
      return;
    }
    const { connection } = call.from;
    if (connection.open >= this.#options.maxClientCalls) {
      this.#exceeded(connection, "maxClientCalls", "refused", connection.open + 1);
      this.#busy(call);
      return;
    }
    const timeout = patienceOf(event.extension?.timeout);
    const limited = timeout < Infinity;
    const deadline = Date.now() + timeout;
    call.context = new RequestContext(name, args, call.from, deadline, event.header);
    call.served = served;
    call.phase = "waiting";
    if (!this.#limiter.enter(call)) {
      this.#busy(call);
      return;
    }
    // Most have their answer by now, and need no timer.
    if (limited && !call.isClosed && !call.begun) {
      call.deadline = this.#deadlines.after(quantised(timeout), () => {
        this.#counts.cancelled++;
        call.abandon(new TimeoutExpired(name, timeout, true));
      });
    }
    // A zwire client learns at once that it may cancel, unless it has its answer already.
    const { from } = call;
    if (!from.zwire || from.greeted || call.isClosed) return;
    call.channel.begin(this.#clock.now());
    this.#emit(call, HEARTBEAT, [0], null);
  }

  /** Too many calls: this one is not run. */
  #busy(call: ServedCall): void {
    this.#counts.refused++;
    const { waiting } = this.#limiter;
    const { open } = call.from.connection;
    call.refuse(
      refusal(
        "busy",
        "ServerBusy",
        `${waiting} calls are waiting already, and ${open} of this client are open`,
      ),
    );
  }

  /** Tell of a limit; once for each connection. Listeners are the program's: none is called in the middle of our work. */
  #exceeded(
    connection: Connection | undefined,
    limit: ServerLimitEvent["limit"],
    action: ServerLimitEvent["action"],
    value: number,
  ): void {
    if (connection === undefined || connection.told.has(limit)) return;
    connection.told.add(limit);
    const routingId = Buffer.from(connection.name, "latin1");
    const event = { type: "limit", endpoint: "", address: "", limit, action, value, routingId } as const;
    nextTick(() => this.emit("limit", event));
  }

  #closed(call: ServedCall): void {
    call.from.closed(call);
    this.#port.unwatch(call.from.routingId, call);
    this.#channels--;
    this.#idle.delete(call);
    this.#streams.delete(call);
    this.#limiter.withdraw(call);
  }

  // Clients that are gone

  #sweepSoon(): void {
    if (this.#sweepDue) return;
    this.#sweepDue = true;
    setImmediate(() => {
      this.#sweepDue = false;
      this.#leaving.add(this.#peers.takeGone((routingId) => this.#port.isThere(routingId)));
    });
  }

  #keepTicking(): void {
    if (this.#stopTicking !== null || this.#channels === 0) return;
    this.#stopTicking = this.#clock.after(TICK_MS, () => {
      this.#stopTicking = null;
      this.#tick();
      this.#keepTicking();
    });
  }

  #tick(): void {
    const now = this.#clock.now();
    for (const call of [...this.#idle]) if (call.channel.silence(now) >= IDLE_MS) call.abandon(null);
    for (const call of [...this.#streams]) {
      if (!call.starved || call.channel.silence(now) < call.from.patience(this.#options.abandonAfter))
        continue;
      this.#counts.cancelled++;
      if (call.from.zwire) this.#emit(call, CANCEL, [], null);
      call.abandon(new DOMException("The caller takes nothing and is silent", "AbortError"));
    }
  }

  // The server itself

  /** Counters and depths now. */
  get stats(): ServerStats {
    return {
      waiting: this.#limiter.waiting,
      running: this.#limiter.running,
      streams: this.#streams.size,
      channels: this.#channels,
      peers: this.#peers.active,
      ...this.#counts,
      undelivered: this.#counts.undelivered + this.#port.lost,
      faults: this.#faults.count,
    };
  }

  /**
   * Close. New calls are refused from now on, those that wait for a place too; running ones may finish within `grace`,
   * and are aborted then. Resolves when the last answer is sent, or `linger` is over.
   */
  close(options: ServerCloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(duration("grace", options.grace ?? 30_000, 0), options.linger);
    return this.#closing;
  }

  async #close(grace: number, linger: number | undefined): Promise<void> {
    await null; // so that #closing is set: what comes now is refused
    for (const call of this.#limiter.takeWaiting()) {
      this.#counts.refused++;
      (call as ServedCall).refuse(CLOSING);
    }
    if (grace > 0) await this.#finished(grace);
    for (const call of [...this.#peers.calls()]) {
      const { zwire, envelope } = call.from;
      if (zwire && envelope.length > 1) this.#emit(call, CANCEL, [], null); // no broker would tell it
      call.abandon(new DOMException("The server is closing", "AbortError"));
    }
    this.#leaving.finish();
    this.#stopTicking?.();
    this.#deadlines.close();
    await this.#port.close(linger);
  }

  /** Resolves when nothing runs any more, or time is over. */
  #finished(grace: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = Number.isFinite(grace) ? this.#clock.after(grace, resolve) : null;
      this.#limiter.whenIdle(() => {
        stop?.();
        resolve();
      });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Longest time that a caller may ask us to keep in mind, about 25 days; whoever waits longer waits without a limit. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** Milliseconds that a caller says it waits; Infinity where it does not say. */
function patienceOf(timeout: unknown): number {
  return typeof timeout === "number" && timeout > 0 && timeout <= LONGEST_TIMEOUT_MS ? timeout : Infinity;
}

/**
 * The timeout, rounded up by at most a sixty-fourth: what callers choose must not become as many timers. That it is late
 * does no harm, because the caller keeps its own time.
 */
function quantised(timeout: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(timeout)) - 6);
  return Math.ceil(timeout / step) * step;
}
