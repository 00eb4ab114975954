/**
 * A connected inproc name: waits until the name is bound, in this thread or in another, and does not reconnect after
 * the binder has closed (R22). Its pipe joins the binder's directly, or gets a session over a stream.
 */
import type { Peer } from "../base/events.js";
import { rowOf, type Table } from "../base/machine.js";
import type { Runtime } from "../base/runtime.js";
import { flushed } from "../connect/linger.js";
import { reportEnd, tellHandshake } from "../connect/report.js";
import type { Pipe } from "../engine/pipe.js";
import type { StreamPipe } from "../engine/stream-pipe.js";
import type { EndpointHandle, SocketHost } from "../session/host.js";
import { type NoticeOptions, noticesOf, sayHello, tellLost, tellMade } from "../session/notices.js";
import type { Connection, SessionEnd, SessionOwner } from "../session/owner.js";
import { Session } from "../session/session.js";
import type { Stream } from "../transport/contract/transport.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import type { DirectPipe } from "./direct-pipe.js";
import { type BoundEnd, type ConnectingEnd, newDirectPipe } from "./ends.js";
import type { Hold } from "./hold.js";
import type { InprocRegistry } from "./registry.js";

/**
 * - `waiting`: for the name to be bound
 * - `dialling`: another thread has it, and the handshake is under way
 * - `joining`: this thread has it, and the binder's socket is being told
 * - `joined`, `remote`: connected, within the thread or to another one
 * - `refused`: binder and connector do not fit; nothing more happens
 * - `parted`: the connection is gone
 */
type State = "waiting" | "dialling" | "joining" | "joined" | "remote" | "refused" | "parted" | "closed";

/** What each event brings. `join`, `link` and `part` come from a binder in this thread, the next three from another. */
interface Events {
  join: { readonly binder: BoundEnd; readonly far: DirectPipe };
  link: Peer;
  part: undefined;
  reach: Stream;
  ready: Peer;
  lose: undefined;
  /** Binder and connector do not fit. */
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
      close: ["closed", (connector) => connector.pipe.discardOutbound()],
    },
    dialling: {
      join: ["joining", (connector, joining) => connector.#join(joining)],
      ready: ["remote", (connector, peer) => connector.#crossOver(peer)],
      lose: ["waiting"],
      refuse: ["refused", (connector) => connector.#giveUp()],
      close: ["closed", (connector) => connector.pipe.discardOutbound()],
    },
    joining: {
      link: ["joined", (connector, peer) => connector.#connected(connector.pipe, peer)],
      // It ends before our socket was told. As over tcp, the handshake was complete.
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
      close: ["closed", (connector) => connector.pipe.discardOutbound()],
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
  /** As they were when the application connected. */
  readonly #notices: NoticeOptions;
  pipe: DirectPipe;
  readonly #registry: InprocRegistry;
  readonly routingId: Buffer | null;
  #state: State = "waiting";
  /** Joined: the binder, and its end of the pipe. */
  #binder: BoundEnd | null = null;
  #far: DirectPipe | null = null;
  /** Dialling or remote. */
  #session: Session | null = null;
  /** Whether the socket has our pipe among those that it may send to. */
  #attached = true;
  readonly #hold: Hold;
  /** Called when the name is bound at last; set while a close lingers. */
  #onJoined: (() => void) | null = null;
  /** `close` has been called, and perhaps `abandon`: then it does not linger any more. */
  #life: "open" | "closing" | "abandoned" = "open";

  /** @param routingId how the socket will name the peer, where connect() said so (I11) */
  constructor(host: SocketHost, registry: InprocRegistry, endpoint: string, routingId: Buffer | null) {
    this.host = host;
    this.#notices = noticesOf(host.options);
    this.routingId = routingId;
    this.socketType = host.socketType;
    this.endpoint = endpoint;
    this.#registry = registry;
    this.#hold = registry.newHold();
    this.pipe = this.#newPipe();
  }

  #newPipe(): DirectPipe {
    const pipe = newDirectPipe(this.host, () => this.#leave());
    pipe.routingId = this.routingId;
    return pipe;
  }

  /** Stores the next state before it acts: listeners may come back with another event. */
  #on<E extends keyof Events>(event: E, argument: Events[E]): void {
    const [next, act] = rowOf(InprocConnector.#table, this.#state, event);
    this.#state = next;
    act?.(this, argument);
  }

  /** Begins to wait for the name, which may be bound already. */
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
      tellMade(this.host, pipe, this.#notices);
    }
  }

  /** No hiccup: no connection is made anew here (R22). */
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
    this.#onJoined?.(); // a close that lingers has nothing to wait for
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
    this.host.emitEvent("disconnect", { address: this.endpoint, peer });
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

  /** The pipe has brought it along. */
  get greeting(): null {
    return null;
  }

  nextPeerId(): number {
    return this.host.nextPeerId();
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
    this.#hold.set(false); // the stream keeps the thread alive now
    this.#connected(pipe, peer);
    this.#onJoined?.();
  }

  sessionEnded(session: Connection, { wasReady, error }: SessionEnd): void {
    this.#session = null;
    const misfit = !wasReady && error instanceof ProtocolError && error.kind !== "other";
    if (!misfit) this.#on("lose", undefined);
    const place = { address: this.endpoint, endpoint: this.endpoint };
    reportEnd(this.host, session, place, wasReady, error);
    // A listener may have closed this end, or bound the name.
    if (misfit && this.#state === "dialling") this.refused();
    else if (this.#state === "waiting") this.#registry.connect(this);
  }

  #losePeer(): void {
    this.#tellLost();
    this.#endPipe();
    this.#detach();
    this.pipe.onEmpty?.();
  }

  /** The connection to another thread is gone, and with it what was to go over it. */
  #endPipe(): void {
    this.host.pipeDisconnected(this.pipe);
    this.pipe.discardOutbound();
  }

  // From the socket

  renew(): void {
    if (this.#life !== "open") return; // closed by a listener of the event that told of the end
    this.#on("renew", undefined);
  }

  #begin(): void {
    this.pipe = this.#newPipe();
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
    }
    return true;
  }

  #detach(): void {
    if (this.#attached) this.host.detachPipe(this.pipe);
    this.#attached = false;
  }

  async close(lingerMs: number): Promise<void> {
    this.#life = "closing";
    this.#detach();
    const began = this.runtime.now();
    // R23: messages of a connector that closes before the name is bound still arrive, while it lingers.
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

  /** Waits for the name. In the main thread this does not keep the process alive; see NameDirectory.hold(). */
  #bound(lingerMs: number): Promise<void> {
    return new Promise((resolve) => {
      const deadline = lingerMs > 0 ? this.runtime.loop.deadline(lingerMs, resolve).unref() : undefined;
      this.#onJoined = () => {
        deadline?.cancel();
        setImmediate(resolve); // first, what was queued goes over
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
