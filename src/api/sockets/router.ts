/**
 * ROUTER (RFC 28 §The ROUTER Socket Type): each received message begins with the name of its peer, and each sent
 * message with the name of the one to get it (I3 to I15).
 */

import { ZmqError } from "../../base/errors.js";
import type { Peer } from "../../base/events.js";
import type { Message, OutMessage } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import { random32 } from "../../base/random.js";
import { defineOptions, type SocketStats } from "../../core/socket.js";
import type { Pipe } from "../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { routingId as checkRoutingId } from "../../options/rules.js";
import { optionsOf } from "../../options/table.js";
import { named } from "../../patterns/envelope.js";
import { sendProbe } from "../../patterns/probe.js";
import { RoutingTable } from "../../patterns/routing-table.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import { DuplexSocket } from "../directions.js";
import { overflowOf } from "./full-peer.js";

const OPTIONS = optionsOf("ROUTER");

/** Options of Router. */
export interface RouterOptions extends OptionsOf<"ROUTER"> {}

/** Options of one connect(). */
export interface RouterConnectOptions {
  /** Name by which the peer is addressed, at once and whatever it calls itself (I11): 1 to 255 bytes. */
  readonly routingId?: string | Uint8Array;
}

export interface Router extends PropertiesOf<"ROUTER"> {}

/** Talks to many Dealer, Request and Router sockets, each by its name. */
export class Router extends DuplexSocket {
  readonly #table = new RoutingTable(random32);
  readonly #overflow = overflowOf(this);
  /** Messages for a peer that is not there (I4). */
  #unroutable = 0;
  /** @internal CONNECT_ROUTING_ID: for the next connect() only */
  nextRoutingId: Buffer | null = null;

  constructor(options?: RouterOptions) {
    super(6, "ROUTER");
    this.applyOptions(options, OPTIONS);
    if (new.target === Router) Object.seal(this);
  }

  /**
   * Connect, as any socket; with `routingId` the peer can be addressed before it is there.
   * @throws as Socket.connect; TypeError or RangeError for a bad name, ZmqError EINVAL for one that is in use
   */
  override connect(endpoint: string, options?: RouterConnectOptions): void {
    const name = checkRoutingId("routingId", options?.routingId ?? this.nextRoutingId);
    this.nextRoutingId = null;
    if (name !== null && this.#table.find(name) !== undefined) {
      throw new ZmqError("EINVAL", { address: endpoint, detail: `routing id "${name}" is in use` });
    }
    this.connectAs(endpoint, name);
  }

  protected override canSend(): boolean {
    return !this.#waits || [...this.pipes].some((pipe) => pipe.hasRoom()); // I7
  }

  protected override route(message: OutMessage): boolean {
    const { mandatory } = this.options;
    const pipe = this.#table.find(Array.isArray(message) ? message[0] : message);
    if (pipe === undefined) {
      if (mandatory) throw new ZmqError("EHOSTUNREACH"); // I4
      this.#unroutable++;
      return true;
    }
    if (!Array.isArray(message)) return true; // I6
    const body = message.length === 2 ? message[1] : message.slice(1);
    if (pipe.trySend(body)) return true;
    if (this.#waits) return false; // I5
    this.#overflow.refused(pipe, body);
    this.#overflow.evict();
    return true;
  }

  /** Whether a send waits for a peer that is full. */
  get #waits(): boolean {
    return this.#overflow.waits || (this.options.onFull === null && this.options.mandatory);
  }

  protected override next(): Message | undefined {
    const message = this.inbound.next();
    return message && named((this.inbound.last as Pipe).routingId as Buffer, message);
  }

  override attachPipe(pipe: Pipe): void {
    if (this.options.probeRouter) sendProbe(pipe);
    super.attachPipe(pipe);
    if (pipe.routingId === null || this.#table.find(pipe.routingId) !== undefined) return;
    this.#table.add(pipe);
    this.sender.queue.drain();
  }

  override detachPipe(pipe: Pipe): void {
    super.detachPipe(pipe);
    this.#table.remove(pipe);
    this.sender.queue.drain(); // with mandatory a send may have waited for this one
  }

  /**
   * I8: without handover, a peer whose name is another's cannot be told from it; closed, it dials again until the name
   * is free. A name that we made up is nobody's to take over.
   */
  override refusalOf(peer: Peer, pipe: Pipe | null, chosen: Buffer | null): Error | null {
    if (this.asLibzmq || (pipe !== null && this.resumes(pipe, peer, chosen) && this.#holds(pipe)))
      return null;
    const name = chosen ?? peer.routingId;
    const holder = name.length === 0 ? undefined : this.#table.find(name);
    if (holder === undefined || this.#mayTakeOver(name)) return null;
    return new ProtocolError("routing-id-taken", "another peer has its name", { rule: "I8", kind: "other" });
  }

  #holds(pipe: Pipe): boolean {
    return pipe.routingId !== null && this.#table.find(pipe.routingId) === pipe;
  }

  #mayTakeOver(name: Buffer): boolean {
    return this.options.handover && !this.#table.isGenerated(name);
  }

  /** I13: what waits for a name must not reach who has come back under another, unless connect() gave the name. */
  override resumes(pipe: Pipe, peer: Peer, chosen: Buffer | null): boolean {
    const { routingId } = pipe;
    if (this.asLibzmq || chosen !== null || routingId === null) return true;
    return peer.routingId.length === 0
      ? this.#table.isGenerated(routingId)
      : routingId.equals(peer.routingId);
  }

  override pipeConnected(pipe: Pipe, peer: Peer): void {
    this.#admit(pipe, peer);
    super.pipeConnected(pipe, peer);
  }

  /**
   * Names a new peer, or ignores it when its name is another's, as libzmq does (I8). One that we dialled again keeps its
   * first name (I13); without one, or when another took it meanwhile, it gets the chance that an accepted peer would have.
   */
  #admit(pipe: Pipe, peer: Peer): void {
    const { routingId } = pipe;
    if (routingId !== null && this.#table.find(routingId) === pipe) return;
    if (this.#name(pipe, routingId ?? peer.routingId)) {
      pipe.intercept = null;
      return;
    }
    pipe.intercept = discard;
    if (routingId === null) pipe.discardInbound(); // over inproc, what came while we were being joined
  }

  /** Enter a new peer; false when its name is another's. */
  #name(pipe: Pipe, announced: Buffer): boolean {
    const holder = announced.length === 0 ? undefined : this.#table.find(announced);
    if (holder !== undefined) {
      if (!this.#mayTakeOver(announced)) return false;
      this.#table.remove(holder);
      holder.intercept = discard;
    }
    pipe.routingId = announced.length === 0 ? this.#table.generate((id) => this.isReserved(id)) : announced;
    this.#table.add(pipe);
    // I9: libzmq leaves the old connection open and deaf; closing it tells that peer.
    holder?.fail(
      new ProtocolError("routing-id-taken", "another peer took its name", { rule: "I9", kind: "other" }),
    );
    return true;
  }

  override get stats(): SocketStats {
    return { ...super.stats, dropped: this.givenUp + this.#unroutable + this.#overflow.dropped };
  }
}

defineOptions(Router, OPTIONS);

function discard(): boolean {
  return true;
}
