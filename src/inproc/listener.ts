/**
 * A bound inproc name. Within the thread, it joins its pipes to those of connectors, and messages are passed by
 * reference. There is no handshake then, but the socket types must be compatible. Connectors of other threads come over
 * a stream, with an ordinary session.
 */
import { ZmqError } from "../base/errors.js";
import type { Peer } from "../base/events.js";
import { Listener } from "../connect/listener.js";
import { whyEnded } from "../connect/report.js";
import type { Pipe } from "../engine/pipe.js";
import type { EndpointHandle, Link, SocketHost } from "../session/host.js";
import { type NoticeOptions, noticesOf, sayHello, tellLost, tellMade } from "../session/notices.js";
import type { Stream } from "../transport/contract/transport.js";
import { isCompatible } from "../wire/zmtp/compatibility.js";
import { DirectPipe } from "./direct-pipe.js";
import { type BoundEnd, type ConnectingEnd, joinedLink, newDirectPipe, peerOf } from "./ends.js";
import type { Hold } from "./hold.js";
import type { InprocRegistry } from "./registry.js";

/** A bound name. */
export class InprocListener implements EndpointHandle, BoundEnd {
  readonly endpoint: string;
  readonly host: SocketHost;
  /** The options at the time when the application bound. */
  readonly #notices: NoticeOptions;
  readonly #conflate: boolean | "topic";
  readonly #registry: InprocRegistry;
  readonly #pipes = new Map<DirectPipe, ConnectingEnd>();
  #open = false;
  /** Listens for connections from other threads; null until the first one. */
  #remote: Listener | null = null;
  readonly #hold: Hold;

  constructor(host: SocketHost, registry: InprocRegistry, endpoint: string) {
    this.host = host;
    this.#notices = noticesOf(host.options);
    this.#conflate = host.options.conflate;
    this.endpoint = endpoint;
    this.#registry = registry;
    this.#hold = registry.newHold();
  }

  get open(): boolean {
    return this.#open;
  }

  opened(): void {
    this.#open = true;
    this.#hold.set(this.host.refed);
  }

  accept(stream: Stream): void {
    if (this.#remote === null) {
      this.#remote = new Listener(this.host);
      this.#remote.endpoint = this.endpoint;
    }
    this.#remote.onStream(stream);
  }

  join(connector: ConnectingEnd): void {
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
    const onFail = (error: Error): void => this.part(pipe, error);
    const pipe = newDirectPipe(host, this.#conflate, onFail);
    this.#pipes.set(pipe, connector);
    pipe.peer = theirs;
    connector.pipe.peer = ours;
    sayHello(pipe, this.#notices);
    host.attachPipe(pipe);
    connector.joined(this, pipe);
    DirectPipe.join(pipe, connector.pipe);
    host.pipeConnected(pipe, theirs);
    if (!this.#pipes.has(pipe)) return; // a listener of the "handshake" event has closed the connection
    tellMade(host, pipe, this.#notices);
    connector.linked(ours);
  }

  /** Ends a connection. inproc does not reconnect (R22). @param error why this side ends it */
  part(pipe: DirectPipe, error?: Error): void {
    const connector = this.#pipes.get(pipe);
    if (connector === undefined) return;
    this.#pipes.delete(pipe);
    pipe.separate();
    const peer = pipe.peer as Peer;
    if (this.#open) tellLost(this.host, pipe, this.#notices, false);
    this.host.pipeDisconnected(pipe);
    this.host.detachPipe(pipe);
    connector.parted();
    this.host.emitEvent("disconnect", { address: this.endpoint, peer, ...whyEnded(error) });
  }

  reset(pipe: Pipe): boolean {
    const connector = this.#pipes.get(pipe as DirectPipe);
    if (connector === undefined) return this.#remote?.reset(pipe) ?? false;
    this.part(pipe as DirectPipe);
    connector.renew();
    return true;
  }

  drain(): void {
    this.#open = false;
    this.#registry.unbind(this);
    this.#remote?.drain();
  }

  get links(): Link[] {
    const joined = [...this.#pipes.keys()].map((pipe) => joinedLink(pipe, () => this.part(pipe)));
    return [...joined, ...(this.#remote?.links ?? [])];
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
    return this.#remote?.unsent ?? 0; // messages of a joined pipe do not count: the peer has them
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
