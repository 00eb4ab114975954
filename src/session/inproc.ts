/**
 * inproc endpoints within one thread: names, who is bound to them, and connectors that wait for a name to be bound
 * (items R20 to R23). Joined pipes pass messages by reference; there is no handshake on a wire, but types must be
 * compatible all the same.
 */
import { type Defer, DirectPipe } from "../engine/direct-pipe.js";
import type { Pipe } from "../engine/pipe.js";
import { ZmqError } from "../errors.js";
import type { Peer } from "../events.js";
import { isCompatible } from "../zmtp/compatibility.js";
import type { EndpointHandle, SocketHost } from "./host.js";

/** Joins in one turn after which the next goes through the event loop, so that two sockets cannot starve it. */
const DEFERS_PER_TURN = 512;
let deferred = 0;

/** Soon, but not inside the current call; once in 512 after a turn of the event loop. */
const deferSoon: Defer = (run) => {
  if (++deferred % DEFERS_PER_TURN === 0) setImmediate(run);
  else process.nextTick(run);
};

const NO_METADATA: ReadonlyMap<string, Buffer> = new Map();

function peerOf(host: SocketHost, id: number, address: string): Peer {
  const routingId = host.options.routingId ?? Buffer.alloc(0);
  return { id, address, endpoint: address, socketType: host.socketType, routingId, metadata: NO_METADATA };
}

/** The bound and the awaited names of one context. */
export class InprocRegistry {
  readonly #bound = new Map<string, InprocListener>();
  readonly #waiting = new Map<string, Set<InprocConnector>>();

  /** @throws ZmqError EADDRINUSE when the name is bound already (R21) */
  bind(listener: InprocListener): void {
    const { endpoint } = listener;
    if (this.#bound.has(endpoint)) throw new ZmqError("EADDRINUSE", { address: endpoint });
    this.#bound.set(endpoint, listener);
    const waiting = this.#waiting.get(endpoint);
    this.#waiting.delete(endpoint);
    if (waiting !== undefined) for (const connector of waiting) listener.join(connector);
  }

  unbind(listener: InprocListener): void {
    if (this.#bound.get(listener.endpoint) === listener) this.#bound.delete(listener.endpoint);
  }

  connect(connector: InprocConnector): void {
    const { endpoint } = connector;
    const listener = this.#bound.get(endpoint);
    if (listener !== undefined) {
      listener.join(connector);
      return;
    }
    let waiting = this.#waiting.get(endpoint);
    if (waiting === undefined) {
      waiting = new Set();
      this.#waiting.set(endpoint, waiting);
    }
    waiting.add(connector);
  }

  forget(connector: InprocConnector): void {
    const waiting = this.#waiting.get(connector.endpoint);
    waiting?.delete(connector);
    if (waiting?.size === 0) this.#waiting.delete(connector.endpoint);
  }
}

/** A bound name. */
export class InprocListener implements EndpointHandle {
  readonly endpoint: string;
  readonly host: SocketHost;
  readonly #registry: InprocRegistry;
  readonly #pipes = new Map<DirectPipe, InprocConnector>();

  constructor(host: SocketHost, registry: InprocRegistry, endpoint: string) {
    this.host = host;
    this.endpoint = endpoint;
    this.#registry = registry;
  }

  join(connector: InprocConnector): void {
    const { host } = this;
    if (!isCompatible(host.socketType, connector.host.socketType)) {
      const text = `${connector.host.socketType} cannot talk to ${host.socketType}`;
      const error = new ZmqError("EINVAL", { address: this.endpoint, detail: text });
      host.emitEvent("handshake:error:protocol", { address: this.endpoint, error });
      connector.host.emitEvent("handshake:error:protocol", { address: this.endpoint, error });
      return;
    }
    const onFail = (): void => this.part(pipe);
    const pipe = new DirectPipe(host, host.options, deferSoon, onFail);
    this.#pipes.set(pipe, connector);
    const ours = peerOf(host, connector.host.nextPeerId(), this.endpoint);
    const theirs = peerOf(connector.host, host.nextPeerId(), this.endpoint);
    pipe.peer = theirs;
    connector.pipe.peer = ours;
    host.attachPipe(pipe);
    connector.joined(this, pipe);
    DirectPipe.join(pipe, connector.pipe);
    host.pipeConnected(pipe, theirs);
    if (this.#pipes.has(pipe)) connector.host.pipeConnected(connector.pipe, ours); // unless we turned it away
  }

  /** The two ends of one pipe let go of each other. No reconnection follows (R22). */
  part(pipe: DirectPipe): void {
    const connector = this.#pipes.get(pipe);
    if (connector === undefined) return;
    this.#pipes.delete(pipe);
    pipe.separate();
    const peer = pipe.peer as Peer;
    this.host.pipeDisconnected(pipe);
    this.host.detachPipe(pipe);
    connector.parted();
    this.host.emitEvent("disconnect", { address: this.endpoint, peer });
  }

  reset(pipe: Pipe): boolean {
    const connector = this.#pipes.get(pipe as DirectPipe);
    if (connector === undefined) return false;
    this.part(pipe as DirectPipe);
    connector.renew();
    return true;
  }

  async close(): Promise<void> {
    this.#registry.unbind(this);
    for (const pipe of [...this.#pipes.keys()]) this.part(pipe);
    this.host.emitEvent("close", { address: this.endpoint });
  }

  ref(): void {
    // A name holds no resource of the event loop.
  }

  unref(): void {
    // As ref().
  }
}

/** A connected name; waits until it is bound. */
export class InprocConnector implements EndpointHandle {
  readonly endpoint: string;
  readonly host: SocketHost;
  pipe: DirectPipe;
  readonly #registry: InprocRegistry;
  #listener: InprocListener | null = null;
  #far: DirectPipe | null = null;
  readonly #routingId: Buffer | null;
  #attached = true;
  /** Called when the name is bound at last; set while a close lingers. */
  #onJoined: (() => void) | null = null;

  /** @param routingId how the socket will name the peer, where connect() said so (I11) */
  constructor(host: SocketHost, registry: InprocRegistry, endpoint: string, routingId: Buffer | null) {
    this.host = host;
    this.endpoint = endpoint;
    this.#registry = registry;
    this.#routingId = routingId;
    this.pipe = this.#newPipe();
  }

  #newPipe(): DirectPipe {
    const pipe = new DirectPipe(this.host, this.host.options, deferSoon, () => this.#leave());
    pipe.routingId = this.#routingId;
    return pipe;
  }

  start(): void {
    this.host.attachPipe(this.pipe);
    this.#registry.connect(this);
  }

  joined(listener: InprocListener, far: DirectPipe): void {
    this.#listener = listener;
    this.#far = far;
    this.#onJoined?.();
  }

  parted(): void {
    if (this.#far === null) return;
    this.#far = null;
    this.host.pipeDisconnected(this.pipe);
    this.#detach();
    this.host.emitEvent("disconnect", { address: this.endpoint, peer: this.pipe.peer as Peer });
  }

  /** Connect once more, by a new pipe. */
  renew(): void {
    this.pipe = this.#newPipe();
    this.#attached = true;
    this.start();
  }

  reset(pipe: Pipe): boolean {
    if (pipe !== this.pipe) return false;
    if (this.#far !== null) {
      this.#leave();
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
    this.#detach();
    // R23: messages of a connector that closes before the name is bound still arrive, while it lingers.
    if (this.#far === null && lingerMs !== 0 && this.pipe.outboundLength > 0) await this.#bound(lingerMs);
    this.#registry.forget(this);
    this.#leave();
    this.host.emitEvent("close", { address: this.endpoint });
  }

  /** Waits for the name; does not keep the process alive, because nothing else in it could bind the name then. */
  #bound(lingerMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = lingerMs > 0 ? setTimeout(resolve, lingerMs).unref() : undefined;
      this.#onJoined = () => {
        clearTimeout(timer);
        setImmediate(resolve); // what was queued goes over first
      };
    });
  }

  ref(): void {
    // A name holds no resource of the event loop.
  }

  unref(): void {
    // As ref().
  }
}
