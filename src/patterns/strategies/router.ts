/**
 * ROUTER (RFC 28 §The ROUTER Socket Type): each received message begins with the name of its sender, and each sent message
 * with the name of its receiver (I3 to I15).
 */

import { ZmqError } from "../../base/errors.js";
import type { Peer } from "../../base/events.js";
import type { Message, OutMessage } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import type { Pipe } from "../../engine/pipe.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import { named } from "../envelope.js";
import { overflowOf } from "../full-peer.js";
import { sendProbe } from "../probe.js";
import { RoutingTable } from "../routing-table.js";
import {
  discard,
  type Receiving,
  type Sending,
  type SocketType,
  Strategy,
  type StrategyHost,
} from "../strategy.js";

export class RouterStrategy extends Strategy implements Sending, Receiving {
  override readonly names = "bytes";
  readonly #table = new RoutingTable(() => this.host.runtime.random32());
  readonly #overflow = overflowOf(this.host);
  /** Number of messages for unknown peers (I4). */
  #unroutable = 0;

  constructor(host: StrategyHost) {
    super(host);
    host.holdWhenLate((message) => host.attached && this.#find(message) === undefined);
  }

  /** Whether a peer has the name. */
  knows(name: Buffer): boolean {
    return this.#table.find(name) !== undefined;
  }

  override named(name: Uint8Array | number): Pipe | undefined {
    return typeof name === "number" ? undefined : this.#table.find(name);
  }

  override nameOf(pipe: Pipe): Buffer | null {
    return pipe.routingId;
  }

  get canSend(): boolean {
    return !this.#waits || [...this.host.pipes].some((pipe) => pipe.hasRoom()); // I7
  }

  send(message: OutMessage): boolean {
    const { mandatory } = this.host.options;
    const pipe = this.#find(message);
    if (pipe === undefined) {
      if (mandatory)
        throw new ZmqError("EHOSTUNREACH", { detail: "no peer has the name in the first part (mandatory)" }); // I4
      this.#unroutable++;
      return true;
    }
    if (!Array.isArray(message)) return true; // I6
    const body = message.length === 2 ? message[1] : message.slice(1);
    if (pipe.trySend(body)) return true;
    if (this.#waits) return false; // I5
    this.#overflow.refused(pipe, body);
    this.#overflow.settle();
    return true;
  }

  #find(message: OutMessage): Pipe | undefined {
    return this.#table.find(Array.isArray(message) ? message[0] : message);
  }

  /** Whether a send waits for a full peer. */
  get #waits(): boolean {
    return this.#overflow.waits || (this.host.options.onFull === null && this.host.options.mandatory);
  }

  next(): Message | undefined {
    const { inbound } = this.host;
    const message = inbound.next();
    return message && named((inbound.last as Pipe).routingId as Buffer, message);
  }

  override attach(pipe: Pipe): void {
    if (this.host.options.probeRouter) sendProbe(pipe);
    if (pipe.routingId === null || this.#table.find(pipe.routingId) !== undefined) return;
    this.#table.add(pipe);
    this.host.roomForSends();
  }

  override detach(pipe: Pipe): void {
    this.#table.remove(pipe);
    this.host.roomForSends(); // with mandatory a send may have waited for this one
  }

  /**
   * I8: without handover, two peers with the same name could not be distinguished. So the second is closed, and dials again
   * until the name is free. A peer may never take over a name that was generated here.
   */
  override refusalOf(peer: Peer, pipe: Pipe | null, chosen: Buffer | null): Error | null {
    if (this.host.asLibzmq || (pipe !== null && this.resumes(pipe, peer, chosen) && this.#holds(pipe)))
      return null;
    const name = chosen ?? peer.routingId;
    const holder = name.length === 0 ? undefined : this.#table.find(name);
    if (holder === undefined || this.#mayTakeOver(name)) return null;
    return new ProtocolError(
      "routing-id-taken",
      "another peer has the same routing id, and handover is off",
      { rule: "I8", kind: "other" },
    );
  }

  #holds(pipe: Pipe): boolean {
    return pipe.routingId !== null && this.#table.find(pipe.routingId) === pipe;
  }

  #mayTakeOver(name: Buffer): boolean {
    return this.host.options.handover && !this.#table.isGenerated(name);
  }

  /** I13: messages that wait for a name must not reach a peer that returns with another, unless connect() gave the name. */
  override resumes(pipe: Pipe, peer: Peer, chosen: Buffer | null): boolean {
    const { routingId } = pipe;
    if (this.host.asLibzmq || chosen !== null || routingId === null) return true;
    return peer.routingId.length === 0
      ? this.#table.isGenerated(routingId)
      : routingId.equals(peer.routingId);
  }

  /**
   * Names a new peer, or ignores it if another peer has its name, as libzmq does (I8). A peer that was dialled again keeps
   * its first name (I13). If it has none, or another peer took it meanwhile, the rules for an accepted peer apply.
   */
  override connected(pipe: Pipe, peer: Peer): void {
    const { routingId } = pipe;
    if (routingId !== null && this.#table.find(routingId) === pipe) return;
    if (this.#name(pipe, routingId ?? peer.routingId)) {
      pipe.intercept = null;
      return;
    }
    pipe.intercept = discard;
    if (routingId === null) pipe.discardInbound(); // over inproc, messages may have arrived during the connect
  }

  /** Adds a new peer; false if another peer has its name. */
  #name(pipe: Pipe, announced: Buffer): boolean {
    const holder = announced.length === 0 ? undefined : this.#table.find(announced);
    if (holder !== undefined) {
      if (!this.#mayTakeOver(announced)) return false;
      this.#table.remove(holder);
      holder.intercept = discard;
    }
    pipe.routingId =
      announced.length === 0 ? this.#table.generate((id) => this.host.isReserved(id)) : announced;
    this.#table.add(pipe);
    // I9: libzmq leaves the old connection open without reading from it; closing it informs that peer.
    holder?.fail(
      new ProtocolError(
        "routing-id-taken",
        "another peer with the same routing id took its place (handover)",
        { rule: "I9", kind: "other" },
      ),
    );
    return true;
  }

  override get dropped(): number {
    return this.#unroutable + this.#overflow.dropped;
  }
}

export const ROUTER: SocketType<RouterStrategy> = { number: 6, name: "ROUTER", strategy: RouterStrategy };
