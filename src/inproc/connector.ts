/**
 * A connected inproc name. It waits until the name is bound, in this thread or in another one, and does not reconnect
 * after the binder has closed (R22). Within a thread, its pipe is joined to a pipe of the binder. To another thread,
 * the pipe gets a session over a stream.
 */

import type { Peer } from "../base/events.js";
import { rowOf, type Table } from "../base/machine.js";
import { type Buffer, setImmediate } from "../base/platform.js";
import type { Runtime } from "../base/runtime.js";
import { flushed } from "../connect/linger.js";
import { linkOf } from "../connect/link.js";
import { reportEnd, tellHandshake, whyEnded } from "../connect/report.js";
import type { Pipe } from "../engine/pipe.js";
import type { StreamPipe } from "../engine/stream-pipe.js";
import type { EndpointHandle, Link, SocketHost } from "../session/host.js";
import { type NoticeOptions, noticesOf, sayHello, tellLost, tellMade } from "../session/notices.js";
import type { Connection, SessionEnd, SessionOwner } from "../session/owner.js";
import { Session } from "../session/session.js";
import type { Stream } from "../transport/contract/transport.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import type { DirectPipe } from "./direct-pipe.js";
import { type BoundEnd, type ConnectingEnd, joinedLink, newDirectPipe } from "./ends.js";
import type { Hold } from "./hold.js";
import type { InprocRegistry } from "./registry.js";

/**
 * - `waiting`: for the name to be bound
 * - `dialling`: another thread has bound it, and the handshake has begun
 * - `joining`: this thread has bound it, and the binder's socket is being told
 * - `joined`, `remote`: connected, within the thread or to another one
 * - `refused`: binder and connector are incompatible; this state is final until close
 * - `parted`: the connection has ended
 */
type State = "waiting" | "dialling" | "joining" | "joined" | "remote" | "refused" | "parted" | "closed";

/**
 * The events and their arguments. `join`, `link` and `part` are for a binder in this thread, the next three for another
 * thread.
 */
interface Events {
  join: { readonly binder: BoundEnd; readonly far: DirectPipe };
  link: Peer;
  part: undefined;
  reach: Stream;
  ready: Peer;
  lose: undefined;
  /** Binder and connector are incompatible. */
  refuse: undefined;
  renew: undefined;
  close: undefined;
}

/** A connected name; waits until it is bound. */
export class InprocConnector implements EndpointHandle, SessionOwner, ConnectingEnd {
  static readonly #table: Table<State, InprocConnector, Events> = {
    waiting: {
      join: ["joining", (connector, joining) => connector.#join(joining)],
      reach: ["dialling", (connector, stream) => connector.#dial(stream)],
      refuse: ["refused", (connector) => connector.#giveUp()],
      close: ["closed", (connector) => connector.#dropQueue()],
    },
    dialling: {
      join: ["joining", (connector, joining) => connector.#join(joining)],
      ready: ["remote", (connector, peer) => connector.#crossOver(peer)],
      lose: ["waiting"],
      refuse: ["refused", (connector) => connector.#giveUp()],
      close: ["closed", (connector) => connector.#dropQueue()],
    },
    joining: {
      link: ["joined", (connector, peer) => connector.#connected(connector.pipe, peer)],
      // The connection ends before our socket was told of it. Tell of the handshake first, which was complete, as over
      // tcp.
      part: ["parted", (connector) => connector.#partUntold()],
      close: ["closed", (connector) => connector.#leaveUntold()],
    },
    joined: {
      part: ["parted", (connector) => connector.#part()],
      close: ["closed", (connector) => connector.#leave()],
    },
    remote: {
      lose: ["parted", (connector) => connector.#losePeer()],
      close: ["closed", (connector) => connector.#endPipe()],
    },
    refused: {
      close: ["closed", (connector) => connector.#dropQueue()],
    },
    parted: {
      renew: ["waiting", (connector) => connector.#begin()],
      close: ["closed"],
    },
    closed: {
      part: ["closed", (connector) => connector.#part()],
    },
  };

  readonly endpoint: string;
  readonly socketType: string;
  readonly host: SocketHost;
  /** The options at the time when the application connected. */
  readonly #notices: NoticeOptions;
  readonly #conflate: boolean | "topic";
  pipe: DirectPipe;
  readonly #registry: InprocRegistry;
  readonly routingId: Buffer | null;
  #state: State = "waiting";
  /** While joined: the binder, and its end of the pipe. */
  #binder: BoundEnd | null = null;
  #far: DirectPipe | null = null;
  /** The session with another thread, while dialling or remote. */
  #session: Session | null = null;
  /** Why this side has ended its connection. */
  #leftBy: Error | undefined;
  /** Whether our pipe is attached to the socket. */
  #attached = true;
  readonly #hold: Hold;
  /** Called when the name has been bound; set while close() waits for this. */
  #onJoined: (() => void) | null = null;
  /** `closing` after close(). `abandoned` after abandon(): then it does not linger any more. */
  #life: "open" | "closing" | "abandoned" = "open";

  /** @param routingId the name that connect() gave to the peer, or null (I11) */
  constructor(host: SocketHost, registry: InprocRegistry, endpoint: string, routingId: Buffer | null) {
    this.host = host;
    this.#notices = noticesOf(host.options);
    this.#conflate = host.options.conflate;
    this.routingId = routingId;
    this.socketType = host.socketType;
    this.endpoint = endpoint;
    this.#registry = registry;
    this.#hold = registry.newHold();
    this.pipe = this.#newPipe();
  }

  #newPipe(): DirectPipe {
    const pipe = newDirectPipe(this.host, this.#conflate, (error) => {
      this.#leftBy = error;
      this.#leave();
    });
    pipe.routingId = this.routingId;
    pipe.dialled = true;
    return pipe;
  }

  /** Stores the next state before it acts, because the action may call a listener that causes another event. */
  #on<E extends keyof Events>(event: E, argument: Events[E]): void {
    const [next, act] = rowOf(InprocConnector.#table, this.#state, event);
    this.#state = next;
    act?.(this, argument);
  }

  /** Connects, or waits until the name is bound. */
  start(): void {
    sayHello(this.pipe, this.#notices);
    this.host.attachPipe(this.pipe);
    this.#hold.set(this.host.refed);
    this.#registry.connect(this);
  }

  // A binder in this thread

  joined(binder: BoundEnd, far: DirectPipe): void {
    this.#on("join", { binder, far });
  }

  #join({ binder, far }: Events["join"]): void {
    this.#dropSession();
    this.#hold.set(false);
    this.#binder = binder;
    this.#far = far;
    this.#onJoined?.();
  }

  linked(peer: Peer): void {
    this.#on("link", peer);
  }

  #connected(pipe: DirectPipe | StreamPipe, peer: Peer): void {
    if (this.#life !== "open") tellHandshake(this.host, peer);
    else {
      this.host.pipeConnected(pipe, peer);
      if (pipe.linked) tellMade(this.host, pipe, this.#notices);
    }
  }

  /** Without the hiccup message, because inproc does not reconnect (R22). */
  #tellLost(): void {
    if (this.#life === "open")
      tellLost(this.host, this.pipe, { ...this.#notices, hiccupMessage: null }, true);
  }

  refused(): void {
    this.#on("refuse", undefined);
  }

  #giveUp(): void {
    this.#registry.forget(this);
    this.#dropSession();
    this.#hold.set(false);
    this.#onJoined?.(); // close() need not linger any more
  }

  parted(): void {
    if (this.#far === null) return;
    this.#far = null;
    this.#on("part", undefined);
  }

  #part(): void {
    const peer = this.pipe.peer as Peer;
    this.#tellLost();
    this.host.pipeDisconnected(this.pipe);
    this.#detach();
    this.host.emitEvent("disconnect", { address: this.endpoint, peer, ...whyEnded(this.#leftBy) });
  }

  #partUntold(): void {
    tellHandshake(this.host, this.pipe.peer as Peer);
    this.#part();
  }

  #leave(): void {
    if (this.#far !== null) this.#binder?.part(this.#far);
  }

  #leaveUntold(): void {
    tellHandshake(this.host, this.pipe.peer as Peer);
    this.#leave();
  }

  // A binder in another thread

  get dialling(): boolean {
    return this.#session !== null;
  }

  reached(stream: Stream): void {
    this.#on("reach", stream);
  }

  #dial(stream: Stream): void {
    if (!this.host.refed) stream.unref();
    this.#session = new Session(this, stream, { ...this.host.options });
    this.#session.start();
    this.host.emitEvent("connect", { address: this.endpoint });
  }

  #dropSession(): void {
    this.#session?.close();
    this.#session = null;
  }

  get runtime(): Runtime {
    return this.host.runtime;
  }

  /** No greeting, because the pipe has the hello message already. */
  get greeting(): null {
    return null;
  }

  nextPeerId(): number {
    return this.host.nextPeerId();
  }

  get carries(): boolean {
    return this.host.carries;
  }

  passesKey(publicKey: Uint8Array): boolean {
    return this.host.passesKey(publicKey);
  }

  refusalOf(peer: Peer): Error | null {
    return this.#life === "open" ? this.host.refusalOf(peer, this.pipe, this.routingId) : null;
  }

  sessionReady(_session: Connection, peer: Peer): StreamPipe {
    this.#on("ready", peer);
    return this.pipe;
  }

  #crossOver(peer: Peer): void {
    this.#registry.forget(this);
    this.pipe.peer = peer;
    this.pipe.becomeStream();
  }

  sessionLinked(pipe: StreamPipe, peer: Peer): void {
    this.#hold.set(false); // from now on the stream keeps the thread alive
    this.#connected(pipe, peer);
    this.#onJoined?.();
  }

  sessionEnded(session: Connection, { wasReady, error }: SessionEnd): void {
    this.#session = null;
    const misfit = !wasReady && error instanceof ProtocolError && error.kind !== "other";
    if (!misfit) this.#on("lose", undefined);
    const place = { address: this.endpoint, endpoint: this.endpoint };
    reportEnd(this.host, session, place, wasReady, error);
    if (this.#life === "open") this.host.lost.tell(place);
    // A listener of these events may have closed this end, or bound the name: so look at the state again.
    if (misfit && this.#state === "dialling") this.refused();
    else if (this.#state === "waiting") this.#registry.connect(this);
  }

  #losePeer(): void {
    this.#tellLost();
    this.#endPipe();
    this.#detach();
    this.pipe.onEmpty?.();
  }

  #dropQueue(): void {
    this.host.lost.unsent += this.pipe.discardOutbound();
  }

  /** The connection to another thread is gone. Discards what was queued for it. */
  #endPipe(): void {
    this.host.pipeDisconnected(this.pipe);
    this.#dropQueue();
  }

  // From the socket

  renew(): void {
    if (this.#life !== "open") return; // a listener of the "disconnect" event may have closed it
    this.#on("renew", undefined);
  }

  #begin(): void {
    this.pipe = this.#newPipe();
    this.#leftBy = undefined;
    this.#attached = true;
    this.start();
  }

  reset(pipe: Pipe): boolean {
    if (pipe !== this.pipe) return false;
    if (this.#far !== null) {
      this.#leave();
      this.renew();
    } else if (this.#state === "remote") {
      const session = this.#session as Session;
      session.close();
      this.sessionEnded(session, { wasReady: true, error: undefined });
      this.renew();
    } else this.pipe.discardOutbound(); // a request that was given up waits for no binder
    return true;
  }

  #detach(): void {
    if (this.#attached) this.host.detachPipe(this.pipe);
    this.#attached = false;
  }

  drain(): void {
    if (this.#waits && this.unsent === 0) void this.close(0);
  }

  get links(): Link[] {
    const { pipe } = this;
    if (this.#state === "joined") return [joinedLink(pipe, () => this.#leave())];
    const session = this.#state === "remote" ? this.#session : null;
    return session === null ? [] : [linkOf(this.host, session, pipe, false)];
  }

  async close(lingerMs: number): Promise<void> {
    this.#life = "closing";
    this.#detach();
    const began = this.runtime.now();
    // R23: while it lingers, messages that were queued before the name is bound can still be delivered.
    if (this.#waits && lingerMs !== 0 && this.pipe.outboundLength > 0) await this.#bound(lingerMs);
    this.#registry.forget(this);
    if (this.#state === "remote") {
      const left = lingerMs > 0 ? Math.max(0, lingerMs - (this.runtime.now() - began)) : lingerMs;
      await flushed([this.pipe], this.#abandoned ? 0 : left, this.runtime.loop);
    }
    const session = this.#session;
    this.#session = null;
    session?.close();
    this.#on("close", undefined);
    this.#hold.set(false);
    this.host.emitEvent("close", { address: this.endpoint });
  }

  get #waits(): boolean {
    return this.#state === "waiting" || this.#state === "dialling";
  }

  get #abandoned(): boolean {
    return this.#life === "abandoned";
  }

  /**
   * Waits until the name is bound. In the main thread this does not keep the process alive; see NameDirectory.hold().
   */
  #bound(lingerMs: number): Promise<void> {
    return new Promise((resolve) => {
      const deadline = lingerMs > 0 ? this.runtime.loop.deadline(lingerMs, resolve).unref() : undefined;
      this.#onJoined = () => {
        deadline?.cancel();
        setImmediate(resolve); // later, because the queued messages are passed on first
      };
    });
  }

  get unsent(): number {
    return this.pipe.outboundLength;
  }

  abandon(): void {
    this.#life = "abandoned";
    this.#onJoined?.();
    this.pipe.onEmpty?.();
  }

  ref(): void {
    this.#hold.set(this.#waits);
    this.#session?.stream.ref();
  }

  unref(): void {
    this.#hold.set(false);
    this.#session?.stream.unref();
  }
}
