/**
 * Passes received messages to their channels, and requests to methods (§5, §6). Answers everything that can be answered, and
 * drops and counts the rest. Nothing that a client sends may stop it.
 */
import type { Buffer } from "../../base/platform.js";
import { describeName, refusal } from "../answers.js";
import { Channel, type ChannelRules } from "../channel.js";
import type { Environment } from "../clock.js";
import type { Faults } from "../faults.js";
import type { BuiltIns, ServedMethod } from "../service/service.js";
import type { Codec } from "../wire/codec.js";
import {
  CANCEL,
  decodeEvent,
  type EncodedArgs,
  HEARTBEAT,
  MORE,
  openEnvelope,
  type RpcEvent,
} from "../wire/event.js";
import type { Id } from "../wire/id.js";
import type { Admission } from "./admission.js";
import type { Channels } from "./channels.js";
import type { Counts } from "./counts.js";
import type { Outbox } from "./outbox.js";
import type { PeerState, Peers } from "./peers.js";
import { ServedCall, type ServedCallOwner } from "./served-call.js";

/** A server begins no heartbeats (§5.2), and has its own rules for silence. */
const RULES: ChannelRules = { window: 1, heartbeat: 0, lostAfter: Infinity };

/** What a dispatcher needs from its server. */
export interface DispatcherParts {
  readonly environment: Environment;
  readonly codec: Codec;
  readonly peers: Peers;
  readonly channels: Channels;
  readonly admission: Admission;
  readonly outbox: Outbox;
  readonly owner: ServedCallOwner;
  readonly table: ReadonlyMap<string, ServedMethod>;
  readonly builtIns: BuiltIns<EncodedArgs>;
  readonly counts: Counts;
  readonly faults: Faults;
}

export class Dispatcher {
  readonly #environment: Environment;
  readonly #codec: Codec;
  readonly #peers: Peers;
  readonly #channels: Channels;
  readonly #admission: Admission;
  readonly #outbox: Outbox;
  readonly #owner: ServedCallOwner;
  readonly #table: ReadonlyMap<string, ServedMethod>;
  readonly #builtIns: BuiltIns<EncodedArgs>;
  readonly #counts: Counts;
  readonly #faults: Faults;

  constructor(parts: DispatcherParts) {
    this.#environment = parts.environment;
    this.#codec = parts.codec;
    this.#peers = parts.peers;
    this.#channels = parts.channels;
    this.#admission = parts.admission;
    this.#outbox = parts.outbox;
    this.#owner = parts.owner;
    this.#table = parts.table;
    this.#builtIns = parts.builtIns;
    this.#counts = parts.counts;
    this.#faults = parts.faults;
  }

  /** Takes a message that the Router has received. */
  received(frames: Buffer[]): void {
    const opened = openEnvelope(frames);
    let event: RpcEvent;
    try {
      if (opened === null) throw new TypeError("no payload");
      event = decodeEvent(this.#codec, opened.payload);
    } catch {
      this.#counts.dropped++; // T6: it is unknown to which call an answer would belong
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
      // Errors of handlers and hooks are caught where these are called, so this is a bug of zwire. It ends only this call.
      this.#faults.tell(error);
      peer.channels.get((responseTo ?? id) as Id)?.abandon(error);
    }
  }

  /** An event that opens a channel: a call, or a heartbeat before one (§5). */
  #opening(peer: PeerState, id: Id, event: RpcEvent): void {
    if (event.name === CANCEL) return;
    const now = this.#environment.now();
    const call = new ServedCall(this.#owner, id, peer, new Channel(RULES, now));
    call.version = event.version;
    this.#channels.opened();
    if (event.name === HEARTBEAT || event.name === MORE) {
      this.#channels.kept(peer, call);
      this.#channels.idle(call);
      this.#following(call, event);
      return;
    }
    this.#request(call, event);
    if (!call.isClosed) this.#channels.kept(peer, call);
  }

  #following(call: ServedCall, event: RpcEvent): void {
    const now = this.#environment.now();
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
    if (call.state !== "idle") return; // T34
    this.#channels.busy(call);
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
    if (answer) this.#outbox.emit(call, HEARTBEAT, [0], null);
  }

  /** An event for a channel that is closed. A zwire client that keeps it alive is told; other clients do not know the event. */
  #unknown(peer: PeerState, id: Id, name: unknown): void {
    this.#counts.late++;
    if (!peer.zwire || (name !== HEARTBEAT && name !== MORE)) return;
    const gone = new ServedCall(this.#owner, id, peer, new Channel(RULES, 0));
    this.#outbox.emit(gone, CANCEL, [], null);
  }

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
    if (internal !== null) {
      call.answer(() => internal(args));
      return;
    }
    this.#admission.admit(call, event, name as string, served as ServedMethod, args);
    this.#greet(call);
  }

  /** A zwire client learns at once that it may cancel, unless it has its answer already. */
  #greet(call: ServedCall): void {
    const { from } = call;
    if (!from.zwire || from.greeted || call.isClosed) return;
    call.channel.begin(this.#environment.now());
    this.#outbox.emit(call, HEARTBEAT, [0], null);
  }
}
