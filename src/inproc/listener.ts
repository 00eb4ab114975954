/**
 * inproc endpoints: names, who is bound to them, and connectors that wait for a name to be bound (items R20 to R23).
 * Within one thread, joined pipes pass messages by reference; there is no handshake on a wire, but types must be
 * compatible all the same. Names of the default context span the threads of the process: what is not found in this
 * thread comes over a stream, with an ordinary session on it.
 */

import { ZmqError } from "../base/errors.js";
import type { Peer } from "../base/events.js";
import { Listener } from "../connect/listener.js";
import type { Pipe } from "../engine/pipe.js";
import type { EndpointHandle, SocketHost } from "../session/host.js";
import { type NoticeOptions, noticesOf, sayHello, tellLost, tellMade } from "../session/notices.js";
import type { Stream } from "../transport/contract/transport.js";
import { isCompatible } from "../wire/zmtp/compatibility.js";
import { InprocConnector, newDirectPipe, peerOf } from "./connector.js";
import { DirectPipe } from "./direct-pipe.js";
import { ThreadNames } from "./name-directory.js";

export { InprocConnector };

/** The bound and the awaited names of one context. */
export class InprocRegistry {
  readonly #bound = new Map<string, InprocListener>();
  readonly #waiting = new Map<string, Set<InprocConnector>>();
  #threads: ThreadNames | null = null;

  /** Share the names with the other threads of the process. */
  spanThreads(): this {
    this.#threads = new ThreadNames({
      onStream: (endpoint, stream) => {
        const listener = this.#bound.get(endpoint);
        if (listener?.open) listener.accept(stream);
        else stream.close();
      },
      onBound: (endpoint) => {
        for (const connector of [...(this.#waiting.get(endpoint) ?? [])]) this.#reach(connector);
      },
    });
    return this;
  }

  /**
   * Done when it returns, unless other threads have to be asked.
   * @throws ZmqError EADDRINUSE when the name is bound already (R21), here or, by rejecting, in another thread
   */
  bind(listener: InprocListener): Promise<void> | undefined {
    const { endpoint } = listener;
    if (this.#bound.has(endpoint)) throw new ZmqError("EADDRINUSE", { address: endpoint });
    this.#bound.set(endpoint, listener);
    const contest = this.#threads?.claim(endpoint);
    if (contest === undefined) {
      this.#admit(listener);
      return undefined;
    }
    return contest.then(
      () => this.#admit(listener),
      (error) => {
        this.#bound.delete(endpoint);
        throw error;
      },
    );
  }

  #admit(listener: InprocListener): void {
    listener.opened();
    const waiting = this.#waiting.get(listener.endpoint);
    this.#waiting.delete(listener.endpoint);
    if (waiting !== undefined) for (const connector of waiting) listener.join(connector);
  }

  unbind(listener: InprocListener): void {
    if (this.#bound.get(listener.endpoint) !== listener) return;
    this.#bound.delete(listener.endpoint);
    this.#threads?.release(listener.endpoint);
  }

  /** Joins a connector to who has the name, in this thread rather than in another; else it waits. */
  connect(connector: InprocConnector): void {
    const { endpoint } = connector;
    const listener = this.#bound.get(endpoint);
    if (listener?.open) {
      listener.join(connector);
      return;
    }
    let waiting = this.#waiting.get(endpoint);
    if (waiting === undefined) {
      waiting = new Set();
      this.#waiting.set(endpoint, waiting);
    }
    waiting.add(connector);
    this.#reach(connector);
  }

  #reach(connector: InprocConnector): void {
    if (connector.dialling) return;
    const stream = this.#threads?.connect(connector.endpoint);
    if (stream !== undefined) connector.reached(stream);
  }

  forget(connector: InprocConnector): void {
    const waiting = this.#waiting.get(connector.endpoint);
    waiting?.delete(connector);
    if (waiting?.size === 0) this.#waiting.delete(connector.endpoint);
  }

  /** Whether a name is bound, here or, as far as other threads have told, in one of them. */
  isBound(endpoint: string): Promise<boolean> {
    if (this.#bound.get(endpoint)?.open) return Promise.resolve(true);
    return this.#threads?.isBound(endpoint) ?? Promise.resolve(false);
  }

  /** What keeps a thread alive that waits for other threads. */
  newHold(): Hold {
    return new Hold(this.#threads);
  }
}

/** Keeps the thread alive while it is both wanted and not unreferenced. */
export class Hold {
  readonly #threads: ThreadNames | null;
  #held = false;

  constructor(threads: ThreadNames | null) {
    this.#threads = threads;
  }

  set(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    if (held) this.#threads?.hold();
    else this.#threads?.letGo();
  }
}

/** A bound name. */
export class InprocListener implements EndpointHandle {
  readonly endpoint: string;
  readonly host: SocketHost;
  /** As they were when the application bound. */
  readonly #notices: NoticeOptions;
  readonly #registry: InprocRegistry;
  readonly #pipes = new Map<DirectPipe, InprocConnector>();
  #open = false;
  /** Connections from other threads, once there has been one. */
  #remote: Listener | null = null;
  readonly #hold: Hold;

  constructor(host: SocketHost, registry: InprocRegistry, endpoint: string) {
    this.host = host;
    this.#notices = noticesOf(host.options);
    this.endpoint = endpoint;
    this.#registry = registry;
    this.#hold = registry.newHold();
  }

  /** Whether the name is ours in all threads. */
  get open(): boolean {
    return this.#open;
  }

  /** From the registry: the name is ours. */
  opened(): void {
    this.#open = true;
    this.#hold.set(this.host.refed);
  }

  /** A connector of another thread. */
  accept(stream: Stream): void {
    if (this.#remote === null) {
      this.#remote = new Listener(this.host);
      this.#remote.endpoint = this.endpoint;
    }
    this.#remote.onStream(stream);
  }

  join(connector: InprocConnector): void {
    const { host } = this;
    if (!isCompatible(host.socketType, connector.host.socketType)) {
      const text = `${connector.host.socketType} cannot talk to ${host.socketType}`;
      const error = new ZmqError("EINVAL", { address: this.endpoint, detail: text });
      host.emitEvent("handshake:error:protocol", { address: this.endpoint, error });
      connector.host.emitEvent("handshake:error:protocol", { address: this.endpoint, error });
      connector.refused();
      return;
    }
    const ours = peerOf(host, connector.host.nextPeerId(), this.endpoint);
    const theirs = peerOf(connector.host, host.nextPeerId(), this.endpoint);
    const refusal = host.refusalOf(theirs, null, null) ?? connector.refusalOf(ours);
    if (refusal !== null) {
      for (const side of [host, connector.host]) {
        side.emitEvent("handshake:error:other", { address: this.endpoint, error: refusal });
      }
      connector.refused();
      return;
    }
    const onFail = (): void => this.part(pipe);
    const pipe = newDirectPipe(host, onFail);
    this.#pipes.set(pipe, connector);
    pipe.peer = theirs;
    connector.pipe.peer = ours;
    sayHello(pipe, this.#notices);
    host.attachPipe(pipe);
    connector.joined(this, pipe);
    DirectPipe.join(pipe, connector.pipe);
    host.pipeConnected(pipe, theirs);
    if (!this.#pipes.has(pipe)) return; // we turned it away
    tellMade(host, pipe, this.#notices);
    connector.linked(ours);
  }

  /** The two ends of one pipe let go of each other. No reconnection follows (R22). */
  part(pipe: DirectPipe): void {
    const connector = this.#pipes.get(pipe);
    if (connector === undefined) return;
    this.#pipes.delete(pipe);
    pipe.separate();
    const peer = pipe.peer as Peer;
    if (this.#open) tellLost(this.host, pipe, this.#notices, false);
    this.host.pipeDisconnected(pipe);
    this.host.detachPipe(pipe);
    connector.parted();
    this.host.emitEvent("disconnect", { address: this.endpoint, peer });
  }

  reset(pipe: Pipe): boolean {
    const connector = this.#pipes.get(pipe as DirectPipe);
    if (connector === undefined) return this.#remote?.reset(pipe) ?? false;
    this.part(pipe as DirectPipe);
    connector.renew();
    return true;
  }

  async close(lingerMs: number): Promise<void> {
    this.#open = false;
    this.#registry.unbind(this);
    for (const pipe of [...this.#pipes.keys()]) this.part(pipe);
    if (this.#remote !== null) await this.#remote.close(lingerMs);
    else this.host.emitEvent("close", { address: this.endpoint });
    this.#hold.set(false);
  }

  get unsent(): number {
    return this.#remote?.unsent ?? 0; // joined pipes keep nothing back
  }

  abandon(): void {
    this.#remote?.abandon();
  }

  ref(): void {
    this.#hold.set(this.#open);
    this.#remote?.ref();
  }

  unref(): void {
    this.#hold.set(false);
    this.#remote?.unref();
  }
}
