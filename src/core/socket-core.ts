/**
 * A socket without its public API: options, endpoints, budgets, counters, events, life cycle, and the queues of waiting
 * sends and receives. It holds the strategy of its socket type, moves messages between the queues and the strategy's
 * pipes, and tells the strategy what happens to the pipes. The public classes (of zwire and zwire/zeromq) and the proxy
 * use it.
 */

import { Condition } from "../base/condition.js";
import { ZmqError } from "../base/errors.js";
import type { EventType, Peer, SocketEvents } from "../base/events.js";
import type { Message, OutMessage } from "../base/message.js";
import type { Buffer } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import type { CallOptions } from "../base/waiting.js";
import { Budget } from "../engine/budget.js";
import type { Pipe } from "../engine/pipe.js";
import type { Route } from "../engine/send-queue.js";
import { type Source, WaitingReceives } from "../engine/waiting-receives.js";
import type { OptionName, OptionValues } from "../options/options.js";
import { defaultsOf } from "../options/table.js";
import { defaultOptions } from "../options/values.js";
import { FairQueue } from "../patterns/fair-queue.js";
import { DEALER } from "../patterns/strategies/dealer.js";
import { discard, type SocketType, type Strategy, type StrategyHost } from "../patterns/strategy.js";
import { KeyGuard } from "../security/key-guard.js";
import type { OpenAsking } from "../security/zap/client.js";
import type { SocketHost } from "../session/host.js";
import { askingBy } from "./asking.js";
import { type Context, context as defaultContext } from "./context.js";
import { Drain } from "./drain.js";
import { EndpointCalls } from "./endpoint-calls.js";
import { Endpoints } from "./endpoints.js";
import { enlist } from "./enlist.js";
import { Events, type Listeners } from "./events.js";
import { Losses } from "./losses.js";
import { OptionCalls } from "./option-calls.js";
import { PeerCalls } from "./peer-calls.js";
import { Sender } from "./sender.js";
import { shownSocket, waitedInVain } from "./shown.js";
import { SocketTurns } from "./socket-turns.js";
import { type SocketStats, statsOf, unreadOf } from "./stats.js";

export class SocketCore<S extends Strategy = Strategy> implements SocketHost, StrategyHost {
  readonly type: SocketType<S>;
  readonly socketType: string;
  readonly raw: boolean;
  readonly topics: "sent" | "received" | null;
  /** The context, which holds the inproc names that this socket sees. */
  context: Context = defaultContext;
  readonly options: OptionValues = defaultOptions();
  readonly settings = new OptionCalls(this);
  readonly received = new Budget(this.options);
  readonly unsent = new Budget(this.options);
  asLibzmq = false;
  borrows = false;
  carries = false;
  readonly turns = new SocketTurns(defaultContext.runtime);
  readonly pipes = new Set<Pipe>();
  readonly inbound = new FairQueue();
  readonly strategy: S;
  /** null for a type that does not send. */
  readonly sender: Sender | null;
  /** null for a type that does not receive. */
  readonly receives: WaitingReceives<unknown> | null;
  closed = false;
  refed = true;
  readonly peers = new Map<Pipe, Peer>();
  /** The keys that this socket turns away; recheckKeys() after a change. */
  readonly keys = new KeyGuard();
  readonly #kept = new Endpoints(
    this,
    () => this.context.inproc,
    () => this.type.datagrams,
  );
  readonly endpoints = new EndpointCalls(this, this.#kept);
  readonly connections: PeerCalls = new PeerCalls(this, this.#kept);
  readonly #peerChange = new Condition(this.turns);
  readonly events: Events;
  readonly lost = new Losses(this);
  #mayMiss: ((message: OutMessage) => boolean) | null = null;
  #closing: Promise<void> | null = null;
  #drain: Drain | null = null;
  readonly #listeners: Listeners;

  constructor(type: SocketType<S>, listeners: Listeners) {
    this.type = type;
    this.#listeners = listeners;
    this.socketType = type.name;
    this.raw = type.raw === true;
    this.topics = type.topics ?? null;
    this.events = new Events(type.name, listeners, (run) => this.runtime.nextTick(run));
    Object.assign(this.options, defaultsOf(type.name));
    this.turns.describe = (ms) =>
      this.asLibzmq ? undefined : waitedInVain(this, this.peers.size, ms, this.turns.lastFailure);
    const strategy = new type.strategy(this);
    this.strategy = strategy;
    this.sender = isRoute(strategy)
      ? new Sender(strategy, this.options, this.turns, () => this.#reclaim())
      : null;
    this.receives = isSource(strategy) ? new WaitingReceives(strategy, this.options, this.turns) : null;
    if (this.#mayMiss !== null) this.sender?.queue.waitForLate(this.#mayMiss);
  }

  get runtime(): Runtime {
    return this.turns.runtime;
  }

  /** Call it once, from the constructor of its class. Parameters as OptionCalls.apply. */
  start(given: object | undefined, names: readonly OptionName[], owner: string): void {
    this.settings.apply(given, names, owner);
    this.context.enter(this); // S17: last, so that a socket whose creation failed takes no place
    this.events.witness = enlist(this, this.#listeners);
  }

  /** Before anything is bound or connected. */
  useContext(context: Context): void {
    this.context = context;
    this.turns.runtime = context.runtime;
  }

  /** What `console.log` shows. */
  get shown(): object {
    return shownSocket(this);
  }

  get names(): { readonly bound: readonly string[]; readonly connected: readonly string[] } {
    return this.#kept.names;
  }

  /** @throws ZmqError EBADF */
  requireOpen(): void {
    if (this.closed) throw new ZmqError("EBADF");
  }

  // Endpoints

  get attached(): boolean {
    return this.endpoints.count > 0;
  }

  isReserved(id: Buffer): boolean {
    return this.#kept.hasNamed(id);
  }

  resetConnection(pipe: Pipe): void {
    this.#kept.reset(pipe);
  }

  /** Drops the unread messages of a pipe, and those that arrive while its output lingers. */
  forget(pipe: Pipe): void {
    const kept = this.strategy.kept(pipe);
    this.lost.countUnread(pipe.inboundLength - kept.length);
    this.inbound.remove(pipe);
    pipe.discardInbound();
    for (const message of kept) pipe.enqueue(message);
    if (kept.length > 0) this.pipeReadable(pipe);
    pipe.intercept = discard;
  }

  // Life cycle

  /** Resolves when so many peers have completed their handshake. */
  connected(count: number, options: CallOptions | undefined): Promise<void> {
    return this.#peerChange.until(() => this.peers.size >= count, options);
  }

  close(linger: number): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    let follow: (closed: Promise<void>) => void = () => {};
    this.#closing = new Promise((resolve) => {
      follow = resolve;
    });
    this.context.leave(this);
    this.endCalls(new ZmqError("EBADF"));
    follow(this.#closeEndpoints(linger));
    return this.#closing;
  }

  endCalls(error: ZmqError): void {
    if (this.closed) return; // by a drain
    this.closed = true;
    this.receives?.close(error);
    this.sender?.close(error);
    this.strategy.close(error);
    this.#peerChange.close(error);
  }

  /** Ends the socket when everything is handled, or the time is over. @param timeout milliseconds; -1 for no limit */
  drain(timeout: number): Drain {
    this.#drain ??= new Drain(this, this.#kept, timeout);
    return this.#drain;
  }

  get draining(): boolean {
    return this.#drain !== null;
  }

  /** @throws ZmqError EBADF when the socket is closed or takes no new endpoints */
  requireTaking(): void {
    this.requireOpen();
    if (this.draining) throw new ZmqError("EBADF", { detail: "the socket is being drained" });
  }

  /** The promise that close() returned; null before. */
  get closing(): Promise<void> | null {
    return this.#closing;
  }

  async #closeEndpoints(linger: number): Promise<void> {
    await this.#kept.close(linger);
    for (const pipe of [...this.pipes]) this.detachPipe(pipe);
    this.lost.countUnread(unreadOf(this));
    this.inbound.clear();
    this.receives?.forgetReturned();
    this.lost.tell({ address: "" });
    this.events.end();
  }

  ref(): void {
    this.refed = true;
    this.#kept.ref();
  }

  unref(): void {
    this.refed = false;
    this.#kept.unref();
  }

  // Events and counters

  emitEvent<E extends EventType>(type: E, payload: SocketEvents[E]): void {
    if (type === "handshake") this.turns.lastFailure = undefined;
    else if (type === "connect:retry" || type.startsWith("handshake:error")) {
      this.turns.lastFailure = (payload as { error?: Error }).error ?? this.turns.lastFailure;
    }
    this.events.tell(type, payload);
  }

  tellLimit(
    peer: Peer | undefined,
    limit: OptionName,
    action: SocketEvents["limit"]["action"],
    value: number,
  ): void {
    const at = { address: peer?.address ?? "", endpoint: peer?.endpoint ?? "" };
    this.emitEvent("limit", { ...at, peer, limit, action, value });
  }

  get stats(): SocketStats {
    this.#reclaim();
    return statsOf(this);
  }

  #reclaim(): void {
    for (const pipe of this.pipes) pipe.progressed();
  }

  /** For the ZAP client: a hidden socket of the same context, which does not keep the process alive. */
  openAsking(): OpenAsking {
    const { context } = this; // it outlives this socket, and must not keep it
    return askingBy((listeners) => {
      const dealer = new SocketCore(DEALER, listeners);
      dealer.useContext(context);
      return dealer;
    });
  }

  // From sessions

  nextPeerId(): number {
    return this.runtime.nextId();
  }

  attachPipe(pipe: Pipe): void {
    this.pipes.add(pipe);
    pipe.left = false;
    this.strategy.attach(pipe);
  }

  detachPipe(pipe: Pipe): void {
    this.pipes.delete(pipe);
    pipe.left = true;
    // The pipe leaves `pipes`, but its unread messages must still be found.
    if (this.receives !== null && pipe.inboundLength > 0) this.inbound.activate(pipe);
    this.strategy.detach(pipe);
  }

  passesKey(publicKey: Uint8Array): boolean {
    return this.keys.passes(publicKey) && this.context.keys.passes(publicKey);
  }

  /** Ends the connections whose key does not pass any more. @returns how many */
  recheckKeys(): number {
    return this.connections.recheckKeys();
  }

  refusalOf(peer: Peer, pipe: Pipe | null, chosen: Buffer | null): Error | null {
    return this.strategy.refusalOf(peer, pipe, chosen);
  }

  resumes(pipe: Pipe, peer: Peer, chosen: Buffer | null): boolean {
    return this.strategy.resumes(pipe, peer, chosen);
  }

  pipeConnected(pipe: Pipe, peer: Peer): void {
    this.strategy.connected(pipe, peer);
    this.peers.set(pipe, peer);
    pipe.connectedAt = this.runtime.now();
    this.emitEvent("handshake", { address: peer.address, endpoint: peer.endpoint, peer });
    this.#peerChange.notify();
    if (pipe.linked) this.strategy.announced(pipe); // a listener may have ended the connection
  }

  pipeDisconnected(pipe: Pipe): void {
    this.strategy.disconnected(pipe); // first, so that what it delivers is attributed to this peer and not to the next one
    this.peers.delete(pipe);
    // On a conflating pipe the sender is unknown, because a newer message replaces the one that it holds.
    if (this.receives !== null) this.inbound.parted(pipe, pipe.conflatesReceived ? undefined : pipe.peer);
  }

  pipeSharesMemory({ peer }: Pipe): void {
    if (peer !== undefined)
      this.emitEvent("memory", { address: peer.address, endpoint: peer.endpoint, peer });
  }

  pipeReadable(pipe: Pipe): void {
    if (this.receives === null) return; // messages are consumed on arrival
    this.inbound.activate(pipe);
    this.receives.serve();
  }

  pipeWritable(pipe: Pipe): void {
    if (this.sender === null) return; // there are no sends that could wait
    this.strategy.writable(pipe);
    this.sender.queue.drain();
  }

  pipeSubscription(pipe: Pipe, topic: Buffer, subscribe: boolean): void {
    this.strategy.subscription(pipe, topic, subscribe);
  }

  pipeHeldBack(pipe: Pipe): void {
    if (this.received.tells()) this.tellLimit(pipe.peer, "maxQueuedBytes", "paused", this.received.held);
  }

  // From the strategy

  roomForSends(): void {
    this.sender?.queue.drain();
  }

  serveReceives(): void {
    this.receives?.serve();
  }

  holdWhenLate(mayMiss: (message: OutMessage) => boolean): void {
    this.#mayMiss = mayMiss;
  }

  send(message: OutMessage, options: CallOptions | undefined): Promise<void> {
    const sender = this.sender as Sender;
    return sender.queue.send(sender.loaded(message), options);
  }

  receive(options: CallOptions | undefined): Promise<Message> {
    return (this.receives as WaitingReceives<Message>).receive(options);
  }

  // For faces

  /** Whether a message could be received at once. */
  get readable(): boolean {
    const { receives, strategy } = this;
    if (this.closed || receives === null || receives.waiting > 0 || !strategy.mayReceive) return false;
    if (receives.returned === 0 && strategy.unread === 0) return false;
    if (!strategy.mayHoldUnwanted) return true;
    return receives.look(); // the only way to know is to take a message
  }

  /** Whether a message could be sent at once. */
  get writable(): boolean {
    const { sender, strategy } = this;
    return !this.closed && sender !== null && !sender.queue.blocked && isRoute(strategy) && strategy.canSend;
  }
}

function isRoute(strategy: Strategy): strategy is Strategy & Route & { readonly canSend: boolean } {
  return "send" in strategy;
}

function isSource(strategy: Strategy): strategy is Strategy & Source<unknown> {
  return "next" in strategy;
}
