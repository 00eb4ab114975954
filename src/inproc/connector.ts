/**
 * A connected inproc name: waits until the name is bound, in this thread or in another, and does not reconnect after
 * the binder has closed (R22). Its pipe joins the binder's directly, or gets a session over a stream.
 */
import { memoryGone } from "../base/errors.js";
import type { Peer } from "../base/events.js";
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
import { type Defer, DirectPipe } from "./direct-pipe.js";
import type { Hold, InprocListener, InprocRegistry } from "./listener.js";

/** Joins in one turn after which the next goes through the event loop, so that two sockets cannot starve it. */
const DEFERS_PER_TURN = 512;
let deferred = 0;

/** Soon, but not inside the current call; once in 512 after a turn of the event loop. */
const deferSoon: Defer = (run) => {
  if (++deferred % DEFERS_PER_TURN === 0) setImmediate(run);
  else process.nextTick(run);
};

/** One end of a joined pair, or a connector's queue until it is joined. */
export function newDirectPipe(host: SocketHost, onFail: () => void): DirectPipe {
  const onSpoiled = ({ peer }: DirectPipe): void =>
    host.emitEvent("limit", {
      address: peer?.address ?? "",
      endpoint: peer?.endpoint ?? "",
      peer,
      limit: "buffer",
      action: "dropped",
      error: memoryGone(),
    });
  return new DirectPipe(host, host.options, host.runtime.turnEnd, deferSoon, onFail, onSpoiled);
}

/** How a socket of this thread looks to the other end. */
export function peerOf(host: SocketHost, id: number, address: string): Peer {
  const routingId = host.options.routingId ?? Buffer.alloc(0);
  const { socketType } = host;
  return { id, address, endpoint: address, socketType, routingId, metadata: host.options.metadata };
}

/**
 * waiting → joined (bound in this thread) → parted
 * waiting → dialling (bound in another) → remote (handshake complete) → parted
 * dialling → waiting (the other thread has gone), dialling → joined, dialling → parted (types do not fit)
 * parted → waiting (renewed); any → closed
 */
type State = "waiting" | "dialling" | "joined" | "remote" | "parted" | "closed";

/** A connected name; waits until it is bound. */
export class InprocConnector implements EndpointHandle, SessionOwner {
  readonly endpoint: string;
  readonly socketType: string;
  readonly host: SocketHost;
  /** As they were when the application connected. */
  readonly #notices: NoticeOptions;
  pipe: DirectPipe;
  readonly #registry: InprocRegistry;
  readonly routingId: Buffer | null;
  #state: State = "waiting";
  #listener: InprocListener | null = null;
  #far: DirectPipe | null = null;
  #session: Session | null = null;
  #attached = true;
  /** Joined, and the socket knows. */
  #linked = false;
  readonly #hold: Hold;
  /** Called when the name is bound at last; set while a close lingers. */
  #onJoined: (() => void) | null = null;
  /** close() has been called. */
  #closing = false;
  /** Nor does it linger any more. */
  #abandoned = false;

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

  start(): void {
    this.#state = "waiting";
    sayHello(this.pipe, this.#notices);
    this.host.attachPipe(this.pipe);
    this.#hold.set(this.host.refed);
    this.#registry.connect(this);
  }

  // A binder in this thread

  joined(listener: InprocListener, far: DirectPipe): void {
    this.#dropSession();
    this.#state = "joined";
    this.#linked = false;
    this.#hold.set(false);
    this.#listener = listener;
    this.#far = far;
    this.#onJoined?.();
  }

  /** Both ends know of each other. */
  linked(peer: Peer): void {
    this.#linked = true;
    this.#connected(this.pipe, peer);
  }

  #connected(pipe: DirectPipe | StreamPipe, peer: Peer): void {
    if (this.#closing) tellHandshake(this.host, peer);
    else {
      this.host.pipeConnected(pipe, peer);
      tellMade(this.host, pipe, this.#notices);
    }
  }

  /** No hiccup: no connection is made anew here (R22). */
  #tellLost(): void {
    if (!this.#closing) tellLost(this.host, this.pipe, { ...this.#notices, hiccupMessage: null }, true);
  }

  /** The binder's type does not fit ours: nothing more happens here. */
  refused(): void {
    this.#dropSession();
    this.#state = "parted";
    this.#hold.set(false);
    this.#onJoined?.(); // a close that lingers waits for nothing any more
  }

  parted(): void {
    if (this.#far === null) return;
    this.#far = null;
    if (this.#state !== "closed") this.#state = "parted";
    // Turned away by the binder before it was told: as over tcp, the handshake was complete.
    if (!this.#linked) tellHandshake(this.host, this.pipe.peer as Peer);
    this.#tellLost();
    this.host.pipeDisconnected(this.pipe);
    this.#detach();
    this.host.emitEvent("disconnect", { address: this.endpoint, peer: this.pipe.peer as Peer });
  }

  // A binder in another thread

  /** Whether a connection to another thread is being made. */
  get dialling(): boolean {
    return this.#session !== null;
  }

  reached(stream: Stream): void {
    this.#state = "dialling";
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

  /** Its pipe has brought it along. */
  get greeting(): null {
    return null;
  }

  nextPeerId(): number {
    return this.host.nextPeerId();
  }

  refusalOf(peer: Peer): Error | null {
    return this.#closing ? null : this.host.refusalOf(peer, this.pipe, this.routingId);
  }

  sessionReady(_session: Connection, peer: Peer): StreamPipe {
    this.#state = "remote";
    this.#registry.forget(this);
    this.pipe.peer = peer;
    this.pipe.becomeStream();
    return this.pipe;
  }

  sessionLinked(pipe: StreamPipe, peer: Peer): void {
    this.#hold.set(false); // the stream has its own
    this.#connected(pipe, peer);
    this.#onJoined?.();
  }

  sessionEnded(session: Connection, { wasReady, error }: SessionEnd): void {
    this.#session = null;
    if (wasReady) {
      this.#state = "parted";
      this.#tellLost();
      this.host.pipeDisconnected(this.pipe);
      this.pipe.discardOutbound();
      this.#detach();
      this.pipe.onEmpty?.();
    }
    const place = { address: this.endpoint, endpoint: this.endpoint };
    reportEnd(this.host, session, place, wasReady, error);
    if (this.#state !== "dialling") return;
    if (error instanceof ProtocolError && error.kind !== "other") {
      this.#registry.forget(this);
      this.refused();
    } else {
      this.#state = "waiting";
      this.#registry.connect(this);
    }
  }

  // From the socket

  /** Connect once more, by a new pipe. */
  renew(): void {
    if (this.#closing) return; // by a listener of the event that told of the end
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

  #leave(): void {
    if (this.#far !== null) this.#listener?.part(this.#far);
  }

  async close(lingerMs: number): Promise<void> {
    this.#closing = true;
    this.#detach();
    const began = this.runtime.now();
    // R23: messages of a connector that closes before the name is bound still arrive, while it lingers.
    if (this.#waits && lingerMs !== 0 && this.pipe.outboundLength > 0) await this.#bound(lingerMs);
    this.#registry.forget(this);
    if (this.#state === "remote") {
      const left = lingerMs > 0 ? Math.max(0, lingerMs - (this.runtime.now() - began)) : lingerMs;
      await flushed([this.pipe], this.#abandoned ? 0 : left, this.runtime.loop);
    }
    const wasRemote = this.#state === "remote";
    this.#state = "closed";
    this.#dropSession();
    if (wasRemote) this.host.pipeDisconnected(this.pipe);
    this.pipe.discardOutbound();
    this.#leave();
    this.#hold.set(false);
    this.host.emitEvent("close", { address: this.endpoint });
  }

  get #waits(): boolean {
    return this.#state === "waiting" || this.#state === "dialling";
  }

  /** Waits for the name. In the main thread this does not keep the process alive; see ThreadNames.hold(). */
  #bound(lingerMs: number): Promise<void> {
    return new Promise((resolve) => {
      const deadline = lingerMs > 0 ? this.runtime.loop.deadline(lingerMs, resolve).unref() : undefined;
      this.#onJoined = () => {
        deadline?.cancel();
        setImmediate(resolve); // what was queued goes over first
      };
    });
  }

  get unsent(): number {
    return this.pipe.outboundLength;
  }

  abandon(): void {
    this.#abandoned = true;
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
